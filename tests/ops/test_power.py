from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.ops.gradients import gradient, gradients
from wengert.core import backward as autograd
from wengert.core.errors import ShapeError
from wengert.core.tensor import Tensor
from wengert.ops import power as ops

INF = np.inf


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [
        (0, [0, 0, 0]),
        (1, [1, 1, 1]),
        (2, [-4, 0, 6]),
        (2.0, [-4, 0, 6]),
        (3, [12, 0, 27]),
        (-1, [-0.25, -INF, -1 / 9]),
        (np.float64(2.0), [-4, 0, 6]),
    ],
)
def test_gradient_of_base_for_whole_exponents(exponent: float, expected: list[float]) -> None:
    base = [-2.0, 0.0, 3.0]
    assert_allclose(gradient(lambda x: ops.power(x, exponent), base), expected)
    # The exponent as a tensor takes another path through the rule.
    assert_allclose(gradient(lambda x: ops.power(x, Tensor(np.full(3, exponent))), base), expected)


def test_gradient_of_exponent_at_a_zero_base() -> None:
    base, exponent = gradients(ops.power, [0.0, 0.0, 0.0], [2.0, 0.0, -1.0])
    assert_array_equal(exponent, [0.0, 0.0, -INF])
    assert_array_equal(base, [0.0, 0.0, -INF])


def test_gradient_of_exponent() -> None:
    assert_allclose(gradient(lambda y: ops.power(2.0, y), [3.0, -1.0]), np.log(2) * np.array([8, 0.5]))
    assert_array_equal(gradient(lambda y: ops.power(0.0, y), [3.0, 0.5]), [0.0, 0.0])
    assert np.isnan(gradient(lambda y: ops.power(-2.0, y), [3.0])).all()
    (g,) = gradients(lambda y: ops.power(-2 + 0j, y), [3 + 0j])
    assert_allclose(g, [np.conj((-2 + 0j) ** 3 * np.log(-2 + 0j))])


def test_mixed_second_derivative_where_the_exponent_is_zero() -> None:
    # d/dy of y * x**(y-1) at y = 0 is 1/x: a rule that masks the exponent zero would lose it.
    x = Tensor([2.0, 5.0], requires_grad=True)
    y = Tensor([0.0, 0.0], requires_grad=True)
    (towards_x,) = autograd.grad([ops.power(x, y)], [x], [Tensor([1.0, 1.0])], create_graph=True)
    (mixed,) = autograd.grad([towards_x], [y], [Tensor([1.0, 1.0])])
    assert_allclose(mixed._value, [0.5, 0.2])


def test_derivatives_of_a_cube_at_zero() -> None:
    x = Tensor(0.0, requires_grad=True)
    y = ops.power(x, 3)
    found = []
    for _ in range(3):
        (y,) = autograd.grad([y], [x], create_graph=True)
        found.append(float(y._value))
    assert found == [0.0, 0.0, 6.0]


def test_float32_stays_float32() -> None:
    x = np.array([1.0, 2.0], np.float32)
    assert gradient(lambda x: ops.power(x, 2.5), x).dtype == np.float32
    assert gradient(lambda x: ops.power(2.5, x), x).dtype == np.float32
    assert ops.power(Tensor(x), 2).dtype == np.float32
    assert ops.float_power(Tensor(x), 2).dtype == np.float64


def test_integers_to_negative_integer_powers() -> None:
    with pytest.raises(ShapeError, match=r"Integers to negative integer powers are not allowed"):
        ops.power(Tensor([1, 2]), -1)
    with pytest.raises(ValueError, match=r"power on int64\(2,\), int64\(2,\)"):
        ops.power(Tensor([1, 2]), Tensor([-1, 2]))
    assert_array_equal(ops.power(Tensor([1, 2]), Tensor([3, 2]))._value, [1, 4])
    assert_array_equal(ops.float_power(Tensor([1, 2]), -1)._value, [1, 0.5])


def test_infinite_slopes_are_honest() -> None:
    assert_array_equal(gradient(ops.sqrt, [0.0, 4.0]), [INF, 0.25])
    assert_array_equal(gradient(ops.cbrt, [0.0, 8.0]), [INF, 1 / 12])
    assert_array_equal(gradient(lambda x: ops.power(x, 0.5), [0.0, 4.0]), [INF, 0.25])


def test_square_root_of_a_negative_number_is_nan() -> None:
    with np.errstate(invalid="ignore"):
        assert np.isnan(ops.sqrt(Tensor([-1.0]))._value).all()
    assert_allclose(ops.sqrt(Tensor([-1 + 0j]))._value, [1j])


def test_hypot_at_the_origin_and_without_overflow() -> None:
    x, y = gradients(ops.hypot, [0.0, 3e200], [0.0, 4e200])
    assert_allclose(x, [0.0, 0.6])
    assert_allclose(y, [0.0, 0.8])


def test_residuals_are_the_fewest() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = ops.sqrt(x)
    assert y.grad_fn is not None
    kept = [one for one in y.grad_fn.residuals if one is not None]
    assert len(kept) == 1
    assert kept[0] is y._value
