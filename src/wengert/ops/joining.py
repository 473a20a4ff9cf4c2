"""Joining tensors and splitting them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import ShapeError
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.families import Linear
from wengert.ops.indexing import Slice
from wengert.ops.protocol import implements, torch_keywords
from wengert.ops.reduction import negative_axes
from wengert.ops.shape import as_array, atleast_1d, atleast_2d, atleast_3d, ravel, reshape, transpose


def _cut(axis: int, start: int, stop: int) -> tuple[Any, ...]:
    return (Ellipsis, slice(start, stop), *(slice(None),) * (-1 - axis))


class Concatenate(Linear):
    """Tensors one after the other along an axis."""

    short_name = "Cat"
    axis: int
    variadic = True

    def value(self, *xs: Any) -> Any:
        return np.concatenate(xs, self.axis)

    def spec(self, *specs: TensorSpec) -> TensorSpec:
        shape = list(specs[0].shape)
        shape[self.axis] = sum(spec.shape[self.axis] for spec in specs)
        return TensorSpec(tuple(shape), np.result_type(*(spec.dtype for spec in specs)))

    def assembly(self, *specs: Any) -> tuple[Any, Sequence[tuple[int, Primitive]]] | None:
        places = [0, *itertools.accumulate(spec.shape[self.axis] for spec in specs)]
        after = (("slice", None, None, None),) * (-1 - self.axis)
        parts = [(("rest",), ("slice", a, b, None), *after) for a, b in itertools.pairwise(places)]
        return None, [(k, Slice(part)) for k, part in enumerate(parts)]

    def value_and_aux(self, *xs: Any) -> tuple[Any, Any]:
        return self.value(*xs), tuple(x.shape[self.axis] for x in xs)

    def transpose(self, g: Array, aux: Any) -> Sequence[Any]:
        places = [0, *itertools.accumulate(aux)]
        return [g[_cut(self.axis, a, b)] for a, b in itertools.pairwise(places)]

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        full = [x if flag else np.broadcast_to(x, (size, *x.shape)) for x, flag in zip(inputs, batched, strict=True)]
        return self(*full)


class Split(Linear):
    """Pieces along an axis, cut at given places; ``places`` includes both ends."""

    axis: int
    places: tuple[int, ...]
    aliases = True
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return tuple(x[_cut(self.axis, a, b)] for a, b in itertools.pairwise(self.places))

    def spec(self, x: TensorSpec) -> tuple[TensorSpec, ...]:
        def piece(a: int, b: int) -> TensorSpec:
            shape = list(x.shape)
            shape[self.axis] = max(0, min(b, x.shape[self.axis]) - a)
            return TensorSpec(tuple(shape), x.dtype)

        return tuple(piece(a, b) for a, b in itertools.pairwise(self.places))

    def transpose(self, g: Any, spec: Any) -> Array:
        return np.concatenate(g, axis=self.axis)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[0] is None else self(tangents[0])


@implements(np.concatenate, np.concat)
@torch_keywords
def concatenate(arrays: Sequence[Any], axis: int | None = 0, dtype: Any = None) -> Tensor:
    """Tensors one after the other along an axis, or flattened if ``axis`` is None."""
    parts = [as_array(x) for x in arrays]
    if not parts:
        raise ShapeError("concatenate: there is nothing to join")
    if dtype is not None:
        parts = [x.astype(dtype) for x in parts]
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    if parts[0].ndim == 0:
        raise ShapeError("concatenate: tensors without dimensions cannot be joined; use stack")
    (one,) = negative_axes(axis, parts[0].ndim, "concatenate")
    if any(x.ndim != parts[0].ndim for x in parts):
        raise ShapeError(f"concatenate: shapes {[tuple(x.shape) for x in parts]} have different numbers of dimensions")
    return apply(Concatenate(one), *parts)


concat = cat = concatenate


@implements(np.stack)
@torch_keywords
def stack(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new axis."""
    parts = [as_array(x) for x in arrays]
    if not parts:
        raise ShapeError("stack: there is nothing to join")
    if len({tuple(x.shape) for x in parts}) != 1:
        raise ShapeError(f"stack: all shapes must be equal, and they are {[tuple(x.shape) for x in parts]}")
    (one,) = negative_axes(axis, parts[0].ndim + 1, "stack")
    shape = tuple(parts[0].shape)
    place = len(shape) + 1 + one
    return concatenate([reshape(x, (*shape[:place], 1, *shape[place:])) for x in parts], place)


