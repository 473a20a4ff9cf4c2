"""Layers: where the boxes of an acyclic graph stand, and which way its edges run.

The method of K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system structures",
IEEE Trans. SMC 11(2), 1981: ranks by the longest path, placeholders where an edge crosses a rank, ranks ordered by
barycentres, and places within a rank by least squares under the order and the distances, which is isotonic regression
(M. Ayer et al., 1955). Linear in nodes, edges and placeholders for each sweep; nothing recurses.

``explorer/layout.js`` is the same in JavaScript; the tests hold both to the same answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Space between boxes of one rank, and between ranks.
GAP_X, GAP_Y = 26.0, 34.0
#: The width that an edge on its way past a rank takes.
LANE = 16.0
#: An edge over more ranks than this is drawn directly: placeholders would outnumber the nodes.
LONGEST = 24
_ORDER_SWEEPS = 8
_PLACE_SWEEPS = 12

Point = tuple[float, float]


@dataclass(slots=True)
class Box:
    """What is to be placed: its size, and whether it has to stand in the first or the last rank."""

    width: float
    height: float
    first: bool = False
    last: bool = False
    #: Stands right above its first use, beside the main flow.
    source: bool = False


@dataclass(slots=True)
class Line:
    """An edge from one box to another. Its ends may be off the boxes' centres."""

    source: int
    target: int
    source_dx: float | None = None
    target_dx: float | None = None


@dataclass(slots=True)
class Placed:
    """Centres of the boxes, the points that each line runs through, and the size of it all, from (0, 0)."""

    x: list[float]
    y: list[float]
    routes: list[list[Point]]
    width: float
    height: float


def place(boxes: Sequence[Box], lines: Sequence[Line]) -> Placed:
    """Place boxes; every line leads from a box to one later in the list."""
    if not boxes:
        return Placed([], [], [], 0.0, 0.0)
    return _Layers(boxes, lines).solve()


