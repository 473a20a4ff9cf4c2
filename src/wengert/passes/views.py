"""Reshapes, transposes and broadcasts that cancel, or that nothing needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wengert.core.static import Graph, GraphNode, Value
from wengert.ops.families import Elementwise
from wengert.ops.shape import BroadcastTo
from wengert.passes.rewriting import Builder, Replacement, rewrite


@dataclass(frozen=True)
class CancelViews:
    """Join two views into one; leave out broadcasts that an elementwise operation does by itself, or do them after it.

    ::

        %1 = transpose[axes=(-1, -2)] %0          %3 = multiply %0 2.0
        %2 = transpose[axes=(-1, -2)] %1      ->  return %3
        %4 = broadcast_to[shape=(3, 4)] 2.0
        %3 = multiply %2 %4
    """

    def __call__(self, graph: Graph) -> Graph:
        return rewrite(graph, self._rule, self)

    def _rule(self, builder: Builder, node: GraphNode) -> Replacement:
        if len(node.operands) == 1 and isinstance(node.operands[0], Value):
            inner = builder.maker(node.operands[0])
            if inner is not None and len(inner.operands) == 1:
                joined = node.primitive.after(inner.primitive)
                if joined is not None:
                    return builder.emit(joined, inner.operands[0])
        if isinstance(node.primitive, Elementwise) and len(node.results) == 1:
            return self._without_broadcasts(builder, node)
        return None

    def _without_broadcasts(self, builder: Builder, node: GraphNode) -> Replacement:
        """The operation on what its operands were broadcast from, broadcast afterwards if it still has to be."""
        operands = [_source(builder, x) for x in node.operands]
        if all(x is y for x, y in zip(operands, node.operands, strict=True)):
            return None
        (result,) = node.results
        found = builder.emit(node.primitive, *operands)
        if found[0].dtype != result.dtype:
            return None
        return found if found[0].shape == result.shape else builder.emit(BroadcastTo(result.shape), found[0])


def _source(builder: Builder, x: Any) -> Any:
    maker = builder.maker(x)
    return x if maker is None or not isinstance(maker.primitive, BroadcastTo) else maker.operands[0]
