from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.ops.gradients import gradient, gradients
from wengert.core.errors import NotDifferentiableError
from wengert.core.tensor import Tensor
from wengert.ops import rounding as ops


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "rint", "round", "around", "fix"])
def test_rounding_has_derivative_zero(name: str) -> None:
    function = getattr(ops, name)
    x = [-1.5, 0.0, 0.5, 2.5]
    assert_array_equal(gradient(function, x), np.zeros(4))
    assert_array_equal(function(Tensor(x))._value, getattr(np, name)(x))


def test_round_goes_to_even_and_takes_digits() -> None:
    assert_array_equal(ops.round(Tensor([0.5, 1.5, 2.5]))._value, [0, 2, 2])
    assert_array_equal(ops.round(Tensor([1234, 5678]), -2)._value, [1200, 5700])
    assert_array_equal(np.round(Tensor([1.26]), decimals=1)._value, [1.3])
    assert_array_equal(np.fix(Tensor([-1.6]))._value, [-1.0])


def test_modf_at_infinity() -> None:
    fraction, whole = ops.modf(Tensor([np.inf, -np.inf, -0.5]))
    assert_array_equal(fraction._value, [0.0, -0.0, -0.5])
    assert_array_equal(whole._value, [np.inf, -np.inf, -0.0])


def test_frexp_of_every_kind_of_number() -> None:
    x = np.array([0.0, -3.0, 5e-324, np.inf, 1e308])
    mantissa, exponent = ops.frexp(Tensor(x))
    expected = np.frexp(x)
    assert_array_equal(mantissa._value, expected[0])
    assert_array_equal(exponent._value, expected[1])
    assert exponent.dtype == expected[1].dtype
    assert_array_equal(gradient(lambda x: ops.frexp(x)[0], [3.0, 0.25]), [0.25, 2.0])


def test_ldexp_scales_the_gradient() -> None:
    assert_array_equal(gradient(lambda x: ops.ldexp(x, Tensor([3, -1])), [1.0, 1.0]), [8, 0.5])


def test_copysign() -> None:
    x, y = gradients(ops.copysign, [3.0, -3.0, 0.0, 2.0], [-1.0, -1.0, -1.0, -0.0])
    assert_array_equal(x, [-1, 1, 0, -1])
    assert_array_equal(y, np.zeros(4))


def test_neighbouring_floats_have_no_derivative() -> None:
    x = Tensor([1.0], requires_grad=True)
    assert ops.nextafter(x, 2.0)._value == np.nextafter(1.0, 2.0)
    with pytest.raises(NotDifferentiableError, match="nextafter has no derivative: the result jumps between"):
        ops.nextafter(x, 2.0).backward()
    with pytest.raises(NotDifferentiableError, match="spacing has no derivative: the spacing of floating-point"):
        ops.spacing(x).backward()
