"""Distributions of integers. Formulas follow N. L. Johnson, A. W. Kemp and S. Kotz, "Univariate Discrete
Distributions", 2005."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.incomplete import betainc, gammainc, gammaincc
from wengert.ops.special import betaln, gammaln, xlog1py, xlogy
from wengert.scipy.stats.base import Discrete


def _probability(p: Any) -> Any:
    return (p >= 0) & (p <= 1)


def _log_choose(n: Any, k: Any) -> Any:
    return -np.log1p(n) - betaln(n - k + 1, k + 1)


class Poisson(Discrete):
    """Poisson with mean ``mu``."""

    shapes = ("mu",)
    support = (0.0, np.inf)

    def allowed(self, *shapes: Any) -> Any:
        return shapes[0] >= 0

    def _logpmf(self, k: Any, mu: Any) -> Any:
        return xlogy(k, mu) - gammaln(k + 1) - mu

    def _cdf(self, k: Any, mu: Any) -> Any:
        return gammaincc(k + 1, mu)

    def _sf(self, k: Any, mu: Any) -> Any:
        return gammainc(k + 1, mu)

    def _mean(self, mu: Any) -> Any:
        return mu

    def _var(self, mu: Any) -> Any:
        return mu


class Binom(Discrete):
    """The number of successes among ``n`` trials with probability ``p``."""

    shapes = ("n", "p")
    inside = 0.0

    def limits(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, shapes[0]

    def allowed(self, *shapes: Any) -> Any:
        return (shapes[0] >= 0) & _probability(shapes[1])

    def _logpmf(self, k: Any, n: Any, p: Any) -> Any:
        return _log_choose(n, k) + xlogy(k, p) + xlog1py(n - k, -p)

    def _cdf(self, k: Any, n: Any, p: Any) -> Any:
        return betainc(n - k, k + 1, 1 - p)

    def _sf(self, k: Any, n: Any, p: Any) -> Any:
        return betainc(k + 1, n - k, p)

    def _mean(self, n: Any, p: Any) -> Any:
        return n * p

    def _var(self, n: Any, p: Any) -> Any:
        return n * p * (1 - p)


class Bernoulli(Discrete):
    """1 with probability ``p``, else 0."""

    shapes = ("p",)
    support = (0.0, 1.0)
    inside = 0.0

    def allowed(self, *shapes: Any) -> Any:
        return _probability(shapes[0])

    def _logpmf(self, k: Any, p: Any) -> Any:
        return xlogy(k, p) + xlog1py(1 - k, -p)

    def _cdf(self, k: Any, p: Any) -> Any:
        return 1 - p + 0 * k

    def _sf(self, k: Any, p: Any) -> Any:
        return p + 0 * k

    def _mean(self, p: Any) -> Any:
        return p

    def _var(self, p: Any) -> Any:
        return p * (1 - p)


class Geom(Discrete):
    """The number of trials up to the first success, whose probability is ``p``."""

    shapes = ("p",)
    support = (1.0, np.inf)

    def allowed(self, *shapes: Any) -> Any:
        return (shapes[0] > 0) & (shapes[0] <= 1)

    def _logpmf(self, k: Any, p: Any) -> Any:
        return xlog1py(k - 1, -p) + np.log(p)

    def _cdf(self, k: Any, p: Any) -> Any:
        return -np.expm1(k * np.log1p(-p))

    def _sf(self, k: Any, p: Any) -> Any:
        return np.exp(k * np.log1p(-p))

    def _logsf(self, k: Any, p: Any) -> Any:
        return k * np.log1p(-p)

    def _mean(self, p: Any) -> Any:
        return 1 / p

    def _var(self, p: Any) -> Any:
        return (1 - p) / (p * p)


class NBinom(Discrete):
    """The number of failures before the ``n``-th success, with probability ``p`` of success."""

    shapes = ("n", "p")
    support = (0.0, np.inf)

    def allowed(self, *shapes: Any) -> Any:
        return (shapes[0] > 0) & (shapes[1] > 0) & (shapes[1] <= 1)

    def _logpmf(self, k: Any, n: Any, p: Any) -> Any:
        return gammaln(k + n) - gammaln(k + 1) - gammaln(n) + xlogy(n, p) + xlog1py(k, -p)

    def _cdf(self, k: Any, n: Any, p: Any) -> Any:
        return betainc(n, k + 1, p)

    def _sf(self, k: Any, n: Any, p: Any) -> Any:
        return betainc(k + 1, n, 1 - p)

    def _mean(self, n: Any, p: Any) -> Any:
        return n * (1 - p) / p

    def _var(self, n: Any, p: Any) -> Any:
        return n * (1 - p) / (p * p)


class BetaBinom(Discrete):
    """Binomial among ``n`` trials, with a probability that is beta with shapes ``a`` and ``b``."""

    shapes = ("n", "a", "b")
    inside = 0.0

    def limits(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, shapes[0]

    def allowed(self, *shapes: Any) -> Any:
        return (shapes[0] >= 0) & (shapes[1] > 0) & (shapes[2] > 0)

    def _logpmf(self, k: Any, n: Any, a: Any, b: Any) -> Any:
        return _log_choose(n, k) + betaln(k + a, n - k + b) - betaln(a, b)

    def _mean(self, n: Any, a: Any, b: Any) -> Any:
        return n * a / (a + b)

    def _var(self, n: Any, a: Any, b: Any) -> Any:
        return n * a * b * (a + b + n) / ((a + b) ** 2 * (a + b + 1))
