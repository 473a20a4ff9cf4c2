"""Algebra that is exact: no result changes by a bit, NaN, infinities and signed zeros included.

What an operation allows is said on its class (``identities``, ``involution``, ``idempotent``, ``chooses``,
``cheaper`` and so on); this pass keeps no list of operations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wengert.core.primitive import REGISTRY
from wengert.core.static import Constant, Graph, GraphNode, Value
from wengert.passes.rewriting import Builder, Replacement, is_literal, rewrite, same_spec


@dataclass(frozen=True)
class Simplify:
    """Drop operations that change nothing, and take cheaper ones where they are exactly equal.

    ::

        %1 = multiply %0 1         %3 = square %0
        %2 = negative %1      ->   return %3
        %3 = negative %2
        %4 = power %3 2

    ``unsafe`` adds what is true of numbers but not of NaN, infinities or signed zeros: ``x + 0``, ``x * 0``, ``x - x``,
    ``x / x``.
    """

    unsafe: bool = False

    def __call__(self, graph: Graph) -> Graph:
        return rewrite(graph, self._rule, self)

    def _rule(self, builder: Builder, node: GraphNode) -> Replacement:
        op = node.primitive
        if len(node.results) != 1:
            return None
        (result,) = node.results
        operands = node.operands
        for place, neutral in op.identities.items():
            other = operands[1 - place]
            if same_spec(other, result) and is_literal(builder.number(operands[place]), neutral):
                return [other]
        if len(operands) == 1:
            inner = builder.maker(operands[0])
            if inner is not None and inner.primitive == op:
                if op.involution and same_spec(inner.operands[0], result):
                    return [inner.operands[0]]
                if op.idempotent and same_spec(operands[0], result):
                    return [operands[0]]
            if op.keeps(operands[0]) and same_spec(operands[0], result):
                return [operands[0]]
        if op.chooses and len(operands) >= 2 and operands[-1] is operands[-2] and same_spec(operands[-1], result):
            return [operands[-1]]
        cheaper = op.cheaper(operands, [builder.number(x) for x in operands])
        if cheaper is not None:
            found = builder.emit(*cheaper)
            if same_spec(found[0], result):
                return found
        return self._unsafe(builder, node) if self.unsafe else None

    def _unsafe(self, builder: Builder, node: GraphNode) -> Replacement:
        op, operands, (result,) = node.primitive, node.operands, node.results
        if len(operands) != 2:
            return None
        for place, neutral in op.loose_identities.items():
            other = operands[1 - place]
            if same_spec(other, result) and builder.number(operands[place]) == neutral:
                return [other]
        if op.absorbing is not None and op.absorbing in map(builder.number, operands):
            return _filled(builder, result, op.absorbing)
        if op.of_equals is not None and operands[0] is operands[1] and isinstance(operands[0], Value):
            return _filled(builder, result, op.of_equals)
        return None


def _filled(builder: Builder, result: Value, number: float) -> Replacement:
    array = np.array(number, result.dtype)
    array.flags.writeable = False
    constant = Constant(array)
    return builder.emit(REGISTRY["broadcast_to"](result.shape), constant) if result.shape else [constant]
