"""Activation functions, stable for arguments of any size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import DTypeError
from wengert.core.lazy import LazyModule
from wengert.core.tensor import Tensor
from wengert.core.types import Array
from wengert.ops.families import Elementwise
from wengert.ops.protocol import operator

special: Any = LazyModule("scipy.special")


class Sigmoid(Elementwise):
    """1 / (1 + exp(-x))."""

    def value(self, x: Any) -> Any:
        return special.expit(x)

    def partial_x(self, out: Array) -> Array:
        return out * (1 - out)


class Relu(Elementwise):
    """max(0, x), with derivative 0 at 0; NaN stays NaN."""

    idempotent = True

    def value(self, x: Any) -> Any:
        return np.maximum(x, 0)

    def vjp_x(self, g: Array, out: Array) -> Array:
        return g * (out > 0)


class LeakyRelu(Elementwise):
    """x where positive, ``negative_slope`` times x elsewhere."""

    negative_slope: float = 0.01

    def value(self, x: Any) -> Any:
        return np.where(x > 0, x, x * self.negative_slope)

    def partial_x(self, x: Array) -> Array:
        return np.where(x > 0, 1.0, self.negative_slope).astype(x.dtype)


class Elu(Elementwise):
    """x where positive, ``scale`` * ``alpha`` * (exp(x) - 1) elsewhere, all times ``scale``."""

    alpha: float = 1.0
    scale: float = 1.0

    def value(self, x: Any) -> Any:
        return np.where(x > 0, self.scale * x, self.scale * self.alpha * np.expm1(np.minimum(x, 0)))

    def partial_x(self, x: Array) -> Array:
        below = self.scale * self.alpha * np.exp(np.minimum(x, 0))
        return np.where(x > 0, np.full_like(x, self.scale), below)


class Celu(Elementwise):
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""

    alpha: float = 1.0

    def value(self, x: Any) -> Any:
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0) / self.alpha))

    def partial_x(self, x: Array) -> Array:
        return np.where(x > 0, np.ones_like(x), np.exp(np.minimum(x, 0) / self.alpha))


class Softplus(Elementwise):
    """log(1 + exp(beta x)) / beta; linear where beta x exceeds ``threshold``, as in PyTorch."""

    beta: float = 1.0
    threshold: float = 20.0

    def value(self, x: Any) -> Any:
        scaled = self.beta * x
        smooth = np.logaddexp(scaled, np.zeros((), scaled.dtype)) / self.beta
        return np.where(scaled > self.threshold, x, smooth)

    def partial_x(self, x: Array) -> Array:
        scaled = self.beta * x
        return np.where(scaled > self.threshold, np.ones_like(x), Sigmoid()(scaled))


class LogSigmoid(Elementwise):
    """log(sigmoid(x)) without overflow."""

    def value(self, x: Any) -> Any:
        return -np.logaddexp(-x, np.zeros((), x.dtype))

    def partial_x(self, x: Array) -> Array:
        return Sigmoid()(-x)


class Silu(Elementwise):
    """x sigmoid(x)."""

    def value(self, x: Any) -> Any:
        return x * special.expit(x)

    def partial_x(self, x: Array) -> Array:
        s = Sigmoid()(x)
        return s + x * s * (1 - s)


_INVERSE_SQRT_2PI = 1 / math.sqrt(2 * math.pi)


class Gelu(Elementwise):
    """x times the distribution function of the normal (Hendrycks and Gimpel 2016)."""

    def value(self, x: Any) -> Any:
        return x * special.ndtr(x)

    def partial_x(self, x: Array) -> Array:
        return _NormalCdf()(x) + x * _INVERSE_SQRT_2PI * np.exp(-0.5 * x * x)


class _NormalCdf(Elementwise):
    """Distribution function of the normal."""

    name = "ndtr"

    def value(self, x: Any) -> Any:
        return special.ndtr(x)

    def partial_x(self, x: Array) -> Array:
        return _INVERSE_SQRT_2PI * np.exp(-0.5 * x * x)


_GELU_SCALE = math.sqrt(2 / math.pi)


class GeluTanh(Elementwise):
    """The approximation 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))."""

    def value(self, x: Any) -> Any:
        return 0.5 * x * (1 + np.tanh(_GELU_SCALE * (x + 0.044715 * x**3)))

    def partial_x(self, x: Array) -> Array:
        bent = np.tanh(_GELU_SCALE * (x + 0.044715 * x**3))
        slope = _GELU_SCALE * (1 + 3 * 0.044715 * x * x)
        return 0.5 * (1 + bent) + 0.5 * x * (1 - bent * bent) * slope


class Mish(Elementwise):
    """x tanh(softplus(x)) (Misra 2019)."""

    def value(self, x: Any) -> Any:
        return x * np.tanh(np.logaddexp(x, np.zeros((), x.dtype)))

    def partial_x(self, x: Array) -> Array:
        bent = np.tanh(Softplus()(x))
        return bent + x * (1 - bent * bent) * Sigmoid()(x)


class Hardtanh(Elementwise):
    """x, held between ``low`` and ``high``; the derivative is 0 on the bounds, as in PyTorch."""

    low: float = -1.0
    high: float = 1.0

    def value(self, x: Any) -> Any:
        return np.clip(x, self.low, self.high)

    def vjp_x(self, g: Array, out: Array) -> Array:
        return g * ((out > self.low) & (out < self.high))


class Hardsigmoid(Elementwise):
    """min(max(x / 6 + 1 / 2, 0), 1)."""

    def value(self, x: Any) -> Any:
        return np.clip(x / 6 + 0.5, 0, 1)

    def vjp_x(self, g: Array, out: Array) -> Array:
        return g * ((out > 0) & (out < 1)) / 6


class Hardswish(Elementwise):
    """x times the hard sigmoid."""

    def value(self, x: Any) -> Any:
        return x * np.clip(x / 6 + 0.5, 0, 1)

    def partial_x(self, x: Array) -> Array:
        return np.where(x <= -3, np.zeros_like(x), np.where(x >= 3, np.ones_like(x), x / 3 + 0.5))


class Softshrink(Elementwise):
    """x moved towards zero by ``threshold``, and 0 within it."""

    threshold: float = 0.5

    def value(self, x: Any) -> Any:
        return np.where(
            x > self.threshold, x - self.threshold, np.where(x < -self.threshold, x + self.threshold, 0 * x)
        )

    def vjp_x(self, g: Array, out: Array) -> Array:
        return g * (out != 0)


class Hardshrink(Elementwise):
    """x, and 0 within ``threshold`` of zero."""

    threshold: float = 0.5

    def value(self, x: Any) -> Any:
        return np.where(np.abs(x) > self.threshold, x, 0 * x)

    def vjp_x(self, g: Array, out: Array) -> Array:
        return g * (out != 0)


sigmoid = expit = operator(Sigmoid())
relu = operator(Relu())
silu = swish = operator(Silu())
mish = operator(Mish())
log_sigmoid = operator(LogSigmoid())
hardsigmoid = operator(Hardsigmoid())
hardswish = operator(Hardswish())
_gelu = operator(Gelu())
_gelu_tanh = operator(GeluTanh())


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Tensor:
    """x where positive, ``negative_slope`` times x elsewhere; the derivative at 0 is ``negative_slope``."""
    return apply(LeakyRelu(float(negative_slope)), x)


def prelu(x: Any, weight: Any) -> Tensor:
    """x where positive, ``weight`` times x elsewhere, with a learnt weight."""
    return relu(x) - weight * relu(-x)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where positive, ``alpha`` (exp(x) - 1) elsewhere."""
    return apply(Elu(float(alpha)), x)


