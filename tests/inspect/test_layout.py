"""Layers: no overlaps, everything flows down, long chains and large graphs stay cheap."""

from __future__ import annotations

import itertools
import random
import time

from hypothesis import given
from hypothesis import strategies as st

from wengert.inspect.layout import Box, Line, Placed, place


def random_lines(count: int, seed: int, per_node: int = 2) -> list[Line]:
    rng = random.Random(seed)
    pairs = {(rng.randrange(max(0, j - 12), j), j) for j in range(1, count) for _ in range(per_node)}
    return [Line(i, j) for i, j in sorted(pairs)]


def check(boxes: list[Box], lines: list[Line], found: Placed) -> None:
    for line, route in zip(lines, found.routes, strict=True):
        a, b = line.source, line.target
        assert found.y[a] + boxes[a].height / 2 < found.y[b] - boxes[b].height / 2
        assert route[0][1] == found.y[a] + boxes[a].height / 2
        assert route[-1][1] == found.y[b] - boxes[b].height / 2
        assert all(p[1] <= q[1] for p, q in itertools.pairwise(route))
    rows: dict[float, list[int]] = {}
    for i, y in enumerate(found.y):
        rows.setdefault(y, []).append(i)
        assert found.x[i] - boxes[i].width / 2 >= -1e-6
        assert found.x[i] + boxes[i].width / 2 <= found.width + 1e-6
    for row in rows.values():
        row.sort(key=lambda i: found.x[i])
        for i, j in itertools.pairwise(row):
            assert found.x[i] + boxes[i].width / 2 < found.x[j] - boxes[j].width / 2


@given(st.integers(1, 40), st.integers(0, 10_000))
def test_boxes_never_overlap_and_lines_run_down(count: int, seed: int) -> None:
    rng = random.Random(seed)
    boxes = [Box(rng.uniform(40, 160), 40.0) for _ in range(count)]
    lines = random_lines(count, seed)
    check(boxes, lines, place(boxes, lines))


def test_a_chain_is_straight_and_nothing_recurses() -> None:
    count = 5_000
    boxes = [Box(60.0 + i % 7, 30.0) for i in range(count)]
    found = place(boxes, [Line(i, i + 1) for i in range(count - 1)])
    assert max(found.x) - min(found.x) < 1e-6


def test_ten_thousand_nodes_take_a_few_seconds_at_most() -> None:
    boxes = [Box(80.0, 40.0) for _ in range(10_000)]
    start = time.perf_counter()
    place(boxes, random_lines(10_000, 1))
    assert time.perf_counter() - start < 20


def test_sources_stand_beside_their_use_and_ports_at_the_border() -> None:
    boxes = [
        Box(16, 0, first=True),
        Box(60, 30),
        Box(60, 30),
        Box(60, 30, source=True),
        Box(60, 30),
        Box(16, 0, last=True),
    ]
    found = place(boxes, [Line(0, 1), Line(1, 2), Line(2, 4), Line(3, 4), Line(1, 5)])
    assert found.y[3] == found.y[2]
    assert found.y[0] == 0
    assert found.y[5] == found.height


def test_nothing_is_nothing() -> None:
    assert place([], []) == Placed([], [], [], 0.0, 0.0)
