"""Exponentials, logarithms, trigonometric and hyperbolic functions.

Derivatives of complex arguments are the holomorphic ones; formulas as in the NIST Digital Library of Mathematical
Functions (DLMF), chapter 4.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.core.types import Array
from wengert.ops.families import Elementwise
from wengert.ops.protocol import operator


class Exp(Elementwise):
    """Exponential function.

    >>> import wengert as wg
    >>> wg.exp(wg.tensor([0.0, 1.0]))
    tensor([1.        , 2.71828183])
    """

    value = np.exp
    partial_x = "out"


class Exp2(Elementwise):
    """Two to the power of x."""

    value = np.exp2

    def partial_x(self, out: Array) -> Array:
        return out * math.log(2)


class Expm1(Elementwise):
    """exp(x) - 1, accurate for small x."""

    value = np.expm1

    def partial_x(self, out: Array) -> Array:
        return out + 1


class Log(Elementwise):
    """Natural logarithm."""

    value = np.log

    def vjp_x(self, g: Array, x: Array) -> Array:
        return g / (x if g.dtype.kind == "f" else np.conj(x))

    def jvp_x(self, t: Array, x: Array) -> Array:
        return t / x


class Log2(Elementwise):
    """Logarithm to base 2."""

    value = np.log2

    def partial_x(self, x: Array) -> Array:
        return 1 / (x * math.log(2))


class Log10(Elementwise):
    """Logarithm to base 10."""

    value = np.log10

    def partial_x(self, x: Array) -> Array:
        return 1 / (x * math.log(10))


class Log1p(Elementwise):
    """log(1 + x), accurate for small x."""

    value = np.log1p

    def partial_x(self, x: Array) -> Array:
        return 1 / (1 + x)


def _share(x: Array, out: Array, scale: float) -> Array:
    """The weight of one term in a sum of exponentials; two infinite terms share it by being equal."""
    difference = np.where(x == out, 0.0, x - out)
    return np.exp(difference * scale)


class Logaddexp(Elementwise):
    """log(exp(x) + exp(y)) without overflow."""

    commutative = True
    value = np.logaddexp

    def partial_x(self, x: Array, out: Array) -> Array:
        return _share(x, out, 1.0)

    def partial_y(self, y: Array, out: Array) -> Array:
        return _share(y, out, 1.0)


class Logaddexp2(Elementwise):
    """log2(2**x + 2**y) without overflow."""

    commutative = True
    value = np.logaddexp2

    def partial_x(self, x: Array, out: Array) -> Array:
        return _share(x, out, math.log(2))

    def partial_y(self, y: Array, out: Array) -> Array:
        return _share(y, out, math.log(2))


class Sin(Elementwise):
    """Sine of an angle in radians."""

    value = np.sin

    def partial_x(self, x: Array) -> Array:
        return np.cos(x)


class Cos(Elementwise):
    """Cosine of an angle in radians."""

    value = np.cos

    def partial_x(self, x: Array) -> Array:
        return -np.sin(x)


class Tan(Elementwise):
    """Tangent of an angle in radians."""

    value = np.tan

    def partial_x(self, out: Array) -> Array:
        return 1 + out * out


class Asin(Elementwise):
    """Inverse sine, in radians."""

    value = np.arcsin

    def partial_x(self, x: Array) -> Array:
        return 1 / np.sqrt((1 - x) * (1 + x))


class Acos(Elementwise):
    """Inverse cosine, in radians."""

    value = np.arccos

    def partial_x(self, x: Array) -> Array:
        return -1 / np.sqrt((1 - x) * (1 + x))


class Atan(Elementwise):
    """Inverse tangent, in radians."""

    value = np.arctan

    def partial_x(self, x: Array) -> Array:
        return 1 / (1 + x * x)


class Atan2(Elementwise):
    """Angle of the point (y, x), the first operand being the ordinate."""

    value = np.arctan2
    inputs = ("y", "x")

    def partial_y(self, y: Array, x: Array) -> Array:
        return x / (x * x + y * y)

    def partial_x(self, y: Array, x: Array) -> Array:
        return -y / (x * x + y * y)


class Sinh(Elementwise):
    """Hyperbolic sine."""

    value = np.sinh

    def partial_x(self, x: Array) -> Array:
        return np.cosh(x)


class Cosh(Elementwise):
    """Hyperbolic cosine."""

    value = np.cosh

    def partial_x(self, x: Array) -> Array:
        return np.sinh(x)


class Tanh(Elementwise):
    """Hyperbolic tangent."""

    value = np.tanh

    def vjp_x(self, g: Array, out: Array) -> Array:
        # As g (1 - out^2), with one pass less over small arrays: NumPy is slow at mixing a Python number in.
        square = out * out
        return g - g * (square if g.dtype.kind == "f" else np.conj(square))

    def jvp_x(self, t: Array, out: Array) -> Array:
        return t - t * (out * out)


class Asinh(Elementwise):
    """Inverse hyperbolic sine."""

    value = np.arcsinh

    def partial_x(self, x: Array) -> Array:
        return 1 / np.sqrt(1 + x * x)


class Acosh(Elementwise):
    """Inverse hyperbolic cosine."""

    value = np.arccosh

    def partial_x(self, x: Array) -> Array:
        return 1 / (np.sqrt(x - 1) * np.sqrt(x + 1))


class Atanh(Elementwise):
    """Inverse hyperbolic tangent."""

    value = np.arctanh

    def partial_x(self, x: Array) -> Array:
        return 1 / ((1 - x) * (1 + x))


#: Below this |pi x| the closed form of sinc's derivatives cancels, and its power series takes over.
_SERIES_BELOW = 0.8
_SERIES_TERMS = 12


class SincDerivative(Elementwise):
    """The n-th derivative of sin(pi x) / (pi x).

    With u = pi x and s = sin(u) / u the derivatives follow u s_n = sin(u + n pi / 2) - n s_{n-1}; near zero they are
    the differentiated power series sum (-1)^k u^(2k) / (2k + 1)!.
    """

    order: int

    def value(self, x: Any) -> Any:
        u = np.pi * (np.asarray(x) if isinstance(x, (float, np.generic)) else x)
        near = np.abs(u) < _SERIES_BELOW
        safe = np.where(near, np.ones_like(u), u)
        far = np.sin(safe) / safe
        for n in range(1, self.order + 1):
            far = (np.sin(safe + n * np.pi / 2) - n * far) / safe
        small = np.where(near, u, np.zeros_like(u))
        series = np.zeros_like(u)
        for k in range((self.order + 1) // 2, (self.order + 1) // 2 + _SERIES_TERMS):
            power = 2 * k - self.order
            coefficient = (-1) ** k * math.perm(2 * k, self.order) / math.factorial(2 * k + 1)
            series = series + coefficient * small**power
        return (np.where(near, series, far) * np.pi**self.order).astype(u.dtype)

    def partial_x(self, x: Array) -> Array:
        return SincDerivative(self.order + 1)(x)


class Sinc(Elementwise):
    """sin(pi x) / (pi x), 1 at 0; smooth there, and so are all its derivatives."""

    def value(self, x: Any) -> Any:
        return np.sinc(x)

    def partial_x(self, x: Array) -> Array:
        return SincDerivative(1)(x)


exp = operator(Exp())
exp2 = operator(Exp2())
expm1 = operator(Expm1())
log = operator(Log())
log2 = operator(Log2())
log10 = operator(Log10())
log1p = operator(Log1p())
logaddexp = operator(Logaddexp())
logaddexp2 = operator(Logaddexp2())
sin = operator(Sin())
cos = operator(Cos())
tan = operator(Tan())
asin = arcsin = operator(Asin())
acos = arccos = operator(Acos())
atan = arctan = operator(Atan())
atan2 = arctan2 = operator(Atan2())
sinh = operator(Sinh())
cosh = operator(Cosh())
tanh = operator(Tanh())
asinh = arcsinh = operator(Asinh())
acosh = arccosh = operator(Acosh())
atanh = arctanh = operator(Atanh())
sinc = operator(Sinc(), np.sinc)
