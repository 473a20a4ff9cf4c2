"""Pooling beyond the laws: ties, NaN, indices, rounding up, and bad arguments."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, ShapeError


def test_the_first_of_equals_gets_the_gradient() -> None:
    x = wg.ones(1, 4, 4, requires_grad=True)
    wg.max_pool2d(x, 2).sum().backward()
    expected = np.zeros((1, 4, 4))
    expected[:, ::2, ::2] = 1
    assert x.grad is not None
    assert np.array_equal(x.grad.numpy(), expected)


def test_an_infinite_cotangent_stays_in_its_place() -> None:
    x = wg.tensor([[0.0, 5.0, 1.0, 0.0]], requires_grad=True)
    wg.max_pool1d(x, 2).backward(wg.tensor([[np.inf, 1.0]]))
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, np.inf, 1.0, 0.0]]


def test_overlapping_windows_add_their_gradients() -> None:
    x = wg.tensor([[0.0, 5.0, 1.0]], requires_grad=True)
    wg.max_pool1d(x, 2, stride=1).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, 2.0, 0.0]]


def test_nan_is_the_maximum_and_padding_never_is() -> None:
    assert np.isnan(wg.max_pool1d(wg.tensor([[np.nan, 1.0, 2.0, 3.0]]), 2).numpy()).tolist() == [[True, False]]
    assert wg.max_pool1d(wg.tensor([[-5.0, -7.0]]), 2, stride=1, padding=1).tolist() == [[-5.0, -5.0, -7.0]]
    low = np.iinfo("int8").min
    assert wg.max_pool1d(wg.tensor([[low, low + 1]], dtype="int8"), 2, stride=1, padding=1).tolist() == [
        [low, low + 1, low + 1]
    ]


def test_indices_point_at_the_maxima() -> None:
    rng = np.random.default_rng(0)
    data = rng.standard_normal((2, 3, 7, 6))
    for options in (
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": 2, "dilation": 2},
    ):
        values, indices = wg.max_pool2d(data, return_indices=True, **options)
        assert indices.dtype == np.int64
        assert np.array_equal(values.numpy(), wg.max_pool2d(data, **options).numpy())
        flat = data.reshape(2, 3, -1)
        picked = np.take_along_axis(flat, indices.numpy().reshape(2, 3, -1), axis=-1)
        assert np.array_equal(picked.reshape(values.shape), values.numpy())


def test_indices_leave_the_values_differentiable() -> None:
    x = wg.tensor([[1.0, 3.0, 2.0, 0.0]], requires_grad=True)
    values, indices = wg.max_pool1d(x, 2, return_indices=True)
    assert indices.tolist() == [[1, 2]]
    values.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, 1.0, 1.0, 0.0]]


def test_indices_of_nan_point_at_it() -> None:
    x = wg.tensor([[1.0, np.nan, 2.0, np.nan, 4.0, 5.0]])
    values, indices = wg.max_pool1d(x, 3, return_indices=True)
    assert indices.tolist() == [[1, 3]]
    assert np.isnan(values.numpy()).all()


def test_one_byte_is_kept_for_each_window() -> None:
    x = wg.randn(1, 8, 8, requires_grad=True)
    y = wg.max_pool2d(x, 2)
    assert y.grad_fn is not None
    kept = [value for value in y.grad_fn.residuals if value is not None]
    assert [(value.dtype, value.shape) for value in kept] == [(np.dtype("uint8"), (1, 4, 4))]


def test_rounding_up_adds_a_last_window_that_starts_inside() -> None:
    x = wg.arange(5.0).reshape(1, 5)
    assert wg.max_pool1d(x, 2).tolist() == [[1.0, 3.0]]
    assert wg.max_pool1d(x, 2, ceil_mode=True).tolist() == [[1.0, 3.0, 4.0]]
    # Elements beyond the end do not count, not even where padding does.
    assert wg.avg_pool1d(x, 2, ceil_mode=True).tolist() == [[0.5, 2.5, 4.0]]
    assert wg.avg_pool1d(x, 2, stride=3, padding=1, ceil_mode=True).tolist() == [[0.0, 2.5]]


def test_padding_counts_in_means_unless_told_otherwise() -> None:
    x = wg.ones(1, 2)
    assert wg.avg_pool1d(x, 2, stride=1, padding=1).tolist() == [[0.5, 1.0, 0.5]]
    assert wg.avg_pool1d(x, 2, stride=1, padding=1, count_include_pad=False).tolist() == [[1.0, 1.0, 1.0]]


def test_adaptive_sizes() -> None:
    x = wg.randn(2, 3, 6, 5)
    assert wg.adaptive_avg_pool2d(x, 1).shape == (2, 3, 1, 1)
    np.testing.assert_allclose(wg.adaptive_avg_pool2d(x, 1).numpy(), x.numpy().mean((2, 3), keepdims=True))
    assert wg.adaptive_avg_pool2d(x, (None, 2)).shape == (2, 3, 6, 2)
    assert wg.adaptive_max_pool2d(x, (7, 5)).shape == (2, 3, 7, 5)
    assert wg.adaptive_avg_pool1d(x.astype("float32"), 3).dtype == np.float32
    assert wg.adaptive_avg_pool3d(wg.ones(4, 5, 6), 2).tolist() == np.ones((2, 2, 2)).tolist()
    assert wg.adaptive_max_pool3d(wg.ones(4, 5, 6), 2).shape == (2, 2, 2)


def test_unfold_and_fold() -> None:
    x = wg.arange(16.0).reshape(1, 4, 4)
    columns = wg.unfold(x, 2, stride=2)
    assert columns.numpy()[:, 0].tolist() == [0.0, 1.0, 4.0, 5.0]
    assert np.array_equal(wg.fold(columns, 4, 2, stride=2).numpy(), x.numpy())
    # Where windows overlap, fold counts how many cover each element.
    counts = wg.fold(wg.unfold(wg.ones(1, 3, 3), 2), 3, 2)
    assert counts.tolist() == [[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: wg.max_pool2d(wg.ones(1, 2, 2), 3),
            ShapeError,
            "max_pool2d: a kernel of length 3 does not fit spatial",
        ),
        (lambda: wg.max_pool2d(wg.ones(4), 2), ShapeError, "needs 2 spatial axes, and has shape \\(4,\\)"),
        (
            lambda: wg.max_pool1d(wg.ones(4), 2, padding=2),
            ShapeError,
            "padding \\(2,\\) must be at most half of the ker",
        ),
        (lambda: wg.max_pool1d(wg.ones(4), 0), ShapeError, "max_pool1d: kernel_size must be at least 1, not 0"),
        (lambda: wg.max_pool1d(wg.ones(4, dtype="complex128"), 2), DTypeError, "complex128 numbers have no maximum"),
        (lambda: wg.max_pool1d(3.0, 2), DTypeError, "float numbers have no maximum"),
        (lambda: wg.avg_pool2d(wg.ones(4, 4), (2, 2, 2)), ShapeError, "one entry for each of the 2 spatial axes"),
        (lambda: wg.adaptive_avg_pool2d(wg.ones(4, 4), (2, 2, 2)), ShapeError, "output_size must have 2 entries"),
        (
            lambda: wg.adaptive_avg_pool1d(wg.ones(4, 0), 2),
            ShapeError,
            "a spatial axis of the input \\(4, 0\\) is empty",
        ),
        (lambda: wg.adaptive_max_pool1d(wg.ones(4), 0), ShapeError, "output_size must be at least 1, not \\(0,\\)"),
        (lambda: wg.unfold(wg.ones(4, 4), 2), ShapeError, "unfold: expected \\(N, C, H, W\\) or \\(C, H, W\\), got"),
        (
            lambda: wg.fold(wg.ones(4, 3), 4, 2, stride=2),
            ShapeError,
            "fold: expected \\(..., C \\* 4, 4\\) for the output",
        ),
    ],
)
def test_bad_arguments_are_refused(call, kind: type[Exception], text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(kind, match=text):
        call()
