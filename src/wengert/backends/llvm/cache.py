"""Machine code on disk, so that a second process need not generate it again.

An entry's name is a hash of the code's text, the processor and the versions; its first bytes are a hash of its name and
of the rest. What does not fit is ignored, never run. Several processes may use the folder at once: files are written
whole or not at all. ``WENGERT_CACHE`` names another folder, or turns the cache off with ``0``.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import tempfile
from pathlib import Path

from wengert.backends.llvm.machine import description

#: Bytes that the folder may hold; the entries that were used longest ago go first.
LIMIT = 256 << 20

#: After so many new entries of a process, the folder is looked through: which takes time where there are thousands.
TRIMMED = 64
_SAVED = itertools.count(1)

_DIGEST = hashlib.sha256().digest_size


@functools.cache
def folder() -> Path | None:
    """Where entries lie, or ``None`` if there is no cache."""
    named = os.environ.get("WENGERT_CACHE", "")
    if named == "0":
        return None
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = Path(named) if named else base / "wengert"
    try:
        found.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return found


def key(text: str) -> str:
    """The name of an entry."""
    return hashlib.sha256(description().encode() + text.encode()).hexdigest()


def _digest(name: str, code: bytes) -> bytes:
    """What an entry begins with; another's code under its name has another."""
    return hashlib.sha256(name.encode() + code).digest()


def load(name: str) -> bytes | None:
    """The machine code of an entry, if there is one and it is whole."""
    place = folder()
    if place is None:
        return None
    path = place / name
    try:
        data = path.read_bytes()
        if data[:_DIGEST] != _digest(name, data[_DIGEST:]):
            return None
        os.utime(path)
    except OSError:
        return None
    return data[_DIGEST:]


def save(name: str, code: bytes) -> None:
    """Keep machine code. A folder that cannot be written to is no error: the code is made again next time."""
    place = folder()
    if place is None:
        return
    try:
        handle, temporary = tempfile.mkstemp(dir=place, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_digest(name, code) + code)
            os.replace(temporary, place / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        if next(_SAVED) % TRIMMED == 0:
            _trim(place)
    except OSError:
        return


def _trim(place: Path) -> None:
    """Remove the entries used longest ago while there is too much."""
    entries = []
    for entry in os.scandir(place):
        try:
            status = entry.stat()
        except OSError:
            continue
        entries.append((status.st_mtime, status.st_size, entry.path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= LIMIT:
            break
        Path(path).unlink(missing_ok=True)
        total -= size
