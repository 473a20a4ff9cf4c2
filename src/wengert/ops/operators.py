"""The mixin: what can be written with a tensor. Each method is one line into an operation's family."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core import backward as _backward
from wengert.core.errors import DTypeError, GradientError, UnsupportedFunctionError
from wengert.core.tensor import Tensor
from wengert.ops import arithmetic, reduction, shape, transcendental
from wengert.ops.protocol import NUMPY_FUNCTIONS


class Operators:
    """Operators and methods of ``Tensor``."""

    __slots__ = ()

    __array_priority__ = 1000

    __add__ = arithmetic.add
    __sub__ = arithmetic.subtract
    __mul__ = arithmetic.multiply
    __truediv__ = arithmetic.divide
    __neg__ = arithmetic.negative

    def __radd__(self, other: Any) -> Tensor:
        return arithmetic.add(other, self)

    def __rsub__(self, other: Any) -> Tensor:
        return arithmetic.subtract(other, self)

    def __rmul__(self, other: Any) -> Tensor:
        return arithmetic.multiply(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return arithmetic.divide(other, self)

    tanh = transcendental.tanh
    exp = transcendental.exp

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reduction.sum(self, axis, keepdims)

    def reshape(self, *new: Any) -> Tensor:
        return shape.reshape(self, new[0] if len(new) == 1 else new)

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        _backward.backward(self, gradient, retain_graph, create_graph)

    def __repr__(self) -> str:
        return "tensor" + repr(self._value).removeprefix("array")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        found = NUMPY_FUNCTIONS.get(ufunc)
        if found is None or method != "__call__" or kwargs:
            raise UnsupportedFunctionError(f"{ufunc}")
        return found(*inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        found = NUMPY_FUNCTIONS.get(func)
        if found is None:
            raise UnsupportedFunctionError(f"{func}")
        return found(*args, **kwargs)


def install(cls: type, mixin: type) -> None:
    """Give ``cls`` the methods of ``mixin``. The class lives in ``core``, which may not import the operations."""
    skip = {"__module__", "__dict__", "__weakref__", "__doc__", "__slots__", "__qualname__"}
    for name, member in vars(mixin).items():
        if name not in skip:
            setattr(cls, name, member)


install(Tensor, Operators)
