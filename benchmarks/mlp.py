"""A training step of the demo's network (64-128-128-10, batch 128, float32, Adam), against PyTorch eager."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

import wengert as wg
from benchmarks.harness import compare, table
from wengert import nn, optim

SIZES = [64, 128, 128, 10]


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((128, 64), dtype=np.float32), rng.integers(0, 10, 128)


def ours() -> tuple[Callable[[], object], Callable[[], object]]:
    """One whole step, and the loss with its gradient alone."""
    layers: list[nn.Module] = []
    for n, m in itertools.pairwise(SIZES):
        layers += [nn.Linear(n, m), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).to("float32")
    optimiser = optim.Adam(model.parameters())
    x, y = data()
    images, labels = wg.tensor(x), wg.tensor(y)

    def gradient() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()

    def step() -> None:
        gradient()
        optimiser.step()

    return step, gradient


def theirs() -> tuple[Callable[[], object], Callable[[], object]]:
    import torch

    torch.set_num_threads(1)
    layers = []
    for n, m in itertools.pairwise(SIZES):
        layers += [torch.nn.Linear(n, m), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimiser = torch.optim.Adam(model.parameters())
    x, y = data()
    images, labels = torch.from_numpy(x), torch.from_numpy(y)

    def gradient() -> None:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()

    def step() -> None:
        gradient()
        optimiser.step()

    return step, gradient


def main() -> str:
    """Markdown: microseconds a step, and the ratio to PyTorch."""
    step, gradient = ours()
    contestants = {"wengert step": step, "wengert loss and gradient": gradient}
    try:
        torch_step, torch_gradient = theirs()
        contestants |= {"torch step": torch_step, "torch loss and gradient": torch_gradient}
    except ImportError:
        pass
    times = compare(contestants, rounds=15, budget=0.1)
    rows = []
    for name, value in times.items():
        peer = times.get(name.replace("wengert", "torch"))
        rows.append([name, f"{value * 1e6:.0f}", f"{value / peer:.2f}" if peer else ""])
    return "## Training step of the demo's network, one thread\n\n" + table(["", "us", "ratio to PyTorch"], rows)


if __name__ == "__main__":
    print(main())
