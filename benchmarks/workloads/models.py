"""Statistical models, to the second order."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads.base import Workload


def mixture(xp: Any, logits: Any, means: Any, scales: Any, x: Any) -> Any:
    """Negative log-likelihood of a Gaussian mixture with diagonal covariances."""
    z = (x[:, None, :] - means[None]) * xp.exp(-scales)[None]
    each = logits - 0.5 * xp.sum(z * z, axis=-1) - xp.sum(scales, axis=-1)
    top = xp.max(each, axis=1, keepdims=True)
    return -xp.sum(xp.log(xp.sum(xp.exp(each - top), axis=1)) + top[:, 0])


def logistic(xp: Any, w: Any, x: Any, y: Any, *direction: Any) -> Any:
    return xp.mean(xp.log1p(xp.exp(-y * (x @ w)))) + 0.01 * xp.sum(w * w)


def _points(rng: np.random.Generator) -> list[np.ndarray]:
    return [
        rng.standard_normal(25), rng.standard_normal((25, 10)), 0.1 * rng.standard_normal((25, 10)),
        rng.standard_normal((1000, 10)),
    ]  # fmt: skip


def _patients(rng: np.random.Generator) -> list[np.ndarray]:
    return [0.1 * rng.standard_normal(30), rng.standard_normal((569, 30)), np.sign(rng.standard_normal(569))]


def workloads() -> list[Workload]:
    return [
        Workload("mixture", "Gaussian mixture, d = 10, K = 25, N = 1,000", mixture, _points, (0, 1, 2)),
        Workload("logistic", "logistic regression, 569 x 30", logistic, _patients),
        Workload("logistic-hvp", "Hessian-vector product of it", logistic,
                 lambda rng: [*_patients(rng), rng.standard_normal(30)], kind="hvp"),
        Workload("logistic-hessian", "full Hessian of it", logistic, _patients, kind="hessian"),
    ]  # fmt: skip
