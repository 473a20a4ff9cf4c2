"""Operations that select: extremes of pairs, bounds, conditions and replacements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply, binary_operator
from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor, wrap
from wengert.core.types import Array
from wengert.ops.arithmetic import positive
from wengert.ops.families import Elementwise
from wengert.ops.protocol import implements, operator

#: A half that, unlike a Python number beside booleans in ``np.where``, leaves float32 cotangents float32.
_HALF = np.float32(0.5)


def _share(wins: Array, ties: Array) -> Array:
    """The part of a cotangent that an operand gets: all where it wins, half where both are equal."""
    return np.where(ties, _HALF, wins)


class Maximum(Elementwise):
    """The larger of two numbers, elementwise; NaN if either is NaN. Where they are equal, each gets half the gradient.

    >>> import wengert as wg
    >>> x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> wg.maximum(x, 2.0).sum().backward()
    >>> x.grad
    tensor([0. , 0.5, 1. ])
    """

    commutative = True
    chooses = True
    value = np.maximum

    # "Not less" rather than "greater": the gradient of a NaN reaches the NaN that caused it.
    def vjp_x(self, g: Array, x: Array, y: Array) -> Array:
        return g * _share(~(x < y), x == y)

    def vjp_y(self, g: Array, x: Array, y: Array) -> Array:
        return g * _share(~(y < x), x == y)


class Minimum(Elementwise):
    """The smaller of two numbers, elementwise; NaN if either is NaN. Where they are equal, each gets half the
    gradient."""

    commutative = True
    chooses = True
    value = np.minimum

    def vjp_x(self, g: Array, x: Array, y: Array) -> Array:
        return g * _share(~(y < x), x == y)

    def vjp_y(self, g: Array, x: Array, y: Array) -> Array:
        return g * _share(~(x < y), x == y)


class Fmax(Elementwise):
    """The larger of two numbers, elementwise; where one is NaN, the other. Where they are equal, each gets half the
    gradient."""

    commutative = True
    value = np.fmax

    def vjp_x(self, g: Array, x: Array, y: Array) -> Array:
        return g * _share((x > y) | (y != y), x == y)

    def vjp_y(self, g: Array, x: Array, y: Array) -> Array:
        return g * _share((y > x) | (x != x), x == y)


class Fmin(Elementwise):
    """The smaller of two numbers, elementwise; where one is NaN, the other. Where they are equal, each gets half the
    gradient."""

    commutative = True
    value = np.fmin

    def vjp_x(self, g: Array, x: Array, y: Array) -> Array:
        return g * _share((x < y) | (y != y), x == y)

    def vjp_y(self, g: Array, x: Array, y: Array) -> Array:
        return g * _share((y < x) | (x != x), x == y)


class Heaviside(Elementwise):
    """The step function: 0 for negative ``x``, 1 for positive, ``y`` at 0. Its derivative towards ``x`` is zero."""

    value = np.heaviside
    partial_x = 0

    def partial_y(self, x: Array) -> Array:
        return x == 0


#: Elements below which two passes are quicker than one call of ``np.clip``.
_SMALL = 4096


class Clip(Elementwise):
    """``minimum(maximum(x, low), high)``."""

    def value(self, x: Any, low: Any, high: Any) -> Any:
        if type(x) is np.ndarray and x.size < _SMALL and x.dtype.kind == "f":
            # ``np.clip`` takes one pass instead of two, but two microseconds to begin.
            return np.minimum(np.maximum(x, low), high)
        return np.clip(x, low, high)

    def vjp_x(self, g: Array, x: Array, low: Array, high: Array) -> Array:
        return g * ((low <= x) & (x <= high))

    def vjp_low(self, g: Array, x: Array, low: Array, high: Array) -> Array:
        return g * ((x < low) & (low <= high))

    def vjp_high(self, g: Array, x: Array, low: Array, high: Array) -> Array:
        return g * ((high < x) | (high < low))


class ClipBelow(Elementwise):
    """``clip`` with a lower bound only: at the bound the gradient is ``x``'s."""

    inputs = ("x", "low")
    value = np.maximum

    def vjp_x(self, g: Array, x: Array, low: Array) -> Array:
        return g * (low <= x)

    def vjp_low(self, g: Array, x: Array, low: Array) -> Array:
        return g * (x < low)


class ClipAbove(Elementwise):
    """``clip`` with an upper bound only: at the bound the gradient is ``x``'s."""

    inputs = ("x", "high")
    value = np.minimum

    def vjp_x(self, g: Array, x: Array, high: Array) -> Array:
        return g * (x <= high)

    def vjp_high(self, g: Array, x: Array, high: Array) -> Array:
        return g * (high < x)


class Where(Elementwise):
    """``x`` where the condition holds, else ``y``."""

    inputs = ("condition", "x", "y")
    value = staticmethod(np.where)
    vjp_condition = None
    chooses = True

    def vjp_x(self, g: Array, condition: Array) -> Array:
        return np.where(condition, g, 0)

    def vjp_y(self, g: Array, condition: Array) -> Array:
        return np.where(condition, 0, g)


class NanToNum(Elementwise):
    """NaN and the infinities replaced by numbers."""

    nan: float = 0.0
    posinf: float | None = None
    neginf: float | None = None

    def value(self, x: Any) -> Any:
        return np.nan_to_num(x, True, self.nan, self.posinf, self.neginf)

    def vjp_x(self, g: Array, x: Array) -> Array:
        if x.dtype.kind != "c":
            return np.where(np.isfinite(x), g, 0)
        # The parts of a complex number are replaced each for itself.
        kept = np.where(np.isfinite(np.real(x)), np.real(g), 0)
        return kept + np.where(np.isfinite(np.imag(x)), np.imag(g), 0) * 1j


