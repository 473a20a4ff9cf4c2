"""Gradients' norms, and parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

import wengert as wg
from wengert.core.errors import AnomalyError, ShapeError
from wengert.core.tensor import Tensor, wrap


def _list(parameters: Any) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients so that their joint norm is at most ``max_norm``; returns the norm before.

    >>> import wengert as wg
    >>> x = wg.tensor([3.0, 4.0], requires_grad=True)
    >>> (x * x / 2).sum().backward()
    >>> wg.nn.utils.clip_grad_norm_(x, 1.0), [round(g, 4) for g in x.grad.tolist()]
    (tensor(5.), [0.6, 0.8])
    """
    tracked = [p for p in _list(parameters) if p.grad is not None]
    norms = np.asarray([np.linalg.norm(p.grad._value.ravel(), norm_type) for p in tracked])  # type: ignore[union-attr]
    total = float(np.linalg.norm(norms, norm_type)) if len(norms) else 0.0
    if error_if_nonfinite and not math.isfinite(total):
        raise AnomalyError(f"clip_grad_norm_: the norm of the gradients is {total}")
    factor = min(1.0, max_norm / (total + 1e-6))
    for p in tracked:
        g = p.grad._value  # type: ignore[union-attr]
        p.grad = wrap(np.asarray(g * g.dtype.type(factor)))
    return wrap(np.asarray(total))


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Bring every element of every gradient to between -``clip_value`` and ``clip_value``."""
    for p in _list(parameters):
        if p.grad is not None:
            p.grad = wrap(np.clip(p.grad._value, -clip_value, clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters in one vector, tied to them in the graph."""
    vector: Tensor = wg.concat([p.reshape((-1,)) for p in parameters])
    return vector


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Set parameters from one vector; raises ``ShapeError`` unless it has exactly their number of elements."""
    values, targets = np.asarray(vec._value if isinstance(vec, Tensor) else vec), list(parameters)
    if values.shape != (sum(p.size for p in targets),):
        raise ShapeError(f"vector_to_parameters: shape {values.shape} for {sum(p.size for p in targets)} elements")
    start = 0
    for p in targets:
        p._value = values[start : start + p.size].reshape(p.shape).astype(p.dtype)
        start += p.size
