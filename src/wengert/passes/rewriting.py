"""What passes are made of: a walk over the nodes of a graph that replaces some of them.

A pass is a frozen dataclass whose fields are its options and whose call takes a graph and returns one; a graph that it
has nothing to change in comes back as the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.primitive import Primitive
from wengert.core.static import Constant, Graph, GraphNode, Result, Value, infer
from wengert.core.tracing import needed
from wengert.core.types import SCALAR_TYPES

Pass = Callable[[Graph], Graph]

#: What stands in the place of a node's results: one value for each, or ``None`` to keep the node.
Replacement = Sequence[Value] | None


class Builder:
    """The graph that a walk is building, and what is known of its values."""

    def __init__(self) -> None:
        self.nodes: list[GraphNode] = []
        self.makers: dict[Value, GraphNode] = {}
        self._origin: GraphNode | None = None

    def add(self, node: GraphNode) -> None:
        self.nodes.append(node)
        for result in node.results:
            self.makers[result] = node

    def emit(self, primitive: Primitive, *operands: Any) -> tuple[Result, ...]:
        """Append an operation, at the source line of the node that is being replaced."""
        found = infer(primitive, operands)
        specs = found if isinstance(found, tuple) else (found,)
        results = [Result(spec, k) for k, spec in enumerate(specs)]
        origin = self._origin
        where, scope = (origin._location, origin.scope) if origin is not None else (None, "")
        node = GraphNode(primitive, operands, results, where, scope)
        self.add(node)
        return tuple(results)

    def maker(self, x: Any) -> GraphNode | None:
        """The node that makes a value."""
        return self.makers.get(x) if isinstance(x, Value) else None

    def number(self, x: Any) -> Any:
        """The one number that an operand holds everywhere, if it is known; else ``None``."""
        while (node := self.maker(x)) is not None and node.primitive.spreads:
            (x,) = node.operands
        if type(x) in SCALAR_TYPES:
            return x
        return x.array.item() if isinstance(x, Constant) and x.array.size == 1 else None


#: A local rewrite: the builder and a node whose operands have been rewritten already.
Rule = Callable[[Builder, GraphNode], Replacement]


def rewrite(graph: Graph, rule: Rule, inside: Pass | None = None) -> Graph:
    """The graph after a walk in topological order in which ``rule`` may replace nodes; ``inside`` is applied to the
    graphs that operations carry."""
    builder = Builder()
    renamed: dict[Value, Value] = {}
    changed = False
    for node in graph.nodes:
        operands = [renamed.get(x, x) if isinstance(x, Value) else x for x in node.operands]
        primitive = node.primitive
        if inside is not None and primitive.graphs():
            primitive = with_graphs(primitive, inside)
        here = node
        if primitive is not node.primitive or any(x is not y for x, y in zip(operands, node.operands, strict=True)):
            here = GraphNode(primitive, operands, node.results, node._location, node.scope)
            changed = True
        builder._origin = here
        found = rule(builder, here)
        if found is None:
            builder.add(here)
            continue
        changed = True
        for old, new in zip(node.results, found, strict=True):
            renamed[old] = new
            if old.name and not new.name and isinstance(new, Result):
                new.name = old.name
    if not changed:
        return graph
    outputs = [renamed.get(y, y) for y in graph.outputs]
    return graph.replace(nodes=tuple(needed(builder.nodes, outputs)), outputs=tuple(outputs))


def with_graphs(primitive: Primitive, change: Pass) -> Primitive:
    """The operation with every graph among its parameters changed; itself if none does change."""
    parameters = primitive.parameters()
    changed = {name: _changed(value, change) for name, value in parameters.items()}
    if all(changed[name] is value for name, value in parameters.items()):
        return primitive
    return type(primitive)(**changed)


def _changed(value: Any, change: Pass) -> Any:
    if isinstance(value, Graph):
        return change(value)
    if isinstance(value, Primitive):
        return with_graphs(value, change)
    if isinstance(value, tuple) and value and all(isinstance(one, Graph) for one in value):
        new = tuple(map(change, value))
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new
    return value


def same_spec(x: Any, y: Value) -> bool:
    """Whether an operand is a value of the shape and dtype of ``y``."""
    return isinstance(x, Value) and x.shape == y.shape and x.dtype == y.dtype


def is_literal(x: Any, number: float) -> bool:
    """Whether a known number is this one, the sign of zero included."""
    return x is not None and not isinstance(x, complex) and x == number and np.signbit(x) == np.signbit(number)
