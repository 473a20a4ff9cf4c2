"""What the user does to an array after handing it over changes no gradient (docs/decisions/002)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "multiply": lambda t, a: t * a,
    "reflected": lambda t, a: a * t,
    "matmul": lambda t, a: t @ a,
    "where": lambda t, a: wg.where(a > 0, t * a, -t),
    "ufunc": lambda t, a: np.multiply(a, t),
    "power": lambda t, a: a**t,
    "view": lambda t, a: wg.reshape(a, (2, 2)) * t,
    "transposed view": lambda t, a: wg.tensor(a).T * t,
    "concatenated": lambda t, a: wg.concatenate([t, a]) ** 2 * wg.concatenate([a, t]),
}


@pytest.mark.parametrize("name", CALLS)
def test_mutating_an_operand_after_the_forward_pass(name: str) -> None:
    f = CALLS[name]
    point = np.array([[0.5, 1.5], [2.5, 0.1]])
    outside = np.array([[1.0, 2.0], [3.0, 4.0]])
    left = wg.tensor(point, requires_grad=True)
    f(left, outside.copy()).sum().backward()
    t = wg.tensor(point, requires_grad=True)
    y = f(t, outside)
    before = y.detach().numpy().copy()
    outside[:] = 1e9
    assert np.array_equal(y.detach().numpy(), before)
    y.sum().backward()
    assert np.array_equal(t.grad.numpy(), left.grad.numpy())  # type: ignore[union-attr]


def test_mutating_the_array_that_a_tensor_was_made_of() -> None:
    a = np.array([1.0, 2.0])
    t = wg.tensor(a, requires_grad=True)
    y = (t * t).sum()
    a[:] = 100.0
    y.backward()
    assert t.grad.tolist() == [2.0, 4.0]  # type: ignore[union-attr]


def test_in_place_updates_leave_what_was_kept_alone() -> None:
    x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    h = x * 1.0
    y = (h * h).sum()
    h[0] = 100.0
    h += 1.0
    (y + h.sum()).backward()
    assert x.grad.tolist() == [2.0, 5.0, 7.0]  # type: ignore[union-attr]


def test_saved_arrays_of_a_custom_function_are_copies() -> None:
    kept = np.array([2.0, 3.0])

    class Times(wg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(kept)
            return x * kept

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0]

    x = wg.tensor([1.0, 1.0], requires_grad=True)
    y = Times.apply(x).sum()
    kept[:] = 0.0
    y.backward()
    assert x.grad.tolist() == [2.0, 3.0]  # type: ignore[union-attr]
