"""Value and gradient by native code, against JAX's ``jit`` where it is installed: the same program text for both.

Each workload is written once, for a namespace (``wengert`` or ``jax.numpy``) and a ``scan``. The cache on disk is off,
so that the first call is one that compiles.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import wengert as wg
from benchmarks import harness

os.environ["WENGERT_CACHE"] = "0"

Loss = Callable[..., Any]
RNG = np.random.default_rng(0)


class Workload:
    """A loss to be differentiated by some of its arguments."""

    def __init__(self, name: str, make: Callable[[Any, Any], Loss], arguments: list[np.ndarray], argnums: Any) -> None:
        self.name = name
        self.make = make
        self.arguments = arguments
        self.argnums = argnums


def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
    return RNG.standard_normal(shape) * scale


def chain(xp: Any, scan: Any) -> Loss:
    return lambda a, x: (xp.tanh(a * x + 1.0) * xp.exp(-x * x) + xp.sin(x)).sum()


def rosenbrock(xp: Any, scan: Any) -> Loss:
    return lambda x: (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def softmax_rows(xp: Any, scan: Any) -> Loss:
    def loss(x: Any, t: Any) -> Any:
        shifted = x - x.max(axis=1, keepdims=True)
        return (t * (shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True)))).sum()

    return loss


def layer_norm(xp: Any, scan: Any) -> Loss:
    def loss(x: Any, g: Any, b: Any) -> Any:
        centred = x - x.mean(axis=1, keepdims=True)
        scale = (centred * centred).mean(axis=1, keepdims=True) + 1e-5
        return xp.sin(centred / xp.sqrt(scale) * g + b).sum()

    return loss


def bodies(xp: Any, scan: Any) -> Loss:
    def energy(x: Any) -> Any:
        d = x[:, None, :] - x[None, :, :]
        return (1.0 / xp.sqrt((d * d).sum(axis=-1) + 0.01)).sum()

    return energy


def runge_kutta(xp: Any, scan: Any) -> Loss:
    def loss(s: Any, p: Any) -> Any:
        def f(s: Any) -> Any:
            return xp.stack([p[0] * (s[1] - s[0]), s[0] * (p[1] - s[2]) - s[1], s[0] * s[1] - p[2] * s[2]])

        def step(s: Any, _: Any) -> Any:
            k1 = f(s)
            k2 = f(s + 0.0005 * k1)
            k3 = f(s + 0.0005 * k2)
            k4 = f(s + 0.001 * k3)
            return s + 0.001 / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

        return scan(step, s, None, length=1000)[0].sum()

    return loss


def kalman(xp: Any, scan: Any) -> Loss:
    """Log-likelihood of a linear Gaussian model with 4 states and one observation a step."""

    def loss(a: Any, q: Any, h: Any, ys: Any) -> Any:
        def step(carry: Any, y: Any) -> Any:
            m, p = carry
            m = a @ m
            p = a @ p @ a.T + q
            s = h @ p @ h + 0.1
            k = p @ h / s
            r = y - h @ m
            return (m + k * r, p - k[:, None] * (h @ p)[None, :]), -0.5 * (xp.log(s) + r * r / s)

        start = (0.0 * a[0], 0.0 * a + q)
        return scan(step, start, ys)[1].sum()

    return loss


def scalar_carries(xp: Any, scan: Any) -> Loss:
    """A scan with 60 scalar carries."""

    def loss(x: Any, xs: Any) -> Any:
        def step(carry: Any, v: Any) -> Any:
            return tuple(xp.sin(c) * 0.9 + v * 0.1 for c in carry), None

        return sum(scan(step, tuple(x[k] for k in range(60)), xs)[0])

    return loss


def recurrent(xp: Any, scan: Any) -> Loss:
    def loss(w: Any, u: Any, b: Any, xs: Any) -> Any:
        h, _ = scan(lambda h, x: (xp.tanh(h @ w + x @ u + b), None), xs[0] @ u * 0.0, xs)
        return (h * h).mean()

    return loss


def perceptron(xp: Any, scan: Any) -> Loss:
    def loss(w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any, x: Any, t: Any) -> Any:
        h = xp.tanh(x @ w1 + b1)
        h = xp.tanh(h @ w2 + b2)
        z = h @ w3 + b3
        shifted = z - z.max(axis=1, keepdims=True)
        return -(t * (shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True)))).sum(axis=1).mean()

    return loss


def logistic(xp: Any, scan: Any) -> Loss:
    return lambda w, x, y: xp.log1p(xp.exp(-y * (x @ w))).mean() + 0.01 * (w * w).sum()


def mixture(xp: Any, scan: Any) -> Loss:
    """A Gaussian mixture with diagonal covariances: 10 dimensions, 25 components, 1,000 points."""

    def loss(logits: Any, means: Any, scales: Any, x: Any) -> Any:
        z = (x[:, None, :] - means[None]) * xp.exp(-scales)[None]
        each = logits - 0.5 * (z * z).sum(axis=-1) - scales.sum(axis=-1)
        top = each.max(axis=1, keepdims=True)
        return -(xp.log(xp.exp(each - top).sum(axis=1)) + top[:, 0]).sum()

    return loss


def workloads() -> list[Workload]:
    """In the order of the issue's list."""
    one_hot = np.eye(10)[RNG.integers(0, 10, 128)]
    return [
        *(
            Workload(f"elementwise chain, n = {n:,}", chain, [normal(n), normal(n)], (0, 1))
            for n in (10, 100, 10_000, 10**6)
        ),
        Workload("log-softmax, 256 x 100", softmax_rows, [normal(256, 100), normal(256, 100)], 0),
        Workload("layer norm, 128 x 256", layer_norm, [normal(128, 256), normal(256), normal(256)], (0, 1, 2)),
        Workload("Rosenbrock, n = 1,000", rosenbrock, [normal(1000)], 0),
        Workload("N-body energy and forces, n = 64", bodies, [normal(64, 3)], 0),
        Workload("RK4 of Lorenz, 1,000 steps", runge_kutta, [np.ones(3), np.array([10.0, 28.0, 8 / 3])], (0, 1)),
        Workload("Kalman filter, 4 states, 500 steps", kalman,
                 [np.eye(4) * 0.9 + normal(4, 4, scale=0.02), np.eye(4) * 0.1, normal(4), normal(500)], (0, 1, 2)),
        Workload("scan, 60 scalar carries, 600 steps", scalar_carries, [normal(60), normal(600)], 0),
        Workload("RNN, T = 200, h = 64, batch 16", recurrent,
                 [normal(64, 64, scale=0.1), normal(32, 64, scale=0.1), normal(64), normal(200, 16, 32)], (0, 1, 2)),
        Workload("MLP 64-128-128-10, batch 128", perceptron,
                 [normal(64, 128, scale=0.1), normal(128), normal(128, 128, scale=0.1), normal(128),
                  normal(128, 10, scale=0.1), normal(10), normal(128, 64), one_hot], (0, 1, 2, 3, 4, 5)),
        Workload("Gaussian mixture, d = 10, K = 25, N = 1,000", mixture,
                 [normal(25), normal(25, 10), normal(25, 10, scale=0.1), normal(1000, 10)], (0, 1, 2)),
        Workload("logistic regression, 569 x 30", logistic, [normal(30), normal(569, 30), np.sign(normal(569))], 0),
    ]  # fmt: skip


