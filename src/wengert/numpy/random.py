"""``numpy.random``'s names; what is drawn are tensors, and gradients flow to the parameters of distributions.

The functions draw from the same generator as ``wengert.randn`` (``seed`` is ``wengert.manual_seed``), and
``default_rng(seed)`` makes a generator of one's own. The numbers are not NumPy's for the same seed. Under ``vmap`` and
in graphs use ``wengert.random``, whose functions take a key.

>>> from wengert.numpy import random
>>> rng = random.default_rng(0)
>>> rng.normal(size=(2, 3)).shape, rng.integers(5).shape
((2, 3), ())
"""

from __future__ import annotations

import os
from typing import Any

import numpy as _numpy

from wengert import random as _keyed
from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor as _as_tensor
from wengert.core.tensor import Tensor
from wengert.ops.random_ import Generator as _Source
from wengert.ops.random_ import default_generator as _default


class Generator:
    """``numpy.random.Generator``'s methods on a counter-based generator.

    ``size`` is the shape of the result; without it the shape is that of the parameters.
    """

    def __init__(self, source: Any) -> None:
        self._source = source

    def _shaped(self, name: str, size: Any, *parameters: Any, dtype: Any = None, **options: Any) -> Tensor:
        """A draw of ``wengert.random`` with the next key."""
        drawn: Tensor = getattr(_keyed, name)(self._source.next_key(), *parameters, shape=size, dtype=dtype, **options)
        return drawn

    # -- uniform and normal -------------------------------------------------------------------------------------

    def random(self, size: Any = None, dtype: Any = None) -> Tensor:
        """Uniform numbers on [0, 1)."""
        return self._shaped("uniform", () if size is None else size, dtype=dtype)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Tensor:
        """Uniform numbers on [low, high)."""
        return self._shaped("uniform", size, minval=low, maxval=high)

    def standard_normal(self, size: Any = None, dtype: Any = None) -> Tensor:
        """Normal numbers with mean 0 and standard deviation 1."""
        return self._shaped("normal", () if size is None else size, dtype=dtype)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Tensor:
        """Normal numbers."""
        return self._shaped("normal", size, loc=loc, scale=scale)

    def lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Tensor:
        """Numbers whose logarithm is normal."""
        return self._shaped("lognormal", size, loc=mean, scale=sigma)

    def multivariate_normal(self, mean: Any, cov: Any, size: Any = None) -> Tensor:
        """Normal vectors."""
        return self._shaped("multivariate_normal", () if size is None else size, mean, cov)

    # -- other continuous distributions -------------------------------------------------------------------------

    def standard_exponential(self, size: Any = None, dtype: Any = None) -> Tensor:
        """Exponential numbers with mean 1."""
        return self._shaped("exponential", () if size is None else size, dtype=dtype)

    def exponential(self, scale: Any = 1.0, size: Any = None) -> Tensor:
        """Exponential numbers with mean ``scale``."""
        return self._shaped("exponential", size, scale=scale)

    def standard_gamma(self, shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
        """Gamma numbers with scale 1."""
        return self._shaped("gamma", size, shape, dtype=dtype)

    def gamma(self, shape: Any, scale: Any = 1.0, size: Any = None) -> Tensor:
        """Gamma numbers."""
        return self._shaped("gamma", size, shape, scale=scale)

    def chisquare(self, df: Any, size: Any = None) -> Tensor:
        """Chi-squared numbers."""
        return self._shaped("chisquare", size, df)

    def standard_t(self, df: Any, size: Any = None) -> Tensor:
        """Student's t numbers."""
        return self._shaped("t", size, df)

    def beta(self, a: Any, b: Any, size: Any = None) -> Tensor:
        """Beta numbers."""
        return self._shaped("beta", size, a, b)

    def dirichlet(self, alpha: Any, size: Any = None) -> Tensor:
        """Points of the simplex."""
        return self._shaped("dirichlet", () if size is None else size, alpha)

    def laplace(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Tensor:
        """Laplace numbers."""
        return self._shaped("laplace", size, loc=loc, scale=scale)

    def logistic(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Tensor:
        """Logistic numbers."""
        return self._shaped("logistic", size, loc=loc, scale=scale)

    def gumbel(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Tensor:
        """Gumbel numbers."""
        return self._shaped("gumbel", size, loc=loc, scale=scale)

    def standard_cauchy(self, size: Any = None) -> Tensor:
        """Cauchy numbers."""
        return self._shaped("cauchy", () if size is None else size)

    def rayleigh(self, scale: Any = 1.0, size: Any = None) -> Tensor:
        """Rayleigh numbers."""
        return self._shaped("rayleigh", size, scale=scale)

    def weibull(self, a: Any, size: Any = None) -> Tensor:
        """Weibull numbers with scale 1."""
        return self._shaped("weibull", size, a)

    def pareto(self, a: Any, size: Any = None) -> Tensor:
        """Lomax numbers: NumPy's ``pareto`` starts at 0."""
        shifted: Tensor = self._shaped("pareto", size, a) - 1
        return shifted

    # -- integers and choices -----------------------------------------------------------------------------------

    def integers(
        self, low: int, high: int | None = None, size: Any = None, dtype: Any = "int64", endpoint: bool = False
    ) -> Tensor:
        """Uniform integers from ``low`` (0 if only one limit is given) up to ``high``, included if ``endpoint``."""
        low, high = (0, low) if high is None else (low, high)
        return self._shaped("randint", () if size is None else size, minval=low, maxval=high + endpoint, dtype=dtype)

    def poisson(self, lam: Any = 1.0, size: Any = None) -> Tensor:
        """Poisson numbers."""
        return self._shaped("poisson", size, lam, dtype="int64")

    def binomial(self, n: int, p: Any, size: Any = None) -> Tensor:
        """Binomial numbers."""
        return self._shaped("binomial", size, n, p, dtype="int64")

    def geometric(self, p: Any, size: Any = None) -> Tensor:
        """Numbers of trials up to the first success."""
        return self._shaped("geometric", size, p, dtype="int64")

    def multinomial(self, n: int, pvals: Any, size: Any = None) -> Tensor:
        """How often each outcome comes among ``n`` trials."""
        return self._shaped("multinomial", () if size is None else size, n, pvals, dtype="int64")

    def choice(self, a: Any, size: Any = None, replace: bool = True, p: Any = None) -> Tensor:
        """Elements of ``a``, or integers below it."""
        return _keyed.choice(self._source.next_key(), a, () if size is None else size, replace, p)

    def permutation(self, x: Any, axis: int = 0) -> Tensor:
        """The integers below ``x``, or the slices of an array, in random order."""
        return _keyed.permutation(self._source.next_key(), x, axis)

    def shuffle(self, x: Any, axis: int = 0) -> None:
        """Put the slices of a tensor into random order, in place."""
        if not isinstance(x, Tensor):
            raise ShapeError(f"shuffle works in place on tensors, not on a {type(x).__name__}; use permutation(x)")
        x[...] = self.permutation(x, axis)

    def bytes(self, length: int) -> bytes:
        """Random bytes."""
        words = self.integers(0, 256, (length,), "uint8")
        return _numpy.asarray(words).tobytes()

    # -- names of the functions that NumPy had before its generators ---------------------------------------------

    def rand(self, *shape: int) -> Tensor:
        """Uniform numbers on [0, 1), of a shape given as separate numbers."""
        return self.random(shape)

    def randn(self, *shape: int) -> Tensor:
        """Standard normal numbers, of a shape given as separate numbers."""
        return self.standard_normal(shape)

    def randint(self, low: int, high: int | None = None, size: Any = None, dtype: Any = "int64") -> Tensor:
        """Uniform integers from ``low`` up to but not including ``high``."""
        return self.integers(low, high, size, dtype)

    random_sample = ranf = sample = random

    def seed(self, seed: Any = None) -> None:
        """Start over from a seed; from the system's randomness if there is none."""
        self._source.manual_seed(int.from_bytes(os.urandom(16)) if seed is None else seed)

    def get_state(self) -> Tensor:
        """The state of the generator."""
        state: Tensor = self._source.get_state()
        return state

    def set_state(self, state: Any) -> None:
        """Go back to a state of the generator."""
        self._source.set_state(_as_tensor(state))


def default_rng(seed: Any = None) -> Generator:
    """A generator of its own, with NumPy's methods; from the system's randomness if there is no seed.

    >>> from wengert.numpy import random
    >>> bool((random.default_rng(3).random(4) == random.default_rng(3).random(4)).all())
    True
    """
    made = Generator(_Source())
    if seed is not None:
        made.seed(seed)
    return made


_global = Generator(_default)

_NAMES = tuple(name for name in dir(Generator) if not name.startswith("_") and name != "integers")
__all__ = ["Generator", "default_rng", *_NAMES]
globals().update({name: getattr(_global, name) for name in _NAMES})
