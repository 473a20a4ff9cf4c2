"""Which nodes belong together: modules, functions, and the rounds of a loop."""

from __future__ import annotations

from collections import Counter
from typing import Any

from wengert.inspect.folding import split_calls
from wengert.inspect.model import LEAF, Model, ModelNode, common_length

#: A loop or a function is worth groups if it ran this often ...
_ROUNDS = 3
#: ... and does at least this much each time.
_NODES = 2


def group_nodes(model: Model) -> None:
    """Give every node its path of groups. On entry ``group`` is the recorded scope, if there was one. The function that
    the whole model is of (``title``) makes no group."""
    plain: list[ModelNode] = []
    for node in model.nodes:
        if node.is_source:
            node.group = ()
        elif node.group:
            node.group = tuple(node.group[0].split("."))
        else:
            plain.append(node)
    _group_rounds(plain, model.title)
    split_calls(model)
    _drop_common(model)
    _pull_in_sources(model)


def _group_rounds(nodes: list[ModelNode], whole: str) -> None:
    """Group nodes outside of modules by function, and by the how-manieth time that their line made that operation."""
    seen: Counter[Any] = Counter()
    rounds: list[int] = []
    for node in nodes:
        key = (node.line, node.location.column if node.location is not None else None, node.text)
        rounds.append(seen[key])
        seen[key] += 1
    sizes: Counter[Any] = Counter()
    counts: list[int] = []
    for node, turn in zip(nodes, rounds, strict=True):
        key = (node.line, node.location.column if node.location is not None else None, node.text)
        counts.append(seen[key])
        sizes[_function(node), seen[key], turn] += 1
    for node, turn, count in zip(nodes, rounds, counts, strict=True):
        function = _function(node)
        if not node.line:
            continue
        group = (function,) if function and function != whole else ()
        if count >= _ROUNDS and sizes[function, count, turn] >= _NODES:
            node.group = (*group, f"round {turn}")
        else:
            node.group = group


def _function(node: ModelNode) -> str:
    name = node.location.function.rpartition("<locals>.")[2] if node.location is not None else ""
    return "" if name.endswith((">", ".forward")) else name


def _drop_common(model: Model) -> None:
    """Take away the outermost group while it holds every operation: it says nothing."""
    operations = [node for node in model.nodes if not node.is_source]
    while operations and all(node.group for node in operations):
        first = operations[0].group[0]
        if any(node.group[0] != first for node in operations):
            return
        for node in operations:
            node.group = node.group[1:]


def _pull_in_sources(model: Model) -> None:
    """Put a source into the innermost group that holds all of its uses, but leave a function's arguments outside."""
    uses: dict[int, tuple[str, ...]] = {}
    for edge in model.edges:
        if model.nodes[edge.source].is_source:
            group = model.nodes[edge.target].group
            known = uses.get(edge.source, group)
            uses[edge.source] = known[: common_length(known, group)]
    for index, group in uses.items():
        node = model.nodes[index]
        if node.kind != LEAF or not node.label.isidentifier():
            node.group = group
