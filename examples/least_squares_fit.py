"""Gauss-Newton on real data: a saturating curve through the progression of diabetes against the body-mass index."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes

import wengert as wg


def curve(p: dict[str, Any], x: Any) -> Any:
    """A logistic curve between two levels."""
    return p["low"] + (p["high"] - p["low"]) * wg.sigmoid(p["steepness"] * (x - p["middle"]))


def main() -> dict[str, float]:
    """Fit, with standard errors from the exact Jacobian; returns figures of the fit."""
    data, y = load_diabetes(return_X_y=True, scaled=False)
    x = (data[:, 2] - data[:, 2].mean()) / data[:, 2].std()

    def residuals(p: dict[str, Any]) -> Any:
        return curve(p, x) - y

    start = {"low": 100.0, "high": 250.0, "middle": 0.0, "steepness": 1.0}
    found = wg.optimize.least_squares(residuals, start, method="lm", xtol=1e-13, ftol=1e-13)
    # The Gauss-Newton matrix JᵀJ is the Fisher information of Gaussian noise: its inverse is the natural metric.
    spread = 2 * found.cost / (len(y) - len(start))
    errors = np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)) * spread)
    for (name, value), error in zip(sorted(found.x.items()), errors, strict=True):
        print(f"{name:10} {float(value):8.2f} ± {error:.2f}")
    straight = float(((np.polyval(np.polyfit(x, y, 1), x) - y) ** 2).sum() / 2)
    slope = float(np.abs(found.grad).max())
    print(f"{found.nfev} evaluations; cost {found.cost:.0f}, of a straight line {straight:.0f}; gradient {slope:.1e}")
    return {"cost": float(found.cost), "straight": straight, "gradient": slope, "evaluations": found.nfev}


if __name__ == "__main__":
    main()
