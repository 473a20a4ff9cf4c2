"""Solving and factorising. Everything works on stacks of matrices: leading axes are looped over.

Pullbacks follow M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008); the Cholesky factor's I. Murray, "Differentiation of the Cholesky decomposition" (2016);
eigenvectors' and singular vectors' J. Townsend, "Differentiating the singular value decomposition" (2016). Where
eigenvalues or singular values coincide, vectors are not differentiable, and a gradient through them is an error.
"""

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
from wengert.ops.families import conjugate
from wengert.ops.protocol import implements
from wengert.ops.reduction import largest, negative_axes, vector_norm
from wengert.ops.reduction import sum as sum_
from wengert.ops.results import EighResult, QRResult, SlogdetResult
from wengert.ops.shape import as_array, expand_dims, moveaxis


def adjoint(x: Array) -> Array:
    """The conjugate transpose."""
    return np.swapaxes(conjugate(x), -1, -2)


def float_dtype(x: Any) -> np.dtype[Any]:
    """The dtype that linear algebra computes in: the operand's own, or float64 for integers and booleans."""
    return x.dtype if x.dtype.kind in "fc" else np.dtype("float64")


def as_square(x: Any, name: str) -> Any:
    """A tensor or array of square matrices."""
    x = as_array(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} takes square matrices, not shape {tuple(x.shape)}")
    return x


def hermitian_from_lower(x: Array) -> Array:
    """The Hermitian matrix that the lower triangle of ``x`` stands for."""
    low, diagonal = np.tril(x, -1), np.tril(np.triu(x))
    return low + adjoint(low) + 0.5 * (diagonal + adjoint(diagonal))


class Inv(Primitive):
    """Inverse of square matrices."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.linalg.inv(x)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, float_dtype(x))

    def vjp_x(self, g: Array, out: Array) -> Array:
        h = adjoint(out)
        return -np.matmul(np.matmul(h, g), h)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return -np.matmul(np.matmul(out, tangents[0]), out)


class Solve(Primitive):
    """The solution x of a x = b for matrices b."""

    maps_leading_axes = True

    def value(self, a: Any, b: Any) -> Any:
        return np.linalg.solve(a, b)

    def spec(self, a: TensorSpec, b: TensorSpec) -> TensorSpec:
        front = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return TensorSpec((*front, *b.shape[-2:]), np.result_type(float_dtype(a), float_dtype(b)))

    def vjp_a(self, g: Array, a: Array, out: Array) -> Array:
        return -np.matmul(Solve()(adjoint(a), g), adjoint(out))

    def vjp_b(self, g: Array, a: Array) -> Array:
        return Solve()(adjoint(a), g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (a, _), (ta, tb) = inputs, tangents
        right = tb if ta is None else -np.matmul(ta, out) if tb is None else tb - np.matmul(ta, out)
        return Solve()(a, right)


class Cholesky(Primitive):
    """The lower triangular L with L L^H = x, reading the lower triangle of x."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.linalg.cholesky(x)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, float_dtype(x))

    @staticmethod
    def _half(x: Array) -> Array:
        """The lower triangle with its diagonal halved."""
        return np.tril(x) - 0.5 * np.tril(np.triu(x))

    def vjp_x(self, g: Array, out: Array) -> Array:
        inner = self._half(np.matmul(adjoint(out), np.tril(g)))
        inner = inner + adjoint(inner)
        right = Solve()(adjoint(out), inner)
        return 0.5 * adjoint(Solve()(adjoint(out), adjoint(right)))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (t,) = tangents
        symmetric = 0.5 * (t + adjoint(t))
        inner = Solve()(out, adjoint(Solve()(out, symmetric)))
        return np.matmul(out, self._half(inner))


class Det(Primitive):
    """Determinant; the gradient is the matrix of cofactors, right for singular matrices too."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.asarray(np.linalg.det(x))

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape[:-2], float_dtype(x))

    def vjp_x(self, g: Array, x: Array) -> Array:
        return np.expand_dims(g, (-1, -2)) * conjugate(_cofactors(x))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return (tangents[0] * _cofactors(inputs[0])).sum(axis=(-1, -2))


def _cofactors(x: Array) -> Array:
    """Each element's cofactor, as the determinant of the matrix with its row and column replaced by unit vectors."""
    n = x.shape[-1]
    if n == 0:
        return x
    eye = np.eye(n)
    row = eye[:, None, :, None]
    column = eye[None, :, None, :]
    wide = np.expand_dims(x, (-3, -4))
    replaced = (wide * (1 - row) * (1 - column) + row * column).astype(x.dtype)
    return Det()(replaced)


