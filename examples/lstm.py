"""An LSTM that learns to continue a sum of sine waves."""

from __future__ import annotations

import numpy as np

import wengert as wg
from wengert import nn, optim


class Forecast(nn.Module):
    """One LSTM layer and a linear read-out of the next value at every step."""

    def __init__(self, hidden: int = 24) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        states, _ = self.lstm(x)
        return self.out(states)


def waves(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    """``count`` sums of two sine waves with random phases, (count, length, 1) in float32."""
    t = np.arange(length) * 0.25
    phase = rng.uniform(0, 2 * np.pi, (2, count, 1))
    return (0.5 * np.sin(t + phase[0]) + 0.5 * np.sin(1.7 * t + phase[1]))[..., None].astype("float32")


def main(steps: int = 150) -> tuple[float, float]:
    """Train; returns the mean squared error of the network on unseen waves, and that of predicting no change."""
    rng = np.random.default_rng(0)
    wg.manual_seed(0)
    model = Forecast().to("float32")
    optimiser = optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        batch = waves(rng, 16, 25)
        loss = nn.functional.mse_loss(model(wg.tensor(batch[:, :-1])), batch[:, 1:])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    test = waves(rng, 64, 25)
    with wg.no_grad():
        error = nn.functional.mse_loss(model(wg.tensor(test[:, :-1])), test[:, 1:]).item()
    naive = float(np.mean((test[:, 1:] - test[:, :-1]) ** 2))
    print(f"mean squared error {error:.5f}; predicting no change gives {naive:.5f}")
    return error, naive


if __name__ == "__main__":
    main()
