"""What the distributions of ``wengert.scipy.stats`` have in common: parameters, support, location and scale."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wengert import random as _random
from wengert.core.errors import DTypeError, UnsupportedFunctionError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor
from wengert.core.types import get_default_dtype
from wengert.ops.random_ import default_generator


def as_floats(*values: Any) -> list[Any]:
    """Tensors with a floating dtype; Python numbers take the dtype of what they meet."""
    given = [x if type(x) in (int, float, bool) else as_tensor(x) for x in values]
    kinds = [x.dtype for x in given if hasattr(x, "dtype") and x.dtype.kind == "f"]
    dtype = np.result_type(*kinds) if kinds else get_default_dtype()
    return [as_tensor(np.asarray(x, dtype)) if not hasattr(x, "dtype") else x.astype(dtype, copy=False) for x in given]


def between(y: Any, low: Any, high: Any, closed: bool) -> Any:
    """Whether numbers are in the support."""
    return (y >= low) & (y <= high) if closed else (y > low) & (y < high)


class Distribution:
    """A family of distributions: called with parameters it is one of them; every method takes them too."""

    #: The names of the parameters besides ``loc`` (and ``scale``).
    shapes: ClassVar[tuple[str, ...]] = ()
    #: What the parameters are when they are not given.
    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        self.parameters("", args, kwargs)
        return Frozen(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<wengert.scipy.stats.{self.name}({', '.join((*self.shapes, *self.defaults))})>"

    def parameters(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The parameters in order; raises ``DTypeError`` for a wrong number of them or an unknown name."""
        names = (*self.shapes, *self.defaults)
        given = dict(zip(names, args, strict=False))
        if len(args) > len(names) or given.keys() & kwargs.keys() or not kwargs.keys() <= set(names):
            raise self._mistaken(method)
        given |= kwargs
        if any(name not in given for name in self.shapes):
            raise self._mistaken(method)
        return [given.get(name, self.defaults.get(name)) for name in names]

    def _mistaken(self, method: str) -> DTypeError:
        listed = ", ".join((*self.shapes, *(f"{name}={value}" for name, value in self.defaults.items())))
        return DTypeError(f"{self.name}{'.' if method else ''}{method} takes the parameters ({listed})")

    def lacks(self, method: str) -> UnsupportedFunctionError:
        """The error for what has no exact formula here."""
        return UnsupportedFunctionError(
            f"{self.name}.{method} has no exact, differentiable formula here; if no gradient is needed, "
            f"use scipy.stats.{self.name}.{method} on x.detach().numpy()"
        )


def _log_share(share: Any, rest: Any) -> Any:
    """log(share), from the rest where the share is nearly all."""
    most = share > 0.5
    with np.errstate(divide="ignore"):
        return np.where(most, np.log1p(-np.where(most, rest, 0.0)), np.log(np.where(most, 1.0, share)))


