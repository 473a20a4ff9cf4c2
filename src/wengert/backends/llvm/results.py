"""Memory for large results, used again when nobody needs the result any more.

The system hands out large memory page by page, each filled with zeros at the first touch, and takes it back when it is
freed. A kernel that writes 64 MB into fresh memory waits longer for that than for its own reads and writes. So some
memory is kept for the next result of the same size.
"""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from typing import Any

import numpy as np

from wengert.backends.llvm.memory import ALIGNMENT

#: Bytes from which on a result is large, and how many bytes are kept at most. Smaller ones the C library keeps itself.
LARGE, KEPT = 1 << 22, 1 << 28


class Lease(np.ndarray):
    """Bytes that a result lies in. It is alive as long as the result, or a view of it, is.

    NumPy makes the last array of a chain of views the base of every one, unless that is of another class: hence this
    class, and the object of ``ctypes`` between it and the array whose memory it is.
    """

    memory: Any = None

    def __del__(self) -> None:
        if self.memory is not None:
            _give_back(self.memory)


_LOCK = threading.Lock()
_IDLE: deque[np.ndarray] = deque()


def fresh(shape: tuple[int, ...], dtype: np.dtype[Any], count: int) -> np.ndarray:
    """An array with nothing in it yet, of ``count`` bytes."""
    if count < LARGE:
        return np.empty(shape, dtype)
    memory = _found(count)
    if memory is None:
        memory = np.empty(count + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    buffer: Any = (ctypes.c_ubyte * count).from_buffer(memory.data, start)
    lease = np.ndarray.__new__(Lease, (count,), np.uint8, buffer)
    lease.memory = memory
    return np.ndarray(shape, dtype, lease)


def _found(count: int) -> np.ndarray | None:
    # The lock is never waited for: what holds it may be this very thread, which collects garbage just now.
    if not _LOCK.acquire(blocking=False):
        return None
    try:
        for place, memory in enumerate(_IDLE):
            if memory.nbytes == count + ALIGNMENT:
                del _IDLE[place]
                return memory
        return None
    finally:
        _LOCK.release()


def _give_back(memory: Any) -> None:
    if memory.nbytes > KEPT or not _LOCK.acquire(blocking=False):
        return
    try:
        _IDLE.append(memory)
        while sum(one.nbytes for one in _IDLE) > KEPT:
            _IDLE.popleft()
    finally:
        _LOCK.release()
