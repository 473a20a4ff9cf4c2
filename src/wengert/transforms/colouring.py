"""Colours for the columns of a sparse matrix, so that all columns of one colour can be computed together.

Source: A. R. Curtis, M. J. D. Powell and J. K. Reid, "On the estimation of sparse Jacobian matrices", J. Inst. Maths
Applics 13 (1974); A. H. Gebremedhin, F. Manne and A. Pothen, "What color is your Jacobian? Graph coloring for computing
derivatives", SIAM Review 47 (2005).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.lazy import LazyModule

sparse: Any = LazyModule("scipy.sparse")


def column_colours(pattern: Any, limit: int | None = None) -> np.ndarray | None:
    """A colour for each column, such that no row has two columns of one colour; greedily, largest columns first where
    that needs fewer colours than the natural order. ``None`` if more than ``limit`` colours are needed.

    >>> from scipy.sparse import csr_array
    >>> column_colours(csr_array([[1, 1, 0], [0, 1, 1]]))
    array([0, 1, 0])
    """
    pattern = pattern.astype(bool)
    rows = np.diff(pattern.tocsr().indptr)
    least = int(rows.max(initial=0))
    if limit is not None and least > limit:
        return None
    neighbours = sparse.csr_array(pattern.T) @ pattern
    natural = np.arange(pattern.shape[1])
    best = _greedy(neighbours.indptr, neighbours.indices, natural)
    if best.max(initial=-1) + 1 > least:
        degree = np.diff(neighbours.indptr)
        other = _greedy(neighbours.indptr, neighbours.indices, np.argsort(-degree, kind="stable"))
        best = min(best, other, key=lambda colours: int(colours.max(initial=-1)))
    return None if limit is not None and best.max(initial=-1) + 1 > limit else best


def _greedy(starts: np.ndarray, neighbours: np.ndarray, order: np.ndarray) -> np.ndarray:
    """For each vertex in order the least colour that no neighbour has."""
    colours = np.full(len(starts) - 1, -1)
    for vertex in order:
        taken = colours[neighbours[starts[vertex] : starts[vertex + 1]]]
        colours[vertex] = _least_free(taken[taken >= 0])
    return colours


def _least_free(taken: np.ndarray) -> int:
    used = np.zeros(len(taken) + 1, bool)
    used[taken[taken <= len(taken)]] = True
    return int(np.argmin(used))


def star_colours(pattern: Any) -> np.ndarray:
    """Colours for the vertices of a symmetric pattern: neighbours differ, and every path of four vertices has at least
    three colours (algorithm 4.1 of Gebremedhin, Manne and Pothen). Then each entry of the symmetric matrix, or its
    mirror image, stands alone in a sum of the columns of a colour.

    >>> import numpy as np
    >>> arrow = np.eye(5); arrow[0] = arrow[:, 0] = 1
    >>> from scipy.sparse import csr_array
    >>> star_colours(csr_array(arrow))
    array([0, 1, 1, 1, 1])
    """
    matrix = sparse.csr_array(pattern)
    starts, neighbours = matrix.indptr, matrix.indices
    count = matrix.shape[0]
    colours = np.full(count, -1)
    for vertex in range(count):
        near = neighbours[starts[vertex] : starts[vertex + 1]]
        near = near[near != vertex]
        lengths = starts[near + 1] - starts[near]
        inner = np.repeat(near, lengths)
        ends = np.cumsum(lengths)
        offsets = np.arange(len(inner)) - np.repeat(ends - lengths, lengths)
        outer = neighbours[np.repeat(starts[near], lengths) + offsets]
        far = colours[outer]
        # A vertex two steps away forbids its colour if the one between has none yet, or a higher one.
        forbidding = (outer != vertex) & (far >= 0) & ((colours[inner] < 0) | (far < colours[inner]))
        direct = colours[near]
        colours[vertex] = _least_free(np.concatenate([direct[direct >= 0], far[forbidding]]))
    return colours
