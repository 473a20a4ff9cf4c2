"""Functions defined by integrals and series: exponential, elliptic and other integrals, zeta, hypergeometric functions.

Derivatives are those of the NIST Digital Library (DLMF), chapters 6, 7, 13, 15, 19 and 25.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.lazy import LazyModule
from wengert.core.primitive import NotDifferentiable
from wengert.core.tensor import Tensor
from wengert.core.types import Array
from wengert.ops.families import Elementwise
from wengert.ops.protocol import operator
from wengert.ops.special import SPECIAL_FUNCTIONS, Erf

special: Any = LazyModule("scipy.special")

_PARAMETER = NotDifferentiable("the derivative by a parameter has no closed form")


def near_zero(x: Any, series: Any, formula: Any, radius: float) -> Any:
    """The polynomial with the coefficients ``series`` for |x| < radius, where ``formula(x)`` would cancel."""
    small = np.abs(x) < radius
    at = np.where(small, x, 0.0)
    polynomial = series[-1]
    for coefficient in reversed(series[:-1]):
        polynomial = polynomial * at + coefficient
    return np.where(small, polynomial, formula(np.where(small, 1.0, x))).astype(x.dtype)


class Expn(Elementwise):
    """The exponential integral E_n(x)."""

    n: int

    def value(self, x: Any) -> Any:
        return special.exp1(x) if self.n == 1 else special.expn(self.n, x)

    def partial_x(self, x: Array) -> Array:
        if self.n == 0:
            return -np.exp(-x) * (1 + 1 / x) / x
        return -Expn(self.n - 1)(x)


class Expi(Elementwise):
    """The exponential integral Ei(x)."""

    def value(self, x: Any) -> Any:
        return special.expi(x)

    def partial_x(self, x: Array) -> Array:
        return np.exp(x) / x


class Exprel(Elementwise):
    """(exp(x) - 1) / x, 1 at 0."""

    def value(self, x: Any) -> Any:
        return special.exprel(x)

    def partial_x(self, x: Array) -> Array:
        # The sum of x^k / ((k + 2) k!), without the cancellation of (exp(x) - out) / x.
        series = [1 / ((k + 2) * math.factorial(k)) for k in range(16)]
        return near_zero(x, series, lambda x: (np.exp(x) * (x - 1) + 1) / (x * x), 0.7)


class Log1prel(Elementwise):
    """log(1 + x) / x, 1 at 0."""

    def value(self, x: Any) -> Any:
        zero = np.equal(x, 0)
        return np.where(zero, 1.0, np.log1p(x) / np.where(zero, 1.0, x)).astype(np.result_type(np.float16, x))

    def partial_x(self, x: Array) -> Array:
        series = [(-1) ** (k + 1) * (k + 1) / (k + 2) for k in range(24)]
        return near_zero(x, series, lambda x: (1 / (1 + x) - np.log1p(x) / x) / x, 0.2)


class Spence(Elementwise):
    """Spence's function, the integral of log(t) / (1 - t) from 1 to x."""

    def value(self, x: Any) -> Any:
        return special.spence(x)

    def partial_x(self, x: Array) -> Array:
        return -Log1prel()(x - 1)


