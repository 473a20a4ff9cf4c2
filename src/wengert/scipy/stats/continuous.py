"""Distributions on the real line, on intervals and on the circle, in standard form. Formulas follow N. L. Johnson,
S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions", 1994."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from wengert.ops.activation import log_sigmoid
from wengert.ops.cumulative_distributions import ndtri_exp, stdtr, stdtrit
from wengert.ops.incomplete import betainc, betaincinv
from wengert.ops.special import (
    betaln,
    expit,
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
from wengert.scipy.stats.positive import above, finite_from

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
_EULER = float(np.euler_gamma)


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
        safe = above(df, 2.0)
        return np.where(df > 1, finite_from(df, 2, safe / (safe - 2)), np.nan)


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
