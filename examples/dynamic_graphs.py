"""Networks whose graph differs from one input to the next: sequences of any length, and trees.

The graph is built as ordinary Python runs, so a ``for`` loop over a sequence or a walk over a tree is all there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import wengert as wg
from wengert import nn, optim


class LastSign(nn.Module):
    """Reads a sequence of any length with a recurrent cell and tells whether its sum is positive."""

    def __init__(self, hidden: int = 12) -> None:
        super().__init__()
        self.cell = nn.GRUCell(1, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, sequence: np.ndarray) -> wg.Tensor:
        state = self.cell.start(wg.zeros((1, 1)))
        for number in sequence:
            state = self.cell(wg.full((1, 1), float(number)), state)
        return self.out(state).reshape(())


@dataclass(frozen=True)
class Tree:
    """A binary expression: a number, or two trees joined by + or *."""

    value: float = 0.0
    operator: str = ""
    left: Tree | None = None
    right: Tree | None = None

    def evaluate(self) -> float:
        if self.left is None or self.right is None:
            return self.value
        a, b = self.left.evaluate(), self.right.evaluate()
        return a + b if self.operator == "+" else a * b


class TreeNetwork(nn.Module):
    """Computes a vector for each subtree from those of its children; learns to tell the sign of the whole."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.leaf = nn.Linear(1, width)
        self.join = nn.ModuleDict({"+": nn.Linear(2 * width, width), "*": nn.Linear(2 * width, width)})
        self.out = nn.Linear(width, 1)

    def encode(self, tree: Tree) -> wg.Tensor:
        if tree.left is None or tree.right is None:
            return self.leaf(wg.tensor([tree.value])).tanh()
        both = wg.concatenate([self.encode(tree.left), self.encode(tree.right)])
        return self.join[tree.operator](both).tanh()

    def forward(self, tree: Tree) -> wg.Tensor:
        return self.out(self.encode(tree)).reshape(())


def random_tree(rng: np.random.Generator, depth: int) -> Tree:
    if depth == 0 or rng.random() < 0.2:
        return Tree(value=float(rng.choice([-1.0, 1.0])))
    return Tree(
        operator=str(rng.choice(["+", "*"])), left=random_tree(rng, depth - 1), right=random_tree(rng, depth - 1)
    )


def fit(
    model: nn.Module, examples: list, labels: list[float], steps: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Train on single examples gathered in batches of 16; returns the mean loss of the first and the last 10 steps."""
    optimiser = optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        chosen = rng.integers(len(examples), size=16)
        logits = wg.stack([model(examples[i]) for i in chosen])
        loss = nn.functional.binary_cross_entropy_with_logits(logits, wg.tensor([labels[i] for i in chosen]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return float(np.mean(losses[:10])), float(np.mean(losses[-10:]))


def main(steps: int = 120) -> dict[str, tuple[float, float]]:
    """Train both networks; returns the mean loss at the start and at the end of each."""
    rng = np.random.default_rng(0)
    wg.manual_seed(0)
    sequences = [rng.normal(size=rng.integers(2, 12)) for _ in range(300)]
    trees = [random_tree(rng, 4) for _ in range(300)]
    results = {
        "sequences": fit(LastSign(), sequences, [float(s.sum() > 0) for s in sequences], steps, rng),
        "trees": fit(TreeNetwork(), trees, [float(t.evaluate() > 0) for t in trees], steps, rng),
    }
    for name, (first, last) in results.items():
        print(f"{name}: loss {first:.3f} at the start, {last:.3f} at the end")
    return results


if __name__ == "__main__":
    main()
