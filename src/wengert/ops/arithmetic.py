"""Arithmetic: the four operations, powers and remainders."""

from __future__ import annotations

import numpy as np

from wengert.core.types import Array
from wengert.ops.families import Elementwise
from wengert.ops.protocol import operator


class Add(Elementwise):
    """Elementwise sum, with NumPy's broadcasting.

    >>> import wengert as wg
    >>> wg.add(wg.tensor([1.0, 2.0]), 1.0)
    tensor([2., 3.])
    """

    commutative = True
    value = np.add
    partial_x = 1
    partial_y = 1


class Subtract(Elementwise):
    """Elementwise difference, with NumPy's broadcasting."""

    short_name = "Sub"
    value = np.subtract
    partial_x = 1
    partial_y = -1


class Multiply(Elementwise):
    """Elementwise product, with NumPy's broadcasting."""

    short_name = "Mul"
    commutative = True
    value = np.multiply

    def partial_x(self, y: Array) -> Array:
        return y

    def partial_y(self, x: Array) -> Array:
        return x


class Divide(Elementwise):
    """Elementwise quotient, with NumPy's broadcasting; integers give floats."""

    short_name = "Div"
    value = np.true_divide

    def partial_x(self, y: Array) -> Array:
        return 1 / y

    def partial_y(self, y: Array, out: Array) -> Array:
        return -out / y


class Negative(Elementwise):
    """Elementwise negation."""

    short_name = "Neg"
    value = np.negative
    partial_x = -1


add = operator(Add())
subtract = operator(Subtract())
multiply = operator(Multiply())
divide = operator(Divide(), np.divide)
negative = operator(Negative())
