"""A network whose weights are -1, 0 or 1: rounding has no useful derivative, so the backward pass goes straight through
it (Y. Bengio et al., "Estimating or propagating gradients through stochastic neurons", 2013)."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import wengert as wg

ternary = wg.straight_through(lambda w: wg.round(wg.clip(w, -1.0, 1.0)))


def model(w: Any, x: Any) -> Any:
    h = wg.relu(x @ ternary(w["first"]) * 0.1 + w["shift"])
    return h @ ternary(w["second"]) * w["scale"]


def main(steps: int = 300) -> tuple[float, set[float]]:
    """Accuracy on the test digits, and the values that the weights take."""
    digits = load_digits()
    x, y = digits.data / 16.0, np.eye(10)[digits.target]
    rng = np.random.default_rng(0)
    w = {"first": wg.tensor(rng.standard_normal((64, 128)) * 0.5), "shift": wg.zeros(128),
         "second": wg.tensor(rng.standard_normal((128, 10)) * 0.5), "scale": wg.tensor(0.3)}  # fmt: skip

    def loss(w: Any) -> Any:
        return -(y[:1400] * wg.log_softmax(model(w, x[:1400]), axis=1)).sum(axis=1).mean()

    step = wg.jit(wg.value_and_grad(loss))
    size = wg.tree_map(lambda p: p * 0, w)
    for _ in range(steps):
        _, g = step(w)
        size = wg.tree_map(lambda s, g: 0.95 * s + 0.05 * g * g, size, g)
        w = wg.tree_map(lambda p, g, s: p - 0.01 * g / (wg.sqrt(s) + 1e-6), w, g, size)
    accuracy = float((model(w, x[1400:]).numpy().argmax(1) == digits.target[1400:]).mean())
    values = {float(v) for name in ("first", "second") for v in np.unique(ternary(w[name]).numpy())}
    print(f"accuracy {accuracy:.3f} with weights {sorted(values)}")
    return accuracy, values


if __name__ == "__main__":
    main()
