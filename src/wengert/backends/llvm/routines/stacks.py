"""Stacks of matrices: where each one lies, copies by columns for Fortran, calls of LAPACK."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm import blas
from wengert.backends.llvm.layout import contiguous, size
from wengert.backends.llvm.loops import index, load, loop, nest, place, stack, store
from wengert.backends.llvm.routines.registry import Site
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode, Value

ir: Any = LazyModule("llvmlite.ir")

INT = np.dtype(np.int32)


def only_floats(node: GraphNode) -> str:
    """Why a routine for float32 and float64 does not fit."""
    if not all(isinstance(x, Value) for x in node.operands):
        return "an operand that is a Python number"
    if node.dtype.char not in "fd" or any(x.dtype.kind not in "iufb" or x.dtype.char == "e" for x in node.inputs):
        return "these dtypes"
    return ""


def each_matrix(
    site: Site,
    ranks: Sequence[int],
    visit: Callable[[list[Any], list[Any]], None],
    pointers: Sequence[Any] = (),
) -> None:
    """``visit(operands, results)`` with pointers to each matrix of the stacks, whose leading axes broadcast.
    ``ranks`` has the rank of one element of the stack, for operands and then results (2: a matrix, 0: a number).
    ``pointers`` are where these lie, if not where the operation's own are."""
    values = [*site.node.inputs, *site.node.results]
    pointers = pointers or [*site.pointers.operands, *site.pointers.results]
    leads = [value.shape[: len(value.shape) - rank] for value, rank in zip(values, ranks, strict=True)]
    lead = np.broadcast_shapes(*leads)
    steps = []
    for value, own in zip(values, leads, strict=True):
        count = size(value.shape[len(own) :])
        inner = [0 if n == 1 else s * count for n, s in zip(own, contiguous(own), strict=True)]
        steps.append((0,) * (len(lead) - len(own)) + tuple(inner))
    builder, operands = site.builder, len(site.node.inputs)

    def one(numbers: list[Any]) -> None:
        found = [
            builder.gep(pointer, [place(builder, numbers, step)]) for pointer, step in zip(pointers, steps, strict=True)
        ]
        visit(found[:operands], found[operands:])

    nest(builder, lead, one)


def copied(site: Site, source: Any, kind: Any, target: Any, rows: int, columns: int) -> None:
    """Write a matrix of dtype ``kind`` that lies by rows by columns: its transpose by rows."""
    builder, emitter, dtype = site.builder, site.emitter, site.node.results[-1].dtype
    with loop(builder, columns) as j, loop(builder, rows) as i:
        x = load(emitter, source, place(builder, [i, j], [columns, 1]), kind)
        store(emitter, emitter.cast(x, dtype), target, place(builder, [j, i], [rows, 1]))


def lapack(site: Site, name: str, *arguments: Any) -> Any:
    """Call a function of LAPACK, whose last argument says how it went; gives that number."""
    info = stack(site.builder, INT, 1)
    prefix = "d" if site.node.results[-1].dtype.char == "d" else "s"
    blas.call(site, f"wengert_lapack_{prefix}{name}", [*arguments, info])
    return site.builder.load(info)


def fails(site: Site, info: Any) -> None:
    """Have the run reported as failed if LAPACK says so."""
    site.fail_if(site.builder.icmp_signed("!=", info, ir.Constant(info.type, 0)))


def fill(site: Site, target: Any, count: int, number: float) -> None:
    """The same number in so many elements."""
    emitter = site.emitter
    with loop(site.builder, count) as k:
        store(emitter, emitter.constant(number, site.node.results[-1].dtype), target, k)


def diagonal(site: Site, target: Any, n: int, visit: Callable[[Any, Any], None]) -> None:
    """``visit(k, pointer)`` for each element of the diagonal of a matrix of n columns."""
    builder = site.builder
    with loop(builder, n) as k:
        visit(k, builder.gep(target, [builder.mul(k, index(n + 1))]))
