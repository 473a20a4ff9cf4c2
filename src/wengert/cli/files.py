"""Writing results: whole files or none."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from wengert.cli.failures import FILE, Failure, user_place
from wengert.inspect.model import bytes_text
from wengert.nn.state import save_file


class OutputPath(str):
    """A path as the user gave it, which keeps its meaning when the working directory changes."""

    place: str

    def __new__(cls, text: str) -> OutputPath:
        path = super().__new__(cls, text)
        path.place = os.path.abspath(text)
        return path


class Written:
    """A file that was written: its ``path`` as the user gave it, its size in ``bytes``, and if it ``replaced`` one."""

    def __init__(self, path: str, size: int, replaced: bool) -> None:
        self.path = path
        self.bytes = size
        self.replaced = replaced

    def __str__(self) -> str:
        return f"{'replaced' if self.replaced else 'wrote'} {self.path} ({bytes_text(self.bytes)})"


def written(path: str, write: Callable[[Path], object]) -> Written:
    """Let ``write`` make a file under another name beside ``path``, which then takes its place.

    Links are followed; devices and pipes are written into. Raises ``Failure`` where the disk or permissions refuse.
    """
    try:
        # Not Path.resolve, which has an exception of its own for links that lead to each other.
        target = Path(os.path.realpath(path.place if isinstance(path, OutputPath) else path))
        exists = target.exists()
        if target.is_dir():
            raise Failure(f"cannot write {path}: it is a folder; name a file", FILE)
        if not target.parent.is_dir():
            raise Failure(f"cannot write {path}: there is no folder {target.parent}", FILE)
        if exists and not os.access(target, os.W_OK):
            raise Failure(f"cannot write {path}: the file is write-protected", FILE)
        special = exists and not target.is_file()
        return _replaced(path, target, exists, special, write)
    except OSError as error:
        if user_place(error) is not None:  # of the function that is looked at, not of the file
            raise
        raise Failure(f"cannot write {path}: {error.strerror or error}", FILE) from error


def _replaced(path: str, target: Path, exists: bool, special: bool, write: Callable[[Path], object]) -> Written:
    folder = Path(tempfile.gettempdir()) if special else target.parent
    suffix = Path(path).suffix
    temporary = folder / f".wengert-{secrets.token_hex(8)}{suffix}"
    try:
        write(temporary)
        size = temporary.stat().st_size
        if special:
            with temporary.open("rb") as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        else:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            if exists:
                shutil.copymode(target, temporary)
            os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return Written(path, size, exists and not special)


#: How arrays are written, by the suffix of the file.
_SUFFIXES = (".npz", ".npy", ".safetensors")


def array_format(path: str) -> str:
    """The suffix that says how arrays are written. Raises ``Failure`` for another one."""
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise Failure(f"--output: {path} should end in {', '.join(_SUFFIXES)}, which says what to write")
    return suffix


def save_arrays(path: str, arrays: Mapping[str, np.ndarray]) -> Written:
    """Write arrays by name into an ``.npz`` or ``.safetensors`` file, or one array into an ``.npy`` file."""
    suffix = array_format(path)
    if suffix == ".npy" and len(arrays) != 1:
        raise Failure(f"--output: an .npy file holds one array, and there are {len(arrays)}; use .npz")

    def write(place: Path) -> None:
        if suffix == ".npy":
            np.save(place, next(iter(arrays.values())), allow_pickle=False)
        elif suffix == ".npz":
            _save_npz(place, arrays)
        else:
            save_file(dict(arrays), place)  # type: ignore[arg-type]

    return written(path, write)


def _save_npz(place: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """``numpy.savez`` for any names: it takes them as keywords, and has parameters of its own."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