class Univariate(Distribution):
    """A distribution of numbers. Subclasses give formulas in standard form, without location and scale."""

    #: The support in standard form; ``limits`` where it depends on the parameters.
    support: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    #: A number inside the support, which stands for those outside, so that no derivative there can be NaN.
    inside: ClassVar[float] = 0.5

    def limits(self, *shapes: Any) -> tuple[Any, Any]:
        """The ends of the support in standard form."""
        return self.support

    def allowed(self, *shapes: Any) -> Any:
        """Whether the parameters are; all positive unless a distribution says otherwise."""
        return np.logical_and.reduce([one > 0 for one in shapes]) if shapes else True

    def interior(self, *shapes: Any) -> Any:
        """A number inside the support."""
        return self.inside

    def formula(self, name: str, y: Any, *shapes: Any) -> Any:
        """One of the formulas; parameters that are not allowed give what they give, without a warning."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return getattr(self, name)(y, *shapes)

    def _cdf(self, y: Any, *shapes: Any) -> Any:
        raise self.lacks("cdf")

    def _sf(self, y: Any, *shapes: Any) -> Any:
        return 1 - self._cdf(y, *shapes)

    def _logcdf(self, y: Any, *shapes: Any) -> Any:
        return _log_share(self._cdf(y, *shapes), self._sf(y, *shapes))

    def _logsf(self, y: Any, *shapes: Any) -> Any:
        return _log_share(self._sf(y, *shapes), self._cdf(y, *shapes))

    def _mean(self, *shapes: Any) -> Any:
        raise self.lacks("mean")

    def _var(self, *shapes: Any) -> Any:
        raise self.lacks("var")


def _uniform(size: Any, random_state: Any, shape: tuple[int, ...], dtype: Any) -> Tensor:
    """Uniform numbers from a key, from a generator of ``wengert.numpy.random``, or from the eager generator."""
    size = shape if size is None else size
    if random_state is None:
        return _random.uniform(default_generator.next_key(), size, dtype)
    if hasattr(random_state, "random"):
        drawn: Tensor = random_state.random(size, dtype)
        return drawn
    return _random.uniform(random_state, size, dtype)


class Continuous(Univariate):
    """A distribution with a density. ``loc`` moves and ``scale`` stretches it, as in SciPy.

    Where a parameter is not allowed, results are NaN. Everything is differentiable in the number and in all parameters.
    """

    defaults: ClassVar[dict[str, Any]] = {"loc": 0, "scale": 1}
    #: Whether the density has a value at the ends of the support.
    closed: ClassVar[bool] = True

    def _logpdf(self, y: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _ppf(self, q: Any, *shapes: Any) -> Any:
        raise self.lacks("ppf")

    def _isf(self, q: Any, *shapes: Any) -> Any:
        return self._ppf(1 - q, *shapes)

    def _standard(self, method: str, x: Any, args: Any, kwargs: Any) -> tuple[Any, list[Any], Any, Any, Any]:
        x, *shapes, loc, scale = as_floats(x, *self.parameters(method, args, kwargs))
        return x, shapes, loc, scale, (scale > 0) & self.allowed(*shapes)

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density."""
        return np.exp(self.logpdf(x, *args, **kwargs))

    def logpdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the density; -inf outside of the support."""
        x, shapes, loc, scale, valid = self._standard("logpdf", x, args, kwargs)
        y = (x - loc) / scale
        inside = between(y, *self.limits(*shapes), self.closed)
        found = self.formula("_logpdf", np.where(inside, y, self.interior(*shapes)), *shapes) - np.log(
            np.where(valid, scale, 1)
        )
        return np.where(valid & (y == y), np.where(inside, found, -np.inf), np.nan)

    def _cumulative(self, method: str, below: float, above: float, x: Any, args: Any, kwargs: Any) -> Any:
        x, shapes, loc, scale, valid = self._standard(method, x, args, kwargs)
        y = (x - loc) / scale
        low, high = self.limits(*shapes)
        inside = between(y, low, high, closed=False)
        found = self.formula(f"_{method}", np.where(inside, y, self.interior(*shapes)), *shapes)
        ends = np.where(y <= low, below, np.where(y >= high, above, np.nan))
        return np.where(valid, np.where(inside, found, ends), np.nan)

    def cdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The distribution function."""
        return self._cumulative("cdf", 0.0, 1.0, x, args, kwargs)

    def sf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """1 - cdf, with its digits in the upper tail."""
        return self._cumulative("sf", 1.0, 0.0, x, args, kwargs)

    def logcdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the distribution function."""
        return self._cumulative("logcdf", -np.inf, 0.0, x, args, kwargs)

    def logsf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of ``sf``."""
        return self._cumulative("logsf", 0.0, -np.inf, x, args, kwargs)

    def _quantile(self, method: str, q: Any, args: Any, kwargs: Any) -> Any:
        q, shapes, loc, scale, valid = self._standard(method, q, args, kwargs)
        low, high = self.limits(*shapes)
        if method == "isf":
            low, high = high, low
        inside = between(q, 0, 1, closed=False)
        found = self.formula(f"_{method}", np.where(inside, q, 0.5), *shapes)
        y = np.where(inside, found, np.where(q == 0, low, np.where(q == 1, high, np.nan)))
        return np.where(valid, loc + scale * y, np.nan)

    def ppf(self, q: Any, *args: Any, **kwargs: Any) -> Any:
        """The quantiles: the inverse of ``cdf``."""
        return self._quantile("ppf", q, args, kwargs)

    def isf(self, q: Any, *args: Any, **kwargs: Any) -> Any:
        """The inverse of ``sf``."""
        return self._quantile("isf", q, args, kwargs)

    def median(self, *args: Any, **kwargs: Any) -> Any:
        """The number that half of the probability lies below."""
        return self.ppf(0.5, *args, **kwargs)

    def interval(self, confidence: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """The interval around the median with the given probability."""
        rest = (1 - as_tensor(confidence)) / 2
        return self.ppf(rest, *args, **kwargs), self.isf(rest, *args, **kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """The mean."""
        _, shapes, loc, scale, valid = self._standard("mean", 0.0, args, kwargs)
        return np.where(valid, loc + scale * self._mean(*shapes), np.nan)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """The variance."""
        _, shapes, _, scale, valid = self._standard("var", 0.0, args, kwargs)
        return np.where(valid, scale * scale * self._var(*shapes), np.nan)

    def std(self, *args: Any, **kwargs: Any) -> Any:
        """The standard deviation."""
        return np.sqrt(self.var(*args, **kwargs))

    def rvs(self, *args: Any, size: Any = None, random_state: Any = None, **kwargs: Any) -> Any:
        """Random numbers, the quantiles of uniform ones; gradients flow to the parameters.

        ``random_state`` is a key of ``wengert.random`` or a generator of ``wengert.numpy.random``; without it the eager
        generator is used. Without ``size`` the shape is that of the parameters (SciPy's default is one number).
        """
        given = as_floats(*self.parameters("rvs", args, kwargs))
        u = _uniform(size, random_state, np.broadcast_shapes(*(x.shape for x in given)), given[0].dtype)
        return self.ppf(u, *given)


class Discrete(Univariate):
    """A distribution of integers. ``loc`` moves it, as in SciPy. Differentiable in the parameters."""

    defaults: ClassVar[dict[str, Any]] = {"loc": 0}
    inside: ClassVar[float] = 1.0

    def _logpmf(self, k: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _standard(self, method: str, k: Any, args: Any, kwargs: Any) -> tuple[Any, list[Any], Any]:
        k, *shapes, loc = as_floats(k, *self.parameters(method, args, kwargs))
        return k - loc, shapes, self.allowed(*shapes)

    def pmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of an integer."""
        return np.exp(self.logpmf(k, *args, **kwargs))

    def logpmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability; -inf for what is no integer of the support."""
        y, shapes, valid = self._standard("logpmf", k, args, kwargs)
        inside = between(y, *self.limits(*shapes), closed=True) & (np.floor(y) == y)
        found = self.formula("_logpmf", np.where(inside, y, self.interior(*shapes)), *shapes)
        return np.where(valid & (y == y), np.where(inside, found, -np.inf), np.nan)

    def _cumulative(self, method: str, below: float, above: float, k: Any, args: Any, kwargs: Any) -> Any:
        y, shapes, valid = self._standard(method, k, args, kwargs)
        low, high = self.limits(*shapes)
        inside = (y >= low) & (y < high)
        found = self.formula(f"_{method}", np.floor(np.where(inside, y, self.interior(*shapes))), *shapes)
        ends = np.where(y < low, below, np.where(y >= high, above, np.nan))
        return np.where(valid, np.where(inside, found, ends), np.nan)

    def cdf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of at most ``k``."""
        return self._cumulative("cdf", 0.0, 1.0, k, args, kwargs)

    def sf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The probability of more than ``k``."""
        return self._cumulative("sf", 1.0, 0.0, k, args, kwargs)

    def logcdf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of at most ``k``."""
        return self._cumulative("logcdf", -np.inf, 0.0, k, args, kwargs)

    def logsf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of more than ``k``."""
        return self._cumulative("logsf", 0.0, -np.inf, k, args, kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """The mean."""
        *shapes, loc = as_floats(*self.parameters("mean", args, kwargs))
        return np.where(self.allowed(*shapes), loc + self._mean(*shapes), np.nan)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """The variance."""
        *shapes, _ = as_floats(*self.parameters("var", args, kwargs))
        return np.where(self.allowed(*shapes), self._var(*shapes), np.nan)

    def std(self, *args: Any, **kwargs: Any) -> Any:
        """The standard deviation."""
        return np.sqrt(self.var(*args, **kwargs))


class Frozen:
    """A distribution with its parameters: the methods of the family, without the parameters among their arguments."""

    def __init__(self, family: Distribution, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.dist, self.args, self.kwds = family, args, kwargs

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.dist, name)
        if name in ("mean", "var", "std", "median", "entropy", "cov", "rvs"):
            return lambda **options: method(*self.args, **self.kwds, **options)
        return lambda x: method(x, *self.args, **self.kwds)

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwds.items())]
        return f"<wengert.scipy.stats.{self.dist.name}({', '.join(given)})>"
