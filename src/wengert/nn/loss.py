"""Losses as modules."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.core.tensor import Tensor
from wengert.nn import functional
from wengert.nn.module import Module


class _Loss(Module):
    """Calls one function of ``functional`` with the options that the constructor was given."""

    function: ClassVar[str]

    def __init__(self, reduction: str = "mean", **options: Any) -> None:
        super().__init__()
        self.options = {"reduction": reduction, **options}

    def forward(self, input: Any, target: Any) -> Tensor:
        loss: Tensor = getattr(functional, self.function)(input, target, **self.options)
        return loss

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items() if value is not None)


class MSELoss(_Loss):
    """Squared error."""

    function = "mse_loss"


class L1Loss(_Loss):
    """Absolute error."""

    function = "l1_loss"


class HuberLoss(_Loss):
    """Quadratic near zero, linear beyond ``delta``."""

    function = "huber_loss"

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction, delta=delta)


class CrossEntropyLoss(_Loss):
    """Cross-entropy from logits; targets are class indices or probabilities."""

    function = "cross_entropy"

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction, weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing)


class NLLLoss(_Loss):
    """Minus the log-probability of the target class."""

    function = "nll_loss"

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction, weight=weight, ignore_index=ignore_index)


class BCEWithLogitsLoss(_Loss):
    """Cross-entropy of a Bernoulli variable from its logit."""

    function = "binary_cross_entropy_with_logits"

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction, weight=weight, pos_weight=pos_weight)


class BCELoss(_Loss):
    """Cross-entropy of a Bernoulli variable from its probability."""

    function = "binary_cross_entropy"

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction, weight=weight)
