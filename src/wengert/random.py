"""Random numbers from explicit keys.

A function here is pure: the same key gives the same numbers, whatever ran before, in any thread and inside any
transform. A key is used once; ``split`` makes new ones from it, and ``fold_in`` one for each number of a loop.

>>> import wengert as wg
>>> from wengert import random
>>> first, second = random.split(random.key(0))
>>> random.normal(first, (2,)).shape, bool((random.normal(first, (2,)) == random.normal(first, (2,))).all())
((2,), True)
>>> wg.vmap(lambda key: random.uniform(key, (3,)))(random.split(second, 4)).shape
(4, 3)

Keys are uint64 tensors of shape (2,). Parameters of distributions may be tensors, broadcast against the shape, and
where the distribution is a smooth image of a fixed one (location, scale, limits) gradients flow to them: the
reparameterisation of D. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.core.apply import apply, as_operand
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor, wrap
from wengert.core.types import Shape
from wengert.ops.creation import shape_from
from wengert.ops.draws import RandomBinomial, RandomGamma, RandomLogGamma, RandomPoisson
from wengert.ops.random_ import (
    FoldIn,
    RandomExponential,
    RandomIntegers,
    RandomNormal,
    RandomPermutation,
    RandomUniform,
    SplitKey,
    common_dtype,
    floating,
    integer_draw,
    key_words,
    limits,
)
from wengert.ops.random_ import Generator as Generator
from wengert.ops.random_ import get_rng_state as get_rng_state
from wengert.ops.random_ import manual_seed as manual_seed
from wengert.ops.random_ import set_rng_state as set_rng_state
from wengert.ops.softmax import softmax
from wengert.ops.special import expit, ndtr, ndtri


def key(seed: int) -> Tensor:
    """A key from a seed, any Python integer (its 128 lowest bits count).

    >>> key(7)
    tensor([0, 7], dtype=uint64)
    """
    return wrap(key_words(seed))


def split(key: Any, num: int = 2) -> Tensor:
    """``num`` independent keys, as a tensor of shape (num, 2)."""
    if num < 0:
        raise ShapeError(f"split: the number of keys must not be negative, and is {num}")
    return apply(SplitKey(int(num)), key)


def fold_in(key: Any, data: Any) -> Tensor:
    """A new key from a key and an integer: that of a step in a loop, say. A tensor of integers gives as many keys."""
    return apply(FoldIn(), key, data)


def _shape(shape: Any, name: str, *parameters: Any) -> Shape:
    """The shape asked for, or the one that the parameters broadcast to."""
    own = np.broadcast_shapes(*(getattr(x, "shape", ()) for x in parameters))
    if shape is None:
        return own
    found = shape_from((shape,), name)
    try:
        fits = np.broadcast_shapes(own, found) == found
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{name}: parameters of shape {own} do not broadcast to the shape {found}")
    return found


def _drawn(
    kind: Any, name: str, key: Any, shape: Any, dtype: Any, *parameters: Any, complex_too: bool = False
) -> tuple[Any, ...]:
    """Standard numbers of a distribution, and its parameters as operands."""
    operands = [as_operand(x, name) for x in parameters]
    chosen = floating(dtype if dtype is not None else common_dtype(*operands), name, complex_too)
    return apply(kind(_shape(shape, name, *operands), chosen), key), *operands


def uniform(key: Any, shape: Any = None, dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0) -> Tensor:
    """Uniform numbers on [minval, maxval)."""
    u, low, high = _drawn(RandomUniform, "uniform", key, shape, dtype, minval, maxval)
    return low + (high - low) * u


def normal(key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
    """Normal numbers with mean ``loc`` and standard deviation ``scale``.

    Complex ones have variance ``scale**2`` in all, half of it in each part.

    >>> import wengert as wg
    >>> scale = wg.tensor(2.0, requires_grad=True)
    >>> x = normal(key(0), (4,), scale=scale); x.sum().backward()
    >>> bool(abs(scale.grad - x.detach().sum() / 2) < 1e-12)
    True
    """
    z, mean, deviation = _drawn(RandomNormal, "normal", key, shape, dtype, loc, scale, complex_too=True)
    return mean + deviation * z


def truncated_normal(key: Any, lower: Any = -2.0, upper: Any = 2.0, shape: Any = None, dtype: Any = None) -> Tensor:
    """Standard normal numbers between ``lower`` and ``upper``, by the inverse of the distribution function."""
    u, low, high = _drawn(RandomUniform, "truncated_normal", key, shape, dtype, lower, upper)
    # In the upper half the distribution function has lost its digits to the 1: what is drawn there is the mirror image.
    upper_half = np.greater(low, 0)
    start = ndtr(as_tensor(np.where(upper_half, np.negative(high), low)))
    end = ndtr(as_tensor(np.where(upper_half, np.negative(low), high)))
    drawn: Any = ndtri(start + (end - start) * u)
    drawn = np.where(upper_half, -drawn, drawn)
    # Rounding may step over a limit.
    within: Any = np.minimum(np.maximum(drawn, low), high)
    return within.astype(u.dtype)


def exponential(key: Any, shape: Any = None, dtype: Any = None, scale: Any = 1.0) -> Tensor:
    """Exponential numbers with mean ``scale``."""
    z, mean = _drawn(RandomExponential, "exponential", key, shape, dtype, scale)
    return mean * z


def _log(z: Any) -> Any:
    """The logarithm of standard exponential numbers, which may be zero in single precision."""
    return np.log(np.maximum(z, np.finfo(z.dtype).tiny))


def gumbel(key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
    """Gumbel numbers, ``loc - scale * log(E)`` with a standard exponential E."""
    z, mode, width = _drawn(RandomExponential, "gumbel", key, shape, dtype, loc, scale)
    return mode - width * _log(z)


def laplace(key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
    """Laplace numbers: the difference of two exponential ones."""
    first, second = split(key)
    z, mean, width = _drawn(RandomExponential, "laplace", first, shape, dtype, loc, scale)
    return mean + width * (z - exponential(second, z.shape, z.dtype))


def logistic(key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
    """Logistic numbers: the difference of two Gumbel ones."""
    first, second = split(key)
    z, mean, width = _drawn(RandomExponential, "logistic", first, shape, dtype, loc, scale)
    return mean + width * (_log(z) - _log(exponential(second, z.shape, z.dtype)))


def lognormal(key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
    """Numbers whose logarithm is normal with mean ``loc`` and standard deviation ``scale``."""
    drawn: Any = np.exp(normal(key, shape, dtype, loc, scale))
    return drawn


def weibull(key: Any, a: Any, shape: Any = None, dtype: Any = None, scale: Any = 1.0) -> Tensor:
    """Weibull numbers, ``scale * E**(1 / a)`` with a standard exponential E."""
    z, power, width = _drawn(RandomExponential, "weibull", key, shape, dtype, a, scale)
    return width * np.exp(_log(z) / power)


def pareto(key: Any, b: Any, shape: Any = None, dtype: Any = None, scale: Any = 1.0) -> Tensor:
    """Pareto numbers, ``scale * exp(E / b)`` with a standard exponential E: at least ``scale``."""
    z, power, least = _drawn(RandomExponential, "pareto", key, shape, dtype, b, scale)
    return least * np.exp(z / power)


def rayleigh(key: Any, shape: Any = None, dtype: Any = None, scale: Any = 1.0) -> Tensor:
    """Rayleigh numbers, ``scale * sqrt(2 E)`` with a standard exponential E."""
    z, width = _drawn(RandomExponential, "rayleigh", key, shape, dtype, scale)
    return width * np.sqrt(2 * z)


def cauchy(key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0) -> Tensor:
    """Cauchy numbers, ``loc + scale * tan(pi (u - 1/2))``."""
    u, median, width = _drawn(RandomUniform, "cauchy", key, shape, dtype, loc, scale)
    return median + width * np.tan(math.pi * (u - 0.5))


def _gamma_draw(kind: Any, name: str, key: Any, a: Any, shape: Any, dtype: Any, *others: Any) -> Any:
    a = as_operand(a, name)
    chosen = floating(dtype if dtype is not None else common_dtype(a, *others), name)
    return apply(kind(_shape(shape, name, a, *others), chosen), key, a)


def gamma(key: Any, a: Any, shape: Any = None, dtype: Any = None, scale: Any = 1.0) -> Tensor:
    """Gamma numbers with shape parameter ``a`` and the given scale.

    Gradients flow to both, to ``a`` by implicit reparameterisation (M. Figurnov and others, 2018).
    """
    factor = as_operand(scale, "gamma")
    drawn: Tensor = _gamma_draw(RandomGamma, "gamma", key, a, shape, dtype, factor) * factor
    return drawn


def loggamma(key: Any, a: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Logarithms of gamma numbers with shape parameter ``a``, however small that is."""
    drawn: Tensor = _gamma_draw(RandomLogGamma, "loggamma", key, a, shape, dtype)
    return drawn


