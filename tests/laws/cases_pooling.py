from __future__ import annotations

from typing import Any

import numpy as np

from tests.laws.samples import distinct, integers, normal
from wengert.ops import pooling
from wengert.ops.pooling import (
    AvgPool,
    AvgPoolTranspose,
    Fold,
    MaxPool,
    MaxPoolOffsets,
    Unfold,
    WindowPick,
    WindowPlace,
)
from wengert.testing.laws import ALL_FLOATS, Case

# Windows of two by three that overlap, with padding, dilation and a last window that sticks out: (4, 6) gives (3, 3).
OVERLAPPING = ((2, 3), (2, 1), ((1, 0), (0, 1)), (1, 2), True)
PLAIN = ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
OFFSETS = integers(0, 6, 2, 3, 3).astype(np.uint8)


def pooled(function: Any, counted: bool = True) -> Any:
    """The definition of pooling with a square kernel, one window at a time."""

    def reference(x: Any, kernel_size: int, stride: int, padding: int = 0, **unused: Any) -> Any:
        fill = np.nan if function is np.nanmax or not counted else 0.0
        padded = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(padding, padding)] * 2, constant_values=fill)
        size = [(n - kernel_size) // stride + 1 for n in padded.shape[-2:]]
        out = np.empty((*x.shape[:-2], *size), x.dtype)
        for i, j in np.ndindex(*size):
            rows, columns = slice(i * stride, i * stride + kernel_size), slice(j * stride, j * stride + kernel_size)
            out[..., i, j] = function(padded[..., rows, columns], axis=(-2, -1))
        return out

    return reference


def adaptive(function: Any) -> Any:
    """The definition of adaptive pooling over two axes."""

    def reference(x: Any, output_size: tuple[int, int]) -> Any:
        out = np.empty((*x.shape[:-2], *output_size), x.dtype)
        for place in np.ndindex(*output_size):
            window = tuple(
                slice(i * n // m, -(-(i + 1) * n // m))
                for i, n, m in zip(place, x.shape[-2:], output_size, strict=True)
            )
            out[(..., *place)] = function(x[(..., *window)], axis=(-2, -1))
        return out

    return reference


CASES = [
    Case(MaxPool(*PLAIN), distinct(2, 4, 6)),
    Case(MaxPool(*OVERLAPPING), distinct(2, 4, 6)),
    Case(MaxPool((3,), (1,), ((1, 1),), (1,)), distinct(4)),
    Case(MaxPool(*PLAIN), normal(0, 4, 6)),
    Case(MaxPoolOffsets(*OVERLAPPING), distinct(2, 4, 6)),
    Case(WindowPick(*OVERLAPPING), normal(2, 4, 6), OFFSETS, dtypes=ALL_FLOATS),
    Case(WindowPlace(*OVERLAPPING, size=(4, 6)), normal(2, 3, 3), OFFSETS, dtypes=ALL_FLOATS),
    Case(AvgPool(*PLAIN), normal(2, 4, 6), dtypes=ALL_FLOATS),
    Case(AvgPool(*OVERLAPPING), normal(2, 4, 6), dtypes=ALL_FLOATS),
    Case(AvgPool(*OVERLAPPING, include_padding=False), normal(2, 4, 6), dtypes=ALL_FLOATS),
    Case(AvgPool(*PLAIN), integers(0, 9, 4, 4)),
    Case(AvgPoolTranspose(*OVERLAPPING, size=(4, 6)), normal(2, 3, 3), dtypes=ALL_FLOATS),
    Case(AvgPoolTranspose(*OVERLAPPING, include_padding=False, size=(4, 6)), normal(2, 3, 3), dtypes=ALL_FLOATS),
    Case(Unfold((2, 3), (2, 1), ((1, 1), (0, 1)), (1, 2)), normal(2, 3, 5, 6), dtypes=ALL_FLOATS),
    Case(Unfold((1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)), normal(3, 2, 2)),
    Case(Fold((2, 3), (2, 1), ((1, 1), (0, 1)), (1, 2), size=(5, 6)), normal(2, 18, 9), dtypes=ALL_FLOATS),
    Case(
        pooling.max_pool2d,
        distinct(2, 3, 5, 6),
        kwargs={"kernel_size": 3, "stride": 2, "padding": 1},
        reference=pooled(np.nanmax),
    ),
    Case(
        pooling.avg_pool2d,
        normal(2, 5, 6),
        kwargs={"kernel_size": 3, "stride": 2, "padding": 1},
        reference=pooled(np.mean),
    ),
    Case(
        pooling.avg_pool2d,
        normal(2, 5, 6),
        kwargs={"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
        reference=pooled(np.nanmean, counted=False),
    ),
    Case(pooling.max_pool1d, distinct(2, 7), kwargs={"kernel_size": 2}),
    Case(pooling.max_pool3d, distinct(2, 4, 4, 2), kwargs={"kernel_size": 2}),
    Case(pooling.avg_pool1d, normal(2, 7), kwargs={"kernel_size": 2}),
    Case(pooling.avg_pool3d, normal(2, 4, 4, 2), kwargs={"kernel_size": 2}),
    Case(pooling.adaptive_avg_pool2d, normal(2, 6, 4), kwargs={"output_size": (3, 2)}, reference=adaptive(np.mean)),
    Case(pooling.adaptive_avg_pool2d, normal(2, 5, 7), kwargs={"output_size": (3, 4)}, reference=adaptive(np.mean)),
    Case(pooling.adaptive_max_pool2d, distinct(2, 5, 7), kwargs={"output_size": (3, 4)}, reference=adaptive(np.max)),
    Case(pooling.adaptive_max_pool1d, distinct(2, 6), kwargs={"output_size": 3}),
    Case(pooling.unfold, normal(2, 3, 4, 5), kwargs={"kernel_size": (2, 3), "padding": 1}),
    Case(pooling.fold, normal(2, 8, 4), kwargs={"output_size": 4, "kernel_size": 2, "stride": 2}),
]
