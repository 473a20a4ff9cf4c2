"""A Hamiltonian system: the equations of motion are the gradient of the energy. The leapfrog method keeps it over
20,000 steps, as one native loop."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert as wg


def energy(q: Any, p: Any) -> Any:
    """Two planets around a sun, in the plane: masses 1, 0.001 and 0.0005."""
    masses = np.array([0.001, 0.0005])
    kinetic = ((p**2).sum(axis=1) / masses).sum() / 2
    to_sun = wg.sqrt((q**2).sum(axis=1))
    between = wg.sqrt(((q[0] - q[1]) ** 2).sum())
    return kinetic - (masses / to_sun).sum() - masses[0] * masses[1] / between


def main(steps: int = 20_000) -> tuple[float, float]:
    """The relative change of the energy, and of the angular momentum."""
    forces, speeds = wg.grad(energy, 0), wg.grad(energy, 1)
    dt = 0.01

    def leapfrog(state: Any, _: Any) -> Any:
        q, p = state
        p = p - dt / 2 * forces(q, p)
        q = q + dt * speeds(q, p)
        return (q, p - dt / 2 * forces(q, p)), None

    q0 = wg.tensor([[1.0, 0.0], [0.0, 1.6]])
    p0 = wg.tensor([[0.0, 0.001], [-0.0005 * 0.8, 0.0]])
    q, p = wg.jit(lambda q, p: wg.scan(leapfrog, (q, p), length=steps)[0])(q0, p0)
    before, after = energy(q0, p0).item(), energy(q, p).item()

    def momentum(q: Any, p: Any) -> float:
        return (q[:, 0] * p[:, 1] - q[:, 1] * p[:, 0]).sum().item()

    drift = abs(after / before - 1), abs(momentum(q, p) / momentum(q0, p0) - 1)
    print(f"after {steps:,} steps the energy has changed by {drift[0]:.1e}, the angular momentum by {drift[1]:.1e}")
    return drift


if __name__ == "__main__":
    main()
