"""NumPy's polynomials: vectors of coefficients, the highest power first.

Everything is composed of other operations, so derivatives with respect to coefficients, roots and points follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor, concrete
from wengert.core.tensor import Tensor
from wengert.ops.eigen import eigvals
from wengert.ops.families import shape_of
from wengert.ops.protocol import implements
from wengert.ops.shape import as_array, atleast_1d
from wengert.ops.solving import lstsq


def _coefficients(p: Any, name: str) -> Any:
    p = atleast_1d(as_array(p))
    if p.ndim != 1:
        raise ShapeError(f"{name}: coefficients are a vector, not of shape {tuple(p.shape)}")
    return p


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Tensor:
    """The polynomial with coefficients ``p``, highest power first, at the points ``x``, by Horner's rule.

    >>> import wengert as wg
    >>> wg.polyval([3.0, 0.0, 1.0], wg.tensor([0.0, 2.0]))
    tensor([ 1., 13.])
    """
    x = as_tensor(as_array(x))
    y: Any = np.zeros_like(x)
    for coefficient in as_array(p):
        y = y * x + coefficient
    return y


def _aligned(x: Any, y: Any, name: str) -> tuple[Any, Any]:
    """Coefficients with zeros in front of the shorter ones."""
    x, y = _coefficients(x, name), _coefficients(y, name)
    n = max(x.shape[0], y.shape[0])
    padded = [np.concatenate([np.zeros(n - p.shape[0], p.dtype), p]) if p.shape[0] < n else p for p in (x, y)]
    return padded[0], padded[1]


@implements(np.polyadd)
def polyadd(x: Any, y: Any) -> Tensor:
    """The sum of two polynomials.

    >>> import wengert as wg
    >>> wg.polyadd(wg.tensor([1.0, 2.0]), [9.0, 5.0, 4.0])
    tensor([9., 6., 6.])
    """
    x, y = _aligned(x, y, "polyadd")
    return x + y


@implements(np.polysub)
def polysub(x: Any, y: Any) -> Tensor:
    """The difference of two polynomials."""
    x, y = _aligned(x, y, "polysub")
    return x - y


@implements(np.polymul)
def polymul(x: Any, y: Any) -> Tensor:
    """The product of two polynomials.

    >>> import wengert as wg
    >>> wg.polymul(wg.tensor([1.0, -1.0]), [1.0, 1.0])
    tensor([ 1.,  0., -1.])
    """
    found: Tensor = np.convolve(_coefficients(x, "polymul"), _coefficients(y, "polymul"))
    return found


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Tensor, Tensor]:
    """Quotient and remainder of two polynomials.

    As in NumPy, leading coefficients of the remainder that are next to zero are left out; in a trace, where they cannot
    be seen, those are that vanish by construction.

    >>> import wengert as wg
    >>> wg.polydiv(wg.tensor([1.0, 0.0, 3.0]), [1.0, 1.0])
    (tensor([ 1., -1.]), tensor([4.]))
    """
    u, v = _coefficients(u, "polydiv") + 0.0, _coefficients(v, "polydiv") + 0.0
    m, n = u.shape[0], v.shape[0]
    if m < n:
        return np.zeros_like(u[:1]) * v[0], u
    scale = 1.0 / v[0]
    quotient: list[Any] = []
    rest = u
    for k in range(m - n + 1):
        factor = (scale * rest[k]).reshape((1,))
        quotient.append(factor)
        rest = np.concatenate([rest[:k], rest[k : k + n] - factor * v, rest[k + n :]])
    known = concrete(rest)
    start = min(m - n + 1, m - 1)
    if known is not None:
        significant = np.flatnonzero(~np.isclose(known, 0, rtol=1e-14))
        start = int(significant[0]) if significant.size else m - 1
    joined: Any = np.concatenate(quotient)
    return joined, rest[start:]


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Tensor:
    """The m-th derivative of a polynomial.

    >>> import wengert as wg
    >>> wg.polyder(wg.tensor([1.0, 1.0, 1.0]))
    tensor([2., 1.])
    """
    if m < 0:
        raise ShapeError(f"polyder: the order of the derivative cannot be negative; see polyint for {m}")
    p = _coefficients(p, "polyder")
    for _ in range(int(m)):
        p = p[:-1] * np.arange(p.shape[0] - 1, 0, -1)
    return as_tensor(p)


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Tensor:
    """The m-th antiderivative of a polynomial, with integration constants ``k`` (zeros by default).

    >>> import wengert as wg
    >>> wg.polyint(wg.tensor([2.0, 1.0]), k=5.0)
    tensor([1., 1., 5.])
    """
    if m < 0:
        raise ShapeError(f"polyint: the order of the integral cannot be negative; see polyder for {m}")
    constants = np.zeros(m) if k is None else atleast_1d(as_array(k))
    if constants.shape[0] == 1 and m > 1:
        constants = np.broadcast_to(constants, (m,))
    if constants.shape[0] < m:
        raise ShapeError(f"polyint: {m} integrations need one constant or {m} of them, not {constants.shape[0]}")
    p = _coefficients(p, "polyint")
    for i in range(int(m)):
        p = np.concatenate([p / np.arange(p.shape[0], 0, -1), constants[i : i + 1]])
    return as_tensor(p)


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Tensor:
    """The polynomial with given roots and leading coefficient one, or the characteristic polynomial of a square matrix.

    The characteristic polynomial of a real matrix is real; from complex roots the coefficients are complex, even where
    the roots are conjugate pairs.

    >>> import wengert as wg
    >>> wg.poly(wg.tensor([1.0, 2.0]))
    tensor([ 1., -3.,  2.])
    """
    roots_ = atleast_1d(as_array(seq_of_zeros))
    real = roots_.dtype.kind != "c"
    if roots_.ndim == 2 and roots_.shape[0] == roots_.shape[1] != 0:
        roots_ = eigvals(roots_)
    elif roots_.ndim != 1:
        raise ShapeError(f"poly takes a vector of roots or a square matrix, not shape {tuple(roots_.shape)}")
    found: Any = np.ones((1,), roots_.dtype)
    for i in range(roots_.shape[0]):
        found = polymul(found, np.concatenate([np.ones((1,), roots_.dtype), -roots_[i : i + 1]]))
    if not shape_of(roots_)[0]:
        return as_tensor(np.array(1.0))
    return np.real(found) if real and found.dtype.kind == "c" else found


@implements(np.roots)
def roots(p: Any) -> Tensor:
    """The roots of a polynomial, complex and in no particular order: the eigenvalues of its companion matrix.

    The derivative holds for simple roots. Leading and trailing coefficients that are zero count as absent, except in a
    trace, where they cannot be seen.

    >>> import wengert as wg
    >>> wg.roots(wg.tensor([1.0, 0.0, 4.0]))
    tensor([-0.+2.j,  0.-2.j])
    """
    p = as_tensor(_coefficients(p, "roots"))
    p = p if p.dtype.kind in "fc" else p.astype(np.float64)
    known = concrete(p)
    present = np.arange(p.shape[0]) if known is None else np.flatnonzero(known)
    dtype = np.result_type(p.dtype, np.complex64)
    if not present.size:
        return as_tensor(np.zeros((0,), dtype))
    zeros = p.shape[0] - 1 - int(present[-1])
    p = p[int(present[0]) : int(present[-1]) + 1]
    n = p.shape[0] - 1
    found: Any = np.zeros((0,), dtype)
    if n:
        first = (-p[1:] / p[0]).reshape((1, n))
        found = eigvals(np.concatenate([first, np.eye(n - 1, n, dtype=p.dtype)]))
    return as_tensor(np.concatenate([found, np.zeros(zeros, dtype)]) if zeros else found)


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """The matrix of powers of ``x``, one row for each element: from power N - 1 down to 0, or up if ``increasing``.

    >>> import wengert as wg
    >>> wg.vander(wg.tensor([2.0, 3.0]), 3)
    tensor([[4., 2., 1.],
            [9., 3., 1.]])
    """
    x = as_tensor(_coefficients(x, "vander"))
    n = x.shape[0] if N is None else int(N)
    x = x.astype(np.promote_types(x.dtype, int))
    powers: list[Any] = [np.ones_like(x)]
    while len(powers) < n:
        powers.append(powers[-1] * x)
    if n == 0:
        return as_tensor(np.zeros((x.shape[0], 0), x.dtype))
    found: Tensor = np.stack(powers if increasing else powers[::-1], axis=1)
    return found


@implements(np.polyfit)
def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    """The polynomial of degree ``deg`` that fits points best in the least squares sense.

    ``y`` may have several columns, ``w`` weighs the points (by their inverse standard deviations). With ``full`` also
    the squared residuals, the rank, the singular values of the scaled Vandermonde matrix, and ``rcond``; with ``cov``
    also the covariance of the coefficients, "unscaled" if the weights are known to be right. Derivatives are those of
    ``lstsq``, towards the points as well as their values.

    >>> import wengert as wg
    >>> wg.polyfit(wg.tensor([0.0, 1.0, 2.0]), [1.0, 3.0, 5.0], 1).round(6)
    tensor([2., 1.])
    """
    order = int(deg) + 1
    x, y = as_tensor(as_array(x)) + 0.0, as_tensor(as_array(y)) + 0.0
    if order < 1 or x.ndim != 1 or not 1 <= y.ndim <= 2 or x.shape[0] != y.shape[0] or not x.shape[0]:
        raise ShapeError(f"polyfit: no fit of degree {deg} to points of shape {x.shape} and values of shape {y.shape}")
    rcond = float(x.shape[0] * np.finfo(x.dtype).eps if rcond is None else rcond)
    left, right = vander(x, order), y
    if w is not None:
        w = as_tensor(as_array(w)) + 0.0
        if w.shape != x.shape:
            raise ShapeError(f"polyfit: {x.shape} points need weights of that shape, not {w.shape}")
        left, right = left * w[:, None], y * (w[:, None] if y.ndim == 2 else w)
    # Columns of one length condition the problem; the scale cancels in the result, and in its derivative.
    scale: Any = np.sqrt(np.square(left.detach()).sum(axis=0))
    scale = np.where(scale == 0, 1, scale)
    c: Any
    c, residuals, rank, s = lstsq(left / scale, right, rcond)
    columns = scale[:, None] if y.ndim == 2 else scale
    c = c / columns
    if full:
        return c, residuals, rank, s, rcond
    return (c, _covariance(left, scale, residuals, y, order, cov)) if cov else c


def _covariance(left: Any, scale: Any, residuals: Any, y: Any, order: int, cov: Any) -> Tensor:
    scaled = left / scale
    base: Any = np.linalg.inv(scaled.T @ scaled) / (scale[:, None] * scale)
    factor: Any = 1
    if cov != "unscaled":
        if y.shape[0] <= order:
            raise ShapeError("polyfit: cov needs more points than coefficients; cov='unscaled' does not")
        factor = residuals / (y.shape[0] - order)
    if y.ndim == 1:
        found: Tensor = base * factor
        return found
    return base[:, :, None] * factor
