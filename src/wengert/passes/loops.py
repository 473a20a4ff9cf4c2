"""Loops that run side by side over the same operands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wengert.core.derived import selected
from wengert.core.static import Graph, GraphNode, Result, Value
from wengert.ops.loops import Scan
from wengert.passes.rewriting import Builder, Replacement, rewrite


@dataclass(frozen=True)
class MergeLoops:
    """Run a loop once where another one computes the same and more.

    ::

        %1 = scan[...] %0        # y = f(x)                   %1, %2 = scan[...] %0
        %2, %3 = scan[...] %0    # the same, with residuals

    The gradient of a scan leaves such a pair behind: the loop for its value, and the loop that also keeps what the
    backward loop needs.
    """

    def __call__(self, graph: Graph) -> Graph:
        groups: dict[Any, list[GraphNode]] = {}
        for node in graph.nodes:
            if isinstance(node.primitive, Scan):
                groups.setdefault(_key(node), []).append(node)
        largest: dict[GraphNode, GraphNode] = {}
        for nodes in groups.values():
            most = max(nodes, key=lambda node: len(node.results))
            for node in nodes:
                if node is not most and _is_part(_scan(node), _scan(most)):
                    largest[node] = largest[most] = most
        if not largest:
            return graph
        done: dict[GraphNode, tuple[Result, ...]] = {}
        original = {node.results[0]: node for node in graph.nodes if node in largest and node.results}

        def rule(builder: Builder, node: GraphNode) -> Replacement:
            most = largest.get(original.get(node.results[0], node)) if node.results else None
            if most is None:
                return None
            if most not in done:
                done[most] = builder.emit(most.primitive, *node.operands)
            return done[most][: len(node.results)]

        return rewrite(graph, rule, self)


def _scan(node: GraphNode) -> Scan:
    assert isinstance(node.primitive, Scan)
    return node.primitive


def _key(node: GraphNode) -> Any:
    loop = _scan(node)
    operands = tuple(id(x) if isinstance(x, Value) else (type(x), repr(x)) for x in node.operands)
    return loop.length, loop.consts, loop.carry, loop.reverse, loop.slots, loop.recompute, operands


def _is_part(small: Scan, large: Scan) -> bool:
    """Whether the first results of one body are those of the other."""
    count = len(small.body.outputs)
    return bool(selected(large.body, large.body.outputs[:count]) == small.body)
