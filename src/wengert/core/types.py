"""Shapes and dtypes: what is known of a tensor without its value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .errors import DTypeError, IndexRangeError

#: A value in a rule: an ndarray in a first-order sweep, a Tensor when the sweep itself is recorded. Both answer
#: the same operators and NumPy functions, which is what lets one rule serve every order.
Array = Any
Shape = tuple[int, ...]

#: Python and NumPy scalars: immutable, so they may be kept without a copy; Python's are weakly typed.
SCALAR_TYPES: frozenset[type] = frozenset(
    {float, int, bool, complex} | {np.dtype(code).type for code in "?bBhHiIlLqQefdFD"}
)


class TensorSpec:
    """The shape and dtype of a tensor that need not exist yet.

    >>> TensorSpec((2, 3), "float32")
    TensorSpec((2, 3), float32)
    """

    __slots__ = ("dtype", "shape")

    shape: Shape
    dtype: np.dtype[Any]

    def __init__(self, shape: Any, dtype: Any = "float64") -> None:
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.dtype = np.dtype(dtype)
        if not self.dtype.isnative:
            self.dtype = self.dtype.newbyteorder("=")

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.dtype.itemsize

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and self.shape == other.shape and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec({self.shape}, {self.dtype})"


class Size(int):
    """A tensor's number of elements, as in NumPy; called, it is PyTorch's ``size()``: the shape, or one length of it.

    NumPy takes a subclass of ``int`` for an array and would promote by it, so arithmetic with arrays drops it.

    >>> import wengert as wg
    >>> x = wg.zeros((2, 3))
    >>> x.size, x.size(), x.size(-1)
    (6, (2, 3), 3)
    """

    shape: Shape

    def __new__(cls, shape: Shape) -> Any:
        total = math.prod(shape)
        if not isinstance(total, int):
            return total  # an unknown length
        size = super().__new__(cls, total)
        size.shape = shape
        return size

    def __call__(self, dim: int | None = None) -> Any:
        if dim is None:
            return self.shape
        if not -len(self.shape) <= dim < len(self.shape):
            raise IndexRangeError(f"size: dimension {dim} is out of range for a tensor of shape {self.shape}")
        return self.shape[dim]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(*(int(x) if type(x) is Size else x for x in inputs), **kwargs)

    def __reduce__(self) -> Any:
        return Size, (self.shape,)


def is_differentiable_dtype(dtype: np.dtype[Any]) -> bool:
    """Whether a tensor of this dtype can carry a gradient: real or complex floating point."""
    return dtype.kind in "fc"


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the absolute value: float64 for complex128, float32 for complex64, else the dtype itself."""
    return np.empty(0, dtype).real.dtype


_default_dtype = np.dtype("float64")


def get_default_dtype() -> np.dtype[Any]:
    """The floating dtype of ``zeros``, ``randn``, layers' parameters and of tensors made from Python floats."""
    return _default_dtype


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype that creation functions and layers use when none is given.

    >>> import wengert as wg
    >>> wg.set_default_dtype("float32"); wg.ones(2).dtype
    dtype('float32')
    >>> wg.set_default_dtype("float64")
    """
    global _default_dtype
    chosen = np.dtype(dtype)
    if chosen.kind != "f":
        raise DTypeError(f"set_default_dtype: {chosen} is not a real floating dtype; use 'float32' or 'float64'")
    _default_dtype = chosen


def storage(array: np.ndarray) -> np.ndarray:
    """The array that owns the memory that this one is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def is_frozen(array: np.ndarray) -> bool:
    """Whether no one can write to this array's memory: it and every array that it is a view of are read-only."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return False
        base = base.base
    return base is None or isinstance(base, bytes)


def in_machine_order(array: np.ndarray) -> np.ndarray:
    """The array in this machine's byte order: native code, and every comparison of dtypes, knows no other."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def frozen_copy(value: Any) -> Any:
    """The value itself if nobody can change it, else a copy that only Wengert holds."""
    if type(value) is np.ndarray and not is_frozen(value):
        return value.copy()
    return value
