"""NumPy functions that have no derivative: questions, counts, indices and texts, answered from the tensors' values."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.levels import as_tensor, bottom
from wengert.core.tensor import Tensor, wrap
from wengert.core.types import Size
from wengert.ops.dispatch import deliver
from wengert.ops.protocol import NUMPY_FUNCTIONS


def _plain(x: Any) -> Any:
    """Tensors replaced by their arrays, in containers too."""
    if isinstance(x, Tensor):
        return bottom(x)
    if isinstance(x, (list, tuple)) and any(isinstance(one, (Tensor, list, tuple)) for one in x):
        return type(x)(map(_plain, x))
    return x


def _wrapped(x: Any) -> Any:
    if isinstance(x, (np.ndarray, np.generic)):
        return wrap(np.asarray(x)) if x.dtype.kind in "biufc" else x
    return type(x)(map(_wrapped, x)) if type(x) in (tuple, list) else x


def by_value(function: Callable[..., Any], wrapping: bool = False) -> Callable[..., Any]:
    """The function on the tensors' values: for what has no derivative (integers, truth values, texts)."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*map(_plain, args), **{name: _plain(value) for name, value in kwargs.items()})
        return _wrapped(result) if wrapping else result

    return call


def _shape(a: Any) -> Any:
    return a.shape


def _ndim(a: Any) -> int:
    return len(a.shape)


def _size(a: Any, axis: int | None = None) -> int:
    return int(Size(a.shape)) if axis is None else int(a.shape[axis])


def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if where is not True:
        src = np.where(where, src, dst)
    src = as_tensor(src)
    if src.shape != dst.shape:
        src = np.broadcast_to(src, dst.shape)
    deliver(src, dst, "numpy.copyto", casting)


#: Functions whose answer is a Python object or describes dtypes, and functions with integer or boolean results.
ANSWERS = [
    "result_type",
    "can_cast",
    "common_type",
    "min_scalar_type",
    "iscomplexobj",
    "isrealobj",
    "isfortran",
    "array_equal",
    "array_equiv",
    "allclose",
    "array_repr",
    "array_str",
    "array2string",
    "may_share_memory",
    "shares_memory",
    "save",
    "savez",
    "savez_compressed",
    "savetxt",
]
COUNTS = [
    "histogram",
    "histogram2d",
    "histogramdd",
    "histogram_bin_edges",
    "bincount",
    "digitize",
    "searchsorted",
    "argwhere",
    "flatnonzero",
    "nonzero",
    "count_nonzero",
    "isin",
    "argsort",
    "argpartition",
    "lexsort",
    "argmax",
    "argmin",
    "nanargmax",
    "nanargmin",
    "unravel_index",
    "ravel_multi_index",
    "packbits",
    "unpackbits",
    "isclose",
    "isneginf",
    "isposinf",
    "iscomplex",
    "isreal",
    "tril_indices_from",
    "triu_indices_from",
    "diag_indices_from",
    "ix_",
]


#: Functions that make an array out of no array; ``np.zeros(3, like=x)`` comes here.
MAKERS = [
    "arange",
    "bartlett",
    "blackman",
    "diag_indices",
    "empty",
    "eye",
    "frombuffer",
    "fromfunction",
    "fromstring",
    "full",
    "genfromtxt",
    "geomspace",
    "hamming",
    "hanning",
    "identity",
    "indices",
    "kaiser",
    "linspace",
    "load",
    "loadtxt",
    "logspace",
    "mask_indices",
    "ones",
    "tri",
    "tril_indices",
    "triu_indices",
    "zeros",
]


#: Whether each element of one array is in another.
isin = by_value(np.isin, wrapping=True)


def register_answers() -> None:
    """Fill the table with the functions that are not differentiated, where no family has its own."""
    table: dict[Any, Callable[..., Any]] = {np.shape: _shape, np.ndim: _ndim, np.size: _size, np.copyto: _copyto}
    table |= {getattr(np, name): by_value(getattr(np, name)) for name in ANSWERS}
    table |= {getattr(np, name): by_value(getattr(np, name), True) for name in [*COUNTS, *MAKERS]}
    for function, counter in table.items():
        NUMPY_FUNCTIONS.setdefault(function, counter)
