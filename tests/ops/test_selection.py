from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.ops.gradients import gradient, gradients
from wengert.core import backward as autograd
from wengert.core.errors import ShapeError
from wengert.core.tensor import Tensor
from wengert.ops import power
from wengert.ops import selection as ops

NAN = np.nan


@pytest.mark.parametrize("function", [ops.maximum, ops.minimum, ops.fmax, ops.fmin])
def test_ties_share_evenly(function: Any) -> None:
    assert_array_equal(gradients(function, [2.0, np.inf], [2.0, np.inf]), [[0.5, 0.5], [0.5, 0.5]])
    assert_array_equal(gradient(lambda x: function(x, 2.0), [2.0]), [0.5])


@pytest.mark.parametrize("function", [ops.maximum, ops.minimum, ops.fmax, ops.fmin])
def test_nan_rules(function: Any) -> None:
    x, y = np.array([NAN, 1.0, NAN]), np.array([1.0, NAN, NAN])
    assert_array_equal(function(Tensor(x), Tensor(y))._value, getattr(np, function.__name__)(x, y))
    towards_x, towards_y = gradients(function, x, y)
    if function in (ops.fmax, ops.fmin):
        # Only the number counts.
        assert_array_equal(towards_x, [0, 1, 1])
        assert_array_equal(towards_y, [1, 0, 1])
    else:
        # The NaN that made the result NaN sees the gradient.
        assert towards_x[0] == 1
        assert towards_y[1] == 1


@pytest.mark.parametrize("function", [ops.maximum, ops.minimum, ops.fmax, ops.fmin])
def test_gradients_of_float32_stay_float32(function: Any) -> None:
    x, y = (np.array([1.0, 2.0], np.float32), np.array([1.0, 3.0], np.float32))
    assert [g.dtype for g in gradients(function, x, y)] == [np.float32, np.float32]


def test_heaviside_passes_the_gradient_to_its_value_at_zero() -> None:
    x, y = gradients(ops.heaviside, [-1.0, 0.0, 2.0], [0.3, 0.3, 0.3])
    assert_array_equal(x, [0, 0, 0])
    assert_array_equal(y, [0, 1, 0])


def test_clip_gives_the_gradient_to_the_bound_that_counts() -> None:
    x, low, high = gradients(ops.clip, [-2.0, 0.0, 5.0, -1.0, 1.0], [-1.0] * 5, [1.0] * 5)
    assert_array_equal(x, [0, 1, 0, 1, 1])
    assert_array_equal(low, [1, 0, 0, 0, 0])
    assert_array_equal(high, [0, 0, 1, 0, 0])


def test_clip_with_crossed_bounds_is_the_upper_one() -> None:
    operands = ([0.0, -5.0, 5.0], [1.0] * 3, [-1.0] * 3)
    assert_array_equal(ops.clip(*map(Tensor, operands))._value, [-1, -1, -1])
    assert_array_equal(gradients(ops.clip, *operands), [[0, 0, 0], [0, 0, 0], [1, 1, 1]])


def test_clip_with_one_bound_or_none() -> None:
    x = [-2.0, 0.5, 2.0]
    assert_array_equal(gradient(lambda x: ops.clip(x, 0.5), x), [0, 1, 1])
    assert_array_equal(gradient(lambda x: ops.clip(x, max=0.5), x), [1, 1, 0])
    assert_array_equal(gradient(ops.clip, x), [1, 1, 1])
    assert_array_equal(np.clip(Tensor(x), -1, 1)._value, [-1, 0.5, 1])
    assert ops.clamp is ops.clip


def test_a_bound_that_broadcasts_gets_the_sum() -> None:
    _, low = gradients(lambda x, low: ops.clip(x, min=low), [-2.0, -3.0, 2.0], [0.0])
    assert_array_equal(low, [2.0])


def test_clip_keeps_nan() -> None:
    assert_array_equal(ops.clip(Tensor([NAN, 3.0]), 0, 1)._value, [NAN, 1])


def test_where_sends_the_gradient_to_what_was_chosen() -> None:
    condition = Tensor([True, False])
    x, y = gradients(lambda x, y: ops.where(condition, x, y), [1.0, 2.0], [[3.0], [4.0]])
    assert_array_equal(x, [2, 0])
    assert_array_equal(y, [[1], [1]])
    assert ops.where(condition, Tensor(np.ones(2, np.float32)), 0.5).dtype == np.float32


def test_where_guards_an_infinite_slope() -> None:
    def root(x: Any) -> Any:
        return ops.where(x > 0, power.sqrt(ops.where(x > 0, x, 1.0)), 0.0)

    assert_array_equal(gradient(root, [-1.0, 0.0, 4.0]), [0, 0, 0.25])


def test_where_with_the_condition_alone_gives_indices() -> None:
    (found,) = ops.where(Tensor([0.0, 2.0, 3.0]))
    assert_array_equal(np.asarray(found), [1, 2])
    with pytest.raises(ShapeError, match="where: give both x and y, or neither"):
        ops.where(Tensor([True]), 1.0)


def test_where_has_a_second_derivative() -> None:
    x = Tensor([2.0, -3.0], requires_grad=True)
    (first,) = autograd.grad([ops.where(x > 0, x * x, x)], [x], [Tensor([1.0, 1.0])], create_graph=True)
    (second,) = autograd.grad([first], [x], [Tensor([1.0, 1.0])])
    assert_array_equal(first._value, [4, 1])
    assert_array_equal(second._value, [2, 0])


def test_select_takes_the_first_condition_that_holds() -> None:
    x = Tensor([-1.0, 0.5, 2.0], requires_grad=True)
    y = np.select([x < 0, x < 1], [x * 2, x * 3], default=7.0)
    assert_array_equal(y._value, [-2, 1.5, 7])
    assert_array_equal(gradient(lambda x: ops.select([x < 0, x < 1], [x * 2, x * 3]), [-1.0, 0.5, 2.0]), [2, 3, 0])
    with pytest.raises(ShapeError, match="as many choices as conditions are needed, not 1 for 2"):
        ops.select([x < 0, x < 1], [x])
    with pytest.raises(ShapeError, match="at least one condition"):
        ops.select([], [])


def test_piecewise_never_leaves_a_function_s_domain() -> None:
    def function(x: Any) -> Any:
        return np.piecewise(x, [x > 0, x < 0], [np.sqrt, lambda v: v * v, -1.0])

    x = [-4.0, 0.0, 9.0]
    assert_array_equal(function(Tensor(x))._value, [16, -1, 3])
    assert_array_equal(gradient(function, x), [-8, 0, 1 / 6])
    with pytest.raises(ShapeError, match="1 conditions need as many functions, or one more for the default, not 3"):
        ops.piecewise(Tensor(x), [Tensor(x) > 0], [1, 2, 3])


def test_nan_to_num_stops_the_gradient_of_what_it_replaces() -> None:
    x = [1.5, NAN, np.inf, -np.inf]
    found = ops.nan_to_num(Tensor(x), nan=7.0, posinf=8.0)
    assert_array_equal(found._value, [1.5, 7, 8, np.finfo(float).min])
    assert_array_equal(gradient(ops.nan_to_num, x), [1, 0, 0, 0])
    z = [complex(NAN, 2), complex(1, np.inf), 3 + 4j]
    assert_array_equal(gradient(lambda z: np.real(ops.nan_to_num(z)), z), [0, 1, 1])
    assert_array_equal(gradient(lambda z: np.imag(ops.nan_to_num(z)), z), [1j, 0, 1j])
