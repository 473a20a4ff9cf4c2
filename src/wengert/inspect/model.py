"""One plain model of a graph to show: what every report, drawing and page is made from.

A ``Model`` is a list of nodes in topological order and a list of edges; nothing in it refers to tensors, so it can be
kept, folded and laid out without keeping a graph alive. ``model_of`` builds it from whatever a user has: a tensor's
graph, a function with its arguments, or a static graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from wengert.core.node import Location
from wengert.core.primitive import Primitive
from wengert.core.types import TensorSpec
from wengert.plan.cost import spec_bytes

#: What a node can be.
LEAF, PARAMETER, CONSTANT, OPERATION = "leaf", "parameter", "constant", "operation"


@dataclass(frozen=True, slots=True)
class Kept:
    """A residual: an array that waits for the backward pass. ``bytes`` is 0 if its memory is another's."""

    role: str
    shape: tuple[Any, ...]
    dtype: str
    bytes: int
    leaf: bool


@dataclass(slots=True)
class ModelNode:
    """An operation, or where values come from. Times are in seconds; what is not known is ``None``."""

    index: int
    kind: str
    op: str
    label: str
    text: str
    specs: tuple[TensorSpec, ...]
    group: tuple[str, ...] = ()
    location: Location | None = None
    primitive: Primitive | None = None
    #: For each operand, the text of a number, or the place of its edge among the node's incoming edges.
    operands: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    value: Any = None
    grad: Any = None
    forward: float | None = None
    backward: float | None = None
    flops: int = 0
    moved: int = 0
    output: bool = False
    times: int = 1
    #: In a comparison: whether the node is "removed" or "added".
    change: str = ""

    @property
    def kept_bytes(self) -> int:
        """Bytes that wait for the backward pass because of this node."""
        return sum(one.bytes for one in self.kept)

    @property
    def bytes(self) -> int:
        """Bytes of the results; 0 where a length is unknown."""
        return sum(spec_bytes(spec) for spec in self.specs)

    @property
    def is_source(self) -> bool:
        return self.kind != OPERATION

    @property
    def name(self) -> str:
        """What a picture calls it: an operation by its kind, a parameter by its name within its module."""
        if not self.is_source and self.op != "group":
            return self.op
        owner, _, name = self.label.rpartition(".")
        inside = self.group and owner.split(".")[-1] == self.group[-1]
        return (name if inside else self.label) or self.kind

    @property
    def line(self) -> str:
        """``file.py:12``, or nothing."""
        return str(self.location) if self.location is not None else ""


@dataclass(frozen=True, slots=True)
class ModelEdge:
    """The use of a result. ``gradient`` says whether a gradient can come back along it."""

    source: int
    target: int
    slot: int
    result: int
    spec: TensorSpec
    gradient: bool


