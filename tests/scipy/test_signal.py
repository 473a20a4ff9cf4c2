"""``wengert.scipy.signal`` against SciPy, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

import wengert as wg
from tests.laws.samples import normal
from wengert.core.errors import DTypeError, ShapeError
from wengert.scipy import signal

PAIRS = [(normal(7), normal(4)), (normal(3), normal(5)), (normal(5, 4), normal(2, 3)), (normal(2, 3), normal(5, 4))]


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("name", ["convolve", "fftconvolve", "oaconvolve", "correlate", "convolve2d", "correlate2d"])
@pytest.mark.parametrize(("x", "y"), PAIRS)
def test_it_computes_what_scipy_does(name, mode, x, y):  # type: ignore[no-untyped-def]
    if name.endswith("2d") and x.ndim != 2:
        x, y = x[None], y[None]
    expected = getattr(scipy.signal, name)(x, y, mode=mode)
    np.testing.assert_allclose(
        getattr(signal, name)(wg.tensor(x), wg.tensor(y), mode=mode).numpy(), expected, atol=1e-13
    )


def test_complex_numbers() -> None:
    x, y = normal(5) + 1j * normal(5, seed=1), normal(3) + 1j * normal(3, seed=2)
    for mode in ("full", "same", "valid"):
        for a, b in ((x, y), (y, x)):
            expected = scipy.signal.correlate(a, b, mode=mode)
            np.testing.assert_allclose(signal.correlate(wg.tensor(a), wg.tensor(b), mode).numpy(), expected, atol=1e-13)


@pytest.mark.parametrize("method", ["direct", "fft"])
def test_gradients(method: str) -> None:
    x, y = wg.tensor(normal(4, 3), requires_grad=True), wg.tensor(normal(2, 2), requires_grad=True)
    for mode in ("full", "same", "valid"):
        assert wg.autograd.gradcheck(lambda x, y: signal.correlate(x, y, mode, method), (x, y))  # noqa: B023


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_lags(mode: str) -> None:
    for n, m in ((5, 3), (3, 5), (4, 4), (1, 6)):
        assert signal.correlation_lags(n, m, mode).tolist() == scipy.signal.correlation_lags(n, m, mode).tolist()


def test_trends() -> None:
    x = normal(4, 6)
    for axis in (0, 1):
        for kind in ("linear", "constant"):
            expected = scipy.signal.detrend(x, axis, kind)
            np.testing.assert_allclose(signal.detrend(wg.tensor(x), axis, kind).numpy(), expected, atol=1e-13)


def test_errors() -> None:
    with pytest.raises(DTypeError, match="only all axes together"):
        signal.fftconvolve(normal(3, 3), normal(2, 2), axes=0)
    with pytest.raises(ShapeError, match="mode is 'full', 'same' or 'valid'"):
        signal.correlation_lags(3, 3, "half")
    with pytest.raises(DTypeError, match="type is 'linear' or 'constant'"):
        signal.detrend(normal(3), type="cubic")
