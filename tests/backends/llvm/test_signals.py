"""Convolution and correlation of vectors in compiled code, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (7, 3), (3, 7), (20, 20)])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_vectors(mode: str, n: int, m: int, dtype: str) -> None:
    random = np.random.default_rng(0)

    def numbers(count: int) -> np.ndarray:
        made = random.normal(size=count) * 4
        return (made + 1j * random.normal(size=count) if np.dtype(dtype).kind == "c" else made).astype(dtype)

    x, y = numbers(n), numbers(m)
    for name in ("convolve", "correlate"):
        ours, theirs = getattr(wg, name), getattr(np, name)
        lowered = wg.jit(lambda x, y, ours=ours: ours(x, y, mode)).lower(x, y)
        assert not lowered.program.schedule.hosts, lowered.report()
        found = wg.jit(lambda x, y, ours=ours: ours(x, y, mode))(x, y).numpy()
        tolerance = 1e-5 if np.dtype(dtype).char in "fF" else 1e-13
        np.testing.assert_allclose(found, theirs(x, y, mode), rtol=tolerance, atol=20 * tolerance)
