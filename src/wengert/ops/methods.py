"""Methods of ``Tensor`` that compute: functions of the families, bound."""

from __future__ import annotations

from typing import Any, NamedTuple

from wengert.core.errors import ShapeError
from wengert.core.tensor import Tensor
from wengert.ops import (
    activation,
    complex,
    contraction,
    cumulative,
    indexing,
    joining,
    power,
    reduction,
    rounding,
    selection,
    shape,
    softmax,
    sorting,
    special,
    transcendental,
)
from wengert.ops.inplace import move


class Extreme(NamedTuple):
    """An extreme along an axis and where it is, as PyTorch's ``x.max(dim=...)`` returns them."""

    values: Any
    indices: Any


def _numbers(given: tuple[Any, ...]) -> Any:
    """A shape or axes given as a tuple or as separate numbers."""
    return given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


class Methods:
    """Computing methods of ``Tensor``."""

    __slots__ = ()

    abs = absolute = complex.abs
    acos, acosh, asin, asinh = transcendental.acos, transcendental.acosh, transcendental.asin, transcendental.asinh
    atan, atanh, cos, cosh = transcendental.atan, transcendental.atanh, transcendental.cos, transcendental.cosh
    exp, exp2, expm1 = transcendental.exp, transcendental.exp2, transcendental.expm1
    log, log10, log1p, log2 = transcendental.log, transcendental.log10, transcendental.log1p, transcendental.log2
    sin, sinh, tan, tanh = transcendental.sin, transcendental.sinh, transcendental.tan, transcendental.tanh
    sqrt, square, reciprocal = power.sqrt, power.square, power.reciprocal
    conj = conjugate = complex.conj
    angle, sign = complex.angle, complex.sign
    floor, ceil, trunc, round = rounding.floor, rounding.ceil, rounding.trunc, rounding.round
    erf, erfc, lgamma, digamma = special.erf, special.erfc, special.lgamma, special.digamma

    relu, sigmoid = activation.relu, activation.sigmoid

    sum, mean, prod, var, std = reduction.sum, reduction.mean, reduction.prod, reduction.var, reduction.std
    amax, amin, argmax, argmin = reduction.amax, reduction.amin, reduction.argmax, reduction.argmin
    all, any, count_nonzero, ptp = reduction.all, reduction.any, reduction.count_nonzero, reduction.ptp
    logsumexp, softmax, log_softmax = softmax.logsumexp, softmax.softmax, softmax.log_softmax
    cumsum, cumprod, cummax, cummin = cumulative.cumsum, cumulative.cumprod, cumulative.cummax, cumulative.cummin
    logcumsumexp, diff = cumulative.logcumsumexp, cumulative.diff

    clip = clamp = selection.clip
    masked_fill, masked_select = indexing.masked_fill, indexing.masked_select
    gather, scatter, scatter_add = indexing.gather, indexing.scatter, indexing.scatter_add
    index_select, index_add, take = indexing.index_select, indexing.index_add, indexing.take
    nonzero, argsort, sort, topk = indexing.nonzero, sorting.argsort, sorting.sort, sorting.topk
    unique, kthvalue = sorting.unique, sorting.kthvalue

    ravel, flatten, squeeze, unsqueeze = shape.ravel, shape.flatten, shape.squeeze, shape.unsqueeze
    swapaxes, swapdims, moveaxis, movedim = shape.swapaxes, shape.swapaxes, shape.moveaxis, shape.moveaxis
    flip, roll, tril, triu, trace = shape.flip, shape.roll, shape.tril, shape.triu, shape.trace
    diag, diagonal, repeat_interleave = shape.diag, shape.diagonal, shape.repeat
    clone = copy = shape.copy
    chunk, split, unbind = joining.chunk, joining.array_split, joining.unbind

    matmul = mm = bmm = mv = contraction.matmul
    dot, outer, vdot, inner = contraction.dot, contraction.outer, contraction.vdot, contraction.inner

    def max(self: Any, axis: Any = None, keepdims: Any = False, *, dim: Any = None, keepdim: Any = False) -> Any:
        """The largest element, over all or over ``axis``. With PyTorch's ``dim`` also its indices, named."""
        if dim is None:
            return reduction.max(self, axis, keepdims)
        return Extreme(reduction.max(self, dim, keepdim), reduction.argmax(self, dim, keepdim))

    def min(self: Any, axis: Any = None, keepdims: Any = False, *, dim: Any = None, keepdim: Any = False) -> Any:
        """The smallest element, over all or over ``axis``. With PyTorch's ``dim`` also its indices, named."""
        if dim is None:
            return reduction.min(self, axis, keepdims)
        return Extreme(reduction.min(self, dim, keepdim), reduction.argmin(self, dim, keepdim))

    def norm(self: Any, p: Any = 2, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The vector norm of order ``p`` over axes (all of them by default)."""
        return reduction.vector_norm(self, 2 if p == "fro" else p, axis, keepdims)

    def pow(self: Any, exponent: Any) -> Tensor:
        """Each element to a power."""
        return power.power(self, exponent)

    def reshape(self: Any, *new: Any) -> Tensor:
        """The same elements in another shape, given as a tuple or as separate numbers; one of them may be -1."""
        return shape.reshape(self, _numbers(new))

    view = reshape

    def view_as(self: Any, other: Any) -> Tensor:
        """The same elements in the shape of another tensor."""
        return shape.reshape(self, other.shape)

    reshape_as = view_as

    def permute(self: Any, *axes: Any) -> Tensor:
        """The axes in the given order."""
        return shape.transpose(self, _numbers(axes))

    def transpose(self: Any, *axes: Any) -> Tensor:
        """The axes reversed or in the given order (NumPy); given two of more than two axes, those exchanged (PyTorch).

        For a matrix ``x.transpose(0, 1)`` is PyTorch's exchange, and ``x.transpose((0, 1))`` NumPy's identity.
        """
        if len(axes) == 2:
            return shape.swapaxes(self, *axes)
        return shape.transpose(self, _numbers(axes) if axes and axes[0] is not None else None)

    @property
    def T(self: Any) -> Tensor:
        """The axes reversed."""
        return shape.transpose(self)

    @property
    def mT(self: Any) -> Tensor:
        """The last two axes exchanged."""
        return shape.matrix_transpose(self)

    @property
    def H(self: Any) -> Tensor:
        """The conjugate transpose of a matrix."""
        return complex.conj(shape.matrix_transpose(self))

    def expand(self: Any, *sizes: Any) -> Tensor:
        """Repeated along new axes and axes of length one; -1 keeps a length."""
        sizes = tuple(_numbers(sizes))
        if len(sizes) < self.ndim:
            raise ShapeError(f"expand: {sizes} has fewer dimensions than the shape {tuple(self.shape)}")
        own = (1,) * (len(sizes) - self.ndim) + tuple(self.shape)
        return shape.broadcast_to(self, tuple(n if m == -1 else m for m, n in zip(sizes, own, strict=True)))

    def expand_as(self: Any, other: Any) -> Tensor:
        """Repeated to the shape of another tensor."""
        return shape.broadcast_to(self, other.shape)

    def repeat(self: Any, *sizes: Any, axis: Any = None) -> Tensor:
        """The whole tensor repeated along axes (PyTorch's meaning); with ``axis``, each element repeated (NumPy's)."""
        if axis is not None:
            return shape.repeat(self, _numbers(sizes) if len(sizes) > 1 else sizes[0], axis)
        return shape.tile(self, _numbers(sizes))

    def tile(self: Any, *reps: Any) -> Tensor:
        """The whole tensor repeated along axes."""
        return shape.tile(self, _numbers(reps))

    def where(self: Any, condition: Any, other: Any) -> Tensor:
        """These elements where ``condition`` holds, those of ``other`` elsewhere."""
        return selection.where(condition, self, other)

    def clamp_min(self: Any, low: Any) -> Tensor:
        """At least ``low``."""
        return selection.clip(self, low, None)

    def clamp_max(self: Any, high: Any) -> Tensor:
        """At most ``high``."""
        return selection.clip(self, None, high)

    @property
    def real(self: Any) -> Tensor:
        """The real part."""
        return complex.real(self)

    @property
    def imag(self: Any) -> Tensor:
        """The imaginary part."""
        return complex.imag(self)

    def __getitem__(self: Any, index: Any) -> Tensor:
        return indexing.get_at(self, index)

    def __setitem__(self: Any, index: Any, value: Any) -> None:
        move(self, indexing.set_at(self, index, value), "x[index] = value")
