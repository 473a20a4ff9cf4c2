"""A tile of a matrix product: a few rows by a few vectors of the result, which stay in registers while rows of ``b``
pass by, each multiplied by one number of ``a``.

Source: the innermost loops of K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication" (2008).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from wengert.backends.llvm.loops import index, loop, place, stack
from wengert.backends.llvm.machine import has_fma, vector_bits
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.scalars import memory_type
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

#: Rows of a tile, and vectors in a row, by the bits of a vector: as many as there are registers for.
TILES = {512: (8, 3), 256: (4, 3), 128: (4, 2)}


class Steps(NamedTuple):
    """From element to element: along rows and columns of ``a``, from row to row of ``b``, along rows and columns of
    ``c``."""

    a_row: int
    a_column: int
    b_row: int
    c_row: int
    c_column: int


def lanes_of(dtype: Any) -> int:
    """How many numbers a vector holds."""
    return vector_bits() // (8 * int(dtype.itemsize))


def widths_of(columns: int, dtype: Any) -> tuple[int, ...]:
    """How many columns each vector of a strip holds."""
    lanes = lanes_of(dtype)
    return (lanes,) * (columns // lanes) + (columns % lanes,) * (columns % lanes > 0)


def tile(code: Code, rows: int, widths: Sequence[int], steps: Steps, dtype: Any, deep: int | None) -> Any:
    """The function of a tile: of pointers to its parts of ``a``, ``b`` and ``c``.

    It takes ``deep`` rows of ``b``; if that is not known, their number, and whether their sum is added to what ``c``
    holds already.
    """
    key = ("tile", rows, tuple(widths), steps, dtype.char, deep)
    made = code.kernels.get(key)
    if made is None:
        pointer = memory_type(dtype).as_pointer()
        more = [ir.IntType(64), ir.IntType(1)] if deep is None else []
        made, builder = code.function("tile", [pointer] * 3 + more)
        for argument in made.args[:3]:
            argument.add_attribute("noalias")
        _Tile(builder, rows, widths, steps, dtype).emit(*made.args[:3], *(made.args[3:] if deep is None else [deep]))
        builder.ret_void()
        code.kernels[key] = made
    return made


class _Tile:
    """Writes the function of a tile."""

    def __init__(self, builder: Any, rows: int, widths: Sequence[int], steps: Steps, dtype: Any) -> None:
        self.builder = builder
        self.rows, self.widths, self.steps, self.dtype = rows, widths, steps, dtype
        self.lanes = lanes_of(dtype)
        self.vector = ir.VectorType(memory_type(dtype), self.lanes)

    def emit(self, left: Any, right: Any, out: Any, deep: Any, more: Any = None) -> None:
        builder, steps = self.builder, self.steps
        # What lies scattered in the result is put together on the stack.
        beside = out if steps.c_column == 1 else stack(builder, self.dtype, self.rows * len(self.widths) * self.lanes)
        step = steps.c_row if steps.c_column == 1 else len(self.widths) * self.lanes
        starts = [builder.gep(left, [index(r * steps.a_row)]) for r in range(self.rows)]
        zeros = [ir.Constant(self.vector, None)] * (self.rows * len(self.widths))
        with self._accumulated(index(deep) if isinstance(deep, int) else deep, zeros) as (k, totals, news):
            row = builder.gep(right, [place(builder, [k], [steps.b_row])])
            vectors = [self._load(row, n * self.lanes, width) for n, width in enumerate(self.widths)]
            for r, start in enumerate(starts):
                spread = self._spread(builder.load(builder.gep(start, [place(builder, [k], [steps.a_column])])))
                for n, vector in enumerate(vectors):
                    news.append(self._fused(spread, vector, totals[r * len(vectors) + n]))
        if more is not None:
            with builder.if_then(more):
                if beside is not out:
                    self._scattered(out, beside, step, lambda here, there: builder.store(builder.load(here), there))
                sums = self._combined(news, beside, step)
                before = builder.block
            news = [self._merged(new, total, before) for new, total in zip(news, sums, strict=True)]
        for number, value in enumerate(news):
            r, n = divmod(number, len(self.widths))
            self._store(value, builder.gep(beside, [index(r * step + n * self.lanes)]), self.widths[n])
        if beside is not out:
            self._scattered(out, beside, step, lambda here, there: builder.store(builder.load(there), here))

    def _combined(self, news: Sequence[Any], beside: Any, step: int) -> list[Any]:
        """The sums with what is there already."""
        found = []
        for number, value in enumerate(news):
            r, n = divmod(number, len(self.widths))
            held = self._load(beside, r * step + n * self.lanes, self.widths[n])
            found.append(self.builder.fadd(held, value))
        return found

    def _merged(self, new: Any, total: Any, before: Any) -> Any:
        found = self.builder.phi(self.vector)
        found.add_incoming(total, before)
        found.add_incoming(new, self.whole)
        return found

    def _scattered(self, out: Any, beside: Any, step: int, move: Any) -> None:
        """Move all elements between the result and the stack."""
        builder = self.builder
        with loop(builder, self.rows) as r, loop(builder, sum(self.widths)) as j:
            here = builder.gep(out, [place(builder, [r, j], [self.steps.c_row, self.steps.c_column])])
            move(here, builder.gep(beside, [place(builder, [r, j], [step, 1])]))

    @contextmanager
    def _accumulated(self, count: Any, starts: list[Any]) -> Iterator[tuple[Any, list[Any], list[Any]]]:
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
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        builder.position_at_end(after)
        #: The block after the loop.
        self.whole = after

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
