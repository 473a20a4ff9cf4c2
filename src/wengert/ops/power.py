"""Powers and roots."""

from __future__ import annotations

import operator as python
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.types import Array
from wengert.ops.families import Elementwise, is_scalar
from wengert.ops.protocol import operator


class Power(Elementwise):
    """Elementwise ``x ** y`` (alias ``pow``).

    A negative real base with a fractional exponent gives NaN; integers to negative integer powers are an error, as in
    NumPy. The derivative towards ``x`` is ``y * x**(y-1)``, and 0 where ``y`` is 0; the one towards ``y`` is
    ``x**y * log(x)``, taken as 0 where ``x`` is 0 and ``y`` is not negative (its limit for positive ``y``), and NaN for
    a negative real base, whose power is defined at integers only.

    >>> import wengert as wg
    >>> x = wg.tensor([2.0, -3.0], requires_grad=True)
    >>> wg.power(x, 2).sum().backward()
    >>> x.grad
    tensor([ 4., -6.])
    """

    short_name = "Pow"
    inputs = ("x", "y")
    identities = {1: 1.0}
    # Not np.power: the operator computes squares, reciprocals and square roots as such, several times faster.
    value = python.pow

    def partial_x(self, x: Array, y: Array) -> Array:
        if is_scalar(y):
            if y == 2:
                return 2 * x
            return y * x ** (y - 1) if y != 0 else 0.0
        # Only 0 * 0**-1 is mended: elsewhere y * x**(y-1) is right, and so is its own derivative towards y.
        both_zero = (x == 0) & (y == 0)
        return y * np.where(both_zero, 1, x) ** (y - 1)

    def partial_y(self, x: Array, y: Array, out: Array) -> Array:
        if is_scalar(x) and x != 0:
            # item(): a weak scalar, so that float32 stays float32.
            return out * np.log(x).item()
        at_zero = x == 0
        slope = out * np.log(np.where(at_zero, 1, x))
        divergent = np.where(np.real(y) < 0, -np.inf, 0)
        return np.where(at_zero, divergent, slope)

    def cheaper(self, operands: Sequence[Any], numbers: Sequence[Any]) -> tuple[Any, ...] | None:
        # What the operator itself computes them as.
        x, y = operands
        named = {2: Square, 0.5: Sqrt, -1: Reciprocal}.get(y) if is_scalar(y) else None
        return None if named is None or getattr(x, "dtype", np.dtype(int)).kind not in "fc" else (named(), x)


class FloatPower(Power):
    """``x ** y`` in float64 (or complex128) whatever the operands, so that integers to negative powers work."""

    value = np.float_power

    def cheaper(self, operands: Sequence[Any], numbers: Sequence[Any]) -> tuple[Any, ...] | None:
        return None


class Square(Elementwise):
    """``x * x``."""

    value = np.square

    def partial_x(self, x: Array) -> Array:
        return 2 * x


class Sqrt(Elementwise):
    """Square root; NaN for negative real numbers, the principal root for complex ones.

    The derivative at 0 is infinite, as it is.
    """

    value = np.sqrt

    def partial_x(self, out: Array) -> Array:
        return 0.5 / out


class Cbrt(Elementwise):
    """Real cube root, also of negative numbers. The derivative at 0 is infinite, as it is."""

    value = np.cbrt

    def partial_x(self, out: Array) -> Array:
        return 1 / (3 * out * out)


class Reciprocal(Elementwise):
    """``1 / x``. For integers the result is truncated to an integer, as in NumPy."""

    value = np.reciprocal

    def partial_x(self, out: Array) -> Array:
        return -out * out


class Hypot(Elementwise):
    """Length of the hypotenuse, ``sqrt(x**2 + y**2)``, without overflow. The gradient at (0, 0) is 0.

    >>> import wengert as wg
    >>> wg.hypot(wg.tensor(3.0), 4.0)
    tensor(5.)
    """

    commutative = True
    value = np.hypot

    def partial_x(self, x: Array, out: Array) -> Array:
        return x / np.where(out == 0, 1, out)

    def partial_y(self, y: Array, out: Array) -> Array:
        return y / np.where(out == 0, 1, out)


power = pow = operator(Power(), np.power)
float_power = operator(FloatPower())
square = operator(Square())
sqrt = operator(Sqrt())
cbrt = operator(Cbrt())
reciprocal = operator(Reciprocal())
hypot = operator(Hypot())
