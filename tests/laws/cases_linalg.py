from __future__ import annotations

import numpy as np

from tests.laws.samples import definite, normal, regular
from wengert.ops import contraction as c
from wengert.ops import decomposition as de
from wengert.ops import linalg as la
from wengert.ops import solving as so
from wengert.testing.laws import ALL_FLOATS, Case

SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])


def symmetric(*shape: int) -> np.ndarray:
    x = normal(*shape) * 0.3 + np.diag(np.arange(1.0, shape[-1] + 1))
    return (x + np.swapaxes(x, -1, -2)) / 2


def _hermitian_part(x):  # type: ignore[no-untyped-def]
    return (x + np.conj(np.swapaxes(x, -1, -2))) / 2


CASES = [
    *(
        Case(c.Matmul(), normal(*a), normal(*b, seed=1), reference=np.matmul, dtypes=ALL_FLOATS)
        for a, b in [
            ((3, 4), (4, 2)),
            ((4,), (4,)),
            ((4,), (4, 2)),
            ((3, 4), (4,)),
            ((5, 3, 4), (4, 2)),
            ((3, 4), (5, 4, 2)),
            ((2, 1, 3, 4), (5, 4, 2)),
            ((4,), (5, 4, 2)),
            ((5, 3, 4), (4,)),
            ((0, 4), (4, 2)),
        ]
    ),
    Case(c.Contract("ij", "jk", "ik"), normal(3, 4), normal(4, 2), dtypes=ALL_FLOATS),
    Case(c.Contract("ij", "ij", "i"), normal(3, 4), normal(3, 4, seed=1)),
    Case(lambda x, y: c.einsum("ij,jk->ki", x, y), normal(3, 4), normal(4, 2), label="einsum ij,jk->ki"),
    Case(lambda x: c.einsum("ii->i", x), normal(3, 3), label="einsum ii->i"),
    Case(lambda x: c.einsum("ii", x), normal(3, 3), label="einsum ii"),
    Case(lambda x, y: c.einsum("...i,...i->...", x, y), normal(2, 3), normal(2, 3, seed=1), label="einsum ellipsis"),
    Case(
        lambda x, y, z: c.einsum("ij,jk,kl->il", x, y, z),
        normal(3, 4),
        normal(4, 2),
        normal(2, 5),
        reference=lambda x, y, z: x @ y @ z,
        label="einsum chain",
    ),
    Case(lambda x, y: c.einsum(x, [0, 1], y, [1], [0]), normal(3, 4), normal(4), label="einsum interleaved"),
    Case(c.dot, normal(2, 3), normal(4, 3, 2), reference=np.dot),
    Case(c.vdot, normal(3), normal(3, seed=1), reference=np.vdot, dtypes=ALL_FLOATS),
    Case(c.vecdot, normal(2, 3), normal(2, 3, seed=1), reference=np.vecdot, dtypes=ALL_FLOATS),
    Case(c.inner, normal(2, 3), normal(4, 3), reference=np.inner),
    Case(c.outer, normal(2, 3), normal(4), reference=np.outer),
    Case(c.tensordot, normal(2, 3, 4), normal(3, 4, 5), reference=np.tensordot),
    Case(c.tensordot, normal(2, 3, 4), normal(4, 2), kwargs={"axes": ([0, 2], [1, 0])}, reference=np.tensordot),
    Case(c.kron, normal(2, 3), normal(3, 2), reference=np.kron),
    Case(c.cross, normal(2, 3), normal(2, 3, seed=1), reference=np.cross),
    Case(c.multi_dot, [normal(3), normal(3, 4), normal(4, 2)], reference=np.linalg.multi_dot),
    Case(la.Inv(), regular(3, 2), dtypes=ALL_FLOATS),
    Case(la.Solve(), regular(3, 2), normal(2, 3, 2), dtypes=ALL_FLOATS),
    Case(la.Solve(), regular(3), normal(2, 3, 2)),
    Case(
        lambda x: la.cholesky(_hermitian_part(x)),
        definite(3, 2),
        label="cholesky of the Hermitian part",
        reference=np.linalg.cholesky,
        dtypes=("float64", "float32"),
    ),
    Case(
        la.Cholesky(), definite(3), skip=dict.fromkeys(["forward", "second_order", "adjoint"], "reads half of x only")
    ),
    Case(la.Det(), regular(3), dtypes=ALL_FLOATS),
    Case(la.Det(), SINGULAR),
    Case(la.Slogdet(), regular(3), dtypes=ALL_FLOATS),
    Case(
        lambda x: la.eigh(_hermitian_part(x))[0],
        symmetric(4, 4),
        label="eigenvalues of the Hermitian part",
        dtypes=ALL_FLOATS,
    ),
    Case(
        lambda x: np.square(np.abs(la.eigh(_hermitian_part(x))[1])),
        symmetric(4, 4),
        label="squared eigenvectors of the Hermitian part",
        dtypes=("float64", "float32"),
    ),
    Case(
        la.Eigh(), symmetric(3, 3), skip=dict.fromkeys(["forward", "second_order", "adjoint"], "reads half of x only")
    ),
    Case(de.Svd(), regular(4)[:, :3]),
    Case(de.Svd(), regular(4)[:3]),
    Case(de.svdvals, regular(3, 2), reference=np.linalg.svdvals),
    Case(so.pinv, normal(4, 3), reference=np.linalg.pinv, dtypes=["float64", "complex128"]),
    Case(so.pinv, normal(3, 4), reference=np.linalg.pinv, dtypes=["float64", "complex128"]),
    Case(de.cond, regular(3), reference=np.linalg.cond, rtol=1e-10),
    Case(la.Qr(), regular(4)[:, :3]),
    Case(la.matrix_power, regular(3), 5, reference=np.linalg.matrix_power, rtol=1e-10),
    Case(la.matrix_power, regular(3), -2, reference=np.linalg.matrix_power, dtypes=["float64"], rtol=1e-10),
    *(Case(la.norm, normal(3, 4), order, reference=np.linalg.norm) for order in (None, "fro", 1, -1, np.inf, -np.inf)),
    Case(la.solve, regular(3), normal(3), reference=np.linalg.solve),
]
