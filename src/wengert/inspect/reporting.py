"""``report``: what a graph consists of, costs and keeps, in figures."""

from __future__ import annotations

import json
import os
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, TextIO

import numpy as np

from wengert.core.backward import sweep
from wengert.core.display import Displayed
from wengert.core.mode import no_grad
from wengert.core.pytree import tree_flatten, tree_map
from wengert.core.static import Graph
from wengert.core.tensor import Tensor
from wengert.inspect.building import as_function, run_of
from wengert.inspect.memory import timeline
from wengert.inspect.model import Model, ModelNode, bytes_text, count_text, seconds_text
from wengert.inspect.recording import fresh_leaf
from wengert.plan.memory import predict

#: How long the passes may be repeated to time them, in seconds.
_PATIENCE = 0.3


@dataclass(frozen=True)
class Row:
    """One kind of operation, or one line, or one module: sums over its nodes. Seconds are 0 where nothing was timed."""

    name: str
    count: int
    flops: int
    moved_bytes: int
    kept_bytes: int
    forward_seconds: float
    backward_seconds: float
    code: str = ""

    @property
    def seconds(self) -> float:
        return self.forward_seconds + self.backward_seconds


@dataclass(frozen=True)
class NonFinite:
    """Where the first NaN or infinity appeared, and the operations that carried it on."""

    what: str
    op: str
    line: str
    code: str
    chain: tuple[str, ...]


