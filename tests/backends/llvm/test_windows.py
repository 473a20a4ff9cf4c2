"""Convolution and pooling in compiled code, against the interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.backends.llvm.test_routines import natively

RNG = np.random.default_rng(0)
F = wg.nn.functional


@pytest.mark.parametrize(
    ("x", "w", "options"),
    [
        ((2, 3, 9), (4, 3, 3), {}),
        ((2, 4, 9), (6, 2, 3), {"groups": 2, "padding": 1, "stride": 2}),
        ((2, 3, 7, 8), (5, 3, 3, 2), {"padding": (1, 0), "dilation": (2, 1)}),
        ((2, 3, 6, 6), (8, 3, 1, 1), {}),
        ((1, 4, 6, 6), (4, 1, 3, 3), {"groups": 4, "padding": "same"}),
        ((3, 8, 16, 16), (16, 8, 3, 3), {"padding": 1}),
        ((1, 2, 4, 5, 6), (2, 2, 2, 2, 2), {"stride": (1, 2, 1)}),
    ],
)
def test_convolution_and_its_gradients(x: Any, w: Any, options: Any) -> None:
    f = getattr(F, f"conv{len(x) - 2}d")
    image, weight = RNG.normal(size=x), RNG.normal(size=w)
    expected = f(image, weight, **options)
    cotangent = RNG.normal(size=expected.shape)
    natively(lambda x, w: f(x, w, **options), image, weight)
    natively(wg.grad(lambda x, w: (f(x, w, **options) * cotangent).sum()), image, weight)
    natively(wg.grad(lambda x, w: (f(x, w, **options) * cotangent).sum(), argnums=1), image, weight)


@pytest.mark.parametrize("options", [{}, {"padding": 1}, {"stride": 1, "padding": 1}, {"stride": 2, "ceil_mode": True}])
@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
def test_pooling(pool: Any, options: Any) -> None:
    x = RNG.normal(size=(2, 3, 7, 8))
    natively(lambda x: pool(x, 3, **options), x)
    natively(wg.grad(lambda x: wg.sin(pool(x, 3, **options)).sum()), x)
    natively(wg.grad(lambda x: (pool(wg.sin(x), 3, **options) ** 3).sum()), x)


def test_what_is_greatest() -> None:
    x = np.array([[3.0, 3.0, np.nan, 1.0, -np.inf, -np.inf, 2.0, np.nan]])
    for width in (2, 3):
        natively(lambda x, width=width: F.max_pool1d(x, width, 1, padding=1), x)
        natively(lambda x, width=width: F.max_pool1d(x, width, 1, padding=1, return_indices=True)[1], x)
    natively(lambda x: F.max_pool1d(x, 2), np.array([[3, 1, -5, -7]], dtype=np.int8))
    natively(lambda x: F.avg_pool1d(x, 3, 2, padding=1, count_include_pad=False), RNG.normal(size=(2, 9)))


def test_columns() -> None:
    x = RNG.normal(size=(2, 3, 5, 6))
    f = lambda x: F.unfold(x, (2, 3), padding=1, stride=(2, 1))  # noqa: E731
    natively(f, x)
    natively(wg.grad(lambda x: wg.sin(f(x)).sum()), x)


@pytest.mark.parametrize("lengths", [(1, 1), (5, 3), (3, 5), (100, 17)])
def test_vectors(lengths: tuple[int, int]) -> None:
    x, y = (RNG.normal(size=n) for n in lengths)
    for mode in ("full", "same", "valid"):
        natively(lambda x, y, mode=mode: wg.convolve(x, y, mode=mode), x, y)
        natively(lambda x, y, mode=mode: wg.correlate(x, y, mode=mode), x, y)
    natively(wg.grad(lambda x, y: wg.sin(wg.convolve(x, y)).sum(), argnums=1), x, y)
    natively(wg.convolve, np.arange(lengths[0]), np.arange(lengths[1]))
