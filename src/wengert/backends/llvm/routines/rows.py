"""Operations along an axis from element to element: running totals, positions of extremes, sorting, searching."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.backends.llvm.layout import contiguous, size
from wengert.backends.llvm.loops import flag, index, load, loop, register, store
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.backends.llvm.scalars import Scalar
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode
from wengert.core.types import TensorSpec
from wengert.ops.cumulative import Cumlogsumexp, Cummax, Cummin, Cumprod, Cumsum
from wengert.ops.interpolation import Segment
from wengert.ops.reduction import Argmax, Argmin
from wengert.ops.sorting import Argsort, PutLast, Searchsorted, TakeLast

ir: Any = LazyModule("llvmlite.ir")

_WORD = np.dtype(np.int64)


def _real(node: GraphNode) -> str:
    return "" if all(x.dtype.char in "?bhilqBHILQfd" for x in (*node.inputs, *node.results)) else "these dtypes"


def _is_nan(site: Site, x: Scalar) -> Any:
    return (
        site.builder.fcmp_unordered("uno", x.value, x.value) if x.dtype.kind == "f" else ir.Constant(ir.IntType(1), 0)
    )


# -- running totals -------------------------------------------------------------------------------------------------

_RUNNING: dict[type, Any] = {
    Cumsum: np.add,
    Cumprod: np.multiply,
    Cummax: np.maximum,
    Cummin: np.minimum,
    Cumlogsumexp: np.logaddexp,
}


@routine(*_RUNNING, refuses=_real)
def running(site: Site) -> None:
    """Each element combined with the total before it."""
    (x,), (y,) = site.node.inputs, site.node.results
    axis = getattr(site.op, "axis", -1) % len(x.shape)
    outer, length, inner = size(x.shape[:axis]), x.shape[axis], size(x.shape[axis + 1 :])
    combine = _RUNNING[type(site.op)]
    builder, emitter = site.builder, site.emitter
    with loop(builder, outer) as i:
        start = builder.mul(i, index(length * inner))
        with loop(builder, inner) as k:
            place = builder.add(start, k)
            store(emitter, emitter.cast(load(emitter, site.operand(0), place, x.dtype), y.dtype), site.result(), place)
        if length > 1:
            with loop(builder, length - 1) as j:
                row = builder.add(start, builder.mul(j, index(inner)))
                with loop(builder, inner) as k:
                    before = builder.add(row, k)
                    place = builder.add(before, index(inner))
                    total = load(emitter, site.result(), before, y.dtype)
                    one = emitter.cast(load(emitter, site.operand(0), place, x.dtype), y.dtype)
                    store(emitter, emitter.cast(emitter.ufunc(combine, (total, one)), y.dtype), site.result(), place)


# -- positions ------------------------------------------------------------------------------------------------------


@routine(Argmax, Argmin, refuses=_real)
def position(site: Site) -> None:
    """The first place of the best element; of NaN, if there is one."""
    (x,) = site.node.inputs
    axis = site.op.axis % len(x.shape)
    outer, length, inner = size(x.shape[:axis]), x.shape[axis], size(x.shape[axis + 1 :])
    builder, emitter = site.builder, site.emitter
    best, chosen = register(builder, x.dtype), register(builder, _WORD)
    better = np.greater if isinstance(site.op, Argmax) else np.less
    with loop(builder, outer) as i, loop(builder, inner) as k:
        start = builder.add(builder.mul(i, index(length * inner)), k)
        builder.store(load(emitter, site.operand(0), start, x.dtype).value, best)
        builder.store(index(0), chosen)
        with loop(builder, length) as j:
            one = load(emitter, site.operand(0), builder.add(start, builder.mul(j, index(inner))), x.dtype)
            known = Scalar(emitter, builder.load(best), x.dtype)
            first_nan = builder.and_(_is_nan(site, one), builder.not_(_is_nan(site, known)))
            wins = builder.or_(emitter.ufunc(better, (one, known)).value, first_nan)
            wins = builder.and_(wins, builder.not_(_is_nan(site, known)))
            builder.store(builder.select(wins, one.value, known.value), best)
            builder.store(builder.select(wins, j, builder.load(chosen)), chosen)
        place = builder.add(builder.mul(i, index(inner)), k)
        store(emitter, Scalar(emitter, builder.load(chosen), _WORD), site.result(), place)


# -- sorting --------------------------------------------------------------------------------------------------------


def _sorting_space(node: GraphNode) -> list[TensorSpec]:
    return [TensorSpec((node.shape[-1],), _WORD)] if node.shape else []


def _sortable(node: GraphNode) -> str:
    return _real(node) or ("" if node.shape else "a scalar")


@routine(Argsort, refuses=_sortable, scratch=_sorting_space, scattered=True)
def argsort(site: Site) -> None:
    """Merge sort from below (Knuth, The Art of Computer Programming 3, 5.2.4): runs of 1, 2, 4, ... are merged, to and
    fro between the result and the scratch memory."""
    (x,) = site.node.inputs
    length = x.shape[-1]
    builder, emitter = site.builder, site.emitter
    rounds = max(length - 1, 0).bit_length()
    with loop(builder, size(x.shape[:-1])) as i:
        start = builder.mul(i, index(length))
        keys = builder.gep(site.operand(0), [start])
        order = builder.gep(site.result(), [start])
        memory = [site.scratch(0), order]
        # The last round has to end in the result.
        source, target = memory[(rounds + 1) % 2], memory[rounds % 2]
        with loop(builder, length) as j:
            store(emitter, Scalar(emitter, j, _WORD), source, j)
        for k in range(rounds):
            _merge_round(site, keys, source, target, length, 1 << k)
            source, target = target, source


def _merge_round(site: Site, keys: Any, source: Any, target: Any, length: int, width: int) -> None:
    """Merge pairs of runs of ``width``."""
    builder, emitter = site.builder, site.emitter
    (x,) = site.node.inputs
    left, right = register(builder, _WORD), register(builder, _WORD)
    with loop(builder, -(-length // (2 * width))) as pair:
        low = builder.mul(pair, index(2 * width))
        middle = _smaller(builder, builder.add(low, index(width)), length)
        high = _smaller(builder, builder.add(low, index(2 * width)), length)
        builder.store(low, left)
        builder.store(middle, right)
        with loop(builder, builder.sub(high, low)) as step:
            a, b = builder.load(left), builder.load(right)
            has_left = builder.icmp_signed("<", a, middle)
            has_right = builder.icmp_signed("<", b, high)
            first = builder.load(builder.gep(source, [builder.select(has_left, a, low)]))
            second = builder.load(builder.gep(source, [builder.select(has_right, b, low)]))
            one, other = (load(emitter, keys, place, x.dtype) for place in (first, second))
            if site.op.descending:
                before = builder.or_(emitter.ufunc(np.greater, (other, one)).value, _nan_first(site, other, one))
            else:
                before = builder.or_(emitter.ufunc(np.less, (other, one)).value, _nan_first(site, one, other))
            take_right = builder.and_(has_right, builder.or_(builder.not_(has_left), before))
            place = builder.add(low, step)
            builder.store(builder.select(take_right, second, first), builder.gep(target, [place]))
            builder.store(builder.select(take_right, a, builder.add(a, index(1))), left)
            builder.store(builder.select(take_right, builder.add(b, index(1)), b), right)


def _nan_first(site: Site, x: Scalar, y: Scalar) -> Any:
    """Whether only the first of two numbers is NaN: it counts as the largest."""
    return site.builder.and_(_is_nan(site, x), site.builder.not_(_is_nan(site, y)))


def _smaller(builder: Any, number: Any, bound: int) -> Any:
    return builder.select(builder.icmp_signed("<", number, index(bound)), number, index(bound))


# -- reading and writing along the last axis ------------------------------------------------------------------------


def _along_last(site: Site, length: int, visit: Callable[[Any, Any, Any, Any], None]) -> None:
    """``visit(x, place, row, chosen)`` for each index of the second operand, and each row that it is broadcast to: the
    element's place in ``x`` broadcast to the index, its row, and the index, checked against ``length``."""
    x, chosen = site.node.inputs
    builder, emitter = site.builder, site.emitter
    lead = np.broadcast_shapes(x.shape[:-1], chosen.shape[:-1])
    steps = [_steps(one.shape, lead) for one in (x, chosen)]
    failed = flag(builder)
    with loop(builder, size(lead)) as row:
        starts = [_start(builder, row, lead, one) for one in steps]
        with loop(builder, max(chosen.shape[-1], x.shape[-1] if isinstance(site.op, PutLast) else 1)) as k:
            at = builder.add(starts[1], k if chosen.shape[-1] > 1 else index(0))
            number = emitter.cast(load(emitter, site.operand(1), at, chosen.dtype), _WORD).value
            number = builder.select(
                builder.icmp_signed("<", number, index(0)), builder.add(number, index(length)), number
            )
            outside = builder.icmp_unsigned(">=", number, index(length))
            builder.store(builder.or_(builder.load(failed), outside), failed)
            visit(starts[0], k, row, builder.select(outside, index(0), number))
    site.fail_if(builder.load(failed))


