"""Seeing a graph: as text, as a picture, as a page that plays it, in figures; and why a gradient is missing.

Pictures and the page are written to ``build/``: open ``build/transformer.html`` in a browser and press the space bar.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import wengert as wg
from wengert import nn

BUILD = Path(__file__).resolve().parents[1] / "build"


def neuron(x: wg.Tensor, w: wg.Tensor, b: wg.Tensor) -> wg.Tensor:
    """One neuron: three numbers in, one out."""
    return (w * x + b).relu()


class Block(nn.Module):
    """Attention with one head, and a small network after it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        h = self.norm(x)
        weights = nn.functional.softmax(self.query(h) @ self.key(h).transpose(-1, -2), -1)
        h = x + weights @ self.value(h)
        return h + self.mlp(h)


def cut(x: wg.Tensor) -> wg.Tensor:
    """A mistake that is easy to make: half of the result is detached."""
    scale = x.detach().exp()
    return (scale * 2.0).sum()


def main() -> list[str]:
    """Write the pictures and the page, print the rest; return the paths of the files."""
    BUILD.mkdir(exist_ok=True)
    wg.manual_seed(0)
    print(wg.draw(neuron, 2.0, -3.0, 7.0))
    files = [wg.draw(neuron, 2.0, -3.0, 7.0).render(BUILD / "neuron.svg")]

    model = nn.Sequential(nn.Linear(4, 8), *[Block(8) for _ in range(4)], nn.Linear(8, 1))
    x, y = np.random.default_rng(0).normal(size=(2, 6, 4)), np.zeros((2, 6, 1))

    def loss(x: wg.Tensor) -> wg.Tensor:
        return ((model(x) - y) ** 2).mean()

    files += [wg.draw(loss, x).render(BUILD / "transformer", format=kind) for kind in ("svg", "pdf", "dot")]
    page = wg.explore(loss, x, path=BUILD / "transformer.html")
    print(page)
    print(wg.report(loss, x))
    print(wg.why(loss, x)[0].gradient)
    print(wg.why(cut, np.ones(3)))
    return [*files, page.path]


if __name__ == "__main__":
    main()
