"""``wengert why``."""

from __future__ import annotations

import argparse
from dataclasses import asdict

import wengert as wg
from wengert.cli.command import Command, Result, add_target, problem
from wengert.cli.failures import Failure
from wengert.core.tensor import Tensor


def configure(parser: argparse.ArgumentParser) -> None:
    add_target(parser)


def run(options: argparse.Namespace) -> Result:
    with problem(options) as found:
        if isinstance(found.subject, Tensor):
            raise Failure("why: name a function; a tensor does not remember its inputs' names")
        answers = wg.why(found.subject, *found.args)
        data = {"connected": answers.connected, "inputs": [asdict(answer) for answer in answers.answers]}
        return Result(data, str(answers) or f"{found.name} takes no input that a gradient could flow to")


COMMAND = Command(
    "why",
    "how the result depends on each input, or what cut the gradient",
    "Say for each input on which way a gradient flows to it, or what cut it off (no_grad, detach, a cast to integers, "
    "a derivative that is zero), with the line.",
    ("wengert why model.py:loss", 'wengert why model.py:loss --input "x=float64[3]" --json'),
    configure,
    run,
)
