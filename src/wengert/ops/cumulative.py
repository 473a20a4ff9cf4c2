"""Running sums, products and extremes along an axis, and differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.levels import as_tensor
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.families import Linear
from wengert.ops.protocol import implements, torch_keywords
from wengert.ops.reduction import scalar_axis
from wengert.ops.shape import moveaxis


class Cumsum(Linear):
    """Running sum along an axis."""

    axis: int
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.cumsum(x, self.axis)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, np.cumsum(np.empty(0, x.dtype)).dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return np.flip(np.cumsum(np.flip(g, self.axis), axis=self.axis), self.axis)


class Cumprod(Primitive):
    """Running product along the last axis.

    The gradient does not divide, so zeros are no exception: with p the running product, dp_j/dx_i is the product of the
    elements up to j without i, gathered in a matrix of running products. It costs n^2 for a row of n.
    """

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.cumprod(x, -1)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, np.cumprod(np.empty(0, x.dtype)).dtype)

    @staticmethod
    def _jacobian(x: Array) -> Array:
        """J[..., i, j] = d p_j / d x_i."""
        n = x.shape[-1]
        eye = np.eye(n, dtype=x.dtype)
        without = np.expand_dims(x, -2) * (1 - eye) + eye
        return np.triu(np.cumprod(without, axis=-1))

    def vjp_x(self, g: Array, x: Array) -> Array:
        return (np.conj(self._jacobian(x)) * np.expand_dims(g, -2)).sum(axis=-1)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return (self._jacobian(inputs[0]) * np.expand_dims(tangents[0], -1)).sum(axis=-2)


class _RunningExtreme(Primitive, abstract=True):
    """A running extreme along the last axis; the gradient goes to the latest element that attains it."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return self.value_and_aux(x)[0]

    def _found(self, x: Any, out: Any) -> tuple[Any, Any]:
        position = np.where(x == out, np.arange(x.shape[-1]), 0)
        return out, np.maximum.accumulate(position, -1)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def vjp_x(self, g: Array, aux: Any) -> Array:
        chosen = np.expand_dims(aux, -1) == np.arange(aux.shape[-1])
        return np.where(chosen, np.expand_dims(g, -1), np.zeros((), g.dtype)).sum(axis=-2)


class Cummax(_RunningExtreme):
    """Running maximum along the last axis."""

    def value_and_aux(self, x: Any) -> tuple[Any, Any]:
        return self._found(x, np.maximum.accumulate(x, -1))


class Cummin(_RunningExtreme):
    """Running minimum along the last axis."""

    def value_and_aux(self, x: Any) -> tuple[Any, Any]:
        return self._found(x, np.minimum.accumulate(x, -1))