class Slogdet(Primitive):
    """Sign and logarithm of the absolute value of the determinant."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        sign, logarithm = np.linalg.slogdet(x)
        return np.asarray(sign), np.asarray(logarithm)

    def spec(self, x: TensorSpec) -> tuple[TensorSpec, ...]:
        dtype = float_dtype(x)
        return TensorSpec(x.shape[:-2], dtype), TensorSpec(x.shape[:-2], real_dtype(dtype))

    def vjp_x(self, g: Any, x: Array, out: Any) -> Array:
        to_sign, to_logarithm = g
        sign = out[0]
        weight = to_logarithm
        if sign.dtype.kind == "c":
            # d sign = i sign Im(tr(x^-1 dx)), d log = Re(tr(x^-1 dx)).
            weight = to_logarithm + np.imag(np.conj(sign) * to_sign) * 1j
        return np.expand_dims(weight, (-1, -2)) * adjoint(Inv()(x))


class Eigh(Primitive):
    """Eigenvalues, ascending, and eigenvectors of symmetric or Hermitian matrices (the lower triangle is read)."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return tuple(np.linalg.eigh(x))

    def spec(self, x: TensorSpec) -> tuple[TensorSpec, ...]:
        dtype = float_dtype(x)
        return TensorSpec(x.shape[:-1], real_dtype(dtype)), TensorSpec(x.shape, dtype)

    def vjp_x(self, g: Any, out: Any) -> Array:
        to_values, to_vectors = g
        values, vectors = out
        check_phases([(vectors, to_vectors)], "eigh")
        inner = np.matmul(adjoint(vectors), to_vectors)
        inner = inner * reciprocal(differences(values), inner - adjoint(inner), "eigh")
        inner = inner + np.expand_dims(to_values, -1) * np.eye(values.shape[-1])
        found = np.matmul(np.matmul(vectors, inner), adjoint(vectors))
        return 0.5 * (found + adjoint(found))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        values, vectors = out
        (t,) = tangents
        inner = np.matmul(np.matmul(adjoint(vectors), 0.5 * (t + adjoint(t))), vectors)
        diagonal = np.real(np.diagonal(inner, 0, -2, -1))
        return diagonal, np.matmul(vectors, inner * reciprocal(differences(values)))


def differences(values: Array) -> Array:
    """The matrix of values[j] - values[i]."""
    return np.expand_dims(values, -2) - np.expand_dims(values, -1)


def reciprocal(gaps: Array, weights: Any = None, name: str = "") -> Array:
    """1 / gap, and 0 where a gap vanishes. If its weight does not vanish there, vectors are asked for that are not
    unique: an error, or a NaN if the values cannot be seen because they are traced or batched."""
    zero = gaps == 0
    found = np.where(zero, 0, 1 / np.where(zero, 1, gaps))
    if weights is None:
        return found
    scale = 1 + np.abs(weights).sum(axis=(-2, -1), keepdims=True)
    ambiguous = zero & (np.abs(weights) > np.finfo(weights.dtype).eps ** 0.5 * scale)
    seen = concrete(ambiguous)
    if seen is None:
        return np.where(ambiguous, np.nan, found)
    if seen.any():
        raise LinearAlgebraError(
            f"{name}: vectors that belong to equal eigenvalues or singular values are not unique (nor are those of a "
            f"singular value 0), and have no derivative; use the values, or a function of the matrix that does not "
            f"depend on the choice"
        )
    return found


