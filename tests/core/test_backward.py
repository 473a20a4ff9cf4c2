"""The backward sweep: accumulation, freeing, retaining, hooks, and its errors."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import FreedGraphError, GradientError, NotDifferentiableError


def leaf(*values: float) -> wg.Tensor:
    return wg.tensor(list(values), requires_grad=True)


def test_the_networks_first_example() -> None:
    """y = relu(w x + b) at x = 2, w = -3, b = 1 and at a point where the unit is active."""
    x, w, b = (wg.tensor(v, requires_grad=True) for v in (2.0, 3.0, 1.0))
    y = (w * x + b).relu()
    y.backward()
    assert (y.item(), x.grad.item(), w.grad.item(), b.grad.item()) == (7.0, 3.0, 2.0, 1.0)
    x, w, b = (wg.tensor(v, requires_grad=True) for v in (2.0, -3.0, 1.0))
    (w * x + b).relu().backward()
    assert (x.grad.item(), w.grad.item(), b.grad.item()) == (0.0, 0.0, 0.0)


def test_gradients_add_up_at_fan_in() -> None:
    x = leaf(1.0, 2.0)
    y = x * x + x * 3.0 + x
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [6.0, 8.0])


def test_an_operand_used_twice() -> None:
    x = leaf(3.0)
    (x * x).sum().backward()
    assert x.grad.tolist() == [6.0]


def test_backward_accumulates_into_grad() -> None:
    x = leaf(1.0)
    (2 * x).sum().backward()
    (3 * x).sum().backward()
    assert x.grad.tolist() == [5.0]


def test_wide_fan_in_is_summed_exactly() -> None:
    x = leaf(*np.ones(5))
    total = x * 0.0
    for k in range(200):
        total = total + x * float(k)
    total.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full(5, 19900.0))


def test_gradients_that_share_an_array_do_not_disturb_each_other() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + y).sum().backward()
    (x * 2).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [3.0, 3.0])
    np.testing.assert_array_equal(y.grad.numpy(), [1.0, 1.0])


def test_second_backward_is_an_error_that_names_the_line_and_the_way_out() -> None:
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(FreedGraphError, match="a second time") as caught:
        y.backward()
    assert "retain_graph=True" in str(caught.value)
    assert "test_backward.py" in str(caught.value)
    assert x.grad.tolist() == [4.0]


def test_retain_graph_keeps_the_residuals() -> None:
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]
    with pytest.raises(FreedGraphError):
        y.backward()


def test_a_failed_sweep_writes_no_gradient() -> None:
    """One path leads to a freed node, the other would already have reached its leaf."""
    x, z = leaf(2.0), leaf(5.0)
    freed = x * x
    freed.sum().backward()
    x.grad = None
    with pytest.raises(FreedGraphError):
        (freed * z).sum().backward()
    assert x.grad is None
    assert z.grad is None


def test_the_sweep_frees_residuals_as_it_passes() -> None:
    x = leaf(*np.ones(1000))
    y = x.exp()
    kept = weakref.ref(y._value)
    z = (y * y).sum()
    del y
    gc.collect()
    assert kept() is not None
    z.backward()
    assert kept() is None


def test_a_value_that_no_rule_needs_is_freed_at_once() -> None:
    x = leaf(*np.ones(1000))
    y = x + 1.0
    value = weakref.ref(y._value)
    z = y + 1.0
    del y
    assert value() is None
    z.sum().backward()
    assert x.grad.numpy().sum() == 1000.0


def test_create_graph_to_third_order() -> None:
    x = leaf(2.0)
    y = x * x * x * x
    (first,) = wg.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = wg.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = wg.autograd.grad(second.sum(), x)
    assert (first.item(), second.item(), third.item()) == (32.0, 48.0, 48.0)


def test_the_hessian_of_a_cube_at_two_is_twelve() -> None:
    x = wg.tensor([2.0], requires_grad=True)
    (g,) = wg.autograd.grad(x**3, x, create_graph=True)
    (h,) = wg.autograd.grad(g, x)
    assert h.tolist() == [12.0]


def test_gradient_with_respect_to_an_intermediate() -> None:
    x = leaf(1.0, 2.0)
    middle = x * 3.0
    y = (middle * middle).sum()
    (g,) = wg.autograd.grad(y, middle)
    np.testing.assert_array_equal(g.numpy(), [6.0, 12.0])
    assert x.grad is None


def test_retain_grad_keeps_an_intermediates_gradient() -> None:
    x = leaf(1.0)
    middle = x * 3.0
    assert middle.grad is None
    middle.retain_grad()
    (middle * 2.0).sum().backward()
    assert middle.grad.tolist() == [2.0]
    assert x.grad.tolist() == [6.0]


def test_hooks_see_and_may_replace_the_gradient() -> None:
    x = leaf(1.0)
    seen = []
    handle = x.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g * 10)
    (x * 2).sum().backward()
    assert seen == [[2.0]]
    assert x.grad.tolist() == [20.0]
    handle.remove()
    (x * 2).sum().backward()
    assert seen == [[2.0]]


def test_a_hook_that_changes_the_shape_is_an_error() -> None:
    x = leaf(1.0)
    x.register_hook(lambda g: g.reshape(1, 1))
    with pytest.raises(GradientError, match=r"returned float64\(1, 1\) for a gradient of shape \(1,\)"):
        (x * 2).sum().backward()


def test_backward_on_a_non_scalar() -> None:
    with pytest.raises(GradientError, match=r"only for a scalar, and this output has shape \(2,\)"):
        (leaf(1.0, 2.0) * 2).backward()


def test_backward_without_a_graph() -> None:
    with pytest.raises(GradientError, match="has no graph"):
        wg.tensor(1.0).backward()


def test_backward_on_an_integer_tensor_says_so() -> None:
    with pytest.raises(GradientError, match="its dtype is int64"):
        wg.tensor(3).backward()


def test_an_integer_tensor_cannot_require_a_gradient() -> None:
    with pytest.raises(GradientError, match="only floating-point"):
        wg.tensor([1, 2], requires_grad=True)


def test_a_cotangent_of_the_wrong_shape_or_type() -> None:
    y = leaf(1.0, 2.0) * 2
    with pytest.raises(GradientError, match=r"cotangent has shape \(3,\) and the output has shape \(2,\)"):
        y.backward(wg.ones(3))
    with pytest.raises(GradientError, match="take its real part"):
        y.backward(wg.tensor([1j, 1.0]))


def test_an_unused_input() -> None:
    x, z = leaf(1.0), leaf(1.0)
    y = (x * 2).sum()
    with pytest.raises(GradientError, match="do not depend on input 1"):
        wg.autograd.grad(y, [x, z], retain_graph=True)
    assert wg.autograd.grad(y, [x, z], allow_unused=True, retain_graph=True)[1] is None
    assert wg.autograd.grad(y, [x, z], materialize_grads=True)[1].tolist() == [0.0]


def test_grad_of_an_input_that_is_not_tracked() -> None:
    with pytest.raises(GradientError, match="does not require a gradient"):
        wg.autograd.grad((leaf(1.0) * 2).sum(), wg.tensor(1.0))


def test_setting_grad_checks_shape_and_type() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(GradientError, match="shape"):
        x.grad = wg.ones(3)
    with pytest.raises(TypeError, match="must be a Tensor"):
        x.grad = np.ones(2)
    x.grad = wg.ones(2)
    (x * 1.0).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_an_operation_without_a_derivative_says_why() -> None:
    from wengert.core.apply import apply
    from wengert.core.primitive import NotDifferentiable, Primitive

    class Riddle(Primitive):
        def value(self, x: np.ndarray) -> np.ndarray:
            return x * 1.0

        vjp_x = NotDifferentiable("nobody has found it")

    with pytest.raises(NotDifferentiableError, match="riddle has no derivative: nobody has found it"):
        apply(Riddle(), leaf(1.0)).sum().backward()


def test_the_gradient_has_the_operands_dtype() -> None:
    x = wg.tensor(np.ones(3, "float32"), requires_grad=True)
    y = wg.tensor(np.ones(3), requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.dtype("float32"), np.dtype("float64"))


def test_the_gradient_of_a_real_operand_among_complex_ones_is_real() -> None:
    x = leaf(1.0, 2.0)
    z = wg.tensor([1.0 + 2.0j, 3.0 - 1.0j])
    y = x * z
    (y * y.conj()).real.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * x.detach().numpy() * np.abs(z.numpy()) ** 2)


def test_no_grad_detach_and_modes() -> None:
    x = leaf(1.0)
    with wg.no_grad():
        assert not (x * 2).requires_grad
        with wg.enable_grad():
            assert (x * 2).requires_grad
        assert not wg.is_grad_enabled()
    assert wg.is_grad_enabled()
    assert not x.detach().requires_grad

    @wg.no_grad()
    def inference(v: wg.Tensor) -> wg.Tensor:
        return v * 2

    assert not inference(x).requires_grad
    with pytest.raises(ZeroDivisionError), wg.no_grad():
        raise ZeroDivisionError
    assert wg.is_grad_enabled()


def test_backward_with_chosen_inputs_leaves_the_others_alone() -> None:
    x, y = leaf(2.0), leaf(3.0)
    wg.autograd.backward((x * y).sum(), inputs=[x])
    assert x.grad.tolist() == [3.0]
    assert y.grad is None


def test_the_two_layer_network_has_the_textbooks_gradients() -> None:
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal(3), rng.standard_normal(2)
    w1 = wg.tensor(rng.standard_normal((4, 3)), requires_grad=True)
    w2 = wg.tensor(rng.standard_normal((2, 4)), requires_grad=True)
    a1 = (w1 @ x).sigmoid()
    a2 = (w2 @ a1).sigmoid()
    loss = ((a2 - target) ** 2).sum()
    loss.backward()
    a1v, a2v = a1.detach().numpy(), a2.detach().numpy()
    dz2 = 2 * (a2v - target) * a2v * (1 - a2v)
    dz1 = (w2.detach().numpy().T @ dz2) * a1v * (1 - a1v)
    np.testing.assert_allclose(w2.grad.numpy(), np.outer(dz2, a1v), rtol=1e-13)
    np.testing.assert_allclose(w1.grad.numpy(), np.outer(dz1, x), rtol=1e-13)


@pytest.mark.parametrize("step", [wg.floor, wg.ceil, wg.trunc, wg.round, wg.sign])
def test_a_derivative_that_is_zero_by_construction_gives_zeros(step: Any) -> None:
    x = wg.tensor([1.5, -2.0], dtype="float32", requires_grad=True)
    apart = wg.tensor(1.0, requires_grad=True)
    y = step(x.exp()).sum()
    y.backward(retain_graph=True)
    assert x.grad.tolist() == [0.0, 0.0]  # type: ignore[union-attr]
    assert x.grad.dtype == np.float32  # type: ignore[union-attr]
    (g,) = wg.autograd.grad(y, x)
    assert g.tolist() == [0.0, 0.0]  # type: ignore[union-attr]
    assert wg.autograd.grad((x.sin() + step(x)).sum(), [x, apart], allow_unused=True)[1] is None
    (both,) = wg.autograd.grad((x + step(x)).sum(), x, create_graph=True)
    assert both.tolist() == [1.0, 1.0]  # type: ignore[union-attr]
