"""Numba with loops and adjoints by hand: what an expert gets out of LLVM with time to spare."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from benchmarks.peers.base import Built, NotHere
from benchmarks.workloads import Workload

Array = Any
fast = numba.njit(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")


@fast
def chain(a: Array, x: Array) -> Any:
    total, da, dx = 0.0, np.empty_like(x), np.empty_like(x)
    for k in range(len(x)):
        t, e = math.tanh(a[k] * x[k] + 1.0), math.exp(-x[k] * x[k])
        inner = (1.0 - t * t) * e
        total += t * e + math.sin(x[k])
        da[k] = inner * x[k]
        dx[k] = inner * a[k] - 2.0 * x[k] * t * e + math.cos(x[k])
    return total, (da, dx)


@fast
def saxpy(a: Array, x: Array) -> Any:
    total, da, dx = 0.0, np.empty_like(x), np.empty_like(x)
    for k in range(len(x)):
        r = a[k] * x[k] - 1.0
        total += r * r
        da[k] = 2.0 * r * x[k]
        dx[k] = 2.0 * r * a[k]
    return total, (da, dx)


@fast
def softmax(x: Array, t: Array) -> Any:
    total, dx = 0.0, np.empty_like(x)
    for i in range(x.shape[0]):
        top = x[i].max()
        s = m = 0.0
        for j in range(x.shape[1]):
            dx[i, j] = math.exp(x[i, j] - top)
            s += dx[i, j]
            m += dx[i, j] * t[i, j]
        m /= s
        for j in range(x.shape[1]):
            dx[i, j] *= (t[i, j] - m) / s
        total += m
    return total, dx


@fast
def log_sum_exp(x: Array) -> Any:
    total, dx = 0.0, np.empty_like(x)
    for i in range(x.shape[0]):
        top = x[i].max()
        s = 0.0
        for j in range(x.shape[1]):
            dx[i, j] = math.exp(x[i, j] - top)
            s += dx[i, j]
        for j in range(x.shape[1]):
            dx[i, j] /= s
        total += math.log(s) + top
    return total, dx


@fast
def rosenbrock(x: Array) -> Any:
    total, dx = 0.0, np.zeros_like(x)
    for k in range(len(x) - 1):
        r, s = x[k + 1] - x[k] * x[k], 1.0 - x[k]
        total += 100.0 * r * r + s * s
        dx[k + 1] += 200.0 * r
        dx[k] -= 400.0 * r * x[k] + 2.0 * s
    return total, dx


@fast
def black_scholes(spot: Array, volatility: Array, rate: Array, expiry: Array, strike: Array) -> Any:
    n = len(spot)
    delta, vega, rho, theta = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    total = 0.0
    for k in range(n):
        root = math.sqrt(expiry[k])
        deviation = volatility[k] * root
        d1 = (math.log(spot[k] / strike[k]) + (rate[k] + 0.5 * volatility[k] ** 2) * expiry[k]) / deviation
        d2 = d1 - deviation
        n1, n2 = 0.5 * (1.0 + math.erf(d1 * 0.5**0.5)), 0.5 * (1.0 + math.erf(d2 * 0.5**0.5))
        discounted = strike[k] * math.exp(-rate[k] * expiry[k]) * n2
        delta[k] = n1
        vega[k] = spot[k] * math.exp(-0.5 * d1 * d1) * (2.0 * math.pi) ** -0.5 * root
        rho[k] = expiry[k] * discounted
        theta[k] = 0.5 * vega[k] * volatility[k] / expiry[k] + rate[k] * discounted
        total += spot[k] * n1 - discounted
    return total, (delta, vega, rho, theta)


@fast
def bodies(x: Array) -> Any:
    n = x.shape[0]
    total, dx = n / math.sqrt(0.01), np.zeros_like(x)
    for i in range(n):
        for j in range(i):
            d0, d1, d2 = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
            inverse = 1.0 / math.sqrt(d0 * d0 + d1 * d1 + d2 * d2 + 0.01)
            force = 2.0 * inverse * inverse * inverse
            total += 2.0 * inverse
            dx[i, 0] -= force * d0
            dx[i, 1] -= force * d1
            dx[i, 2] -= force * d2
            dx[j, 0] += force * d0
            dx[j, 1] += force * d1
            dx[j, 2] += force * d2
    return total, dx


@fast
def arm(angles: Array) -> Any:
    a, b = angles[0], angles[0] + angles[1]
    c = b + angles[2]
    s3, c3 = 0.5 * math.sin(c), 0.5 * math.cos(c)
    s2, c2 = s3 + 0.8 * math.sin(b), c3 + 0.8 * math.cos(b)
    out = np.empty((3, 3))
    out[0, 0], out[0, 1], out[0, 2] = -s2 - math.sin(a), -s2, -s3
    out[1, 0], out[1, 1], out[1, 2] = c2 + math.cos(a), c2, c3
    out[2, :] = 1.0
    return out


@fast
def _lorenz(s0: float, s1: float, s2: float, p: Array) -> Any:
    return p[0] * (s1 - s0), s0 * (p[1] - s2) - s1, s0 * s1 - p[2] * s2


@fast
def _lorenz_back(s0: float, s1: float, s2: float, d0: float, d1: float, d2: float, p: Array, dp: Array) -> Any:
    dp[0] += d0 * (s1 - s0)
    dp[1] += d1 * s0
    dp[2] -= d2 * s2
    return -p[0] * d0 + (p[1] - s2) * d1 + s1 * d2, p[0] * d0 - d1 + s0 * d2, -s0 * d1 - p[2] * d2


@fast
def lorenz(state: Array, p: Array) -> Any:
    """Forward keeps the states; backward computes each step's slopes again."""
    n, h = 1000, 0.001
    kept = np.empty((n, 3))
    a, b, c = state[0], state[1], state[2]
    for k in range(n):
        kept[k, 0], kept[k, 1], kept[k, 2] = a, b, c
        u1, v1, w1 = _lorenz(a, b, c, p)
        u2, v2, w2 = _lorenz(a + 0.5 * h * u1, b + 0.5 * h * v1, c + 0.5 * h * w1, p)
        u3, v3, w3 = _lorenz(a + 0.5 * h * u2, b + 0.5 * h * v2, c + 0.5 * h * w2, p)
        u4, v4, w4 = _lorenz(a + h * u3, b + h * v3, c + h * w3, p)
        a += h / 6.0 * (u1 + 2.0 * u2 + 2.0 * u3 + u4)
        b += h / 6.0 * (v1 + 2.0 * v2 + 2.0 * v3 + v4)
        c += h / 6.0 * (w1 + 2.0 * w2 + 2.0 * w3 + w4)
    x = y = z = 1.0
    dp = np.zeros(3)
    for k in range(n - 1, -1, -1):
        r, s, t = kept[k, 0], kept[k, 1], kept[k, 2]
        u1, v1, w1 = _lorenz(r, s, t, p)
        r2, s2, t2 = r + 0.5 * h * u1, s + 0.5 * h * v1, t + 0.5 * h * w1
        u2, v2, w2 = _lorenz(r2, s2, t2, p)
        r3, s3, t3 = r + 0.5 * h * u2, s + 0.5 * h * v2, t + 0.5 * h * w2
        u3, v3, w3 = _lorenz(r3, s3, t3, p)
        r4, s4, t4 = r + h * u3, s + h * v3, t + h * w3
        g = h / 6.0
        x4, y4, z4 = _lorenz_back(r4, s4, t4, g * x, g * y, g * z, p, dp)
        x3, y3, z3 = _lorenz_back(r3, s3, t3, 2 * g * x + h * x4, 2 * g * y + h * y4, 2 * g * z + h * z4, p, dp)
        i = 0.5 * h
        x2, y2, z2 = _lorenz_back(r2, s2, t2, 2 * g * x + i * x3, 2 * g * y + i * y3, 2 * g * z + i * z3, p, dp)
        x1, y1, z1 = _lorenz_back(r, s, t, g * x + i * x2, g * y + i * y2, g * z + i * z2, p, dp)
        x, y, z = x + x1 + x2 + x3 + x4, y + y1 + y2 + y3 + y4, z + z1 + z2 + z3 + z4
    return a + b + c, (np.array([x, y, z]), dp)


