"""NumPy's functions on tensors: what ``__array_ufunc__`` and ``__array_function__`` do.

``NUMPY_FUNCTIONS`` says which function stands in for which. Here arguments are translated, since ours take PyTorch's
keywords too and not every one of NumPy's; ``out=`` and ``where=`` are done once for all of them; the methods of
ufuncs are reduced to functions; and what there is no counterpart for raises an error that names an alternative.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError, GradientError, ShapeError, UnsupportedFunctionError
from wengert.core.levels import as_tensor, bottom
from wengert.core.tensor import Tensor, wrap
from wengert.ops.inplace import move
from wengert.ops.protocol import NUMPY_FUNCTIONS
from wengert.ops.special import SPECIAL_FUNCTIONS

_NO_DATES = "tensors hold numbers, not dates"

#: What to write instead of functions that have no counterpart.
HINTS: dict[str, str] = {
    "vectorize": "use wengert.vmap",
    "frompyfunc": "use wengert.vmap",
    "fromiter": "build a list and call wengert.tensor or wengert.stack",
    "nditer": "iterate over x.detach().numpy()",
    "isnat": _NO_DATES,
    "datetime_as_string": _NO_DATES,
    "is_busday": _NO_DATES,
    "busday_count": _NO_DATES,
    "busday_offset": _NO_DATES,
}

#: ``ufunc.reduce`` and ``ufunc.accumulate`` that have a function of their own.
REDUCTIONS: dict[Any, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
ACCUMULATIONS: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


def unsupported(function: Any, reason: str = "") -> UnsupportedFunctionError:
    """The error for a function that has no counterpart: its name, and what to write instead."""
    name = function.__name__
    module = _module_of(function)
    hint = HINTS.get(name) or (
        f"if no gradient is needed, detach: {module}.{name}(x.detach().numpy()); else write a wengert.autograd.Function"
    )
    return UnsupportedFunctionError(f"{module}.{name} does not work on tensors{reason}; {hint}")


# -- ufuncs ---------------------------------------------------------------------------------------------------------


def call_ufunc(ufunc: np.ufunc, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """``ufunc.method(*inputs, **kwargs)``, at least one of whose operands is a tensor."""
    kwargs = {name: value for name, value in kwargs.items() if name not in ("order", "subok")}
    out = kwargs.pop("out", None)
    casting = kwargs.pop("casting", "same_kind")
    if method == "at":
        return _at(ufunc, *inputs)
    if method == "__call__":
        result = _call(ufunc, inputs, out, **kwargs)
    elif method == "reduce":
        result = _reduce(ufunc, *inputs, **kwargs)
    elif method == "accumulate":
        result = _accumulate(ufunc, *inputs, **kwargs)
    elif method == "outer":
        result = _outer(ufunc, *inputs, **kwargs)
    else:
        raise UnsupportedFunctionError(
            f"numpy.{ufunc.__name__}.{method} does not work on tensors; split the tensor and reduce each part"
        )
    return result if out is None else deliver(result, out, f"numpy.{ufunc.__name__}", casting)


def counterpart(function: Any) -> Callable[..., Any]:
    """The function that stands in for one of NumPy's or SciPy's."""
    found = NUMPY_FUNCTIONS.get(function) or _special(function)
    if found is None:
        raise unsupported(function)
    return found


def _special(function: Any) -> Callable[..., Any] | None:
    """The counterpart of one of ``scipy.special``'s ufuncs: they are known by name, so that SciPy is not imported."""
    if _module_of(function) != "scipy.special":
        return None
    return SPECIAL_FUNCTIONS.get(function.__name__)


def _module_of(function: Any) -> str:
    """Where the user found a function. Ufuncs do not know, but NumPy's are all attributes of ``numpy``."""
    if not isinstance(function, np.ufunc):
        return getattr(function, "__module__", None) or "numpy"
    scipy_special = sys.modules.get("scipy.special")
    return "scipy.special" if getattr(scipy_special, function.__name__, None) is function else "numpy"


def _call(
    ufunc: np.ufunc, inputs: Sequence[Any], out: Any = None, where: Any = True, dtype: Any = None, **unknown: Any
) -> Any:
    if unknown:
        raise UnsupportedFunctionError(f"numpy.{ufunc.__name__} on a tensor does not take {', '.join(unknown)}")
    function = counterpart(ufunc)
    if dtype is not None and np.dtype(dtype).kind in "iufc":
        inputs = [as_tensor(x).astype(dtype) for x in inputs]
    if where is True:
        return function(*inputs)
    if out is None:
        raise UnsupportedFunctionError(
            f"numpy.{ufunc.__name__}: where= without out= leaves elements undefined; give out=, or use wengert.where"
        )
    return _call_where(function, inputs, out[0] if isinstance(out, tuple) else out, where)


