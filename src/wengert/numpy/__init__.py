"""NumPy's names, arguments and defaults; arrays are tensors.

``import wengert.numpy as np`` is for code that makes its arrays itself: whatever NumPy would return as an array is a
tensor here. Code that works on arrays it is given needs no such import: plain NumPy functions work on tensors.

>>> import wengert.numpy as np
>>> np.add.outer(np.arange(2), np.array([10.0, 20.0]))
tensor([[10., 20.],
        [11., 21.]])
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as _numpy

from wengert.core.tensor import Tensor as ndarray
from wengert.numpy._names import look_up, supported
from wengert.numpy.joining import c_ as c_
from wengert.numpy.joining import mgrid as mgrid
from wengert.numpy.joining import ogrid as ogrid
from wengert.numpy.joining import r_ as r_
from wengert.ops.creation import from_dlpack as from_dlpack

_SUBMODULES = ("fft", "linalg", "random")

#: What is NumPy's own here: dtypes, constants, and questions about them.
_NUMPYS_OWN = frozenset(
    """
    bool bool_ int8 int16 int32 int64 intp int_ uint8 uint16 uint32 uint64 uintp float16 float32 float64
    double single half longdouble complex64 complex128 csingle cdouble
    byte ubyte short ushort intc uintc long ulong longlong ulonglong uint True_ False_
    number integer signedinteger unsignedinteger inexact floating complexfloating generic dtype
    e pi inf nan euler_gamma newaxis
    finfo iinfo isdtype issubdtype promote_types broadcast_shapes errstate seterr geterr set_printoptions
    get_printoptions printoptions ndindex s_ index_exp isscalar iterable
    ufunc typename typecodes base_repr binary_repr format_float_positional format_float_scientific exceptions
    """.split()
)

__all__ = ["c_", "from_dlpack", "mgrid", "ndarray", "ogrid", "r_"]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"wengert.numpy.{name}")
    if name in _NUMPYS_OWN:
        return getattr(_numpy, name)
    return look_up(_numpy, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_NUMPYS_OWN, *_SUBMODULES, *supported(_numpy)})
