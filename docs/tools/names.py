"""The public names of a module: what ``__all__`` lists, or else what it defines or re-exports (``import x as x``)."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from types import ModuleType
from typing import Any

from wengert.core.primitive import Primitive

#: The modules whose names are public, in the order of the reference.
MODULES = (
    "wengert",
    "wengert.autograd",
    "wengert.autograd.function",
    "wengert.checkpoint_policies",
    "wengert.utils.checkpoint",
    "wengert.inspect",
    "wengert.linalg",
    "wengert.fft",
    "wengert.random",
    "wengert.scipy.special",
    "wengert.scipy.linalg",
    "wengert.scipy.signal",
    "wengert.scipy.stats",
    "wengert.scipy.integrate",
    "wengert.optimize",
    "wengert.nn",
    "wengert.nn.functional",
    "wengert.nn.init",
    "wengert.nn.utils",
    "wengert.optim",
    "wengert.optim.lr_scheduler",
    "wengert.scalar",
    "wengert.testing",
)
#: Helpers that other modules of the library share.
_SHARED = {"F", "Keeper", "Kept", "Replayer", "Unobserved", "affine", "channel_dropout", "fans", "reduced"}
_PLACES = {"wengert.checkpoint_policies": "wengert.transforms.checkpoint_policies"}


def module_of(name: str) -> ModuleType:
    """The module that users reach by ``name``."""
    return importlib.import_module(_PLACES.get(name, name))


def _exported(module: ModuleType) -> set[str]:
    if hasattr(module, "__all__"):
        return set(module.__all__)
    names: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname for alias in node.names if alias.asname == alias.name}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names | ({"map"} if module.__name__ == "wengert" else set())


def _is_documented(found: Any) -> bool:
    """Functions, classes and distributions of ours; not modules, constants, NumPy's types, or operations."""
    if isinstance(found, ModuleType) or (inspect.isclass(found) and issubclass(found, Primitive)):
        return inspect.isclass(found) and found is Primitive
    home = getattr(found, "__module__", None) or type(found).__module__
    return str(home).startswith("wengert") and bool(inspect.getdoc(found))


@functools.cache
def names_of(module: str, home: str | None = None) -> tuple[str, ...]:
    """The public names of ``module``, of those that come from the module ``home`` if it is given."""
    found = {name: getattr(module_of(module), name) for name in _exported(module_of(module)) if name[0] != "_"}
    hidden = set() if module == "wengert" else _SHARED
    return tuple(
        sorted(
            name
            for name, value in found.items()
            if name not in hidden and _is_documented(value) and home in (None, getattr(value, "__module__", None))
        )
    )
