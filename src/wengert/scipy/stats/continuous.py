"""Continuous distributions, in standard form. Formulas follow N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous
Univariate Distributions", 1994."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from wengert.ops.activation import log_sigmoid
from wengert.ops.cumulative_distributions import ndtri_exp, stdtr, stdtrit
from wengert.ops.incomplete import betainc, betaincinv, gammainc, gammaincc, gammainccinv, gammaincinv
from wengert.ops.special import (
    betaln,
    erf,
    expit,
    gamma,
    gammaln,
    i0e,
    i1e,
    log_ndtr,
    logit,
    ndtr,
    ndtri,
    xlog1py,
    xlogy,
)
from wengert.scipy.stats.base import Continuous

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
_EULER = float(np.euler_gamma)
POSITIVE = (0.0, np.inf)


def _finite_from(parameter: Any, least: float, value: Any, otherwise: float = np.inf) -> Any:
    """A moment that exists for parameters above a bound."""
    return np.where(parameter > least, value, otherwise)


def _above(parameter: Any, least: float) -> Any:
    """The parameter where it is above a bound, so that a formula beside ``_finite_from`` cannot divide by zero."""
    return np.where(parameter > least, parameter, least + 1.0)


class Norm(Continuous):
    """Normal."""

    def _logpdf(self, y: Any) -> Any:
        return -0.5 * y * y - _HALF_LOG_TWO_PI

    def _cdf(self, y: Any) -> Any:
        return ndtr(y)

    def _sf(self, y: Any) -> Any:
        return ndtr(-y)

    def _logcdf(self, y: Any) -> Any:
        return log_ndtr(y)

    def _logsf(self, y: Any) -> Any:
        return log_ndtr(-y)

    def _ppf(self, q: Any) -> Any:
        return ndtri(q)

    def _isf(self, q: Any) -> Any:
        return -ndtri(q)

    def _mean(self) -> Any:
        return 0.0

    def _var(self) -> Any:
        return 1.0


class T(Continuous):
    """Student's t with ``df`` degrees of freedom."""

    shapes = ("df",)

    def _logpdf(self, y: Any, df: Any) -> Any:
        head = gammaln(0.5 * df + 0.5) - gammaln(0.5 * df) - 0.5 * np.log(df * math.pi)
        return head - 0.5 * (df + 1) * np.log1p(y * y / df)

    def _cdf(self, y: Any, df: Any) -> Any:
        return stdtr(df, y)

    def _sf(self, y: Any, df: Any) -> Any:
        return stdtr(df, -y)

    def _ppf(self, q: Any, df: Any) -> Any:
        return stdtrit(df, q)

    def _isf(self, q: Any, df: Any) -> Any:
        return -stdtrit(df, q)

    def _mean(self, df: Any) -> Any:
        return np.where(df > 1, 0.0, np.inf)

    def _var(self, df: Any) -> Any:
        safe = _above(df, 2.0)
        return np.where(df > 1, _finite_from(df, 2, safe / (safe - 2)), np.nan)


class Beta(Continuous):
    """Beta with shapes ``a`` and ``b``."""

    shapes = ("a", "b")
    support = (0.0, 1.0)

    def _logpdf(self, y: Any, a: Any, b: Any) -> Any:
        return xlogy(a - 1, y) + xlog1py(b - 1, -y) - betaln(a, b)

    def _cdf(self, y: Any, a: Any, b: Any) -> Any:
        return betainc(a, b, y)

    def _sf(self, y: Any, a: Any, b: Any) -> Any:
        return betainc(b, a, 1 - y)

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        return betaincinv(a, b, q)

    def _isf(self, q: Any, a: Any, b: Any) -> Any:
        return 1 - betaincinv(b, a, q)

    def _mean(self, a: Any, b: Any) -> Any:
        return a / (a + b)

    def _var(self, a: Any, b: Any) -> Any:
        return a * b / ((a + b) ** 2 * (a + b + 1))


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
        return _finite_from(a, 1, 1 / (_above(a, 1.0) - 1))

    def _var(self, a: Any) -> Any:
        safe = _above(a, 2.0)
        return _finite_from(a, 2, 1 / ((safe - 1) ** 2 * (safe - 2)))


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
        safe = _above(dfd, 2.0)
        return _finite_from(dfd, 2, safe / (safe - 2)) + 0 * dfn

    def _var(self, dfn: Any, dfd: Any) -> Any:
        safe = _above(dfd, 4.0)
        return _finite_from(dfd, 4, 2 * safe**2 * (dfn + safe - 2) / (dfn * (safe - 2) ** 2 * (safe - 4)))


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