def _ours(work: Workload) -> tuple[Callable[[], object], Callable[[], object], float]:
    loss = work.make(wg, wg.scan)
    arguments = [wg.tensor(x) for x in work.arguments]
    both, value = wg.jit(wg.value_and_grad(loss, work.argnums)), wg.jit(loss)
    start = time.perf_counter()
    both(*arguments)
    first = time.perf_counter() - start
    both(*arguments)
    value(*arguments)
    return lambda: both(*arguments), lambda: value(*arguments), first


def _jax(work: Workload) -> tuple[Callable[[], object], float] | None:
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    loss = work.make(jax.numpy, jax.lax.scan)
    arguments = [jax.numpy.asarray(x) for x in work.arguments]
    both = jax.jit(jax.value_and_grad(loss, work.argnums))
    start = time.perf_counter()
    jax.block_until_ready(both(*arguments))
    first = time.perf_counter() - start
    return lambda: jax.block_until_ready(both(*arguments)), first


def _agree(work: Workload) -> None:
    """The same numbers from native code and from eager mode."""
    loss = work.make(wg, wg.scan)
    fast = wg.jit(wg.value_and_grad(loss, work.argnums))(*work.arguments)
    slow = wg.value_and_grad(loss, work.argnums)(*work.arguments)
    for one, other in zip(wg.tree_leaves(fast), wg.tree_leaves(slow), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-6, atol=1e-8)


def main() -> str:
    """Median microseconds of value and gradient, warm; the ratio to JAX; the gradient's share; the first call."""
    rows = []
    for work in workloads():
        _agree(work)
        both, value, first = _ours(work)
        contestants = {"both": both, "value": value}
        theirs = _jax(work)
        if theirs is not None:
            contestants["jax"] = theirs[0]
        found = harness.compare(contestants)
        ratio = f"{found['both'] / found['jax']:.2f}" if theirs is not None else ""
        rows.append(
            [
                work.name,
                f"{found['both'] * 1e6:,.1f}",
                f"{found['jax'] * 1e6:,.1f}" if theirs is not None else "",
                ratio,
                f"{found['both'] / found['value']:.2f}",
                f"{first * 1e3:,.0f}",
                f"{theirs[1] * 1e3:,.0f}" if theirs is not None else "",
            ]
        )
        print(rows[-1], flush=True)
    header = ["value and gradient, float64", "ours, us", "JAX jit, us", "ours / JAX", "gradient / value"]
    return "## Native code\n\n" + harness.table([*header, "first call, ms", "JAX's, ms"], rows)


if __name__ == "__main__":
    print(main())
