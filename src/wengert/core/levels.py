"""Operands of a transform: tensors that carry a tangent (forward mode) or a batch axis (vmap).

Each running transform owns a ``Level`` with a number; inner transforms have higher ones. ``apply`` hands an operation
to the highest level among its operands, which peels its own wrapping off, runs the operation's rule through ``apply``
again (now at a lower level), and wraps the result. So levels nest without confusion, and no tape is kept in forward
mode.

Reverse mode needs no level: the graph lives in the plain tensors at the bottom, and gradients are taken with respect to
fresh leaves. ``pullback`` below walks the sweep through the wrappings.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from . import backward
from .apply import apply, as_operand
from .errors import GradientError, TransformError
from .mode import MODE, enable_grad
from .node import Leaf, record, resolve, user_frame, user_location
from .primitive import AUX, Primitive
from .tensor import Tensor, wrap
from .types import frozen_copy

_next_level = itertools.count(1).__next__

#: The levels that are running, outermost first.
ACTIVE: ContextVar[tuple[Level, ...]] = ContextVar("wengert_levels", default=())


class Level:
    """A running transform."""

    def __init__(self) -> None:
        self.number = _next_level()
        self.open = True
        #: Where the user's code entered the transform, for messages.
        self._entered = user_frame()

    def interpret(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        """Carry out an operation, at least one of whose operands belongs to this level."""
        raise NotImplementedError

    def _check_open(self) -> None:
        if not self.open:
            used, entered = user_location(), resolve(*self._entered)
            raise TransformError(
                f"a tensor of a {type(self).__name__.removesuffix('Level').lower()} was used after the transform had "
                f"ended; return it from the function instead of storing it"
                + (f"\n  used at {used}: {used.text}" if used is not None else "")
                + (f"\n  the transform was called at {entered}: {entered.text}" if entered is not None else "")
            )


AnyLevel = TypeVar("AnyLevel", bound=Level)


@contextmanager
def running(level: AnyLevel) -> Iterator[AnyLevel]:
    """Enter a transform; its tensors are dead afterwards."""
    token = ACTIVE.set((*ACTIVE.get(), level))
    try:
        yield level
    finally:
        level.open = False
        ACTIVE.reset(token)


class Wrapped(Tensor):
    """A tensor that belongs to a level. Its own value is that of what it wraps, where there is one."""

    __slots__ = ("_inner", "_level")

    _inner: Any
    _level: Any

    # A wrapped tensor has the flag of what it wraps, and it cannot be set.
    @property  # type: ignore[misc]
    def requires_grad(self) -> bool:
        return bool(self._inner.requires_grad)

    def detach(self) -> Tensor:
        from_inner: Tensor = self._level.rewrap(self, self._inner.detach())
        return from_inner

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inner!r}, level={self._level.number})"


class Dual(Wrapped):
    """A primal with its tangent. The tangent is ``None`` where it is structurally zero."""

    __slots__ = ("_tangent",)

    _tangent: Tensor | None

    @property
    def shape(self) -> tuple[int, ...]:
        return self._inner.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._inner.dtype


class Batched(Wrapped):
    """A tensor whose first axis is hidden: the axis that ``vmap`` maps over."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return self._inner.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._inner.dtype


def _wrapped(cls: type[Any], inner: Any, level: Level) -> Any:
    result: Any = object.__new__(cls)
    result._inner = inner
    result._level = level
    result._node = None
    result._value = getattr(inner, "_value", None) if cls is Dual else None
    return result


# -- forward mode ---------------------------------------------------------------------------------------------------


