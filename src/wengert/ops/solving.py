"""Solving where no ordinary inverse will do: triangular systems, least squares, the pseudo-inverse, tensor equations.

The pseudo-inverse is differentiated at constant rank, after G. H. Golub and V. Pereyra, "The differentiation of
pseudo-inverses and nonlinear least squares problems whose variables separate" (1973), theorem 4.3. Where a small step
would change the rank, the pseudo-inverse is not continuous; the derivative is then that along the matrices which keep
the rank that was found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.lazy import LazyModule
from wengert.core.levels import as_tensor, concrete
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.decomposition import svdvals
from wengert.ops.families import conjugate
from wengert.ops.linalg import adjoint, as_square, float_dtype, hermitian_from_lower, inv, solve
from wengert.ops.protocol import implements
from wengert.ops.shape import as_array

_scipy = LazyModule("scipy.linalg")


def _product_spec(a: TensorSpec, b: TensorSpec, rows: int) -> TensorSpec:
    front = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return TensorSpec((*front, rows, b.shape[-1]), np.result_type(float_dtype(a), float_dtype(b)))


def _minus(left: Array | None, right: Array) -> Array:
    return -right if left is None else left - right


class SolveTriangular(Primitive):
    """The solution x of op(a) x = b, where op(a) is a, its transpose ("T") or its conjugate transpose ("C").

    Of ``a`` only one triangle is read, and no diagonal if that is taken to be one; the gradient is zero elsewhere.
    """

    lower: bool = False
    trans: str = "N"
    unit_diagonal: bool = False
    maps_leading_axes = True

    def value(self, a: Any, b: Any) -> Any:
        a, b = np.asarray(a), np.asarray(b)
        spec = self.spec(TensorSpec(a.shape, a.dtype), TensorSpec(b.shape, b.dtype))
        if 0 in spec.shape:
            return np.zeros(spec.shape, spec.dtype)
        found = _scipy.solve_triangular(
            a, b, trans=self.trans, lower=self.lower, unit_diagonal=self.unit_diagonal, check_finite=False
        )
        return np.asarray(found, spec.dtype)

    def spec(self, a: TensorSpec, b: TensorSpec) -> TensorSpec:
        return _product_spec(a, b, b.shape[-2])

    def vjp_a(self, g: Array, a: Array, out: Array) -> Array:
        to_b = self.vjp_b(g, a)
        if self.trans == "N":
            return -self._triangle(np.matmul(to_b, adjoint(out)))
        if self.trans == "T":
            return -self._triangle(np.matmul(conjugate(out), np.swapaxes(to_b, -1, -2)))
        return -self._triangle(np.matmul(out, adjoint(to_b)))

    def vjp_b(self, g: Array, a: Array) -> Array:
        if self.trans == "T":
            return conjugate(self._other("N")(a, conjugate(g)))
        return self._other("N" if self.trans == "C" else "C")(a, g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (a, _), (ta, tb) = inputs, tangents
        if ta is None:
            return self(a, tb)
        change = self._triangle(ta)
        change = change if self.trans == "N" else np.swapaxes(change, -1, -2)
        change = conjugate(change) if self.trans == "C" else change
        return self(a, _minus(tb, np.matmul(change, out)))

    def _other(self, trans: str) -> SolveTriangular:
        return SolveTriangular(self.lower, trans, self.unit_diagonal)

    def _triangle(self, x: Array) -> Array:
        """The entries that are read."""
        if self.lower:
            return np.tril(x, -1 if self.unit_diagonal else 0)
        return np.triu(x, 1 if self.unit_diagonal else 0)


class Pinv(Primitive):
    """The Moore-Penrose pseudo-inverse; singular values up to ``rtol`` times the largest count as zero."""

    rtol: float
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.linalg.pinv(x, rcond=self.rtol)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec((*x.shape[:-2], x.shape[-1], x.shape[-2]), float_dtype(x))

    # With p the pseudo-inverse of x: dp = -p dx p + p p^H dx^H (1 - x p) + (1 - p x) dx^H p^H p.

    def vjp_x(self, g: Array, x: Array, out: Array) -> Array:
        p, h = out, adjoint(out)
        left = np.matmul(p, np.matmul(h, g))
        right = np.matmul(np.matmul(g, h), p)
        left = left - np.matmul(np.matmul(left, x), p)
        right = right - np.matmul(p, np.matmul(x, right))
        return adjoint(left + right) - np.matmul(np.matmul(h, g), h)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (x,), (t,) = inputs, tangents
        p, h = out, adjoint(out)
        left = np.matmul(np.matmul(p, h), adjoint(t))
        right = np.matmul(adjoint(t), np.matmul(h, p))
        left = left - np.matmul(np.matmul(left, x), p)
        right = right - np.matmul(p, np.matmul(x, right))
        return left + right - np.matmul(np.matmul(p, t), p)


class Lstsq(Primitive):
    """The shortest x that makes |a x - b| smallest; singular values up to ``rtol`` times the largest count as zero."""

    rtol: float
    maps_leading_axes = True

    def value(self, a: Any, b: Any) -> Any:
        if 0 in np.shape(a)[-2:]:
            spec = self.spec(TensorSpec(np.shape(a), a.dtype), TensorSpec(np.shape(b), b.dtype))
            return np.zeros(spec.shape, spec.dtype)
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        significant = s > self.rtol * s.max(axis=-1, keepdims=True)
        factors = np.divide(1, s, where=significant, out=np.zeros_like(s))
        return np.matmul(adjoint(vh), factors[..., None] * np.matmul(adjoint(u), b))

    def spec(self, a: TensorSpec, b: TensorSpec) -> TensorSpec:
        return _product_spec(a, b, a.shape[-1])

    # dx is Golub and Pereyra's dp b, and p db.

    def vjp_a(self, g: Array, a: Array, b: Array, out: Array) -> Array:
        p = Pinv(self.rtol)(a)
        h = adjoint(p)
        back = np.matmul(h, g)
        residual = b - np.matmul(a, out)
        kernel = g - np.matmul(adjoint(a), back)
        return (
            np.matmul(residual, adjoint(np.matmul(p, back)))
            + np.matmul(np.matmul(h, out), adjoint(kernel))
            - np.matmul(back, adjoint(out))
        )

    def vjp_b(self, g: Array, a: Array) -> Array:
        return Lstsq(self.rtol)(adjoint(a), g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (a, b), (ta, tb) = inputs, tangents
        if ta is None:
            return self(a, tb)
        p = Pinv(self.rtol)(a)
        h, th = adjoint(p), adjoint(ta)
        inside = np.matmul(th, np.matmul(h, out))
        return (
            np.matmul(p, _minus(tb, np.matmul(ta, out)) + np.matmul(h, np.matmul(th, b - np.matmul(a, out))))
            + inside
            - np.matmul(p, np.matmul(a, inside))
        )


def relative_tolerance(x: Any, given: Any, name: str) -> float:
    """The fraction of the largest singular value up to which others count as zero: as given, or the rounding error that
    the longer side of the matrices allows for."""
    if given is None:
        return float(max(x.shape[-2:], default=0) * np.finfo(float_dtype(x)).eps)
    if np.ndim(given) or isinstance(given, Tensor):
        raise DTypeError(f"{name}: the relative tolerance is one number for all matrices, not {given!r}")
    return float(given)


def solve_triangular(a: Any, b: Any, lower: bool = False, trans: Any = 0, unit_diagonal: bool = False) -> Tensor:
    """The solution x of a x = b for (stacks of) triangular matrices ``a``, as ``scipy.linalg.solve_triangular``.

    Only the triangle that ``lower`` names is read, and with ``unit_diagonal`` not even its diagonal, which counts as
    ones; gradients are zero in the rest. ``trans`` of 1 or "T" solves a^T x = b, of 2 or "C" a^H x = b. A ``b`` of one
    dimension is a vector. Raises ``LinearAlgebraError`` where a diagonal entry is zero, ``ShapeError`` where the shapes
    do not fit.

    >>> import wengert as wg
    >>> a = wg.tensor([[2.0, 9.0], [1.0, 4.0]])
    >>> wg.linalg.solve_triangular(a, [2.0, 9.0], lower=True)
    tensor([1., 2.])
    """
    a, b = as_square(a, "solve_triangular"), as_array(b)
    names = {0: "N", 1: "T", 2: "C", "N": "N", "T": "T", "C": "C"}
    if trans not in names:
        raise DTypeError(f"solve_triangular: trans is 0, 1, 2, 'N', 'T' or 'C', not {trans!r}")
    if b.ndim == 0 or b.shape[-1 if b.ndim == 1 else -2] != a.shape[-1]:
        raise ShapeError(f"solve_triangular: {tuple(a.shape)} does not fit a right-hand side of shape {tuple(b.shape)}")
    operation = SolveTriangular(bool(lower), names[trans], bool(unit_diagonal))
    if b.ndim == 1:
        return apply(operation, a, np.expand_dims(b, -1))[..., 0]
    found: Tensor = apply(operation, a, b)
    return found


@implements(np.linalg.pinv)
def pinv(x: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Tensor:
    """The Moore-Penrose pseudo-inverse of (stacks of) matrices of any shape and rank.

    Singular values up to ``rtol`` (or ``rcond``) times the largest count as zero; by default the longer side times the
    dtype's rounding error, as in the array API standard (NumPy's own default is 1e-15, whatever the dtype). With
    ``hermitian`` the lower triangle stands for the whole. The derivative is Golub and Pereyra's (1973), at constant
    rank: where the rank is not full, the pseudo-inverse is not continuous in directions that raise it.

    >>> import wengert as wg
    >>> wg.linalg.pinv(wg.tensor([[1.0, 1.0], [1.0, 1.0]]))
    tensor([[0.25, 0.25],
            [0.25, 0.25]])
    """
    x = as_matrices(x, "pinv")
    if hermitian:
        x = hermitian_from_lower(as_square(x, "pinv"))
    found: Tensor = apply(Pinv(relative_tolerance(x, rcond if rtol is None else rtol, "pinv")), x)
    return found


def as_matrices(x: Any, name: str) -> Any:
    """A tensor or array of at least two dimensions."""
    x = as_array(x)
    if x.ndim < 2:
        raise ShapeError(f"{name} takes matrices, not shape {tuple(x.shape)}")
    return x


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The least squares solution of a x = b: ``x``, squared residuals, rank and singular values of ``a``.

    ``x`` is the shortest of all that make |a x - b| smallest, for matrices of any shape and rank, whose singular values
    up to ``rcond`` times the largest count as zero; by default that is the longer side times the rounding error, and -1
    is the rounding error alone. Unlike NumPy's, stacks of matrices work too; then, and in a trace, where the rank is
    not known, the residuals are there if ``a`` has more rows than columns; else, as NumPy has it, they are empty if
    the rank is not that of a full column rank. The derivative is that at constant rank (G. H. Golub, V. Pereyra, 1973).

    >>> import wengert as wg
    >>> a = wg.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> x, residuals, rank, s = wg.linalg.lstsq(a, [1.0, 3.0, 5.0])
    >>> x.round(6)
    tensor([1., 2.])
    """
    a, b = as_matrices(a, "lstsq"), as_array(b)
    vector = b.ndim == 1
    if b.ndim == 0 or b.shape[-1 if vector else -2] != a.shape[-2]:
        raise ShapeError(f"lstsq: {tuple(a.shape)} does not fit a right-hand side of shape {tuple(b.shape)}")
    rtol = relative_tolerance(a, np.finfo(float_dtype(a)).eps if rcond == -1 else rcond, "lstsq")
    columns = np.expand_dims(b, -1) if vector else b
    x: Any = apply(Lstsq(rtol), a, columns)
    s: Any = svdvals(a)
    rank: Any = np.count_nonzero(s > rtol * s[..., :1], axis=-1).astype(np.int32)
    m, n = a.shape[-2:]
    known = concrete(rank)
    if m > n and (known is None or known.ndim or known == n):
        residuals = np.square(np.abs(columns - np.matmul(a, x))).sum(axis=-2)
    else:
        residuals = np.zeros((0,), s.dtype)
    return x[..., 0] if vector else x, as_tensor(residuals), rank, s


