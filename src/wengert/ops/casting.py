"""Methods of ``Tensor`` about dtype, device and memory, with PyTorch's names."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError
from wengert.core.levels import bottom
from wengert.core.tensor import Tensor
from wengert.ops import creation, shape
from wengert.ops.creation import check_device


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """NumPy's dtype for a dtype, its name, or a Python type."""
    try:
        return np.dtype(dtype)
    except TypeError as error:
        raise DTypeError(f"{dtype!r} is not a dtype; tensors know NumPy's, such as 'float32'") from error


class Casting:
    """dtypes, devices and memory of ``Tensor``."""

    __slots__ = ()

    def to(self: Any, *args: Any, dtype: Any = None, device: Any = None, copy: builtins.bool = False, **_: Any) -> Any:
        """This tensor in another dtype: ``x.to("float32")``, ``x.to(np.float32)``, ``x.to(other)``, ``x.to("cpu")``.

        The tensor itself is returned if nothing changes, unless ``copy=True``. ``non_blocking`` and so on are accepted
        and mean nothing here. Raises ``DTypeError`` for other devices than the CPU.
        """
        for one in args:
            if isinstance(one, Tensor):
                dtype = one.dtype
            elif isinstance(one, str) and one.split(":")[0] in ("cpu", "cuda", "mps", "xpu"):
                device = one
            elif one is not None and not isinstance(one, builtins.bool):
                dtype = one
        if device is not None:
            check_device(device)
        if dtype is None or as_dtype(dtype) == self.dtype:
            return shape.clone(self) if copy else self
        return shape.astype(self, as_dtype(dtype))

    def astype(self: Any, dtype: Any, copy: builtins.bool = True) -> Any:
        """This tensor in another dtype; gradients flow through casts between floating dtypes."""
        dtype = as_dtype(dtype)
        return self if dtype == self.dtype and not copy else shape.astype(self, dtype)

    def type(self: Any, dtype: Any = None) -> Any:
        """The dtype's name; with an argument, this tensor in that dtype."""
        return str(self.dtype) if dtype is None else self.to(dtype)

    def type_as(self: Any, other: Tensor) -> Any:
        """This tensor in the dtype of another."""
        return self.to(other.dtype)

    def half(self: Any) -> Any:
        """This tensor as float16."""
        return self.to(np.float16)

    def float(self: Any) -> Any:
        """This tensor as float32, as PyTorch means it."""
        return self.to(np.float32)

    def double(self: Any) -> Any:
        """This tensor as float64."""
        return self.to(np.float64)

    def cfloat(self: Any) -> Any:
        """This tensor as complex64."""
        return self.to(np.complex64)

    def cdouble(self: Any) -> Any:
        """This tensor as complex128."""
        return self.to(np.complex128)

    def short(self: Any) -> Any:
        """This tensor as int16."""
        return self.to(np.int16)

    def int(self: Any) -> Any:
        """This tensor as int32, as PyTorch means it."""
        return self.to(np.int32)

    def long(self: Any) -> Any:
        """This tensor as int64."""
        return self.to(np.int64)

    def byte(self: Any) -> Any:
        """This tensor as uint8."""
        return self.to(np.uint8)

    def bool(self: Any) -> Any:
        """This tensor as truth values."""
        return self.to(np.bool_)

    # -- device and memory --------------------------------------------------------------------------------------

    @property
    def device(self) -> str:
        """Always ``"cpu"``."""
        return "cpu"

    def cpu(self: Any) -> Any:
        """This tensor: it is on the CPU."""
        return self

    def to_device(self: Any, device: Any, stream: Any = None) -> Any:
        """The array API standard's ``to_device``; only ``"cpu"`` exists."""
        check_device(device)
        return self

    def contiguous(self: Any) -> Any:
        """This tensor: how its value lies in memory is NumPy's business, and changes no result."""
        return self

    def is_contiguous(self) -> builtins.bool:
        """Whether the value lies in memory in row-major order."""
        return builtins.bool(bottom(self).flags.c_contiguous)

    def element_size(self: Any) -> builtins.int:
        """Bytes of one element."""
        return builtins.int(self.dtype.itemsize)

    # -- questions ----------------------------------------------------------------------------------------------

    def numel(self: Any) -> builtins.int:
        """The number of elements."""
        return builtins.int(self.size)

    nelement = numel

    def dim(self: Any) -> builtins.int:
        """The number of axes."""
        return len(self.shape)

    ndimension = dim

    def is_floating_point(self: Any) -> builtins.bool:
        """Whether the dtype is a real floating-point one."""
        return builtins.bool(self.dtype.kind == "f")

    def is_complex(self: Any) -> builtins.bool:
        """Whether the dtype is complex."""
        return builtins.bool(self.dtype.kind == "c")

    def is_signed(self: Any) -> builtins.bool:
        """Whether the dtype has negative numbers."""
        return self.dtype.kind in "ifc"

    # -- new tensors of this dtype ------------------------------------------------------------------------------

    def new_tensor(self: Any, data: Any, dtype: Any = None, requires_grad: builtins.bool = False) -> Tensor:
        """A tensor of ``data`` in this tensor's dtype."""
        return creation.tensor(data, dtype or self.dtype, requires_grad)

    def new_zeros(self: Any, *size: Any, dtype: Any = None, requires_grad: builtins.bool = False) -> Tensor:
        """Zeros of the given shape in this tensor's dtype."""
        return creation.zeros(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_ones(self: Any, *size: Any, dtype: Any = None, requires_grad: builtins.bool = False) -> Tensor:
        """Ones of the given shape in this tensor's dtype."""
        return creation.ones(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_empty(self: Any, *size: Any, dtype: Any = None, requires_grad: builtins.bool = False) -> Tensor:
        """A tensor of the given shape in this tensor's dtype, for values to come."""
        return creation.empty(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_full(
        self: Any, size: Any, fill_value: Any, dtype: Any = None, requires_grad: builtins.bool = False
    ) -> Tensor:
        """A tensor of the given shape with every element ``fill_value``, in this tensor's dtype."""
        return creation.full(size, fill_value, dtype=dtype or self.dtype, requires_grad=requires_grad)
