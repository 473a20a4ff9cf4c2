"""A small convolutional network on scikit-learn's 8 x 8 digits."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import wengert as wg
from wengert import nn, optim


def network() -> nn.Sequential:
    """Two convolutions with pooling, then a linear layer: 8 x 8 -> 4 x 4 -> 2 x 2 -> 10."""
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(24 * 4, 10),
    ).to("float32")


def main(epochs: int = 6) -> float:
    """Train; returns the test accuracy."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype("float32").reshape(-1, 1, 8, 8)
    x_train, x_test, y_train, y_test = train_test_split(images, labels, test_size=0.2, random_state=0, stratify=labels)
    rng = np.random.default_rng(0)
    wg.manual_seed(0)
    model = network()
    optimiser = optim.AdamW(model.parameters(), lr=5e-3)
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(x_train))
        for start in range(0, len(order), 64):
            chosen = order[start : start + 64]
            loss = nn.functional.cross_entropy(model(wg.tensor(x_train[chosen])), y_train[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with wg.no_grad():
            accuracy = float(np.mean(model(wg.tensor(x_test)).argmax(axis=1).numpy() == y_test))
        print(f"epoch {epoch}: loss {loss.item():.4f}, test accuracy {accuracy:.2%}")
    return accuracy


if __name__ == "__main__":
    main()
