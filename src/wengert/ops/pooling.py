"""Pooling over windows of the trailing axes, in one to three dimensions, and windows laid out as columns (unfold).

Leading axes are free: (N, C, *size) and (C, *size) both work. Where several elements of a window are the greatest, the
first one (in row-major order) gets the whole gradient, as in PyTorch; ``max`` of a whole axis shares it instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply, as_operand
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, Shape, TensorSpec, real_dtype
from wengert.ops.families import Linear
from wengert.ops.windows import Geometry, Padding, check_fits, per_axis, volume


class Pooling(Primitive, abstract=True):
    """Parameters that all pooling operations share. Spatial axes are the last ``len(kernel)`` ones."""

    kernel: Shape
    stride: Shape
    padding: Padding
    dilation: Shape
    ceil: bool = False
    maps_leading_axes = True

    def geometry(self, size: Shape) -> Geometry:
        """How the windows lie over spatial axes of these lengths."""
        return Geometry(size, self.kernel, self.stride, self.padding, self.dilation, self.ceil)

    def spatial(self, shape: Shape) -> Shape:
        """The spatial part of an operand's shape."""
        return shape[len(shape) - len(self.kernel) :]

    def pooled(self, x: TensorSpec, dtype: Any = None) -> TensorSpec:
        """The spec of a result with one element for each window."""
        lead = x.shape[: len(x.shape) - len(self.kernel)]
        return TensorSpec((*lead, *self.geometry(self.spatial(x.shape)).out), dtype or x.dtype)


# -- maxima ---------------------------------------------------------------------------------------------------------


def _lowest(dtype: Any) -> Any:
    return -np.inf if np.dtype(dtype).kind == "f" else np.iinfo(dtype).min


class MaxPool(Pooling):
    """The greatest element of each window. Kept for the gradient: its place within the window, a byte each."""

    def value(self, x: Any) -> Any:
        return self._greatest(self._candidates(x))

    def value_and_aux(self, x: Any) -> tuple[Any, Any]:
        candidates = self._candidates(x)
        best = self._greatest(candidates)
        return best, self._first(candidates, best)

    def traced(self, bind: Callable[..., Any], *inputs: Any) -> tuple[Any, Any]:
        return bind(self, *inputs), bind(MaxPoolOffsets(**self.parameters()), *inputs)

    def _candidates(self, x: Any) -> list[Any]:
        """For each place within the window the elements there, of all windows: views."""
        geometry = self.geometry(self.spatial(x.shape))
        padded = geometry.pad(x, _lowest(x.dtype))
        return [padded[geometry.position(offset)] for offset in np.ndindex(self.kernel)]

    @staticmethod
    def _greatest(candidates: Sequence[Any]) -> Any:
        best = candidates[0].copy()
        for candidate in candidates[1:]:
            np.maximum(best, candidate, out=best)
        return best

    @staticmethod
    def _first(candidates: Sequence[Any], best: Any) -> Any:
        """The first place where the maximum stands: as many places as come before it."""
        places = np.zeros(best.shape, np.min_scalar_type(len(candidates) - 1))
        searching = np.ones(best.shape, np.bool_)
        has_nan = best.dtype.kind == "f" and bool(np.isnan(best).any())
        for candidate in candidates[:-1]:
            searching &= candidate != best
            if has_nan:
                searching &= ~np.isnan(candidate)
            places += searching
        return places

    def spec(self, x: TensorSpec) -> TensorSpec:
        return self.pooled(x)

    def vjp_x(self, g: Array, aux: Any, spec: Any) -> Array:
        return WindowPlace(**self.parameters(), size=self.spatial(spec.shape))(g, aux)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return WindowPick(**self.parameters())(tangents[0], MaxPoolOffsets(**self.parameters())(inputs[0]))


class MaxPoolOffsets(MaxPool):
    """The place of the greatest element within each window, counted in row-major order."""

    differentiable = False

    def value(self, x: Any) -> Any:
        candidates = self._candidates(x)
        return self._first(candidates, self._greatest(candidates))

    def spec(self, x: TensorSpec) -> TensorSpec:
        return self.pooled(x, np.min_scalar_type(volume(self.kernel) - 1))


