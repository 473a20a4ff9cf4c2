"""NumPy's functions on tensors: the table behind ``__array_ufunc__`` and ``__array_function__``.

A function that does a NumPy function's work says so where it is defined, with ``@implements(np.concatenate)``.
Operations whose value is a ufunc are found by that ufunc.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from wengert.core.apply import binary_operator, ternary_operator, unary_operator
from wengert.core.primitive import Primitive

F = TypeVar("F", bound=Callable[..., Any])

#: NumPy (and SciPy) functions and ufuncs, and the functions that stand in for them on tensors.
NUMPY_FUNCTIONS: dict[Any, Callable[..., Any]] = {}


def implements(*functions: Any) -> Callable[[F], F]:
    """Declare that the decorated function does the work of these NumPy functions on tensors."""

    def register(function: F) -> F:
        for one in functions:
            NUMPY_FUNCTIONS[one] = function
        return function

    return register


def torch_keywords(function: F) -> F:
    """Accept PyTorch's ``dim`` and ``keepdim`` for ``axis`` and ``keepdims``."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            if "dim" in kwargs:
                kwargs["axis"] = kwargs.pop("dim")
            if "keepdim" in kwargs:
                kwargs["keepdims"] = kwargs.pop("keepdim")
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


_MAKERS: dict[int, Callable[[Primitive], Callable[..., Any]]] = {
    1: unary_operator,
    2: binary_operator,
    3: ternary_operator,
}


def operator(primitive: Primitive, *stands_for: Any) -> Callable[..., Any]:
    """The public function of an operation without parameters, compiled ahead for speed."""
    function: Callable[..., Any] = _MAKERS[len(primitive.inputs)](primitive)
    function.__name__ = function.__qualname__ = primitive.name
    function.__doc__ = type(primitive).__doc__
    function.__module__ = type(primitive).__module__
    for one in (getattr(type(primitive), "value", None), *stands_for):
        if hasattr(one, "nin"):
            NUMPY_FUNCTIONS[one] = function
    for one in stands_for:
        NUMPY_FUNCTIONS[one] = function
    return function
