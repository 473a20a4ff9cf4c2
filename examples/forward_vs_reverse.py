"""One sweep or n of them: what a full gradient costs by forward and by reverse mode, and how much a gradient costs in
evaluations of the function (Griewank and Walther: at most about 5, whatever the number of variables)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import wengert as wg

BUILD = Path(__file__).resolve().parents[1] / "build"


def energy(x: Any) -> Any:
    return (wg.sin(x) * x[::-1]).sum() + (x**2).mean()


def rosenbrock(v: Any) -> Any:
    return (100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2).sum()


def seconds(call: Callable[[], object], rounds: int = 5) -> float:
    """Median time of a call."""
    call()
    samples = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples)


def sweep(sizes: tuple[int, ...]) -> list[tuple[int, float, float]]:
    """Seconds of a full gradient by n forward passes, one after the other, and by one reverse pass."""
    rows = []
    for n in sizes:
        x = wg.tensor(np.linspace(0, 1, n))
        push = wg.jit(lambda x, t: wg.jvp(energy, (x,), (t,))[1])
        unit = np.zeros(n)
        unit[0] = 1.0
        # Every pass costs the same, so a hundred of them are timed and the rest counted.
        timed = min(n, 100)
        passes = seconds(lambda push=push, x=x, unit=unit, timed=timed: [push(x, unit) for _ in range(timed)])
        pull = wg.jit(wg.grad(energy))
        rows.append((n, passes * n / timed, seconds(lambda pull=pull, x=x: pull(x))))
    return rows


def ratios() -> dict[str, float]:
    """The time of value and gradient in evaluations of the function, compiled."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((200, 50)), rng.standard_normal((50, 50))
    functions: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
        "sum of sines": (energy, rng.standard_normal(100_000)),
        "Rosenbrock": (rosenbrock, rng.standard_normal(100_000)),
        "two layers": (lambda w: (wg.tanh(wg.tanh(x @ w) @ w) ** 2).sum(), w),
        "log-sum-exp": (lambda v: wg.logsumexp(v.reshape(100, -1), axis=1).sum(), rng.standard_normal(100_000)),
    }
    found = {}
    for name, (f, at) in functions.items():
        value, both = wg.jit(f), wg.jit(wg.value_and_grad(f))
        found[name] = seconds(lambda both=both, at=at: both(at), 25) / seconds(lambda value=value, at=at: value(at), 25)
    return found


def plot(rows: list[tuple[int, float, float]]) -> str:
    """A drawing with logarithmic axes, as SVG."""
    width, height, margin = 640, 400, 60
    times = [t for row in rows for t in row[1:]]
    low, high = np.log10(min(times)), np.log10(max(times))
    first, last = np.log10(rows[0][0]), np.log10(rows[-1][0])

    def point(n: float, t: float) -> str:
        x = margin + (np.log10(n) - first) / (last - first) * (width - 2 * margin)
        y = height - margin - (np.log10(t) - low) / (high - low) * (height - 2 * margin)
        return f"{x:.1f},{y:.1f}"

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">',
             f'<rect width="{width}" height="{height}" fill="white"/>']  # fmt: skip
    for column, colour, name in ((1, "#2563eb", "forward mode: n passes"), (2, "#dc2626", "reverse mode: one pass")):
        line = " ".join(point(row[0], row[column]) for row in rows)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(f'<text x="{margin + 10}" y="{margin + 20 * column}" fill="{colour}">{name}</text>')
    for n, forward, _ in rows:
        x = point(n, forward).split(",")[0]
        parts.append(f'<text x="{x}" y="{height - margin + 20}" font-size="12" text-anchor="middle">{n:,}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 15}" text-anchor="middle">variables</text>')
    parts.append(f'<text x="15" y="{margin - 15}">seconds, from {10**low:.0e} to {10**high:.0e}</text></svg>')
    return "\n".join(parts)


def main(sizes: tuple[int, ...] = (10, 100, 1_000, 10_000, 100_000, 1_000_000)) -> tuple[Any, dict[str, float]]:
    """Print both tables, and draw the first."""
    rows = sweep(sizes)
    print(f"{'variables':>10} {'forward':>12} {'reverse':>12} {'ratio':>10}")
    for n, forward, reverse in rows:
        print(f"{n:>10,} {forward:>10.2e} s {reverse:>10.2e} s {forward / reverse:>10,.0f}")
    BUILD.mkdir(exist_ok=True)
    (BUILD / "forward_vs_reverse.svg").write_text(plot(rows))
    found = ratios()
    for name, ratio in found.items():
        print(f"value and gradient of {name}: {ratio:.1f} evaluations of the function")
    return rows, found


if __name__ == "__main__":
    main()
