"""Special functions, as in ``scipy.special``; derivatives as in the NIST Digital Library (DLMF), chapters 5 to 10.

SciPy is imported when the first of them is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.lazy import LazyModule
from wengert.core.tensor import Tensor
from wengert.core.types import Array
from wengert.ops.activation import _NormalCdf, sigmoid
from wengert.ops.families import Elementwise
from wengert.ops.protocol import operator
from wengert.ops.transcendental import exp

special: Any = LazyModule("scipy.special")

_TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


class Erf(Elementwise):
    """Error function (DLMF 7.2.1)."""

    def value(self, x: Any) -> Any:
        return special.erf(x)

    def partial_x(self, x: Array) -> Array:
        return _TWO_OVER_SQRT_PI * np.exp(-x * x)


class Erfc(Elementwise):
    """Complementary error function, 1 - erf(x) without cancellation."""

    def value(self, x: Any) -> Any:
        return special.erfc(x)

    def partial_x(self, x: Array) -> Array:
        return -_TWO_OVER_SQRT_PI * np.exp(-x * x)


class Erfcx(Elementwise):
    """Scaled complementary error function exp(x^2) erfc(x)."""

    def value(self, x: Any) -> Any:
        return special.erfcx(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        return 2 * x * out - _TWO_OVER_SQRT_PI


class Erfinv(Elementwise):
    """Inverse of the error function."""

    def value(self, x: Any) -> Any:
        return special.erfinv(x)

    def partial_x(self, out: Array) -> Array:
        return np.exp(out * out) / _TWO_OVER_SQRT_PI


class Erfcinv(Elementwise):
    """Inverse of the complementary error function."""

    def value(self, x: Any) -> Any:
        return special.erfcinv(x)

    def partial_x(self, out: Array) -> Array:
        return -np.exp(out * out) / _TWO_OVER_SQRT_PI


class Ndtri(Elementwise):
    """Inverse of the normal distribution function."""

    def value(self, x: Any) -> Any:
        return special.ndtri(x)

    def partial_x(self, out: Array) -> Array:
        return np.exp(0.5 * out * out) * math.sqrt(2 * math.pi)


class LogNdtr(Elementwise):
    """Logarithm of the normal distribution function, accurate in the lower tail."""

    def value(self, x: Any) -> Any:
        return special.log_ndtr(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        # Below 0, density and distribution function vanish together, and their quotient is 1/erfcx (DLMF 7.2.3). Each
        # side is shielded from the other's arguments, for the derivatives to come.
        below = x < 0
        tail = math.sqrt(2 / math.pi) / Erfcx()(np.where(below, x, 0.0).astype(x.dtype) * -math.sqrt(0.5))
        here = np.where(below, 0.0, x).astype(x.dtype)
        rest = np.exp(-0.5 * here * here - np.where(below, 0.0, out).astype(x.dtype)) / math.sqrt(2 * math.pi)
        return np.where(below, tail, rest)


class Gammaln(Elementwise):
    """Logarithm of |Gamma(x)|."""

    def value(self, x: Any) -> Any:
        return special.gammaln(x)

    def partial_x(self, x: Array) -> Array:
        return Polygamma(0)(x)


class Gamma(Elementwise):
    """The gamma function."""

    def value(self, x: Any) -> Any:
        return special.gamma(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        return out * Polygamma(0)(x)


class Polygamma(Elementwise):
    """The n-th derivative of the digamma function (DLMF 5.15)."""

    n: int

    def value(self, x: Any) -> Any:
        return special.psi(x) if self.n == 0 else special.polygamma(self.n, x).astype(np.result_type(x))

    def partial_x(self, x: Array) -> Array:
        return Polygamma(self.n + 1)(x)


class I0(Elementwise):
    """Modified Bessel function of order 0."""

    def value(self, x: Any) -> Any:
        return special.i0(x)

    def partial_x(self, x: Array) -> Array:
        return I1()(x)


class I1(Elementwise):
    """Modified Bessel function of order 1."""

    def value(self, x: Any) -> Any:
        return special.i1(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        # I1' = I0 - I1 / x (DLMF 10.29.2), which tends to 1/2 at 0.
        zero = x == 0
        return np.where(zero, 0.5, I0()(x) - out / np.where(zero, 1.0, x)).astype(x.dtype)


class I0e(Elementwise):
    """exp(-|x|) I0(x)."""

    def value(self, x: Any) -> Any:
        return special.i0e(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        return I1e()(x) - np.sign(x) * out


class I1e(Elementwise):
    """exp(-|x|) I1(x)."""

    def value(self, x: Any) -> Any:
        return special.i1e(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        zero = x == 0
        slope = np.where(zero, 0.5, I0e()(x) - out / np.where(zero, 1.0, x))
        return (slope - np.sign(x) * out).astype(x.dtype)


class J0(Elementwise):
    """Bessel function of the first kind, order 0."""

    def value(self, x: Any) -> Any:
        return special.j0(x)

    def partial_x(self, x: Array) -> Array:
        return -J1()(x)


class J1(Elementwise):
    """Bessel function of the first kind, order 1."""

    def value(self, x: Any) -> Any:
        return special.j1(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        zero = x == 0
        return np.where(zero, 0.5, J0()(x) - out / np.where(zero, 1.0, x)).astype(x.dtype)


class Xlogy(Elementwise):
    """x log(y), 0 where x is 0."""

    def value(self, x: Any, y: Any) -> Any:
        return special.xlogy(x, y)

    def partial_x(self, x: Array, y: Array) -> Array:
        # At x = 0 the function is 0 for every y; its slope there is log(y) where that is finite, else 0.
        return np.where((x == 0) & (y <= 0), 0.0, np.log(np.where(y > 0, y, 1.0)))

    def partial_y(self, x: Array, y: Array) -> Array:
        return x / np.where(x == 0, 1.0, y)


class Xlog1py(Elementwise):
    """x log(1 + y), 0 where x is 0."""

    def value(self, x: Any, y: Any) -> Any:
        return special.xlog1py(x, y)

    def partial_x(self, y: Array) -> Array:
        return np.log1p(y)

    def partial_y(self, x: Array, y: Array) -> Array:
        return x / np.where(x == 0, 1.0, 1 + y)


class Entr(Elementwise):
    """-x log(x), 0 at 0, -inf below."""

    def value(self, x: Any) -> Any:
        return special.entr(x)

    def partial_x(self, x: Array) -> Array:
        return -np.log(x) - 1


class Betaln(Elementwise):
    """Logarithm of the beta function."""

    def value(self, a: Any, b: Any) -> Any:
        return special.betaln(a, b)

    def partial_a(self, a: Array, b: Array) -> Array:
        return Polygamma(0)(a) - Polygamma(0)(a + b)

    def partial_b(self, a: Array, b: Array) -> Array:
        return Polygamma(0)(b) - Polygamma(0)(a + b)


erf = operator(Erf())
erfc = operator(Erfc())
erfcx = operator(Erfcx())
erfinv = operator(Erfinv())
erfcinv = operator(Erfcinv())
ndtr = operator(_NormalCdf())
ndtri = operator(Ndtri())
log_ndtr = operator(LogNdtr())
gammaln = lgamma = operator(Gammaln())
gamma = operator(Gamma())
betaln = operator(Betaln())
digamma = psi = operator(Polygamma(0))
i0 = operator(I0(), np.i0)
i1 = operator(I1())
i0e = operator(I0e())
i1e = operator(I1e())
j0 = operator(J0())
j1 = operator(J1())
xlogy = operator(Xlogy())
xlog1py = operator(Xlog1py())
entr = operator(Entr())
expit = sigmoid


def polygamma(n: int, x: Any) -> Tensor:
    """The n-th derivative of the digamma function."""
    return apply(Polygamma(int(n)), x)


def beta(a: Any, b: Any) -> Tensor:
    """The beta function of positive arguments, Gamma(a) Gamma(b) / Gamma(a + b)."""
    return exp(betaln(a, b))


def logit(x: Any) -> Tensor:
    """log(x / (1 - x)), the inverse of the sigmoid."""
    return np.log(x) - np.log1p(np.negative(x))


def rel_entr(x: Any, y: Any) -> Tensor:
    """x log(x / y), 0 where x is 0."""
    return xlogy(x, x) - xlogy(x, y)


def kl_div(x: Any, y: Any) -> Tensor:
    """x log(x / y) - x + y."""
    return rel_entr(x, y) - x + y


def multigammaln(a: Any, d: int) -> Tensor:
    """Logarithm of the multivariate gamma function of dimension ``d``."""
    total = d * (d - 1) / 4 * math.log(math.pi) + gammaln(a)
    for j in range(1, d):
        total = total + gammaln(a - j / 2)
    return total


#: SciPy's ufuncs by name, and what stands in for them on tensors (the ufuncs themselves are not loaded yet).
SPECIAL_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "beta": beta,
    "betaln": betaln,
    "digamma": digamma,
    "entr": entr,
    "erf": erf,
    "erfc": erfc,
    "erfcinv": erfcinv,
    "erfcx": erfcx,
    "erfinv": erfinv,
    "expit": expit,
    "gamma": gamma,
    "gammaln": gammaln,
    "i0": i0,
    "i0e": i0e,
    "i1": i1,
    "i1e": i1e,
    "j0": j0,
    "j1": j1,
    "kl_div": kl_div,
    "log_ndtr": log_ndtr,
    "logit": logit,
    "ndtr": ndtr,
    "ndtri": ndtri,
    "psi": digamma,
    "rel_entr": rel_entr,
    "xlog1py": xlog1py,
    "xlogy": xlogy,
}
