"""Discrete Fourier transforms, with NumPy's names, keywords and dtypes (float32 gives complex64).

A gradient towards a complex operand is dL/dRe + i dL/dIm, so the transpose of a transform is its conjugate transpose:
the inverse transform with the scale on the other side (``norm="backward"`` and ``"forward"`` change places).

The spectrum of real numbers is stored by half. Of the coefficients that are not stored each is the conjugate of one
that is, so all but the first and, for even lengths, the last coefficient count twice; hence the weights in the
transposes of ``rfft`` and ``irfft``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from wengert.core.apply import apply, as_operand
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor
from wengert.core.types import Array, Shape, TensorSpec, get_default_dtype, real_dtype
from wengert.ops.creation import finish
from wengert.ops.families import Linear
from wengert.ops.protocol import implements

Norm = Literal["backward", "ortho", "forward"]

_SWAPPED: dict[Norm, Norm] = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _transformed(function: Callable[..., Any], dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of NumPy's transform of an array of this dtype."""
    return function(np.ones(2, dtype)).dtype


def _with_length(shape: Shape, axis: int, length: int) -> Shape:
    return (*shape[: len(shape) + axis], length, *shape[len(shape) + axis + 1 :])


class Resize(Linear):
    """Cut off or pad with zeros at the end of some axes, to given lengths."""

    axes: tuple[int, ...]
    lengths: Shape
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        shape = self.spec(x).shape
        common = tuple(slice(min(n, m)) for n, m in zip(x.shape, shape, strict=True))
        out = np.zeros(shape, x.dtype)
        out[common] = x[common]
        return out

    def spec(self, x: TensorSpec) -> TensorSpec:
        shape = x.shape
        for axis, length in zip(self.axes, self.lengths, strict=True):
            shape = _with_length(shape, axis, length)
        return TensorSpec(shape, x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return Resize(self.axes, tuple(spec.shape[axis] for axis in self.axes))(g)


class FourierTransform(Linear):
    """The discrete Fourier transform over some axes, or its inverse."""

    axes: tuple[int, ...]
    norm: Norm = "backward"
    inverse: bool = False
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        if len(self.axes) == 1:
            return (np.fft.ifft if self.inverse else np.fft.fft)(x, axis=self.axes[0], norm=self.norm)
        return (np.fft.ifftn if self.inverse else np.fft.fftn)(x, axes=self.axes, norm=self.norm)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, _transformed(np.fft.fft, x.dtype))

    def transpose(self, g: Array, spec: Any) -> Array:
        return FourierTransform(self.axes, _SWAPPED[self.norm], not self.inverse)(g)


