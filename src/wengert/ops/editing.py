"""Putting elements in, taking them out, and other rearrangements that NumPy offers by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.errors import IndexRangeError, ShapeError
from wengert.core.levels import as_tensor, bottom, concrete
from wengert.core.tensor import Tensor
from wengert.ops.indexing import take, take_along_axis
from wengert.ops.protocol import implements
from wengert.ops.reduction import negative_axes, scalar_axis
from wengert.ops.shape import as_array, moveaxis, ravel


def _values_of(index: Any) -> Any:
    """An index expression with arrays in the place of tensors."""
    return bottom(index) if isinstance(index, Tensor) else index


@implements(np.insert)
def insert(x: Any, obj: Any, values: Any, axis: Any = None) -> Tensor:
    """``values`` put in front of the places ``obj`` (one, several, a slice or a mask) along an axis, or in the
    flattened tensor. Values broadcast, and are cast to the dtype of ``x``.

    >>> import wengert as wg
    >>> wg.insert(wg.tensor([1.0, 2.0, 3.0]), 1, 9.0)
    tensor([1., 9., 2., 3.])
    """
    x = as_tensor(as_array(x))
    if axis is None:
        x, axis = ravel(x), 0
    one = scalar_axis(axis, x, "insert")
    n = x.shape[one]
    obj = _values_of(obj)
    places = np.arange(n)[obj] if isinstance(obj, slice) else np.array(obj)
    places = np.flatnonzero(places) if places.dtype == bool else places.astype(np.intp) if not places.size else places
    if places.ndim > 1:
        raise ShapeError(f"insert: places are one number or a vector, not of shape {places.shape}")
    if places.size and (places.min() < -n or places.max() > n):
        raise IndexRangeError(f"insert: place {obj} is out of range for axis {axis} with length {n}")
    new: Any = as_tensor(as_array(values)).astype(x.dtype)
    if places.size == 1:
        new = new.reshape((1,) * (x.ndim - new.ndim) + tuple(new.shape))
        if places.ndim == 0:
            new = moveaxis(new, 0, one)
        places = np.repeat(places.reshape(-1), new.shape[one])
    new = np.broadcast_to(new, tuple(len(places) if i == x.ndim + one else m for i, m in enumerate(x.shape)))
    places = np.where(places < 0, places + n, places)
    places[np.argsort(places, kind="stable")] += np.arange(len(places))
    order = np.empty(n + len(places), np.intp)
    kept = np.ones(len(order), bool)
    kept[places] = False
    order[places] = n + np.arange(len(places))
    order[kept] = np.arange(n)
    return take(np.concatenate([x, new], axis=one), order, axis=one)


@implements(np.delete)
def delete(x: Any, obj: Any, axis: Any = None) -> Tensor:
    """Without the slices ``obj`` (one, several, a slice or a mask) along an axis, or of the flattened tensor.

    >>> import wengert as wg
    >>> wg.delete(wg.tensor([1.0, 2.0, 3.0]), 1)
    tensor([1., 3.])
    """
    x = as_array(x)
    if axis is None:
        x, axis = ravel(x), 0
    one = scalar_axis(axis, x, "delete")
    return take(x, np.delete(np.arange(x.shape[one]), _values_of(obj)), axis=one)


@implements(np.choose)
def choose(a: Any, choices: Any, mode: str = "raise") -> Tensor:
    """For each place, the element there of the choice that ``a`` names; everything broadcasts. ``mode`` is raise, wrap
    or clip, for what names no choice.

    >>> import wengert as wg
    >>> wg.choose([1, 0], [wg.tensor([1.0, 2.0]), wg.tensor([3.0, 4.0])])
    tensor([3., 2.])
    """
    a = as_tensor(as_array(a))
    parts = [as_tensor(as_array(one)) for one in choices]
    if not parts:
        raise ShapeError("choose: there is nothing to choose from")
    if mode == "wrap":
        a = a % len(parts)
    elif mode == "clip":
        a = np.clip(a, 0, len(parts) - 1)
    known = concrete(a)
    if known is not None and np.size(known) and (known.min() < 0 or known.max() >= len(parts)):
        raise IndexRangeError(f"choose: {len(parts)} choices are numbered from 0, and a number is out of range")
    shape = np.broadcast_shapes(a.shape, *(part.shape for part in parts))
    rows = np.stack([np.broadcast_to(part, shape) for part in parts])
    return take_along_axis(rows, np.broadcast_to(a, shape)[None], axis=0)[0]


@implements(np.resize)
def resize(x: Any, new_shape: Any) -> Tensor:
    """The elements in another shape, repeated or cut off as needed (``reshape`` wants their number to fit).

    >>> import wengert as wg
    >>> wg.resize(wg.tensor([1.0, 2.0, 3.0]), (2, 2))
    tensor([[1., 2.],
            [3., 1.]])
    """
    shape = (int(new_shape),) if isinstance(new_shape, (int, np.integer)) else tuple(map(int, new_shape))
    if any(n < 0 for n in shape):
        raise ShapeError(f"resize: lengths cannot be negative: {shape}")
    flat = as_tensor(ravel(as_array(x)))
    n, size = flat.shape[0], math.prod(shape)
    if not n or not size:
        return as_tensor(np.zeros(shape, flat.dtype))
    return take(flat, np.arange(size) % n).reshape(shape)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Tensor:
    """Without the zeros in front ("f") and at the back ("b"), along all axes or those that are given.

    >>> import wengert as wg
    >>> wg.trim_zeros(wg.tensor([0.0, 1.0, 2.0, 0.0]))
    tensor([1., 2.])
    """
    x = as_tensor(as_array(filt))
    sides = set(trim.lower())
    if not sides or not sides <= {"f", "b"}:
        raise ShapeError(f"trim_zeros: trim is made of 'f' and 'b', not {trim!r}")
    axes = {one + x.ndim for one in negative_axes(axis, x.ndim, "trim_zeros")}
    cuts = [slice(None)] * x.ndim
    for i, found in enumerate(np.nonzero(bottom(x))):
        if i in axes and found.size == 0:
            cuts[i] = slice(0, 0)
        elif i in axes:
            start = int(found.min()) if "f" in sides else None
            cuts[i] = slice(start, int(found.max()) + 1 if "b" in sides else None)
    trimmed: Tensor = x[tuple(cuts)]
    return trimmed


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Tensor:
    """``func1d(row, *args, **kwargs)`` for each vector along an axis, whose place the axes of the result take.

    The function is called once for each vector; ``wengert.vmap`` calls it once for all.

    >>> import wengert as wg
    >>> apply_along_axis(lambda row: row[-1] - row[0], 1, wg.tensor([[1.0, 2.0], [3.0, 7.0]]))
    tensor([1., 4.])
    """
    x = as_tensor(as_array(arr))
    one = scalar_axis(axis, x, "apply_along_axis")
    moved = moveaxis(x, one, -1)
    rest = tuple(moved.shape[:-1])
    if 0 in rest:
        raise ShapeError("apply_along_axis: there is no vector to call the function with")
    found = [as_tensor(func1d(row, *args, **kwargs)) for row in moved.reshape((-1, moved.shape[-1]))]
    shape = tuple(found[0].shape)
    stacked = np.stack(found).reshape((*rest, *shape))
    place = x.ndim + one
    return moveaxis(stacked, tuple(range(len(rest), len(rest) + len(shape))), tuple(range(place, place + len(shape))))


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Tensor:
    """``func(x, axis)`` over each of the axes in turn, which stay with length one.

    >>> import wengert as wg
    >>> apply_over_axes(wg.sum, wg.ones((2, 3)), [0, 1])
    tensor([[6.]])
    """
    x = as_tensor(as_array(a))
    for axis in axes if isinstance(axes, Sequence) else np.atleast_1d(axes):
        one = scalar_axis(int(axis), x, "apply_over_axes")
        found: Any = as_tensor(func(x, x.ndim + one))
        if found.ndim == x.ndim - 1:
            found = np.expand_dims(found, one)
        if found.ndim != x.ndim:
            raise ShapeError(f"apply_over_axes: from {x.ndim} dimensions the function made {found.ndim}")
        x = found
    return x
