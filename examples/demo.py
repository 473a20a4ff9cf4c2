"""Train a network on the handwritten digits of scikit-learn, and look at the graph that trains it.

Run with ``make demo``, or ``python examples/demo.py``. Takes a few seconds on two cores and downloads nothing.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import wengert as wg
from wengert import nn, optim

BUILD = Path(__file__).resolve().parent.parent / "build"


class Digits(nn.Module):
    """A multilayer perceptron 64-128-128-10."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.ModuleList([nn.Linear(64, 128), nn.Linear(128, 128)])
        self.out = nn.Linear(128, 10)

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        for layer in self.hidden:
            x = layer(x).relu()
        return self.out(x)


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and test images, scaled to [0, 1], and their labels."""
    images, labels = load_digits(return_X_y=True)
    return train_test_split((images / 16).astype("float32"), labels, test_size=0.2, random_state=0, stratify=labels)


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    with wg.no_grad():
        return float(np.mean(model(images).argmax(axis=1).numpy() == labels))


def train(model: nn.Module, epochs: int, batch: int, progress: Progress) -> list[tuple[int, float, float]]:
    """AdamW on mini-batches; returns epoch, mean training loss and test accuracy."""
    x_train, x_test, y_train, y_test = data()
    optimiser = optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.1)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs)
    rng = np.random.default_rng(0)
    history = []
    task = progress.add_task("training", total=epochs, loss=float("nan"), accuracy=0.0)
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(x_train))
        losses = []
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(x_train[chosen]), y_train[chosen])
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        schedule.step()
        history.append((epoch, float(np.mean(losses)), accuracy(model, x_test, y_test)))
        progress.update(task, advance=1, loss=history[-1][1], accuracy=history[-1][2])
    return history


def time_of(function: object, repeats: int = 30) -> float:
    """Median seconds of a call."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()  # type: ignore[operator]
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def check_gradient() -> str:
    """Compare a small double-precision copy of the network with central differences, entry by entry."""
    wg.manual_seed(1)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    images, labels = wg.randn(4, 6), np.array([0, 2, 1, 1])
    parameters = dict(model.named_parameters())

    def loss(*values: wg.Tensor) -> wg.Tensor:
        output = nn.functional_call(model, dict(zip(parameters, values, strict=True)), images)
        return nn.functional.cross_entropy(output, labels)

    point = [p.detach().requires_grad_() for p in parameters.values()]
    wg.autograd.gradcheck(loss, point)
    wg.autograd.gradgradcheck(loss, point)
    return f"first and second derivatives agree with differences in all {sum(p.size for p in point)} parameters"


def report(model: nn.Module, console: Console) -> None:
    """Print what the graph of one step holds and costs, and write its text to the build folder."""
    x_train, _, y_train, _ = data()
    images, labels = wg.tensor(x_train[:128]), y_train[:128]

    def forward() -> wg.Tensor:
        return nn.functional.cross_entropy(model(images), labels)

    loss = forward()
    graph = wg.graph_of(loss)
    kept = wg.ledger(loss)
    both = time_of(lambda: forward().backward())
    ahead = time_of(forward)
    (BUILD / "graph.txt").write_text(graph.text(limit=200) + "\n")
    (BUILD / "ledger.txt").write_text(str(kept) + "\n")
    console.print(f"graph of the loss    {len(graph)} nodes, {graph.edges} edges, depth {graph.depth}")
    console.print(f"kept for backward    {kept.total:,} bytes for a batch of 128")
    console.print(f"gradient check       {check_gradient()}")
    console.print(f"forward              {ahead * 1e3:.2f} ms")
    console.print(f"forward + backward   {both * 1e3:.2f} ms ({both / ahead:.1f} times forward)")


def main(epochs: int = 30, batch: int = 128) -> float:
    """Train, report, save; returns the test accuracy."""
    BUILD.mkdir(exist_ok=True)
    console = Console()
    wg.manual_seed(0)
    model = Digits().to("float32")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  test accuracy {task.fields[accuracy]:.2%}"),
    )
    start = time.perf_counter()
    try:
        with Progress(*columns, console=console) as progress:
            history = train(model, epochs, batch, progress)
    except KeyboardInterrupt:
        console.print("stopped; nothing was written")
        raise SystemExit(130) from None
    seconds = time.perf_counter() - start
    final = history[-1][2]
    console.print(f"test accuracy        {final:.2%} after {seconds:.1f} s")
    report(model, console)
    nn.save_file(model.state_dict(), BUILD / "digits.safetensors")
    with (BUILD / "history.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "loss", "test_accuracy"])
        writer.writerows(history)
    for name, what in (
        ("digits.safetensors", "the trained parameters"),
        ("history.csv", "loss and accuracy by epoch"),
        ("graph.txt", "the loss graph, one node a line"),
        ("ledger.txt", "every array kept for the backward pass"),
    ):
        console.print(f"build/{name:19} {what}")
    return final


if __name__ == "__main__":
    main()
