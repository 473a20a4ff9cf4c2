"""Activations as modules."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.nn import functional
from wengert.nn.module import Module


class _Activation(Module):
    """Applies one function; its options are the constructor's keyword arguments."""

    #: Name of the function in ``functional``, and its options with their defaults.
    function: ClassVar[str]
    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        options = dict(zip(self.defaults, args, strict=False), **kwargs)
        unknown = set(options) - set(self.defaults)
        if unknown or len(args) > len(self.defaults):
            raise TypeError(f"{type(self).__name__} takes {list(self.defaults)}, not {args} {kwargs}")
        self.options = self.defaults | options

    def forward(self, x: Any) -> Any:
        return getattr(functional, self.function)(x, **self.options)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.options.items())


class ReLU(_Activation):
    """max(0, x), with derivative 0 at 0."""

    function = "relu"


class LeakyReLU(_Activation):
    """x where positive, ``negative_slope`` * x elsewhere."""

    function = "leaky_relu"
    defaults = {"negative_slope": 0.01}


class ELU(_Activation):
    """x where positive, ``alpha`` * (exp(x) - 1) elsewhere."""

    function = "elu"
    defaults = {"alpha": 1.0}


class SELU(_Activation):
    """The self-normalising exponential unit."""

    function = "selu"


class GELU(_Activation):
    """x times the normal distribution function; ``approximate="tanh"`` for the usual approximation."""

    function = "gelu"
    defaults = {"approximate": "none"}


class SiLU(_Activation):
    """x times its sigmoid."""

    function = "silu"


class Mish(_Activation):
    """x tanh(softplus(x))."""

    function = "mish"


class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    function = "sigmoid"


class Tanh(_Activation):
    """Hyperbolic tangent."""

    function = "tanh"


class Softplus(_Activation):
    """log(1 + exp(x))."""

    function = "softplus"
    defaults = {"beta": 1.0, "threshold": 20.0}


class Hardtanh(_Activation):
    """x, held between ``min_val`` and ``max_val``."""

    function = "hardtanh"
    defaults = {"min_val": -1.0, "max_val": 1.0}


class ReLU6(_Activation):
    """x, held between 0 and 6."""

    function = "relu6"


class CELU(_Activation):
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""

    function = "celu"
    defaults = {"alpha": 1.0}


class LogSigmoid(_Activation):
    """log(1 / (1 + exp(-x)))."""

    function = "logsigmoid"


class Hardsigmoid(_Activation):
    """x / 6 + 1/2, held between 0 and 1."""

    function = "hardsigmoid"


class Hardswish(_Activation):
    """x times its hard sigmoid."""

    function = "hardswish"


class Hardshrink(_Activation):
    """x where its size exceeds ``lambd``, 0 elsewhere."""

    function = "hardshrink"
    defaults = {"lambd": 0.5}


class Softshrink(_Activation):
    """x, moved towards 0 by ``lambd``."""

    function = "softshrink"
    defaults = {"lambd": 0.5}


class Softsign(_Activation):
    """x / (1 + abs(x))."""

    function = "softsign"


class Tanhshrink(_Activation):
    """x - tanh(x)."""

    function = "tanhshrink"


class Softmax(_Activation):
    """exp(x) divided by its sum along ``dim``."""

    function = "softmax"
    defaults = {"axis": -1}

    def __init__(self, dim: int = -1) -> None:
        super().__init__(axis=dim)


class LogSoftmax(Softmax):
    """The logarithm of softmax along ``dim``."""

    function = "log_softmax"


class Softmin(Softmax):
    """Softmax of -x along ``dim``."""

    function = "softmin"