class JvpLevel(Level):
    """A running ``jvp``."""

    def dual(self, primal: Any, tangent: Any) -> Any:
        result = _wrapped(Dual, primal, self)
        result._tangent = tangent
        return result

    def rewrap(self, x: Dual, inner: Any) -> Any:
        return inner

    def split(self, x: Any) -> tuple[Any, Any]:
        """Primal and tangent of an operand; the tangent of one that does not belong to this level is ``None``."""
        if isinstance(x, Dual) and x._level is self:
            return x._inner, x._tangent
        return x, None

    def interpret(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        self._check_open()
        pairs = [self.split(x) for x in inputs]
        primals = [primal for primal, _ in pairs]
        if not primitive.differentiable:
            return apply(primitive, *primals)
        tangents = [tangent if tangent is not None and primal.dtype.kind in "fc" else None for primal, tangent in pairs]
        with np.errstate(all="ignore"):
            joint = primitive.value_and_jvp(tangents, primals)
            if joint is NotImplemented:
                out = apply(primitive, *primals)
                moved = pushforward(primitive, tangents, primals, out)
            else:
                out, moved = joint
        if isinstance(out, tuple):
            return tuple(
                one if t is None or one.dtype.kind not in "fc" else self.dual(one, _fit(t, one))
                for one, t in zip(out, moved if moved is not None else (None,) * len(out), strict=True)
            )
        return out if moved is None or out.dtype.kind not in "fc" else self.dual(out, _fit(moved, out))


def _fit(tangent: Any, out: Any) -> Any:
    if not isinstance(tangent, Tensor):
        tangent = wrap(np.asarray(tangent))
    if tangent.shape != out.shape:
        tangent = np.broadcast_to(tangent, out.shape)
    return tangent if tangent.dtype == out.dtype else backward.conform(tangent, out)


def pushforward(primitive: Primitive, tangents: Sequence[Any], primals: Sequence[Any], out: Any) -> Any:
    """The tangent of a result, by the operation's own rule or by transposing its pullback."""
    if all(tangent is None for tangent in tangents):
        return None
    moved = primitive.jvp(tangents, primals, out)
    return transposed_pullback(primitive, tangents, primals, out) if moved is NotImplemented else moved


def transposed_pullback(
    primitive: Primitive, tangents: Sequence[Any], primals: Sequence[Any], out: Any, aux: Any = None
) -> Any:
    """``J t`` as the transpose of the linear map ``u -> J^T u`` (Townsend 2017, after Griewank)."""
    recording = MODE.get().grad
    with enable_grad():
        return _transposed_pullback(primitive, tangents, primals, out, aux, recording)


def _transposed_pullback(
    primitive: Primitive, tangents: Sequence[Any], primals: Sequence[Any], out: Any, aux: Any, recording: bool
) -> Any:
    outs = out if isinstance(out, tuple) else (out,)
    cotangents = [fresh_leaf(wrap(np.zeros(one.shape, one.dtype))) for one in outs]
    specs = [x if t is not None else None for x, t in zip(primals, tangents, strict=True)]
    if aux is None and any(rule is not None and AUX in rule.slots for rule in primitive.rules):
        aux = _aux_of(primitive, primals)
    residuals = (*primals, out, aux)
    g = tuple(cotangents) if isinstance(out, tuple) else cotangents[0]
    contributions = primitive.pull(g, specs, residuals)
    total: Any = None
    for contribution, tangent, spec in zip(contributions, tangents, specs, strict=True):
        if contribution is None or tangent is None:
            continue
        term = backward.conform(contribution, spec) * np.conj(tangent)
        term = np.real(term).sum()
        total = term if total is None else total + term
    if total is None:
        return None
    moved = pullback([total], [None], cotangents, create_graph=recording)
    return tuple(moved) if isinstance(out, tuple) else moved[0]


def _aux_of(primitive: Primitive, primals: Sequence[Any]) -> Any:
    values = [concrete(x) for x in primals]
    if any(value is None for value in values):
        return primitive.traced(apply, *primals)[1]
    return primitive.value_and_aux(*values)[1]


def concrete(x: Any) -> Any:
    """The array (or number) behind an operand if Python can see it; ``None`` for what is traced or batched."""
    while isinstance(x, Dual):
        x = x._inner
    if isinstance(x, Wrapped):
        return None
    if not isinstance(x, Tensor):
        return x
    return x._value if isinstance(x._value, (np.ndarray, np.generic)) else None


def bottom(x: Any) -> Any:
    """The array at the bottom of a tensor's wrappings, if no batch axis is among them."""
    while isinstance(x, Dual):
        x = x._inner
    if isinstance(x, Wrapped):
        raise TransformError(
            "the value of a batched tensor is not known to Python: inside vmap it differs along the batch. Instead of "
            "`if` use wengert.where(condition, a, b), and keep float(), int() and numpy() outside of vmap"
        )
    if not isinstance(x, Tensor):
        return x
    value: Any = x._value
    if not isinstance(value, (np.ndarray, np.generic)):
        raise value.unknown()
    return value


# -- batching -------------------------------------------------------------------------------------------------------


class VmapLevel(Level):
    """A running ``vmap`` over an axis of ``size``."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def batched(self, inner: Any) -> Any:
        return _wrapped(Batched, inner, self)

    def rewrap(self, x: Batched, inner: Any) -> Any:
        return self.batched(inner)

    def interpret(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        self._check_open()
        mine = [isinstance(x, Batched) and x._level is self for x in inputs]
        inner = [x._inner if flag else x for x, flag in zip(inputs, mine, strict=True)]
        if primitive.maps_leading_axes:
            out = apply(primitive, *align_batch(mine, inner))
        else:
            out = primitive.batch(self.size, mine, inner)
            if out is NotImplemented:
                out = batch_by_loop(primitive, self.size, mine, inner)
        if isinstance(out, tuple):
            return tuple(self.batched(as_tensor(one)) for one in out)
        return self.batched(as_tensor(out))


def as_tensor(x: Any) -> Tensor:
    """A tensor as it is; anything else as a constant tensor, which nothing that is done to ``x`` later can change."""
    if isinstance(x, Tensor):
        return x
    operand = as_operand(x)
    if type(operand) is not np.ndarray:
        return wrap(np.asarray(operand))
    return wrap(operand if isinstance(x, (list, tuple)) else frozen_copy(operand))


def align_batch(batched: Sequence[bool], inputs: Sequence[Any]) -> list[Any]:
    """Insert axes after the batch axis so that operands of different rank broadcast against each other."""
    rank = max(len(getattr(x, "shape", ())) - flag for x, flag in zip(inputs, batched, strict=True))
    aligned = []
    for x, flag in zip(inputs, batched, strict=True):
        if flag and x.ndim - 1 < rank:
            x = x.reshape((x.shape[0], *(1,) * (rank - x.ndim + 1), *x.shape[1:]))
        aligned.append(x)
    return aligned


def batch_by_loop(primitive: Primitive, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
    """Apply the operation to each element of the batch in turn and stack the results."""
    rows = [
        apply(primitive, *(x[i] if flag else x for x, flag in zip(inputs, batched, strict=True))) for i in range(size)
    ]
    if not rows:
        raise TransformError(f"vmap: {primitive.name} has no batching rule for a batch of size 0")
    if isinstance(rows[0], tuple):
        return tuple(np.stack([row[k] for row in rows]) for k in range(len(rows[0])))
    return np.stack(rows)


# -- reverse mode through the wrappings -----------------------------------------------------------------------------


class _Tie(Primitive):
    """The identity that ties a transform's fresh leaf to the tensor that the user passed."""

    name = "tie"
    inputs = ("x",)
    linear = True
    aliases = True
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.asarray(x)

    def vjp_x(self, g: Any) -> Any:
        return g

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return tangents[0]

    def spec(self, x: Any) -> Any:
        return x


def fresh_leaf(x: Any, spread: bool = True) -> Any:
    """A tensor of the same value with a node of its own, tied to ``x`` by the identity, so that a gradient can be
    taken with respect to it alone. Inside ``vmap`` it is batched, so that each element has its own gradient, unless
    ``spread`` is false: for what belongs to one call, whose operands know their batches."""
    if not isinstance(x, Tensor):
        x = wrap(np.array(as_operand(x)))
    for level in ACTIVE.get() if spread else ():
        if isinstance(level, VmapLevel) and not _belongs(x, level):
            x = _broadcast_in(x, level)
    return _fresh(x)


def _belongs(x: Any, level: Level) -> bool:
    while isinstance(x, Wrapped):
        if x._level is level:
            return True
        x = x._inner
    return False


def _broadcast_in(x: Any, level: VmapLevel) -> Any:
    """Insert a batch axis for ``level`` below any higher levels that ``x`` already belongs to."""
    if _belongs(x, level):
        return x
    if isinstance(x, Dual) and x._level.number > level.number:
        tangent = None if x._tangent is None else _broadcast_in(x._tangent, level)
        return x._level.dual(_broadcast_in(x._inner, level), tangent)
    if isinstance(x, Batched) and x._level.number > level.number:
        moved = _broadcast_in(x._inner, level)
        return x._level.batched(moved)
    return level.batched(np.broadcast_to(x, (level.size, *x.shape)))


def _fresh(x: Any) -> Any:
    trace = MODE.get().trace
    if trace is not None:
        x = trace.adopt(x)
    if isinstance(x, Dual):
        return x._level.dual(_fresh(x._inner), x._tangent)
    if isinstance(x, Batched):
        return x._level.batched(_fresh(x._inner))
    if x.dtype.kind not in "fc":
        raise GradientError(f"gradients need floating-point inputs, and this one is {x.dtype}; convert it first")
    if x._node is None:
        return wrap(x._value, Leaf(x.shape, x.dtype))
    return wrap(x._value, record(_TIE, (x._node,), None, x._value, ""))


_TIE = _Tie()


def pullback(
    outputs: Sequence[Any], cotangents: Sequence[Any], leaves: Sequence[Any], create_graph: bool = True
) -> list[Any]:
    """Cotangents of fresh leaves, given those of the outputs; all of them may be wrapped by running transforms.

    An output that is a ``Dual`` has cotangents for its primal and its tangent part: the tangent of a gradient is the
    gradient of the tangent, because partial derivatives commute.
    """
    # Cotangents may belong to levels of their own (a batch of them, say): the sweep carries those along.
    levels = sorted({level.number: level for x in (*outputs, *leaves) for level in _levels(x)}.items())
    if not levels:
        return _plain_pullback(outputs, cotangents, leaves, create_graph)
    top = levels[-1][1]
    if isinstance(top, VmapLevel):
        return _batched_pullback(top, outputs, cotangents, leaves, create_graph)
    return _dual_pullback(top, outputs, cotangents, leaves, create_graph)


def _levels(x: Any) -> Iterator[Level]:
    stack = [x]
    while stack:
        x = stack.pop()
        if isinstance(x, Wrapped):
            yield x._level
            stack.append(x._inner)
            if isinstance(x, Dual):
                stack.append(x._tangent)


def _plain_pullback(
    outputs: Sequence[Any], cotangents: Sequence[Any], leaves: Sequence[Any], create_graph: bool
) -> list[Any]:
    pairs = [
        (y, g if g is not None else wrap(np.ones(y.shape, y.dtype)))
        for y, g in zip(outputs, cotangents, strict=True)
        if isinstance(y, Tensor) and y._node is not None
    ]
    if not pairs:
        return [wrap(np.zeros(x.shape, x.dtype)) for x in leaves]
    return list(
        backward.grad(
            [y for y, _ in pairs],
            list(leaves),
            [as_tensor(g) for _, g in pairs],
            retain_graph=True,
            create_graph=create_graph,
            materialize_grads=True,
        )
    )


# A cotangent may belong to levels above those of the output that it is for (``vmap`` over the rows of a Jacobian), and
# so may the gradients that come of it. These four reach through the higher levels and leave them outermost.


def _below(x: Any, level: VmapLevel) -> Any:
    """``x`` without the wrapping of ``level``, whose axis then stands first."""
    if isinstance(x, Batched) and x._level is level:
        return x._inner
    if all(one is not level for one in _levels(x)):
        return np.broadcast_to(x, (level.size, *x.shape))
    if isinstance(x, Dual):
        return x._level.dual(_below(x._inner, level), None if x._tangent is None else _below(x._tangent, level))
    return x._level.batched(np.swapaxes(_below(x._inner, level), 0, 1))


def _batched_under(x: Any, level: VmapLevel) -> Any:
    """``x``, whose first axis is that of ``level``, wrapped."""
    if isinstance(x, Batched) and x._level.number > level.number:
        return x._level.batched(_batched_under(np.swapaxes(x._inner, 0, 1), level))
    if isinstance(x, Dual) and x._level.number > level.number:
        tangent = None if x._tangent is None else _batched_under(x._tangent, level)
        return x._level.dual(_batched_under(x._inner, level), tangent)
    return level.batched(x)


def _split_below(x: Any, level: JvpLevel) -> tuple[Any, Any]:
    """Primal and tangent of ``x`` at ``level``, each still wrapped in the levels above."""
    if (isinstance(x, Dual) and x._level is level) or not isinstance(x, Wrapped) or x._level.number < level.number:
        return level.split(x)
    primal, tangent = _split_below(x._inner, level)
    if isinstance(x, Batched):
        return x._level.batched(primal), None if tangent is None else x._level.batched(tangent)
    assert isinstance(x, Dual)
    dual: Any = x
    if dual._tangent is None:
        return x._level.dual(primal, None), None if tangent is None else x._level.dual(tangent, None)
    outer, mixed = _split_below(dual._tangent, level)
    if tangent is None and mixed is not None:
        tangent = wrap(np.zeros(x.shape, x.dtype))
    return x._level.dual(primal, outer), None if tangent is None else x._level.dual(tangent, mixed)


def _dual_under(primal: Any, tangent: Any, level: JvpLevel) -> Any:
    """A dual of ``level`` under the levels above that its parts belong to."""
    above = [x._level for x in (primal, tangent) if isinstance(x, Wrapped) and x._level.number > level.number]
    if not above:
        return level.dual(primal, tangent)
    top = max(above, key=lambda one: one.number)
    if isinstance(top, VmapLevel):
        return top.batched(_dual_under(_below(primal, top), _below(tangent, top), level))
    (p, dp), (t, dt) = top.split(primal), top.split(tangent)
    if dp is None and dt is None:
        return top.dual(_dual_under(p, t, level), None)
    zeros = wrap(np.zeros(p.shape, p.dtype))
    return top.dual(
        _dual_under(p, t, level), _dual_under(zeros if dp is None else dp, zeros if dt is None else dt, level)
    )


def _batched_pullback(
    level: VmapLevel, outputs: Sequence[Any], cotangents: Sequence[Any], leaves: Sequence[Any], create_graph: bool
) -> list[Any]:
    inner_outputs = []
    inner_cotangents = []
    for y, g in zip(outputs, cotangents, strict=True):
        y = as_tensor(y)
        if not isinstance(y, Batched):
            y = level.batched(np.broadcast_to(y, (level.size, *y.shape)))
        inner_outputs.append(y._inner)
        inner_cotangents.append(None if g is None else _below(as_tensor(g), level))
    # A leaf of an enclosing transform has no batch axis here: its gradient is summed, which is what it is.
    mine = [isinstance(x, Batched) and x._level is level for x in leaves]
    inner_leaves = [x._inner if flag else x for x, flag in zip(leaves, mine, strict=True)]
    found = pullback(inner_outputs, inner_cotangents, inner_leaves, create_graph)
    return [_batched_under(g, level) if flag else g for g, flag in zip(found, mine, strict=True)]


def _dual_pullback(
    level: Any, outputs: Sequence[Any], cotangents: Sequence[Any], leaves: Sequence[Any], create_graph: bool
) -> list[Any]:
    ys = [level.split(y) for y in outputs]
    gs = [_split_below(g, level) for g in cotangents]
    xs = [level.split(x)[0] for x in leaves]
    primal_ys = [y for y, _ in ys]
    primal_gs = [
        g if g is not None else wrap(np.ones(y.shape, y.dtype)) for (g, _), y in zip(gs, primal_ys, strict=True)
    ]
    primal = pullback(primal_ys, primal_gs, xs, True)
    outputs_of_tangent: list[Any] = []
    cotangents_of_tangent: list[Any] = []
    for (y, dy), g, (_, dg) in zip(ys, primal_gs, gs, strict=True):
        if dy is not None:
            outputs_of_tangent.append(dy)
            cotangents_of_tangent.append(g)
        if dg is not None:
            outputs_of_tangent.append(y)
            cotangents_of_tangent.append(dg)
    if not outputs_of_tangent:
        return primal
    tangent = pullback(outputs_of_tangent, cotangents_of_tangent, xs, create_graph)
    return [_dual_under(p, t, level) for p, t in zip(primal, tangent, strict=True)]
