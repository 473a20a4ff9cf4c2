"""Jacobians: containers, several arguments, both modes, what they cost, and which mode is chosen."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

X = np.array([0.3, -0.8, 1.2])
A = np.random.default_rng(0).standard_normal((4, 3))

MODES: dict[str, Any] = {
    "jacfwd": wg.jacfwd,
    "jacrev": wg.jacrev,
    "auto": wg.jacobian,
    "forward": lambda f, *a, **k: wg.jacobian(f, *a, mode="forward", **k),
    "reverse": lambda f, *a, **k: wg.jacobian(f, *a, mode="reverse", **k),
    "one direction at a time": lambda f, *a, **k: wg.jacobian(f, *a, chunk_bytes=1, **k),
}


@pytest.fixture(params=MODES)
def jac(request: Any) -> Any:
    return MODES[request.param]


def counted(f: Callable[..., Any]) -> tuple[Callable[..., Any], list[int]]:
    calls = [0]

    def wrapper(*args: Any) -> Any:
        calls[0] += 1
        return f(*args)

    return wrapper, calls


def test_a_matrix(jac: Any) -> None:
    found = jac(lambda x: np.tanh(wg.tensor(A) @ x))(wg.tensor(X))
    assert np.allclose(found.numpy(), (1 - np.tanh(A @ X) ** 2)[:, None] * A)
    assert found.dtype == np.float64
    assert jac(lambda x: x * x)(np.ones(3, np.float32)).dtype == np.float32


def test_containers_several_arguments_and_keywords(jac: Any) -> None:
    def f(p: Any, v: Any, scale: float = 1.0) -> Any:
        return {"y": scale * p["w"] @ v, "z": (p["b"] * v.sum(), v)}

    p = {"w": wg.tensor(A), "b": wg.tensor(2.0)}
    found = jac(f, (0, -1))(p, wg.tensor(X), scale=3.0)
    by_p, by_v = found["y"]
    assert by_p["w"].shape == (4, 4, 3)
    assert np.allclose(by_p["w"].numpy(), 3 * np.einsum("ik,j->ikj", np.eye(4), X))
    assert not by_p["b"].numpy().any()
    assert np.allclose(by_v.numpy(), 3 * A)
    by_p, by_v = found["z"][0]
    assert np.allclose(by_p["b"].numpy(), X.sum())
    assert np.allclose(by_v.numpy(), 2.0)
    assert np.allclose(found["z"][1][1].numpy(), np.eye(3))


def test_auxiliary_results(jac: Any) -> None:
    found, aux = jac(lambda x: (x * x, {"sum": x.sum(), "name": "f"}), 0, has_aux=True)(wg.tensor(X))
    assert np.allclose(found.numpy(), np.diag(2 * X))
    assert float(aux["sum"]) == pytest.approx(X.sum())
    assert not aux["sum"].requires_grad
    assert aux["name"] == "f"


def test_python_control_flow_on_values(jac: Any) -> None:
    found = jac(lambda x: x * x if x[0] > 0 else x)(wg.tensor(X))
    assert np.allclose(found.numpy(), np.diag(2 * X))


def test_holomorphic_and_complex_valued_functions(jac: Any) -> None:
    z = np.array([1.0 + 2j, -0.5j])
    assert np.allclose(jac(lambda z: z * z * (1 + 1j))(wg.tensor(z)).numpy(), np.diag(2 * z * (1 + 1j)))
    assert np.allclose(jac(lambda x: x * x * (1 + 2j))(wg.tensor(X)).numpy(), np.diag(2 * X * (1 + 2j)))


def test_a_real_function_of_complex_arguments_is_for_reverse_mode() -> None:
    f = lambda z: (z * np.conj(z)).real.sum()  # noqa: E731
    z = np.array([1.0 + 2j, -0.5j])
    for j in (wg.jacrev, wg.jacobian):
        assert np.allclose(j(f)(wg.tensor(z)).numpy(), 2 * z)
    with pytest.raises(wg.GradientError, match="in reverse mode only"):
        wg.jacfwd(f)(wg.tensor(z))


def test_nested_in_every_order() -> None:
    expected = np.zeros((3, 3, 3))
    expected[range(3), range(3), range(3)] = 6.0
    for a, b in itertools.product(MODES.values(), repeat=2):
        assert np.allclose(a(b(lambda x: x**3))(wg.tensor(X)).numpy(), expected * X)


def test_inside_vmap_grad_and_jvp(jac: Any) -> None:
    xs = np.stack([X, 2 * X])
    found = wg.vmap(jac(lambda x: x * x))(wg.tensor(xs))
    assert np.allclose(found.numpy(), np.stack([np.diag(2 * x) for x in xs]))
    assert np.allclose(wg.grad(lambda x: jac(lambda v: v**3)(x).sum())(wg.tensor(X)).numpy(), 6 * X)
    moved = wg.jvp(jac(lambda v: v**3), (wg.tensor(X),), (wg.ones(3),))[1]
    assert np.allclose(moved.numpy(), np.diag(6 * X))
    w = wg.tensor(2.0, requires_grad=True)
    jac(lambda v: w * v * v)(wg.tensor(X)).sum().backward()
    assert float(w.grad) == pytest.approx(2 * X.sum())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["jacfwd", "jacrev", "auto", "forward", "reverse"])
@pytest.mark.parametrize("shape", [(2, 50), (50, 2)])
def test_the_function_is_called_once(name: str, shape: tuple[int, int]) -> None:
    a = np.random.default_rng(0).standard_normal(shape)
    f, calls = counted(lambda x: {"y": np.sin(wg.tensor(a) @ x["a"]), "z": x["b"]})
    MODES[name](f)({"a": wg.ones(shape[1]), "b": wg.ones(3)})
    assert calls == [1]


def test_a_hessian_calls_the_function_once() -> None:
    f, calls = counted(lambda x: (x**3).sum())
    assert np.allclose(wg.hessian(f)(wg.tensor(X)).numpy(), np.diag(6 * X))
    assert calls == [1]


def test_hessian_of_several_arguments_with_auxiliary_result() -> None:
    def f(x: Any, y: Any) -> Any:
        return (x * x * y).sum(), "aux"

    (row_x, row_y), aux = wg.hessian(f, (0, 1), has_aux=True)(wg.tensor(X), wg.ones(3))
    assert aux == "aux"
    assert np.allclose(row_x[0].numpy(), np.diag([2.0] * 3))
    assert np.allclose(row_x[1].numpy(), np.diag(2 * X))
    assert np.allclose(row_y[0].numpy(), np.diag(2 * X))
    assert not row_y[1].numpy().any()


def test_the_shapes_decide() -> None:
    tall, wide = np.ones((500, 3)), np.ones((3, 500))
    said = {}
    for name, a in (("tall", tall), ("wide", wide)):
        j, report = wg.jacobian(lambda x, a=a: np.tanh(wg.tensor(a) @ x), report=True)(wg.zeros(a.shape[1]))
        assert np.allclose(j.numpy(), a)
        said[name] = report
    assert (said["tall"].mode, said["tall"].directions, said["tall"].sweeps) == ("forward", 3, 1)
    assert (said["wide"].mode, said["wide"].directions, said["wide"].sweeps) == ("reverse", 3, 1)
    assert said["wide"].reverse_cost < said["wide"].forward_cost
    assert str(said["tall"]).startswith("jacobian 500 x 3: forward mode, 1 batched sweep of up to 3 directions")


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_chunks_keep_to_the_limit(mode: str) -> None:
    n = 64
    limit = 20_000
    j, report = wg.jacobian(lambda x: np.sin(x) * x, mode=mode, chunk_bytes=limit, report=True)(wg.ones(n))
    assert 1 < report.chunk < n
    assert report.chunk * n * 8 <= limit
    assert report.sweeps == -(-n // report.chunk)
    assert np.allclose(j.numpy(), np.eye(n) * (np.sin(1) + np.cos(1)))


def test_what_cannot_be_traced_is_chosen_by_its_shapes() -> None:
    _, report = wg.jacobian(lambda x: x.sum() if float(x[0]) > 0 else x, report=True)(wg.ones(200))
    assert report.mode == "reverse"
    assert np.isnan(report.forward_cost)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: wg.jacobian(wg.sin, mode="sideways"), wg.GradientError, "mode must be"),
        (lambda: wg.jacobian(wg.sin)(3), wg.GradientError, "an argument has dtype int64"),
        (lambda: wg.jacfwd(wg.sin, 1)(3.0), wg.GradientError, "argnums 1 does not name one of 1"),
        (lambda: wg.jacrev(wg.sin, "x")(3.0), wg.GradientError, "argnums 'x' does not name"),
        (lambda: wg.jacrev(lambda x: x > 0)(3.0), wg.GradientError, "a result has dtype bool"),
        (lambda: wg.jacfwd(lambda x: x, has_aux=True)(wg.ones(3)), wg.ContainerError, r"must return \(result, aux\)"),
    ],
)
def test_errors(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_what_does_not_depend_on_the_direction_of_a_hessian_is_computed_once() -> None:
    a = wg.tensor(np.ones((7, 5)))
    graph = wg.trace(wg.hessian(lambda x: wg.exp(a @ x).sum()))(wg.ones(5))
    exponentials = [node for node in graph.nodes if node.primitive.name == "exp"]
    assert exponentials
    assert all(node.shape == (7,) for node in exponentials)


def test_in_a_trace_the_mode_is_chosen_by_the_work_alone() -> None:
    """Two directions back are less work than fourteen forward, even if each has more operations to apply."""

    def f(x: Any) -> Any:
        return wg.stack([(x**2).sum(), wg.sin(x).sum()])

    eager = wg.jacobian(f, report=True)(wg.ones(14))[1]
    reports = []

    def traced(x: Any) -> Any:
        found, report = wg.jacobian(f, report=True)(x)
        reports.append(report)
        return found

    wg.jit(traced)(wg.ones(14))
    assert (eager.mode, reports[0].mode) == ("forward", "reverse")
