"""Constant folding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wengert.core.interpreter import interpret
from wengert.core.static import Constant, Graph, GraphNode, Value
from wengert.passes.rewriting import Builder, Replacement, rewrite


@dataclass(frozen=True)
class Fold:
    """Compute what depends on constants only, once and for all.

    ::

        %1 = exp 2.0               %1 = multiply %0 7.38905609893065
        %2 = multiply %0 %1   ->

    Results larger than ``limit`` bytes are left, unless they are no larger than what they are computed from; so are
    those of operations that only spread a number out, and what raises an error, which belongs to the run.
    """

    limit: int = 1 << 16

    def __call__(self, graph: Graph) -> Graph:
        return rewrite(graph, self._rule, self)

    def _rule(self, builder: Builder, node: GraphNode) -> Replacement:
        values = [x for x in node.operands if isinstance(x, Value)]
        if not all(isinstance(x, Constant) for x in values) or node.primitive.random or node.primitive.graphs():
            return None
        size = sum(y.spec.nbytes for y in node.results)
        if node.primitive.spreads or size > max(self.limit, sum(x.spec.nbytes for x in values)):
            return None
        lone = Graph((), (node,), node.results)
        try:
            with np.errstate(all="ignore"):
                found = interpret(lone, ())
        except Exception:
            return None
        return [Constant(_frozen(array), y.name) for array, y in zip(found, node.results, strict=True)]


def _frozen(array: np.ndarray) -> np.ndarray:
    own = np.array(array)
    own.flags.writeable = False
    return own
