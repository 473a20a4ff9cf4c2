"""Reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import ShapeError
from wengert.core.primitive import SPEC  # noqa: F401
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.families import Linear, shape_of
from wengert.ops.protocol import implements


def negative_axes(axis: Any, ndim: int, name: str) -> tuple[int, ...]:
    """Axes as a sorted tuple of negative numbers, which stay right when a batch axis is put in front.

    ``None`` means all axes. Raises ``ShapeError`` for an axis out of range or given twice.
    """
    if axis is None:
        return tuple(range(-ndim, 0))
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    found = []
    for one in axes:
        if not -ndim <= one < ndim:
            raise ShapeError(f"{name}: axis {one} is out of range for {ndim} dimensions")
        found.append(int(one) - ndim if one >= 0 else int(one))
    if len(set(found)) != len(found):
        raise ShapeError(f"{name}: axis {axis} names an axis twice")
    return tuple(sorted(found))


def reduced_shape(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape after reducing over ``axes`` (negative numbers)."""
    gone = {axis + len(shape) for axis in axes}
    if keepdims:
        return tuple(1 if i in gone else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in gone)


def spread(g: Array, spec: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    """A reduced array with its axes put back as ones, so that it broadcasts against the operand."""
    return g if keepdims else g.reshape(reduced_shape(spec.shape, axes, True))


class Sum(Linear):
    """Sum over axes."""

    axes: tuple[int, ...]
    keepdims: bool = False
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.add.reduce(x, self.axes, keepdims=self.keepdims)

    def spec(self, x: TensorSpec) -> TensorSpec:
        dtype = np.add.reduce(np.empty(0, x.dtype)).dtype
        return TensorSpec(reduced_shape(x.shape, self.axes, self.keepdims), dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return np.broadcast_to(spread(g, spec, self.axes, self.keepdims), spec.shape)


@implements(np.sum)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Sum over the given axes (all of them by default)."""
    return apply(Sum(negative_axes(axis, len(shape_of(x)), "sum"), keepdims), x)
