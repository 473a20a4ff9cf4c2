"""Convolution and correlation of whole signals: NumPy's one-dimensional functions and SciPy's of any dimension.

``Convolve`` (full) and ``Correlate`` (valid) are each other's transposes, so the pair is closed under differentiation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply, as_operand
from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, Shape, TensorSpec
from wengert.ops.convolution import Convolution
from wengert.ops.families import conjugate
from wengert.ops.fft import fftn, ifftn, irfftn, rfftn
from wengert.ops.protocol import implements


class Convolve(Primitive):
    """Full convolution of two vectors: n and m numbers give n + m - 1."""

    commutative = True

    def value(self, x: Any, y: Any) -> Any:
        return np.convolve(x, y)

    def spec(self, x: TensorSpec, y: TensorSpec) -> TensorSpec:
        return TensorSpec((x.size + y.size - 1,), np.result_type(x.dtype, y.dtype))

    def vjp_x(self, g: Array, y: Array) -> Array:
        return Correlate()(g, y)

    def vjp_y(self, g: Array, x: Array) -> Array:
        return Correlate()(g, x)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (x, y), (dx, dy) = inputs, tangents
        terms = [self(dx, y)] if dx is not None else []
        if dy is not None:
            terms.append(self(x, dy))
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]


class Correlate(Primitive):
    """c[k] = sum_j x[k + j] conj(y[j]) wherever y lies inside of x: n and m numbers, m <= n, give n - m + 1."""

    def value(self, x: Any, y: Any) -> Any:
        return np.correlate(x, y, "valid")

    def spec(self, x: TensorSpec, y: TensorSpec) -> TensorSpec:
        return TensorSpec((x.size - y.size + 1,), np.result_type(x.dtype, y.dtype))

    def vjp_x(self, g: Array, y: Array) -> Array:
        return Convolve()(g, y)

    def vjp_y(self, g: Array, x: Array) -> Array:
        return Correlate()(x, g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (x, y), (dx, dy) = inputs, tangents
        terms = [self(dx, y)] if dx is not None else []
        if dy is not None:
            terms.append(self(x, dy))
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def _vectors(x: Any, y: Any, name: str) -> tuple[Any, Any]:
    found = [as_tensor(as_operand(value, name)) for value in (x, y)]
    found = [value.reshape((1,)) if value.ndim == 0 else value for value in found]
    if any(value.ndim != 1 or not value.size for value in found):
        raise ShapeError(
            f"{name}: both operands must be vectors that are not empty, not {found[0].shape} and "
            f"{found[1].shape}; signal.convolve takes more dimensions"
        )
    return found[0], found[1]


def _part(full: Any, n: int, m: int, mode: str, name: str) -> Tensor:
    """What NumPy's modes keep of a full convolution of vectors of n and m numbers."""
    n, m = max(n, m), min(n, m)
    if mode == "full":
        chosen = full
    elif mode == "same":
        chosen = full[(m - 1) // 2 : (m - 1) // 2 + n]
    elif mode == "valid":
        chosen = full[m - 1 : n]
    else:
        raise ShapeError(f"{name}: mode must be 'full', 'same' or 'valid', not {mode!r}")
    return chosen


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Tensor:
    """NumPy's convolution of two vectors, sum_j a[j] v[k - j].

    ``mode`` is ``"full"`` (n + m - 1 numbers), ``"same"`` (max(n, m)) or ``"valid"`` (no zeros beyond the ends).

    >>> import wengert as wg
    >>> convolve(wg.tensor([1.0, 2.0, 3.0]), [0.0, 1.0, 0.5])
    tensor([0. , 1. , 2.5, 4. , 1.5])
    """
    a, v = _vectors(a, v, "convolve")
    return _part(apply(Convolve(), a, v), a.size, v.size, mode, "convolve")


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Tensor:
    """NumPy's correlation of two vectors, sum_j a[j + k] conj(v[j])."""
    a, v = _vectors(a, v, "correlate")
    if mode == "valid" and a.size >= v.size:
        result: Tensor = apply(Correlate(), a, v)
        return result
    full = apply(Convolve(), a, conjugate(np.flip(v)))
    if a.size < v.size and mode == "same":
        # NumPy exchanges the operands here, which moves the middle by one for even lengths.
        start = a.size // 2
        same: Tensor = full[start : start + v.size]
        return same
    return _part(full, a.size, v.size, mode, "correlate")


def convolve_nd(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Tensor:
    """``scipy.signal.convolve``: full convolution of two arrays of the same number of dimensions.

    ``mode`` is ``"full"``, ``"same"`` (the shape of ``in1``, centred) or ``"valid"``; ``method`` is ``"direct"``,
    ``"fft"`` or ``"auto"``, which takes the one that needs fewer operations. Raises ``ShapeError`` for different
    numbers of dimensions, and in mode ``"valid"`` unless one array is at least as long as the other along every axis.
    """
    x, y = as_tensor(as_operand(in1, "convolve")), as_tensor(as_operand(in2, "convolve"))
    if x.ndim != y.ndim:
        raise ShapeError(f"convolve: both operands need the same number of dimensions, not {x.ndim} and {y.ndim}")
    if mode not in ("full", "same", "valid") or method not in ("auto", "direct", "fft"):
        raise ShapeError(f"convolve: no such mode or method: {mode!r}, {method!r}")
    if x.ndim == 0:
        product: Tensor = x * y
        return product
    shape = tuple(n + m - 1 for n, m in zip(x.shape, y.shape, strict=True))
    if not x.size or not y.size:
        raise ShapeError(f"convolve: the operands must not be empty, and have shapes {x.shape} and {y.shape}")
    if method == "auto":
        work = math.prod(x.shape) * math.prod(y.shape)
        points = math.prod(shape)
        exact = "iub".find(np.result_type(x.dtype, y.dtype).kind) >= 0
        method = "direct" if exact or work <= 64 * points * math.log2(points + 1) else "fft"
    full = _direct(x, y) if method == "direct" else _by_transform(x, y, shape)
    return _centred(full, x.shape, y.shape, mode)


def _direct(x: Any, y: Any) -> Any:
    if x.ndim == 1:
        return apply(Convolve(), x, y)
    if y.size > x.size:
        x, y = y, x
    rank = x.ndim
    padding = tuple((m - 1, m - 1) for m in y.shape)
    operation = Convolution((1,) * rank, padding, (1,) * rank)
    flipped = np.flip(y).reshape((1, 1, *y.shape))
    out = apply(operation, x.reshape((1, 1, *x.shape)), flipped)
    return out.reshape(out.shape[2:])


def _by_transform(x: Any, y: Any, shape: Shape) -> Any:
    if "c" in (x.dtype.kind, y.dtype.kind):
        return ifftn(fftn(x, shape) * fftn(y, shape))
    return irfftn(rfftn(x, shape) * rfftn(y, shape), shape)


def _centred(full: Any, first: Shape, second: Shape, mode: str) -> Tensor:
    if mode == "full":
        return full
    if mode == "same":
        size = first
    else:
        larger = all(n >= m for n, m in zip(first, second, strict=True))
        if not larger and not all(m >= n for n, m in zip(first, second, strict=True)):
            raise ShapeError(f"convolve: mode 'valid' needs one operand inside the other, not {first} and {second}")
        size = tuple(abs(n - m) + 1 for n, m in zip(first, second, strict=True))
    start = [(total - n) // 2 for total, n in zip(full.shape, size, strict=True)]
    centre: Tensor = full[tuple(slice(low, low + n) for low, n in zip(start, size, strict=True))]
    return centre
