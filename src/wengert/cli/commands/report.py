"""``wengert report``."""

from __future__ import annotations

import argparse

import wengert as wg
from wengert.cli.command import Command, Result, add_target, problem
from wengert.cli.inputs import OPTIONAL


def configure(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--no-measure", action="store_true", help="run the function once only, without timing it")


def run(options: argparse.Namespace) -> Result:
    with problem(options, OPTIONAL) as found:
        report = wg.report(found.subject, *found.args, measure=not options.no_measure)
        return Result(report.to_dict(), report.text(color=options.color))


COMMAND = Command(
    "report",
    "what a graph consists of, costs and keeps",
    "Run a function and report on its graph: nodes, depth, operations, bytes kept for the backward pass and by which "
    "line, peak memory, times, and where the first NaN came from.",
    (
        "wengert report model.py:loss",
        'wengert report model.py:loss --input "x=float64[32,10]" --seed 1',
        "wengert report model.graph --json",
    ),
    configure,
    run,
)