def _steps(shape: tuple[int, ...], lead: tuple[int, ...]) -> tuple[int, ...]:
    own = [0 if n == 1 else s for n, s in zip(shape, contiguous(shape), strict=True)][:-1]
    return (0,) * (len(lead) - len(own)) + tuple(own)


def _start(builder: Any, row: Any, lead: tuple[int, ...], steps: tuple[int, ...]) -> Any:
    """Where a row of a broadcast array begins, by the row's number."""
    start, rest = index(0), row
    for n, step in zip(reversed(lead), reversed(steps), strict=True):
        start = builder.add(start, builder.mul(builder.srem(rest, index(n)), index(step)))
        rest = builder.sdiv(rest, index(n))
    return start


def _takes(node: GraphNode) -> str:
    x, chosen = node.inputs if len(node.inputs) == 2 else (None, None)
    if x is None or chosen is None:
        return "an index that is a Python number"
    return "" if x.shape and chosen.shape and chosen.dtype.kind in "iu" and node.dtype.kind != "c" else "these operands"


@routine(TakeLast, refuses=_takes, scattered=True)
def take_last(site: Site) -> None:
    x, chosen = site.node.inputs
    builder, emitter = site.builder, site.emitter

    def visit(start: Any, k: Any, row: Any, number: Any) -> None:
        element = load(emitter, site.operand(0), builder.add(start, number), x.dtype)
        store(emitter, element, site.result(), builder.add(builder.mul(row, index(chosen.shape[-1])), k))

    _along_last(site, x.shape[-1], visit)