def _call_where(function: Callable[..., Any], inputs: Sequence[Any], out: Any, where: Any) -> Any:
    """Elements are picked before the function is applied, so that it never sees the others: not even the derivative
    of ``log`` at zero can then reach a gradient."""
    shape = out.shape
    mask = np.broadcast_to(bottom(as_tensor(where)), shape)
    picked = [np.broadcast_to(as_tensor(x), shape)[mask] for x in inputs]
    result = out.clone() if isinstance(out, Tensor) else wrap(out.copy())
    result[mask] = function(*picked)
    return result


def _reduce(
    ufunc: np.ufunc,
    x: Any,
    axis: Any = 0,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    if where is not True:
        raise UnsupportedFunctionError(
            f"numpy.{ufunc.__name__}.reduce on a tensor does not take where=; use wengert.where on the operand"
        )
    x = as_tensor(x) if dtype is None else as_tensor(x).astype(dtype)
    if ufunc in REDUCTIONS:
        result = counterpart(REDUCTIONS[ufunc])(x, axis=axis, keepdims=keepdims)
        return result if initial in (None, np._NoValue) else counterpart(ufunc)(result, initial)
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(sorted(one % x.ndim for one in axes))
    kept = [n for i, n in enumerate(x.shape) if i not in axes]
    rows = np.moveaxis(x, axes, tuple(range(len(axes)))).reshape((-1, *kept))
    result = _partials(ufunc, rows, initial)[-1]
    return result.reshape(tuple(1 if i in axes else n for i, n in enumerate(x.shape))) if keepdims else result


def _partials(ufunc: np.ufunc, rows: Any, initial: Any = None) -> list[Any]:
    """The partial results of folding a ufunc over the first axis."""
    function = counterpart(ufunc)
    parts = list(rows)
    if initial not in (None, np._NoValue):
        parts.insert(0, np.broadcast_to(as_tensor(initial), rows.shape[1:]))
    elif not parts:
        if ufunc.identity is None:
            raise ShapeError(f"numpy.{ufunc.__name__}.reduce: an empty axis, and this function has no identity")
        parts = [np.full(rows.shape[1:], ufunc.identity, rows.dtype)]
    results = [as_tensor(parts[0])]
    for part in parts[1:]:
        results.append(function(results[-1], part))
    return results


def _accumulate(ufunc: np.ufunc, x: Any, axis: int = 0, dtype: Any = None) -> Any:
    x = as_tensor(x) if dtype is None else as_tensor(x).astype(dtype)
    if ufunc in ACCUMULATIONS:
        return counterpart(ACCUMULATIONS[ufunc])(x, axis=axis)
    if x.shape[axis] == 0:
        return x.clone()
    return np.stack(_partials(ufunc, np.moveaxis(x, axis, 0)), axis=axis)


def _outer(ufunc: np.ufunc, x: Any, y: Any, **kwargs: Any) -> Any:
    x, y = as_tensor(x), as_tensor(y)
    return _call(ufunc, (x.reshape((*x.shape, *(1,) * y.ndim)), y), **kwargs)


def _at(ufunc: np.ufunc, target: Any, indices: Any, *operands: Any) -> None:
    """``ufunc.at``: unbuffered, so that an index that occurs twice counts twice."""
    if not isinstance(target, Tensor):
        raise GradientError(
            f"numpy.{ufunc.__name__}.at cannot write a tensor into an ndarray; make the target a tensor"
        )
    position = np.arange(target.size).reshape(target.shape)[indices]
    flat = target.reshape((-1,))
    if operands:
        (values,) = operands
        values = np.broadcast_to(as_tensor(values), position.shape).reshape((-1,))
    position = position.reshape(-1)
    occurrence = _occurrences(position)
    function = counterpart(ufunc)
    for turn in range(int(occurrence.max(initial=-1)) + 1):
        now = np.nonzero(occurrence == turn)[0]
        place = position[now]
        flat[place] = function(flat[place], values[now]) if operands else function(flat[place])
    move(target, flat.reshape(target.shape), f"numpy.{ufunc.__name__}.at")


def _occurrences(position: np.ndarray) -> np.ndarray:
    """For each entry, how often the same number occurred before it."""
    order = np.argsort(position, kind="stable")
    ordered = position[order]
    starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))[: len(ordered)]
    index = np.arange(len(ordered))
    counts = index - np.maximum.accumulate(np.where(starts, index, 0)) if len(ordered) else index
    result = np.empty_like(counts)
    result[order] = counts
    return result


