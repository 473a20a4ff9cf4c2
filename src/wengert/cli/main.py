"""Reading the command line, running a command, and reporting how it ended."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import textwrap
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import wengert
from wengert.cli.command import EXIT_CODES, INPUTS_HELP, Command, Result
from wengert.cli.commands import COMMANDS
from wengert.cli.failures import FILE, INTERRUPTED, PIPE, TERMINATED, USAGE, Failure, Terminated, explained
from wengert.cli.terminal import abandon, coloured, emit, printable, set_aside, to_json
from wengert.core.node import is_library_file


class _Parser(argparse.ArgumentParser):
    """Raises ``Failure`` instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise Failure(f"{message}\n'{self.prog} --help' shows how it is used.", USAGE)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    raw = argparse.RawDescriptionHelpFormatter
    top = _Parser(
        prog="wengert",
        description="Look at the computational graph of your code: figures, pictures, derivatives checked, times.",
        epilog="start with 'wengert demo', and see 'wengert COMMAND --help' for examples." + "\n" + EXIT_CODES,
        formatter_class=raw,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"wengert {wengert.__version__}")
    for name in ("--json", "--debug"):  # in front of the command, too
        top.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    commands = top.add_subparsers(metavar="COMMAND", dest="command")
    for command in COMMANDS:
        one = commands.add_parser(
            command.name,
            help=command.summary,
            description=textwrap.fill(command.description, 80),
            formatter_class=raw,
            allow_abbrev=False,
        )
        command.configure(one)
        absent = argparse.SUPPRESS
        one.add_argument(
            "--json", action="store_true", default=absent, help="write the result as JSON, and nothing else, to stdout"
        )
        one.add_argument("--debug", action="store_true", default=absent, help="show the traceback of an error")
        takes_inputs = any(action.dest == "input" for action in one._actions)
        examples = "examples:\n" + "\n".join(f"  {line}" for line in command.examples)
        one.epilog = examples + "\n" + (INPUTS_HELP + "\n" if takes_inputs else "") + EXIT_CODES
        one.set_defaults(chosen=command)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, and return its exit code.

    >>> main(["info", "--jsn"])
    2
    """
    if argv is None:
        _disown_launcher()
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGTERM, _terminate)
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    try:
        result = _result_of(words)
    except SystemExit as done:  # --help and --version
        return _flushed(int(done.code or 0))
    except BaseException as error:
        if "--debug" in words:
            with contextlib.suppress(Exception):
                traceback.print_exception(error)
        return _failed(explained(error), as_json)
    try:
        emit(to_json(result.data) if as_json else printable(result.text, coloured(sys.stdout)), sys.stdout)
    except BrokenPipeError:
        abandon(sys.stdout)
        return PIPE
    except KeyboardInterrupt as error:
        return _failed(explained(error), False)
    except OSError as error:
        abandon(sys.stdout)
        return _failed(Failure(f"cannot write the result: {error.strerror or error}", FILE), False)
    return result.code


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """End as by Ctrl-C, so that temporary files are removed."""
    raise Terminated


def _disown_launcher() -> None:
    """Let no operation be said to come from the script that started this program."""
    frame = sys._getframe(1)
    while frame is not None:
        is_library_file[frame.f_code.co_filename] = True
        frame = frame.f_back  # type: ignore[assignment]


def _result_of(words: Sequence[str]) -> Result:
    if not words:
        parser().print_help(sys.stderr)
        raise Failure("name a command", USAGE)
    options = parser().parse_args([*words[1:], "--help"] if words[0] == "help" else words)
    chosen: Command | None = getattr(options, "chosen", None)
    if chosen is None:
        raise Failure("name a command; 'wengert --help' lists them", USAGE)
    options.color = "--json" not in words and coloured(sys.stdout)
    try:
        with set_aside():
            return chosen.run(options)
    except SystemExit as error:
        raise explained(error) from error


def _failed(failure: Failure, as_json: bool) -> int:
    """Say what went wrong: on standard error, and for programs on standard output too."""
    with contextlib.suppress(OSError, ValueError):
        emit(printable(f"wengert: {_word(failure)}{failure}"), sys.stderr)
    if as_json:
        try:
            emit(to_json(failure.to_dict()), sys.stdout)
        except OSError:
            abandon(sys.stdout)
    return failure.code


def _word(failure: Failure) -> str:
    return "" if failure.code in (INTERRUPTED, TERMINATED) else "error: "


def _flushed(code: int) -> int:
    """Help may be piped into something that stops reading."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
        return PIPE
    except OSError:
        abandon(sys.stdout)
        return FILE
    return code
