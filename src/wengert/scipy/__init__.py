"""SciPy's names on tensors: ``special``, ``linalg``, ``signal``, ``stats`` and ``integrate``."""

from __future__ import annotations

import importlib
from typing import Any

_SUBMODULES = ("integrate", "linalg", "signal", "special", "stats")


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"wengert.scipy.{name}")
    raise AttributeError(f"wengert.scipy has no attribute {name!r}; it has {', '.join(_SUBMODULES)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})
