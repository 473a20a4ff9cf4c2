"""``wengert explore``."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path

import wengert as wg
from wengert.cli.command import Command, Result, add_target, problem
from wengert.cli.failures import Failure
from wengert.cli.files import OutputPath, written
from wengert.cli.inputs import OPTIONAL
from wengert.inspect import Page


def configure(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    name = "graph.html"
    parser.add_argument("-o", "--output", type=OutputPath, default=name, metavar="FILE", help=f"default: {name}")
    parser.add_argument("--no-passes", action="store_true", help="leave out the graph after each pass")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def run(options: argparse.Namespace) -> Result:
    if Path(options.output).suffix.lower() not in (".html", ".htm"):
        raise Failure(f"--output: {options.output} should end in .html")
    pages: list[Page] = []
    with problem(options, OPTIONAL) as found:
        args = found.args if options.input or not isinstance(found.subject, wg.Graph) else ()

        def write(path: Path) -> None:
            passes = not options.no_passes
            pages.append(wg.explore(found.subject, *args, path=path, params=found.params, passes=passes))

        file = written(options.output, write)
    if options.open:
        webbrowser.open(Path(options.output.place).as_uri())
    nodes = pages[0].nodes
    data = {"path": file.path, "bytes": file.bytes, "replaced": file.replaced, "nodes": nodes}
    return Result(data, f"{file}: {nodes:,} nodes; open it in a browser")


COMMAND = Command(
    "explore",
    "a page that plays the graph forward and backward",
    "Write one page of HTML, which needs no network: the graph to open and close, to search and to play forward (blue) "
    "and backward (red), with values, gradients, formulas, memory and source lines.",
    (
        "wengert explore model.py:loss",
        "wengert explore model.py:loss -o loss.html --open",
        "wengert explore model.graph",
    ),
    configure,
    run,
)