@routine(PutLast, refuses=_takes, scattered=True)
def put_last(site: Site) -> None:
    x, _ = site.node.inputs
    builder, emitter = site.builder, site.emitter
    with loop(builder, size(site.node.shape)) as number:
        store(emitter, emitter.constant(0, x.dtype), site.result(), number)

    def visit(start: Any, k: Any, row: Any, number: Any) -> None:
        element = load(emitter, site.operand(0), builder.add(start, k if x.shape[-1] > 1 else index(0)), x.dtype)
        place = builder.add(builder.mul(row, index(site.op.size)), number)
        total = emitter.ufunc(np.add, (load(emitter, site.result(), place, x.dtype), element))
        store(emitter, total, site.result(), place)

    _along_last(site, site.op.size, visit)


# -- searching ------------------------------------------------------------------------------------------------------


def _searchable(node: GraphNode) -> str:
    if len(node.inputs) != 2 or node.inputs[0].dtype != node.inputs[1].dtype:
        return "operands of two dtypes"
    return _real(node)


def _search(site: Site, table: Any, length: int, x: Scalar, right: bool) -> Any:
    """How many elements of a sorted table are before ``x`` (with its equals if ``right``); NaN is after everything."""
    builder, emitter = site.builder, site.emitter
    low, width = register(builder, _WORD), register(builder, _WORD)
    builder.store(index(0), low)
    builder.store(index(length), width)
    with loop(builder, length.bit_length()):
        half = builder.ashr(builder.load(width), index(1))
        place = builder.add(builder.load(low), half)
        more = builder.icmp_signed(">", builder.load(width), index(0))
        element = load(emitter, table, builder.select(more, place, index(0)), x.dtype)
        before = np.less_equal if right else np.less
        is_before = builder.or_(emitter.ufunc(before, (element, x)).value, _nan_first(site, x, element))
        if right:
            is_before = builder.or_(is_before, _is_nan(site, x))
        moves = builder.and_(more, is_before)
        builder.store(builder.select(moves, builder.add(place, index(1)), builder.load(low)), low)
        rest = builder.sub(builder.sub(builder.load(width), half), index(1))
        shrunk = builder.select(moves, rest, half)
        builder.store(builder.select(more, shrunk, index(0)), width)
    return builder.load(low)


@routine(Searchsorted, refuses=_searchable, scattered=True)
def searchsorted(site: Site) -> None:
    table, x = site.node.inputs
    with loop(site.builder, size(x.shape)) as number:
        one = load(site.emitter, site.operand(1), number, x.dtype)
        found = _search(site, site.operand(0), table.shape[0], one, site.op.side == "right")
        store(site.emitter, Scalar(site.emitter, found, _WORD), site.result(), number)


@routine(Segment, refuses=_searchable, scattered=True)
def segment(site: Site) -> None:
    x, table = site.node.inputs
    builder = site.builder
    last = index(max(0, table.shape[0] - 2))
    with loop(builder, size(x.shape)) as number:
        one = load(site.emitter, site.operand(0), number, x.dtype)
        found = builder.sub(_search(site, site.operand(1), table.shape[0], one, True), index(1))
        found = builder.select(builder.icmp_signed("<", found, index(0)), index(0), found)
        found = builder.select(builder.icmp_signed(">", found, last), last, found)
        store(site.emitter, Scalar(site.emitter, found, _WORD), site.result(), number)
