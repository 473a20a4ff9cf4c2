"""Placing a model whose nodes stand in groups: every group is laid out alone, then as one box in the group around it.

A line that crosses the border of a group gets a port there: a place in the group's first or last rank, so that it is
kept clear of the group's other boxes and enters where the line outside arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from wengert.inspect.layout import LANE, Box, Line, Placed, Point, place
from wengert.inspect.model import Model, common_length

#: Space between a group's border and what is in it; the head holds the group's name.
PADDING, HEAD = 14.0, 24.0

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Port:
    """Where the value of a node comes into a group, or leaves it."""

    leaves: bool
    node: int


#: What stands in a group: a node, a group, or a port.
Item = int | Path | Port


@dataclass(slots=True)
class Frame:
    """A group with the box that is drawn around it."""

    path: Path
    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Arrangement:
    """Centres of the nodes, routes of the edges, boxes of the groups (outermost first), and the size of the picture."""

    x: list[float]
    y: list[float]
    routes: list[list[Point]]
    frames: list[Frame]
    width: float
    height: float


@dataclass(slots=True)
class _Group:
    path: Path
    #: Nodes and groups, each with the number of its first node.
    items: dict[Item, int] = field(default_factory=dict)
    #: Lines between items, one for each value that flows: (from, to, node of the value) and the line's number.
    lines: dict[tuple[Item, Item, int], int] = field(default_factory=dict)
    order: list[Item] = field(default_factory=list)
    placed: Placed = field(default_factory=lambda: Placed([], [], [], 0.0, 0.0))
    #: What the width is beyond what is inside: the group's name may need more.
    slack: float = 0.0
    #: How far from the centre each port is.
    ports: dict[Port, float] = field(default_factory=dict)

    @property
    def size(self) -> tuple[float, float]:
        return self.placed.width + self.slack + 2 * PADDING, self.placed.height + PADDING + HEAD


def arrange(model: Model, sizes: Sequence[tuple[float, float]], label: Callable[[Path], float]) -> Arrangement:
    """Place the nodes of a model, whose boxes have these sizes. ``label`` is the width of a group's name."""
    groups = _tree(model)
    for edge in model.edges:
        for path, first, last in _pieces(model, edge.source, edge.target):
            lines = groups[path].lines
            lines.setdefault((first, last, edge.source), len(lines))
    for path in sorted(groups, key=len, reverse=True):
        _lay_out(groups, groups[path], model, sizes)
        if path:
            groups[path].slack = max(0.0, label(path) - groups[path].placed.width)
    return _compose(groups, model)


def _tree(model: Model) -> dict[Path, _Group]:
    groups: dict[Path, _Group] = {(): _Group(())}
    for node in model.nodes:
        for depth in range(1, len(node.group) + 1):
            path = node.group[:depth]
            if path not in groups:
                groups[path] = _Group(path)
                groups[path[:-1]].items[path] = node.index
        groups[node.group].items[node.index] = node.index
    return groups


def _pieces(model: Model, source: int, target: int) -> list[tuple[Path, Item, Item]]:
    """An edge cut at the borders of the groups that it leaves and enters: in which group, from what, to what."""
    start, end = model.nodes[source].group, model.nodes[target].group
    common = common_length(start, end)

    def item(node: int, group: Path, depth: int) -> Item:
        return node if depth == len(group) else group[: depth + 1]

    leaving: list[tuple[Path, Item, Item]] = [
        (start[:depth], item(source, start, depth), Port(True, source)) for depth in range(len(start), common, -1)
    ]
    across: tuple[Path, Item, Item] = (start[:common], item(source, start, common), item(target, end, common))
    entering: list[tuple[Path, Item, Item]] = [
        (end[:depth], Port(False, source), item(target, end, depth)) for depth in range(common + 1, len(end) + 1)
    ]
    return [*leaving, across, *entering]


def _lay_out(groups: dict[Path, _Group], group: _Group, model: Model, sizes: Sequence[tuple[float, float]]) -> None:
    ports = list(dict.fromkeys(end for key in group.lines for end in key[:2] if isinstance(end, Port)))
    group.order = [
        *(port for port in ports if not port.leaves),
        *_by_dependence(group),
        *(port for port in ports if port.leaves),
    ]
    place_of = {item: i for i, item in enumerate(group.order)}
    boxes = []
    for item in group.order:
        if isinstance(item, Port):
            boxes.append(Box(LANE, 0.0, first=not item.leaves, last=item.leaves))
        elif isinstance(item, int):
            boxes.append(Box(*sizes[item], source=model.nodes[item].is_source))
        else:
            boxes.append(Box(*groups[item].size))

    def offset(item: Item, port: Port) -> float | None:
        return 0.0 if isinstance(item, Port) else None if isinstance(item, int) else groups[item].ports[port]

    lines = [
        Line(place_of[first], place_of[last], offset(first, Port(True, value)), offset(last, Port(False, value)))
        for first, last, value in group.lines
    ]
    group.placed = place(boxes, lines)
    group.ports = {port: group.placed.x[place_of[port]] - group.placed.width / 2 for port in ports}


def _by_dependence(group: _Group) -> list[Item]:
    """Nodes and groups so that every line leads from an earlier to a later one; else in order of their first node."""
    inner = sorted(group.items, key=lambda item: group.items[item])
    waiting = dict.fromkeys(inner, 0)
    after: dict[Item, list[Item]] = {}
    for first, last, _ in group.lines:
        if first in waiting and last in waiting:
            after.setdefault(first, []).append(last)
            waiting[last] += 1
    ready = [item for item in reversed(inner) if waiting[item] == 0]
    order: list[Item] = []
    while ready:
        item = ready.pop()
        order.append(item)
        for other in reversed(after.get(item, [])):
            waiting[other] -= 1
            if waiting[other] == 0:
                ready.append(other)
    return order


def _compose(groups: dict[Path, _Group], model: Model) -> Arrangement:
    """Places in the whole picture: groups from the outside in, then every edge piece by piece."""
    x, y = [0.0] * len(model.nodes), [0.0] * len(model.nodes)
    origin: dict[Path, Point] = {(): (0.0, 0.0)}
    frames = []
    for path in sorted(groups, key=len):
        group = groups[path]
        left, top = origin[path]
        for item, cx, cy in zip(group.order, group.placed.x, group.placed.y, strict=True):
            if isinstance(item, int):
                x[item], y[item] = left + cx, top + cy
            elif not isinstance(item, Port):
                width, height = groups[item].size
                frame = Frame(item, left + cx - width / 2, top + cy - height / 2, width, height)
                frames.append(frame)
                origin[item] = frame.x + PADDING + groups[item].slack / 2, frame.y + HEAD
    routes = []
    for edge in model.edges:
        points: list[Point] = []
        for path, first, last in _pieces(model, edge.source, edge.target):
            left, top = origin[path]
            line = groups[path].lines[first, last, edge.source]
            points += [(left + px, top + py) for px, py in groups[path].placed.routes[line]]
        routes.append([point for i, point in enumerate(points) if i == 0 or point != points[i - 1]])
    return Arrangement(x, y, routes, frames, groups[()].placed.width, groups[()].placed.height)
