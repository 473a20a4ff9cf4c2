"""Order statistics, averages, and reductions that skip NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor, concrete
from wengert.core.tensor import Tensor
from wengert.ops.cumulative import cumprod, cumsum
from wengert.ops.indexing import take_along_axis
from wengert.ops.power import sqrt
from wengert.ops.protocol import implements, torch_keywords
from wengert.ops.reduction import count, negative_axes, reduced_shape
from wengert.ops.reduction import max as max_
from wengert.ops.reduction import mean as mean_
from wengert.ops.reduction import min as min_
from wengert.ops.reduction import prod as prod_
from wengert.ops.reduction import sum as sum_
from wengert.ops.shape import as_array, moveaxis, reshape
from wengert.ops.sorting import sort


def _flattened(x: Any, axis: Any, name: str) -> tuple[Any, Any, tuple[int, ...]]:
    """The reduced axes as one last axis, the axes, and the shape that remains."""
    x = as_array(x)
    axes = negative_axes(axis, x.ndim, name)
    rest = reduced_shape(x.shape, axes, False)
    moved = moveaxis(x, axes, tuple(range(-len(axes), 0))) if axes else x
    return reshape(moved, (*rest, count(x.shape, axes))), axes, rest


@implements(np.quantile)
@torch_keywords
def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The q-th quantile along axes, for one q in [0, 1] or an array of them, whose axes come first in the result.

    ``method`` is linear, lower, higher, nearest or midpoint. The gradient goes to the two neighbours in order.
    """
    if method not in ("linear", "lower", "higher", "nearest", "midpoint"):
        raise DTypeError(f"quantile: method {method!r} is not offered; use linear, lower, higher, nearest or midpoint")
    flat, axes, _ = _flattened(x, axis, "quantile")
    flat = flat if flat.dtype.kind == "f" else flat.astype("float64")
    n = flat.shape[-1]
    if n == 0:
        raise ShapeError("quantile of no elements is not defined")
    points = np.asarray(q, float)
    if ((points < 0) | (points > 1)).any():
        raise ShapeError(f"quantile: q must lie in [0, 1], not {q}")
    ordered = sort(flat)
    parts: list[Any] = []
    for point in points.ravel():
        place = point * (n - 1)
        low, high = int(np.floor(place)), int(np.ceil(place))
        weight: float = {
            "linear": float(place - low),
            "lower": 0.0,
            "higher": 1.0,
            "midpoint": 0.5 if high > low else 0.0,
        }.get(method, float(np.round(place) - low))
        part = ordered[..., low]
        parts.append(part if weight == 0 or low == high else part * (1 - weight) + ordered[..., high] * weight)
    values = concrete(flat)
    if values is None or np.isnan(values).any():
        missing = np.isnan(flat).any(axis=-1)
        parts = [np.where(missing, np.nan, part) for part in parts]
    if keepdims:
        shape = reduced_shape(as_array(x).shape, axes, True)
        parts = [reshape(part, shape) for part in parts]
    if points.ndim == 0:
        return parts[0]
    return reshape(np.stack([as_tensor(part) for part in parts]), (*points.shape, *parts[0].shape))


@implements(np.percentile)
@torch_keywords
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The q-th percentile along axes; see ``quantile``."""
    return quantile(x, np.asarray(q) / 100, axis, method, keepdims)


@implements(np.median)
@torch_keywords
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The middle element along axes, or the mean of the two in the middle."""
    return quantile(x, 0.5, axis, "linear", keepdims)


@implements(np.average)
@torch_keywords
def average(x: Any, axis: Any = None, weights: Any = None, keepdims: bool = False) -> Tensor:
    """The weighted mean along axes."""
    if weights is None:
        return mean_(x, axis, keepdims=keepdims)
    x, weights = as_array(x), as_array(weights)
    if weights.shape != x.shape:
        (one,) = negative_axes(axis, x.ndim, "average")
        weights = reshape(weights, tuple(n if i == x.ndim + one else 1 for i, n in enumerate(x.shape)))
        weights = np.broadcast_to(weights, x.shape)
    return sum_(x * weights, axis, keepdims=keepdims) / sum_(weights, axis, keepdims=keepdims)


