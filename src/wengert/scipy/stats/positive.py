"""Distributions of positive numbers, in standard form. Formulas follow N. L. Johnson, S. Kotz and N. Balakrishnan,
"Continuous Univariate Distributions", 1994."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ops.incomplete import betainc, betaincinv, gammainc, gammaincc, gammainccinv, gammaincinv
from wengert.ops.special import (
    betaln,
    erf,
    gamma,
    gammaln,
    log_ndtr,
    ndtr,
    ndtri,
    xlogy,
)
from wengert.scipy.stats.base import Continuous

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
POSITIVE = (0.0, np.inf)


def finite_from(parameter: Any, least: float, value: Any, otherwise: float = np.inf) -> Any:
    """A moment that exists for parameters above a bound."""
    return np.where(parameter > least, value, otherwise)


def above(parameter: Any, least: float) -> Any:
    """The parameter where it is above a bound, so that a formula beside ``finite_from`` cannot divide by zero."""
    return np.where(parameter > least, parameter, least + 1.0)


class Gamma(Continuous):
    """Gamma with shape ``a``."""

    shapes = ("a",)
    support = POSITIVE

    def _logpdf(self, y: Any, a: Any) -> Any:
        return xlogy(a - 1, y) - y - gammaln(a)

    def _cdf(self, y: Any, a: Any) -> Any:
        return gammainc(a, y)

    def _sf(self, y: Any, a: Any) -> Any:
        return gammaincc(a, y)

    def _ppf(self, q: Any, a: Any) -> Any:
        return gammaincinv(a, q)

    def _isf(self, q: Any, a: Any) -> Any:
        return gammainccinv(a, q)

    def _mean(self, a: Any) -> Any:
        return a

    def _var(self, a: Any) -> Any:
        return a


class Chi2(Gamma):
    """Chi-squared with ``df`` degrees of freedom."""

    shapes = ("df",)

    def _logpdf(self, y: Any, df: Any) -> Any:
        return super()._logpdf(0.5 * y, 0.5 * df) - math.log(2)

    def _cdf(self, y: Any, df: Any) -> Any:
        return gammainc(0.5 * df, 0.5 * y)

    def _sf(self, y: Any, df: Any) -> Any:
        return gammaincc(0.5 * df, 0.5 * y)

    def _ppf(self, q: Any, df: Any) -> Any:
        return 2 * gammaincinv(0.5 * df, q)

    def _isf(self, q: Any, df: Any) -> Any:
        return 2 * gammainccinv(0.5 * df, q)

    def _mean(self, df: Any) -> Any:
        return df

    def _var(self, df: Any) -> Any:
        return 2 * df


class InvGamma(Continuous):
    """The inverse of a gamma number with shape ``a``."""

    shapes = ("a",)
    support = POSITIVE
    closed = False

    def _logpdf(self, y: Any, a: Any) -> Any:
        return -(a + 1) * np.log(y) - gammaln(a) - 1 / y

    def _cdf(self, y: Any, a: Any) -> Any:
        return gammaincc(a, 1 / y)

    def _sf(self, y: Any, a: Any) -> Any:
        return gammainc(a, 1 / y)

    def _ppf(self, q: Any, a: Any) -> Any:
        return 1 / gammainccinv(a, q)

    def _isf(self, q: Any, a: Any) -> Any:
        return 1 / gammaincinv(a, q)

    def _mean(self, a: Any) -> Any:
        return finite_from(a, 1, 1 / (above(a, 1.0) - 1))

    def _var(self, a: Any) -> Any:
        safe = above(a, 2.0)
        return finite_from(a, 2, 1 / ((safe - 1) ** 2 * (safe - 2)))


class F(Continuous):
    """The F distribution with ``dfn`` and ``dfd`` degrees of freedom."""

    shapes = ("dfn", "dfd")
    support = POSITIVE

    def _logpdf(self, y: Any, dfn: Any, dfd: Any) -> Any:
        m, n = 0.5 * dfn, 0.5 * dfd
        ratio = dfn / dfd
        return m * np.log(ratio) + xlogy(m - 1, y) - (m + n) * np.log1p(ratio * y) - betaln(m, n)

    def _cdf(self, y: Any, dfn: Any, dfd: Any) -> Any:
        return betainc(0.5 * dfn, 0.5 * dfd, dfn * y / (dfd + dfn * y))

    def _sf(self, y: Any, dfn: Any, dfd: Any) -> Any:
        return betainc(0.5 * dfd, 0.5 * dfn, dfd / (dfd + dfn * y))

    def _ppf(self, q: Any, dfn: Any, dfd: Any) -> Any:
        part = betaincinv(0.5 * dfn, 0.5 * dfd, q)
        return dfd * part / (dfn * (1 - part))

    def _isf(self, q: Any, dfn: Any, dfd: Any) -> Any:
        part = betaincinv(0.5 * dfd, 0.5 * dfn, q)
        return dfd * (1 - part) / (dfn * part)

    def _mean(self, dfn: Any, dfd: Any) -> Any:
        safe = above(dfd, 2.0)
        return finite_from(dfd, 2, safe / (safe - 2)) + 0 * dfn

    def _var(self, dfn: Any, dfd: Any) -> Any:
        safe = above(dfd, 4.0)
        return finite_from(dfd, 4, 2 * safe**2 * (dfn + safe - 2) / (dfn * (safe - 2) ** 2 * (safe - 4)))


class Expon(Continuous):
    """Exponential."""

    support = POSITIVE

    def _logpdf(self, y: Any) -> Any:
        return -y

    def _cdf(self, y: Any) -> Any:
        return -np.expm1(-y)

    def _sf(self, y: Any) -> Any:
        return np.exp(-y)

    def _logsf(self, y: Any) -> Any:
        return -y

    def _ppf(self, q: Any) -> Any:
        return -np.log1p(-q)

    def _isf(self, q: Any) -> Any:
        return -np.log(q)

    def _mean(self) -> Any:
        return 1.0

    def _var(self) -> Any:
        return 1.0


class LogNorm(Continuous):
    """Numbers whose logarithm is normal with standard deviation ``s``."""

    shapes = ("s",)
    support = POSITIVE
    closed = False

    def _logpdf(self, y: Any, s: Any) -> Any:
        logs = np.log(y)
        return -0.5 * (logs / s) ** 2 - np.log(s) - logs - _HALF_LOG_TWO_PI

    def _cdf(self, y: Any, s: Any) -> Any:
        return ndtr(np.log(y) / s)

    def _sf(self, y: Any, s: Any) -> Any:
        return ndtr(-np.log(y) / s)

    def _logcdf(self, y: Any, s: Any) -> Any:
        return log_ndtr(np.log(y) / s)

    def _logsf(self, y: Any, s: Any) -> Any:
        return log_ndtr(-np.log(y) / s)

    def _ppf(self, q: Any, s: Any) -> Any:
        return np.exp(s * ndtri(q))

    def _isf(self, q: Any, s: Any) -> Any:
        return np.exp(-s * ndtri(q))

    def _mean(self, s: Any) -> Any:
        return np.exp(0.5 * s * s)

    def _var(self, s: Any) -> Any:
        return np.expm1(s * s) * np.exp(s * s)


class HalfCauchy(Continuous):
    """The absolute value of a Cauchy number."""

    support = POSITIVE

    def _logpdf(self, y: Any) -> Any:
        return math.log(2 / math.pi) - np.log1p(y * y)

    def _cdf(self, y: Any) -> Any:
        return np.arctan(y) * (2 / math.pi)

    def _sf(self, y: Any) -> Any:
        return np.arctan2(1.0, y) * (2 / math.pi)

    def _ppf(self, q: Any) -> Any:
        return np.tan(0.5 * math.pi * q)

    def _isf(self, q: Any) -> Any:
        return 1 / np.tan(0.5 * math.pi * q)

    def _mean(self) -> Any:
        return np.inf

    def _var(self) -> Any:
        return np.inf


class HalfNorm(Continuous):
    """The absolute value of a normal number."""

    support = POSITIVE

    def _logpdf(self, y: Any) -> Any:
        return 0.5 * math.log(2 / math.pi) - 0.5 * y * y

    def _cdf(self, y: Any) -> Any:
        return erf(y * math.sqrt(0.5))

    def _sf(self, y: Any) -> Any:
        return 2 * ndtr(-y)

    def _logsf(self, y: Any) -> Any:
        return math.log(2) + log_ndtr(-y)

    def _ppf(self, q: Any) -> Any:
        return ndtri(0.5 * (1 + q))

    def _isf(self, q: Any) -> Any:
        return -ndtri(0.5 * q)

    def _mean(self) -> Any:
        return math.sqrt(2 / math.pi)

    def _var(self) -> Any:
        return 1 - 2 / math.pi


class WeibullMin(Continuous):
    """Weibull with shape ``c``."""

    shapes = ("c",)
    support = POSITIVE

    def _logpdf(self, y: Any, c: Any) -> Any:
        return np.log(c) + xlogy(c - 1, y) - np.power(y, c)

    def _cdf(self, y: Any, c: Any) -> Any:
        return -np.expm1(-np.power(y, c))

    def _sf(self, y: Any, c: Any) -> Any:
        return np.exp(-np.power(y, c))

    def _logsf(self, y: Any, c: Any) -> Any:
        return -np.power(y, c)

    def _ppf(self, q: Any, c: Any) -> Any:
        return np.power(-np.log1p(-q), 1 / c)

    def _isf(self, q: Any, c: Any) -> Any:
        return np.power(-np.log(q), 1 / c)

    def _mean(self, c: Any) -> Any:
        return gamma(1 + 1 / c)

    def _var(self, c: Any) -> Any:
        return gamma(1 + 2 / c) - gamma(1 + 1 / c) ** 2


class Pareto(Continuous):
    """Pareto with exponent ``b``, from 1 on."""

    shapes = ("b",)
    support = (1.0, np.inf)
    inside = 2.0

    def _logpdf(self, y: Any, b: Any) -> Any:
        return np.log(b) - (b + 1) * np.log(y)

    def _cdf(self, y: Any, b: Any) -> Any:
        return -np.expm1(-b * np.log(y))

    def _sf(self, y: Any, b: Any) -> Any:
        return np.exp(-b * np.log(y))

    def _logsf(self, y: Any, b: Any) -> Any:
        return -b * np.log(y)

    def _ppf(self, q: Any, b: Any) -> Any:
        return np.exp(-np.log1p(-q) / b)

    def _isf(self, q: Any, b: Any) -> Any:
        return np.exp(-np.log(q) / b)

    def _mean(self, b: Any) -> Any:
        safe = above(b, 1.0)
        return finite_from(b, 1, safe / (safe - 1))

    def _var(self, b: Any) -> Any:
        safe = above(b, 2.0)
        return finite_from(b, 2, safe / ((safe - 1) ** 2 * (safe - 2)))


class Rayleigh(Continuous):
    """Rayleigh."""

    support = POSITIVE

    def _logpdf(self, y: Any) -> Any:
        return np.log(y) - 0.5 * y * y

    def _cdf(self, y: Any) -> Any:
        return -np.expm1(-0.5 * y * y)

    def _sf(self, y: Any) -> Any:
        return np.exp(-0.5 * y * y)

    def _logsf(self, y: Any) -> Any:
        return -0.5 * y * y

    def _ppf(self, q: Any) -> Any:
        return np.sqrt(-2 * np.log1p(-q))

    def _isf(self, q: Any) -> Any:
        return np.sqrt(-2 * np.log(q))

    def _mean(self) -> Any:
        return math.sqrt(math.pi / 2)

    def _var(self) -> Any:
        return 2 - math.pi / 2
