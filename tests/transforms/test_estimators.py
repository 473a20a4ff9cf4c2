"""Values are bit-equal; derivatives are what was asked for, under every transform."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg

X = np.array([-1.7, -0.4, 0.0, 0.5, 2.6])


def gradient(f: Any, x: Any = X) -> np.ndarray:
    return wg.grad(lambda v: f(v).sum())(wg.tensor(x)).numpy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_bit_equal(dtype: str) -> None:
    x = np.random.default_rng(0).standard_normal(100).astype(dtype)
    identities = [
        wg.stop_gradient,
        wg.reverse_gradient,
        lambda v: wg.scale_gradient(v, 0.3),
        lambda v: wg.clip_gradient(v, -1, 1),
        lambda v: wg.clip_gradient_norm(v, 1.0),
    ]
    for f in identities:
        for tracked in (False, True):
            y = f(wg.tensor(x, requires_grad=tracked))
            assert y.dtype == x.dtype
            assert y.detach().numpy().tobytes() == x.tobytes()
    y = wg.straight_through(lambda v: (v * 7).tanh())(wg.tensor(x, requires_grad=True))
    assert y.detach().numpy().tobytes() == (wg.tensor(x) * 7).tanh().numpy().tobytes()


def test_stop_gradient_takes_containers_apart_and_stops_every_mode() -> None:
    assert wg.stop_gradient({"a": (wg.tensor(1.0, requires_grad=True), None)})["a"][0].requires_grad is False
    y, t = wg.jvp(lambda v: wg.stop_gradient(v) * v, (wg.tensor(3.0),), (wg.tensor(1.0),))
    assert (float(y), float(t)) == (9.0, 3.0)
    assert gradient(lambda v: wg.stop_gradient(v) * v).tolist() == X.tolist()


def test_straight_through() -> None:
    f = wg.straight_through(wg.sign)
    assert gradient(lambda v: 3 * f(v)).tolist() == [3.0] * 5
    y, t = wg.jvp(f, (wg.tensor(X),), (wg.tensor(2 * X),))
    assert y.tolist() == np.sign(X).tolist()
    assert t.tolist() == (2 * X).tolist()
    with pytest.raises(wg.ShapeError, match=r"must keep the shape \(5,\), and returned \(\)"):
        wg.straight_through(lambda v: v.sum())(wg.tensor(X))


def test_straight_through_passes_other_arguments_on() -> None:
    f = wg.straight_through(lambda v, digits: wg.round(v * 10**digits) / 10**digits)
    assert f(wg.tensor([0.126]), digits=1).tolist() == [0.1]


def test_surrogate_has_the_given_derivative_in_first_and_second_order() -> None:
    spike = wg.surrogate(lambda v: wg.heaviside(v, 0.0), lambda v: v * v)
    assert spike(wg.tensor(X)).tolist() == [0, 0, 0, 1, 1]
    assert np.allclose(gradient(spike), X**2)
    second = wg.grad(lambda v: wg.grad(lambda u: spike(u).sum())(v).sum())(wg.tensor(X))
    assert np.allclose(second.numpy(), 2 * X)
    forward = wg.jvp(spike, (wg.tensor(X),), (wg.ones(5),))[1]
    assert np.allclose(forward.numpy(), X**2)
    over = wg.jvp(lambda v: wg.jvp(spike, (v,), (wg.ones(5),))[1], (wg.tensor(X),), (wg.ones(5),))[1]
    assert np.allclose(over.numpy(), 2 * X)


def test_scaling_and_reversing() -> None:
    assert np.allclose(gradient(lambda v: wg.scale_gradient(v, 0.1) ** 2), 0.2 * X)
    assert np.allclose(gradient(lambda v: wg.reverse_gradient(v) ** 2), -2 * X)
    assert float(wg.jvp(wg.reverse_gradient, (wg.tensor(1.0),), (wg.tensor(2.0),))[1]) == -2.0


def test_clipping() -> None:
    assert gradient(lambda v: wg.clip_gradient(v, -0.5, 0.5) ** 2).tolist() == np.clip(2 * X, -0.5, 0.5).tolist()
    # Where the gradient is cut its derivative is 0; elsewhere it is 2, and cut on its own way back.
    second = wg.jacrev(wg.grad(lambda v: (wg.clip_gradient(v, -1.5, 1.5) ** 2).sum()))(wg.tensor(X)).numpy()
    assert np.allclose(np.diag(second), np.where(np.abs(2 * X) < 1.5, 1.5, 0.0))
    shortened = gradient(lambda v: wg.clip_gradient_norm(v, 0.1) ** 2)
    assert np.allclose(shortened, 0.1 * X / np.linalg.norm(X))
    assert np.allclose(gradient(lambda v: wg.clip_gradient_norm(v, 100.0) ** 2), 2 * X)
    assert gradient(lambda v: 0 * wg.clip_gradient_norm(v, 1.0)).tolist() == [0.0] * 5


def test_clipping_refuses_what_has_no_meaning() -> None:
    with pytest.raises(wg.ShapeError, match=r"\[1, -1\] is no interval"):
        wg.clip_gradient(wg.tensor(1.0), 1, -1)
    with pytest.raises(wg.DTypeError, match="complex gradients have no order"):
        wg.clip_gradient(wg.tensor(1j), -1, 1)
    with pytest.raises(wg.ShapeError, match="must be positive"):
        wg.clip_gradient_norm(wg.tensor(1.0), 0.0)


@pytest.mark.parametrize(
    "f",
    [
        wg.straight_through(wg.round),
        wg.straight_through(lambda v: wg.ones(3)),
        wg.surrogate(wg.sign, lambda v: 1 / (1 + v * v)),
        wg.surrogate(wg.sign, lambda v: 2.0),
        lambda v: wg.clip_gradient_norm(v, 0.5),
        lambda v: wg.clip_gradient(v, -0.5, 0.5),
        wg.reverse_gradient,
    ],
)
def test_batches_agree_with_a_loop(f: Any) -> None:
    x = np.random.default_rng(1).standard_normal((4, 3))

    def loss(v: Any) -> Any:
        return (f(v) * v).sum()

    for g in (loss, wg.grad(loss)):
        looped = np.stack([g(wg.tensor(row)).numpy() for row in x])
        assert np.allclose(wg.vmap(g)(wg.tensor(x)).numpy(), looped)
