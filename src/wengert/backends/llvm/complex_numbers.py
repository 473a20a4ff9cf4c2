"""Arithmetic and functions of complex numbers, by their parts; formulas and special cases as NumPy has them.

A complex number is a pair in memory and in registers. Its parts are real ``Scalar`` numbers, so everything here is
written with NumPy's own functions of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

#: Numbers of a complex dtype as their parts.
Pair = tuple[Any, Any]


def part_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the parts."""
    return np.dtype(np.float64 if dtype.char == "D" else np.float32)


def parts(x: Any) -> Pair:
    """The real and the imaginary part."""
    builder, dtype, kind = x.emitter.builder, part_dtype(x.dtype), type(x)
    return tuple(kind(x.emitter, builder.extract_value(x.value, k), dtype) for k in (0, 1))


def pair(emitter: Any, re: Any, im: Any, dtype: np.dtype[Any]) -> Any:
    """The value of a complex number with these parts."""
    builder, own = emitter.builder, part_dtype(dtype)
    real = emitter.cast(re, own).value
    blank = ir.Constant(ir.LiteralStructType([real.type, real.type]), ir.Undefined)
    return builder.insert_value(builder.insert_value(blank, real, 0), emitter.cast(im, own).value, 1)


def cast(emitter: Any, x: Any, dtype: np.dtype[Any]) -> Any:
    """A number in another dtype, where one of the two is complex."""
    if x.dtype.kind != "c":
        return pair(emitter, x, 0.0, dtype)
    re, im = parts(x)
    if dtype.kind == "c":
        return pair(emitter, re, im, dtype)
    if dtype.kind == "b":
        return np.logical_or(re, im).value
    return emitter.cast(re, dtype).value


def _each(function: Any) -> Callable[..., Any]:
    def found(x: Any, y: Any = None) -> Pair:
        if y is None:
            re, im = parts(x)
            return function(re), function(im)
        (a, b), (c, d) = parts(x), parts(y)
        return function(a, c), function(b, d)

    return found


def _multiply(x: Any, y: Any) -> Pair:
    (a, b), (c, d) = parts(x), parts(y)
    return a * c - b * d, a * d + b * c


def _divide(x: Any, y: Any) -> Pair:
    """R. L. Smith, "Algorithm 116: Complex division" (1962), as NumPy does it."""
    (a, b), (c, d) = parts(x), parts(y)
    wide = abs(c) >= abs(d)
    small: Any = np.where(wide, d, c)
    large: Any = np.where(wide, c, d)
    ratio = small / large
    scale = 1.0 / (large + small * ratio)
    re = np.where(wide, a + b * ratio, a * ratio + b) * scale
    im = np.where(wide, b - a * ratio, b * ratio - a) * scale
    zero = np.logical_and(c == 0, d == 0)
    return np.where(zero, a / abs(c), re), np.where(zero, b / abs(c), im)


def _exp(x: Any) -> Pair:
    re, im = parts(x)
    size = np.exp(re)
    real = im == 0
    # 0 * inf has no meaning that a real exponent would have.
    vanishes = np.logical_and(re == -np.inf, np.logical_not(np.isfinite(im)))
    cos, sin = np.where(vanishes, 0.0, np.cos(im)), np.where(vanishes, 0.0, np.sin(im))
    return np.where(real, size, size * cos), np.where(real, im, size * sin)


def _log(x: Any) -> Pair:
    re, im = parts(x)
    size = np.hypot(re, im)
    wide, narrow = np.maximum(abs(re), abs(im)), np.minimum(abs(re), abs(im))
    # Near the unit circle the logarithm of the length would have no digits left.
    near = np.logical_and(size > 0.7, size < 1.5)
    close = 0.5 * np.log1p((wide - 1.0) * (wide + 1.0) + narrow * narrow)
    return np.where(near, close, np.log(size)), np.arctan2(im, re)


def _sqrt(x: Any) -> Pair:
    """W. Kahan, "Branch cuts for complex elementary functions" (1987), without scaling."""
    re, im = parts(x)
    size = np.sqrt((np.hypot(re, im) + abs(re)) * 0.5)
    other = abs(im) / (2.0 * np.where(size == 0, 1.0, size))
    other = np.where(np.isinf(im), np.inf, other)
    size = np.where(np.isinf(im), np.inf, size)
    right = np.logical_not(np.signbit(re))
    return np.where(right, size, other), np.copysign(np.where(right, other, size), im)


def _sin(x: Any) -> Pair:
    re, im = parts(x)
    return np.sin(re) * np.cosh(im), np.cos(re) * np.sinh(im)


def _cos(x: Any) -> Pair:
    re, im = parts(x)
    return np.cos(re) * np.cosh(im), -(np.sin(re) * np.sinh(im))


def _sinh(x: Any) -> Pair:
    re, im = parts(x)
    return np.sinh(re) * np.cos(im), np.cosh(re) * np.sin(im)


def _cosh(x: Any) -> Pair:
    re, im = parts(x)
    return np.cosh(re) * np.cos(im), np.sinh(re) * np.sin(im)


def _reciprocal(x: Any) -> Pair:
    return _divide(x.emitter.constant(1, x.dtype), x)


def _sign(x: Any) -> Pair:
    re, im = parts(x)
    size = np.hypot(re, im)
    safe = np.where(size == 0, 1.0, size)
    return re / safe, im / safe


def _equal(x: Any, y: Any) -> Any:
    (a, b), (c, d) = parts(x), parts(y)
    return np.logical_and(a == c, b == d)


def _any_part(test: Any) -> Callable[[Any], Any]:
    return lambda x: np.logical_or(*map(test, parts(x)))


#: From complex numbers to complex ones, by the name of the ufunc.
COMPLEX: dict[str, Callable[..., Pair]] = {
    "add": _each(np.add),
    "subtract": _each(np.subtract),
    "negative": _each(np.negative),
    "positive": _each(np.positive),
    "multiply": _multiply,
    "square": lambda x: _multiply(x, x),
    "divide": _divide,
    "true_divide": _divide,
    "reciprocal": _reciprocal,
    "conjugate": lambda x: (parts(x)[0], -parts(x)[1]),
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "sin": _sin,
    "cos": _cos,
    "sinh": _sinh,
    "cosh": _cosh,
    "sign": _sign,
}

#: From complex numbers to real ones and truth values.
REAL: dict[str, Callable[..., Any]] = {
    "absolute": lambda x: np.hypot(*parts(x)),
    "equal": _equal,
    "not_equal": lambda x, y: np.logical_not(_equal(x, y)),
    "isnan": _any_part(np.isnan),
    "isinf": _any_part(np.isinf),
    "isfinite": lambda x: np.logical_and(*map(np.isfinite, parts(x))),
    "logical_not": lambda x: np.logical_not(_any_part(lambda part: part != 0)(x)),
}


def emitted(emitter: Any, name: str, operands: list[Any], dtype: np.dtype[Any]) -> Any:
    """The value of a ufunc of complex numbers, or ``None`` if it is not here."""
    if name in COMPLEX and dtype.kind == "c":
        return pair(emitter, *COMPLEX[name](*operands), dtype)
    if name in REAL and dtype.kind != "c":
        return emitter.cast(REAL[name](*operands), dtype).value
    return None
