"""Class indices, rows of tables, and products of matrices of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import flag, index, load, loop, nest, place, register, store
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.backends.llvm.routines.stacks import each_matrix
from wengert.backends.llvm.scalars import Scalar
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode, Value
from wengert.ops.contraction import Matmul
from wengert.ops.embedding import Embedding, EmbeddingGradient, OneHot

ir: Any = LazyModule("llvmlite.ir")


def _indexed(node: GraphNode) -> str:
    fit = all(isinstance(x, Value) for x in node.operands) and node.inputs[0].dtype.kind in "iu"
    return "" if fit and node.dtype.char in "?bhilqBHILQfd" else "these dtypes"


class _Chosen:
    """Indices, each checked against a length; one outside has the run fail, and counts as 0."""

    def __init__(self, site: Site, count: int) -> None:
        self.site, self.count, self.failed = site, count, flag(site.builder)

    def at(self, number: Any) -> Any:
        builder, x = self.site.builder, self.site.node.inputs[0]
        word = np.dtype(np.int64 if x.dtype.kind == "i" else np.uint64)
        chosen = self.site.emitter.cast(load(self.site.emitter, self.site.operand(0), number, x.dtype), word).value
        return self._safe(chosen, builder.icmp_unsigned(">=", chosen, index(self.count)))

    def _safe(self, chosen: Any, outside: Any) -> Any:
        builder = self.site.builder
        builder.store(builder.or_(builder.load(self.failed), outside), self.failed)
        return builder.select(outside, index(0), chosen)

    def finish(self) -> None:
        self.site.fail_if(self.site.builder.load(self.failed))


def _clear(site: Site) -> None:
    zero = site.emitter.constant(0, site.node.dtype)
    with loop(site.builder, size(site.node.shape)) as k:
        store(site.emitter, zero, site.result(), k)


@routine(OneHot, refuses=_indexed, scattered=True)
def one_hot(site: Site) -> None:
    builder, emitter = site.builder, site.emitter
    chosen = _Chosen(site, site.op.count)
    _clear(site)
    with loop(builder, size(site.node.inputs[0].shape)) as k:
        where = builder.add(builder.mul(k, index(site.op.count)), chosen.at(k))
        store(emitter, emitter.constant(1, site.node.dtype), site.result(), where)
    chosen.finish()


@routine(Embedding, refuses=_indexed, scattered=True)
def embedding(site: Site) -> None:
    indices, table = site.node.inputs
    builder, emitter, width = site.builder, site.emitter, size(table.shape[1:])
    chosen = _Chosen(site, table.shape[0])
    with loop(builder, size(indices.shape)) as k:
        source, target = builder.mul(chosen.at(k), index(width)), builder.mul(k, index(width))
        with loop(builder, width) as j:
            one = load(emitter, site.operand(1), builder.add(source, j), table.dtype)
            store(emitter, one, site.result(), builder.add(target, j))
    chosen.finish()


@routine(EmbeddingGradient, refuses=_indexed, scattered=True)
def embedding_gradient(site: Site) -> None:
    """Rows are added up, but for those of the padding."""
    indices, g = site.node.inputs
    builder, emitter, width = site.builder, site.emitter, size(site.node.shape[1:])
    chosen = _Chosen(site, site.op.count)
    _clear(site)
    with loop(builder, size(indices.shape)) as k:
        row = chosen.at(k)
        counts = builder.icmp_signed("!=", row, index(site.op.padding))
        target, source = builder.mul(row, index(width)), builder.mul(k, index(width))
        with loop(builder, width) as j:
            known = load(emitter, site.result(), builder.add(target, j), g.dtype)
            total = emitter.ufunc(np.add, (known, load(emitter, site.operand(1), builder.add(source, j), g.dtype)))
            kept = Scalar(emitter, builder.select(counts, total.value, known.value), g.dtype)
            store(emitter, kept, site.result(), builder.add(target, j))
    chosen.finish()


def _multiplies(node: GraphNode) -> str:
    fit = all(isinstance(x, Value) and x.dtype.char in "?bhilqBHILQfd" for x in (*node.operands, *node.results))
    return "" if fit else "these dtypes"


@routine(Matmul, refuses=_multiplies)
def matmul(site: Site) -> None:
    """Products of integers, or of matrices of two dtypes."""
    x, y = site.node.inputs
    builder, emitter, dtype = site.builder, site.emitter, site.node.dtype
    rows, inner = (1, x.shape[0]) if len(x.shape) == 1 else x.shape[-2:]
    columns = 1 if len(y.shape) == 1 else y.shape[-1]
    total = register(builder, dtype)

    def one(operands: list[Any], results: list[Any]) -> None:
        def element(numbers: list[Any]) -> None:
            builder.store(emitter.constant(0, dtype).value, total)
            with loop(builder, inner) as k:
                a = load(emitter, operands[0], place(builder, [numbers[0], k], (inner, 1)), x.dtype)
                b = load(emitter, operands[1], place(builder, [k, numbers[1]], (columns, 1)), y.dtype)
                term = emitter.ufunc(np.multiply, (emitter.cast(a, dtype), emitter.cast(b, dtype)))
                known = Scalar(emitter, builder.load(total), dtype)
                builder.store(emitter.ufunc(np.add, (known, term)).value, total)
            found = Scalar(emitter, builder.load(total), dtype)
            store(emitter, found, results[0], place(builder, numbers, (columns, 1)))

        nest(builder, (rows, columns), element)

    ranks = [min(2, len(x.shape)), min(2, len(y.shape))]
    each_matrix(site, [*ranks, sum(rank == 2 for rank in ranks)], one)
