"""Operations on empty arrays: nothing to compute, or what a reduction over nothing gives."""

from __future__ import annotations

from typing import Any

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import loop, store
from wengert.backends.llvm.routines.registry import Plan, Site
from wengert.core.static import GraphNode
from wengert.ops.contraction import Contract, Matmul
from wengert.ops.convolution import ConvolutionWeight
from wengert.ops.embedding import EmbeddingGradient
from wengert.ops.indexing import AddAt, SetAt

#: What reductions over nothing give, by kind.
_STARTS: dict[str, Any] = {"add": 0, "multiply": 1, "logical_or": False, "logical_and": True, "nonzero": 0}

#: Sums of products with elements of each operand.
_SUMS = (Contract, ConvolutionWeight, EmbeddingGradient, Matmul)


def is_empty(node: GraphNode) -> bool:
    """Whether an operand or a result has no elements."""
    return any(0 in x.shape for x in (*node.inputs, *node.results))


def plan(node: GraphNode) -> Plan | str:
    """The code of an operation on an empty array, or why NumPy does it."""
    if all(0 in y.shape for y in node.results):
        return Plan(lambda site: None)
    if isinstance(node.primitive, (AddAt, SetAt)):
        return Plan(lambda site: site.copy(site.operand(0), site.result(), site.node.operands[0]))
    is_zero = isinstance(node.primitive, _SUMS) or (node.primitive.linear and len(node.inputs) == 1)
    start = _STARTS.get(node.primitive.reducer)
    if is_zero and not node.primitive.reducer:
        start = 0
    if start is None or node.primitive.averages:
        return f"{node.op}: an empty array"

    def fill(site: Site) -> None:
        with loop(site.builder, size(node.shape)) as number:
            store(site.emitter, site.emitter.constant(start, node.dtype), site.result(), number)

    return Plan(fill)
