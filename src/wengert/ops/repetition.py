"""Elements that are repeated: ``repeat``, ``tile``, ``meshgrid``."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.families import Linear
from wengert.ops.protocol import implements, torch_keywords
from wengert.ops.reduction import negative_axes
from wengert.ops.shape import as_array, broadcast_arrays, broadcast_to, ravel, reshape, swapaxes


class Repeat(Linear):
    """Each element of an axis repeated a number of times."""

    repeats: int
    axis: int
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.repeat(x, self.repeats, self.axis)

    def spec(self, x: TensorSpec) -> TensorSpec:
        shape = list(x.shape)
        shape[self.axis] *= self.repeats
        return TensorSpec(tuple(shape), x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        place = len(spec.shape) + self.axis
        shape = (*spec.shape[: place + 1], self.repeats, *spec.shape[place + 1 :])
        return g.reshape(shape).sum(axis=place + 1)


@implements(np.repeat)
@torch_keywords
def repeat(x: Any, repeats: Any, axis: Any = None) -> Tensor:
    """Each element repeated, a number of times or as many times as an array says, along an axis or flattened."""
    x = as_array(x)
    if axis is None:
        x, axis = ravel(x), 0
    (one,) = negative_axes(axis, x.ndim, "repeat")
    if isinstance(repeats, (int, np.integer)) or np.size(repeats) == 1:
        count = int(np.reshape(np.asarray(repeats), (-1,))[0])
        if count < 0:
            raise ShapeError(f"repeat: the number of repeats must not be negative, and is {count}")
        return apply(Repeat(count, one), x)
    index = np.repeat(np.arange(x.shape[one]), np.asarray(repeats))
    found: Any = np.take(as_tensor(x), index, axis=one)
    return found


@implements(np.tile)
def tile(x: Any, reps: Any) -> Tensor:
    """The whole tensor repeated along axes."""
    x = as_array(x)
    reps = (reps,) if isinstance(reps, (int, np.integer)) else tuple(reps)
    rank = max(x.ndim, len(reps))
    shape = (1,) * (rank - x.ndim) + tuple(x.shape)
    reps = (1,) * (rank - len(reps)) + reps
    spread = reshape(x, tuple(n for length in shape for n in (1, length)))
    wide = broadcast_to(spread, tuple(n for pair in zip(reps, shape, strict=True) for n in pair))
    return reshape(wide, tuple(r * n for r, n in zip(reps, shape, strict=True)))


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Coordinate matrices from coordinate vectors."""
    if indexing not in ("xy", "ij"):
        raise ShapeError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    n = len(xi)
    grids = [reshape(x, (1,) * i + (-1,) + (1,) * (n - 1 - i)) for i, x in enumerate(xi)]
    if indexing == "xy" and n > 1:
        grids = [swapaxes(grid, 0, 1) for grid in grids]
    return tuple(grids) if sparse else broadcast_arrays(*grids)
