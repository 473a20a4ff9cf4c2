"""Logarithms: x = 2**k m with m between sqrt(1/2) and sqrt(2), and log(m) = 2 artanh((m-1)/(m+1)).

The evaluation that cancels no digits of m - 1 is that of W. J. Cody and W. Waite, "Software manual for the elementary
functions", 1980, and K. C. Ng's (log(1+f) = f - f*f/2 + s*(f*f/2 + R)).
"""

from __future__ import annotations

import math
import struct

from wengert.backends.llvm.math.emit import Emit, Function, Number
from wengert.backends.llvm.math.exponential import exp_pair, exponent_range
from wengert.backends.llvm.math.words import Pair, quick_two_sum, quotient, times, two_sum


def split(e: Emit, x: Number) -> tuple[Number, Number, Number]:
    """k as an integer and as a float, and m - 1, for x = 2**k m; x is positive and finite."""
    lift = e.fraction_bits + 2
    subnormal = x < 2.0 ** (1 - e.bias)
    i, m = split_normal(e, e.select(subnormal, x * 2.0**lift, x))
    i = i - e.select(subnormal, e.whole(lift), e.whole(0))
    return i, small_float(e, i), m - 1.0


def split_normal(e: Emit, x: Number) -> tuple[Number, Number]:
    """k and m for a normal x."""
    root = struct.unpack("<i", struct.pack("<f", math.sqrt(0.5)))[0]
    if not e.single:
        root = struct.unpack("<q", struct.pack("<d", math.sqrt(0.5)))[0]
    representation = e.bits(x)
    # The offset keeps the difference positive, so that the shift need not be arithmetic.
    k = ((representation + ((e.bias << e.fraction_bits) - root)) >> e.fraction_bits) - e.bias
    return k, e.from_bits(representation - (k << e.fraction_bits))


def small_float(e: Emit, i: Number) -> Number:
    """A small integer as a float, without a conversion instruction."""
    magic = 1.5 * 2.0**e.fraction_bits
    pattern = (e.bias + e.fraction_bits) << e.fraction_bits | 1 << (e.fraction_bits - 1)
    return e.from_bits(i + pattern) - magic


def ends(e: Emit, x: Number, value: Number) -> Number:
    """The logarithm at zero, below zero, at infinity and NaN."""
    value = e.select(x < math.inf, value, x)
    value = e.select(x.equals(0.0), -math.inf, value)
    return e.select(x < 0.0, math.nan, value)


def combined(e: Emit, k: Number, f: Number, low: Number | None = None) -> Number:
    """k log 2 + log(1 + f + low)."""
    high_ln2, low_ln2 = e.words("LN2_SHORT")
    s = f / (f + 2.0)
    z = s * s
    half = f * f * 0.5
    rest = e.mad(k, low_ln2, s * (half + z * e.polynomial("LOG", z)))
    if low is not None:
        rest = rest + low
    return e.mad(k, high_ln2, f - (half - rest))


def log(e: Emit, x: Number) -> Number:
    """The natural logarithm."""
    _, k, f = split(e, x)
    return ends(e, x, combined(e, k, f))


def log1p(e: Emit, x: Number) -> Number:
    """log(1 + x)."""
    value = log1p_pair(e, (x, e.constant(0.0)))
    value = ends(e, x + 1.0, e.select(x < math.inf, value, x))
    return e.select(e.abs(x) < 2.0 ** -(e.precision + 1), x, value)


def log1p_pair(e: Emit, x: Pair, doublings: Number | None = None) -> Number:
    """log(1 + x) of a pair above -1 and finite, plus log 2 as often as asked (a whole number)."""
    total, lost = two_sum(x[0], 1.0)
    lost = lost + x[1]
    i, m = split_normal(e, total)
    # From 2**100 on, what the sum lost does not matter, and its scale would leave the range.
    lost = lost * e.power_of_two(-e.select(i > 100, e.whole(100), i))
    f, rest = quick_two_sum(m - 1.0, lost)
    return combined(e, small_float(e, i if doublings is None else i + doublings), f, rest)


