"""Reductions: sums, products, extremes, moments and norms.

Axes are kept as sorted negative numbers, so that a batch axis in front changes nothing.
"""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply, unary_operator
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.families import Linear, shape_of
from wengert.ops.protocol import implements, torch_keywords

Axes = tuple[int, ...]


def negative_axes(axis: Any, ndim: int, name: str) -> Axes:
    """Axes as a sorted tuple of negative numbers, which stay right when a batch axis is put in front.

    ``None`` means all axes. Raises ``ShapeError`` for an axis out of range or given twice.
    """
    if axis is None:
        return tuple(range(-ndim, 0))
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    found = []
    for one in axes:
        if not -ndim <= one < ndim:
            raise ShapeError(f"{name}: axis {one} is out of range for {ndim} dimensions")
        found.append(int(one) - ndim if one >= 0 else int(one))
    if len(set(found)) != len(found):
        raise ShapeError(f"{name}: axis {axis} names an axis twice")
    return tuple(sorted(found))


def reduced_shape(shape: tuple[int, ...], axes: Axes, keepdims: bool) -> tuple[int, ...]:
    """The shape after reducing over ``axes`` (negative numbers)."""
    gone = {axis + len(shape) for axis in axes}
    if keepdims:
        return tuple(1 if i in gone else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in gone)


def spread(g: Array, shape: tuple[int, ...], axes: Axes, keepdims: bool) -> Array:
    """A reduced array with its axes put back as ones, so that it broadcasts against an operand of ``shape``."""
    return g if keepdims else g.reshape(reduced_shape(shape, axes, True))


def count(shape: tuple[int, ...], axes: Axes) -> int:
    """How many elements are reduced into one."""
    return math.prod(shape[axis] for axis in axes)


def _empty(dtype: Any) -> np.ndarray:
    return np.empty(0, dtype)


