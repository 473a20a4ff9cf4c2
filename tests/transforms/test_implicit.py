"""Implicit derivatives against closed forms: both modes, any order, batches, solvers of all kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg

RNG = np.random.default_rng(0)
A = RNG.standard_normal((3, 3)) + 4 * np.eye(3)
S = A @ A.T
B = RNG.standard_normal(3)


def newton(f: Any, x: Any) -> Any:
    """Newton's method with control flow in Python, for scalars."""
    for _ in range(60):
        step = f(x) / wg.grad(f)(x)
        x = x - step
        if abs(float(step)) < 1e-14:
            break
    return x


def steps(f: Any, x: Any) -> Any:
    """Newton's method as a loop of the graph."""
    return wg.fori_loop(0, 40, lambda i, v: v - f(v) / wg.grad(f)(v), x)


def conjugate_gradients(matvec: Any, b: Any) -> Any:
    x, r = wg.zeros(b.shape), b
    p = r
    for _ in range(b.size):
        q = matvec(p)
        a = (r @ r) / (p @ q)
        new = r - a * q
        x, p, r = x + a * p, new + (new @ new) / (r @ r) * p, new
    return x


def cube_root(solve: Any = None) -> Any:
    return lambda p: wg.custom_root(lambda x: x**3 - p, 1.5, solve)


SOLVERS = {"default": None, "python": newton, "loop": steps}


