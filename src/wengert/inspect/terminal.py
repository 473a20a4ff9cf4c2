"""``show``: a graph as text, a small one as a tree with gradients beside the values."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple, TextIO

from wengert.inspect.building import model_of
from wengert.inspect.model import Model, ModelNode, common_length, shape_text, value_text

#: A tree has at most so many lines, and is at most so deep; anything larger is a list in the order of the run.
_TREE, _DEEP = 60, 16
#: The longest text of a node, of a value and of a gradient.
_HEAD, _NUMBER = 60, 30

_BOLD, _FAINT, _BLUE, _RED = "1", "2", "34", "31"


class Line(NamedTuple):
    """One line: the branches before the node, the node, its shape and dtype, its value and its gradient."""

    branches: str
    head: str
    spec: str = ""
    value: str = ""
    gradient: str = ""


def wants_color(file: TextIO) -> bool:
    """Whether colours will be seen: on a terminal, unless ``NO_COLOR`` is set (no-color.org)."""
    return file.isatty() and not os.environ.get("NO_COLOR")


def painted(text: str, code: str) -> str:
    """The text in a terminal's colour."""
    return f"\x1b[{code}m{text}\x1b[0m" if text else text


def show(
    x: Any,
    *args: Any,
    params: Mapping[str, Any] | None = None,
    gradients: bool = True,
    limit: int = 200,
    file: TextIO | None = None,
) -> None:
    """Print the graph of a tensor, of a function applied to ``args``, or a static graph.

    A small graph is a tree from its result down to its leaves; what is used more than once is written once and referred
    to by its name (``↑ %3``). A larger one is a list in the order of the run, indented by module, of which ``limit``
    lines are shown. Every line has shape and dtype, the value (blue) and the gradient of the results' sum (red, after
    ``∂``); colours on a terminal only. ``file`` defaults to the standard output. Raises ``GradientError`` where there
    is no graph.

    >>> import wengert as wg
    >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
    >>> wg.show((x * x).sum())
    %2 = sum[axes=(-1,)]  float64[scalar]  5       ∂ 1
    └─ %1 = multiply      float64[2]               ∂ [1, 1]
       ├─ %0              float64[2]       [1, 2]  ∂ [2, 4]
       └─ ↑ %0
    """
    out = file or sys.stdout
    model = model_of(x, *args, params=params, gradients=gradients)
    out.write(text_of(model, limit=limit, color=wants_color(out)) + "\n")


def text_of(model: Model, limit: int | None = None, color: bool = False, tree: bool = True) -> str:
    """A model as aligned text: ``tree`` allows a small one to be a tree. ``limit`` is the most lines."""
    lines = tree_lines(model) if tree else None
    if lines is None:
        lines = list_lines(model)
    left_out = 0 if limit is None else len(lines) - limit
    if limit is not None and left_out > 0:
        lines[limit // 2 : limit // 2 + left_out] = [Line("", f"… {left_out:,} more lines …")]
    return _aligned(lines, color)


def _aligned(lines: list[Line], color: bool) -> str:
    left = min(max((len(line.branches) + len(line.head) for line in lines if line.spec), default=0), _HEAD)
    widths = [max((len(line[column]) for line in lines), default=0) for column in (2, 3)]
    rows = []
    for line in lines:
        cells = [
            line.head.ljust(left - len(line.branches)),
            line.spec.ljust(widths[0]),
            line.value.ljust(widths[1]),
            line.gradient,
        ]
        while cells and not cells[-1].strip():
            cells.pop()
        cells[-1:] = [cells[-1].rstrip()] if cells else []
        branches = line.branches
        if color:
            cells = [painted(cell, code) for cell, code in zip(cells, (_BOLD, _FAINT, _BLUE, _RED), strict=False)]
            branches = painted(branches, _FAINT)
        rows.append(branches + "  ".join(cells))
    return "\n".join(rows)


def tree_lines(model: Model) -> list[Line] | None:
    """The lines of a tree, or nothing if the graph is too large for one."""
    if len(model.nodes) > _TREE or model.depth > _DEEP or len(model.edges) > 2 * _TREE:
        return None
    names = names_of(model)
    used = {edge.source for edge in model.edges}
    # A stack, whose top is the first result.
    waiting = [(node.index, "", "") for node in reversed(model.nodes) if node.output or node.index not in used]
    written: set[int] = set()
    lines: list[Line] = []
    while waiting:
        index, lead, branch = waiting.pop()
        node = model.nodes[index]
        if index in written:
            if branch:
                lines.append(Line(lead + branch, f"↑ {names[index]}"))
            continue
        written.add(index)
        lines.append(_line(node, lead + branch, _head(node, names, _numbers(node))))
        below = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        children = [edge.source for edge in sorted(model.incoming[index], key=lambda edge: edge.slot)]
        branches = ["├─ "] * (len(children) - 1) + ["└─ "]
        waiting += [(child, below, mark) for child, mark in reversed(list(zip(children, branches, strict=False)))]
    return lines


def list_lines(model: Model) -> list[Line]:
    """One line a node in the order of the run, indented by group."""
    names = names_of(model)
    lines = []
    before: tuple[str, ...] = ()
    for node in model.by_use():
        common = common_length(before, node.group)
        lines += [Line("  " * depth, f"[{_plain(node.group[depth])}]") for depth in range(common, len(node.group))]
        before = node.group
        used = {edge.slot: names[edge.source] for edge in model.incoming[node.index]}
        given = dict(enumerate(node.operands))
        operands = " ".join(used.get(slot) or given.get(slot, "") for slot in sorted({*used, *given}))
        lines.append(_line(node, "  " * len(node.group), _head(node, names, operands)))
    return lines


def names_of(model: Model) -> dict[int, str]:
    """What the nodes are called in text: their label, or their number."""
    return {node.index: _plain(node.label) or f"%{node.index}" for node in model.nodes}


def _head(node: ModelNode, names: Mapping[int, str], operands: str) -> str:
    return names[node.index] if node.is_source else f"{names[node.index]} = {_plain(node.text)} {operands}".rstrip()


def _numbers(node: ModelNode) -> str:
    return " ".join(text for text in node.operands if text)


def _line(node: ModelNode, branches: str, head: str) -> Line:
    spec = f"{node.specs[0].dtype}[{shape_text(node.specs[0].shape)}]" if node.specs else ""
    gradient = "" if node.grad is None else f"∂ {_short(value_text(node.grad))}"
    return Line(branches, head, spec, _short(value_text(node.value)), gradient)


def _short(text: str) -> str:
    return text if len(text) <= _NUMBER else text[: _NUMBER - 1] + "…"


def _plain(text: str) -> str:
    """Names are the user's: without control characters, which a terminal would obey."""
    return "".join(character if character.isprintable() else "�" for character in text)
