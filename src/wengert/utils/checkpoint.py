"""``checkpoint`` with PyTorch's calling convention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.transforms import checkpoint as _transform
from wengert.transforms.checkpoint import checkpoint_sequential as checkpoint_sequential


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: Any = None, policy: Any = None, **kwargs: Any
) -> Any:
    """Call ``function`` on the arguments, keeping only them (and what ``policy`` accepts) for the backward pass.
    ``use_reentrant`` is accepted and ignored."""
    return _transform.checkpoint(function, policy)(*args, **kwargs)