class Cumlogsumexp(Primitive):
    """Running log of the sum of exponentials along the last axis."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.logaddexp.accumulate(x, -1)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    @staticmethod
    def _weights(x: Array, out: Array) -> Array:
        """W[..., i, j] = d out_j / d x_i = exp(x_i - out_j) for i <= j."""
        difference = np.expand_dims(x, -1) - np.expand_dims(out, -2)
        n = x.shape[-1]
        upper = np.arange(n)[:, None] <= np.arange(n)
        return np.where(upper, np.exp(np.where(upper, difference, 0.0)), 0.0)

    def vjp_x(self, g: Array, x: Array, out: Array) -> Array:
        return (self._weights(x, out) * np.expand_dims(g, -2)).sum(axis=-1)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return (self._weights(inputs[0], out) * np.expand_dims(tangents[0], -1)).sum(axis=-2)


def _along_last(primitive: Primitive, x: Any, axis: Any) -> Tensor:
    x = x if hasattr(x, "shape") else np.asarray(x)
    if axis is None or x.ndim == 0:
        return apply(primitive, np.reshape(x, (-1,)))
    one = scalar_axis(axis, x, primitive.name)
    if one == -1:
        return apply(primitive, x)
    return moveaxis(apply(primitive, moveaxis(x, one, -1)), -1, one)


@implements(np.cumsum)
@torch_keywords
def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Tensor:
    """Running sum along an axis, or over the flattened tensor."""
    x = x if hasattr(x, "shape") else np.asarray(x)
    x = x if dtype is None else x.astype(dtype)
    if axis is None or x.ndim == 0:
        return apply(Cumsum(-1), np.reshape(x, (-1,)))
    return apply(Cumsum(scalar_axis(axis, x, "cumsum")), x)


@implements(np.cumprod)
@torch_keywords
def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Tensor:
    """Running product along an axis, or over the flattened tensor; the gradient is right also with zeros."""
    x = x if hasattr(x, "shape") else np.asarray(x)
    return _along_last(Cumprod(), x if dtype is None else x.astype(dtype), axis)


@torch_keywords
def cummax(x: Any, axis: Any = None) -> Tensor:
    """Running maximum; the gradient goes to the latest element that attains it, as in PyTorch."""
    return _along_last(Cummax(), x, axis)


@torch_keywords
def cummin(x: Any, axis: Any = None) -> Tensor:
    """Running minimum; the gradient goes to the latest element that attains it, as in PyTorch."""
    return _along_last(Cummin(), x, axis)


@torch_keywords
def cumlogsumexp(x: Any, axis: Any = None) -> Tensor:
    """Running log of the sum of exponentials."""
    return _along_last(Cumlogsumexp(), x, axis)


logcumsumexp = cumlogsumexp


@implements(np.diff)
@torch_keywords
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """The n-th difference along an axis."""
    x = as_tensor(x)
    one = scalar_axis(axis, x, "diff")
    parts = [x]
    for extra, place in ((prepend, 0), (append, len(parts))):
        if extra is not None:
            shape = tuple(1 if i == x.ndim + one else m for i, m in enumerate(x.shape))
            parts.insert(
                place if place == 0 else len(parts), np.broadcast_to(extra, shape) if np.ndim(extra) == 0 else extra
            )
    if len(parts) > 1:
        x = np.concatenate(parts, axis=one)
    front = (Ellipsis, slice(1, None)) + (slice(None),) * (-1 - one)
    back = (Ellipsis, slice(None, -1)) + (slice(None),) * (-1 - one)
    for _ in range(n):
        x = x[front] != x[back] if x.dtype.kind == "b" else x[front] - x[back]
    return x


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """Integral by the trapezoidal rule along an axis."""
    y = y if hasattr(y, "shape") else np.asarray(y)
    one = scalar_axis(axis, y, "trapezoid")
    y = moveaxis(y, one, -1)
    if x is not None:
        steps = diff(x) if np.ndim(x) == 1 else moveaxis(diff(x, axis=one), one, -1)
    else:
        steps = dx
    return (0.5 * (y[..., 1:] + y[..., :-1]) * steps).sum(axis=-1)


@implements(np.cumulative_sum)
def cumulative_sum(x: Any, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """Running sum along an axis, with a zero in front if ``include_initial`` (the array API's name)."""
    found = cumsum(x, axis, dtype)
    return _with_initial(found, axis, 0) if include_initial else found


@implements(np.cumulative_prod)
def cumulative_prod(x: Any, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """Running product along an axis, with a one in front if ``include_initial`` (the array API's name)."""
    found = cumprod(x, axis, dtype)
    return _with_initial(found, axis, 1) if include_initial else found


def _with_initial(x: Any, axis: Any, value: int) -> Tensor:
    one = -1 if axis is None else scalar_axis(axis, x, "cumulative_sum")
    shape = tuple(1 if i == x.ndim + one else n for i, n in enumerate(x.shape))
    found: Any = np.concatenate([np.full(shape, value, x.dtype), x], axis=one)
    return found


@implements(np.ediff1d)
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Tensor:
    """Differences of consecutive elements of the flattened tensor, between what is put in front and behind."""
    found: Any = diff(np.reshape(as_tensor(x), (-1,)))
    ends: list[Any] = [part if part is None else np.reshape(part, (-1,)) for part in (to_begin, to_end)]
    parts: list[Any] = [part for part in (ends[0], found, ends[1]) if part is not None]
    joined: Any = found if len(parts) == 1 else np.concatenate(parts)
    return joined
