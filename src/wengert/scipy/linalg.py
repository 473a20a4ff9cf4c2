"""``scipy.linalg``'s names, on tensors, with SciPy's defaults where they differ from NumPy's.

What only says how SciPy computes (``overwrite_a``, ``check_finite``, ``lapack_driver``) is accepted and means nothing.

>>> import wengert as wg
>>> from wengert.scipy import linalg
>>> factor = linalg.cho_factor(wg.tensor([[4.0, 2.0], [2.0, 3.0]]))
>>> linalg.cho_solve(factor, [2.0, 1.0])
tensor([0.5, 0. ])
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as _np

from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor as _as_tensor
from wengert.core.tensor import Tensor
from wengert.ops import decomposition as _decomposition
from wengert.ops import eigen as _eigen
from wengert.ops import factorisation as _factorisation
from wengert.ops import linalg as _linalg
from wengert.ops import solving as _solving
from wengert.ops.factorisation import logm as logm
from wengert.ops.factorisation import solve_sylvester as solve_sylvester
from wengert.ops.factorisation import sqrtm as sqrtm
from wengert.ops.indexing import get_at as _get_at
from wengert.ops.joining import concatenate as _concatenate
from wengert.ops.matrix_functions import expm as expm

F = TypeVar("F", bound=Callable[..., Any])

_IGNORED = frozenset({"overwrite_a", "overwrite_b", "overwrite_ab", "check_finite", "lapack_driver", "lwork", "driver"})


def _scipys(function: F) -> F:
    """Accept the arguments that only say how SciPy computes."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **{name: value for name, value in kwargs.items() if name not in _IGNORED})

    return wrapper  # type: ignore[return-value]


inv, det, pinv = _scipys(_linalg.inv), _scipys(_linalg.det), _scipys(_solving.pinv)
solve_triangular, svdvals = _scipys(_solving.solve_triangular), _scipys(_decomposition.svdvals)
eigvals, norm = _scipys(_eigen.eigvals), _scipys(_linalg.norm)


# -- systems of equations -------------------------------------------------------------------------------------------


@_scipys
def solve(a: Any, b: Any, lower: bool = False, assume_a: str = "gen", transposed: bool = False) -> Tensor:
    """The solution x of a x = b, where ``b`` is a vector if it has one dimension.

    With ``assume_a`` of "sym", "her" or "pos" only one triangle of ``a`` is read, the upper one unless ``lower``.
    """
    a, b = _as_tensor(a), _as_tensor(b)
    if assume_a in ("pos", "positive definite"):
        return cho_solve(cho_factor(a, lower), b)
    if assume_a in ("sym", "symmetric", "her", "hermitian"):
        half = _np.tril(a, -1) if lower else _np.triu(a, 1)
        other = _np.swapaxes(half, -1, -2)
        a = half + (_np.conj(other) if assume_a.startswith("her") else other) + _np.triu(_np.tril(a))
    elif assume_a not in ("gen", "general"):
        raise DTypeError(f"solve: assume_a is 'gen', 'sym', 'her' or 'pos', not {assume_a!r}")
    if transposed:
        a = _np.swapaxes(a, -1, -2)
    return _linalg.solve(a, b[..., None])[..., 0] if b.ndim == 1 else _linalg.solve(a, b)


@_scipys
def cholesky(a: Any, lower: bool = False) -> Tensor:
    """The Cholesky factor: the upper one unless ``lower``, as in SciPy. Only that triangle of ``a`` is read."""
    a = _as_tensor(a)
    factor: Any = _linalg.cholesky(a if lower else _np.conj(_np.swapaxes(a, -1, -2)))
    return factor if lower else _np.conj(_np.swapaxes(factor, -1, -2))


@_scipys
def cho_factor(a: Any, lower: bool = False) -> tuple[Tensor, bool]:
    """The Cholesky factor and whether it is the lower one, for ``cho_solve``."""
    return cholesky(a, lower), lower


