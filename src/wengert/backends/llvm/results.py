"""Memory for large results, used again when nobody needs the result any more.

The system hands out large memory page by page, each filled with zeros at the first touch, and takes it back when it is
freed. A kernel that writes 64 MB into fresh memory waits longer for that than for its own reads and writes. So some
memory is kept for the next result of the same size.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from wengert.backends.llvm.memory import ALIGNMENT

#: Bytes from which on a result is large, and all large results of a program together: one such, or several. How many
#: bytes are kept at most.
LARGE, SEVERAL, ONE, KEPT = 1 << 17, 1 << 20, 1 << 22, 1 << 28


def worthwhile(counts: Iterable[int]) -> bool:
    """Whether results of so many bytes should lie in memory that is kept. What is smaller the C library keeps; glibc
    keeps up to twice the largest block (``mallopt(3)``, M_TRIM_THRESHOLD)."""
    large = [count for count in counts if count >= LARGE]
    total = sum(large)
    return total >= ONE or (total >= SEVERAL and total >= 2 * max(large))


class Lease(np.ndarray):
    """Bytes that a result lies in. It is alive as long as the result, or a view of it, is.

    NumPy makes the last array of a chain of views the base of every one, unless that is of another class: hence this
    class, and the object of ``ctypes`` between it and the array whose memory it is.
    """

    memory: Any = None

    def __del__(self) -> None:
        if self.memory is not None:
            _give_back(self.memory)


class _Idle:
    """Memory that nobody uses now, by size; what was used last comes last."""

    def __init__(self) -> None:
        self.kept: dict[int, list[np.ndarray]] = {}
        self.bytes = 0

    def take(self, size: int) -> np.ndarray | None:
        kept = self.kept.get(size)
        if not kept:
            return None
        self.bytes -= size
        return kept.pop()

    def put(self, memory: np.ndarray) -> None:
        size = memory.nbytes
        kept = self.kept.pop(size, [])
        kept.append(memory)
        self.kept[size] = kept
        self.bytes += size
        while self.bytes > KEPT:
            oldest = next(iter(self.kept))
            if self.kept[oldest]:
                self.bytes -= oldest
                self.kept[oldest].pop()
            else:
                del self.kept[oldest]


_LOCK = threading.Lock()
_IDLE = _Idle()


def fresh(shape: tuple[int, ...], dtype: np.dtype[Any], count: int) -> np.ndarray:
    """An array with nothing in it yet, of ``count`` bytes."""
    if count < LARGE:
        return np.empty(shape, dtype)
    memory = None
    # The lock is never waited for: what holds it may be this very thread, which collects garbage just now.
    if _LOCK.acquire(blocking=False):
        memory = _IDLE.take(count + ALIGNMENT)
        _LOCK.release()
    if memory is None:
        memory = np.empty(count + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    buffer: Any = (ctypes.c_ubyte * count).from_buffer(memory.data, start)
    lease = np.ndarray.__new__(Lease, (count,), np.uint8, buffer)
    lease.memory = memory
    return np.ndarray(shape, dtype, lease)


def _give_back(memory: np.ndarray) -> None:
    if _LOCK.acquire(blocking=False):
        _IDLE.put(memory)
        _LOCK.release()
