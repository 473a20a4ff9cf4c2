"""sin, cos and tan for every argument, without a branch.

Two reductions give the same pair. ``near`` subtracts a multiple of pi in three words (W. J. Cody and W. Waite,
"Software manual for the elementary functions", 1980): a few operations, good to 2**40. ``wide`` multiplies by the
digits of 1/pi that matter for the exponent at hand (M. H. Payne and R. N. Hanek, "Radian reduction for trigonometric
functions", SIGNUM Newsletter 18, 1983): good everywhere, but dearer. Vector code cannot branch, so which one is
generated is decided outside: the plain functions are wide, those called ``*_near`` are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum

from wengert.backends.llvm.math.emit import Emit, Function, Number
from wengert.backends.llvm.math.tables import TURNS, TURNS_SINGLE
from wengert.backends.llvm.math.words import Pair, either, quick_two_sum, quotient, times, two_product, two_sum

#: The near functions are good for magnitudes up to this.
NEAR_LIMIT = 2.0**40


class Grid(Enum):
    """Which multiples of pi are subtracted: by how much the whole ones are shifted, and how far apart they lie."""

    WHOLE = (0.0, 1.0)
    ODD_HALVES = (0.5, 1.0)
    HALVES = (0.0, 0.5)


Reduction = Callable[[Emit, Number, Grid], tuple[Pair, Number]]


def near(e: Emit, x: Number, grid: Grid) -> tuple[Pair, Number]:
    """x less the nearest multiple of pi on the grid, and the multiple's number, for |x| up to ``NEAR_LIMIT``."""
    shift, step = grid.value
    if e.single:
        wide = e.widened()
        r, number = _near_single(wide, wide.widen(x), shift, step)
        return (e.narrow(r), e.constant(0.0)), _shortened(e, number)
    first, second, third = (word * step for word in e.words("PI"))
    n, number = e.nearest(_turned(e, x, shift, step)) if shift else e.nearest(x, 1.0 / (math.pi * step))
    n = n + shift if shift else n
    product, lost = two_product(e, n, second)
    high, low = two_sum(e.fma(-n, first, x), -product)
    return (high, e.mad(-n, third, low - lost)), number


def _turned(e: Emit, x: Number, shift: float, step: float) -> Number:
    return e.mad(x, 1.0 / (math.pi * step), -shift)


def _near_single(e: Emit, x: Number, shift: float, step: float) -> tuple[Number, Number]:
    first, second, _ = (word * step for word in e.words("PI"))
    n, number = e.nearest(_turned(e, x, shift, step)) if shift else e.nearest(x, 1.0 / (math.pi * step))
    n = n + shift if shift else n
    return e.mad(-n, second, e.fma(-n, first, x)), number


def _shortened(e: Emit, number: Number) -> Number:
    return Number(e, e.builder.trunc(number.value, e.integer))


def wide(e: Emit, x: Number, grid: Grid) -> tuple[Pair, Number]:
    """The same for every x; NaN for infinities."""
    inner = e.widened() if e.single else e
    (high, low), number = _turns_single(inner, inner.widen(x)) if e.single else _turns(inner, x)
    (high, low), number = _shifted(inner, (high, low), number, grid)
    first, second, _ = inner.words("PI")
    if e.single:
        return (e.narrow(high * first), e.constant(0.0)), _shortened(e, number)
    return times(inner, (high, low), (first, second)), number


def _row(e: Emit, x: Number, columns: str, rows: list[list[float]]) -> tuple[Number, list[Number]]:
    """x * 2**(-8k) and row k, k the largest for which the product is not below 1, or zero."""
    exponent = ((e.bits(x) & 0x7FF0000000000000) >> e.fraction_bits) - e.bias
    k = e.select(exponent > 0, exponent, e.whole(0)) >> 3
    k = e.select(k > len(rows) - 1, e.whole(len(rows) - 1), k)  # of infinities
    scaled = e.from_bits(e.bits(x) - (k << (e.fraction_bits + 3)))
    return scaled + (x - x), e.lookup(columns, rows, k)  # x - x is NaN for infinities


def _turns(e: Emit, x: Number) -> tuple[Pair, Number]:
    """x/pi less its nearest whole number as a pair, and that number modulo 2."""
    scaled, words = _row(e, x, "turns", TURNS)
    first, first_low = two_product(e, scaled, words[0])
    second, second_low = two_product(e, scaled, words[1])
    third, third_low = two_product(e, scaled, words[2])
    tail = e.mad(scaled, words[3], third_low)
    # first is up to 2**61: what is left of it after subtracting even numbers is exact.
    even = first - 2.0 * e.rint(first * 0.5)
    coarse, number = e.nearest(even)
    sum_low, lost = two_sum(first_low, second)
    fine, more = e.nearest(sum_low)
    high, high_low = two_sum(even - coarse, sum_low - fine)
    last, final = e.nearest(high)
    high = high - last
    middle, a = two_sum(lost, third)
    rest, b = two_sum(second_low, high_low)
    middle, c = two_sum(middle, rest)
    high, low = two_sum(high, middle)
    return quick_two_sum(high, low + (tail + (a + (b + c)))), number + more + final


