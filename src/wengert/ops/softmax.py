"""Softmax and the logarithm of sums of exponentials, without overflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.families import conjugate
from wengert.ops.protocol import torch_keywords
from wengert.ops.reduction import Axes, negative_axes, reduced_shape, spread


def _as_float(x: Any) -> Any:
    return x if x.dtype.kind in "fc" else x.astype("float64")


def _shifted(x: Any, axes: Axes) -> tuple[Any, Any]:
    """x less its largest element (0 where that is infinite), and that element."""
    top = np.maximum.reduce(x, axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    return x - top, top


def _is_plain(x: Any) -> bool:
    """Whether the largest element exists and is a real number."""
    return x.dtype.kind == "f" and 0 not in x.shape


def _shifted_parts(x: Any, axes: Axes) -> tuple[Any, Any]:
    """The same by operations that a compiler knows."""
    top = x.max(axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    return x - top, top


class Softmax(Primitive):
    """exp(x) divided by its sum over axes."""

    axes: Axes
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        out = np.exp(_shifted(x, self.axes)[0])
        out /= np.add.reduce(out, self.axes, keepdims=True)
        return out

    def decompose(self, x: Any) -> Any:
        if not _is_plain(x):
            return NotImplemented
        powers = np.exp(_shifted_parts(x, self.axes)[0])
        return powers / powers.sum(axis=self.axes, keepdims=True)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def vjp_x(self, g: Array, out: Array) -> Array:
        return self._times_jacobian(g, conjugate(out))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return self._times_jacobian(tangents[0], out)

    def _times_jacobian(self, g: Array, out: Array) -> Array:
        """The Jacobian is symmetric."""
        weighted = g * out
        return weighted - out * weighted.sum(axis=self.axes, keepdims=True)


class LogSoftmax(Primitive):
    """The logarithm of softmax over axes."""

    axes: Axes
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        shifted, _ = _shifted(x, self.axes)
        shifted -= np.log(np.add.reduce(np.exp(shifted), self.axes, keepdims=True))
        return shifted

    def decompose(self, x: Any) -> Any:
        if not _is_plain(x):
            return NotImplemented
        shifted, _ = _shifted_parts(x, self.axes)
        return shifted - np.log(np.exp(shifted).sum(axis=self.axes, keepdims=True))

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def vjp_x(self, g: Array, out: Array) -> Array:
        return g - conjugate(np.exp(out)) * g.sum(axis=self.axes, keepdims=True)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (t,) = tangents
        return t - (np.exp(out) * t).sum(axis=self.axes, keepdims=True)


class Logsumexp(Primitive):
    """log of the sum of exp(x) over axes; -inf for a sum of nothing."""

    axes: Axes
    keepdims: bool = False
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        shifted, top = _shifted(x, self.axes)
        out = np.log(np.add.reduce(np.exp(shifted), self.axes, keepdims=True)) + top
        return out if self.keepdims else out.reshape(reduced_shape(x.shape, self.axes, False))

    def decompose(self, x: Any) -> Any:
        if not _is_plain(x):
            return NotImplemented
        shifted, top = _shifted_parts(x, self.axes)
        out = np.log(np.exp(shifted).sum(axis=self.axes, keepdims=True)) + top
        return out if self.keepdims else out.reshape(reduced_shape(x.shape, self.axes, False))

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(reduced_shape(x.shape, self.axes, self.keepdims), x.dtype)

    def _weights(self, x: Array, out: Array) -> Array:
        total = spread(out, x.shape, self.axes, self.keepdims)
        # A row of -inf has no softmax; its gradient is zero.
        return np.exp(x - np.where(np.isfinite(total), total, np.zeros_like(total)))

    def vjp_x(self, g: Array, x: Array, out: Array) -> Array:
        return spread(g, x.shape, self.axes, self.keepdims) * conjugate(self._weights(x, out))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return (tangents[0] * self._weights(inputs[0], out)).sum(axis=self.axes, keepdims=self.keepdims)


@torch_keywords
def softmax(x: Any, axis: Any = -1) -> Tensor:
    """exp(x) divided by its sum along an axis (or several).

    >>> import wengert as wg
    >>> wg.softmax(wg.tensor([0.0, 0.0]), axis=0)
    tensor([0.5, 0.5])
    """
    x = _as_float(x if hasattr(x, "shape") else np.asarray(x))
    return apply(Softmax(negative_axes(axis, x.ndim, "softmax")), x)


@torch_keywords
def log_softmax(x: Any, axis: Any = -1) -> Tensor:
    """The logarithm of softmax, accurate where softmax underflows."""
    x = _as_float(x if hasattr(x, "shape") else np.asarray(x))
    return apply(LogSoftmax(negative_axes(axis, x.ndim, "log_softmax")), x)


@torch_keywords
def softmin(x: Any, axis: Any = -1) -> Tensor:
    """Softmax of -x."""
    return softmax(-x, axis)


@torch_keywords
def logsumexp(x: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Tensor:
    """log of the sum of ``b`` exp(x) over axes (``b`` is 1 by default, and must be positive)."""
    x = _as_float(x if hasattr(x, "shape") else np.asarray(x))
    if b is not None:
        x = x + np.log(b)
    return apply(Logsumexp(negative_axes(axis, x.ndim, "logsumexp"), bool(keepdims)), x)
