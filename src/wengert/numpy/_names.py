"""How a namespace with NumPy's names is made out of the table of counterparts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from wengert.ops.dispatch import HINTS, adapted, call_ufunc
from wengert.ops.protocol import NUMPY_FUNCTIONS


class Ufunc:
    """A NumPy ufunc whose results are tensors: callable, with ``reduce``, ``accumulate``, ``outer`` and ``at``."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc = ufunc
        self.__name__ = ufunc.__name__
        self.__doc__ = NUMPY_FUNCTIONS[ufunc].__doc__
        self.nin = ufunc.nin
        self.nout = ufunc.nout

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        return call_ufunc(self._ufunc, "__call__", inputs, kwargs)

    def reduce(self, *inputs: Any, **kwargs: Any) -> Any:
        return call_ufunc(self._ufunc, "reduce", inputs, kwargs)

    def accumulate(self, *inputs: Any, **kwargs: Any) -> Any:
        return call_ufunc(self._ufunc, "accumulate", inputs, kwargs)

    def outer(self, *inputs: Any, **kwargs: Any) -> Any:
        return call_ufunc(self._ufunc, "outer", inputs, kwargs)

    def at(self, *inputs: Any) -> None:
        call_ufunc(self._ufunc, "at", inputs, {})

    def __repr__(self) -> str:
        return f"<wengert.numpy.{self.__name__}>"


@functools.cache
def on_tensors(function: Any) -> Callable[..., Any]:
    """A NumPy function with NumPy's arguments whose results are tensors, whatever its operands are."""
    if isinstance(function, np.ufunc):
        return Ufunc(function)
    call = adapted(function)

    def with_numpy_arguments(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    with_numpy_arguments.__name__ = with_numpy_arguments.__qualname__ = function.__name__
    with_numpy_arguments.__doc__ = NUMPY_FUNCTIONS[function].__doc__
    return with_numpy_arguments


def supported(module: ModuleType) -> list[str]:
    """The names in one of NumPy's modules that have a counterpart."""
    return [name for name in dir(module) if not name.startswith("_") and _is_counted(getattr(module, name, None))]


def _is_counted(member: Any) -> bool:
    try:
        return member in NUMPY_FUNCTIONS
    except TypeError:
        return False


def look_up(module: ModuleType, name: str) -> Any:
    """The counterpart of ``module.name``; ``AttributeError`` with a hint if there is none."""
    if not hasattr(module, name):
        raise AttributeError(f"wengert.{module.__name__} has no attribute {name!r}, and neither has {module.__name__}")
    member = getattr(module, name)
    if _is_counted(member):
        return on_tensors(member)
    hint = HINTS.get(name, f"if no gradient is needed, use {module.__name__}.{name} on x.detach().numpy()")
    raise AttributeError(f"wengert.{module.__name__} has no {name!r}: it does not work on tensors; {hint}")
