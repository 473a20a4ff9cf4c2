"""``wengert draw``."""

from __future__ import annotations

import argparse
from pathlib import Path

import wengert as wg
from wengert.cli.command import Command, Result, add_target, positive, problem
from wengert.cli.failures import FILE, Failure
from wengert.cli.files import OutputPath, written
from wengert.cli.inputs import OPTIONAL
from wengert.core.errors import WengertError

_FORMATS = ("svg", "png", "pdf", "dot", "txt")


def configure(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "-o", "--output", type=OutputPath, metavar="FILE", help="the picture; without it, text is printed; - is stdout"
    )
    parser.add_argument("--format", choices=_FORMATS, help="instead of what the suffix of the file says")
    parser.add_argument("--engine", default="wengert", help="dot: let an installed Graphviz place the nodes")
    parser.add_argument("--no-gradients", action="store_true", help="leave out the red edges")
    parser.add_argument("--no-values", action="store_true", help="leave out values")
    parser.add_argument("--no-fold", action="store_true", help="draw every one of equal blocks")
    parser.add_argument("--saved", action="store_true", help="show what is kept for the backward pass")
    parser.add_argument("--limit", type=positive, default=400, help="close groups beyond so many nodes (default: 400)")


def run(options: argparse.Namespace) -> Result:
    kind = _format(options)
    with problem(options, OPTIONAL) as found:
        drawing = wg.draw(
            found.subject,
            *(found.args if options.input or not isinstance(found.subject, wg.Graph) else ()),
            params=found.params,
            gradients=not options.no_gradients,
            values=not options.no_values,
            saved=options.saved,
            fold=not options.no_fold,
            limit=options.limit,
        )
        data = {"nodes": len(drawing.model.nodes), "edges": len(drawing.model.edges), "format": kind}
        if options.output is None:
            return Result({**data, "text": str(drawing), "source": drawing.source}, str(drawing))
        if options.output == "-":
            if kind in ("png", "pdf"):
                raise Failure(f"{kind} is not text; name a file with --output")
            text = {"svg": lambda: drawing.svg, "dot": lambda: drawing.source, "txt": lambda: str(drawing)}[kind]()
            return Result({**data, "text": text}, text)

        def write(path: Path) -> None:
            try:
                # The temporary name keeps the suffix, but it may not be the one that the format has.
                made = drawing.render(path, kind, options.engine)
            except WengertError as error:
                raise Failure(str(error), FILE) from error
            if made != str(path):
                Path(made).replace(path)

        file = written(options.output, write)
    return Result({**data, "path": file.path, "bytes": file.bytes, "replaced": file.replaced}, str(file))


def _format(options: argparse.Namespace) -> str:
    """The format that is asked for. Raises ``Failure``."""
    if options.format:
        return str(options.format)
    if options.output in (None, "-"):
        return "txt"
    suffix = Path(options.output).suffix.lower().removeprefix(".").replace("gv", "dot")
    if suffix not in _FORMATS:
        raise Failure(f"--output: {options.output} should end in .{', .'.join(_FORMATS)}; or give --format")
    return suffix


COMMAND = Command(
    "draw",
    "a picture of the graph, or text in the terminal",
    "Draw the graph: data flowing forward in blue, gradients flowing back in red. Without --output, the graph is "
    "printed, one operation a line, gradients beside values.",
    (
        "wengert draw model.py:loss",
        "wengert draw model.py:loss -o graph.svg",
        "wengert draw model.py:loss -o - --format dot | dot -Tpng > graph.png",
    ),
    configure,
    run,
)