def chisquare(key: Any, df: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Chi-squared numbers: twice gamma numbers of shape ``df / 2``."""
    return gamma(key, as_operand(df, "chisquare") / 2, shape, dtype, scale=2.0)


def t(key: Any, df: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Student's t numbers: normal ones over the root of chi-squared ones divided by ``df``."""
    df = as_operand(df, "t")
    found = _shape(shape, "t", df)
    first, second = split(key)
    z = normal(first, found, dtype if dtype is not None else common_dtype(df))
    return z * np.sqrt(df / chisquare(second, df, found, z.dtype))


def poisson(key: Any, lam: Any, shape: Any = None, dtype: Any = "int64") -> Tensor:
    """Poisson numbers with mean ``lam``."""
    lam = as_operand(lam, "poisson")
    found, chosen = integer_draw("poisson", _shape(shape, "poisson", lam), dtype)
    return apply(RandomPoisson(found, chosen), key, lam)


def binomial(key: Any, n: int, p: Any, shape: Any = None, dtype: Any = "int64") -> Tensor:
    """Numbers of successes among ``n`` trials with probability ``p`` each. No gradient flows to ``p``."""
    p = as_operand(p, "binomial")
    if not hasattr(n, "__index__") or n.__index__() < 0:
        raise ShapeError(f"binomial: n must be an integer that is at least zero, not {n!r}")
    found, chosen = integer_draw("binomial", _shape(shape, "binomial", p), dtype)
    return apply(RandomBinomial(found, chosen, n.__index__()), key, p)


def geometric(key: Any, p: Any, shape: Any = None, dtype: Any = "int64") -> Tensor:
    """Numbers of trials up to the first success, whose probability is ``p``. No gradient flows to ``p``."""
    p = as_tensor(as_operand(p, "geometric")).detach()
    z = exponential(key, _shape(shape, "geometric", p), common_dtype(p))
    return np.maximum(np.ceil(z / -np.log1p(-p)), 1).astype(dtype)


def multinomial(key: Any, n: int, p: Any, shape: Any = (), dtype: Any = "int64") -> Tensor:
    """How often each of k outcomes comes among ``n`` trials: ``p`` (k,) and a shape (*) give (*, k)."""
    p = as_tensor(as_operand(p, "multinomial")).detach()
    if p.ndim != 1 or not hasattr(n, "__index__"):
        raise ShapeError(f"multinomial: expected an integer n and p of shape (k,), not {n!r} and shape {p.shape}")
    with np.errstate(divide="ignore"):
        drawn = categorical(key, np.log(p), shape=(*shape_from((shape,), "multinomial"), n.__index__()))
    return np.sum(drawn[..., None] == np.arange(p.shape[0]), axis=-2).astype(dtype)


def beta(key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None) -> Tensor:
    """Beta numbers, x / (x + y) with gamma numbers x and y of shapes ``a`` and ``b``; gradients flow to both."""
    a, b = as_operand(a, "beta"), as_operand(b, "beta")
    found = _shape(shape, "beta", a, b)
    chosen = dtype if dtype is not None else common_dtype(a, b)
    first, second = split(key)
    return expit(loggamma(first, a, found, chosen) - loggamma(second, b, found, chosen))


def dirichlet(key: Any, alpha: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Points of the simplex: ``alpha`` (..., k) and a shape (*) give (*, ..., k). Gradients flow to ``alpha``."""
    alpha = as_tensor(as_operand(alpha, "dirichlet"))
    return softmax(loggamma(key, alpha, (*shape_from((shape,), "dirichlet"), *alpha.shape), dtype), axis=-1)


def multivariate_normal(key: Any, mean: Any, cov: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Normal vectors: ``mean`` (n,), ``cov`` (n, n) and a shape (*) give (*, n); gradients flow to both."""
    mean, cov = as_tensor(as_operand(mean, "multivariate_normal")), as_tensor(as_operand(cov, "multivariate_normal"))
    if mean.ndim != 1 or cov.shape != mean.shape * 2:
        raise ShapeError(f"multivariate_normal: expected mean (n,) and cov (n, n), got {mean.shape} and {cov.shape}")
    chosen = dtype if dtype is not None else common_dtype(mean, cov)
    z = normal(key, (*shape_from((shape,), "multivariate_normal"), *mean.shape), chosen)
    return mean + np.matmul(z, np.swapaxes(np.linalg.cholesky(cov), 0, 1))


# -- integers and choices -------------------------------------------------------------------------------------------


def randint(key: Any, shape: Any, minval: int, maxval: int, dtype: Any = "int64") -> Tensor:
    """Uniform integers from ``minval`` up to but not including ``maxval``."""
    found, chosen = integer_draw("randint", shape, dtype)
    return apply(RandomIntegers(found, chosen, *limits("randint", minval, maxval, dtype)), key)


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None) -> Tensor:
    """True with probability ``p``. No gradient flows to ``p``."""
    p = as_operand(p, "bernoulli")
    u = apply(RandomUniform(_shape(shape, "bernoulli", p), floating(common_dtype(p), "bernoulli")), key)
    return u < p


def rademacher(key: Any, shape: Any = (), dtype: Any = "int64") -> Tensor:
    """-1 or 1, each with probability one half."""
    signs: Any = 2 * randint(key, shape, 0, 2) - 1
    return signs.astype(dtype)


def permutation(key: Any, x: Any, axis: int = 0) -> Tensor:
    """A random permutation of 0, ..., x - 1, or of the slices of a tensor along an axis."""
    if not hasattr(x, "shape") and hasattr(x, "__index__"):
        return apply(RandomPermutation(*integer_draw("permutation", x, "int64")), key)
    x = as_tensor(as_operand(x, "permutation"))
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"permutation: axis {axis} is out of range for {x.ndim} dimensions")
    shuffled: Any = np.take(x, permutation(key, x.shape[axis]), axis=axis)
    return shuffled


