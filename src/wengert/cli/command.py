"""What a subcommand is, and the options that several of them have."""

from __future__ import annotations

import argparse
import contextlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from wengert.cli.failures import CODE, OK, Failure, user_place
from wengert.cli.inputs import DRAWN, Problem, problem_of, read_inputs
from wengert.cli.target import opened
from wengert.core.errors import GradientError, WengertError
from wengert.ops.random_ import manual_seed


@dataclass(frozen=True)
class Result:
    """What a command found: for programs, for people, and the exit code."""

    data: dict[str, Any]
    text: str
    code: int = OK


@dataclass(frozen=True)
class Command:
    """A subcommand: its name, its help, and what it does with its options."""

    name: str
    summary: str
    description: str
    #: Command lines that show how it is used.
    examples: tuple[str, ...]
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Result]


INPUTS_HELP = """
where the arguments of a function come from, the first that is there:
  --input NAME=VALUE        on the command line
  example_inputs_FUNCTION() in the file, which returns the arguments as a tuple,
                            or as a dictionary by name
  default arguments         def loss(w=np.ones(3), rate=0.1): ...
  example_inputs() in the file, for every function that needs arguments
VALUE is a shape to fill with random numbers (float64[32,10], or with ~uniform,
~positive, ~zeros, ~ones at the end), a number (1.5), an array ([1, 2, 3] or
float32([1, 2, 3])), or a file (data.npy, data.npz:name, data.safetensors:name).
A file with several arrays and no NAME gives each input its array.
A graph file declares its inputs itself; what is not given is drawn at random."""

EXIT_CODES = """
exit codes: 0 done; 1 a check failed; 2 wrong usage; 3 the function failed; 4 a file
could not be read or written; 70 a fault of Wengert; 130, 141, 143 interrupted, pipe
closed, terminated"""


def add_target(parser: argparse.ArgumentParser) -> None:
    """The options of a command that looks at a function or a graph."""
    parser.add_argument("target", metavar="TARGET", help="FILE.py:FUNCTION, or a file that Graph.save wrote")
    parser.add_argument(
        "-i", "--input", action="append", default=[], metavar="NAME=VALUE", help="a shape or value; may be repeated"
    )
    parser.add_argument("--seed", type=natural, default=0, help="of the random numbers (default: 0)")


@contextlib.contextmanager
def problem(options: argparse.Namespace, missing: str = DRAWN) -> Iterator[Problem]:
    """What the options of ``add_target`` say."""
    manual_seed(options.seed)
    # Before the file is loaded: it may change the working directory.
    given = read_inputs(options.input, options.seed)
    with opened(options.target) as target:
        found = problem_of(target, given, options.seed, missing)
        try:
            yield found
        except GradientError as error:
            if found.args or not found.whole:
                raise
            names = ", ".join(found.whole)
            raise Failure(f"{found.name}: whole numbers have no gradients ({names}); write 3.0 for 3") from error
        except (TypeError, ValueError) as error:
            # A function that is not of Python leaves no frame behind that says whose the exception is.
            foreign = callable(target.value) and not hasattr(inspect.unwrap(target.value), "__code__")
            if not foreign or isinstance(error, WengertError) or user_place(error) is not None:
                raise
            raise Failure(f"{found.name}: {type(error).__name__}: {error}", CODE) from error


def natural(text: str) -> int:
    """A number for ``--seed``."""
    if not text.isascii() or not text.isdecimal() or len(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def positive(text: str) -> int:
    """A count."""
    if natural(text) == 0:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return natural(text)


def number(text: str) -> float:
    """A positive number."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return found
