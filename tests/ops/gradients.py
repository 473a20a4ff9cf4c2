"""Gradients of a sum, for tests that compare them with numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core import backward as autograd
from wengert.core.tensor import Tensor


def gradients(function: Callable[..., Any], *operands: Any) -> list[np.ndarray]:
    """The gradients of ``sum(function(*operands))`` with respect to each operand; float lists become tensors."""
    leaves = [Tensor(np.asarray(x), requires_grad=True) for x in operands]
    with np.errstate(all="ignore"):
        out = function(*leaves)
        seed = Tensor(np.ones(out.shape, out.dtype))
        found = autograd.grad([out], leaves, [seed], materialize_grads=True)
    return [g._value for g in found if g is not None]


def gradient(function: Callable[..., Any], x: Any) -> np.ndarray:
    """The gradient of ``sum(function(x))``."""
    (found,) = gradients(function, x)
    return found