class _Layers:
    """Ranks of items: the boxes first, then a placeholder for every rank that a line crosses."""

    def __init__(self, boxes: Sequence[Box], lines: Sequence[Line]) -> None:
        self.boxes = boxes
        self.lines = lines
        self.width = [box.width for box in boxes]
        self.rank = self._ranks()
        #: For each line, the items that it runs through, its ends included.
        self.chains: list[list[int]] = []
        #: Neighbours in the rank above and below: (item, its offset, own offset, weight).
        self.above: list[list[tuple[int, float, float, float]]] = [[] for _ in boxes]
        self.below: list[list[tuple[int, float, float, float]]] = [[] for _ in boxes]
        self._connect()
        count = max(self.rank) + 1
        self.ranks: list[list[int]] = [[] for _ in range(count)]
        for item, rank in enumerate(self.rank):
            self.ranks[rank].append(item)
        self.x = [0.0] * len(self.rank)

    def _ranks(self) -> list[int]:
        boxes = self.boxes
        rank = [0] * len(boxes)
        outgoing: list[list[int]] = [[] for _ in boxes]
        for line in self.lines:
            outgoing[line.source].append(line.target)
        shift = any(box.first for box in boxes)
        for i, box in enumerate(boxes):
            rank[i] = 0 if box.first else max(rank[i], 1 if shift else 0)
            for j in outgoing[i]:
                rank[j] = max(rank[j], rank[i] + 1)
        for i in range(len(boxes) - 1, -1, -1):
            if boxes[i].source and outgoing[i]:
                rank[i] = max(rank[i], min(rank[j] for j in outgoing[i]) - 1)
        bottom = max(rank)
        if any(box.last for box in boxes):
            inner = [rank[i] for i, box in enumerate(boxes) if not box.last]
            bottom = max(bottom, max(inner, default=-1) + 1)
            rank = [bottom if box.last else rank[i] for i, box in enumerate(boxes)]
        return rank

    def _connect(self) -> None:
        main = self._main_chain()
        for number, line in enumerate(self.lines):
            chain = [line.source]
            low, high = self.rank[line.source], self.rank[line.target]
            if high - low <= LONGEST:
                for rank in range(low + 1, high):
                    chain.append(len(self.rank))
                    self.rank.append(rank)
                    self.width.append(LANE)
                    self.above.append([])
                    self.below.append([])
                chain.append(line.target)
                weight = 8.0 if number in main else 0.5 if self.boxes[line.source].source else 1.0
                for k in range(len(chain) - 1):
                    a, b = chain[k], chain[k + 1]
                    da = (line.source_dx or 0.0) if k == 0 else 0.0
                    db = (line.target_dx or 0.0) if k == len(chain) - 2 else 0.0
                    strength = weight * (2.0 if 0 < k < len(chain) - 2 else 1.0)
                    self.below[a].append((b, db, da, strength))
                    self.above[b].append((a, da, db, strength))
            else:
                chain.append(line.target)
            self.chains.append(chain)

    def _main_chain(self) -> set[int]:
        """The lines of one longest path, which is to be straight."""
        best: list[int] = [-1] * len(self.boxes)
        length = [0] * len(self.boxes)
        incoming: list[list[int]] = [[] for _ in self.boxes]
        for number, line in enumerate(self.lines):
            incoming[line.target].append(number)
        for i in range(len(self.boxes)):
            for number in incoming[i]:
                candidate = length[self.lines[number].source] + 1
                if candidate > length[i]:
                    length[i], best[i] = candidate, number
        at = max(range(len(self.boxes)), key=lambda i: (length[i], -i))
        found: set[int] = set()
        while best[at] >= 0:
            found.add(best[at])
            at = self.lines[best[at]].source
        return found

    # -- order within ranks -------------------------------------------------------------------------------------

    def _order(self) -> None:
        position = [0.0] * len(self.rank)
        for row in self.ranks:
            for i, item in enumerate(row):
                position[item] = float(i)
        best, fewest = [row[:] for row in self.ranks], self._crossings(position)
        for sweep in range(_ORDER_SWEEPS):
            if fewest == 0:
                break
            down = sweep % 2 == 0
            for r in range(len(self.ranks)) if down else range(len(self.ranks) - 1, -1, -1):
                row = self.ranks[r]
                keys = {item: self._barycentre(item, self.above if down else self.below, position) for item in row}
                row.sort(key=lambda item: keys[item])
                for i, item in enumerate(row):
                    position[item] = float(i)
            crossings = self._crossings(position)
            if crossings < fewest:
                best, fewest = [row[:] for row in self.ranks], crossings
        self.ranks = best

    @staticmethod
    def _barycentre(item: int, side: list[list[tuple[int, float, float, float]]], position: list[float]) -> float:
        near = side[item]
        if not near:
            return position[item]
        # Where on a wide box a line ends decides among lines to the same box.
        return sum(position[other] + math.atan(dx) * 1e-3 for other, dx, _, _ in near) / len(near)

    def _crossings(self, position: list[float]) -> int:
        """How many pairs of neighbouring line pieces cross (a binary indexed tree counts inversions)."""
        total = 0
        for r in range(len(self.ranks) - 1):
            size = len(self.ranks[r + 1]) + 1
            tree = [0] * (size + 1)
            seen = 0
            for item in sorted(self.ranks[r], key=lambda item: position[item]):
                ends = [int(position[other]) for other, _, _, _ in self.below[item]]
                for end in ends:
                    i = end + 1
                    before = 0
                    while i > 0:
                        before += tree[i]
                        i -= i & -i
                    total += seen - before
                for end in ends:
                    seen += 1
                    i = end + 1
                    while i <= size:
                        tree[i] += 1
                        i += i & -i
        return total

    # -- places within ranks ------------------------------------------------------------------------------------

    def _place(self) -> None:
        for row in self.ranks:
            at = 0.0
            for item in row:
                self.x[item] = at + self.width[item] / 2
                at += self.width[item] + GAP_X
            for item in row:
                self.x[item] -= (at - GAP_X) / 2
        for sweep in range(_PLACE_SWEEPS):
            down = sweep % 2 == 0
            both = sweep >= _PLACE_SWEEPS - 2
            for r in range(len(self.ranks)) if down else range(len(self.ranks) - 1, -1, -1):
                self._place_rank(self.ranks[r], down or both, not down or both)

    def _place_rank(self, row: list[int], up: bool, down: bool) -> None:
        """Least squares: every item as near as it can be to where its neighbours want it."""
        means: list[float] = []
        weights: list[float] = []
        counts: list[int] = []
        offsets: list[float] = []
        offset = 0.0
        for k, item in enumerate(row):
            if k:
                gap = GAP_X if self.width[item] > LANE or self.width[row[k - 1]] > LANE else LANE / 2
                offset += (self.width[row[k - 1]] + self.width[item]) / 2 + gap
            offsets.append(offset)
            pull, weight = 0.0, 0.0
            for use, side in ((up, self.above), (down, self.below)):
                if use:
                    for other, dx, own, strength in side[item]:
                        pull += strength * (self.x[other] + dx - own)
                        weight += strength
            mean = pull / weight - offset if weight else self.x[item] - offset
            weight = weight or 0.1
            count = 1
            while means and means[-1] > mean:
                other_weight = weights.pop()
                mean = (means.pop() * other_weight + mean * weight) / (other_weight + weight)
                weight += other_weight
                count += counts.pop()
            means.append(mean)
            weights.append(weight)
            counts.append(count)
        k = 0
        for mean, count in zip(means, counts, strict=True):
            for _ in range(count):
                self.x[row[k]] = mean + offsets[k]
                k += 1

    # -- the answer ---------------------------------------------------------------------------------------------

    def solve(self) -> Placed:
        self._order()
        self._place()
        left = min(self.x[i] - self.width[i] / 2 for i in range(len(self.x)))
        right = max(self.x[i] + self.width[i] / 2 for i in range(len(self.x)))
        self.x = [x - left for x in self.x]
        boxes = self.boxes
        top: list[float] = []
        bottom: list[float] = []
        at = 0.0
        for row in self.ranks:
            height = max((boxes[item].height for item in row if item < len(boxes)), default=0.0)
            lines = max(
                (len(self.above[item]) for item in row if item < len(boxes)), default=0
            )  # busy ranks get more room for their lines
            if top:
                bare = height == 0 or bottom[-1] == top[-1]
                at += GAP_Y / 2 if bare else GAP_Y + min(3 * lines, 30)
            top.append(at)
            at += height
            bottom.append(at)
        # Sources stand at the bottom of their rank, next to what uses them.
        y = [
            bottom[self.rank[i]] - box.height / 2 if box.source else (top[self.rank[i]] + bottom[self.rank[i]]) / 2
            for i, box in enumerate(boxes)
        ]
        ends = self._ends()
        routes = [self._route(number, ends, y, top, bottom) for number in range(len(self.lines))]
        return Placed(self.x[: len(boxes)], y, routes, right - left, at)

    def _ends(self) -> list[tuple[float, float]]:
        """Where each line leaves and arrives, apart from others at the same box and in the order of where they go."""
        ends = [[line.source_dx, line.target_dx] for line in self.lines]
        for side, place_of in ((0, 1), (1, -2)):
            groups: dict[int, list[int]] = {}
            for number, line in enumerate(self.lines):
                if ends[number][side] is None:
                    groups.setdefault(line.target if side else line.source, []).append(number)
            for box, numbers in groups.items():
                numbers.sort(key=lambda number: self.x[self.chains[number][place_of]])
                room = max(self.boxes[box].width - 24.0, 0.0)
                step = min(22.0, room / len(numbers))
                for i, number in enumerate(numbers):
                    ends[number][side] = step * (i - (len(numbers) - 1) / 2)
        return [(a or 0.0, b or 0.0) for a, b in ends]

    def _route(
        self, number: int, ends: list[tuple[float, float]], y: list[float], top: list[float], bottom: list[float]
    ) -> list[Point]:
        line, chain = self.lines[number], self.chains[number]
        start, end = line.source, line.target
        points = [(self.x[start] + ends[number][0], y[start] + self.boxes[start].height / 2)]
        for item in chain[1:-1]:
            rank = self.rank[item]
            points.append((self.x[item], top[rank]))
            if bottom[rank] > top[rank]:
                points.append((self.x[item], bottom[rank]))
        points.append((self.x[end] + ends[number][1], y[end] - self.boxes[end].height / 2))
        return points
