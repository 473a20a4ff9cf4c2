"""Products of matrices, cut for the caches and the threads: strips of ``b`` and blocks of ``a`` are copied to where the
tiles that use them again and again read them from the first and second cache.

Source: K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication" (2008). What differs: a strip
of ``b`` is copied for each block of rows, so that it stays on the stack, and ``a`` is copied only if it is transposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import index, loop, place, stack
from wengert.backends.llvm.machine import vector_bits
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.scalars import memory_type
from wengert.backends.llvm.threads import dispatch
from wengert.backends.llvm.tiles import TILES, Steps, lanes_of, tile, widths_of
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

#: Bytes of a strip of ``b``, and rows of a block of ``a``.
STRIP, BLOCK = 96 << 10, 192

#: Rows up to which a strip of ``b`` is read where it lies.
FEW = 32

#: Rows up to which a product with a transposed ``b`` is computed as the transposed product.
NARROW = 128

#: Bytes' worth of multiplications that a chunk is worth.
WORTH = 4 << 20


class Batch(NamedTuple):
    """How many products there are along some axes, and the steps of ``a``, ``b`` and ``c`` along them."""

    lengths: tuple[int, ...] = ()
    steps: tuple[tuple[int, ...], ...] = ((), (), ())


def product(code: Code, matrices: Sequence[Any], dtype: Any, batch: Batch, epilogue: Any = None) -> Any:
    """The function of pointers to ``a``, ``b`` and ``c`` that does ``c = a @ b``, and whether the first two change
    places. With an ``epilogue`` it takes pointers to its roots as well."""
    swapped, factors = _ordered(matrices)
    if swapped:
        batch = Batch(batch.lengths, (batch.steps[1], batch.steps[0], batch.steps[2]))
    key = ("product", *factors, dtype.char, batch, None if epilogue is None else epilogue.key)
    made = code.kernels.get(key)
    if made is None:
        made = code.kernels[key] = _Panels(code, factors, dtype, batch, epilogue).emit()
    return made, swapped


def is_followed(matrices: Sequence[Any], dtype: Any) -> bool:
    """Whether a product is better computed with what follows it: it is cut, and each tile is computed in one go."""
    cut = _Panels(None, _ordered(matrices)[1], dtype, Batch())
    return cut.chunks > 1 and cut.depth == cut.deep


def _ordered(matrices: Sequence[Any]) -> tuple[bool, Sequence[Any]]:
    """Whether the transposed product is computed, and the factors and the product in its order."""
    a, b, c = matrices
    swapped = b.column_stride != 1 and b.columns > a.rows and a.rows <= NARROW
    return swapped, [_transposed(m) for m in (b, a, c)] if swapped else matrices


def _transposed(m: Any) -> Any:
    return type(m)(m.columns, m.rows, m.column_stride, m.row_stride)


class _Panels:
    """Writes the function of one product, or of a batch."""

    def __init__(self, code: Any, matrices: Sequence[Any], dtype: Any, batch: Batch, epilogue: Any = None) -> None:
        self.code, self.dtype, self.batch = code, dtype, batch
        self.epilogue = epilogue
        self.a, self.b, self.c = matrices
        self.lanes = lanes_of(dtype)
        self.tile_rows, vectors = TILES[vector_bits()]
        self.strip = vectors * self.lanes
        self.deep = self.a.columns
        #: Rows of ``b`` in a strip; all of them if they are not too many.
        self.depth = self.deep
        most = STRIP // (self.strip * dtype.itemsize)
        if self.deep > 2 * most:
            self.depth = -(-self.deep // -(-self.deep // most))
        self.packs_a = self.a.row_stride == 1 and self.deep > 64 and self.b.columns > 2 * self.strip
        self.rows, self.columns = self._chunk()
        self.packs_b = self.b.column_stride != 1 or min(self.rows, self.a.rows) > FEW
        #: Chunks of one product beside each other, and in all; how many products a chunk computes.
        self.across = -(-self.b.columns // self.columns)
        self.parts = -(-self.a.rows // self.rows) * self.across
        work = self.a.rows * self.deep * self.b.columns * dtype.itemsize
        self.together = 1 if self.parts > 1 else min(max(WORTH // work, 1), size(batch.lengths))

    def _chunk(self) -> tuple[int, int]:
        """Rows and columns that one chunk computes: whole tiles, by lengths alone."""
        rows = min(-(-self.a.rows // self.tile_rows) * self.tile_rows, BLOCK)
        wanted = WORTH // (rows * self.deep * self.dtype.itemsize)
        # What is copied of ``a`` serves several strips.
        columns = max(8 if self.packs_a else 1, -(-wanted // self.strip)) * self.strip
        return rows, min(columns, -(-self.b.columns // self.strip) * self.strip)

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-size(self.batch.lengths) // self.together) * self.parts

    def emit(self) -> Any:
        """The function of the pointers."""
        kinds = [memory_type(self.dtype).as_pointer()] * 3
        if self.epilogue is not None:
            kinds += [memory_type(x.dtype).as_pointer() for x in self.epilogue.roots]
        made, builder = self.code.function("product", kinds)
        byte = ir.IntType(8).as_pointer()
        with builder.goto_entry_block():
            table = builder.bitcast(builder.alloca(ir.ArrayType(byte, len(kinds))), byte.as_pointer())
        for k, argument in enumerate(made.args):
            builder.store(builder.bitcast(argument, byte), builder.gep(table, [index(k)]))
        chunk = self._chunk_function(kinds)
        if self.chunks == 1:
            builder.call(chunk, [builder.bitcast(table, byte), index(0)])
        else:
            dispatch(builder, self.code, chunk, builder.bitcast(table, byte), self.chunks)
        builder.ret_void()
        return made

    def _chunk_function(self, kinds: Sequence[Any]) -> Any:
        """The function of one chunk: of the table of pointers, and the chunk's number."""
        byte = ir.IntType(8).as_pointer()
        made, self.builder = self.code.function("chunk", [byte, ir.IntType(64)])
        builder = self.builder
        table = builder.bitcast(made.args[0], byte.as_pointer())
        pointers = [builder.bitcast(builder.load(builder.gep(table, [index(k)])), kind) for k, kind in enumerate(kinds)]
        self.more = pointers[3:]
        part = builder.srem(made.args[1], index(self.parts))
        down, beside = builder.sdiv(part, index(self.across)), builder.srem(part, index(self.across))
        self.row, self.tiles, self.last_rows = self._part(down, self.a.rows, self.rows, self.tile_rows)
        self.column, self.strips, self.last_columns = self._part(beside, self.b.columns, self.columns, self.strip)
        count = self.depth * self.strip
        self.held_c = stack(builder, self.dtype, self.tile_rows * self.strip) if self.epilogue is not None else None
        self.held_b = stack(builder, self.dtype, count) if self.packs_b else None
        self.held_a = stack(builder, self.dtype, self.depth * self.rows) if self.packs_a else None
        for number in self._numbers(builder.sdiv(made.args[1], index(self.parts))):
            self.left, self.right, self.out = self._of(number, pointers[:3])
            self._one()
        builder.ret_void()
        return made

    def _numbers(self, chunk: Any) -> Iterator[Any]:
        """The numbers of the products that a chunk computes, for code that computes one."""
        if self.together == 1:
            yield chunk
            return
        builder = self.builder
        first = builder.mul(chunk, index(self.together))
        left = builder.sub(index(size(self.batch.lengths)), first)
        ends = builder.icmp_signed("<", left, index(self.together))
        with loop(builder, builder.select(ends, left, index(self.together))) as number:
            yield builder.add(first, number)

    def _of(self, number: Any, pointers: Sequence[Any]) -> list[Any]:
        """Where the matrices of a product of the batch begin."""
        builder = self.builder
        numbers: list[Any] = []
        for length in reversed(self.batch.lengths):
            numbers.insert(0, builder.srem(number, index(length)))
            number = builder.sdiv(number, index(length))
        return [
            builder.gep(pointer, [place(builder, numbers, steps)])
            for pointer, steps in zip(pointers, self.batch.steps, strict=True)
        ]

    def _one(self) -> None:
        """A chunk of one product."""
        builder = self.builder
        if self.depth == self.deep:
            self._slab(index(0), index(self.deep), None)
            return
        with loop(builder, -(-self.deep // self.depth)) as number:
            first = builder.mul(number, index(self.depth))
            left = builder.sub(index(self.deep), first)
            ends = builder.icmp_signed("<", left, index(self.depth))
            more = builder.icmp_signed(">", number, index(0))
            self._slab(first, builder.select(ends, left, index(self.depth)), more)

    def _part(self, number: Any, length: int, chunk: int, unit: int) -> tuple[Any, Any, Any]:
        """Where a chunk begins along an axis, how many whole units it has, and whether what is left over is its."""
        builder = self.builder
        first = builder.mul(number, index(chunk))
        units = builder.sdiv(builder.sub(index(length // unit * unit), first), index(unit))
        most = index(chunk // unit)
        is_last = builder.icmp_signed("==", number, index(-(-length // chunk) - 1))
        return first, builder.select(builder.icmp_signed("<", units, most), units, most), is_last

    def _slab(self, first: Any, count: Any, more: Any) -> None:
        """What some columns of ``a`` and rows of ``b`` add to the result."""
        if self.packs_a:
            with self._some(self.tiles) as number:
                self._pack_a(number, self.tile_rows, first, count)
            for rows in self._rest(self.a.rows % self.tile_rows, self.last_rows):
                self._pack_a(self.tiles, rows, first, count)
        with self._some(self.strips) as number:
            self._strip(number, self.strip, first, count, more)
        for width in self._rest(self.b.columns % self.strip, self.last_columns):
            self._strip(self.strips, width, first, count, more)

    def _strip(self, number: Any, width: int, first: Any, count: Any, more: Any) -> None:
        """All tiles of some columns."""
        builder, b = self.builder, self.b
        column = builder.add(self.column, builder.mul(number, index(self.strip)))
        right = builder.gep(self.right, [place(builder, [first, column], [b.row_stride, b.column_stride])])
        step = b.row_stride
        if self.held_b is not None:
            self._pack_b(right, width, count)
            right, step = self.held_b, self.strip
        with self._some(self.tiles) as tile_number:
            self._tile(tile_number, self.tile_rows, column, width, (right, step), first, count, more)
        for rows in self._rest(self.a.rows % self.tile_rows, self.last_rows):
            self._tile(self.tiles, rows, column, width, (right, step), first, count, more)

    def _tile(
        self, number: Any, rows: int, column: Any, width: int, right: tuple[Any, int], first: Any, count: Any, more: Any
    ) -> None:
        builder, a, c = self.builder, self.a, self.c
        row = builder.add(self.row, builder.mul(number, index(self.tile_rows)))
        if self.held_a is not None:
            left = builder.gep(self.held_a, [builder.mul(number, index(self.tile_rows * self.depth))])
            a_steps = (1, self.tile_rows)
        else:
            left = builder.gep(self.left, [place(builder, [row, first], [a.row_stride, a.column_stride])])
            a_steps = (a.row_stride, a.column_stride)
        if self.epilogue is not None:
            steps = Steps(*a_steps, right[1], self.strip, 1)
            function = tile(self.code, rows, widths_of(width, self.dtype), steps, self.dtype, self.deep)
            builder.call(function, [left, right[0], self.held_c])
            follow = self.epilogue.function(self.code, c, rows, (width, self.strip))
            builder.call(follow, [*self.more, self.held_c, self.out, row, column])
            return
        out = builder.gep(self.out, [place(builder, [row, column], [c.row_stride, c.column_stride])])
        steps = Steps(*a_steps, right[1], c.row_stride, c.column_stride if c.columns > 1 else 1)
        known = self.deep if more is None else None
        function = tile(self.code, rows, widths_of(width, self.dtype), steps, self.dtype, known)
        builder.call(function, [left, right[0], out, *([] if more is None else [count, more])])

    # -- copies -------------------------------------------------------------------------------------------------

    def _pack_a(self, number: Any, rows: int, first: Any, count: Any) -> None:
        """The rows of a tile, side by side for each column."""
        builder, a = self.builder, self.a
        row = builder.add(self.row, builder.mul(number, index(self.tile_rows)))
        source = builder.gep(self.left, [place(builder, [row, first], [a.row_stride, a.column_stride])])
        target = builder.gep(self.held_a, [builder.mul(number, index(self.tile_rows * self.depth))])
        with loop(builder, count) as k:
            here = builder.gep(source, [place(builder, [k], [a.column_stride])])
            there = builder.gep(target, [place(builder, [k], [self.tile_rows])])
            for r in range(rows):
                builder.store(builder.load(builder.gep(here, [index(r)])), builder.gep(there, [index(r)]))

    def _pack_b(self, source: Any, width: int, count: Any) -> None:
        """A strip, row after row."""
        builder, b = self.builder, self.b
        lengths = (count, index(width)) if b.column_stride == 1 else (index(width), count)
        with loop(builder, lengths[0]) as i, loop(builder, lengths[1]) as j:
            k, column = (i, j) if b.column_stride == 1 else (j, i)
            here = builder.gep(source, [place(builder, [k, column], [b.row_stride, b.column_stride])])
            there = builder.gep(self.held_b, [place(builder, [k, column], [self.strip, 1])])
            builder.store(builder.load(here), there)

    # -- control ------------------------------------------------------------------------------------------------

    @contextmanager
    def _some(self, count: Any) -> Iterator[Any]:
        """A loop that may run no times."""
        with self.builder.if_then(self.builder.icmp_signed(">", count, index(0))), loop(self.builder, count) as number:
            yield number

    def _rest(self, count: int, is_last: Any) -> Iterator[int]:
        """What is left over, if something is, for code that only the last chunk runs."""
        if count:
            with self.builder.if_then(is_last):
                yield count
