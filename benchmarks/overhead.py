"""Eager overhead: chains of multiply, tanh and add on arrays of 3 elements against NumPy and PyTorch; single calls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import wengert as wg
from benchmarks.harness import compare, table


def chain(x, w, b, length: int):  # type: ignore[no-untyped-def]
    for _ in range(length):
        x = (x * w).tanh() + b
    return x


def numpy_chain(x, w, b, length: int):  # type: ignore[no-untyped-def]
    for _ in range(length):
        x = np.tanh(x * w) + b
    return x


def contestants(length: int) -> dict[str, Callable[[], object]]:
    values = [np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6, 0.7]), np.array([0.1, 0.1, 0.2])]
    ours = [wg.tensor(v, requires_grad=True) for v in values]
    ones = wg.ones(3)

    def ours_both() -> None:
        chain(*ours, length).backward(ones)

    found: dict[str, Callable[[], object]] = {
        "numpy forward": lambda: numpy_chain(*values, length),
        "wengert forward": lambda: chain(*ours, length),
        "wengert both": ours_both,
    }
    try:
        import torch
    except ImportError:
        return found
    torch.set_num_threads(1)
    theirs = [torch.tensor(v, requires_grad=True) for v in values]
    torch_ones = torch.ones(3, dtype=torch.float64)

    def torch_both() -> None:
        chain(*theirs, length).backward(torch_ones)

    return found | {"torch forward": lambda: chain(*theirs, length), "torch both": torch_both}


def single() -> dict[str, Callable[[], object]]:
    """One tracked call of each kind of operation, and NumPy's own, on arrays of 3 elements."""
    x, y = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6, 0.7])
    mask = x > 0.15
    tx, ty, tmask = wg.tensor(x, requires_grad=True), wg.tensor(y, requires_grad=True), wg.tensor(mask)
    return {
        "numpy multiply": lambda: x * y,
        "wengert multiply": lambda: tx * ty,
        "numpy tanh": lambda: np.tanh(x),
        "wengert tanh": lambda: tx.tanh(),
        "numpy where": lambda: np.where(mask, x, y),
        "wengert where": lambda: wg.where(tmask, tx, ty),
        "numpy clip": lambda: np.clip(x, 0.15, 0.25),
        "wengert clip": lambda: tx.clip(0.15, 0.25),
        "numpy sum": lambda: x.sum(),
        "wengert sum": lambda: tx.sum(),
    }


def main() -> str:
    """Markdown: time an operation, and the ratio to NumPy's own time for the same ufuncs."""
    rows = []
    for length in (1, 10, 100):
        times = compare(contestants(length))
        base = times["numpy forward"]
        for name, value in times.items():
            rows.append([str(3 * length), name, f"{value / (3 * length) * 1e9:.0f}", f"{value / base:.2f}"])
    chains = table(["operations", "contestant", "ns an operation", "ratio to NumPy"], rows)
    times = compare(single())
    rows = [
        [name, f"{times['numpy ' + name] * 1e9:.0f}", f"{times['wengert ' + name] * 1e9:.0f}"]
        for name in ("multiply", "tanh", "where", "clip", "sum")
    ]
    calls = table(["one call", "ns in NumPy", "ns in Wengert, tracked"], rows)
    return f"## Eager overhead\n\n{chains}\n\n{calls}"


if __name__ == "__main__":
    print(main())
