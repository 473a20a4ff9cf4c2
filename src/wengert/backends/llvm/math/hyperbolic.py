"""tanh, sinh and cosh, from exp and expm1 so that neither small nor large arguments cancel or overflow; and their
inverses, from log1p of a pair."""

from __future__ import annotations

import math

from wengert.backends.llvm.math.emit import Emit, Number
from wengert.backends.llvm.math.exponential import expm1_half
from wengert.backends.llvm.math.logarithm import log1p_pair
from wengert.backends.llvm.math.words import Pair, quick_two_sum, quotient, times, two_sum


def _odd(e: Emit, x: Number, value: Number) -> Number:
    """The value of an odd function that starts like x, from its value at the magnitude."""
    value = e.copysign(value, x)
    return e.select(e.abs(x) < 2.0 ** -(e.precision // 2 + 2), x, value)


def tanh(e: Emit, x: Number) -> Number:
    """The hyperbolic tangent: h/(h + 1) with h = (e**(2|x|) - 1)/2."""
    magnitude = e.clamp(e.abs(x), 0.0, 0.4 * e.precision)
    high, low = expm1_half(e, magnitude * 2.0)
    total, lost = quick_two_sum(e.select(high > 1.0, high, 1.0), e.select(high > 1.0, 1.0, high))
    value, rest = quotient(e, (high, low), (total, lost + low))
    return _odd(e, x, value + rest)


def sinh(e: Emit, x: Number) -> Number:
    """The hyperbolic sine: h + h/(2h + 1) with h = (e**|x| - 1)/2."""
    high, low = expm1_half(e, e.abs(x))
    other = e.select(high < 2.0 ** (e.precision + 2), high / (high * 2.0 + 1.0), 0.5)
    return _odd(e, x, high + (other + low))


def cosh(e: Emit, x: Number) -> Number:
    """The hyperbolic cosine: with u = e**|x|/2, u + 1/(4u)."""
    high, low = expm1_half(e, e.abs(x))
    u, rest = quick_two_sum(e.select(high > 0.5, high, 0.5), e.select(high > 0.5, 0.5, high))
    return u + (0.25 / u + e.select(u < 2.0 ** (2 * e.precision), rest + low, 0.0))


def _log_of_sum(e: Emit, x: Number, part: Pair) -> Number:
    """log(1 + part) up to 2**(precision/2 + 2), log(2x) beyond, which is the same there: x is positive."""
    large = x > 2.0 ** (e.precision // 2 + 2)
    high, low = e.select(large, x, part[0]), e.select(large, -1.0, part[1])
    value = log1p_pair(e, (high, low), e.select(large, e.whole(1), e.whole(0)))
    return e.select(x < math.inf, value, x)


def asinh(e: Emit, x: Number) -> Number:
    """The inverse hyperbolic sine: with a = |x|, log(1 + a + a*a/(1 + sqrt(1 + a*a)))."""
    magnitude = e.abs(x)
    near = e.clamp(magnitude, 0.0, 2.0 ** (e.precision // 2 + 4))
    square = near * near
    part = quick_two_sum(near, square / (1.0 + e.sqrt(1.0 + square)))
    return _odd(e, x, _log_of_sum(e, magnitude, part))


def acosh(e: Emit, x: Number) -> Number:
    """The inverse hyperbolic cosine: log(1 + t + sqrt(t*(x + 1))) with t = x - 1."""
    near = e.clamp(x, 1.0, 2.0 ** (e.precision // 2 + 4))
    t = two_sum(near, -1.0)
    high, low = times(e, t, two_sum(near, 1.0))
    root = e.sqrt(high)
    rest = (e.fma(-root, root, high) + low) * 0.5 / e.select(root > 0.0, root, 1.0)
    total, lost = two_sum(root, t[0])
    return e.select(x < 1.0, math.nan, _log_of_sum(e, x, (total, lost + (rest + t[1]))))


def atanh(e: Emit, x: Number) -> Number:
    """The inverse hyperbolic tangent: with a = |x|, log(1 + 2a/(1 - a)) / 2."""
    magnitude = e.abs(x)
    inside = e.select(magnitude < 1.0, magnitude, 0.0)
    value = log1p_pair(e, quotient(e, (inside * 2.0, e.constant(0.0)), two_sum(-inside, 1.0))) * 0.5
    value = e.select(magnitude < 1.0, value, e.select(magnitude.equals(1.0), math.inf, e.constant(math.nan)))
    return _odd(e, x, value)
