"""Singular values, and what rests on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import DTypeError, LinearAlgebraError
from wengert.core.levels import concrete
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec, real_dtype
from wengert.ops.families import conjugate
from wengert.ops.linalg import adjoint, reciprocal_gaps, solve
from wengert.ops.protocol import implements
from wengert.ops.shape import as_array, matrix_transpose


class Svd(Primitive):
    """The thin singular value decomposition x = U diag(s) V^H.

    The pullback is J. Townsend's ("Differentiating the singular value decomposition", 2016). Of complex matrices only
    the singular values are differentiable here: the phases of the vectors are arbitrary.
    """

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return tuple(np.linalg.svd(x, full_matrices=False))

    def spec(self, x: TensorSpec) -> tuple[TensorSpec, ...]:
        dtype = x.dtype if x.dtype.kind in "fc" else np.dtype("float64")
        m, n = x.shape[-2:]
        k = min(m, n)
        front = x.shape[:-2]
        return (
            TensorSpec((*front, m, k), dtype),
            TensorSpec((*front, k), real_dtype(dtype)),
            TensorSpec((*front, k, n), dtype),
        )

    def vjp_x(self, g: Any, out: Any, spec: Any) -> Array:
        to_u, to_s, to_vh = g
        u, s, vh = out
        eye = np.eye(s.shape[-1])
        inner = np.expand_dims(to_s, -1) * eye
        if u.dtype.kind != "c":
            return self._with_vectors(to_u, inner, adjoint(to_vh), u, s, vh)
        if any(getattr(one, "requires_grad", False) or np.any(one) for one in (to_u, to_vh)):
            raise LinearAlgebraError(
                "svd: singular vectors of complex matrices are unique up to a phase only, and have no derivative here "
                "(nor has forward mode); use the singular values"
            )
        return np.matmul(np.matmul(u, inner.astype(u.dtype)), vh)

    @staticmethod
    def _with_vectors(to_u: Array, inner: Array, to_v: Array, u: Array, s: Array, vh: Array) -> Array:
        v = adjoint(vh)
        squares = s * s
        gaps = np.expand_dims(squares, -2) - np.expand_dims(squares, -1)
        left, right = np.matmul(adjoint(u), to_u), np.matmul(vh, to_v)
        left = (left - adjoint(left)) * reciprocal_gaps(gaps, left, "svd")
        right = (right - adjoint(right)) * reciprocal_gaps(gaps, right, "svd")
        inner = inner + left * np.expand_dims(s, -2) + np.expand_dims(s, -1) * right
        found = np.matmul(np.matmul(u, inner), vh)
        inverse = 1 / np.expand_dims(s, -2)
        if u.shape[-2] > s.shape[-1]:
            outside = to_u - np.matmul(u, np.matmul(adjoint(u), to_u))
            found = found + np.matmul(outside * inverse, vh)
        if vh.shape[-1] > s.shape[-1]:
            outside = to_v - np.matmul(v, np.matmul(vh, to_v))
            found = found + np.matmul(u, adjoint(outside * inverse))
        return found


@implements(np.linalg.svd)
def svd(x: Any, full_matrices: bool = False, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """U, s and V^H with x = U diag(s) V^H, thin (``full_matrices=False``), or s alone without ``compute_uv``."""
    if full_matrices and compute_uv and as_array(x).shape[-1] != as_array(x).shape[-2]:
        raise DTypeError("svd: the full matrices have no derivative; pass full_matrices=False")
    found = apply(Svd(), as_array(x))
    return found if compute_uv else found[1]


@implements(np.linalg.svdvals)
def svdvals(x: Any) -> Tensor:
    """Singular values, in descending order."""
    return svd(x, compute_uv=False)


@implements(np.linalg.pinv)
def pinv(x: Any, rcond: Any = None) -> Tensor:
    """The pseudo-inverse of matrices of full rank, from the normal equations of the shorter side.

    Raises ``LinearAlgebraError`` for a matrix of lower rank: there the pseudo-inverse is not continuous.
    """
    x = as_array(x)
    values = concrete(x)
    if values is not None and (np.linalg.matrix_rank(values) < min(x.shape[-2:])).any():
        raise LinearAlgebraError("pinv: the matrix does not have full rank, where the pseudo-inverse has no derivative")
    h = np.swapaxes(conjugate(x), -1, -2)
    if x.shape[-2] >= x.shape[-1]:
        return solve(np.matmul(h, x), h)
    return matrix_transpose(conjugate(solve(np.matmul(x, h), x)))


@implements(np.linalg.matrix_rank)
def matrix_rank(x: Any, tol: Any = None) -> Tensor:
    """The number of singular values that are not negligible. Has no gradient."""
    s = svdvals(x)
    shape = as_array(x).shape
    if tol is None:
        tol = s.max(axis=-1, keepdims=True) * (max(shape[-2:]) * np.finfo(s.dtype).eps)
    return np.count_nonzero(s > tol, axis=-1)


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Tensor:
    """The condition number in the 2-norm."""
    if p not in (None, 2):
        raise DTypeError(f"cond: order {p!r} is not offered; use 2")
    s = svdvals(x)
    return s[..., 0] / s[..., -1]