@implements(np.cov)
def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Tensor:
    """The covariance matrix of variables in rows (or columns)."""
    x = np.atleast_2d(as_tensor(as_array(m)))
    x = x if rowvar or as_array(m).ndim < 2 else x.T
    if y is not None:
        other = np.atleast_2d(as_tensor(as_array(y)))
        x = np.concatenate([x, other if rowvar or as_array(y).ndim < 2 else other.T], axis=0)
    centred = x - x.mean(axis=1, keepdims=True)
    freedom = x.shape[1] - ((0 if bias else 1) if ddof is None else ddof)
    return np.squeeze(np.matmul(centred, np.conj(centred.T)) / freedom)


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Tensor:
    """The matrix of correlation coefficients."""
    c = cov(x, y, rowvar)
    if c.ndim == 0:
        return c / c
    scale = np.sqrt(np.real(np.diagonal(c)))
    return c / scale[:, None] / scale[None, :]


# -- skipping NaN ---------------------------------------------------------------------------------------------------


def _filled(x: Any, value: Any) -> Any:
    x = as_tensor(as_array(x))
    return np.where(np.isnan(x), value, x) if x.dtype.kind in "fc" else x


def _counted(x: Any, axis: Any, keepdims: bool) -> Any:
    return sum_(np.logical_not(np.isnan(as_array(x))), axis, keepdims=keepdims)


@implements(np.nansum)
@torch_keywords
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Sum of what is not NaN."""
    return sum_(_filled(x, 0), axis, keepdims=keepdims)


@implements(np.nanprod)
@torch_keywords
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Product of what is not NaN."""
    return prod_(_filled(x, 1), axis, keepdims=keepdims)


@implements(np.nanmean)
@torch_keywords
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Mean of what is not NaN."""
    total = nansum(x, axis, keepdims)
    return total / _counted(x, axis, keepdims).astype(np.real(total).dtype)


@implements(np.nanvar)
@torch_keywords
def nanvar(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Variance of what is not NaN."""
    centred = _filled(x, 0) - nanmean(x, axis, True)
    size = np.where(np.isnan(as_array(x)), 0, np.square(np.abs(centred)))
    total = sum_(size, axis, keepdims=keepdims)
    return total / (_counted(x, axis, keepdims).astype(total.dtype) - ddof)


@implements(np.nanstd)
@torch_keywords
def nanstd(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Standard deviation of what is not NaN."""
    return sqrt(nanvar(x, axis, ddof, keepdims))


def _extreme(reduce: Callable[..., Any], fill: float, x: Any, axis: Any, keepdims: bool) -> Any:
    found = reduce(_filled(x, fill), axis, keepdims=keepdims)
    return np.where(_counted(x, axis, keepdims) == 0, np.nan, found)


@implements(np.nanmax)
@torch_keywords
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest of what is not NaN; NaN where nothing else is."""
    return _extreme(max_, -np.inf, x, axis, keepdims)


@implements(np.nanmin)
@torch_keywords
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The smallest of what is not NaN; NaN where nothing else is."""
    return _extreme(min_, np.inf, x, axis, keepdims)


@implements(np.nancumsum)
@torch_keywords
def nancumsum(x: Any, axis: Any = None) -> Tensor:
    """Running sum of what is not NaN."""
    return cumsum(_filled(x, 0), axis)


@implements(np.nancumprod)
@torch_keywords
def nancumprod(x: Any, axis: Any = None) -> Tensor:
    """Running product of what is not NaN."""
    return cumprod(_filled(x, 1), axis)


@implements(np.nanargmax)
@torch_keywords
def nanargmax(x: Any, axis: Any = None) -> Tensor:
    """The first position of the largest of what is not NaN. Has no gradient."""
    return np.argmax(_filled(x, -np.inf), axis=axis)


@implements(np.nanargmin)
@torch_keywords
def nanargmin(x: Any, axis: Any = None) -> Tensor:
    """The first position of the smallest of what is not NaN. Has no gradient."""
    return np.argmin(_filled(x, np.inf), axis=axis)


@implements(np.nanmedian)
@torch_keywords
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The median of what is not NaN."""
    flat, axes, rest = _flattened(x, axis, "nanmedian")
    ordered = sort(_filled(flat, np.inf))
    n = _counted(flat, -1, True)
    low, high = np.maximum(n - 1, 0) // 2, n // 2
    found = 0.5 * (
        take_along_axis(ordered, low, -1) + take_along_axis(ordered, np.minimum(high, flat.shape[-1] - 1), -1)
    )
    found = np.where(n == 0, np.nan, found)
    return reshape(found, reduced_shape(as_array(x).shape, axes, True) if keepdims else rest)
