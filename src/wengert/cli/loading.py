"""Loading a user's file: as if it were imported, and without a trace afterwards."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, cast

#: The package that a file without one is loaded into, so that ``from .other import name`` finds what lies beside it.
_PACKAGE = "wengert_command_line"

#: What a file beside the user's must not stand for: it would break this program and not only the user's.
_RESERVED = sys.stdlib_module_names | {"wengert", "numpy", "scipy", "llvmlite"}


class _Beside:
    """Finds modules in the folder of the user's file, as ``python FILE`` would."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.found: set[str] = set()

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if path is not None or name.partition(".")[0] in _RESERVED:
            return None
        spec = PathFinder.find_spec(name, [self.folder])
        # A mere folder gives way to a package of its name elsewhere, as on Python's path.
        if spec is None or (spec.loader is None and PathFinder.find_spec(name) is not None):
            return None
        self.found.add(name)
        return spec


@contextlib.contextmanager
def loaded(path: Path) -> Iterator[ModuleType]:
    """The module of a file. While it is in use, it and what lies beside it can be imported; afterwards ``sys.modules``,
    ``sys.meta_path`` and ``sys.argv`` are as they were. What the file raises is raised."""
    path = path.resolve()
    root, name = _package_of(path)
    before = dict(sys.modules)
    finder = _Beside(root)
    kept = sys.argv, sys.dont_write_bytecode
    sys.meta_path.insert(0, cast(Any, finder))
    sys.argv, sys.dont_write_bytecode = [str(path)], True
    try:
        module = importlib.import_module(name) if name else _alone(path)
        # What is imported from now on may be of this program.
        sys.dont_write_bytecode = kept[1]
        yield module
    except SyntaxError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        sys.argv, sys.dont_write_bytecode = kept
        sys.meta_path.remove(cast(Any, finder))
        for one in list(sys.modules):
            if one.partition(".")[0] in {_PACKAGE, *finder.found}:
                del sys.modules[one]
                if one in before:
                    sys.modules[one] = before[one]


def _package_of(path: Path) -> tuple[Path, str]:
    """The folder to import from, and the dotted name of a file of a package; no name for a file without a package."""
    root, names = path.parent, [path.stem]
    while (root / "__init__.py").is_file() and root != root.parent:
        names.insert(0, root.name)
        root = root.parent
    proper = path.suffix == ".py" and len(names) > 1 and all(name.isidentifier() for name in names)
    # A package whose name is taken would not be the one that is imported.
    if not proper or names[0] in _RESERVED or names[0] in sys.modules:
        return path.parent, ""
    return root, ".".join(names)


def _alone(path: Path) -> ModuleType:
    """A file as a module of a package that has no other file than those beside it."""
    package = ModuleType(_PACKAGE)
    package.__path__ = [str(path.parent)]
    sys.modules[_PACKAGE] = package
    stem = path.stem if path.stem.isidentifier() else "file"
    name = f"{_PACKAGE}.{stem}"
    loader = SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # Where dataclasses and pickle look for it.
    sys.modules[name] = module
    loader.exec_module(module)
    return module