@dataclass(frozen=True)
class Report(Displayed):
    """What a graph consists of, costs and keeps. Bytes in bytes, times in seconds; ``None`` where not measured.

    The row of a module includes what is in the modules inside of it. ``kept_bytes`` are the residuals that wait for the
    backward pass, without the leaves' own values. ``ratio`` is what the value and the gradient together cost, in
    evaluations of the function alone.
    """

    title: str
    nodes: int
    edges: int
    leaves: int
    parameters: int
    depth: int
    width: int
    flops: int
    moved_bytes: int
    kept_bytes: int
    predicted_peak_bytes: int
    measured_peak_bytes: int | None
    function_seconds: float | None
    forward_seconds: float | None
    backward_seconds: float | None
    ratio: float | None
    by_operation: tuple[Row, ...]
    by_line: tuple[Row, ...]
    by_module: tuple[Row, ...]
    nonfinite: NonFinite | None

    @property
    def slowest(self) -> tuple[Row, ...]:
        """The ten lines that take the most time (or, where nothing was timed, the most operations)."""
        return tuple(sorted(self.by_line, key=lambda row: (-row.seconds, -row.flops))[:10])

    @property
    def hungriest(self) -> tuple[Row, ...]:
        """The ten lines that keep the most bytes for the backward pass."""
        return tuple(row for row in sorted(self.by_line, key=lambda row: -row.kept_bytes)[:10] if row.kept_bytes)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain numbers, strings, lists and dictionaries."""
        return asdict(self)

    def to_json(self, indent: int | None = 2) -> str:
        """The fields as JSON."""
        return json.dumps(self.to_dict(), indent=indent)

    def text(self, color: bool = False) -> str:
        """The report as aligned text, with terminal colours or without."""
        return _text_of(self, _paint if color else lambda text, code: text)

    def show(self, file: TextIO | None = None) -> None:
        """Write the report: in colour on a terminal, plain elsewhere."""
        out = file or sys.stdout
        out.write(self.text(color=out.isatty() and "NO_COLOR" not in os.environ) + "\n")

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


def report(x: Any, *args: Any, measure: bool = True) -> Report:
    """Report on the graph of a tensor, of a function applied to ``args``, or a static graph.

    A function is run a few times, for at most about a second, on copies of its arguments: the times are the best of
    them, the measured peak is of one forward and backward pass. With ``measure=False`` it is run once.

    >>> import wengert as wg
    >>> found = report(lambda x: (x.exp() * x).sum(), wg.tensor([1.0, 2.0]))
    >>> found.nodes, found.edges, found.depth, found.flops
    (4, 4, 3, 6)
    """
    function = forward = backward = peak = None
    if measure and (args if isinstance(x, Graph) else callable(x)):
        # Before the recorded run, whose first call of everything would be a slow one.
        function, forward, backward, peak = _measured(as_function(x), args)
    run = run_of(x, *args)
    model = run.model
    if backward is None and run.outputs:
        backward = run.backward
    if isinstance(x, Graph) and not args and x.is_concrete:
        predicted = predict(x).peak
    else:
        predicted = max((step.total for step in timeline(model)), default=0)
    operations = [node for node in model.nodes if not node.is_source]
    return Report(
        title=model.title,
        nodes=len(model.nodes),
        edges=len(model.edges),
        leaves=sum(node.is_source for node in model.nodes),
        parameters=sum(node.specs[0].size for node in model.nodes if node.kind == "parameter"),
        depth=model.depth,
        width=model.width,
        flops=sum(node.flops for node in operations),
        moved_bytes=sum(node.moved for node in operations),
        kept_bytes=sum(node.kept_bytes for node in model.nodes),
        predicted_peak_bytes=predicted,
        measured_peak_bytes=peak,
        function_seconds=function,
        forward_seconds=forward,
        backward_seconds=backward,
        ratio=(forward + backward) / function if forward and backward and function else None,
        by_operation=_rows(operations, lambda node: [node.op]),
        by_line=_rows(operations, lambda node: [node.line or "unknown"]),
        by_module=_rows(operations, lambda node: [".".join(node.group[: i + 1]) for i in range(len(node.group))]),
        nonfinite=_nonfinite(model),
    )


def _rows(nodes: Sequence[ModelNode], keys: Callable[[ModelNode], list[str]]) -> tuple[Row, ...]:
    groups: dict[str, list[ModelNode]] = {}
    for node in nodes:
        for key in keys(node):
            groups.setdefault(key, []).append(node)
    rows = [
        Row(
            name,
            len(group),
            sum(node.flops for node in group),
            sum(node.moved for node in group),
            sum(node.kept_bytes for node in group),
            sum(node.forward or 0.0 for node in group),
            sum(node.backward or 0.0 for node in group),
            group[0].location.text if group[0].location is not None and name == group[0].line else "",
        )
        for name, group in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.seconds, -row.flops)))


# -- measuring ------------------------------------------------------------------------------------------------------


def _measured(function: Callable[..., Any], args: Sequence[Any]) -> tuple[float, float, float, int]:
    """Best times of the function alone, of the forward and of the backward pass; and the peak of one of both."""
    plain = tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, tree_map(_leaf, tuple(args)))
    with no_grad():
        alone = _best(lambda: _timed(lambda: function(*plain)))
    pairs: list[tuple[float, float]] = []
    _best(lambda: _both(function, args, pairs))
    tracemalloc.start()
    try:
        base = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        _both(function, args, [])
        peak = tracemalloc.get_traced_memory()[1] - base
    finally:
        tracemalloc.stop()
    return alone, min(forward for forward, _ in pairs), min(backward for _, backward in pairs), peak


def _best(run: Callable[[], float]) -> float:
    end = perf_counter() + _PATIENCE
    best = run()
    while perf_counter() < end:
        best = min(best, run())
    return best


def _timed(run: Callable[[], Any]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start


def _leaf(x: Any) -> Any:
    return fresh_leaf(x, "")


def _both(function: Callable[..., Any], args: Sequence[Any], pairs: list[tuple[float, float]]) -> float:
    leaves = tree_map(_leaf, tuple(args))
    start = perf_counter()
    result = function(*leaves)
    middle = perf_counter()
    outputs = [y for y in tree_flatten(result)[0] if isinstance(y, Tensor) and y._node is not None]
    sweep([y._node for y in outputs if y._node is not None], [np.ones(y.shape, y.dtype) for y in outputs])
    end = perf_counter()
    pairs.append((middle - start, end - middle))
    return end - start


# -- NaN ------------------------------------------------------------------------------------------------------------


def is_finite(value: Any) -> bool:
    """Whether a value, or every value of a tuple, has no NaN and no infinity; what is not known counts as finite."""
    values = value if isinstance(value, tuple) else (value,)
    return all(np.isfinite(one).all() for one in values if one is not None and np.asarray(one).dtype.kind in "fc")


def _nonfinite(model: Model) -> NonFinite | None:
    bad = [not is_finite(node.value) for node in model.nodes]
    first = next((node for node in model.nodes if bad[node.index]), None)
    if first is not None:
        return _explained(model, first, bad, "value", forward=True)
    bad = [not is_finite(node.grad) for node in model.nodes]
    last = next((node for node in reversed(model.nodes) if bad[node.index]), None)
    return None if last is None else _explained(model, last, bad, "gradient", forward=False)


def _explained(model: Model, start: ModelNode, bad: Sequence[bool], what: str, forward: bool) -> NonFinite:
    chain = [start]
    after: list[list[int]] = [[] for _ in model.nodes]
    for edge in model.edges:
        a, b = (edge.source, edge.target) if forward else (edge.target, edge.source)
        after[a].append(b)
    seen = {start.index}
    while (step := next((i for i in after[chain[-1].index] if bad[i] and i not in seen), None)) is not None and len(
        chain
    ) < 50:
        seen.add(step)
        chain.append(model.nodes[step])
    code = start.location.text if start.location is not None else ""
    return NonFinite(what, start.text, start.line, code, tuple(f"{node.name} {node.line}".strip() for node in chain))


# -- text -----------------------------------------------------------------------------------------------------------

_Paint = Callable[[str, str], str]


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _text_of(found: Report, paint: _Paint) -> str:
    head = f"{found.title or 'graph'}: {found.nodes:,} nodes, {found.edges:,} edges, depth {found.depth:,}, "
    head += f"width {found.width:,}, {found.leaves:,} sources"
    peak = f"peak predicted {bytes_text(found.predicted_peak_bytes)}"
    if found.measured_peak_bytes is not None:
        peak += f", measured {bytes_text(found.measured_peak_bytes)}"
    lines = [
        paint(head, "1"),
        f"{count_text(found.flops)} flops, {bytes_text(found.moved_bytes)} moved, "
        f"{bytes_text(found.kept_bytes)} kept for the backward pass; {peak}",
    ]
    times = [
        f"{name} {seconds_text(value)}"
        for name, value in (
            ("function alone", found.function_seconds),
            ("forward", found.forward_seconds),
            ("backward", found.backward_seconds),
        )
        if value is not None
    ]
    if found.ratio is not None:
        times.append(f"value and gradient = {found.ratio:.2f} × function")
    if times:
        lines.append(", ".join(times))
    if found.nonfinite is not None:
        bad = found.nonfinite
        lines.append(paint(f"first NaN or infinity: {bad.what} of {bad.op} at {bad.line}  {bad.code}".rstrip(), "1;31"))
        lines += [f"  -> {step}" for step in bad.chain[1:10]]
    lines += _table("by operation", found.by_operation[:20], paint, "36")
    lines += _table("most expensive lines", found.slowest, paint, "33")
    lines += _table("most memory-hungry lines", found.hungriest, paint, "35")
    return "\n".join([*lines, *_table("by module, with what is inside", found.by_module[:20], paint, "32")])


def _table(title: str, rows: Sequence[Row], paint: _Paint, color: str) -> list[str]:
    if not rows:
        return []
    cells: list[tuple[str, ...]] = [("count", "flops", "moved", "kept", "forward", "backward", title)]
    for row in rows:
        times = [seconds_text(value) if value else "-" for value in (row.forward_seconds, row.backward_seconds)]
        name = _short(row.name) + (f"  {row.code}" if row.code else "")
        moved, kept = bytes_text(row.moved_bytes), bytes_text(row.kept_bytes)
        cells.append((f"{row.count:,}", count_text(row.flops), moved, kept, *times, name))
    widths = [max(len(line[i]) for line in cells) for i in range(6)]
    texts = ["  ".join(f"{cell:>{width}}" for cell, width in zip(line[:6], widths, strict=True)) for line in cells]
    found = [f"{text}  {line[6]}" for text, line in zip(texts, cells, strict=True)]
    return ["", paint(found[0], f"1;{color}"), *found[1:]]


def _short(name: str) -> str:
    """A path without its folders."""
    path, colon, line = name.rpartition(":")
    return f"{os.path.basename(path)}:{line}" if colon else name
