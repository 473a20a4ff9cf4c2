"""The mixin of ``Tensor``: everything that can be written with one. Each method is one line into an operation's family.

The binary operators are functions compiled for their operation, not methods that call one: ``x * y`` reaches NumPy in
two Python frames.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core import backward as _backward
from wengert.core.apply import binary_operator, is_foreign
from wengert.core.tensor import Tensor
from wengert.ops import arithmetic, bitwise, comparison, complex, contraction, power, rounding
from wengert.ops.answers import register_answers
from wengert.ops.casting import Casting
from wengert.ops.conversions import Conversions
from wengert.ops.dispatch import Dispatch
from wengert.ops.inplace import InPlace
from wengert.ops.layout import Layout
from wengert.ops.methods import Methods


def reflected(function: Callable[..., Any], method: str) -> Callable[..., Any]:
    """The method for a tensor on the right: foreign classes on the left had their turn already."""

    def operator(self: Any, other: Any) -> Any:
        return NotImplemented if is_foreign(other, method) else function(other, self)

    operator.__name__ = operator.__qualname__ = method
    return operator


def is_comparable(x: Any) -> bool:
    """Whether ``==`` can look at the elements of ``x``; for anything else it asks for identity, as Python does."""
    return isinstance(x, (Tensor, np.ndarray, np.generic, int, float, builtins.complex, list, tuple)) or hasattr(
        x, "__array__"
    )


class Operators(Methods, Layout, Casting, InPlace, Conversions, Dispatch):
    """Operators, methods and protocols of ``Tensor``."""

    __slots__ = ()

    __add__ = binary_operator(arithmetic.Add(), "__radd__")
    __sub__ = binary_operator(arithmetic.Subtract(), "__rsub__")
    __mul__ = binary_operator(arithmetic.Multiply(), "__rmul__")
    __truediv__ = binary_operator(arithmetic.Divide(), "__rtruediv__")
    __floordiv__ = binary_operator(arithmetic.FloorDivide(), "__rfloordiv__")
    __mod__ = binary_operator(arithmetic.Remainder(), "__rmod__")
    __matmul__ = binary_operator(contraction.Matmul(), "__rmatmul__")
    __pow__ = binary_operator(power.Power(), "__rpow__")
    __and__ = binary_operator(bitwise.BitwiseAnd(), "__rand__")
    __or__ = binary_operator(bitwise.BitwiseOr(), "__ror__")
    __xor__ = binary_operator(bitwise.BitwiseXor(), "__rxor__")
    __lshift__ = binary_operator(bitwise.LeftShift(), "__rlshift__")
    __rshift__ = binary_operator(bitwise.RightShift(), "__rrshift__")

    __radd__ = reflected(arithmetic.add, "__add__")
    __rsub__ = reflected(arithmetic.subtract, "__sub__")
    __rmul__ = reflected(arithmetic.multiply, "__mul__")
    __rtruediv__ = reflected(arithmetic.divide, "__truediv__")
    __rfloordiv__ = reflected(arithmetic.floor_divide, "__floordiv__")
    __rmod__ = reflected(arithmetic.remainder, "__mod__")
    __rpow__ = reflected(power.power, "__pow__")
    __rmatmul__ = reflected(contraction.matmul, "__matmul__")
    __rand__ = reflected(bitwise.bitwise_and, "__and__")
    __ror__ = reflected(bitwise.bitwise_or, "__or__")
    __rxor__ = reflected(bitwise.bitwise_xor, "__xor__")
    __rlshift__ = reflected(bitwise.left_shift, "__lshift__")
    __rrshift__ = reflected(bitwise.right_shift, "__rshift__")

    __lt__ = binary_operator(comparison.Less(), "__gt__")
    __le__ = binary_operator(comparison.LessEqual(), "__ge__")
    __gt__ = binary_operator(comparison.Greater(), "__lt__")
    __ge__ = binary_operator(comparison.GreaterEqual(), "__le__")

    __neg__ = arithmetic.negative
    __pos__ = arithmetic.positive
    __abs__ = complex.abs
    __invert__ = bitwise.bitwise_not

    # Elementwise equality leaves identity to hash by, so tensors can be keys of dictionaries.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return comparison.equal(self, other) if is_comparable(other) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return comparison.not_equal(self, other) if is_comparable(other) else NotImplemented

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return arithmetic.divmod(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return arithmetic.divmod(other, self)

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return rounding.round(self, ndigits or 0)

    # The gradient's arguments are those of ``wengert.autograd.backward``.
    def backward(self: Any, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add the gradient of this tensor with respect to every leaf behind it to the leaf's ``grad``.

        A tensor of more than one element needs ``gradient``, the vector of the vector-Jacobian product. The graph is
        freed on the way unless ``retain_graph`` (or ``create_graph``, which makes the gradients differentiable).
        """
        _backward.backward(self, gradient, retain_graph, create_graph)


def install(cls: type, mixin: type) -> None:
    """Give ``cls`` the members of ``mixin``. The class lives in ``core``, which may not import the operations."""
    skip = {"__module__", "__dict__", "__weakref__", "__doc__", "__slots__", "__qualname__"}
    for one in reversed(mixin.__mro__[:-1]):
        for name, member in vars(one).items():
            if name not in skip:
                setattr(cls, name, member)


register_answers()
install(Tensor, Operators)
