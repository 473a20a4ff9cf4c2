"""Pooling: the greatest element or the mean of each window, and their transposes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.backends.llvm.layout import contiguous, size
from wengert.backends.llvm.loops import index, load, loop, nest, place, register, store
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.backends.llvm.scalars import Scalar, ir_type
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode, Value
from wengert.ops.pooling import AvgPool, AvgPoolTranspose, MaxPool, MaxPoolOffsets, WindowPick, WindowPlace
from wengert.ops.windows import Geometry

ir: Any = LazyModule("llvmlite.ir")

_WORD = np.dtype(np.int64)


def _numbers(node: GraphNode) -> str:
    fit = all(isinstance(x, Value) and x.dtype.char in "bhilqBHILQfd" for x in (*node.operands, *node.results))
    return "" if fit else "these dtypes"


def _same_lead(node: GraphNode) -> str:
    x, offsets = node.inputs
    rank = len(node.primitive.kernel)  # type: ignore[attr-defined]
    same = x.shape[: len(x.shape) - rank] == offsets.shape[: len(offsets.shape) - rank]
    return _numbers(node) or ("" if same else "leading axes that broadcast")


class Pool:
    """The windows of a pooling operation over an array of this shape."""

    def __init__(self, site: Site, shape: tuple[int, ...]) -> None:
        self.site, self.builder, self.emitter = site, site.builder, site.emitter
        rank = len(site.op.kernel)
        self.lead = size(shape[: len(shape) - rank])
        self.geometry: Geometry = site.op.geometry(shape[len(shape) - rank :])

    def each(self, visit: Callable[[Any, list[Any], Any], None]) -> None:
        """``visit(number, window, image)`` for each window: its number, its place along each axis, and where the image
        begins."""
        out, count = self.geometry.out, size(self.geometry.size)

        def one(numbers: list[Any]) -> None:
            number = place(self.builder, numbers, contiguous((self.lead, *out)))
            visit(number, numbers[1:], self.builder.mul(numbers[0], index(count)))

        nest(self.builder, (self.lead, *out), one)

    def inside(self, visit: Callable[[list[Any]], None]) -> None:
        """``visit(offsets)`` for each place within a window."""
        nest(self.builder, self.geometry.kernel, visit)

    def spot(self, window: list[Any], offsets: list[Any], image: Any) -> tuple[Any, Any]:
        """Where an element of a window lies, and whether it is one of the image; if not, where the image begins."""
        geometry, builder = self.geometry, self.builder
        total, is_inside = image, ir.Constant(ir.IntType(1), 1)
        for axis, step in enumerate(contiguous(geometry.size)):
            where = builder.mul(window[axis], index(geometry.stride[axis]))
            where = builder.add(where, builder.mul(offsets[axis], index(geometry.dilation[axis])))
            if geometry.padding[axis] != (0, 0):
                where = builder.sub(where, index(geometry.padding[axis][0]))
                fits = builder.icmp_unsigned("<", where, index(geometry.size[axis]))
                is_inside = builder.and_(is_inside, fits)
            total = builder.add(total, builder.mul(where, index(step)))
        return builder.select(is_inside, total, image), is_inside

    def offsets(self, number: Any) -> list[Any]:
        """Places within a window along each axis, from one number, which counts as 0 if it is none of them."""
        kernel, builder = self.geometry.kernel, self.builder
        if number.type.width < 64:
            number = builder.zext(number, ir.IntType(64))
        number = builder.select(builder.icmp_unsigned("<", number, index(size(kernel))), number, index(0))
        found = []
        for n in reversed(kernel):
            found.append(builder.urem(number, index(n)))
            number = builder.udiv(number, index(n))
        return found[::-1]

    def count(self, window: list[Any], include_padding: bool) -> Scalar:
        """How many elements of a window count."""
        builder, geometry = self.builder, self.geometry
        total = index(1)
        for axis, (low, high) in enumerate(self.site.op.padding):
            lengths = [0 if include_padding else low, low + geometry.size[axis] + (high if include_padding else 0)]
            number = register(builder, _WORD)
            builder.store(index(0), number)
            with loop(builder, geometry.kernel[axis]) as k:
                where = builder.mul(window[axis], index(geometry.stride[axis]))
                where = builder.add(where, builder.mul(k, index(geometry.dilation[axis])))
                fits = builder.and_(
                    builder.icmp_signed(">=", where, index(lengths[0])),
                    builder.icmp_signed("<", where, index(lengths[1])),
                )
                builder.store(builder.add(builder.load(number), builder.zext(fits, ir.IntType(64))), number)
            total = builder.mul(total, builder.load(number))
        return Scalar(self.emitter, total, _WORD)


def _add(site: Site, pointer: Any, where: Any, value: Scalar, counts: Any) -> None:
    """Add a number to an element, if a bit is set."""
    emitter, dtype = site.emitter, value.dtype
    total = load(emitter, pointer, where, dtype)
    summed = emitter.ufunc(np.add, (total, value))
    store(emitter, Scalar(emitter, site.builder.select(counts, summed.value, total.value), dtype), pointer, where)


def _clear(site: Site) -> None:
    zero = site.emitter.constant(0, site.node.dtype)
    with loop(site.builder, size(site.node.shape)) as k:
        store(site.emitter, zero, site.result(), k)


@routine(MaxPool, MaxPoolOffsets, refuses=_numbers)
def max_pool(site: Site) -> None:
    """The first of the greatest elements; of NaN, if there is one. What lies beyond the image is the lowest number."""
    (x,) = site.node.inputs
    builder, emitter, dtype = site.builder, site.emitter, x.dtype
    pool = Pool(site, x.shape)
    lowest = emitter.constant(-np.inf if dtype.kind == "f" else np.iinfo(dtype).min, dtype).value
    best, chosen = register(builder, dtype), register(builder, _WORD)

    def is_nan(value: Any) -> Any:
        return builder.fcmp_unordered("uno", value, value) if dtype.kind == "f" else ir.IntType(1)(0)

    def window(number: Any, where: list[Any], image: Any) -> None:
        builder.store(lowest, best)
        builder.store(index(0), chosen)

        def element(offsets: list[Any]) -> None:
            spot, is_inside = pool.spot(where, offsets, image)
            one = builder.select(is_inside, load(emitter, site.operand(0), spot, dtype).value, lowest)
            known = builder.load(best)
            wins = emitter.ufunc(np.greater, (Scalar(emitter, one, dtype), Scalar(emitter, known, dtype))).value
            wins = builder.and_(builder.or_(wins, is_nan(one)), builder.not_(is_nan(known)))
            builder.store(builder.select(wins, one, known), best)
            offset = place(builder, offsets, contiguous(pool.geometry.kernel))
            builder.store(builder.select(wins, offset, builder.load(chosen)), chosen)

        pool.inside(element)
        is_place = isinstance(site.op, MaxPoolOffsets)
        found = Scalar(emitter, builder.load(chosen if is_place else best), _WORD if is_place else dtype)
        store(emitter, emitter.cast(found, site.node.dtype), site.result(), number)

    pool.each(window)


@routine(WindowPick, WindowPlace, refuses=_same_lead)
def at_places(site: Site) -> None:
    """Read from each window the element at a place, or add to it."""
    x, offsets = site.node.inputs
    builder, emitter, dtype = site.builder, site.emitter, site.node.dtype
    picks = isinstance(site.op, WindowPick)
    pool = Pool(site, x.shape if picks else site.node.shape)
    if not picks:
        _clear(site)

    def window(number: Any, where: list[Any], image: Any) -> None:
        place_in = load(emitter, site.operand(1), number, offsets.dtype).value
        spot, is_inside = pool.spot(where, pool.offsets(place_in), image)
        if not picks:
            return _add(site, site.result(), spot, load(emitter, site.operand(0), number, dtype), is_inside)
        found = load(emitter, site.operand(0), spot, dtype).value
        found = builder.select(is_inside, found, ir.Constant(ir_type(dtype), 0))
        store(emitter, Scalar(emitter, found, dtype), site.result(), number)

    pool.each(window)


@routine(AvgPool, refuses=_numbers)
def avg_pool(site: Site) -> None:
    (x,) = site.node.inputs
    builder, emitter, dtype = site.builder, site.emitter, site.node.dtype
    pool = Pool(site, x.shape)
    total = register(builder, dtype)

    def window(number: Any, where: list[Any], image: Any) -> None:
        builder.store(emitter.constant(0, dtype).value, total)

        def element(offsets: list[Any]) -> None:
            spot, is_inside = pool.spot(where, offsets, image)
            one = emitter.cast(load(emitter, site.operand(0), spot, x.dtype), dtype).value
            one = builder.select(is_inside, one, emitter.constant(0, dtype).value)
            builder.store(builder.fadd(builder.load(total), one), total)

        pool.inside(element)
        count = emitter.cast(pool.count(where, site.op.include_padding), dtype)
        mean = emitter.ufunc(np.true_divide, (Scalar(emitter, builder.load(total), dtype), count))
        store(emitter, mean, site.result(), number)

    pool.each(window)


def _floats(node: GraphNode) -> str:
    return "" if node.dtype.char in "fd" and node.inputs[0].dtype == node.dtype else "these dtypes"


@routine(AvgPoolTranspose, refuses=_floats)
def avg_pool_transpose(site: Site) -> None:
    emitter, dtype = site.emitter, site.node.dtype
    pool = Pool(site, site.node.shape)
    _clear(site)

    def window(number: Any, where: list[Any], image: Any) -> None:
        count = emitter.cast(pool.count(where, site.op.include_padding), dtype)
        share = emitter.ufunc(np.true_divide, (load(emitter, site.operand(0), number, dtype), count))

        def element(offsets: list[Any]) -> None:
            spot, is_inside = pool.spot(where, offsets, image)
            _add(site, site.result(), spot, share, is_inside)

        pool.inside(element)

    pool.each(window)