maximum = operator(Maximum())
minimum = operator(Minimum())
fmax = operator(Fmax())
fmin = operator(Fmin())
heaviside = operator(Heaviside())

_where = operator(Where())
_clip = operator(Clip())
_clip_below = binary_operator(ClipBelow())
_clip_above = binary_operator(ClipAbove())


@implements(np.clip)
def clip(x: Any, min: Any = None, max: Any = None) -> Tensor:
    """Limit values to ``[min, max]``; a bound may be a number, a tensor that broadcasts, or ``None``. Alias ``clamp``.

    The gradient goes to ``x`` where it lies within the bounds or on one, else to the bound. Where ``min`` exceeds
    ``max``, the result is ``max``, as in NumPy. NaN stays NaN.

    >>> import wengert as wg
    >>> x = wg.tensor([-2.0, 0.5, 3.0], requires_grad=True)
    >>> wg.clip(x, -1, 1).sum().backward()
    >>> x.grad
    tensor([0., 1., 0.])
    """
    if min is None:
        return positive(x) if max is None else _clip_above(x, max)
    return _clip_below(x, min) if max is None else _clip(x, min, max)


clamp = clip


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """``x`` where the condition holds, else ``y``; the three broadcast. With the condition alone, the indices of its
    true elements, as ``nonzero`` gives them.

    No gradient flows to the operand that is not chosen. Mind that a derivative which is infinite *there* still gives
    NaN (0 times infinity): guard the operand too, as in ``where(x > 0, sqrt(where(x > 0, x, 1)), 0)``.

    >>> import wengert as wg
    >>> x = wg.tensor([-1.0, 2.0])
    >>> wg.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if x is None and y is None:
        return np.nonzero(as_tensor(condition))
    if x is None or y is None:
        raise ShapeError("where: give both x and y, or neither")
    return _where(condition, x, y)


@implements(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    """For each element the choice of the first condition that holds, or ``default``.

    >>> import wengert as wg
    >>> x = wg.tensor([-2.0, 0.5, 3.0])
    >>> wg.select([x < 0, x < 1], [-x, x * 10], default=100.0)
    tensor([  2.,   5., 100.])
    """
    if len(condlist) != len(choicelist):
        raise ShapeError(f"select: as many choices as conditions are needed, not {len(choicelist)} for {len(condlist)}")
    if len(condlist) == 0:
        raise ShapeError("select: at least one condition is needed")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = _where(condition, choice, result)
    return result


@implements(np.piecewise)
def piecewise(x: Any, condlist: Sequence[Any], funclist: Sequence[Any], *args: Any, **kw: Any) -> Tensor:
    """A function defined by parts: for each condition a number, or a function that is given only the elements for
    which the condition holds (so a part's derivative is never taken outside of it). One entry more in ``funclist`` is
    the default, which otherwise is 0; where several conditions hold, the last one counts.

    >>> import wengert as wg
    >>> x = wg.tensor([-4.0, 0.0, 9.0], requires_grad=True)
    >>> y = wg.piecewise(x, [x > 0, x < 0], [wg.sqrt, lambda v: v * v, -1.0])
    >>> y.tolist()
    [16.0, -1.0, 3.0]
    >>> y.sum().backward()
    >>> x.grad
    tensor([-8.        ,  0.        ,  0.16666667])
    """
    x = as_tensor(x)
    conditions: list[Any] = [as_tensor(condition) for condition in _as_conditions(condlist, x)]
    if len(funclist) not in (len(conditions), len(conditions) + 1):
        raise ShapeError(
            f"piecewise: {len(conditions)} conditions need as many functions, or one more for the default, not "
            f"{len(funclist)}"
        )
    result = wrap(np.zeros(x.shape, x.dtype))
    if len(funclist) > len(conditions):
        holds = conditions[0]
        for condition in conditions[1:]:
            holds = holds | condition
        conditions.append(~holds)
    for condition, function in zip(conditions, funclist, strict=True):
        result = _part(x, condition, function, result, args, kw)
    return result


def _as_conditions(condlist: Any, x: Tensor) -> Sequence[Any]:
    """A single condition may be given without a list, as in NumPy."""
    if isinstance(condlist, (list, tuple)):
        single = not isinstance(condlist[0], (list, tuple, Tensor, np.ndarray)) and x.ndim != 0
        return [condlist] if single else condlist
    array = as_tensor(condlist)
    return [array] if array.ndim == x.ndim else list(array)


def _part(x: Any, condition: Any, function: Any, result: Any, args: Any, kw: Any) -> Any:
    if not callable(function):
        constant: Any = as_tensor(function)
        return where(condition, constant.astype(x.dtype), result)
    updated = result.clone()
    updated[condition] = function(x[condition], *args, **kw)
    return updated


@implements(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """NaN replaced by ``nan``, and the infinities by ``posinf`` and ``neginf`` (by default the largest and smallest
    finite numbers). No gradient flows to what was replaced. ``copy`` has no effect: tensors do not change in place.

    >>> import wengert as wg
    >>> wg.nan_to_num(wg.tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    tensor([1., 0., 9.])
    """
    limits = [None if limit is None else float(limit) for limit in (posinf, neginf)]
    return apply(NanToNum(float(nan), *limits), x)
