"""What goes wrong on a command line: exit codes, and one message for each failure."""

from __future__ import annotations

import linecache
import os
import sysconfig
import traceback
from typing import Any

from wengert.core.errors import GraphFileError, WengertError
from wengert.core.node import is_library_file

#: Exit codes. Those above 100 are what a shell reports for a process that a signal ended.
OK, FAILED, USAGE, CODE, FILE, INTERNAL, INTERRUPTED, PIPE, TERMINATED = 0, 1, 2, 3, 4, 70, 130, 141, 143

_KINDS = {
    USAGE: "usage",
    CODE: "code",
    FILE: "file",
    INTERNAL: "internal",
    INTERRUPTED: "interrupted",
    TERMINATED: "terminated",
}

_LONGEST = 4000
_INSTALLED = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class Failure(Exception):
    """Ends a command with a message and an exit code; ``file``, ``line`` and ``source`` say where, if in a file."""

    def __init__(self, message: str, code: int = USAGE, file: str = "", line: int = 0, source: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.file = file
        self.line = line
        self.source = source

    def __str__(self) -> str:
        if not self.file or f"{self.file}:{self.line}" in self.message:
            return self.message
        source = f"\n    {self.source}" if self.source else ""
        return f"{_shown(self.file)}:{self.line}: {self.message}{source}"

    def to_dict(self) -> dict[str, Any]:
        """The failure for programs."""
        found: dict[str, Any] = {"kind": _KINDS.get(self.code, "error"), "message": self.message}
        if self.file:
            found |= {"file": self.file, "line": self.line, "source": self.source}
        return {"error": found, "exit_code": self.code}


class Terminated(KeyboardInterrupt):
    """The process was asked to end."""


def explained(error: BaseException) -> Failure:
    """Any exception as a failure: by whom it was raised decides the exit code."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, Terminated):
        return Failure("terminated", TERMINATED)
    if isinstance(error, KeyboardInterrupt):
        return Failure("interrupted", INTERRUPTED)
    name = type(error).__name__
    text = _text_of(error)
    if isinstance(error, SyntaxError) and error.filename:
        return Failure(f"{name}: {error.msg}", CODE, error.filename, error.lineno or 0, (error.text or "").strip())
    if isinstance(error, SystemExit):
        text = f"the code called sys.exit({error.code!r}); a script should do so under if __name__ == '__main__'"
    message = f"{name}: {text}" if text else name
    place = user_place(error)
    if place is not None:
        return Failure(message, CODE, *place, linecache.getline(*place).strip())
    if isinstance(error, GraphFileError):
        return Failure(text, FILE)
    if isinstance(error, (WengertError, ImportError)) and "pip install" in text:
        return Failure(text, FILE)
    if isinstance(error, (WengertError, MemoryError, SystemExit)):
        return Failure(message, CODE)
    return Failure(f"{message}\nThis is a fault of Wengert; --debug shows where.", INTERNAL)


def user_place(error: BaseException) -> tuple[str, int] | None:
    """File and line of the user's code that raised: the innermost frame that is of no installed package."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(file, line) for file, line in frames if not file.startswith((*_INSTALLED, "<frozen"))]
    return next((place for place in reversed(own) if not is_library_file[place[0]]), None)


def _text_of(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # an exception of the user's, whose own text fails
        return "(its message cannot be shown)"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _shown(file: str) -> str:
    """A path as short as it can be."""
    try:
        short = os.path.relpath(file)
    except (ValueError, OSError):
        return file
    return file if short.startswith("..") else short