@fast
def carries(x: Array, xs: Array) -> Any:
    n, m = len(x), len(xs)
    kept = np.empty((m, n))
    c = x.copy()
    for k in range(m):
        for j in range(n):
            kept[k, j] = c[j]
            c[j] = math.sin(c[j]) * 0.9 + xs[k] * 0.1
    d = np.ones(n)
    for k in range(m - 1, -1, -1):
        for j in range(n):
            d[j] *= 0.9 * math.cos(kept[k, j])
    return c.sum(), d


@fast
def mixture(logits: Array, means: Array, scales: Array, x: Array) -> Any:
    n, (size, width) = x.shape[0], means.shape
    inverse = np.exp(-scales)
    shift = logits - scales.sum(axis=1)
    z, e = np.empty((size, width)), np.empty(size)
    dlogits, dmeans, dscales = np.zeros(size), np.zeros((size, width)), np.zeros((size, width))
    loss = 0.0
    for i in range(n):
        for k in range(size):
            square = 0.0
            for j in range(width):
                z[k, j] = (x[i, j] - means[k, j]) * inverse[k, j]
                square += z[k, j] * z[k, j]
            e[k] = shift[k] - 0.5 * square
        top = e.max()
        total = 0.0
        for k in range(size):
            e[k] = math.exp(e[k] - top)
            total += e[k]
        loss -= math.log(total) + top
        for k in range(size):
            p = e[k] / total
            dlogits[k] -= p
            for j in range(width):
                dmeans[k, j] -= p * z[k, j] * inverse[k, j]
                dscales[k, j] += p * (1.0 - z[k, j] * z[k, j])
    return loss, (dlogits, dmeans, dscales)


@fast
def logistic(w: Array, x: Array, y: Array) -> Any:
    n = len(y)
    total, dw = 0.0, 0.02 * w
    for i in range(n):
        s = 0.0
        for j in range(len(w)):
            s += x[i, j] * w[j]
        e = math.exp(-y[i] * s)
        total += math.log1p(e)
        c = -y[i] * e / (1.0 + e) / n
        for j in range(len(w)):
            dw[j] += c * x[i, j]
    return total / n + 0.01 * np.sum(w * w), dw


BY_NAME: dict[str, Callable[..., Any]] = {
    **{f"chain-{n}": chain for n in (10, 100, 1_000, 10_000, 100_000, 1_000_000)},
    "bandwidth": saxpy, "softmax": softmax, "logsumexp": log_sum_exp, "rosenbrock": rosenbrock,
    "black-scholes": black_scholes, "n-body": bodies, "arm": arm, "lorenz": lorenz, "carries": carries,
    "mixture": mixture, "logistic": logistic,
}  # fmt: skip


def build(work: Workload, data: list[np.ndarray]) -> Built:
    if work.name not in BY_NAME:
        raise NotHere("not written by hand")
    function = fast(BY_NAME[work.name].py_func)  # compiled anew, so that a first call is one
    return Built(lambda: function(*data))
