"""``scipy.signal``'s convolutions and correlations, on tensors of any number of dimensions.

>>> import wengert as wg
>>> from wengert.scipy import signal
>>> signal.convolve(wg.tensor([1.0, 2.0, 3.0]), [0.5, 0.5], mode="same")
tensor([0.5, 1.5, 2.5])
"""

from __future__ import annotations

from typing import Any

import numpy as _np

from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor as _as_tensor
from wengert.core.tensor import Tensor
from wengert.ops.correlation import convolve_nd as _convolve


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Tensor:
    """The convolution of two arrays of the same number of dimensions.

    ``mode`` is ``"full"``, ``"same"`` (the shape of ``in1``, centred) or ``"valid"``; ``method`` is ``"direct"``,
    ``"fft"`` or ``"auto"``, which takes the one that needs fewer operations.
    """
    return _convolve(in1, in2, mode, method)


def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Tensor:
    """The convolution by way of the Fourier transform, over all axes."""
    if axes is not None and set(_np.atleast_1d(axes) % _np.ndim(in1)) != set(range(_np.ndim(in1))):
        raise DTypeError("fftconvolve: only all axes together are offered; map over the others with wengert.vmap")
    return _convolve(in1, in2, mode, "fft")


def oaconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Tensor:
    """``fftconvolve``: the result is the same."""
    return fftconvolve(in1, in2, mode, axes)


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Tensor:
    """The correlation of two arrays, the sum of in1[n + k] conj(in2[n])."""
    first, second = _as_tensor(in1), _as_tensor(in2)
    if mode == "valid" and any(n < m for n, m in zip(first.shape, second.shape, strict=False)):
        # SciPy exchanges the operands, so that the larger one comes first, and turns the result around.
        turned = _convolve(second, _np.conj(_np.flip(first)), mode, method)
        found: Tensor = _np.conj(_np.flip(turned))
        return found
    return _convolve(first, _np.conj(_np.flip(second)), mode, method)


def correlation_lags(in1_len: int, in2_len: int, mode: str = "full") -> Tensor:
    """The shifts that the elements of a correlation of vectors belong to."""
    lags = _np.arange(1 - in2_len, in1_len)
    if mode == "full":
        return _as_tensor(lags)
    if mode == "same":
        start = lags.size // 2 - in1_len // 2
        return _as_tensor(lags[start : start + in1_len])
    if mode == "valid":
        shift = in1_len - in2_len
        return _as_tensor(_np.arange(shift + 1) if shift >= 0 else _np.arange(shift, 1))
    raise ShapeError(f"correlation_lags: mode is 'full', 'same' or 'valid', not {mode!r}")


def convolve2d(in1: Any, in2: Any, mode: str = "full") -> Tensor:
    """The convolution of two matrices, with zeros beyond the edges."""
    return _convolve(in1, in2, mode, "direct")


def correlate2d(in1: Any, in2: Any, mode: str = "full") -> Tensor:
    """The correlation of two matrices, with zeros beyond the edges.

    For even lengths the middle that "same" keeps is not the one of ``correlate``, in SciPy neither.
    """
    found = correlate(in1, in2, "full" if mode == "same" else mode, "direct")
    if mode != "same":
        return found
    (m, n), (p, q) = _np.shape(in1), _np.shape(in2)
    return found[p // 2 : p // 2 + m, q // 2 : q // 2 + n]


def detrend(data: Any, axis: int = -1, type: str = "linear") -> Any:
    """The data without their mean ("constant") or their line of least squares ("linear")."""
    data = _as_tensor(data)
    centred = data - _np.mean(data, axis=axis, keepdims=True)
    if type == "constant":
        return centred
    if type != "linear":
        raise DTypeError(f"detrend: type is 'linear' or 'constant', not {type!r}")
    moved = _np.moveaxis(centred, axis, -1)
    n = moved.shape[-1]
    line = (_np.arange(n) - (n - 1) / 2).astype(moved.dtype)
    slope = _np.sum(moved * line, axis=-1, keepdims=True) / max(float((line * line).sum()), 1e-300)
    return _np.moveaxis(moved - slope * line, -1, axis)