def deliver(result: Any, out: Any, name: str, casting: Any = "same_kind") -> Any:
    """Put a result where ``out=`` says, and return that: a tensor's handle moves, an ndarray is written to."""
    if isinstance(out, tuple):
        if not isinstance(result, tuple):
            return deliver(result, out[0], name, casting)
        return tuple(
            one if target is None else deliver(one, target, name, casting)
            for one, target in zip(result, out, strict=True)
        )
    if isinstance(out, Tensor):
        return move(out, result, f"{name}(..., out=)", casting)
    if result.requires_grad:
        raise GradientError(
            f"{name}: a tracked result cannot be written into an ndarray, which has no graph; leave out= away (for "
            f"`array += tensor` write `array = array + tensor`), or give a tensor as out"
        )
    np.copyto(out, bottom(result), casting=casting)
    return out


# -- functions ------------------------------------------------------------------------------------------------------


def call_function(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """``function(*args, **kwargs)``, where a tensor is somewhere among the arguments."""
    return adapted(function)(*args, **kwargs)


@functools.cache
def adapted(function: Callable[..., Any]) -> Callable[..., Any]:
    """The counterpart of a NumPy function, called with NumPy's arguments."""
    found = counterpart(function)
    theirs = _parameters(function)
    ours = _parameters(found)
    if theirs is None or ours is None or _variadic(theirs) or _variadic(ours):
        return _with_out(function, found, {} if theirs is None else theirs, ours)
    names = _matching(list(theirs), list(ours))
    signature = inspect.Signature(list(theirs.values()))
    same_place = [names.get(their) == our for their, our in zip(theirs, ours, strict=False)]
    prefix = same_place.index(False) if False in same_place else len(same_place)

    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) <= prefix and not kwargs:
            return found(*args)
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise DTypeError(f"numpy.{function.__name__}: {error}") from error
        given.update(given.pop("kwargs", {}))
        out = None if "out" in names else given.pop("out", None)
        accepted = {}
        for name, value in given.items():
            if name in names:
                if value is not np._NoValue:
                    accepted[names[name]] = value
            elif not _is_default(value, theirs.get(name)):
                raise unsupported(function, f" with the argument {name}={value!r}")
        result = found(**accepted)
        return result if out is None else deliver(result, out, f"numpy.{function.__name__}")

    return call


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter] | None:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None


def _variadic(parameters: dict[str, inspect.Parameter]) -> bool:
    kinds = inspect.Parameter
    return any(one.kind in (kinds.VAR_POSITIONAL, kinds.POSITIONAL_ONLY) for one in parameters.values())


#: Parameters that NumPy and the array API standard call differently.
_OTHER_NAMES = {"a_min": "min", "a_max": "max"}


def _matching(theirs: list[str], ours: list[str]) -> dict[str, str]:
    """NumPy's parameter names with ours: the same name, or else the same place if neither knows the other's name."""
    names = {name: name for name in theirs if name in ours}
    names |= {name: other for name, other in _OTHER_NAMES.items() if name in theirs and other in ours}
    for their, our in zip(theirs, ours, strict=False):
        if their not in ours and our not in theirs:
            names[their] = our
    return names


def _is_default(value: Any, parameter: inspect.Parameter | None) -> bool:
    if value is None or value is np._NoValue:
        return True
    default = parameter.default if parameter is not None else inspect.Parameter.empty
    return type(value) is type(default) and bool(value == default)


def _with_out(
    function: Callable[..., Any],
    found: Callable[..., Any],
    theirs: dict[str, inspect.Parameter],
    ours: dict[str, inspect.Parameter] | None,
) -> Callable[..., Any]:
    """For functions of any number of operands: arguments go through as they are, but for ``out`` and defaults."""

    def call(*args: Any, **kwargs: Any) -> Any:
        out = None if ours and "out" in ours else kwargs.pop("out", None)
        for name in list(kwargs):
            if ours is not None and name not in ours and _is_default(kwargs[name], theirs.get(name)):
                del kwargs[name]
        try:
            result = found(*args, **kwargs)
        except TypeError as error:
            if "unexpected keyword" in str(error):
                raise unsupported(function, f" with these arguments ({error})") from error
            raise
        return result if out is None else deliver(result, out, f"numpy.{function.__name__}")

    return call


# -- the protocols -----------------------------------------------------------------------------------------------------


class Dispatch:
    """NumPy's dispatch protocols on ``Tensor``."""

    __slots__ = ()

    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for x in (*inputs, *(kwargs.get("out") or ())):
            if _defers(x, "__array_ufunc__"):
                return NotImplemented
        if method == "__call__" and not kwargs:
            found = NUMPY_FUNCTIONS.get(ufunc)
            if found is not None:
                return found(*inputs)
        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(one, (Tensor, np.ndarray)) for one in types):
            return NotImplemented
        return call_function(func, args, kwargs)


def _defers(x: Any, protocol: str) -> bool:
    """Whether an operand has a dispatch protocol of its own, and is neither an array nor a number."""
    return not isinstance(x, (Tensor, np.ndarray, np.generic, int)) and hasattr(type(x), protocol)
