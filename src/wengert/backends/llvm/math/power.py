"""pow, the cube root and the length of a vector."""

from __future__ import annotations

import math

from wengert.backends.llvm.math.emit import Emit, Number
from wengert.backends.llvm.math.exponential import reduced
from wengert.backends.llvm.math.logarithm import combined, log_in_two_words, split


def pow_(e: Emit, x: Number, y: Number) -> Number:
    """x**y = exp(y log|x|), with the logarithm to eleven bits more than the format, and the sign of an odd power."""
    base = e.abs(x)
    magnitude = _single_magnitude(e, base, y) if e.single else _magnitude(e, base, y)
    magnitude = e.select(base.equals(1.0) | y.equals(0.0), 1.0, magnitude)
    half = y * 0.5
    whole = e.floor(y).equals(y)
    odd = whole & e.floor(half).differs(half)
    negative = e.bits(x) < 0
    value = e.select(negative & odd, -magnitude, magnitude)
    value = e.select((x < 0.0) & (base < math.inf) & ~whole, math.nan, value)
    return e.select(x.equals(1.0) | y.equals(0.0), 1.0, e.select(x.differs(x) | y.differs(y), x + y, value))


def _ends(e: Emit, base: Number, logarithm: Number) -> Number:
    """log at zero and infinity, so that the product with y says what the power is."""
    return e.select(base.equals(0.0), -math.inf, e.select(base.equals(math.inf), math.inf, logarithm))


def _magnitude(e: Emit, base: Number, y: Number) -> Number:
    total, rest = log_in_two_words(e, base)
    total = _ends(e, base, total)
    product = y * total
    low = e.fma(y, total, -product) + y * rest
    inside = e.abs(product) < 800.0
    product = e.clamp(product, -800.0, 800.0)
    i, r, tail = reduced(e, product, e.select(inside, low, 0.0))
    return e.scale(1.0 + (r + tail), i)


def _single_magnitude(narrow: Emit, base: Number, y: Number) -> Number:
    """In float64 arithmetic, which holds every float32's power to be rounded once."""
    e = narrow.widened(digits=32)
    wide = e.widen(base)
    _, k, f = split(e, wide)
    product = e.clamp(e.widen(y) * _ends(e, wide, combined(e, k, f)), -120.0, 120.0)
    i, r, tail = reduced(e, product)
    return narrow.narrow((1.0 + (r + tail)) * e.power_of_two(i))


def cbrt(e: Emit, x: Number) -> Number:
    """The cube root, from its reciprocal: Newton's iteration needs no division there; the last step has a remainder."""
    lift = 27 if e.single else 54
    magnitude = e.abs(x)
    subnormal = magnitude < 2.0 ** (1 - e.bias)
    lifted = e.select(subnormal, magnitude * 2.0**lift, magnitude)
    representation = e.bits(lifted)
    # Three times a number large enough to keep the dividend positive; the multiplication divides by three.
    offset = 1200
    exponent = (representation >> e.fraction_bits) + (3 * offset - e.bias)
    third = (exponent * 43691) >> 17
    remainder = exponent - third * 3
    fraction = e.from_bits((representation & ((1 << e.fraction_bits) - 1)) | e.bias << e.fraction_bits)
    m = fraction * e.power_of_two(remainder)
    start = e.select(
        remainder.equals(0), 1.0, e.select(remainder.equals(1), 0.5 ** (1 / 3), e.constant(0.25 ** (1 / 3)))
    )
    r = e.polynomial("CBRT", fraction) * start
    for _ in range(1 if e.single else 2):
        r = e.mad(r * (1.0 / 3.0), 1.0 - m * r * r * r, r)
    square = r * r
    root = m * square
    root_square = root * root
    low = e.fma(root, root, -root_square)
    rest = e.fma(root_square, root, -m) + low * root
    root = e.mad(rest, square * (-1.0 / 3.0), root)
    down = e.select(subnormal, e.whole(lift // 3 + offset), e.whole(offset))
    value = e.copysign(root * e.power_of_two(third - down), x)
    return e.select((magnitude > 0.0) & (magnitude < math.inf), value, x)


def hypot(e: Emit, x: Number, y: Number) -> Number:
    """sqrt(x*x + y*y), which overflows only where the result does; infinite even where the other one is NaN."""
    first, second = e.abs(x), e.abs(y)
    large, small = e.select(first > second, first, second), e.select(first > second, second, first)
    if e.single:
        wide = e.widened()
        length = e.narrow(_length(wide, wide.widen(large), wide.widen(small)))
    else:
        unit = 2.0**600
        down, up = large > 2.0**500, large < 2.0**-450
        scale = e.select(down, 1 / unit, e.select(up, unit, e.constant(1.0)))
        back = e.select(down, unit, e.select(up, 1 / unit, e.constant(1.0)))
        length = _length(e, large * scale, small * scale) * back
    infinite = first.equals(math.inf) | second.equals(math.inf)
    return e.select(infinite, math.inf, length)


def _length(e: Emit, large: Number, small: Number) -> Number:
    return e.sqrt(e.mad(large, large, small * small))
