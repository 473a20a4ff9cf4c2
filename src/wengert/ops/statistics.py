"""Order statistics, averages, and reductions that skip NaN."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor, bottom, concrete
from wengert.core.tensor import Tensor
from wengert.core.types import real_dtype
from wengert.ops.cumulative import cumprod, cumsum
from wengert.ops.indexing import add_at, take_along_axis
from wengert.ops.protocol import implements, torch_keywords
from wengert.ops.reduction import argmax, argmin, count, negative_axes, reduced_shape, safe_sqrt, scalar_axis
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


#: alpha and beta in place = n q + alpha + q (1 - alpha - beta) - 1 (R. J. Hyndman, Y. Fan, "Sample quantiles in
#: statistical packages", 1996), for the methods that interpolate linearly between neighbours.
_PLOTTING_POSITIONS = {
    "linear": (1.0, 1.0),
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_ROUNDINGS: dict[str, Callable[[Any], Any]] = {
    "lower": np.floor,
    "higher": np.ceil,
    "nearest": np.around,
    "midpoint": lambda place: 0.5 * (np.floor(place) + np.ceil(place)),
}


def _place(method: str, q: float, n: Any) -> Any:
    """Where in sorted order, counted from 0, the quantile of n elements lies; fractions lie between two of them."""
    if method == "inverted_cdf":
        return np.clip(np.ceil(n * q) - 1, 0, n - 1)
    alpha, beta = _PLOTTING_POSITIONS.get(method, (1.0, 1.0))
    place = n * q + (alpha + q * (1 - alpha - beta)) - 1
    if method in _ROUNDINGS:
        place = _ROUNDINGS[method](place)
    return np.clip(place, 0, n - 1)


def _fractions(q: Any, method: str, name: str) -> np.ndarray:
    if method not in _PLOTTING_POSITIONS and method not in _ROUNDINGS and method != "inverted_cdf":
        offered = ", ".join(sorted([*_PLOTTING_POSITIONS, *_ROUNDINGS, "inverted_cdf"]))
        raise DTypeError(f"{name}: method {method!r} is not offered; use one of {offered}")
    points = np.asarray(bottom(q), float)
    if not ((points >= 0) & (points <= 1)).all():
        raise ShapeError(f"{name}: q must lie in [0, 1], not {q}")
    return points


def _floating(x: Any) -> Any:
    return x if x.dtype.kind in "fc" else x.astype("float64")


def _check_real(x: Any, name: str) -> None:
    if as_array(x).dtype.kind == "c":
        raise DTypeError(f"{name}: complex numbers have no order; take that of real parts or absolute values")


def _assembled(parts: list[Any], points: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    """One result for each point, in the shape of the points followed by that of the results."""
    parts = [reshape(as_tensor(part), shape) for part in parts]
    if points.ndim == 0:
        return parts[0]
    if not parts:
        return as_tensor(np.zeros((*points.shape, *shape)))
    return reshape(np.stack(parts), (*points.shape, *shape))


@implements(np.quantile)
@torch_keywords
def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The q-th quantile along axes, for one q in [0, 1] or an array of them, whose axes come first in the result.

    ``method`` is one of NumPy's: linear, lower, higher, nearest, midpoint, inverted_cdf, interpolated_inverted_cdf,
    hazen, weibull, median_unbiased, normal_unbiased. The gradient goes to the two neighbours in order; ``q`` has none.

    >>> import wengert as wg
    >>> wg.quantile(wg.tensor([4.0, 1.0, 2.0]), [0.5, 0.75])
    tensor([2., 3.])
    """
    _check_real(x, "quantile")
    shape = as_array(x).shape
    if count(shape, negative_axes(axis, len(shape), "quantile")) == 0:
        raise ShapeError("quantile of no elements is not defined")
    return _quantile(x, q, axis, method, keepdims)


def _quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Tensor:
    points = _fractions(q, method, "quantile")
    flat, axes, _ = _flattened(x, axis, "quantile")
    flat = _floating(flat)
    shape = reduced_shape(as_array(x).shape, axes, keepdims)
    n = flat.shape[-1]
    if n == 0:
        return _assembled([np.full(shape, np.nan, flat.dtype) for _ in points.ravel()], points, shape)
    ordered = sort(flat)
    parts: list[Any] = []
    for point in points.ravel():
        place = float(_place(method, float(point), n))
        low, high = math.floor(place), math.ceil(place)
        part = ordered[..., low]
        parts.append(part if low == high else part * (high - place) + ordered[..., high] * (place - low))
    values = concrete(flat)
    if values is None or np.isnan(values).any():
        missing = np.isnan(flat).any(axis=-1)
        parts = [np.where(missing, np.nan, part) for part in parts]
    return _assembled(parts, points, shape)


