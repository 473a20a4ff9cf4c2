"""Rounding, and the parts that a floating-point number is made of.

Rounding is constant between its jumps: its derivative is zero everywhere. For a gradient that passes through, see
``wengert.straight_through``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.primitive import NotDifferentiable
from wengert.core.tensor import Tensor
from wengert.core.types import Array
from wengert.ops.comparison import Predicate
from wengert.ops.families import Elementwise
from wengert.ops.protocol import implements, operator


class Floor(Elementwise):
    """The largest integer not above ``x``."""

    idempotent = True
    value = np.floor
    partial_x = 0


class Ceil(Elementwise):
    """The smallest integer not below ``x``."""

    idempotent = True
    value = np.ceil
    partial_x = 0


class Trunc(Elementwise):
    """The nearest integer towards zero (alias ``fix``)."""

    idempotent = True
    value = np.trunc
    partial_x = 0


class Rint(Elementwise):
    """The nearest integer; halves go to the even one."""

    idempotent = True
    value = np.rint
    partial_x = 0


class Round(Elementwise):
    """The nearest number with ``decimals`` digits after the point; halves go to the even digit."""

    decimals: int = 0
    partial_x = 0

    def value(self, x: Any) -> Any:
        return np.round(x, self.decimals)


class FractionalPart(Elementwise):
    """``x - trunc(x)``, with the sign of ``x``."""

    partial_x = 1

    def value(self, x: Any) -> Any:
        return np.modf(x)[0]


class BinaryExponent(Predicate):
    """The integer ``e`` for which ``abs(x) / 2**e`` lies in [0.5, 1)."""

    def value(self, x: Any) -> Any:
        return np.frexp(x)[1]


class Ldexp(Elementwise):
    """``x * 2**y`` for an integer ``y``, exactly."""

    value = np.ldexp
    vjp_y = None

    def vjp_x(self, g: Array, y: Array) -> Array:
        return np.ldexp(g, y)


class Copysign(Elementwise):
    """The magnitude of ``x`` with the sign of ``y`` (that of -0.0 counts). The gradient at ``x = 0`` is 0."""

    value = np.copysign
    partial_y = 0

    def partial_x(self, x: Array, y: Array) -> Array:
        return np.sign(x) * np.copysign(1.0, y)


class Nextafter(Elementwise):
    """The next floating-point number after ``x`` in the direction of ``y``."""

    value = np.nextafter
    partial_x = NotDifferentiable("the result jumps between neighbouring floating-point numbers")
    partial_y = NotDifferentiable("the result jumps between neighbouring floating-point numbers")


class Spacing(Elementwise):
    """The distance from ``x`` to the next floating-point number away from zero."""

    value = np.spacing
    partial_x = NotDifferentiable("the spacing of floating-point numbers jumps at powers of two")


floor = operator(Floor())
ceil = operator(Ceil())
trunc = fix = operator(Trunc(), np.fix)
rint = operator(Rint())
ldexp = operator(Ldexp())
copysign = operator(Copysign())
nextafter = operator(Nextafter())
spacing = operator(Spacing())


@implements(np.round, np.around)
def round(x: Any, decimals: int = 0) -> Tensor:
    """Round to ``decimals`` digits after the point (before it, if negative); halves go to the even digit. The
    derivative is zero. Alias ``around``.

    >>> import wengert as wg
    >>> wg.round(wg.tensor([1.25, 2.675, -0.5]), 1)
    tensor([ 1.2,  2.7, -0.5])
    """
    return apply(Round(int(decimals)), x)


around = round


@implements(np.modf)
def modf(x: Any) -> tuple[Tensor, Tensor]:
    """Fractional and integral part, both with the sign of ``x``.

    >>> import wengert as wg
    >>> wg.modf(wg.tensor([1.5, -2.25]))
    (tensor([ 0.5 , -0.25]), tensor([ 1., -2.]))
    """
    return apply(FractionalPart(), x), trunc(x)


@implements(np.frexp)
def frexp(x: Any) -> tuple[Tensor, Tensor]:
    """Mantissa in [0.5, 1) and integer exponent of two: ``x = mantissa * 2**exponent``. The exponent is constant
    between powers of two, so the mantissa's derivative is ``2**-exponent``.

    >>> import wengert as wg
    >>> mantissa, exponent = wg.frexp(wg.tensor([3.0, 16.0]))
    >>> mantissa, exponent.tolist()
    (tensor([0.75, 0.5 ]), [2, 5])
    """
    exponent = apply(BinaryExponent(), x)
    return ldexp(x, np.negative(exponent)), exponent
