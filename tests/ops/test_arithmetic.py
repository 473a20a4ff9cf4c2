from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.ops.gradients import gradient, gradients
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.tensor import Tensor
from wengert.ops import arithmetic as ops


def test_gradients_are_summed_over_broadcast_axes() -> None:
    x, y = gradients(ops.multiply, [[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0])
    assert_array_equal(x, [[5, 6], [5, 6]])
    assert_array_equal(y, [4, 6])


def test_division_by_zero_gives_infinities_not_errors() -> None:
    x, y = gradients(ops.divide, [1.0, 0.0], [0.0, 2.0])
    assert_array_equal(x, [np.inf, 0.5])
    assert_array_equal(y, [-np.inf, 0.0])


def test_division_of_complex_numbers() -> None:
    # The gradient of the sum of f is the conjugate of its derivative.
    z, w = np.array([1 + 2j]), np.array([3 - 1j])
    x, y = gradients(ops.divide, z, w)
    assert_allclose(x, np.conj(1 / w))
    assert_allclose(y, np.conj(-z / w**2))


def test_real_operand_of_a_complex_product_has_a_real_gradient() -> None:
    x, z = gradients(ops.multiply, [2.0], [3 + 4j])
    assert x.dtype == np.float64
    assert_array_equal(x, [3.0])
    assert_array_equal(z, [2 + 0j])


def test_remainders_follow_their_signs() -> None:
    x, y = [-7.5, 7.5], [2.0, -2.0]
    assert_array_equal(ops.remainder(Tensor(x), Tensor(y))._value, [0.5, -0.5])
    assert_array_equal(ops.fmod(Tensor(x), Tensor(y))._value, [-1.5, 1.5])
    assert_array_equal(gradients(ops.remainder, x, y), [[1, 1], [4, 4]])
    assert_array_equal(gradients(ops.fmod, x, y), [[1, 1], [3, 3]])


def test_fmod_counts_whole_divisors_exactly() -> None:
    # The exact quotient is just below an integer and rounds up to it.
    x, y = 5.999999999999999, 0.1
    expected = -np.trunc(np.round((x - np.fmod(x, y)) / y))
    assert gradients(ops.fmod, [x], [y])[1] == [expected]


def test_floor_division_has_zero_gradients() -> None:
    assert_array_equal(gradients(ops.floor_divide, [7.5], [2.0]), [[0], [0]])


def test_divmod_is_python_s() -> None:
    quotient, rest = ops.divmod(Tensor([7.0, -7.0]), 2.0)
    assert_array_equal(quotient._value, [3, -4])
    assert_array_equal(rest._value, [1, 1])


def test_angular_units() -> None:
    assert_allclose(gradient(ops.deg2rad, [90.0]), [np.pi / 180])
    assert_allclose(gradient(ops.degrees, [1.0]), [180 / np.pi])
    assert ops.radians is ops.deg2rad


def test_lerp_reaches_both_ends() -> None:
    start, end, weight = gradients(ops.lerp, [1.0, 1.0], [3.0, 3.0], [0.0, 1.0])
    assert_array_equal(start, [1, 0])
    assert_array_equal(end, [0, 1])
    assert_array_equal(weight, [2, 2])


def test_promotion_is_numpy_s() -> None:
    x = Tensor(np.ones(2, np.float32))
    assert ops.add(x, 1.5).dtype == np.float32
    assert ops.add(x, np.float64(1.5)).dtype == np.float64
    assert ops.add(x, Tensor([1, 2])).dtype == np.float64
    assert ops.divide(Tensor([1, 2]), 2).dtype == np.float64
    assert gradient(lambda x: ops.divide(x, np.float64(3)), np.ones(2, np.float32)).dtype == np.float32


def test_errors_name_the_operation_and_the_shapes() -> None:
    with pytest.raises(ShapeError, match=r"add on float64\(2,\), float64\(3,\): operands could not be broadcast"):
        ops.add(Tensor([1.0, 2.0]), Tensor([1.0, 2.0, 3.0]))
    with pytest.raises(DTypeError, match=r"remainder on complex128\(1,\), 2: .*not supported"):
        ops.remainder(Tensor([1j]), 2)
    with pytest.raises(DTypeError, match=r"negative on bool\(1,\)"):
        ops.negative(Tensor([True]))
    with pytest.raises(DTypeError, match=r"multiply: an operand of type str is neither a tensor"):
        ops.multiply(Tensor([1.0]), "2")
