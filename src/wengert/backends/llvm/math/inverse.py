"""asin, acos, atan and atan2: one polynomial each, on an interval that identities bring every argument into."""

from __future__ import annotations

import math

from wengert.backends.llvm.math.emit import Emit, Number
from wengert.backends.llvm.math.words import quick_two_sum, quotient, two_product, two_sum


def _arcs(e: Emit, x: Number) -> tuple[Number, Number, Number, Number]:
    """|x|, whether it is at most 1/2, and z and s = sqrt(z) with asin(s) known: s is |x|, or sqrt((1 - |x|)/2)."""
    magnitude = e.abs(x)
    small = magnitude <= 0.5
    z = e.select(small, magnitude * magnitude, (1.0 - magnitude) * 0.5)
    return magnitude, small, z, e.select(small, magnitude, e.sqrt(z))


def asin(e: Emit, x: Number) -> Number:
    """The arc sine: beyond 1/2, asin(a) = pi/2 - 2 asin(sqrt((1-a)/2))."""
    half_pi = [word * 0.5 for word in e.words("PI")]
    _, small, z, s = _arcs(e, x)
    lead = e.select(small, s, -2.0 * s)
    high, low = quick_two_sum(e.select(small, 0.0, half_pi[0]), lead)
    rest = low + e.mad(lead * z, e.polynomial("ASIN", z), e.select(small, 0.0, half_pi[1]))
    return e.copysign(high + rest, x)


def acos(e: Emit, x: Number) -> Number:
    """The arc cosine: pi/2 - asin(x), 2 asin(s) or pi - 2 asin(s)."""
    pi = e.words("PI")
    _, small, z, s = _arcs(e, x)
    turns = e.select(small, 0.5, e.select(x > 0.0, 0.0, 1.0))
    lead = e.select(small, -x, e.copysign(2.0, x) * s)
    high, low = quick_two_sum(turns * pi[0], lead)
    return high + (low + e.mad(lead * z, e.polynomial("ASIN", z), turns * pi[1]))


def _atan_series(e: Emit, t: Number, low: Number) -> Number:
    z = t * t
    return e.mad(t * z, e.polynomial("ATAN", z), low)


def atan(e: Emit, x: Number) -> Number:
    """The arc tangent: of x, (x-1)/(x+1) a quarter turn on, or -1/x a half turn on."""
    pi = e.words("PI")
    magnitude = e.clamp(e.abs(x), 0.0, 2.0 ** (e.precision + 5))
    middle, far = magnitude > math.tan(math.pi / 8), magnitude > math.tan(3 * math.pi / 8)
    minus, minus_low = two_sum(magnitude, -1.0)
    plus, plus_low = two_sum(magnitude, 1.0)
    numerator = (e.select(far, -1.0, e.select(middle, minus, magnitude)), e.select(middle, minus_low, 0.0))
    denominator = (e.select(far, magnitude, e.select(middle, plus, 1.0)), e.select(middle, plus_low, 0.0))
    numerator = (numerator[0], e.select(far, 0.0, numerator[1]))
    denominator = (denominator[0], e.select(far, 0.0, denominator[1]))
    t, t_low = quotient(e, numerator, denominator)
    turns = e.select(far, 0.5, e.select(middle, 0.25, 0.0))
    high, low = quick_two_sum(turns * pi[0], t)
    return e.copysign(high + (low + e.mad(turns, pi[1], _atan_series(e, t, t_low))), x)


def atan2(e: Emit, y: Number, x: Number) -> Number:
    """The angle of the point (x, y)."""
    pi = e.words("PI")
    height, width = e.abs(y), e.abs(x)
    steep = height > width
    small, large = e.select(steep, width, height), e.select(steep, height, width)
    small, large = _comparable(e, small, large)
    middle = small > large * math.tan(math.pi / 8)
    minus, minus_low = two_sum(small, -large)
    plus, plus_low = two_sum(large, small)
    numerator = (e.select(middle, minus, small), e.select(middle, minus_low, 0.0))
    denominator = (e.select(middle, plus, large), e.select(middle, plus_low, 0.0))
    t, t_low = quotient(e, numerator, denominator)
    series = _atan_series(e, t, t_low)
    # The angle is quarters * pi/4 + sign * (t + series), reflected at the diagonal and at the vertical axis.
    backward = e.bits(x) < 0
    quarters = e.select(middle, 1.0, 0.0)
    quarters = e.select(steep, 2.0 - quarters, quarters)
    quarters = e.select(backward, 4.0 - quarters, quarters)
    sign = e.select(steep ^ backward, -1.0, e.constant(1.0))
    base, base_low = two_product(e, quarters, pi[0] * 0.25)
    high, low = quick_two_sum(base, sign * t)
    rest = low + e.mad(sign, series, e.mad(quarters, pi[1] * 0.25, base_low))
    value = e.copysign(high + rest, y)
    return e.select((x + y).differs(x + y) & (x.differs(x) | y.differs(y)), x + y, value)


def _comparable(e: Emit, small: Number, large: Number) -> tuple[Number, Number]:
    """The same ratio with a denominator whose reciprocal and remainders are normal numbers."""
    infinite = large.equals(math.inf)
    small = e.select(infinite, e.select(small.equals(math.inf), 1.0, e.constant(0.0)), small)
    large = e.select(infinite | large.equals(0.0), 1.0, large)
    unit = 2.0 ** (2 * e.precision)
    edge = 2.0 ** (e.bias - 2 * e.precision)
    factor = e.select(large > edge, 1 / unit, e.select(large < 1 / edge, unit, e.constant(1.0)))
    return small * factor, large * factor
