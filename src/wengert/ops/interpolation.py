"""Interpolation: between tabulated values, and images to another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply, as_operand
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, Shape, TensorSpec
from wengert.ops.protocol import implements
from wengert.ops.windows import per_axis


class Segment(Primitive):
    """The index i with xp[i] <= x < xp[i + 1], at least 0 and at most ``len(xp) - 2``."""

    differentiable = False

    def value(self, x: Any, xp: Any) -> Any:
        return np.clip(np.searchsorted(xp, x, side="right") - 1, 0, max(0, len(xp) - 2))

    def spec(self, x: TensorSpec, xp: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, np.int64)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        return NotImplemented if batched[1] else self(*inputs)


@implements(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Tensor:
    """Piecewise linear interpolation of the values ``fp`` at the increasing points ``xp``, both of shape (n,).

    Left of ``xp[0]`` the value is ``left`` (``fp[0]`` unless given), right of ``xp[-1]`` it is ``right``; with
    ``period`` the points are wrapped around instead. Gradients flow to ``x`` (the slope; on a point that to its
    right, so on the last one and outside zero), to ``fp`` and to ``xp``. Raises ``ShapeError`` unless ``xp`` and ``fp``
    are vectors of the same length, at least 1.

    >>> import wengert as wg
    >>> x = wg.tensor([0.5, 1.5], requires_grad=True)
    >>> y = interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0]); y.sum().backward()
    >>> x.grad
    tensor([1., 3.])
    """
    x, xp, fp = (as_tensor(as_operand(value, "interp")) for value in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(f"interp: xp and fp must be vectors of one length, at least 1, not {xp.shape} and {fp.shape}")
    if any(value.dtype.kind == "c" for value in (x, xp)):
        raise DTypeError("interp: only fp may be complex")
    # NumPy's interp computes in double precision whatever it is given.
    dtype = np.result_type(*(value.dtype for value in (x, xp, fp)), np.float32)
    x, xp = (np.astype(value, np.empty(0, dtype).real.dtype) for value in (x, xp))
    if period is not None:
        x, xp, fp = _wrapped_around(x, xp, fp, period)
    if xp.shape == (1,):
        inside: Any = np.broadcast_to(fp[0], x.shape)
    else:
        index = apply(Segment(), x, xp)
        x0, x1 = np.take(xp, index), np.take(xp, index + 1)
        f0, f1 = np.take(fp, index), np.take(fp, index + 1)
        inside = f0 + (x - x0) * ((f1 - f0) / (x1 - x0))
        inside = np.where(x == x1, f1, inside)
    if period is None:
        inside = np.where(x < xp[0], fp[0] if left is None else left, inside)
        inside = np.where(x > xp[-1], fp[-1] if right is None else right, inside)
    result: Tensor = np.astype(inside, dtype)
    return result


def _wrapped_around(x: Any, xp: Any, fp: Any, period: float) -> tuple[Any, Any, Any]:
    """The table over one period, with its last point put before and its first after it."""
    if period == 0:
        raise ShapeError("interp: period must not be zero")
    period = abs(period)
    x, xp = np.mod(x, period), np.mod(xp, period)
    order = np.argsort(xp)
    xp, fp = np.take(xp, order), np.take(fp, order)
    return x, np.concatenate([xp[-1:] - period, xp, xp[:1] + period]), np.concatenate([fp[-1:], fp, fp[:1]])


# -- images ---------------------------------------------------------------------------------------------------------

_MODES = {"nearest": None, "linear": 1, "bilinear": 2, "trilinear": 3}


def _nearest(n: int, m: int) -> np.ndarray:
    """For each of ``m`` places the element among ``n`` that it copies: floor(i n / m)."""
    return np.arange(m) * n // m


def _linear_weights(n: int, m: int, align_corners: bool) -> np.ndarray:
    """The (m, n) matrix of linear interpolation. Unless corners are aligned, elements are areas, and places their
    centres: (i + 1/2) n / m - 1/2, not below zero."""
    steps = np.arange(m)
    if align_corners:
        position = steps * ((n - 1) / (m - 1)) if m > 1 else np.zeros(m)
    else:
        position = np.maximum((steps + 0.5) * (n / m) - 0.5, 0)
    below = np.minimum(position.astype(int), n - 1)
    above = np.minimum(below + 1, n - 1)
    weight = position - below
    matrix = np.zeros((m, n))
    np.add.at(matrix, (steps, below), 1 - weight)
    np.add.at(matrix, (steps, above), weight)
    return matrix


def _along(x: Array, matrix: np.ndarray, axis: int) -> Array:
    """Multiply every vector along an axis by a matrix (m, n)."""
    return np.swapaxes(np.matmul(np.swapaxes(x, axis, -1), matrix.T), axis, -1)


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool = False
) -> Tensor:
    """(N, C, *spatial) to other spatial lengths: ``size``, or ``scale_factor`` times the old ones, rounded down.

    ``mode`` is ``"nearest"`` for one to three spatial axes, ``"linear"`` for one, ``"bilinear"`` for two and
    ``"trilinear"`` for three, with PyTorch's conventions. Raises ``ShapeError`` for a mode that does not fit, and
    unless exactly one of ``size`` and ``scale_factor`` is given.

    >>> import wengert as wg
    >>> interpolate(wg.tensor([[[1.0, 3.0]]]), size=4, mode="linear")
    tensor([[[1. , 1.5, 2.5, 3. ]]])
    """
    x = as_tensor(as_operand(input, "interpolate"))
    rank = x.ndim - 2
    if mode not in _MODES:
        raise ShapeError(f"interpolate: mode must be one of {', '.join(_MODES)}, not {mode!r}")
    if rank not in (1, 2, 3) or _MODES[mode] not in (None, rank):
        raise ShapeError(f"interpolate: mode {mode!r} does not fit an input of shape {x.shape} (batch, channels, ...)")
    for axis, (n, m) in enumerate(zip(x.shape[2:], _new_size(x.shape[2:], size, scale_factor), strict=True), start=2):
        if mode == "nearest":
            x = np.take(x, _nearest(n, m), axis=axis)
        else:
            dtype = x.dtype if x.dtype.kind == "f" else np.float64
            x = _along(x, _linear_weights(n, m, align_corners).astype(dtype), axis)
    return as_tensor(x)


def _new_size(spatial: Shape, size: Any, scale_factor: Any) -> Shape:
    if (size is None) == (scale_factor is None):
        raise ShapeError("interpolate: give either size or scale_factor")
    if 0 in spatial:
        raise ShapeError(f"interpolate: a spatial axis is empty in {spatial}")
    if size is None:
        factors: tuple[Any, ...] = (
            (scale_factor,) * len(spatial) if isinstance(scale_factor, (int, float)) else tuple(scale_factor)
        )
        if len(factors) != len(spatial):
            raise ShapeError(f"interpolate: scale_factor must have {len(spatial)} entries, not {scale_factor!r}")
        size = tuple(int(n * factor) for n, factor in zip(spatial, factors, strict=True))
    return per_axis(size, len(spatial), "interpolate: size")
