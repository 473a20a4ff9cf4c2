"""A picture as a list of shapes, and a model drawn as one: data flows down in blue, gradients flow up in red."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from wengert.inspect.compound import HEAD, Arrangement, Frame, arrange
from wengert.inspect.layout import Point
from wengert.inspect.model import CONSTANT, LEAF, PARAMETER, Model, ModelEdge, ModelNode, shape_text, value_text

BLUE, RED, GREY = "#2563eb", "#dc2626", "#94a3b8"
INK, FAINT = "#0f172a", "#64748b"
#: Half the distance between a blue edge and its red one.
_APART = 3.5
_MARGIN = 18.0
#: Longest text of a line in a box; the whole is in the tooltip.
_LONGEST = 34

#: Fill and border by what a node is.
COLORS = {
    LEAF: ("#fef3c7", "#d97706"),
    PARAMETER: ("#dcfce7", "#16a34a"),
    CONSTANT: ("#f1f5f9", "#94a3b8"),
    "operation": ("#ffffff", "#475569"),
    "group": ("#eef2ff", "#6366f1"),
    "output": ("#ede9fe", "#7c3aed"),
}

_NARROW = frozenset("ijl.,:;'|!()[]{} tfrI1-")
_WIDE = frozenset("mwMW@%")


#: A picture is broken into strips if it is longer than this, and longer than so many times its width.
_TALL, _SLENDER = 2600.0, 3.2


@dataclass(slots=True)
class Rectangle:
    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str
    radius: float = 5.0
    dashed: bool = False
    stroke_width: float = 1.2
    title: str = ""
    frame: bool = False

    @property
    def extent(self) -> tuple[float, float]:
        """The least and the greatest height."""
        return self.y, self.y + self.height


@dataclass(slots=True)
class Text:
    x: float
    y: float
    text: str
    size: float
    color: str = INK
    bold: bool = False
    anchor: str = "middle"

    @property
    def extent(self) -> tuple[float, float]:
        return self.y - self.size, self.y + self.size


@dataclass(slots=True)
class Curve:
    """A line through points, drawn with vertical tangents, and an arrow at its end."""

    points: list[Point]
    color: str
    dashed: bool = False
    width: float = 1.5
    title: str = ""
    #: How far it is moved to the right, to have room for the other one: where both run almost level, it is moved in
    #: height instead.
    shift: float = 0.0

    @property
    def extent(self) -> tuple[float, float]:
        first, last = self.points[0][1], self.points[-1][1]
        return min(first, last), max(first, last)


@dataclass(slots=True)
class Scene:
    """Shapes in the order of drawing, ``strips`` of which are shown side by side: (top, bottom) of each."""

    length: float = 0.0
    title: str = ""
    shapes: list[Rectangle | Text | Curve] = field(default_factory=list)
    strip_width: float = 0.0
    strips: list[tuple[float, float]] = field(default_factory=list)

    @property
    def width(self) -> float:
        return self.strip_width * len(self.strips)

    @property
    def height(self) -> float:
        return max(bottom - top for top, bottom in self.strips)

    def within(self, top: float, bottom: float) -> list[Rectangle | Text | Curve]:
        """The shapes that can be seen between two heights."""
        return [shape for shape in self.shapes if shape.extent[0] <= bottom and shape.extent[1] >= top]

    def wrap(self) -> None:
        """Break a tall picture into strips, between its boxes; a line that is cut goes on at the top of the next."""
        if self.length < _TALL or self.length < _SLENDER * self.strip_width:
            return
        count = round(math.sqrt(self.length / self.strip_width / 1.2))
        boxes = sorted(shape.extent for shape in self.shapes if isinstance(shape, Rectangle) and not shape.frame)
        cuts = [0.0]
        for number in range(1, count):
            cut = self.length * number / count
            for top, bottom in boxes:
                if top - 4 < cut < bottom + 4:
                    cut = bottom + 12
            if cuts[-1] < cut < self.length - 20:
                cuts.append(cut)
        self.strips = list(itertools.pairwise([*cuts, self.length]))


def text_width(text: str, size: float, bold: bool = False) -> float:
    """About how wide a text is in DejaVu Sans: enough to make its box wide enough."""
    units = 0.0
    for character in text:
        units += 0.4 if character in _NARROW else 0.9 if character in _WIDE else 0.7 if character.isupper() else 0.615
    return units * size * (1.09 if bold else 1.0)


def clipped(text: str, longest: int = _LONGEST) -> str:
    """The text in one line, shortened in the middle."""
    text = " ".join(text.split())
    half = (longest - 1) // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"


def lines_of(node: ModelNode, gradients: bool, values: bool) -> list[tuple[str, float, str, bool]]:
    """What a node's box says: (text, size, colour, bold) for every line."""
    head = clipped(node.name)
    numbers = [text for text in node.operands if text and text != "constant"]
    if len(numbers) == 1 and not node.is_source:
        head = clipped(f"{head} {numbers[0]}")
    lines = [(head, 12.0, INK, True)]
    if node.specs:
        spec = node.specs[0]
        more = f"  (+{len(node.specs) - 1})" if len(node.specs) > 1 else ""
        lines.append((f"{spec.dtype} {shape_text(spec.shape)}{more}", 9.5, FAINT, False))
    if values and node.value is not None:
        lines.append((clipped(value_text(node.value)), 9.5, BLUE, False))
    if gradients and node.grad is not None:
        lines.append((clipped(f"∂ {value_text(node.grad)}"), 9.5, RED, False))
    return lines


