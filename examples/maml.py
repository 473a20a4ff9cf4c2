"""Learning to learn: a start from which one gradient step fits a sine that was never seen (C. Finn et al.,
"Model-agnostic meta-learning", 2017). The outer gradient goes through the inner one: second order, over a batch of
tasks by ``vmap``, as one native program."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert as wg

RNG = np.random.default_rng(0)


def tasks(count: int) -> tuple[np.ndarray, ...]:
    """Points of sines of random amplitude and phase: ten to learn from and ten to test on, for each task."""
    amplitude, phase = RNG.uniform(0.5, 3, (count, 1, 1)), RNG.uniform(0, np.pi, (count, 1, 1))
    a, b = RNG.uniform(-4, 4, (2, count, 10, 1))
    return a, amplitude * np.sin(a + phase), b, amplitude * np.sin(b + phase)


def model(w: Any, x: Any) -> Any:
    h = wg.tanh(x @ w[0] + w[1])
    return wg.tanh(h @ w[2] + w[3]) @ w[4] + w[5]


def error(w: Any, x: Any, y: Any) -> Any:
    return ((model(w, x) - y) ** 2).mean()


def adapted(w: Any, x: Any, y: Any) -> Any:
    """The parameters after one step on a task's own points."""
    return wg.tree_map(lambda p, g: p - 0.05 * g, w, wg.grad(error)(w, x, y))


def meta_loss(w: Any, a: Any, ya: Any, b: Any, yb: Any) -> Any:
    return wg.vmap(lambda a, ya, b, yb: error(adapted(w, a, ya), b, yb))(a, ya, b, yb).mean()


def main(steps: int = 400) -> tuple[float, float]:
    """The error on new tasks after one step, from a random start and from the learnt one."""
    sizes = [(1, 32), (32,), (32, 32), (32,), (32, 1), (1,)]
    w = [wg.tensor(RNG.standard_normal(s) * (0.5 if len(s) == 2 else 0.1)) for s in sizes]
    fresh = tasks(100)
    score = wg.jit(meta_loss)
    before = score(w, *fresh).item()
    step = wg.jit(wg.value_and_grad(meta_loss))
    m = wg.tree_map(lambda p: p * 0, w)
    v = wg.tree_map(lambda p: p * 0, w)
    for k in range(1, steps + 1):
        _, g = step(w, *tasks(16))
        m = wg.tree_map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = wg.tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate = 0.005 * np.sqrt(1 - 0.999**k) / (1 - 0.9**k)
        w = wg.tree_map(lambda p, m, v, rate=rate: p - rate * m / (wg.sqrt(v) + 1e-8), w, m, v)
    after = score(w, *fresh).item()
    print(f"error on new sines after one step: {before:.2f} from a random start, {after:.2f} from the learnt one")
    return before, after


if __name__ == "__main__":
    main()
