"""Exponentials, logarithms, trigonometric and hyperbolic functions."""

from __future__ import annotations

import numpy as np

from wengert.core.types import Array
from wengert.ops.families import Elementwise
from wengert.ops.protocol import operator


class Exp(Elementwise):
    """Exponential function."""

    value = np.exp

    def partial_x(self, out: Array) -> Array:
        return out


class Sin(Elementwise):
    """Sine of an angle in radians."""

    value = np.sin

    def partial_x(self, x: Array) -> Array:
        return np.cos(x)


class Cos(Elementwise):
    """Cosine of an angle in radians."""

    value = np.cos

    def partial_x(self, x: Array) -> Array:
        return -np.sin(x)


class Tanh(Elementwise):
    """Hyperbolic tangent."""

    value = np.tanh

    def partial_x(self, out: Array) -> Array:
        return 1 - out * out


exp = operator(Exp())
sin = operator(Sin())
cos = operator(Cos())
tanh = operator(Tanh())
