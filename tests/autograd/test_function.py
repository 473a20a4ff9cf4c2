"""Custom functions: the whole of ctx, both styles, every transform, and what a wrong one says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd import Function, gradcheck, gradgradcheck
from wengert.autograd.function import once_differentiable


def leaf(*values: float) -> wg.Tensor:
    return wg.tensor(values, requires_grad=True)


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g


class SplitCube(Function):
    @staticmethod
    def forward(x: Any) -> Any:
        return x**3

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    backward = Cube.backward


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0]


class SumAndProduct(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, name: str, y: Any, scale: float = 1.0) -> Any:
        assert not wg.is_grad_enabled()
        ctx.save_for_backward(x, y)
        ctx.scale = scale
        ctx.name = name
        return x + y, scale * x * y

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any) -> Any:
        x, y = ctx.saved_tensors
        return g + ctx.scale * h * y, None, g + ctx.scale * h * x, None


@pytest.mark.parametrize("cube", [Cube, SplitCube])
def test_all_orders_and_both_styles(cube: Any) -> None:
    x = leaf(0.5, -1.5)
    y = cube.apply(x)
    assert y.grad_fn.name() == f"{cube.__name__}Backward"
    (first,) = wg.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = wg.autograd.grad(first.sum(), x, create_graph=True)  # type: ignore[union-attr]
    (third,) = wg.autograd.grad(second.sum(), x)  # type: ignore[union-attr]
    assert first.tolist() == [0.75, 6.75]  # type: ignore[union-attr]
    assert second.tolist() == [3.0, -9.0]  # type: ignore[union-attr]
    assert third.tolist() == [6.0, 6.0]  # type: ignore[union-attr]
    assert gradcheck(cube.apply, x)
    assert gradgradcheck(cube.apply, x)


def test_saved_outputs_are_tied_to_the_graph() -> None:
    x = leaf(0.3, -0.7)
    assert gradcheck(Exp.apply, x)
    assert gradgradcheck(Exp.apply, x)


def test_several_results_and_arguments_that_are_not_tensors() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    s, p = SumAndProduct.apply(x, "name", y, 2.0)
    assert (s.tolist(), p.tolist()) == ([4.0, 6.0], [6.0, 16.0])
    (s.sum() + (p * p).sum()).backward()
    assert x.grad.tolist() == [1 + 2 * 6 * 2 * 3.0, 1 + 2 * 16 * 2 * 4.0]  # type: ignore[union-attr]
    assert gradcheck(lambda a, b: SumAndProduct.apply(a, "", b), (x, y))
    assert gradgradcheck(lambda a, b: SumAndProduct.apply(a, "", b), (x, y))


def test_one_unused_result_has_cotangent_zeros() -> None:
    x, y = leaf(1.0), leaf(3.0)
    SumAndProduct.apply(x, "", y)[1].sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([3.0], [1.0])  # type: ignore[union-attr]


def test_needs_input_grad_and_constants() -> None:
    seen: list[Any] = []

    class Look(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any, n: int) -> Any:
            return x * n + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            seen.append(ctx.needs_input_grad)
            return g * 2, g, None

    x = leaf(1.0)
    Look.apply(x, wg.tensor([1.0]), 2).sum().backward()
    assert seen == [(True, False, False)]
    assert not Look.apply(wg.tensor([1.0]), wg.tensor([1.0]), 2).requires_grad
    with wg.no_grad():
        assert not Look.apply(x, x, 2).requires_grad


def test_results_marked_non_differentiable() -> None:
    class SortWithOrder(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            order = wg.argsort(x)
            ctx.mark_non_differentiable(order)
            ctx.save_for_backward(order)
            return x[order], order

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any) -> Any:
            (order,) = ctx.saved_tensors
            return wg.take(g, wg.argsort(order))

    x = leaf(3.0, 1.0, 2.0)
    y, order = SortWithOrder.apply(x)
    assert order.tolist() == [1, 2, 0]
    assert not order.requires_grad
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [100.0, 1.0, 10.0]  # type: ignore[union-attr]


def test_a_floating_result_marked_non_differentiable() -> None:
    class Both(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            fixed = x * 2
            ctx.mark_non_differentiable(fixed)
            ctx.mark_dirty()
            ctx.set_materialize_grads(True)
            return fixed, x * 3

        @staticmethod
        def backward(ctx: Any, _: Any, g: Any) -> Any:
            return 3 * g

    x = leaf(1.0)
    fixed, free = Both.apply(x)
    assert (fixed.requires_grad, free.requires_grad) == (False, True)
    free.sum().backward()
    assert x.grad.tolist() == [3.0]  # type: ignore[union-attr]


def test_gradients_that_are_broadcast_are_summed() -> None:
    class Outer(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            return g * y, g * x

    x, y = wg.ones((3, 1), requires_grad=True), wg.ones((4,), requires_grad=True)
    Outer.apply(x, y).sum().backward()
    assert x.grad.tolist() == [[4.0]] * 3  # type: ignore[union-attr]
    assert y.grad.tolist() == [3.0] * 4  # type: ignore[union-attr]


def wrong(returned: Any, forward: Any = None) -> Any:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return forward(x) if forward else x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return returned(g)

    return Wrong


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (lambda g: g, r"Wrong\.backward returned 1 gradients, and forward took 2 arguments"),
        (lambda g: (g, g, g), r"Wrong\.backward returned 3 gradients, and forward took 2 arguments"),
        (
            lambda g: (g, g[:1]),
            r"Wrong\.backward returned a gradient of shape \(1,\) for argument 1, whose shape is \(2,\)",
        ),
        (lambda g: (3.0, g), r"Wrong\.backward returned a float for argument 0"),
    ],
)
def test_wrong_gradients_name_the_class_and_the_line(returned: Any, text: str) -> None:
    y = wrong(returned).apply(leaf(1.0, 2.0), leaf(3.0, 4.0)).sum()  # the line to be named
    with pytest.raises(wg.GradientError, match=text) as caught:
        y.backward()
    assert any("the line to be named" in note for note in caught.value.__notes__)


def test_other_mistakes() -> None:
    with pytest.raises(wg.GradientError, match=r"Wrong\.forward must return tensors, and returned a float"):
        wrong(None, lambda x: 3.0).apply(leaf(1.0), leaf(1.0))

    class SavesText(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward("text")
            return x

    with pytest.raises(wg.GradientError, match="takes tensors, not str; keep other things as attributes"):
        SavesText.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="static method forward"):
        Function.apply(leaf(1.0))


def test_a_second_backward_says_that_the_graph_was_freed() -> None:
    x = leaf(1.0)
    y = Cube.apply(x).sum()
    y.backward()
    with pytest.raises(wg.FreedGraphError, match="a second time"):
        y.backward()


def test_once_differentiable() -> None:
    class Outside(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return wg.tensor(2 * x.detach().numpy() * g.detach().numpy())

    x = leaf(3.0)
    (first,) = wg.autograd.grad(Outside.apply(x).sum(), x, create_graph=True)
    assert first.tolist() == [6.0]  # type: ignore[union-attr]
    with pytest.raises(wg.NotDifferentiableError, match="marked once_differentiable"):
        first.sum().backward()  # type: ignore[union-attr]


class Hypot(Function):
    """With rules of its own for forward mode and batches, each of which counts its calls."""

    pushed = 0
    batches = 0

    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return (x * x + y * y) ** 0.5

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y, out = ctx.saved_tensors
        return g * x / out, g * y / out

    @staticmethod
    def jvp(ctx: Any, dx: Any, dy: Any) -> Any:
        Hypot.pushed += 1
        x, y, out = ctx.saved_tensors
        return ((0 if dx is None else x * dx) + (0 if dy is None else y * dy)) / out

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any, y: Any) -> Any:
        Hypot.batches += 1
        assert info.batch_size == 4
        x = x if in_dims[0] is None else np.moveaxis(x, in_dims[0], 0)
        y = y if in_dims[1] is None else np.moveaxis(y, in_dims[1], 0)
        return Hypot.apply(x, y), 0


def test_own_rules_of_forward_mode_and_batches_are_used() -> None:
    x, y = wg.tensor([3.0, 5.0]), wg.tensor([4.0, 12.0])
    out, t = wg.jvp(Hypot.apply, (x, y), (wg.ones(2), wg.zeros(2)))
    assert np.allclose(out.numpy(), [5.0, 13.0])
    assert np.allclose(t.numpy(), [0.6, 5 / 13])
    assert Hypot.pushed == 1
    xs = np.arange(1.0, 9.0).reshape(4, 2)
    found = wg.vmap(Hypot.apply, in_axes=(0, None))(wg.tensor(xs), wg.tensor([1.0, 1.0]))
    assert np.allclose(found.numpy(), np.hypot(xs, 1.0))
    assert Hypot.batches == 1


@pytest.mark.parametrize("f", [Cube.apply, SplitCube.apply, lambda x: x**3])
def test_derived_rules_of_every_transform(f: Any) -> None:
    x = np.array([[0.5, -1.5], [2.0, 1.0]])
    assert np.allclose(wg.jvp(f, (wg.tensor(x),), (wg.ones((2, 2)),))[1].numpy(), 3 * x**2)
    assert np.allclose(wg.vmap(f)(wg.tensor(x)).numpy(), x**3)
    assert np.allclose(wg.vmap(wg.grad(lambda v: f(v).sum()))(wg.tensor(x)).numpy(), 3 * x**2)
    assert np.allclose(wg.grad(lambda v: wg.vmap(f)(v).sum())(wg.tensor(x)).numpy(), 3 * x**2)
    assert np.allclose(wg.hessian(lambda v: f(v).sum())(wg.tensor(x[0])).numpy(), np.diag(6 * x[0]))
    assert np.allclose(wg.jacrev(wg.jacrev(lambda v: f(v).sum()))(wg.tensor(x[0])).numpy(), np.diag(6 * x[0]))


def test_the_ledger_counts_what_a_function_saves() -> None:
    x = wg.tensor(np.ones(100), requires_grad=True)
    assert wg.ledger(Exp.apply(x)).total == 800
    assert wg.ledger(Cube.apply(x * 1.0)).total == 800


@pytest.mark.parametrize("materialize", [True, False])
def test_materialized_gradients(materialize: bool) -> None:
    seen: list[Any] = []

    class Three(wg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(materialize)
            fixed = x * 4
            ctx.mark_non_differentiable(fixed)
            return x * 1, x * 2, fixed

        @staticmethod
        def backward(ctx: Any, a: Any, b: Any, c: Any) -> Any:
            seen.extend([a, c])
            return b * 2

    x = wg.tensor([1.0, 2.0], requires_grad=True)
    Three.apply(x)[1].sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]  # type: ignore[union-attr]
    assert [None if g is None else g.tolist() for g in seen] == ([[0.0, 0.0]] * 2 if materialize else [None, None])
    (g,) = wg.autograd.grad((Three.apply(x)[1] ** 2).sum(), x, create_graph=True)
    assert g.tolist() == [8.0, 16.0]  # type: ignore[union-attr]
