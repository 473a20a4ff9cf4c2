"""Which elements of a graph's outputs may depend on which elements of its inputs, whatever the values.

A pattern is a sparse Boolean matrix with a row for each element of a value and a column for each element of the inputs.
It goes through the graph node by node: the rows of a result are unions of rows of the operands, chosen by a Boolean
matrix that the operation's structure gives. Elementwise operations, those that move elements about, reductions,
contractions and indexed updates are exact, and branches and loops are followed; of any other operation, every element
of the result is taken to depend on every element of the operands, which is never wrong, only larger.

Source: A. Griewank and A. Walther, "Evaluating Derivatives" (2008), section 7.1, on index domains.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.lazy import LazyModule
from wengert.core.primitive import Primitive
from wengert.core.static import Graph, GraphNode, Value
from wengert.ops.affine import Affine
from wengert.ops.arithmetic import Multiply
from wengert.ops.contraction import Contract, Matmul
from wengert.ops.control import Call, Switch
from wengert.ops.correlation import Convolve, Correlate
from wengert.ops.cumulative import Cumlogsumexp, Cumprod, Cumsum
from wengert.ops.families import Elementwise
from wengert.ops.fft import Resize
from wengert.ops.indexing import AddAt, Gather, SetAt, Slice, Unslice
from wengert.ops.joining import Concatenate, Split
from wengert.ops.loops import Scan, While
from wengert.ops.reduction import Mean, Prod, Sum
from wengert.ops.repetition import Repeat
from wengert.ops.selection import Where
from wengert.ops.shape import (
    BroadcastTo,
    DiagEmbed,
    Diagonal,
    Flip,
    Reshape,
    Roll,
    Transpose,
    Tril,
    Triu,
)
from wengert.ops.softmax import LogSoftmax, Logsumexp, Softmax
from wengert.ops.sorting import PutLast, TakeLast

sparse: Any = LazyModule("scipy.sparse")

#: A Boolean ``scipy.sparse.csr_array``; ``None`` where nothing depends on the inputs.
Pattern = Any

#: Up to how many steps of a loop are gone through; beyond, everything depends on everything.
_UNROLLED = 1000

#: Every element of a result is an element of an operand, or a constant.
MOVES = (
    BroadcastTo,
    Concatenate,
    DiagEmbed,
    Diagonal,
    Flip,
    Gather,
    Repeat,
    Reshape,
    Resize,
    Roll,
    Slice,
    Split,
    Transpose,
    Tril,
    Triu,
    Unslice,
)
#: One element for each line of elements along the axes, and of what shape.
REDUCES = (Logsumexp, Mean, Prod, Sum)
#: Each element depends on its line along the axes.
ALONG = (Cumlogsumexp, Cumprod, Cumsum, LogSoftmax, Softmax)


def sparsity(graph: Graph, wanted: int | None = None) -> Pattern:
    """The pattern of all outputs together by the first ``wanted`` inputs (all of them by default) together.

    >>> import numpy as np
    >>> from wengert.core.tracing import trace_flat
    >>> from wengert.core.types import TensorSpec
    >>> graph = trace_flat(lambda x: [x[1:] * x[:-1]], [TensorSpec((3,), np.dtype(float))])
    >>> sparsity(graph).toarray().astype(int)
    array([[1, 1, 0],
           [0, 1, 1]])
    """
    count = len(graph.inputs) if wanted is None else wanted
    sizes = [size_of(x) for x in graph.inputs[:count]]
    total = sum(sizes)
    offsets = np.cumsum([0, *sizes])
    found: list[Pattern] = [
        _matrix(np.arange(size), np.arange(size) + offset, (size, total))
        for size, offset in zip(sizes, offsets, strict=False)
    ]
    rows = _propagate(graph, [*found, *[None] * (len(graph.inputs) - count)], [None] * len(graph.inputs), total)
    blocks = [_empty(size_of(y), total) if row is None else row for y, row in zip(graph.outputs, rows, strict=True)]
    whole = sparse.vstack(blocks, format="csr") if blocks else _empty(0, total)
    whole.sort_indices()
    return whole


def size_of(x: Any) -> int:
    return math.prod(x.shape)


def _empty(rows: int, columns: int) -> Pattern:
    return sparse.csr_array((rows, columns), dtype=bool)


def _matrix(rows: Any, columns: Any, shape: tuple[int, int]) -> Pattern:
    made = sparse.csr_array((np.ones(len(rows), bool), (rows, columns)), shape=shape)
    made.sum_duplicates()
    return made


def _propagate(graph: Graph, patterns: Sequence[Pattern], values: Sequence[Any], total: int) -> list[Pattern]:
    """The patterns of a graph's outputs. ``values`` has the array of an input that is known, ``None`` else."""
    reach: dict[Value, Pattern] = dict(zip(graph.inputs, patterns, strict=True))
    known: dict[Value, Any] = dict(zip(graph.inputs, values, strict=True))
    known.update((constant, constant.array) for constant in graph.constants)
    for node in graph.nodes:
        arrays = [known.get(x) if isinstance(x, Value) else x for x in node.operands]
        given = [reach.get(x) if isinstance(x, Value) else None for x in node.operands]
        if all(p is None for p in given):
            if all(a is not None for a in arrays) and not node.primitive.random:
                with np.errstate(all="ignore"):
                    out = node.primitive.value(*arrays)
                known.update(zip(node.results, out if isinstance(out, tuple) else (out,), strict=True))
            continue
        if not node.primitive.differentiable:
            continue
        for result, row in zip(node.results, _through(node, given, arrays, total), strict=True):
            if result.dtype.kind in "fc":
                reach[result] = row
    return [reach.get(y) for y in graph.outputs]


