"""``wengert.optimize``: SciPy's optimisers with exact derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import NonlinearConstraint, rosen, rosen_der, rosen_hess

import wengert as wg

START = np.array([-1.2, 1.0, 0.7])


def rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    "method",
    "CG BFGS L-BFGS-B TNC SLSQP Newton-CG trust-ncg trust-krylov trust-exact dogleg trust-constr".split(),
)
def test_every_method_with_derivatives_finds_the_minimum(method: str, jit: bool) -> None:
    options = {"maxfun": 500} if method == "TNC" else {"maxiter": 500}
    start = np.array([1.05, 1.1, 1.2]) if method == "dogleg" else START  # dogleg needs a positive definite Hessian
    found = wg.optimize.minimize(rosenbrock, start, method=method, jit=jit, options=options)
    assert isinstance(found.x, wg.Tensor)
    np.testing.assert_allclose(found.x.numpy(), 1, atol=2e-2 if method == "TNC" else 2e-3)


def test_the_derivatives_are_those_by_hand() -> None:
    import scipy.optimize

    ours = wg.optimize.minimize(rosenbrock, START, method="trust-exact")
    theirs = scipy.optimize.minimize(rosen, START, jac=rosen_der, hess=rosen_hess, method="trust-exact")
    assert (ours.nit, ours.nfev, ours.nhev) == (theirs.nit, theirs.nfev, theirs.nhev)
    np.testing.assert_allclose(ours.x.numpy(), theirs.x, rtol=1e-9)


@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell"])
def test_methods_by_values(method: str) -> None:
    found = wg.optimize.minimize(lambda x: ((x - 2) ** 2).sum(), wg.zeros(2), method=method)
    np.testing.assert_allclose(found.x.numpy(), 2, atol=1e-3)


def test_containers_keep_their_structure_shapes_and_dtypes() -> None:
    start = {"w": np.zeros((2, 3), np.float32), "rest": (0.0, [wg.zeros(2)])}
    seen: list[Any] = []

    def loss(p: Any) -> Any:
        return ((p["w"] - 1) ** 2).sum() + (p["rest"][0] - 2) ** 2 + ((p["rest"][1][0] - 3) ** 2).sum()

    found = wg.optimize.minimize(loss, start, callback=seen.append)
    assert wg.tree_structure(found.x) == wg.tree_structure(start) == wg.tree_structure(seen[-1])
    assert (found.x["w"].shape, found.x["w"].dtype) == ((2, 3), np.float32)
    for leaf, value in zip(wg.tree_leaves(found.x), (2, 3, 1), strict=True):
        np.testing.assert_allclose(leaf.numpy(), value, rtol=1e-4)
    assert not start["w"].any()
    assert found.jac.shape == (9,)


def test_python_control_flow_runs_eagerly() -> None:
    def f(x: Any) -> Any:
        return (x - 1) ** 2 if float(x) < 5 else x

    assert wg.optimize.minimize(f, 0.0).x == pytest.approx(1.0)


def test_bounds_and_extra_arguments() -> None:
    found = wg.optimize.minimize(lambda x, c: ((x - c) ** 2).sum(), np.zeros(2), (5.0,), bounds=[(0, 1), (None, None)])
    np.testing.assert_allclose(found.x.numpy(), [1, 5])


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints_take_containers(method: str) -> None:
    # The point of the unit circle nearest to (2, 0), twice: by a dictionary and by SciPy's class.
    def circle(p: Any) -> Any:
        return p["x"] ** 2 + p["y"] ** 2 - 1

    for constraint in ({"type": "eq", "fun": circle}, NonlinearConstraint(circle, 0, 0)):
        found = wg.optimize.minimize(
            lambda p: (p["x"] - 2) ** 2 + p["y"] ** 2, {"x": 0.5, "y": 0.5}, method=method, constraints=constraint
        )
        np.testing.assert_allclose([float(found.x["x"]), float(found.x["y"])], [1, 0], atol=1e-3)


@pytest.mark.parametrize("keywords", [{}, {"method": "lm"}, {"jit": False}, {"sparse": True}])
def test_least_squares(keywords: dict[str, Any]) -> None:
    t = np.linspace(0, 2, 30)
    y = 3 * np.exp(-1.5 * t) + 0.5
    start = {"scale": 1.0, "rate": 1.0, "offset": 0.0}
    found = wg.optimize.least_squares(
        lambda p: {"r": p["scale"] * wg.exp(-p["rate"] * t) + p["offset"] - y}, start, **keywords
    )
    assert {k: round(float(v), 5) for k, v in found.x.items()} == {"scale": 3.0, "rate": 1.5, "offset": 0.5}


def test_a_sparse_jacobian_reaches_scipy() -> None:
    found = wg.optimize.least_squares(lambda x: x[1:] * x[:-1] - 1, np.full(200, 1.3), sparse=True)
    assert found.jac.nnz == 398
    assert found.cost < 1e-12


@pytest.mark.parametrize("method", ["hybr", "lm", "krylov"])
def test_root(method: str) -> None:
    found = wg.optimize.root(lambda p: (p[0] ** 2 + p[1] - 3, p[0] - p[1] ** 2 + 3), (0.9, 1.9), method=method)
    np.testing.assert_allclose([float(x) for x in found.x], [1, 2], atol=1e-5)


def test_clear_errors() -> None:
    with pytest.raises(wg.GradientError, match=r"objective must return a scalar, and returned shape \(3,\)"):
        wg.optimize.minimize(lambda x: x**2, np.ones(3))
    with pytest.raises(wg.GradientError, match="returned a tuple"):
        wg.optimize.minimize(lambda x: (x, x), 1.0)
    for call in (wg.optimize.minimize, wg.optimize.least_squares, wg.optimize.root):
        with pytest.raises(wg.GradientError, match=r"dtype int64.*pass 3.0 instead of 3"):
            call(lambda x: x, 3)
        with pytest.raises(wg.GradientError, match="no elements"):
            call(lambda x: x, ())
    with pytest.raises(wg.GradientError, match="unknown method 'newton'"):
        wg.optimize.minimize(lambda x: x, 1.0, method="newton")
    with pytest.raises(wg.ShapeError, match="1 equations for 2 unknowns"):
        wg.optimize.root(lambda x: x.sum(), np.ones(2))
    with pytest.raises(wg.GradientError, match="complex"):
        wg.optimize.least_squares(lambda x: x * 1j, 1.0)
