"""Exponentials of real matrices and their derivatives: scaling, Pade approximation of degree 13 and squaring (A. H.
Al-Mohy and N. J. Higham, "A new scaling and squaring algorithm for the matrix exponential", 2009), in double precision.

SciPy takes lower degrees where they do. Degree 13 is as accurate there, so there is one way through the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm import blas
from wengert.backends.llvm.loops import index, load, loop, place, register, store
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.backends.llvm.routines.stacks import INT, each_matrix, only_floats
from wengert.backends.llvm.scalars import Scalar
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode
from wengert.core.types import TensorSpec
from wengert.ops.matrix_functions import Expm, ExpmFrechet

ir: Any = LazyModule("llvmlite.ir")

_DOUBLE = np.dtype(np.float64)

#: The coefficients of the numerator of degree 13, of the powers 0 to 13.
_PADE = (
    *(64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0),
    *(10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0),
)

#: Up to this size of a matrix the approximation is exact in double precision; the inverse of its first error's factor.
_RADIUS, _ERROR = 4.25, 113250775606021113483283660800000000.0

#: No finite matrix of doubles needs as many squarings.
_SQUARINGS = 1100

#: Places in scratch memory: the matrix, its powers, sums and products.
_A, _A2, _A4, _A6, _U, _V, _T, _ROW = range(8)


def _side(node: GraphNode) -> int:
    return int(node.shape[-1]) * (2 if isinstance(node.primitive, ExpmFrechet) else 1)


def _space(node: GraphNode) -> Sequence[TensorSpec]:
    m = _side(node)
    return [*[TensorSpec((m * m,), _DOUBLE)] * 7, TensorSpec((2 * m,), _DOUBLE), TensorSpec((m,), INT)]


class _Square:
    """Arithmetic with square matrices in scratch memory; by rows or by columns, the exponential is the same."""

    def __init__(self, site: Site) -> None:
        self.site, self.builder, self.emitter = site, site.builder, site.emitter
        self.m = _side(site.node)

    def at(self, k: int, number: Any) -> Any:
        """An element."""
        return load(self.emitter, self.site.scratch(k), number, _DOUBLE)

    def put(self, x: Any, k: int, number: Any) -> None:
        """Write an element."""
        x = x if isinstance(x, Scalar) else self.emitter.constant(x, _DOUBLE)
        store(self.emitter, x, self.site.scratch(k), number)

    def multiply(self, x: int, y: int, out: int) -> None:
        m, site = self.m, self.site
        a, b, c = (site.scratch(k) for k in (x, y, out))
        blas.call(site, "wengert_blas_dgemm", ["N", "N", m, m, m, 1.0, a, m, b, m, 0.0, c, m])

    def combine(self, out: int, terms: Sequence[tuple[Any, int]], unit: float = 0.0) -> None:
        """A sum of multiples of matrices, and of the unit matrix."""
        with loop(self.builder, self.m * self.m) as k:
            total: Any = None
            for factor, x in terms:
                term = self.at(x, k) * factor
                total = term if total is None else total + term
            self.put(total, out, k)
        if unit:
            with loop(self.builder, self.m) as k:
                where = self.builder.mul(k, index(self.m + 1))
                self.put(self.at(out, where) + unit, out, where)

    def norm(self, x: int) -> Any:
        """The largest sum of absolute values of a row."""
        largest, total = register(self.builder, _DOUBLE), register(self.builder, _DOUBLE)
        self.builder.store(self.emitter.constant(0, _DOUBLE).value, largest)
        with loop(self.builder, self.m) as i:
            self.builder.store(self.emitter.constant(0, _DOUBLE).value, total)
            with loop(self.builder, self.m) as j:
                element: Any = abs(self.at(x, place(self.builder, [i, j], [self.m, 1])))
                self.builder.store((self.held(total) + element).value, total)
            self.builder.store(np.maximum(self.held(largest), self.held(total)).value, largest)
        return self.held(largest)

    def held(self, variable: Any) -> Any:
        return Scalar(self.emitter, self.builder.load(variable), _DOUBLE)

    def size_of_power(self, power: int) -> Any:
        """The norm of a power of the matrix of absolute values, by products with a vector."""
        builder, m = self.builder, self.m
        total, largest = register(builder, _DOUBLE), register(builder, _DOUBLE)
        with loop(builder, m) as i:
            self.put(1.0, _ROW, i)
        with loop(builder, power):
            with loop(builder, m) as i:
                builder.store(self.emitter.constant(0, _DOUBLE).value, total)
                with loop(builder, m) as j:
                    term: Any = abs(self.at(_A, place(builder, [i, j], [m, 1]))) * self.at(_ROW, j)
                    builder.store((self.held(total) + term).value, total)
                self.put(self.held(total), _ROW, builder.add(i, index(m)))
            with loop(builder, m) as i:
                self.put(self.at(_ROW, builder.add(i, index(m))), _ROW, i)
        builder.store(self.emitter.constant(0, _DOUBLE).value, largest)
        with loop(builder, m) as i:
            builder.store(np.maximum(self.held(largest), self.at(_ROW, i)).value, largest)
        return self.held(largest)

    def whole(self, x: Any) -> Any:
        """A number of squarings: rounded up, none for what is no number."""
        up: Any = np.ceil(x)
        up = np.where(up > 0, np.where(up < _SQUARINGS, up, 0.0), 0.0)
        return up

    def scale(self, s: Any) -> None:
        """Divide the matrix by 2^s, and its powers accordingly."""
        factor: Any = np.exp2(-s)
        square = factor * factor
        for k, power in ((_A, factor), (_A2, square), (_A4, square * square), (_A6, square * square * square)):
            self.combine(k, [(power, k)])


def _squarings(q: _Square) -> Any:
    """How often the matrix is halved, and is."""
    size4 = q.norm(_A4) ** 0.25
    size6 = q.norm(_A6) ** (1 / 6)
    q.multiply(_A4, _A4, _T)
    size8 = q.norm(_T) ** 0.125
    q.multiply(_A4, _A6, _T)
    size10 = q.norm(_T) ** 0.1
    size: Any = np.minimum(np.maximum(size6, size8), np.maximum(size8, size10))
    size = np.minimum(size, np.maximum(size4, size6))
    first = q.whole(np.log2(size / _RADIUS))
    q.scale(first)
    error = q.size_of_power(27) / (q.norm(_A) * _ERROR)
    more = q.whole(np.log2(error * 2.0**53) / 26.0)
    q.scale(more)
    return first + more


def _exponential(site: Site) -> None:
    """In place of the matrix at ``_A``, its exponential."""
    q, b, builder = _Square(site), _PADE, site.builder
    m = q.m
    q.multiply(_A, _A, _A2)
    q.multiply(_A2, _A2, _A4)
    q.multiply(_A2, _A4, _A6)
    count = builder.fptosi(_squarings(q).value, ir.IntType(64))
    q.combine(_T, [(b[13], _A6), (b[11], _A4), (b[9], _A2)])
    q.multiply(_A6, _T, _U)
    q.combine(_T, [(1.0, _U), (b[7], _A6), (b[5], _A4), (b[3], _A2)], b[1])
    q.multiply(_A, _T, _U)
    q.combine(_T, [(b[12], _A6), (b[10], _A4), (b[8], _A2)])
    q.multiply(_A6, _T, _V)
    q.combine(_V, [(1.0, _V), (b[6], _A6), (b[4], _A4), (b[2], _A2)], b[0])
    q.combine(_A, [(1.0, _V), (1.0, _U)])
    q.combine(_T, [(1.0, _V), (-1.0, _U)])
    with builder.goto_entry_block():
        info = builder.alloca(ir.IntType(32))
    pivots, matrix = site.scratch(8), site.scratch(_A)
    blas.call(site, "wengert_lapack_dgesv", [m, m, site.scratch(_T), m, pivots, matrix, m, info])
    with builder.if_then(builder.icmp_signed(">", count, index(0))), loop(builder, count):
        q.multiply(_A, _A, _T)
        q.combine(_A, [(1.0, _T)])


@routine(Expm, refuses=only_floats, scratch=_space)
def expm(site: Site) -> None:
    q, n, (x,) = _Square(site), site.node.shape[-1], site.node.inputs

    def one(operands: list[Any], results: list[Any]) -> None:
        with loop(site.builder, n * n) as k:
            q.put(site.emitter.cast(load(site.emitter, operands[0], k, x.dtype), _DOUBLE), _A, k)
        _exponential(site)
        with loop(site.builder, n * n) as k:
            store(site.emitter, site.emitter.cast(q.at(_A, k), site.node.dtype), results[0], k)

    each_matrix(site, [2, 2], one)


@routine(ExpmFrechet, refuses=only_floats, scratch=_space)
def derivative(site: Site) -> None:
    """The upper right block of the exponential of [[x, e], [0, x]], with e brought to length one."""
    q, n = _Square(site), site.node.shape[-1]
    builder, emitter = site.builder, site.emitter
    x, e = site.node.inputs
    length = register(builder, _DOUBLE)

    def element(pointer: Any, number: Any, dtype: Any) -> Any:
        return emitter.cast(load(emitter, pointer, number, dtype), _DOUBLE)

    def one(operands: list[Any], results: list[Any]) -> None:
        builder.store(emitter.constant(0, _DOUBLE).value, length)
        with loop(builder, n * n) as k:
            builder.store((q.held(length) + abs(element(operands[1], k, e.dtype))).value, length)
        known = q.held(length)
        usable = np.logical_and(known > 0, np.isfinite(known))
        safe: Any = np.where(usable, known, 1.0)
        builder.store(safe.value, length)
        with loop(builder, n) as i, loop(builder, n) as j:
            number = place(builder, [i, j], [n, 1])
            corner = place(builder, [i, j], [2 * n, 1])
            own = element(operands[0], number, x.dtype)
            q.put(own, _A, corner)
            q.put(own, _A, builder.add(corner, index(2 * n * n + n)))
            q.put(0.0, _A, builder.add(corner, index(2 * n * n)))
            q.put(element(operands[1], number, e.dtype) / q.held(length), _A, builder.add(corner, index(n)))
        _exponential(site)
        with loop(builder, n) as i, loop(builder, n) as j:
            found = q.at(_A, builder.add(place(builder, [i, j], [2 * n, 1]), index(n))) * q.held(length)
            store(emitter, emitter.cast(found, site.node.dtype), results[0], place(builder, [i, j], [n, 1]))

    each_matrix(site, [2, 2, 2], one)
