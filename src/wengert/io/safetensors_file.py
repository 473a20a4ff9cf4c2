"""Arrays and a text in one file, in the safetensors format (https://github.com/huggingface/safetensors).

Eight bytes with the length of a JSON header; the header, which gives dtype, shape and place of each array, and
``__metadata__``, a dictionary of strings; the arrays, one after the other. Written and read here, because the format is
simple, a file may be hostile, and complex arrays need a place (as pairs of floats, marked in the metadata).
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from wengert.core.errors import GraphFileError

_CODES = {
    "bool": "BOOL", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "uint8": "U8", "uint16": "U16",
    "uint32": "U32", "uint64": "U64", "float16": "F16", "float32": "F32", "float64": "F64",
}  # fmt: skip
_DTYPES = {code: np.dtype(name) for name, code in _CODES.items()}
_REAL = {"complex64": "float32", "complex128": "float64"}

#: The largest header that is read: far more than any real graph needs.
_LONGEST_HEADER = 1 << 30


def write(path: str | os.PathLike[str], arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write a file, whole or not at all: into a temporary file beside it, which then takes its place."""
    header: dict[str, Any] = {}
    pieces: list[bytes] = []
    offset = 0
    complex_names = []
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).reshape(array.shape)
        if data.dtype.name in _REAL:
            complex_names.append(name)
            data = data.reshape(-1).view(_REAL[data.dtype.name]).reshape((*array.shape, 2))
        piece = data.astype(data.dtype.newbyteorder("<"), copy=False).tobytes()
        shape: list[int] = list(data.shape)
        header[name] = {"dtype": _CODES[data.dtype.name], "shape": shape, "data_offsets": [offset, offset + len(piece)]}
        offset += len(piece)
        pieces.append(piece)
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    header["__metadata__"] = metadata | {"complex": json.dumps(complex_names), "sha256": digest.hexdigest()}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(struct.pack("<Q", len(text)))
            file.write(text)
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays, which cannot be written to, and the metadata of a file. Raises ``GraphFileError`` for one that is
    truncated, damaged, or claims what it does not hold."""
    data = Path(path).read_bytes()
    if len(data) < 8:
        raise GraphFileError(f"{path}: the file is truncated: it has {len(data)} bytes")
    (length,) = struct.unpack("<Q", data[:8])
    if length > _LONGEST_HEADER:
        raise GraphFileError(f"{path}: this is not a graph file: its header would have {length} bytes")
    if 8 + length > len(data):
        raise GraphFileError(f"{path}: the file is truncated: its header has {length} bytes, the file {len(data)}")
    header = parsed(data[8 : 8 + length], str(path))
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise GraphFileError(f"{path}: this is not a graph file: it has no metadata")
    body = memoryview(data)[8 + length :]
    if hashlib.sha256(body).hexdigest() != metadata.get("sha256"):
        raise GraphFileError(
            f"{path}: the file is truncated or was changed: its arrays do not have the checksum stored"
        )
    complex_names = set(parsed(metadata.get("complex", "[]").encode(), str(path), list))
    arrays = {}
    for name, described in header.items():
        array = _array(name, described, body, str(path))
        if name in complex_names:
            if array.shape[-1:] != (2,):
                raise GraphFileError(f"{path}: the complex array {name!r} is damaged")
            array = array.view(np.complex64 if array.dtype == np.float32 else np.complex128)[..., 0]
        array.flags.writeable = False
        arrays[name] = array
    return arrays, metadata


def parsed(text: bytes, path: str, kind: type = dict) -> Any:
    """A JSON value of one kind, from text that may be anything."""
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise GraphFileError(f"{path}: the file is nested too deeply") from error
    except ValueError as error:
        raise GraphFileError(f"{path}: the file is damaged: {error}") from error
    if not isinstance(found, kind):
        raise GraphFileError(f"{path}: the file is damaged: a {kind.__name__} is expected in its header")
    return found


def _array(name: str, described: Any, body: memoryview, path: str) -> np.ndarray:
    try:
        dtype = _DTYPES[described["dtype"]]
        shape = [int(n) for n in described["shape"]]
        start, stop = (int(n) for n in described["data_offsets"])
    except (KeyError, TypeError, ValueError) as error:
        raise GraphFileError(f"{path}: the array {name!r} is not described properly: {described!r}"[:300]) from error
    size = dtype.itemsize
    for n in shape:
        size *= n
    if any(n < 0 for n in shape) or not 0 <= start <= stop <= len(body) or stop - start != size:
        raise GraphFileError(
            f"{path}: the array {name!r} of shape {shape} would lie at bytes {start} to {stop} of {len(body)}"
        )
    return np.frombuffer(body[start:stop], dtype.newbyteorder("<")).astype(dtype).reshape(shape)
