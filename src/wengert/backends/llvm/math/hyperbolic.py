"""tanh, sinh and cosh, from exp and expm1 so that neither small nor large arguments cancel or overflow."""

from __future__ import annotations

from wengert.backends.llvm.math.emit import Emit, Number
from wengert.backends.llvm.math.exponential import expm1_half
from wengert.backends.llvm.math.words import quick_two_sum, quotient


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
