"""NumPy with gradients derived by hand, written as a careful person would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf

from benchmarks.peers.base import Built, NotHere
from benchmarks.workloads import Workload

Array = Any


def chain(a: Array, x: Array) -> Any:
    t, e = np.tanh(a * x + 1.0), np.exp(-x * x)
    inner = (1.0 - t * t) * e
    return np.sum(t * e + np.sin(x)), (inner * x, inner * a - 2.0 * x * t * e + np.cos(x))


def saxpy(a: Array, x: Array) -> Any:
    r = a * x - 1.0
    return r @ r, (2.0 * r * x, 2.0 * r * a)


def reduction(axis: int) -> Callable[..., Any]:
    def both(x: Array, w: Array) -> Any:
        norm = np.sqrt(np.sum(x * x, axis=axis) + 1.0)
        return np.sum(norm * w), x * np.expand_dims(w / norm, axis)

    return both


def _shift(x: Array) -> tuple[Array, Array, Array]:
    top = x.max(axis=1, keepdims=True)
    e = np.exp(x - top)
    return top, e, e.sum(axis=1, keepdims=True)


def softmax(x: Array, t: Array) -> Any:
    _, e, total = _shift(x)
    p = e / total
    mean = (p * t).sum(axis=1, keepdims=True)
    return mean.sum(), p * (t - mean)


def log_softmax(x: Array, t: Array) -> Any:
    top, e, total = _shift(x)
    loss = -np.sum(t * (x - top - np.log(total)))
    return loss, e / total * t.sum(axis=1, keepdims=True) - t


def log_sum_exp(x: Array) -> Any:
    top, e, total = _shift(x)
    return np.sum(np.log(total) + top), e / total


def layer_norm(x: Array, g: Array, b: Array) -> Any:
    centred = x - x.mean(axis=1, keepdims=True)
    scale = 1.0 / np.sqrt(np.mean(centred * centred, axis=1, keepdims=True) + 1e-5)
    z = centred * scale
    y = z * g + b
    dy = np.cos(y)
    dz = dy * g
    dx = scale * (dz - dz.mean(axis=1, keepdims=True) - z * (dz * z).mean(axis=1, keepdims=True))
    return np.sin(y).sum(), (dx, (dy * z).sum(axis=0), dy.sum(axis=0))


def rosenbrock(x: Array) -> Any:
    r, s = x[1:] - x[:-1] ** 2, 1.0 - x[:-1]
    gradient = np.zeros_like(x)
    gradient[1:] = 200.0 * r
    gradient[:-1] -= 400.0 * r * x[:-1] + 2.0 * s
    return 100.0 * (r @ r) + s @ s, gradient


def black_scholes(spot: Array, volatility: Array, rate: Array, expiry: Array, strike: Array) -> Any:
    root = np.sqrt(expiry)
    deviation = volatility * root
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * expiry) / deviation
    d2 = d1 - deviation
    n1, n2 = 0.5 * (1.0 + erf(d1 * 0.5**0.5)), 0.5 * (1.0 + erf(d2 * 0.5**0.5))
    discounted = strike * np.exp(-rate * expiry) * n2
    vega = spot * np.exp(-0.5 * d1 * d1) * (2.0 * np.pi) ** -0.5 * root
    theta = 0.5 * vega * volatility / expiry + rate * discounted
    return np.sum(spot * n1 - discounted), (n1, vega, expiry * discounted, theta)


def bodies(x: Array) -> Any:
    d = x[:, None, :] - x[None, :, :]
    inverse = 1.0 / np.sqrt(np.einsum("ijk,ijk->ij", d, d) + 0.01)
    return inverse.sum(), -2.0 * np.einsum("ij,ijk->ik", inverse**3, d)


def arm(angles: Array) -> Any:
    total = np.cumsum(angles)
    lengths = np.array([1.0, 0.8, 0.5])
    rows = np.array([-lengths * np.sin(total), lengths * np.cos(total)])
    return np.concatenate([rows[:, ::-1].cumsum(axis=1)[:, ::-1], np.ones((1, 3))])


def perceptron(*arguments: Array) -> Any:
    *parameters, x, t = arguments
    inputs = [x]
    for k in range(0, len(parameters) - 2, 2):
        inputs.append(np.tanh(inputs[-1] @ parameters[k] + parameters[k + 1]))
    loss, d = log_softmax(inputs[-1] @ parameters[-2] + parameters[-1], t)
    d /= len(x)
    gradient: list[Array] = []
    for k in range(len(parameters) - 2, -1, -2):
        h = inputs[k // 2]
        gradient = [h.T @ d, d.sum(axis=0), *gradient]
        if k:
            d = (d @ parameters[k].T) * (1.0 - h * h)
    return loss / len(x), tuple(gradient)


def deep(*arguments: Array) -> Any:
    *weights, x = arguments
    inputs = [x]
    for w in weights:
        inputs.append(np.tanh(inputs[-1] @ w))
    last = inputs[-1]
    d = 2.0 / last.size * last
    gradient = []
    for w, h, y in zip(reversed(weights), reversed(inputs[:-1]), reversed(inputs[1:]), strict=True):
        d = d * (1.0 - y * y)
        gradient.append(h.T @ d)
        d = d @ w.T
    return np.mean(last * last), tuple(reversed(gradient))


def recurrent(w: Array, u: Array, b: Array, xs: Array) -> Any:
    pushed = xs @ u + b
    hs = np.zeros((len(xs) + 1, *pushed.shape[1:]))
    for k in range(len(xs)):
        hs[k + 1] = np.tanh(hs[k] @ w + pushed[k])
    d = 2.0 / hs[-1].size * hs[-1]
    ds = np.empty_like(pushed)
    for k in range(len(xs) - 1, -1, -1):
        ds[k] = d * (1.0 - hs[k + 1] * hs[k + 1])
        d = ds[k] @ w.T
    flat = ds.reshape(-1, ds.shape[-1])
    before = hs[:-1].reshape(flat.shape)
    return np.mean(hs[-1] ** 2), (before.T @ flat, xs.reshape(-1, xs.shape[-1]).T @ flat, flat.sum(axis=0))


def mixture(logits: Array, means: Array, scales: Array, x: Array) -> Any:
    inverse = np.exp(-scales)
    z = (x[:, None, :] - means) * inverse
    top, e, total = _shift(logits - 0.5 * np.einsum("nkd,nkd->nk", z, z) - scales.sum(axis=1))
    p = e / total
    loss = -np.sum(np.log(total) + top)
    weighted = p[:, :, None] * z
    dscales = p.sum(axis=0)[:, None] - np.einsum("nkd,nkd->kd", weighted, z)
    return loss, (-p.sum(axis=0), -weighted.sum(axis=0) * inverse, dscales)


def logistic(w: Array, x: Array, y: Array) -> Any:
    e = np.exp(-y * (x @ w))
    return np.log1p(e).mean() + 0.01 * (w @ w), x.T @ (-y * e / (1.0 + e)) / len(y) + 0.02 * w


def _curvature(w: Array, x: Array, y: Array) -> Array:
    p = 1.0 / (1.0 + np.exp(-y * (x @ w)))
    return p * (1.0 - p) / len(y)


def logistic_hvp(w: Array, x: Array, y: Array, v: Array) -> Any:
    return x.T @ (_curvature(w, x, y) * (x @ v)) + 0.02 * v


def logistic_hessian(w: Array, x: Array, y: Array) -> Any:
    return (x.T * _curvature(w, x, y)) @ x + 0.02 * np.eye(len(w))


BY_NAME: dict[str, Callable[..., Any]] = {
    **{f"chain-{n}": chain for n in (10, 100, 1_000, 10_000, 100_000, 1_000_000)},
    **{f"reduce-{axis}": reduction(axis) for axis in range(3)},
    "bandwidth": saxpy, "softmax": softmax, "log-softmax": log_softmax, "logsumexp": log_sum_exp,
    "layer-norm": layer_norm, "rosenbrock": rosenbrock, "black-scholes": black_scholes, "n-body": bodies, "arm": arm,
    "mlp-128": perceptron, "mlp-784": perceptron, "deep": deep, "rnn": recurrent, "mixture": mixture,
    "logistic": logistic, "logistic-hvp": logistic_hvp, "logistic-hessian": logistic_hessian,
}  # fmt: skip


def build(work: Workload, data: list[np.ndarray]) -> Built:
    if work.name not in BY_NAME:
        raise NotHere("not written by hand")
    function = BY_NAME[work.name]
    return Built(lambda: function(*data))
