"""Running a graph with NumPy, one node after the other: the reference for everything else that runs graphs.

Each value is dropped as soon as its last user has run, so the memory that is alive is what the plan says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np

from .apply import explain
from .errors import GraphError
from .static import Constant, Graph, GraphNode, Value, spec_text
from .types import SCALAR_TYPES

#: Called after each node with its position and what it made, before anything is dropped.
Observer = Callable[[int, Sequence[Any]], None]

_ndarray = np.ndarray


class Meter(Protocol):
    """Runs nodes in the place of the interpreter, to see what memory they take; see ``wengert.plan.memory``."""

    #: Whether the arrays hold no numbers.
    rehearsal: bool

    def run(self, node: GraphNode, operands: Sequence[Any]) -> Any:
        """The result or results of a node."""

    def note(self, array: np.ndarray) -> None:
        """Count an array that an operation has made for its result."""


METER: ContextVar[Meter | None] = ContextVar("wengert_meter", default=None)


class Step:
    """A node made ready to run: where its operands are found, where its results go, and what is dropped after it."""

    __slots__ = ("drops", "node", "operands", "targets", "value")

    def __init__(self, node: GraphNode, operands: Sequence[int], targets: Sequence[int], drops: Sequence[int]) -> None:
        self.node = node
        self.value = _on_arrays(node.primitive.value) if node.primitive.graphs() else node.primitive.value
        self.operands = tuple(operands)
        self.targets = tuple(targets)
        self.drops = tuple(drops)


def _on_arrays(value: Callable[..., Any]) -> Callable[..., Any]:
    """For operations that carry graphs: Python scalars, of weak inputs, arrive as arrays."""
    return lambda *xs: value(*[x if type(x) is _ndarray else np.asarray(x) for x in xs])


class Schedule:
    """The steps of a graph over one list of slots: constants and literals first, then inputs, then results."""

    def __init__(self, graph: Graph) -> None:
        slots: dict[Any, int] = {}
        start: list[Any] = []
        for constant in graph.constants:
            slots[constant] = len(start)
            start.append(constant.array)
        for node in graph.nodes:
            for x in node.operands:
                key = _literal_key(x)
                if key is not None and key not in slots:
                    slots[key] = len(start)
                    start.append(x)
        self.first_input = len(start)
        for x in graph.inputs:
            slots[x] = len(start)
            start.append(None)
        self.start = start
        last: dict[Value, int] = {}
        for position, node in enumerate(graph.nodes):
            for x in node.inputs:
                last[x] = position
            for result in node.results:
                last[result] = position
        for y in graph.outputs:
            last[y] = len(graph.nodes)
        drops: list[list[int]] = [[] for _ in graph.nodes]
        self.count = len(start)
        for node in graph.nodes:
            for result in node.results:
                slots[result] = self.count
                self.count += 1
        for value, position in last.items():
            if position < len(graph.nodes) and not isinstance(value, Constant):
                drops[position].append(slots[value])
        self.steps = [
            Step(
                node,
                [slots[x if isinstance(x, Value) else _literal_key(x)] for x in node.operands],
                [slots[result] for result in node.results],
                drop,
            )
            for node, drop in zip(graph.nodes, drops, strict=True)
        ]
        self.outputs = [slots[y] for y in graph.outputs]


def _literal_key(x: Any) -> Any:
    return None if isinstance(x, Value) else (type(x), repr(x))


def schedule(graph: Graph) -> Schedule:
    """The steps of a graph, made once."""
    found: Schedule = graph.cached("schedule", lambda: Schedule(graph))
    return found


def interpret(graph: Graph, arguments: Sequence[Any], observer: Observer | None = None) -> tuple[Any, ...]:
    """The outputs of a graph for these arrays (or Python scalars, for weak inputs).

    Raises ``GraphError`` for a wrong number of arguments; what an operation raises names the line that made its node.
    """
    plan = schedule(graph)
    if len(arguments) != len(graph.inputs):
        raise GraphError(f"the graph takes {len(graph.inputs)} inputs, and got {len(arguments)}")
    slots = [*plan.start, *([None] * (plan.count - len(plan.start)))]
    slots[plan.first_input : plan.first_input + len(arguments)] = arguments
    meter = METER.get()
    for position, step in enumerate(plan.steps):
        operands = [slots[i] for i in step.operands]
        try:
            out = step.value(*operands) if meter is None else meter.run(step.node, operands)
        except Exception as error:
            raise explain(step.node.primitive, operands, error, step.node.location) from error
        outs = out if type(out) is tuple else (out,)
        for target, one in zip(step.targets, outs, strict=True):
            slots[target] = one if type(one) is _ndarray else np.asarray(one)
        if observer is not None:
            observer(position, [slots[i] for i in step.targets])
        del operands, out, outs
        for i in step.drops:
            slots[i] = None
    return tuple([one if type(one := slots[i]) is _ndarray else np.asarray(one) for i in plan.outputs])


def check_arguments(graph: Graph, arguments: Sequence[Any]) -> None:
    """Raise ``GraphError`` unless arrays have the shapes and dtypes of the graph's inputs."""
    if len(arguments) != len(graph.inputs):
        raise GraphError(f"the graph takes {len(graph.inputs)} inputs, and got {len(arguments)}")
    for position, (x, declared) in enumerate(zip(arguments, graph.inputs, strict=True)):
        if declared.weak is not None and type(x) in SCALAR_TYPES:
            continue
        if tuple(np.shape(x)) != declared.shape or getattr(x, "dtype", None) != declared.dtype:
            name = f" ({declared.name})" if declared.name else ""
            given = spec_text(x) if hasattr(x, "dtype") else f"a {type(x).__name__}"
            raise GraphError(f"input {position}{name} is declared {spec_text(declared)}, and got {given}")
