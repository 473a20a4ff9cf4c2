"""Operations that only move elements, found out by asking them.

A linear operation of one operand each of whose results is one element or zero (``roll``, ``tril``, ``diag``,
``repeat``) is a table of where elements come from. The operation itself is run on the numbers of the elements, and then
on random ones, which proves the table.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import BY_FOUR, index, load, loop, store
from wengert.backends.llvm.routines.registry import Plan, Site
from wengert.backends.llvm.scalars import Scalar, memory_type
from wengert.core.lazy import LazyModule
from wengert.core.primitive import Primitive
from wengert.core.static import Constant, GraphNode, Value

ir: Any = LazyModule("llvmlite.ir")

#: Elements up to which each is moved by an instruction of its own, and up to which there is a table.
WRITTEN_OUT, LARGEST = 64, 1 << 20


def plan(node: GraphNode) -> Plan | None:
    """The code of an operation that only moves elements, or ``None`` if it does more."""
    found = table(node)
    if found is None:
        return None
    if found.array.size <= WRITTEN_OUT:
        return Plan(lambda site: _write_out(site, found.array), apart=False)
    return Plan(move, tables=(found,), scattered=True)


def table(node: GraphNode) -> Constant | None:
    """For each element of a result, which element of the operand it is, or -1 for zero; ``None`` if that is not all."""
    primitive = node.primitive
    if not primitive.linear or primitive.graphs() or len(node.operands) != 1 or len(node.results) != 1:
        return None
    (x,) = node.operands
    if not isinstance(x, Value) or x.dtype != node.dtype or max(size(x.shape), size(node.shape)) > LARGEST:
        return None
    return _found(primitive, x.shape)


@functools.lru_cache(maxsize=1024)
def _found(primitive: Primitive, shape: tuple[int, ...]) -> Constant | None:
    count = size(shape)
    try:
        places = np.asarray(primitive.value(np.arange(1.0, count + 1).reshape(shape)))
        probe = np.random.default_rng(0).integers(-(1 << 52), 1 << 52, count).astype(float)
        moved = np.asarray(primitive.value(probe.reshape(shape)))
    except Exception:
        return None
    if places.dtype != float or not np.all((places >= 0) & (places <= count) & (places == np.rint(places))):
        return None
    numbers = places.reshape(-1).astype(np.int32)
    if not np.array_equal(np.concatenate(([0.0], probe))[numbers], moved.reshape(-1)):
        return None
    return Constant(numbers - np.int32(1))


def _write_out(site: Site, places: np.ndarray) -> None:
    (x,), emitter = site.node.inputs, site.emitter
    source, target = site.operand(0), site.result()
    elements = [load(emitter, source, index(int(k)), x.dtype) if k >= 0 else _zero(site, x.dtype) for k in places]
    for k, element in enumerate(elements):
        store(emitter, element, target, index(k))


def _zero(site: Site, dtype: Any) -> Scalar:
    kind = ir.IntType(1) if dtype.kind == "b" else memory_type(dtype)
    return Scalar(site.emitter, ir.Constant(kind, None), dtype)


def move(site: Site) -> None:
    """The code: every element from where the table says."""
    (x,), (y,) = site.node.inputs, site.node.results
    source, target, places = site.operand(0), site.result(), site.table()
    builder, emitter = site.builder, site.emitter

    with loop(builder, size(y.shape), BY_FOUR) as number:
        place = load(emitter, places, number, np.dtype(np.int32)).value
        is_zero = builder.icmp_signed("<", place, ir.Constant(place.type, 0))
        safe = builder.sext(builder.select(is_zero, ir.Constant(place.type, 0), place), ir.IntType(64))
        element = load(emitter, source, safe, x.dtype)
        element.value = builder.select(is_zero, _zero(site, x.dtype).value, element.value)
        store(emitter, element, target, number)
