"""NumPy's functions that write into their first operand: the tensor's handle moves to the new value."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.errors import GradientError, IndexRangeError, ShapeError
from wengert.core.levels import as_tensor, bottom
from wengert.core.tensor import Tensor
from wengert.ops.indexing import put_along_axis, set_at
from wengert.ops.inplace import move
from wengert.ops.protocol import implements
from wengert.ops.shape import as_array, ravel


def _target(x: Any, name: str) -> Tensor:
    if isinstance(x, Tensor):
        return x
    raise GradientError(f"numpy.{name} cannot write a tensor into an ndarray; make the target a tensor")


def _write_flat(x: Any, places: np.ndarray, values: Any, name: str) -> None:
    """Write at places of the flattened tensor; values are repeated as often as needed."""
    values = ravel(as_tensor(as_array(values)))
    if not places.size:
        return
    if not values.shape[0]:
        raise ShapeError(f"numpy.{name}: there are no values to put in {places.size} places")
    new = values[np.arange(places.size) % values.shape[0]].astype(x.dtype)
    # The last of several values for one place counts, as in a loop.
    last = places.size - 1 - np.unique(places[::-1], return_index=True)[1]
    flat = set_at(ravel(x), places[last], new[last])
    move(x, flat.reshape(x.shape), f"numpy.{name}")


@implements(np.put)
def put(x: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write values at places of the flattened tensor, as ``numpy.put``; values are repeated as needed."""
    x = _target(x, "put")
    places = np.asarray(bottom(ind)).reshape(-1).astype(np.intp)
    n = int(x.size)
    if mode == "wrap":
        places = places % n
    elif mode == "clip":
        places = np.clip(places, 0, n - 1)
    elif places.size and (places.min() < -n or places.max() >= n):
        raise IndexRangeError(f"numpy.put: a place is out of range for a tensor of {n} elements")
    _write_flat(x, places % max(n, 1), v, "put")


@implements(np.place)
def place(x: Any, mask: Any, vals: Any) -> None:
    """Write the first values, repeated as needed, where a mask is true."""
    x = _target(x, "place")
    _write_flat(x, np.flatnonzero(np.broadcast_to(np.asarray(bottom(mask)), x.shape)), vals, "place")


@implements(np.putmask)
def putmask(x: Any, mask: Any, values: Any) -> None:
    """Write, where a mask is true, the values of the same places; fewer values are repeated along the flattened
    tensor."""
    x = _target(x, "putmask")
    values = ravel(as_tensor(as_array(values)))
    places = np.flatnonzero(np.broadcast_to(np.asarray(bottom(mask)), x.shape))
    if not values.shape[0]:
        raise ShapeError("numpy.putmask: there are no values to write")
    _write_flat(x, places, values[places % values.shape[0]], "putmask")


@implements(np.fill_diagonal)
def fill_diagonal(x: Any, val: Any, wrap: bool = False) -> None:
    """Write the diagonal of a tensor of at least two dimensions, which have one length if they are more; with ``wrap``
    it starts again below in a tall matrix."""
    x = _target(x, "fill_diagonal")
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) != 1):
        raise ShapeError(f"numpy.fill_diagonal: a tensor of shape {x.shape} has no diagonal")
    step = 1 + int(np.cumprod(x.shape[:0:-1]).sum())
    end = int(x.size) if wrap or x.ndim > 2 else x.shape[1] ** 2
    _write_flat(x, np.arange(int(x.size))[:end:step], val, "fill_diagonal")


@implements(np.put_along_axis)
def _put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """Write the element that ``indices`` names at each place along an axis."""
    x = _target(arr, "put_along_axis")
    flat = ravel(x) if axis is None else x
    new = put_along_axis(flat, indices, values, 0 if axis is None else axis)
    move(x, new.reshape(x.shape), "numpy.put_along_axis")
