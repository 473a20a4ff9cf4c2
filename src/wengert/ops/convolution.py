"""Convolution in any number of dimensions, with stride, padding, dilation and groups; transposed convolution.

As in all deep-learning libraries the kernel is not flipped: what is called convolution there is cross-correlation.
``convolve`` and ``correlate`` are NumPy's.

Three operations come from one trilinear form, sum_{n,o,l} g[n,o,l] sum_{c,k} w[o,c,k] x[n,c,s l + d k - p]: leave out
one of g, x and w, and the form's gradient towards it is an operation on the other two. So the three are closed under
differentiation, and every order of derivative runs at the speed of the first.

The value is a matrix product over unrolled windows: K. Chellapilla, S. Puri and P. Simard, "High performance
convolutional neural networks for document processing", 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.core.apply import apply, as_operand
from wengert.core.errors import ShapeError
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, Shape, TensorSpec
from wengert.ops.families import conjugate
from wengert.ops.windows import Geometry, Padding, blocks, check_fits, per_axis, volume


class Form(Primitive, abstract=True):
    """One of the three operations: bilinear in its two operands."""

    stride: Shape
    padding: Padding
    dilation: Shape
    groups: int = 1

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        left, right = inputs
        dleft, dright = tangents
        if dleft is None:
            return self(left, dright)
        if dright is None:
            return self(dleft, right)
        return self(dleft, right) + self(left, dright)

    @property
    def common(self) -> tuple[Shape, Padding, Shape, int]:
        """The parameters that the three operations share."""
        return self.stride, self.padding, self.dilation, self.groups

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        left, right = (
            x if flag else np.broadcast_to(x, (size, *x.shape)) for x, flag in zip(inputs, batched, strict=True)
        )
        return self.batch_both(size, left, right)

    def batch_both(self, size: int, left: Any, right: Any) -> Any:
        """Both operands have the batch axis first: its elements become groups of channels."""
        raise NotImplementedError


def _rows_first(x: Array) -> Array:
    """(batch, n, channels, *s) as (n, batch * channels, *s)."""
    x = np.moveaxis(x, 0, 1)
    return x.reshape((x.shape[0], x.shape[1] * x.shape[2], *x.shape[3:]))


def _rows_last(x: Array, size: int) -> Array:
    """The inverse of ``_rows_first``."""
    return np.moveaxis(x.reshape((x.shape[0], size, x.shape[1] // size, *x.shape[2:])), 1, 0)


def _merged(x: Array) -> Array:
    """The first two axes as one."""
    return x.reshape((x.shape[0] * x.shape[1], *x.shape[2:]))


def _split(x: Array, size: int) -> Array:
    """The first axis as two, the outer one of length ``size``."""
    return x.reshape((size, x.shape[0] // size, *x.shape[1:]))


class Convolution(Form):
    """Cross-correlation of x (N, C, *size) with w (O, C / groups, *kernel): (N, O, *out)."""

    def value(self, x: Any, w: Any) -> Any:
        geometry = Geometry(x.shape[2:], w.shape[2:], *self.common[:3])
        n, groups, kernel, length = len(x), self.groups, volume(w.shape[1:]), volume(geometry.out)
        dtype = np.result_type(x, w)
        windows = geometry.windows(geometry.pad(x))
        weight = np.reshape(w, (groups, len(w) // groups, kernel))
        out = np.empty((n, groups, weight.shape[1], length), dtype)
        for block in blocks(n, groups * kernel * length * dtype.itemsize):
            columns = windows[block].reshape((block.stop - block.start, groups, kernel, length))
            np.matmul(weight, columns, out=out[block])
        return out.reshape((n, len(w), *geometry.out))

    def spec(self, x: TensorSpec, w: TensorSpec) -> TensorSpec:
        geometry = Geometry(x.shape[2:], w.shape[2:], *self.common[:3])
        return TensorSpec((x.shape[0], w.shape[0], *geometry.out), np.result_type(x.dtype, w.dtype))

    def vjp_x(self, g: Array, w: Array, spec: Any) -> Array:
        return ConvolutionInput(*self.common, size=spec.shape[2:])(g, conjugate(w))

    def vjp_w(self, g: Array, x: Array, spec: Any) -> Array:
        return ConvolutionWeight(*self.common, kernel=spec.shape[2:])(g, conjugate(x))

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        x, w = inputs
        if not batched[1]:
            return _split(self(_merged(x), w), size)
        if not batched[0] and self.groups == 1:
            return _rows_last(self(x, _merged(w)), size)
        return super().batch(size, batched, inputs)

    def batch_both(self, size: int, left: Any, right: Any) -> Any:
        wider = Convolution(*self.common[:3], groups=self.groups * size)
        return _rows_last(wider(_rows_first(left), _merged(right)), size)


class ConvolutionInput(Form):
    """The gradient of a convolution towards its input, which is the transposed convolution.

    y (N, O, *out) and w (O, C / groups, *kernel) give (N, C, *size).
    """

    size: Shape = ()

    def value(self, y: Any, w: Any) -> Any:
        geometry = Geometry(self.size, w.shape[2:], *self.common[:3])
        n, groups, kernel, length = len(y), self.groups, volume(w.shape[1:]), volume(geometry.out)
        dtype = np.result_type(y, w)
        weight = np.swapaxes(np.reshape(w, (groups, len(w) // groups, kernel)), 1, 2)
        rows = np.reshape(y, (n, groups, weight.shape[2], length))
        channels = groups * w.shape[1]
        out = np.empty((n, channels, *self.size), dtype)
        for block in blocks(n, groups * kernel * length * dtype.itemsize):
            windows = np.matmul(weight, rows[block])
            shape = (windows.shape[0], channels, *geometry.kernel, *geometry.out)
            out[block] = geometry.overlap_add(windows.reshape(shape))
        return out

    def spec(self, y: TensorSpec, w: TensorSpec) -> TensorSpec:
        return TensorSpec((y.shape[0], w.shape[1] * self.groups, *self.size), np.result_type(y.dtype, w.dtype))

    def vjp_y(self, g: Array, w: Array) -> Array:
        return Convolution(*self.common)(g, conjugate(w))

    def vjp_w(self, g: Array, y: Array, spec: Any) -> Array:
        return ConvolutionWeight(*self.common, kernel=spec.shape[2:])(conjugate(y), g)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        y, w = inputs
        if not batched[1]:
            return _split(self(_merged(y), w), size)
        return super().batch(size, batched, inputs)

    def batch_both(self, size: int, left: Any, right: Any) -> Any:
        wider = ConvolutionInput(*self.common[:3], groups=self.groups * size, size=self.size)
        return _rows_last(wider(_rows_first(left), _merged(right)), size)


class ConvolutionWeight(Form):
    """The gradient of a convolution towards its weight.

    y (N, O, *out) and x (N, C, *size) give (O, C / groups, *kernel).
    """

    kernel: Shape = ()

    def value(self, y: Any, x: Any) -> Any:
        geometry = Geometry(x.shape[2:], self.kernel, *self.common[:3])
        n, groups, length = len(x), self.groups, volume(geometry.out)
        channels = x.shape[1] // groups
        kernel = channels * volume(self.kernel)
        dtype = np.result_type(x, y)
        windows = geometry.windows(geometry.pad(x))
        rows = np.reshape(y, (n, groups, y.shape[1] // groups, length))
        out = np.zeros((groups, rows.shape[2], kernel), dtype)
        for block in blocks(n, groups * kernel * length * dtype.itemsize):
            # The contraction is over the batch and the positions, so these come last in both: one product a group.
            left = np.moveaxis(rows[block], 0, 2).reshape((groups, out.shape[1], -1))
            right = np.moveaxis(windows[block], 0, 1 + len(self.kernel)).reshape((groups, kernel, -1))
            out += np.matmul(left, np.swapaxes(right, 1, 2))
        return out.reshape((y.shape[1], channels, *self.kernel))

    def spec(self, y: TensorSpec, x: TensorSpec) -> TensorSpec:
        shape = (y.shape[1], x.shape[1] // self.groups, *self.kernel)
        return TensorSpec(shape, np.result_type(y.dtype, x.dtype))

    def vjp_y(self, g: Array, x: Array) -> Array:
        return Convolution(*self.common)(conjugate(x), g)

    def vjp_x(self, g: Array, y: Array, spec: Any) -> Array:
        return ConvolutionInput(*self.common, size=spec.shape[2:])(conjugate(y), g)

    def batch_both(self, size: int, left: Any, right: Any) -> Any:
        wider = ConvolutionWeight(*self.common[:3], groups=self.groups * size, kernel=self.kernel)
        return _split(wider(_rows_first(left), _rows_first(right)), size)


# -- the public functions -------------------------------------------------------------------------------------------


def _array(x: Any, name: str) -> Any:
    """An operand with a shape."""
    x = as_operand(x, name)
    return x if hasattr(x, "shape") else np.asarray(x)


class Request:
    """The checked arguments of one of the functions below, and the steps that they share."""

    _NAMES: ClassVar[dict[int, str]] = {1: "1d", 2: "2d", 3: "3d"}

    def __init__(self, name: str, rank: int, x: Any, w: Any, bias: Any, groups: int, out_axis: int) -> None:
        self.name, self.rank, self.groups = f"{name}{self._NAMES.get(rank, '')}", rank, groups
        self.x, self.w = (_array(value, self.name) for value in (x, w))
        self.bias = None if bias is None else _array(bias, self.name)
        self._check(out_axis)
        self.is_batched = self.x.ndim == rank + 2
        if not self.is_batched:
            self.x = self.x.reshape((1, *self.x.shape))

    def _check(self, out_axis: int) -> None:
        x, w, groups, name = self.x.shape, self.w.shape, self.groups, self.name
        if len(x) not in (self.rank + 1, self.rank + 2):
            raise ShapeError(
                f"{name}: the input must have {self.rank + 2} axes (batch, channels, {self.rank} spatial), or "
                f"{self.rank + 1} without a batch; it has shape {x}"
            )
        if len(w) != self.rank + 2:
            raise ShapeError(f"{name}: the weight must have {self.rank + 2} axes, and has shape {w}")
        channels = x[-self.rank - 1]
        if groups < 1 or channels % groups or w[0] % groups:
            raise ShapeError(
                f"{name}: {groups} groups do not divide the {channels} channels of the input and the first axis of "
                f"the weight {w}"
            )
        expected = w[0] if out_axis else w[1] * groups
        if channels != expected:
            raise ShapeError(
                f"{name}: the input has {channels} channels, but the weight {w} with groups={groups} takes {expected}"
            )
        outputs = w[1] * groups if out_axis else w[0]
        if self.bias is not None and self.bias.shape != (outputs,):
            raise ShapeError(f"{name}: the bias must have shape ({outputs},), not {self.bias.shape}")

    def finish(self, out: Any) -> Tensor:
        """Add the bias; drop the batch axis if the input had none."""
        if self.bias is not None:
            out = out + self.bias.reshape((-1, *(1,) * self.rank))
        result: Tensor = out if self.is_batched else out.reshape(out.shape[1:])
        return result

    def padding(self, padding: Any, stride: Shape, dilation: Shape) -> Padding:
        """Padding at both ends of each axis, from numbers, ``"valid"`` or ``"same"``."""
        if padding == "valid":
            return ((0, 0),) * self.rank
        if padding == "same":
            if any(step != 1 for step in stride):
                raise ShapeError(f"{self.name}: padding='same' needs stride 1, not {stride}")
            totals = [d * (k - 1) for d, k in zip(dilation, self.w.shape[2:], strict=True)]
            return tuple((total // 2, total - total // 2) for total in totals)
        if isinstance(padding, str):
            raise ShapeError(f"{self.name}: padding must be numbers, 'same' or 'valid', not {padding!r}")
        return tuple((p, p) for p in per_axis(padding, self.rank, f"{self.name}: padding", least=0))


def _convolution(rank: int, x: Any, w: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Tensor:
    request = Request("conv", rank, x, w, bias, groups, 0)
    name = request.name
    strides, dilations = per_axis(stride, rank, f"{name}: stride"), per_axis(dilation, rank, f"{name}: dilation")
    pads = request.padding(padding, strides, dilations)
    check_fits(Geometry(request.x.shape[2:], request.w.shape[2:], strides, pads, dilations), name)
    return request.finish(apply(Convolution(strides, pads, dilations, groups), request.x, request.w))


def _transposed(
    rank: int, x: Any, w: Any, bias: Any, stride: Any, padding: Any, extra: Any, groups: int, dilation: Any
) -> Tensor:
    request = Request("conv_transpose", rank, x, w, bias, groups, 1)
    name = request.name
    strides, dilations = per_axis(stride, rank, f"{name}: stride"), per_axis(dilation, rank, f"{name}: dilation")
    pads = per_axis(padding, rank, f"{name}: padding", least=0)
    extras = per_axis(extra, rank, f"{name}: output_padding", least=0)
    if any(e >= max(s, d) for e, s, d in zip(extras, strides, dilations, strict=True)):
        raise ShapeError(f"{name}: output_padding {extras} must be smaller than the stride or the dilation")
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(
            request.x.shape[2:], strides, pads, dilations, request.w.shape[2:], extras, strict=True
        )
    )
    if any(n < 1 for n in size):
        raise ShapeError(f"{name}: the result would have the spatial shape {size}; the padding is too large")
    both_ends = tuple((p, p) for p in pads)
    operation = ConvolutionInput(strides, both_ends, dilations, groups, size=size)
    return request.finish(apply(operation, request.x, request.w))


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation over one spatial axis; see ``conv2d``.

    >>> import wengert as wg
    >>> wg.conv1d(wg.tensor([[1.0, 2.0, 4.0]]), wg.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2.]])
    """
    return _convolution(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of images (N, C, H, W), or one image (C, H, W), with filters (O, C / groups, h, w).

    The result has shape (N, O, H', W') with H' = (H + 2 padding - dilation (h - 1) - 1) // stride + 1. ``stride``,
    ``padding`` and ``dilation`` are numbers or pairs; ``padding`` may be ``"valid"`` (none) or ``"same"`` (H' = H, for
    stride 1; the odd element goes to the end). ``bias`` has shape (O,). Raises ``ShapeError`` if the channels do not
    fit, the groups do not divide them, or the kernel is longer than the padded input.

    >>> import wengert as wg
    >>> wg.conv2d(wg.ones(1, 1, 4, 4), wg.ones(2, 1, 3, 3), padding="same")[0, 1]
    tensor([[4., 6., 6., 4.],
            [6., 9., 9., 6.],
            [6., 9., 9., 6.],
            [4., 6., 6., 4.]])
    """
    return _convolution(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation over three spatial axes; see ``conv2d``."""
    return _convolution(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution over one spatial axis; see ``conv_transpose2d``."""
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The transpose of ``conv2d`` as a linear map: (N, C, H, W) with a weight (C, O / groups, h, w) to (N, O, H', W').

    H' = (H - 1) stride - 2 padding + dilation (h - 1) + output_padding + 1; ``output_padding`` chooses among the input
    lengths that ``conv2d`` maps to the same output length. Raises ``ShapeError`` as ``conv2d`` does.

    >>> import wengert as wg
    >>> wg.conv_transpose2d(wg.ones(1, 2, 2), wg.ones(1, 1, 2, 2), stride=2).shape
    (1, 4, 4)
    """
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution over three spatial axes; see ``conv_transpose2d``."""
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)
