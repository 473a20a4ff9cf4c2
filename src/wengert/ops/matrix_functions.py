"""Functions of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.lazy import LazyModule
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.linalg import adjoint, as_square, float_dtype

_scipy = LazyModule("scipy.linalg")


def upper_block(x: Array, e: Array) -> Array:
    """The block matrices [[x, e], [0, x]]."""
    x, e = np.broadcast_arrays(x, e)
    return np.concatenate(
        [np.concatenate([x, e], axis=-1), np.concatenate([np.zeros_like(x), x], axis=-1)],
        axis=-2,
    )


def _exponential(x: Any) -> Any:
    """By SciPy, in double precision for single, as NumPy's linear algebra computes: squaring multiplies errors."""
    return _scipy.expm(np.asarray(x, np.result_type(x, np.float64)))


class Expm(Primitive):
    """The matrix exponential."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.asarray(_exponential(x), float_dtype(x))

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, float_dtype(x))

    def vjp_x(self, g: Array, x: Array) -> Array:
        return ExpmFrechet()(adjoint(x), g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return ExpmFrechet()(inputs[0], tangents[0])


class ExpmFrechet(Primitive):
    """The derivative of the matrix exponential at x in the direction e: the upper right block of the exponential of
    [[x, e], [0, x]] (I. Najfeld, T. F. Havel, "Derivatives of the matrix exponential and their computation", 1995).
    Its adjoint is the derivative at x^H, and its own derivatives are those of the exponential of that block matrix.
    """

    maps_leading_axes = True

    def value(self, x: Any, e: Any) -> Any:
        n = x.shape[-1]
        # The direction is brought to length one: a long one would make the exponential scale and square too often.
        dtype = np.result_type(float_dtype(x), float_dtype(e))
        length = np.abs(e).sum(axis=(-2, -1), keepdims=True, dtype=np.float64)
        length = np.where((length > 0) & np.isfinite(length), length, 1.0)
        return np.asarray(_exponential(upper_block(x, e / length))[..., :n, n:] * length, dtype)

    def spec(self, x: TensorSpec, e: TensorSpec) -> TensorSpec:
        return TensorSpec(np.broadcast_shapes(x.shape, e.shape), np.result_type(float_dtype(x), float_dtype(e)))

    def vjp_x(self, g: Array, x: Array, e: Array) -> Array:
        n = x.shape[-1]
        found = ExpmFrechet()(adjoint(upper_block(x, e)), upper_block(np.zeros_like(g), g))
        return found[..., :n, :n] + found[..., n:, n:]

    def vjp_e(self, g: Array, x: Array) -> Array:
        return ExpmFrechet()(adjoint(x), g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (x, e), (tx, te) = inputs, tangents
        if tx is None:
            return self(x, te)
        n = x.shape[-1]
        found = self(upper_block(x, e), upper_block(tx, np.zeros_like(tx) if te is None else te))
        return found[..., :n, n:]


def expm(x: Any) -> Tensor:
    """The exponential of square matrices, as ``scipy.linalg.expm``: scaling, Pade approximation and squaring (A. H.
    Al-Mohy, N. J. Higham, "A new scaling and squaring algorithm for the matrix exponential", 2009).

    >>> import wengert as wg
    >>> wg.linalg.expm(wg.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    found: Tensor = apply(Expm(), as_square(x, "expm"))
    return found
