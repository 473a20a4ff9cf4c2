"""Elementwise operations after a product, done tile by tile: a tile is put on the stack, and what follows reads it
there. The product itself goes to memory only if somebody else reads it.

Only products that are cut into chunks are worth it: of others everything is still in the cache anyway. (Done on larger
pieces, after they have gone to memory, it was slower than a nest of its own: rows a power of two apart hinder each
other when they are read back.)
"""

from __future__ import annotations

from typing import Any, NamedTuple

from wengert.backends.llvm import panels, products
from wengert.backends.llvm.layout import collapsed, contiguous, size
from wengert.backends.llvm.loops import loop, place
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.nests import KernelNest, LoopNest, function_of, shifted
from wengert.backends.llvm.schedule import Kernel, Product, Schedule
from wengert.core.lazy import LazyModule
from wengert.core.static import Result, Value
from wengert.core.types import TensorSpec

ir: Any = LazyModule("llvmlite.ir")


def attach(schedule: Schedule) -> None:
    """Give nests the product that they read, if they are the first to read it and can follow it tile by tile. Such a
    product is computed where the nest is: later than it was, so what it reads is there."""
    made: dict[Value, int] = {}
    readers: dict[Value, list[int]] = {layout.root: [len(schedule.steps)] for layout in schedule.outputs}
    for at, step in enumerate(schedule.steps):
        if isinstance(step, Product):
            made[step.node.results[0]] = at
        for root in {layout.root for layout in schedule.reads(step)}:
            readers.setdefault(root, []).append(at)
    taken = set()
    for at, kernel in enumerate(schedule.steps):
        if not isinstance(kernel, Kernel):
            continue
        roots = {layout.root for layout in schedule.reads(kernel)}
        for root in sorted(roots & made.keys(), key=lambda root: -made[root]):
            product = schedule.steps[made[root]]
            assert isinstance(product, Product)
            if min(readers[root]) == at and _follows(schedule, kernel, product):
                kernel.product, kernel.keeps = product, len(readers[root]) > 1
                taken.add(made[root])
                break
    schedule.steps = [step for at, step in enumerate(schedule.steps) if at not in taken]


def _follows(schedule: Schedule, kernel: Kernel, product: Product) -> bool:
    """Whether a nest can be done for any rows and columns of a product."""
    task = products.task_of(schedule, product)
    result = product.node.results[0]
    if not task.is_tiled or task.lead or not panels.is_followed(task.matrices, result.dtype):
        return False
    if any(node.primitive.reducer for node in kernel.nodes) or size(kernel.space) != size(result.shape):
        return False
    # What is computed tile by tile has to be read element by element.
    straight = contiguous(kernel.space)
    read = [layout for layout in schedule.reads(kernel) if layout.root is result]
    if any(layout.offset or layout.broadcast(kernel.space) != straight for layout in read):
        return False
    return _steps(KernelNest(schedule, kernel), task.matrices[2].rows) is not None


def _steps(nest_of: KernelNest, rows: int) -> dict[Value, tuple[int, int]] | None:
    """From row to row and from column to column, for each access of a nest that is seen as a matrix of so many rows;
    ``None`` if it cannot be."""
    space = nest_of.kernel.space
    split = next((k for k in range(len(space) + 1) if size(space[:k]) == rows), None)
    if split is None:
        return None
    sides = []
    for axes in (slice(None, split), slice(split, None)):
        lengths, steps = collapsed(space[axes], [one[axes] for one in nest_of.strides.values()])
        if len(lengths) > 1:
            return None
        sides.append([one[0] if one else 0 for one in steps])
    return dict(zip(nest_of.strides, zip(*sides, strict=True), strict=True))


class Epilogue(NamedTuple):
    """What follows each tile of a product."""

    nest_of: KernelNest
    #: From row to row and from column to column of the product, for each access.
    steps: dict[Value, tuple[int, int]]
    result: Value
    #: Whether the product goes to memory.
    keeps: bool

    @property
    def key(self) -> Any:
        """What decides the code."""
        return self.nest_of.key(), self.keeps

    @property
    def roots(self) -> list[Value]:
        """The memory that is read and written; the product is what is computed."""
        return [root for root in self.nest_of.roots if root is not self.result]

    def function(self, code: Code, matrix: Any, rows: int, widths: tuple[int, int]) -> Any:
        """A function of pointers to the roots, a tile and the product, and of the row and the column where the tile
        begins. The product is seen as ``matrix``, maybe transposed; ``widths`` are the tile's, and from row to row."""
        key = "epilogue", self.key, matrix, rows, widths
        made = code.kernels.get(key)
        if made is not None:
            return made
        tile = Result(TensorSpec((rows, widths[1]), self.result.dtype), 0)
        made, builder, pointers = function_of(code, [*self.roots, tile, self.result], [ir.IntType(64)] * 2)
        begin = list(made.args[-2:])
        if self.keeps:
            out = matrix.row_stride, matrix.column_stride
            there = shifted(builder, pointers[self.result], place(builder, begin, out))
            with loop(builder, rows) as row, loop(builder, widths[0]) as column:
                one = builder.load(shifted(builder, pointers[tile], place(builder, [row, column], [widths[1], 1])))
                builder.store(one, shifted(builder, there, place(builder, [row, column], out)))
        is_turned = matrix.column_stride != 1
        first, axes = (begin[::-1], (widths[0], rows)) if is_turned else (begin, (rows, widths[0]))
        starts, steps = {}, {}
        for x, at in self.nest_of.places.items():
            if at.root is self.result:
                starts[x], steps[x] = pointers[tile], [1, widths[1]] if is_turned else [widths[1], 1]
            else:
                starts[x] = shifted(builder, pointers[at.root], place(builder, first, self.steps[x], at.offset))
                steps[x] = list(self.steps[x])
        LoopNest(self.nest_of, builder, starts, axes, steps).emit()
        builder.ret_void()
        code.kernels[key] = made
        return made


def of(schedule: Schedule, kernel: Kernel, rows: int) -> Epilogue:
    """What follows the product of a nest, which has so many rows."""
    nest_of = KernelNest(schedule, kernel)
    steps = _steps(nest_of, rows)
    assert steps is not None
    assert kernel.product is not None
    return Epilogue(nest_of, steps, kernel.product.node.results[0], kernel.keeps)