def _through(node: GraphNode, given: Sequence[Pattern], arrays: Sequence[Any], total: int) -> list[Pattern]:
    """The patterns of a node's results."""
    within = _through_graphs(node, given, arrays, total)
    if within is not None:
        return within
    found: list[Pattern] = [None] * len(node.results)
    for place, pattern in enumerate(given):
        if pattern is None:
            continue
        chosen = choices(node, place, arrays)
        for k, result in enumerate(node.results):
            if chosen is None:
                union = sparse.csr_array(pattern.sum(axis=0, dtype=bool)[None, :])
                part = sparse.csr_array(np.ones((size_of(result), 1), bool)) @ union
            else:
                part = chosen[k] @ pattern
            found[k] = part if found[k] is None else found[k] + part
    return found


def _through_graphs(
    node: GraphNode, given: Sequence[Pattern], arrays: Sequence[Any], total: int
) -> list[Pattern] | None:
    """The patterns of the results of an operation that carries graphs; ``None`` for any other."""
    primitive = node.primitive
    if isinstance(primitive, Call):
        return _propagate(primitive.graph, given, arrays, total)
    if isinstance(primitive, Switch):
        branches = [_propagate(branch, given[1:], arrays[1:], total) for branch in primitive.branches]
        return [_union(*column) for column in zip(*branches, strict=True)]
    if isinstance(primitive, Scan) and primitive.length <= _UNROLLED:
        return _through_scan(primitive, given, arrays, total)
    if isinstance(primitive, While):
        return _through_while(primitive, given, arrays, total)
    return None


def _union(*patterns: Pattern) -> Pattern:
    found = [p for p in patterns if p is not None]
    return sum(found[1:], found[0]) if found else None


