"""Products of several matrices in the cheapest order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from wengert.core.dims import has_dim
from wengert.core.static import Graph, GraphNode, Value
from wengert.ops.contraction import Matmul
from wengert.passes.rewriting import Builder, Replacement, rewrite


@dataclass(frozen=True)
class OrderMatmuls:
    """Multiply a chain of matrices in the order with the fewest multiplications.

    ::

        %3 = matmul %0 %1     # (1000, 1000) @ (1000, 1000)       %3 = matmul %1 %2
        %4 = matmul %3 %2     # ... @ (1000,)                 ->  %4 = matmul %0 %3

    Only products that nothing else uses are taken apart. The result differs by rounding.

    Source: the dynamic programme of S. Godbole, "On efficient computation of matrix chain products" (1973).
    """

    def __call__(self, graph: Graph) -> Graph:
        uses = Counter(x for node in graph.nodes for x in node.inputs)
        uses.update(graph.outputs)
        single = {value for value, count in uses.items() if count == 1}

        def rule(builder: Builder, node: GraphNode) -> Replacement:
            if not _is_product(node) or _feeds_product(graph, node, single):
                return None
            chain, cost = _flattened(builder, node, single)
            best = _best_order(chain, cost) if len(chain) > 2 else None
            if best is None:
                return None
            done: dict[tuple[int, int], Any] = {(k, k + 1): x for k, x in enumerate(chain)}
            for start, split, end in best:
                (done[start, end],) = builder.emit(Matmul(), done[start, split], done[split, end])
            return (done[0, len(chain)],)

        return rewrite(graph, rule, self)


def _is_product(node: GraphNode | None) -> bool:
    """Whether a node multiplies matrices, or a matrix and a vector, of known shapes."""
    return (
        node is not None
        and isinstance(node.primitive, Matmul)
        and all(isinstance(x, Value) and 1 <= len(x.shape) <= 2 and not has_dim(x.shape) for x in node.operands)
        and len({x.dtype for x in node.inputs}) == 1
    )


def _feeds_product(graph: Graph, node: GraphNode, single: set[Value]) -> bool:
    (result,) = node.results
    return result in single and any(map(_is_product, graph.consumers(result)))


def _flattened(builder: Builder, node: GraphNode, single: set[Value]) -> tuple[list[Value], int]:
    """The factors, left to right, of a product of products that are used once, and what it costs as it stands."""
    factors: list[Value] = []
    stack: list[Any] = [node.operands[1], node.operands[0]]
    cost = _cost(node)
    while stack:
        x = stack.pop()
        maker = builder.maker(x)
        if maker is not None and x in single and _is_product(maker) and x.dtype == node.dtype:
            stack += [maker.operands[1], maker.operands[0]]
            cost += _cost(maker)
        else:
            factors.append(x)
    return factors, cost


def _cost(node: GraphNode) -> int:
    left, right = node.inputs
    rows = left.shape[0] if len(left.shape) == 2 else 1
    columns = right.shape[1] if len(right.shape) == 2 else 1
    return int(rows * left.shape[-1] * columns)


def _best_order(chain: list[Value], present: int) -> list[tuple[int, int, int]] | None:
    """The products as (start, split, end), in order; ``None`` if they are no cheaper than at present, or if there is a
    vector in the middle of the chain."""
    if any(len(x.shape) != 2 for x in chain[1:-1]):
        return None
    rows = [1 if len(chain[0].shape) == 1 else chain[0].shape[0]]
    rows += [x.shape[0] for x in chain[1:]]
    rows.append(1 if len(chain[-1].shape) == 1 else chain[-1].shape[-1])
    n = len(chain)
    cost: dict[tuple[int, int], tuple[int, int]] = {(k, k + 1): (0, k) for k in range(n)}
    for span in range(2, n + 1):
        for start in range(n - span + 1):
            end = start + span
            cost[start, end] = min(
                (cost[start, split][0] + cost[split, end][0] + rows[start] * rows[split] * rows[end], split)
                for split in range(start + 1, end)
            )
    if cost[0, n][0] >= present:
        return None
    order: list[tuple[int, int, int]] = []
    stack = [(0, n)]
    while stack:
        start, end = stack.pop()
        if end - start < 2:
            continue
        split = cost[start, end][1]
        order.append((start, split, end))
        stack += [(start, split), (split, end)]
    return order[::-1]
