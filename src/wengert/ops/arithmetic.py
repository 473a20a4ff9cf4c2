"""Arithmetic: the four operations, quotients with remainder, and changes of angular unit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.core.tensor import Tensor
from wengert.core.types import Array
from wengert.ops.families import Elementwise
from wengert.ops.protocol import implements, operator


class Add(Elementwise):
    """Elementwise sum, with NumPy's broadcasting.

    >>> import wengert as wg
    >>> wg.add(wg.tensor([1.0, 2.0]), 1.0)
    tensor([2., 3.])
    """

    commutative = True
    # Only -0.0: -0.0 + 0.0 is 0.0.
    identities = {0: -0.0, 1: -0.0}
    loose_identities = {0: 0.0, 1: 0.0}
    value = np.add
    partial_x = 1
    partial_y = 1


class Subtract(Elementwise):
    """Elementwise difference, with NumPy's broadcasting."""

    short_name = "Sub"
    identities = {1: 0.0}
    of_equals = 0.0
    value = np.subtract
    partial_x = 1
    partial_y = -1


class Multiply(Elementwise):
    """Elementwise product, with NumPy's broadcasting."""

    short_name = "Mul"
    commutative = True
    identities = {0: 1.0, 1: 1.0}
    absorbing = 0.0
    value = np.multiply
    partial_x = "y"
    partial_y = "x"


class Divide(Elementwise):
    """Elementwise quotient, with NumPy's broadcasting; integers give floats.

    >>> import wengert as wg
    >>> wg.divide(wg.tensor([1, 2]), 4)
    tensor([0.25, 0.5 ])
    """

    short_name = "Div"
    identities = {1: 1.0}
    of_equals = 1.0
    value = np.true_divide

    # Dividing the cotangent is one operation where multiplying by 1/y would be two.
    def vjp_x(self, g: Array, y: Array) -> Array:
        return g / y if g.dtype.kind == "f" else g / np.conj(y)

    def jvp_x(self, t: Array, y: Array) -> Array:
        return t / y

    def partial_y(self, y: Array, out: Array) -> Array:
        return -out / y


class FloorDivide(Elementwise):
    """The largest integer not above the quotient (Python's ``//``). Its derivative is zero."""

    value = np.floor_divide
    partial_x = 0
    partial_y = 0


class Remainder(Elementwise):
    """``x - floor(x / y) * y``, which has the sign of the divisor (Python's ``%``; alias ``mod``).

    The derivative is 1 towards ``x`` and ``-floor(x / y)`` towards ``y``; at the jumps it is that of the right side.

    >>> import wengert as wg
    >>> wg.remainder(wg.tensor([-7.0, 7.0]), 3.0)
    tensor([2., 1.])
    """

    value = np.remainder
    partial_x = 1

    def partial_y(self, x: Array, y: Array) -> Array:
        return -np.floor_divide(x, y)


class Fmod(Elementwise):
    """``x - trunc(x / y) * y``, which has the sign of the dividend (C's ``fmod``).

    The derivative is 1 towards ``x`` and ``-trunc(x / y)`` towards ``y``.
    """

    value = np.fmod
    partial_x = 1

    def partial_y(self, x: Array, y: Array, out: Array) -> Array:
        # x / y may round up to the next integer; (x - fmod) / y is an integer but for rounding.
        return -np.rint((x - out) / y)


class Negative(Elementwise):
    """Elementwise negation. Booleans are an error, as in NumPy; use ``logical_not``."""

    short_name = "Neg"
    involution = True
    value = np.negative
    partial_x = -1


class Positive(Elementwise):
    """The operand itself (Python's ``+x``)."""

    idempotent = True
    value = np.positive
    partial_x = 1

    def keeps(self, x: Any) -> bool:
        return True


class DegToRad(Elementwise):
    """Degrees to radians (aliases ``deg2rad``, ``radians``)."""

    value = np.deg2rad
    partial_x = math.pi / 180


class RadToDeg(Elementwise):
    """Radians to degrees (aliases ``rad2deg``, ``degrees``)."""

    value = np.rad2deg
    partial_x = 180 / math.pi


add = operator(Add())
subtract = operator(Subtract())
multiply = operator(Multiply())
divide = true_divide = operator(Divide(), np.divide)
floor_divide = operator(FloorDivide())
remainder = mod = operator(Remainder(), np.mod)
fmod = operator(Fmod())
negative = operator(Negative())
positive = operator(Positive())
deg2rad = radians = operator(DegToRad(), np.radians)
rad2deg = degrees = operator(RadToDeg(), np.degrees)


@implements(np.divmod)
def divmod(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """``(x // y, x % y)``.

    >>> import wengert as wg
    >>> wg.divmod(wg.tensor([7.0, -7.0]), 2.0)
    (tensor([ 3., -4.]), tensor([1., 1.]))
    """
    return floor_divide(x, y), remainder(x, y)


def lerp(start: Any, end: Any, weight: Any) -> Tensor:
    """Linear interpolation, ``start + weight * (end - start)``; the operands broadcast.

    >>> import wengert as wg
    >>> wg.lerp(wg.tensor([0.0, 10.0]), wg.tensor([1.0, 20.0]), 0.5)
    tensor([ 0.5, 15. ])
    """
    return add(start, multiply(weight, subtract(end, start)))
