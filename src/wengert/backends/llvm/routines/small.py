"""Linear algebra on matrices of few rows, written out: what LAPACK's plain algorithms do, with numbers in registers.

Elimination is with partial pivoting, of whole rows by choices between two numbers, so that there are no branches
(G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th edition, 2013, algorithms 3.4.1 and 4.2.1).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from wengert.backends.llvm.loops import index, load, loop, place, store
from wengert.backends.llvm.routines.registry import Site
from wengert.backends.llvm.scalars import Scalar
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

#: Rows up to which a matrix is small; right-hand sides up to which each is written out.
LARGEST = 8
WRITTEN_OUT = 4

Matrix = list[list[Any]]


class Numbers:
    """Arithmetic on numbers in registers."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.builder = site.builder
        self.dtype = site.node.results[-1].dtype
        self.kind = site.emitter.constant(1, self.dtype).value.type
        self.one, self.zero = ir.Constant(self.kind, 1.0), ir.Constant(self.kind, 0.0)

    def read(self, pointer: Any, number: int | Any, dtype: Any) -> Any:
        """The element at a place, in the dtype of the result."""
        where = index(number) if isinstance(number, int) else number
        emitter = self.site.emitter
        return emitter.cast(load(emitter, pointer, where, dtype), self.dtype).value

    def write(self, value: Any, pointer: Any, number: int | Any) -> None:
        where = index(number) if isinstance(number, int) else number
        store(self.site.emitter, Scalar(self.site.emitter, value, self.dtype), pointer, where)

    def matrix(self, pointer: Any, n: int, dtype: Any) -> Matrix:
        return [[self.read(pointer, i * n + j, dtype) for j in range(n)] for i in range(n)]

    def times(self, x: Any, y: Any) -> Any:
        return self.builder.fmul(x, y, flags=("contract",))

    def less(self, x: Any, y: Any, z: Any) -> Any:
        """``x - y * z``."""
        return self.builder.fsub(x, self.times(y, z), flags=("contract",))

    def size(self, x: Any) -> Any:
        return self.site.emitter.intrinsic("llvm.fabs", self.kind, [x])

    def root(self, x: Any) -> Any:
        return self.site.emitter.intrinsic("llvm.sqrt", self.kind, [x])

    def over(self, x: Any, y: Any) -> Any:
        return self.builder.fdiv(x, y)

    def is_zero(self, x: Any) -> Any:
        return self.builder.fcmp_ordered("==", x, self.zero)

    def not_zero(self, x: Any) -> Any:
        """The number, or one if it is zero."""
        return self.builder.select(self.is_zero(x), self.one, x)

    def any(self, bits: list[Any]) -> Any:
        found = bits[0]
        for bit in bits[1:]:
            found = self.builder.or_(found, bit)
        return found


class Factors(NamedTuple):
    """L, without its diagonal of ones, and U in one matrix; which rows were exchanged with which, if a bit is set."""

    matrix: Matrix
    exchanges: list[tuple[int, int, Any]]

    @property
    def pivots(self) -> list[Any]:
        return [row[k] for k, row in enumerate(self.matrix)]


def exchanged(m: Numbers, bit: Any, x: list[Any], y: list[Any]) -> tuple[list[Any], list[Any]]:
    """Two rows, exchanged if a bit is set."""
    select = m.builder.select
    return [select(bit, b, a) for a, b in zip(x, y, strict=True)], [
        select(bit, a, b) for a, b in zip(x, y, strict=True)
    ]


def eliminate(m: Numbers, a: Matrix) -> Factors:
    """The factors of a matrix, which is overwritten."""
    n = len(a)
    exchanges = []
    for k in range(n):
        for i in range(k + 1, n):
            bit = m.builder.fcmp_ordered(">", m.size(a[i][k]), m.size(a[k][k]))
            a[k], a[i] = exchanged(m, bit, a[k], a[i])
            exchanges.append((k, i, bit))
        # Below a pivot of zero is nothing but zeros.
        pivot = m.not_zero(a[k][k])
        for i in range(k + 1, n):
            a[i][k] = m.over(a[i][k], pivot)
            for j in range(k + 1, n):
                a[i][j] = m.less(a[i][j], a[i][k], a[k][j])
    return Factors(a, exchanges)


def forward(m: Numbers, low: Matrix, unit: bool, x: list[Any]) -> list[Any]:
    """The solution for a lower triangular matrix, whose diagonal counts as ones if it is ``unit``."""
    for k in range(len(x)):
        for j in range(k):
            x[k] = m.less(x[k], low[k][j], x[j])
        if not unit:
            x[k] = m.over(x[k], low[k][k])
    return x


def backward(m: Numbers, up: Matrix, unit: bool, x: list[Any]) -> list[Any]:
    """The solution for an upper triangular matrix."""
    for k in reversed(range(len(x))):
        for j in range(k + 1, len(x)):
            x[k] = m.less(x[k], up[k][j], x[j])
        if not unit:
            x[k] = m.over(x[k], up[k][k])
    return x


def solved(m: Numbers, factors: Factors, x: list[Any]) -> list[Any]:
    """The solution for one right-hand side."""
    x = list(x)
    for k, i, bit in factors.exchanges:
        (x[k],), (x[i],) = exchanged(m, bit, [x[k]], [x[i]])
    return backward(m, factors.matrix, False, forward(m, factors.matrix, True, x))


def each_side(m: Numbers, source: tuple[Any, Any], target: Any, shape: tuple[int, int], solution: Any) -> None:
    """``solution`` of each column of a matrix, written to the same place of another one."""
    (pointer, dtype), (n, columns) = source, shape

    def one(j: Any) -> None:
        places = [place(m.builder, [j], [1], i * columns) for i in range(n)]
        found = solution([m.read(pointer, where, dtype) for where in places])
        for where, x in zip(places, found, strict=True):
            m.write(x, target, where)

    if columns <= WRITTEN_OUT:
        for j in range(columns):
            one(index(j))
        return
    with loop(m.builder, columns) as j:
        one(j)


def cholesky(m: Numbers, a: Matrix) -> Any:
    """The factor in the lower triangle, in place; gives whether the matrix is not positive definite."""
    n, bad = len(a), []
    for k in range(n):
        for j in range(k):
            a[k][k] = m.less(a[k][k], a[k][j], a[k][j])
        bad.append(m.builder.fcmp_unordered("<=", a[k][k], m.zero))
        a[k][k] = m.root(a[k][k])
        for i in range(k + 1, n):
            for j in range(k):
                a[i][k] = m.less(a[i][k], a[i][j], a[k][j])
            a[i][k] = m.over(a[i][k], a[k][k])
    return m.any(bad)
