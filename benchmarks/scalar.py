"""Scalar values against micrograd, on micrograd's own demo: two hidden layers of 16, 100 points in two moons."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import compare, table
from wengert.scalar import Value

SIZES = (2, 16, 16, 1)
POINTS = 100


def moons() -> tuple[list[list[float]], list[float]]:
    """Two half circles, with noise, and labels -1 and 1."""
    rng = np.random.default_rng(1337)
    angle = rng.uniform(0, np.pi, POINTS // 2)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.concatenate([upper, lower]) + 0.1 * rng.standard_normal((POINTS, 2))
    return points.tolist(), [-1.0] * (POINTS // 2) + [1.0] * (POINTS // 2)


def parameters(value: Callable[[float], Any]) -> list[list[list[Any]]]:
    """For each layer, a row for each neuron: its weights, and its bias last."""
    rng = random.Random(1337)
    return [
        [[value(rng.uniform(-1, 1)) for _ in range(wide)] + [value(0.0)] for _ in range(narrow)]
        for wide, narrow in itertools.pairwise(SIZES)
    ]


def step(value: Callable[[float], Any], layers: list[list[list[Any]]], points: Any, labels: Any) -> Any:
    """One evaluation of the demo's loss (hinge loss and weight decay) and its gradient. Operators only, written as
    micrograd writes them, so that both contestants do the same."""
    losses = []
    for point, label in zip(points, labels, strict=True):
        x: list[Any] = [value(one) for one in point]
        for depth, layer in enumerate(layers):
            x = [sum((w * v for w, v in zip(row, x, strict=False)), row[-1]) for row in layer]
            if depth < len(layers) - 1:
                x = [v.relu() for v in x]
        losses.append((1 + -label * x[0]).relu())
    decay = sum(w * w for layer in layers for row in layer for w in row)
    total = sum(losses) * (1.0 / len(losses)) + 1e-4 * decay
    for layer in layers:
        for row in layer:
            for w in row:
                w.grad = 0.0
    total.backward()
    return total


def main() -> str:
    """Markdown: milliseconds a step, and the ratio."""
    points, labels = moons()
    contestants: dict[str, Callable[[], object]] = {}
    made: dict[str, Any] = {"Wengert": Value}
    try:
        from micrograd.engine import Value as Micrograd

        made["micrograd"] = Micrograd
    except ImportError:
        pass
    for name, value in made.items():
        layers = parameters(value)
        contestants[name] = lambda value=value, layers=layers: step(value, layers, points, labels)
    times = compare(contestants, rounds=5, budget=0.3)
    ours = times["Wengert"]
    rows = [[name, f"{seconds * 1e3:.1f}", f"{seconds / ours:.2f}"] for name, seconds in times.items()]
    title = "## Scalar graph: micrograd's demo network, 100 points, forward and backward\n\n"
    return title + table(["", "ms", "ratio to Wengert"], rows)


if __name__ == "__main__":
    print(main())
