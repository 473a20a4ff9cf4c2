"""The mixin of ``Tensor``: everything that can be written with one. Each method is one line into an operation's family.

The binary operators are functions compiled for their operation, not methods that call one: ``x * y`` reaches NumPy in
two Python frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.core import backward as _backward
from wengert.core.apply import binary_operator, is_foreign
from wengert.core.tensor import Tensor
from wengert.ops import arithmetic
from wengert.ops.answers import register_answers
from wengert.ops.conversions import Conversions
from wengert.ops.dispatch import Dispatch
from wengert.ops.inplace import InPlace
from wengert.ops.methods import Methods


def reflected(function: Callable[..., Any], method: str) -> Callable[..., Any]:
    """The method for a tensor on the right: foreign classes on the left had their turn already."""

    def operator(self: Any, other: Any) -> Any:
        return NotImplemented if is_foreign(other, method) else function(other, self)

    operator.__name__ = operator.__qualname__ = method
    return operator


class Operators(Methods, InPlace, Conversions, Dispatch):
    """Operators, methods and protocols of ``Tensor``."""

    __slots__ = ()

    __add__ = binary_operator(arithmetic.Add(), "__radd__")
    __sub__ = binary_operator(arithmetic.Subtract(), "__rsub__")
    __mul__ = binary_operator(arithmetic.Multiply(), "__rmul__")
    __truediv__ = binary_operator(arithmetic.Divide(), "__rtruediv__")

    __radd__ = reflected(arithmetic.add, "__add__")
    __rsub__ = reflected(arithmetic.subtract, "__sub__")
    __rmul__ = reflected(arithmetic.multiply, "__mul__")
    __rtruediv__ = reflected(arithmetic.divide, "__truediv__")

    __neg__ = arithmetic.negative

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
