"""Operations with native code of their own: edge cases, and that nothing is left to NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

RNG = np.random.default_rng(0)
NAN, INF = np.nan, np.inf


def natively(f: Callable[..., Any], *arguments: Any) -> np.ndarray:
    """What compiled code gives, which is what the function gives, with no step left to NumPy."""
    lowered = wg.jit(f).lower(*arguments)
    assert not lowered.program.schedule.hosts, lowered.report()
    found = wg.jit(f)(*arguments).numpy()
    expected = f(*map(wg.tensor, arguments)).numpy()
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0, equal_nan=True)
    return np.asarray(found)


@pytest.mark.parametrize(
    "x",
    [
        np.array([3.0, NAN, 1.0, -INF, NAN, 1.0, INF, -0.0, 0.0]),
        np.array([2, 1, 2, 0, 1, -5], dtype=np.int32),
        np.array([True, False, True]),
        np.array([1.5]),
        RNG.integers(0, 9, size=(3, 4, 65)).astype(np.float32),
        RNG.normal(size=(2, 1000)),
    ],
    ids=["special", "ints", "bools", "one", "ties", "long"],
)
def test_sorting(x: np.ndarray) -> None:
    natively(wg.argsort, x)
    natively(wg.sort, x)
    if x.dtype.kind != "b":
        natively(lambda x: wg.sort(x, descending=True), x)
    natively(lambda x: wg.argmax(x, axis=0), x)
    natively(lambda x: wg.argmin(x, axis=-1), x)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "argmax", "argmin", "prod", "any", "all", "count_nonzero"])
def test_along_every_axis(name: str, axis: int) -> None:
    f = getattr(wg, name)
    for x in (RNG.normal(size=(3, 4, 5)), RNG.integers(-2, 3, (3, 4, 5)), RNG.random((3, 4, 5)) > 0.5):
        natively(lambda x: f(x, axis=axis), x)
        natively(lambda x: f(wg.swapaxes(x, 0, 2)[::-1], axis=axis), x)


def test_searching() -> None:
    table = np.array([-1.0, 0.0, 0.0, 2.0, 2.0, 5.0])
    x = np.array([[-2.0, -1.0, 0.0], [1.0, 2.0, 5.0], [6.0, NAN, INF]])
    for side in ("left", "right"):
        natively(lambda t, x, side=side: wg.searchsorted(t, x, side=side), table, x)
    natively(lambda x: wg.interp(x, np.array([0.0, 1.0, 3.0]), np.array([1.0, -1.0, 2.0])), x[:2])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: wg.roll(x, 2, axis=1),
        lambda x: wg.tril(x, -1) + wg.triu(x, 1),
        lambda x: wg.repeat(x, 3, axis=0),
        lambda x: wg.diagonal(x, axis1=0, axis2=1),
        lambda x: wg.flip(x)[::2],
        lambda x: wg.tile(x, (2, 2)),
        lambda x: wg.pad(x, 2),
    ],
)
@pytest.mark.parametrize("size", [3, 40])
def test_what_only_moves_elements(f: Callable[..., Any], size: int) -> None:
    x = RNG.normal(size=(size, size))
    natively(f, x)
    natively(wg.grad(lambda x: wg.sin(f(x)).sum()), x)
    natively(f, np.arange(size * size).reshape(size, size))


def test_empty_arrays_need_no_code() -> None:
    x = np.zeros((0, 3))
    assert natively(lambda x: wg.exp(x) * 2 + x[:, :1], x).shape == (0, 3)
    assert natively(lambda x: x.sum(axis=0) + x.T @ x @ np.ones(3), x).tolist() == [0.0, 0.0, 0.0]
    assert natively(lambda x: x.prod(axis=0), x).tolist() == [1.0, 1.0, 1.0]
    assert natively(lambda x: (x > 0).all(axis=0) & ~(x > 0).any(axis=0), x).tolist() == [True] * 3
    chosen = np.zeros(0, int)
    natively(wg.grad(lambda x: (x[chosen] ** 2).sum() + x[3:].sum()), np.ones((3, 2)))
    assert natively(lambda x, y: wg.einsum("ij,ik->jk", x, y), x, np.ones((0, 2))).tolist() == [[0.0] * 2] * 3


@pytest.mark.parametrize("bad", [4, -5, 2**40])
def test_an_index_out_of_range_is_never_followed(bad: int) -> None:
    x = np.ones((4, 3))
    for f in (
        lambda x, i: x[i],
        lambda x, i: x[:, 0][i],
        lambda x, i: wg.take_along_axis(x, i[:, None], axis=0),
        lambda x, i: wg.tensor(np.zeros(4)).at[i].add(x[0, 0]) if hasattr(wg.Tensor, "at") else x[i],
    ):
        with pytest.raises((wg.IndexRangeError, IndexError)):
            wg.jit(f)(x, np.array([0, bad]))


def test_special_functions_are_scipy_s() -> None:
    x = np.array([0.3, 1.7, 4.0])
    for name in ("j0", "y1", "k0", "erfinv", "ndtri", "dawsn", "expi", "spence", "ellipk"):
        f = getattr(wg.scipy.special, name)
        natively(f, x / 5)
    natively(lambda x: wg.scipy.special.gammainc(x, x + 1), x)
    natively(lambda x: wg.scipy.special.betainc(x, 2.0, x / 5), x)


def test_limits_of_a_number() -> None:
    natively(lambda low, high: wg.clip(0.5, low, high), np.array([[0.0], [1.0]]), np.array([0.2, 3.0]))
