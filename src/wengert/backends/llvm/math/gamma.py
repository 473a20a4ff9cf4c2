"""The gamma function, its logarithm and the digamma function, for every real argument.

Positive arguments are brought to the neighbourhood of 2 by the recurrence, or are large enough for Stirling's series;
negative ones are reflected (P. Davis in M. Abramowitz and I. Stegun, "Handbook of mathematical functions", chapter 6;
DLMF 5.5 and 5.11). float32 is computed in float64 arithmetic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from wengert.backends.llvm.math.circular import sine, tangent
from wengert.backends.llvm.math.emit import Emit, Function, Number
from wengert.backends.llvm.math.exponential import exp_pair
from wengert.backends.llvm.math.logarithm import combined, log_in_two_words, split
from wengert.backends.llvm.math.words import Pair, either, quick_two_sum, quotient, times, two_product, two_sum

#: From here on Stirling's series is summed, for the gamma function and for its logarithmic derivative.
SERIES, DIGAMMA_SERIES = 4.5, 6.5
#: Arguments below this behave like the pole at zero.
TINY = 2.0**-60


def _in_float64(function: Function) -> Function:
    """The function, for float32 by float64 arithmetic of which as many digits count as rounding needs."""

    def any_format(e: Emit, x: Number) -> Number:
        if not e.single:
            return function(e, x)
        wide = e.widened(digits=32)
        return e.narrow(function(wide, wide.widen(x)))

    any_format.__doc__ = function.__doc__
    return any_format


def _log(e: Emit, x: Number) -> Pair:
    """The logarithm of a positive number, in two words where the format has no digits to spare."""
    if e.digits < e.precision:
        _, k, f = split(e, x)
        return combined(e, k, f), e.constant(0.0)
    return log_in_two_words(e, x)


@dataclass(frozen=True)
class _Place:
    """Where a magnitude a lies: Gamma(a) = Gamma(2 + w) * factor**direction, if it is below ``SERIES``."""

    large: Number
    w: Number
    factor: Number
    direction: Number

    @classmethod
    def of(cls, e: Emit, a: Number) -> _Place:
        lowest, low, middle, upper = a < 0.5, a < 1.5, a < 2.5, a < 3.5
        steps = e.select(low, e.select(lowest, 0.0, e.constant(1.0)), e.select(middle, 2.0, e.select(upper, 3.0, 4.0)))
        below = e.select(lowest, e.mad(a, a, a), a)
        above = e.select(upper, a - 1.0, (a - 1.0) * (a - 2.0))
        factor = e.select(low, below, e.select(middle, 1.0, above))
        return cls(a >= SERIES, a - steps, factor, e.select(low, -1.0, e.constant(1.0)))


def _series(e: Emit, a: Number) -> Number:
    """What Stirling's formula leaves out, but for the constant log(2 pi)/2."""
    inverse = 1.0 / a
    return inverse * e.polynomial("STIRLING", inverse * inverse)


def _sine_of_turns(e: Emit, a: Number) -> tuple[Number, Number]:
    """sin(pi r) and r, for a less its nearest whole number."""
    r = a - e.rint(a)
    first, second, _ = e.words("PI")
    return sine(e, times(e, (r, e.constant(0.0)), (first, second))), r


def _log_around_two(e: Emit, w: Number) -> Pair:
    """log Gamma(2 + w)."""
    first, *others = e.coefficients("LGAMMA")
    lead, lost = two_product(e, w, first)
    return lead, e.mad(w * w, e.evaluate(others, w), lost)


def _log_of_positive(e: Emit, a: Number) -> Pair:
    place = _Place.of(e, a)
    high, low = _log(e, e.select(place.large, a, place.factor))
    lead, lost = _log_around_two(e, place.w)
    near, near_low = two_sum(high * place.direction, lead)
    near_low = e.mad(low, place.direction, near_low + lost)
    # (a - 1/2)(log a - 1) + (log(2 pi) - 1)/2 + the series
    less, lost = two_sum(high, -1.0)
    far, far_low = two_product(e, a - 0.5, less)
    rest = _series(e, a) + 0.5 * (math.log(2 * math.pi) - 1)
    far_low = e.mad(a - 0.5, lost + low, far_low) + rest
    finite = far < math.inf
    return e.select(place.large, far, near), e.select(place.large, e.select(finite, far_low, 0.0), near_low)


def _lgamma(e: Emit, x: Number) -> Number:
    """log|Gamma(x)|: for negative x, log(pi/|x sin(pi x)|) - log Gamma(-x)."""
    a = e.abs(x)
    high, low = _log_of_positive(e, e.select(a < math.inf, a, 1.0))
    positive = e.select((a < math.inf) & (a > 0.0), high + low, math.inf)
    turn, r = _sine_of_turns(e, a)
    other, other_low = _log(e, e.select(x < -TINY, a * e.abs(turn) * (1 / math.pi), 1.0))
    total, lost = two_sum(other, high)
    negative = -(total + (lost + (other_low + low)))
    negative = e.select(r.equals(0.0), math.inf, negative)
    value = e.select(x < -TINY, negative, positive)
    return e.select(x.differs(x) | x.equals(-math.inf), x, value)


