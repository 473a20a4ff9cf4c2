"""Numerical derivatives of samples, and what takes jumps out of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor
from wengert.ops.protocol import implements
from wengert.ops.reduction import scalar_axis
from wengert.ops.shape import as_array, moveaxis


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """NumPy's numerical gradient of samples: second order differences inside, and of ``edge_order`` at the ends.

    After the samples come one spacing for all axes, or for each axis a spacing or the vector of its coordinates. The
    result is a tensor for one axis, else a tuple with one for each axis. (For the derivative of a function, see
    ``wengert.grad``.)

    >>> import wengert as wg
    >>> gradient(wg.tensor([1.0, 2.0, 4.0, 7.0]))
    tensor([1. , 1.5, 2.5, 3. ])
    """
    if callable(f):
        raise DTypeError("gradient takes samples, as numpy.gradient does; the gradient of a function is wengert.grad")
    f = as_tensor(as_array(f))
    f = f if f.dtype.kind in "fc" else f.astype(np.float64)
    given = range(f.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = [scalar_axis(one, f, "gradient") for one in given]
    spacings = list(varargs) if varargs else [1.0]
    if len(spacings) == 1:
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise DTypeError(f"gradient: {len(varargs)} spacings do not fit {len(axes)} axes; give one, or one for each")
    if edge_order not in (1, 2):
        raise ShapeError(f"gradient: edge_order is 1 or 2, not {edge_order}")
    found = tuple(_along(f, one, spacing, edge_order) for one, spacing in zip(axes, spacings, strict=True))
    return found[0] if len(found) == 1 else found


def _along(f: Any, axis: int, spacing: Any, edge_order: int) -> Tensor:
    f = moveaxis(f, axis, -1)
    n = f.shape[-1]
    if n < edge_order + 1:
        raise ShapeError(f"gradient: an axis of length {n} is too short; it needs at least {edge_order + 1}")
    even = np.ndim(spacing) == 0
    spacing = spacing if even else as_array(spacing)
    if even:
        before = after = spacing
        first, last = (spacing, spacing), (spacing, spacing)
    elif spacing.shape == (n,):
        steps = spacing[1:] - spacing[:-1]
        before, after = steps[:-1], steps[1:]
        first, last = (steps[0], steps[min(1, n - 2)]), (steps[-1], steps[max(-2, 1 - n)])
    else:
        raise ShapeError(f"gradient: coordinates of shape {tuple(spacing.shape)} do not fit an axis of length {n}")
    if even:
        inside = (f[..., 2:] - f[..., :-2]) / (2.0 * spacing)
    else:
        both = before + after
        inside = (
            -after / (before * both) * f[..., :-2]
            + (after - before) / (before * after) * f[..., 1:-1]
            + before / (after * both) * f[..., 2:]
        )
    ends = (
        _edge([f[..., i : i + 1] for i in range(edge_order + 1)], first),
        -_edge([f[..., n - 1 - i : n - i] for i in range(edge_order + 1)], last),
    )
    return moveaxis(np.concatenate([ends[0], inside, ends[1]], axis=-1), -1, axis)


def _edge(f: Sequence[Any], steps: tuple[Any, Any]) -> Any:
    """The one-sided difference from the edge inwards, of first or second order."""
    a, b = steps
    if len(f) == 2:
        return (f[1] - f[0]) / a
    return -(2.0 * a + b) / (a * (a + b)) * f[0] + (a + b) / (a * b) * f[1] - a / (b * (a + b)) * f[2]


@implements(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Tensor:
    """Without jumps: multiples of ``period`` are added so that neighbours along an axis differ by at most half of it.
    Jumps up to ``discont`` are left alone. The derivative is that of the identity.

    >>> import wengert as wg
    >>> wg.unwrap(wg.tensor([0.0, 1.0, 5.0, 6.0]), period=4.0)
    tensor([0., 1., 1., 2.])
    """
    p = as_tensor(as_array(p))
    one = scalar_axis(axis, p, "unwrap")
    x = moveaxis(p.detach(), one, -1)
    steps: Any = x[..., 1:] - x[..., :-1]
    discont = period / 2 if discont is None else discont
    dtype = np.result_type(steps.dtype, period)
    if dtype.kind in "iu":
        half, odd = divmod(period, 2)
        ambiguous = odd == 0
    else:
        half, ambiguous = period / 2, True
    reduced = np.mod(steps + half, period) - half
    if ambiguous:
        # A step of exactly half a period keeps its sign.
        reduced = np.where((reduced == -half) & (steps > 0), half, reduced)
    correction = np.where(np.abs(steps) < discont, 0, reduced - steps).astype(dtype)
    total = np.concatenate([np.zeros_like(correction[..., :1]), np.cumsum(correction, axis=-1)], axis=-1)
    if x.shape[-1] == 0:
        return p.astype(dtype)
    found: Tensor = p.astype(dtype) + moveaxis(total, -1, one)
    return found
