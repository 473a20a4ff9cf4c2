"""sin, cos and tan in compiled programs: exact for angles of any size, wherever they stand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp

import wengert as wg
from tests.backends.llvm.accuracy import error_at
from wengert.backends.llvm import angles

FAR = [1e13, -3e15, 1e22, 5.319372648326541e255, 1.7976931348623157e308]


def _angles(size: int, dtype: str, far: bool) -> np.ndarray:
    """Everyday angles; every third of them far away, with infinities and NaN, if asked for."""
    x = np.random.default_rng(0).uniform(-10, 10, size)
    if far:
        some = np.array(
            [*(one for one in FAR if one < float(np.finfo(dtype).max)), 2.0**40, 2.0**41, np.inf, np.nan, -np.inf]
        )
        x[::3] = np.resize(some, x[::3].size)
    return x.astype(dtype)


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("size", [1, 7, 32, 33, 1000])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_of_every_size_are_exact(name: str, dtype: str, size: int, far: bool) -> None:
    """Written out element by element, and as a loop that may have to be done again."""
    x = _angles(size, dtype, far)
    got = wg.jit(getattr(np, name))(x).numpy()
    with mp.workdps(40):
        wrong = [(a, b) for a, b in zip(x.tolist(), got.tolist(), strict=True) if not _right(name, dtype, a, b)]
    assert not wrong


def _right(name: str, dtype: str, x: float, got: float) -> bool:
    return np.isnan(got) if not np.isfinite(x) else error_at(name, dtype, got, (x,)) <= 2.0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sin(x).sum(),
        lambda x: np.sin(x).reshape(-1, 4).sum(axis=0),
        lambda x: np.cos(x).reshape(-1, 4).sum(axis=1),
        lambda x: np.sin(x).reshape(-1, 4).mean(axis=1) * np.cos(x[0]),
        lambda x: np.max(np.sin(x)) + np.cos(x),
        lambda x: wg.softmax(np.sin(x).reshape(-1, 20), axis=1),
        lambda x: np.sin(x) * x + np.cos(2 * x),
        lambda x: wg.scan(lambda c, row: (c + np.sin(row), c * np.cos(row)), 0 * x[:20], x.reshape(-1, 20)),
        wg.grad(lambda x: (np.sin(x) * np.cos(x)).sum()),
    ],
)
def test_loops_that_are_done_again_give_what_the_interpreter_gives(function: Callable[..., Any]) -> None:
    x = _angles(400, "float64", far=False)
    x[::7] = 1e14
    got, want = wg.tree_leaves(wg.jit(function)(x)), wg.tree_leaves(function(wg.tensor(x)))
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("function", [np.sin, lambda x: np.sin(x) * x + np.cos(2 * x) * x])
def test_a_far_angle_changes_no_bit_of_the_others(function: Callable[..., Any]) -> None:
    x = _angles(1003, "float64", far=False)
    compiled = wg.jit(function)
    near = compiled(x).numpy()
    x[500] = 1e15
    there = np.arange(x.size) != 500
    np.testing.assert_array_equal(compiled(x).numpy()[there], near[there])


def test_the_far_functions_are_compiled_once_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that start at the same time use the same machine code, which stays."""
    monkeypatch.setattr(angles, "_COMPILED", {})
    x = _angles(100, "float64", far=True)
    want, results = np.sin(x[::3][:5]), []
    threads = [
        threading.Thread(target=lambda k=k: results.append(wg.jit(lambda x: np.sin(x) + 0 * k)(x).numpy()[::3][:5]))
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(angles._COMPILED) == ["wengert.far.sin.f64"]
    for one in results:
        np.testing.assert_allclose(one, want, rtol=1e-14)
    assert len(results) == 4


@pytest.mark.parametrize("rows", [40, 400])
def test_far_angles_in_sums_over_rows(rows: int) -> None:
    """Totals that rows add up in memory begin again when an angle turns out to be far: here within chunks, too."""

    def program(x: Any, g: Any) -> Any:
        centred = x - x.max(axis=1, keepdims=True)  # rounded once, whoever computes it
        return np.sin(centred * g).sum()

    x = np.random.default_rng(0).uniform(-10, 10, (rows, 256))
    g = np.random.default_rng(1).uniform(-1, 1, 256)
    for far in (False, True):
        if far:
            x[rows // 2, 7] = 3e14
        value, slopes = wg.jit(wg.value_and_grad(program, argnums=(0, 1)))(x, g)
        expected, wanted = wg.value_and_grad(program, argnums=(0, 1))(wg.tensor(x), wg.tensor(g))
        np.testing.assert_allclose(value.numpy(), expected.numpy(), rtol=1e-11)
        for one, other in zip(slopes, wanted, strict=True):
            scale = np.abs(other.numpy()).max(initial=1.0)
            np.testing.assert_allclose(one.numpy() / scale, other.numpy() / scale, rtol=1e-12, atol=1e-13)