def _log_for_power(e: Emit, a: Number, place: _Place) -> Pair:
    """log Gamma(a), or of Gamma(2 + w), in two words."""
    high, low = _log(e, a)
    product, rest = two_product(e, a - 0.5, high)
    total, lost = two_sum(product, -a)
    sum_, more = two_sum(total, e.mad(a - 0.5, low, rest) + lost)
    sum_, last = two_sum(sum_, 0.5 * math.log(2 * math.pi))
    far, far_low = quick_two_sum(sum_, last + more + _series(e, a))
    near, near_low = _log_around_two(e, place.w)
    return e.select(place.large, far, near), e.select(place.large, far_low, near_low)


def _gamma(e: Emit, x: Number) -> Number:
    """Gamma(x): for negative x, -pi/(a sin(pi a) Gamma(a)) with a = -x."""
    a, negative = e.abs(x), x < 0.0
    held = e.clamp(a, 0.0, 190.0)
    place = _Place.of(e, held)
    high, low = _log_for_power(e, held, place)
    sign = e.select(negative, -1.0, e.constant(1.0))
    (power, power_low), i = exp_pair(e, high * sign, low * sign)
    turn, r = _sine_of_turns(e, a)
    half = e.rint(a) * 0.5
    turn = e.select(e.floor(half).differs(half), -turn, turn)
    factor = e.select(place.large, 1.0, place.factor)
    upward = place.direction * sign > 0.0
    above = e.select(upward, factor, 1.0) * e.select(negative, -math.pi, e.constant(1.0))
    below = e.select(upward, 1.0, factor) * e.select(negative, held * turn, 1.0)
    value = e.scale((power + power_low) * (above / below), i)
    value = e.select(negative & r.equals(0.0), math.nan, value)
    value = e.select(a < TINY, 1.0 / x, e.select(a < math.inf, value, x))
    return e.select(x.equals(-math.inf), math.nan, value)


def _slope_of_log(e: Emit, y: Number) -> Number:
    """digamma(y) of a positive number: (y - root) R(y - root) between 1 and 5/2, stepped there by the recurrence."""
    root = e.words("DIGAMMA_ROOT")
    large, low = y >= DIGAMMA_SERIES, y < 1.0
    above, below, steps = e.select(low, -1.0, e.constant(0.0)), e.select(low, y, 1.0), e.select(low, -1.0, 0.0)
    for step in range(1, 5):
        term = y - float(step)
        active = y >= step + 1.5
        above = e.select(active, e.mad(above, term, below), above)
        below = e.select(active, below * term, below)
        steps = e.select(active, float(step), steps)
    v = e.select(low, y - (root[0] - 1.0), (y - steps) - root[0]) - root[1]
    ratio = e.select(large, 1.0, above) / e.select(large, y, below)
    near = e.mad(v, e.polynomial("DIGAMMA", v), ratio)
    _, k, f = split(e, y)
    square = ratio * ratio
    far = combined(e, k, f) - e.mad(square, e.polynomial("DIGAMMA_SERIES", square), ratio * 0.5)
    return e.select(large, far, near)


def _cotangent_of_turns(e: Emit, a: Number) -> Number:
    """pi cot(pi a); NaN at the poles."""
    r = a - e.rint(a)
    magnitude = e.abs(r)
    far = magnitude > 0.25
    first, second, _ = e.words("PI")
    pi = (first, second)
    angle, low = times(e, (e.select(far, 0.5 - magnitude, magnitude), e.constant(0.0)), pi)
    above, below = tangent(e, angle, low)
    high, rest = quotient(e, either(e, far, above, below), either(e, far, below, above))
    product, rest = times(e, (high, rest), pi)
    return e.select(r.equals(0.0), math.nan, e.copysign(product + rest, r))


def _digamma(e: Emit, x: Number) -> Number:
    """The derivative of log|Gamma|: for negative x, digamma(1 - x) - pi cot(pi x)."""
    negative = x < 0.0
    y = e.select(negative, 1.0 - x, x)
    value = _slope_of_log(e, e.select(y < math.inf, y, 1.0))
    value = e.select(negative, value - _cotangent_of_turns(e, x), value)
    value = e.select(e.abs(x) < TINY, -1.0 / x, value)
    value = e.select(x.equals(-math.inf), math.nan, value)
    return e.select(x < math.inf, value, x)


lgamma, gamma, digamma = _in_float64(_lgamma), _in_float64(_gamma), _in_float64(_digamma)
