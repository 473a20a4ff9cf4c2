from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import (
    DTypeError,
    GradientError,
    ShapeError,
    UnsupportedFunctionError,
)


def leaf(values) -> wg.Tensor:
    return wg.tensor(np.asarray(values, dtype=float), requires_grad=True)


def close(got, expected):
    assert isinstance(got, wg.Tensor)
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=1e-13)


X = np.array([[0.5, 2.0, -1.5], [3.0, -0.25, 1.0]])


# -- calling ufuncs -------------------------------------------------------------------------------------------------


def test_arrays_on_the_left():
    x = leaf(X)
    close(X * x, X * X)
    close(np.float32(2) * x, 2 * X)
    close(np.hypot(X, x), np.hypot(X, X))


def test_out():
    x = leaf(X)
    out = wg.zeros(X.shape)
    before = out * 1
    assert np.exp(x, out=out) is out
    assert np.exp(x, out=(out,)) is out
    close(out, np.exp(X))
    close(before, 0 * X)
    out.sum().backward()
    close(x.grad, np.exp(X))


def test_out_of_an_array_function():
    x = leaf(X)
    out = wg.zeros(3)
    assert np.sum(x, axis=0, out=out) is out
    assert np.mean(x, 0, None, out) is out
    close(out, X.mean(0))
    with pytest.raises(ShapeError, match=r"numpy\.sum\(\.\.\., out=\): the result has shape \(2,\)"):
        np.sum(x, axis=1, out=out)


def test_out_casts_within_a_kind_unless_told():
    out = wg.zeros(3, dtype="float32")
    np.exp(wg.zeros(3), out=out)
    assert out.dtype == np.float32
    whole = wg.zeros(3, dtype="int64")
    with pytest.raises(DTypeError, match="the result is float64 and cannot take the place of a tensor of int64"):
        np.exp(wg.zeros(3), out=whole)
    np.exp(wg.zeros(3), out=whole, casting="unsafe")
    assert whole.tolist() == [1, 1, 1]


def test_out_for_two_results():
    fraction, whole = wg.zeros(2), wg.zeros(2)
    np.modf(wg.tensor([1.5, -2.25]), out=(fraction, whole))
    assert fraction.tolist() == [0.5, -0.25]
    assert whole.tolist() == [1.0, -2.0]


def test_where_leaves_the_rest_alone_and_keeps_gradients_finite():
    x = leaf([0.0, 1.0, 4.0])
    out = np.log(x, where=x > 0, out=np.full_like(x, -7.0))
    close(out, [-7.0, 0.0, np.log(4.0)])
    out.sum().backward()
    close(x.grad, [0.0, 1.0, 0.25])


def test_where_needs_out():
    with pytest.raises(UnsupportedFunctionError, match=r"where= without out= leaves elements undefined"):
        np.log(leaf([1.0]), where=np.array([True]))


def test_dtype():
    x = leaf(X)
    y = np.add(x, 1, dtype=np.float32)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float64


def test_a_keyword_that_is_not_known():
    with pytest.raises(UnsupportedFunctionError, match=r"numpy\.add on a tensor does not take signature"):
        np.add(leaf([1.0]), 1.0, signature="dd->d")


# -- methods of ufuncs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ufunc",
    [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.hypot, np.subtract, np.fmax, np.divide],
    ids=lambda u: u.__name__,
)
@pytest.mark.parametrize("kwargs", [{}, {"axis": 1}, {"axis": -1, "keepdims": True}], ids=repr)
def test_reduce(ufunc, kwargs):
    x = leaf(X)
    y = ufunc.reduce(x, **kwargs)
    close(y, ufunc.reduce(X, **kwargs))
    assert y.requires_grad


def test_reduce_over_all_axes():
    for ufunc in (np.add, np.logaddexp):
        close(ufunc.reduce(leaf(X), axis=None), ufunc.reduce(X, axis=None))
        close(ufunc.reduce(leaf(X), axis=(0, 1)), ufunc.reduce(X, axis=(0, 1)))


def test_reduce_with_initial():
    close(np.add.reduce(leaf(X), initial=10.0), np.add.reduce(X, initial=10.0))
    close(np.maximum.reduce(leaf(X), axis=1, initial=1.0), np.maximum.reduce(X, axis=1, initial=1.0))
    close(np.logaddexp.reduce(leaf(X), initial=0.0), np.logaddexp.reduce(X, initial=0.0))


def test_reduce_of_nothing():
    close(np.logaddexp.reduce(leaf(np.zeros((0, 2)))), np.logaddexp.reduce(np.zeros((0, 2))))
    with pytest.raises(ShapeError, match=r"numpy\.subtract\.reduce: an empty axis, and this function has no identity"):
        np.subtract.reduce(leaf(np.zeros((0, 2))))


def test_reduce_does_not_take_where():
    with pytest.raises(UnsupportedFunctionError, match=r"numpy\.add\.reduce on a tensor does not take where="):
        np.add.reduce(leaf(X), where=X > 0)


def test_reduce_of_booleans():
    x = wg.tensor([[True, False], [True, True]])
    assert np.logical_and.reduce(x).tolist() == [True, False]
    assert np.logical_or.reduce(x, axis=None).item() is True
    assert np.logical_xor.reduce(x).tolist() == [False, True]
    assert np.bitwise_or.reduce(wg.tensor([1, 2, 4])).item() == 7


