"""Where intermediate values lie: small ones on the stack, from where LLVM takes them into registers; the others at
fixed offsets of one arena, 64 bytes aligned, sharing memory when their lives do not overlap.

Source of the packing: greedy by size, Y. Pisarchyk and J. Lee, "Efficient memory management for deep neural net
inference" (2020).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from wengert.backends.llvm.schedule import Schedule, inside
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
    stack, but for the ``lasting`` ones, which outlive the function that makes them."""

    def __init__(self, schedule: Schedule, elsewhere: Iterable[Value] = (), lasting: Iterable[Value] = ()) -> None:
        given, lasts = set(elsewhere), set(lasting)
        self.inner: dict[Schedule, Arena] = {}
        blocks = []
        for value, (first, last) in schedule.lifetimes().items():
            if value not in given and (value.spec.nbytes > SMALL or value in lasts):
                blocks.append(Block(value, value.spec.nbytes, first, last))
        for place, step in enumerate(schedule.steps):
            for one in inside(step):
                inner = self.inner[one] = Arena(one)
                blocks.append(Block(one, inner.size, place, place))
        self.offsets: dict[object, int]
        self.size: int
        self.offsets, self.size = packed(blocks)
        #: The most bytes that are alive at one time: no plan can do with less.
        self.bound = max(
            (sum(b.bytes for b in blocks if b.first <= place <= b.last) for place in range(len(schedule.steps) + 1)),
            default=0,
        )


def packed(blocks: Iterable[Block]) -> tuple[dict[object, int], int]:
    """An offset for each block, and the size of the whole: the best of two orders of placing them."""
    found = [_placed(sorted(blocks, key=key)) for key in (lambda b: (-b.bytes, b.first), lambda b: (b.first, -b.bytes))]
    return min(found, key=lambda one: one[1])


def _placed(blocks: list[Block]) -> tuple[dict[object, int], int]:
    placed: list[tuple[int, int, Block]] = []
    offsets: dict[object, int] = {}
    total = 0
    for block in blocks:
        size = -(-block.bytes // ALIGNMENT) * ALIGNMENT
        start = 0
        for low, high, other in placed:
            if other.first <= block.last and block.first <= other.last and low < start + size and start < high:
                start = high
        placed.append((start, start + size, block))
        placed.sort(key=lambda one: one[0])
        offsets[block.key] = start
        total = max(total, start + size)
    return offsets, total
