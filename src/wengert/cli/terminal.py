"""What is written to the terminal: text that cannot take it over, and JSON that every parser reads."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

import numpy as np

from wengert.core.tensor import Tensor

# Everything that moves the cursor or worse; colours (``ESC [ digits m``), tabs and line ends may stay.
_CONTROL = re.compile(r"(\x1b\[[0-9;]*m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def printable(text: str, color: bool = False) -> str:
    """Text in which names from files cannot move the cursor, set the title of the window or reverse the line; with
    ``color``, they may be coloured.

    >>> printable("a\\x1b]0;title\\x07b")
    'a\\\\x1b]0;title\\\\x07b'
    """
    return _CONTROL.sub(lambda found: found[1] if found[1] and color else ascii(found[0])[1:-1], text)


def to_json(data: Any) -> str:
    """Data as JSON. NaN and infinities, for which JSON has no numbers, are the strings "NaN", "Infinity" and
    "-Infinity"; a complex number is a pair.

    >>> print(to_json({"x": [1.5, float("nan")]}))
    {
      "x": [1.5, "NaN"]
    }
    """
    return _dumped(plain(data), "")


def _dumped(x: Any, indent: str) -> str:
    """JSON with an item a line, except that lists of numbers take one line together."""
    inner = indent + "  "
    if isinstance(x, dict) and x:
        items = [f"{inner}{json.dumps(key)}: {_dumped(value, inner)}" for key, value in x.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(x, list) and any(isinstance(one, (dict, list)) for one in x):
        return "[\n" + ",\n".join(f"{inner}{_dumped(one, inner)}" for one in x) + f"\n{indent}]"
    return json.dumps(x, allow_nan=False)


def plain(x: Any) -> Any:
    """Containers, arrays and numbers as what JSON has."""
    if isinstance(x, Tensor):
        x = x.detach().numpy()
    if isinstance(x, Mapping):
        return {str(key): plain(value) for key, value in x.items()}
    if isinstance(x, np.ndarray):
        finite = x.dtype.kind in "biuf" and bool(np.isfinite(x).all())
        return x.tolist() if finite else plain(x.tolist())
    if isinstance(x, (list, tuple)):
        return [plain(one) for one in x]
    if isinstance(x, np.generic):
        x = x.item()
    if isinstance(x, complex):
        return [plain(x.real), plain(x.imag)]
    if isinstance(x, float) and not math.isfinite(x):
        return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    return x if x is None or isinstance(x, (bool, int, float, str)) else str(x)


@contextlib.contextmanager
def set_aside() -> Iterator[None]:
    """Send to standard error what the user's code prints, also from other languages and processes, so that standard
    output holds the answer alone."""
    try:
        number = sys.stdout.fileno()
        sys.stdout.flush()
        saved = os.dup(number)
        os.dup2(sys.stderr.fileno(), number)
    except (OSError, ValueError, AttributeError):  # a stream that is closed, or none of the operating system's
        number = saved = -1
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if saved >= 0:
            os.dup2(saved, number)
            os.close(saved)


def emit(text: str, stream: TextIO | None) -> None:
    """Write a text and flush it, so that a full disk or a closed pipe is noticed here. Characters that the terminal
    has no code for become question marks."""
    if stream is None:
        return
    if not text.endswith("\n"):
        text += "\n"
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


@contextlib.contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """A line on the terminal that says what is being done, and is gone afterwards; nothing where there is none."""
    stream = sys.stderr
    if stream is None or not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda text: None
        return

    def show(text: str) -> None:
        stream.write(f"\r\x1b[K{printable(text)}")
        stream.flush()

    try:
        yield show
    finally:
        show("")


def abandon(stream: TextIO | None) -> None:
    """Let nothing more be written to a stream that is broken, not even when the interpreter ends."""
    try:
        number = stream.fileno() if stream is not None else -1
        null = os.open(os.devnull, os.O_WRONLY)
    except (OSError, ValueError):
        return
    if number >= 0:
        os.dup2(null, number)
    os.close(null)


def coloured(stream: TextIO | None) -> bool:
    """Whether the stream is a terminal that wants colours."""
    return (
        stream is not None and stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
