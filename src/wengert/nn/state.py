"""Saving and loading a module's state as safetensors: plain numbers with names, no code.

A file is written beside its final place and moved there when it is complete, so a full disk or an interruption leaves
the old file as it was. A damaged file is refused as a whole, before anything is set.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from wengert.core.errors import StateError, WengertError
from wengert.core.tensor import Tensor, wrap


def _safetensors() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError as error:
        raise WengertError("saving and loading states needs safetensors: pip install 'wengert[nn]'") from error
    return safetensors


def save_file(state: dict[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Write tensors by name to a safetensors file, atomically.

    >>> import tempfile, os, wengert as wg
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> model = wg.nn.Linear(2, 1)
    >>> wg.nn.save_file(model.state_dict(), path)
    >>> model.load_state_dict(wg.nn.load_file(path))
    """
    library = _safetensors()
    arrays: dict[str, np.ndarray] = {}
    for name, value in state.items():
        array = value._value if isinstance(value, Tensor) else np.asarray(value)
        if not isinstance(name, str) or array.dtype.kind not in "biufc":
            raise StateError(f"save_file: cannot save {name!r} of dtype {array.dtype}; a state holds tensors by name")
        arrays[name] = np.ascontiguousarray(array).reshape(array.shape)
    data = library.numpy.save(arrays)
    target = Path(path)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def load_file(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read tensors by name from a safetensors file; raises ``StateError`` if it is damaged or not one."""
    library = _safetensors()
    data = Path(path).read_bytes()
    try:
        arrays = library.numpy.load(data)
    except (library.SafetensorError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise StateError(f"{os.fspath(path)} is not a whole safetensors file: {error}") from error
    return {name: wrap(np.array(array)) for name, array in arrays.items()}
