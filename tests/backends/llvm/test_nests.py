"""Loop nests of every length: what fills no vector is done by a mask, and NaN is noted aside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("length", [3, 16, 17, 31, 100, 257])
@pytest.mark.parametrize("name", ["max", "min"])
def test_the_extreme_of_a_row_with_nan_is_nan(name: str, length: int, dtype: str) -> None:
    x = np.random.default_rng(length).standard_normal((length + 2, length)).astype(dtype)
    x[np.arange(length), np.arange(length)] = np.copysign(np.nan, -1)
    x[-1, ::2] = np.inf
    x[-1, 1::2] = -np.inf
    function = wg.jit(lambda x: getattr(x, name)(axis=1))
    np.testing.assert_array_equal(function(x).numpy(), getattr(x, name)(axis=1))
    assert np.isnan(function(x).numpy()).sum() == length


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("length", [15, 33, 36, 63, 100, 509, 517])
def test_heavy_loops_of_every_length(length: int, dtype: str) -> None:
    """Alone, and row by row, where others read at once what is written."""
    x = np.random.default_rng(length).standard_normal((70, length)).astype(dtype)

    def row(x: Any) -> Any:
        return (np.tanh(x) * np.exp(-x)).sum(), np.sin(x)

    def rows(x: Any) -> Any:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return (np.log(e.sum(axis=1)) * x[:, 0]).sum(), e / e.sum(axis=1, keepdims=True)

    for function, given in ((row, x[0].copy()), (rows, x)):
        got = wg.jit(wg.value_and_grad(function, has_aux=True))(given)
        expected = wg.value_and_grad(function, has_aux=True)(wg.tensor(given))
        for one, other in zip(wg.tree_leaves(got), wg.tree_leaves(expected), strict=True):
            tolerance = 200 * np.finfo(dtype).eps
            np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=tolerance, atol=tolerance)
