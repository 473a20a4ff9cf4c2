"""Where values lie: in which memory, from which element on, with which strides. Views are layouts; nothing is computed.

All of it is known when a graph is compiled, because shapes are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.core.primitive import Primitive
from wengert.core.static import Value


class Layout(NamedTuple):
    """A strided window on the memory of ``root``, counted in elements."""

    root: Value
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    @property
    def is_contiguous(self) -> bool:
        return self.strides == contiguous(self.shape)

    def broadcast(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Strides along the axes of a larger shape; 0 where the element stays the same."""
        front = len(shape) - len(self.shape)
        own = [0 if n == 1 else s for n, s in zip(self.shape, self.strides, strict=True)]
        return (0,) * front + tuple(own)


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """Row-major strides; 0 along axes of length one."""
    strides = []
    step = 1
    for n in reversed(shape):
        strides.append(0 if n == 1 else step)
        step *= n
    return tuple(reversed(strides))


def own(value: Value) -> Layout:
    """The layout of a value that has memory of its own."""
    return Layout(value, value.shape, contiguous(value.shape))


def viewed(primitive: Primitive, x: Layout, result: Value | None, place: int | None = None) -> Layout | None:
    """The layout of a view (the one at ``place``, of several), or ``None`` if the operation has to copy.

    The operation itself is asked, on an array with these strides whose memory nobody reads: so there is no list here of
    the operations that are views.
    """
    if 0 in x.shape or not primitive.aliases or primitive.variadic or primitive.graphs():
        return None
    low = sum(min(0, (n - 1) * s) for n, s in zip(x.shape, x.strides, strict=True))
    high = sum(max(0, (n - 1) * s) for n, s in zip(x.shape, x.strides, strict=True))
    memory = np.empty(high - low + 1, np.int8)
    # One byte an element, so that byte strides are element strides. Axes of length one may have any stride.
    phantom = np.lib.stride_tricks.as_strided(memory[-low:], x.shape, x.strides)
    made = primitive.value(phantom)
    if isinstance(made, tuple) != (place is not None):
        return None
    found = made if place is None else made[place]
    if not isinstance(found, np.ndarray) or found.dtype != np.int8 or not np.shares_memory(found, memory):
        return None
    if result is not None and found.shape != result.shape:
        return None
    start = found.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    strides = tuple(0 if n == 1 else s for n, s in zip(found.shape, found.strides, strict=True))
    return Layout(x.root, found.shape, strides, x.offset + start + low)


def collapsed(shape: tuple[int, ...], accesses: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], list[list[int]]]:
    """The same elements in fewer axes: neighbours are joined where all accesses run straight through them."""
    axes: list[int] = []
    strides: list[list[int]] = [[] for _ in accesses]
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        joined = bool(axes) and all(own[-1] == access[axis] * n for own, access in zip(strides, accesses, strict=True))
        if joined:
            axes[-1] *= n
            for own, access in zip(strides, accesses, strict=True):
                own[-1] = access[axis]
        else:
            axes.append(n)
            for own, access in zip(strides, accesses, strict=True):
                own.append(access[axis])
    return tuple(axes), strides


def size(shape: Sequence[int]) -> int:
    return math.prod(shape)


def itemsize(value: Any) -> int:
    """Bytes of an element in memory."""
    return int(value.dtype.itemsize)
