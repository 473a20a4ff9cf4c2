"""The graph behind a tensor, as a value to ask questions of.

Nodes are operations and leaves; edges say whose result an operation used. The view is taken when it is made: later
operations are not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from .display import Displayed
from .errors import GradientError
from .node import FREED, Leaf, Node, Output, reachable
from .tensor import Tensor
from .types import TensorSpec


class GraphView(Displayed):
    """The directed acyclic graph of everything that tensors were computed from.

    >>> import wengert as wg
    >>> x = wg.tensor(2.0, requires_grad=True)
    >>> w = wg.tensor(-3.0, requires_grad=True)
    >>> g = wg.graph_of((w * x + 1.0).relu())
    >>> len(g), g.edges, g.depth, g.counts["Mul"]
    (5, 4, 3, 1)
    """

    def __init__(self, tensors: Tensor | Sequence[Tensor]) -> None:
        outputs: list[Any] = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
        roots = []
        for y in outputs:
            if not isinstance(y, Tensor) or y._node is None:
                raise GradientError(
                    "graph_of: expected tensors with a graph; this one does not require a gradient, so nothing was "
                    "recorded"
                )
            roots.append(_operation(y._node))
        self.outputs: tuple[Node, ...] = tuple(dict.fromkeys(roots))
        self.nodes: tuple[Node, ...] = tuple(
            node
            for node in reachable([y._node for y in outputs if y._node is not None])
            if not isinstance(node, Output)
        )

    def topological_order(self) -> tuple[Node, ...]:
        """The nodes, each after everything it depends on: the order of the forward pass, and reversed, of the backward
        pass."""
        return self.nodes

    def operands(self, node: Node) -> list[Node]:
        """The nodes whose results this one used (its parents in the graph), without constants."""
        return [_operation(parent) for parent in node.parents if parent is not None]

    def sources(self) -> tuple[Node, ...]:
        """The nodes without operands: leaves."""
        return tuple(node for node in self.nodes if not any(parent is not None for parent in node.parents))

    def sinks(self) -> tuple[Node, ...]:
        """The nodes whose results no other node used."""
        used = {operand for node in self.nodes for operand in self.operands(node)}
        return tuple(node for node in self.nodes if node not in used)

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The nodes at which gradients arrive."""
        return tuple(node for node in self.nodes if isinstance(node, Leaf))

    @property
    def edges(self) -> int:
        """The number of edges."""
        return sum(1 for node in self.nodes for parent in node.parents if parent is not None)

    @property
    def depth(self) -> int:
        """The number of edges on the longest path."""
        depth: dict[Node, int] = {}
        for node in self.nodes:
            depth[node] = max((depth[operand] + 1 for operand in self.operands(node)), default=0)
        return max(depth.values(), default=0)

    @property
    def counts(self) -> Counter[str]:
        """How many nodes there are of each kind, by name (``Mul``, ``Relu``, ``AccumulateGrad``)."""
        return Counter(node.name().removesuffix("Backward") for node in self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __contains__(self, node: object) -> bool:
        return node in self.nodes

    def __repr__(self) -> str:
        return f"<GraphView: {len(self)} nodes, {self.edges} edges, depth {self.depth}>"

    def __str__(self) -> str:
        return self.text()

    def text(self, limit: int = 40) -> str:
        """One line a node in topological order; beyond ``limit`` nodes the middle is left out."""
        names = {node: f"%{position}" for position, node in enumerate(self.nodes)}
        nodes = self.nodes
        skipped = len(nodes) - limit
        head = nodes if skipped <= 0 else nodes[: limit // 2]
        tail = () if skipped <= 0 else nodes[-(limit - limit // 2) :]
        rows = [self._row(node, names) for node in head]
        if tail:
            rows.append((f"... {skipped} more nodes ...", "", ""))
            rows += [self._row(node, names) for node in tail]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        lines = [f"{a:{widths[0]}}  {b:{widths[1]}}  {c}".rstrip() for a, b, c in rows]
        results = ", ".join(names[node] for node in self.outputs)
        return "\n".join([*lines, f"return {results}"])

    def _row(self, node: Node, names: dict[Node, str]) -> tuple[str, str, str]:
        where = f"# {node.location}" if node.location is not None else ""
        if node.scope:
            where = f"{where} [{node.scope}]".strip()
        if isinstance(node, Leaf):
            return f"{names[node]} = leaf {node.label}".rstrip(), _spec_text(node.spec), where
        operands = ", ".join(
            "const"
            if parent is None
            else names[_operation(parent)] + (f".{parent.index}" if isinstance(parent, Output) else "")
            for parent in node.parents
        )
        freed = " (freed)" if node.residuals is FREED else ""
        specs = node.shape if node.dtype is None else (node.spec,)
        kinds = ", ".join(_spec_text(spec) for spec in specs)
        return f"{names[node]} = {node.primitive!r} {operands}{freed}", kinds, where


def _operation(node: Node) -> Node:
    """The node itself, or the operation that an ``Output`` belongs to."""
    found: Any = node.parents[0] if isinstance(node, Output) else node
    return found


def _spec_text(spec: TensorSpec) -> str:
    return f"{spec.dtype}[{','.join(map(str, spec.shape))}]"


def graph_of(tensors: Tensor | Sequence[Tensor]) -> GraphView:
    """The graph behind one tensor or several: nodes, edges, sources, sinks, depth, and a readable text.

    Raises ``GradientError`` for a tensor that no graph leads to.
    """
    return GraphView(tensors)