class Sum(Linear):
    """Sum over axes."""

    reducer = "add"
    axes: Axes
    keepdims: bool = False
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.add.reduce(x, self.axes, keepdims=self.keepdims)  # type: ignore[call-overload]

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(reduced_shape(x.shape, self.axes, self.keepdims), np.add.reduce(_empty(x.dtype)).dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return np.broadcast_to(spread(g, spec.shape, self.axes, self.keepdims), spec.shape)


class Mean(Linear):
    """Arithmetic mean over axes."""

    reducer = "add"
    averages = True
    axes: Axes
    keepdims: bool = False
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.mean(x, self.axes, keepdims=self.keepdims)

    def spec(self, x: TensorSpec) -> TensorSpec:
        dtype = x.dtype if x.dtype.kind in "fc" else np.dtype("float64")
        return TensorSpec(reduced_shape(x.shape, self.axes, self.keepdims), dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        n = count(spec.shape, self.axes)
        scaled = g if n == 0 else g / n
        return np.broadcast_to(spread(scaled, spec.shape, self.axes, self.keepdims), spec.shape)


class _Extreme(Primitive, abstract=True):
    """The largest or smallest element over axes; tied elements share the gradient evenly."""

    axes: Axes
    keepdims: bool = False
    maps_leading_axes = True

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(reduced_shape(x.shape, self.axes, self.keepdims), x.dtype)

    def vjp_x(self, g: Array, x: Array, out: Array, spec: Any) -> Array:
        best = spread(out, spec.shape, self.axes, self.keepdims)
        tied = ((x == best) | (np.isnan(x) & np.isnan(best))).astype(spec.dtype)
        return spread(g, spec.shape, self.axes, self.keepdims) * (tied / tied.sum(axis=self.axes, keepdims=True))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (x,), (t,) = inputs, tangents
        best = spread(out, x.shape, self.axes, self.keepdims)
        tied = ((x == best) | (np.isnan(x) & np.isnan(best))).astype(x.dtype)
        total = (t * tied).sum(axis=self.axes, keepdims=self.keepdims)
        return total / tied.sum(axis=self.axes, keepdims=self.keepdims)


class Max(_Extreme):
    """The largest element over axes; NaN if there is one."""

    reducer = "maximum"

    def value(self, x: Any) -> Any:
        return np.maximum.reduce(x, self.axes, keepdims=self.keepdims)  # type: ignore[call-overload]


class Min(_Extreme):
    """The smallest element over axes; NaN if there is one."""

    reducer = "minimum"

    def value(self, x: Any) -> Any:
        return np.minimum.reduce(x, self.axes, keepdims=self.keepdims)  # type: ignore[call-overload]


class _Choice(Primitive, abstract=True):
    """The position of an extreme element along one axis."""

    axis: int
    keepdims: bool = False
    differentiable = False
    maps_leading_axes = True

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(reduced_shape(x.shape, (self.axis,), self.keepdims), "int64")


class Argmax(_Choice):
    """The first position of the largest element along an axis."""

    def value(self, x: Any) -> Any:
        return np.argmax(x, self.axis, keepdims=self.keepdims)


class Argmin(_Choice):
    """The first position of the smallest element along an axis."""

    def value(self, x: Any) -> Any:
        return np.argmin(x, self.axis, keepdims=self.keepdims)


class _Test(Primitive, abstract=True):
    axes: Axes
    keepdims: bool = False
    differentiable = False
    maps_leading_axes = True


class All(_Test):
    """Whether every element is true."""

    reducer = "logical_and"

    def value(self, x: Any) -> Any:
        return np.all(x, self.axes, keepdims=self.keepdims)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(reduced_shape(x.shape, self.axes, self.keepdims), "bool")


class Any_(_Test):
    """Whether any element is true."""

    name = "any"
    reducer = "logical_or"

    def value(self, x: Any) -> Any:
        return np.any(x, self.axes, keepdims=self.keepdims)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(reduced_shape(x.shape, self.axes, self.keepdims), "bool")


class CountNonzero(_Test):
    """How many elements are not zero."""

    reducer = "nonzero"

    def value(self, x: Any) -> Any:
        return np.asarray(np.count_nonzero(x, axis=self.axes, keepdims=self.keepdims))

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(reduced_shape(x.shape, self.axes, self.keepdims), "int64")


class Prod(Primitive):
    """Product along the last axis; the gradient is right with any number of zeros, because it does not divide."""

    maps_leading_axes = True
    reducer = "multiply"
    axes = (-1,)

    def value(self, x: Any) -> Any:
        return np.multiply.reduce(x, -1)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape[:-1], np.multiply.reduce(_empty(x.dtype)).dtype)

    def vjp_x(self, g: Array, x: Array) -> Array:
        return np.expand_dims(g, -1) * np.conj(products_of_others(x))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return (tangents[0] * products_of_others(inputs[0])).sum(axis=-1)


def products_of_others(x: Array) -> Array:
    """For each element, the product of all others along the last axis: products from the left times from the right."""
    n = x.shape[-1]
    one = np.ones_like(x[..., :1])
    left = np.cumprod(np.concatenate([one, x[..., : n - 1]], axis=-1), axis=-1)
    right = np.cumprod(np.concatenate([one, np.flip(x[..., 1:], -1)], axis=-1), axis=-1)
    return left * np.flip(right, -1)


@functools.lru_cache(maxsize=4096)
def _reducer(cls: type[Any], axis: Any, ndim: int, keepdims: bool) -> Callable[[Any], Tensor]:
    """A reduction of tensors with ``ndim`` dimensions, compiled ahead for speed."""
    if ndim == 0 and axis in (0, -1):
        # As NumPy and PyTorch have it, the only element may be addressed as a vector.
        axis = None
    return unary_operator(cls(negative_axes(axis, ndim, cls.name), keepdims))


def reduce_over(cls: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    """Apply a reduction with ``axes`` and ``keepdims`` to a tensor, array or nested list."""
    if not hasattr(x, "shape"):
        x = np.asarray(x)
    if type(axis) is list:
        axis = tuple(axis)
    return _reducer(cls, axis, len(x.shape), keepdims is True or bool(keepdims))(x)


def _cast(x: Any, dtype: Any) -> Any:
    if dtype is None:
        return x
    return x.astype(dtype) if hasattr(x, "astype") else np.asarray(x, dtype)


@implements(np.sum)
@torch_keywords
def sum(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Tensor:
    """Sum over the given axes (all of them by default), of the elements where ``where`` is true, and ``initial``.
    Integers and booleans add up in int64.

    >>> import wengert as wg
    >>> wg.sum(wg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    tensor([4., 6.])
    """
    x = _cast(x, dtype)
    total: Tensor = reduce_over(Sum, x if where is None else np.where(where, x, 0), axis, keepdims)
    return total if initial is None else total + initial


@implements(np.mean)
@torch_keywords
def mean(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, where: Any = None) -> Tensor:
    """Arithmetic mean over the given axes, of the elements where ``where`` is true; of integers in float64."""
    x = _cast(x, dtype)
    if where is None:
        return reduce_over(Mean, x, axis, keepdims)
    total = sum(x, axis, keepdims=keepdims, where=where)
    return total / _how_many(x, where, axis, keepdims).astype(np.float64 if total.dtype.kind in "iu" else total.dtype)


def _how_many(x: Any, where: Any, axis: Any, keepdims: bool) -> Any:
    """How many elements are reduced into one, where ``where`` is true."""
    return count_nonzero(np.broadcast_to(where, shape_of(x)), axis, keepdims)


def _extreme(cls: type[Any], pair: Any, x: Any, axis: Any, keepdims: bool, initial: Any, where: Any) -> Tensor:
    if initial is None and where is None:
        return reduce_over(cls, x, axis, keepdims)
    if initial is None:
        raise ShapeError(f"{cls.name}: with where= an initial value is needed, for nothing may be left")
    x = x if hasattr(x, "shape") else np.asarray(x)
    x = x if where is None else np.where(where, x, initial)
    axes = negative_axes(axis, len(x.shape), cls.name)
    if count(x.shape, axes) == 0:
        start = np.full(reduced_shape(x.shape, axes, keepdims), initial, np.result_type(x.dtype, initial))
        return sum(x, axes, keepdims=keepdims) + start
    found: Tensor = pair(reduce_over(cls, x, axes, keepdims), initial)
    return found


@implements(np.max, np.amax)
@torch_keywords
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None) -> Tensor:
    """The largest element over axes (where ``where`` is true), and ``initial``, if that is larger. Tied elements share
    the gradient evenly; NaN propagates."""
    return _extreme(Max, np.maximum, x, axis, keepdims, initial, where)


@implements(np.min, np.amin)
@torch_keywords
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None) -> Tensor:
    """The smallest element over axes (where ``where`` is true), and ``initial``, if that is smaller. Tied elements
    share the gradient evenly; NaN propagates."""
    return _extreme(Min, np.minimum, x, axis, keepdims, initial, where)


amax, amin = max, min


@implements(np.ptp)
@torch_keywords
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest element less the smallest."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


@implements(np.prod)
@torch_keywords
def prod(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Tensor:
    """Product over the given axes, of the elements where ``where`` is true, and ``initial``; the gradient is right also
    where elements are zero."""
    x = _cast(x if hasattr(x, "shape") else np.asarray(x), dtype)
    if x.ndim == 0 and axis in (0, -1):
        axis = None
    axes = negative_axes(axis, x.ndim, "prod")
    if where is not None:
        x = np.where(where, x, 1)
    flat = np.reshape(
        np.moveaxis(x, axes, tuple(range(-len(axes), 0))), (*reduced_shape(x.shape, axes, False), count(x.shape, axes))
    )
    out: Tensor = apply(Prod(), flat)
    out = out.reshape(reduced_shape(x.shape, axes, True)) if keepdims else out
    return out if initial is None else out * initial


def _choice(cls: type[Primitive], x: Any, axis: Any, keepdims: bool) -> Tensor:
    x = x if hasattr(x, "shape") else np.asarray(x)
    if axis is None or (x.ndim == 0 and axis in (0, -1)):
        found = apply(cls(-1, False), np.reshape(x, (-1,)))
        return found.reshape((1,) * x.ndim) if keepdims else found
    return apply(cls(scalar_axis(axis, x, cls.name), bool(keepdims)), x)


@implements(np.argmax)
@torch_keywords
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The first position of the largest element, in the flattened tensor or along an axis. Has no gradient."""
    return _choice(Argmax, x, axis, keepdims)


@implements(np.argmin)
@torch_keywords
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The first position of the smallest element, in the flattened tensor or along an axis. Has no gradient."""
    return _choice(Argmin, x, axis, keepdims)


@implements(np.all)
@torch_keywords
def all(x: Any, axis: Any = None, keepdims: bool = False, where: Any = None) -> Tensor:
    """Whether every element (where ``where`` is true) is true."""
    return reduce_over(All, x if where is None else np.where(where, x, True), axis, keepdims)


@implements(np.any)
@torch_keywords
def any(x: Any, axis: Any = None, keepdims: bool = False, where: Any = None) -> Tensor:
    """Whether any element (where ``where`` is true) is true."""
    return reduce_over(Any_, x if where is None else np.where(where, x, False), axis, keepdims)


@implements(np.count_nonzero)
@torch_keywords
def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """How many elements are not zero."""
    return reduce_over(CountNonzero, x, axis, keepdims)


@implements(np.var)
@torch_keywords
def var(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: Any = None,
) -> Tensor:
    """Variance over axes, of the elements where ``where`` is true: the mean of squared distances from the mean, divided
    by n - ``ddof`` (``correction`` in the array API). A ``mean`` that is known, with its axes kept, is not computed."""
    x = _cast(x if hasattr(x, "shape") else np.asarray(x), dtype)
    axes = negative_axes(axis, x.ndim, "var")
    centred = x - (_mean(x, axes, keepdims=True, where=where) if mean is None else mean)
    size = np.square(np.abs(centred)) if centred.dtype.kind == "c" else np.square(centred)
    freedom = ddof if correction is None else correction
    if where is not None:
        n = np.maximum(_how_many(x, where, axes, keepdims) - freedom, 0).astype(size.dtype)
        return sum(size, axes, keepdims=keepdims, where=where) / n
    return sum(size, axes, keepdims=keepdims) / builtins.max(count(x.shape, axes) - freedom, 0)


_mean = mean


@implements(np.std)
@torch_keywords
def std(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: Any = None,
) -> Tensor:
    """Standard deviation over axes; its gradient is 0 where it is 0. See ``var``."""
    return safe_sqrt(var(x, axis, dtype, ddof, keepdims, where, mean, correction))


def safe_sqrt(x: Any) -> Any:
    """Square root whose derivative is 0 at 0, the convention of norms."""
    zero = x == 0
    return np.where(zero, 0.0 * x, np.sqrt(np.where(zero, np.ones_like(x), x)))


def largest(x: Any, axis: Any, keepdims: bool = False) -> Tensor:
    """The largest of numbers that are not negative; 0 of none."""
    return max(x, axis, keepdims, initial=0 if count(x.shape, negative_axes(axis, x.ndim, "max")) == 0 else None)


@torch_keywords
def vector_norm(x: Any, ord: Any = 2, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The norm of order ``ord`` (a number, inf, -inf or 0) over axes; its gradient at 0 is 0."""
    x = x if hasattr(x, "shape") else np.asarray(x)
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    axes = negative_axes(axis, x.ndim, "vector_norm")
    if isinstance(ord, str):
        raise DTypeError(f"vector_norm: order {ord!r} is one of matrices; use matrix_norm")
    if ord == 2:
        size = np.square(np.real(x)) + np.square(np.imag(x)) if x.dtype.kind == "c" else np.square(x)
        return safe_sqrt(sum(size, axes, keepdims=keepdims))
    size = np.abs(x)
    if ord == np.inf:
        return largest(size, axes, keepdims)
    if ord == -np.inf:
        return min(size, axes, keepdims=keepdims)
    if ord == 0:
        return sum(np.not_equal(x, 0).astype(size.dtype), axes, keepdims=keepdims)
    if ord == 1:
        return sum(size, axes, keepdims=keepdims)
    zero = size == 0
    if ord < 1:
        # The derivative of a root or of a reciprocal at 0 is infinite; as that of the absolute value it counts as 0.
        at_zero = 0.0 if ord > 0 else np.inf
        return sum(np.where(zero, at_zero, np.where(zero, 1, size) ** ord), axes, keepdims=keepdims) ** (1.0 / ord)
    total = sum(size**ord, axes, keepdims=keepdims)
    zero = total == 0
    return np.where(zero, 0.0 * total, np.where(zero, np.ones_like(total), total) ** (1.0 / ord))


def scalar_axis(axis: Any, x: Any, name: str) -> int:
    """One axis as a negative number; raises for none or several."""
    axes = negative_axes(axis, len(shape_of(x)), name)
    if len(axes) != 1:
        raise ShapeError(f"{name} works along one axis, not {axis}")
    return axes[0]
