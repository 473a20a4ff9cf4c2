"""Static pictures: ``draw``, ``make_dot`` and the ``Drawing`` that they return."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from wengert.core.errors import WengertError
from wengert.inspect.building import model_of
from wengert.inspect.dot import dot_of
from wengert.inspect.folding import close_groups, fold_repeats
from wengert.inspect.model import Model
from wengert.inspect.pdf import pdf_of
from wengert.inspect.scene import Scene, scene_of
from wengert.inspect.svg import png_of, svg_of
from wengert.inspect.terminal import text_of

_FORMATS = ("svg", "png", "pdf", "dot", "gv", "txt")
#: Seconds that Graphviz may take; it does not come back from some large graphs.
_PATIENCE = 60


class Drawing:
    """A picture of a graph. In a notebook it shows itself.

    ``source`` is the graph in the DOT language, ``svg`` the picture; ``model`` is what is drawn, after folding.
    """

    def __init__(
        self,
        model: Model,
        gradients: bool,
        values: bool,
        saved: bool,
        wrap: bool = True,
        edge_labels: bool = False,
    ) -> None:
        self.model = model
        self._wrap = wrap
        self._options = {"gradients": gradients, "values": values, "saved": saved, "edge_labels": edge_labels}

    @cached_property
    def source(self) -> str:
        """The graph in the DOT language."""
        return dot_of(self.model, **self._options)

    @cached_property
    def scene(self) -> Scene:
        """The picture as a list of shapes."""
        return scene_of(self.model, **self._options, wrap=self._wrap)

    @cached_property
    def svg(self) -> str:
        """The picture as an SVG document."""
        return svg_of(self.scene)

    def render(self, filename: str | Path, format: str | None = None, engine: str = "wengert") -> str:
        """Write the picture, and return the path of the file.

        The format is ``format``, or else the suffix of ``filename``, or else SVG; the suffix is appended if it is
        missing: ``svg``, ``pdf``, ``dot`` and ``txt`` need nothing but Wengert, ``png`` needs ``wengert[viz]``.
        ``engine="dot"`` lets an installed Graphviz place the nodes instead. Raises ``WengertError`` for what is not
        known or not installed.

        >>> import tempfile, wengert as wg
        >>> x = wg.tensor(2.0, requires_grad=True)
        >>> wg.draw(x * x).render(tempfile.mkdtemp() + "/square.svg").endswith("square.svg")
        True
        """
        path = Path(filename)
        kind = (format or path.suffix.removeprefix(".") or "svg").lower()
        if kind not in _FORMATS:
            raise WengertError(f"render: the format {kind!r} is not one of {', '.join(_FORMATS)}")
        if path.suffix.removeprefix(".").lower() != kind:
            path = path.with_name(f"{path.name}.{kind}")
        if engine != "wengert" and kind in ("svg", "png", "pdf"):
            path.write_bytes(self._by_graphviz(engine, kind))
        elif kind == "png":
            path.write_bytes(png_of(self.svg, self.scene.width, self.scene.height))
        elif kind == "pdf":
            path.write_bytes(pdf_of(self.scene))
        else:
            path.write_text(
                {"svg": lambda: self.svg, "txt": lambda: str(self)}.get(kind, lambda: self.source)(), "utf-8"
            )
        return str(path)

    def _by_graphviz(self, engine: str, kind: str) -> bytes:
        program = shutil.which(engine)
        if program is None:
            raise WengertError(
                f"render: there is no program {engine!r} on the PATH; leave engine out to use our own layout"
            )
        try:
            done = subprocess.run(
                [program, f"-T{kind}"], input=self.source.encode(), capture_output=True, timeout=_PATIENCE, check=True
            )
        except subprocess.TimeoutExpired:
            raise WengertError(
                f"render: {engine} took more than {_PATIENCE} s; our own layout takes less than one"
            ) from None
        except subprocess.CalledProcessError as error:
            raise WengertError(f"render: {engine} failed: {error.stderr.decode(errors='replace')[:500]}") from error
        return done.stdout

    def save(self, filename: str | Path) -> str:
        """Write the picture in the format that the suffix says."""
        return self.render(filename)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Drawing: {len(self.model.nodes)} nodes, {len(self.model.edges)} edges>"

    def __str__(self) -> str:
        return text_of(self.model, tree=False)


def draw(
    x: Any,
    *args: Any,
    params: Mapping[str, Any] | None = None,
    gradients: bool = True,
    values: bool = True,
    saved: bool = False,
    edge_labels: bool = False,
    fold: bool = True,
    limit: int = 400,
    wrap: bool = True,
) -> Drawing:
    """Draw the graph of a tensor, of a function applied to ``args``, or a static graph.

    One node is an operation together with its gradient: a blue edge is data flowing forward, the red one beside it the
    gradient flowing back, and a grey dashed one is where no gradient can flow. Modules are boxes. ``fold`` shows equal
    blocks once ("×12"); beyond ``limit`` nodes, groups are closed. ``saved`` shows what waits for the backward pass,
    and ``edge_labels`` the shape and dtype of what flows along each edge.
    ``wrap`` breaks a tall picture into columns: what leaves one at the bottom goes on at the top of the next.

    >>> import wengert as wg
    >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
    >>> draw((x.exp() * x).sum())
    <Drawing: 4 nodes, 4 edges>
    """
    model = model_of(x, *args, params=params, gradients=gradients)
    if fold:
        model = fold_repeats(model)
    return Drawing(close_groups(model, limit), gradients, values, saved, wrap, edge_labels)


def make_dot(
    var: Any, params: Mapping[str, Any] | None = None, show_attrs: bool = False, show_saved: bool = False
) -> Drawing:
    """The graph behind a tensor, as torchviz draws it: ``params`` names leaves (``dict(model.named_parameters())``).

    >>> import wengert as wg
    >>> w = wg.tensor(3.0, requires_grad=True)
    >>> "n0 -> n1" in make_dot(w * 2.0, params={"weight": w}).source
    True
    """
    return draw(var, params=params, values=show_attrs, saved=show_saved)
