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

    def forward(self, *inputs: Any) -> Tensor:
        loss: Tensor = getattr(functional, self.function)(*inputs, **self.options)
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


class SmoothL1Loss(_Loss):
    """Huber's loss divided by ``beta``."""

    function = "smooth_l1_loss"

    def __init__(self, beta: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction, beta=beta)


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence of the target from exp(input)."""

    function = "kl_div"

    def __init__(self, log_target: bool = False, reduction: str = "mean") -> None:
        super().__init__(reduction, log_target=log_target)


class PoissonNLLLoss(_Loss):
    """Minus the log-probability of counts."""

    function = "poisson_nll_loss"

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(reduction, log_input=log_input, full=full, eps=eps)


class GaussianNLLLoss(_Loss):
    """Minus the log-density of a normal variable: (input, target, var)."""

    function = "gaussian_nll_loss"

    def __init__(self, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction, full=full, eps=eps)


class MarginRankingLoss(_Loss):
    """Which of two inputs should be larger: (x1, x2, target)."""

    function = "margin_ranking_loss"

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction, margin=margin)


class HingeEmbeddingLoss(_Loss):
    """Distances that should be small (target 1) or large (-1)."""

    function = "hinge_embedding_loss"

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction, margin=margin)


class SoftMarginLoss(_Loss):
    """Logistic loss for targets 1 and -1."""

    function = "soft_margin_loss"


class CosineEmbeddingLoss(_Loss):
    """Directions that should agree (target 1) or not (-1): (x1, x2, target)."""

    function = "cosine_embedding_loss"

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction, margin=margin)


class TripletMarginLoss(_Loss):
    """The anchor should be nearer to the positive than to the negative: (anchor, positive, negative)."""

    function = "triplet_margin_loss"

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction, margin=margin, p=p, eps=eps, swap=swap)


class MultiMarginLoss(_Loss):
    """The hinge loss of several classes."""

    function = "multi_margin_loss"

    def __init__(self, p: int = 1, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction, p=p, margin=margin)
