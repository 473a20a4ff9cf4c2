"""Adam and AdamW."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError
from wengert.optim.optimizer import Optimizer, State, positive


class Adam(Optimizer):
    """Adaptive moments with bias correction; ``weight_decay`` is added to the gradient.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        for name, value in (("lr", lr), ("eps", eps), ("weight_decay", weight_decay)):
            positive(name, value)
        if not all(0 <= beta < 1 for beta in betas):
            raise DTypeError(f"betas must lie in [0, 1), not {betas}")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
            },
        )

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        g = gradient
        if group["weight_decay"]:
            if self.decoupled:
                value = value * (1 - lr * group["weight_decay"])
            else:
                g = g + group["weight_decay"] * value
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(value), exp_avg_sq=np.zeros(value.shape, np.abs(value).dtype))
        state["step"] += 1
        step, mean, square = state["step"], state["exp_avg"], state["exp_avg_sq"]
        mean *= beta1
        mean += (1 - beta1) * g
        square *= beta2
        scratch = np.square(np.abs(g)) if g.dtype.kind == "c" else np.square(g)
        scratch *= 1 - beta2
        square += scratch
        second = square
        if group["amsgrad"]:
            before: Any = state.get("max_exp_avg_sq", square)
            second = state["max_exp_avg_sq"] = np.maximum(before, square)
        # The two bias corrections as one factor of the step and one of the denominator.
        np.sqrt(second, out=scratch)
        scratch *= 1 / math.sqrt(1 - beta2**step)
        scratch += group["eps"]
        moved = np.divide(mean, scratch)
        moved *= -lr / (1 - beta1**step)
        moved += value
        return moved


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: Loshchilov and Hutter, ICLR 2019."""

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize)
