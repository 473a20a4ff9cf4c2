"""Changes of shape: no element is computed, only moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.dims import lengths
from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.creation import check_device
from wengert.ops.families import Linear, shape_of
from wengert.ops.protocol import implements, operator, torch_keywords
from wengert.ops.reduction import negative_axes, reduced_shape


def as_array(x: Any) -> Any:
    """Tensors and arrays as they are, anything else as an array."""
    return x if hasattr(x, "shape") and hasattr(x, "reshape") else np.asarray(x)


class Reshape(Linear):
    """The same elements, in row-major order, in another shape."""

    shape: tuple[int, ...]
    aliases = True
    spreads = True

    def keeps(self, x: Any) -> bool:
        return True  # if the shape is the same

    def after(self, inner: Primitive) -> Primitive | None:
        return self if isinstance(inner, Reshape) else None

    def value(self, x: Any) -> Any:
        return np.reshape(x, self.shape)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(self.shape, x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return g.reshape(spec.shape)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        return Reshape((size, *self.shape))(*inputs)


class BroadcastTo(Linear):
    """Repeat along new axes and axes of length one."""

    short_name = "Expand"
    shape: tuple[int, ...]
    aliases = True
    spreads = True

    def keeps(self, x: Any) -> bool:
        return True  # if the shape is the same

    def after(self, inner: Primitive) -> Primitive | None:
        return self if isinstance(inner, BroadcastTo) else None

    def value(self, x: Any) -> Any:
        return np.broadcast_to(x, self.shape)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(self.shape, x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        # The sweep sums whatever was broadcast; see ``wengert.core.backward.conform``.
        return g

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        (x,) = inputs
        rank = len(self.shape)
        aligned = x.reshape((size, *(1,) * (rank - x.ndim + 1), *x.shape[1:]))
        return BroadcastTo((size, *self.shape))(aligned)


class Transpose(Linear):
    """The axes in another order; ``axes`` are negative numbers, one for each of the last axes."""

    short_name = "Permute"
    axes: tuple[int, ...]
    aliases = True
    maps_leading_axes = True
    spreads = True

    def keeps(self, x: Any) -> bool:
        n = len(self.axes)
        moved = [axis for place, axis in enumerate(self.axes, -n) if axis != place and x.shape[axis] != 1]
        return not moved

    def after(self, inner: Primitive) -> Primitive | None:
        if not isinstance(inner, Transpose):
            return None
        n = max(len(self.axes), len(inner.axes))
        first, second = (tuple(range(-n, -len(op.axes))) + op.axes for op in (inner, self))
        return Transpose(tuple(first[axis] for axis in second))

    def value(self, x: Any) -> Any:
        kept = tuple(range(np.ndim(x) - len(self.axes)))
        return np.transpose(x, kept + tuple(axis + np.ndim(x) for axis in self.axes))

    def spec(self, x: TensorSpec) -> TensorSpec:
        front = x.shape[: x.ndim - len(self.axes)]
        return TensorSpec(front + tuple(x.shape[axis] for axis in self.axes), x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        n = len(self.axes)
        inverse = [0] * n
        for place, axis in enumerate(self.axes):
            inverse[axis + n] = place - n
        return Transpose(tuple(inverse))(g)


class Flip(Linear):
    """The elements in reverse order along axes."""

    axes: tuple[int, ...]
    aliases = True
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.flip(x, self.axes)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def transpose(self, g: Array, spec: Any) -> Array:
        return self(g)


class Roll(Linear):
    """The elements moved along axes, those that fall off coming back at the other end."""

    shifts: tuple[int, ...]
    axes: tuple[int, ...]
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.roll(x, self.shifts, self.axes)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def transpose(self, g: Array, spec: Any) -> Array:
        return Roll(tuple(-shift for shift in self.shifts), self.axes)(g)


class Tril(Linear):
    """The lower triangle of the last two axes, from diagonal ``k`` down."""

    k: int = 0
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.tril(x, self.k)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def transpose(self, g: Array, spec: Any) -> Array:
        return self(g)


class Triu(Linear):
    """The upper triangle of the last two axes, from diagonal ``k`` up."""

    k: int = 0
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.triu(x, self.k)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def transpose(self, g: Array, spec: Any) -> Array:
        return self(g)


def _diagonal_length(shape: tuple[int, ...], offset: int) -> int:
    rows, columns = shape[-2:]
    return max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))


class Diagonal(Linear):
    """A diagonal of the last two axes."""

    offset: int = 0
    aliases = True
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.diagonal(x, self.offset, -2, -1)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec((*x.shape[:-2], _diagonal_length(x.shape, self.offset)), x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return DiagEmbed(spec.shape[-2], spec.shape[-1], self.offset)(g)


class DiagEmbed(Linear):
    """Zero matrices of a given size with the last axis along a diagonal."""

    rows: int
    columns: int
    offset: int = 0
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        out = np.zeros((*x.shape[:-1], self.rows, self.columns), x.dtype)
        n = x.shape[-1]
        i = np.arange(n) + max(0, -self.offset)
        j = np.arange(n) + max(0, self.offset)
        out[..., i, j] = x
        return out

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec((*x.shape[:-1], self.rows, self.columns), x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return Diagonal(self.offset)(g)


class Astype(Linear):
    """Another dtype. To integers and booleans the gradient is cut; from complex to real the imaginary part is lost."""

    dtype: str
    maps_leading_axes = True
    pointwise = True

    def keeps(self, x: Any) -> bool:
        return True  # if the dtype is the same

    @property
    def differentiable(self) -> bool:
        return np.dtype(self.dtype).kind in "fc"

    def value(self, x: Any) -> Any:
        target = np.dtype(self.dtype)
        x = x if hasattr(x, "astype") else np.asarray(x)  # a Python scalar under `jit`
        if x.dtype.kind == "c" and target.kind in "fiu":
            x = x.real
        return x.astype(target)

    def spec(self, x: Any) -> TensorSpec:
        return TensorSpec(shape_of(x), self.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        # The sweep casts a cotangent to its operand's dtype.
        return g


class Copy(Linear):
    """The same values in an array of their own."""

    short_name = "Clone"
    maps_leading_axes = True
    pointwise = True

    def keeps(self, x: Any) -> bool:
        return True

    def value(self, x: Any) -> Any:
        return np.array(x)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def transpose(self, g: Array, spec: Any) -> Array:
        return g


copy = clone = operator(Copy(), np.copy)


@implements(np.reshape)
def reshape(x: Any, shape: Any, copy: bool | None = None) -> Tensor:
    """The same elements in another shape; one length may be -1.

    ``copy`` may be anything: values never change in place, so nobody can tell a copy from a view. Raises ``ShapeError``
    if the numbers of elements differ.
    """
    x = as_array(x)
    shape = lengths(shape)
    if shape.count(-1) > 1:
        raise ShapeError(f"reshape: only one length of {shape} may be -1")
    if -1 in shape:
        known = math.prod(n for n in shape if n != -1)
        total = math.prod(x.shape)
        if known == 0 or total % known:
            raise ShapeError(f"reshape: {total} elements of shape {tuple(x.shape)} do not divide into {shape}")
        shape = tuple(total // known if n == -1 else n for n in shape)
    return apply(Reshape(shape), x)


@implements(np.ravel)
def ravel(x: Any) -> Tensor:
    """All elements in one axis, in row-major order."""
    x = as_array(x)
    return reshape(x, (math.prod(x.shape),))


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the axes from ``start_dim`` to ``end_dim`` into one."""
    x = as_array(x)
    if x.ndim == 0:
        return reshape(x, (1,))
    start, end = start_dim % x.ndim, end_dim % x.ndim
    return reshape(x, (*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: Any) -> Tensor:
    """Repeat along new axes and axes of length one."""
    return apply(BroadcastTo(lengths(shape)), as_array(x))


@implements(np.broadcast_arrays)
def broadcast_arrays(*arrays: Any) -> tuple[Tensor, ...]:
    """All operands repeated to their common shape."""
    shape = np.broadcast_shapes(*(np.shape(x) for x in arrays))
    return tuple(broadcast_to(x, shape) for x in arrays)


@implements(np.transpose)
def transpose(x: Any, axes: Any = None) -> Tensor:
    """The axes in the given order, or reversed."""
    x = as_array(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axes)
    if len(order) != x.ndim:
        raise ShapeError(f"transpose: axes {order} do not name each of {x.ndim} dimensions once")
    if len(negative_axes(order, x.ndim, "transpose")) != x.ndim:
        raise ShapeError(f"transpose: axes {order} do not name each of {x.ndim} dimensions once")
    return apply(Transpose(tuple(int(axis) - x.ndim if axis >= 0 else int(axis) for axis in order)), x)


permute_dims = permute = transpose


@implements(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
    x = as_array(x)
    (a,), (b,) = negative_axes(axis1, x.ndim, "swapaxes"), negative_axes(axis2, x.ndim, "swapaxes")
    order = list(range(-x.ndim, 0))
    order[a], order[b] = order[b], order[a]
    return apply(Transpose(tuple(order)), x)


@implements(np.moveaxis)
def moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    """Axes moved to other places, the rest staying in order."""
    x = as_array(x)
    sources: list[Any] = [source] if isinstance(source, (int, np.integer)) else list(source)
    places: list[Any] = [destination] if isinstance(destination, (int, np.integer)) else list(destination)
    if len(sources) != len(places):
        raise ShapeError(f"moveaxis: {len(sources)} axes cannot move to {len(places)} places")
    negative_axes(sources, x.ndim, "moveaxis"), negative_axes(places, x.ndim, "moveaxis")
    sources, places = [s % x.ndim for s in sources], [p % x.ndim for p in places]
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


@implements(np.rollaxis)
def rollaxis(x: Any, axis: int, start: int = 0) -> Tensor:
    """An axis moved back to lie before another one."""
    x = as_array(x)
    axis %= x.ndim
    start = start + x.ndim if start < 0 else start
    return moveaxis(x, axis, start - 1 if axis < start else start)


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any) -> Tensor:
    """The last two axes exchanged."""
    if as_array(x).ndim < 2:
        raise ShapeError(f"matrix_transpose needs two dimensions, not shape {np.shape(x)}")
    return swapaxes(x, -1, -2)


@implements(np.squeeze)
@torch_keywords
def squeeze(x: Any, axis: Any = None) -> Tensor:
    """Without the axes of length one, or without those named; naming a longer one is an error."""
    x = as_array(x)
    if axis is None:
        return reshape(x, tuple(n for n in x.shape if n != 1))
    axes = negative_axes(axis, x.ndim, "squeeze")
    for one in axes:
        if x.shape[one] != 1:
            raise ShapeError(f"squeeze: axis {one} of shape {tuple(x.shape)} has length {x.shape[one]}, not 1")
    return reshape(x, reduced_shape(x.shape, axes, False))


@implements(np.expand_dims)
@torch_keywords
def expand_dims(x: Any, axis: Any) -> Tensor:
    """With new axes of length one at the given places of the result."""
    x = as_array(x)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    places = {one + x.ndim + count for one in negative_axes(axis, x.ndim + count, "expand_dims")}
    lengths = iter(x.shape)
    return reshape(x, tuple(1 if i in places else next(lengths) for i in range(x.ndim + count)))


unsqueeze = expand_dims


@implements(np.flip)
@torch_keywords
def flip(x: Any, axis: Any = None) -> Tensor:
    """The elements in reverse order along axes (all by default)."""
    x = as_array(x)
    return apply(Flip(negative_axes(axis, x.ndim, "flip")), x)


@implements(np.fliplr)
def fliplr(x: Any) -> Tensor:
    """Columns in reverse order."""
    return flip(x, 1)


@implements(np.flipud)
def flipud(x: Any) -> Tensor:
    """Rows in reverse order."""
    return flip(x, 0)


@implements(np.roll)
@torch_keywords
def roll(x: Any, shift: Any, axis: Any = None) -> Tensor:
    """The elements moved along axes, or in the flattened tensor, coming back at the other end."""
    x = as_array(x)
    if axis is None:
        return roll(ravel(x), shift, 0).reshape(x.shape)
    axes = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    shifts = [shift] * len(axes) if isinstance(shift, (int, np.integer)) else list(shift)
    if len(shifts) == 1:
        shifts *= len(axes)
    negative = tuple(negative_axes(one, x.ndim, "roll")[0] for one in axes)
    return apply(Roll(tuple(int(s) for s in shifts), negative), x)


@implements(np.rot90)
def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Rotated by k right angles, from the first axis towards the second."""
    a, b = axes
    k %= 4
    if k == 0:
        return as_tensor(as_array(x))
    if k == 2:
        return flip(flip(x, a), b)
    return flip(swapaxes(x, a, b), a) if k == 1 else swapaxes(flip(x, a), a, b)


@implements(np.tril)
def tril(x: Any, k: int = 0) -> Tensor:
    """The lower triangle, from diagonal k down."""
    return apply(Tril(int(k)), as_array(x))


@implements(np.triu)
def triu(x: Any, k: int = 0) -> Tensor:
    """The upper triangle, from diagonal k up."""
    return apply(Triu(int(k)), as_array(x))


@implements(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """A diagonal of two axes, as the last axis of the result."""
    return apply(Diagonal(int(offset)), moveaxis(x, (axis1, axis2), (-2, -1)))


@implements(np.linalg.diagonal)
def linalg_diagonal(x: Any, offset: int = 0) -> Tensor:
    """A diagonal of the last two axes."""
    return apply(Diagonal(int(offset)), as_array(x))


@implements(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal."""
    return diagonal(x, offset, axis1, axis2).sum(axis=-1)


@implements(np.linalg.trace)
def linalg_trace(x: Any, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of a diagonal of the last two axes."""
    return linalg_diagonal(x, offset).sum(axis=-1, dtype=dtype)


def diag_embed(x: Any, offset: int = 0) -> Tensor:
    """Square zero matrices with the last axis along a diagonal."""
    x = as_array(x)
    n = x.shape[-1] + abs(int(offset))
    return apply(DiagEmbed(n, n, int(offset)), x)


@implements(np.diag)
def diag(x: Any, k: int = 0) -> Tensor:
    """The diagonal of a matrix, or the matrix with a given diagonal."""
    x = as_array(x)
    if x.ndim not in (1, 2):
        raise ShapeError(f"diag takes one or two dimensions, not shape {tuple(x.shape)}")
    return diag_embed(x, k) if x.ndim == 1 else diagonal(x, k)


@implements(np.diagflat)
def diagflat(x: Any, k: int = 0) -> Tensor:
    """The matrix with the flattened operand along a diagonal."""
    return diag_embed(ravel(x), k)


def astype(x: Any, dtype: Any, copy: bool = True, device: Any = None) -> Tensor:
    """Another dtype. Integers and booleans cut the gradient; complex to real keeps the real part."""
    if device is not None:
        check_device(device)
    target = np.dtype(dtype)
    x = as_tensor(as_array(x))
    return x if x.dtype == target and not copy else apply(Astype(target.name), x)


implements(np.astype)(astype)


def _at_least(n: int, x: Any) -> Tensor:
    x = as_tensor(as_array(x))
    if x.ndim >= n:
        return x
    if x.ndim == 0:
        return reshape(x, (1,) * n)
    return reshape(x, (1, -1, 1)) if x.ndim == 1 else reshape(x, (*x.shape, 1))


@implements(np.atleast_1d)
def atleast_1d(*arrays: Any) -> Any:
    """With at least one dimension."""
    found = tuple(_at_least(1, x) for x in arrays)
    return found[0] if len(found) == 1 else found


@implements(np.atleast_2d)
def atleast_2d(*arrays: Any) -> Any:
    """With at least two dimensions, new ones in front."""
    found = tuple(
        reshape(x, (1,) * (2 - np.ndim(x)) + np.shape(x)) if np.ndim(x) < 2 else _at_least(2, x) for x in arrays
    )
    return found[0] if len(found) == 1 else found


@implements(np.atleast_3d)
def atleast_3d(*arrays: Any) -> Any:
    """With at least three dimensions, as NumPy places the new ones."""
    found = tuple(_at_least(3, x) for x in arrays)
    return found[0] if len(found) == 1 else found
