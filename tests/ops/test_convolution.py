"""Convolution beyond the laws: the graph it leaves, its blocks, bad arguments, and signals."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, ShapeError
from wengert.ops import windows
from wengert.ops.convolution import Convolution, ConvolutionInput, ConvolutionWeight
from wengert.ops.correlation import convolve_nd


def ones(*shape: int) -> wg.Tensor:
    return wg.ones(*shape, dtype="float32")


def test_gradients_of_a_small_convolution_by_hand() -> None:
    x = wg.tensor([[[1.0, 2.0, 3.0]]], requires_grad=True)
    w = wg.tensor([[[10.0, 1.0]]], requires_grad=True)
    b = wg.tensor([0.5], requires_grad=True)
    y = wg.conv1d(x, w, b)
    assert y.tolist() == [[[12.5, 23.5]]]
    y.sum().backward()
    assert x.grad is not None
    assert w.grad is not None
    assert b.grad is not None
    assert x.grad.tolist() == [[[10.0, 11.0, 1.0]]]
    assert w.grad.tolist() == [[[3.0, 5.0]]]
    assert b.grad.tolist() == [2.0]


def test_it_is_one_operation_that_keeps_only_its_operands() -> None:
    x, w = wg.randn(2, 3, 8, 8, requires_grad=True), wg.randn(4, 3, 3, 3, requires_grad=True)
    y = wg.conv2d(x, w)
    assert y.grad_fn is not None
    assert y.grad_fn.name() == "ConvolutionBackward"
    kept = [value for value in y.grad_fn.residuals if value is not None]
    assert len(kept) == 2
    assert all(any(np.shares_memory(value, operand._value) for operand in (x, w)) for value in kept)


def test_single_precision_stays_single() -> None:
    x, w = ones(1, 2, 5, 5).requires_grad_(), ones(3, 2, 3, 3).requires_grad_()
    y = wg.conv2d(x, w, ones(3), padding=1)
    y.sum().backward()
    assert x.grad is not None
    assert w.grad is not None
    assert y.dtype == x.grad.dtype == w.grad.dtype == np.float32


def test_blocks_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, w, g = rng.standard_normal((7, 4, 9)), rng.standard_normal((6, 2, 3)), rng.standard_normal((7, 6, 7))
    parameters = ((1,), ((0, 0),), (1,), 2)
    operations = [
        lambda: Convolution(*parameters)(x, w),
        lambda: ConvolutionInput(*parameters, size=(9,))(g, w),
        lambda: ConvolutionWeight(*parameters, kernel=(3,))(g, x),
    ]
    whole = [run() for run in operations]
    monkeypatch.setattr("wengert.ops.convolution.blocks", lambda count, size: windows.blocks(count, 1, limit=3))
    for before, run in zip(whole, operations, strict=True):
        np.testing.assert_allclose(run(), before, rtol=1e-13, atol=1e-13)


def test_transposed_convolution_is_the_transpose() -> None:
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((2, 3, 8, 7)), rng.standard_normal((4, 3, 3, 2))
    options = {"stride": (2, 3), "padding": 1}
    y = wg.conv2d(x, w, **options).numpy()
    g = rng.standard_normal(y.shape)
    # 8 + 2 - 3 = 7 = 3 * 2 + 1 and 7 + 2 - 2 = 7 = 2 * 3 + 1: one row and one column are never reached.
    back = wg.conv_transpose2d(g, w, output_padding=1, **options).numpy()
    assert back.shape == x.shape
    np.testing.assert_allclose((y * g).sum(), (back * x).sum())


def test_per_sample_gradients_by_vmap() -> None:
    x, w = wg.randn(5, 2, 6, 6), wg.randn(3, 2, 3, 3)
    single = wg.grad(lambda w, x: (wg.conv2d(x, w) ** 2).sum())
    together = wg.vmap(single, in_axes=(None, 0))(w, x)
    np.testing.assert_allclose(together.numpy(), np.stack([single(w, one).numpy() for one in x]), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: wg.conv2d(ones(1, 3, 5, 5), ones(4, 2, 3, 3)), ShapeError, "the input has 3 channels, but the weight"),
        (
            lambda: wg.conv2d(ones(1, 3, 2, 5), ones(4, 3, 3, 3)),
            ShapeError,
            "length 3 does not fit spatial axis 0 of l",
        ),
        (lambda: wg.conv1d(ones(1, 1, 4), ones(1, 1, 2), dilation=4), ShapeError, "with dilation 4 \\(length 5\\)"),
        (
            lambda: wg.conv2d(ones(1, 4, 5, 5), ones(4, 1, 3, 3), groups=3),
            ShapeError,
            "3 groups do not divide the 4 ch",
        ),
        (
            lambda: wg.conv2d(ones(1, 4, 5, 5), ones(3, 2, 3, 3), groups=2),
            ShapeError,
            "2 groups do not divide the 4 ch",
        ),
        (lambda: wg.conv2d(ones(4, 5), ones(4, 1, 3, 3)), ShapeError, "conv2d: the input must have 4 axes"),
        (lambda: wg.conv2d(ones(1, 4, 5, 5), ones(4, 3, 3)), ShapeError, "the weight must have 4 axes, and has shape"),
        (
            lambda: wg.conv1d(ones(1, 1, 5), ones(2, 1, 3), ones(3)),
            ShapeError,
            "bias must have shape \\(2,\\), not \\(3,",
        ),
        (
            lambda: wg.conv1d(ones(1, 1, 5), ones(2, 1, 3), stride=0),
            ShapeError,
            "conv1d: stride must be at least 1, not",
        ),
        (
            lambda: wg.conv1d(ones(1, 1, 5), ones(2, 1, 3), stride=1.5),
            DTypeError,
            "stride must be an integer or a tuple",
        ),
        (lambda: wg.conv1d(ones(1, 1, 5), ones(2, 1, 3), padding=-1), ShapeError, "padding must be at least 0, not -1"),
        (lambda: wg.conv2d(ones(1, 1, 5, 5), ones(2, 1, 3, 3), stride=(1, 2, 3)), ShapeError, "each of the 2 spatial"),
        (lambda: wg.conv1d(ones(1, 1, 5), ones(2, 1, 3), padding="same", stride=2), ShapeError, "needs stride 1"),
        (lambda: wg.conv1d(ones(1, 1, 5), ones(2, 1, 3), padding="full"), ShapeError, "'same' or 'valid', not 'full'"),
        (lambda: wg.conv1d("text", ones(2, 1, 3)), DTypeError, "conv1d: an operand of type str"),
        (lambda: wg.conv1d(1.0, ones(2, 1, 3)), ShapeError, "conv1d: the input must have 3 axes"),
        (lambda: wg.conv_transpose1d(ones(1, 3, 5), ones(2, 1, 3)), ShapeError, "the input has 3 channels"),
        (
            lambda: wg.conv_transpose1d(ones(1, 2, 5), ones(2, 1, 3), output_padding=1),
            ShapeError,
            "output_padding \\(1,\\) must be smaller than the stride or the dilation",
        ),
        (lambda: wg.conv_transpose1d(ones(1, 2, 2), ones(2, 1, 1), padding=3), ShapeError, "the padding is too large"),
        (lambda: wg.convolve(wg.ones(2, 2), wg.ones(2)), ShapeError, "convolve: both operands must be vectors"),
        (lambda: wg.convolve(wg.ones(0), wg.ones(2)), ShapeError, "vectors that are not empty"),
        (lambda: wg.correlate(wg.ones(3), wg.ones(2), "half"), ShapeError, "'full', 'same' or 'valid', not 'half'"),
        (lambda: convolve_nd(wg.ones(2, 2), wg.ones(2)), ShapeError, "the same number of dimensions, not 2 and 1"),
        (
            lambda: convolve_nd(wg.ones(2, 5), wg.ones(3, 2), "valid"),
            ShapeError,
            "mode 'valid' needs one operand inside",
        ),
    ],
)
def test_bad_arguments_are_refused(call, kind: type[Exception], text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(kind, match=text):
        call()


def test_numpys_own_functions_take_tensors() -> None:
    x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    np.convolve(x, [1.0, 1.0]).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 2.0, 2.0]
    assert np.correlate(x, [1.0, 0.0]).tolist() == [1.0, 2.0]
