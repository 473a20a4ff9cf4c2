"""In-place changes, by functional update.

A value never changes. ``x += 1`` computes a new value and lets the *handle* ``x`` stand for it: whatever was saved for
a backward pass, and every other handle, keeps the old one. So gradients are right without version counters, and there
are no views to follow: ``y = x[0]; y += 1`` changes ``y`` alone, ``x[0] += 1`` changes ``x``.

The rules are PyTorch's: a leaf that requires a gradient cannot be changed while the graph is being built, because its
handle would leave it; under ``no_grad`` its value changes and it stays the leaf. An in-place change keeps shape and
dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError, GradientError, ShapeError, TransformError
from wengert.core.levels import Batched, Dual, Wrapped, as_tensor
from wengert.core.mode import MODE
from wengert.core.node import Leaf
from wengert.core.tensor import Tensor
from wengert.ops import (
    activation,
    arithmetic,
    bitwise,
    comparison,
    complex,
    contraction,
    cumulative,
    indexing,
    power,
    random_,
    rounding,
    selection,
    shape,
    transcendental,
)


class DataHandle(Tensor, eager=True):
    """What ``x.data`` gives: an untracked handle whose in-place changes reach the tensor it came from."""

    __slots__ = ("_owner",)

    _owner: Tensor

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.detach().__reduce_ex__(protocol)

    def __copy__(self) -> Tensor:
        return self.detach()

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self.detach()


def check_movable(handle: Any, operation: str) -> None:
    """Raise ``GradientError`` for a leaf that an in-place operation must not touch now."""
    if type(handle._node) is Leaf and MODE.get().grad:
        raise GradientError(
            f"{operation} would change a leaf that requires a gradient, and the graph would lose its leaf. Change it "
            f"inside `with wengert.no_grad():`, or work on x.clone()"
        )


def move(handle: Any, new: Any, operation: str, casting: Any = "same_kind") -> Any:
    """Let ``handle`` stand for ``new``, and return it.

    Raises ``GradientError`` for a leaf that requires a gradient, ``ShapeError`` and ``DTypeError`` where shape or dtype
    would change, ``TransformError`` where a tensor from outside of a transform would have to take on a value of it.
    """
    check_movable(handle, operation)
    new = fitted(as_tensor(new), handle, operation, casting)
    if isinstance(handle, Wrapped):
        _move_wrapped(handle, new, operation)
        return handle
    if isinstance(new, Wrapped):
        raise TransformError(
            f"{operation}: a tensor made outside of a running transform cannot take on a value that is being "
            f"transformed. Build the result from the values instead (wengert.stack, wengert.where), or start from "
            f"one of the transform's tensors: wengert.zeros_like(x)"
        )
    handle._value = new._value
    if MODE.get().grad:
        handle._node = new._node
    if type(handle) is DataHandle:
        handle._owner._value = new._value
    return handle


def _move_wrapped(handle: Any, new: Any, operation: str) -> None:
    level = handle._level
    if isinstance(new, Wrapped) and new._level is level:
        inner, tangent = new._inner, getattr(new, "_tangent", None)
    elif isinstance(new, Wrapped) and new._level.number > level.number:
        raise TransformError(f"{operation}: a tensor of an outer transform cannot take on a value of an inner one")
    else:
        inner = np.broadcast_to(new, (level.size, *new.shape)) if isinstance(handle, Batched) else new
        tangent = None
    handle._inner = inner
    if isinstance(handle, Dual):
        handle._tangent = tangent
        handle._value = getattr(inner, "_value", None)


def fitted(new: Any, handle: Any, operation: str, casting: Any = "same_kind") -> Any:
    """The new value in the handle's dtype, or an error if it does not fit."""
    if new.shape != handle.shape:
        raise ShapeError(
            f"{operation}: the result has shape {new.shape} and cannot take the place of a tensor of shape "
            f"{handle.shape}"
        )
    if new.dtype == handle.dtype:
        return new
    if not np.can_cast(new.dtype, handle.dtype, casting):
        raise DTypeError(
            f"{operation}: the result is {new.dtype} and cannot take the place of a tensor of {handle.dtype}; "
            f"convert it first: x = x.astype('{new.dtype}')"
        )
    return new.astype(handle.dtype)