@implements(np.linalg.tensorinv)
def tensorinv(x: Any, ind: int = 2) -> Tensor:
    """The inverse of ``x`` as a linear map: ``tensordot(tensorinv(x, ind), x, ind)`` is the identity.

    The first ``ind`` axes and the others must have the same number of elements; raises ``ShapeError`` where they have
    not, ``LinearAlgebraError`` where the map has no inverse.

    >>> import wengert as wg
    >>> wg.linalg.tensorinv(wg.ones((2, 3, 6)) + wg.eye(6).reshape(2, 3, 6), ind=2).shape
    (6, 2, 3)
    """
    x = as_array(x)
    if not 0 < ind < x.ndim + 1:
        raise ShapeError(f"tensorinv: ind must be between 1 and {x.ndim}, not {ind}")
    front, back = tuple(x.shape[:ind]), tuple(x.shape[ind:])
    if math.prod(front) != math.prod(back):
        raise ShapeError(f"tensorinv: {front} and {back} have different numbers of elements, so no map is invertible")
    found: Tensor = inv(x.reshape((math.prod(front), -1))).reshape((*back, *front))
    return found


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Tensor:
    """The solution x of ``tensordot(a, x, x.ndim) = b``; ``axes`` of ``a`` are moved to its end first.

    >>> import wengert as wg
    >>> a = wg.eye(6).reshape(2, 3, 6) * 2
    >>> wg.linalg.tensorsolve(a, wg.ones((2, 3)))
    tensor([0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    """
    a, b = as_array(a), as_array(b)
    if axes is not None:
        axes = tuple(one % a.ndim for one in axes)
        a = np.transpose(a, (*(i for i in range(a.ndim) if i not in axes), *axes))
    shape = tuple(a.shape[b.ndim :])
    if math.prod(shape) != math.prod(a.shape[: b.ndim]) or b.size != math.prod(shape):
        raise ShapeError(f"tensorsolve: {tuple(a.shape)} is no invertible map onto a tensor of shape {tuple(b.shape)}")
    matrix = a.reshape((math.prod(shape), math.prod(shape)))
    found: Tensor = solve(matrix, b.reshape((-1,))).reshape(shape)
    return found
