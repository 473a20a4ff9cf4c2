"""Integrals of samples, and of functions by Gauss' formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor


def _along_last(y: Any, x: Any, dx: Any, axis: int, name: str) -> tuple[Any, Any]:
    """The samples with their axis last, and the distances between them."""
    samples: Any = as_tensor(y)
    y = np.moveaxis(samples, axis, -1)
    if x is None:
        return y, as_tensor(dx) * np.ones(max(y.shape[-1] - 1, 0), np.result_type(y.dtype, np.float16))
    places: Any = as_tensor(x)
    x = places if places.ndim == 1 else np.moveaxis(places, axis, -1)
    if x.shape[-1] != y.shape[-1]:
        raise ShapeError(f"{name}: {y.shape[-1]} samples need as many places, not {x.shape[-1]}")
    return y, np.diff(x, axis=-1)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of samples by the trapezoidal rule, at the places ``x`` or ``dx`` apart; differentiable in all."""
    y, h = _along_last(y, x, dx, axis, "trapezoid")
    return np.sum(0.5 * h * (y[..., 1:] + y[..., :-1]), axis=-1)


def cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    """The integrals of samples up to each of them; from ``initial`` on (which must be 0) if that is given."""
    if initial not in (None, 0):
        raise ShapeError(f"cumulative_trapezoid: initial is None or 0, not {initial!r}")
    y, h = _along_last(y, x, dx, axis, "cumulative_trapezoid")
    sums = np.cumsum(0.5 * h * (y[..., 1:] + y[..., :-1]), axis=-1)
    if initial is not None:
        sums = np.concatenate([np.zeros_like(y[..., :1]), sums], axis=-1)
    return np.moveaxis(sums, -1, axis)


def _simpson_pairs(y: Any, h: Any) -> Any:
    """Simpson's rule on pairs of neighbouring intervals, an even number of them."""
    first, second = h[..., ::2], h[..., 1::2]
    whole, ratio = first + second, first / second
    parts = (
        y[..., :-2:2] * (2 - 1 / ratio) + y[..., 1:-1:2] * whole * whole / (first * second) + y[..., 2::2] * (2 - ratio)
    )
    return np.sum(whole / 6 * parts, axis=-1)


def simpson(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of samples by Simpson's rule; for an even number of them with the correction of K. V. Cartwright,
    "Simpson's rule cumulative integration with MS Excel and irregularly-spaced data", 2017."""
    y, h = _along_last(y, x, dx, axis, "simpson")
    n = y.shape[-1]
    if n < 3:
        return np.sum(0.5 * h * (y[..., 1:] + y[..., :-1]), axis=-1)
    if n % 2:
        return _simpson_pairs(y, h)
    last, before = h[..., -1], h[..., -2]
    both = last + before
    end = y[..., -1] * (2 * last**2 + 3 * last * before) / (6 * both)
    middle = y[..., -2] * (last**2 + 3 * last * before) / (6 * before)
    return _simpson_pairs(y[..., :-1], h[..., :-1]) + end + middle - y[..., -3] * last**3 / (6 * before * both)


def fixed_quad(func: Callable[..., Any], a: Any, b: Any, args: tuple[Any, ...] = (), n: int = 5) -> tuple[Tensor, None]:
    """The integral of a function by Gauss' formula of n points, exact for polynomials of degree 2 n - 1.

    ``func`` is called once, with a vector of places, and may return vectors along the last axis. Differentiable in the
    limits, in ``args`` and in what ``func`` holds.

    >>> import wengert as wg
    >>> b = wg.tensor(2.0, requires_grad=True)
    >>> area, _ = fixed_quad(lambda x: x**3, 0.0, b)
    >>> area.backward(); round(area.item(), 12), round(b.grad.item(), 12)
    (4.0, 8.0)
    """
    nodes, weights = np.polynomial.legendre.leggauss(n)
    a, b = as_tensor(a), as_tensor(b)
    half = 0.5 * (b - a)
    values = as_tensor(func(half * nodes + 0.5 * (a + b), *args))
    found: Any = half * np.sum(values * weights.astype(values.dtype), axis=-1)
    return found, None
