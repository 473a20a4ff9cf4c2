"""Dead code."""

from __future__ import annotations

from dataclasses import dataclass

from wengert.core.static import Graph, GraphNode
from wengert.core.tracing import needed


@dataclass(frozen=True)
class DropDeadCode:
    """Leave out what no output depends on, also inside loops: a carry or a stacked result that nothing uses.

    ::

        %1 = sin %0                %2 = cos %0
        %2 = cos %0            ->  return %2
        return %2
    """

    def __call__(self, graph: Graph) -> Graph:
        live = set(graph.outputs)
        kept: list[GraphNode] = []
        changed = False
        for node in reversed(graph.nodes):
            used = tuple(result in live for result in node.results)
            if not any(used):
                changed = True
                continue
            if not all(used):
                smaller = node.primitive.pruned(used)
                if smaller is not None:
                    primitive, places = smaller
                    results = [y for y, flag in zip(node.results, used, strict=True) if flag]
                    node = GraphNode(primitive, [node.operands[i] for i in places], results, node._location, node.scope)
                    changed = True
            live.update(node.inputs)
            kept.append(node)
        if not changed:
            return graph
        return graph.replace(nodes=tuple(needed(kept[::-1], graph.outputs)))