def _turns_single(e: Emit, x: Number) -> tuple[Pair, Number]:
    """The same for x of 24 bits, as one float64."""
    scaled, words = _row(e, x, "turns.single", TURNS_SINGLE)
    first, second = scaled * words[0], scaled * words[1]  # exact
    coarse, number = e.nearest(first)
    fine, more = e.nearest(second)
    high = (first - coarse) + (second - fine)
    last, final = e.nearest(high)
    return (e.mad(scaled, words[2], high - last), e.constant(0.0)), number + more + final


def _shifted(e: Emit, turns: Pair, number: Number, grid: Grid) -> tuple[Pair, Number]:
    """From the whole numbers to the grid."""
    high, low = turns
    if grid is Grid.WHOLE:
        return turns, number
    half = e.copysign(0.5, high)
    if grid is Grid.HALVES:
        outside = e.abs(high) > 0.25
        half = e.select(outside, half, 0.0)
    rest, lost = two_sum(high, -half)
    if grid is Grid.HALVES:
        return (rest, lost + low), e.select(outside, number * 2 + 1, number * 2)
    below = e.select(half < 0.0, e.whole(1), e.whole(0))
    return (rest, lost + low), number - below


def sine(e: Emit, r: Pair) -> Number:
    """sin of a pair up to pi/2, as (r - r**3/8) + r**3 (S(r*r) + 1/8): the first part is kept in two words."""
    high, low = r
    z = high * high
    cube = high * z
    cube_low = e.mad(high, e.fma(high, high, -z), e.fma(high, z, -cube))
    if not e.single:
        # cos(r), by which the low word counts, is 1 - z*4/pi**2 within a few per cent.
        cube_low = e.mad(low * -8.0, e.mad(z, -4.0 / math.pi**2, 1.0), cube_low)
    lead = e.mad(cube, -0.125, high)
    lost = e.mad(cube, -0.125, high - lead)
    first, *others = e.coefficients("SIN")
    return lead + e.mad(cube, e.evaluate([first + 0.125, *others], z), e.mad(cube_low, -0.125, lost))


def _alternating(e: Emit, value: Number, number: Number) -> Number:
    """The value, negated where the number is odd."""
    return e.from_bits(e.bits(value) ^ (number << (e.integer.width - 1)))


def _small_as_is(e: Emit, x: Number, value: Number) -> Number:
    return e.select(e.abs(x) < 2.0 ** -(e.precision // 2 + 2), x, value)


def _sin(reduce: Reduction) -> Function:
    def sin(e: Emit, x: Number) -> Number:
        """The sine."""
        r, number = reduce(e, x, Grid.WHOLE)
        return _small_as_is(e, x, _alternating(e, sine(e, r), number))

    return sin


def _cos(reduce: Reduction) -> Function:
    def cos(e: Emit, x: Number) -> Number:
        """The cosine: cos(pi (n + 1/2) + r) = -(-1)**n sin(r)."""
        r, number = reduce(e, x, Grid.ODD_HALVES)
        return _alternating(e, sine(e, r), number + 1)

    return cos


def tangent(e: Emit, r: Number, low: Number) -> tuple[Pair, Pair]:
    """tan(r + low) up to pi/4 as a quotient of pairs: with t = tan(r/2), 2t/(1 - t*t)."""
    half = r * 0.5
    z = half * half
    t = quick_two_sum(half, e.mad(half * z, e.polynomial("TAN", z), low * e.mad(z, 1.0, 0.5)))
    square, square_low = times(e, t, t)
    below, below_low = quick_two_sum(1.0, -square)
    return (t[0] * 2.0, t[1] * 2.0), (below, below_low - square_low)


def _tan(reduce: Reduction) -> Function:
    def tan(e: Emit, x: Number) -> Number:
        """The tangent: tan(r), or -1/tan(r) a quarter turn on."""
        (r, low), number = reduce(e, x, Grid.HALVES)
        above, below = tangent(e, r, low)
        odd = (number & 1).equals(1)
        high, rest = quotient(e, either(e, odd, below, above), either(e, odd, (-above[0], -above[1]), below))
        return _small_as_is(e, x, high + rest)

    return tan


sin, cos, tan = _sin(wide), _cos(wide), _tan(wide)
sin_near, cos_near, tan_near = _sin(near), _cos(near), _tan(near)