@dataclass(slots=True)
class Model:
    """A graph to show: nodes in topological order, edges, and where its results are."""

    nodes: list[ModelNode]
    edges: list[ModelEdge]
    title: str = ""
    #: Whether gradients can be shown: the graph is one that a backward pass runs through.
    differentiated: bool = True
    _incoming: list[list[ModelEdge]] | None = field(default=None, repr=False)

    @property
    def incoming(self) -> list[list[ModelEdge]]:
        """For each node, the edges that end there."""
        if self._incoming is None:
            found: list[list[ModelEdge]] = [[] for _ in self.nodes]
            for edge in self.edges:
                found[edge.target].append(edge)
            self._incoming = found
        return self._incoming

    @property
    def depth(self) -> int:
        """The number of edges on the longest path."""
        return max(self.levels(), default=0)

    @property
    def width(self) -> int:
        """The most operations that stand at the same depth: what could run at the same time."""
        levels = self.levels()
        counts: dict[int, int] = {}
        for node in self.nodes:
            if not node.is_source:
                counts[levels[node.index]] = counts.get(levels[node.index], 0) + 1
        return max(counts.values(), default=0)

    def levels(self) -> list[int]:
        """For each node, the number of edges on the longest path that ends there."""
        level = [0] * len(self.nodes)
        for node in self.nodes:
            level[node.index] = max((level[edge.source] + 1 for edge in self.incoming[node.index]), default=0)
        return level

    def by_use(self) -> list[ModelNode]:
        """The nodes in the order of the run, every source right before the first operation that uses it."""
        turn = [node.index for node in self.nodes]
        for edge in sorted(self.edges, key=lambda edge: -edge.target):
            if self.nodes[edge.source].is_source:
                turn[edge.source] = edge.target
        return sorted(self.nodes, key=lambda node: (turn[node.index], not node.is_source, len(node.group), node.index))

    def induced(self, keep: Sequence[int], mapping: dict[int, int] | None = None) -> Model:
        """The model of some of the nodes. ``mapping`` sends nodes that are left out to ones that stand for them."""
        place = {old: new for new, old in enumerate(keep)}
        target = dict(place)
        for old, stand_in in (mapping or {}).items():
            if stand_in in place:
                target[old] = place[stand_in]
        nodes = [replace(self.nodes[old], index=new) for new, old in enumerate(keep)]
        seen: set[tuple[int, ...]] = set()
        edges = []
        for edge in self.edges:
            source, end = target.get(edge.source), target.get(edge.target)
            if source is None or end is None or source >= end:
                continue
            stand_in = edge.source not in place or edge.target not in place
            if ((source, end) if stand_in else (source, end, edge.slot)) in seen:
                continue
            seen |= {(source, end), (source, end, edge.slot)}
            edges.append(replace(edge, source=source, target=end))
        return Model(nodes, edges, self.title, self.differentiated)


def common_length(a: Sequence[Any], b: Sequence[Any]) -> int:
    """How many items two sequences have in common at their start."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count


def spec_text(spec: TensorSpec) -> str:
    """``float64 32x10`` for people: shorter than the text form of a graph."""
    return f"{spec.dtype} {shape_text(spec.shape)}"


def shape_text(shape: Iterable[Any]) -> str:
    """``32×10``, or ``scalar``."""
    return "×".join(map(str, shape)) or "scalar"


def number_text(value: Any, digits: int = 4) -> str:
    """A number in few characters."""
    scalar = value.item() if isinstance(value, (np.ndarray, np.generic)) else value
    if isinstance(scalar, bool) or not isinstance(scalar, (int, float, complex)):
        return str(scalar)
    # Adding zero takes the sign off a negative zero, which would only puzzle.
    return f"{scalar + 0.0:.{digits}g}" if not isinstance(scalar, int) else str(scalar)


def value_text(value: Any, limit: int = 4) -> str:
    """A small array in full, of a large one the extremes: ``[0.1, 2]`` or ``-1.2 … 3.4``."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(value_text(one, limit) for one in value)
    array = np.asarray(value)
    if array.size == 0:
        return "empty"
    if array.size == 1:
        return number_text(array.reshape(())[()])
    if array.size <= limit:
        return "[" + ", ".join(number_text(one, 3) for one in array.ravel()) + "]"
    if array.dtype.kind == "c":
        return f"|·| ≤ {np.abs(array).max():.3g}"
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return f"{int(np.isnan(array).sum())} NaN, {int(np.isinf(array).sum())} inf"
    return f"{number_text(array.min(), 3)} … {number_text(array.max(), 3)}"


def bytes_text(count: float) -> str:
    """``1.5 KiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def count_text(count: float) -> str:
    """``1.5 M``."""
    for unit in ("", " k", " M", " G", " T"):
        if abs(count) < 1000:
            return f"{count:.0f}{unit}" if unit == "" else f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:.3g} P"


def seconds_text(seconds: float) -> str:
    """``12.3 µs``."""
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1 or unit == "µs":
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"
