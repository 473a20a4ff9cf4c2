"""Complex numbers in native code: NumPy's values, also for infinities, NaN and signed zeros; in loops and products."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

RNG = np.random.default_rng(0)
PARTS = [0.0, -0.0, 1.0, -2.5, 1e-3, 700.0, np.inf, -np.inf, np.nan]
SPECIAL = np.array([complex(re, im) for re, im in itertools.product(PARTS, PARTS)])
SIMPLE = ["negative", "conjugate", "absolute", "real", "imag", "isnan", "isinf", "isfinite"]
ORDINARY = RNG.normal(size=50) * 3 + 1j * RNG.normal(size=50) * 3


def natively(f: Callable[..., Any], *arguments: np.ndarray) -> np.ndarray:
    lowered = wg.jit(f).lower(*arguments)
    assert not lowered.program.schedule.hosts, lowered.report()
    found = wg.jit(f)(*arguments).numpy()
    expected = np.asarray(f(*map(wg.tensor, arguments)))
    assert found.dtype == expected.dtype
    return np.asarray(found)


@pytest.mark.parametrize("name", [*SIMPLE, "sqrt", "log", "exp", "square"])
def test_special_values(name: str) -> None:
    f = getattr(np, name)
    with np.errstate(all="ignore"):
        expected = f(SPECIAL)
        found = natively(lambda x: f(x), SPECIAL)
    for part in (np.real, np.imag):
        a, b = part(found), part(expected)
        # 0 * inf and the like: NumPy's C library chooses a sign or NaN that the standard leaves open.
        sure = np.ones(SPECIAL.shape, bool) if name in SIMPLE else np.isfinite(SPECIAL)
        np.testing.assert_allclose(a[sure], b[sure], rtol=1e-14)


@pytest.mark.parametrize("name", ["sin", "cos", "sinh", "cosh", "exp", "log", "sqrt", "reciprocal", "square", "angle"])
@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
def test_functions(name: str, dtype: type) -> None:
    f = getattr(np, name)
    x = ORDINARY.astype(dtype)
    np.testing.assert_allclose(natively(lambda x: f(x), x), f(x), rtol=1e-13 if dtype is np.complex128 else 2e-5)


def test_arithmetic() -> None:
    x, y = ORDINARY, ORDINARY[::-1].copy()
    with np.errstate(all="ignore"):
        for f in (
            lambda x, y: x + y * 2j,
            lambda x, y: x / y,
            lambda x, y: (x - 1.5) ** 3 / (y * y),
            lambda x, y: np.where(np.abs(x) > 2, x, y.real),
            lambda x, y: (x == y) | (x != np.conjugate(y)),
            lambda x, y: x.sum() + y.mean() - (x * y)[:3].prod(),
            lambda x, y: np.concatenate([x[::2], y[1:]])[::-1],
        ):
            np.testing.assert_allclose(natively(f, x, y), f(x, y), rtol=1e-12)
        zeros = np.zeros_like(SPECIAL)
        found, expected = natively(lambda x, y: x / y, SPECIAL, zeros), SPECIAL / zeros
        assert np.array_equal(np.isnan(found), np.isnan(expected))


def test_products_and_their_gradients() -> None:
    for m, k, n in ((2, 3, 4), (20, 30, 10), (5, 6, 1)):
        a = RNG.normal(size=(m, k)) + 1j * RNG.normal(size=(m, k))
        b = RNG.normal(size=(k, n)) + 1j * RNG.normal(size=(k, n))
        np.testing.assert_allclose(natively(lambda a, b: a @ b, a, b), a @ b, rtol=1e-12)
        np.testing.assert_allclose(natively(lambda a, b: (b.T @ np.conj(a).T).T, a, b), np.conj(a) @ b, rtol=1e-12)
        loss = wg.grad(lambda a, b: (np.abs(a @ b) ** 2).sum())
        np.testing.assert_allclose(natively(loss, a, b), loss(wg.tensor(a), wg.tensor(b)).numpy(), rtol=1e-12)


def test_loops_with_a_complex_state() -> None:
    def spiral(z: Any, c: Any) -> Any:
        return wg.scan(lambda z, _: (z * z + c, np.abs(z)), z, length=20)[1].sum()

    z, c = np.asarray(0.1 + 0.2j), np.asarray(-0.4 + 0.3j)
    np.testing.assert_allclose(natively(spiral, z, c), spiral(wg.tensor(z), wg.tensor(c)).numpy(), rtol=1e-13)
    slope = wg.grad(spiral, 1)
    np.testing.assert_allclose(natively(slope, z, c), slope(wg.tensor(z), wg.tensor(c)).numpy(), rtol=1e-11)
