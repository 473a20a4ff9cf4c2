"""Reductions: axes, where and initial, empty tensors, and gradients at points of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.laws.samples import booleans, normal

X = normal(3, 4)
MASK = booleans(3, 4)
EMPTY = np.zeros((0, 3))
HOLES = np.where(MASK, np.nan, X)


def gradient(function: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    leaf = wg.tensor(x, requires_grad=True)
    function(leaf).backward()
    assert leaf.grad is not None
    assert leaf.grad.dtype == x.dtype
    return leaf.grad.numpy()


def same(got: Any, expected: Any) -> None:
    assert isinstance(got, wg.Tensor)
    assert got.shape == np.shape(expected)
    assert got.dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(got.detach(), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("function", [np.sum, np.mean, np.prod, np.var, np.std, np.nansum, np.nanprod])
@pytest.mark.parametrize("axis", [None, 0, (-1, 0)])
def test_where(function: Callable[..., Any], axis: Any) -> None:
    same(function(wg.tensor(X), axis=axis, where=MASK), function(X, axis=axis, where=MASK))
    assert (gradient(lambda x: function(x, axis=axis, where=MASK).sum(), X)[~MASK] == 0).all()


@pytest.mark.parametrize("function", [np.all, np.any])
def test_where_of_truth_values(function: Callable[..., Any]) -> None:
    same(function(wg.tensor(X > 0), axis=0, where=MASK), function(X > 0, axis=0, where=MASK))


@pytest.mark.parametrize("function", [np.max, np.min])
def test_where_of_extremes_needs_an_initial_value(function: Callable[..., Any]) -> None:
    same(function(wg.tensor(X), axis=1, where=MASK, initial=0.1), function(X, axis=1, where=MASK, initial=0.1))
    with pytest.raises(wg.ShapeError, match="an initial value is needed"):
        function(wg.tensor(X), where=MASK)


@pytest.mark.parametrize("function", [np.sum, np.prod, np.max, np.min])
@pytest.mark.parametrize("x", [X, EMPTY], ids=["full", "empty"])
def test_initial(function: Callable[..., Any], x: np.ndarray) -> None:
    same(function(wg.tensor(x), axis=0, initial=0.5), function(x, axis=0, initial=0.5))
    same(function(wg.tensor(x), axis=0, initial=0.5, keepdims=True), function(x, axis=0, initial=0.5, keepdims=True))


@pytest.mark.parametrize("function", [np.sum, np.prod, np.max, np.argmax, np.nanargmin, np.any])
@pytest.mark.parametrize("axis", [0, -1])
def test_the_element_of_a_scalar_may_be_addressed(function: Callable[..., Any], axis: int) -> None:
    same(function(wg.tensor(2.0), axis=axis), function(np.array(2.0), axis=axis))


def test_product_over_no_axes_promotes_as_numpy_does() -> None:
    x = np.array([1, 2], np.int32)
    same(np.prod(wg.tensor(x), axis=()), np.prod(x, axis=()))


@pytest.mark.parametrize("axis", [(0, 1), ()])
def test_a_position_is_along_one_axis(axis: tuple[int, ...]) -> None:
    with pytest.raises(wg.ShapeError, match="argmax works along one axis"):
        wg.argmax(wg.tensor(X), axis=axis)


class TestNorms:
    @pytest.mark.parametrize("order", [1, -1, 0, 2, 3, np.inf, -np.inf, -2])
    @pytest.mark.parametrize("dtype", ["int64", "bool"])
    def test_integers_have_floating_norms(self, order: Any, dtype: str) -> None:
        x = np.array([3, 1, 2]).astype(dtype)
        same(np.linalg.vector_norm(wg.tensor(x), ord=order), np.linalg.vector_norm(x, ord=order))

    @pytest.mark.parametrize("order", [1, -1, 2, -2, np.inf])
    def test_of_nothing(self, order: Any) -> None:
        with np.errstate(divide="ignore"):
            same(np.linalg.vector_norm(wg.tensor(EMPTY), ord=order), np.linalg.vector_norm(EMPTY, ord=order))

    @pytest.mark.parametrize("order", [1, 2, np.inf, "nuc", "fro"])
    def test_of_matrices_without_elements(self, order: Any) -> None:
        x = np.zeros((2, 0, 0))
        same(np.linalg.matrix_norm(wg.tensor(x), ord=order), np.linalg.matrix_norm(x, ord=order))

    @pytest.mark.parametrize("order", [0.5, 1, 1.5, 2, 3, np.inf])
    def test_the_gradient_at_zero_is_zero(self, order: float) -> None:
        np.testing.assert_array_equal(gradient(lambda x: wg.linalg.vector_norm(x, ord=order), np.zeros(3)), np.zeros(3))
        found = gradient(lambda x: wg.linalg.vector_norm(x, ord=order), np.array([0.0, 2.0]))
        np.testing.assert_allclose(found, [0.0, 1.0], atol=1e-12)


class TestSkippingNan:
    def test_the_standard_deviation_of_equal_numbers_has_gradient_zero(self) -> None:
        found = gradient(np.nanstd, np.array([1.0, np.nan, 1.0]))
        np.testing.assert_array_equal(found, np.zeros(3))

    @pytest.mark.parametrize("function", [np.nanmax, np.nanmin])
    def test_extremes_of_integers_are_integers(self, function: Callable[..., Any]) -> None:
        x = np.array([[3, 1], [2, 5]], np.int32)
        same(function(wg.tensor(x), axis=0), function(x, axis=0))

    def test_no_position_among_nan_alone(self) -> None:
        with pytest.raises(ValueError, match="NaN alone"):
            np.nanargmax(wg.tensor([[np.nan, np.nan], [1.0, np.nan]]), axis=1)

    @pytest.mark.parametrize("function", [np.median, np.nanmedian])
    def test_medians_of_complex_numbers_and_of_nothing(self, function: Callable[..., Any]) -> None:
        z = X + 1j * normal(3, 4, seed=1)
        same(function(wg.tensor(z), axis=0), function(z, axis=0))
        assert np.isnan(function(wg.tensor(EMPTY), axis=0)).all()

    def test_infinities_are_quantiles(self) -> None:
        x = wg.tensor([-np.inf, 0.0, np.inf, np.nan])
        assert wg.nanquantile(x, [0.0, 0.5, 1.0]).tolist() == [-np.inf, 0.0, np.inf]
        assert np.isfinite(gradient(lambda x: wg.nanquantile(x, 0.5), np.array([-np.inf, 0.0, np.inf]))).all()

    def test_complex_numbers_have_no_quantiles(self) -> None:
        with pytest.raises(wg.DTypeError, match="no order"):
            wg.quantile(wg.tensor([1j]), 0.5)


class TestMoments:
    def test_covariance_with_weights(self) -> None:
        f, a = np.array([1, 2, 0, 3]), np.array([0.5, 1.0, 2.0, 0.1])
        for kwargs in ({"fweights": f}, {"aweights": a}, {"fweights": f, "aweights": a, "ddof": 0}):
            same(np.cov(wg.tensor(X), **kwargs), np.cov(X, **kwargs))

    def test_covariance_of_nothing(self) -> None:
        with pytest.warns(RuntimeWarning):
            assert np.isnan(np.cov(wg.zeros((2, 0)))).all()

    def test_average_with_the_sum_of_weights(self) -> None:
        for kwargs in ({"axis": 1}, {"axis": 1, "weights": np.arange(1.0, 5)}, {"weights": np.abs(X)}):
            got = np.average(wg.tensor(X), returned=True, **kwargs)
            for one, other in zip(got, np.average(X, returned=True, **kwargs), strict=True):
                same(one, other)

    def test_average_over_axes_in_the_order_of_the_weights(self) -> None:
        x, w = normal(2, 3, 4), np.abs(normal(4, 2))
        same(np.average(wg.tensor(x), axis=(2, 0), weights=w), np.average(x, axis=(2, 0), weights=w))
        with pytest.raises(wg.ShapeError, match="fit neither"):
            np.average(wg.tensor(x), axis=(0, 2), weights=w)
