"""Two spirals, and a small network that tells them apart: the file that ``wengert demo`` trains.

Copy it with ``wengert demo -o FOLDER``, change it, and look at it with ``wengert report spirals.py:loss``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import wengert as wg

HIDDEN = 32

#: Is told the number of the step, how many there are, and the loss.
Progress = Callable[[int, int, float], None]


def spirals(count: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points of two spirals that wind around each other, and which of the two each belongs to."""
    rng = np.random.default_rng(seed)
    t = np.sqrt(rng.random(count)) * 3 * np.pi
    label = np.arange(count) % 2
    turn = t + np.pi * label
    points = np.stack([t * np.cos(turn), t * np.sin(turn)], axis=1) / (3 * np.pi)
    return points + 0.01 * rng.standard_normal(points.shape), label


def parameters(seed: int = 0) -> list[dict[str, np.ndarray]]:
    """The weights of a perceptron with two hidden layers."""
    rng = np.random.default_rng(seed)
    sizes = (2, HIDDEN, HIDDEN, 1)
    return [
        {"weight": rng.standard_normal((n, m)) * np.sqrt(2 / n), "bias": 0.1 * rng.standard_normal(m)}
        for n, m in pairwise(sizes)
    ]


def network(layers: Any, points: Any) -> wg.Tensor:
    """The logit of the second spiral for each point."""
    x = 4 * points
    for layer in layers[:-1]:
        x = wg.tanh(x @ layer["weight"] + layer["bias"])
    return (x @ layers[-1]["weight"] + layers[-1]["bias"])[:, 0]


def loss(layers: Any, points: Any, label: Any) -> wg.Tensor:
    """The mean cross-entropy."""
    logit = network(layers, points)
    return wg.mean(wg.softplus(logit) - label * logit)


def example_inputs() -> tuple[Any, ...]:
    """What ``wengert report spirals.py:loss`` calls ``loss`` with."""
    return parameters(), *spirals()


def example_inputs_network() -> tuple[Any, ...]:
    """And ``network``."""
    return parameters(), spirals()[0]


def train(steps: int = 600, rate: float = 0.02, progress: Progress | None = None) -> tuple[Any, list[float], float]:
    """Adam (Kingma and Ba, 2015) on all points at once, compiled; returns the layers, the losses, the accuracy."""
    layers, points, label = example_inputs()
    step = wg.jit(wg.value_and_grad(loss))
    flat, tree = wg.tree_flatten(layers)
    moments = [[np.zeros_like(w), np.zeros_like(w)] for w in flat]
    history = []
    for number in range(1, steps + 1):
        value, gradient = step(wg.tree_unflatten(tree, flat), points, label)
        history.append(value.item())
        for k, g in enumerate(wg.tree_leaves(gradient)):
            first, second = moments[k]
            first += 0.1 * (g.numpy() - first)
            second += 0.01 * (g.numpy() ** 2 - second)
            change = first / (1 - 0.9**number) / (np.sqrt(second / (1 - 0.99**number)) + 1e-8)
            flat[k] = flat[k] - rate * change
        if progress is not None:
            progress(number, steps, history[-1])
    layers = wg.tree_unflatten(tree, flat)
    right = (network(layers, points).numpy() > 0) == (label == 1)
    return layers, history, float(right.mean())