def check_phases(pairs: Sequence[tuple[Any, Any]], name: str) -> None:
    """Raise ``LinearAlgebraError`` if cotangents depend on the common phase of the vectors that they are for, which is
    arbitrary. What is traced or batched cannot be checked; its gradient is that of the least motion of the vectors."""
    turn = scale = 0.0
    for vectors, cotangent in pairs:
        vectors, cotangent = concrete(vectors), concrete(cotangent)
        if vectors is None or cotangent is None or vectors.dtype.kind != "c":
            return
        product = np.conj(vectors) * cotangent
        turn = turn + np.imag(product).sum(axis=-2)
        scale = scale + np.abs(product).sum(axis=-2)
    if np.any(np.abs(turn) > np.finfo(product.dtype).eps ** 0.5 * (1 + scale)):
        raise LinearAlgebraError(
            f"{name}: complex vectors are unique up to a phase only, and this gradient depends on it; use a function "
            f"of them that does not (absolute values, projectors v v^H), or fix the phases yourself"
        )


class Qr(Primitive):
    """Q with orthonormal columns and upper triangular R of full-rank matrices with at least as many rows as columns;
    with ``complete``, Q is square."""

    complete: bool = False
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return tuple(np.linalg.qr(x, "complete" if self.complete else "reduced"))

    def spec(self, x: TensorSpec) -> tuple[TensorSpec, ...]:
        k = x.shape[-2] if self.complete else min(x.shape[-2:])
        dtype = float_dtype(x)
        return TensorSpec((*x.shape[:-1], k), dtype), TensorSpec((*x.shape[:-2], k, x.shape[-1]), dtype)

    def vjp_x(self, g: Any, out: Any) -> Array:
        to_q, to_r = g
        q, r = out
        if r.shape[-1] < r.shape[-2]:
            raise LinearAlgebraError(
                "qr: the columns that mode='complete' adds to Q are not unique, so they have no derivative; use "
                "mode='reduced'"
            )
        if r.shape[-1] > r.shape[-2]:
            raise LinearAlgebraError("qr of a matrix with more columns than rows has no derivative here; transpose it")
        m = np.matmul(r, adjoint(to_r)) - np.matmul(adjoint(to_q), q)
        low = np.tril(m, -1)
        diagonal = np.tril(np.triu(m))
        symmetric = low + adjoint(low) + 0.5 * (diagonal + adjoint(diagonal))
        return adjoint(Solve()(r, adjoint(to_q + np.matmul(q, symmetric))))


@implements(np.linalg.inv)
def inv(x: Any) -> Tensor:
    """Inverse of square matrices; raises ``LinearAlgebraError`` for a singular one."""
    return apply(Inv(), as_square(x, "inv"))


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Tensor:
    """The solution of a x = b; ``b`` is one vector if it has one dimension, else (stacks of) matrices."""
    a, b = as_square(a, "solve"), as_array(b)
    if b.ndim == 0 or b.shape[-1 if b.ndim == 1 else -2] != a.shape[-1]:
        raise ShapeError(f"solve: {tuple(a.shape)} does not fit a right-hand side of shape {tuple(b.shape)}")
    if b.ndim == 1:
        return apply(Solve(), a, np.expand_dims(b, -1))[..., 0]
    return apply(Solve(), a, b)


@implements(np.linalg.cholesky)
def cholesky(x: Any, upper: bool = False) -> Tensor:
    """The Cholesky factor; raises ``LinearAlgebraError`` unless the matrix is positive definite."""
    found = apply(Cholesky(), as_square(x, "cholesky"))
    return adjoint(found) if upper else found


@implements(np.linalg.det)
def det(x: Any) -> Tensor:
    """Determinant."""
    return apply(Det(), as_square(x, "det"))


@implements(np.linalg.slogdet)
def slogdet(x: Any) -> Any:
    """Sign and logarithm of the absolute value of the determinant."""
    return SlogdetResult(*apply(Slogdet(), as_square(x, "slogdet")))


@implements(np.linalg.eigh)
def eigh(x: Any, UPLO: str = "L") -> Any:
    """Eigenvalues and eigenvectors of symmetric or Hermitian matrices."""
    x = as_square(x, "eigh")
    return EighResult(*apply(Eigh(), x if UPLO == "L" else adjoint(x)))


@implements(np.linalg.eigvalsh)
def eigvalsh(x: Any, UPLO: str = "L") -> Tensor:
    """Eigenvalues of symmetric or Hermitian matrices."""
    return eigh(x, UPLO)[0]


