"""Stochastic gradient descent and its adaptive relatives with one accumulator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError
from wengert.optim.optimizer import Optimizer, State, positive


class SGD(Optimizer):
    """Gradient descent with momentum, Nesterov's variant and weight decay, as in PyTorch.

    v <- momentum v + (1 - dampening) g;  p <- p - lr v  (Nesterov: p - lr (g + momentum v)); the first v is g.
    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        for name, value in (("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            positive(name, value)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise DTypeError("Nesterov momentum needs a momentum above zero and no dampening")
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        g = gradient
        if group["weight_decay"]:
            g = g + group["weight_decay"] * value
        if group["momentum"]:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                velocity = state["momentum_buffer"] = g.copy()
            else:
                velocity *= group["momentum"]
                velocity += g if not group["dampening"] else (1 - group["dampening"]) * g
            g = g + group["momentum"] * velocity if group["nesterov"] else velocity
        moved = np.multiply(g, -group["lr"])
        moved += value
        return moved


class RMSprop(Optimizer):
    """Gradient divided by a running root mean square (Tieleman and Hinton 2012), as in PyTorch."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        for name, value in (("lr", lr), ("alpha", alpha), ("eps", eps), ("momentum", momentum)):
            positive(name, value)
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
        )

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        g = gradient + group["weight_decay"] * value if group["weight_decay"] else gradient
        alpha = group["alpha"]
        square = state.setdefault("square_avg", np.zeros_like(value))
        square *= alpha
        square += (1 - alpha) * np.square(g)
        spread = square
        if group["centered"]:
            mean = state.setdefault("grad_avg", np.zeros_like(value))
            mean *= alpha
            mean += (1 - alpha) * g
            spread = square - np.square(mean)
        step = g / (np.sqrt(spread) + group["eps"])
        if group["momentum"]:
            velocity = state.setdefault("momentum_buffer", np.zeros_like(value))
            velocity *= group["momentum"]
            velocity += step
            step = velocity
        return value - group["lr"] * step
