"""What transforms cannot do is a typed error that says so, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg


def product(x: Any, y: Any) -> Any:
    return (x * y).sum()


TRANSFORMS = {
    "grad": wg.grad,
    "value_and_grad": wg.value_and_grad,
    "jacfwd": wg.jacfwd,
    "jacrev": wg.jacrev,
    "jacobian": wg.jacobian,
    "hessian": wg.hessian,
}


@pytest.mark.parametrize("argnums", [2, -3, (0, 5), 1.5, True, None, "x", (0, None)])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_argnums_that_name_no_argument(name: str, argnums: Any) -> None:
    with pytest.raises(wg.GradientError, match=r"argnums .* does not name one of 2 positional arguments"):
        TRANSFORMS[name](product, argnums)(1.0, 2.0)


@pytest.mark.parametrize("argnums", [(0, 0), (1, -1)])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_argnums_that_name_an_argument_twice(name: str, argnums: Any) -> None:
    with pytest.raises(wg.GradientError, match="names an argument twice"):
        TRANSFORMS[name](product, argnums)(1.0, 2.0)


@pytest.mark.parametrize("x", [1, np.arange(3), True, [1.0, 2]])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_integer_arguments_name_the_transform(name: str, x: Any) -> None:
    caller = "grad" if name == "value_and_grad" else name
    with pytest.raises(wg.GradientError, match=f"^{caller}: an argument has dtype (int64|bool)"):
        TRANSFORMS[name](lambda v: v)(x)


@pytest.mark.parametrize(
    "result", [lambda x: x, lambda x: {"a": x.sum()}, lambda x: None, lambda x: (x.sum(), x), lambda x: []]
)
def test_grad_of_what_is_no_scalar(result: Any) -> None:
    with pytest.raises(wg.GradientError, match=r"grad: the function must return a scalar, and returned"):
        wg.grad(result)(wg.ones(3))


@pytest.mark.parametrize(
    "call",
    [
        lambda f: wg.grad(f, has_aux=True)(1.0),
        lambda f: wg.vjp(f, 1.0, has_aux=True),
        lambda f: wg.jvp(f, (1.0,), (1.0,), has_aux=True),
        lambda f: wg.jacrev(f, has_aux=True)(1.0),
        lambda f: wg.hessian(f, has_aux=True)(1.0),
    ],
)
@pytest.mark.parametrize("out", [lambda x: x, lambda x: (x, x, x)])
def test_auxiliary_results_are_pairs(call: Any, out: Any) -> None:
    with pytest.raises(
        wg.ContainerError, match=r"must return \(result, aux\), and it returned (a Tensor|a Dual|3 things)"
    ):
        call(out)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: wg.jvp(wg.sin, wg.ones(3), wg.ones(3)), wg.ContainerError, r"primals must be a tuple .* \(primal,\)"),
        (lambda: wg.jvp(wg.sin, (1.0,), 1.0), wg.ContainerError, r"tangents must be a tuple .* not a float"),
        (lambda: wg.jvp(wg.sin, (1.0,), (1.0, 2.0)), wg.ContainerError, "the tangents have structure"),
        (lambda: wg.jvp(wg.sin, (1.0,), (None,)), wg.ContainerError, "the tangents have structure"),
        (lambda: wg.jvp(wg.sin, (1.0,), (1j,)), wg.GradientError, "a tangent has dtype complex128"),
        (lambda: wg.jvp(wg.sin, (1,), (1.0,)), wg.GradientError, "jvp: an argument has dtype int64"),
        (lambda: wg.jvp(wg.sin, (wg.ones(2),), (1.0,)), wg.GradientError, r"a tangent has shape \(\), and its primal"),
        (lambda: wg.vjp(wg.sin, 1.0)[1](1j), wg.GradientError, "the cotangent is complex128"),
        (lambda: wg.vjp(wg.sin, 1.0)[1]((1.0,)), wg.ContainerError, "the cotangent has structure"),
        (lambda: wg.vjp(wg.sin, 1.0)[1](wg.ones(2)), wg.GradientError, r"a cotangent has shape \(2,\)"),
        (lambda: wg.hvp(wg.sin, (wg.ones(2),), (wg.ones(2),)), wg.GradientError, "must return a scalar"),
        (lambda: wg.hvp(lambda x: x.sum(), (wg.ones(2),), (wg.ones(3),)), wg.GradientError, "a tangent has shape"),
    ],
)
def test_directions_that_do_not_fit(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: wg.vmap(lambda d, y, z: y)({"x": wg.ones(3)}, wg.ones(4), z=wg.ones(3)),
            wg.ShapeError,
            r"lengths \[3, 4\]; they must agree \(3 in argument 0, 4 in argument 1\)",
        ),
        (lambda: wg.vmap(lambda x, z: x)(wg.ones(2), z=wg.ones(3)), wg.ShapeError, r"3 in argument 'z'"),
        (lambda: wg.vmap(wg.sin, out_axes=5)(wg.ones(3)), wg.ShapeError, "out_axes 5 is out of range for a result"),
        (lambda: wg.vmap(wg.sin, out_axes=-2)(wg.ones(3)), wg.ShapeError, "out_axes -2 is out of range"),
        (lambda: wg.vmap(wg.sin, in_axes=-2)(wg.ones(3)), wg.ShapeError, "axis -2 is out of range"),
        (lambda: wg.vmap(wg.sin, in_axes=0)(3.0), wg.ShapeError, r"out of range for an argument of shape \(\)"),
        (lambda: wg.vmap(wg.sin, in_axes="x")(wg.ones(3)), wg.ContainerError, "in_axes 'x' does not fit"),
        (lambda: wg.vmap(wg.sin, in_axes=True)(wg.ones(3)), wg.ContainerError, "in_axes True does not fit"),
        (lambda: wg.vmap(lambda x: (x, x), out_axes=(0,))(wg.ones(3)), wg.ContainerError, "out_axes .* does not fit"),
        (lambda: wg.vmap(lambda: wg.ones(1))(), wg.ShapeError, "maps over no argument"),
        (lambda: wg.vmap(float)(wg.ones(3)), wg.TransformError, "differs along the batch"),
    ],
)
def test_axes_that_do_not_fit(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


ENTER = {
    "jvp": lambda f: wg.jvp(f, (wg.ones(2),), (wg.ones(2),)),
    "vmap": lambda f: wg.vmap(f)(wg.ones((2, 2))),
    "trace": lambda f: wg.trace(f)(wg.TensorSpec((2,))),
}


@pytest.mark.parametrize("name", ENTER)
def test_a_leak_is_named_by_its_lines(name: str) -> None:
    leaked: list[Any] = []

    def leak(x: Any) -> Any:
        leaked.append(x * 2)
        return x

    ENTER[name](leak)
    with pytest.raises(wg.TransformError, match="used after") as caught:
        leaked[0] + 1  # the use
    text = str(caught.value)
    if name == "trace":
        assert "leaked.append(x * 2)" in text
    else:
        assert "leaked[0] + 1  # the use" in text
        assert f'"{name}": lambda f: wg.{name}(f' in text


def test_a_closed_transform_of_a_failed_call_is_left() -> None:
    def fails(x: Any) -> Any:
        raise KeyError("own")

    for enter in ENTER.values():
        with pytest.raises(KeyError):
            enter(fails)
    assert float(wg.grad(lambda x: x * x)(3.0)) == 6.0
