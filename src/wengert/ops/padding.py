"""Padding: the elements around a tensor, constant or taken from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor
from wengert.ops.indexing import set_at, take
from wengert.ops.protocol import implements
from wengert.ops.shape import as_array

_GATHERED = ("edge", "reflect", "symmetric", "wrap")


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        widths = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            widths[axis] = (width, width) if isinstance(width, int) else tuple(width)
    else:
        widths = [(int(a), int(b)) for a, b in np.broadcast_to(np.asarray(pad_width), (ndim, 2))]
    if any(a < 0 or b < 0 for a, b in widths):
        raise ShapeError(f"pad: widths must not be negative, and they are {widths}")
    return widths


@implements(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Tensor:
    """Elements before and after each axis: constants, or (``edge``, ``reflect``, ``symmetric``, ``wrap``) those of the
    tensor, whose gradients add up."""
    x = as_tensor(as_array(x))
    widths = _widths(pad_width, x.ndim)
    if mode in _GATHERED:
        for axis, width in enumerate(widths):
            if any(width):
                index: Any = np.pad(np.arange(x.shape[axis]), width, mode=mode)  # type: ignore[call-overload]
                x = take(x, index, axis=axis)
        return x
    if mode != "constant":
        raise DTypeError(f"pad: mode {mode!r} is not offered; use 'constant' or one of {_GATHERED}")
    blank = np.pad(np.zeros(x.shape, x.dtype), widths, constant_values=constant_values)
    inside = tuple(slice(a, a + n) for (a, _), n in zip(widths, x.shape, strict=True))
    return set_at(blank, inside, x)