@_scipys
def cho_solve(c_and_lower: tuple[Any, bool], b: Any) -> Tensor:
    """The solution x of a x = b, where ``cho_factor(a)`` is given."""
    factor, lower = c_and_lower
    first = _solving.solve_triangular(factor, b, lower, "N" if lower else "C")
    return _solving.solve_triangular(factor, first, lower, "C" if lower else "N")


@_scipys
def lu(a: Any, permute_l: bool = False, p_indices: bool = False) -> Any:
    """P, L and U with a = P L U; with ``permute_l`` P L and U; with ``p_indices`` P as the places of the rows."""
    low: Any
    places: Any
    places, low, up = _factorisation.lu(a)
    if p_indices and not permute_l:
        return places, low, up
    if permute_l:
        return _np.take_along_axis(low, places[..., None], axis=-2), up
    return _get_at(_np.eye(low.shape[-2], dtype=low.dtype), places), low, up


class _LuFactor(NamedTuple):
    """L below the diagonal and U on and above it, and the places of the rows."""

    lu: Tensor
    piv: Tensor


@_scipys
def lu_factor(a: Any) -> _LuFactor:
    """The LU factors in one matrix and the places of the rows, for ``lu_solve``; the places are those of ``lu``, not
    LAPACK's exchanges."""
    places, low, up = _factorisation.lu(a)
    packed: Any = _np.tril(low, -1) + up
    return _LuFactor(packed, places)


@_scipys
def lu_solve(lu_and_piv: tuple[Any, Any], b: Any) -> Tensor:
    """The solution x of a x = b, where ``lu_factor(a)`` is given."""
    packed, places = lu_and_piv
    b = _as_tensor(b)
    columns = b[..., None] if b.ndim == 1 else b
    rows = _np.take_along_axis(columns, _np.argsort(places, axis=-1)[..., None], axis=-2)
    first = _solving.solve_triangular(packed, rows, lower=True, unit_diagonal=True)
    found: Any = _solving.solve_triangular(packed, first)
    return found[..., 0] if b.ndim == 1 else found


