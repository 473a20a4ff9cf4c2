"""Error-free transformations: sums and products as unevaluated pairs of numbers.

T. J. Dekker, "A floating-point technique for extending the available precision", Numerische Mathematik 18, 1971;
D. E. Knuth, The Art of Computer Programming, volume 2, 4.2.2; M. Joldes, J.-M. Muller and V. Popescu, "Tight and
rigorous error bounds for basic building blocks of double-word arithmetic", ACM TOMS 44, 2017.
"""

from __future__ import annotations

from wengert.backends.llvm.math.emit import Emit, Number, Operand

Pair = tuple[Number, Number]


def two_sum(a: Number, b: Operand) -> Pair:
    """a + b exactly: the rounded sum and what rounding lost."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def quick_two_sum(a: Operand, b: Number) -> Pair:
    """The same where a is zero or at least as large as b."""
    total = a + b
    return total, b - (total - a)


def two_product(e: Emit, a: Number, b: Operand) -> Pair:
    """a * b exactly."""
    product = a * b
    return product, e.lost(a, b, product)


def times(e: Emit, a: Pair, b: Pair | tuple[float, float]) -> Pair:
    """The product of two pairs, not renormalised."""
    high, low = two_product(e, a[0], b[0])
    return high, e.mad(a[0], b[1], e.mad(a[1], b[0], low))


def quotient(e: Emit, numerator: Pair, denominator: Pair) -> Pair:
    """The quotient of two pairs by one division: the remainder is divided by multiplication."""
    inverse = 1.0 / denominator[0]
    high = numerator[0] * inverse
    rest = e.fma(-high, denominator[0], numerator[0]) + e.mad(-high, denominator[1], numerator[1])
    return high, rest * inverse


def either(e: Emit, condition: Number, yes: Pair, no: Pair) -> Pair:
    """One pair where the condition holds, the other elsewhere."""
    return e.select(condition, yes[0], no[0]), e.select(condition, yes[1], no[1])