class Uniform(Continuous):
    """Uniform from ``loc`` to ``loc + scale``."""

    support = (0.0, 1.0)

    def _logpdf(self, y: Any) -> Any:
        return 0 * y

    def _cdf(self, y: Any) -> Any:
        return y

    def _logsf(self, y: Any) -> Any:
        return np.log1p(-y)

    def _ppf(self, q: Any) -> Any:
        return q

    def _mean(self) -> Any:
        return 0.5

    def _var(self) -> Any:
        return 1 / 12


class Laplace(Continuous):
    """Laplace, exponential on both sides."""

    def _logpdf(self, y: Any) -> Any:
        return -np.abs(y) - math.log(2)

    def _cdf(self, y: Any) -> Any:
        tail = 0.5 * np.exp(-np.abs(y))
        return np.where(y > 0, 1 - tail, tail)

    def _sf(self, y: Any) -> Any:
        return self._cdf(-y)

    def _logcdf(self, y: Any) -> Any:
        return np.where(y > 0, np.log1p(-0.5 * np.exp(-np.abs(y))), y - math.log(2))

    def _logsf(self, y: Any) -> Any:
        return self._logcdf(-y)

    def _ppf(self, q: Any) -> Any:
        upper = q > 0.5
        size = np.log(2 * np.where(upper, 1 - q, q))
        return np.where(upper, -size, size)

    def _isf(self, q: Any) -> Any:
        return -self._ppf(q)

    def _mean(self) -> Any:
        return 0.0

    def _var(self) -> Any:
        return 2.0


class Logistic(Continuous):
    """Logistic."""

    def _logpdf(self, y: Any) -> Any:
        return log_sigmoid(y) + log_sigmoid(-y)

    def _cdf(self, y: Any) -> Any:
        return expit(y)

    def _sf(self, y: Any) -> Any:
        return expit(-y)

    def _logcdf(self, y: Any) -> Any:
        return log_sigmoid(y)

    def _logsf(self, y: Any) -> Any:
        return log_sigmoid(-y)

    def _ppf(self, q: Any) -> Any:
        return logit(q)

    def _isf(self, q: Any) -> Any:
        return -logit(q)

    def _mean(self) -> Any:
        return 0.0

    def _var(self) -> Any:
        return math.pi**2 / 3


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


class Cauchy(Continuous):
    """Cauchy."""

    def _logpdf(self, y: Any) -> Any:
        return -math.log(math.pi) - np.log1p(y * y)

    def _cdf(self, y: Any) -> Any:
        return np.arctan2(1.0, -y) / math.pi

    def _sf(self, y: Any) -> Any:
        return np.arctan2(1.0, y) / math.pi

    def _ppf(self, q: Any) -> Any:
        return np.tan(math.pi * (q - 0.5))

    def _isf(self, q: Any) -> Any:
        return -self._ppf(q)

    def _mean(self) -> Any:
        return np.nan

    def _var(self) -> Any:
        return np.nan


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


class GumbelR(Continuous):
    """Gumbel, of greatest values."""

    def _logpdf(self, y: Any) -> Any:
        return -y - np.exp(-y)

    def _cdf(self, y: Any) -> Any:
        return np.exp(-np.exp(-y))

    def _sf(self, y: Any) -> Any:
        return -np.expm1(-np.exp(-y))

    def _logcdf(self, y: Any) -> Any:
        return -np.exp(-y)

    def _ppf(self, q: Any) -> Any:
        return -np.log(-np.log(q))

    def _isf(self, q: Any) -> Any:
        return -np.log(-np.log1p(-q))

    def _mean(self) -> Any:
        return _EULER

    def _var(self) -> Any:
        return math.pi**2 / 6


