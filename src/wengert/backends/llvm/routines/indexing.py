"""Reading and updating by integer arrays. Every index is checked: one that is out of range reads element 0, and has the
run reported as failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.backends.llvm.layout import contiguous
from wengert.backends.llvm.loops import flag, index, load, nest, place, store
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode, Value
from wengert.ops.indexing import AddAt, Entry, Gather, SetAt

ir: Any = LazyModule("llvmlite.ir")


class Reading(NamedTuple):
    """What an index expression reads: for each axis of the result a length and a step in ``x``, which of these axes the
    index arrays run along, and for each array its place among them, its step in ``x`` and the length it indexes."""

    shape: tuple[int, ...]
    steps: tuple[int, ...]
    start: int
    first: int
    rank: int
    arrays: tuple[tuple[int, int], ...]


def reading(entries: Sequence[Entry], shape: tuple[int, ...], arrays: Sequence[tuple[int, ...]]) -> Reading:
    """An index expression into contiguous elements of ``shape``, with index arrays of these shapes."""
    strides = contiguous(shape)
    used = sum(entry[0] in ("slice", "int", "array") for entry in entries)
    full: list[Entry] = []
    for entry in entries:
        full += [entry] if entry[0] != "rest" else [entry, *[("slice", None, None, None)] * (len(shape) - used)]
    if ("rest",) not in full:
        full += [("slice", None, None, None)] * (len(shape) - used)
    axis = start = 0
    kept: list[tuple[int, int]] = []
    chosen: list[tuple[int, int]] = []
    places: list[int] = []
    advanced: list[int] = []
    for position, entry in enumerate(full):
        kind = entry[0]
        if kind == "new":
            kept.append((1, 0))
        elif kind == "slice":
            begin, end, step = slice(*entry[1:]).indices(shape[axis])
            start += begin * strides[axis]
            kept.append((len(range(begin, end, step)), step * strides[axis]))
        elif kind in ("int", "array"):
            # Beside an array, an integer counts as one: it decides where the arrays' axes go.
            advanced.append(position)
            places.append(len(kept))
            if kind == "int":
                start += (entry[1] % shape[axis]) * strides[axis]
            else:
                chosen.append((strides[axis], shape[axis]))
        axis += kind in ("slice", "int", "array")
    together = advanced[-1] - advanced[0] == len(advanced) - 1
    first = places[0] if together else 0
    common = _broadcast(arrays)
    lengths = [n for n, _ in kept]
    steps = [s for _, s in kept]
    return Reading(
        (*lengths[:first], *common, *lengths[first:]),
        (*steps[:first], *[0] * len(common), *steps[first:]),
        start,
        first,
        len(common),
        tuple(chosen),
    )


def _broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(max(lengths) for lengths in zip(*padded, strict=True))


def _refuses(node: GraphNode) -> str:
    if not all(isinstance(x, Value) for x in node.operands):
        return "an index that is a Python number"
    op: Any = node.primitive
    if isinstance(op, (SetAt, AddAt)) and (len(node.operands) == 2 or node.operands[1].dtype != node.dtype):
        return "no index arrays, or a value of another dtype"
    if isinstance(op, AddAt) and node.dtype.kind not in "iufc":
        return f"a sum of {node.dtype}"
    return ""


def _each(site: Site, first: int, visit: Callable[[Reading, list[Any], Any], None]) -> None:
    """Visit every element read: ``visit(reading, numbers, offset)``. Index arrays begin at operand ``first``."""
    operands = site.node.operands
    arrays = operands[first:]
    found = reading(site.op.entries, operands[0].shape, [x.shape for x in arrays])
    builder = site.builder
    failed = flag(builder)
    inner = found.first + found.rank
    base: list[Any] = [None]

    def around(depth: int, numbers: list[Any], enter: Callable[[], None]) -> None:
        if depth == inner:
            base[0] = _base(site, first, found, numbers[found.first : inner], failed)
        enter()

    def one(numbers: list[Any]) -> None:
        offset = builder.add(base[0], place(builder, numbers, found.steps, found.start))
        visit(found, numbers, offset)

    nest(builder, found.shape, one, around)
    site.fail_if(builder.load(failed))


def _base(site: Site, first: int, found: Reading, numbers: list[Any], failed: Any) -> Any:
    """Where the index arrays point, in elements, and whether they may."""
    builder, wide = site.builder, ir.IntType(64)
    base = index(0)
    for k, (step, length) in enumerate(found.arrays):
        x = site.node.operands[first + k]
        strides = (0,) * (found.rank - len(x.shape)) + contiguous(x.shape)
        chosen = load(site.emitter, site.operand(first + k), place(builder, numbers, strides), x.dtype).value
        if chosen.type.width < 64:
            chosen = (builder.sext if x.dtype.kind == "i" else builder.zext)(chosen, wide)
        negative = builder.icmp_signed("<", chosen, index(0))
        chosen = builder.select(negative, builder.add(chosen, index(length)), chosen)
        outside = builder.icmp_unsigned(">=", chosen, index(length))
        builder.store(builder.or_(builder.load(failed), outside), failed)
        chosen = builder.select(outside, index(0), chosen)
        base = builder.add(base, builder.mul(chosen, index(step)))
    return base


@routine(Gather, refuses=_refuses, scattered=True)
def gather(site: Site) -> None:
    x, out = site.operand(0), site.result()
    dtype = site.node.dtype

    def visit(found: Reading, numbers: list[Any], offset: Any) -> None:
        element = load(site.emitter, x, offset, dtype)
        store(site.emitter, element, out, place(site.builder, numbers, contiguous(found.shape)))

    _each(site, 1, visit)


@routine(SetAt, AddAt, refuses=_refuses, scattered=True, over=0)
def update(site: Site) -> None:
    x, v = site.node.operands[:2]
    out, dtype = site.result(), site.node.dtype
    site.copy(site.operand(0), out, x)
    value = site.operand(1)

    def visit(found: Reading, numbers: list[Any], offset: Any) -> None:
        lead = len(found.shape) - len(v.shape)
        strides = (0,) * max(lead, 0) + contiguous(v.shape[max(-lead, 0) :])
        element = load(site.emitter, value, place(site.builder, numbers, strides), dtype)
        if isinstance(site.op, AddAt):
            element = site.emitter.ufunc(np.add, (load(site.emitter, out, offset, dtype), element))
        store(site.emitter, element, out, offset)

    _each(site, 2, visit)
