"""How parameters start, as in PyTorch: in place, on a tensor, from the eager random generator (``manual_seed``)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import wengert as wg
from wengert.core.errors import ShapeError
from wengert.core.tensor import Tensor


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """The number of inputs and outputs that one element of a weight (out, in, *kernel) connects."""
    if len(shape) < 2:
        raise ShapeError(f"fan in and fan out need a weight of at least two dimensions, not shape {shape}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _set(tensor: Tensor, value: Any) -> Tensor:
    tensor._value = np.asarray(value).astype(tensor.dtype)
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Uniform on [a, b)."""
    return _set(tensor, a + (b - a) * wg.rand(tensor.shape, dtype="float64").numpy())


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normal with the given mean and standard deviation."""
    return _set(tensor, mean + std * wg.randn(tensor.shape, dtype="float64").numpy())


def constant_(tensor: Tensor, value: float) -> Tensor:
    """One value everywhere."""
    return _set(tensor, np.full(tensor.shape, value))


def zeros_(tensor: Tensor) -> Tensor:
    """Zero everywhere."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """One everywhere."""
    return constant_(tensor, 1.0)


def kaiming_uniform_(tensor: Tensor, a: float = 0.0) -> Tensor:
    """Uniform with variance 2 / ((1 + a^2) fan_in): He et al., "Delving deep into rectifiers", ICCV 2015."""
    bound = math.sqrt(6.0 / ((1 + a * a) * max(1, fans(tensor.shape)[0])))
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(tensor: Tensor, a: float = 0.0) -> Tensor:
    """Normal with variance 2 / ((1 + a^2) fan_in)."""
    return normal_(tensor, 0.0, math.sqrt(2.0 / ((1 + a * a) * max(1, fans(tensor.shape)[0]))))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Uniform with variance 2 gain^2 / (fan_in + fan_out): Glorot and Bengio, AISTATS 2010."""
    bound = gain * math.sqrt(6.0 / sum(fans(tensor.shape)))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Normal with variance 2 gain^2 / (fan_in + fan_out)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor.shape))))
