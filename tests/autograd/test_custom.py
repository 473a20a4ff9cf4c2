"""custom_vjp and custom_jvp: their rules are used by every transform, in every order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg


@wg.custom_vjp
def power_by_rule(parts: Any, n: int) -> Any:
    return {"y": parts["x"] ** n * parts["c"]}


def forward(parts: Any, n: int) -> Any:
    slope = n * parts["x"] ** (n - 1)
    return power_by_rule.function(parts, n), (parts, slope, n)


def backward(kept: Any, g: Any) -> Any:
    parts, slope, n = kept
    return {"x": g["y"] * slope * parts["c"], "c": g["y"] * parts["x"] ** n}, None


power_by_rule.defvjp(forward, backward)


@wg.custom_jvp
def cube(x: Any, y: Any) -> Any:
    return x**3 * y


cube.defjvp(
    lambda primals, tangents: (
        cube(*primals),
        3 * primals[0] ** 2 * primals[1] * tangents[0] + primals[0] ** 3 * tangents[1],
    )
)

X = np.array([0.5, -1.5])


def by_vjp(x: Any) -> Any:
    return power_by_rule({"x": x, "c": 2.0 * x}, 3)["y"].sum()


def by_jvp(x: Any) -> Any:
    return cube(x, 2.0 * x).sum()


@pytest.mark.parametrize("f", [by_vjp, by_jvp])
def test_every_order_and_transform(f: Any) -> None:
    x = wg.tensor(X)
    assert float(f(x)) == pytest.approx(float((2 * X**4).sum()))
    assert np.allclose(wg.grad(f)(x).numpy(), 8 * X**3)
    assert np.allclose(wg.jacfwd(f)(x).numpy(), 8 * X**3)
    for outer in (wg.jacfwd, wg.jacrev):
        for inner in (wg.jacfwd, wg.jacrev):
            assert np.allclose(outer(inner(f))(x).numpy(), np.diag(24 * X**2))
    assert np.allclose(wg.vmap(wg.grad(f))(wg.tensor(np.stack([X, X + 1]))).numpy(), 8 * np.stack([X, X + 1]) ** 3)
    leaf = wg.tensor(X, requires_grad=True)
    assert wg.autograd.gradcheck(f, leaf)
    assert wg.autograd.gradgradcheck(f, leaf)


def test_a_rule_that_is_not_the_derivative_is_used_all_the_same() -> None:
    @wg.custom_vjp
    def f(x: Any) -> Any:
        return x * x

    f.defvjp(lambda x: (x * x, x), lambda x, g: (100 * g,))
    assert float(wg.grad(f)(2.0)) == 100.0
    assert f(3.0) == 9.0


def test_errors() -> None:
    bare = wg.custom_vjp(lambda x, y: x * y)
    with pytest.raises(wg.GradientError, match=r"has no rules yet; call defvjp"):
        bare(1.0, 2.0)
    with pytest.raises(wg.GradientError, match=r"has no rule yet; call defjvp"):
        wg.custom_jvp(lambda x: x)(1.0)
    bare.defvjp(lambda x, y: (x * y, None), lambda kept, g: (g,))
    with pytest.raises(wg.GradientError, match="returned 1 cotangents for 2 arguments"):
        wg.grad(bare)(1.0, 2.0)
    bare.defvjp(lambda x, y: (x * y, None), lambda kept, g: ([g], g))
    with pytest.raises(wg.ContainerError, match="for argument 0, whose structure is"):
        wg.grad(bare)(1.0, 2.0)
