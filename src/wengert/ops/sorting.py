"""Sorting, order statistics and searching. The gradient of a sort follows its permutation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor, bottom
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.indexing import _positions, take
from wengert.ops.protocol import implements, torch_keywords
from wengert.ops.reduction import scalar_axis
from wengert.ops.shape import as_array, moveaxis, ravel


class Argsort(Primitive):
    """The permutation that sorts the last axis; equal elements keep their order."""

    descending: bool = False
    differentiable = False
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        if not self.descending:
            return np.argsort(x, -1, kind="stable")
        n = x.shape[-1]
        return np.flip(n - 1 - np.argsort(np.flip(x, -1), -1, kind="stable"), -1)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, "int64")


class TakeLast(Primitive):
    """Elements of the last axis, by an index of the same leading shape; ``index`` has no derivative."""

    name = "take_last"
    linear = True
    maps_leading_axes = True

    def value(self, x: Any, index: Any) -> Any:
        shape = np.broadcast_shapes(x.shape[:-1], index.shape[:-1])
        x = np.broadcast_to(x, (*shape, x.shape[-1]))
        return np.take_along_axis(x, np.broadcast_to(index, (*shape, index.shape[-1])), -1)

    def spec(self, x: TensorSpec, index: TensorSpec) -> TensorSpec:
        shape = np.broadcast_shapes(x.shape[:-1], index.shape[:-1])
        return TensorSpec((*shape, index.shape[-1]), x.dtype)

    def vjp_x(self, g: Array, index: Any, spec: Any) -> Array:
        return PutLast(spec.shape[-1])(g, index)

    vjp_index = None

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[0] is None else self(tangents[0], inputs[1])


class PutLast(Primitive):
    """Zeros of length ``size`` along the last axis with elements added at an index: the transpose of ``TakeLast``."""

    size: int
    linear = True
    maps_leading_axes = True

    def value(self, x: Any, index: Any) -> Any:
        shape = np.broadcast_shapes(x.shape, index.shape)
        x, index = np.broadcast_to(x, shape), np.broadcast_to(index, shape)
        rows = int(np.prod(shape[:-1], dtype=int))
        out = np.zeros((rows, self.size), x.dtype)
        np.add.at(out, (np.arange(rows)[:, None], index.reshape(rows, -1)), x.reshape(rows, -1))
        return out.reshape((*shape[:-1], self.size))

    def spec(self, x: TensorSpec, index: TensorSpec) -> TensorSpec:
        return TensorSpec((*np.broadcast_shapes(x.shape, index.shape)[:-1], self.size), x.dtype)

    def vjp_x(self, g: Array, index: Any) -> Array:
        return TakeLast()(g, index)

    vjp_index = None

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[0] is None else self(tangents[0], inputs[1])


class TopK(NamedTuple):
    """Values and their indices."""

    values: Any
    indices: Any


def _last(x: Any, axis: Any, name: str) -> tuple[Any, int]:
    x = as_array(x)
    if axis is None:
        return ravel(x), -1
    one = scalar_axis(axis, x, name)
    return (x if one == -1 else moveaxis(x, one, -1)), one


def _back(x: Any, axis: int) -> Any:
    return x if axis == -1 else moveaxis(x, -1, axis)


@implements(np.argsort)
@torch_keywords
def argsort(
    x: Any, axis: Any = -1, kind: Any = None, order: Any = None, stable: Any = None, descending: bool = False
) -> Tensor:
    """The permutation that sorts along an axis (the flattened tensor for None); always stable. Has no gradient."""
    moved, one = _last(x, axis, "argsort")
    return _back(apply(Argsort(bool(descending)), moved), one)


@implements(np.sort)
@torch_keywords
def sort(
    x: Any, axis: Any = -1, kind: Any = None, order: Any = None, stable: Any = None, descending: bool = False
) -> Tensor:
    """Sorted along an axis (flattened for None). The gradient goes back where each element came from.

    >>> import wengert as wg
    >>> wg.sort(wg.tensor([3.0, 1.0, 2.0]))
    tensor([1., 2., 3.])
    """
    moved, one = _last(x, axis, "sort")
    return _back(apply(TakeLast(), moved, apply(Argsort(bool(descending)), moved)), one)


@torch_keywords
def topk(x: Any, k: int, axis: int = -1, largest: bool = True, sorted: bool = True) -> TopK:
    """The k largest (or smallest) elements along an axis, in order, and their indices."""
    moved, one = _last(x, axis, "topk")
    if not 0 <= k <= moved.shape[-1]:
        raise ShapeError(f"topk: k = {k} is not between 0 and the length {moved.shape[-1]} of the axis")
    index = apply(Argsort(bool(largest)), moved)[..., :k]
    return TopK(_back(apply(TakeLast(), moved, index), one), _back(index, one))


@torch_keywords
def kthvalue(x: Any, k: int, axis: int = -1, keepdims: bool = False) -> TopK:
    """The k-th smallest element along an axis (counting from 1), and its index."""
    moved, one = _last(x, axis, "kthvalue")
    if not 1 <= k <= moved.shape[-1]:
        raise ShapeError(f"kthvalue: k = {k} is not between 1 and the length {moved.shape[-1]} of the axis")
    index = apply(Argsort(False), moved)[..., k - 1 : k]
    values = apply(TakeLast(), moved, index)
    if keepdims:
        return TopK(_back(values, one), _back(index, one))
    return TopK(values[..., 0], index[..., 0])


@implements(np.partition)
def partition(x: Any, kth: Any, axis: Any = -1) -> Tensor:
    """Sorted along an axis, which is a partition around every place at once."""
    return sort(x, axis)


@implements(np.argpartition)
def argpartition(x: Any, kth: Any, axis: Any = -1) -> Tensor:
    """The permutation that sorts along an axis, which partitions around every place at once."""
    return argsort(x, axis)


@implements(np.lexsort)
def lexsort(keys: Any, axis: int = -1) -> Tensor:
    """The permutation that sorts by several keys, the last one first. Has no gradient."""
    parts = keys if isinstance(keys, (tuple, list)) else [keys]
    return as_tensor(np.lexsort([_positions(key) for key in parts] if len(parts) > 1 else _positions(parts[0]), axis))


class Searchsorted(Primitive):
    """Where elements ``v`` would have to be inserted in a sorted vector ``a`` to keep its order."""

    inputs = ("a", "v")
    differentiable = False
    side: str = "left"

    def value(self, a: Any, v: Any) -> Any:
        return np.asarray(np.searchsorted(a, v, self.side))  # type: ignore[call-overload]

    def spec(self, a: Any, v: Any) -> TensorSpec:
        return TensorSpec(getattr(v, "shape", ()), np.int64)


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Tensor:
    """Where elements would have to be inserted to keep an order. Has no gradient."""
    ordered = as_array(a) if sorter is None else take(a, sorter, axis=0)
    return apply(Searchsorted(str(side)), ordered, as_array(v))


@implements(np.unique)
def unique(
    x: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None
) -> Any:
    """The distinct elements in order, and where asked their first index, the inverse and how often each occurs.

    The gradient of a distinct element goes to its first occurrence.
    """
    values = _positions(x)
    _, index, inverse, counts = np.unique(values, True, True, True, axis=axis)
    found = take(ravel(x) if axis is None else x, index, axis=0 if axis is None else axis)
    extras = [
        as_tensor(one)
        for one, wanted in ((index, return_index), (inverse, return_inverse), (counts, return_counts))
        if wanted
    ]
    return (found, *extras) if extras else found


class UniqueAll(NamedTuple):
    """The distinct elements, where each first occurs, the inverse, and how often each occurs."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """The distinct elements and how often each occurs."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """The distinct elements and, for each element, which of them it is."""

    values: Any
    inverse_indices: Any


@implements(np.unique_values)
def unique_values(x: Any) -> Tensor:
    """The distinct elements in order."""
    return unique(x)


@implements(np.unique_all)
def unique_all(x: Any) -> UniqueAll:
    """The distinct elements, where each first occurs, the inverse in the operand's shape, and the counts."""
    return UniqueAll(*unique(x, True, True, True))


