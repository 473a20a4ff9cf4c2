"""The ledger: every array that a tensor's graph keeps for its backward pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.core.display import Displayed
from wengert.core.errors import GradientError
from wengert.core.node import Leaf, Location, Node, reachable
from wengert.core.tensor import Tensor
from wengert.core.types import Shape, storage


class Entry(NamedTuple):
    """One residual. ``bytes`` is 0 where its memory is that of an earlier entry, or of a leaf."""

    node: Node
    role: str
    shape: Shape
    dtype: np.dtype[Any]
    bytes: int
    leaf: bool
    location: Location | None
    scope: str


class Ledger(Displayed):
    """The residuals behind one tensor or several.

    ``total`` is the bytes that the graph keeps alive: each piece of memory once, however many views of it are kept,
    and without the leaves' own values, which their owners hold anyway (``leaf_bytes``).
    """

    def __init__(self, tensors: Tensor | Sequence[Tensor]) -> None:
        outputs: list[Any] = list(tensors) if isinstance(tensors, (tuple, list)) else [tensors]
        roots = [y._node for y in outputs if isinstance(y, Tensor) and y._node is not None]
        if not roots:
            raise GradientError("ledger: nothing is kept for a tensor without a graph")
        self.entries: list[Entry] = []
        self.leaf_bytes = 0
        nodes = reachable(roots)
        kept = [(node, role, array) for node in nodes for role, array in node.kept()]
        of_leaves = {id(storage(array)) for node, role, array in kept if _is_leaf_value(node, role)}
        owners = [node.memory() for node in nodes if isinstance(node, Leaf) and node.memory is not None]
        of_leaves |= {id(owner) for owner in owners if owner is not None}
        seen: set[int] = set()
        for node, role, array in kept:
            root = storage(array)
            leaf = id(root) in of_leaves
            size = 0 if id(root) in seen else root.nbytes
            seen.add(id(root))
            if leaf:
                self.leaf_bytes += size
            self.entries.append(
                Entry(node, role, array.shape, array.dtype, 0 if leaf else size, leaf, node.location, node.scope)
            )

    @property
    def total(self) -> int:
        """Bytes kept, without the leaves' own."""
        return sum(entry.bytes for entry in self.entries)

    def by_line(self) -> dict[str, int]:
        """Bytes by the user's source line, the largest first."""
        return self._grouped(lambda entry: str(entry.location or "unknown"))

    def by_scope(self) -> dict[str, int]:
        """Bytes by module, the largest first."""
        return self._grouped(lambda entry: entry.scope)

    def _grouped(self, key: Any) -> dict[str, int]:
        sums: dict[str, int] = defaultdict(int)
        for entry in self.entries:
            sums[key(entry)] += entry.bytes
        return dict(sorted(sums.items(), key=lambda item: -item[1]))

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        rows = [("bytes", "shape", "dtype", "operation", "role", "line")]
        for entry in self.entries:
            size = "(leaf)" if entry.leaf else f"{entry.bytes:,}" if entry.bytes else "(shared)"
            shape = "x".join(map(str, entry.shape)) or "scalar"
            where = f"{entry.location or ''} {entry.scope}".strip()
            rows.append((size, shape, str(entry.dtype), entry.node.name(), entry.role, where))
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = [
            f"{row[0]:>{widths[0]}}  " + "  ".join(f"{row[i]:{widths[i]}}" for i in range(1, 5)) + f"  {row[5]}"
            for row in rows
        ]
        return "\n".join([*(line.rstrip() for line in lines), f"total {self.total:,} bytes"])


def _is_leaf_value(node: Node, role: str) -> bool:
    """Whether a residual is the value of a leaf: an operand whose parent is one."""
    names = node.primitive.inputs
    count = len(node.parents)
    labels = list(names) if len(names) == count else [f"x{i}" for i in range(count)]
    return role in labels and isinstance(node.parents[labels.index(role)], Leaf)


def ledger(tensors: Tensor | Sequence[Tensor]) -> Ledger:
    """Every array that is kept for the backward pass of a tensor: bytes, shape, rule, source line; and the total.

    >>> import wengert as wg
    >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
    >>> wg.ledger(x.exp().sum()).total
    16
    """
    return Ledger(tensors)
