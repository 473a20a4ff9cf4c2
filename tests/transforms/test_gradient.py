"""Transforms of functions: against formulas, nested in every order, and without confusing their perturbations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import wengert as wg


def scalar(x: Any) -> Any:
    return (x * x * x).sum() + np.sin(x[0] * x[1])


X = np.array([0.3, -0.8, 1.2])


def exact_gradient(x: np.ndarray) -> np.ndarray:
    g = 3 * x**2
    c = np.cos(x[0] * x[1])
    return g + np.array([x[1] * c, x[0] * c, 0.0])


def exact_hessian(x: np.ndarray) -> np.ndarray:
    h = np.diag(6 * x)
    p = x[0] * x[1]
    s, c = np.sin(p), np.cos(p)
    h[0, 0] -= x[1] ** 2 * s
    h[1, 1] -= x[0] ** 2 * s
    h[0, 1] = h[1, 0] = c - p * s
    return h


def test_grad_and_value() -> None:
    value, g = wg.value_and_grad(scalar)(wg.tensor(X))
    assert float(value) == pytest.approx(float(scalar(X)))
    assert np.allclose(g.numpy(), exact_gradient(X))
    assert not g.requires_grad
    assert not value.requires_grad


def test_numbers_and_arrays_are_arguments_too() -> None:
    assert float(wg.grad(lambda x: x**3)(2.0)) == 12.0
    assert np.allclose(wg.grad(scalar)(X).numpy(), exact_gradient(X))


def test_argnums_auxiliary_results_and_keywords() -> None:
    def f(x: Any, y: Any, scale: float = 1.0) -> Any:
        return scale * x * y**2, {"sum": x + y}

    (gx, gy), aux = wg.grad(f, argnums=(0, -1), has_aux=True)(2.0, 3.0, scale=10.0)
    assert (float(gx), float(gy), float(aux["sum"])) == (90.0, 120.0, 5.0)
    (value, aux), g = wg.value_and_grad(f, argnums=1, has_aux=True)(2.0, 3.0)
    assert (float(value), float(g), float(aux["sum"])) == (18.0, 12.0, 5.0)


def test_containers() -> None:
    parameters = {"w": [wg.tensor([1.0, 2.0]), wg.tensor(3.0)], "b": (wg.tensor(4.0), None)}
    found = wg.grad(lambda p: (p["w"][0] * p["w"][1]).sum() * p["b"][0])(parameters)
    assert found["w"][0].tolist() == [12.0, 12.0]
    assert (float(found["w"][1]), float(found["b"][0]), found["b"][1]) == (12.0, 9.0, None)


def test_an_unused_argument_has_gradient_zero() -> None:
    assert wg.grad(lambda x, y: x.sum(), argnums=1)(wg.ones(2), wg.ones(3)).tolist() == [0.0] * 3
    assert float(wg.grad(lambda x: 3.0 * wg.tensor(1.0))(1.0)) == 0.0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: wg.grad(lambda x: x)(wg.ones(3)), r"must return a scalar, and returned shape \(3,\)"),
        (lambda: wg.grad(lambda x: x)(3), "an argument has dtype int64"),
        (lambda: wg.grad(lambda x: x * 1j)(wg.tensor(1.0)), "returned a complex number"),
        (lambda: wg.grad(lambda x: x, argnums=1)(1.0), "argnums 1 does not name one of 1"),
        (lambda: wg.jvp(wg.sin, (wg.ones(2),), (wg.ones(3),)), r"a tangent has shape \(3,\), and its primal \(2,\)"),
        (lambda: wg.vjp(wg.sin, wg.ones(2))[1](wg.ones(3)), r"a cotangent has shape \(3,\), and the result \(2,\)"),
    ],
)
def test_what_has_no_gradient_is_an_error(call: Any, text: str) -> None:
    with pytest.raises(wg.GradientError, match=text):
        call()


def test_structures_must_agree() -> None:
    with pytest.raises(wg.ContainerError, match="the tangents have structure"):
        wg.jvp(lambda p: p[0], ((wg.ones(2),),), ([wg.ones(2)],))
    _, pull = wg.vjp(lambda x: {"y": x}, wg.ones(2))
    with pytest.raises(wg.ContainerError, match="the cotangent has structure"):
        pull(wg.ones(2))


HESSIANS = {
    f"{outer.__name__} of {inner.__name__}": (outer, inner)
    for outer, inner in itertools.product((wg.jacfwd, wg.jacrev), (wg.jacfwd, wg.jacrev, wg.grad))
}


@pytest.mark.parametrize("name", HESSIANS)
def test_hessian_by_every_nesting(name: str) -> None:
    outer, inner = HESSIANS[name]
    found = outer(inner(scalar))(wg.tensor(X))
    assert found.shape == (3, 3)
    assert np.allclose(found.numpy(), exact_hessian(X))


@pytest.mark.parametrize("modes", list(itertools.product((wg.jacfwd, wg.jacrev), repeat=3)))
def test_third_derivatives_by_every_nesting(modes: Any) -> None:
    a, b, c = modes
    found = a(b(c(lambda x: (x**4).sum())))(wg.tensor([0.5, 2.0])).numpy()
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 0], expected[1, 1, 1] = 24 * 0.5, 24 * 2.0
    assert np.allclose(found, expected)


def test_hvp_and_linearize() -> None:
    v = np.array([1.0, -2.0, 0.5])
    assert np.allclose(wg.hvp(scalar, (wg.tensor(X),), (wg.tensor(v),)).numpy(), exact_hessian(X) @ v)
    value, push = wg.linearize(wg.sin, wg.tensor(X))
    assert np.allclose(value.numpy(), np.sin(X))
    assert np.allclose(push(wg.tensor(v)).numpy(), np.cos(X) * v)


def test_jacobian_shapes_are_those_of_the_result_and_then_of_the_argument() -> None:
    a = np.random.default_rng(0).standard_normal((4, 3))
    for mode in (wg.jacfwd, wg.jacrev):
        assert np.allclose(mode(lambda x: wg.tensor(a) @ x)(wg.tensor(X)).numpy(), a)
        assert mode(lambda m: m @ wg.tensor(X))(wg.tensor(a)).shape == (4, 4, 3)
        found = mode(lambda x: {"y": x * x, "z": x.sum()})(wg.tensor(X))
        assert found["y"].shape == (3, 3)
        assert found["z"].tolist() == [1.0] * 3


# -- perturbation confusion (Siskind and Pearlmutter, "Confusion of tagged perturbations in forward automatic
# differentiation", 2005): d/dx [x * d/dy (x + y)] = 1 at any x; confused levels give 2 -----------------------------


def push(f: Any) -> Any:
    return lambda x: wg.jvp(f, (x,), (wg.tensor(1.0),))[1]


@pytest.mark.parametrize(("outer", "inner"), list(itertools.product((push, wg.grad), repeat=2)))
def test_no_perturbation_confusion(outer: Any, inner: Any) -> None:
    assert float(outer(lambda x: x * inner(lambda y: x + y)(wg.tensor(1.0)))(wg.tensor(1.0))) == 1.0
    assert float(outer(lambda x: inner(lambda y: x * y * y)(x))(wg.tensor(3.0))) == 12.0
    assert float(outer(lambda x: x * inner(lambda y: wg.tensor(5.0) * x)(wg.tensor(2.0)))(wg.tensor(1.0))) == 0.0


def test_closures_over_tracked_tensors_keep_their_gradient() -> None:
    w = wg.tensor(3.0, requires_grad=True)
    (wg.grad(lambda x: w * x * x)(wg.tensor(2.0))).backward()
    assert float(w.grad) == 4.0  # type: ignore[arg-type]
    x = wg.tensor(2.0, requires_grad=True)
    wg.grad(lambda v: w * v**3)(x).backward()
    assert float(x.grad) == 36.0  # type: ignore[arg-type]
    w.grad = None
    wg.jvp(lambda v: w * v * v, (wg.tensor(2.0),), (wg.tensor(1.0),))[1].backward()
    assert float(w.grad) == 4.0  # type: ignore[arg-type]


def test_grad_works_inside_no_grad_and_leaves_no_graph_behind() -> None:
    with wg.no_grad():
        g = wg.grad(lambda x: x**3)(wg.tensor(2.0))
    assert float(g) == 12.0
    assert not wg.grad(lambda x: x**3)(wg.tensor(2.0)).requires_grad


# -- vmap -----------------------------------------------------------------------------------------------------------


def test_vmap_axes_and_containers() -> None:
    a = np.random.default_rng(1).standard_normal((2, 3, 4))

    def f(d: Any, c: Any) -> Any:
        return {"s": d["x"].sum(axis=0) * c, "c": c}

    mapped = wg.vmap(f, in_axes=({"x": 1}, None), out_axes={"s": 1, "c": None})
    found = mapped({"x": wg.tensor(a)}, wg.tensor(2.0))
    assert np.allclose(found["s"].numpy(), 2 * a.sum(axis=0).T)
    assert float(found["c"]) == 2.0


def test_nested_vmap_is_an_outer_product() -> None:
    x, y = np.arange(3.0), np.arange(4.0)
    f = wg.vmap(wg.vmap(lambda a, b: a * b, in_axes=(None, 0)), in_axes=(0, None))
    assert np.allclose(f(wg.tensor(x), wg.tensor(y)).numpy(), np.outer(x, y))


def test_gradients_of_each_sample() -> None:
    w = np.array([1.0, -2.0])
    xs = np.random.default_rng(2).standard_normal((5, 2))
    found = wg.vmap(wg.grad(lambda w, x: (w @ x).tanh()), in_axes=(None, 0))(wg.tensor(w), wg.tensor(xs))
    assert np.allclose(found.numpy(), (1 - np.tanh(xs @ w) ** 2)[:, None] * xs)


def test_vmap_of_hessian_and_gradient_of_vmap() -> None:
    xs = np.random.default_rng(3).standard_normal((4, 3))
    assert np.allclose(wg.vmap(wg.hessian(scalar))(wg.tensor(xs)).numpy(), np.stack([exact_hessian(x) for x in xs]))
    assert np.allclose(
        wg.grad(lambda m: wg.vmap(scalar)(m).sum())(wg.tensor(xs)).numpy(), np.stack([exact_gradient(x) for x in xs])
    )
    assert np.allclose(
        wg.jvp(wg.vmap(scalar), (wg.tensor(xs),), (wg.ones((4, 3)),))[1].numpy(),
        [exact_gradient(x).sum() for x in xs],
    )


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: wg.vmap(wg.add)(wg.ones(3), wg.ones(4)), wg.ShapeError, r"lengths \[3, 4\]"),
        (lambda: wg.vmap(wg.sin, in_axes=1)(wg.ones(3)), wg.ShapeError, "axis 1 is out of range"),
        (lambda: wg.vmap(wg.sin, in_axes=None)(wg.ones(3)), wg.ShapeError, "maps over no argument"),
        (lambda: wg.vmap(wg.sin, in_axes=(0, 0))(wg.ones(3)), wg.ContainerError, "does not fit"),
        (lambda: wg.vmap(wg.sin, out_axes=None)(wg.ones(3)), wg.ShapeError, "differs along the batch"),
        (lambda: wg.vmap(lambda x: x if x > 0 else -x)(wg.ones(3)), wg.TransformError, r"use wengert\.where"),
    ],
)
def test_errors_of_vmap(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_tensor_that_escapes_its_transform_is_dead() -> None:
    escaped: list[Any] = []

    def leak(x: Any) -> Any:
        escaped.append(x)
        return x

    wg.jvp(leak, (wg.tensor(1.0),), (wg.tensor(1.0),))
    with pytest.raises(wg.TransformError, match="used after the transform had ended"):
        escaped[0] * 2
    wg.vmap(leak)(wg.ones(2))
    with pytest.raises(wg.TransformError, match="used after the transform had ended"):
        escaped[1] * 2
