"""Distributions of vectors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor
from wengert.ops.linalg import cholesky
from wengert.ops.solving import solve_triangular
from wengert.ops.special import digamma, gammaln, xlogy
from wengert.scipy.stats.base import Distribution, as_floats


def _dispersion(given: Any, n: int, name: str) -> Any:
    """A matrix from itself, from its diagonal or from one number."""
    given = as_tensor(given)
    if given.ndim == 0:
        return given * np.eye(n, dtype=given.dtype)
    if given.ndim == 1:
        given = given[:, None] * np.eye(given.shape[0], dtype=given.dtype)
    if given.shape != (n, n):
        raise ShapeError(f"{name}: a matrix of shape {(n, n)} is needed, not {given.shape}")
    return given


def _dimension(centre: Any, matrix: Any) -> int:
    """The length of the vectors, 1 for numbers, as SciPy finds it."""
    shape = np.shape(matrix) if centre is None else np.shape(centre)
    return int(shape[0]) if shape else 1


def _whitened(x: Any, centre: Any, matrix: Any, name: str) -> tuple[Any, Any, int]:
    """Squared lengths of the vectors in units of the matrix, the logarithm of its determinant, and the dimension.

    Raises ``LinearAlgebraError`` unless it is positive definite.
    """
    n = _dimension(centre, matrix)
    x, centre, matrix = as_floats(x, 0.0 if centre is None else centre, matrix)
    if x.ndim == 0 or (n == 1 and x.shape[-1] != 1):
        x = x[..., None]
    if x.shape[-1] != n:
        raise ShapeError(f"{name}: vectors of {n} elements are needed, not shape {x.shape}")
    factor = cholesky(_dispersion(matrix, n, name))
    difference = x - centre
    flat = np.swapaxes(difference.reshape((-1, n)), 0, 1)
    squares = np.sum(np.square(solve_triangular(factor, flat, lower=True)), axis=0).reshape(difference.shape[:-1])
    return squares, 2 * np.sum(np.log(np.diagonal(factor))), n


class MultivariateNormal(Distribution):
    """Normal vectors, along the last axis; ``cov`` may be a matrix, its diagonal or one number."""

    defaults: ClassVar[dict[str, Any]] = {"mean": None, "cov": 1}

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density."""
        return np.exp(self.logpdf(x, *args, **kwargs))

    def logpdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the density; ``LinearAlgebraError`` unless ``cov`` is positive definite."""
        mean, cov = self.parameters("logpdf", args, kwargs)
        squares, logdet, n = _whitened(x, mean, cov, self.name)
        return -0.5 * (squares + logdet + n * math.log(2 * math.pi))

    def entropy(self, *args: Any, **kwargs: Any) -> Any:
        """The differential entropy."""
        mean, cov = self.parameters("entropy", args, kwargs)
        _, logdet, n = _whitened(np.zeros(_dimension(mean, cov)), mean, cov, self.name)
        return 0.5 * (logdet + n * (1 + math.log(2 * math.pi)))

    def cdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Not offered."""
        raise self.lacks("cdf")


class MultivariateT(Distribution):
    """Student's t vectors, along the last axis, with scale matrix ``shape`` and ``df`` degrees of freedom."""

    defaults: ClassVar[dict[str, Any]] = {"loc": None, "shape": 1, "df": 1}

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density."""
        return np.exp(self.logpdf(x, *args, **kwargs))

    def logpdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the density."""
        loc, shape, df = self.parameters("logpdf", args, kwargs)
        squares, logdet, n = _whitened(x, loc, shape, self.name)
        (df,) = as_floats(df)
        head = gammaln(0.5 * (df + n)) - gammaln(0.5 * df) - 0.5 * n * np.log(df * math.pi) - 0.5 * logdet
        return head - 0.5 * (df + n) * np.log1p(squares / df)


class Dirichlet(Distribution):
    """Points of the simplex. As in SciPy, they lie along the first axis, with or without their last coordinate."""

    shapes = ("alpha",)

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density."""
        return np.exp(self.logpdf(x, *args, **kwargs))

    def logpdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the density."""
        x, alpha = as_floats(x, *self.parameters("logpdf", args, kwargs))
        if alpha.ndim != 1 or x.shape[0] not in (alpha.shape[0] - 1, alpha.shape[0]):
            raise ShapeError(f"dirichlet: points of shape {x.shape} do not fit alpha of shape {alpha.shape}")
        if x.shape[0] < alpha.shape[0]:
            x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)], axis=0)
        powers = (alpha - 1).reshape((-1,) + (1,) * (x.ndim - 1))
        return np.sum(xlogy(powers, x), axis=0) + gammaln(np.sum(alpha)) - np.sum(gammaln(alpha))

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """The mean."""
        (alpha,) = as_floats(*self.parameters("mean", args, kwargs))
        return alpha / np.sum(alpha)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """The variances of the coordinates."""
        (alpha,) = as_floats(*self.parameters("var", args, kwargs))
        total = np.sum(alpha)
        return alpha * (total - alpha) / (total * total * (total + 1))

    def entropy(self, *args: Any, **kwargs: Any) -> Any:
        """The differential entropy."""
        (alpha,) = as_floats(*self.parameters("entropy", args, kwargs))
        total = np.sum(alpha)
        head = np.sum(gammaln(alpha)) - gammaln(total)
        return head + (total - alpha.shape[0]) * digamma(total) - np.sum((alpha - 1) * digamma(alpha))


class Multinomial(Distribution):
    """How often each outcome comes among ``n`` trials, along the last axis."""

    shapes = ("n", "p")

    def pmf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability."""
        return np.exp(self.logpmf(x, *args, **kwargs))

    def logpmf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability; -inf unless ``x`` are counts that add up to ``n``."""
        x, n, p = as_floats(x, *self.parameters("logpmf", args, kwargs))
        possible = np.all((x >= 0) & (np.floor(x) == x), axis=-1) & (np.sum(x, axis=-1) == n)
        counts = np.where(possible[..., None], x, 0.0)
        found = gammaln(n + 1) + np.sum(xlogy(counts, p) - gammaln(counts + 1), axis=-1)
        return np.where(possible, found, -np.inf)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """The mean."""
        n, p = as_floats(*self.parameters("mean", args, kwargs))
        return n[..., None] * p

    def cov(self, *args: Any, **kwargs: Any) -> Any:
        """The covariance matrix."""
        n, p = as_floats(*self.parameters("cov", args, kwargs))
        own = p[..., :, None] * np.eye(p.shape[-1], dtype=p.dtype)
        return n[..., None, None] * (own - p[..., :, None] * p[..., None, :])
