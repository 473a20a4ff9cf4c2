"""Schedules of the learning rate: call ``step()`` after each epoch (or batch)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from wengert.optim.optimizer import Optimizer


class Scheduler:
    """Base class: subclasses give the factor by which the initial rate is multiplied at an epoch."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lrs = [group["lr"] for group in optimizer.param_groups]
        self.epoch = 0
        self._set()

    def factor(self, epoch: int) -> float:
        raise NotImplementedError

    def step(self) -> None:
        """Go on to the next epoch."""
        self.epoch += 1
        self._set()

    def _set(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = base * self.factor(self.epoch)

    def get_last_lr(self) -> list[float]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch, self.base_lrs = state["epoch"], list(state["base_lrs"])
        self._set()


class LambdaLR(Scheduler):
    """The factor is any function of the epoch."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        return self.lr_lambda(epoch)


class StepLR(Scheduler):
    """Multiply by ``gamma`` every ``step_size`` epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        return float(self.gamma ** (epoch // self.step_size))


class MultiStepLR(Scheduler):
    """Multiply by ``gamma`` at each milestone."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        return float(self.gamma ** sum(epoch >= milestone for milestone in self.milestones))


class ExponentialLR(Scheduler):
    """Multiply by ``gamma`` every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        return float(self.gamma**epoch)


class CosineAnnealingLR(Scheduler):
    """From the initial rate to ``eta_min`` (a fraction of it) along half a cosine of ``T_max`` epochs."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.period, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        return self.eta_min + (1 - self.eta_min) * (1 + math.cos(math.pi * epoch / self.period)) / 2