def selu(x: Any) -> Tensor:
    """The self-normalising unit (Klambauer et al. 2017)."""
    return apply(Elu(1.6732632423543772, 1.0507009873554805), x)


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""
    return apply(Celu(float(alpha)), x)


def gelu(x: Any, approximate: str = "none") -> Tensor:
    """x times the normal distribution function; ``approximate="tanh"`` for the usual approximation."""
    if approximate not in ("none", "tanh"):
        raise DTypeError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")
    return _gelu(x) if approximate == "none" else _gelu_tanh(x)


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta, linear beyond ``threshold``."""
    return apply(Softplus(float(beta), float(threshold)), x)


def relu6(x: Any) -> Tensor:
    """x, held between 0 and 6."""
    return apply(Hardtanh(0.0, 6.0), x)


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x, held between two bounds."""
    return apply(Hardtanh(float(min_val), float(max_val)), x)


def hardshrink(x: Any, lambd: float = 0.5) -> Tensor:
    """x, and 0 within ``lambd`` of zero."""
    return apply(Hardshrink(float(lambd)), x)


def softshrink(x: Any, lambd: float = 0.5) -> Tensor:
    """x moved towards zero by ``lambd``."""
    return apply(Softshrink(float(lambd)), x)


def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)."""
    return x / (1 + np.abs(x))


def tanhshrink(x: Any) -> Tensor:
    """x - tanh(x)."""
    return x - np.tanh(x)
