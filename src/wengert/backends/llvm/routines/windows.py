"""Convolution and its transposes: windows are copied out as columns, one image at a time, for matrix products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm import products
from wengert.backends.llvm.layout import contiguous, size
from wengert.backends.llvm.loops import index, load, loop, nest, place, store
from wengert.backends.llvm.products import Matrix
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode, Value
from wengert.core.types import Shape, TensorSpec
from wengert.ops.convolution import Convolution, ConvolutionInput, ConvolutionWeight
from wengert.ops.pooling import Fold, Unfold
from wengert.ops.windows import Geometry

ir: Any = LazyModule("llvmlite.ir")


class Image:
    """The windows over so many channels of one image, whose padding is written out in scratch memory if it has any."""

    def __init__(self, site: Site, geometry: Geometry, channels: int, padded: Any, dtype: Any) -> None:
        self.site, self.builder, self.emitter = site, site.builder, site.emitter
        self.geometry, self.channels, self.padded, self.dtype = geometry, channels, padded, dtype
        self.column = (channels, *geometry.kernel, *geometry.out)

    def clear(self) -> None:
        """Zeros in the padded image."""
        zero = self.emitter.constant(0, self.dtype)
        with loop(self.builder, self.channels * size(self.geometry.padded)) as k:
            store(self.emitter, zero, self.padded, k)

    def _interior(self, visit: Callable[[Any, Any], None]) -> None:
        geometry = self.geometry
        shape, padded = (self.channels, *geometry.size), (self.channels, *geometry.padded)
        strides = contiguous(padded)
        start = sum(low * s for (low, _), s in zip(geometry.padding, strides[1:], strict=True))

        def one(numbers: list[Any]) -> None:
            visit(place(self.builder, numbers, contiguous(shape)), place(self.builder, numbers, strides, start))

        nest(self.builder, shape, one)

    def _windows(self, visit: Callable[[Any, Any], None]) -> None:
        geometry = self.geometry
        channel, *steps = contiguous((self.channels, *geometry.padded))
        inside = [s * d for s, d in zip(steps, geometry.dilation, strict=True)]
        between = [s * d for s, d in zip(steps, geometry.stride, strict=True)]

        def one(numbers: list[Any]) -> None:
            where = place(self.builder, numbers, (channel, *inside, *between))
            visit(place(self.builder, numbers, contiguous(self.column)), where)

        nest(self.builder, self.column, one)

    def unfold(self, source: Any, columns: Any) -> None:
        """Write the windows of an image as columns."""
        if self.geometry.is_padded:
            self._interior(lambda a, b: store(self.emitter, load(self.emitter, source, a, self.dtype), self.padded, b))
            source = self.padded
        self._windows(lambda a, b: store(self.emitter, load(self.emitter, source, b, self.dtype), columns, a))

    def fold(self, columns: Any, target: Any) -> None:
        """Add columns up to an image."""
        self.clear()

        def add(a: Any, b: Any) -> None:
            total = load(self.emitter, self.padded, b, self.dtype), load(self.emitter, columns, a, self.dtype)
            store(self.emitter, self.emitter.ufunc(np.add, total), self.padded, b)

        self._windows(add)
        self._interior(lambda a, b: store(self.emitter, load(self.emitter, self.padded, b, self.dtype), target, a))


class _Sizes:
    """The lengths in a convolution: images, groups, channels and filters of a group, windows, elements of a window."""

    def __init__(self, node: GraphNode) -> None:
        op: Any = node.primitive
        first, second = (x.shape for x in node.inputs)
        (out,) = (y.shape for y in node.results)
        x, w, _ = {
            Convolution: (first, second, out),
            ConvolutionInput: (out, second, first),
            ConvolutionWeight: (second, out, first),
        }[type(op)]
        self.geometry = Geometry(x[2:], w[2:], *op.common[:3])
        self.images, self.groups = x[0], op.groups
        self.channels, self.filters = w[1], w[0] // op.groups
        self.window, self.windows = size(w[1:]), size(self.geometry.out)
        self.image, self.pixels = self.channels * size(x[2:]), self.filters * self.windows

    @property
    def is_plain(self) -> bool:
        """Whether the image itself is the columns."""
        g = self.geometry
        return not g.is_padded and size(g.kernel) == 1 and size(g.stride) == 1

    def scratch(self, *more: int) -> list[tuple[int]]:
        """Elements of the padded image, of its columns, and of what else is needed."""
        padded = self.channels * size(self.geometry.padded)
        return [(max(1, count),) for count in (padded, self.window * self.windows, *more)]


def _scratch(node: GraphNode) -> Sequence[TensorSpec]:
    sizes = _Sizes(node)
    more = [sizes.filters * sizes.window] if isinstance(node.primitive, ConvolutionWeight) else []
    return [TensorSpec(shape, node.dtype) for shape in sizes.scratch(*more)]


def _floats(node: GraphNode) -> str:
    fit = all(isinstance(x, Value) and x.dtype == node.dtype for x in node.operands)
    return "" if fit and node.dtype.char in "fd" else "these dtypes"


def _by_rows(rows: int, columns: int) -> Matrix:
    return Matrix(rows, columns, columns if rows > 1 else 0, 1 if columns > 1 else 0)


def _turned(x: Matrix) -> Matrix:
    return Matrix(x.columns, x.rows, x.column_stride, x.row_stride)


def _multiply(site: Site, a: tuple[Matrix, Any], b: tuple[Matrix, Any], out: Any) -> None:
    """``out = a @ b`` for matrices and where they begin."""
    matrices = a[0], b[0], _by_rows(a[0].rows, b[0].columns)
    products.one_product(site, matrices, [a[1], b[1], out], site.node.dtype)


def _each_group(site: Site, sizes: _Sizes, visit: Callable[[Any, Any, Any, Any], None]) -> None:
    """``visit(image number, x, w, y)`` with where the image, the filters and the windows of a group begin, as steps."""
    builder = site.builder

    def one(numbers: list[Any]) -> None:
        number = place(builder, numbers, (sizes.groups, 1))
        x = builder.mul(number, index(sizes.image))
        w = builder.mul(numbers[1], index(sizes.filters * sizes.window))
        visit(numbers[0], x, w, builder.mul(number, index(sizes.pixels)))

    nest(builder, (sizes.images, sizes.groups), one)


@routine(Convolution, refuses=_floats, scratch=_scratch)
def convolution(site: Site) -> None:
    sizes, builder = _Sizes(site.node), site.builder
    image = Image(site, sizes.geometry, sizes.channels, site.scratch(0), site.node.dtype)
    if sizes.geometry.is_padded:
        image.clear()

    def one(number: Any, x: Any, w: Any, y: Any) -> None:
        columns = source = builder.gep(site.operand(0), [x])
        if not sizes.is_plain:
            columns = site.scratch(1)
            image.unfold(source, columns)
        filters = _by_rows(sizes.filters, sizes.window), builder.gep(site.operand(1), [w])
        windows = _by_rows(sizes.window, sizes.windows), columns
        _multiply(site, filters, windows, builder.gep(site.result(), [y]))

    _each_group(site, sizes, one)


@routine(ConvolutionInput, refuses=_floats, scratch=_scratch)
def convolution_input(site: Site) -> None:
    sizes, builder = _Sizes(site.node), site.builder
    image = Image(site, sizes.geometry, sizes.channels, site.scratch(0), site.node.dtype)

    def one(number: Any, x: Any, w: Any, y: Any) -> None:
        target = builder.gep(site.result(), [x])
        filters = _turned(_by_rows(sizes.filters, sizes.window)), builder.gep(site.operand(1), [w])
        rows = _by_rows(sizes.filters, sizes.windows), builder.gep(site.operand(0), [y])
        _multiply(site, filters, rows, target if sizes.is_plain else site.scratch(1))
        if not sizes.is_plain:
            image.fold(site.scratch(1), target)

    _each_group(site, sizes, one)


@routine(ConvolutionWeight, refuses=_floats, scratch=_scratch)
def convolution_weight(site: Site) -> None:
    sizes, builder, emitter, dtype = _Sizes(site.node), site.builder, site.emitter, site.node.dtype
    image = Image(site, sizes.geometry, sizes.channels, site.scratch(0), dtype)
    if sizes.geometry.is_padded:
        image.clear()
    with loop(builder, size(site.node.shape)) as k:
        store(emitter, emitter.constant(0, dtype), site.result(), k)

    def one(number: Any, x: Any, w: Any, y: Any) -> None:
        columns = source = builder.gep(site.operand(1), [x])
        if not sizes.is_plain:
            columns = site.scratch(1)
            image.unfold(source, columns)
        rows = _by_rows(sizes.filters, sizes.windows), builder.gep(site.operand(0), [y])
        part, total = site.scratch(2), builder.gep(site.result(), [w])
        _multiply(site, rows, (_turned(_by_rows(sizes.window, sizes.windows)), columns), part)
        with loop(builder, sizes.filters * sizes.window) as k:
            both = load(emitter, total, k, dtype), load(emitter, part, k, dtype)
            store(emitter, emitter.ufunc(np.add, both), total, k)

    _each_group(site, sizes, one)


# -- windows as columns -----------------------------------------------------------------------------------------------


def _window_geometry(node: GraphNode) -> tuple[Geometry, Shape]:
    """How the windows lie, and the leading axes, of which all are channels."""
    op: Any = node.primitive
    image = node.results[0].shape if isinstance(op, Fold) else node.inputs[0].shape
    return op.geometry(op.spatial(image)), image[: len(image) - len(op.kernel)]


def _window_space(node: GraphNode) -> Sequence[TensorSpec]:
    geometry, lead = _window_geometry(node)
    return [TensorSpec((max(1, size(lead) * size(geometry.padded)),), node.dtype)]


def _numbers(node: GraphNode) -> str:
    return "" if node.dtype.char in "bhilqBHILQfd" and node.inputs[0].dtype == node.dtype else "these dtypes"


@routine(Unfold, Fold, refuses=_numbers, scratch=_window_space)
def columns(site: Site) -> None:
    geometry, lead = _window_geometry(site.node)
    image = Image(site, geometry, size(lead), site.scratch(0), site.node.dtype)
    if isinstance(site.op, Fold):
        image.fold(site.operand(0), site.result())
        return
    if geometry.is_padded:
        image.clear()
    image.unfold(site.operand(0), site.result())
