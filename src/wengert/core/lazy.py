"""Modules that are imported when first used, so that ``import wengert`` stays as quick as ``import numpy``."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Stands for a module until one of its attributes is asked for.

    >>> special = LazyModule("scipy.special")
    >>> float(special.erf(0.0))
    0.0
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(importlib.import_module(self.__name__), attribute)
        self.__dict__[attribute] = found
        return found
