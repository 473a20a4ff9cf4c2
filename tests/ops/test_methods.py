"""Methods of tensors: those of PyTorch and NumPy that are functions of the families, bound, and those of their own."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, ShapeError

X = np.array([[0.2, 0.7, 0.4], [0.9, 0.1, 0.6]])
Y = np.array([[1.5, 0.5, 2.0], [1.0, 3.0, 0.3]])
N = np.array([[5, 3, 8], [1, 7, 2]])

UNARY = """
abs absolute negative positive deg2rad rad2deg conj conjugate sign sqrt square reciprocal arccos arcsin arctan arctanh
arcsinh cos cosh exp exp2 expm1 log log10 log1p log2 sinc sin sinh tan tanh floor ceil trunc fix isnan isinf isfinite
isposinf isneginf isreal signbit logical_not nan_to_num
""".split()
BINARY = """
add subtract multiply divide true_divide floor_divide remainder fmod hypot arctan2 logaddexp logaddexp2 copysign
nextafter maximum minimum fmax fmin heaviside less less_equal greater greater_equal logical_and logical_or logical_xor
""".split()
#: PyTorch's names of NumPy's functions.
ALIASES = {
    "neg": "negative",
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "atanh": "arctanh",
    "asinh": "arcsinh",
    "mul": "multiply",
    "sub": "subtract",
    "div": "divide",
    "pow": "power",
    "atan2": "arctan2",
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


def same(tensor, array):
    np.testing.assert_allclose(tensor.detach().numpy(), array, rtol=1e-14)
    assert tensor.dtype == np.asarray(array).dtype


@pytest.mark.parametrize("name", [*UNARY, *(a for a, b in ALIASES.items() if getattr(np, b).nin == 1)])
def test_elementwise_methods_of_one_tensor(name):
    same(getattr(wg.tensor(X), name)(), getattr(np, ALIASES.get(name, name))(X))


@pytest.mark.parametrize("name", [*BINARY, *(a for a, b in ALIASES.items() if getattr(np, b).nin == 2)])
def test_elementwise_methods_of_two_tensors(name):
    same(getattr(wg.tensor(X), name)(wg.tensor(Y)), getattr(np, ALIASES.get(name, name))(X, Y))


def test_methods_with_pytorchs_keywords():
    x, y = wg.tensor(X), wg.tensor(Y)
    same(x.add(y, alpha=2), X + 2 * Y)
    same(x.sub(y, alpha=2), X - 2 * Y)
    same((-x).div(y, rounding_mode="floor"), np.floor(-X / Y))
    same((-y).div(x, rounding_mode="trunc"), np.trunc(-Y / X))
    same(x.addcmul(x, y, value=0.5), X + 0.5 * X * Y)
    same(x.addcdiv(x, y, value=0.5), X + 0.5 * X / Y)
    same(x.rsqrt(), 1 / np.sqrt(X))
    same((-y).frac(), -np.modf(Y)[0])
    with pytest.raises(DTypeError, match="rounding_mode is None, 'trunc' or 'floor', not 'up'"):
        x.div(y, rounding_mode="up")


def test_statistics_take_numpys_and_pytorchs_words_for_the_degrees_of_freedom():
    x = wg.tensor(X)
    same(x.var(), np.var(X))
    same(x.var(dim=1, unbiased=True, keepdim=True), np.var(X, axis=1, ddof=1, keepdims=True))
    same(x.std(axis=0, correction=1), np.std(X, axis=0, ddof=1))
    same(x.std(axis=0, ddof=1), np.std(X, axis=0, ddof=1))


def test_extremes_along_pytorchs_dim_come_with_their_places():
    x = wg.tensor(X)
    same(x.max(axis=1), X.max(axis=1))
    assert x.max(dim=1).indices.tolist() == [1, 0]
    assert x.min(dim=0, keepdim=True).values.tolist() == [[0.2, 0.1, 0.4]]
    same(x.max(wg.tensor(Y)), np.maximum(X, Y))
    same(x.min(wg.tensor(Y)), np.minimum(X, Y))
    assert [one.item() for one in x.aminmax()] == [0.1, 0.9]
    same(x.median(), np.median(X))
    assert wg.tensor([4.0, 1.0, 3.0, 2.0]).median(dim=0).values.item() == 2.0
    values, indices = x.sort(dim=1)
    same(values, np.sort(X, axis=1))
    assert indices.tolist() == np.argsort(X, axis=1).tolist()
    same(x.sort(), np.sort(X))
    values, indices = wg.tensor([1.0, 3.0, 3.0, 2.0]).cummax(dim=0)
    assert (values.tolist(), indices.tolist()) == ([1.0, 3.0, 3.0, 3.0], [0, 1, 2, 2])
    values, indices = wg.tensor([3.0, 1.0, 2.0]).cummin(dim=0)
    assert (values.tolist(), indices.tolist()) == ([3.0, 1.0, 1.0], [0, 1, 1])
    same(x.cummax(axis=1), np.maximum.accumulate(X, axis=1))


def test_shapes():
    x = wg.arange(24).reshape(2, 3, 4)
    assert x.view(6, -1).shape == x.view_as(wg.zeros(6, 4)).shape == (6, 4)
    assert x.unflatten(2, (2, -1)).shape == (2, 3, 2, 2)
    assert x.transpose(0, 1).shape == x.swapaxes(0, 1).shape == (3, 2, 4)
    assert x.transpose(2, 0, 1).shape == x.permute((2, 0, 1)).shape == (4, 2, 3)
    assert x.transpose().shape == x.T.shape == (4, 3, 2)
    assert x[0].t().shape == (4, 3)
    assert (1j * x[0]).mH.tolist() == (1j * x[0]).adjoint().tolist() == (-1j * x[0].numpy().T).tolist()
    assert x[0, :1].expand(3, -1).shape == (3, 4)
    assert x[0, 0].expand_as(x).shape == x.shape
    assert wg.tensor([1, 2]).repeat(2, 1).tolist() == [[1, 2], [1, 2]]
    assert wg.tensor([1, 2]).repeat(2, axis=0).tolist() == [1, 1, 2, 2]
    assert wg.tensor([1, 2]).tile(2).tolist() == [1, 2, 1, 2]


def test_pieces_and_indices():
    x = wg.arange(10).reshape(2, 5)
    assert [one.shape for one in x.split(2, dim=1)] == [(2, 2), (2, 2), (2, 1)]
    assert [one.tolist() for one in x[0].split([1, 4])] == [[0], [1, 2, 3, 4]]
    assert [one.shape for one in x.tensor_split(2, 1)] == [(2, 3), (2, 2)]
    assert x.narrow(1, 1, 2).tolist() == [[1, 2], [6, 7]]
    assert x.select(1, -1).tolist() == [4, 9]
    assert x.index_fill(1, wg.tensor([0, 2]), -1).tolist() == [[-1, 1, -1, 3, 4], [-1, 6, -1, 8, 9]]
    assert x.index_copy(0, wg.tensor([1]), x[:1]).tolist() == [[0, 1, 2, 3, 4]] * 2
    assert x.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert [one.tolist() for one in wg.tensor([[0, 1], [1, 0]]).nonzero()] == [[0, 1], [1, 0]]
    assert wg.tensor([[0, 1], [1, 0]]).nonzero(as_tuple=False).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: x.unflatten(1, (2, 2)), "an axis of length 5 does not split into"),
        (lambda x: x.unflatten(2, (2, 2)), "axis 2 is out of range"),
        (lambda x: x.split(0), "length of the pieces must be positive"),
        (lambda x: x.split([1, 3], dim=1), "do not add up to the axis, which has length 5"),
        (lambda x: x.narrow(1, 4, 2), "4 to 6 is not within axis 1"),
        (lambda x: x.select(2, 0), "axis 2 is out of range"),
        (lambda x: x.expand(5), "fewer dimensions"),
        (lambda x: x.reshape(1, 2, 5).t(), "expected a matrix or a vector"),
    ],
)
def test_what_does_not_fit(call, message):
    with pytest.raises(ShapeError, match=message):
        call(wg.zeros(2, 5))


def test_linear_algebra():
    a = np.array([[2.0, 0.5], [0.3, 1.0]])
    x = wg.tensor(a)
    same(x.addmm(x, x, beta=2, alpha=3), 2 * a + 3 * (a @ a))
    same(x.logdet(), np.log(np.linalg.det(a)))
    assert np.isnan(x.flip(0).logdet().item())
    same(x.inverse(), np.linalg.inv(a))
    same(x.norm(dim=1), np.linalg.norm(a, axis=1))
    same(x.norm("fro"), np.linalg.norm(a))


IN_PLACE = {
    "log1p_": np.log1p,
    "log2_": np.log2,
    "log10_": np.log10,
    "expm1_": np.expm1,
    "tan_": np.tan,
    "nan_to_num_": np.nan_to_num,
    "tril_": np.tril,
    "triu_": np.triu,
    "rsqrt_": lambda x: 1 / np.sqrt(x),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name):
    x = wg.tensor(X)
    assert getattr(x, name)() is x
    same(x, IN_PLACE[name](X))


def test_in_place_with_operands():
    x, y = wg.tensor(X), wg.tensor(Y)
    same(x.clone().remainder_(y), X % Y)
    same(x.clone().fmod_(y), np.fmod(X, Y))
    same(y.clone().floor_divide_(x), Y // X)
    same(x.clone().lerp_(y, 0.25), X + 0.25 * (Y - X))
    same(x.clone().cumsum_(1), X.cumsum(1))
    same(x.clone().cumprod_(1), X.cumprod(1))
    same(x.clone().addcmul_(x, y, value=2), X + 2 * X * Y)
    same(x.clone().addcdiv_(x, y), X + X / Y)
    assert wg.tensor([True, False]).logical_not_().tolist() == [False, True]
    assert wg.zeros(3).index_fill_(0, wg.tensor([1]), 2.0).tolist() == [0.0, 2.0, 0.0]
    assert wg.zeros(3).index_copy_(0, wg.tensor([1]), wg.tensor([2.0])).tolist() == [0.0, 2.0, 0.0]


def test_in_place_draws():
    wg.manual_seed(0)
    drawn = wg.zeros(1000, dtype="float32").bernoulli_(0.3)
    assert drawn.dtype == np.float32
    assert set(drawn.tolist()) == {0.0, 1.0}
    assert abs(drawn.mean().item() - 0.3) < 0.06
    assert set(wg.zeros(1000).random_(2, 5).tolist()) == {2.0, 3.0, 4.0}
    assert set(wg.zeros(1000, dtype="int32").random_(3).tolist()) == {0, 1, 2}