def size_of(lines: Sequence[tuple[str, float, str, bool]]) -> tuple[float, float]:
    """Width and height of the box around lines of text."""
    width = max(text_width(text, size, bold) for text, size, _, bold in lines) + 20
    return max(width, 62.0), sum(size + 4.5 for _, size, _, _ in lines) + 9


def tooltip(node: ModelNode) -> str:
    """Everything in a few lines of plain text."""
    lines = [node.text if not node.is_source else f"{node.kind} {node.label}".strip()]
    lines += [f"{spec.dtype} {shape_text(spec.shape)}" for spec in node.specs]
    if node.times > 1:
        lines.append(f"× {node.times}")
    if node.value is not None:
        lines.append(f"value {value_text(node.value)}")
    if node.grad is not None:
        lines.append(f"gradient {value_text(node.grad)}")
    if node.kept_bytes:
        lines.append(f"keeps {node.kept_bytes:,} bytes for the backward pass")
    if node.location is not None:
        lines += [node.line, node.location.text]
    return "\n".join(line for line in lines if line)


def scene_of(
    model: Model,
    gradients: bool = True,
    values: bool = True,
    saved: bool = False,
    edge_labels: bool = False,
    wrap: bool = True,
) -> Scene:
    """Draw a model. ``saved`` marks what every node keeps for the backward pass, ``edge_labels`` writes shapes and
    dtypes beside edges, ``wrap`` breaks tall pictures."""
    gradients = gradients and model.differentiated
    texts = [lines_of(node, gradients, values) for node in model.nodes]
    if saved:
        for node, lines in zip(model.nodes, texts, strict=True):
            lines += [(f"saves {one.role}: {shape_text(one.shape)}", 9.0, "#b45309", False) for one in node.kept]
    found = arrange(model, [size_of(lines) for lines in texts], lambda path: text_width(path[-1], 10.5, True) + 16)
    scene = Scene(found.height + 2 * _MARGIN, model.title, strip_width=found.width + 2 * _MARGIN)
    scene.strips = [(0.0, scene.length)]
    for frame in found.frames:
        _draw_frame(scene, frame)
    for edge, route in zip(model.edges, found.routes, strict=True):
        _draw_edge(scene, edge, route, gradients, edge_labels)
    for node, lines in zip(model.nodes, texts, strict=True):
        _draw_node(scene, node, lines, found)
    if wrap:
        scene.wrap()
    return scene


def _draw_frame(scene: Scene, frame: Frame) -> None:
    x, y = frame.x + _MARGIN, frame.y + _MARGIN
    fill = "#f8fafc" if len(frame.path) % 2 else "#f1f5f9"
    scene.shapes.append(
        Rectangle(x, y, frame.width, frame.height, fill, "#cbd5e1", 9.0, title=".".join(frame.path), frame=True)
    )
    scene.shapes.append(Text(x + 9, y + HEAD - 8, clipped(frame.path[-1], 60), 10.5, "#475569", True, "start"))


def _draw_edge(scene: Scene, edge: ModelEdge, route: list[Point], gradients: bool, labelled: bool) -> None:
    spec = f"{edge.spec.dtype} {shape_text(edge.spec.shape)}"
    red = gradients and edge.gradient
    shift = _APART if red else 0.0
    forward = [(x + _MARGIN - shift, y + _MARGIN) for x, y in route]
    # Where gradients are shown, a grey dashed edge is one that none comes back along.
    blocked = gradients and not edge.gradient
    scene.shapes.append(Curve(forward, GREY if blocked else BLUE, dashed=blocked, title=spec, shift=-shift))
    if red:
        backward = [(x + _MARGIN + shift, y + _MARGIN) for x, y in reversed(route)]
        scene.shapes.append(Curve(backward, RED, title=f"gradient {spec}", shift=shift))
    if labelled:
        # Where an edge begins it is upright, and away from others.
        x, y = route[0]
        scene.shapes.append(Text(x + _MARGIN + shift + 5, y + _MARGIN + 11, spec, 8.0, FAINT, anchor="start"))


def _draw_node(scene: Scene, node: ModelNode, lines: list[tuple[str, float, str, bool]], found: Arrangement) -> None:
    width, height = size_of(lines)
    x, y = found.x[node.index] + _MARGIN, found.y[node.index] + _MARGIN
    kind = "group" if node.op == "group" else "output" if node.output and not node.is_source else node.kind
    fill, stroke = COLORS[kind]
    radius = 15.0 if node.kind == LEAF else 5.0
    left, top = x - width / 2, y - height / 2
    if kind == "group":
        scene.shapes.append(Rectangle(left + 3, top + 3, width, height, fill, stroke, radius))
    weight = 2.0 if kind == "output" else 1.2
    scene.shapes.append(
        Rectangle(left, top, width, height, fill, stroke, radius, node.kind == CONSTANT, weight, tooltip(node))
    )
    at = top + 5.0
    for text, size, color, bold in lines:
        at += size + 4.5
        scene.shapes.append(Text(x, at - 3.5, text, size, color, bold))
