"""Nests that run together, row by row: a softmax reads its rows from memory once, not three times.

A reduction along rows ends a loop nest, and what uses its result begins another. Where two nests share their leading
axes, and hand values on only within the same row, both can do one row before the next: what passes between them is
still in the first cache, and what nobody else reads needs memory for one row only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wengert.backends.llvm.layout import Layout, contiguous, size
from wengert.backends.llvm.nests import crosses
from wengert.backends.llvm.schedule import Kernel, Rows, Schedule, Step
from wengert.core.static import Result, Value
from wengert.core.types import TensorSpec

#: Elements from which on a nest is worth a group: smaller ones stay in the first cache anyway.
LEAST = 2048

#: Elements of a row: in shorter ones the inner loops do not pay, and longer ones do not stay in the cache.
SHORTEST, LONGEST = 16, 16384


@dataclass(eq=False)
class _Group:
    """Nests that are to run together."""

    lead: tuple[int, ...]
    kernels: list[Kernel]

    @property
    def row(self) -> int:
        return max(size(kernel.space) for kernel in self.kernels) // size(self.lead)


def group(schedule: Schedule) -> None:
    """Put the nests of a schedule together where they can run row by row."""
    found: list[Any] = []
    made: dict[Value, int] = {}
    for step in schedule.steps:
        place = _place(schedule, found, made, step) if isinstance(step, Kernel) else None
        if place is None:
            place = len(found)
            found.append(_Group(step.space, [step]) if isinstance(step, Kernel) else step)
        made.update(dict.fromkeys(schedule.writes(step), place))
    schedule.steps = [_step(one) for one in found]
    _shorten(schedule)


def _step(one: Any) -> Step:
    if not isinstance(one, _Group):
        step: Step = one
        return step
    return one.kernels[0] if len(one.kernels) == 1 else Rows(one.lead, one.kernels)


def _place(schedule: Schedule, found: list[Any], made: dict[Value, int], kernel: Kernel) -> int | None:
    """Which group a nest joins, if any."""
    if size(kernel.space) < 2 or len(kernel.space) == 0:
        return None
    reads = schedule.reads(kernel)
    latest = max((made.get(layout.root, -1) for layout in reads), default=-1)
    for place in range(len(found) - 1, max(latest, 0) - 1, -1):
        one = found[place]
        if not isinstance(one, _Group):
            continue
        lead = _shared(schedule, one, kernel, [x for x in reads if made.get(x.root, -1) == place])
        if lead:
            one.kernels.append(kernel)
            one.lead = lead
            return place
    return None


def _shared(schedule: Schedule, one: _Group, kernel: Kernel, handed: Sequence[Layout]) -> tuple[int, ...]:
    """The leading axes over which a nest can run in a group; empty if it cannot, or would gain nothing."""
    most = max(size(kernel.space), *(size(other.space) for other in one.kernels))
    known = {layout.root for other in one.kernels for layout in schedule.reads(other)}
    if most < LEAST or not (handed or any(layout.root in known for layout in schedule.reads(kernel))):
        return ()
    common = 0
    for a, b in zip(one.lead, kernel.space, strict=False):
        if a != b:
            break
        common += 1
    for rank in range(common, 0, -1):
        lead = one.lead[:rank]
        over = _over_rows(one.kernels, rank)
        if SHORTEST <= most // size(lead) <= LONGEST and all(
            layout.root not in over and in_row(layout, lead, kernel.space) for layout in handed
        ):
            return lead if size(lead) > 1 else ()
    return ()


def _over_rows(kernels: Sequence[Kernel], rank: int) -> set[Value]:
    """The results of reductions that go over rows: they are known when the last row is done."""
    return {
        node.results[0]
        for kernel in kernels
        for node in kernel.nodes
        if node.primitive.reducer and crosses(node, len(kernel.space), rank)
    }


def in_row(layout: Layout, lead: tuple[int, ...], space: tuple[int, ...]) -> bool:
    """Whether a nest over a space reads, in each row, only what belongs to the same row of the layout's root."""
    root, rank = layout.root, len(lead)
    if root.shape[:rank] != lead:
        return False
    strides = layout.broadcast(space)
    if strides[:rank] != contiguous(root.shape)[:rank]:
        return False
    spans = [(n - 1) * s for n, s in zip(space[rank:], strides[rank:], strict=True)]
    low = layout.offset + sum(s for s in spans if s < 0)
    high = layout.offset + sum(s for s in spans if s > 0)
    return low >= 0 and high < size(root.shape[rank:])


def _shorten(schedule: Schedule) -> None:
    """Give memory for one row only to what is made and read within a group."""
    readers: dict[Value, set[int]] = {}
    for place, step in enumerate(schedule.steps):
        for layout in schedule.reads(step):
            readers.setdefault(layout.root, set()).add(place)
    kept = {layout.root for layout in schedule.outputs}
    rows: dict[Value, Layout] = {}
    for place, step in enumerate(schedule.steps):
        if not isinstance(step, Rows):
            continue
        rank = len(step.lead)
        over = _over_rows(step.kernels, rank)
        for y in schedule.writes(step):
            if y in kept or y in over or y.shape[:rank] != step.lead or readers.get(y, set()) != {place}:
                continue
            row = Result(TensorSpec(y.shape[rank:], y.dtype), 0)
            rows[y] = Layout(row, y.shape, (0,) * rank + contiguous(y.shape)[rank:])
    for x, layout in list(schedule.layouts.items()):
        if layout.root in rows:
            one = rows[layout.root]
            schedule.layouts[x] = Layout(one.root, layout.shape, _of_row(layout, one), layout.offset)


def _of_row(layout: Layout, row: Layout) -> tuple[int, ...]:
    """The strides of a view, on memory for one row. Rows begin where the steps of the leading axes end."""
    length = size(row.root.shape)
    return tuple(0 if abs(s) >= length else s for s in layout.strides)
