"""How many bytes are alive at each step of the forward and the backward pass, from the model alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wengert.inspect.model import Model
from wengert.plan.cost import spec_bytes


class Step(NamedTuple):
    """After one operation: its node, whether it was the backward pass's, and the bytes of intermediate values and of
    gradients that are alive."""

    node: int
    backward: bool
    values: int
    gradients: int

    @property
    def total(self) -> int:
        return self.values + self.gradients


def timeline(model: Model) -> list[Step]:
    """Every step, forward in topological order and then backward in reverse.

    A value lives until its last use, or until the pullback of the last node that keeps it has run; a cotangent until
    its node's own pullback has run, the leaves' to the end. Leaves' values, and temporaries inside of an operation, are
    not counted. Views have no memory of their own.
    """
    count = len(model.nodes)
    owner = _owners(model)
    own = [0 if node.is_source or owner[node.index] != node.index else node.bytes for node in model.nodes]
    extra = [
        sum(one.bytes for one in node.kept if one.role == "aux" or node.op == "checkpoint") for node in model.nodes
    ]
    last_use, last_pull = _lives(model, owner)
    gone_after: list[list[int]] = [[] for _ in range(count)]
    gone_before: list[list[int]] = [[] for _ in range(count)]
    for index in range(count):
        if not own[index]:
            continue
        if last_pull[index] is not None:
            gone_before[last_pull[index] or 0].append(index)
        else:
            gone_after[max(last_use[index], index)].append(index)
    steps = []
    values = 0
    for node in model.nodes:
        values += own[node.index] + extra[node.index]
        values_now = values
        values -= sum(own[index] for index in gone_after[node.index] if not model.nodes[index].output)
        if not node.is_source:
            steps.append(Step(node.index, False, values_now, 0))
    if model.differentiated:
        steps += _backward(model, own, extra, gone_before, values)
    return steps


def _backward(
    model: Model, own: Sequence[int], extra: Sequence[int], gone: Sequence[Sequence[int]], values: int
) -> list[Step]:
    size = [sum(spec_bytes(spec) for spec in node.specs) for node in model.nodes]
    reached = [node.output for node in model.nodes]
    gradients = sum(size[node.index] for node in model.nodes if node.output)
    steps = []
    for node in reversed(model.nodes):
        if not reached[node.index]:
            continue
        for edge in model.incoming[node.index]:
            if edge.gradient and not reached[edge.source]:
                reached[edge.source] = True
                gradients += size[edge.source]
        steps.append(Step(node.index, True, values, gradients))
        values -= extra[node.index] + sum(own[index] for index in gone[node.index])
        if not node.is_source:
            gradients -= size[node.index]
    return steps


def _owners(model: Model) -> list[int]:
    """For each node, the node whose memory its value is in."""
    owner = list(range(len(model.nodes)))
    for node in model.nodes:
        edges = model.incoming[node.index]
        if node.primitive is not None and node.primitive.aliases and edges:
            owner[node.index] = owner[edges[0].source]
    return owner


def _lives(model: Model, owner: Sequence[int]) -> tuple[list[int], list[int | None]]:
    """For each node, the last node that uses its memory, and the one whose pullback is the last to read it."""
    count = len(model.nodes)
    last_use = list(range(count))
    last_pull: list[int | None] = [None] * count

    def keep(index: int, reader: int) -> None:
        known = last_pull[owner[index]]
        last_pull[owner[index]] = reader if known is None else min(known, reader)

    for edge in model.edges:
        last_use[owner[edge.source]] = max(last_use[owner[edge.source]], edge.target)
    for node in model.nodes:
        if node.primitive is None:
            continue
        names = node.primitive.inputs
        roles = {one.role for one in node.kept}
        if "out" in roles:
            keep(node.index, node.index)
        for edge in model.incoming[node.index]:
            if (names[edge.slot] if edge.slot < len(names) else f"x{edge.slot}") in roles:
                keep(edge.source, node.index)
    return last_use, last_pull
