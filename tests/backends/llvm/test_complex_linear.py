"""Linear algebra of complex matrices in compiled code, and eigenvalues of general ones, against the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=shape) + 1j * random.normal(size=shape)


def agree(f: Callable[..., Any], *arguments: Any, rtol: float = 0.0) -> None:
    lowered = wg.jit(f).lower(*arguments)
    assert not lowered.program.schedule.hosts, lowered.report()
    found, expected = wg.jit(f)(*arguments), f(*map(wg.tensor, arguments))
    if not isinstance(found, tuple):
        found, expected = (found,), (expected,)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=rtol, atol=rtol)


#: NumPy computes in double precision and rounds; our single precision is single throughout.
ROUNDING = {"complex64": 1e-4, "complex128": 0.0}


@pytest.mark.parametrize("n", [1, 3, 20])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_all(dtype: str, n: int) -> None:
    linalg, rtol = wg.linalg, ROUNDING[dtype]
    a = (numbers(4, n, n) + 3 * np.sqrt(n) * np.eye(n)).astype(dtype)
    b = numbers(4, n, 2, seed=1).astype(dtype)
    agree(linalg.solve, a, b, rtol=rtol)
    agree(linalg.solve, a[0], b, rtol=rtol)
    agree(linalg.solve, a, b.real, rtol=rtol)
    agree(linalg.solve, a.real, b, rtol=rtol)
    agree(linalg.inv, a, rtol=rtol)
    agree(lambda x: linalg.det(x / np.float32(3 * np.sqrt(n))), a, rtol=rtol)
    agree(lambda x: tuple(linalg.slogdet(x)), a, rtol=rtol)
    agree(linalg.cholesky, (a @ np.conj(np.swapaxes(a, -1, -2))).astype(dtype), rtol=5 * rtol)
    agree(lambda x: linalg.eigh(x)[0], a, rtol=rtol)
    agree(lambda x: linalg.svd(x)[1], a, rtol=rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int64"])
def test_eigenvalues(dtype: str) -> None:
    x = numbers(3, 5, 5) * 4
    agree(lambda x: tuple(wg.linalg.eig(x)), (x if np.dtype(dtype).kind == "c" else x.real).astype(dtype))


@pytest.mark.parametrize("full", [False, True])
def test_singular_vectors(full: bool) -> None:
    for shape in ((3, 5), (5, 3), (2, 4, 4)):
        agree(lambda x: tuple(wg.linalg.svd(x, full_matrices=full)), numbers(*shape))


@pytest.mark.parametrize("function", [wg.linalg.inv, wg.linalg.cholesky, lambda x: wg.linalg.solve(x, x)])
def test_failures_are_reported(function: Callable[..., Any]) -> None:
    with pytest.raises(wg.LinearAlgebraError):
        wg.jit(function)(np.zeros((2, 3, 3), np.complex128))


def test_eigenvalues_of_what_is_not_finite() -> None:
    for bad in (np.nan, np.inf):
        with pytest.raises(wg.LinearAlgebraError, match="infs or NaNs"):
            wg.jit(lambda x: wg.linalg.eig(x)[0])(np.full((3, 3), bad))


def test_nan_is_no_failure() -> None:
    x = np.full((3, 3), np.nan, np.complex128)
    assert np.isnan(wg.jit(wg.linalg.inv)(x).numpy()).all()


def test_gradients() -> None:
    def f(a: Any, b: Any) -> Any:
        return (abs(wg.linalg.solve(a, b)) ** 2).sum()

    a, b = numbers(3, 3), numbers(3, 2, seed=1)
    found = wg.jit(wg.grad(f, argnums=(0, 1)))(a, b)
    expected = wg.grad(f, argnums=(0, 1))(wg.tensor(a), wg.tensor(b))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12)