@implements(np.linalg.qr)
def qr(x: Any, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and upper triangular R of matrices whose first columns are independent (that a
    derivative exists); R alone with mode "r". (S. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra
    functions with application in optimum experimental design", 2010, for tall matrices; J. Roberts, Z. Roberts, "QR and
    LQ decomposition matrix backpropagation algorithms for square, wide, and deep matrices", 2020, for wide ones.)

    With mode "complete" Q is square, and the columns that it has more are any that complete the basis: a derivative
    through that is a ``LinearAlgebraError``.
    """
    x = as_array(x)
    if mode not in ("reduced", "complete", "r"):
        raise DTypeError(f"qr: mode is 'reduced', 'complete' or 'r', not {mode!r}")
    if x.ndim < 2:
        raise ShapeError(f"qr takes matrices, not shape {tuple(x.shape)}")
    m = x.shape[-2]
    if m < x.shape[-1]:
        # The first columns have the Q of the whole; the others' part of R is Q^H times them, which has a derivative.
        x = as_tensor(x)
        q, r = apply(Qr(), x[..., :m])
        whole: Any = np.concatenate([r, np.matmul(adjoint(q), x[..., m:])], axis=-1)
        return whole if mode == "r" else QRResult(q, whole)
    found = QRResult(*apply(Qr(mode == "complete" and x.shape[-2] > x.shape[-1]), x))
    return found.R if mode == "r" else found


@implements(np.linalg.matrix_power)
def matrix_power(x: Any, n: int) -> Tensor:
    """The n-th power of square matrices, by repeated squaring."""
    x = as_tensor(as_square(x, "matrix_power"))
    if n < 0:
        x, n = inv(x), -n
    result = None
    while n:
        if n & 1:
            result = x if result is None else np.matmul(result, x)
        n >>= 1
        if n:
            x = np.matmul(x, x)
    return result if result is not None else np.zeros_like(x) + np.eye(x.shape[-1], dtype=x.dtype)


@implements(np.linalg.vector_norm)
def _vector_norm(x: Any, ord: Any = 2, axis: Any = None, keepdims: bool = False) -> Tensor:
    return vector_norm(x, ord, axis, keepdims)


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Norm of vectors over one axis (of any order), or of matrices over two ('fro', 'nuc', 1, -1, 2, -2, inf, -inf);
    without an order, the root of the sum of squares over all axes. Its gradient at 0 is 0."""
    x = as_array(x)
    if ord is None:
        return vector_norm(x, 2, axis, keepdims)
    axes = negative_axes(axis, x.ndim, "norm")
    if len(axes) == 1:
        return vector_norm(x, ord, axes, keepdims)
    if len(axes) != 2:
        raise ShapeError(f"norm of order {ord!r} takes one axis or two, not {len(axes)}")
    first, second = axes if axis is None else axis
    found = matrix_norm(moveaxis(x, (first, second), (-2, -1)), ord)
    return expand_dims(found, axes) if keepdims else found


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, ord: Any = "fro", keepdims: bool = False) -> Tensor:
    """Norm of matrices: 'fro', 'nuc' (the sum of singular values), the largest or smallest singular value (2, -2),
    column sum (1, -1) or row sum (inf, -inf)."""
    x = as_tensor(as_array(x))
    if x.ndim < 2:
        raise ShapeError(f"matrix_norm takes matrices, not shape {tuple(x.shape)}")
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    if ord == "fro":
        return vector_norm(x, 2, (-2, -1), keepdims)
    if ord in ("nuc", 2, -2):
        s: Any = np.linalg.svdvals(x)
        if ord == "nuc" or 0 in x.shape[-2:]:
            found = s.sum(axis=-1)
        else:
            found = s[..., 0 if ord == 2 else -1]
        return expand_dims(found, (-2, -1)) if keepdims else found
    if ord not in (1, -1, np.inf, -np.inf):
        raise DTypeError(f"matrix_norm: order {ord!r} is not offered; use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    sums = sum_(np.abs(x), axis=-2 if abs(ord) == 1 else -1)
    found = largest(sums, -1) if ord > 0 else sums.min(axis=-1)
    return expand_dims(found, (-2, -1)) if keepdims else found