def _through_scan(scan: Scan, given: Sequence[Pattern], arrays: Sequence[Any], total: int) -> list[Pattern]:
    """Step after step, each with its own row of ``xs``."""
    own, known = scan.parts(given), scan.parts(arrays)
    specs = scan.parts(scan.body.inputs)
    carry = list(own.carry)
    rows: list[list[Pattern]] = [[None] * scan.length for _ in scan.body.outputs[scan.carry :]]
    for k in reversed(range(scan.length)) if scan.reverse else range(scan.length):
        sizes = [size_of(x) for x in specs.xs]
        near = [None if p is None else p[k * n : (k + 1) * n] for p, n in zip(own.xs, sizes, strict=True)]
        values = [*known.consts, *[None] * len(carry), *(None if x is None else x[k] for x in known.xs)]
        outs = _propagate(scan.body, [*own.consts, *carry, *near], values, total)
        carry = outs[: scan.carry]
        for column, row in zip(rows, outs[scan.carry :], strict=True):
            column[k] = row
    stacked = [_stacked(column, y, total) for column, y in zip(rows, scan.body.outputs[scan.carry :], strict=True)]
    return [*carry, *stacked]


def _stacked(rows: Sequence[Pattern], y: Value, total: int) -> Pattern:
    if all(row is None for row in rows):
        return None
    return sparse.vstack([_empty(size_of(y), total) if row is None else row for row in rows], format="csr")


def _through_while(loop: While, given: Sequence[Pattern], arrays: Sequence[Any], total: int) -> list[Pattern] | None:
    """The union over any number of steps: the body is gone through until nothing is added."""
    own, known = loop.parts(given), loop.parts(arrays)
    carry = list(own.carry)
    values = [*known.consts, *[None] * len(carry)]
    for _ in range(_UNROLLED):
        moved = _propagate(loop.body, [*own.consts, *carry], values, total)
        new = [_union(old, one) for old, one in zip(carry, moved, strict=True)]
        if all((a is None) == (b is None) and (a is None or a.nnz == b.nnz) for a, b in zip(carry, new, strict=True)):
            return new
        carry = new
    return None


# -- the structure of operations ------------------------------------------------------------------------------------


def choices(node: GraphNode, place: int, arrays: Sequence[Any]) -> list[Pattern] | None:
    """For each result, the matrix of which elements of the operand at ``place`` its elements depend on; ``None`` where
    that is not known, so that it may be all."""
    primitive = node.primitive
    operand, out = node.operands[place], node.results[0]
    if isinstance(primitive, Elementwise) or _keeps_places(primitive, operand, out):
        source = _broadcast_indices(operand, out.shape)
        passes = _passing(primitive, place, arrays)
        return [_moved(source if passes is None else np.where(passes, source, -1), size_of(operand))]
    for kinds, rule in RULES:
        if isinstance(primitive, kinds):
            return rule(node, place, arrays)
    return None


def _passing(primitive: Primitive, place: int, arrays: Sequence[Any]) -> Any:
    """Where the operand is used at all, as far as known operands decide: masks and choices."""
    if isinstance(primitive, Multiply):
        return None if arrays[1 - place] is None else np.not_equal(arrays[1 - place], 0)
    if isinstance(primitive, Where) and arrays[0] is not None:
        return np.asarray(arrays[0], bool) if place == 1 else ~np.asarray(arrays[0], bool)
    return None


def _keeps_places(primitive: Primitive, operand: Any, out: Any) -> bool:
    """Whether a linear view of one operand can only be that operand, as for a cast or a copy."""
    return primitive.name in ("astype", "copy", "tie", "scale_gradient") and operand.shape == out.shape


def _indices(x: Any) -> np.ndarray:
    return np.arange(size_of(x)).reshape(x.shape)