@_scipys
def lstsq(a: Any, b: Any, cond: Any = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The least squares solution, the sums of squared residuals, the rank and the singular values."""
    return _solving.lstsq(a, b, cond)


def solve_continuous_lyapunov(a: Any, q: Any) -> Tensor:
    """The x with a x + x a^H = q."""
    a = _as_tensor(a)
    return solve_sylvester(a, _np.conj(_np.swapaxes(a, -1, -2)), q)


# -- decompositions -------------------------------------------------------------------------------------------------


@_scipys
def qr(a: Any, mode: str = "full") -> Any:
    """Q and R: square Q with "full", as SciPy's default has it; "economic" is the one with a derivative for all shapes
    with at least as many rows as columns; "r" gives R alone."""
    if mode not in ("full", "economic", "r"):
        raise DTypeError(f"qr: mode is 'full', 'economic' or 'r', not {mode!r}")
    found = _linalg.qr(a, "reduced" if mode == "economic" else "complete")
    return (found.R,) if mode == "r" else tuple(found)


@_scipys
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """U, s and V^H, or s alone."""
    found = _decomposition.svd(a, full_matrices, compute_uv)
    return tuple(found) if compute_uv else found


@_scipys
def eig(a: Any) -> tuple[Tensor, Tensor]:
    """Eigenvalues and right eigenvectors."""
    values, vectors = _eigen.eig(a)
    return values, vectors


@_scipys
def eigh(a: Any, b: Any = None, lower: bool = True, eigvals_only: bool = False) -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices; with ``b`` of a v = w b v, with v^H b v = 1."""
    if b is None:
        values, vectors = _linalg.eigh(a, "L" if lower else "U")
        return values if eigvals_only else (values, vectors)
    factor = cholesky(b, lower=True)
    left = _solving.solve_triangular(factor, a, lower=True)
    middle = _solving.solve_triangular(factor, _np.conj(_np.swapaxes(left, -1, -2)), lower=True)
    values, vectors = _linalg.eigh(middle)
    if eigvals_only:
        return values
    return values, _solving.solve_triangular(factor, vectors, lower=True, trans="C")


@_scipys
def eigvalsh(a: Any, b: Any = None, lower: bool = True) -> Tensor:
    """Eigenvalues of Hermitian matrices, ordinary or (with ``b``) generalised."""
    found: Tensor = eigh(a, b, lower, eigvals_only=True)
    return found


def polar(a: Any, side: str = "right") -> tuple[Tensor, Tensor]:
    """The unitary and the positive semidefinite factor: a = u p with "right", a = p u with "left"."""
    if side not in ("left", "right"):
        raise DTypeError(f"polar: side is 'left' or 'right', not {side!r}")
    u, s, vh = _decomposition.svd(a, full_matrices=False)
    base = u if side == "left" else _np.conj(_np.swapaxes(vh, -1, -2))
    positive: Any = _np.matmul(base * s[..., None, :], _np.conj(_np.swapaxes(base, -1, -2)))
    unitary: Any = _np.matmul(u, vh)
    return unitary, positive


# -- special matrices -----------------------------------------------------------------------------------------------


def block_diag(*arrays: Any) -> Tensor:
    """A matrix with the given matrices along its diagonal and zeros elsewhere."""
    blocks: list[Any] = [_np.atleast_2d(_as_tensor(one)) for one in arrays] or [_as_tensor(_np.zeros((1, 0)))]
    for one in blocks:
        if one.ndim != 2:
            raise ShapeError(f"block_diag takes matrices, not shape {one.shape}")
    width = sum(one.shape[1] for one in blocks)
    rows, start = [], 0
    for one in blocks:
        rows.append(_np.pad(one, ((0, 0), (start, width - start - one.shape[1]))))
        start += one.shape[1]
    return _concatenate(rows, axis=0)


def toeplitz(c: Any, r: Any = None) -> Tensor:
    """The matrix with constant diagonals, with first column ``c`` and first row ``r`` (the conjugate of ``c`` unless
    given; its first element is not read)."""
    column = _np.ravel(_as_tensor(c))
    row = _np.conj(column) if r is None else _np.ravel(_as_tensor(r))
    values = _concatenate([column[::-1], row[1:]])
    n, m = column.shape[0], row.shape[0]
    return _get_at(values, _np.arange(n - 1, -1, -1)[:, None] + _np.arange(m))


def hankel(c: Any, r: Any = None) -> Tensor:
    """The matrix with constant antidiagonals, with first column ``c`` and last row ``r`` (zeros unless given)."""
    column = _np.ravel(_as_tensor(c))
    row = _np.zeros_like(column) if r is None else _np.ravel(_as_tensor(r))
    values = _concatenate([column, row[1:]])
    return _get_at(values, _np.arange(column.shape[0])[:, None] + _np.arange(row.shape[0]))


def circulant(c: Any) -> Tensor:
    """The matrix whose columns are the turns of ``c``."""
    column = _np.ravel(_as_tensor(c))
    n = column.shape[0]
    return _get_at(column, (_np.arange(n)[:, None] - _np.arange(n)) % n)


def companion(a: Any) -> Tensor:
    """The companion matrix of a polynomial, its coefficients from the highest power on."""
    a = _np.ravel(_as_tensor(a))
    if a.shape[0] < 2:
        raise ShapeError("companion: a polynomial of degree one or more is needed, so two coefficients at least")
    first = -a[1:] / a[0]
    below: Any = _np.eye(a.shape[0] - 2, a.shape[0] - 1, dtype=first.dtype)
    return _concatenate([first[None], _as_tensor(below)], axis=0)


def khatri_rao(a: Any, b: Any) -> Tensor:
    """The Kronecker products of corresponding columns."""
    a, b = _as_tensor(a), _as_tensor(b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ShapeError(f"khatri_rao takes two matrices with as many columns, not {a.shape} and {b.shape}")
    products: Any = a[:, None, :] * b[None, :, :]
    found: Tensor = products.reshape((-1, a.shape[1]))
    return found
