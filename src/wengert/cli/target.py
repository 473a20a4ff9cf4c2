"""What a command works on: ``FILE.py:FUNCTION``, or a file that ``Graph.save`` wrote."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from wengert.cli.failures import FILE, Failure
from wengert.cli.loading import loaded
from wengert.core.errors import GraphFileError
from wengert.core.tensor import Tensor
from wengert.static.graph import Graph, load


@dataclass(frozen=True)
class Target:
    """A function, a tensor or a graph, under its name, and the module that it is from."""

    name: str
    value: Any
    module: ModuleType | None = None


@contextlib.contextmanager
def opened(text: str) -> Iterator[Target]:
    """What a text names. Within the block, its module can be imported from. Raises ``Failure``."""
    file, colon, name = text.rpartition(":")
    if not colon or (not file.endswith(".py") and os.path.isfile(text)):
        file, name = text, ""
    if not file:
        raise Failure("name a file, as in model.py:loss")
    path = Path(file)
    # Functions of os.path, and not methods of Path: to them, a name that is too long is one of no file.
    if not os.path.exists(path):
        raise Failure(f"there is no file {file[:500]}{_similar(path)}")
    if not os.path.isfile(path):
        kind = "a folder" if os.path.isdir(path) else "no regular file"
        raise Failure(f"{file!r} is {kind}; name a file, as in model.py:loss")
    if not name and path.suffix != ".py":
        yield Target(path.stem, _graph(path))
        return
    if path.suffix not in (".py", ".pyw", ""):
        raise Failure(f"{file} is no Python file; only those have functions to name")
    try:
        path.open("rb").close()
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}", FILE) from error
    with loaded(path) as module:
        yield _found(module, name, file)


def _graph(path: Path) -> Graph:
    try:
        return load(path)
    except GraphFileError as error:
        raise Failure(f"{error}\nA function of a Python file is named as in model.py:loss.", FILE) from error
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}", FILE) from error


def _similar(path: Path) -> str:
    if path.suffix == "" and os.path.isfile(f"{path}.py"):
        return f"; did you mean {path}.py?"
    with contextlib.suppress(OSError, ValueError):
        near = difflib.get_close_matches(path.name, [one.name for one in path.parent.iterdir() if one.exists()], 1)
        if near:
            return f"; did you mean {path.parent / near[0]}?"
    return ""


def _found(module: ModuleType, name: str, file: str) -> Target:
    functions = _functions(module)
    listed = ", ".join(functions) or "no functions"
    if not name:
        if len(functions) != 1:
            raise Failure(
                f"which function of {file}? Name it as in {file}:{next(iter(functions), 'f')}. It has {listed}."
            )
        name = next(iter(functions))
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            near = difflib.get_close_matches(name, functions, 1)
            raise Failure(f"{file} has no {name!r}" + (f"; did you mean {near[0]}?" if near else f"; it has {listed}"))
        value = getattr(value, part)
    if inspect.isclass(value):
        raise Failure(f"{file}:{name} is a class; name a function, or an object that can be called")
    if inspect.iscoroutinefunction(value) or inspect.isgeneratorfunction(value):
        raise Failure(f"{file}:{name} is a coroutine or generator; name a function that returns its result")
    if not callable(value) and not isinstance(value, Tensor):
        raise Failure(f"{file}:{name} is of type {type(value).__name__}; name a function, a tensor or a graph")
    return Target(name, value, module)


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The public functions that the file itself defines, but for those that give example inputs."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not name.startswith("example_inputs")
        and inspect.isroutine(value)
        and getattr(value, "__module__", None) == module.__name__
    }
