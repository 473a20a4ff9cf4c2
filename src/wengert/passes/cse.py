"""Common subexpressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wengert.core.static import Constant, Graph, GraphNode, Result, Value, digest
from wengert.passes.rewriting import Builder, Replacement, rewrite


@dataclass(frozen=True)
class ShareSubexpressions:
    """Compute once what is computed twice.

    ::

        %2 = sin %0                %2 = sin %0
        %3 = sin %0            ->  %4 = multiply %2 %2
        %4 = multiply %2 %3

    Operations are equal if their class and parameters are; operands of commutative ones may be in either order, and
    constants are the same if their contents are.
    """

    def __call__(self, graph: Graph) -> Graph:
        seen: dict[Any, tuple[Result, ...]] = {}
        constants: dict[Any, Constant] = {}

        def canonical(x: Any) -> Any:
            if isinstance(x, Constant):
                return id(constants.setdefault(digest(x.array), x))
            return id(x) if isinstance(x, Value) else (type(x), repr(x))

        def rule(builder: Builder, node: GraphNode) -> Replacement:
            operands = [canonical(x) for x in node.operands]
            if node.primitive.commutative:
                operands.sort(key=repr)
            key = (node.primitive, *operands)
            found = seen.get(key)
            if found is None:
                seen[key] = node.results
            return found

        return rewrite(graph, rule, self)
