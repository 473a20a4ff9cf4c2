"""Policies: what they keep is counted by the ledger and not computed again; gradients are those of the function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import checkpoint_policies as policies
from wengert.core.errors import GradientError
from wengert.ops.contraction import Matmul
from wengert.utils import checkpoint as torch_checkpoint

RNG = np.random.default_rng(3)
X, W = RNG.normal(size=(8, 4)), RNG.normal(size=(4, 4))


def layer(x: Any, w: Any) -> Any:
    return wg.checkpoint_name((x @ w).tanh(), "hidden").exp().sin() @ w


def gradients(f: Any) -> list[np.ndarray]:
    x, w = wg.tensor(X, requires_grad=True), wg.tensor(W, requires_grad=True)
    f(x, w).sum().backward()
    return [x.grad.numpy(), w.grad.numpy()]  # type: ignore[union-attr]


ONE = X.nbytes
KEPT = {
    "nothing": (policies.nothing_saveable, 0),
    # Two products, the second of which is the result itself.
    "dots": (policies.dots_saveable, 2 * ONE),
    "dots without batch": (policies.dots_with_no_batch_dims_saveable, 2 * ONE),
    "names": (policies.save_only_these_names("hidden"), ONE),
    "other names": (policies.save_only_these_names("other"), 0),
    "any but": (policies.save_any_names_but_these("hidden"), 0),
    "any": (policies.save_any_names_but_these("other"), ONE),
    "both": (
        policies.save_from_both_policies(policies.dots_saveable, policies.save_only_these_names("hidden")),
        3 * ONE,
    ),
    "everything": (policies.everything_saveable, 5 * ONE),
}


@pytest.mark.parametrize("name", KEPT)
def test_memory_and_gradients(name: str) -> None:
    policy, expected = KEPT[name]
    f = wg.checkpoint(layer, policy=policy)
    assert wg.ledger(f(wg.tensor(X, requires_grad=True), wg.tensor(W, requires_grad=True))).total == expected
    for ours, plain in zip(gradients(f), gradients(layer), strict=True):
        assert np.array_equal(ours, plain)


def counted(calls: list[str]) -> Any:
    class Counted(wg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            calls.append("forward")
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    return Counted.apply


def test_what_is_kept_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    product = Matmul.value

    def value(self: Any, x: Any, y: Any) -> Any:
        calls.append("matmul")
        return product(x, y)

    monkeypatch.setattr(Matmul, "value", value)
    x, w = wg.tensor(X, requires_grad=True), wg.tensor(W, requires_grad=True)

    def f(a: Any, b: Any) -> Any:
        return wg.apply(Matmul(), a, b).sin()

    for policy, again in ((policies.dots_saveable, 0), (policies.nothing_saveable, 1)):
        y = wg.checkpoint(f, policy=policy)(x, w).sum()
        calls.clear()
        y.backward()
        assert calls == ["matmul"] * again


@pytest.mark.parametrize("name", KEPT)
def test_random_numbers_and_nesting(name: str) -> None:
    policy = KEPT[name][0]

    def noisy(x: Any, w: Any) -> Any:
        hidden = wg.nn.functional.dropout(layer(x, w), 0.5)
        return wg.checkpoint_name(hidden * wg.rand(hidden.shape), "hidden").tanh()

    inner = wg.checkpoint(noisy, policy=policy)
    for f in (inner, wg.checkpoint(lambda x, w: inner(x.sin(), w), policy=policy)):
        wg.manual_seed(7)
        ours = gradients(f)
        wg.manual_seed(7)
        plain = gradients(noisy if f is inner else lambda x, w: noisy(x.sin(), w))
        assert all(np.array_equal(a, b) for a, b in zip(ours, plain, strict=True))


@pytest.mark.parametrize("outer", [None, policies.everything_saveable])
def test_a_plain_checkpoint_inside_keeps_nothing_of_its_own(outer: Any) -> None:
    inner = wg.checkpoint(lambda x: x.sin().exp().sin())
    f = wg.checkpoint(lambda x: inner(x) * 2.0, policy=outer)
    x = wg.tensor(X, requires_grad=True)
    assert wg.ledger(f(x)).total == (0 if outer is None else ONE)
    f(x).sum().backward()
    y = wg.tensor(X, requires_grad=True)
    (y.sin().exp().sin() * 2.0).sum().backward()
    assert np.array_equal(x.grad.numpy(), y.grad.numpy())  # type: ignore[union-attr]


@pytest.mark.parametrize("name", KEPT)
def test_higher_order(name: str) -> None:
    f = wg.checkpoint(lambda x: layer(x, W).sum(), policy=KEPT[name][0])

    def plain(x: Any) -> Any:
        return layer(x, W).sum()

    def norm(f: Any) -> Any:
        return wg.grad(lambda x: (wg.grad(f)(x) ** 2).sum())(wg.tensor(X)).numpy()

    np.testing.assert_allclose(norm(f), norm(plain), rtol=1e-12)
    np.testing.assert_allclose(wg.hessian(f)(wg.tensor(X)).numpy(), wg.hessian(plain)(wg.tensor(X)).numpy(), rtol=1e-9)
    x = wg.tensor(X, requires_grad=True)
    (g,) = wg.autograd.grad(f(x), x, create_graph=True)
    (h,) = wg.autograd.grad((g**2).sum(), x)  # type: ignore[operator]
    np.testing.assert_allclose(h.numpy(), norm(plain), rtol=1e-12)  # type: ignore[union-attr]


def test_under_jit_and_torch_calling() -> None:
    f = wg.checkpoint(layer, policy=policies.dots_saveable)
    found = wg.jit(wg.grad(lambda x: f(x, W).sum()))(wg.tensor(X)).numpy()
    np.testing.assert_allclose(found, gradients(layer)[0], rtol=1e-10)
    ours = gradients(lambda x, w: torch_checkpoint.checkpoint(layer, x, w, policy=policies.dots_saveable))
    assert np.array_equal(ours[0], gradients(layer)[0])


def test_a_second_backward_and_freed_memory() -> None:
    x = wg.tensor(X, requires_grad=True)
    y = wg.checkpoint(lambda v: v.sin().exp(), policy=policies.everything_saveable)(x).sum()
    y.backward(retain_graph=True)
    first = x.grad.numpy().copy()  # type: ignore[union-attr]
    y.backward()
    assert np.array_equal(x.grad.numpy(), 2 * first)  # type: ignore[union-attr]
    assert wg.ledger(y).total == 0


def test_a_function_that_changes_is_refused() -> None:
    calls = [0]

    def f(x: Any) -> Any:
        calls[0] += 1
        return x.sin() if calls[0] == 1 else x.cos()

    x = wg.tensor(X, requires_grad=True)
    with pytest.raises(GradientError, match="operation 0 is cos and was sin before"):
        wg.checkpoint(f, policy=policies.everything_saveable)(x).sum().backward()


def test_custom_functions_are_run_again() -> None:
    calls: list[str] = []
    twice = counted(calls)
    x = wg.tensor(X, requires_grad=True)
    wg.checkpoint(lambda v: twice(v).sin(), policy=policies.everything_saveable)(x).sum().backward()
    # What a custom function saves beside its result is its own affair: it runs again.
    assert calls == ["forward"] * 2
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.cos(2 * X))  # type: ignore[union-attr]