class GumbelL(Continuous):
    """Gumbel, of least values: the mirror image of ``gumbel_r``."""

    def _logpdf(self, y: Any) -> Any:
        return y - np.exp(y)

    def _cdf(self, y: Any) -> Any:
        return -np.expm1(-np.exp(y))

    def _sf(self, y: Any) -> Any:
        return np.exp(-np.exp(y))

    def _logsf(self, y: Any) -> Any:
        return -np.exp(y)

    def _ppf(self, q: Any) -> Any:
        return np.log(-np.log1p(-q))

    def _isf(self, q: Any) -> Any:
        return np.log(-np.log(q))

    def _mean(self) -> Any:
        return -_EULER

    def _var(self) -> Any:
        return math.pi**2 / 6


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
        safe = _above(b, 1.0)
        return _finite_from(b, 1, safe / (safe - 1))

    def _var(self, b: Any) -> Any:
        safe = _above(b, 2.0)
        return _finite_from(b, 2, safe / ((safe - 1) ** 2 * (safe - 2)))


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


def _log_mass(low: Any, high: Any) -> Any:
    """The logarithm of the normal probability of an interval, from the tail that it is nearer to."""
    mirrored = low > 0
    start, end = np.where(mirrored, -high, low), np.where(mirrored, -low, high)
    whole = log_ndtr(end)
    return whole + np.log(-np.expm1(log_ndtr(start) - whole))


class TruncNorm(Continuous):
    """Normal, between ``a`` and ``b`` (in standard form)."""

    shapes = ("a", "b")

    def limits(self, *shapes: Any) -> tuple[Any, Any]:
        return shapes[0], shapes[1]

    def allowed(self, *shapes: Any) -> Any:
        return shapes[0] < shapes[1]

    def interior(self, *shapes: Any) -> Any:
        return 0.5 * (np.clip(shapes[0], -30.0, None) + np.clip(shapes[1], None, 30.0))

    def _logpdf(self, y: Any, a: Any, b: Any) -> Any:
        return -0.5 * y * y - _HALF_LOG_TWO_PI - _log_mass(a, b)

    def _cdf(self, y: Any, a: Any, b: Any) -> Any:
        return np.exp(self._logcdf(y, a, b))

    def _sf(self, y: Any, a: Any, b: Any) -> Any:
        return np.exp(self._logsf(y, a, b))

    def _logcdf(self, y: Any, a: Any, b: Any) -> Any:
        return _log_mass(a, y) - _log_mass(a, b)

    def _logsf(self, y: Any, a: Any, b: Any) -> Any:
        return _log_mass(y, b) - _log_mass(a, b)

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        mirrored = a > 0
        start = np.where(mirrored, -b, a)
        share = np.log(np.where(mirrored, 1 - q, q))
        found = ndtri_exp(np.logaddexp(log_ndtr(start), share + _log_mass(a, b)))
        return np.where(mirrored, -found, found)


class VonMises(Continuous):
    """Von Mises on the circle, with concentration ``kappa``; the distribution function has no formula."""

    shapes: ClassVar[tuple[str, ...]] = ("kappa",)

    def allowed(self, *shapes: Any) -> Any:
        return shapes[0] >= 0

    def _logpdf(self, y: Any, kappa: Any) -> Any:
        return kappa * (np.cos(y) - 1) - 2 * _HALF_LOG_TWO_PI - np.log(i0e(kappa))

    def _mean(self, kappa: Any) -> Any:
        return 0.0 * kappa

    def resultant(self, kappa: Any) -> Any:
        """The length of the mean direction, I1(kappa) / I0(kappa)."""
        return i1e(kappa) / i0e(kappa)
