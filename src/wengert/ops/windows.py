"""Sliding windows over the trailing axes of an array: what convolution, pooling and unfolding have in common."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from wengert.core.errors import DTypeError, ShapeError
from wengert.core.types import Shape

Padding = tuple[tuple[int, int], ...]


class Geometry:
    """How windows of lengths ``kernel`` lie over spatial axes of lengths ``size``.

    ``stride``, ``padding`` and ``dilation`` have one entry for each spatial axis. ``ceil`` lets a last window stick
    out at the end, as long as it starts inside of the input or its leading padding.
    """

    def __init__(
        self,
        size: Shape,
        kernel: Shape,
        stride: Shape,
        padding: Padding,
        dilation: Shape,
        ceil: bool = False,
    ) -> None:
        self.size, self.kernel, self.stride, self.dilation = size, kernel, stride, dilation
        self.padding = tuple(
            (low, high + _overhang(n, k, s, (low, high), d)) if ceil else (low, high)
            for n, k, s, (low, high), d in zip(size, kernel, stride, padding, dilation, strict=True)
        )
        self.padded = tuple(n + low + high for n, (low, high) in zip(size, self.padding, strict=True))
        self.out = tuple(
            (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(self.padded, kernel, stride, dilation, strict=True)
        )
        self.is_padded = self.padded != size
        self.interior: tuple[Any, ...] = (
            ...,
            *(slice(low, low + n) for n, (low, _) in zip(size, self.padding, strict=True)),
        )

    def pad(self, x: np.ndarray, value: Any = 0) -> np.ndarray:
        """``x`` with its padding, filled with ``value``; ``x`` itself if there is none."""
        if not self.is_padded:
            return x
        shape = (*x.shape[: x.ndim - len(self.size)], *self.padded)
        padded = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
        padded[self.interior] = x
        return padded

    def crop(self, padded: np.ndarray) -> np.ndarray:
        """The inverse of ``pad``, as an array of its own, so that the padding is not kept alive."""
        return padded[self.interior].copy() if self.is_padded else padded

    def windows(self, padded: np.ndarray) -> np.ndarray:
        """A view (..., *kernel, *out) of an array (..., *padded)."""
        lead = padded.ndim - len(self.size)
        steps = padded.strides[lead:]
        inside = tuple(s * d for s, d in zip(steps, self.dilation, strict=True))
        between = tuple(s * d for s, d in zip(steps, self.stride, strict=True))
        return as_strided(
            padded,
            (*padded.shape[:lead], *self.kernel, *self.out),
            (*padded.strides[:lead], *inside, *between),
            writeable=False,
        )

    def position(self, offset: Shape) -> tuple[Any, ...]:
        """The index of the elements of a padded array that stand at ``offset`` in their windows."""
        return (
            ...,
            *(
                slice(k * d, k * d + s * (n - 1) + 1, s)
                for k, d, s, n in zip(offset, self.dilation, self.stride, self.out, strict=True)
            ),
        )

    def overlap_add(self, windows: np.ndarray) -> np.ndarray:
        """The transpose of ``windows`` and ``pad``: (..., *kernel, *out) summed back to (..., *size)."""
        lead = windows.ndim - 2 * len(self.size)
        padded = np.zeros((*windows.shape[:lead], *self.padded), windows.dtype)
        before: tuple[Any, ...] = (slice(None),) * lead
        for offset in np.ndindex(self.kernel):
            padded[self.position(offset)] += windows[before + offset]
        return self.crop(padded)


def _overhang(n: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    """By how much the last window sticks out if windows are counted by rounding up."""
    low, high = padding
    free = n + low + high - dilation * (kernel - 1) - 1
    count = -(-free // stride) + 1
    if (count - 1) * stride >= n + low:
        count -= 1
    return max(0, (count - 1) * stride - free)


def per_axis(value: Any, rank: int, name: str, least: int = 1) -> Shape:
    """An integer for every spatial axis, from one integer or one for each.

    Raises ``DTypeError`` unless they are integers and ``ShapeError`` for a wrong number of them or one below ``least``.
    """
    values = (value,) * rank if hasattr(value, "__index__") else value
    try:
        found = tuple(one.__index__() for one in values)
    except (AttributeError, TypeError) as error:
        raise DTypeError(f"{name} must be an integer or a tuple of {rank}, not {value!r}") from error
    if len(found) == 1:
        found = found * rank
    if len(found) != rank:
        raise ShapeError(f"{name} must have one entry for each of the {rank} spatial axes, not {value!r}")
    if any(one < least for one in found):
        raise ShapeError(f"{name} must be at least {least}, not {value!r}")
    return found


def check_fits(geometry: Geometry, name: str) -> None:
    """Raise ``ShapeError`` where a window is longer than the padded input."""
    for axis, (n, k, d) in enumerate(zip(geometry.padded, geometry.kernel, geometry.dilation, strict=True)):
        if d * (k - 1) + 1 > n:
            spread = f" with dilation {d} (length {d * (k - 1) + 1})" if d > 1 else ""
            raise ShapeError(
                f"{name}: a kernel of length {k}{spread} does not fit spatial axis {axis} of length "
                f"{geometry.size[axis]}, {n} with its padding"
            )


def blocks(count: int, bytes_each: int, limit: int = 1 << 21) -> list[slice]:
    """Slices of ``range(count)`` whose windows, copied out, stay within a processor's cache (2 MiB)."""
    step = max(1, limit // max(1, bytes_each))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def volume(shape: Shape) -> int:
    """The number of elements of a shape."""
    return math.prod(shape)