def choice(key: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None) -> Tensor:
    """Elements of ``a`` along its first axis, or of 0, ..., a - 1, with probabilities ``p`` (equal ones unless given).

    Without replacement and with ``p`` the elements are those with the greatest perturbed log-probabilities: W. Kool,
    H. van Hoof and M. Welling, "Stochastic beams and where to find them", ICML 2019. Raises ``ShapeError`` if more
    elements are asked for than there are.
    """
    pool = None if hasattr(a, "__index__") and not hasattr(a, "shape") else as_tensor(as_operand(a, "choice"))
    count = a.__index__() if pool is None else pool.shape[0]
    found = shape_from((shape,), "choice")
    size = math.prod(found)
    if p is not None and np.shape(p) != (count,):
        raise ShapeError(f"choice: p must have shape ({count},), not {np.shape(p)}")
    if count < 1 or (not replace and size > count):
        raise ShapeError(f"choice: cannot take {size} of {count} elements{'' if replace else ' without replacement'}")
    index: Any
    if p is None:
        index = randint(key, found, 0, count) if replace else permutation(key, count)[:size].reshape(found)
    else:
        with np.errstate(divide="ignore"):
            logits: Any = np.log(as_tensor(p).detach())
        if replace:
            index = categorical(key, logits, shape=found)
        else:
            scores: Any = logits + gumbel(key, (count,))
            index = np.argsort(-scores)[:size].reshape(found)
    return index if pool is None else np.take(pool, index, axis=0)


def categorical(key: Any, logits: Any, axis: int = -1, shape: Any = None) -> Tensor:
    """Indices along an axis, with probabilities proportional to exp(logits): the greatest of logits + Gumbel numbers.

    ``shape`` is that of the result, whose last axes are those of ``logits`` without ``axis``; by default just these.
    """
    logits = as_tensor(as_operand(logits, "categorical"))
    if logits.dtype.kind == "c" or not logits.ndim:
        raise DTypeError(f"categorical: logits need a real dtype and an axis, not {logits.dtype}{logits.shape}")
    logits = np.moveaxis(logits, axis, -1)
    found = _shape(shape, "categorical", logits[..., 0])
    noise = gumbel(key, (*found, logits.shape[-1]), logits.dtype if logits.dtype.kind == "f" else None)
    index: Any = np.argmax(logits + noise, axis=-1)
    return index
