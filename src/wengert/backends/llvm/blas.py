"""Matrix products by BLAS, and calls of Fortran."""

from __future__ import annotations

import re
from typing import Any

from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

_PREFIX = "wengert_blas_"


def product(frame: Any, matrices: Any, pointers: list[Any], dtype: Any) -> None:
    """``c = a @ b``. BLAS counts by columns, so it is asked for the transpose: ``c.T = b.T @ a.T``."""
    a, b, c = matrices
    prefix = {"f": "s", "d": "d", "F": "c", "D": "z"}[dtype.char]
    if b.columns == 1 and _readable(a):
        _matrix_vector(frame, prefix, a, pointers, b.row_stride or 1)
        return
    if a.rows == 1 and _readable(b):
        transposed = type(b)(b.columns, b.rows, b.column_stride, b.row_stride)
        _matrix_vector(frame, prefix, transposed, [pointers[1], pointers[0], pointers[2]], a.column_stride or 1)
        return
    first, first_step = _side(b)
    second, second_step = _side(a)
    call(
        frame,
        f"{_PREFIX}{prefix}gemm",
        [
            *(first, second, b.columns, a.rows, a.columns, 1.0),
            *(pointers[1], first_step, pointers[0], second_step, 0.0, pointers[2], max(c.columns, 1)),
        ],
    )


def _readable(m: Any) -> bool:
    return m.column_stride in (0, 1) or m.row_stride in (0, 1)


def _side(m: Any) -> tuple[str, int]:
    """Whether a matrix is to be transposed, and the step from one row (or column) to the next."""
    if m.column_stride == 1 or m.columns == 1:
        return "N", max(m.row_stride, m.columns, 1)
    return "T", max(m.column_stride, m.rows, 1)


def _matrix_vector(frame: Any, prefix: str, m: Any, pointers: list[Any], step: int) -> None:
    if m.column_stride == 1 or m.columns == 1:
        form, rows, columns, leading = "T", m.columns, m.rows, max(m.row_stride, m.columns, 1)
    else:
        form, rows, columns, leading = "N", m.rows, m.columns, max(m.column_stride, m.rows, 1)
    arguments = [form, rows, columns, 1.0, pointers[0], leading, pointers[1], step, 0.0, pointers[2], 1]
    call(frame, f"{_PREFIX}{prefix}gemv", arguments)


def call(frame: Any, full: str, arguments: list[Any]) -> None:
    """Every argument of a Fortran function is a pointer: numbers become constants in memory."""
    module, builder = frame.code.module, frame.builder
    letter = full.rpartition("_")[2][0]
    number = ir.DoubleType() if letter in "dz" else ir.FloatType()
    if letter in "cz":
        number = ir.LiteralStructType([number, number])
    byte = ir.IntType(8).as_pointer()
    values = []
    for x in arguments:
        if isinstance(x, str):
            x = _constant(module, ir.IntType(8), ord(x))
        elif isinstance(x, int):
            x = _constant(module, ir.IntType(32), x)
        elif isinstance(x, float):
            x = _constant(module, number, x)
        values.append(builder.bitcast(x, byte))
    function = module.globals.get(full)
    if function is None:
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [byte] * len(values)), full)
    builder.call(function, values)


def _constant(module: Any, kind: Any, value: Any) -> Any:
    name = re.sub(r"[^a-z0-9]+", "_", f"c_{kind}_{value}".replace("-", "m"))
    found = module.globals.get(name)
    if found is None:
        found = ir.GlobalVariable(module, kind, name)
        found.global_constant = True
        found.linkage = "internal"
        # A complex number is given by its real part.
        pair = isinstance(kind, ir.LiteralStructType)
        found.initializer = ir.Constant(kind, [value, 0.0] if pair else value)
    return found
