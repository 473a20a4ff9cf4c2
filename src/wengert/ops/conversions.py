"""Tensors and the rest of Python: printing, numbers, lists, arrays, DLPack, copies and pickles.

Nothing here extends the graph. What would lose a gradient silently (``np.asarray`` of a tracked tensor, a pickle of a
result) is an error that says what to write instead.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError, GradientError, ShapeError, TransformError
from wengert.core.levels import Batched, Dual, Wrapped, bottom
from wengert.core.node import Leaf
from wengert.core.tensor import Tensor
from wengert.ops.array_api import API_VERSIONS

#: dtypes that a printed tensor need not name, because its digits show them.
_OBVIOUS_DTYPES = frozenset(map(np.dtype, ("float64", "int64", "bool", "complex128")))


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that refuses to be written to: a tensor's value never changes in place."""
    view = array.view()
    view.flags.writeable = False
    return view


def untracked_value(x: Any, what: str) -> np.ndarray:
    """The array of a tensor that no gradient flows through; ``GradientError`` for one that is tracked."""
    value: np.ndarray = bottom(x)
    if isinstance(x, Wrapped):
        raise TransformError(f"{what} would lose the tangent inside jvp; write x.detach() first if that is meant")
    if x.requires_grad:
        raise GradientError(
            f"{what} would silently cut this tensor off from its graph; write x.detach().numpy() if that is meant"
        )
    return value


def only_element(x: Any, what: str) -> Any:
    """The Python scalar in a tensor of one element."""
    if x.size != 1:
        raise ShapeError(f"{what}: only a tensor of one element is a scalar, and this one has shape {x.shape}")
    return bottom(x).item()


