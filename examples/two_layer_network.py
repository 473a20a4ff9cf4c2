"""A two-layer network whose gradients are also written out by hand, from the chain rule.

    z1 = W1 x,  a1 = sigmoid(z1),  z2 = W2 a1,  a2 = sigmoid(z2),  L = |a2 - y|^2

Going backwards, with * element by element:

    dL/da2 = 2 (a2 - y)          dL/dz2 = dL/da2 * a2 (1 - a2)      dL/dW2 = dL/dz2 a1^T
    dL/da1 = W2^T dL/dz2         dL/dz1 = dL/da1 * a1 (1 - a1)      dL/dW1 = dL/dz1 x^T
    dL/dx  = W1^T dL/dz1
"""

from __future__ import annotations

import numpy as np

import wengert as wg


def by_hand(x: np.ndarray, w1: np.ndarray, w2: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """The gradients, by the formulas above."""
    a1 = 1 / (1 + np.exp(-(w1 @ x)))
    a2 = 1 / (1 + np.exp(-(w2 @ a1)))
    dz2 = 2 * (a2 - y) * a2 * (1 - a2)
    dz1 = (w2.T @ dz2) * a1 * (1 - a1)
    return {"W1": np.outer(dz1, x), "W2": np.outer(dz2, a1), "x": w1.T @ dz1}


def by_graph(x: np.ndarray, w1: np.ndarray, w2: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """The gradients, by the backward sweep."""
    leaves = {"x": x, "W1": w1, "W2": w2}
    t = {name: wg.tensor(value, requires_grad=True) for name, value in leaves.items()}
    a1 = (t["W1"] @ t["x"]).sigmoid()
    a2 = (t["W2"] @ a1).sigmoid()
    loss = ((a2 - y) ** 2).sum()
    print(wg.graph_of(loss))
    loss.backward()
    return {name: leaf.grad.numpy() for name, leaf in t.items()}


def main() -> float:
    """Print both; returns the largest difference."""
    rng = np.random.default_rng(0)
    x, w1, w2, y = rng.normal(size=3), rng.normal(size=(4, 3)), rng.normal(size=(2, 4)), rng.normal(size=2)
    hand, graph = by_hand(x, w1, w2, y), by_graph(x, w1, w2, y)
    worst = max(float(np.abs(hand[name] - graph[name]).max()) for name in hand)
    for name in hand:
        left, right = (np.round(found[name].ravel()[:3], 6) for found in (hand, graph))
        print(f"dL/d{name}: by hand {left} ..., by graph {right} ...")
    print(f"largest difference {worst:.1e}")
    return worst


if __name__ == "__main__":
    main()
