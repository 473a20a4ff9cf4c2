"""Anomaly detection, and hooks on what is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.autograd.function import Context
from wengert.core.mode import Setting
from wengert.core.tensor import Tensor, wrap


class detect_anomaly(Setting):
    """Raise ``AnomalyError`` at the first NaN or infinity, forward or backward, with the operation, the user's line,
    and what the operands held. Slow; for finding a fault.

    >>> import wengert as wg
    >>> with wg.autograd.detect_anomaly():
    ...     wg.tensor([1.0, 0.0]) / 0.5
    tensor([2., 0.])
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(anomaly=bool(check_nan))


class set_detect_anomaly(detect_anomaly):
    """The same, under PyTorch's other name."""


class _Packed:
    """Residuals that went through ``pack``."""

    def __init__(self, hooks: _Hooks, items: tuple[Any, ...]) -> None:
        self.hooks = hooks
        self.items = items

    def unpack(self) -> tuple[Any, ...]:
        return tuple(self.hooks.restore(item) for item in self.items)


class _Hooks:
    def __init__(self, pack: Callable[[Any], Any], unpack: Callable[[Any], Any]) -> None:
        self.pack_one, self.unpack_one = pack, unpack

    def pack(self, residuals: Any) -> Any:
        if residuals is None:
            return None
        return _Packed(self, tuple(self.keep(item) for item in residuals))

    def keep(self, item: Any) -> Any:
        if isinstance(item, Context):
            return (True, item.mapped(self.pack_one))
        if not isinstance(item, np.ndarray):
            return (False, item)
        return (True, self.pack_one(wrap(item)))

    def restore(self, item: tuple[bool, Any]) -> Any:
        packed, value = item
        if not packed:
            return value
        if isinstance(value, Context):
            return value.mapped(self.unpack_one)
        found = self.unpack_one(value)
        return found._value if isinstance(found, Tensor) else np.asarray(found)


class saved_tensors_hooks(Setting):
    """Let ``pack`` decide what is kept in the place of each saved tensor, and ``unpack`` make it again.

    ``pack(tensor)`` may return anything (a compressed copy, a file name); ``unpack`` must return a tensor of the same
    values. Good for saving memory, or for counting what is saved.
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        super().__init__(pack=_Hooks(pack_hook, unpack_hook))
