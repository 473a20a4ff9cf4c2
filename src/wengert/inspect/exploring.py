"""``explore``: a graph as one self-contained page that plays its forward and backward pass."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import math
import re
import webbrowser
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from wengert.core.tensor import Tensor
from wengert.core.types import TensorSpec
from wengert.inspect.building import run_of
from wengert.inspect.formulas import formulas
from wengert.inspect.memory import timeline
from wengert.inspect.model import Model, ModelNode, bytes_text, shape_text
from wengert.inspect.stages import Stage, is_checkpoint, stages_of

#: Arrays of at most this many numbers are in the page in full; larger ones as a histogram.
_SMALL = 64
_BINS = 24
#: From this many nodes on, large arrays have their extremes and mean only.
_MANY = 20_000
#: A group shows at most this many direct children; more are put into groups of this size by order.
_CROWD, _CHUNK = 1500, 300
#: The page's program, in the order of its parts.
_SCRIPTS = ("layout.js", "view.js", "painting.js", "panel.js", "controls.js")
#: A notebook shows pages up to this size inside of itself.
_INLINE = 4_000_000


class Page:
    """A page that was written: ``path``, its size in ``bytes``, and what it shows."""

    def __init__(self, path: Path, content: str, nodes: int) -> None:
        self.path = str(path)
        self.bytes = len(content.encode())
        self.nodes = nodes
        self._content = content

    def open(self) -> None:
        """Open the page in the browser."""
        webbrowser.open(Path(self.path).resolve().as_uri())

    def _repr_html_(self) -> str:
        if self.bytes > _INLINE:
            return f"<p>{html.escape(repr(self))}</p>"
        page = html.escape(self._content)
        return f'<iframe sandbox="allow-scripts" style="width:100%;height:640px;border:0" srcdoc="{page}"></iframe>'

    def __repr__(self) -> str:
        return f"<Page {self.path}: {self.nodes:,} nodes, {bytes_text(self.bytes)}>"


def explore(
    x: Any, *args: Any, path: str | Path = "graph.html", params: Mapping[str, Any] | None = None, passes: bool = True
) -> Page:
    """Write a page to explore the graph of a tensor, of a function applied to ``args``, or a static graph.

    A function is run twice, and timed the second time. The page is one file of HTML that needs no network: groups to
    open and close, the forward pass (blue) and the backward pass (red) to play with the memory that is alive, values,
    gradients, formulas and source lines of every node. The graphs of loops, branches and compiled functions, and what a
    checkpoint replays, can be entered. For a function and a static graph it also holds, with ``passes``, the graph
    before and after each optimisation pass, side by side, and the kernels of the compiled program. Arrays of up to 64
    numbers are in it in full, larger ones as histograms, so its size grows with the number of nodes only.

    >>> import tempfile, wengert as wg
    >>> page = wg.explore(lambda x: (x * x).sum(), wg.tensor([1.0, 2.0]), path=tempfile.mkdtemp() + "/graph.html")
    >>> page.nodes
    3
    """
    if args and not isinstance(x, Tensor):
        # The first call of everything is slow, and would be what the colours show.
        run_of(x, *args, gradients=False)
    run = run_of(x, *args, params=params)
    content = page_of(stages_of(run, x, passes))
    target = Path(path)
    if not target.suffix:
        target = target.with_suffix(".html")
    target.write_text(content, "utf-8")
    return Page(target, content, len(run.model.nodes))


def page_of(stages: Sequence[Stage]) -> str:
    """The text of the page. All of the user's text is in the packed data; scripts run by their hash only."""
    data = {"stages": [{"name": one.name, **_Packer(crowds_split(one.model), one.inside).packed()} for one in stages]}
    packed = base64.b64encode(
        gzip.compress(json.dumps(data, separators=(",", ":"), allow_nan=False).encode(), 6, mtime=0)
    )
    folder = resources.files("wengert.inspect") / "explorer"
    script = "\n".join((folder / name).read_text("utf-8") for name in _SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    fill = {
        "HASH": digest,
        "TITLE": html.escape(stages[0].name),
        "STYLE": (folder / "style.css").read_text("utf-8"),
        "DATA": packed.decode(),
        "SCRIPT": script,
    }
    # In one go, so that nothing that is filled in is looked at again.
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda mark: fill[mark[1]], (folder / "page.html").read_text("utf-8"))


