"""Triangular and least squares systems, pseudo-inverses, eigenvalues, the exponential, complex singular vectors."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from tests.laws.samples import normal, regular
from wengert.ops import decomposition as de
from wengert.ops import eigen as ei
from wengert.ops import linalg as la
from wengert.ops import matrix_functions as mf
from wengert.ops import solving as so
from wengert.testing.laws import ALL_FLOATS, Case

DOUBLE = ("float64", "complex128")
PHASES = dict.fromkeys(
    ["forward", "second_order", "adjoint", "no_mutation", "traced", "compiled"],
    "the laws' cotangents depend on the vectors' phases; the cases beside this one do not",
)
VARIES = dict.fromkeys(["forward", "second_order"], "a step of the differences leaves the matrices of this rank")


def low_rank(m: int, n: int, rank: int) -> np.ndarray:
    """Factors whose product has the rank that is asked for."""
    return normal(m, rank, seed=4) @ normal(rank, n, seed=5)


def product(function):  # type: ignore[no-untyped-def]
    """A function of the product of two factors: of a matrix that keeps its rank when the factors move."""

    def of_factors(x, y, *rest):  # type: ignore[no-untyped-def]
        return function(np.matmul(x, y), *rest)

    of_factors.__name__ = f"{function.__name__} of a product"
    return of_factors


def eig_projectors(x):  # type: ignore[no-untyped-def]
    values, vectors = ei.eig(x)
    return np.matmul(vectors * np.expand_dims(values**2, -2), np.linalg.inv(vectors))


def eig_lengths(x):  # type: ignore[no-untyped-def]
    vectors = ei.eig(x)[1]
    return np.square(np.abs(vectors))


def svd_products(full: bool):  # type: ignore[no-untyped-def]
    def products(x):  # type: ignore[no-untyped-def]
        u, s, vh = de.svd(x, full_matrices=full)
        k = s.shape[-1]
        first_u, first_v = u[..., :k], np.conj(np.swapaxes(vh, -1, -2))[..., :k]
        return (
            np.matmul(first_u * np.sin(np.expand_dims(s, -2)), np.conj(np.swapaxes(first_v, -1, -2))),
            np.square(np.abs(first_u)),
            np.square(np.abs(first_v)),
            np.matmul(u[..., k:], np.conj(np.swapaxes(u[..., k:], -1, -2))),
        )

    products.__name__ = f"svd_products_{'full' if full else 'thin'}"
    return products


def polar_factor(x):  # type: ignore[no-untyped-def]
    u, _, vh = de.svd(x, full_matrices=False)
    return np.matmul(u, vh)


EQUAL_SINGULAR_VALUES = np.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]]) * 2.0


CASES = [
    *(
        Case(so.SolveTriangular(lower, trans, unit), regular(3, 2), normal(2, 3, 2), dtypes=ALL_FLOATS)
        for lower in (False, True)
        for trans in "NTC"
        for unit in (False, True)
    ),
    Case(so.SolveTriangular(), regular(3), normal(2, 3, 2)),
    Case(so.SolveTriangular(True), regular(3, 2), normal(3, 2)),
    Case(
        so.solve_triangular,
        regular(3),
        normal(3),
        kwargs={"lower": True, "trans": 1},
        reference=scipy.linalg.solve_triangular,
        dtypes=ALL_FLOATS,
    ),
    *(
        Case(so.Pinv(1e-6), normal(*shape), reference=lambda x: np.linalg.pinv(x), dtypes=ALL_FLOATS)
        for shape in [(4, 3), (3, 4), (2, 3, 3)]
    ),
    Case(so.Pinv(1e-6), low_rank(4, 3, 2), dtypes=DOUBLE, skip=VARIES, label="pinv of rank 2"),
    *(
        Case(product(so.pinv), normal(m, r), normal(r, n, seed=1), dtypes=DOUBLE)
        for m, n, r in [(4, 3, 2), (3, 4, 2), (3, 3, 1)]
    ),
    *(
        Case(so.Lstsq(1e-6), normal(*a), normal(*b, seed=1), dtypes=ALL_FLOATS)
        for a, b in [((4, 3), (4, 2)), ((3, 4), (3, 2)), ((2, 4, 3), (4, 2)), ((4, 3), (2, 4, 2))]
    ),
    Case(product(lambda a, b: so.lstsq(a, b)[0]), normal(5, 2), normal(2, 4), normal(5), dtypes=DOUBLE, label="rank 2"),
    Case(so.lstsq, normal(4, 3), normal(4), reference=np.linalg.lstsq),
    Case(so.lstsq, normal(4, 3), normal(4, 2), reference=np.linalg.lstsq),
    Case(so.lstsq, normal(3, 4), normal(3), reference=np.linalg.lstsq),
    Case(so.tensorinv, normal(2, 3, 6), reference=np.linalg.tensorinv, rtol=1e-10),
    Case(so.tensorinv, normal(4, 2, 2), kwargs={"ind": 1}, reference=np.linalg.tensorinv, rtol=1e-10),
    Case(so.tensorsolve, normal(2, 3, 6), normal(2, 3), reference=np.linalg.tensorsolve, rtol=1e-10),
    Case(
        so.tensorsolve,
        normal(6, 2, 3),
        normal(2, 3),
        kwargs={"axes": (0,)},
        reference=np.linalg.tensorsolve,
        rtol=1e-10,
    ),
    Case(mf.Expm(), normal(3, 3), reference=scipy.linalg.expm, dtypes=ALL_FLOATS),
    Case(mf.Expm(), 3 * normal(2, 3, 3), reference=scipy.linalg.expm, dtypes=DOUBLE),
    Case(
        mf.ExpmFrechet(),
        normal(3, 3),
        normal(3, 3, seed=1),
        reference=lambda x, e: scipy.linalg.expm_frechet(x, e, compute_expm=False),
        dtypes=DOUBLE,
    ),
    # The error is some roundings of the largest entry of the block matrix, and these are in the thousands.
    # Against mpmath, for such blocks of norm one: SciPy's is 2.5e-14 of that entry, the compiler's 1.2e-15.
    Case(mf.ExpmFrechet(), normal(2, 3, 3), 1e3 * normal(3, 3, seed=1), atol=1e-10),
    Case(ei.Eig(), normal(4, 4), dtypes=ALL_FLOATS, skip=PHASES),
    Case(eig_projectors, normal(4, 4), dtypes=ALL_FLOATS),
    Case(eig_projectors, normal(2, 3, 3), dtypes=DOUBLE),
    Case(eig_lengths, normal(4, 4), dtypes=DOUBLE),
    Case(ei.eigvals, normal(4, 4), dtypes=DOUBLE),
    Case(svd_products(False), regular(4)[:, :3], dtypes=DOUBLE),
    Case(svd_products(False), regular(4)[:3], dtypes=DOUBLE),
    Case(svd_products(True), regular(5)[:, :3], dtypes=DOUBLE),
    Case(svd_products(True), regular(3, 2), dtypes=DOUBLE),
    Case(
        polar_factor,
        EQUAL_SINGULAR_VALUES,
        dtypes=["float64"],
        skip={"second_order": "the first derivative's formula leaves out, at coinciding values, what moves them apart"},
        label="polar factor, equal singular values",
    ),
    Case(de.Svd(True), regular(3), dtypes=ALL_FLOATS, skip=PHASES),
    Case(de.Svd(True), regular(4)[:, :3]),
    Case(la.qr, normal(3, 5), reference=np.linalg.qr, dtypes=DOUBLE, label="qr of a wide matrix"),
    *(
        Case(de.cond, regular(3), order, reference=np.linalg.cond, rtol=1e-10)
        for order in ("fro", "nuc", 1, -1, np.inf, -np.inf, -2)
    ),
]
