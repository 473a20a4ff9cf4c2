"""Chains of elementwise functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads.base import Workload


def chain(xp: Any, a: Any, x: Any) -> Any:
    return xp.sum(xp.tanh(a * x + 1.0) * xp.exp(-x * x) + xp.sin(x))


def saxpy(xp: Any, a: Any, x: Any) -> Any:
    """Little arithmetic for each byte: memory's speed decides."""
    residual = a * x - 1.0
    return xp.sum(residual * residual)


def _chain(n: int) -> Workload:
    def arguments(rng: np.random.Generator) -> list[np.ndarray]:
        return [rng.standard_normal(n), rng.standard_normal(n)]

    few = n <= 10_000
    return Workload(
        f"chain-{n}", f"elementwise chain, n = {n:,}", chain, arguments, (0, 1),
        target=0.5 if few else 1.0, first_call_ms=60.0,
    )  # fmt: skip


def workloads() -> list[Workload]:
    n = 4_000_000
    return [
        *(_chain(n) for n in (10, 100, 1_000, 10_000, 100_000, 1_000_000)),
        Workload(
            "bandwidth", "elementwise squares, n = 4,000,000", saxpy,
            lambda rng: [rng.standard_normal(n), rng.standard_normal(n)], (0, 1),
            first_call_ms=60.0, floor="memory", touched=4 * 8.0 * n,
        ),
    ]  # fmt: skip
