"""LU factors, Sylvester's equation and what rests on them: square roots and logarithms of matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import LinearAlgebraError, ShapeError
from wengert.core.lazy import LazyModule
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.linalg import Solve, adjoint, as_square, float_dtype
from wengert.ops.matrix_functions import upper_block
from wengert.ops.shape import as_array

_scipy = LazyModule("scipy.linalg")


def _over_stacks(function: Callable[..., Any], *matrices: Any) -> Any:
    """A function of matrices on stacks of them."""
    front = np.broadcast_shapes(*(x.shape[:-2] for x in matrices))
    if not front:
        return function(*matrices)
    rows = [np.broadcast_to(x, (*front, *x.shape[-2:])).reshape((-1, *x.shape[-2:])) for x in matrices]
    found = np.stack([function(*one) for one in zip(*rows, strict=True)])
    return found.reshape((*front, *found.shape[1:]))


class Lu(Primitive):
    """The rows' places p, unit lower triangular L and upper triangular U with x = (L U)[p]."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        p, low, up = _scipy.lu(np.asarray(x, float_dtype(x)), p_indices=True)
        return np.asarray(p, np.int64), low, up

    def spec(self, x: TensorSpec) -> tuple[TensorSpec, ...]:
        (*front, m, n), dtype = x.shape, float_dtype(x)
        k = min(m, n)
        return TensorSpec((*front, m), "int64"), TensorSpec((*front, m, k), dtype), TensorSpec((*front, k, n), dtype)

    @staticmethod
    def _check(x: Any) -> None:
        if x.shape[-1] != x.shape[-2]:
            raise LinearAlgebraError(f"lu: only square matrices have a derivative here, not shape {tuple(x.shape)}")

    def vjp_x(self, g: Any, out: Any, spec: TensorSpec) -> Array:
        self._check(spec)
        (p, low, up), (_, to_low, to_up) = out, g
        inner = np.tril(np.matmul(adjoint(low), to_low), -1) + np.triu(np.matmul(to_up, adjoint(up)))
        sorted_rows = Solve()(adjoint(low), adjoint(Solve()(up, adjoint(inner))))
        found: Array = np.take_along_axis(sorted_rows, p[..., None], axis=-2)
        return found

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (t,), (p, low, up) = tangents, out
        self._check(t)
        sorted_rows = np.take_along_axis(t, np.argsort(p, axis=-1)[..., None], axis=-2)
        inner = Solve()(low, adjoint(Solve()(adjoint(up), adjoint(sorted_rows))))
        return None, np.matmul(low, np.tril(inner, -1)), np.matmul(np.triu(inner), up)


class SolveSylvester(Primitive):
    """The x with a x + x b = q (R. H. Bartels and G. W. Stewart, 1972)."""

    maps_leading_axes = True

    def value(self, a: Any, b: Any, q: Any) -> Any:
        dtype = np.result_type(*map(float_dtype, (a, b, q)))
        return np.asarray(_over_stacks(_scipy.solve_sylvester, *map(np.asarray, (a, b, q))), dtype)

    def spec(self, a: TensorSpec, b: TensorSpec, q: TensorSpec) -> TensorSpec:
        front = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
        return TensorSpec((*front, *q.shape[-2:]), np.result_type(*map(float_dtype, (a, b, q))))

    def vjp_a(self, g: Array, a: Array, b: Array, out: Array) -> Array:
        return -np.matmul(self.vjp_q(g, a, b), adjoint(out))

    def vjp_b(self, g: Array, a: Array, b: Array, out: Array) -> Array:
        return -np.matmul(adjoint(out), self.vjp_q(g, a, b))

    def vjp_q(self, g: Array, a: Array, b: Array) -> Array:
        return SolveSylvester()(adjoint(a), adjoint(b), g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (a, b, _), (ta, tb, tq) = inputs, tangents
        right = np.zeros_like(out) if tq is None else tq
        if ta is not None:
            right = right - np.matmul(ta, out)
        if tb is not None:
            right = right - np.matmul(out, tb)
        return self(a, b, right)


class Sqrtm(Primitive):
    """The principal square root of matrices without eigenvalues on the closed negative real axis."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        found = _over_stacks(_scipy.sqrtm, np.asarray(x))
        if np.iscomplexobj(found) and not np.iscomplexobj(x):
            raise LinearAlgebraError("sqrtm: this real matrix has no real square root; make it complex")
        return np.asarray(found, float_dtype(x))

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, float_dtype(x))

    def vjp_x(self, g: Array, out: Array) -> Array:
        root = adjoint(out)
        return SolveSylvester()(root, root, g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return SolveSylvester()(out, out, tangents[0])


class Logm(Primitive):
    """The principal logarithm of matrices without eigenvalues on the closed negative real axis."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        found = _over_stacks(_scipy.logm, np.asarray(x))
        if np.iscomplexobj(found) and not np.iscomplexobj(x):
            raise LinearAlgebraError("logm: this real matrix has no real logarithm; make it complex")
        return np.asarray(found, float_dtype(x))

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape, float_dtype(x))

    def vjp_x(self, g: Array, x: Array) -> Array:
        return _log_slope(adjoint(x), g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return _log_slope(inputs[0], tangents[0])


def _log_slope(x: Any, e: Any) -> Any:
    """The derivative of the logarithm at x in the direction e: the upper right block of the logarithm of
    [[x, e], [0, x]] (N. J. Higham, "Functions of Matrices", 2008, theorem 3.6)."""
    n = x.shape[-1]
    return Logm()(upper_block(x, e))[..., :n, n:]


def lu(x: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Places p of the rows, L and U with x = (L @ U)[p], for (stacks of) matrices.

    The derivative is for square, invertible matrices; the places are constant under it.

    >>> import wengert as wg
    >>> p, low, up = lu(wg.tensor([[1.0, 2.0], [4.0, 2.0]]))
    >>> (low @ up)[p]
    tensor([[1., 2.],
            [4., 2.]])
    """
    x = as_array(x)
    if x.ndim < 2:
        raise ShapeError(f"lu takes matrices, not shape {tuple(x.shape)}")
    p, low, up = apply(Lu(), x)
    return p, low, up


def solve_sylvester(a: Any, b: Any, q: Any) -> Tensor:
    """The x with a x + x b = q, for (stacks of) matrices a (m, m), b (n, n) and q (m, n)."""
    a, b, q = as_square(a, "solve_sylvester"), as_square(b, "solve_sylvester"), as_array(q)
    if q.ndim < 2 or q.shape[-2:] != (a.shape[-1], b.shape[-1]):
        raise ShapeError(f"solve_sylvester: q must have shape {(a.shape[-1], b.shape[-1])}, not {tuple(q.shape)}")
    found: Tensor = apply(SolveSylvester(), a, b, q)
    return found


def sqrtm(x: Any) -> Tensor:
    """The principal square root of (stacks of) matrices; ``LinearAlgebraError`` for a real one without a real root."""
    found: Tensor = apply(Sqrtm(), as_square(x, "sqrtm"))
    return found


def logm(x: Any) -> Tensor:
    """The principal logarithm of (stacks of) matrices; ``LinearAlgebraError`` for a real one without a real one."""
    found: Tensor = apply(Logm(), as_square(x, "logm"))
    return found
