"""Exponentials of matrices in compiled code, against SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg

import wengert as wg


def native(f: Any, *arguments: Any) -> np.ndarray:
    lowered = wg.jit(f).lower(*arguments)
    assert not lowered.program.schedule.hosts, lowered.report()
    return np.asarray(wg.jit(f)(*arguments).numpy())


@pytest.mark.parametrize("n", [1, 2, 5, 20])
@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-2, 1.0, 5.0, 40.0])
def test_against_scipy(size: float, n: int) -> None:
    """The error of squaring grows with the norm, for SciPy and for us: both are off by some units times it."""
    x = np.random.default_rng(n).normal(size=(3, n, n)) * size / np.sqrt(n)
    found, expected = native(wg.linalg.expm, x), scipy.linalg.expm(x)
    scale = np.abs(expected).max(axis=(-2, -1), keepdims=True)
    np.testing.assert_array_less(np.abs(found - expected) / scale, 1e-13 * max(1.0, size))


def test_a_matrix_whose_norm_says_nothing() -> None:
    """Halving by the norm alone would lose all digits (Al-Mohy and Higham, section 1)."""
    x = np.array([[1.0, 1e6], [0.0, -1.0]])
    expected = np.array([[np.e, 1e6 * np.sinh(1.0)], [0.0, 1 / np.e]])
    np.testing.assert_allclose(native(wg.linalg.expm, x), expected, rtol=1e-13)


def test_other_dtypes() -> None:
    x = np.random.default_rng(0).normal(size=(4, 4))
    found = native(wg.linalg.expm, x.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, scipy.linalg.expm(x), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(native(wg.linalg.expm, np.eye(3, dtype=int)), np.e * np.eye(3), rtol=1e-14)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite(bad: float) -> None:
    found = native(wg.linalg.expm, np.full((2, 2), bad))
    assert not np.isfinite(found).any()


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4)])
def test_derivatives(shape: tuple[int, ...]) -> None:
    weights = np.random.default_rng(1).normal(size=shape)

    def f(x: Any) -> Any:
        return (wg.linalg.expm(x) * weights).sum()

    x = np.random.default_rng(0).normal(size=shape)
    expected = wg.grad(f)(wg.tensor(x)).numpy()
    np.testing.assert_allclose(native(wg.grad(f), x), expected, rtol=1e-12, atol=1e-13)
    second = wg.grad(lambda x: (wg.grad(f)(x) ** 2).sum())
    np.testing.assert_allclose(native(second, x), second(wg.tensor(x)).numpy(), rtol=1e-11, atol=1e-10)