@implements(np.unique_counts)
def unique_counts(x: Any) -> UniqueCounts:
    """The distinct elements and how often each occurs."""
    return UniqueCounts(*unique(x, return_counts=True))


@implements(np.unique_inverse)
def unique_inverse(x: Any) -> UniqueInverse:
    """The distinct elements and the inverse in the operand's shape."""
    return UniqueInverse(*unique(x, return_inverse=True))


@implements(np.sort_complex)
def sort_complex(x: Any) -> Tensor:
    """Sorted along the last axis by real part, then by imaginary part; complex, whatever the dtype of ``x``."""
    x = as_array(x)
    return sort(x).astype(np.result_type(x.dtype, np.complex64))


@implements(np.union1d)
def union1d(x: Any, y: Any) -> Tensor:
    """The distinct elements of both, in order."""
    return unique(np.concatenate([ravel(x), ravel(y)]))


@implements(np.intersect1d)
def intersect1d(x: Any, y: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The distinct elements that are in both, in order; where asked also the indices of their first occurrences. The
    gradient goes to those of ``x``."""
    _, first, second = np.intersect1d(_positions(x), _positions(y), assume_unique, True)
    found = take(ravel(x), first)
    return (found, as_tensor(first), as_tensor(second)) if return_indices else found


@implements(np.setdiff1d)
def setdiff1d(x: Any, y: Any, assume_unique: bool = False) -> Tensor:
    """The distinct elements of ``x`` that are not in ``y``, in order (in their own order if ``assume_unique``)."""
    distinct = ravel(as_tensor(as_array(x))) if assume_unique else unique(as_tensor(as_array(x)))
    return take(distinct, np.flatnonzero(~np.isin(bottom(distinct), _positions(y))))


@implements(np.setxor1d)
def setxor1d(x: Any, y: Any, assume_unique: bool = False) -> Tensor:
    """The distinct elements that are in one of both alone, in order."""
    parts = [ravel(as_tensor(as_array(one))) for one in (x, y)]
    both = np.concatenate(parts if assume_unique else [unique(part) for part in parts])
    values, counts = unique(both, return_counts=True)
    return take(values, np.flatnonzero(bottom(counts) == 1))
