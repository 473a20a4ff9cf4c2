"""``wengert.scipy.integrate``: differential equations against their solutions, integrals against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import wengert as wg
from tests.laws.samples import normal, positive
from wengert.core.errors import ConvergenceError, ShapeError, TransformError
from wengert.scipy import integrate

A = np.array([[-0.3, 2.0], [-1.5, -0.1]])
Y0 = np.array([1.0, -0.5])
T = np.array([0.0, 0.4, 1.1, 3.0])


def weighted(solve, weights):  # type: ignore[no-untyped-def]
    return lambda *arguments: (solve(*arguments) * weights).sum()


def cubed(solve, primals):  # type: ignore[no-untyped-def]
    return lambda y: (solve(primals[0], y, primals[2]) ** 3).sum()


def test_a_linear_system_has_the_matrix_exponential_and_its_derivatives() -> None:
    def ours(a, y0, t):  # type: ignore[no-untyped-def]
        return integrate.odeint(lambda y, t, a: a @ y, y0, t, (a,), rtol=1e-10, atol=1e-12)

    def exact(a, y0, t):  # type: ignore[no-untyped-def]
        return wg.stack([wg.linalg.expm(a * (one - t[0])) @ y0 for one in t])

    primals = tuple(map(wg.tensor, (A, Y0, T)))
    np.testing.assert_allclose(ours(*primals).numpy(), exact(*primals).numpy(), atol=1e-9)
    tangents = tuple(map(wg.tensor, (normal(2, 2), normal(2), normal(4))))
    moved, expected = (wg.jvp(f, primals, tangents)[1].numpy() for f in (ours, exact))
    np.testing.assert_allclose(moved, expected, atol=1e-7)
    weights = wg.tensor(normal(4, 2))
    for position in (0, 1, 2):
        found, right = (wg.grad(weighted(f, weights), argnums=position)(*primals) for f in (ours, exact))
        np.testing.assert_allclose(found.numpy(), right.numpy(), atol=1e-7)
    curvature, right = (wg.hessian(cubed(f, primals))(primals[1]) for f in (ours, exact))
    np.testing.assert_allclose(curvature.numpy(), right.numpy(), atol=1e-6)


def test_a_nonlinear_equation_as_scipy_solves_it() -> None:
    def predators(y, t, a, b):  # type: ignore[no-untyped-def]
        return np.stack([y[0] * (a - b * y[1]), -y[1] * (1.0 - 0.5 * y[0])])

    times = np.linspace(0, 10, 21)
    expected = scipy.integrate.odeint(predators, [2.0, 1.0], times, (1.1, 0.4), rtol=1e-11, atol=1e-11)
    found = integrate.odeint(predators, [2.0, 1.0], times, (1.1, 0.4))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
    backwards = integrate.odeint(predators, found[-1], times[::-1], (1.1, 0.4))
    np.testing.assert_allclose(backwards[-1].numpy(), [2.0, 1.0], atol=1e-6)
    turned = integrate.odeint(lambda t, y: predators(y, t, 1.1, 0.4), [2.0, 1.0], times, tfirst=True)
    assert np.array_equal(turned.numpy(), found.numpy())


def test_the_gradient_is_that_of_the_numbers_that_come_out() -> None:
    rate = wg.tensor(0.7, requires_grad=True)
    state = wg.tensor([0.1, 0.5], requires_grad=True)
    assert wg.autograd.gradcheck(
        lambda r, y: integrate.odeint(
            lambda y, t: r * y * (1 - y) + wg.sin(t), y, [0.0, 0.5, 2.0], rtol=1e-9, atol=1e-9
        ),
        (rate, state),
    )


def test_the_tolerance_decides_the_error_and_the_work() -> None:
    calls = 0

    def slope(y, t):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        return -y * wg.cos(t)

    work, errors = [], []
    for tolerance in (1e-3, 1e-6, 1e-9):
        calls = 0
        found = integrate.odeint(slope, 1.0, wg.tensor([0.0, 10.0]), rtol=tolerance, atol=tolerance)
        errors.append(abs(found[-1].item() - np.exp(-np.sin(10.0))))
        work.append(calls)
    assert all(error < 30 * tolerance for error, tolerance in zip(errors, (1e-3, 1e-6, 1e-9), strict=True))
    assert work[0] < work[1] < work[2] < 3000


def test_shapes_and_dtypes() -> None:
    y = integrate.odeint(lambda y, t: -y, wg.ones((2, 3), dtype="float32"), [0.0, 1.0], rtol=1e-4, atol=1e-4)
    assert (y.shape, y.dtype) == ((2, 2, 3), np.float32)
    z = integrate.odeint(lambda z, t: 1j * z, wg.tensor(1.0 + 0j), [0.0, np.pi])
    assert abs(z[-1].item() + 1) < 1e-6
    assert integrate.odeint(lambda y, t: -y, 2, [0.0]).tolist() == [2.0]
    assert integrate.odeint(lambda y, t: -y, 2, [1.0, 1.0]).tolist() == [2.0, 2.0]


def test_batches_share_their_steps() -> None:
    rates = wg.tensor([0.5, 4.0])

    def final(rate, y0):  # type: ignore[no-untyped-def]
        return integrate.odeint(lambda y, t: -rate * y, y0, [0.0, 1.0])[-1]

    found = wg.vmap(wg.value_and_grad(final), in_axes=(0, None))(rates, wg.tensor(2.0))
    np.testing.assert_allclose(found[0].numpy(), 2 * np.exp(-rates.numpy()), atol=1e-7)
    np.testing.assert_allclose(found[1].numpy(), -2 * np.exp(-rates.numpy()), atol=1e-7)
    with pytest.raises(TransformError, match="differs along the batch"):
        wg.vmap(lambda end: integrate.odeint(lambda y, t: -y, 1.0, wg.stack([0 * end, end])))(rates)


def test_equations_without_a_solution() -> None:
    with pytest.raises(ConvergenceError, match="steps became too short between t = 0 and 2"):
        integrate.odeint(lambda y, t: y * y, 1.0, [0.0, 2.0])
    with pytest.raises(ConvergenceError, match=r"3 steps did not reach t = 50.*Raise mxstep"):
        integrate.odeint(lambda y, t: -y, 1.0, [0.0, 50.0], mxstep=3)
    with pytest.raises(ShapeError, match=r"the slope has shape \(2,\), and the state \(\)"):
        integrate.odeint(lambda y, t: wg.stack([y, y]), 1.0, [0.0, 1.0])
    with pytest.raises(ShapeError, match="the times must be a vector"):
        integrate.odeint(lambda y, t: -y, 1.0, 1.0)


@pytest.mark.parametrize("n", [2, 3, 4, 7, 8])
def test_integrals_of_samples(n: int) -> None:
    y, x = normal(3, n), np.cumsum(positive(n))
    for name in ("trapezoid", "simpson", "cumulative_trapezoid"):
        ours, theirs = getattr(integrate, name), getattr(scipy.integrate, name)
        np.testing.assert_allclose(ours(wg.tensor(y), x).numpy(), theirs(y, x), atol=1e-12)
        np.testing.assert_allclose(
            ours(wg.tensor(y.T), dx=0.3, axis=0).numpy(), theirs(y.T, dx=0.3, axis=0), atol=1e-12
        )
        leaves = (wg.tensor(y, requires_grad=True), wg.tensor(x, requires_grad=True))
        assert wg.autograd.gradcheck(ours, leaves)
    found = integrate.cumulative_trapezoid(wg.tensor(y), x, initial=0)
    np.testing.assert_allclose(found.numpy(), scipy.integrate.cumulative_trapezoid(y, x, initial=0), atol=1e-12)


def test_integrals_of_functions() -> None:
    assert wg.autograd.gradcheck(
        lambda a, b, k: integrate.fixed_quad(lambda x, k: wg.exp(-k * x * x), a, b, (k,), n=20)[0],
        tuple(wg.tensor(one, requires_grad=True) for one in (-0.3, 1.2, 0.8)),
    )
    expected = scipy.integrate.fixed_quad(np.cos, 0.0, 2.0, n=6)[0]
    np.testing.assert_allclose(integrate.fixed_quad(np.cos, 0.0, 2.0, n=6)[0].item(), expected)


def test_mistakes_with_samples() -> None:
    with pytest.raises(ShapeError, match="4 samples need as many places, not 3"):
        integrate.trapezoid(normal(4), normal(3))
    with pytest.raises(ShapeError, match="initial is None or 0"):
        integrate.cumulative_trapezoid(normal(4), initial=1.0)
