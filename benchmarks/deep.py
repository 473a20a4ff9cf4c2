"""100 layers of width 1,000, batch 32, float32: how long the backward pass takes against the forward pass.

A matrix product forward has two backward (towards the input and towards the weight), so the backward pass of a network
of matrix products does twice the arithmetic of the forward pass, and the whole three times.
"""

from __future__ import annotations

import numpy as np

import wengert as wg
from benchmarks.harness import compare, table
from wengert import nn

LAYERS, WIDTH, BATCH = 100, 1000, 32


def products(x: wg.Tensor) -> float:
    """Time of the products g W and g^T x over that of x W^T, all three into arrays that exist."""
    rows = x.numpy()
    weight = np.ones((WIDTH, WIDTH), np.float32)
    small, large = np.empty_like(rows), np.empty_like(weight)

    def ahead() -> None:
        np.matmul(rows, weight.T, out=small)

    def back() -> None:
        np.matmul(rows, weight, out=small)
        np.matmul(rows.T, rows, out=large)

    times = compare({"ahead": ahead, "back": back}, rounds=5)
    return times["back"] / times["ahead"]


def main() -> str:
    """Markdown: forward, backward and the ratio."""
    rng = np.random.default_rng(0)
    scale = np.float32(1 / np.sqrt(WIDTH))
    values = [rng.standard_normal((WIDTH, WIDTH), dtype="f4") * scale for _ in range(LAYERS)]
    weights = [wg.tensor(value, requires_grad=True) for value in values]
    x = wg.tensor(rng.standard_normal((BATCH, WIDTH), dtype="f4"))

    def forward() -> wg.Tensor:
        h = x
        for w in weights:
            h = nn.functional.linear(h, w).tanh()
        return h.sum()

    def both() -> None:
        for w in weights:
            w.grad = None
        forward().backward()

    times = compare({"forward": forward, "forward and backward": both}, rounds=5, budget=0.2)
    ahead, total = times["forward"], times["forward and backward"]
    rows = [
        ["forward", f"{ahead * 1e3:.1f}", "1.00"],
        ["backward", f"{(total - ahead) * 1e3:.1f}", f"{(total - ahead) / ahead:.2f}"],
        ["both", f"{total * 1e3:.1f}", f"{total / ahead:.2f}"],
    ]
    return (
        "## 100 layers of width 1,000, batch 32, float32\n\n"
        + table(["", "ms", "ratio to forward"], rows)
        + "\n\nThe two products of a layer's backward pass alone, into memory that is there already, take "
        f"{products(x):.2f} times the forward product. The rest is "
        "the operating system handing out fresh pages for 100 weight gradients "
        "of 4 MB in every pass."
    )


if __name__ == "__main__":
    print(main())
