"""Matrix products: written out when tiny, as loops when small, by BLAS otherwise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from wengert.backends.llvm import blas, panels
from wengert.backends.llvm.layout import Layout, collapsed, contiguous
from wengert.backends.llvm.loops import SHORT, index, load, loop, nest, place, stack, store
from wengert.backends.llvm.loops import UNROLLED as UNROLLED_LOOP
from wengert.backends.llvm.machine import vector_bits
from wengert.backends.llvm.scalars import Scalar, ScalarEmitter, memory_type
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

#: Multiplications up to which a product is written out, up to which it is a loop nest, and up to which it is tiles, by
#: the bits of a vector: of long vectors our tiles are always as fast as BLAS, of short ones not quite.
UNROLLED = 100
LOOPS = 4096
TILED = {512: 1 << 60, 256: 1 << 27, 128: 9 << 20}


class Matrix(NamedTuple):
    """Two axes of a layout."""

    rows: int
    columns: int
    row_stride: int
    column_stride: int


class Task(NamedTuple):
    """A product, or many of the same kind along the axes ``lead``."""

    #: Where the factors and the product begin.
    places: tuple[Layout, Layout, Layout]
    matrices: tuple[Matrix, Matrix, Matrix]
    lead: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]

    @property
    def is_tiled(self) -> bool:
        """Whether it is computed as tiles."""
        return _is_tiled(self.matrices, self.places[2].root.dtype)


def task_of(schedule: Any, step: Any) -> Task:
    """What a step is to compute: ``out = x @ y`` for layouts of any rank, as ``numpy.matmul`` means it."""
    x, y, out = (schedule.layouts[v] for v in (*step.node.inputs, step.node.results[0]))
    matrices = _matrices(x, y, out)
    rows, columns = matrices[2].rows, matrices[2].columns
    lead = out.shape[: len(out.shape) - (len(x.shape) > 1) - (len(y.shape) > 1)]
    places = x, y, out
    strides = [
        Layout(x.root, x.shape[:-2], x.strides[:-2]).broadcast(lead),
        Layout(y.root, y.shape[:-2], y.strides[:-2]).broadcast(lead),
        contiguous((*lead, rows * columns))[:-1] if lead else (),
    ]
    while lead:
        merged = _merged(matrices, lead[-1], [stride[-1] for stride in strides])
        if merged is None:
            break
        matrices, swapped = merged
        if swapped:
            places, strides[:2] = (places[1], places[0], out), strides[1::-1]
        lead, strides = lead[:-1], [stride[:-1] for stride in strides]
    return Task(places, matrices, lead, tuple(strides))


def emit(frame: Any, task: Task, epilogue: Any = None) -> None:
    """Compute a product; with an ``epilogue`` (``wengert.backends.llvm.epilogues``), one that is cut."""
    builder = frame.builder
    _, matrices, lead, strides = task
    dtype = task.places[2].root.dtype
    if epilogue is not None and not epilogue.keeps:
        # Nobody reads it from memory.
        frame.pointers[epilogue.result] = ir.Constant(memory_type(dtype).as_pointer(), None)
    pointers = [
        builder.gep(frame.pointers[one.root], [index(one.offset)]) if one.offset else frame.pointers[one.root]
        for one in task.places
    ]
    if task.is_tiled:
        axes, steps = collapsed(lead, strides)
        _tiles(frame, matrices, pointers, dtype, panels.Batch(axes, tuple(map(tuple, steps))), epilogue)
        return

    def one(numbers: list[Any]) -> None:
        shifted = [
            builder.gep(pointer, [place(builder, numbers, stride)])
            for pointer, stride in zip(pointers, strides, strict=True)
        ]
        one_product(frame, matrices, shifted, dtype)

    nest(builder, lead, one)


def _merged(
    matrices: tuple[Matrix, Matrix, Matrix], count: int, steps: list[int]
) -> tuple[tuple[Matrix, Matrix, Matrix], bool] | None:
    """Many products as one, if they have a factor in common: the rows of all first factors make one matrix. Vectors
    that one matrix is applied to are its columns, so the product is transposed, and its factors change places."""
    a, b, _ = matrices
    if steps[0] == 0 and b.columns == 1 and a.rows > 1 and steps[2] == a.rows:
        stacked = Matrix(count, b.rows, steps[1], b.row_stride)
        common = Matrix(a.columns, a.rows, a.column_stride, a.row_stride)
        merged = stacked, common, Matrix(count, a.rows, a.rows, 1)
        return (merged, True) if _regular(stacked) else None
    if steps[1] == 0 and steps[2] == a.rows * b.columns and (a.rows == 1 or steps[0] == a.rows * a.row_stride):
        step = a.row_stride if a.rows > 1 else steps[0]
        stacked = Matrix(count * a.rows, a.columns, step, a.column_stride)
        merged = stacked, b, Matrix(count * a.rows, b.columns, b.columns, 1 if b.columns > 1 else 0)
        return (merged, False) if _regular(stacked) else None
    return None


def _regular(m: Matrix) -> bool:
    """Whether BLAS can read a matrix: one of its axes without gaps, the other with a fixed step forward."""
    across, down = m.column_stride, m.row_stride
    if m.rows == 1 or m.columns == 1:
        return (m.rows == 1 or down > 0) and (m.columns == 1 or across > 0)
    return (across == 1 and down >= m.columns) or (down == 1 and across >= m.rows)


def _matrices(x: Layout, y: Layout, out: Layout) -> tuple[Matrix, Matrix, Matrix]:
    left = (1, x.shape[-1]) if len(x.shape) == 1 else x.shape[-2:]
    right = (y.shape[-1], 1) if len(y.shape) == 1 else y.shape[-2:]
    left_strides = (0, x.strides[-1]) if len(x.shape) == 1 else x.strides[-2:]
    right_strides = (y.strides[-1], 0) if len(y.shape) == 1 else y.strides[-2:]
    rows, columns = left[0], right[1]
    return (
        Matrix(*left, *left_strides),
        Matrix(*right, *right_strides),
        Matrix(rows, columns, columns if rows > 1 else 0, 1 if columns > 1 else 0),
    )


def one_product(frame: Any, matrices: tuple[Matrix, Matrix, Matrix], pointers: list[Any], dtype: Any) -> None:
    """The product of two matrices, in the way that its size asks for."""
    work = _work(matrices)
    if _is_tiled(matrices, dtype):
        _tiles(frame, matrices, pointers, dtype, panels.Batch())
    elif dtype.kind == "c" or work > LOOPS:
        blas.product(frame, matrices, pointers, dtype)
    elif work <= UNROLLED:
        _write_out(frame.builder, matrices, pointers, dtype)
    else:
        _loops(frame, matrices, pointers, dtype)


def _work(matrices: tuple[Matrix, Matrix, Matrix]) -> int:
    """How many multiplications there are."""
    a, b, _ = matrices
    return a.rows * a.columns * b.columns


def _is_tiled(matrices: tuple[Matrix, Matrix, Matrix], dtype: Any) -> bool:
    """Whether a product is computed as tiles."""
    a, b, _ = matrices
    return dtype.kind == "f" and b.columns > 1 and a.rows > 1 and LOOPS < _work(matrices) <= TILED[vector_bits()]


def _tiles(
    frame: Any,
    matrices: tuple[Matrix, Matrix, Matrix],
    pointers: list[Any],
    dtype: Any,
    batch: panels.Batch,
    epilogue: Any = None,
) -> None:
    """A product as tiles, or a batch of them."""
    function, swapped = panels.product(frame.code, matrices, dtype, batch, epilogue)
    left, right, out = pointers
    more = [] if epilogue is None else [frame.pointers[root] for root in epilogue.roots]
    frame.builder.call(function, [right, left, out, *more] if swapped else [left, right, out, *more])


def _write_out(builder: Any, matrices: tuple[Matrix, Matrix, Matrix], pointers: list[Any], dtype: Any) -> None:
    a, b, c = matrices
    e = ScalarEmitter(builder)
    left = [
        [load(e, pointers[0], index(i * a.row_stride + k * a.column_stride), dtype) for k in range(a.columns)]
        for i in range(a.rows)
    ]
    right = [
        [load(e, pointers[1], index(k * b.row_stride + j * b.column_stride), dtype) for j in range(b.columns)]
        for k in range(b.rows)
    ]
    for i in range(a.rows):
        for j in range(b.columns):
            total = e.ufunc(np.multiply, (left[i][0], right[0][j]))
            for k in range(1, a.columns):
                total = _fused(e, left[i][k], right[k][j], total)
            store(e, total, pointers[2], index(i * c.row_stride + j * c.column_stride))


def _loops(frame: Any, matrices: tuple[Matrix, Matrix, Matrix], pointers: list[Any], dtype: Any) -> None:
    """A function of its own for each shape. Rows of ``b`` are added up if they are contiguous, else dot products."""
    _, b, _ = matrices
    key = ("matmul", matrices, dtype.char)
    made = frame.code.kernels.get(key)
    if made is None:
        kind = memory_type(dtype).as_pointer()
        made, builder = frame.code.function("matmul", [kind] * 3)
        for argument in made.args:
            argument.add_attribute("noalias")
        e = ScalarEmitter(builder)
        left, right, out = made.args
        if b.column_stride == 1 and b.columns > 1:
            _row_sums(e, matrices, (left, right, out), dtype)
        else:
            _dot_products(e, matrices, (left, right, out), dtype)
        builder.ret_void()
        frame.code.kernels[key] = made
    frame.builder.call(made, pointers)


def _row_sums(e: ScalarEmitter, matrices: tuple[Matrix, Matrix, Matrix], pointers: Any, dtype: Any) -> None:
    a, b, c = matrices
    left, right, out = pointers
    builder = e.builder
    row = stack(builder, dtype, b.columns)
    hints = UNROLLED_LOOP if b.columns <= SHORT else ()
    with loop(builder, a.rows) as i:
        with loop(builder, b.columns, hints) as j:
            store(e, e.constant(0, dtype), row, j)
        with loop(builder, a.columns) as k:
            x = load(e, left, place(builder, [i, k], [a.row_stride, a.column_stride]), dtype)
            with loop(builder, b.columns, hints) as j:
                y = load(e, right, place(builder, [k, j], [b.row_stride, b.column_stride]), dtype)
                store(e, _fused(e, x, y, load(e, row, j, dtype)), row, j)
        with loop(builder, b.columns, hints) as j:
            where = place(builder, [i, j], [c.row_stride, c.column_stride])
            store(e, load(e, row, j, dtype), out, where)


def _dot_products(e: ScalarEmitter, matrices: tuple[Matrix, Matrix, Matrix], pointers: Any, dtype: Any) -> None:
    a, b, c = matrices
    left, right, out = pointers
    builder = e.builder
    with builder.goto_entry_block():
        total = builder.alloca(memory_type(dtype))
    with loop(builder, a.rows) as i, loop(builder, b.columns) as j:
        builder.store(e.constant(0, dtype).value, total)
        with loop(builder, a.columns, UNROLLED_LOOP if a.columns <= SHORT else ()) as k:
            x = load(e, left, place(builder, [i, k], [a.row_stride, a.column_stride]), dtype)
            y = load(e, right, place(builder, [k, j], [b.row_stride, b.column_stride]), dtype)
            term = builder.fmul(x.value, y.value, flags=("reassoc", "contract"))
            builder.store(builder.fadd(builder.load(total), term, flags=("reassoc", "contract")), total)
        where = place(builder, [i, j], [c.row_stride, c.column_stride])
        store(e, Scalar(e, builder.load(total), dtype), out, where)


def _fused(e: ScalarEmitter, x: Scalar, y: Scalar, z: Scalar) -> Scalar:
    product = e.builder.fmul(x.value, y.value, flags=("contract",))
    return Scalar(e, e.builder.fadd(product, z.value, flags=("contract",)), x.dtype)
