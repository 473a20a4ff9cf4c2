"""Linear algebra: written out for matrices of few rows, by LAPACK for others, as NumPy calls it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm import blas
from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import index, load, loop, register, store
from wengert.backends.llvm.routines import small
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.backends.llvm.routines.small import Numbers
from wengert.backends.llvm.routines.stacks import INT, copied, diagonal, each_matrix, fails, fill, lapack, only_floats
from wengert.backends.llvm.scalars import Scalar
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode
from wengert.core.types import TensorSpec
from wengert.ops.linalg import Cholesky, Det, Inv, Slogdet, Solve
from wengert.ops.solving import SolveTriangular

ir: Any = LazyModule("llvmlite.ir")


def _is_small(node: GraphNode) -> bool:
    return bool(node.inputs[0].shape[-1] <= small.LARGEST)


def _apart(node: GraphNode) -> bool:
    """Only what is tiny goes in place."""
    return max(size(x.shape) for x in (*node.inputs, *node.results)) > 16


def _factor_space(node: GraphNode) -> Sequence[TensorSpec]:
    if _is_small(node):
        return ()
    n, dtype = node.inputs[0].shape[-1], node.results[-1].dtype
    sides = node.shape[-1] if isinstance(node.primitive, (Solve, Inv)) else 1
    return TensorSpec((n * n,), dtype), TensorSpec((n,), INT), TensorSpec((n * sides,), dtype)


@routine(Solve, Inv, refuses=only_floats, scratch=_factor_space, apart=_apart)
def solve(site: Site) -> None:
    """``a x = b``; the inverse is the solution for unit vectors."""
    kinds = [x.dtype for x in site.node.inputs]
    n, columns = site.node.shape[-2:]
    ranks = [2] * (len(kinds) + 1)
    m = Numbers(site)

    def one(operands: list[Any], results: list[Any]) -> None:
        if not _is_small(site.node):
            return _by_lapack(site, operands, results[0])
        factors = small.eliminate(m, m.matrix(operands[0], n, kinds[0]))
        site.fail_if(m.any([m.is_zero(x) for x in factors.pivots]))
        if len(operands) == 2:
            side = operands[1], kinds[1]
            return small.each_side(m, side, results[0], (n, columns), lambda x: small.solved(m, factors, x))
        for j in range(n):
            unit = [m.one if i == j else m.zero for i in range(n)]
            for i, x in enumerate(small.solved(m, factors, unit)):
                m.write(x, results[0], i * n + j)

    each_matrix(site, ranks, one)


def _by_lapack(site: Site, operands: list[Any], result: Any) -> None:
    kinds = [x.dtype for x in site.node.inputs]
    n, columns = site.node.shape[-2:]
    a, pivots, x = (site.scratch(k) for k in range(3))
    copied(site, operands[0], kinds[0], a, n, n)
    if len(operands) == 2:
        copied(site, operands[1], kinds[1], x, n, columns)
    else:
        fill(site, x, n * n, 0)
        one = site.emitter.constant(1, site.node.dtype).value
        diagonal(site, x, n, lambda k, pointer: site.builder.store(one, pointer))
    fails(site, lapack(site, "gesv", n, columns, a, n, pivots, x, n))
    copied(site, x, site.node.dtype, result, columns, n)


@routine(Det, Slogdet, refuses=only_floats, scratch=_factor_space, apart=_apart)
def determinant(site: Site) -> None:
    """The product of the pivots, or its sign and the sum of their logarithms."""
    (x,) = site.node.inputs
    builder, n, dtype = site.builder, x.shape[-1], site.node.dtype
    m = Numbers(site)
    sign, total = register(builder, dtype), register(builder, dtype)

    def one(operands: list[Any], results: list[Any]) -> None:
        builder.store(m.one, sign)
        builder.store(m.one if isinstance(site.op, Det) and _is_small(site.node) else m.zero, total)
        if _is_small(site.node):
            factors = small.eliminate(m, m.matrix(operands[0], n, x.dtype))
            for _, _, bit in factors.exchanges:
                _turn(m, sign, bit)
            for pivot in factors.pivots:
                _take(m, sign, total, pivot)
        else:
            a, pivots = site.scratch(0), site.scratch(1)
            copied(site, operands[0], x.dtype, a, n, n)
            lapack(site, "getrf", n, n, a, n, pivots)
            diagonal(site, a, n, lambda k, pointer: _pivot(m, (sign, total), pivots, k, builder.load(pointer)))
        found = builder.load(sign), builder.load(total)
        if isinstance(site.op, Slogdet):
            m.write(found[0], results[0], 0)
            m.write(found[1], results[1], 0)
        elif _is_small(site.node):
            m.write(m.times(*found), results[0], 0)
        else:
            size_of = site.emitter.ufunc(np.exp, (Scalar(site.emitter, found[1], dtype),)).value
            m.write(m.times(found[0], size_of), results[0], 0)

    each_matrix(site, [2, *[0] * len(site.node.results)], one)


def _turn(m: Numbers, sign: Any, bit: Any) -> None:
    known = m.builder.load(sign)
    m.builder.store(m.builder.select(bit, m.builder.fneg(known), known), sign)


def _take(m: Numbers, sign: Any, total: Any, pivot: Any) -> None:
    """One more factor of the determinant."""
    builder, emitter = m.builder, m.site.emitter
    if isinstance(m.site.op, Det) and _is_small(m.site.node):
        builder.store(m.times(builder.load(total), pivot), total)
        return
    x = Scalar(emitter, pivot, m.dtype)
    builder.store(m.times(builder.load(sign), emitter.ufunc(np.sign, (x,)).value), sign)
    logarithm = emitter.ufunc(np.log, (Scalar(emitter, m.size(pivot), m.dtype),)).value
    builder.store(builder.fadd(builder.load(total), logarithm), total)


def _pivot(m: Numbers, sums: tuple[Any, Any], pivots: Any, k: Any, pivot: Any) -> None:
    """The same from LAPACK's factors; it counts rows from one."""
    builder = m.builder
    other = builder.sext(builder.load(builder.gep(pivots, [k])), ir.IntType(64))
    _turn(m, sums[0], builder.icmp_signed("!=", other, builder.add(k, index(1))))
    _take(m, *sums, pivot)