@implements(np.nanquantile)
@torch_keywords
def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The q-th quantile of what is not NaN; NaN where nothing else is. See ``quantile``.

    >>> import wengert as wg
    >>> wg.nanquantile(wg.tensor([4.0, float("nan"), 2.0]), 0.5)
    tensor(3.)
    """
    _check_real(x, "nanquantile")
    return _nanquantile(x, q, axis, method, keepdims)


def _nanquantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Tensor:
    points = _fractions(q, method, "nanquantile")
    flat, axes, _ = _flattened(x, axis, "nanquantile")
    flat = _floating(flat)
    shape = reduced_shape(as_array(x).shape, axes, keepdims)
    if flat.shape[-1] == 0:
        return _assembled([np.full(shape, np.nan, flat.dtype) for _ in points.ravel()], points, shape)
    # NaN stand last, and only the first n elements are looked at.
    ordered = sort(flat)
    n: Any = _counted(flat, -1, True)
    parts = []
    for point in points.ravel():
        place = _place(method, float(point), np.maximum(n, 1))
        low = np.floor(place)
        weight = (place - low).astype(real_dtype(flat.dtype))
        first = take_along_axis(ordered, low.astype(np.int64), -1)
        second = take_along_axis(ordered, np.ceil(place).astype(np.int64), -1)
        between = weight > 0
        # Neighbours are mixed only where both count: infinity times zero is not a number.
        low_part, high_part = np.where(between, first, 0), np.where(between, second, 0)
        parts.append(np.where(between, low_part * (1 - weight) + high_part * weight, first))
    return _assembled(parts, points, shape)


@implements(np.nanpercentile)
@torch_keywords
def nanpercentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The q-th percentile of what is not NaN; see ``nanquantile``."""
    return nanquantile(x, np.asarray(bottom(q)) / 100, axis, method, keepdims)


@implements(np.percentile)
@torch_keywords
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The q-th percentile along axes; see ``quantile``."""
    return quantile(x, np.asarray(bottom(q)) / 100, axis, method, keepdims)


@implements(np.median)
@torch_keywords
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The middle element along axes, or the mean of the two in the middle; NaN of no elements. Complex numbers are
    ordered by real part, then by imaginary part."""
    return _quantile(x, 0.5, axis, "linear", keepdims)


@implements(np.average)
@torch_keywords
def average(x: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False) -> Any:
    """The weighted mean along axes; with ``returned`` also the sum of the weights. Weights have the shape of ``x``, or
    that of the axes that are averaged over."""
    x = as_tensor(as_array(x))
    if weights is None:
        found: Any = mean_(x, axis, keepdims=keepdims)
        total: Any = np.full(found.shape, x.size / builtins.max(found.size, 1), found.dtype)
        return (found, as_tensor(total)) if returned else found
    weights = as_array(weights)
    if weights.shape != x.shape:
        weights = _spread_weights(weights, x, axis)
    total = sum_(weights, axis, keepdims=keepdims)
    found = sum_(x * weights, axis, keepdims=keepdims) / total
    return (found, as_tensor(np.broadcast_to(total, found.shape))) if returned else found


def _spread_weights(weights: Any, x: Any, axis: Any) -> Any:
    """Weights of the axes alone, in the order that these are named, against the whole shape."""
    axes = negative_axes(axis, x.ndim, "average")
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    if axis is None or tuple(weights.shape) != tuple(x.shape[one] for one in given):
        raise ShapeError(
            f"average: weights of shape {tuple(weights.shape)} fit neither shape {tuple(x.shape)} nor its axes {axis}"
        )
    places = [one % x.ndim for one in given]
    ordered = np.transpose(weights, sorted(range(len(places)), key=places.__getitem__))
    kept = {one + x.ndim for one in axes}
    return np.broadcast_to(reshape(ordered, tuple(n if i in kept else 1 for i, n in enumerate(x.shape))), x.shape)


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
) -> Tensor:
    """The covariance matrix of variables in rows (or columns), whose observations may be repeated ``fweights`` times,
    and have relative weights ``aweights``."""
    x = np.atleast_2d(as_tensor(as_array(m)))
    x = x if rowvar or as_array(m).ndim < 2 else x.T
    if y is not None:
        other = np.atleast_2d(as_tensor(as_array(y)))
        x = np.concatenate([x, other if rowvar or as_array(y).ndim < 2 else other.T], axis=0)
    less = (0 if bias else 1) if ddof is None else ddof
    if fweights is None and aweights is None:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled, freedom = centred, builtins.max(x.shape[1] - less, 0)
    else:
        given = [as_tensor(as_array(one)) for one in (fweights, aweights) if one is not None]
        w = given[0] if len(given) == 1 else given[0] * given[1]
        total = w.sum()
        lost = less if aweights is None else less * (w * as_array(aweights)).sum() / total
        centred = x - (x * w).sum(axis=1, keepdims=True) / total
        scaled, freedom = centred * w, np.maximum(total - lost, 0)
    return np.squeeze(np.matmul(scaled, np.conj(centred.T)) / freedom)


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Tensor:
    """The matrix of correlation coefficients."""
    c = cov(x, y, rowvar)
    if c.ndim == 0:
        return c / c
    scale = np.sqrt(np.real(np.diagonal(c)))
    return c / scale[:, None] / scale[None, :]


