"""The error function and its complement."""

from __future__ import annotations

from wengert.backends.llvm.math.emit import Emit, Number
from wengert.backends.llvm.math.exponential import exp_pair, reduced
from wengert.backends.llvm.math.words import quick_two_sum, quotient, two_product, two_sum


def erf(e: Emit, x: Number) -> Number:
    """The error function: x + x P(x*x) up to 1, then 1 - exp(-Q(x))."""
    magnitude = e.abs(x)
    inner = e.mad(x, e.polynomial("ERF", x * x), x)
    far = e.clamp(magnitude, 1.0, 4.0 if e.single else 6.0)
    i, r, tail = reduced(e, -e.polynomial("ERF_TAIL", far))
    power = e.power_of_two(i)
    outer = (1.0 - power) - power * (r + tail)
    return e.select(magnitude > 1.0, e.copysign(outer, x), inner)


def erfc(e: Emit, x: Number) -> Number:
    """1 - erf(x), without cancellation.

    Away from zero it is exp(-x*x) P(t) / (1 + 2|x|) with t = (|x| - 15/4)/(|x| + 15/4), one polynomial for the whole
    half-axis (M. M. Shepherd and J. G. Laframboise, Mathematics of Computation 36, 1981).
    """
    magnitude = e.clamp(e.abs(x), 0.0, 10.5 if e.single else 28.0)
    square, lost = two_product(e, magnitude, magnitude)
    (high, low), i = exp_pair(e, -square, -lost)
    polynomial = e.polynomial("ERFC", (magnitude - 3.75) / (magnitude + 3.75))
    numerator, numerator_low = two_product(e, high, polynomial)
    denominator = two_sum(magnitude * 2.0, 1.0)
    value, rest = quotient(e, (numerator, e.mad(low, polynomial, numerator_low)), denominator)
    outer = e.scale(value + rest, i)
    outer = e.select(x < 0.0, 2.0 - outer, outer)
    one_minus, rest = quick_two_sum(1.0, -x)
    inner = one_minus + e.mad(-x, e.polynomial("ERF", x * x), rest)
    return e.select((x > -1.0) & (x < 0.5), inner, outer)
