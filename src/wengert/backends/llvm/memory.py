"""Where intermediate values lie: small ones on the stack, from where LLVM takes them into registers; the others at
fixed offsets of one arena, 64 bytes aligned, sharing memory when their lives do not overlap.

Source of the packing: greedy by size, Y. Pisarchyk and J. Lee, "Efficient memory management for deep neural net
inference" (2020); the other orders, and the search, are ours.
"""

from __future__ import annotations

import bisect
import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from wengert.backends.llvm.schedule import Host, Schedule, handed_over, inside
from wengert.core.static import Value

ALIGNMENT = 64

#: Bytes up to which a value lies on the stack.
SMALL = 256


class Block(NamedTuple):
    """Memory that is needed from one step to another."""

    key: object
    bytes: int
    first: int
    last: int


class Arena:
    """Offsets of the values of a schedule, and of those of the loops inside it. Small values are left out, for the
    stack, but for the ``lasting`` ones, which outlive the function that makes them, and those that NumPy reads and
    writes."""

    def __init__(self, schedule: Schedule, elsewhere: Iterable[Value] = (), lasting: Iterable[Value] = ()) -> None:
        given, lasts = {*elsewhere, *schedule.graph.inputs}, set(lasting)
        lasts.update(x for step in schedule.steps if isinstance(step, Host) for x in step.memory)
        self.inner: dict[Schedule, Arena] = {}
        blocks = []
        for value, (first, last) in schedule.lifetimes().items():
            if value not in given and (value.spec.nbytes > SMALL or value in lasts):
                blocks.append(Block(value, value.spec.nbytes, first, last))
        for place, step in enumerate(schedule.steps):
            for one in inside(step):
                inner = self.inner[one] = Arena(one, handed_over(step, one))
                blocks.append(Block(one, inner.size, place, place))
        self.blocks = blocks
        self.offsets: dict[object, int]
        self.size: int
        self.bound: int
        self.offsets, self.size = packed(blocks)
        #: The most bytes that are alive at one time: no plan can do with less.
        self.bound = _most_alive(
            b._replace(bytes=self.inner[b.key].bound) if isinstance(b.key, Schedule) else b for b in blocks
        )

    def every(self) -> Iterator[tuple[Arena, int, int]]:
        """This arena and those inside it: where each begins, and how many loops and branches are around it."""
        waiting: list[tuple[Arena, int, int]] = [(self, 0, 0)]
        while waiting:
            here, base, within = waiting.pop()
            yield here, base, within
            waiting += [(inner, base + here.offsets[one], within + 1) for one, inner in here.inner.items()]


#: What is placed first: the large, the early, the late, the long-lived, and what is much of both.
_ORDERS: tuple[Callable[[Block], Any], ...] = (
    lambda b: (-b.bytes, b.first),
    lambda b: (b.first, -b.bytes),
    lambda b: (-b.last, -b.bytes),
    lambda b: (b.first - b.last, -b.bytes),
    lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
    lambda b: (-b.bytes, b.last),
    lambda b: (-b.bytes, b.first - b.last),
)

#: Attempts to do better by moving blocks within an order, and the most blocks for which that is quick; up to how many
#: all orders are tried, and from how many on there is time for none of this.
_ATTEMPTS, _FEW, _MANY, _VERY_MANY = 60, 150, 600, 1500


def packed(blocks: Iterable[Block]) -> tuple[dict[object, int], int]:
    """An offset for each block, and the size of the whole: the best of several orders of placing them."""
    given = [b._replace(bytes=-(-b.bytes // ALIGNMENT) * ALIGNMENT) for b in blocks]
    if len(given) > _VERY_MANY:
        return _in_turn(given)
    least = _most_alive(given)
    best: tuple[dict[object, int], int] = {}, 0
    order: list[Block] = []
    for key in _ORDERS if len(given) <= _MANY else _ORDERS[:2]:
        tried = sorted(given, key=key)
        found = _placed(tried)
        if not order or found[1] < best[1]:
            best, order = found, tried
        if best[1] <= least:
            return best
    chance = random.Random(0)  # the same plan every time
    for _ in range(_ATTEMPTS if len(given) <= _FEW else 0):
        tried = order.copy()
        # What lies on top is what there was no room for: it goes first.
        top = max(range(len(tried)), key=lambda k: best[0][tried[k].key] + tried[k].bytes)
        tried.insert(chance.randrange(top + 1), tried.pop(top))
        found = _placed(tried)
        if found[1] <= best[1]:
            best, order = found, tried
        if best[1] <= least:
            break
    return best


def _most_alive(blocks: Iterable[Block]) -> int:
    """The most bytes that are alive at one time: no plan can do with less."""
    change: dict[int, int] = {}
    for b in blocks:
        change[b.first] = change.get(b.first, 0) + b.bytes
        change[b.last + 1] = change.get(b.last + 1, 0) - b.bytes
    alive = most = 0
    for place in sorted(change):
        alive += change[place]
        most = max(most, alive)
    return most


def _placed(blocks: list[Block]) -> tuple[dict[object, int], int]:
    """Each block, in order, at the lowest place that is free all its life."""
    placed: list[tuple[int, int, Block]] = []
    offsets: dict[object, int] = {}
    total = 0
    for block in blocks:
        start = 0
        for low, high, other in placed:
            if low >= start + block.bytes:
                break
            if other.first <= block.last and block.first <= other.last and start < high:
                start = high
        bisect.insort(placed, (start, start + block.bytes, block), key=lambda one: one[0])
        offsets[block.key] = start
        total = max(total, start + block.bytes)
    return offsets, total


def _in_turn(blocks: list[Block]) -> tuple[dict[object, int], int]:
    """Each block, by time, in the smallest gap that is free by then: in time that hardly grows faster than their
    number."""
    gaps: list[tuple[int, int]] = []
    over: list[tuple[int, int, int]] = []
    offsets: dict[object, int] = {}
    total = 0
    for block in sorted(blocks, key=lambda b: (b.first, -b.bytes)):
        while over and over[0][0] < block.first:
            _, start, end = heapq.heappop(over)
            _give_back(gaps, start, end)
        fitting = [gap for gap in gaps if gap[1] - gap[0] >= block.bytes]
        if fitting:
            gap = min(fitting, key=lambda gap: gap[1] - gap[0])
            gaps.remove(gap)
            start = gap[0]
            if start + block.bytes < gap[1]:
                bisect.insort(gaps, (start + block.bytes, gap[1]))
        else:
            # A gap at the end is made longer.
            start = gaps.pop()[0] if gaps and gaps[-1][1] == total else total
            total = start + block.bytes
        offsets[block.key] = start
        heapq.heappush(over, (block.last, start, start + block.bytes))
    return offsets, total


def _give_back(gaps: list[tuple[int, int]], start: int, end: int) -> None:
    """A gap more, joined with its neighbours."""
    k = bisect.bisect(gaps, (start, end))
    if k < len(gaps) and gaps[k][0] == end:
        end = gaps.pop(k)[1]
    if k and gaps[k - 1][1] == start:
        start = gaps.pop(k - 1)[0]
        k -= 1
    gaps.insert(k, (start, end))
