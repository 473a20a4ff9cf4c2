"""Sign, exponent and fraction: numbers taken apart and put together, without rounding."""

from __future__ import annotations

import math

from wengert.backends.llvm.math.emit import Emit, Number


def modf(e: Emit, x: Number) -> tuple[Number, Number]:
    """The fractional and the whole part, both with the sign of x; an infinity has no fraction."""
    whole = e.copysign(e.floor(e.abs(x)), x)
    fraction = e.select(e.abs(x).equals(math.inf), 0.0, x - whole)
    return e.copysign(fraction, x), whole


def frexp(e: Emit, x: Number) -> tuple[Number, Number]:
    """m and i with x = m * 2**i and |m| in [1/2, 1); x itself and 0 for zeros, infinities and NaN."""
    lift = e.fraction_bits + 2
    subnormal = e.abs(x) < 2.0 ** (1 - e.bias)
    lifted = e.bits(e.select(subnormal, x * 2.0**lift, x))
    mask = 2 * e.bias + 1
    exponent = ((lifted >> e.fraction_bits) & mask) - e.select(subnormal, e.whole(lift), e.whole(0)) - (e.bias - 1)
    half = (e.bias - 1) << e.fraction_bits
    fraction = e.from_bits((lifted & ~(mask << e.fraction_bits)) | half)
    ordinary = (e.abs(x) < math.inf) & x.differs(0.0)
    return e.select(ordinary, fraction, x), e.select(ordinary, exponent, e.whole(0))


def ldexp(e: Emit, x: Number, i: Number) -> Number:
    """x * 2**i, rounded once: into the subnormal numbers only the last factor leads."""
    least, most = 1 - e.bias, e.bias
    down = e.precision + least  # leaves a number that will be subnormal the bits that it has
    for _ in range(2):
        low, high = i < least, i > most
        x = x * e.select(low, 2.0**down, e.select(high, 2.0**most, e.constant(1.0)))
        i = i - e.select(low, e.whole(down), e.select(high, e.whole(most), e.whole(0)))
    i = e.select(i < least, e.whole(least), i)
    return x * e.power_of_two(e.select(i > most, e.whole(most), i))


def nextafter(e: Emit, x: Number, y: Number) -> Number:
    """The number next to x in the direction of y."""
    bits = e.bits(x)
    away = ((x < y) ^ (bits < 0)) & x.differs(0.0)
    moved = e.from_bits(bits + e.select(away, e.whole(1), e.whole(-1)))
    moved = e.select(x.equals(0.0), e.copysign(e.from_bits(e.whole(1)), y), moved)
    moved = e.select(x.equals(y), y, moved)
    return e.select(x.differs(x) | y.differs(y), x + y, moved)


def spacing(e: Emit, x: Number) -> Number:
    """How far the next number away from zero is, with the sign of x but for zeros; NaN for infinities."""
    away = e.from_bits(e.bits(x) + 1) - x
    away = e.select(x.equals(0.0), e.from_bits(e.whole(1)), away)
    return e.select(e.abs(x) < math.inf, away, math.nan)
