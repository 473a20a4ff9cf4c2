"""Adversarial digits by the fast gradient sign method (Goodfellow, Shlens and Szegedy, ICLR 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import wengert as wg


def loss(p: Any, x: Any, targets: Any) -> Any:
    scores = x @ p[0] + p[1]
    return (wg.logsumexp(scores, axis=1) - (scores * targets).sum(axis=1)).mean()


def main() -> dict[str, float]:
    """Accuracy on clean test digits, under the sign of the gradient, and under random signs of the same size."""
    data, labels = load_digits(return_X_y=True)
    x, targets = data / 16, np.eye(10)[labels]
    fit = wg.optimize.minimize(
        lambda p: loss(p, x[:1300], targets[:1300]) + 1e-4 * (p[0] ** 2).sum(),
        (np.zeros((64, 10)), np.zeros(10)),
        options={"maxiter": 200},
    )
    p, test = fit.x, x[1300:]
    direction = np.sign(wg.grad(loss, 1)(p, wg.tensor(test), targets[1300:]).numpy())
    noise = np.random.default_rng(0).choice([-1.0, 1.0], test.shape)

    def accuracy(x: np.ndarray) -> float:
        return float(((x @ p[0].numpy() + p[1].numpy()).argmax(1) == labels[1300:]).mean())

    size = 0.15
    found = {
        "clean": accuracy(test),
        "random": accuracy(np.clip(test + size * noise, 0, 1)),
        "adversarial": accuracy(np.clip(test + size * direction, 0, 1)),
    }
    for name, value in found.items():
        print(f"{name:12} accuracy {value:.3f}" + ("" if name == "clean" else f" (each pixel moved by at most {size})"))
    return found


if __name__ == "__main__":
    main()
