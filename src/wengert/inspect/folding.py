"""Less to look at: repeated blocks shown once, groups closed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from wengert.core.types import TensorSpec
from wengert.inspect.model import OPERATION, Model, ModelNode, common_length

Path = tuple[str, ...]


def split_calls(model: Model) -> None:
    """Number the calls of a group that was entered more than once, so that every group is one stretch of the run.

    Stretches of a topological order, each taken as one, still have no cycle among them.
    """
    opened: Path = ()
    inside: Path = ()
    calls: Counter[Path] = Counter()
    for node in model.nodes:
        if node.is_source:
            continue
        same = common_length(inside, node.group)
        path = opened[:same]
        for name in node.group[same:]:
            calls[(*path, name)] += 1
            count = calls[(*path, name)]
            path = (*path, name if count == 1 else f"{name} #{count}")
        opened, inside = path, node.group
        node.group = opened


def fold_repeats(model: Model, least: int = 3) -> Model:
    """Show one of several equal groups that follow each other, with the count; the others' nodes are left out.

    Groups are equal if they apply the same operations to the same shapes, and follow each other if each uses what the
    one before made. What used the last one's results is shown as a use of the first one's.
    """
    while True:
        run = _longest_run(model, least)
        if run is None:
            return model
        model = _fold(model, run)


def _longest_run(model: Model, least: int) -> list[list[ModelNode]] | None:
    """The outermost sequence of equal groups side by side, as the nodes of each."""
    children: dict[Path, dict[Path, list[ModelNode]]] = {}
    for node in model.nodes:
        for depth in range(len(node.group)):
            children.setdefault(node.group[:depth], {}).setdefault(node.group[: depth + 1], []).append(node)
    uses = [
        (model.nodes[edge.source].group, model.nodes[edge.target].group)
        for edge in model.edges
        if not model.nodes[edge.source].is_source
    ]
    for parent in sorted(children, key=len):
        depth = len(parent) + 1
        follows = {(a[:depth], b[:depth]) for a, b in uses if a[: depth - 1] == b[: depth - 1] == parent}
        runs: list[list[list[ModelNode]]] = []
        before: Any = None
        last: Path = ()
        for path, nodes in sorted(children[parent].items(), key=lambda item: _first_operation(item[1])):
            signature = [
                (node.kind, node.op, node.specs, node.group[len(path) :], node.times)
                for node in sorted(nodes, key=lambda node: node.is_source)
            ]
            if signature == before and (last, path) in follows:
                runs[-1].append(nodes)
            else:
                runs.append([nodes])
            before, last = signature, path
        best = max(runs, key=len)
        if len(best) >= least:
            return best
    return None


def _first_operation(nodes: list[ModelNode]) -> int:
    return min((node.index for node in nodes if not node.is_source), default=nodes[0].index)


def _fold(model: Model, run: list[list[ModelNode]]) -> Model:
    copies = [sorted(nodes, key=lambda node: (node.is_source, node.index)) for nodes in run]
    first, last = copies[0], copies[-1]
    depth = common_length(first[0].group, last[0].group)
    name = f"{first[0].group[depth]} … {last[0].group[depth]}  (×{len(run)})"
    nodes = [replace(node) for node in model.nodes]
    for old in first:
        node = nodes[old.index]
        node.group = (*node.group[:depth], name, *node.group[depth + 1 :])
        node.times *= len(run)
        node.flops *= len(run)
        node.moved *= len(run)
        node.output = any(copy[first.index(old)].output for copy in copies)
    stand_in = {node.index: shown.index for copy in copies[1:] for node, shown in zip(copy, first, strict=True)}
    turn = {node.index: number for number, copy in enumerate(copies) for node in copy}
    # What goes from one copy to the next has no place in the picture of one.
    edges = [
        edge
        for edge in model.edges
        if edge.source not in turn or edge.target not in turn or turn[edge.source] == turn[edge.target]
    ]
    keep = [node.index for node in nodes if node.index not in stand_in]
    return Model(nodes, edges, model.title, model.differentiated).induced(keep, stand_in)


def close_groups(model: Model, limit: int) -> Model:
    """Close groups, the innermost first, until at most ``limit`` nodes are left: a closed group is one node."""
    while len(model.nodes) > limit:
        depth = max(len(node.group) for node in model.nodes)
        if depth == 0:
            return model
        model = _close(model, depth)
    return model


def _close(model: Model, depth: int) -> Model:
    members: dict[Path, list[ModelNode]] = {}
    for node in model.nodes:
        if len(node.group) == depth:
            members.setdefault(node.group, []).append(node)
    nodes = [replace(node) for node in model.nodes]
    mapping: dict[int, int] = {}
    for path, inside in members.items():
        # The last operation stands for the group: all that flows in comes from before it, all that flows out goes on.
        head = max((node.index for node in inside if not node.is_source), default=inside[-1].index)
        nodes[head] = _as_one(nodes[head], path, inside)
        mapping.update((node.index, head) for node in inside if node.index != head)
    keep = [node.index for node in nodes if node.index not in mapping]
    return Model(nodes, model.edges, model.title, model.differentiated).induced(keep, mapping)


def _as_one(head: ModelNode, path: Path, inside: list[ModelNode]) -> ModelNode:
    operations = [node for node in inside if not node.is_source]
    results: tuple[TensorSpec, ...] = operations[-1].specs if operations else head.specs
    return replace(
        head,
        kind=OPERATION,
        op="group",
        label=path[-1],
        text=f"{path[-1]}: {len(operations)} operations",
        group=path[:-1],
        specs=results,
        kept=tuple(one for node in inside for one in node.kept),
        value=None,
        grad=None,
        flops=sum(node.flops for node in inside),
        moved=sum(node.moved for node in inside),
        output=any(node.output for node in inside),
        operands=(),
    )
