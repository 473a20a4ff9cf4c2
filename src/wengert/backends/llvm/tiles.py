"""Products of matrices that fit the second cache, as vector code for their very shapes: no packing, no calls.

A tile of the result, a few rows by a few vectors, stays in registers while rows of ``b`` pass by, each multiplied by
one number of ``a``: the innermost loops of K. Goto and R. van de Geijn, "Anatomy of high-performance matrix
multiplication" (2008).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from wengert.backends.llvm.loops import index, loop, place, stack
from wengert.backends.llvm.machine import has_fma, vector_bits
from wengert.backends.llvm.scalars import memory_type
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

#: Rows of a tile, and vectors in a row, by the bits of a vector: as many as there are registers for.
_TILES = {512: (8, 3), 256: (4, 3), 128: (4, 2)}

#: Rows of ``b`` up to which a strip of it passes by fast enough, also if it has to be copied to the stack.
DEEPEST = 1024


class Tiles:
    """Writes ``c = a @ b`` into a function of three pointers."""

    def __init__(self, builder: Any, matrices: Sequence[Any], pointers: Sequence[Any], dtype: Any) -> None:
        self.builder = builder
        self.a, self.b, self.c = matrices
        self.left, self.right, self.out = pointers
        self.dtype = dtype
        self.lanes = vector_bits() // (8 * dtype.itemsize)
        self.rows, self.vectors = _TILES[vector_bits()]
        self.vector = ir.VectorType(memory_type(dtype), self.lanes)

    def emit(self) -> None:
        """All strips of columns."""
        strip = self.vectors * self.lanes
        full, rest = divmod(self.b.columns, strip)
        if full:
            with loop(self.builder, full) as number:
                self._strip(self.builder.mul(number, index(strip)), [self.lanes] * self.vectors)
        if rest:
            widths = [self.lanes] * (rest // self.lanes) + [rest % self.lanes] * (rest % self.lanes > 0)
            self._strip(index(full * strip), widths)

    def _strip(self, column: Any, widths: list[int]) -> None:
        source, step = self._columns(column, widths)
        full, rest = divmod(self.a.rows, self.rows)
        if full:
            with loop(self.builder, full) as number:
                self._tile(self.builder.mul(number, index(self.rows)), self.rows, column, widths, source, step)
        if rest:
            self._tile(index(full * self.rows), rest, column, widths, source, step)

    def _columns(self, column: Any, widths: list[int]) -> tuple[Any, int]:
        """Where columns of ``b`` begin, and the step from row to row; copied if they do not lie side by side."""
        b, builder = self.b, self.builder
        if b.column_stride == 1 or b.columns == 1:
            return builder.gep(self.right, [column]), b.row_stride
        step, count = len(widths) * self.lanes, sum(widths)
        strip = stack(builder, self.dtype, b.rows * step)
        with loop(builder, count) as j, loop(builder, b.rows) as k:
            start = builder.mul(builder.add(column, j), index(b.column_stride))
            element = builder.load(builder.gep(self.right, [builder.add(start, place(builder, [k], [b.row_stride]))]))
            builder.store(element, builder.gep(strip, [builder.add(builder.mul(k, index(step)), j)]))
        return strip, step

    def _tile(self, row: Any, rows: int, column: Any, widths: list[int], source: Any, step: int) -> None:
        a, c, builder = self.a, self.c, self.builder
        zero = ir.Constant(self.vector, None)
        starts = [
            builder.gep(self.left, [builder.mul(builder.add(row, index(r)), index(a.row_stride))]) for r in range(rows)
        ]
        with self._accumulated(a.columns, [zero] * (rows * len(widths))) as (k, totals, news):
            beside = builder.gep(source, [builder.mul(k, index(step))])
            vectors = [self._load(beside, n * self.lanes, width) for n, width in enumerate(widths)]
            for r in range(rows):
                number = builder.load(builder.gep(starts[r], [builder.mul(k, index(a.column_stride))]))
                spread = self._spread(number)
                for n, vector in enumerate(vectors):
                    news.append(self._fused(spread, vector, totals[r * len(widths) + n]))
        for r in range(rows):
            line = builder.add(builder.mul(builder.add(row, index(r)), index(c.row_stride)), column)
            for n, width in enumerate(widths):
                target = builder.gep(self.out, [builder.add(line, index(n * self.lanes))])
                self._store(news[r * len(widths) + n], target, width)

    @contextmanager
    def _accumulated(self, count: int, starts: list[Any]) -> Iterator[tuple[Any, list[Any], list[Any]]]:
        """A loop that hands values from step to step; the block appends the new ones."""
        builder = self.builder
        before = builder.block
        body, after = builder.append_basic_block("deep"), builder.append_basic_block("done")
        builder.branch(body)
        builder.position_at_end(body)
        number = builder.phi(ir.IntType(64))
        number.add_incoming(index(0), before)
        totals = [builder.phi(self.vector) for _ in starts]
        for total, start in zip(totals, starts, strict=True):
            total.add_incoming(start, before)
        news: list[Any] = []
        yield number, totals, news
        following = builder.add(number, index(1))
        number.add_incoming(following, builder.block)
        for total, new in zip(totals, news, strict=True):
            total.add_incoming(new, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, index(count)), body, after)
        builder.position_at_end(after)

    # -- vectors ------------------------------------------------------------------------------------------------

    def _spread(self, number: Any) -> Any:
        word = ir.IntType(32)
        single = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), number, word(0))
        zeros = ir.Constant(ir.VectorType(word, self.lanes), None)
        return self.builder.shuffle_vector(single, single, zeros)

    def _fused(self, x: Any, y: Any, total: Any) -> Any:
        if not has_fma():
            return self.builder.fadd(total, self.builder.fmul(x, y))
        function = self._function(f"llvm.fma.{self._name()}", self.vector, [self.vector] * 3)
        return self.builder.call(function, [x, y, total])

    def _load(self, pointer: Any, offset: int, width: int) -> Any:
        where = self._at(self.builder.gep(pointer, [index(offset)]))
        if width == self.lanes:
            return self.builder.load(where, align=self.dtype.itemsize)
        kinds = [where.type, ir.IntType(32), self._mask(width).type, self.vector]
        function = self._function(f"llvm.masked.load.{self._name()}.p0", self.vector, kinds)
        zero = ir.Constant(self.vector, None)
        return self.builder.call(function, [where, ir.IntType(32)(self.dtype.itemsize), self._mask(width), zero])

    def _store(self, value: Any, pointer: Any, width: int) -> None:
        where = self._at(pointer)
        if width == self.lanes:
            self.builder.store(value, where, align=self.dtype.itemsize)
            return
        kinds = [self.vector, where.type, ir.IntType(32), self._mask(width).type]
        function = self._function(f"llvm.masked.store.{self._name()}.p0", ir.VoidType(), kinds)
        self.builder.call(function, [value, where, ir.IntType(32)(self.dtype.itemsize), self._mask(width)])

    def _at(self, pointer: Any) -> Any:
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def _mask(self, width: int) -> Any:
        kind = ir.VectorType(ir.IntType(1), self.lanes)
        return ir.Constant(kind, [ir.IntType(1)(int(k < width)) for k in range(self.lanes)])

    def _name(self) -> str:
        return f"v{self.lanes}f{8 * self.dtype.itemsize}"

    def _function(self, name: str, result: Any, parameters: list[Any]) -> Any:
        module = self.builder.module
        found = module.globals.get(name)
        if found is None:
            found = ir.Function(module, ir.FunctionType(result, parameters), name)
        return found
