"""Random numbers from keys: functional, so that they can be replayed and mapped over.

A key is a tensor of two 64-bit numbers. The same key always gives the same numbers; ``split`` makes new ones.

>>> import wengert as wg
>>> key = wg.random.key(0)
>>> (wg.random.normal(key, (3,)) == wg.random.normal(key, (3,))).all()
tensor(True)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.tensor import Tensor, wrap
from wengert.core.types import get_default_dtype
from wengert.ops import random_
from wengert.ops.random_ import manual_seed as manual_seed


def key(seed: int) -> Tensor:
    """A key from an integer."""
    return wrap(np.asarray(random_.key_words(seed), np.uint64))


def split(key: Any, num: int = 2) -> Tensor:
    """New keys, of shape (num, 2)."""
    return apply(random_.SplitKey(int(num)), key)


def fold_in(key: Any, data: Any) -> Tensor:
    """A new key from a key and an integer."""
    return apply(random_.FoldIn(), key, np.asarray(data))


def _shape(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)


def _dtype(dtype: Any) -> str:
    return np.dtype(get_default_dtype() if dtype is None else dtype).name


def uniform(key: Any, shape: Any = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0) -> Tensor:
    """Uniform on [minval, maxval); differentiable in both."""
    draw: Tensor = apply(random_.RandomUniform(_shape(shape), _dtype(dtype)), key)
    return draw if minval == 0.0 and maxval == 1.0 else minval + (maxval - minval) * draw


def normal(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Standard normal."""
    return apply(random_.RandomNormal(_shape(shape), _dtype(dtype)), key)


def exponential(key: Any, shape: Any = (), dtype: Any = None) -> Tensor:
    """Exponential with rate one."""
    return apply(random_.RandomExponential(_shape(shape), _dtype(dtype)), key)


def randint(key: Any, shape: Any, minval: int, maxval: int, dtype: Any = "int64") -> Tensor:
    """Uniform integers in [minval, maxval)."""
    return apply(random_.RandomIntegers(_shape(shape), np.dtype(dtype).name, int(minval), int(maxval)), key)


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None) -> Tensor:
    """True with probability p. Has no gradient."""
    shape = np.shape(p) if shape is None else _shape(shape)
    return uniform(key, shape, "float64") < p


def permutation(key: Any, n: int) -> Tensor:
    """A permutation of 0, ..., n - 1."""
    return apply(random_.RandomPermutation((int(n),), "int64"), key)
