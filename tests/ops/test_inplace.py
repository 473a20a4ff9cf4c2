from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, GradientError, ShapeError, TransformError
from wengert.core.levels import JvpLevel, VmapLevel, running


def leaf(*values: float) -> wg.Tensor:
    return wg.tensor(list(values), requires_grad=True)


# -- gradients ------------------------------------------------------------------------------------------------------


def test_the_handle_moves_and_gradients_follow():
    x = leaf(1.0, 2.0)
    y = x * x
    y += 1
    y *= x
    y.sum().backward()
    assert y.tolist() == [2.0, 10.0]
    assert x.grad.tolist() == [4.0, 13.0]  # d/dx (x^3 + x)


def test_item_assignment():
    x = leaf(1.0, 2.0, 3.0)
    v = leaf(10.0)
    y = x * 2
    y[1] = v[0] * 3
    (y * y).sum().backward()
    assert y.tolist() == [2.0, 30.0, 6.0]
    assert x.grad.tolist() == [8.0, 0.0, 24.0]
    assert v.grad.tolist() == [180.0]


def test_augmented_item_assignment():
    x = leaf(1.0, 2.0)
    y = x.clone()
    y[0] += 5.0
    y[-1] *= x[0]
    y.sum().backward()
    assert y.tolist() == [6.0, 2.0]
    assert x.grad.tolist() == [3.0, 1.0]


def test_what_was_saved_for_the_backward_pass_is_never_changed():
    x = leaf(1.0, 2.0)
    y = x * 3
    z = (y * y).sum()  # saves y
    y.zero_()
    y += 100
    z.backward()
    assert x.grad.tolist() == [18.0, 36.0]


def test_an_operand_that_was_saved_may_be_overwritten_by_index():
    x = leaf(1.0, 2.0)
    w = wg.tensor([3.0, 4.0])
    z = (x * w).sum()  # saves w
    w[0] = 1000.0
    z.backward()
    assert w.tolist() == [1000.0, 4.0]
    assert x.grad.tolist() == [3.0, 4.0]


def test_an_array_that_was_assigned_from_may_be_changed_later():
    source = np.array([1.0, 2.0])
    x = wg.zeros(2)
    x.copy_(source)
    y = wg.zeros(2)
    y[:] = source
    source[0] = 50.0
    assert x.tolist() == y.tolist() == [1.0, 2.0]


def test_there_are_no_views():
    x = wg.tensor([1.0, 2.0])
    y = x[:1]
    y += 10
    assert x.tolist() == [1.0, 2.0]


# -- leaves ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.__iadd__(1),
        lambda x: x.add_(1),
        lambda x: x.zero_(),
        lambda x: x.exp_(),
        lambda x: x.__setitem__(0, 1.0),
        lambda x: x.copy_(wg.ones(2)),
        lambda x: np.add(x, 1, out=x),
    ],
    ids=["+=", "add_", "zero_", "exp_", "x[i] =", "copy_", "out="],
)
def test_a_leaf_that_requires_a_gradient_is_not_changed(change):
    x = leaf(1.0, 2.0)
    with pytest.raises(GradientError, match=r"would change a leaf that requires a gradient.*no_grad.*x\.clone\(\)"):
        change(x)
    assert x.tolist() == [1.0, 2.0]
    assert x.is_leaf


def test_under_no_grad_a_leaf_changes_and_stays_the_leaf():
    x = leaf(1.0, 2.0)
    y = x * x
    with wg.no_grad():
        x += 10
        x[0] = -1.0
        x.mul_(2)
    assert x.tolist() == [-2.0, 24.0]
    assert x.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]
    (x * x).sum().backward()
    assert x.grad.tolist() == [-2.0, 52.0]


def test_a_result_changed_under_no_grad_keeps_its_place_in_the_graph():
    x = leaf(1.0, 2.0)
    y = x * 2
    with wg.no_grad():
        y += 100
    assert y.tolist() == [102.0, 104.0]
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_constant_becomes_tracked():
    x = leaf(1.0, 2.0)
    total = wg.zeros(2)
    for _ in range(3):
        total += x
    total.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


# -- data -----------------------------------------------------------------------------------------------------------


def test_data():
    x = leaf(1.0, 2.0)
    y = x * x
    assert not x.data.requires_grad
    x.data = x.data * 10
    assert x.tolist() == [10.0, 20.0]
    x.data -= 1
    x.data.mul_(2)
    x.data[0] = 7.0
    assert x.tolist() == [7.0, 38.0]
    assert x.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_data_must_fit():
    x = leaf(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"x\.data = \.\.\.: the result has shape \(3,\)"):
        x.data = wg.ones(3)
    y = wg.ones(2)
    y.data = np.ones(3)
    assert y.shape == (3,)


# -- shape and dtype ------------------------------------------------------------------------------------------------


def test_the_shape_may_not_change():
    x = wg.ones(3)
    with pytest.raises(
        ShapeError, match=r"\+=: the result has shape \(2, 3\) and cannot take the place .* shape \(3,\)"
    ):
        x += wg.ones((2, 3))


def test_the_dtype_may_not_change():
    x = wg.tensor([1, 2])
    with pytest.raises(DTypeError, match=r"\+=: the result is float64 .* of int64; convert it first: x = x\.astype"):
        x += 0.5
    x += 1
    assert x.tolist() == [2, 3]
    assert x.dtype == np.int64


