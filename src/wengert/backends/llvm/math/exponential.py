"""exp and its relatives: x = n log 2 + r, exp(x) = 2**n exp(r) (W. J. Cody and W. Waite, "Software manual for the
elementary functions", 1980, with fused multiply-adds for the reduction).
"""

from __future__ import annotations

from wengert.backends.llvm.math.emit import Emit, Number
from wengert.backends.llvm.math.words import Pair, quick_two_sum, two_sum


def exponent_range(e: Emit) -> tuple[float, float]:
    """Beyond these exp is certainly zero or infinite."""
    return (-104.0, 89.0) if e.single else (-746.0, 710.0)


def reduced(e: Emit, x: Number, low: Number | None = None) -> tuple[Number, Number, Number]:
    """n as an integer, r, and exp(r) - 1 - r, for x (+ low) = n log 2 + r."""
    high_ln2, low_ln2 = e.words("LN2")
    n, i = e.nearest(x, e.words("LOG2_E")[0])
    near = e.fma(-n, high_ln2, x)  # exact
    rest = -n * low_ln2 if low is None else e.mad(-n, low_ln2, low)
    r = near + rest
    return i, r, e.mad(r * r, e.polynomial("EXP", r), (near - r) + rest)


def exp_pair(e: Emit, x: Number, low: Number | None = None) -> tuple[Pair, Number]:
    """exp(x + low) as (high, low) * 2**i, for x in the exponent range."""
    i, r, tail = reduced(e, x, low)
    high, rest = quick_two_sum(1.0, r)
    return quick_two_sum(high, rest + tail), i


def exp(e: Emit, x: Number) -> Number:
    """e**x."""
    i, r, tail = reduced(e, e.clamp(x, *exponent_range(e)))
    return e.scale(1.0 + (r + tail), i)


def exp2(e: Emit, x: Number) -> Number:
    """2**x."""
    high_ln2, low_ln2 = e.words("LN2")
    x = e.clamp(x, -(e.bias + e.fraction_bits + 4.0), e.bias + 2.0)
    n, i = e.nearest(x)
    fraction = x - n
    r = fraction * high_ln2
    lost = e.fma(fraction, high_ln2, -r) + fraction * low_ln2
    return e.scale(1.0 + (r + e.mad(r * r, e.polynomial("EXP", r), lost)), i)


def expm1_half(e: Emit, x: Number) -> Pair:
    """(e**x - 1) / 2 as a pair; half, so that it overflows no earlier than the hyperbolic functions."""
    highest = 89.5 if e.single else 710.5
    i, r, tail = reduced(e, e.clamp(x, -e.precision * 0.75, highest))
    quarter = e.power_of_two(i - 2)
    total, lost = two_sum(quarter - 0.25, quarter * r)
    high, low = quick_two_sum(total, e.mad(quarter, tail, lost))
    return high * 2.0, low * 2.0


def expm1(e: Emit, x: Number) -> Number:
    """e**x - 1."""
    tiny = 2.0 ** -(e.precision + 1)
    return e.select(e.abs(x) < tiny, x, expm1_half(e, x)[0] * 2.0)


def sigmoid(e: Emit, x: Number) -> Number:
    """1 / (1 + e**-x)."""
    magnitude = e.abs(x)
    (high, _), i = exp_pair(e, e.clamp(-magnitude, *exponent_range(e)))
    z = e.scale(high, i)
    total, lost = quick_two_sum(1.0, z)
    numerator = e.select(x > 0.0, 1.0, z)
    inverse = 1.0 / total
    value = numerator * inverse
    rest = e.fma(-value, total, numerator) - value * lost
    # Where exp(-|x|) is subnormal the remainder is not exact, and the quotient needs none.
    return e.select(magnitude < e.precision * 1.0, e.mad(rest, inverse, value), value)
