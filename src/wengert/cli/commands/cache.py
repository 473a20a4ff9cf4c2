"""``wengert cache``."""

from __future__ import annotations

import argparse
import os
import re
from typing import Any

from wengert.backends.llvm.cache import LIMIT, folder
from wengert.cli.command import Command, Result
from wengert.cli.failures import FILE, Failure
from wengert.inspect.model import bytes_text

#: What the cache calls its files; others in the folder are not touched.
_ENTRY = re.compile(r"[0-9a-f]{64}|\.new-\w+")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("show", "clear"), default="show", help="default: show")


def contents() -> dict[str, Any]:
    """Where the cache of machine code is, how many programs it has, and how large it is."""
    place = folder()
    entries = _entries(place)
    size = sum(entry[1] for entry in entries)
    return {
        "folder": str(place) if place is not None else None,
        "entries": len(entries),
        "bytes": size,
        "limit_bytes": LIMIT,
    }


def _entries(place: Any) -> list[tuple[str, int]]:
    found = []
    if place is not None:
        try:
            for entry in os.scandir(place):
                if _ENTRY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    found.append((entry.path, entry.stat(follow_symlinks=False).st_size))
        except OSError as error:
            raise Failure(f"cannot read the cache {place}: {error.strerror or error}", FILE) from error
    return found


def run(options: argparse.Namespace) -> Result:
    data = contents()
    if options.action == "clear":
        for path, _ in _entries(folder()):
            try:
                os.unlink(path)
            except FileNotFoundError:  # another process was faster
                continue
            except OSError as error:
                raise Failure(f"cannot remove {path}: {error.strerror or error}", FILE) from error
        return Result({**data, "removed": data["entries"]}, f"removed {text_of(data)}")
    return Result(data, text_of(data))


def text_of(data: dict[str, Any]) -> str:
    """The contents in a line."""
    if data["folder"] is None:
        return "no cache: WENGERT_CACHE is 0, or its folder cannot be made"
    size, limit = bytes_text(data["bytes"]), bytes_text(data["limit_bytes"])
    return f"{data['entries']} compiled programs, {size} (at most {limit}), in {data['folder']}"


COMMAND = Command(
    "cache",
    "the cache of compiled programs: show or clear it",
    "Compiled programs are kept in a folder, so that the next process need not compile them. WENGERT_CACHE names "
    "another one, or turns the cache off with 0.",
    ("wengert cache", "wengert cache clear"),
    configure,
    run,
)