def crowds_split(model: Model) -> Model:
    """Put the children of crowded groups into groups of a few hundred, so that the page opens at once.

    Children go by their first operation, sources by the first that uses them: stretches of the run, without a cycle.
    """
    order = model.by_use()
    while True:
        children: dict[tuple[str, ...], dict[Any, None]] = {}
        for node in order:
            for depth in range(len(node.group)):
                children.setdefault(node.group[:depth], {})[node.group[: depth + 1]] = None
            children.setdefault(node.group, {})[node.index] = None
        crowded = [path for path, inside in children.items() if len(inside) > _CROWD]
        if not crowded:
            return model
        for path in crowded:
            place = {child: i // _CHUNK for i, child in enumerate(children[path])}
            depth = len(path)
            for node in model.nodes:
                if node.group[:depth] == path and (len(node.group) > depth or node.group == path):
                    child = node.index if len(node.group) == depth else node.group[: depth + 1]
                    if child in place:
                        node.group = (*path, f"part {place[child]}", *node.group[depth:])


class _Packer:
    """A model as columns of numbers and one table of strings."""

    def __init__(self, model: Model, inside: Mapping[int, Sequence[int]]) -> None:
        self.model = model
        self.inside = inside
        self.strings: dict[str, int] = {"": 0}
        self.groups: dict[tuple[str, ...], int] = {(): 0}
        self.histograms = len(model.nodes) <= _MANY

    def packed(self) -> dict[str, Any]:
        model = self.model
        rows = [self._row(node) for node in model.nodes]
        steps = timeline(model)
        classes = {node.op: type(node.primitive) for node in model.nodes if node.primitive is not None}
        rules = {self._string(op): formulas(cls) for op, cls in classes.items()}
        paths = list(self.groups)
        return {
            "differentiated": model.differentiated,
            "nodes": {key: [row[key] for row in rows] for key in (rows[0] if rows else {})},
            "edges": {
                "a": [edge.source for edge in model.edges],
                "b": [edge.target for edge in model.edges],
                "slot": [edge.slot for edge in model.edges],
                "spec": [self._spec(edge.spec) for edge in model.edges],
                "g": [int(edge.gradient) for edge in model.edges],
            },
            "groups": {
                "parent": [self.groups[path[:-1]] if path else -1 for path in paths],
                "name": [self._string(path[-1] if path else "") for path in paths],
            },
            "steps": {
                "n": [step.node for step in steps],
                "b": [int(step.backward) for step in steps],
                "v": [step.values for step in steps],
                "g": [step.gradients for step in steps],
            },
            "formulas": rules,
            "strings": list(self.strings),
        }

    def _string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def _spec(self, spec: TensorSpec) -> int:
        return self._string(f"{spec.dtype} {shape_text(spec.shape)}")

    def _group(self, path: tuple[str, ...]) -> int:
        for depth in range(1, len(path) + 1):
            self.groups.setdefault(path[:depth], len(self.groups))
        return self.groups[path]

    def _row(self, node: ModelNode) -> dict[str, Any]:
        where = node.location
        return {
            "kind": self._string(node.kind),
            "op": self._string(node.op),
            "name": self._string(node.name),
            "label": self._string(node.label),
            "text": self._string(node.text),
            "specs": [self._spec(spec) for spec in node.specs],
            "group": self._group(node.group),
            "line": self._string(node.line),
            "code": self._string(where.text if where is not None else ""),
            "function": self._string(where.function if where is not None else ""),
            "operands": [self._string(text) for text in node.operands],
            "names": [self._string(name) for name in (node.primitive.inputs if node.primitive is not None else ())],
            "kept": [
                [self._string(one.role), self._string(f"{one.dtype} {shape_text(one.shape)}"), one.bytes, int(one.leaf)]
                for one in node.kept
            ],
            "bytes": node.bytes,
            "flops": node.flops,
            "moved": node.moved,
            "forward": node.forward,
            "backward": node.backward,
            "output": int(node.output),
            "value": self._value(node.value),
            "grad": self._value(node.grad),
            "norm": _norm(node.grad),
            "change": ("", "removed", "added").index(node.change),
            "replayed": int(is_checkpoint(node)),
            "inside": self.inside.get(node.index, []),
        }

    def _value(self, value: Any) -> Any:
        """Statistics, and the numbers themselves or a histogram; 0 for what is not known."""
        if isinstance(value, tuple):
            value = value[0] if value else None
        if value is None:
            return 0
        array = np.abs(value) if np.asarray(value).dtype.kind == "c" else np.asarray(value)
        if array.size == 1:
            number = _number(array.reshape(())[()])
            bad = not np.isfinite(array).all()
            return {"s": [number, number, number, 0, int(np.isnan(array).sum()), int(bad), 1], "v": [number]}
        numbers = array.astype(np.float64, copy=False).ravel()
        finite = numbers[np.isfinite(numbers)] if array.dtype.kind == "f" else numbers
        nans = int(np.isnan(numbers).sum()) if finite.size < numbers.size else 0
        stats = [
            *([_number(f(finite)) for f in (np.min, np.max, np.mean, np.std)] if finite.size else [None] * 4),
            nans,
            int(numbers.size - finite.size - nans),
            int(numbers.size),
        ]
        if numbers.size <= _SMALL:
            return {"s": stats, "v": [_number(one) for one in numbers]}
        if not self.histograms or not finite.size:
            return {"s": stats}
        low, high = float(finite.min()), float(finite.max())
        if not math.isfinite(high - low) or high - low < 1e-300:
            return {"s": stats}
        return {"s": stats, "h": np.histogram(finite, _BINS, (low, high))[0].tolist()}


def _number(x: Any) -> Any:
    """A number that JSON has: NaN and infinities as text, floats to seven digits."""
    number = float(x)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    return int(number) if number == int(number) and abs(number) < 1e15 else float(f"{number:.7g}")


def _norm(grad: Any) -> Any:
    if grad is None or isinstance(grad, tuple):
        return None
    with np.errstate(all="ignore"):
        norm = float(np.sqrt(np.sum(np.abs(grad) ** 2)))
    return norm if math.isfinite(norm) else None