@pytest.mark.parametrize("solver", SOLVERS)
def test_derivatives_of_any_order_in_both_modes(solver: str) -> None:
    f = cube_root(SOLVERS[solver])
    p = 8.0
    # x = p^(1/3): x' = 1/12, x'' = -2/9 p^(-5/3) = -1/144, x''' = 10/27 p^(-8/3) = 5/3456.
    exact = [2.0, 1 / 12, -1 / 144, 5 / 3456]
    push = lambda g: lambda x: wg.jvp(g, (x,), (wg.tensor(1.0),))[1]  # noqa: E731
    for modes in ([], [wg.grad], [push], [wg.grad] * 2, [push, wg.grad], [wg.grad, push], [push] * 2, [wg.grad] * 3):
        g = f
        for mode in modes:
            g = mode(g)
        assert float(g(wg.tensor(p))) == pytest.approx(exact[len(modes)], rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_batches(solver: str) -> None:
    f = cube_root(SOLVERS[solver])
    p = np.array([1.0, 8.0, 27.0])
    assert np.allclose(wg.vmap(f)(wg.tensor(p)).numpy(), [1, 2, 3])
    assert np.allclose(wg.vmap(wg.grad(f))(wg.tensor(p)).numpy(), 1 / (3 * np.cbrt(p) ** 2))
    assert np.allclose(wg.grad(lambda v: wg.vmap(f)(v).sum())(wg.tensor(p)).numpy(), 1 / (3 * np.cbrt(p) ** 2))
    moved = wg.jvp(wg.vmap(f), (wg.tensor(p),), (wg.ones(3),))[1]
    assert np.allclose(moved.numpy(), 1 / (3 * np.cbrt(p) ** 2))
    assert np.allclose(wg.vmap(wg.grad(wg.grad(f)))(wg.tensor(p)).numpy(), -2 / 9 * p ** (-5 / 3))


def test_a_parameter_shared_by_a_batch_has_the_sum_of_the_gradients() -> None:
    def f(p: Any, q: Any) -> Any:
        inner = lambda p, q: wg.custom_root(lambda x: x - p * q, 0.0)  # noqa: E731
        return wg.vmap(wg.vmap(inner, in_axes=(None, 0)), in_axes=(0, None))(p, q)

    p, q = RNG.standard_normal(2), RNG.standard_normal(3)
    weights = RNG.standard_normal((2, 3))
    by_p, by_q = wg.grad(lambda p, q: (f(p, q) * weights).sum(), (0, 1))(wg.tensor(p), wg.tensor(q))
    assert np.allclose(by_p.numpy(), weights @ q)
    assert np.allclose(by_q.numpy(), p @ weights)


@pytest.mark.parametrize("solver", SOLVERS)
def test_traced_and_compiled(solver: str) -> None:
    f = wg.value_and_grad(cube_root(SOLVERS[solver]))
    g = wg.trace(f)(wg.TensorSpec(()))
    # A solver in Python is one operation of the graph; a loop is a loop.
    assert ("solver" in str(g)) == (solver != "loop")
    for call in (g, wg.jit(f)):
        value, slope = call(wg.tensor(8.0))
        assert float(value) == pytest.approx(2.0)
        assert float(slope) == pytest.approx(1 / 12)


def test_containers_and_tracked_tensors() -> None:
    p = wg.tensor([2.0, 3.0], requires_grad=True)

    def f(x: Any) -> Any:
        return {"a": x["a"] ** 2 - p, "b": x["b"] - x["a"].sum() * p[0]}

    x = wg.custom_root(f, {"a": np.ones(2), "b": 1.0})
    assert np.allclose(x["a"].detach().numpy(), np.sqrt([2.0, 3.0]))
    x["b"].backward()
    root = np.sqrt([2.0, 3.0])
    expected = 2.0 * 0.5 / root
    expected[0] += root.sum()
    assert np.allclose(p.grad.numpy(), expected)  # type: ignore[union-attr]


def test_root_with_iterative_solves() -> None:
    def f(p: Any) -> Any:
        slopes = {"tangent_solve": conjugate_gradients, "transpose_solve": conjugate_gradients}
        return wg.custom_root(lambda x: wg.tensor(S) @ x + x**3 - p, np.zeros(3), **slopes)

    x = f(wg.tensor(B))
    expected = np.linalg.inv(S + np.diag(3 * x.numpy() ** 2))
    assert np.allclose(wg.jacrev(f)(wg.tensor(B)).numpy(), expected)
    assert np.allclose(wg.jacfwd(f)(wg.tensor(B)).numpy(), expected)
    second = wg.jacfwd(wg.jacrev(f))(wg.tensor(B)).numpy()
    closed = -np.einsum("ia,a,aj,ak->ijk", expected, 6 * x.numpy(), expected, expected)
    assert np.allclose(second, closed)


def test_linear_solve() -> None:
    def f(a: Any, b: Any) -> Any:
        def dense(matvec: Any, v: Any) -> Any:
            return np.linalg.solve(wg.jacfwd(matvec)(wg.zeros(3)), v)

        return wg.custom_linear_solve(lambda x: a @ x, b, dense, transpose_solve=dense)

    a, b = wg.tensor(A), wg.tensor(B)
    assert np.allclose(f(a, b).numpy(), np.linalg.solve(A, B))
    for transform in (wg.jacrev, wg.jacfwd):
        by_a, by_b = transform(f, (0, 1))(a, b)
        inverse = np.linalg.inv(A)
        assert np.allclose(by_b.numpy(), inverse)
        assert np.allclose(by_a.numpy(), -np.einsum("ij,k->ijk", inverse, inverse @ B))
    ours = wg.hessian(lambda a, b: (f(a, b) ** 2).sum(), (0, 1))(a, b)
    theirs = wg.hessian(lambda a, b: (np.linalg.solve(a, b) ** 2).sum(), (0, 1))(a, b)
    for row, other in zip(ours, theirs, strict=True):
        for one, two in zip(row, other, strict=True):
            assert np.allclose(one.numpy(), two.numpy())
    stacks = wg.tensor(np.stack([B, 2 * B]))
    assert np.allclose(wg.vmap(f, in_axes=(None, 0))(a, stacks).numpy()[1], 2 * np.linalg.solve(A, B))


def test_conjugate_gradients_serve_both_modes() -> None:
    def f(b: Any) -> Any:
        return wg.custom_linear_solve(lambda x: wg.tensor(S) @ x, b, conjugate_gradients, symmetric=True)

    assert np.allclose(wg.jacrev(f)(wg.tensor(B)).numpy(), np.linalg.inv(S))
    assert np.allclose(wg.jacfwd(f)(wg.tensor(B)).numpy(), np.linalg.inv(S))


def test_fixed_point() -> None:
    f = lambda p: wg.custom_fixed_point(lambda x: np.cos(p * x), 0.5)  # noqa: E731
    x = float(f(wg.tensor(0.8)))
    assert x == pytest.approx(np.cos(0.8 * x))
    slope = -x * np.sin(0.8 * x) / (1 + 0.8 * np.sin(0.8 * x))
    assert float(wg.grad(f)(0.8)) == pytest.approx(slope)
    assert float(wg.jvp(f, (0.8,), (1.0,))[1]) == pytest.approx(slope)
    eps = 1e-5
    assert float(wg.grad(wg.grad(f))(0.8)) == pytest.approx(
        (float(wg.grad(f)(0.8 + eps)) - float(wg.grad(f)(0.8 - eps))) / (2 * eps), rel=1e-6
    )
    found = wg.vmap(wg.grad(f))(wg.tensor([0.8, 0.3]))
    assert float(found[0]) == pytest.approx(slope)


def test_argmin() -> None:
    # Ridge regression: x = (X'X + p I)^-1 X'y, so x' = -(X'X + p I)^-1 x.
    features, targets = RNG.standard_normal((10, 3)), RNG.standard_normal(10)

    def ridge(p: Any) -> Any:
        def loss(x: Any) -> Any:
            return ((wg.tensor(features) @ x - targets) ** 2).sum() + p * (x**2).sum()

        return wg.custom_argmin(loss, np.zeros(3))

    inverse = np.linalg.inv(features.T @ features + 0.7 * np.eye(3))
    x = inverse @ features.T @ targets
    assert np.allclose(ridge(wg.tensor(0.7)).numpy(), x)
    for transform in (wg.jacfwd, wg.jacrev):
        assert np.allclose(transform(ridge)(wg.tensor(0.7)).numpy(), -inverse @ x)
        assert np.allclose(wg.jacfwd(transform(ridge))(wg.tensor(0.7)).numpy(), 2 * inverse @ inverse @ x)


def test_a_solver_may_be_anything() -> None:
    calls = [0]

    def table(f: Any, x0: Any) -> Any:
        calls[0] += 1
        return 3.0

    assert float(wg.grad(lambda p: wg.custom_root(lambda x: x * x - p, 1.0, table))(9.0)) == pytest.approx(1 / 6)
    assert calls == [1]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: wg.custom_root(lambda x: x[0], wg.ones(2)), wg.ShapeError, "the function returns shapes"),
        (lambda: wg.custom_root(lambda x: (x, x), 1.0), wg.ContainerError, "the function returns the structure"),
        (lambda: wg.custom_root(lambda x: x, 1), wg.GradientError, "has dtype int64"),
        (lambda: wg.custom_root(lambda x: x * x + 1, 1.0), wg.ConvergenceError, "no root was found"),
        (lambda: wg.custom_root(lambda x: x if x > 0 else -x, 1.0), wg.TraceError, "cannot branch"),
        (lambda: wg.custom_root(lambda x: x, 1.0, lambda f, x: (x,)), wg.ContainerError, "the solver returned"),
        (lambda: wg.custom_root(lambda x: x, 1.0, lambda f, x: np.ones(2)), wg.ShapeError, "the solver returned shape"),
        (lambda: wg.custom_fixed_point(lambda x: 2 * x + 1, 1.0), wg.ConvergenceError, "no fixed point"),
        (lambda: wg.custom_argmin(lambda x: x, wg.ones(2)), wg.GradientError, "must return one scalar"),
        (
            lambda: wg.custom_linear_solve(lambda x: x[:1], wg.ones(2), lambda f, b: b),
            wg.ShapeError,
            r"maps shape \(2,\) to \(1,\)",
        ),
        (
            lambda: wg.grad(lambda b: wg.custom_linear_solve(lambda x: 2 * x, b, lambda f, b: b / 2).sum())(wg.ones(2)),
            wg.GradientError,
            "reverse mode needs transpose_solve",
        ),
    ],
)
def test_errors(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()
