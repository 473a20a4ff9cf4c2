"""Schedules of the learning rate: call ``step()`` after each epoch (or batch)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from wengert.core.errors import DTypeError, StateError
from wengert.optim.optimizer import Optimizer


class Scheduler:
    """Base class: subclasses give the factor by which the initial rate is multiplied at an epoch, or, where that is not
    how the rate is said, ``rate`` itself."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lrs = [group["lr"] for group in optimizer.param_groups]
        self.epoch = 0
        self._set()

    def factor(self, epoch: int) -> float:
        """What the first learning rates are multiplied by at an epoch."""
        raise NotImplementedError

    def rate(self, base: float, epoch: int) -> float:
        """The rate at an epoch of a group whose initial rate is ``base``."""
        return base * self.factor(epoch)

    def step(self) -> None:
        """Go on to the next epoch."""
        self.epoch += 1
        self._set()

    def _set(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = self.rate(base, self.epoch)

    def get_last_lr(self) -> list[float]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on from here."""
        return {"epoch": self.epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another scheduler was."""
        self.epoch, self.base_lrs = state["epoch"], list(state["base_lrs"])
        self._set()


class LambdaLR(Scheduler):
    """The factor is any function of the epoch; or a list of functions, one for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Any]) -> None:
        groups = len(optimizer.param_groups)
        self.lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lambdas) != groups:
            raise DTypeError(f"{type(self).__name__}: {len(self.lambdas)} functions for {groups} parameter groups")
        super().__init__(optimizer)

    def _set(self) -> None:
        for group, base, function in zip(self.optimizer.param_groups, self.base_lrs, self.lambdas, strict=True):
            group["lr"] = base * function(self.epoch)


class MultiplicativeLR(LambdaLR):
    """At each epoch the rate is multiplied by a function of the epoch."""

    def _set(self) -> None:
        for group, base, function in zip(self.optimizer.param_groups, self.base_lrs, self.lambdas, strict=True):
            group["lr"] = base * math.prod(function(epoch) for epoch in range(1, self.epoch + 1))


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


class ConstantLR(Scheduler):
    """The rate times ``factor`` for the first ``total_iters`` epochs."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5) -> None:
        self.first, self.total_iters = factor, total_iters
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        return self.first if epoch < self.total_iters else 1.0


class LinearLR(Scheduler):
    """The factor goes from ``start_factor`` to ``end_factor`` in a straight line of ``total_iters`` epochs."""

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        self.ends, self.total_iters = (start_factor, end_factor), total_iters
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        start, end = self.ends
        return start + (end - start) * min(epoch, self.total_iters) / self.total_iters


class PolynomialLR(Scheduler):
    """(1 - epoch / total_iters) ** power, then zero."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer)

    def factor(self, epoch: int) -> float:
        return float((1 - min(epoch, self.total_iters) / self.total_iters) ** self.power)


def _cosine(low: float, high: float, part: float) -> float:
    """From ``high`` to ``low`` along half a cosine, at a part of the way."""
    return low + (high - low) * (1 + math.cos(math.pi * part)) / 2


class CosineAnnealingLR(Scheduler):
    """From the initial rate to ``eta_min`` (a rate) along half a cosine of ``T_max`` epochs."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.period, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:
        return _cosine(self.eta_min, base, epoch / self.period)


class CosineAnnealingWarmRestarts(Scheduler):
    """Half cosines one after the other, each ``T_mult`` times as long as the one before: Loshchilov and Hutter,
    "SGDR: stochastic gradient descent with warm restarts", ICLR 2017."""

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> None:
        if T_0 < 1 or T_mult < 1:
            raise DTypeError(f"T_0 and T_mult must be at least 1, not {T_0} and {T_mult}")
        self.first, self.growth, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:
        length = self.first
        while epoch >= length:
            epoch -= length
            length *= self.growth
        return _cosine(self.eta_min, base, epoch / length)


class OneCycleLR(Scheduler):
    """Up to ``max_lr`` and down again within ``total_steps`` steps: Smith and Topin, "Super-convergence", 2018.

    The rate starts at ``max_lr / div_factor``, peaks after ``pct_start`` of the steps, and ends at the start divided by
    ``final_div_factor``. Momentum is left as it is.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise DTypeError(f"anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}")
        self.peak, self.total, self.cosine = max_lr, total_steps, anneal_strategy == "cos"
        self.turn = pct_start * total_steps - 1
        self.start = max_lr / div_factor
        self.end = self.start / final_div_factor
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:
        if epoch >= self.total:
            raise StateError(f"OneCycleLR: step {epoch} of a schedule of {self.total} steps")
        first = epoch <= self.turn
        left, right = (self.start, self.peak) if first else (self.peak, self.end)
        part = epoch / self.turn if first else (epoch - self.turn) / (self.total - 1 - self.turn)
        return _cosine(right, left, part) if self.cosine else left + (right - left) * part


class CyclicLR(Scheduler):
    """Between two rates in straight lines, up in ``step_size_up`` steps and down in ``step_size_down``; the height
    is halved each cycle ("triangular2") or shrinks by ``gamma`` each step ("exp_range"). Smith, WACV 2017."""

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float,
        max_lr: float,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
    ) -> None:
        if mode not in ("triangular", "triangular2", "exp_range"):
            raise DTypeError(f"mode must be 'triangular', 'triangular2' or 'exp_range', not {mode!r}")
        self.low, self.high, self.mode, self.gamma = base_lr, max_lr, mode, gamma
        self.up, self.down = step_size_up, step_size_up if step_size_down is None else step_size_down
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:
        cycle, place = divmod(epoch, self.up + self.down)
        height = place / self.up if place <= self.up else (self.up + self.down - place) / self.down
        shrink = {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": self.gamma**epoch}[self.mode]
        return self.low + (self.high - self.low) * height * shrink


class SequentialLR(Scheduler):
    """One schedule after the other: ``schedulers[i + 1]`` starts, from its own beginning, at ``milestones[i]``."""

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[Scheduler], milestones: Sequence[int]) -> None:
        if len(milestones) != len(schedulers) - 1:
            raise DTypeError(f"SequentialLR: {len(schedulers)} schedules need {len(schedulers) - 1} milestones")
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        self.optimizer, self.epoch = optimizer, 0
        # Each of the others has set the rate when it was made.
        self.base_lrs = list(schedulers[0].base_lrs)
        for schedule in schedulers:
            schedule.base_lrs = list(self.base_lrs)
        self._set()

    def _set(self) -> None:
        number = sum(self.epoch >= milestone for milestone in self.milestones)
        schedule = self.schedulers[number]
        schedule.epoch = self.epoch - (self.milestones[number - 1] if number else 0)
        schedule._set()


class ChainedScheduler(Scheduler):
    """Several schedules at once: their factors are multiplied."""

    def __init__(self, schedulers: Sequence[Scheduler], optimizer: Optimizer | None = None) -> None:
        self.schedulers = list(schedulers)
        self.optimizer = schedulers[0].optimizer if optimizer is None else optimizer
        self.epoch, self.base_lrs = 0, list(schedulers[0].base_lrs)
        for schedule in schedulers:
            schedule.base_lrs = list(self.base_lrs)
        self._set()

    def rate(self, base: float, epoch: int) -> float:
        return base * math.prod(schedule.rate(base, epoch) / base for schedule in self.schedulers)


class ReduceLROnPlateau:
    """Multiply the rate by ``factor`` when a measured quantity has not got better for more than ``patience`` epochs.

    ``step(metrics)`` takes the quantity; ``mode`` says whether less ("min") or more ("max") is better, by at least
    ``threshold`` (a part of the best value, or an amount with ``threshold_mode="abs"``).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs") or factor >= 1:
            raise DTypeError("ReduceLROnPlateau: mode is 'min' or 'max', threshold_mode 'rel' or 'abs', factor below 1")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.relative = threshold, threshold_mode == "rel"
        self.cooldown, self.min_lr, self.eps = cooldown, min_lr, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.bad_epochs = self.resting = 0

    def step(self, metrics: Any) -> None:
        """Look at the quantity of this epoch."""
        value = float(metrics)
        margin = self.threshold * (abs(self.best) if self.relative and math.isfinite(self.best) else 1.0)
        better = value < self.best - margin if self.mode == "min" else value > self.best + margin
        self.best = value if better else self.best
        self.bad_epochs = 0 if better else self.bad_epochs + 1
        if self.resting > 0:
            self.resting -= 1
            self.bad_epochs = 0
        if self.bad_epochs > self.patience:
            for group in self.optimizer.param_groups:
                new = max(group["lr"] * self.factor, self.min_lr)
                if group["lr"] - new > self.eps:
                    group["lr"] = new
            self.resting, self.bad_epochs = self.cooldown, 0

    def get_last_lr(self) -> list[float]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on from here."""
        return {"best": self.best, "bad_epochs": self.bad_epochs, "resting": self.resting}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another scheduler was."""
        self.best, self.bad_epochs, self.resting = state["best"], state["bad_epochs"], state["resting"]
