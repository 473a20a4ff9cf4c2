"""Neural networks; float64 where they are recurrent or small, float32 where they are large."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from benchmarks.workloads.base import Workload
from benchmarks.workloads.rows import log_softmax


def recurrent(xp: Any, w: Any, u: Any, b: Any, xs: Any) -> Any:
    start = xs[0] @ u * 0.0
    h, _ = xp.scan(lambda h, x: (xp.tanh(h @ w + x @ u + b), None), start, xs)
    return xp.mean(h * h)


def long_short_term(xp: Any, w: Any, u: Any, b: Any, xs: Any) -> Any:
    size = 64

    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        z = h @ w + x @ u + b
        i, f = xp.sigmoid(z[:, :size]), xp.sigmoid(z[:, size : 2 * size])
        g, o = xp.tanh(z[:, 2 * size : 3 * size]), xp.sigmoid(z[:, 3 * size :])
        c = f * c + i * g
        return (o * xp.tanh(c), c), None

    start = (xs[0] @ u)[:, :size] * 0.0
    (h, _), _ = xp.scan(step, (start, start), xs)
    return xp.mean(h * h)


def perceptron(xp: Any, *arguments: Any) -> Any:
    """Layers with tanh between them; cross-entropy with one-hot targets."""
    *parameters, x, t = arguments
    for k in range(0, len(parameters) - 2, 2):
        x = xp.tanh(x @ parameters[k] + parameters[k + 1])
    return log_softmax(xp, x @ parameters[-2] + parameters[-1], t) / x.shape[0]


def deep(xp: Any, *arguments: Any) -> Any:
    *weights, x = arguments
    for w in weights:
        x = xp.tanh(x @ w)
    return xp.mean(x * x)


def attention(xp: Any, x: Any, wq: Any, wk: Any, wv: Any, wo: Any, w1: Any, w2: Any) -> Any:
    """A transformer's block, normalised first: 8 heads, then a layer of width 4 d."""
    batch, length, width = 4, 128, 256
    heads = 8

    def normalise(x: Any) -> Any:
        centred = x - xp.mean(x, axis=-1, keepdims=True)
        return centred / xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5)

    def split(x: Any) -> Any:
        return xp.swapaxes(xp.reshape(x, (batch, length, heads, width // heads)), 1, 2)

    y = normalise(x)
    q, k, v = split(y @ wq), split(y @ wk), split(y @ wv)
    scores = q @ xp.swapaxes(k, -1, -2) * (width // heads) ** -0.5
    e = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    mixed = (e / xp.sum(e, axis=-1, keepdims=True)) @ v
    x = x + xp.reshape(xp.swapaxes(mixed, 1, 2), (batch, length, width)) @ wo
    h = normalise(x) @ w1
    return xp.mean((x + (h * xp.sigmoid(1.702 * h)) @ w2) ** 2)


def _gates(rng: np.random.Generator, gates: int) -> list[np.ndarray]:
    h, x = 64, 32
    return [
        0.1 * rng.standard_normal((h, gates * h)), 0.1 * rng.standard_normal((x, gates * h)),
        0.1 * rng.standard_normal(gates * h), rng.standard_normal((200, 16, x)),
    ]  # fmt: skip


def _layers(rng: np.random.Generator, sizes: tuple[int, ...], batch: int, dtype: str) -> list[np.ndarray]:
    arguments = []
    for before, after in itertools.pairwise(sizes):
        arguments += [rng.standard_normal((before, after)) / before**0.5, 0.1 * rng.standard_normal(after)]
    arguments += [rng.standard_normal((batch, sizes[0])), np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)]]
    return [a.astype(dtype) for a in arguments]


def _block(rng: np.random.Generator) -> list[np.ndarray]:
    d = 256
    shapes = [(4, 128, d), *[(d, d)] * 4, (d, 4 * d), (4 * d, d)]
    scales = [1.0, *[d**-0.5] * 5, (4 * d) ** -0.5]
    return [(rng.standard_normal(s) * k).astype(np.float32) for s, k in zip(shapes, scales, strict=True)]


def _weights(rng: np.random.Generator) -> list[np.ndarray]:
    weights = [(rng.standard_normal((1000, 1000)) * 1000**-0.5).astype(np.float32) for _ in range(100)]
    return [*weights, rng.standard_normal((32, 1000)).astype(np.float32)]


def _flops(batch: int, *sizes: int) -> float:
    """Of the products of a perceptron's forward and backward pass: two for each backward but the first layer's one."""
    each = [2.0 * batch * m * n for m, n in itertools.pairwise(sizes)]
    return 3.0 * sum(each) - each[0]


def workloads() -> list[Workload]:
    rows, width = 512, 256
    block = 3.0 * 2.0 * rows * width * (12 * width + 2 * 128)
    return [
        Workload("rnn", "RNN, T = 200, h = 64, batch 16", recurrent, lambda rng: _gates(rng, 1), (0, 1, 2),
                 long_loop=True),
        Workload("lstm", "LSTM, T = 200, h = 64, batch 16", long_short_term, lambda rng: _gates(rng, 4), (0, 1, 2),
                 long_loop=True),
        Workload("mlp-128", "MLP 64-128-128-10, batch 128", perceptron,
                 lambda rng: _layers(rng, (64, 128, 128, 10), 128, "float64"), tuple(range(6)), first_call_ms=500.0,
                 floor="blas", flops=_flops(128, 64, 128, 128, 10)),
        Workload("mlp-784", "MLP 784-128-10, batch 32, float32", perceptron,
                 lambda rng: _layers(rng, (784, 128, 10), 32, "float32"), tuple(range(4)), first_call_ms=500.0,
                 floor="blas", flops=_flops(32, 784, 128, 10), tolerance=2e-4),
        Workload("deep", "100 layers of width 1,000, batch 32, float32", deep, _weights, tuple(range(100)),
                 first_call_ms=2000.0, floor="blas", flops=_flops(32, *[1000] * 101), tolerance=2e-3),
        Workload("attention", "attention block, batch 4, T = 128, d = 256, float32", attention, _block,
                 tuple(range(7)), first_call_ms=2000.0, floor="blas", flops=block, tolerance=2e-3),
    ]  # fmt: skip
