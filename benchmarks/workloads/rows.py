"""Reductions, and the functions of rows that neural networks are full of."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads.base import Workload


def reduction(axis: int) -> Any:
    """A weighted norm along one axis."""

    def program(xp: Any, x: Any, w: Any) -> Any:
        return xp.sum(xp.sqrt(xp.sum(x * x, axis=axis) + 1.0) * w)

    return program


def log_softmax(xp: Any, x: Any, t: Any) -> Any:
    shifted = x - xp.max(x, axis=1, keepdims=True)
    return -xp.sum(t * (shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))))


def softmax(xp: Any, x: Any, t: Any) -> Any:
    e = xp.exp(x - xp.max(x, axis=1, keepdims=True))
    return xp.sum(t * (e / xp.sum(e, axis=1, keepdims=True)))


def log_sum_exp(xp: Any, x: Any) -> Any:
    top = xp.max(x, axis=1, keepdims=True)
    return xp.sum(xp.log(xp.sum(xp.exp(x - top), axis=1)) + top[:, 0])


def layer_norm(xp: Any, x: Any, g: Any, b: Any) -> Any:
    centred = x - xp.mean(x, axis=1, keepdims=True)
    variance = xp.mean(centred * centred, axis=1, keepdims=True)
    return xp.sum(xp.sin(centred / xp.sqrt(variance + 1e-5) * g + b))


def _cube(axis: int) -> Workload:
    shape = (64, 48, 80)
    rest = tuple(n for k, n in enumerate(shape) if k != axis)
    return Workload(
        f"reduce-{axis}", f"norms along axis {axis} of 64 x 48 x 80", reduction(axis),
        lambda rng: [rng.standard_normal(shape), rng.standard_normal(rest)], target=0.5, first_call_ms=60.0,
    )  # fmt: skip


def workloads() -> list[Workload]:
    def rows(rng: np.random.Generator) -> list[np.ndarray]:
        return [rng.standard_normal((256, 100)), rng.standard_normal((256, 100))]

    return [
        *(_cube(axis) for axis in range(3)),
        Workload("softmax", "softmax, rows of 256 x 100", softmax, rows, target=0.5, first_call_ms=60.0),
        Workload("log-softmax", "log-softmax, rows of 256 x 100", log_softmax, rows, target=0.5, first_call_ms=60.0),
        Workload("logsumexp", "log-sum-exp, rows of 256 x 100", log_sum_exp, lambda rng: rows(rng)[:1],
                 target=0.5, first_call_ms=60.0),
        Workload("layer-norm", "layer norm, 128 x 256", layer_norm,
                 lambda rng: [rng.standard_normal((128, 256)), rng.standard_normal(256), rng.standard_normal(256)],
                 (0, 1, 2), target=0.5, first_call_ms=60.0),
    ]  # fmt: skip
