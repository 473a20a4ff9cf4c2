"""Sparse Jacobians and Hessians: the pattern from the graph, colours from the pattern, and one direction a colour."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.errors import GradientError, TransformError
from wengert.core.lazy import LazyModule
from wengert.core.levels import Wrapped, concrete
from wengert.core.mode import MODE
from wengert.core.static import spec_text
from wengert.transforms.colouring import column_colours, star_colours
from wengert.transforms.pattern import sparsity
from wengert.transforms.points import Point, combine, joined

sparse: Any = LazyModule("scipy.sparse")

Function = Callable[..., Any]


class SparseEvaluation:
    """A sparse matrix of derivatives, and how it was found."""

    def __init__(self, matrix: Any, mode: str, colours: int) -> None:
        self.matrix = matrix
        self.mode = mode
        self.colours = colours


def structural_graph(point: Point) -> Any:
    """The point's graph; a sparse result needs one, and concrete arguments."""
    if point.has_aux:
        raise GradientError(f"{point.caller}: sparse=True and has_aux=True do not go together; return the result alone")
    graph = point.traced()
    for x in (*point.leaves, *graph.captured):
        if isinstance(x, Wrapped) or concrete(x) is None:
            raise TransformError(
                f"{point.caller}: a sparse result is a scipy.sparse array, which cannot be traced, batched or "
                f"differentiated; leave sparse=True out inside of jvp, vmap, trace and jit"
            )
        if x.requires_grad and MODE.get().grad:
            raise GradientError(
                f"{point.caller}: a sparse result is a scipy.sparse array, through which no gradient can flow to the "
                f"{spec_text(x)} tensor that requires one; detach it, or call this inside wengert.no_grad()"
            )
    return graph


def column_directions(colours: np.ndarray) -> np.ndarray:
    """For each colour the sum of the unit vectors of its columns."""
    count = int(colours.max(initial=-1)) + 1
    weights = np.zeros((count, len(colours)), bool)
    weights[colours, np.arange(len(colours))] = True
    return weights


def choose_colours(pattern: Any, mode: str) -> tuple[str, np.ndarray]:
    """Columns for forward mode or rows for reverse mode: with "auto", whichever needs fewer directions."""
    widest = int(np.diff(pattern.indptr).max(initial=0))
    tallest = int(np.bincount(pattern.indices, minlength=1).max(initial=0))
    mirrored = sparse.csr_array(pattern.T)
    if mode == "forward" or (mode == "auto" and widest <= tallest):
        first, other, least = ("forward", pattern), ("reverse", mirrored), tallest
    else:
        first, other, least = ("reverse", mirrored), ("forward", pattern), widest
    colours = column_colours(first[1])
    assert colours is not None
    count = int(colours.max(initial=-1)) + 1
    if mode == "auto" and least < count:
        fewer = column_colours(other[1], limit=count - 1)
        if fewer is not None:
            return other[0], fewer
    return first[0], colours


def flat_rows(stacks: Sequence[Any]) -> np.ndarray:
    """Stacked results as one array with a row for each direction."""
    rows = [np.asarray(y.detach()).reshape((y.shape[0], -1)) for y in stacks]
    return np.concatenate(rows, axis=1)


def in_chunks(sweep: Callable[[Sequence[Any]], Any], leaves: Sequence[Any], weights: np.ndarray, step: int) -> Any:
    """One row for each row of ``weights``, ``step`` of them in each sweep."""
    parts = [flat_rows(sweep(combine(leaves, weights[a : a + step]))) for a in range(0, len(weights), step)]
    return joined(parts)


def sparse_jacobian(
    point: Point, pattern: Any, mode: str, outputs: Sequence[Any], chunk: Callable[[str, int], int]
) -> SparseEvaluation:
    """The Jacobian of a traced point with a known pattern, compressed along columns or rows."""
    mode, colours = choose_colours(pattern, mode)
    weights = column_directions(colours)
    dtype = np.result_type(*(y.dtype for y in outputs))
    entries = pattern.tocoo()
    rows, columns = entries.coords
    if not len(weights):
        return SparseEvaluation(sparse.csr_array(pattern.shape, dtype=dtype), mode, 0)
    step = chunk(mode, len(weights))
    if mode == "forward":
        data = in_chunks(point.push, point.leaves, weights, step)[colours[columns], rows]
    else:
        values, back = point.pullback()
        data = in_chunks(back, values, weights, step)[colours[rows], columns]
    return SparseEvaluation(sparse.csr_array((data, (rows, columns)), shape=pattern.shape), mode, len(weights))


def sparse_hessian(gradient: Function, argnums: Any, chunk_bytes: int, peak: Callable[[Any], int]) -> Function:
    """The function from arguments to the sparse Hessian, given the gradient of a function."""

    @functools.wraps(gradient)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        point = Point(gradient, argnums, args, kwargs, False, "hessian")
        graph = structural_graph(point)
        if any(x.dtype.kind == "c" for x in point.leaves):
            raise GradientError("hessian: a sparse Hessian is for real arguments")
        pattern = sparsity(graph, len(point.leaves))
        # Symmetric by construction, though propagation may see more on one side than on the other.
        count = pattern.shape[0]
        pattern = sparse.csr_array(pattern + sparse.csr_array(pattern.T))
        closed = sparse.csr_array(pattern + sparse.eye_array(count, dtype=bool))
        colours = star_colours(closed)
        weights = column_directions(colours)
        step = max(1, chunk_bytes // max(1, 2 * peak(graph)))
        compressed = in_chunks(point.push, point.leaves, weights, step) if count else np.zeros((0, 0))
        return recovered(compressed, closed, pattern, colours)

    return wrapper


def recovered(compressed: np.ndarray, closed: Any, pattern: Any, colours: np.ndarray) -> Any:
    """The symmetric matrix whose columns of each colour add up to the rows of ``compressed``.

    An entry is read where it stands alone: in its own row, or in that of its mirror image."""
    count = len(colours)
    palette = sparse.csr_array(
        (np.ones(count, np.int64), (np.arange(count), colours)), shape=(count, int(colours.max(initial=-1)) + 1)
    )
    crowd = (closed.astype(np.int64) @ palette).tocsr()
    rows, columns = pattern.tocoo().coords
    alone = np.asarray(crowd[rows, colours[columns]]).ravel() == 1 if len(rows) else np.zeros(0, bool)
    data = np.where(alone, compressed[colours[columns], rows], compressed[colours[rows], columns])
    return sparse.csr_array((data, (rows, columns)), shape=(count, count))
