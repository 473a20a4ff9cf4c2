"""Linear algebra in compiled code, of every size, against the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

RNG = np.random.default_rng(0)
solve_triangular = wg.scipy.linalg.solve_triangular


def natively(f: Callable[..., Any], *arguments: Any) -> None:
    """Compiled code gives what the function gives, to 1e-10 of its largest element (the matrices have condition numbers
    up to a few thousand), and leaves nothing to NumPy."""
    lowered = wg.jit(f).lower(*arguments)
    assert not lowered.program.schedule.hosts, lowered.report()
    found, expected = wg.jit(f)(*arguments), f(*map(wg.tensor, arguments))
    several = isinstance(found, tuple)
    for one, other in zip(found if several else [found], expected if several else [expected], strict=True):
        assert one.dtype == other.dtype
        x, y = one.numpy(), other.numpy()
        np.testing.assert_allclose(x, y, rtol=0, atol=1e-10 * max(1.0, np.abs(y).max()))


def matrices(n: int, *lead: int) -> tuple[np.ndarray, np.ndarray]:
    """Some of condition number up to a few thousand, and positive definite ones."""
    a = RNG.normal(size=(*lead, n, n)) / np.sqrt(n) + np.eye(n)
    return a, a @ np.swapaxes(a, -1, -2) + np.eye(n)


@pytest.mark.parametrize("n", [1, 2, 4, 8, 9, 40])
@pytest.mark.parametrize("lead", [(), (3,)])
def test_systems_and_factors(n: int, lead: tuple[int, ...]) -> None:
    a, definite = matrices(n, *lead)
    wide, vector = RNG.normal(size=(2, *lead, n, 7)), RNG.normal(size=n)
    natively(wg.linalg.solve, a, wide)
    natively(wg.linalg.solve, a, vector)
    natively(wg.linalg.inv, a)
    natively(wg.linalg.det, a)
    natively(lambda x: tuple(wg.linalg.slogdet(x)), -a)
    natively(wg.linalg.cholesky, definite)
    natively(wg.grad(lambda x: (wg.linalg.cholesky(x) ** 2).sum() + wg.linalg.inv(x).sum()), definite)


@pytest.mark.parametrize("n", [3, 11])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("trans", ["N", "T"])
@pytest.mark.parametrize("unit", [False, True])
def test_triangles(n: int, lower: bool, trans: str, unit: bool) -> None:
    a = RNG.normal(size=(2, n, n)) / n + 2 * np.eye(n)

    def f(a: Any, b: Any) -> Any:
        return solve_triangular(a, b, lower=lower, trans=trans, unit_diagonal=unit)

    natively(f, a, RNG.normal(size=(n, 5)))
    natively(wg.grad(lambda a, b: (f(a, b) ** 2).sum(), argnums=(0, 1)), a, RNG.normal(size=(2, n, 2)))


@pytest.mark.parametrize("n", [2, 12])
def test_what_has_no_solution_is_an_error(n: int) -> None:
    ones = np.ones((3, n, n))
    for f in (
        wg.linalg.inv,
        lambda x: wg.linalg.solve(x, wg.ones(n)),
        lambda x: wg.linalg.cholesky(-x),
        lambda x: solve_triangular(x - 1, wg.ones((n, 1))),
    ):
        with pytest.raises(wg.LinearAlgebraError):
            wg.jit(f)(ones)
    assert wg.jit(wg.linalg.det)(ones).numpy().tolist() == [0.0] * 3
    sign, logarithm = wg.jit(lambda x: tuple(wg.linalg.slogdet(x)))(ones)
    assert sign.numpy().tolist() == [0.0] * 3
    assert logarithm.numpy().tolist() == [-np.inf] * 3


@pytest.mark.parametrize("scale", [2.0**-1060, 2.0**-1000, 2.0**1000])
def test_numbers_of_every_size(scale: float) -> None:
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    found = wg.jit(wg.linalg.solve)(a * scale, np.array([4.0, 7.0]) * scale).numpy()
    np.testing.assert_allclose(found, [1.0, 2.0], rtol=1e-14)


def test_a_kalman_filter_is_one_native_loop() -> None:
    moves, sees = np.eye(4) + 0.1 * np.eye(4, k=2), np.eye(2, 4)

    def f(noise: Any, seen: Any) -> Any:
        def step(state: Any, y: Any) -> Any:
            x, p = state
            x, p = moves @ x, moves @ p @ moves.T + noise
            s = sees @ p @ sees.T + np.eye(2)
            gain = wg.linalg.solve(s, sees @ p).T
            error = y - sees @ x
            quality = error @ wg.linalg.solve(s, error) + wg.linalg.slogdet(s)[1]
            return (x + gain @ error, p - gain @ sees @ p), quality

        _, qualities = wg.scan(step, (wg.zeros(4), wg.eye(4)), seen)
        return qualities.sum()

    noise, seen = 0.1 * np.eye(4), RNG.normal(size=(20, 2))
    natively(f, noise, seen)
    natively(wg.grad(f), noise, seen)


@pytest.mark.parametrize("shape", [(3, 3), (2, 5, 3), (3, 5), (40, 20), (1, 1), (20, 90)])
def test_decompositions(shape: tuple[int, ...]) -> None:
    x = RNG.normal(size=shape)
    natively(lambda x: wg.linalg.svd(x, full_matrices=False)[1], x)
    for full in (False, True):

        def rebuilt(x: Any, full: bool = full) -> Any:
            u, s, v = wg.linalg.svd(x, full_matrices=full)
            k = s.shape[-1]
            product = (u[..., :k] * s[..., None, :]) @ v[..., :k, :]
            return product, u @ wg.swapaxes(u, -1, -2), v @ wg.swapaxes(v, -1, -2)

        natively(rebuilt, x)
    natively(wg.linalg.pinv, x)
    natively(lambda x: tuple(wg.linalg.qr(x)), x)
    natively(lambda x: tuple(wg.scipy.linalg.lu(x, p_indices=True)), x)
    natively(lambda x: wg.linalg.lstsq(x, wg.ones((shape[-2], 4)))[0], x)
    if shape[-2] >= shape[-1]:
        natively(lambda x: wg.linalg.qr(x, mode="complete")[1], x)
        natively(wg.grad(lambda x: wg.sin(wg.linalg.qr(x)[0]).sum()), x)


@pytest.mark.parametrize("n", [1, 3, 30])
def test_eigenvalues(n: int) -> None:
    x = RNG.normal(size=(2, n, n))
    natively(lambda x: wg.linalg.eigh(x)[0], x)

    def squared(x: Any) -> Any:
        values, vectors = wg.linalg.eigh(x)
        return (vectors * wg.exp(0.1 * values)[..., None, :]) @ wg.swapaxes(vectors, -1, -2)

    natively(squared, x)
    natively(wg.grad(lambda x: squared(x).sum()), x)


def test_factors_of_what_is_singular() -> None:
    natively(lambda x: tuple(wg.scipy.linalg.lu(x, p_indices=True)), np.ones((3, 3)))
    natively(lambda x: wg.linalg.pinv(x), np.ones((3, 4)))
    natively(lambda x: wg.linalg.pinv(x), np.zeros((3, 2)))