class RealFourierTransform(Linear):
    """The half of the spectrum of real numbers that determines it: n numbers give n // 2 + 1."""

    axis: int
    norm: Norm = "backward"
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.fft.rfft(x, axis=self.axis, norm=self.norm)

    def spec(self, x: TensorSpec) -> TensorSpec:
        shape = _with_length(x.shape, self.axis, x.shape[self.axis] // 2 + 1)
        return TensorSpec(shape, _transformed(np.fft.rfft, x.dtype))

    def transpose(self, g: Array, spec: Any) -> Array:
        n = spec.shape[self.axis]
        inverse = InverseRealFourierTransform(n, self.axis, _SWAPPED[self.norm])
        return inverse(g / _multiplicity(n, self.axis, g.dtype))


class InverseRealFourierTransform(Linear):
    """The ``n`` real numbers whose spectrum has the given half."""

    n: int
    axis: int
    norm: Norm = "backward"
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.fft.irfft(x, self.n, axis=self.axis, norm=self.norm)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(_with_length(x.shape, self.axis, self.n), _transformed(np.fft.irfft, x.dtype))

    def transpose(self, g: Array, spec: Any) -> Array:
        spectrum = RealFourierTransform(self.axis, _SWAPPED[self.norm])(g)
        return spectrum * _multiplicity(self.n, self.axis, spectrum.dtype)


def _multiplicity(n: int, axis: int, dtype: Any) -> np.ndarray:
    """How often each stored coefficient occurs in the whole spectrum, along an axis."""
    count = np.full(n // 2 + 1, 2, real_dtype(dtype))
    count[0] = 1
    if n % 2 == 0:
        count[-1] = 1
    return count.reshape((-1, *(1,) * (-1 - axis)))


# -- arguments ------------------------------------------------------------------------------------------------------


def _norm(norm: Any, name: str) -> Norm:
    chosen: Norm = norm or "backward"
    if chosen not in _SWAPPED:
        raise ShapeError(f"{name}: norm must be 'backward', 'ortho' or 'forward', not {norm!r}")
    return chosen


def _operand(x: Any, name: str) -> Any:
    x = as_operand(x, name)
    return x if hasattr(x, "ndim") else np.asarray(x)


def _axes_and_lengths(x: Any, s: Any, axes: Any, name: str) -> tuple[tuple[int, ...], list[int | None]]:
    """Axes as negative numbers in the order given, and the length of each transform, ``None`` for the axis's own."""
    if axes is None:
        count = x.ndim if s is None else len(s)
        axes = range(-count, 0)
    found = []
    for axis in axes:
        if not -x.ndim <= axis < x.ndim:
            raise ShapeError(f"{name}: axis {axis} is out of range for {x.ndim} dimensions")
        found.append(int(axis) - x.ndim if axis >= 0 else int(axis))
    if len(set(found)) != len(found):
        raise ShapeError(f"{name}: axes {tuple(axes)} name an axis twice")
    lengths: list[int | None] = (
        [None] * len(found) if s is None else [None if n is None or n == -1 else n.__index__() for n in s]
    )
    if len(lengths) != len(found):
        raise ShapeError(f"{name}: s has {len(lengths)} lengths for {len(found)} axes")
    for axis, n in zip(found, lengths, strict=True):
        if (x.shape[axis] if n is None else n) < 1:
            raise ShapeError(f"{name}: the number of points must be at least 1, along axis {axis} of {x.shape}")
    return tuple(found), lengths


def _resized(x: Any, axes: Sequence[int], lengths: Sequence[int | None]) -> Any:
    changed = [(a, n) for a, n in zip(axes, lengths, strict=True) if n is not None and n != x.shape[a]]
    if not changed:
        return x
    return apply(Resize(tuple(a for a, _ in changed), tuple(n for _, n in changed)), x)


def _complex(x: Any, s: Any, axes: Any, norm: str | None, inverse: bool, name: str) -> Tensor:
    x = _operand(x, name)
    found, lengths = _axes_and_lengths(x, s, axes, name)
    x = _resized(x, found, lengths)
    if not found:
        return as_tensor(x)
    result: Tensor = apply(FourierTransform(found, _norm(norm, name), inverse), x)
    return result


def _real(x: Any, s: Any, axes: Any, norm: str | None, name: str) -> Tensor:
    x = _operand(x, name)
    if x.dtype.kind == "c":
        raise DTypeError(f"{name}: the operand must be real; use {name.replace('rfft', 'fft')} for complex numbers")
    found, lengths = _axes_and_lengths(x, s, axes, name)
    if not found:
        raise ShapeError(f"{name}: at least one axis must be transformed")
    scale = _norm(norm, name)
    out: Tensor = apply(RealFourierTransform(found[-1], scale), _resized(x, found, lengths))
    return out if len(found) == 1 else apply(FourierTransform(found[:-1], scale), out)


def _inverse_real(x: Any, s: Any, axes: Any, norm: str | None, name: str) -> Tensor:
    x = _operand(x, name)
    found, lengths = _axes_and_lengths(x, s, axes, name)
    if not found:
        raise ShapeError(f"{name}: at least one axis must be transformed")
    scale = _norm(norm, name)
    last = lengths[-1]
    n = 2 * (x.shape[found[-1]] - 1) if last is None else last
    if n < 1:
        raise ShapeError(f"{name}: the number of points must be at least 1; give n (or s) for a spectrum of length 1")
    x = _resized(x, found, [*lengths[:-1], n // 2 + 1])
    if len(found) > 1:
        x = apply(FourierTransform(found[:-1], scale, inverse=True), x)
    result: Tensor = apply(InverseRealFourierTransform(n, found[-1], scale), x)
    return result


def _one(n: int | None) -> tuple[int] | None:
    return None if n is None else (n,)


# -- the public functions -------------------------------------------------------------------------------------------


@implements(np.fft.fft)
def fft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """The discrete Fourier transform along an axis, y[k] = sum_j x[j] exp(-2 pi i j k / n).

    ``n`` cuts off or pads with zeros first; ``norm`` is ``"backward"`` (the inverse is scaled by 1/n, the default),
    ``"ortho"`` (both by its root) or ``"forward"``. Raises ``ShapeError`` for an axis out of range or no points.

    >>> import wengert as wg
    >>> x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = fft(x)
    >>> (y.real**2 + y.imag**2).sum().backward(); x.grad  # Parseval: the sum is n |x|^2
    tensor([ 6., 12., 18.])
    """
    return _complex(x, _one(n), (axis,), norm, False, "fft")


@implements(np.fft.ifft)
def ifft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``fft`` along an axis."""
    return _complex(x, _one(n), (axis,), norm, True, "ifft")


@implements(np.fft.fft2)
def fft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The transform over two axes; ``s`` gives their lengths."""
    return _complex(x, s, axes, norm, False, "fft2")


@implements(np.fft.ifft2)
def ifft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of ``fft2``."""
    return _complex(x, s, axes, norm, True, "ifft2")


@implements(np.fft.fftn)
def fftn(x: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Tensor:
    """The transform over several axes: all of them, or the last ``len(s)``, unless given."""
    return _complex(x, s, axes, norm, False, "fftn")


@implements(np.fft.ifftn)
def ifftn(x: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of ``fftn``."""
    return _complex(x, s, axes, norm, True, "ifftn")


@implements(np.fft.rfft)
def rfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """The first half of the transform of real numbers, n // 2 + 1 coefficients; the others are their conjugates.

    Raises ``DTypeError`` for a complex operand.
    """
    return _real(x, _one(n), (axis,), norm, "rfft")


@implements(np.fft.irfft)
def irfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``rfft``: ``n`` real numbers, by default 2 (m - 1) from m coefficients.

    The imaginary part of the first coefficient, and for even ``n`` of the last, has no effect; its gradient is zero.
    """
    return _inverse_real(x, _one(n), (axis,), norm, "irfft")


@implements(np.fft.rfft2)
def rfft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The transform of real numbers over two axes, the last of which is stored by half."""
    return _real(x, s, axes, norm, "rfft2")


@implements(np.fft.irfft2)
def irfft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of ``rfft2``."""
    return _inverse_real(x, s, axes, norm, "irfft2")


@implements(np.fft.rfftn)
def rfftn(x: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Tensor:
    """The transform of real numbers over several axes, the last of which is stored by half."""
    return _real(x, s, axes, norm, "rfftn")


@implements(np.fft.irfftn)
def irfftn(x: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of ``rfftn``."""
    return _inverse_real(x, s, axes, norm, "irfftn")


@implements(np.fft.hfft)
def hfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """The real spectrum of a signal of which x is half, the other half being its conjugate."""
    return irfft(np.conj(as_tensor(x)), n, axis, _SWAPPED[_norm(norm, "hfft")])


@implements(np.fft.ihfft)
def ihfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of ``hfft``."""
    result: Tensor = np.conj(rfft(x, n, axis, _SWAPPED[_norm(norm, "ihfft")]))
    return result


def _shift(x: Any, axes: Any, sign: int) -> Tensor:
    x = as_tensor(x)
    chosen = tuple(range(x.ndim)) if axes is None else (axes,) if hasattr(axes, "__index__") else tuple(axes)
    # Forward by n // 2, back by -(n // 2): for odd lengths the two differ.
    result: Tensor = np.roll(x, tuple(sign * (x.shape[axis] // 2) for axis in chosen), chosen)
    return result


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Tensor:
    """Move the zero frequency to the middle of the given axes (all of them by default)."""
    return _shift(x, axes, 1)


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Tensor:
    """The inverse of ``fftshift``."""
    return _shift(x, axes, -1)


def fftfreq(n: int, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the coefficients of ``fft``, in cycles per unit of the sample spacing ``d``."""
    return finish(np.fft.fftfreq(n, d).astype(dtype or get_default_dtype()), False, device)


def rfftfreq(n: int, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the coefficients of ``rfft``, in cycles per unit of the sample spacing ``d``."""
    return finish(np.fft.rfftfreq(n, d).astype(dtype or get_default_dtype()), False, device)