@implements(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 occurs in a vector of integers, or the sum of the weights where it does. The
    gradient goes to the weights.

    >>> import wengert as wg
    >>> wg.bincount([0, 1, 1], wg.tensor([0.5, 1.0, 2.0]))
    tensor([0.5, 3. ])
    """
    places = np.asarray(bottom(x))
    counts = np.bincount(places, minlength=minlength)
    if weights is None:
        return as_tensor(counts)
    weights = as_array(weights)
    if tuple(weights.shape) != places.shape:
        raise ShapeError(f"bincount: weights of shape {tuple(weights.shape)} do not fit {places.shape} numbers")
    return add_at(np.zeros(counts.shape, np.result_type(weights.dtype, np.float64)), places, weights)


@implements(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """How many elements (or which sum of weights) fall into each bin, and the bins' edges, as ``numpy.histogram``. The
    counts are constant almost everywhere; the gradient goes to the weights, and no gradient to the edges.

    >>> import wengert as wg
    >>> wg.histogram(wg.tensor([0.0, 1.0, 2.0]), bins=2)
    (tensor([1, 2]), tensor([0., 1., 2.]))
    """
    values, bins = bottom(as_array(a)), bottom(bins)
    if weights is None:
        counts, edges = np.histogram(values, bins, range, density)
        return as_tensor(counts), as_tensor(edges)
    weights = as_tensor(as_array(weights))
    if isinstance(bins, str) or weights.shape != values.shape:
        raise ShapeError("histogram: weights have the shape of the elements, and need bins that are counted or given")
    edges = np.histogram_bin_edges(values, bins, range)
    flat = values.reshape(-1)
    place = np.searchsorted(edges, flat, "right") - 1
    place = np.where(flat == edges[-1], len(edges) - 2, place)
    inside = np.flatnonzero((place >= 0) & (place < len(edges) - 1))
    start = np.zeros(len(edges) - 1, np.histogram([0.0], 1, weights=np.ones(1, weights.dtype))[0].dtype)
    total: Any = add_at(start, place[inside], reshape(weights, (-1,))[inside])
    if density:
        total = total / np.diff(edges) / total.sum()
    return total, as_tensor(edges)


# -- skipping NaN ---------------------------------------------------------------------------------------------------


def _filled(x: Any, value: Any) -> Any:
    x = as_tensor(as_array(x))
    return np.where(np.isnan(x), value, x) if x.dtype.kind in "fc" else x


def _counted(x: Any, axis: Any, keepdims: bool) -> Any:
    return sum_(np.logical_not(np.isnan(as_array(x))), axis, keepdims=keepdims)


@implements(np.nansum)
@torch_keywords
def nansum(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Tensor:
    """Sum of what is not NaN."""
    return sum_(_filled(x, 0), axis, dtype, keepdims, initial, where)


@implements(np.nanprod)
@torch_keywords
def nanprod(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Tensor:
    """Product of what is not NaN."""
    return prod_(_filled(x, 1), axis, dtype, keepdims, initial, where)


@implements(np.nanmean)
@torch_keywords
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Mean of what is not NaN."""
    total = nansum(x, axis, keepdims=keepdims)
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
    """Standard deviation of what is not NaN; its gradient is 0 where it is 0."""
    return safe_sqrt(nanvar(x, axis, ddof, keepdims))


def _extreme(reduce: Callable[..., Any], fill: float, x: Any, axis: Any, keepdims: bool) -> Any:
    x = as_array(x)
    if x.dtype.kind not in "fc":
        return reduce(x, axis, keepdims=keepdims)
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


def _position(choose: Callable[..., Any], fill: float, x: Any, axis: Any) -> Any:
    x = as_array(x)
    if x.dtype.kind not in "fc":
        return choose(x, axis)
    axis = None if axis is None or x.ndim == 0 else scalar_axis(axis, x, "nanargmax")
    known = concrete(x)
    if known is not None and np.isnan(known).all(axis=axis).any():
        raise ShapeError("the position of an extreme among NaN alone is not defined")
    return choose(np.where(np.isnan(x), fill, x), axis)


@implements(np.nanargmax)
@torch_keywords
def nanargmax(x: Any, axis: Any = None) -> Tensor:
    """The first position of the largest of what is not NaN. Has no gradient."""
    return _position(argmax, -np.inf, x, axis)


@implements(np.nanargmin)
@torch_keywords
def nanargmin(x: Any, axis: Any = None) -> Tensor:
    """The first position of the smallest of what is not NaN. Has no gradient."""
    return _position(argmin, np.inf, x, axis)


@implements(np.nanmedian)
@torch_keywords
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The median of what is not NaN; NaN where nothing else is."""
    return _nanquantile(x, 0.5, axis, "linear", keepdims)
