"""Fourier transforms beyond the laws: the gradient convention, precision, dispatch, and bad arguments."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, ShapeError
from wengert.ops import fft


def test_the_gradient_is_that_of_the_parts() -> None:
    """dL/dRe + i dL/dIm, checked against a transform written out with real numbers."""
    rng = np.random.default_rng(0)
    n = 5
    real, imaginary = (wg.tensor(rng.standard_normal(n), requires_grad=True) for _ in range(2))
    angle = 2 * np.pi * np.outer(np.arange(n), np.arange(n)) / n
    cosine, sine = np.cos(angle), np.sin(angle)
    weights = rng.standard_normal((2, n))
    loss = (weights[0] * (cosine @ real + sine @ imaginary) ** 2).sum()
    loss = loss + (weights[1] * (cosine @ imaginary - sine @ real)).sum()
    loss.backward()
    z = wg.tensor(real.detach().numpy() + 1j * imaginary.detach().numpy(), requires_grad=True)
    y = fft.fft(z)
    ((weights[0] * wg.real(y) ** 2).sum() + (weights[1] * wg.imag(y)).sum()).backward()
    assert z.grad is not None
    assert real.grad is not None
    assert imaginary.grad is not None
    np.testing.assert_allclose(z.grad.numpy(), real.grad.numpy() + 1j * imaginary.grad.numpy())


@pytest.mark.parametrize("n", [4, 5])
def test_parts_that_irfft_ignores_get_no_gradient(n: int) -> None:
    y = wg.tensor(np.ones(3) + 1j, requires_grad=True)
    (fft.irfft(y, n) * np.arange(1.0, n + 1)).sum().backward()
    assert y.grad is not None
    ignored = np.imag(y.grad.numpy()) == 0
    assert ignored.tolist() == [True, False, n == 4]


def test_precision_is_kept_through_the_gradient() -> None:
    x = wg.ones(6, dtype="float32", requires_grad=True)
    y = fft.rfft(x)
    assert y.dtype == np.complex64
    back = fft.irfft(y)
    assert back.dtype == np.float32
    back.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32


def test_numpys_own_functions_take_tensors() -> None:
    x = wg.randn(4, 6, requires_grad=True)
    for name in ("fft", "ifft", "rfft", "ihfft", "fft2", "rfft2", "fftn", "ifftn", "rfftn", "fftshift", "ifftshift"):
        ours = getattr(np.fft, name)(x)
        assert isinstance(ours, wg.Tensor), name
        np.testing.assert_allclose(ours.detach().numpy(), getattr(np.fft, name)(x.detach().numpy()))
    assert np.fft.fft(x, 3, 0, "ortho").shape == (3, 6)


def test_frequencies_and_no_axes() -> None:
    assert fft.fftfreq(5, 0.5).tolist() == np.fft.fftfreq(5, 0.5).tolist()
    assert fft.rfftfreq(5).tolist() == np.fft.rfftfreq(5).tolist()
    assert fft.fftn(wg.ones(2), axes=()).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: fft.fft(wg.ones(3), axis=1), ShapeError, "fft: axis 1 is out of range for 1 dimensions"),
        (lambda: fft.fft(wg.tensor(1.0)), ShapeError, "fft: axis -1 is out of range for 0 dimensions"),
        (lambda: fft.fft(wg.ones(3), n=0), ShapeError, "fft: the number of points must be at least 1"),
        (lambda: fft.fft(wg.ones(0)), ShapeError, "fft: the number of points must be at least 1, along axis -1"),
        (lambda: fft.fft(wg.ones(3), norm="both"), ShapeError, "norm must be 'backward', 'ortho' or 'forward', not 'b"),
        (lambda: fft.fftn(wg.ones(3, 3), axes=(0, -2)), ShapeError, "axes \\(0, -2\\) name an axis twice"),
        (lambda: fft.fftn(wg.ones(3, 3), s=(2,), axes=(0, 1)), ShapeError, "s has 1 lengths for 2 axes"),
        (lambda: fft.rfft(wg.ones(3, dtype="complex128")), DTypeError, "rfft: the operand must be real; use fft for c"),
        (lambda: fft.rfftn(wg.ones(3), axes=()), ShapeError, "rfftn: at least one axis must be transformed"),
        (lambda: fft.irfft(wg.ones(1)), ShapeError, "give n \\(or s\\) for a spectrum of length 1"),
        (lambda: fft.fft("text"), DTypeError, "fft: an operand of type str"),
    ],
)
def test_bad_arguments_are_refused(call, kind: type[Exception], text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(kind, match=text):
        call()
