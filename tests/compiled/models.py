"""Models of the kinds that programs are planned for: values and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import wengert as wg

RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape) * 0.3


def mlp(weights: Any, x: Any) -> Any:
    for w in weights[:-1]:
        x = wg.tanh(x @ w)
    return ((x @ weights[-1]) ** 2).mean()


def cnn(weights: Any, x: Any) -> Any:
    x = wg.nn.functional.relu(wg.nn.functional.conv2d(x, weights[0], padding=1))
    x = wg.nn.functional.max_pool2d(x, 2)
    x = wg.nn.functional.relu(wg.nn.functional.conv2d(x, weights[1], padding=1))
    return wg.logsumexp(x.mean(axis=(2, 3)) @ weights[2], axis=1).sum()


def rnn(weights: Any, xs: Any) -> Any:
    def cell(h: Any, x: Any) -> Any:
        h = wg.tanh(h @ weights[0] + x @ weights[1])
        return h, (h**2).sum()

    return wg.scan(cell, wg.zeros((8, 32)), xs)[1].sum()


def unrolled(weights: Any, xs: Any) -> Any:
    h = wg.zeros((8, 32))
    for k in range(10):
        h = wg.tanh(h @ weights[0] + xs[k] @ weights[1])
    return (h**2).sum()


def attention(weights: Any, x: Any) -> Any:
    q, k, v = (x @ w for w in weights)
    scores = wg.softmax(q @ k.transpose((0, 2, 1)) / 8.0, axis=-1)
    return ((scores @ v + x) ** 2).mean()


MODELS: dict[str, tuple[Callable[..., Any], Any, np.ndarray]] = {
    "mlp": (mlp, [normal(64, 128), normal(128, 128), normal(128, 10)], normal(128, 64)),
    "deep mlp": (mlp, [normal(40, 40) for _ in range(20)], normal(32, 40)),
    "cnn": (cnn, [normal(8, 1, 3, 3), normal(16, 8, 3, 3), normal(16, 10)], normal(4, 1, 16, 16)),
    "rnn by scan": (rnn, [normal(32, 32), normal(16, 32)], normal(20, 8, 16)),
    "rnn": (unrolled, [normal(32, 32), normal(16, 32)], normal(10, 8, 16)),
    "attention": (attention, [normal(64, 64) for _ in range(3)], normal(2, 32, 64)),
}
