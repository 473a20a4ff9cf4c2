"""How a notebook shows things: the core knows nothing of pictures, so the package says here who makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: From a thing to its HTML; set by the package when it is imported.
_RENDERERS: list[Callable[[Any], str]] = []


def set_renderer(renderer: Callable[[Any], str]) -> None:
    """Say what makes the HTML of everything that is ``Displayed``."""
    _RENDERERS[:] = [renderer]


class Displayed:
    """Something that a notebook shows as more than its text."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        # ``None`` makes a notebook fall back to the text.
        return _RENDERERS[0](self) if _RENDERERS else None
