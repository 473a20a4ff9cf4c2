"""Decompositions of matrices, and what rests on them, by LAPACK as NumPy and SciPy call it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm import blas
from wengert.backends.llvm.layout import contiguous
from wengert.backends.llvm.loops import index, load, loop, place, store
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.backends.llvm.routines.stacks import INT, copied, each_matrix, fails, lapack, only_floats
from wengert.backends.llvm.scalars import Scalar
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode
from wengert.core.types import TensorSpec
from wengert.ops.decomposition import Svd
from wengert.ops.factorisation import Lu
from wengert.ops.linalg import Eigh, Qr
from wengert.ops.solving import Lstsq, Pinv

ir: Any = LazyModule("llvmlite.ir")

_WORD = np.dtype(np.int64)

#: Columns that LAPACK's blocked algorithms take together, at most.
_BLOCK = 64


def _spaces(dtype: Any, *counts: int) -> list[TensorSpec]:
    return [TensorSpec((max(1, count),), dtype) for count in counts]


def _sides(node: GraphNode) -> tuple[int, int]:
    rows, columns = node.inputs[0].shape[-2:]
    return rows, columns


# -- eigenvalues of symmetric matrices --------------------------------------------------------------------------------


def _eigen_space(node: GraphNode) -> Sequence[TensorSpec]:
    n = node.inputs[0].shape[-1]
    return [*_spaces(node.results[1].dtype, n * n, 1 + (6 + _BLOCK) * n + 2 * n * n), *_spaces(INT, 3 + 5 * n)]


@routine(Eigh, refuses=only_floats, scratch=_eigen_space)
def eigh(site: Site) -> None:
    (x,) = site.node.inputs
    n = x.shape[-1]
    a, work, words = (site.scratch(k) for k in range(3))
    lengths = [spec.shape[0] for spec in _eigen_space(site.node)]

    def one(operands: list[Any], results: list[Any]) -> None:
        copied(site, operands[0], x.dtype, a, n, n)
        fails(site, lapack(site, "syevd", "V", "L", n, a, n, results[0], work, lengths[1], words, lengths[2]))
        copied(site, a, site.node.dtype, results[1], n, n)

    each_matrix(site, [2, 1, 2], one)


# -- singular values ------------------------------------------------------------------------------------------------


def _singular_space(node: GraphNode) -> Sequence[TensorSpec]:
    """For the matrix, U, V, the workspaces; the singular values and a product, for what rests on them."""
    (m, n), dtype = _sides(node), node.dtype
    k = min(m, n)
    full = isinstance(node.primitive, Svd) and node.primitive.full_matrices
    work = k * (8 + 4 * k) + (2 + _BLOCK) * (m + n)
    sides = node.shape[-1] if isinstance(node.primitive, Lstsq) else 1
    counts = (m * n, m * (m if full else k), n * (n if full else k), work, k, k * sides)
    return [*_spaces(dtype, *counts), *_spaces(INT, 8 * k)]


def _decompose(site: Site, source: Any, values: Any) -> None:
    """U and V.T by columns in scratch memory, and the singular values."""
    m, n = _sides(site.node)
    k = min(m, n)
    a, u, v, work = (site.scratch(k) for k in range(4))
    full = isinstance(site.op, Svd) and site.op.full_matrices
    copied(site, source, site.node.inputs[0].dtype, a, m, n)
    length = _singular_space(site.node)[3].shape[0]
    how = "A" if full else "S"
    rows = n if full else k
    fails(site, lapack(site, "gesdd", how, m, n, a, m, values, u, m, v, rows, work, length, site.scratch(6)))


@routine(Svd, refuses=only_floats, scratch=_singular_space)
def svd(site: Site) -> None:
    m, n = _sides(site.node)
    rows, columns = site.node.results[0].shape[-1], site.node.results[2].shape[-2]

    def one(operands: list[Any], results: list[Any]) -> None:
        _decompose(site, operands[0], results[1])
        copied(site, site.scratch(1), site.node.dtype, results[0], rows, m)
        copied(site, site.scratch(2), site.node.dtype, results[2], n, columns)

    each_matrix(site, [2, 2, 1, 2], one)


def _multiply(site: Site, sizes: tuple[int, int, int], x: Any, y: Any, out: Any) -> None:
    """The product of matrices by columns: ``sizes`` are the rows of x, the columns of y and the length between."""
    rows, columns, inner = sizes
    name = f"wengert_blas_{'d' if site.node.dtype.char == 'd' else 's'}gemm"
    blas.call(site, name, ["N", "N", rows, columns, inner, 1.0, x, rows, y, inner, 0.0, out, rows])


def _divide_columns(site: Site, x: Any, rows: int, rtol: float) -> None:
    """Divide columns by singular values; those that count as zero become zero."""
    builder, emitter, dtype = site.builder, site.emitter, site.node.dtype
    values = site.scratch(4)
    largest = load(emitter, values, index(0), dtype)
    bound = emitter.ufunc(np.multiply, (largest, emitter.constant(rtol, dtype)))
    with loop(builder, min(_sides(site.node))) as j:
        value = load(emitter, values, j, dtype)
        counts = emitter.ufunc(np.greater, (value, bound))
        factor = emitter.select(counts, emitter.ufunc(np.true_divide, (1.0, emitter.select(counts, value, 1.0))), 0.0)
        with loop(builder, rows) as i:
            where = place(builder, [j, i], [rows, 1])
            store(emitter, emitter.ufunc(np.multiply, (load(emitter, x, where, dtype), factor)), x, where)


@routine(Pinv, refuses=only_floats, scratch=_singular_space)
def pinv(site: Site) -> None:
    """By rows, the pseudo-inverse is its transpose by columns: U / s V.T."""
    m, n = _sides(site.node)

    def one(operands: list[Any], results: list[Any]) -> None:
        _decompose(site, operands[0], site.scratch(4))
        _divide_columns(site, site.scratch(1), m, site.op.rtol)
        _multiply(site, (m, n, min(m, n)), site.scratch(1), site.scratch(2), results[0])

    each_matrix(site, [2, 2], one)


def _refuses_sides(node: GraphNode) -> str:
    return only_floats(node) or ("" if node.inputs[1].dtype == node.dtype else "operands of two dtypes")


@routine(Lstsq, refuses=_refuses_sides, scratch=_singular_space)
def lstsq(site: Site) -> None:
    """By rows, x is its transpose by columns: b.T U / s V.T."""
    m, n = _sides(site.node)
    k, sides = min(m, n), site.node.shape[-1]

    def one(operands: list[Any], results: list[Any]) -> None:
        _decompose(site, operands[0], site.scratch(4))
        _multiply(site, (sides, k, m), operands[1], site.scratch(1), site.scratch(5))
        _divide_columns(site, site.scratch(5), sides, site.op.rtol)
        _multiply(site, (sides, n, k), site.scratch(5), site.scratch(2), results[0])

    each_matrix(site, [2, 2, 2], one)


# -- triangles --------------------------------------------------------------------------------------------------------


def _triangle(site: Site, source: Any, target: Any, shape: tuple[int, int], leading: int, lower: bool = False) -> None:
    """The upper triangle of a matrix by columns, by rows; or the lower one, with ones on the diagonal."""
    builder, emitter, dtype = site.builder, site.emitter, site.node.results[-1].dtype
    with loop(builder, shape[0]) as i, loop(builder, shape[1]) as j:
        kept = builder.icmp_signed(">" if lower else "<=", i, j)
        found = load(emitter, source, builder.add(builder.mul(j, index(leading)), i), dtype)
        rest = emitter.constant(0, dtype).value
        if lower:
            rest = builder.select(builder.icmp_signed("==", i, j), emitter.constant(1, dtype).value, rest)
        value = builder.select(kept, found.value, rest)
        store(emitter, Scalar(emitter, value, dtype), target, place(builder, [i, j], contiguous(shape)))


def _qr_space(node: GraphNode) -> Sequence[TensorSpec]:
    m, n = _sides(node)
    k = node.results[0].shape[-1]
    return _spaces(node.dtype, m * max(n, k), min(m, n), _BLOCK * max(m, n))


@routine(Qr, refuses=only_floats, scratch=_qr_space)
def qr(site: Site) -> None:
    """By reflections."""
    (x,) = site.node.inputs
    m, n = _sides(site.node)
    k = site.node.results[0].shape[-1]
    a, factors, work = (site.scratch(k) for k in range(3))
    length = _BLOCK * max(m, n)

    def one(operands: list[Any], results: list[Any]) -> None:
        copied(site, operands[0], x.dtype, a, m, n)
        lapack(site, "geqrf", m, n, a, m, factors, work, length)
        _triangle(site, a, results[1], (k, n), m)
        lapack(site, "orgqr", m, k, min(m, n), a, m, factors, work, length)
        copied(site, a, site.node.dtype, results[0], k, m)

    each_matrix(site, [2, 2, 2], one)


def _lu_space(node: GraphNode) -> Sequence[TensorSpec]:
    m, n = _sides(node)
    return [*_spaces(node.results[1].dtype, m * n), *_spaces(INT, min(m, n)), *_spaces(_WORD, m)]


def _refuses_lu(node: GraphNode) -> str:
    (x,) = node.inputs
    return "" if x.dtype.char in "fd" else "these dtypes"


@routine(Lu, refuses=_refuses_lu, scratch=_lu_space)
def lu(site: Site) -> None:
    """By partial pivoting."""
    (x,) = site.node.inputs
    m, n = _sides(site.node)
    k = min(m, n)
    a, pivots, order = (site.scratch(k) for k in range(3))

    def one(operands: list[Any], results: list[Any]) -> None:
        copied(site, operands[0], x.dtype, a, m, n)
        lapack(site, "getrf", m, n, a, m, pivots)
        _places(site, pivots, order, results[0], (m, k))
        _triangle(site, a, results[1], (m, k), m, lower=True)
        _triangle(site, a, results[2], (k, n), m)

    each_matrix(site, [2, 1, 2, 2], one)


def _places(site: Site, pivots: Any, order: Any, target: Any, sizes: tuple[int, int]) -> None:
    """Where each row goes: rows are exchanged in turn, with those that LAPACK counts from one."""
    builder = site.builder
    with loop(builder, sizes[0]) as i:
        builder.store(i, builder.gep(order, [i]))
    with loop(builder, sizes[1]) as i:
        other = builder.sub(builder.sext(builder.load(builder.gep(pivots, [i])), ir.IntType(64)), index(1))
        here, there = builder.gep(order, [i]), builder.gep(order, [other])
        first, second = builder.load(here), builder.load(there)
        builder.store(second, here)
        builder.store(first, there)
    with loop(builder, sizes[0]) as i:
        builder.store(i, builder.gep(target, [builder.load(builder.gep(order, [i]))]))