class Conversions:
    """Conversions of ``Tensor`` to and from everything that is not one."""

    __slots__ = ()

    # -- numbers ------------------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The only element, as a Python number. Raises ``ShapeError`` unless there is exactly one.

        >>> import wengert as wg
        >>> wg.tensor([2.5]).item()
        2.5
        """
        return only_element(self, "item()")

    def __float__(self) -> float:
        return float(only_element(self, "float()"))

    def __int__(self) -> int:
        return int(only_element(self, "int()"))

    def __complex__(self) -> complex:
        return complex(only_element(self, "complex()"))

    def __bool__(self: Any) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"the truth value of a tensor of shape {self.shape} is ambiguous; use x.any() or x.all(), or "
                f"wengert.where to choose element by element"
            )
        return bool(only_element(self, "bool()"))

    def __index__(self: Any) -> int:
        if self.dtype.kind not in "iu":
            raise DTypeError(f"only integer tensors can be an index, and this one is {self.dtype}; use int(x)")
        return int(only_element(self, "an index"))

    # -- sequences ----------------------------------------------------------------------------------------------

    def __len__(self: Any) -> int:
        if not self.shape:
            raise DTypeError("len() of a 0-d tensor")
        return int(self.shape[0])

    def __iter__(self: Any) -> Iterator[Tensor]:
        if not self.shape:
            raise DTypeError("iteration over a 0-d tensor; use x.item() for its number")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self: Any, value: Any) -> bool:
        return bool((bottom(self) == bottom(value)).any())

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return bottom(self).tolist()

    # -- text ---------------------------------------------------------------------------------------------------

    def __repr__(self: Any) -> str:
        value = self._value
        text = np.array2string(value, separator=", ", prefix="tensor(")
        details = []
        if value.size == 0 and value.shape != (0,):
            details.append(f"shape={value.shape}")
        if value.dtype not in _OBVIOUS_DTYPES or value.size == 0:
            details.append(f"dtype={value.dtype}")
        if isinstance(self._node, Leaf):
            details.append("requires_grad=True")
        elif self._node is not None:
            details.append(f"grad_fn=<{self.grad_fn.name()}>")
        return f"tensor({', '.join((text, *details))})"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self: Any, spec: str) -> str:
        if not spec:
            return str(self)
        if self.size == 1:
            return format(self.item(), spec)
        return np.array2string(bottom(self), separator=", ", formatter={"all": lambda one: format(one, spec)})

    # -- arrays -------------------------------------------------------------------------------------------------

    def numpy(self) -> np.ndarray:
        """The value as a read-only NumPy array; nothing is copied.

        Raises ``GradientError`` for a tensor that requires a gradient (use ``x.detach().numpy()``). The array cannot be
        written to, because the graph may need it; ``x.numpy().copy()`` can.
        """
        return read_only(untracked_value(self, "x.numpy()"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = untracked_value(self, "making a NumPy array of it")
        if dtype is not None and np.dtype(dtype) != value.dtype:
            if copy is False:
                raise ShapeError(f"a tensor of dtype {value.dtype} cannot become an array of {dtype} without a copy")
            return value.astype(dtype)
        return value.copy() if copy else read_only(value)

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        """The functions of the Python array API standard: the module ``wengert`` itself.

        Raises ``DTypeError`` for a version of the standard other than the ones it follows.
        """
        if api_version not in (None, *API_VERSIONS):
            raise DTypeError(f"there is no array API version {api_version!r} here; there are {', '.join(API_VERSIONS)}")
        return importlib.import_module("wengert")

    def __dlpack__(
        self: Any,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        value = untracked_value(self, "exporting it through DLPack")
        # Only DLPack 1.0 can say "read-only"; an older consumer gets a copy, which it may write to.
        if copy or max_version is None or max_version < (1, 0):
            if copy is False:
                raise BufferError("a tensor's memory is read-only, which DLPack before 1.0 cannot say; allow a copy")
            value = value.copy()
        else:
            value = read_only(value)
        return value.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device)

    def __dlpack_device__(self) -> tuple[int, int]:
        return bottom(self).__dlpack_device__()

    # -- copies and pickles -------------------------------------------------------------------------------------

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        _refuse_non_leaf(self, "pickle")
        extra = {name: getattr(self, name) for name in _extra_slots(type(self)) if hasattr(self, name)}
        return _rebuild, (type(self), self._value, self.requires_grad, extra | getattr(self, "__dict__", {}))

    def __copy__(self: Any) -> Any:
        """Another handle on the same value: a new leaf for a leaf, the same edge of the graph for a result."""
        return _duplicate(self, self._value)

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        _refuse_non_leaf(self, "deepcopy")
        result = memo[id(self)] = _duplicate(self, self._value.copy())
        if self.grad is not None:
            result.grad = copy.deepcopy(self.grad, memo)
        return result


def _refuse_non_leaf(x: Any, what: str) -> None:
    if isinstance(x, Wrapped):
        raise TransformError(f"{what}: this tensor belongs to a running transform; return it from the function first")
    if x._node is not None and not isinstance(x._node, Leaf):
        raise GradientError(
            f"{what}: this tensor is the result of {x.grad_fn.name()}, and the graph behind it is not copied; "
            f"write x.detach() first"
        )


def _extra_slots(cls: type) -> list[str]:
    """Slots that subclasses of ``Tensor`` added."""
    return [
        name
        for one in cls.__mro__[: cls.__mro__.index(Tensor)]
        for name in getattr(one, "__slots__", ())
        if name not in ("__dict__", "__weakref__")
    ]


def _duplicate(x: Any, value: np.ndarray) -> Any:
    if isinstance(x, Dual):
        return x._level.dual(x._inner, x._tangent)
    if isinstance(x, Batched):
        return x._level.batched(x._inner)
    result: Any = object.__new__(type(x))
    result._value = value
    result._node = Leaf(x.shape, x.dtype) if isinstance(x._node, Leaf) else x._node
    for name in _extra_slots(type(x)):
        if hasattr(x, name):
            setattr(result, name, getattr(x, name))
    if hasattr(x, "__dict__"):
        result.__dict__.update(x.__dict__)
    return result


def _rebuild(cls: type[Tensor], value: np.ndarray, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    result: Any = object.__new__(cls)
    result._value = value
    result._node = None
    for name, member in attributes.items():
        setattr(result, name, member)
    return result.requires_grad_() if requires_grad else result