class Dawsn(Elementwise):
    """Dawson's integral, exp(-x^2) times the integral of exp(t^2) from 0 to x."""

    def value(self, x: Any) -> Any:
        return special.dawsn(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        return 1 - 2 * x * out


class Erfi(Elementwise):
    """The imaginary error function, -i erf(i x)."""

    def value(self, x: Any) -> Any:
        return special.erfi(x)

    def partial_x(self, x: Array) -> Array:
        return 2 / math.sqrt(math.pi) * np.exp(x * x)


class Ellipk(Elementwise):
    """Complete elliptic integral of the first kind, of the parameter m."""

    def value(self, m: Any) -> Any:
        return special.ellipk(m)

    def partial_m(self, m: Array) -> Array:
        # At 0 the formula is 0 / 0; pi/8 (1 + 9/8 m + 75/64 m^2 + ...) is the derivative of the power series.
        series = [(math.comb(2 * k, k) / 4**k) ** 2 * k * math.pi / 2 for k in range(1, 12)]
        return near_zero(m, series, lambda m: (Ellipe()(m) - (1 - m) * Ellipk()(m)) / (2 * m * (1 - m)), 0.03)


class Ellipe(Elementwise):
    """Complete elliptic integral of the second kind, of the parameter m."""

    def value(self, m: Any) -> Any:
        return special.ellipe(m)

    def partial_m(self, m: Array) -> Array:
        series = [(math.comb(2 * k, k) / 4**k) ** 2 * k / (1 - 2 * k) * math.pi / 2 for k in range(1, 12)]
        return near_zero(m, series, lambda m: (Ellipe()(m) - Ellipk()(m)) / (2 * m), 0.03)


class OwensT(Elementwise):
    """Owen's T function: the probability that X > h and 0 < Y < a X for standard normal X and Y."""

    def value(self, h: Any, a: Any) -> Any:
        return special.owens_t(h, a)

    def partial_h(self, h: Array, a: Array) -> Array:
        return -np.exp(-0.5 * h * h) * Erf()(a * h * math.sqrt(0.5)) / math.sqrt(8 * math.pi)

    def partial_a(self, h: Array, a: Array) -> Array:
        squares = 1 + a * a
        return np.exp(-0.5 * h * h * squares) / (2 * math.pi * squares)


class Zeta(Elementwise):
    """Hurwitz' zeta function, the sum of (q + n)^-s over n >= 0; differentiable in q."""

    vjp_s = _PARAMETER

    def value(self, s: Any, q: Any) -> Any:
        return special.zeta(s, q)

    def partial_q(self, s: Array, q: Array) -> Array:
        return -s * Zeta()(s + 1, q)


class Hyp1f1(Elementwise):
    """Kummer's confluent hypergeometric function; differentiable in x."""

    vjp_a = _PARAMETER
    vjp_b = _PARAMETER

    def value(self, a: Any, b: Any, x: Any) -> Any:
        return special.hyp1f1(a, b, x)

    def partial_x(self, a: Array, b: Array, x: Array) -> Array:
        return a / b * Hyp1f1()(a + 1, b + 1, x)


class Hyp2f1(Elementwise):
    """Gauss' hypergeometric function; differentiable in x."""

    vjp_a = _PARAMETER
    vjp_b = _PARAMETER
    vjp_c = _PARAMETER

    def value(self, a: Any, b: Any, c: Any, x: Any) -> Any:
        return special.hyp2f1(a, b, c, x)

    def partial_x(self, a: Array, b: Array, c: Array, x: Array) -> Array:
        return a * b / c * Hyp2f1()(a + 1, b + 1, c + 1, x)


exp1, expi, exprel, log1prel = operator(Expn(1)), operator(Expi()), operator(Exprel()), operator(Log1prel())
spence, dawsn, erfi = operator(Spence()), operator(Dawsn()), operator(Erfi())
ellipk, ellipe, owens_t = operator(Ellipk()), operator(Ellipe()), operator(OwensT())


def expn(n: int, x: Any) -> Tensor:
    """The exponential integral E_n(x) of the integer order n."""
    return apply(Expn(int(n)), x)


def zeta(x: Any, q: Any = None) -> Tensor:
    """The zeta function of Hurwitz, or of Riemann without ``q``; differentiable in ``q``."""
    return apply(Zeta(), x, 1.0 if q is None else q)


def hyp1f1(a: Any, b: Any, x: Any) -> Tensor:
    """Kummer's confluent hypergeometric function 1F1; differentiable in x."""
    return apply(Hyp1f1(), a, b, x)


def hyp2f1(a: Any, b: Any, c: Any, z: Any) -> Tensor:
    """Gauss' hypergeometric function 2F1; differentiable in z."""
    return apply(Hyp2f1(), a, b, c, z)


SPECIAL_FUNCTIONS |= {
    "dawsn": dawsn,
    "ellipe": ellipe,
    "ellipk": ellipk,
    "erfi": erfi,
    "exp1": exp1,
    "expi": expi,
    "expn": expn,
    "exprel": exprel,
    "hyp1f1": hyp1f1,
    "hyp2f1": hyp2f1,
    "owens_t": owens_t,
    "spence": spence,
}