def log_pair(e: Emit, f: Number) -> Pair:
    """log(1 + f) with about eleven bits more than the format, for 1 + f between sqrt(1/2) and sqrt(2)."""
    two_thirds = e.words("TWO_THIRDS")
    s = quotient(e, (f, e.constant(0.0)), quick_two_sum(2.0, f))
    z = times(e, s, s)
    high, low = times(e, z, (two_thirds[0], two_thirds[1]))
    low = e.mad(z[0] * z[0], e.polynomial("LOG_TAIL", z[0]), low)
    product, rest = times(e, s, (high, low))
    total, lost = quick_two_sum(s[0] * 2.0, product)
    return quick_two_sum(total, e.mad(s[1], 2.0, lost + rest))


def log_in_two_words(e: Emit, x: Number) -> Pair:
    """log(x) with about eleven bits more than the format, for a positive finite number."""
    high_ln2, low_ln2 = e.words("LN2_SHORT")
    _, k, f = split(e, x)
    high, low = log_pair(e, f)
    total, lost = quick_two_sum(k * high_ln2, high)
    return quick_two_sum(total, lost + e.mad(k, low_ln2, low))


def _in_base(e: Emit, x: Number, unit: tuple[float, float] | None, scale: str) -> Number:
    """k * unit + log(m) * scale, where the unit is log of 2 in that base: a whole number if None."""
    _, k, f = split(e, x)
    factor = e.words(scale)
    high, low = times(e, log_pair(e, f), (factor[0], factor[1]))
    if unit is None:
        total, lost = quick_two_sum(k, high)
        return ends(e, x, total + (lost + low))
    total, lost = quick_two_sum(k * unit[0], high)
    return ends(e, x, total + (lost + e.mad(k, unit[1], low)))


def log2(e: Emit, x: Number) -> Number:
    """The logarithm to base 2."""
    return _in_base(e, x, None, "LOG2_E")


def log10(e: Emit, x: Number) -> Number:
    """The logarithm to base 10."""
    high, low = e.words("LOG10_2_SHORT")
    return _in_base(e, x, (high, low), "LOG10_E")


def _shallow(e: Emit, distance: Number, lost: Number | None = None) -> Number:
    """log(1 + e**-distance), for a distance that is not negative."""
    (high, low), i = exp_pair(e, e.clamp(-distance, *exponent_range(e)), lost)
    z = e.scale(high, i)
    return e.select(z > 2.0 ** -(e.precision + 2), log1p_pair(e, (z, e.scale(low, i))), z)


def softplus(e: Emit, x: Number) -> Number:
    """log(1 + e**x)."""
    return e.select(x > 0.0, x, 0.0) + _shallow(e, e.abs(x))


def _apart(e: Emit, x: Number, y: Number) -> tuple[Number, Number, Number]:
    """The larger of two numbers, and how far apart they are in two words; equal infinities are no distance apart."""
    above = x > y
    larger, smaller = e.select(above, x, y), e.select(above, y, x)
    distance, lost = two_sum(larger, -smaller)
    same = x.equals(y)
    near = distance < 2.0 * e.bias  # farther apart, the smaller one adds nothing, and infinities have no second word
    return larger, e.select(same, 0.0, distance), e.select(near, lost, 0.0)


def logaddexp(e: Emit, x: Number, y: Number) -> Number:
    """log(e**x + e**y), as the larger one and what the other adds."""
    larger, distance, lost = _apart(e, x, y)
    return larger + _shallow(e, distance, -lost)


def logaddexp2(e: Emit, x: Number, y: Number) -> Number:
    """log2(2**x + 2**y)."""
    larger, distance, lost = _apart(e, x, y)
    ln2, inverse = e.words("LN2"), e.words("LOG2_E")
    high, low = times(e, (e.clamp(distance, 0.0, 2.0 * e.bias), lost), (ln2[0], ln2[1]))
    product, rest = times(e, (_shallow(e, high, -low), e.constant(0.0)), (inverse[0], inverse[1]))
    return larger + (product + rest)


def _times_log(logarithm: Function) -> Function:
    def product(e: Emit, x: Number, y: Number) -> Number:
        """x times the logarithm; 0 where x is 0 and y is a number."""
        return e.select(x.equals(0.0) & y.equals(y), 0.0, x * logarithm(e, y))

    return product


xlogy, xlog1py = _times_log(log), _times_log(log1p)


def entr(e: Emit, x: Number) -> Number:
    """-x log x: 0 at 0, minus infinity below."""
    value = e.select(x.equals(0.0), 0.0, -x * log(e, x))
    return e.select(x < 0.0, -math.inf, value)
