"""Native sweeps back through loops that hold a few states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=5), RNG.normal(size=(5, 5)) * 0.4


def same(f: Any, *args: Any, tolerance: float = 1e-10) -> None:
    """The compiled function against the interpreted one; all of it is native."""
    compiled = wg.jit(f)
    wanted, found = wg.tree_leaves(f(*args)), wg.tree_leaves(compiled(*args))
    for a, b in zip(wanted, found, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=tolerance, atol=tolerance)
    assert compiled.lower(*args).not_native == {}


def until(steps: int, slots: int) -> Any:
    def f(w: Any, x: Any) -> Any:
        go, step = lambda c: c[1] < steps, lambda c: (wg.tanh(w @ c[0]) + x * 0.1, c[1] + 1)
        return (wg.while_loop(go, step, (x, 0), checkpoint=slots)[0] ** 2).sum()

    return f


@pytest.mark.parametrize("slots", [1, 2, 3, 7])
def test_while_loops_of_any_length(slots: int) -> None:
    for steps in (0, 1, 2, 3, 4, 5, 9, 17, 64, 101):
        same(wg.value_and_grad(until(steps, slots), (0, 1)), W, X)


def test_the_number_of_steps_is_found_at_every_call() -> None:
    def f(x: Any, limit: Any) -> Any:
        return wg.while_loop(lambda c: (c * c).sum() < limit, lambda c: c * 1.1 + 0.01, x, checkpoint=4).sum()

    g = wg.jit(wg.grad(f))
    for limit in (0.1, 10.0, 1e4, 1e9):
        np.testing.assert_allclose(g(X, limit).numpy(), wg.grad(f)(X, limit).numpy(), rtol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("slots", [1, 2, 3, 20])
def test_scans(slots: int, reverse: bool) -> None:
    def f(w: Any, x: Any, xs: Any) -> Any:
        def step(c: Any, r: Any) -> Any:
            return wg.tanh(w @ c) + r * 0.1, c * r

        c, ys = wg.scan(step, x, xs, checkpoint="revolve", slots=slots, reverse=reverse)
        return (c**2).sum() + (ys * xs[::-1]).sum()

    for length in (1, 2, 3, 17, 60):
        same(wg.value_and_grad(f, (0, 1, 2)), W, X, RNG.normal(size=(length, 5)))


def test_a_scan_over_nothing_but_a_length() -> None:
    def f(x: Any) -> Any:
        c, ys = wg.scan(lambda c, _: (wg.sin(c) * 1.1, c.sum()), x, None, length=13, checkpoint="revolve", slots=3)
        return c.sum() + (ys**2).sum()

    same(wg.grad(f), X)


def test_only_some_operands_are_wanted_and_states_are_of_several_dtypes() -> None:
    def f(w: Any, x: Any, shift: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            return (wg.tanh(w @ c[0]) + shift, c[1] * 0.5 + c[0][0].astype(np.float32), c[2] + 2), None

        a, b, n = wg.scan(step, (x, np.float32(1.5), 3), None, length=11, checkpoint="revolve", slots=2)[0]
        return a.sum() * b + n

    for argnums in (0, 1, 2, (0, 2)):
        same(wg.grad(f, argnums), W, X, RNG.normal(size=5), tolerance=1e-6)


def test_large_states() -> None:
    x = RNG.normal(size=(40, 30))

    def f(x: Any) -> Any:
        def step(c: Any) -> Any:
            return wg.sin(c[0]) + c[0][::-1] * 0.1, c[1] + 1

        return wg.while_loop(lambda c: c[1] < 25, step, (x, 0), checkpoint=4)[0].sum()

    same(wg.grad(f), x)


def test_second_derivatives_and_batches() -> None:
    f = until(9, 3)
    same(wg.hessian(lambda x: f(W, x)), X, tolerance=1e-8)
    same(lambda x: wg.hvp(lambda x: f(W, x), (x,), (X,)), X, tolerance=1e-8)
    same(wg.vmap(wg.grad(lambda x: f(W, x))), RNG.normal(size=(4, 5)))
    same(wg.grad(wg.checkpoint(lambda x: f(W, x))), X)


def test_loops_within_loops() -> None:
    def f(x: Any) -> Any:
        def inner(c: Any) -> Any:
            return wg.while_loop(lambda d: d[1] < 3, lambda d: (wg.sin(d[0]) + c, d[1] + 1), (c, 0), checkpoint=2)

        return wg.scan(lambda c, _: (inner(c)[0] * 0.9, None), x, None, length=7, checkpoint="revolve", slots=2)[
            0
        ].sum()

    same(wg.grad(f), X)


def test_a_failure_inside_is_the_error_of_the_operation() -> None:
    table = np.arange(4.0)

    def f(x: Any, k: Any) -> Any:
        def step(c: Any) -> Any:
            return c[0] * wg.tensor(table)[c[1]], c[1] + 1

        return wg.while_loop(lambda c: c[1] < k, step, (x, 1), checkpoint=2)[0].sum()

    g = wg.jit(wg.grad(f))
    np.testing.assert_allclose(g(X, 4).numpy(), 6.0)
    with pytest.raises(wg.IndexRangeError):
        g(X, 6)
