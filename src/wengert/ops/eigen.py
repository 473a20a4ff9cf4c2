"""Eigenvalues of general matrices.

The derivatives are those of M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), section 3.1, with the eigenvectors kept at length one as in C. Boeddeker, P. Hanebrink, L.
Drude, J. Heymann and R. Haeb-Umbach, "On the computation of complex-valued gradients with application to statistically
optimum beamforming" (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.linalg import Solve, adjoint, as_square, check_phases, differences, float_dtype, reciprocal
from wengert.ops.protocol import implements


class Eig(Primitive):
    """Eigenvalues and eigenvectors of length one of square matrices, complex for real matrices too."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        dtype = np.result_type(float_dtype(x), np.complex64)
        values, vectors = np.linalg.eig(x)
        return values.astype(dtype), vectors.astype(dtype)

    def spec(self, x: TensorSpec) -> tuple[TensorSpec, ...]:
        dtype = np.result_type(float_dtype(x), np.complex64)
        return TensorSpec(x.shape[:-1], dtype), TensorSpec(x.shape, dtype)

    # With m = v^-1 dx v: the eigenvalues change by its diagonal, and dv = v y - v diag(v^H v y) where y is m over the
    # gaps; the second term keeps each vector's length, and turns its phase as little as can be: v_i^H dv_i = 0.

    def vjp_x(self, g: Any, out: Any) -> Array:
        to_values, to_vectors = g
        values, vectors = out
        check_phases([(vectors, to_vectors)], "eig")
        h = adjoint(vectors)
        along = (np.conj(vectors) * to_vectors).sum(axis=-2, keepdims=True)
        inner = np.matmul(h, to_vectors - vectors * along)
        inner = inner * np.conj(reciprocal(differences(values), inner, "eig"))
        inner = inner + np.expand_dims(to_values, -1) * np.eye(values.shape[-1])
        return np.matmul(Solve()(h, inner), h)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        values, vectors = out
        (t,) = tangents
        inner = Solve()(vectors, np.matmul(t, vectors))
        moved = np.matmul(vectors, inner * reciprocal(differences(values)))
        along = (np.conj(vectors) * moved).sum(axis=-2, keepdims=True)
        return np.diagonal(inner, 0, -2, -1), moved - vectors * along


@implements(np.linalg.eig)
def eig(x: Any) -> tuple[Tensor, Tensor]:
    """Eigenvalues (..., n), in no particular order, and eigenvectors (..., n, n), the columns, of square matrices.

    Both are complex whatever the dtype of ``x`` (NumPy's are real where all eigenvalues happen to be; a graph cannot
    know). The derivatives hold for simple eigenvalues:

    * Where eigenvalues coincide exactly, a gradient through the eigenvectors is a ``LinearAlgebraError`` (a NaN under
      ``vmap`` or in a trace) unless it does not tell the coincident ones apart. Those eigenvalues' own derivatives are
      the ones of the eigenvectors that were found: only symmetric functions of them, such as their sum, are right.
    * A matrix without n independent eigenvectors (a Jordan block) raises ``LinearAlgebraError``, or gives huge numbers.
    * An eigenvector is unique up to its phase only. A gradient that depends on phases is a ``LinearAlgebraError``; in
      forward mode, tangents are those of the least motion, orthogonal to their vectors.

    >>> import wengert as wg
    >>> values, vectors = wg.linalg.eig(wg.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    >>> values
    tensor([0.+1.j, 0.-1.j])
    """
    found: tuple[Tensor, Tensor] = apply(Eig(), as_square(x, "eig"))
    return found


@implements(np.linalg.eigvals)
def eigvals(x: Any) -> Tensor:
    """Eigenvalues of square matrices, complex and in no particular order; see ``eig`` for their derivatives.

    >>> import wengert as wg
    >>> wg.linalg.eigvals(wg.tensor([[2.0, 1.0], [0.0, 3.0]]))
    tensor([2.+0.j, 3.+0.j])
    """
    return eig(x)[0]
