"""``linearize``: the function runs once, a push only its linear part; ``check_grads`` must find what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg

X = np.array([0.3, -0.8, 1.2])


def branching(x: Any) -> Any:
    return np.sin(x) * x if float(x.sum()) > 0 else x


FUNCTIONS: dict[str, Any] = {
    "traced": lambda x: np.sin(x) * x,
    "branching on a value": branching,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pushes_do_not_call_the_function_again(name: str) -> None:
    calls = [0]

    def f(x: Any) -> Any:
        calls[0] += 1
        return FUNCTIONS[name](x)

    y, push = wg.linearize(f, wg.tensor(X))
    before = calls[0]
    slope = np.sin(X) + X * np.cos(X)
    for t in (np.ones(3), X, np.zeros(3)):
        assert np.allclose(push(wg.tensor(t)).numpy(), slope * t)
    assert np.allclose(y.numpy(), np.sin(X) * X)
    assert not y.requires_grad
    assert calls[0] == before
    assert before == (1 if name == "traced" else 2)


def test_a_push_runs_the_linear_part_only(monkeypatch: Any) -> None:
    from wengert.ops.transcendental import Exp

    runs = [0]
    value = Exp.value

    def counting(self: Any, x: Any) -> Any:
        runs[0] += 1
        return value(x)

    monkeypatch.setattr(Exp, "value", counting)
    _, push = wg.linearize(lambda x: np.exp(x) ** 2, wg.tensor(X))
    after = runs[0]
    assert after > 0
    assert np.allclose(push(wg.ones(3)).numpy(), 2 * np.exp(2 * X))
    assert runs[0] == after


@pytest.mark.parametrize("name", FUNCTIONS)
def test_under_other_transforms(name: str) -> None:
    f = FUNCTIONS[name]

    def slope(x: Any) -> Any:
        return wg.linearize(f, x)[1](wg.ones(3)).sum()

    second = 2 * np.cos(X) - X * np.sin(X)
    assert np.allclose(wg.grad(slope)(wg.tensor(X)).numpy(), second)
    assert np.allclose(wg.jvp(slope, (wg.tensor(X),), (wg.ones(3),))[1].numpy(), second.sum())
    _, push = wg.linearize(f, wg.tensor(X))
    rows = wg.vmap(push)(wg.eye(3))
    assert np.allclose(rows.numpy(), np.diag(np.sin(X) + X * np.cos(X)))


def test_linearize_containers_closures_and_constants() -> None:
    w = wg.tensor(2.0, requires_grad=True)
    y, push = wg.linearize(lambda p, q: {"a": p["x"] * q * w, "b": wg.ones(2), "c": p["x"]}, {"x": 3.0}, 5.0)
    assert float(y["a"]) == 30.0
    moved = push({"x": 1.0}, 10.0)
    assert (float(moved["a"]), moved["b"].tolist(), float(moved["c"])) == (70.0, [0.0, 0.0], 1.0)
    moved["a"].backward()
    assert float(w.grad) == 35.0  # type: ignore[arg-type]


def test_errors_of_linearize() -> None:
    _, push = wg.linearize(np.sin, wg.tensor(X))
    with pytest.raises(wg.GradientError, match=r"a tangent has shape \(2,\), and its primal \(3,\)"):
        push(wg.ones(2))
    with pytest.raises(wg.ContainerError, match="the tangents have structure"):
        push((wg.ones(3),))
    with pytest.raises(wg.GradientError, match="has dtype int64"):
        wg.linearize(np.sin, 3)


# -- check_grads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
def test_right_derivatives_pass(modes: Any) -> None:
    def f(p: Any, k: int, z: Any) -> Any:
        return {"y": np.sin(p["w"]) * p["b"] ** k, "z": (z * z).real, "n": p["w"] > 0}

    args = ({"w": wg.tensor(X), "b": 0.7}, 3, wg.tensor(np.array([1 + 2j])))
    wg.check_grads(f, args, order=3, modes=modes)
    wg.check_grads(lambda x: np.exp(x) * x, (wg.tensor(X.astype(np.float32)),), modes=modes)
    wg.check_grads(np.linalg.inv, (wg.tensor(np.eye(3) + 0.1 * np.outer(X, X)),), modes=modes)


def wrong_vjp() -> Any:
    f = wg.custom_vjp(lambda x: x**2)
    f.defvjp(lambda x: (x**2, x), lambda x, g: (g * x * 2.001,))
    return f


def wrong_second() -> Any:
    """The first derivative is right, the second is not."""
    f = wg.custom_jvp(lambda x: x**3)
    f.defjvp(lambda p, t: (p[0] ** 3, t[0] * 3 * p[0] * wg.stop_gradient(p[0])))
    return f


def test_wrong_derivatives_are_found() -> None:
    with pytest.raises(wg.GradcheckError, match=r"order 1, rev mode, f: <J\^T u, t> is"):
        wg.check_grads(wrong_vjp(), (wg.tensor(X),), modes=("rev",))
    wg.check_grads(wrong_second(), (wg.tensor(X),), order=1)
    with pytest.raises(wg.GradcheckError, match=r"order 2, fwd mode, fwd\(f\): result 0 of J t at \(0,\) is"):
        wg.check_grads(wrong_second(), (wg.tensor(X),), order=2)
    with pytest.raises(wg.GradcheckError, match="order 1"):
        wg.check_grads(lambda x: x * wg.stop_gradient(x), (wg.tensor(X),))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: wg.check_grads(np.sin, (1.0,), modes=("sideways",)), "modes are"),
        (lambda: wg.check_grads(np.sin, (1.0,), order=0), "at least 1"),
        (lambda: wg.check_grads(lambda x: x, (1,)), "no argument is a floating-point number"),
    ],
)
def test_errors_of_check_grads(call: Any, text: str) -> None:
    with pytest.raises(wg.GradientError, match=text):
        call()
