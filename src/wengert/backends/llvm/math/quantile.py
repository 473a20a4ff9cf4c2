"""The inverses of the error function, of its complement and of the distribution function of the normal.

With w = -log((1 - x)(1 + x)), erfinv(x)/x is smooth in w, and so is, where w is large, erfinv(x) - sqrt(w) in sqrt(w)
(M. Giles, "Approximating the erfinv function", GPU Computing Gems, 2011). float32 is computed in float64 arithmetic.
"""

from __future__ import annotations

import math

from wengert.backends.llvm.math.emit import Emit, Number
from wengert.backends.llvm.math.logarithm import log

#: Where the polynomials of ``tools/coefficients.py`` begin and end: the first in w, the others in sqrt(w).
SEAMS = (6.25, 4.0, 8.0)


def _inverse(e: Emit, x: Number, product: Number) -> Number:
    """erfinv(x), where the product is 1 - x*x without cancellation; NaN where it is negative."""
    w = -log(e, product)
    around = x * e.polynomial("ERFINV", w - SEAMS[0] / 2)
    s = e.sqrt(e.select(w > SEAMS[0], w, SEAMS[0]))
    near = e.polynomial("ERFINV_TAIL", s - (math.sqrt(SEAMS[0]) + SEAMS[1]) / 2)
    far = e.polynomial("ERFINV_FAR", s - (SEAMS[1] + SEAMS[2]) / 2)
    farthest = e.polynomial("ERFINV_FARTHEST", 1.0 / s - 0.08)
    tail = s + e.select(s < SEAMS[1], near, e.select(s < SEAMS[2], far, farthest))
    tail = e.select(product.equals(0.0), math.inf, tail)
    return e.select(w <= SEAMS[0], around, e.select(product >= 0.0, e.copysign(tail, x), math.nan))


def erfinv(e: Emit, x: Number) -> Number:
    """The number whose erf is x."""
    if e.single:
        wide = e.widened(digits=32)
        return e.narrow(erfinv(wide, wide.widen(x)))
    return _inverse(e, x, (1.0 - x) * (1.0 + x)) + 0.0  # of zeros the positive one, as SciPy has it


def erfcinv(e: Emit, p: Number) -> Number:
    """The number whose erfc is p."""
    if e.single:
        wide = e.widened(digits=32)
        return e.narrow(erfcinv(wide, wide.widen(p)))
    return _inverse(e, -(p - 1.0), p * (2.0 - p))


def ndtri(e: Emit, p: Number) -> Number:
    """The number below which a normal variable lies with probability p."""
    if e.single:
        wide = e.widened(digits=32)
        return e.narrow(ndtri(wide, wide.widen(p)))
    twice = p * 2.0
    return _inverse(e, twice - 1.0, twice * (2.0 - twice)) * math.sqrt(2)