@implements(np.vstack)
def vstack(arrays: Sequence[Any]) -> Tensor:
    """Tensors on top of each other."""
    return concatenate([atleast_2d(x) for x in arrays], 0)


@implements(np.hstack)
def hstack(arrays: Sequence[Any]) -> Tensor:
    """Tensors beside each other."""
    parts = [atleast_1d(x) for x in arrays]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1)


@implements(np.dstack)
def dstack(arrays: Sequence[Any]) -> Tensor:
    """Tensors behind each other, along the third axis."""
    return concatenate([atleast_3d(x) for x in arrays], 2)


@implements(np.column_stack)
def column_stack(arrays: Sequence[Any]) -> Tensor:
    """Vectors as the columns of a matrix."""
    return concatenate([transpose(atleast_2d(x)) if np.ndim(x) < 2 else x for x in arrays], 1)


@implements(np.block)
def block(arrays: Any) -> Tensor:
    """A matrix from nested lists of blocks."""
    if not isinstance(arrays, list):
        return atleast_1d(arrays)

    def depth(item: Any) -> int:
        return 1 + max(depth(one) for one in item) if isinstance(item, list) else 0

    def join(item: Any, level: int) -> Any:
        if not isinstance(item, list):
            x = as_array(item)
            return reshape(x, (1,) * max(0, total - x.ndim) + tuple(x.shape))
        return concatenate([join(one, level - 1) for one in item], -level)

    total = depth(arrays)
    return join(arrays, total)


@implements(np.array_split)
@torch_keywords
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """Pieces along an axis: a number of nearly equal ones, or cut at given places."""
    x = as_array(x)
    (one,) = negative_axes(axis, x.ndim, "split")
    n = x.shape[one]
    if isinstance(indices_or_sections, (int, np.integer)):
        sections = int(indices_or_sections)
        if sections <= 0:
            raise ShapeError(f"split: the number of pieces must be positive, not {sections}")
        short, longer = divmod(n, sections)
        lengths = [short + 1] * longer + [short] * (sections - longer)
        places = [0, *itertools.accumulate(lengths)]
    else:
        cuts = [int(place) for place in indices_or_sections]
        places = [0, *(min(max(place + n if place < 0 else place, 0), n) for place in cuts), n]
    return apply(Split(one, tuple(places)), x)


@implements(np.split)
@torch_keywords
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """Pieces along an axis: a number of equal ones, or cut at given places."""
    x = as_array(x)
    if isinstance(indices_or_sections, (int, np.integer)):
        n = x.shape[axis]
        if indices_or_sections <= 0 or n % indices_or_sections:
            raise ShapeError(f"split: an axis of length {n} does not divide into {indices_or_sections} equal pieces")
    return array_split(x, indices_or_sections, axis)


@torch_keywords
def chunk(x: Any, chunks: int, axis: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` pieces of one length, the last one perhaps shorter (PyTorch's ``chunk``)."""
    x = as_array(x)
    length = max(1, -(-x.shape[axis] // chunks))
    return array_split(x, list(range(length, x.shape[axis], length)), axis)


@implements(np.vsplit)
def vsplit(x: Any, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Pieces along the first axis."""
    return split(x, indices_or_sections, 0)


@implements(np.hsplit)
def hsplit(x: Any, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Pieces along the second axis, or the only one."""
    return split(x, indices_or_sections, 0 if as_array(x).ndim == 1 else 1)


@implements(np.dsplit)
def dsplit(x: Any, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Pieces along the third axis."""
    return split(x, indices_or_sections, 2)


@implements(np.unstack)
@torch_keywords
def unstack(x: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis, without it."""
    x = as_array(x)
    (one,) = negative_axes(axis, x.ndim, "unstack")
    n = x.shape[one]
    if n == 0:
        return ()
    shape = tuple(m for i, m in enumerate(x.shape) if i != x.ndim + one)
    return tuple(piece.reshape(shape) for piece in apply(Split(one, tuple(range(n + 1))), x))


unbind = unstack


@implements(np.append)
def append(x: Any, values: Any, axis: int | None = None) -> Tensor:
    """``values`` after ``x``, along an axis or flattened."""
    return concatenate([x, values], axis)
