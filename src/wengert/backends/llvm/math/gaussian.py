"""The error function, its complement and the distribution function of the normal; scaled, and as a logarithm."""

from __future__ import annotations

import math

from wengert.backends.llvm.math.emit import Emit, Number
from wengert.backends.llvm.math.exponential import exp_pair, reduced
from wengert.backends.llvm.math.logarithm import log, log1p
from wengert.backends.llvm.math.words import Pair, quick_two_sum, quotient, times, two_product, two_sum


def erf(e: Emit, x: Number) -> Number:
    """The error function: x + x P(x*x) up to 1, then 1 - exp(-Q(x))."""
    magnitude = e.abs(x)
    inner = e.mad(x, e.polynomial("ERF", x * x), x)
    far = e.clamp(magnitude, 1.0, 4.0 if e.single else 6.0)
    i, r, tail = reduced(e, -e.polynomial("ERF_TAIL", far))
    power = e.power_of_two(i)
    outer = (1.0 - power) - power * (r + tail)
    return e.select(magnitude > 1.0, e.copysign(outer, x), inner)


def _tail(e: Emit, x: Number, twice: Pair, square: Pair) -> Number:
    """erfc(x) of a magnitude whose double and square are known in two words.

    It is exp(-x*x) P(t) / (1 + 2x) with t = (x - 15/4)/(x + 15/4), one polynomial for the whole half-axis
    (M. M. Shepherd and J. G. Laframboise, Mathematics of Computation 36, 1981).
    """
    (high, low), i = exp_pair(e, -square[0], -square[1])
    polynomial = _scaled(e, x)
    numerator, numerator_low = two_product(e, high, polynomial)
    denominator, lost = two_sum(twice[0], 1.0)
    numerator_low = e.mad(low, polynomial, numerator_low)
    value, rest = quotient(e, (numerator, numerator_low), (denominator, lost + twice[1]))
    return e.scale(value + rest, i)


def _scaled(e: Emit, x: Number) -> Number:
    """(1 + 2x) exp(x*x) erfc(x)."""
    return e.polynomial("ERFC", (x - 3.75) / (x + 3.75))


def _erfcx_of_positive(e: Emit, x: Number) -> Number:
    """exp(x*x) erfc(x): far out by the asymptotic series (DLMF 7.12.1)."""
    end = 10.0 if e.single else 28.0
    near = _scaled(e, e.clamp(x, 0.0, end)) / e.mad(x, 2.0, 1.0)
    inverse = 1.0 / e.select(x > end, x, end)
    series = e.evaluate([(-1) ** k * math.prod(range(1, 2 * k, 2)) / 2.0**k for k in range(8)], inverse * inverse)
    return e.select(x > end, series * inverse * (1 / math.sqrt(math.pi)), near)


def erfcx(e: Emit, x: Number) -> Number:
    """exp(x*x) erfc(x): for negative x, 2 exp(x*x) - erfcx(-x)."""
    magnitude = e.abs(x)
    value = _erfcx_of_positive(e, magnitude)
    held = e.clamp(magnitude, 0.0, 9.5 if e.single else 26.7)
    (high, low), i = exp_pair(e, *two_product(e, held, held))
    doubled = e.scale(high, i) * 2.0
    mirrored = (doubled - value) + e.scale(low, i) * 2.0
    # Beyond, the other term is far below the last place, and the second word would be of an infinity.
    mirrored = e.select(held > 6.0, doubled, mirrored)
    value = e.select(x < 0.0, mirrored, value)
    around = _erfc_around_zero(e, x)
    around = e.scale(e.mad(around, high, around * low), i)
    value = e.select((x > -1.0) & (x < 0.5), around, value)
    return e.select(magnitude.equals(math.inf), e.select(x > 0.0, 0.0, e.constant(math.inf)), value)


def _erfc_around_zero(e: Emit, x: Number) -> Number:
    one_minus, rest = quick_two_sum(1.0, -x)
    return one_minus + e.mad(-x, e.polynomial("ERF", x * x), rest)


def erfc(e: Emit, x: Number) -> Number:
    """1 - erf(x), without cancellation."""
    magnitude = e.clamp(e.abs(x), 0.0, 10.5 if e.single else 28.0)
    twice = (magnitude * 2.0, e.constant(0.0))
    outer = _tail(e, magnitude, twice, two_product(e, magnitude, magnitude))
    outer = e.select(x < 0.0, 2.0 - outer, outer)
    return e.select((x > -1.0) & (x < 0.5), _erfc_around_zero(e, x), outer)


def ndtr(e: Emit, x: Number) -> Number:
    """The distribution function of the normal, erfc(-x/sqrt(2)) / 2, exact in the lower tail: x*x/2 is in two words."""
    magnitude = e.clamp(e.abs(x), 0.0, 14.8 if e.single else 39.5)
    square, lost = two_product(e, magnitude, magnitude)
    root = e.words("SQRT_2")
    twice = times(e, (magnitude, e.constant(0.0)), (root[0], root[1]))
    outer = _tail(e, twice[0] * 0.5, twice, (square * 0.5, lost * 0.5)) * 0.5
    outer = e.select(x > 0.0, 1.0 - outer, outer)
    u = x * math.sqrt(0.5)
    inner = e.mad(u * 0.5, e.polynomial("ERF", u * u), u * 0.5) + 0.5
    return e.select((x < 1.4) & (x > -0.7), inner, outer)


def log_ndtr(e: Emit, x: Number) -> Number:
    """The logarithm of the distribution function of the normal: below -1, log(erfcx(-x/sqrt(2))/2) - x*x/2. float32 is
    computed in float64 arithmetic."""
    if e.single:
        wide = e.widened()
        return e.narrow(log_ndtr(wide, wide.widen(x)))
    half, lost = two_product(e, x, x * 0.5)
    tail = log(e, _erfcx_of_positive(e, e.abs(x) * math.sqrt(0.5)) * 0.5)
    below, rest = two_sum(tail, -half)
    tail = below + e.select(half < math.inf, rest - lost, 0.0)
    return e.select(x < -1.0, tail, log1p(e, -ndtr(e, -x)))
