"""Second derivatives: the Hessian of x^3 at 2 is 12, and Newton's method, which doubles the number of right digits."""

from __future__ import annotations

import numpy as np

import wengert as wg


def rosenbrock(x: wg.Tensor) -> wg.Tensor:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def newton(start: list[float], steps: int = 8) -> list[float]:
    """Newton's method on Rosenbrock's valley; the distances from its minimum (1, 1)."""
    gradient, curvature = wg.grad(rosenbrock), wg.hessian(rosenbrock)
    x = wg.tensor(start)
    distances = [float(wg.linalg.norm(x - 1))]
    for _ in range(steps):
        x = x - wg.linalg.solve(curvature(x), gradient(x))
        distances.append(float(wg.linalg.norm(x - 1)))
    return distances


def main() -> tuple[float, list[float]]:
    """Print and return the Hessian of x^3 at 2, and Newton's distances."""
    second = float(wg.hessian(lambda x: x**3)(wg.tensor(2.0)))
    print(f"d²/dx² x³ at 2 = {second}; grad of grad says {float(wg.grad(wg.grad(lambda x: x**3))(2.0))}")
    third = wg.grad(wg.grad(wg.grad(lambda x: x**3)))
    print(f"d³/dx³ x³ at 2 = {float(third(2.0))}")
    print("Hessian of Rosenbrock's function at (1, 1):\n", wg.hessian(rosenbrock)(wg.ones(2)).numpy())
    distances = newton([-1.2, 1.0])
    for step, distance in enumerate(distances):
        print(f"Newton step {step}: {distance:.2e} from the minimum")
    assert np.isfinite(distances).all()
    return second, distances


if __name__ == "__main__":
    main()