def _broadcast_indices(x: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(_indices(x), shape)


def _moved(source: np.ndarray, size: int) -> Pattern:
    """The matrix for a result whose elements are those with these numbers; -1 for a constant."""
    flat = source.ravel()
    kept = flat >= 0
    starts = np.concatenate([[0], np.cumsum(kept)])
    return sparse.csr_array((np.ones(int(starts[-1]), bool), flat[kept], starts), shape=(len(flat), size))


def _by_moving(node: GraphNode, place: int, arrays: Sequence[Any]) -> list[Pattern] | None:
    """Run the operation on the numbers of the elements, with 0 for what is not an element of the operand."""
    operands: list[Any] = []
    for position, x in enumerate(node.operands):
        if position == place:
            operands.append(_indices(x) + 1)
        elif not isinstance(x, Value) or x.dtype.kind not in "fc":
            operands.append(arrays[position])
        else:
            operands.append(np.zeros(x.shape, int))
    if any(x is None for x in operands):
        return None
    out = node.primitive.value(*operands)
    size = size_of(node.operands[place])
    return [_moved(np.asarray(one) - 1, size) for one in (out if isinstance(out, tuple) else (out,))]


def _axes(primitive: Any, rank: int) -> tuple[int, ...]:
    axes = getattr(primitive, "axes", getattr(primitive, "axis", -1))
    return tuple(range(-rank, 0)) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)


def _lines(primitive: Any, x: Any) -> tuple[np.ndarray, int]:
    """For each element, the number of the line along the axes that it lies on, and how many lines there are."""
    axes = [axis % len(x.shape) for axis in _axes(primitive, len(x.shape))] if x.shape else []
    shape = tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))
    count = math.prod(shape)
    return np.broadcast_to(np.arange(count).reshape(shape), x.shape).ravel(), count


def _by_lines(node: GraphNode, place: int, arrays: Sequence[Any]) -> list[Pattern]:
    x = node.operands[place]
    line, count = _lines(node.primitive, x)
    return [_matrix(line, np.arange(size_of(x)), (count, size_of(x)))]


def _along_lines(node: GraphNode, place: int, arrays: Sequence[Any]) -> list[Pattern]:
    (reduced,) = _by_lines(node, place, arrays)
    whole = sparse.csr_array(reduced.T) @ reduced
    if node.primitive.name.startswith("cum"):
        # An element of a running sum depends on those before it, whose numbers are lower.
        whole = sparse.csr_array(sparse.tril(whole))
    return [whole]


