"""Operations on empty arrays: nothing to compute, or what a reduction over nothing gives."""

from __future__ import annotations

from typing import Any

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import loop, store
from wengert.backends.llvm.routines.registry import Plan, Site
from wengert.core.static import GraphNode
from wengert.ops.contraction import Matmul

#: What reductions over nothing give, by kind.
_STARTS: dict[str, Any] = {"add": 0, "multiply": 1, "logical_or": False, "logical_and": True, "nonzero": 0}


def is_empty(node: GraphNode) -> bool:
    """Whether an operand or a result has no elements."""
    return any(0 in x.shape for x in (*node.inputs, *node.results))


def plan(node: GraphNode) -> Plan | str:
    """The code of an operation on an empty array, or why NumPy does it."""
    if all(0 in y.shape for y in node.results):
        return Plan(lambda site: None)
    start = 0 if isinstance(node.primitive, Matmul) else _STARTS.get(node.primitive.reducer)
    if start is None or node.primitive.averages:
        return f"{node.op}: an empty array"

    def fill(site: Site) -> None:
        with loop(site.builder, size(node.shape)) as number:
            store(site.emitter, site.emitter.constant(start, node.dtype), site.result(), number)

    return Plan(fill)