class WindowPick(Pooling):
    """From each window of x the element at a given place."""

    def value(self, x: Any, offsets: Any) -> Any:
        geometry = self.geometry(self.spatial(x.shape))
        padded = geometry.pad(x)
        shape = np.broadcast_shapes((*x.shape[: x.ndim - len(self.kernel)], *geometry.out), offsets.shape)
        out = np.empty(shape, x.dtype)
        for place, offset in enumerate(np.ndindex(self.kernel)):
            np.copyto(out, padded[geometry.position(offset)], where=offsets == place)
        return out

    def spec(self, x: TensorSpec, offsets: TensorSpec) -> TensorSpec:
        pooled = self.pooled(x)
        return TensorSpec(np.broadcast_shapes(pooled.shape, offsets.shape), x.dtype)

    vjp_offsets = None

    def vjp_x(self, g: Array, offsets: Array, spec: Any) -> Array:
        return WindowPlace(**self.parameters(), size=self.spatial(spec.shape))(g, offsets)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return self(tangents[0], inputs[1])


class WindowPlace(Pooling):
    """Add each element of y into its window at a given place; the transpose of ``WindowPick``."""

    size: Shape = ()

    def value(self, y: Any, offsets: Any) -> Any:
        geometry = self.geometry(self.size)
        shape = np.broadcast_shapes(y.shape, offsets.shape)
        padded = np.zeros((*shape[: len(shape) - len(self.kernel)], *geometry.padded), y.dtype)
        zero = y.dtype.type(0)
        # A product with the mask is twice as fast as ``where``, but infinity times zero is NaN.
        is_finite = y.dtype.kind not in "fc" or bool(np.isfinite(y).all())
        for place, offset in enumerate(np.ndindex(self.kernel)):
            here = offsets == place
            padded[geometry.position(offset)] += y * here if is_finite else np.where(here, y, zero)
        return geometry.crop(padded)

    def spec(self, y: TensorSpec, offsets: TensorSpec) -> TensorSpec:
        shape = np.broadcast_shapes(y.shape, offsets.shape)
        return TensorSpec((*shape[: len(shape) - len(self.kernel)], *self.size), y.dtype)

    vjp_offsets = None

    def vjp_y(self, g: Array, offsets: Array) -> Array:
        parameters = self.parameters()
        del parameters["size"]
        return WindowPick(**parameters)(g, offsets)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return self(tangents[0], inputs[1])


# -- means ----------------------------------------------------------------------------------------------------------


