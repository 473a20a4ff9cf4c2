from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wengert.core.errors import DTypeError, ShapeError
from wengert.core.tensor import Tensor
from wengert.ops import bitwise
from wengert.ops import comparison as ops


def test_results_are_untracked_booleans() -> None:
    x = Tensor([1.0, 2.0, np.nan], requires_grad=True)
    for function in (ops.equal, ops.not_equal, ops.less, ops.less_equal, ops.greater, ops.greater_equal):
        result = function(x, 2.0)
        assert result.dtype == np.bool_
        assert not result.requires_grad
    assert_array_equal(ops.less_equal(x, 2.0)._value, [True, True, False])
    assert_array_equal(ops.isnan(x)._value, [False, False, True])


def test_numpy_s_functions_dispatch() -> None:
    x = Tensor([1.0, -np.inf])
    assert isinstance(np.isneginf(x), Tensor)
    assert_array_equal(np.isneginf(x)._value, [False, True])
    assert_array_equal(np.isclose(x, np.array([1.0, 0.0]))._value, [True, False])
    assert np.allclose(x, x) is True
    assert np.array_equal(x, [1.0, -np.inf]) is True


def test_whole_tensor_comparisons_are_python_bools() -> None:
    x = Tensor([1.0, np.nan])
    assert ops.allclose(x, x) is False
    assert ops.allclose(x, x, equal_nan=True) is True
    assert ops.allclose(Tensor([1.0]), [1.1], rtol=0.2) is True
    assert ops.array_equal(x, x) is False
    assert ops.array_equal(x, x, equal_nan=True) is True
    assert ops.array_equal(x, [1.0]) is False
    assert ops.array_equiv(Tensor([1, 1]), 1) is True


def test_bits() -> None:
    x = Tensor([6, -1])
    assert_array_equal(bitwise.bitwise_and(x, 3)._value, [2, 3])
    assert_array_equal(bitwise.left_shift(x, 2)._value, [24, -4])
    assert_array_equal(bitwise.invert(x)._value, [-7, 0])
    assert_array_equal(bitwise.bitwise_count(x)._value, [2, 1])
    assert_array_equal(bitwise.gcd(Tensor([12, 0]), 18)._value, [6, 18])


def test_errors() -> None:
    with pytest.raises(DTypeError, match=r"bitwise_and on float64\(1,\), 3"):
        bitwise.bitwise_and(Tensor([1.0]), 3)
    with pytest.raises(ShapeError, match=r"less on float64\(2,\), float64\(3,\)"):
        ops.less(Tensor([1.0, 2.0]), Tensor([1.0, 2.0, 3.0]))
    with pytest.raises(DTypeError, match=r"isposinf"):
        ops.isposinf(Tensor([1j]))
