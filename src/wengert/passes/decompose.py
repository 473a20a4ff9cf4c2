"""Operations in pieces, for a compiler that fuses them with their neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wengert.core.levels import as_tensor
from wengert.core.primitive import Primitive
from wengert.core.static import Constant, Graph, GraphNode, Value
from wengert.core.tracing import trace_flat
from wengert.passes.rewriting import Builder, Replacement, rewrite


@dataclass(frozen=True)
class Decompose:
    """Take apart what says how (``Primitive.decompose``): softmax into a maximum, powers, a sum and a quotient.

    ::

        %1 = softmax[axes=(-1,)] %0   ->   %1 = max ...; %2 = subtract ...; %3 = exp %2; ...
    """

    def __call__(self, graph: Graph) -> Graph:
        return rewrite(graph, self._rule, self)

    def _rule(self, builder: Builder, node: GraphNode) -> Replacement:
        op = node.primitive
        if type(op).decompose is Primitive.decompose or not all(isinstance(x, Value) for x in node.operands):
            return None
        specs = [x.spec for x in node.inputs]

        def pieces(*xs: Any) -> list[Any]:
            found = op.decompose(*xs)
            if found is NotImplemented:
                raise _Kept
            return [as_tensor(y) for y in (found if isinstance(found, tuple) else (found,))]

        try:
            inner = trace_flat(pieces, specs, fresh=True)
        except _Kept:
            return None
        values: dict[Value, Any] = dict(zip(inner.inputs, node.operands, strict=True))
        for one in inner.nodes:
            operands = [values.get(x, x) if isinstance(x, Value) else x for x in one.operands]
            values.update(zip(one.results, builder.emit(one.primitive, *operands), strict=True))
        return [y if isinstance(y, Constant) else values[y] for y in inner.outputs]


class _Kept(Exception):
    """The operation stays as it is."""
