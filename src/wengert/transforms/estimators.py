"""Functions that leave a value as it is, bit for bit, and change what its derivative is taken to be."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.primitive import Primitive
from wengert.core.pytree import tree_map
from wengert.core.tensor import Tensor
from wengert.core.tracing import StopGradient
from wengert.core.types import Array, TensorSpec
from wengert.ops.families import conjugate


class _Same(Primitive, abstract=True):
    """The identity, with a derivative of its own."""

    inputs = ("x",)
    aliases = True
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.asarray(x)

    def spec(self, x: Any) -> TensorSpec:
        return x if isinstance(x, TensorSpec) else TensorSpec((), np.asarray(x).dtype)


class ScaleGradient(_Same):
    """The identity, whose derivative is taken to be ``factor``."""

    factor: float

    def vjp_x(self, g: Array) -> Array:
        return g * self.factor

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[0] is None else tangents[0] * self.factor


class ClipGradient(_Same):
    """The identity, whose cotangent is clipped to an interval. Forward mode sees the identity."""

    low: float
    high: float

    def vjp_x(self, g: Array) -> Array:
        return np.clip(g, self.low, self.high)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return tangents[0]


class ClipGradientNorm(_Same):
    """The identity, whose cotangent is shortened to a norm of at most ``longest`` over its last ``rank`` axes. Forward
    mode sees the identity."""

    longest: float
    rank: int

    def vjp_x(self, g: Array) -> Array:
        axes = tuple(range(-self.rank, 0))
        squares = (np.abs(g) ** 2).sum(axis=axes, keepdims=True)
        # Where nothing is cut the factor is the constant 1, so the root is only differentiated away from zero.
        long = squares > self.longest**2
        return g * np.where(long, self.longest / np.sqrt(np.where(long, squares, 1)), 1)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return tangents[0]


class Substitute(Primitive):
    """The value of ``y`` with the derivative ``slope`` with respect to ``x``."""

    aliases = True

    def value(self, x: Any, y: Any, slope: Any) -> Any:
        if np.shape(x) != np.shape(y):
            raise ShapeError(f"the function must keep the shape {np.shape(x)}, and returned {np.shape(y)}")
        return np.asarray(y)

    def spec(self, x: TensorSpec, y: TensorSpec, slope: TensorSpec) -> TensorSpec:
        return y

    def vjp_x(self, g: Array, slope: Array) -> Array:
        return g * conjugate(slope)

    vjp_y = None
    # A derivative reaches ``slope`` in the second order, through the product above.
    vjp_slope = None

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[0] is None else tangents[0] * inputs[2]

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        x, y, slope = inputs
        x = x if batched[0] else np.broadcast_to(x, (size, *np.shape(x)))
        y = y if batched[1] else np.broadcast_to(y, (size, *np.shape(y)))
        if batched[2] and slope.ndim < x.ndim:
            slope = slope.reshape((size, *(1,) * (x.ndim - slope.ndim), *slope.shape[1:]))
        return self(x, y, slope)


def stop_gradient(x: Any) -> Any:
    """``x``, through which no derivative of any kind passes. Containers are taken apart.

    Unlike ``x.detach()`` it is an operation of its own, so transforms see it.

    >>> import wengert as wg
    >>> wg.grad(lambda x: x * wg.stop_gradient(x))(3.0)
    tensor(3.)
    """
    return tree_map(lambda leaf: apply(StopGradient(), leaf), x)


def straight_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the value of ``f``, bit for bit, and the derivative of the identity with respect to its first
    argument: for rounding, signs, quantisation and sampling (Bengio, Leonard and Courville, "Estimating or propagating
    gradients through stochastic neurons", 2013).

    ``f`` must keep the shape of its first argument (``ShapeError`` if not); other arguments are passed on.

    >>> import wengert as wg
    >>> x = wg.tensor([0.4, 1.6], requires_grad=True)
    >>> y = wg.straight_through(wg.round)(x); y.sum().backward(); y.detach(), x.grad
    (tensor([0., 2.]), tensor([1., 1.]))
    """

    @functools.wraps(f)
    def wrapper(x: Any, *args: Any, **kwargs: Any) -> Any:
        x = as_tensor(x)
        y = stop_gradient(f(stop_gradient(x), *args, **kwargs))
        return apply(Substitute(), x, y, np.ones((), x.dtype))

    return wrapper


def surrogate(forward: Callable[[Any], Any], derivative: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function with the value of ``forward``, bit for bit, and ``derivative`` as its derivative (Neftci, Mostafa and
    Zenke, "Surrogate gradient learning in spiking neural networks", 2019).

    Both act on each element alone. Derivatives of higher order are those of ``derivative``.

    >>> import wengert as wg
    >>> spike = wg.surrogate(lambda v: wg.heaviside(v, 1.0), lambda v: 1 / (1 + 10 * abs(v)) ** 2)
    >>> wg.grad(spike)(0.0), spike(0.0)
    (tensor(1.), tensor(1.))
    """

    def wrapper(x: Any) -> Any:
        x = as_tensor(x)
        return apply(Substitute(), x, stop_gradient(forward(stop_gradient(x))), as_tensor(derivative(x)))

    return wrapper


def scale_gradient(x: Any, scale: float) -> Tensor:
    """``x``, whose derivative is taken to be ``scale`` instead of 1, in forward mode too."""
    result: Tensor = apply(ScaleGradient(float(scale)), x)
    return result


def reverse_gradient(x: Any) -> Tensor:
    """``x``, whose derivative is taken to be -1 (Ganin and Lempitsky, "Unsupervised domain adaptation by
    backpropagation", 2015).

    >>> import wengert as wg
    >>> wg.grad(lambda x: wg.reverse_gradient(x) ** 2)(3.0)
    tensor(-6.)
    """
    return scale_gradient(x, -1.0)


def clip_gradient(x: Any, low: float, high: float) -> Tensor:
    """``x``, whose gradient is clipped to [``low``, ``high``] on the way back.

    Clipping is not linear, so it is no derivative of anything: forward mode, which has no gradient to clip, sees the
    identity, and a second derivative is that of the clipped gradient (itself clipped) in reverse mode only,
    ``jacrev(grad(f))``. Raises ``DTypeError`` for complex ``x`` and ``ShapeError`` for an empty interval.

    >>> import wengert as wg
    >>> wg.grad(lambda x: 100 * wg.clip_gradient(x, -1, 1))(3.0)
    tensor(1.)
    """
    if not low <= high:
        raise ShapeError(f"clip_gradient: [{low}, {high}] is no interval")
    if getattr(x, "dtype", np.dtype(float)).kind == "c":
        raise DTypeError("clip_gradient: complex gradients have no order; use clip_gradient_norm")
    result: Tensor = apply(ClipGradient(float(low), float(high)), x)
    return result


def clip_gradient_norm(x: Any, longest: float) -> Tensor:
    """``x``, whose gradient is shortened to a Euclidean norm of at most ``longest`` on the way back.

    Under ``vmap`` each element of the batch has its own norm; forward mode sees the identity.

    >>> import wengert as wg
    >>> wg.grad(lambda x: (wg.clip_gradient_norm(x, 1.0) * 10).sum())(wg.tensor([3.0, 4.0, 0.0, 0.0]))
    tensor([0.5, 0.5, 0.5, 0.5])
    """
    if not longest > 0:
        raise ShapeError(f"clip_gradient_norm: the longest norm must be positive, not {longest}")
    x = as_tensor(x)
    result: Tensor = apply(ClipGradientNorm(float(longest), x.ndim), x)
    return result