@pytest.mark.parametrize(
    "ufunc", [np.add, np.multiply, np.maximum, np.logaddexp, np.subtract], ids=lambda u: u.__name__
)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_accumulate(ufunc, axis):
    y = ufunc.accumulate(leaf(X), axis=axis)
    close(y, ufunc.accumulate(X, axis=axis))
    assert y.requires_grad


@pytest.mark.parametrize("ufunc", [np.multiply, np.add, np.arctan2, np.maximum], ids=lambda u: u.__name__)
def test_outer(ufunc):
    x = leaf([1.0, 2.0])
    y = ufunc.outer(x, X)
    close(y, ufunc.outer(np.array([1.0, 2.0]), X))
    close(ufunc.outer(X, x), ufunc.outer(X, np.array([1.0, 2.0])))
    y.sum().backward()
    assert x.grad.shape == (2,)


def test_at_counts_repeated_indices():
    base, values = leaf([1.0, 2.0, 3.0]), leaf([10.0, 20.0, 30.0])
    x = base * 1
    np.add.at(x, [0, 2, 0], values)
    close(x, [41.0, 2.0, 23.0])
    (x * x).sum().backward()
    close(base.grad, [82.0, 4.0, 46.0])
    close(values.grad, [82.0, 46.0, 82.0])


@pytest.mark.parametrize("ufunc", [np.multiply, np.subtract, np.maximum, np.power], ids=lambda u: u.__name__)
def test_at_is_unbuffered(ufunc):
    expected = np.array([2.0, 3.0, 5.0])
    ufunc.at(expected, [0, 2, 0, 0], [2.0, 3.0, 1.5, 0.5])
    x = leaf([2.0, 3.0, 5.0]) * 1
    ufunc.at(x, [0, 2, 0, 0], [2.0, 3.0, 1.5, 0.5])
    close(x, expected)


def test_at_of_one_operand_and_of_two_dimensions():
    x = wg.tensor([1.0, 2.0])
    np.negative.at(x, [0, 0, 1])
    assert x.tolist() == [1.0, -2.0]
    y = wg.zeros((2, 2))
    np.add.at(y, (np.array([0, 0]), np.array([1, 1])), 1.0)
    assert y.tolist() == [[0.0, 2.0], [0.0, 0.0]]


def test_at_does_not_write_into_an_array():
    with pytest.raises(GradientError, match=r"numpy\.add\.at cannot write a tensor into an ndarray"):
        np.add.at(np.zeros(2), [0], leaf([1.0]))


def test_reduceat():
    with pytest.raises(UnsupportedFunctionError, match=r"numpy\.add\.reduceat does not work on tensors; split"):
        np.add.reduceat(leaf(X), [0, 1])


# -- array functions ------------------------------------------------------------------------------------------------


def test_numpys_own_argument_order():
    x = leaf(X)
    close(np.sum(x, 0, None, None, True), X.sum(0, keepdims=True))
    close(np.clip(x, a_min=-1.0, a_max=None), X.clip(-1.0))
    close(np.reshape(x, shape=(3, 2)), X.reshape(3, 2))
    close(np.sum(a=x, axis=1), X.sum(1))
    close(np.var(x, 0, None, None, 1), X.var(0, ddof=1))


def test_an_argument_that_is_not_supported_is_named():
    with pytest.raises(
        UnsupportedFunctionError, match=r"numpy\.reshape does not work on tensors with these arguments .*order"
    ):
        np.reshape(leaf(X), (3, 2), order="F")


def test_an_argument_that_does_not_exist():
    with pytest.raises(TypeError, match=r"unexpected keyword|got an unexpected"):
        np.sum(leaf(X), colour="red")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: np.busday_count(x, x), r"numpy\.busday_count does not work on tensors; tensors hold numbers"),
        (lambda x: np.frompyfunc(abs, 1, 1)(x), r"abs .* does not work on tensors; if no gradient is needed, detach"),
    ],
)
def test_an_unsupported_function_is_named_with_an_alternative(call, text):
    with pytest.raises(UnsupportedFunctionError, match=text):
        call(leaf(X))


def test_like():
    assert isinstance(np.zeros(3, like=wg.ones(1)), wg.Tensor)
    assert isinstance(np.array([1.0], like=wg.ones(1)), wg.Tensor)


def test_copyto():
    x, source = wg.zeros(2), leaf([1.0, 2.0])
    np.copyto(x, source)
    (x * x).sum().backward()
    close(source.grad, [2.0, 4.0])
    y = wg.zeros(2)
    np.copyto(y, [5.0, 6.0], where=[True, False])
    assert y.tolist() == [5.0, 0.0]
    with pytest.raises(GradientError, match="cannot be written into an ndarray"):
        np.copyto(np.zeros(2), source)


def test_questions_get_plain_answers():
    x = leaf(X)
    assert np.shape(x) == (2, 3)
    assert type(np.size(x)) is int
    assert np.size(x, 1) == 3
    assert np.ndim(x) == 2
    assert np.array_equal(x, X) is True
    assert np.result_type(x, np.float32) == np.float64


def test_saving(tmp_path):
    np.save(tmp_path / "x.npy", wg.tensor(X))
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)


class Foreign:
    """An array of another library."""

    def __array_ufunc__(self, *_, **__):
        return "foreign"

    def __array_function__(self, *_, **__):
        return "foreign"


def test_other_libraries_arrays_get_their_turn():
    assert np.add(wg.ones(2), Foreign()) == "foreign"
    assert np.concatenate([wg.ones(2), Foreign()]) == "foreign"
