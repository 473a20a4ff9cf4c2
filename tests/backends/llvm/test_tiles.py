"""Products as tiles: every remainder of rows and columns, every order of elements, both precisions."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import wengert as wg

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("m", "k", "n"),
    [(16, 64, 64), (17, 33, 29), (9, 70, 25), (2, 1024, 3), (33, 9, 47), (8, 33, 24), (7, 300, 2), (65, 20, 23)],
)
def test_products_of_any_shape(m: int, k: int, n: int, dtype: type) -> None:
    tolerance = 1e-13 if dtype is np.float64 else 1e-5
    a, b = RNG.normal(size=(m, k)).astype(dtype), RNG.normal(size=(k, n)).astype(dtype)
    expected = a.astype(float) @ b.astype(float)
    at, bt = np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)
    for found in (
        wg.jit(lambda a, b: a @ b)(a, b),
        wg.jit(lambda a, b: a.T @ b)(at, b),
        wg.jit(lambda a, b: a @ b.T)(a, bt),
        wg.jit(lambda a, b: a.T @ b.T)(at, bt),
    ):
        assert found.dtype == dtype
        np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=tolerance * k)
    doubled = np.repeat(np.repeat(a, 2, axis=0), 2, axis=1)
    found = wg.jit(lambda a, b: a[::2, 1::2] @ b[:, ::-1])(doubled, b)
    np.testing.assert_allclose(found.numpy(), expected[:, ::-1], rtol=tolerance, atol=tolerance * k)


def test_stacks_of_products_and_special_numbers() -> None:
    a, b = RNG.normal(size=(3, 20, 30)), RNG.normal(size=(30, 21))
    a[1, 2, 3], b[4, 5] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(wg.jit(lambda a, b: a @ b)(a, b).numpy(), a @ b, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("lead", [((4, 3), (4, 3)), ((5, 1), (1, 7)), ((70,), (70,)), ((2, 1, 3), (2, 4, 1))])
@pytest.mark.parametrize(("m", "k", "n"), [(33, 20, 25), (128, 32, 128), (30, 300, 210)])
def test_batches_of_products_on_any_number_of_threads(
    m: int, k: int, n: int, lead: tuple[tuple[int, ...], tuple[int, ...]], dtype: type
) -> None:
    a = RNG.normal(size=(*lead[0], m, k)).astype(dtype)
    b = RNG.normal(size=(*lead[1], k, n)).astype(dtype)
    # As heads of an attention lie: the axis before the last comes first in memory.
    spread = np.ascontiguousarray(np.moveaxis(a, -2, 0))
    ways = {
        "plain": (lambda a, b: a @ b, a),
        "spread": (lambda a, b: wg.numpy.moveaxis(a, 0, -2) @ b, spread),
        "turned": (lambda a, b: wg.numpy.swapaxes(a, -1, -2) @ b, np.ascontiguousarray(np.swapaxes(a, -1, -2))),
    }
    expected = a.astype(float) @ b.astype(float)
    tolerance = 1e-13 if dtype is np.float64 else 1e-5
    before = wg.get_num_threads()
    try:
        for f, x in ways.values():
            compiled, found = wg.jit(f), []
            for threads in (1, 3):
                wg.set_num_threads(threads)
                found.append(compiled(x, b).numpy())
            np.testing.assert_array_equal(*found)
            np.testing.assert_allclose(found[0], expected, rtol=tolerance, atol=tolerance * k)
    finally:
        wg.set_num_threads(before)


@pytest.mark.parametrize("cpu", ["generic", "x86-64-v3"])
def test_other_processors(cpu: str) -> None:
    code = """
import numpy as np, wengert as wg
a, b = np.arange(17.0 * 33).reshape(17, 33) % 7, np.arange(33.0 * 29).reshape(33, 29) % 5
assert np.array_equal(wg.jit(lambda a, b: a @ b)(a, b).numpy(), a @ b)
"""
    environment = os.environ | {"WENGERT_CPU": cpu, "WENGERT_CACHE": "0"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("count", [1, 2, 30])
def test_products_with_a_factor_in_common_are_one(count: int, dtype: type) -> None:
    a = RNG.normal(size=(40, 25)).astype(dtype)
    columns, rows = RNG.normal(size=(count, 25, 1)).astype(dtype), RNG.normal(size=(3, count, 6, 40)).astype(dtype)
    tolerance = 1e-4 if dtype is np.float32 else 1e-12

    def check(f: Any, *args: Any) -> None:
        found = wg.jit(f)(*args).numpy()
        np.testing.assert_allclose(found, f(*args), rtol=tolerance, atol=tolerance)

    check(lambda a, x: a @ x, a, columns)
    check(lambda a, x: a @ x[::-1], a, columns)
    check(lambda a, x: a.T @ x, np.ascontiguousarray(a.T), columns)
    check(lambda a, x: x @ a, a, rows)
    check(lambda a, x: x[:, :, ::-1] @ a, a, rows)
    check(lambda a, x: x[:, :, :1] @ a, a, rows)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("m", "k", "n"), [(200, 70, 500), (193, 1500, 49), (401, 1100, 145), (32, 2100, 300), (131, 65, 400), (5, 3000, 7)]
)
def test_products_cut_into_panels(m: int, k: int, n: int, dtype: type) -> None:
    a, b = RNG.normal(size=(m, k)).astype(dtype), RNG.normal(size=(k, n)).astype(dtype)
    expected = a.astype(np.longdouble) @ b.astype(np.longdouble)
    # k roundings of partial sums of size up to sqrt(k) add up, at random, to about k/3 units; four times that is rare.
    bound = max(2 * k, 200) * np.finfo(dtype).eps
    at, bt = np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)
    turned = np.ascontiguousarray(np.concatenate([bt, bt], axis=1))
    for f, x, y in (
        (lambda a, b: a @ b, a, b),
        (lambda a, b: a.T @ b, at, b),
        (lambda a, b: a @ b.T, a, bt),
        (lambda a, b: a.T @ b.T, at, bt),
        (lambda a, b: a @ b[:, k:].T, a, turned),
    ):
        found = wg.jit(f)(x, y).numpy()
        assert np.abs(found - expected).max() < bound


def test_panels_do_not_depend_on_the_number_of_threads() -> None:
    before = wg.get_num_threads()
    a, b = RNG.normal(size=(500, 300)), RNG.normal(size=(300, 700))
    f, g = wg.jit(lambda a, b: a @ b), wg.jit(lambda a, b: b.T @ a.T)
    try:
        found = []
        for n in (1, 2, 5):
            wg.set_num_threads(n)
            found.append((f(a, b).numpy().tobytes(), g(a, b).numpy().tobytes()))
    finally:
        wg.set_num_threads(before)
    assert found[0] == found[1] == found[2]
