"""What follows a product tile by tile: the same numbers as after it, on any number of threads, and less memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as wnp

RNG = np.random.default_rng(0)

SHAPES = [(512, 256, 200), (300, 333, 257), (32, 784, 400), (128, 128, 128), (20, 999, 1001)]

FOLLOWING: dict[str, Callable[..., Any]] = {
    "bias": lambda x, w, b: wnp.tanh(x @ w + b),
    "no bias": lambda x, w, b: wnp.maximum(x @ w, 0),
    "both results": lambda x, w, b: (lambda z: (z, wnp.maximum(z, 0) * 2))(x @ w),
    "other dtype": lambda x, w, b: wnp.where(x @ w > 0, 1, 0),
    "three axes": lambda x, w, b: wnp.exp(-wnp.reshape(x, (2, x.shape[0] // 2, -1)) @ w + b),
    "turned": lambda x, w, b: wnp.sin(x @ wnp.transpose(wnp.reshape(w, w.shape[::-1])) + b),
    "large angles": lambda x, w, b: wnp.sin(wnp.round(x) @ wnp.round(w * 9) * 1e13),
    "read twice": lambda x, w, b: (lambda z: wnp.reshape(z, (1, *z.shape)) * 2 + wnp.abs(z))(x @ w),
}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = wg.get_num_threads()
    yield
    wg.set_num_threads(before)


def given(m: int, k: int, n: int, dtype: Any = np.float64) -> list[np.ndarray]:
    x, w, b = RNG.normal(size=(m, k)), RNG.normal(size=(k, n)) / k**0.5, RNG.normal(size=n)
    return [x.astype(dtype), w.astype(dtype), b.astype(dtype)]


def followed(f: Callable[..., Any], *xs: Any) -> int:
    """How many products are computed with what follows them."""
    return sum("each tile followed by" in one.text for one in wg.jit(f).lower(*xs).kernels)


def arrays(results: Any) -> list[np.ndarray]:
    return [y.numpy() for y in (results if isinstance(results, tuple) else (results,))]


def agree(f: Callable[..., Any], *xs: Any) -> None:
    expected = arrays(f(*map(wg.tensor, xs)))
    tolerance = 1e-4 if xs[0].dtype == np.float32 else 1e-11
    for threads in (1, 3):
        wg.set_num_threads(threads)
        for ours, theirs in zip(arrays(wg.jit(f)(*xs)), expected, strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * 10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", FOLLOWING)
def test_the_numbers(name: str, shape: tuple[int, int, int], dtype: type) -> None:
    xs = given(*shape, dtype)
    assert followed(FOLLOWING[name], *xs) == 1
    agree(FOLLOWING[name], *xs)


def test_a_product_that_nobody_else_reads_takes_no_memory() -> None:
    xs = given(512, 256, 1024)
    alone, both = (wg.jit(FOLLOWING[name]).lower(*xs) for name in ("bias", "both results"))
    assert alone.program.arena.size == 0
    assert alone.predicted_bytes == alone.measured_bytes
    assert both.predicted_bytes == both.measured_bytes == alone.predicted_bytes + 8 * 512 * 1024


@pytest.mark.parametrize(
    "f",
    [
        lambda x, w, b: wnp.sum(x @ w + b, axis=0),
        lambda x, w, b: wnp.transpose(x @ w) * 2,
        lambda x, w, b: (x @ w)[1:] * 2,
        lambda x, w, b: wnp.tanh(x[:8] @ w[:, :8]),
    ],
    ids=["a sum", "transposed", "a part", "small"],
)
def test_what_cannot_follow_comes_after(f: Callable[..., Any]) -> None:
    xs = given(256, 256, 256)
    assert followed(f, *xs) == 0
    agree(f, *xs)


def test_a_product_of_many_terms_is_summed_up_first() -> None:
    xs = given(64, 5000, 64)
    assert followed(FOLLOWING["bias"], *xs) == 0
    agree(FOLLOWING["bias"], *xs)


def test_operands_last_until_the_last_tile() -> None:
    def f(x: Any) -> Any:
        return wg.fori_loop(0, 3, lambda _, h: wnp.tanh(h @ h / 16) + h, x)

    (x, *_) = given(256, 256, 256)
    agree(f, x)
    expected = wg.jit(lambda x: wnp.tanh(x @ x / 16))(x).numpy()
    given_away = wg.jit(lambda x: wnp.tanh(x @ x / 16), donate_argnums=0)
    np.testing.assert_array_equal(given_away(wg.tensor(x.copy())).numpy(), expected)


def test_gradients() -> None:
    def loss(w: Any, v: Any, x: Any) -> Any:
        return wnp.sum(wnp.tanh(wnp.maximum(x @ w, 0) @ v) ** 2)

    x, w, _ = given(192, 256, 320)
    v = RNG.normal(size=(320, 160)) / 18
    gradient = wg.grad(loss, argnums=(0, 1))
    assert followed(gradient, w, v, x) >= 2
    agree(gradient, w, v, x)
