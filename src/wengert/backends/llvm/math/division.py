"""Remainders of division, exact for quotients of any size, and the floor of the quotient."""

from __future__ import annotations

import math

from wengert.backends.llvm.math.emit import Emit, Number


def fmod(e: Emit, x: Number, y: Number) -> Number:
    """x - y * trunc(x/y), with the sign of x; NaN for an infinite x or a zero y."""
    magnitude, divisor = e.abs(x), e.abs(y)
    rest = _single_rest(e, magnitude, divisor) if e.single else _rest(e, magnitude, divisor)
    rest = e.select(magnitude < divisor, magnitude, rest)
    defined = (magnitude < math.inf) & (divisor > 0.0)  # a NaN y is not above zero
    return e.select(defined, e.copysign(rest, x), math.nan)


def _step(e: Emit, x: Number, y: Number) -> Number:
    """x - y * trunc(x/y) for positive numbers and a quotient below 2**precision: every operation but one is exact.

    The quotient, rounded, may be one too many. What is left is a multiple of y's last place and not above y, so it is
    a number of the format either way.
    """
    rest = e.fma(-e.floor(x / y), y, x)
    return e.select(rest < 0.0, rest + y, rest)


def _rest(e: Emit, x: Number, y: Number) -> Number:
    """In one step where that is exact; else by the C library, which is not vectorised but hardly ever asked."""

    def by_library() -> Number:
        return Number(e, e.builder.frem(x.value, y.value))

    return e.branch(x < y * 2.0**50, lambda: _step(e, x, y), by_library) if e.fused else by_library()


def _single_rest(narrow: Emit, x: Number, y: Number) -> Number:
    """In float64 arithmetic: quotients of float32s are below 2**278, which takes six steps of 50 bits or less.

    In each the nearest multiple of y * 2**(50 k) is subtracted, exactly, so that half of that is left.
    """
    e = narrow.widened()
    wide, divisor = e.widen(x), e.widen(y)
    inverse, rest = 1.0 / divisor, wide
    for k in range(5, -1, -1):
        unit = 2.0 ** (50 * k)
        rest = e.fma(-e.rint(rest * (inverse * (1 / unit))), divisor * unit, rest)
    return narrow.narrow(e.select(rest < 0.0, rest + divisor, rest))


def remainder(e: Emit, x: Number, y: Number) -> Number:
    """x - y * floor(x/y), with the sign of y: Python's ``%``."""
    rest = fmod(e, x, y)
    value = e.select((rest < 0.0) ^ (y < 0.0), rest + y, rest)
    value = e.select(rest.equals(0.0), e.copysign(0.0, y), value)
    return e.select(y.equals(0.0), math.nan, value)


def floor_divide(e: Emit, x: Number, y: Number) -> Number:
    """floor(x/y) from the exact remainder: Python's ``//``, but x/y where y is zero."""
    rest = fmod(e, x, y)
    quotient = (x - rest) / y
    quotient = e.select(rest.differs(0.0) & ((rest < 0.0) ^ (y < 0.0)), quotient - 1.0, quotient)
    # Rounding has left it next to a whole number.
    whole = e.floor(quotient)
    whole = e.select(quotient - whole > 0.5, whole + 1.0, whole)
    whole = e.select(quotient.equals(0.0), e.copysign(0.0, x / y), whole)
    return e.select(y.equals(0.0), x / y, whole)