def in_place(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The in-place method that does what ``function`` does."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        check_movable(self, name)
        return move(self, function(self, *args, **kwargs), name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"``wengert.{function.__name__}`` of this tensor, in place."
    return method


class InPlace:
    """In-place operators and methods of ``Tensor``."""

    __slots__ = ()

    __iadd__ = in_place(arithmetic.add, "+=")
    __isub__ = in_place(arithmetic.subtract, "-=")
    __imul__ = in_place(arithmetic.multiply, "*=")
    __itruediv__ = in_place(arithmetic.divide, "/=")

    __ifloordiv__ = in_place(arithmetic.floor_divide, "//=")
    __imod__ = in_place(arithmetic.remainder, "%=")
    __ipow__ = in_place(power.power, "**=")
    __imatmul__ = in_place(contraction.matmul, "@=")
    __iand__ = in_place(bitwise.bitwise_and, "&=")
    __ior__ = in_place(bitwise.bitwise_or, "|=")
    __ixor__ = in_place(bitwise.bitwise_xor, "^=")
    __ilshift__ = in_place(bitwise.left_shift, "<<=")
    __irshift__ = in_place(bitwise.right_shift, ">>=")

    mul_ = in_place(arithmetic.multiply, "mul_")
    div_ = in_place(arithmetic.divide, "div_")
    neg_ = in_place(arithmetic.negative, "neg_")
    pow_ = in_place(power.power, "pow_")
    sqrt_ = in_place(power.sqrt, "sqrt_")
    square_ = in_place(power.square, "square_")
    reciprocal_ = in_place(power.reciprocal, "reciprocal_")
    abs_ = in_place(complex.abs, "abs_")
    sign_ = in_place(complex.sign, "sign_")
    exp_ = in_place(transcendental.exp, "exp_")
    log_ = in_place(transcendental.log, "log_")
    sin_ = in_place(transcendental.sin, "sin_")
    cos_ = in_place(transcendental.cos, "cos_")
    tanh_ = in_place(transcendental.tanh, "tanh_")
    relu_ = in_place(activation.relu, "relu_")
    sigmoid_ = in_place(activation.sigmoid, "sigmoid_")
    floor_ = in_place(rounding.floor, "floor_")
    ceil_ = in_place(rounding.ceil, "ceil_")
    round_ = in_place(rounding.round, "round_")
    trunc_ = in_place(rounding.trunc, "trunc_")
    log1p_ = in_place(transcendental.log1p, "log1p_")
    log2_ = in_place(transcendental.log2, "log2_")
    log10_ = in_place(transcendental.log10, "log10_")
    expm1_ = in_place(transcendental.expm1, "expm1_")
    tan_ = in_place(transcendental.tan, "tan_")
    remainder_ = in_place(arithmetic.remainder, "remainder_")
    fmod_ = in_place(arithmetic.fmod, "fmod_")
    floor_divide_ = in_place(arithmetic.floor_divide, "floor_divide_")
    lerp_ = in_place(arithmetic.lerp, "lerp_")
    nan_to_num_ = in_place(selection.nan_to_num, "nan_to_num_")
    logical_not_ = in_place(comparison.logical_not, "logical_not_")
    tril_ = in_place(shape.tril, "tril_")
    triu_ = in_place(shape.triu, "triu_")
    cumsum_ = in_place(cumulative.cumsum, "cumsum_")
    cumprod_ = in_place(cumulative.cumprod, "cumprod_")
    clamp_ = clip_ = in_place(selection.clip, "clamp_")
    masked_fill_ = in_place(indexing.masked_fill, "masked_fill_")
    scatter_ = in_place(indexing.scatter, "scatter_")
    scatter_add_ = in_place(indexing.scatter_add, "scatter_add_")
    index_add_ = in_place(indexing.index_add, "index_add_")

    def rsqrt_(self: Any) -> Any:
        """One over the square root, in place."""
        return move(self, power.reciprocal(power.sqrt(self)), "rsqrt_")

    def addcmul_(self: Any, first: Any, second: Any, value: Any = 1) -> Any:
        """Add ``value * first * second``, in place."""
        return move(self, self + value * (first * second), "addcmul_")

    def addcdiv_(self: Any, first: Any, second: Any, value: Any = 1) -> Any:
        """Add ``value * first / second``, in place."""
        return move(self, self + value * (first / second), "addcdiv_")

    def index_fill_(self: Any, dim: int, index: Any, value: Any) -> Any:
        """Fill the slices of an axis that ``index`` names with a number, in place."""
        return move(self, self.index_fill(dim, index, value), "index_fill_")

    def index_copy_(self: Any, dim: int, index: Any, source: Any) -> Any:
        """Replace the slices of an axis that ``index`` names by those of ``source``, in place."""
        return move(self, self.index_copy(dim, index, source), "index_copy_")

    def clamp_min_(self: Any, low: Any) -> Any:
        """At least ``low``, in place."""
        return move(self, selection.clip(self, low, None), "clamp_min_")

    def clamp_max_(self: Any, high: Any) -> Any:
        """At most ``high``, in place."""
        return move(self, selection.clip(self, None, high), "clamp_max_")

    def normal_(self: Any, mean: float = 0.0, std: float = 1.0) -> Any:
        """Normal random numbers from the eager generator, in place."""
        return move(self, mean + std * random_.randn(tuple(self.shape), dtype=self.dtype), "normal_")

    def uniform_(self: Any, low: float = 0.0, high: float = 1.0) -> Any:
        """Uniform random numbers from the eager generator, in place."""
        return move(self, low + (high - low) * random_.rand(tuple(self.shape), dtype=self.dtype), "uniform_")

    def bernoulli_(self: Any, p: Any = 0.5) -> Any:
        """Ones with probability ``p`` and zeros, from the eager generator, in place."""
        return move(self, random_.bernoulli(p, tuple(self.shape)).astype(self.dtype), "bernoulli_")

    def random_(self: Any, low: int = 0, high: int | None = None) -> Any:
        """Whole random numbers from ``low`` to below ``high`` (below ``low`` from 0, given one), in place."""
        drawn = (
            random_.randint(low, high, tuple(self.shape))
            if high is not None
            else random_.randint(0, low, tuple(self.shape))
        )
        return move(self, drawn.astype(self.dtype), "random_")

    def add_(self, other: Any, alpha: Any = 1) -> Any:
        """Add ``alpha * other`` to this tensor, in place."""
        return move(self, arithmetic.add(self, other if alpha == 1 else arithmetic.multiply(other, alpha)), "add_")

    def sub_(self, other: Any, alpha: Any = 1) -> Any:
        """Subtract ``alpha * other`` from this tensor, in place."""
        return move(self, arithmetic.subtract(self, other if alpha == 1 else arithmetic.multiply(other, alpha)), "sub_")

    def fill_(self: Any, value: Any) -> Any:
        """Set every element to ``value``, a number or a 0-d tensor."""
        if not isinstance(value, Tensor):
            value = np.asarray(value)
        if value.shape:
            raise ShapeError(f"fill_: the value must be a number or a 0-d tensor, not one of shape {value.shape}")
        return move(self, np.broadcast_to(as_tensor(value).astype(self.dtype), self.shape), "fill_")

    def zero_(self: Any) -> Any:
        """Set every element to zero."""
        return move(self, np.zeros(self.shape, self.dtype), "zero_")

    def copy_(self: Any, source: Any) -> Any:
        """Take on the values of ``source``, broadcast to this shape and cast to this dtype; gradients flow to it."""
        source = source if isinstance(source, Tensor) else Tensor(source)
        if source.shape != self.shape:
            source = np.broadcast_to(source, self.shape)
        return move(self, source, "copy_", casting="unsafe")

    @property
    def data(self: Any) -> Any:
        """The value as an untracked tensor. In-place changes of it, and assignments to it, change this tensor's value
        behind the graph's back; what was saved for a backward pass keeps the old one."""
        if isinstance(self, Wrapped):
            return self.detach()
        handle = DataHandle.__new__(DataHandle)
        handle._value = self._value
        handle._node = None
        handle._owner = self
        return handle

    @data.setter
    def data(self: Any, value: Any) -> None:
        if isinstance(self, Wrapped):
            raise TransformError("x.data = ... inside a transform would hide the change from it; use x.copy_(value)")
        value = Tensor(value)
        if self._node is not None:
            value = fitted(value, self, "x.data = ...")
        self._value = value._value