def _by_sorted_index(node: GraphNode, place: int, arrays: Sequence[Any]) -> list[Pattern] | None:
    """Elements of the last axis read (or added) at an index: any on the line, where the index is not known."""
    if place:
        return None
    x, out = node.operands[0], node.results[0]
    own = np.broadcast_to(np.arange(size_of(x) // max(1, x.shape[-1]))[:, None], (*_flat_lines(x),)).ravel()
    other = np.broadcast_to(np.arange(size_of(out) // max(1, out.shape[-1]))[:, None], (*_flat_lines(out),)).ravel()
    lines = int(own.max(initial=-1)) + 1
    if x.shape[:-1] != out.shape[:-1]:
        return None
    left = _matrix(np.arange(len(other)), other, (len(other), lines))
    return [left @ _matrix(own, np.arange(len(own)), (lines, len(own)))]


def _flat_lines(x: Any) -> tuple[int, int]:
    return size_of(x) // max(1, x.shape[-1]), x.shape[-1]


def _by_update(node: GraphNode, place: int, arrays: Sequence[Any]) -> list[Pattern] | None:
    """``x`` with ``v`` written or added at an index."""
    x, v = node.operands[:2]
    if place == 0:
        return [_moved(_indices(x), size_of(x))]
    if place > 1 or any(a is None for a in arrays[2:]):
        return None
    entries = node.primitive.parameters()["entries"]
    reading: Any = Gather(entries) if arrays[2:] else Slice(entries)
    target = reading.value(_indices(x), *arrays[2:])
    source = np.broadcast_to(_indices(v), target.shape)
    return [_matrix(target.ravel(), source.ravel(), (size_of(x), size_of(v)))]


# -- contractions ---------------------------------------------------------------------------------------------------


def _letters(node: GraphNode) -> tuple[list[list[int]], list[int]]:
    """The labels of the axes of each operand and of the result; what is summed over is in two operands only."""
    primitive = node.primitive
    if isinstance(primitive, Contract):
        return [list(map(ord, primitive.left)), list(map(ord, primitive.right))], list(map(ord, primitive.out))
    rank = len(node.results[0].shape)
    if isinstance(primitive, Affine):
        lead = list(range(rank - 1))
        return [[*lead, -1], [-2, -1], [-2]], [*lead, -2]
    x, y = node.operands
    batch = rank - (len(x.shape) > 1) - (len(y.shape) > 1)
    lead = list(range(batch))
    rows = [-2] if len(x.shape) > 1 else []
    columns = [-3] if len(y.shape) > 1 else []
    left = [*lead[batch - max(0, len(x.shape) - 2) :], *rows, -1]
    right = [*lead[batch - max(0, len(y.shape) - 2) :], -1, *columns]
    return [left, right], [*lead, *rows, *columns]


def _by_contraction(node: GraphNode, place: int, arrays: Sequence[Any]) -> list[Pattern]:
    """Products of the operand with another one, summed; where the other is a known array its zeros are left out."""
    terms, out_term = _letters(node)
    own = terms[place]
    lengths: dict[int, int] = {}
    for x, term in zip((*node.operands, node.results[0]), (*terms, out_term), strict=True):
        for label, n in zip(term, x.shape, strict=True):
            lengths[label] = max(n, lengths.get(label, 0))
    places: dict[int, np.ndarray] = {}
    other = 1 - place if place < 2 else None
    if other is not None and arrays[other] is not None:
        factor = np.broadcast_to(arrays[other], tuple(lengths[label] for label in terms[other]))
        places = dict(zip(terms[other], np.nonzero(factor), strict=True))
    for label in dict.fromkeys([*own, *out_term]):
        if label not in places:
            count = len(next(iter(places.values()))) if places else 1
            places = {name: np.repeat(index, lengths[label]) for name, index in places.items()}
            places[label] = np.tile(np.arange(lengths[label]), count)
    x, out = node.operands[place], node.results[0]
    return [_matrix(_numbers(out, out_term, places), _numbers(x, own, places), (size_of(out), size_of(x)))]


def _by_sliding(node: GraphNode, place: int, arrays: Sequence[Any]) -> list[Pattern]:
    """Convolution and correlation of two vectors; zeros of a known one are left out."""
    out = node.results[0]
    lengths = [size_of(x) for x in node.operands]
    full = isinstance(node.primitive, Convolve)
    one = np.arange(lengths[0] if full else size_of(out))
    i, j = (index.ravel() for index in np.meshgrid(one, np.arange(lengths[1]), indexing="ij"))
    rows, columns = (i + j, (i, j)) if full else (i, (i + j, j))
    other = arrays[1 - place]
    used = np.ones(len(i), bool) if other is None else np.asarray(other)[columns[1 - place]] != 0
    return [_matrix(rows[used], columns[place][used], (size_of(out), lengths[place]))]


def _numbers(x: Any, term: Sequence[int], places: dict[int, np.ndarray]) -> np.ndarray:
    """The numbers of a value's elements at these places; an axis of length one is broadcast."""
    count = len(next(iter(places.values()))) if places else 1
    number = np.zeros(count, np.int64)
    for label, n in zip(term, x.shape, strict=True):
        number = number * n + (places[label] if n > 1 else 0)
    return number


Choice = Callable[[GraphNode, int, Sequence[Any]], "list[Pattern] | None"]

RULES: tuple[tuple[tuple[type[Primitive], ...], Choice], ...] = (
    (MOVES, _by_moving),
    (REDUCES, _by_lines),
    (ALONG, _along_lines),
    ((AddAt, SetAt), _by_update),
    ((TakeLast, PutLast), _by_sorted_index),
    ((Affine, Contract, Matmul), _by_contraction),
    ((Convolve, Correlate), _by_sliding),
)
