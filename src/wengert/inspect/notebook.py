"""What a notebook shows of tensors, graphs, modules, reports and answers: HTML with no script in it.

Colours are the page's own (``currentColor``) but for the blue of values and the red of gradients, so that it can be
read on light and on dark; everything of the user's is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from wengert.core.errors import WengertError
from wengert.core.graph import GraphView
from wengert.core.levels import Wrapped
from wengert.core.static import Graph
from wengert.core.tensor import Tensor
from wengert.inspect.building import model_of
from wengert.inspect.drawing import Drawing
from wengert.inspect.folding import close_groups, fold_repeats
from wengert.inspect.model import bytes_text, count_text, number_text, seconds_text, shape_text
from wengert.inspect.reasons import Answers
from wengert.inspect.reporting import Report, Row
from wengert.inspect.svg import escape
from wengert.nn.module import Module

BLUE, RED = "#3b82f6", "#ef4444"
#: A table has at most so many rows and columns; the middle of a larger array is left out.
_ROWS, _COLUMNS = 10, 10
#: A graph of more nodes than this is shown as text.
_DRAWN = 1000
#: The most modules that are listed.
_MODULES = 60

_NUMERIC = "text-align:right;padding:1px 7px;font:12px ui-monospace,'DejaVu Sans Mono',monospace;background:none"
_TEXT = "text-align:left;padding:1px 7px;background:none"
_FAINT = "opacity:.65"


def html_of(x: Any) -> str:
    """The HTML of anything that is ``Displayed``; text in a box for what has no picture of its own.

    >>> import wengert as wg
    >>> print(html_of(wg.tensor([1.0, 2.0]))[:44])
    <div><div><b>tensor</b> float64[2] <span sty
    """
    if isinstance(x, Tensor):
        return _tensor(x)
    if isinstance(x, Module):
        return _module(x)
    if isinstance(x, (Graph, GraphView)):
        return _graph(x)
    if isinstance(x, Report):
        return _report(x)
    if isinstance(x, Answers):
        return _answers(x)
    return _box(str(x))


def _box(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


# -- tensors --------------------------------------------------------------------------------------------------------


def _tensor(x: Tensor) -> str:
    if isinstance(x, Wrapped) or not isinstance(x._value, np.ndarray):
        # Inside of a transform it has no numbers of its own.
        return _box(f"tensor {x.dtype}[{shape_text(x.shape)}] inside of a transform")
    notes = [bytes_text(x._value.nbytes)]
    node = x._node
    if x.is_leaf and x.requires_grad:
        notes.append("leaf, requires a gradient")
    elif node is not None:
        location = node.location
        notes.append(f"from {node.name()}" + (f" at {location}" if location is not None else ""))
    head = f"<b>{type(x).__name__.lower()}</b> {escape(_spec(x._value))} " + _faint(" · ".join(notes))
    panes = [_pane("", x._value, BLUE)]
    grad = _gradient_of(x)
    if grad is not None:
        panes.append(_pane(f"∂ gradient, ‖·‖ = {number_text(_norm(grad))}", grad, RED))
    return (
        f"<div><div>{head}</div>"
        f'<div style="display:flex;flex-wrap:wrap;gap:6px 28px;align-items:flex-start">{"".join(panes)}</div></div>'
    )


def _gradient_of(x: Tensor) -> Any:
    grad = x.grad if x.is_leaf or (x._node is not None and x._node.watch is not None) else None
    return grad._value if isinstance(grad, Tensor) and isinstance(grad._value, np.ndarray) else None


def _norm(array: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.sum(np.abs(array.astype(np.complex128)) ** 2)))


def _spec(array: np.ndarray) -> str:
    return f"{array.dtype}[{shape_text(array.shape)}]"


def _pane(title: str, array: np.ndarray, color: str) -> str:
    name = f'<div style="color:{color}">{escape(title)}</div>' if title else ""
    return f"<div>{name}{_array(array, color)}</div>"


def _array(array: np.ndarray, color: str) -> str:
    """A table of a small array, the corners of a large one; of more than two axes the first matrix."""
    if array.size == 0:
        return f"<div>{_faint('no numbers')}</div>"
    note = ""
    matrix = array
    if array.ndim > 2:
        matrix = array[(0,) * (array.ndim - 2)]
        first = ", ".join("0" * (array.ndim - 2))
        note = f"<div>{_faint(f'[{first}, …] of {shape_text(array.shape)}')}</div>"
    matrix = matrix.reshape(1, -1) if matrix.ndim < 2 else matrix
    rows, columns = _shown(matrix.shape[0], _ROWS), _shown(matrix.shape[1], _COLUMNS)
    body = []
    for i in rows:
        cells = ["⋮" if i is None and j is not None else "…" if j is None else _number(matrix[i, j]) for j in columns]
        body.append(
            "<tr>" + "".join(f'<td style="{_NUMERIC};color:{color}">{escape(cell)}</td>' for cell in cells) + "</tr>"
        )
    return f'{note}<table style="border-collapse:collapse;margin:2px 0">{"".join(body)}</table>'


def _shown(length: int, most: int) -> list[int | None]:
    """The places that are shown, ``None`` for those that are left out."""
    if length <= most:
        return list(range(length))
    half = most // 2
    return [*range(half), None, *range(length - half, length)]


def _number(x: Any) -> str:
    return number_text(x, 5)


# -- graphs ---------------------------------------------------------------------------------------------------------


def _graph(x: Any) -> str:
    if len(x) > _DRAWN:
        return _box(repr(x)) + _box(str(x))
    try:
        model = model_of(x)
    except WengertError:
        return _box(str(x))
    picture = Drawing(close_groups(fold_repeats(model), 200), True, True, False).svg
    return f'<div>{_faint(repr(x))}<div style="overflow:auto;max-height:640px">{picture}</div></div>'


# -- modules --------------------------------------------------------------------------------------------------------


def _module(x: Module) -> str:
    rows = []
    for path, module in x.named_modules():
        own = [(name, p) for name, p in module.named_parameters() if "." not in name]
        size = sum(p.size for _, p in own)
        depth = path.count(".") + 1 if path else 0
        name = f'<span style="padding-left:{depth * 14}px">{escape(path.rpartition(".")[2] or "·")}</span>'
        shapes = ", ".join(f"{name} {shape_text(p.shape)}" for name, p in own)
        about = f"{type(module).__name__}({'' if list(module.children()) else module.extra_repr()})"
        rows.append((name, escape(about), escape(shapes), f"{size:,}" if size else ""))
    more = len(rows) - _MODULES
    if more > 0:
        rows = [*rows[:_MODULES], (_faint(f"… {more:,} more"), "", "", "")]
    parameters = list(x.parameters())
    count, total = sum(p.size for p in parameters), sum(p.size * p.dtype.itemsize for p in parameters)
    mode = "training" if x.training else "evaluation"
    head = f"<b>{escape(type(x).__name__)}</b> " + _faint(f"{count:,} parameters, {bytes_text(total)}, {mode} mode")
    return (
        f"<div>{head}{_table(('module', 'kind', 'own parameters', 'numbers'), rows, (_TEXT,) * 3 + (_NUMERIC,))}</div>"
    )


# -- reports and answers --------------------------------------------------------------------------------------------


def _report(x: Report) -> str:
    peak = f"peak {bytes_text(x.predicted_peak_bytes)}"
    if x.measured_peak_bytes is not None:
        peak += f" predicted, {bytes_text(x.measured_peak_bytes)} measured"
    facts = [
        f"{x.nodes:,} nodes, {x.edges:,} edges, depth {x.depth:,}, width {x.width:,}",
        f"{count_text(x.flops)} flops, {bytes_text(x.moved_bytes)} moved, {bytes_text(x.kept_bytes)} kept; {peak}",
    ]
    times = (("function", x.function_seconds), ("forward", x.forward_seconds), ("backward", x.backward_seconds))
    timed = [f"{name} {seconds_text(value)}" for name, value in times if value is not None]
    if x.ratio is not None:
        timed.append(f"value and gradient = {x.ratio:.2f} × function")
    facts += [", ".join(timed)] if timed else []
    parts = [f"<b>{escape(x.title or 'graph')}</b>", *(f"<div>{escape(fact)}</div>" for fact in facts)]
    if (bad := x.nonfinite) is not None:
        text = f"first NaN or infinity: {bad.what} of {bad.op} at {bad.line}  {bad.code}"
        parts.append(f'<div style="color:{RED}">{escape(text)}</div>')
    for title, rows in (
        ("by operation", x.by_operation[:20]),
        ("most expensive lines", x.slowest),
        ("most memory-hungry lines", x.hungriest),
        ("by module, with what is inside", x.by_module[:20]),
    ):
        if rows:
            parts.append(_rows(title, rows))
    return f"<div>{''.join(parts)}</div>"


def _rows(title: str, rows: Sequence[Row]) -> str:
    most = max((row.seconds or row.flops for row in rows), default=0) or 1
    cells = []
    for row in rows:
        share = (row.seconds or row.flops) / most
        bar = f'<div style="width:{max(2, round(90 * share))}px;height:8px;background:{BLUE};border-radius:2px"></div>'
        name = escape(row.name) + (f" <code>{escape(row.code)}</code>" if row.code else "")
        times = [seconds_text(value) if value else "" for value in (row.forward_seconds, row.backward_seconds)]
        moved, kept = bytes_text(row.moved_bytes), bytes_text(row.kept_bytes) if row.kept_bytes else ""
        cells.append((name, bar, f"{row.count:,}", count_text(row.flops), moved, kept, *times))
    head = (title, "", "count", "flops", "moved", "kept", "forward", "backward")
    return _table(head, cells, (_TEXT, _TEXT) + (_NUMERIC,) * 6)


def _answers(x: Answers) -> str:
    parts = []
    for answer in x.answers:
        color = BLUE if answer.connected else RED
        parts.append(f'<pre style="border-left:3px solid {color};padding-left:8px">{escape(str(answer))}</pre>')
    return f"<div>{''.join(parts)}</div>"


# -- pieces ---------------------------------------------------------------------------------------------------------


def _faint(text: str) -> str:
    return f'<span style="{_FAINT}">{escape(text)}</span>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str]) -> str:
    """Cells are HTML already."""
    top = "".join(f'<th style="{style}">{escape(cell)}</th>' for cell, style in zip(head, styles, strict=True))
    body = "".join(
        "<tr>" + "".join(f'<td style="{style}">{cell}</td>' for cell, style in zip(row, styles, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<table style="border-collapse:collapse;margin:6px 0"><tr>{top}</tr>{body}</table>'
