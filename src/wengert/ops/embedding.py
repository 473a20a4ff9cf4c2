"""Class indices: one-hot vectors, and rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply, as_operand
from wengert.core.errors import DTypeError, IndexRangeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec


def _check_indices(indices: Any, count: int, name: str) -> None:
    if np.asarray(indices).dtype.kind not in "iu":
        raise DTypeError(f"{name}: indices must be integers, not {np.asarray(indices).dtype}")
    if np.size(indices) and not (np.min(indices) >= 0 and np.max(indices) < count):
        raise IndexRangeError(
            f"{name}: the indices range from {np.min(indices)} to {np.max(indices)}, outside of 0..{count - 1}"
        )


class OneHot(Primitive):
    """Unit vectors of length ``count``, along a new last axis."""

    count: int
    dtype: str
    differentiable = False
    maps_leading_axes = True

    def value(self, indices: Any) -> Any:
        _check_indices(indices, self.count, "one_hot")
        return np.eye(self.count, dtype=self.dtype)[indices]

    def spec(self, indices: TensorSpec) -> TensorSpec:
        return TensorSpec((*indices.shape, self.count), self.dtype)


def one_hot(indices: Any, num_classes: int = -1, dtype: Any = "int64") -> Tensor:
    """Unit vectors: integers of any shape (*) to (*, num_classes).

    ``num_classes`` is one more than the largest index unless given. Raises ``IndexRangeError`` for an index outside of
    0..num_classes - 1, and ``DTypeError`` for indices that are not integers.

    >>> import wengert as wg
    >>> wg.one_hot(wg.tensor([1, 0]), 3)
    tensor([[0, 1, 0],
            [1, 0, 0]])
    """
    indices = as_tensor(indices)
    if num_classes < 0:
        if not np.size(indices):
            raise ShapeError("one_hot: num_classes is needed where there is no index to read it off")
        num_classes = int(np.max(indices)) + 1
    result: Tensor = apply(OneHot(num_classes, np.dtype(dtype).name), indices)
    return result


class Embedding(Primitive):
    """Rows ``indices`` of a table; the row ``padding`` gets no gradient (-1: there is none)."""

    padding: int = -1

    def value(self, indices: Any, weight: Any) -> Any:
        _check_indices(indices, weight.shape[0], "embedding")
        return np.take(weight, indices, axis=0)

    def spec(self, indices: TensorSpec, weight: TensorSpec) -> TensorSpec:
        return TensorSpec((*indices.shape, *weight.shape[1:]), weight.dtype)

    vjp_indices = None

    def vjp_weight(self, g: Array, indices: Array, spec: Any) -> Array:
        return EmbeddingGradient(spec.shape[0], self.padding)(indices, g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[1] is None else self._masked(self(inputs[0], tangents[1]), inputs[0])

    def _masked(self, rows: Array, indices: Array) -> Array:
        if self.padding < 0:
            return rows
        kept = indices != self.padding
        return np.where(kept.reshape((*kept.shape, *(1,) * (rows.ndim - kept.ndim))), rows, 0)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        indices, weight = inputs
        if not batched[1]:
            return self(indices, weight)
        return NotImplemented if batched[0] or self.padding >= 0 else np.take(weight, indices, axis=1)


class EmbeddingGradient(Primitive):
    """Sum rows g (*, d) into a table of ``count`` rows, each where its index says; the transpose of ``Embedding``."""

    count: int
    padding: int = -1

    def value(self, indices: Any, g: Any) -> Any:
        indices = np.asarray(indices)
        rows = np.reshape(g, (indices.size, *g.shape[indices.ndim :]))
        flat = indices.reshape(-1)
        if self.padding >= 0:
            kept = flat != self.padding
            flat, rows = flat[kept], rows[kept]
        return _sum_rows(flat, rows, self.count)

    def spec(self, indices: TensorSpec, g: TensorSpec) -> TensorSpec:
        return TensorSpec((self.count, *g.shape[indices.ndim :]), g.dtype)

    vjp_indices = None

    def vjp_g(self, g: Array, indices: Array) -> Array:
        embedding = Embedding(self.padding)
        return embedding._masked(embedding(indices, g), indices)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[1] is None else self(inputs[0], tangents[1])

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        indices, g = inputs
        if not batched[1]:
            g = np.broadcast_to(g, (size, *g.shape))
        rank = indices.ndim - batched[0]
        # One table below the other, and each element's indices moved to its own.
        shifted = indices + np.arange(size).reshape((size, *(1,) * rank)) * self.count
        if self.padding >= 0:
            kept = np.broadcast_to(indices, shifted.shape) != self.padding
            g = np.where(kept.reshape((*kept.shape, *(1,) * (g.ndim - kept.ndim))), g, 0)
        out = EmbeddingGradient(size * self.count)(shifted, g)
        return out.reshape((size, self.count, *out.shape[1:]))


def _sum_rows(indices: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Sum ``rows`` that have the same index: (n,) and (n, ...) give (count, ...).

    Sorting brings equal indices together, and ``np.add.reduceat`` sums each run: several times faster than
    ``np.add.at`` for rows, and pairwise summation besides.
    """
    out = np.zeros((count, *rows.shape[1:]), rows.dtype)
    if indices.size and out.size:
        order = np.argsort(indices, kind="stable")
        ordered = indices[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        out[ordered[starts]] = np.add.reduceat(rows[order], starts, axis=0)
    return out


def embedding(indices: Any, weight: Any, padding_idx: int | None = None) -> Tensor:
    """Rows of a table: integers of any shape (*) and a weight (n, d) to (*, d).

    The gradient towards the table sums over indices that occur more than once. The row ``padding_idx`` is looked up
    like any other but gets no gradient. Raises ``IndexRangeError`` for an index outside of 0..n - 1, and
    ``DTypeError`` for indices that are not integers.

    >>> import wengert as wg
    >>> table = wg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> wg.embedding(wg.tensor([1, 1]), table).sum().backward(); table.grad
    tensor([[0., 0.],
            [2., 2.]])
    """
    indices, weight = as_tensor(indices), as_operand(weight, "embedding")
    if not getattr(weight, "shape", ()):
        raise ShapeError("embedding: the weight must have at least one axis, (n, d) as a rule")
    rows = weight.shape[0]
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise IndexRangeError(f"embedding: padding_idx {padding_idx} is outside of a table of {rows} rows")
    padding = -1 if padding_idx is None else padding_idx % rows
    result: Tensor = apply(Embedding(padding), indices, weight)
    return result
