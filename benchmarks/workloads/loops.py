"""Long loops over small states."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads.base import Workload


def _runge_kutta(xp: Any, slope: Any, state: Any, step: float) -> Any:
    k1 = slope(state)
    k2 = slope(state + 0.5 * step * k1)
    k3 = slope(state + 0.5 * step * k2)
    k4 = slope(state + step * k3)
    return state + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def lorenz(xp: Any, state: Any, p: Any) -> Any:
    def slope(s: Any) -> Any:
        return xp.stack([p[0] * (s[1] - s[0]), s[0] * (p[1] - s[2]) - s[1], s[0] * s[1] - p[2] * s[2]])

    last, _ = xp.scan(lambda s, _: (_runge_kutta(xp, slope, s, 0.001), None), state, None, length=1000)
    return xp.sum(last)


def van_der_pol(xp: Any, state: Any, mu: Any) -> Any:
    def slope(s: Any) -> Any:
        return xp.stack([s[1], mu * (1.0 - s[0] * s[0]) * s[1] - s[0]])

    last, _ = xp.scan(lambda s, _: (_runge_kutta(xp, slope, s, 0.005), None), state, None, length=1000)
    return xp.sum(last * last)


def kalman(xp: Any, a: Any, q: Any, h: Any, ys: Any) -> Any:
    """Log-likelihood of a linear Gaussian model with 4 states and one observation a step."""

    def step(carry: Any, y: Any) -> Any:
        m, p = carry
        m = a @ m
        p = a @ p @ a.T + q
        ph = p @ h
        s = xp.sum(h * ph) + 0.1
        r = y - xp.sum(h * m)
        gain = ph / s
        return (m + gain * r, p - gain[:, None] * ph[None, :]), -0.5 * (xp.log(s) + r * r / s)

    _, terms = xp.scan(step, (0.0 * h, 0.0 * a + q), ys)
    return xp.sum(terms)


def carries(xp: Any, x: Any, xs: Any) -> Any:
    def step(carry: Any, v: Any) -> Any:
        return tuple(xp.sin(c) * 0.9 + v * 0.1 for c in carry), None

    last, _ = xp.scan(step, tuple(x[k] for k in range(60)), xs)
    return xp.sum(xp.stack(last))


def _model(rng: np.random.Generator) -> list[np.ndarray]:
    return [
        np.eye(4) * 0.9 + 0.02 * rng.standard_normal((4, 4)), np.eye(4) * 0.1, rng.standard_normal(4),
        rng.standard_normal(500),
    ]  # fmt: skip


def workloads() -> list[Workload]:
    return [
        Workload("lorenz", "RK4 of Lorenz, 1,000 steps", lorenz,
                 lambda rng: [np.ones(3), np.array([10.0, 28.0, 8 / 3])], (0, 1), target=0.5, long_loop=True),
        Workload("van-der-pol", "RK4 of van der Pol, 1,000 steps", van_der_pol,
                 lambda rng: [np.array([2.0, 0.0]), np.array(1.5)], (0, 1), target=0.5, long_loop=True),
        Workload("kalman", "Kalman log-likelihood, 4 states, 500 steps", kalman, _model, (0, 1, 2), target=0.5,
                 long_loop=True),
        Workload("carries", "scan, 60 scalar carries, 600 steps", carries,
                 lambda rng: [rng.standard_normal(60), rng.standard_normal(600)], target=0.5, long_loop=True),
    ]  # fmt: skip
