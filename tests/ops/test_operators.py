from __future__ import annotations

import operator
import sys
from fractions import Fraction

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, IndexRangeError, ShapeError

A = np.array([[1.5, -2.0, 3.0], [0.5, 4.0, -1.0]])
B = np.array([2.0, 3.0, -0.5])
I = np.array([[7, 3, 12], [5, 8, 1]])  # noqa: E741 - an integer matrix
J = np.array([2, 3, 1])

REAL = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
BITS = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]


def same(got, expected):
    assert isinstance(got, wg.Tensor)
    assert got.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(got.detach().numpy(), expected)


@pytest.mark.parametrize("other", [B, 2.0, 3, np.float32(2.5), np.float64(0.5), [2.0, 3.0, 4.0]], ids=repr)
@pytest.mark.parametrize("op", REAL + COMPARISONS, ids=lambda op: op.__name__)
def test_floats_on_both_sides(op, other):
    for x in (wg.tensor(A), wg.tensor(A, requires_grad=True)):
        same(op(x, other), op(A, other))
        same(op(other, x), op(np.asarray(other) if isinstance(other, list) else other, A))
        if isinstance(other, np.ndarray):
            same(op(x, wg.tensor(other)), op(A, other))


@pytest.mark.parametrize("other", [J, 3, np.int32(3), [2, 3, 1]], ids=repr)
@pytest.mark.parametrize("op", REAL + COMPARISONS + BITS + [operator.pow], ids=lambda op: op.__name__)
def test_integers_on_both_sides(op, other):
    x = wg.tensor(I)
    same(op(x, other), op(I, other))
    same(op(other, x), op(np.asarray(other) if isinstance(other, list) else other, I))


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor], ids=lambda op: op.__name__)
def test_booleans(op):
    a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    same(op(wg.tensor(a), wg.tensor(b)), op(a, b))
    same(op(True, wg.tensor(b)), op(True, b))


def test_powers():
    x = wg.tensor([1.0, 2.0, 3.0])
    same(x**2, np.array([1.0, 4.0, 9.0]))
    same(2.0**x, np.array([2.0, 4.0, 8.0]))
    same(x**x, np.array([1.0, 4.0, 27.0]))


def test_matmul():
    x, y = wg.tensor(A), wg.tensor(B)
    np.testing.assert_allclose((x @ y).numpy(), A @ B)
    np.testing.assert_allclose((x @ B).numpy(), A @ B)
    np.testing.assert_allclose((A @ y).numpy(), A @ B)
    np.testing.assert_allclose((A.tolist() @ y).numpy(), A @ B)


def test_unary():
    x = wg.tensor(A)
    same(-x, -A)
    same(+x, +A)
    same(abs(x), abs(A))
    same(round(x), A.round())
    same(round(x, 1), A.round(1))
    same(~wg.tensor(I), ~I)
    same(~wg.tensor([True, False]), np.array([False, True]))


@pytest.mark.parametrize("other", [2.0, B], ids=repr)
def test_divmod(other):
    x = wg.tensor(A)
    for got, expected in zip(divmod(x, other), divmod(A, other), strict=True):
        same(got, expected)
    for got, expected in zip(divmod(other, x), divmod(other, A), strict=True):
        same(got, expected)


def test_python_scalars_are_weak():
    x = wg.tensor([1.0, 2.0], dtype="float32")
    assert (x * 2.0).dtype == (3 - x).dtype == (x**2).dtype == np.float32
    assert (x * x.size).dtype == (x / x.size).dtype == np.float32
    assert (x * np.float64(2)).dtype == np.float64


# -- foreign operands -----------------------------------------------------------------------------------------------


class Unit:
    """A class with operators of its own."""

    def __radd__(self, other):
        return "right"

    def __add__(self, other):
        return "left"

    def __rmatmul__(self, other):
        return "matmul"

    def __gt__(self, other):
        return "greater"

    def __eq__(self, other):
        return True

    __hash__ = None


def test_foreign_classes_get_their_turn():
    x = wg.ones(2)
    assert x + Unit() == "right"
    assert Unit() + x == "left"
    assert (x < Unit()) == "greater"
    assert x == Unit()


@pytest.mark.parametrize("op", [*REAL, operator.pow, operator.lt], ids=lambda op: op.__name__)
@pytest.mark.parametrize("other", [object(), "a", b"a", None, {1: 2}], ids=["object", "str", "bytes", "None", "dict"])
def test_operands_that_are_no_numbers(op, other):
    with pytest.raises(
        TypeError, match=r"neither a tensor, an array nor a number|not supported between|unsupported oper"
    ):
        op(wg.ones(2), other)
    if op is operator.mod and isinstance(other, (str, bytes)):
        # Python formats: "a" % x is "a" for anything with __getitem__, NumPy's arrays included.
        assert op(other, wg.ones(2)) == other
        return
    with pytest.raises(TypeError):
        op(other, wg.ones(2))


def test_the_error_names_the_operation_and_the_type():
    with pytest.raises(DTypeError, match="add: an operand of type object is neither a tensor, an array nor a number"):
        wg.ones(2) + object()


@pytest.mark.parametrize("other", ["a", None, object()], ids=["str", "None", "object"])
def test_equality_with_anything_else_is_identity(other):
    assert (wg.ones(2) == other) is False
    assert (wg.ones(2) != other) is True


def test_pythons_fractions_convert_themselves():
    assert (wg.tensor([4.0]) ** Fraction(1, 2)).tolist() == [2.0]


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ShapeError, match=r"add on float64\(2, 3\), float64\(2,\): .*could not be broadcast"):
        wg.tensor(A) + wg.ones(2)


def test_tensors_are_hashed_by_identity():
    x, y = wg.ones(2), wg.ones(2)
    assert {x: 1, y: 2}[x] == 1
    assert len({x, y, x}) == 2


# -- speed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", REAL, ids=lambda op: op.__name__)
def test_numpy_is_reached_within_four_python_frames(op):
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    y = wg.tensor([3.0, 4.0], requires_grad=True)
    depths = []

    def profile(frame, event, arg):
        if event == "call":
            depth = 0
            while frame is not None and frame.f_code is not test_code:
                depth += 1
                frame = frame.f_back
            depths.append(depth)

    test_code = sys._getframe().f_code
    sys.setprofile(profile)
    try:
        op(x, y)
        op(x, 2.0)
    finally:
        sys.setprofile(None)
    assert max(depths) <= 4


# -- size -----------------------------------------------------------------------------------------------------------


def test_size_is_numpys_number_and_pytorchs_method():
    x = wg.zeros((2, 3))
    assert x.size == 6
    assert isinstance(x.size, int)
    assert x.size() == (2, 3)
    assert x.size(0) == 2
    assert x.size(-1) == 3
    assert np.zeros(x.size).shape == (6,)
    assert (np.ones(2, np.float32) / x.size).dtype == np.float32
    with pytest.raises(IndexRangeError, match=r"size: dimension 2 is out of range for a tensor of shape \(2, 3\)"):
        x.size(2)
