"""``wengert optimize``."""

from __future__ import annotations

import argparse
from typing import Any

from wengert.cli.command import Command, Result, add_target, problem
from wengert.cli.commands.trace import save_graph, traced
from wengert.cli.files import OutputPath
from wengert.cli.inputs import OPTIONAL


def configure(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("-o", "--output", type=OutputPath, metavar="FILE", help="a file for the graph after the passes")


def run(options: argparse.Namespace) -> Result:
    with problem(options, OPTIONAL) as found:
        graph = traced(found)
        after, report = graph.optimize(report=True)
        data: dict[str, Any] = {
            "nodes_before": len(graph),
            "nodes_after": len(after),
            "passes": [
                {
                    "pass": step.name,
                    "nodes_before": len(step.before),
                    "nodes_after": len(step.after),
                    "removed": dict(step.removed),
                    "added": dict(step.added),
                }
                for step in report.steps
            ],
        }
        text = f"{len(graph)} nodes before\n{report}" if report.steps else f"{len(graph)} nodes, and nothing to improve"
        if options.output is None:
            return Result(data, text)
        file = save_graph(after, options.output)
    return Result({**data, **vars(file)}, f"{text}\n{file}")


COMMAND = Command(
    "optimize",
    "what each pass does to a graph, and the graph after them",
    "Fold, share, simplify and drop until nothing changes; say what each pass did, and save the result.",
    ("wengert optimize loss.graph", "wengert optimize loss.graph -o faster.graph", "wengert optimize model.py:loss"),
    configure,
    run,
)
