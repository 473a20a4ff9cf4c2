"""Distribution functions with SciPy's short names, and Student's t, whose derivatives need care."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.core.lazy import LazyModule
from wengert.core.tensor import Tensor
from wengert.core.types import Array
from wengert.ops.families import Elementwise
from wengert.ops.incomplete import BetaincByShape, betainc, gammainc, gammaincc
from wengert.ops.protocol import operator
from wengert.ops.rounding import floor
from wengert.ops.special import SPECIAL_FUNCTIONS, Gammaln

special: Any = LazyModule("scipy.special")


def t_density(df: Any, t: Any) -> Any:
    """The density of Student's t distribution."""
    head = Gammaln()(0.5 * df + 0.5) - Gammaln()(0.5 * df) - 0.5 * np.log(df * math.pi)
    return np.exp(head - 0.5 * (df + 1) * np.log1p(t * t / df))


def _by_freedom(df: Any, t: Any) -> Any:
    """The derivative of F(t) = 1 - I_x(df/2, 1/2) / 2, x = df / (df + t^2), by df, of both places where it stands."""
    by_shape = BetaincByShape(1, 0)(0.5 * df, 0.5, df / (df + t * t))
    return -0.25 * np.sign(t) * by_shape - 0.5 * t / df * t_density(df, t)


class Stdtr(Elementwise):
    """Student's t distribution function with df degrees of freedom."""

    def value(self, df: Any, t: Any) -> Any:
        return special.stdtr(df, t)

    def partial_df(self, df: Array, t: Array) -> Array:
        return _by_freedom(df, t)

    def partial_t(self, df: Array, t: Array) -> Array:
        return t_density(df, t)


class Stdtrit(Elementwise):
    """The t at which Student's t distribution function is p."""

    def value(self, df: Any, p: Any) -> Any:
        return special.stdtrit(df, p)

    def partial_df(self, df: Array, out: Array) -> Array:
        return -_by_freedom(df, out) / t_density(df, out)

    def partial_p(self, df: Array, out: Array) -> Array:
        return 1 / t_density(df, out)


class NdtriExp(Elementwise):
    """The x at which the logarithm of the normal distribution function is y."""

    def value(self, y: Any) -> Any:
        return special.ndtri_exp(y)

    def partial_y(self, y: Array, out: Array) -> Array:
        return np.exp(y + 0.5 * out * out) * math.sqrt(2 * math.pi)


stdtr, stdtrit, ndtri_exp = operator(Stdtr()), operator(Stdtrit()), operator(NdtriExp())


def chdtr(v: Any, x: Any) -> Tensor:
    """The chi-squared distribution function with v degrees of freedom."""
    return gammainc(np.multiply(v, 0.5), np.multiply(x, 0.5))


def chdtrc(v: Any, x: Any) -> Tensor:
    """1 - ``chdtr``."""
    return gammaincc(np.multiply(v, 0.5), np.multiply(x, 0.5))


def gdtr(a: Any, b: Any, x: Any) -> Tensor:
    """The gamma distribution function with rate a and shape b."""
    return gammainc(b, np.multiply(a, x))


def gdtrc(a: Any, b: Any, x: Any) -> Tensor:
    """1 - ``gdtr``."""
    return gammaincc(b, np.multiply(a, x))


def fdtr(dfn: Any, dfd: Any, x: Any) -> Tensor:
    """The distribution function of the F distribution."""
    part = np.multiply(dfn, x)
    return betainc(np.multiply(dfn, 0.5), np.multiply(dfd, 0.5), part / np.add(dfd, part))


def pdtr(k: Any, m: Any) -> Tensor:
    """The Poisson distribution function with mean m."""
    return gammaincc(np.add(floor(k), 1.0), m)


def pdtrc(k: Any, m: Any) -> Tensor:
    """1 - ``pdtr``."""
    return gammainc(np.add(floor(k), 1.0), m)


def bdtr(k: Any, n: Any, p: Any) -> Tensor:
    """The binomial distribution function: at most k successes, k < n, among n trials with probability p."""
    whole = floor(k)
    return betainc(np.subtract(n, whole), np.add(whole, 1.0), np.subtract(1.0, p))


def bdtrc(k: Any, n: Any, p: Any) -> Tensor:
    """1 - ``bdtr``."""
    whole = floor(k)
    return betainc(np.add(whole, 1.0), np.subtract(n, whole), p)


SPECIAL_FUNCTIONS |= {
    "bdtr": bdtr,
    "bdtrc": bdtrc,
    "chdtr": chdtr,
    "chdtrc": chdtrc,
    "fdtr": fdtr,
    "gdtr": gdtr,
    "gdtrc": gdtrc,
    "ndtri_exp": ndtri_exp,
    "pdtr": pdtr,
    "pdtrc": pdtrc,
    "stdtr": stdtr,
    "stdtrit": stdtrit,
}
