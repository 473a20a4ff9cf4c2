"""Random numbers in compiled code: bit for bit those of the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

random = wg.random


def same_bits(f: Callable[..., Any], *arguments: Any) -> np.ndarray:
    lowered = wg.jit(f).lower(*arguments)
    assert not lowered.program.schedule.hosts, lowered.report()
    found, expected = wg.jit(f)(*arguments).numpy(), f(*map(wg.tensor, arguments)).numpy()
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    return np.asarray(found)


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 501)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["uniform", "normal", "exponential"])
def test_real_numbers(name: str, dtype: str, shape: tuple[int, ...]) -> None:
    key = random.key(12345678901234567890)
    same_bits(lambda key: getattr(random, name)(key, shape, dtype=dtype), key.numpy())


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integers(dtype: str) -> None:
    info = np.iinfo(dtype)
    for low, high in ((0, 1), (3, 10), (0, 127), (info.min, info.max), (info.min, info.max + 1)):
        draw = wg.ops.random_.RandomIntegers((5, 13), dtype, int(low), int(high))
        same_bits(lambda key, draw=draw: wg.core.apply.apply(draw, key), random.key(7).numpy())


def test_permutations_and_masks() -> None:
    key = random.key(3).numpy()
    for n in (1, 2, 100):
        found = same_bits(lambda key, n=n: random.permutation(key, n), key)
        assert sorted(found.tolist()) == list(range(n))
    for p in (0.0, 0.1, 0.5, 1.0):
        mask = wg.ops.random_.DropoutMask((101,), "float32", p)
        same_bits(lambda key, mask=mask: wg.core.apply.apply(mask, key), key)


def test_keys() -> None:
    key = random.key(11).numpy()
    same_bits(lambda key: random.split(key, 5), key)
    same_bits(lambda key: wg.vmap(lambda k: random.split(k, 3))(random.split(key, 4)), key)
    same_bits(lambda key: wg.vmap(lambda k: random.normal(k, (3,)))(random.split(key, 4)), key)
    for number in (0, 5, 2**40):
        same_bits(lambda key, number=number: random.fold_in(key, number), key)
    same_bits(lambda key, i: random.fold_in(key, i), key, np.array(-3, np.int32))


def test_in_a_loop() -> None:
    def walk(key: Any) -> Any:
        def step(state: Any, _: Any) -> Any:
            key, x = state
            parts = random.split(key, 2)
            x = x + random.normal(parts[1], (3,))
            return (parts[0], x), x

        return wg.scan(step, (key, wg.zeros(3)), length=20)[1]

    lowered = wg.jit(walk).lower(random.key(0))
    assert not lowered.program.schedule.hosts, lowered.report()
    found = wg.jit(walk)(random.key(0))
    # Sums may be fused otherwise than NumPy's.
    np.testing.assert_allclose(found.numpy(), walk(random.key(0)).numpy(), rtol=1e-13)


PARAMETERS = [np.array(2.5), np.array([0.3, 1.0, 40.0]), np.array([[0.5], [7.0]], np.float32), np.array(3)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_gamma_numbers(parameter: np.ndarray, dtype: str) -> None:
    draws = wg.ops.draws
    key, shape = random.key(5).numpy(), np.broadcast_shapes(parameter.shape, (2, 3))
    one = draws.RandomGamma(shape, dtype)
    same_bits(lambda key, a: wg.core.apply.apply(one, key, a), key, parameter)
    # The draws are the same; the two logarithms are the compiler's own, of at most two units each.
    other = draws.RandomLogGamma((400, *shape), dtype)
    lowered = wg.jit(lambda key, a: wg.core.apply.apply(other, key, a)).lower(key, parameter)
    assert not lowered.program.schedule.hosts
    found = lowered.program.run([key, parameter])[0]
    np.testing.assert_allclose(
        found, other.value(key, parameter), rtol=1e-6 if dtype == "float32" else 1e-14, atol=1e-15
    )


@pytest.mark.parametrize("parameter", [np.array(0.0), np.array([0.2, 9.0, 50.0, 1e9]), np.array(4)])
def test_poisson_numbers(parameter: np.ndarray) -> None:
    for dtype in ("int64", "int32"):
        draw = wg.ops.draws.RandomPoisson((50, 4), dtype)
        same_bits(lambda key, m, draw=draw: wg.core.apply.apply(draw, key, m), random.key(5).numpy(), parameter)


@pytest.mark.parametrize("parameter", [np.array(0.0), np.array([0.2, 0.5, 0.9, 1.0]), np.array(1)])
@pytest.mark.parametrize("count", [0, 1, 20, 10**6])
def test_binomial_numbers(parameter: np.ndarray, count: int) -> None:
    draw = wg.ops.draws.RandomBinomial((50, 4), "int64", count)
    same_bits(lambda key, p: wg.core.apply.apply(draw, key, p), random.key(5).numpy(), parameter)


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_parameters_that_are_none(bad: float) -> None:
    draws, key = wg.ops.draws, random.key(5).numpy()
    kinds = (
        draws.RandomGamma((3,), "float64"),
        draws.RandomLogGamma((3,), "float64"),
        draws.RandomPoisson((3,), "int64"),
        draws.RandomBinomial((3,), "int64", 10),
    )
    for draw in kinds:
        with pytest.raises(wg.ShapeError, match=draw.name):
            wg.jit(lambda key, a, draw=draw: wg.core.apply.apply(draw, key, a))(key, np.array([1.0, bad, 1.0]))


def test_gradients_of_gamma_numbers() -> None:
    def f(key: Any, a: Any) -> Any:
        return random.gamma(key, a, (4,)).sum()

    key, a = random.key(5).numpy(), np.array(1.5)
    found = wg.jit(wg.grad(f, argnums=1))(key, a).numpy()
    np.testing.assert_allclose(found, wg.grad(f, argnums=1)(key, wg.tensor(a)).numpy(), rtol=1e-12)
