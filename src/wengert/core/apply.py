"""The one place where the graph grows.

``apply(primitive, *inputs)`` computes an operation and, if a gradient can flow through it, leaves a node behind. The
common case, plain tensors and scalars with no transform or special mode active, is decided by exact type checks; for
operations of one, two or three operands without parameters it is specialised ahead of time by ``unary_operator``,
``binary_operator`` and ``ternary_operator``, which are what ``wengert.tanh``, ``Tensor.__mul__`` and ``wengert.where``
are. Everything else goes through ``_apply_general``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .dims import Dim, has_dim
from .errors import (
    AnomalyError,
    DTypeError,
    IndexRangeError,
    LinearAlgebraError,
    ShapeError,
    WengertError,
)
from .mode import MODE
from .node import Location, MultiNode, Node, is_library_file, next_number, record, user_location
from .primitive import AUX, INPUTS, OUT, Primitive, apply_hook
from .tensor import EAGER_TYPES, Tensor, wrap
from .types import SCALAR_TYPES, frozen_copy, in_machine_order

_get_mode = MODE.get
_ndarray = np.ndarray
_getframe = sys._getframe


def apply(primitive: Primitive, *inputs: Any) -> Any:
    """Compute ``primitive`` on tensors, arrays and scalars; record a node if an operand requires a gradient.

    Returns a Tensor, or a tuple of them for an operation with several results.
    """
    mode = _get_mode()
    if mode.plain:
        values = []
        mask = 0
        bit = 1
        for x in inputs:
            if type(x) is Tensor or type(x) in EAGER_TYPES:
                values.append(x._value)
                if x._node is not None:
                    mask |= bit
            elif type(x) in SCALAR_TYPES:
                values.append(x)
            else:
                return _apply_general(primitive, inputs)
            bit += bit
        if not mask or not primitive.differentiable:
            try:
                out = primitive.value(*values)
            except Exception as error:
                raise explain(primitive, values, error) from error
            if type(out) is _ndarray:
                return wrap(out)
            return tuple(map(_wrapped, out)) if type(out) is tuple else _wrapped(out)
        return _record(primitive, inputs, values, mask, mode)
    return _apply_general(primitive, inputs)


apply_hook.append(apply)


def _wrapped(out: Any) -> Tensor:
    return wrap(out if type(out) is _ndarray else np.asarray(out))


def _record(primitive: Primitive, inputs: Sequence[Any], values: list[Any], mask: int, mode: Any) -> Any:
    """Compute, and leave a node with exactly the residuals that the rules of the tracked operands name."""
    slots = primitive.residual_slots(mask)
    aux = None
    try:
        if AUX in slots:
            out, aux = primitive.value_and_aux(*values)
        else:
            out = primitive.value(*values)
    except Exception as error:
        raise explain(primitive, values, error) from error
    if type(out) is tuple:
        out = tuple(one if type(one) is _ndarray else np.asarray(one) for one in out)
    elif type(out) is not _ndarray:
        out = np.asarray(out)
    if mode.anomaly:
        check_finite(primitive, values, out)
    parents = tuple(x._node if mask >> position & 1 else None for position, x in enumerate(inputs))
    return leave_node(primitive, inputs, values, parents, out, aux, slots, mode)


def leave_node(
    primitive: Primitive,
    inputs: Sequence[Any],
    values: Sequence[Any],
    parents: tuple[Node | None, ...],
    out: Any,
    aux: Any,
    slots: tuple[int, ...],
    mode: Any,
) -> Any:
    """The tensor or tensors of a result, with the node that ties them to ``parents``."""
    residuals = _residuals(slots, inputs, values, out, aux)
    if mode.pack is not None:
        residuals = mode.pack.pack(residuals)
    node = record(primitive, parents, residuals, out, mode.scope, mode.source)
    if isinstance(node, MultiNode):
        return tuple(wrap(one, node.output(index) if one.dtype.kind in "fc" else None) for index, one in enumerate(out))
    return wrap(out, node if out.dtype.kind in "fc" else None)


def _residuals(slots: tuple[int, ...], inputs: Sequence[Any], values: Sequence[Any], out: Any, aux: Any) -> Any:
    if not slots:
        return None
    kept: list[Any] = [None] * (len(values) + 2)
    for slot in slots:
        if slot == INPUTS:
            for position, value in enumerate(values):
                kept[position] = frozen_copy(value) if type(inputs[position]) is _ndarray else value
        elif slot == OUT:
            kept[OUT] = out
        elif slot == AUX:
            kept[AUX] = aux
        else:
            kept[slot] = frozen_copy(values[slot]) if type(inputs[slot]) is _ndarray else values[slot]
    return tuple(kept)


def _apply_general(primitive: Primitive, inputs: Sequence[Any]) -> Any:
    """Any operands and any mode: raw arrays, lists, operands of a transform, ``no_grad``, anomaly detection."""
    inputs = [as_operand(x, primitive) for x in inputs]
    mode = _get_mode()
    top = None
    for x in inputs:
        level = level_of(x)
        if level is None and mode.trace is not None and (isinstance(x, Dim) or getattr(x, "_node", None) is not None):
            level = mode.trace
        if level is not None and (top is None or level.number > top.number):
            top = level
    if top is None and mode.trace is not None and any(map(has_dim, vars(primitive).values())):
        top = mode.trace
    if top is not None:
        if mode.trace is not None and mode.trace.number > top.number:
            top = mode.trace
        return top.interpret(primitive, inputs)
    if mode.observer is not None:
        return mode.observer(primitive, inputs)
    mask = 0
    values = []
    for position, x in enumerate(inputs):
        if isinstance(x, Tensor):
            values.append(x._value)
            if x._node is not None:
                mask |= 1 << position
        else:
            values.append(frozen_copy(x) if primitive.aliases else x)
    if mask and mode.grad and primitive.differentiable:
        return _record(primitive, inputs, values, mask, mode)
    try:
        out = primitive.value(*values)
    except Exception as error:
        raise explain(primitive, values, error) from error
    if mode.anomaly:
        check_finite(primitive, values, out)
    return tuple(map(_wrapped, out)) if type(out) is tuple else _wrapped(out)


def level_of(x: Any) -> Any:
    """The innermost transform that an operand belongs to, or ``None``."""
    level = getattr(x, "_level", None)
    if level is None and isinstance(x, Tensor) and type(x._value) is not _ndarray:
        level = getattr(x._value, "_level", None)
    return level


def as_operand(x: Any, primitive: Any = "this operation") -> Any:
    """A tensor, an ndarray or a scalar as it is; lists and array-likes as an array; anything else is an error."""
    if isinstance(x, Tensor) or type(x) is _ndarray or type(x) in SCALAR_TYPES:
        if type(x) is _ndarray and x.dtype.kind not in "biufc":
            raise DTypeError(f"{getattr(primitive, 'name', primitive)}: arrays of dtype {x.dtype} are not supported")
        return in_machine_order(x) if type(x) is _ndarray else x
    if isinstance(x, Dim):
        return x
    scalar: Any
    for scalar in (int, float, complex):
        if isinstance(x, scalar):
            return scalar(x)
    name = getattr(primitive, "name", primitive)
    if isinstance(x, (list, tuple)) and any(isinstance(item, Tensor) for item in x):
        raise DTypeError(f"{name}: got a {type(x).__name__} of tensors; join them first with wengert.stack")
    if isinstance(x, _ndarray):
        if isinstance(x, np.ma.MaskedArray):
            raise DTypeError(f"{name}: masked arrays are not supported; use wengert.where with the mask")
        return as_operand(np.asarray(x), primitive)
    if isinstance(x, (list, tuple)) or hasattr(x, "__array__"):
        try:
            array = np.asarray(x)
        except ValueError as error:
            raise ShapeError(f"{name}: cannot make an array of this {type(x).__name__}: {error}") from error
        if array.dtype.kind in "biufc":
            return in_machine_order(array)
    raise DTypeError(
        f"{name}: an operand of type {type(x).__name__} is neither a tensor, an array nor a number{_at_user_line()}"
    )


# -- operators compiled ahead of time -------------------------------------------------------------------------------


def unary_operator(primitive: Primitive) -> Callable[[Any], Tensor]:
    """``apply`` for one operation of one operand, with everything that is known ahead already decided."""
    value = primitive.value
    slots = primitive.residual_slots(1)
    keep_x, keep_out = 0 in slots, OUT in slots
    general = not primitive.differentiable or AUX in slots

    def operator(x: Any) -> Tensor:
        mode = _get_mode()
        if not (type(x) is Tensor or type(x) in EAGER_TYPES) or not mode.plain or general:
            return apply(primitive, x)
        operand = x._value
        try:
            out = value(operand)
        except Exception as error:
            raise explain(primitive, [operand], error) from error
        if type(out) is not _ndarray:
            out = np.asarray(out)
        result = Tensor.__new__(Tensor)
        result._value = out
        parent = x._node
        if parent is None:
            result._node = None
            return result
        result._node = node = Node()
        node.primitive = primitive
        node.parents = (parent,)
        if keep_out:
            node.residuals = (operand if keep_x else None, out, None)
        else:
            node.residuals = (operand, None, None) if keep_x else None
        node.number = next_number()
        node.shape = out.shape
        node.dtype = out.dtype
        node.scope = mode.scope
        node.watch = None
        frame = _getframe(1)
        while is_library_file[frame.f_code.co_filename] and frame.f_back is not None:
            frame = frame.f_back
        node.code = frame.f_code
        node.lasti = frame.f_lasti
        return result

    return operator


def binary_operator(primitive: Primitive, reflected: str = "") -> Callable[[Any, Any], Tensor]:
    """``apply`` for one operation of two operands, with everything that is known ahead already decided.

    A function that is to be an operator method names its reflected counterpart (``__radd__``): operands of foreign
    classes that have it get their turn, as Python's protocol asks.
    """
    value = primitive.value
    plans = [None]
    for mask in (1, 2, 3):
        slots = primitive.residual_slots(mask)
        plans.append((0 in slots, 1 in slots, OUT in slots) if slots else None)  # type: ignore[arg-type]
    _, left, right, both = plans
    general = not primitive.differentiable

    def otherwise(x: Any, y: Any) -> Any:
        return NotImplemented if reflected and is_foreign(y, reflected) else apply(primitive, x, y)

    def operator(x: Any, y: Any) -> Tensor:
        mode = _get_mode()
        if not mode.plain or general:
            return otherwise(x, y)
        if type(x) is Tensor or type(x) in EAGER_TYPES:
            x_value = x._value
            x_node = x._node
            if type(y) is Tensor or type(y) in EAGER_TYPES:
                y_value = y._value
                y_node = y._node
            elif type(y) in SCALAR_TYPES:
                y_value = y
                y_node = None
            else:
                return otherwise(x, y)
        elif type(x) in SCALAR_TYPES and (type(y) is Tensor or type(y) in EAGER_TYPES):
            x_value = x
            x_node = None
            y_value = y._value
            y_node = y._node
        else:
            return otherwise(x, y)
        try:
            out = value(x_value, y_value)
        except Exception as error:
            raise explain(primitive, [x_value, y_value], error) from error
        if type(out) is not _ndarray:
            out = np.asarray(out)
        result = Tensor.__new__(Tensor)
        result._value = out
        if x_node is None:
            if y_node is None:
                result._node = None
                return result
            plan = right
        elif y_node is None:
            plan = left
        else:
            plan = both
        result._node = node = Node()
        node.primitive = primitive
        node.parents = (x_node, y_node)
        if plan is None:
            node.residuals = None
        else:
            keep_x, keep_y, keep_out = plan
            node.residuals = (
                x_value if keep_x else None,
                y_value if keep_y else None,
                out if keep_out else None,
                None,
            )
        node.number = next_number()
        node.shape = out.shape
        node.dtype = out.dtype
        node.scope = mode.scope
        node.watch = None
        frame = _getframe(1)
        while is_library_file[frame.f_code.co_filename] and frame.f_back is not None:
            frame = frame.f_back
        node.code = frame.f_code
        node.lasti = frame.f_lasti
        return result

    return operator


def ternary_operator(primitive: Primitive) -> Callable[[Any, Any, Any], Tensor]:
    """``apply`` for one operation of three operands, with everything that is known ahead already decided."""
    value = primitive.value
    plans: list[tuple[bool, bool, bool, bool] | None] = [None]
    for mask in range(1, 8):
        slots = primitive.residual_slots(mask)
        plans.append((0 in slots, 1 in slots, 2 in slots, OUT in slots) if slots else None)
    general = not primitive.differentiable or AUX in primitive.residual_slots(7)

    def operator(x: Any, y: Any, z: Any) -> Tensor:
        mode = _get_mode()
        if not mode.plain or general:
            return apply(primitive, x, y, z)
        x_node = y_node = z_node = None
        if type(x) is Tensor or type(x) in EAGER_TYPES:
            x_value = x._value
            x_node = x._node
        elif type(x) in SCALAR_TYPES:
            x_value = x
        else:
            return apply(primitive, x, y, z)
        if type(y) is Tensor or type(y) in EAGER_TYPES:
            y_value = y._value
            y_node = y._node
        elif type(y) in SCALAR_TYPES:
            y_value = y
        else:
            return apply(primitive, x, y, z)
        if type(z) is Tensor or type(z) in EAGER_TYPES:
            z_value = z._value
            z_node = z._node
        elif type(z) in SCALAR_TYPES:
            z_value = z
        else:
            return apply(primitive, x, y, z)
        try:
            out = value(x_value, y_value, z_value)
        except Exception as error:
            raise explain(primitive, [x_value, y_value, z_value], error) from error
        if type(out) is not _ndarray:
            out = np.asarray(out)
        result = Tensor.__new__(Tensor)
        result._value = out
        mask = (x_node is not None) | (y_node is not None) << 1 | (z_node is not None) << 2
        # A boolean or integer result (of ``where``, say) carries no gradient.
        if not mask or out.dtype.kind not in "fc":
            result._node = None
            return result
        result._node = node = Node()
        node.primitive = primitive
        node.parents = (x_node, y_node, z_node)
        plan = plans[mask]
        if plan is None:
            node.residuals = None
        else:
            keep_x, keep_y, keep_z, keep_out = plan
            node.residuals = (
                x_value if keep_x else None,
                y_value if keep_y else None,
                z_value if keep_z else None,
                out if keep_out else None,
                None,
            )
        node.number = next_number()
        node.shape = out.shape
        node.dtype = out.dtype
        node.scope = mode.scope
        node.watch = None
        frame = _getframe(1)
        while is_library_file[frame.f_code.co_filename] and frame.f_back is not None:
            frame = frame.f_back
        node.code = frame.f_code
        node.lasti = frame.f_lasti
        return result

    return operator


def is_foreign(x: Any, method: str) -> bool:
    """Whether an operand is no kind of array or number, and of a class that has ``method``."""
    return (
        hasattr(type(x), method)
        and not hasattr(x, "__array__")
        and not isinstance(x, (Tensor, Dim, int, float, complex, list, tuple, str, bytes))
    )


# -- errors ---------------------------------------------------------------------------------------------------------


def _at_user_line(location: Location | None = None) -> str:
    if location is None:
        location = user_location()
    if location is None:
        return ""
    return f"\n  at {location}" + (f": {location.text}" if location.text else "")


def describe(value: Any) -> str:
    """``float64(3, 4)`` for an array, the value itself for a scalar."""
    if isinstance(value, (_ndarray, Tensor)):
        return f"{value.dtype}{value.shape}"
    return repr(value)


def explain(
    primitive: Primitive, values: Sequence[Any], error: Exception, location: Location | None = None
) -> Exception:
    """The typed error for what NumPy raised: which operation, on which shapes, at which line of the user's (the one
    that is running, unless ``location`` says which)."""
    kinds: list[tuple[type[Exception], type[WengertError]]] = [
        (np.linalg.LinAlgError, LinearAlgebraError),
        (IndexError, IndexRangeError),
        (ValueError, ShapeError),
        (TypeError, DTypeError),
    ]
    if isinstance(error, WengertError):
        return error
    for builtin, typed in kinds:
        if isinstance(error, builtin):
            operands = ", ".join(describe(value) for value in values)
            return typed(f"{primitive!r} on {operands}: {error}{_at_user_line(location)}")
    return error


def summary(value: Any) -> str:
    """Shape, dtype and extremes of a value, for messages."""
    array = np.asarray(value)
    if array.size == 0 or array.dtype.kind not in "fc":
        return describe(array)
    finite = np.abs(array[np.isfinite(array)])
    extent = f", |finite| in [{finite.min():.4g}, {finite.max():.4g}]" if finite.size else ", nothing finite"
    return f"{describe(array)}: {np.isnan(array).sum()} NaN, {np.isinf(array).sum()} inf{extent}"


def check_finite(primitive: Primitive, values: Sequence[Any], out: Any) -> None:
    """Raise ``AnomalyError`` if a result holds a NaN or an infinity that the operands do not explain away."""
    for one in out if type(out) is tuple else (out,):
        array = np.asarray(one)
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            operands = "\n".join(f"  operand {i}: {summary(value)}" for i, value in enumerate(values))
            raise AnomalyError(f"the forward pass of {primitive!r} gave {summary(array)}{_at_user_line()}\n{operands}")