def test_within_a_kind_it_is_cast():
    x = wg.ones(2, dtype="float32")
    x += np.ones(2)
    assert x.dtype == np.float32
    x.copy_(wg.tensor([1, 2]))
    assert x.dtype == np.float32


# -- the family -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda x: x.add_(1.0), [2.0, 5.0]),
        (lambda x: x.add_(wg.ones(2), alpha=3), [4.0, 7.0]),
        (lambda x: x.sub_(1.0, alpha=2), [-1.0, 2.0]),
        (lambda x: x.mul_(2.0), [2.0, 8.0]),
        (lambda x: x.div_(2.0), [0.5, 2.0]),
        (lambda x: x.pow_(2), [1.0, 16.0]),
        (lambda x: x.sqrt_(), [1.0, 2.0]),
        (lambda x: x.neg_(), [-1.0, -4.0]),
        (lambda x: x.zero_(), [0.0, 0.0]),
        (lambda x: x.fill_(3), [3.0, 3.0]),
        (lambda x: x.copy_([5.0, 6.0]), [5.0, 6.0]),
        (lambda x: x.copy_(9.0), [9.0, 9.0]),
        (lambda x: x.clamp_(2.0, 3.0), [2.0, 3.0]),
        (lambda x: x.clamp_min_(2.0), [2.0, 4.0]),
        (lambda x: x.clamp_max_(2.0), [1.0, 2.0]),
        (lambda x: x.relu_(), [1.0, 4.0]),
        (lambda x: x.exp_(), [np.e, np.exp(4.0)]),
        (lambda x: x.log_(), [0.0, np.log(4.0)]),
        (lambda x: x.abs_(), [1.0, 4.0]),
        (lambda x: x.reciprocal_(), [1.0, 0.25]),
        (lambda x: x.masked_fill_(x > 2, 0.0), [1.0, 0.0]),
    ],
)
def test_in_place_methods(change, expected):
    x = wg.tensor([1.0, 4.0])
    assert change(x) is x
    np.testing.assert_allclose(x.numpy(), expected)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda x: x.__iadd__(2), [9, 5]),
        (lambda x: x.__isub__(2), [5, 1]),
        (lambda x: x.__imul__(2), [14, 6]),
        (lambda x: x.__ifloordiv__(2), [3, 1]),
        (lambda x: x.__imod__(2), [1, 1]),
        (lambda x: x.__ipow__(2), [49, 9]),
        (lambda x: x.__iand__(1), [1, 1]),
        (lambda x: x.__ior__(8), [15, 11]),
        (lambda x: x.__ixor__(1), [6, 2]),
        (lambda x: x.__ilshift__(1), [14, 6]),
        (lambda x: x.__irshift__(1), [3, 1]),
    ],
)
def test_in_place_operators(change, expected):
    x = wg.tensor([7, 3])
    assert change(x) is x
    assert x.tolist() == expected


def test_in_place_matmul():
    x = wg.tensor([[1.0, 2.0], [3.0, 4.0]])
    y = x
    y @= wg.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert x.tolist() == [[2.0, 1.0], [4.0, 3.0]]


def test_random_filling():
    wg.manual_seed(0)
    x = wg.empty(10_000, dtype="float32")
    x.normal_(3.0, 2.0)
    assert x.dtype == np.float32
    assert abs(x.numpy().mean() - 3) < 0.1
    assert abs(x.numpy().std() - 2) < 0.1
    x.uniform_(-1.0, 1.0)
    assert -1 <= x.numpy().min() < -0.9
    assert 0.9 < x.numpy().max() <= 1


# -- inside transforms ----------------------------------------------------------------------------------------------


def test_inside_jvp():
    with running(JvpLevel()) as level:
        x = level.dual(wg.tensor([1.0, 2.0]), wg.tensor([1.0, 0.0]))
        y = x * x
        y[1] = x[0] * 5
        y += 1
        value, tangent = level.split(y)
        assert value.tolist() == [2.0, 6.0]
        assert tangent.tolist() == [2.0, 5.0]
        y.zero_()
        assert level.split(y)[1] is None


def test_inside_vmap():
    with running(VmapLevel(2)) as level:
        x = level.batched(wg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        y = x * 1
        y[0] = x[1] * 10
        y *= 2
        assert y._inner.tolist() == [[40.0, 4.0], [80.0, 8.0]]
        y.zero_()
        assert y._inner.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("make", [lambda: JvpLevel(), lambda: VmapLevel(2)])
def test_a_tensor_from_outside_cannot_take_on_a_transformed_value(make):
    with running(make()) as level:
        ones = wg.tensor([[1.0, 1.0], [1.0, 1.0]])
        x = level.dual(ones[0], ones[0]) if isinstance(level, JvpLevel) else level.batched(ones)
        outside = wg.zeros(2)
        with pytest.raises(TransformError, match=r"made outside of a running transform.*wengert\.zeros_like\(x\)"):
            outside += x


# -- out= -----------------------------------------------------------------------------------------------------------


def test_out_moves_the_handle():
    x = leaf(1.0, 2.0)
    out = wg.zeros(2)
    assert np.multiply(x, x, out=out) is out
    out.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_an_array_cannot_take_a_tracked_result():
    array = np.zeros(2)
    with pytest.raises(GradientError, match=r"write `array = array \+ tensor`"):
        array += leaf(1.0, 2.0)
    array += wg.tensor([1.0, 2.0])
    assert type(array) is np.ndarray
    assert array.tolist() == [1.0, 2.0]
