"""``wengert.scipy.linalg`` against SciPy, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import wengert as wg
from tests.laws.samples import definite, normal, regular
from wengert.core.errors import DTypeError, LinearAlgebraError, ShapeError
from wengert.scipy import linalg

A, S, B, C = regular(4), definite(4), normal(4), normal(4, 2)

CALLS = [
    ("inv", (A,), {"check_finite": False}),
    ("det", (A,), {"overwrite_a": False}),
    ("pinv", (A[:, :2],), {}),
    ("expm", (A,), {}),
    ("sqrtm", (S,), {}),
    ("logm", (S,), {}),
    ("norm", (A,), {}),
    ("norm", (A, "nuc"), {}),
    ("svdvals", (C,), {}),
    ("solve", (A, B), {}),
    ("solve", (A, C), {"transposed": True}),
    ("solve", (S, C), {"assume_a": "pos"}),
    ("solve", (np.triu(S), B), {"assume_a": "sym"}),
    ("solve", (np.tril(S), B), {"assume_a": "pos", "lower": True}),
    ("solve_triangular", (A, C), {"lower": True, "check_finite": False}),
    ("solve_triangular", (A, B), {"trans": "T"}),
    ("cholesky", (S,), {}),
    ("cholesky", (S,), {"lower": True}),
    ("lu", (A,), {}),
    ("lu", (A,), {"permute_l": True}),
    ("lu", (A,), {"p_indices": True}),
    ("lu", (C,), {}),
    ("solve_sylvester", (A, S, normal(4, 4)), {}),
    ("solve_continuous_lyapunov", (A, S), {}),
    ("qr", (C,), {"mode": "economic"}),
    ("qr", (A,), {}),
    ("qr", (C,), {"mode": "r"}),
    ("svd", (C,), {"full_matrices": False}),
    ("svd", (A,), {"compute_uv": False}),
    ("eigvalsh", (S,), {}),
    ("eigvalsh", (S, definite(4, seed=3)), {}),
    ("polar", (A,), {}),
    ("polar", (C,), {"side": "left"}),
    ("block_diag", (A, C, B), {}),
    ("toeplitz", (B,), {}),
    ("toeplitz", (B, C[:, 0]), {}),
    ("hankel", (B,), {}),
    ("hankel", (B, C[:, 0]), {}),
    ("circulant", (B,), {}),
    ("companion", (B,), {}),
    ("khatri_rao", (A[:, :2], C), {}),
]


def agree(ours, theirs):  # type: ignore[no-untyped-def]
    if isinstance(theirs, tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            agree(one, other)
    else:
        np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS, ids=lambda x: x if isinstance(x, str) else "")
def test_it_computes_what_scipy_does(name, args, kwargs):  # type: ignore[no-untyped-def]
    agree(
        getattr(linalg, name)(*map(wg.tensor, args), **kwargs)
        if name != "norm"
        else linalg.norm(wg.tensor(args[0]), *args[1:]),
        getattr(scipy.linalg, name)(*args, **kwargs),
    )


def central(function, x, step=1e-6):  # type: ignore[no-untyped-def]
    slope = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        change = np.zeros_like(x)
        change[index] = step
        slope[index] = (function(x + change) - function(x - change)) / (2 * step)
    return slope


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda a, m: m.solve(a, B).sum(), A),
        (lambda a, m: m.cho_solve(m.cho_factor(a + a.T), B)[0], S),
        (lambda a, m: m.cho_solve(m.cho_factor(a + a.T, lower=True), C)[0, 1], S),
        (lambda a, m: m.lu_solve(m.lu_factor(a), B)[2], A),
        (lambda a, m: (m.lu(a, permute_l=True)[0] ** 2).sum() + m.lu(a)[2][0, 2], A),
        (lambda a, m: (m.polar(a)[0] * A).sum(), A),
        (lambda a, m: (m.toeplitz(a, a[::-1] * 2) @ B)[1], B),
        (lambda a, m: (m.block_diag(a, a * a) ** 3).sum(), C),
        (lambda a, m: (m.hankel(a) @ B)[1] + (m.circulant(a) @ B)[2] + m.companion(a)[0, 1], B),
        (lambda a, m: m.solve_continuous_lyapunov(a, S)[0, 1], A + 3 * np.eye(4)),
    ],
)
def test_gradients(function, x):  # type: ignore[no-untyped-def]
    leaf = wg.tensor(x, requires_grad=True)
    function(leaf, linalg).backward()
    assert leaf.grad is not None
    expected = central(lambda x: float(function(x, scipy.linalg)), x)
    np.testing.assert_allclose(leaf.grad.numpy(), expected, rtol=1e-6, atol=1e-7)


def test_generalised_eigenvectors() -> None:
    b = definite(4, seed=3)
    values, vectors = linalg.eigh(wg.tensor(S), wg.tensor(b))
    np.testing.assert_allclose((wg.tensor(S) @ vectors - wg.tensor(b) @ vectors * values).numpy(), 0, atol=1e-12)
    np.testing.assert_allclose((vectors.T @ wg.tensor(b) @ vectors).numpy(), np.eye(4), atol=1e-12)
    assert wg.autograd.gradcheck(
        lambda b: linalg.eigvalsh(wg.tensor(S), b + b.T), (wg.tensor(b / 2, requires_grad=True),)
    )


def test_solutions_from_factors_and_stacks() -> None:
    np.testing.assert_allclose(linalg.lu_solve(linalg.lu_factor(A), C).numpy(), np.linalg.solve(A, C), rtol=1e-11)
    stack = np.stack([A, A.T])
    p, low, up = linalg.lu(wg.tensor(stack))
    np.testing.assert_allclose((p @ low @ up).numpy(), stack, atol=1e-13)
    values, vectors = linalg.eig(wg.tensor(A))
    np.testing.assert_allclose((wg.tensor(A) @ vectors - vectors * values).numpy(), 0, atol=1e-12)
    x, _, rank, _ = linalg.lstsq(wg.tensor(C), wg.tensor(B))
    np.testing.assert_allclose(x.numpy(), scipy.linalg.lstsq(C, B)[0], rtol=1e-11)
    assert int(rank) == 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: linalg.sqrtm(-np.eye(2)), LinearAlgebraError, "no real square root; make it complex"),
        (lambda: linalg.logm(-np.eye(2)), LinearAlgebraError, "no real logarithm; make it complex"),
        (lambda: linalg.solve(A, B, assume_a="banded"), DTypeError, "assume_a is 'gen', 'sym', 'her' or 'pos'"),
        (lambda: linalg.qr(A, mode="raw"), DTypeError, "mode is 'full', 'economic' or 'r'"),
        (lambda: linalg.polar(A, side="up"), DTypeError, "side is 'left' or 'right'"),
        (lambda: linalg.block_diag(A[None]), ShapeError, "takes matrices"),
        (lambda: linalg.companion([1.0]), ShapeError, "degree one or more"),
        (lambda: linalg.khatri_rao(A, C), ShapeError, "as many columns"),
        (lambda: linalg.solve_sylvester(A, S, C), ShapeError, r"q must have shape \(4, 4\)"),
        (lambda: linalg.lu(B), ShapeError, "lu takes matrices"),
    ],
)
def test_errors(call, error, message):  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=message):
        call()


def test_the_derivative_of_lu_is_for_square_matrices() -> None:
    x = wg.tensor(C, requires_grad=True)
    with pytest.raises(LinearAlgebraError, match="only square matrices have a derivative"):
        linalg.lu(x)[2].sum().backward()