class AvgPool(Pooling, Linear):
    """The mean of each window."""

    include_padding: bool = True

    def value(self, x: Any) -> Any:
        geometry = self.geometry(self.spatial(x.shape))
        padded = geometry.pad(x)
        total: Any = None
        for offset in np.ndindex(self.kernel):
            part = padded[geometry.position(offset)]
            if total is None:
                total = part.astype(np.result_type(x.dtype, 1.0 if x.dtype.kind in "iub" else x.dtype))
            else:
                total += part
        return np.divide(total, self.counts(geometry), out=total, casting="same_kind")

    def counts(self, geometry: Geometry) -> Any:
        """How many elements each window has; a number if all have the same."""
        per_axis_counts = [
            _window_lengths(geometry, axis, self.padding[axis], self.include_padding)
            for axis in range(len(self.kernel))
        ]
        if all((lengths == lengths[:1]).all() for lengths in per_axis_counts):
            return float(np.prod([lengths[0] if len(lengths) else 1 for lengths in per_axis_counts]))
        counts: Any = 1.0
        for lengths in per_axis_counts:
            counts = np.multiply.outer(counts, lengths)
        return counts

    def spec(self, x: TensorSpec) -> TensorSpec:
        return self.pooled(x, np.float64 if x.dtype.kind in "iub" else x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return AvgPoolTranspose(**self.parameters(), size=self.spatial(spec.shape))(g)


def _window_lengths(geometry: Geometry, axis: int, padding: tuple[int, int], include_padding: bool) -> np.ndarray:
    """The number of elements along one axis in each window. What sticks out beyond the padding never counts."""
    low, high = padding
    starts = np.arange(geometry.out[axis]) * geometry.stride[axis]
    places = starts[:, None] + np.arange(geometry.kernel[axis]) * geometry.dilation[axis]
    first, end = (0, low + geometry.size[axis] + high) if include_padding else (low, low + geometry.size[axis])
    return ((places >= first) & (places < end)).sum(axis=1)


class AvgPoolTranspose(Pooling, Linear):
    """Share each element evenly among its window; the transpose of ``AvgPool``."""

    include_padding: bool = True
    size: Shape = ()

    def value(self, y: Any) -> Any:
        geometry = self.geometry(self.size)
        shared = y / np.asarray(self._pooling().counts(geometry), real_dtype(y.dtype))
        padded = np.zeros((*y.shape[: y.ndim - len(self.kernel)], *geometry.padded), shared.dtype)
        for offset in np.ndindex(self.kernel):
            padded[geometry.position(offset)] += shared
        return geometry.crop(padded)

    def _pooling(self) -> AvgPool:
        parameters = self.parameters()
        del parameters["size"]
        return AvgPool(**parameters)

    def spec(self, y: TensorSpec) -> TensorSpec:
        return TensorSpec((*y.shape[: len(y.shape) - len(self.kernel)], *self.size), y.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return self._pooling()(g)


# -- windows as columns ---------------------------------------------------------------------------------------------


class Unfold(Pooling, Linear):
    """Windows as columns: (..., C, *size) to (..., C * kernel, windows)."""

    def value(self, x: Any) -> Any:
        geometry = self.geometry(self.spatial(x.shape))
        windows = geometry.windows(geometry.pad(x))
        lead = x.shape[: x.ndim - len(self.kernel)]
        return windows.reshape((*lead[:-1], lead[-1] * volume(self.kernel), volume(geometry.out))).copy()

    def spec(self, x: TensorSpec) -> TensorSpec:
        geometry = self.geometry(self.spatial(x.shape))
        lead = x.shape[: len(x.shape) - len(self.kernel)]
        return TensorSpec((*lead[:-1], lead[-1] * volume(self.kernel), volume(geometry.out)), x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return Fold(**self.parameters(), size=self.spatial(spec.shape))(g)


class Fold(Pooling, Linear):
    """Sum columns back to where their windows lay; the transpose of ``Unfold``."""

    size: Shape = ()

    def value(self, y: Any) -> Any:
        geometry = self.geometry(self.size)
        channels = y.shape[-2] // volume(self.kernel)
        return geometry.overlap_add(y.reshape((*y.shape[:-2], channels, *self.kernel, *geometry.out)))

    def spec(self, y: TensorSpec) -> TensorSpec:
        return TensorSpec((*y.shape[:-2], y.shape[-2] // volume(self.kernel), *self.size), y.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        parameters = self.parameters()
        del parameters["size"]
        return Unfold(**parameters)(g)


# -- the public functions -------------------------------------------------------------------------------------------


def _parameters(
    name: str, rank: int, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> tuple[Shape, Shape, Padding, Shape, bool]:
    """The checked parameters of a pooling operation."""
    _check_rank(name, rank, x)
    kernels = per_axis(kernel, rank, f"{name}: kernel_size")
    strides = kernels if stride is None else per_axis(stride, rank, f"{name}: stride")
    dilations = per_axis(dilation, rank, f"{name}: dilation")
    pads = per_axis(padding, rank, f"{name}: padding", least=0)
    if any(2 * p > k for p, k in zip(pads, kernels, strict=True)):
        raise ShapeError(f"{name}: padding {pads} must be at most half of the kernel {kernels}")
    both_ends = tuple((p, p) for p in pads)
    check_fits(Geometry(x.shape[len(x.shape) - rank :], kernels, strides, both_ends, dilations), name)
    return kernels, strides, both_ends, dilations, ceil


def _check_rank(name: str, rank: int, x: Any) -> None:
    if len(getattr(x, "shape", ())) < rank:
        raise ShapeError(f"{name}: the input needs {rank} spatial axes, and has shape {getattr(x, 'shape', ())}")


def _max_pool(
    rank: int, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, return_indices: bool
) -> Any:
    name = f"max_pool{rank}d"
    x = as_operand(x, name)
    if getattr(x, "dtype", np.dtype("O")).kind not in "iuf":
        raise DTypeError(f"{name}: {getattr(x, 'dtype', type(x).__name__)} numbers have no maximum")
    parameters = _parameters(name, rank, x, kernel, stride, padding, dilation, ceil)
    if not return_indices:
        return apply(MaxPool(*parameters), x)
    offsets = apply(MaxPoolOffsets(*parameters), x)
    operation = WindowPick(*parameters)
    return apply(operation, x, offsets), _flat_indices(operation, x.shape[x.ndim - rank :], offsets)


def _flat_indices(operation: Pooling, size: Shape, offsets: Any) -> Tensor:
    """Indices into the flattened spatial axes, from places within windows."""
    geometry = operation.geometry(size)
    flat: Any = 0
    rest = np.astype(offsets, np.int64)
    for axis in reversed(range(len(size))):
        within = rest % operation.kernel[axis]
        rest = rest // operation.kernel[axis]
        start = np.arange(geometry.out[axis]) * operation.stride[axis] - operation.padding[axis][0]
        position = start.reshape((-1, *(1,) * (len(size) - axis - 1))) + within * operation.dilation[axis]
        flat = flat + position * volume(size[axis + 1 :])
    return as_tensor(flat)


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of the last axis; see ``max_pool2d``."""
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of the last two axes.

    ``stride`` is ``kernel_size`` unless given. The padding never is the maximum; it may be at most half of the kernel.
    ``ceil_mode`` counts windows by rounding up. With ``return_indices`` the indices of the maxima into the flattened
    spatial axes come second. Among equal elements the first is the maximum, and gets the whole gradient. Raises
    ``ShapeError`` if the kernel is longer than the padded input.

    >>> import wengert as wg
    >>> wg.max_pool2d(wg.tensor([[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 7.0, 6.0]]), 2)
    tensor([[5., 7.]])
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of the last three axes; see ``max_pool2d``."""
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _avg_pool(rank: int, x: Any, kernel: Any, stride: Any, padding: Any, ceil: bool, count_include_pad: bool) -> Tensor:
    name = f"avg_pool{rank}d"
    x = as_operand(x, name)
    parameters = _parameters(name, rank, x, kernel, stride, padding, 1, ceil)
    result: Tensor = apply(AvgPool(*parameters, include_padding=bool(count_include_pad)), x)
    return result


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of the last axis; see ``avg_pool2d``."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of the last two axes.

    ``stride`` is ``kernel_size`` unless given. Zeros of the padding count as elements unless ``count_include_pad`` is
    false. Raises ``ShapeError`` if the kernel is longer than the padded input.

    >>> import wengert as wg
    >>> wg.avg_pool2d(wg.tensor([[1.0, 5.0, 2.0, 0.0], [3.0, 3.0, 7.0, 3.0]]), 2)
    tensor([[3., 3.]])
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of the last three axes; see ``avg_pool2d``."""
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


# -- windows chosen by the size of the result -----------------------------------------------------------------------


def _targets(name: str, rank: int, x: Any, output_size: Any) -> Shape:
    _check_rank(name, rank, x)
    sizes = (output_size,) * rank if output_size is None or hasattr(output_size, "__index__") else output_size
    spatial = x.shape[x.ndim - rank :]
    if len(sizes) != rank:
        raise ShapeError(f"{name}: output_size must have {rank} entries, not {output_size!r}")
    chosen = tuple(n if size is None else size for n, size in zip(spatial, sizes, strict=True))
    if 0 in spatial:
        raise ShapeError(f"{name}: a spatial axis of the input {x.shape} is empty")
    return per_axis(chosen, rank, f"{name}: output_size")


def _adaptive_windows(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of ``m`` windows that cover ``n`` elements: PyTorch's floor(i n / m), ceil((i + 1) n / m)."""
    steps = np.arange(m)
    return steps * n // m, -(-(steps + 1) * n // m)


def _adaptive_avg(rank: int, x: Any, output_size: Any) -> Tensor:
    name = f"adaptive_avg_pool{rank}d"
    x = as_tensor(x)
    sizes = _targets(name, rank, x, output_size)
    spatial = x.shape[x.ndim - rank :]
    if all(n % m == 0 for n, m in zip(spatial, sizes, strict=True)):
        return _avg_pool(rank, x, tuple(n // m for n, m in zip(spatial, sizes, strict=True)), None, 0, False, True)
    for axis, (n, m) in enumerate(zip(spatial, sizes, strict=True), start=-rank):
        starts, ends = _adaptive_windows(n, m)
        places = np.arange(n)
        inside = (places >= starts[:, None]) & (places < ends[:, None])
        weights = (inside / (ends - starts)[:, None]).astype(real_dtype(x.dtype) if x.dtype.kind in "fc" else None)
        x = np.swapaxes(np.matmul(np.swapaxes(x, axis, -1), weights.T), axis, -1)
    return as_tensor(x)


def _adaptive_max(rank: int, x: Any, output_size: Any) -> Tensor:
    name = f"adaptive_max_pool{rank}d"
    x = as_tensor(x)
    sizes = _targets(name, rank, x, output_size)
    kernel = []
    for axis, (n, m) in enumerate(zip(x.shape[x.ndim - rank :], sizes, strict=True), start=-rank):
        starts, ends = _adaptive_windows(n, m)
        longest = int((ends - starts).max())
        # Shorter windows repeat their last element, which changes no maximum; the first of equals gets the gradient.
        places = np.minimum(starts[:, None] + np.arange(longest), ends[:, None] - 1)
        if longest * m != n:
            x = np.take(x, places.reshape(-1), axis=axis)
        kernel.append(longest)
    result: Tensor = _max_pool(rank, x, tuple(kernel), None, 0, 1, False, False)
    return result


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Tensor:
    """Means of windows of the last axis, as many as ``output_size``; see ``adaptive_avg_pool2d``."""
    return _adaptive_avg(1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Tensor:
    """Means of windows of the last two axes, chosen so that the result has the spatial shape ``output_size``.

    Window i of m covers the elements from floor(i n / m) up to ceil((i + 1) n / m), so windows may overlap. ``None``
    for a length keeps that of the input.

    >>> import wengert as wg
    >>> wg.adaptive_avg_pool2d(wg.tensor([[1.0, 2.0, 3.0]]), (1, 2))
    tensor([[1.5, 2.5]])
    """
    return _adaptive_avg(2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Tensor:
    """Means of windows of the last three axes; see ``adaptive_avg_pool2d``."""
    return _adaptive_avg(3, input, output_size)


def adaptive_max_pool1d(input: Any, output_size: Any) -> Tensor:
    """Maxima of windows of the last axis, as many as ``output_size``; see ``adaptive_avg_pool2d``."""
    return _adaptive_max(1, input, output_size)


def adaptive_max_pool2d(input: Any, output_size: Any) -> Tensor:
    """Maxima of windows of the last two axes, chosen as in ``adaptive_avg_pool2d``."""
    return _adaptive_max(2, input, output_size)


def adaptive_max_pool3d(input: Any, output_size: Any) -> Tensor:
    """Maxima of windows of the last three axes, chosen as in ``adaptive_avg_pool2d``."""
    return _adaptive_max(3, input, output_size)


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Windows of (N, C, H, W) as columns: (N, C h w, number of windows); the batch axis may be missing.

    >>> import wengert as wg
    >>> wg.unfold(wg.arange(6).reshape(1, 2, 3), 2)
    tensor([[0, 1],
            [1, 2],
            [3, 4],
            [4, 5]])
    """
    x = as_operand(input, "unfold")
    if len(getattr(x, "shape", ())) < 3:
        raise ShapeError(f"unfold: expected (N, C, H, W) or (C, H, W), got the shape {getattr(x, 'shape', ())}")
    parameters = _column_parameters("unfold", x.shape[-2:], kernel_size, stride, padding, dilation)
    result: Tensor = apply(Unfold(*parameters), x)
    return result


def fold(
    input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Sum columns (N, C h w, number of windows) back to (N, C, *output_size): the transpose of ``unfold``.

    Raises ``ShapeError`` if there are not as many columns as windows, or not a multiple of the kernel in each.
    """
    x = as_operand(input, "fold")
    size = per_axis(output_size, 2, "fold: output_size")
    kernels, strides, pads, dilations = _column_parameters("fold", size, kernel_size, stride, padding, dilation)
    windows = volume(Geometry(size, kernels, strides, pads, dilations).out)
    shape: Shape = getattr(x, "shape", ())
    if len(shape) < 2 or shape[-1] != windows or shape[-2] % volume(kernels):
        raise ShapeError(
            f"fold: expected (..., C * {volume(kernels)}, {windows}) for the output size {size} and the kernel "
            f"{kernels}, got {shape}"
        )
    result: Tensor = apply(Fold(kernels, strides, pads, dilations, size=size), x)
    return result


def _column_parameters(
    name: str, size: Shape, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> tuple[Shape, Shape, Padding, Shape]:
    kernels = per_axis(kernel, 2, f"{name}: kernel_size")
    strides, dilations = per_axis(stride, 2, f"{name}: stride"), per_axis(dilation, 2, f"{name}: dilation")
    pads = tuple((p, p) for p in per_axis(padding, 2, f"{name}: padding", least=0))
    check_fits(Geometry(size, kernels, strides, pads, dilations), name)
    return kernels, strides, pads, dilations
