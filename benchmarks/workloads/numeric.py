"""Functions of science, finance and geometry."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads.base import Workload


def rosenbrock(xp: Any, x: Any) -> Any:
    return xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def black_scholes(xp: Any, spot: Any, volatility: Any, rate: Any, expiry: Any, strike: Any) -> Any:
    """Prices of calls, summed, so that the gradient holds each option's delta, vega, rho and (minus) theta."""
    deviation = volatility * xp.sqrt(expiry)
    d1 = (xp.log(spot / strike) + (rate + 0.5 * volatility * volatility) * expiry) / deviation
    d2 = d1 - deviation
    return xp.sum(spot * _normal(xp, d1) - strike * xp.exp(-rate * expiry) * _normal(xp, d2))


def _normal(xp: Any, x: Any) -> Any:
    return 0.5 * (1.0 + xp.erf(x * 0.7071067811865476))


def bodies(xp: Any, x: Any) -> Any:
    """Energy of softened gravitation between all pairs; the gradient holds the forces."""
    d = x[:, None, :] - x[None, :, :]
    return xp.sum(1.0 / xp.sqrt(xp.sum(d * d, axis=-1) + 0.01))


def arm(xp: Any, angles: Any) -> Any:
    """Position and heading of a planar arm's hand."""
    first = angles[0]
    second = first + angles[1]
    third = second + angles[2]
    x = 1.0 * xp.cos(first) + 0.8 * xp.cos(second) + 0.5 * xp.cos(third)
    y = 1.0 * xp.sin(first) + 0.8 * xp.sin(second) + 0.5 * xp.sin(third)
    return xp.stack([x, y, third])


def reprojection(xp: Any, p: Any) -> Any:
    """Where a camera (rotation vector, centre, focal length, principal point, two radial terms) sees a point.

    The first 11 entries are the camera's, the last 3 the point's [Srajer, Kukelova, Fitzgibbon, "A benchmark of
    selected algorithmic differentiation tools on some problems in computer vision and machine learning", 2018].
    """
    r0, r1, r2 = p[0], p[1], p[2]
    x0, x1, x2 = p[11] - p[3], p[12] - p[4], p[13] - p[5]
    square = r0 * r0 + r1 * r1 + r2 * r2
    angle = xp.sqrt(square)
    cos, sin = xp.cos(angle), xp.sin(angle) / angle
    along = (r0 * x0 + r1 * x1 + r2 * x2) * (1.0 - cos) / square
    y0 = x0 * cos + (r1 * x2 - r2 * x1) * sin + r0 * along
    y1 = x1 * cos + (r2 * x0 - r0 * x2) * sin + r1 * along
    y2 = x2 * cos + (r0 * x1 - r1 * x0) * sin + r2 * along
    u, v = y0 / y2, y1 / y2
    radius = u * u + v * v
    radial = 1.0 + p[9] * radius + p[10] * radius * radius
    return xp.stack([p[6] * u * radial + p[7], p[6] * v * radial + p[8]])


def _options(rng: np.random.Generator) -> list[np.ndarray]:
    n = 10_000
    return [
        rng.uniform(80.0, 120.0, n), rng.uniform(0.1, 0.5, n), rng.uniform(0.0, 0.05, n), rng.uniform(0.1, 2.0, n),
        rng.uniform(80.0, 120.0, n),
    ]  # fmt: skip


def _observations(rng: np.random.Generator) -> list[np.ndarray]:
    n = 500
    camera = np.concatenate(
        [rng.uniform(0.1, 0.5, (n, 3)), rng.uniform(-0.2, 0.2, (n, 3)), rng.uniform(0.9, 1.1, (n, 1)),
         rng.uniform(-0.1, 0.1, (n, 2)), rng.uniform(-0.01, 0.01, (n, 2))], axis=1)  # fmt: skip
    return [np.concatenate([camera, rng.uniform(-1.0, 1.0, (n, 2)), rng.uniform(4.0, 6.0, (n, 1))], axis=1)]


def workloads() -> list[Workload]:
    return [
        Workload("rosenbrock", "Rosenbrock, n = 1,000", rosenbrock, lambda rng: [rng.standard_normal(1000)],
                 target=0.5, first_call_ms=60.0),
        Workload("black-scholes", "Black-Scholes, 10,000 calls and Greeks", black_scholes, _options, (0, 1, 2, 3),
                 target=0.5, first_call_ms=60.0),
        Workload("n-body", "N-body energy and forces, n = 64", bodies, lambda rng: [rng.standard_normal((64, 3))],
                 target=0.5),
        Workload("arm", "jacobian of a 3-link arm", arm, lambda rng: [rng.standard_normal(3)], kind="jacobian"),
        Workload("bundle", "reprojection jacobians, 500 observations", reprojection, _observations, kind="jacobians"),
    ]  # fmt: skip
