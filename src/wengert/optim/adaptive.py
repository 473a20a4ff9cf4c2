"""Optimisers with a step of their own for each parameter, by PyTorch's formulas."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError
from wengert.optim.optimizer import Optimizer, State, positive


def _checked(**options: float) -> None:
    for name, value in options.items():
        positive(name, value)


def _checked_betas(betas: tuple[float, float]) -> None:
    if not all(0 <= beta < 1 for beta in betas):
        raise DTypeError(f"betas must lie in [0, 1), not {betas}")


def _decayed(value: np.ndarray, gradient: np.ndarray, group: State) -> np.ndarray:
    """The gradient with that of the weight decay."""
    return gradient + group["weight_decay"] * value if group["weight_decay"] else gradient


def _moments(value: np.ndarray, g: np.ndarray, state: State, group: State) -> tuple[np.ndarray, np.ndarray]:
    """The running means of the gradient and of its square, and one more step on the counter."""
    beta1, beta2 = group["betas"]
    state["step"] = state.get("step", 0) + 1
    mean = state["exp_avg"] = beta1 * state.get("exp_avg", np.zeros_like(value)) + (1 - beta1) * g
    square = state["exp_avg_sq"] = beta2 * state.get("exp_avg_sq", np.zeros_like(value)) + (1 - beta2) * g * g
    return mean, square


class Adamax(Optimizer):
    """Adam with the largest gradient in the place of the root mean square (Kingma and Ba 2015, section 7)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        _checked(lr=lr, eps=eps, weight_decay=weight_decay)
        _checked_betas(betas)
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options)

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        g = _decayed(value, gradient, group)
        beta1, beta2 = group["betas"]
        state["step"] = state.get("step", 0) + 1
        mean = state["exp_avg"] = beta1 * state.get("exp_avg", np.zeros_like(value)) + (1 - beta1) * g
        before = state.get("exp_inf", np.zeros_like(value))
        largest = state["exp_inf"] = np.maximum(beta2 * before, np.abs(g) + group["eps"])
        return value - group["lr"] / (1 - beta1 ** state["step"]) * mean / largest


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat, "Incorporating Nesterov momentum into Adam", 2016)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        _checked(lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        _checked_betas(betas)
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        more = {"momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(params, options | more)

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        g = gradient
        if group["decoupled_weight_decay"]:
            value = value * (1 - lr * group["weight_decay"])
        else:
            g = _decayed(value, gradient, group)
        mean, square = _moments(value, g, state, group)
        step, decay = state["step"], group["momentum_decay"]
        now = beta1 * (1 - 0.5 * 0.96 ** (step * decay))
        following = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * decay))
        product = state["mu_product"] = state.get("mu_product", 1.0) * now
        spread = np.sqrt(square / (1 - beta2**step)) + group["eps"]
        value = value - lr * (1 - now) / (1 - product) * g / spread
        return value - lr * following / (1 - product * following) * mean / spread


class RAdam(Optimizer):
    """Adam whose adaptive step waits until its variance is known (Liu et al., ICLR 2020)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        _checked(lr=lr, eps=eps, weight_decay=weight_decay)
        _checked_betas(betas)
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options | {"decoupled_weight_decay": decoupled_weight_decay})

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        g = gradient
        if group["decoupled_weight_decay"]:
            value = value * (1 - lr * group["weight_decay"])
        else:
            g = _decayed(value, gradient, group)
        mean, square = _moments(value, g, state, group)
        step = state["step"]
        corrected = mean / (1 - beta1**step)
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * step * beta2**step / (1 - beta2**step)
        if length <= 5:
            return value - lr * corrected
        factor = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
        adaptive = math.sqrt(1 - beta2**step) / (np.sqrt(square) + group["eps"])
        moved: np.ndarray = value - lr * math.sqrt(factor) * corrected * adaptive
        return moved


class Adagrad(Optimizer):
    """Gradient divided by the root of the sum of all squares so far (Duchi, Hazan and Singer, JMLR 2011)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        maximize: bool = False,
    ) -> None:
        _checked(lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps)
        _checked(initial_accumulator_value=initial_accumulator_value)
        options = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options | {"initial_accumulator_value": initial_accumulator_value})

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        g = _decayed(value, gradient, group)
        before = state.get("sum", np.full_like(value, group["initial_accumulator_value"]))
        state["step"] = state.get("step", 0) + 1
        total = state["sum"] = before + g * g
        rate = group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"])
        return value - rate * g / (np.sqrt(total) + group["eps"])


class Adadelta(Optimizer):
    """Steps in the units of the parameter: Zeiler, "Adadelta: an adaptive learning rate method", 2012."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        _checked(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        if rho > 1:
            raise DTypeError(f"rho must lie in [0, 1], not {rho}")
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize})

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        g = _decayed(value, gradient, group)
        rho, eps = group["rho"], group["eps"]
        square = state["square_avg"] = rho * state.get("square_avg", np.zeros_like(value)) + (1 - rho) * g * g
        steps = state.get("acc_delta", np.zeros_like(value))
        delta = np.sqrt(steps + eps) / np.sqrt(square + eps) * g
        state["acc_delta"] = rho * steps + (1 - rho) * delta * delta
        return value - group["lr"] * delta


class Rprop(Optimizer):
    """Steps from the sign of the gradient only, for whole batches: Riedmiller and Braun, ICNN 1993."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        maximize: bool = False,
    ) -> None:
        _checked(lr=lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise DTypeError(f"etas must be one below 1 and one above, not {etas}")
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        agreement = np.sign(gradient * state.get("prev", np.zeros_like(value)))
        shrink, grow = group["etas"]
        factor = np.where(agreement > 0, grow, np.where(agreement < 0, shrink, 1)).astype(value.dtype)
        sizes = state.get("step_size", np.full_like(value, group["lr"]))
        sizes = state["step_size"] = np.clip(sizes * factor, *group["step_sizes"])
        # Where the sign turned, the parameter waits, and the next step counts as the first.
        g = state["prev"] = np.where(agreement < 0, 0, gradient).astype(value.dtype)
        return value - np.sign(g) * sizes


class ASGD(Optimizer):
    """Averaged gradient descent: Polyak and Juditsky 1992. The average is ``state[...]["ax"]``."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        _checked(lr=lr, lambd=lambd, weight_decay=weight_decay)
        options = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay}
        super().__init__(params, options | {"maximize": maximize})

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        g = _decayed(value, gradient, group)
        lr, lambd = group["lr"], group["lambd"]
        eta, mu = state.get("eta", lr), state.get("mu", 1.0)
        step = state["step"] = state.get("step", 0) + 1
        moved = value * (1 - lambd * eta) - eta * g
        average = state.get("ax", np.zeros_like(value))
        state["ax"] = moved if mu == 1 else average + (moved - average) * mu
        state["eta"] = lr / (1 + lambd * lr * step) ** group["alpha"]
        state["mu"] = 1 / max(1.0, step - group["t0"])
        return moved