@routine(Cholesky, refuses=only_floats, apart=_apart)
def cholesky(site: Site) -> None:
    """The factor. The lower triangle by rows is the upper one by columns."""
    (x,) = site.node.inputs
    builder, emitter, n = site.builder, site.emitter, x.shape[-1]
    m = Numbers(site)

    def one(operands: list[Any], results: list[Any]) -> None:
        if _is_small(site.node):
            a = m.matrix(operands[0], n, x.dtype)
            site.fail_if(small.cholesky(m, a))
            for i in range(n):
                for j in range(n):
                    m.write(a[i][j] if j <= i else m.zero, results[0], i * n + j)
            return
        with loop(builder, n) as i, loop(builder, n) as j:
            number = builder.add(builder.mul(i, index(n)), j)
            low = builder.icmp_signed("<=", j, i)
            element = builder.select(low, m.read(operands[0], number, x.dtype), m.zero)
            store(emitter, Scalar(emitter, element, site.node.dtype), results[0], number)
        fails(site, lapack(site, "potrf", "U", n, results[0], n))

    each_matrix(site, [2, 2], one)


def _refuses_triangle(node: GraphNode) -> str:
    refused = only_floats(node)
    return refused or ("" if _is_small(node) or node.inputs[0].dtype == node.dtype else "operands of two dtypes")


@routine(SolveTriangular, refuses=_refuses_triangle, apart=_apart)
def solve_triangular(site: Site) -> None:
    """By substitution."""
    a, b = site.node.inputs
    op, n, columns = site.op, a.shape[-1], b.shape[-1]
    m = Numbers(site)

    def one(operands: list[Any], results: list[Any]) -> None:
        if not _is_small(site.node):
            return _by_blas(site, operands, results[0])
        matrix = m.matrix(operands[0], n, a.dtype)
        if op.trans != "N":
            matrix = [list(column) for column in zip(*matrix, strict=True)]
        if not op.unit_diagonal:
            site.fail_if(m.any([m.is_zero(matrix[k][k]) for k in range(n)]))
        substitute = small.forward if op.lower == (op.trans == "N") else small.backward
        side = operands[1], b.dtype
        small.each_side(m, side, results[0], (n, columns), lambda x: substitute(m, matrix, op.unit_diagonal, x))

    each_matrix(site, [2, 2, 2], one)


def _by_blas(site: Site, operands: list[Any], result: Any) -> None:
    """By rows a matrix is its transpose by columns, so x.T op(a).T = b.T is solved, in place."""
    a, b = site.node.inputs
    op, n, columns, dtype = site.op, a.shape[-1], b.shape[-1], site.node.dtype
    emitter, m = site.emitter, Numbers(site)
    with loop(site.builder, n * columns) as k:
        store(emitter, emitter.cast(load(emitter, operands[1], k, b.dtype), dtype), result, k)
    if not op.unit_diagonal:
        diagonal(site, operands[0], n, lambda k, pointer: site.fail_if(m.is_zero(site.builder.load(pointer))))
    triangle, form = "U" if op.lower else "L", "N" if op.trans == "N" else "T"
    name = f"wengert_blas_{'d' if dtype.char == 'd' else 's'}trsm"
    unit = "U" if op.unit_diagonal else "N"
    arguments = ["R", triangle, form, unit, columns, n, 1.0, operands[0], n, result, columns]
    blas.call(site, name, arguments)
