"""A scalar with a gradient: the computational graph one number at a time, on bare Python floats.

The same ideas as the tensors': each value remembers its operands and the partial derivatives by them, and the backward
sweep visits values in reverse topological order, adding up where paths meet. No recursion: graphs may be of any depth.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

_next_number: Callable[[], int] = itertools.count(1).__next__


class Value:
    """A number that remembers how it was computed.

    >>> x, w, b = Value(2.0), Value(-3.0), Value(10.0)
    >>> y = (w * x + b).relu()
    >>> y.backward()
    >>> y.data, x.grad, w.grad, b.grad
    (4.0, -3.0, 2.0, 1.0)
    """

    __slots__ = ("_left", "_left_slope", "_number", "_op", "_right", "_right_slope", "data", "grad")

    data: float
    grad: float

    def __init__(self, data: float) -> None:
        self.data = data
        self.grad = 0.0
        self._number = _next_number()
        self._left: Value | None = None
        self._right: Value | None = None
        self._left_slope = self._right_slope = 0.0
        self._op = ""

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    @property
    def operands(self) -> tuple[Value, ...]:
        """The values this one was computed from."""
        return tuple(x for x in (self._left, self._right) if x is not None)

    @property
    def op(self) -> str:
        """The operation that made it; empty for a leaf."""
        return self._op

    def __add__(self, other: Any) -> Value:
        if isinstance(other, Value):
            return _binary(self.data + other.data, "+", self, 1.0, other, 1.0)
        return _unary(self.data + other, "+", self, 1.0)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Value:
        if isinstance(other, Value):
            return _binary(self.data - other.data, "-", self, 1.0, other, -1.0)
        return _unary(self.data - other, "-", self, 1.0)

    def __rsub__(self, other: Any) -> Value:
        return _unary(other - self.data, "-", self, -1.0)

    def __mul__(self, other: Any) -> Value:
        if isinstance(other, Value):
            return _binary(self.data * other.data, "*", self, other.data, other, self.data)
        return _unary(self.data * other, "*", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Value:
        if isinstance(other, Value):
            quotient = self.data / other.data
            return _binary(quotient, "/", self, 1.0 / other.data, other, -quotient / other.data)
        return _unary(self.data / other, "/", self, 1.0 / other)

    def __rtruediv__(self, other: Any) -> Value:
        quotient = other / self.data
        return _unary(quotient, "/", self, -quotient / self.data)

    def __neg__(self) -> Value:
        return _unary(-self.data, "neg", self, -1.0)

    def __pow__(self, other: Any) -> Value:
        x = self.data
        if isinstance(other, Value):
            y = other.data
            out = x**y
            slope = out * math.log(x) if x > 0 else 0.0
            return _binary(out, "**", self, y * x ** (y - 1) if y else 0.0, other, slope)
        return _unary(x**other, "**", self, other * x ** (other - 1) if other else 0.0)

    def __rpow__(self, other: Any) -> Value:
        out = other**self.data
        return _unary(out, "**", self, out * math.log(other) if other > 0 else 0.0)

    def exp(self) -> Value:
        """Exponential function."""
        out = math.exp(self.data)
        return _unary(out, "exp", self, out)

    def log(self) -> Value:
        """Natural logarithm."""
        return _unary(math.log(self.data), "log", self, 1.0 / self.data)

    def tanh(self) -> Value:
        """Hyperbolic tangent."""
        out = math.tanh(self.data)
        return _unary(out, "tanh", self, 1.0 - out * out)

    def sigmoid(self) -> Value:
        """1 / (1 + exp(-x))."""
        out = 0.5 * (1.0 + math.tanh(0.5 * self.data))
        return _unary(out, "sigmoid", self, out * (1.0 - out))

    def relu(self) -> Value:
        """max(0, x), with derivative 0 at 0."""
        x = self.data
        return _unary(0.0, "relu", self, 0.0) if x <= 0 else _unary(x, "relu", self, 1.0)

    def sin(self) -> Value:
        """Sine."""
        return _unary(math.sin(self.data), "sin", self, math.cos(self.data))

    def cos(self) -> Value:
        """Cosine."""
        return _unary(math.cos(self.data), "cos", self, -math.sin(self.data))

    def __float__(self) -> float:
        return float(self.data)

    def topological_order(self) -> list[Value]:
        """This value and everything it depends on, operands first."""
        seen = {self}
        stack = [self]
        while stack:
            value = stack.pop()
            left, right = value._left, value._right
            if left is not None and left not in seen:
                seen.add(left)
                stack.append(left)
            if right is not None and right not in seen:
                seen.add(right)
                stack.append(right)
        return sorted(seen, key=_number_of)

    def backward(self) -> None:
        """Set ``grad`` of this value to 1, and add to ``grad`` of everything it depends on its derivative.

        As in micrograd, gradients of intermediate values add up over calls too; set them to zero in between.
        """
        order = self.topological_order()
        self.grad = 1.0
        for value in reversed(order):
            left = value._left
            if left is not None:
                left.grad += value._left_slope * value.grad
                right = value._right
                if right is not None:
                    right.grad += value._right_slope * value.grad


def _number_of(value: Value) -> int:
    return value._number


def _unary(data: float, op: str, left: Value, slope: float) -> Value:
    out = Value.__new__(Value)
    out.data = data
    out.grad = 0.0
    out._number = _next_number()
    out._left = left
    out._left_slope = slope
    out._right = None
    out._op = op
    return out


def _binary(data: float, op: str, left: Value, left_slope: float, right: Value, right_slope: float) -> Value:
    out = Value.__new__(Value)
    out.data = data
    out.grad = 0.0
    out._number = _next_number()
    out._left = left
    out._left_slope = left_slope
    out._right = right
    out._right_slope = right_slope
    out._op = op
    return out
