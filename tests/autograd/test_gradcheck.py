"""Gradient checks accept what is right, and say exactly what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd import Function, gradcheck, gradgradcheck


class WrongSquare(Function):
    """A square whose gradient is wrong in one entry."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * g * np.array([1.0, 3.0, 1.0])


def leaf(data: Any) -> wg.Tensor:
    return wg.tensor(data, requires_grad=True)


def test_right_gradients_pass() -> None:
    x, y = leaf([[0.3, -1.2], [2.0, 0.7]]), leaf([1.1, -0.4])
    for f in (lambda a, b: (a @ b).tanh(), lambda a, b: (a * b, a.sum() + b), lambda a, b: a.exp().sum()):
        assert gradcheck(f, (x, y), check_forward_ad=True, check_batched_grad=True, fast_mode=True)
        assert gradgradcheck(f, (x, y))


@pytest.mark.parametrize("f", [lambda z: z * z, lambda z: wg.abs(z), lambda z: wg.real(z) * z, lambda z: wg.exp(z) / z])
def test_complex_inputs_and_results(f: Any) -> None:
    z = leaf([0.5 + 1j, -1.2 + 0.3j])
    assert gradcheck(f, (z,), check_forward_ad=True)
    assert gradgradcheck(f, (z,))


def test_results_without_a_gradient_are_left_out() -> None:
    assert gradcheck(lambda x: (x * x, wg.argsort(x), wg.stop_gradient(wg.floor(x))), leaf([0.5, 1.5]))


def test_a_wrong_gradient_is_shown_with_its_place_and_both_values() -> None:
    x = leaf([1.0, 2.0, 3.0])
    with pytest.raises(wg.GradcheckError) as caught:
        gradcheck(lambda y, x: (y, WrongSquare.apply(x)), (wg.tensor(1.0), x))
    text = str(caught.value)
    assert "output 1, input 1" in text
    assert "element 1 of the output by element 1 of the input is 12.0 analytically and 4.0" in text.replace(
        "3.99999", "4.0"
    )
    assert "1 of 9 entries differ" in text
    assert "analytic:\n" in text
    assert "numeric:\n" in text
    assert gradcheck(WrongSquare.apply, x, raise_exception=False) is False


def test_a_wrong_second_derivative_is_found() -> None:
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.x = x
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * ctx.x * g

    x = leaf([1.0, 2.0])
    assert gradcheck(Square.apply, x)
    # An argument kept as an attribute is not tied to the graph: the second derivative is lost, and this finds it.
    with pytest.raises(wg.GradcheckError, match="entries differ"):
        gradgradcheck(Square.apply, x)


def test_nothing_to_check_is_an_error() -> None:
    with pytest.raises(wg.GradientError, match="no input requires a gradient"):
        gradcheck(wg.sin, wg.tensor(1.0))
