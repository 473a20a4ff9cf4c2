"""Checkpointing changes what is kept, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.utils import checkpoint as torch_style

X = np.random.default_rng(0).standard_normal((4, 4))


def layer(x: Any) -> Any:
    return (x @ x).tanh() * x.exp()


def gradient(f: Any, *arrays: Any) -> list[np.ndarray]:
    leaves = [wg.tensor(a, requires_grad=True) for a in arrays]
    f(*leaves).sum().backward()
    return [x.grad.numpy() for x in leaves]  # type: ignore[union-attr]


def test_gradients_are_bit_equal_and_only_inputs_are_kept() -> None:
    f = wg.checkpoint(layer)
    assert np.array_equal(gradient(f, X)[0], gradient(layer, X)[0])
    x = wg.tensor(X, requires_grad=True)
    assert wg.ledger(f(x)).total == 0
    assert wg.ledger(f(x * 1.0)).total == X.nbytes
    assert wg.ledger(layer(x)).total > 0
    assert f(x).grad_fn.name() == "CheckpointBackward"  # type: ignore[union-attr]


def test_nested() -> None:
    calls = [0]

    def counted(x: Any) -> Any:
        calls[0] += 1
        return layer(x)

    inner = wg.checkpoint(counted)
    outer = wg.checkpoint(lambda x: inner(inner(x)))
    assert np.array_equal(gradient(outer, X)[0], gradient(lambda x: layer(layer(x)), X)[0])
    # Forward, replay of the outer, replay of each inner.
    assert calls == [6]


def test_containers_and_things_that_are_not_tensors() -> None:
    def f(parts: Any, name: str, *, scale: float, none: None = None) -> Any:
        assert name == "name"
        return {"out": (parts["a"] * parts["b"][0] * scale).tanh(), "name": name, "more": (parts["a"].sum(), none)}

    def loss(f: Any) -> Any:
        def run(a: Any, b: Any) -> Any:
            out = f({"a": a, "b": [b]}, "name", scale=2.0)
            assert out["name"] == "name"
            assert out["more"][1] is None
            return out["out"].sum() * out["more"][0]

        return run

    for got, expected in zip(gradient(loss(wg.checkpoint(f)), X, X + 1), gradient(loss(f), X, X + 1), strict=True):
        assert np.array_equal(got, expected)


def test_parameters_reached_through_a_closure_get_their_gradients() -> None:
    w = wg.tensor(X, requires_grad=True)
    h = w * 2.0
    data = wg.tensor(X + 1)
    y = wg.checkpoint(lambda x: (x @ w).tanh() * h)(data)
    assert y.requires_grad
    y.sum().backward()
    expected = gradient(lambda w: (wg.tensor(X + 1) @ w).tanh() * (w * 2.0), X)[0]
    assert np.allclose(w.grad.numpy(), expected, rtol=1e-14)  # type: ignore[union-attr]


def test_a_parameter_used_before_and_inside_is_counted_once_each() -> None:
    def f(w: Any, wrap: Any) -> Any:
        h = wg.tensor(X)
        for _ in range(3):
            h = wrap(lambda v: (v @ w).tanh() * w)(h)
        return h

    checkpointed = gradient(lambda w: f(w, wg.checkpoint), X)[0]
    assert np.allclose(checkpointed, gradient(lambda w: f(w, lambda g: g), X)[0], rtol=1e-13)
    # Also when the parameter is itself a result that was computed from a leaf, with a hook that must run once.
    calls: list[Any] = []

    def derived(wrap: Any) -> Any:
        def run(leaf: Any) -> Any:
            w = leaf.sin()
            w.register_hook(calls.append)
            return f(w, wrap)

        return run

    found = gradient(derived(wg.checkpoint), X)[0]
    assert len(calls) == 1
    assert np.allclose(found, gradient(derived(lambda g: g), X)[0], rtol=1e-13)


def test_random_numbers_are_replayed_bit_for_bit() -> None:
    masks = []

    def f(x: Any) -> Any:
        noise = wg.randn(4, 4)
        masks.append(noise.numpy())
        return x * noise * wg.rand(4, 4)

    wg.manual_seed(3)
    x = wg.tensor(X, requires_grad=True)
    y = wg.checkpoint(f)(x)
    between = wg.get_rng_state()
    y.sum().backward()
    assert np.array_equal(masks[0], masks[1])
    assert np.array_equal(wg.get_rng_state().numpy(), between.numpy())
    assert np.allclose(x.grad.numpy() * X, y.detach().numpy())  # type: ignore[union-attr]


def test_second_derivatives() -> None:
    f = wg.checkpoint(layer)
    assert wg.autograd.gradgradcheck(f, wg.tensor(X[:2, :2], requires_grad=True))
    w = wg.tensor(X, requires_grad=True)
    g = wg.checkpoint(lambda x: (x @ w).tanh())
    x = wg.tensor(X, requires_grad=True)
    (first,) = wg.autograd.grad(g(x).sum(), x, create_graph=True)
    (found,) = wg.autograd.grad((first * first).sum(), w)  # type: ignore[operator]
    (first,) = wg.autograd.grad((x @ w).tanh().sum(), x, create_graph=True)
    (expected,) = wg.autograd.grad((first * first).sum(), w)  # type: ignore[operator]
    assert np.allclose(found.numpy(), expected.numpy(), rtol=1e-12)  # type: ignore[union-attr]


def test_under_other_transforms() -> None:
    f = wg.checkpoint(lambda v: (v * v).tanh().sum())
    plain = wg.hessian(lambda v: (v * v).tanh().sum())(wg.tensor(X[0]))
    assert np.allclose(wg.hessian(f)(wg.tensor(X[0])).numpy(), plain.numpy())
    assert np.allclose(wg.grad(f)(wg.tensor(X[0])).numpy(), wg.jacfwd(f)(wg.tensor(X[0])).numpy())
    assert np.allclose(wg.vmap(wg.grad(f))(wg.tensor(X)).numpy()[0], wg.grad(f)(wg.tensor(X[0])).numpy())


def test_of_a_constant_inside_a_batch() -> None:
    w = wg.tensor(X[0], requires_grad=True)
    f = wg.checkpoint(lambda w: w.tanh())
    y = wg.vmap(lambda v: (v * f(w)).sum())(wg.tensor(X))
    y.sum().backward()
    assert np.allclose(w.grad.numpy(), X.sum(axis=0) * (1 - np.tanh(X[0]) ** 2))  # type: ignore[union-attr]


def test_retained_graphs_and_freed_ones() -> None:
    x = wg.tensor(X, requires_grad=True)
    y = wg.checkpoint(layer)(x).sum()
    y.backward(retain_graph=True)
    first = x.grad.numpy().copy()  # type: ignore[union-attr]
    y.backward()
    assert np.array_equal(x.grad.numpy(), 2 * first)  # type: ignore[union-attr]
    with pytest.raises(wg.FreedGraphError, match="a second time"):
        y.backward()


def test_without_gradients_it_is_a_plain_call() -> None:
    assert not wg.checkpoint(layer)(wg.tensor(X)).requires_grad
    with wg.no_grad():
        assert not wg.checkpoint(layer)(wg.tensor(X, requires_grad=True)).requires_grad


def test_torch_style_call() -> None:
    f = lambda x: torch_style.checkpoint(layer, x, use_reentrant=False)  # noqa: E731
    assert np.array_equal(gradient(f, X)[0], gradient(layer, X)[0])


@pytest.mark.parametrize("segments", [1, 2, 3, 7, "sqrt"])
def test_sequential(segments: Any) -> None:
    layers = [lambda x, k=k: (x * (0.5 + 0.1 * k)).tanh() for k in range(7)]

    def plain(x: Any) -> Any:
        for one in layers:
            x = one(x)
        return x

    found = gradient(lambda x: wg.checkpoint_sequential(layers, x, segments=segments), X)[0]
    assert np.array_equal(found, gradient(plain, X)[0])


@pytest.mark.parametrize("segments", [0, 8, "all"])
def test_sequential_refuses_other_numbers_of_segments(segments: Any) -> None:
    with pytest.raises(wg.ShapeError, match="segments of 7 layers"):
        wg.checkpoint_sequential([layer] * 7, wg.tensor(X), segments=segments)
