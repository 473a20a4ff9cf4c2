"""``--input``: values and shapes on the command line.

::

    float64[32,10]          random numbers of this dtype and shape
    float64[32]~uniform     of another distribution
    1.5   3   [[1, 2], [3, 4]]   'text'   None
    float32([1, 2])         an array of another dtype than float64
    data.npy   data.npz   data.npz:name   data.safetensors:name
"""

from __future__ import annotations

import ast
import math
import os
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.cli.failures import FILE, Failure
from wengert.core.errors import StateError
from wengert.core.types import TensorSpec
from wengert.nn.state import load_file

_SPEC = re.compile(r"(?P<dtype>[A-Za-z]\w*)\[(?P<shape>[^\[\]]*)\](?:~(?P<draw>\w+))?")
_TYPED = re.compile(r"(?P<dtype>[A-Za-z]\w*)\((?P<value>.*)\)", re.DOTALL)
_FILE = re.compile(r"(?P<path>.+\.(?:npy|npz|safetensors))(?::(?P<key>.+))?", re.DOTALL | re.IGNORECASE)

_ALIASES = {"f16": "float16", "f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64", "float": "float64",
            "int": "int64", "complex": "complex128", "c64": "complex64", "c128": "complex128"}  # fmt: skip

#: How numbers are drawn, by the name after ``~``.
DRAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.random(shape),
    "positive": lambda rng, shape: rng.random(shape) + 0.5,
    "zeros": lambda rng, shape: np.zeros(shape),
    "ones": lambda rng, shape: np.ones(shape),
}

_NAMES = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "NaN": math.nan}

FORMS = "a shape (float64[32,10]), a number (1.5), an array ([1, 2, 3]) or a file (data.npy, data.npz:name)"


def read_value(text: str, rng: np.random.Generator) -> Any:
    """The value that a text of the command line means. Raises ``Failure``."""
    text = text.strip()
    if (found := _SPEC.fullmatch(text)) is not None:
        return draw(TensorSpec(_shape(found["shape"], text), _dtype(found["dtype"], text)), rng, found["draw"])
    if (found := _FILE.fullmatch(text)) is not None:
        return read_file(found["path"], found["key"])
    if (found := _TYPED.fullmatch(text)) is not None:
        dtype = _dtype(found["dtype"], text)
        value = np.asarray(read_literal(found["value"]))
        if value.dtype.kind not in "biufc" or (value.dtype.kind == "c" and dtype.kind != "c"):
            raise Failure(f"--input: {text}: this is not an array of {dtype}")
        with np.errstate(invalid="ignore"):
            array = value.astype(dtype)
        if dtype.kind in "iu" and not np.array_equal(array, value):
            raise Failure(f"--input: {text}: {dtype} cannot hold these numbers")
        return array
    return read_literal(text)


def draw(spec: TensorSpec, rng: np.random.Generator, how: str | None = None) -> np.ndarray:
    """Random numbers of a shape and dtype: standard normal ones, digits for integers. Raises ``Failure``."""
    if how is not None and how not in DRAWS:
        raise Failure(f"--input: {how!r} is not one of {', '.join(DRAWS)}")
    if spec.nbytes > _memory():
        raise Failure(f"--input: {spec.dtype}{list(spec.shape)} would take {spec.nbytes / 1e9:,.1f} GB of memory")
    kind = spec.dtype.kind
    if how is None and kind in "biu":
        return rng.integers(0, 2 if kind == "b" else 10, spec.shape).astype(spec.dtype)
    numbers = DRAWS[how or "normal"](rng, spec.shape)
    if kind == "c":
        numbers = numbers + 1j * DRAWS[how or "normal"](rng, spec.shape)
    return np.asarray(numbers).astype(spec.dtype)


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 1 << 36


def _dtype(name: str, text: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(_ALIASES.get(name, name))
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "biufc" or dtype.itemsize > (16 if dtype.kind == "c" else 8):
        raise Failure(f"--input: {text}: {name!r} is no dtype; use float64, float32, complex128, int64, bool, ...")
    return dtype


def _shape(text: str, whole: str) -> tuple[int, ...]:
    parts = [part.strip() for part in re.split("[,x×]", text)] if text.strip() else []
    if not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts) or len(parts) > 64:
        raise Failure(f"--input: {whole}: a shape is whole numbers with commas between them, like float64[32,10]")
    return tuple(map(int, parts))


# -- literals -------------------------------------------------------------------------------------------------------


def read_literal(text: str) -> Any:
    """A number, a text in quotes, ``None``, or lists of numbers as an array of float64 (or complex128, or bool).
    Nothing is executed. Raises ``Failure``."""
    try:
        value = _evaluated(ast.parse(text.strip(), mode="eval").body)
        if not isinstance(value, list):
            return value
        array = np.array(value)
    except (SyntaxError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        hint = f"; a text needs quotes: \"'{text}'\"" if text.isidentifier() else ""
        raise Failure(f"--input: {text[:200]!r} is not understood; give {FORMS}{hint}") from error
    if array.dtype.kind not in "biufc":
        raise Failure(f"--input: {text[:200]} is not an array of numbers")
    return array.astype("float64") if array.dtype.kind in "iu" else array


def _evaluated(node: ast.AST) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float, complex, str, type(None))):
        return node.value
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return _NAMES[node.id]
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_evaluated(item) for item in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        return -_evaluated(node.operand) if isinstance(node.op, ast.USub) else +_evaluated(node.operand)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        left, right = _evaluated(node.left), _evaluated(node.right)
        if isinstance(right, complex) and isinstance(left, (int, float)):  # 1+2j
            return left + right if isinstance(node.op, ast.Add) else left - right
    raise ValueError("not a literal")


# -- files ----------------------------------------------------------------------------------------------------------


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """The arrays of a file by name; that of an ``.npy`` file has the name "". Raises ``Failure``."""
    try:
        if path.lower().endswith(".safetensors"):
            return {name: x.numpy() for name, x in load_file(path).items()}
        with open(path, "rb") as file:
            found = np.load(file, allow_pickle=False)
            arrays = {"": found} if isinstance(found, np.ndarray) else {name: found[name] for name in found.files}
    except FileNotFoundError as error:
        raise Failure(f"--input: there is no file {path}") from error
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}", FILE) from error
    except StateError as error:
        raise Failure(str(error), FILE) from error
    except MemoryError as error:
        raise Failure(f"cannot read {path}: its arrays do not fit into memory", FILE) from error
    except (ValueError, EOFError, KeyError, TypeError, SyntaxError, zipfile.BadZipFile, zlib.error) as error:
        text = "pickled objects are not read" if "pickle" in str(error) else str(error)
        raise Failure(
            f"cannot read {path}: it is damaged, or holds something else than numbers: {text}", FILE
        ) from error
    for name, array in arrays.items():
        if array.dtype.kind not in "biufc":
            raise Failure(
                f"cannot read {path}: {name or 'the array'} has dtype {array.dtype}, which is not of numbers", FILE
            )
        arrays[name] = array.astype(array.dtype.newbyteorder("="), copy=False)
    return arrays


def read_file(path: str, key: str | None) -> Any:
    """One array of a file: the one named, or its only one; several without a name are a dictionary."""
    arrays = read_arrays(path)
    if key is not None:
        if key not in arrays:
            names = ", ".join(name for name in arrays if name) or "one array without a name"
            raise Failure(f"--input: {path} has no array {key!r}; it has {names}")
        return arrays[key]
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays
