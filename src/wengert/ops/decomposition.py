"""Singular values, and what rests on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import DTypeError, LinearAlgebraError, ShapeError
from wengert.core.levels import as_tensor, concrete
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec, real_dtype
from wengert.ops.linalg import (
    adjoint,
    as_square,
    check_phases,
    differences,
    float_dtype,
    hermitian_from_lower,
    inv,
    matrix_norm,
    reciprocal,
)
from wengert.ops.protocol import implements
from wengert.ops.results import SVDResult
from wengert.ops.shape import as_array


class Svd(Primitive):
    """The singular value decomposition x = U diag(s) V^H, thin or with the bases of the whole spaces.

    J. Townsend, "Differentiating the singular value decomposition" (2016), and for complex matrices Z.-Q. Wan, S.-X.
    Zhang, "Automatic differentiation for complex valued SVD" (2019). The quotients (L s_j + s_i R) / (s_j^2 - s_i^2) in
    both are written as the half of (L + R) / (s_j - s_i) + (L - R) / (s_j + s_i): nothing cancels, functions such as
    U V^H have their gradient where singular values coincide, and the diagonal of the second term is what complex
    matrices need in addition.
    """

    full_matrices: bool = False
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return tuple(np.linalg.svd(x, full_matrices=self.full_matrices))

    def spec(self, x: TensorSpec) -> tuple[TensorSpec, ...]:
        dtype = float_dtype(x)
        m, n = x.shape[-2:]
        k = min(m, n)
        front = x.shape[:-2]
        rows, columns = (m, n) if self.full_matrices else (k, k)
        return (
            TensorSpec((*front, m, rows), dtype),
            TensorSpec((*front, k), real_dtype(dtype)),
            TensorSpec((*front, columns, n), dtype),
        )

    def vjp_x(self, g: Any, out: Any) -> Array:
        to_u, to_s, to_v = g[0], g[1], adjoint(g[2])
        u, s, v = out[0], out[1], adjoint(out[2])
        k = s.shape[-1]
        to_u, u = _without_complement(to_u, u, k)
        to_v, v = _without_complement(to_v, v, k)
        check_phases([(u, to_u), (v, to_v)], "svd")
        left, right = np.matmul(adjoint(u), to_u), np.matmul(adjoint(v), to_v)
        both, apart = _skew(left + right), _skew(left - right)
        off_diagonal = 1 - np.eye(k, dtype=s.dtype)
        inner = np.expand_dims(to_s, -1) * np.eye(k, dtype=s.dtype)
        inner = inner + 0.5 * both * reciprocal(differences(s), both * off_diagonal, "svd")
        inner = inner + 0.5 * apart * reciprocal(np.expand_dims(s, -2) + np.expand_dims(s, -1), apart, "svd")
        found = np.matmul(np.matmul(u, inner), adjoint(v))
        if u.shape[-2] > k:
            outside = to_u - np.matmul(u, left)
            found = found + np.matmul(outside * reciprocal(np.expand_dims(s, -2), outside, "svd"), adjoint(v))
        if v.shape[-2] > k:
            outside = to_v - np.matmul(v, right)
            found = found + np.matmul(u, adjoint(outside * reciprocal(np.expand_dims(s, -2), outside, "svd")))
        return found

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (t,) = tangents
        s = out[1]
        k = s.shape[-1]
        whole_u, whole_v = out[0], adjoint(out[2])
        u, v = whole_u[..., :k], whole_v[..., :k]
        inner = np.matmul(np.matmul(adjoint(u), t), v)
        both = (inner + adjoint(inner)) * reciprocal(differences(s))
        apart = _skew(inner) * reciprocal(np.expand_dims(s, -2) + np.expand_dims(s, -1))
        inverse = reciprocal(np.expand_dims(s, -2))
        moved_u, moved_v = 0.5 * np.matmul(u, both + apart), 0.5 * np.matmul(v, both - apart)
        if u.shape[-2] > k:
            outside = np.matmul(t, v) - np.matmul(u, inner)
            moved_u = moved_u + outside * inverse
        if v.shape[-2] > k:
            outside = np.matmul(adjoint(t), u) - np.matmul(v, adjoint(inner))
            moved_v = moved_v + outside * inverse
        moved_s = np.real(np.diagonal(inner, 0, -2, -1))
        return _with_complement(moved_u, whole_u, k), moved_s, adjoint(_with_complement(moved_v, whole_v, k))


def _skew(x: Array) -> Array:
    return x - adjoint(x)


# The columns beyond the k-th complete the first k, U1, to a basis of the whole space. They follow U1's motion without
# turning among themselves, dU2 = -U1 dU1^H U2, and a gradient that depends on such a turn is an error.


def _with_complement(moved: Array, whole: Array, k: int) -> Array:
    if whole.shape[-1] == k:
        return moved
    follow = -np.matmul(whole[..., :k], np.matmul(adjoint(moved), whole[..., k:]))
    return np.concatenate([moved, follow], axis=-1)


def _without_complement(cotangent: Array, whole: Array, k: int) -> tuple[Array, Array]:
    if whole.shape[-1] == k:
        return cotangent, whole
    first, rest = whole[..., :k], whole[..., k:]
    to_rest = cotangent[..., k:]
    turn = concrete(_skew(np.matmul(adjoint(rest), to_rest)))
    if turn is not None and np.any(np.abs(turn) > np.finfo(turn.dtype).eps ** 0.5 * (1 + np.abs(turn).sum())):
        raise LinearAlgebraError(
            "svd: the columns that complete the singular vectors to full matrices are not unique, and have no "
            "derivative; use full_matrices=False, or a function of them that does not depend on the choice"
        )
    return cotangent[..., :k] - np.matmul(rest, np.matmul(adjoint(to_rest), first)), first


@implements(np.linalg.svd)
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """U, s (descending) and V^H with x = U diag(s) V^H for (stacks of) matrices; s alone without ``compute_uv``.

    U is (..., m, m) and V^H (..., n, n), or (..., m, k) and (..., k, n) with k = min(m, n) if not ``full_matrices``,
    which is cheaper. With ``hermitian`` the lower triangle stands for the whole matrix.

    Singular vectors are not unique: each pair may change its phase (its sign), those of equal singular values may be
    mixed, those of a singular value 0 too, and so may the columns beyond the k-th. A gradient that depends on the
    choice is a ``LinearAlgebraError`` (in a trace or under ``vmap`` phases are not checked, and mixed vectors give
    NaN); signs are taken as they come. In forward mode tangents are those of the least motion.

    >>> import wengert as wg
    >>> u, s, vh = wg.linalg.svd(wg.tensor([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0]]), full_matrices=False)
    >>> s
    tensor([2., 1.])
    """
    x = as_array(x)
    if x.ndim < 2:
        raise ShapeError(f"svd takes matrices, not shape {tuple(x.shape)}")
    if hermitian:
        x = hermitian_from_lower(as_square(x, "svd"))
    full = bool(full_matrices and compute_uv and x.shape[-1] != x.shape[-2])
    found = apply(Svd(full), x)
    return SVDResult(*found) if compute_uv else found[1]


@implements(np.linalg.svdvals)
def svdvals(x: Any) -> Tensor:
    """Singular values, in descending order."""
    return svd(x, compute_uv=False)


@implements(np.linalg.matrix_rank)
def matrix_rank(x: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """The number of singular values above ``tol``, or above ``rtol`` times the largest; without either, above the
    longer side times the rounding error times the largest. Has no gradient. A vector counts as rank 1 unless zero.

    >>> import wengert as wg
    >>> wg.linalg.matrix_rank(wg.ones((3, 3)))
    tensor(1)
    """
    x = as_array(x)
    if x.ndim < 2:
        return as_tensor(np.any(x != 0)).astype(np.int64)
    if tol is not None and rtol is not None:
        raise DTypeError("matrix_rank: give tol or rtol, not both")
    s = svd(x, compute_uv=False, hermitian=hermitian)
    if tol is None:
        relative = max(x.shape[-2:]) * np.finfo(s.dtype).eps if rtol is None else rtol
        tol = s[..., :1] * np.expand_dims(relative, -1)
    else:
        tol = np.expand_dims(tol, -1)
    return np.count_nonzero(s > tol, axis=-1)


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Tensor:
    """The condition number: the ratio of the largest to the smallest singular value (2, the default; -2 inverts it), or
    the norm of order ``p`` ('fro', 'nuc', 1, -1, inf, -inf) times that of the inverse.

    >>> import wengert as wg
    >>> wg.linalg.cond(wg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(2.)
    """
    x = as_array(x)
    if 0 in x.shape[-2:]:
        raise LinearAlgebraError(f"cond: a matrix without elements has no condition number; the shape is {x.shape}")
    if p in (None, 2, -2):
        s = svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    x = as_square(x, "cond")
    return matrix_norm(x, p) * matrix_norm(inv(x), p)
