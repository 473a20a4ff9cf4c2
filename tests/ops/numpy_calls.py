"""One call or more of each NumPy function that works on tensors: the test runs them, the coverage page lists them.

Operands are NumPy arrays here. The test makes tensors of them and expects NumPy's own result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.laws.samples import between, booleans, definite, distinct, integers, normal, positive, regular

A = normal(3, 4)
B = normal(3, 4, seed=1)
ROW = normal(4, seed=2)
P = positive(3, 4)
UNIT = between(-1, 1, 3, 4)
ABOVE = 1 + positive(3, 4)
I = integers(0, 9, 3, 4)  # noqa: E741 - the table reads better
J = integers(1, 5, 3, 4, seed=1)
M = booleans(3, 4)
N = booleans(3, 4, seed=1)
V = normal(6, seed=3)
W = normal(6, seed=4)
X3 = normal(2, 3, 4)
S = regular(3)
D = definite(3)
SORTED = np.sort(distinct(6))
HOLES = np.where(booleans(3, 4, seed=5), np.nan, normal(3, 4, seed=6))
C = A + 1j * B


METHODS = (
    "linear lower higher nearest midpoint inverted_cdf interpolated_inverted_cdf hazen weibull median_unbiased "
    "normal_unbiased"
).split()


class Call:
    """Arguments of a call, and how exactly the results must agree."""

    def __init__(self, *args: Any, tolerance: float = 1e-12, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs
        self.tolerance = tolerance


class Table(dict[str, tuple[Call, ...]]):
    """Calls by the function's name; a union has those of both sides."""

    def __or__(self, other: dict[str, tuple[Call, ...]]) -> Table:  # type: ignore[override]
        return Table({name: self.get(name, ()) + other.get(name, ()) for name in {**self, **other}})


def calls(names: str, *options: Call) -> Table:
    return Table(dict.fromkeys(names.split(), options))


UNARY = (
    calls("negative positive abs absolute fabs sign exp exp2 expm1 sin cos tan sinh cosh tanh arcsinh asinh", Call(A))
    | calls("arctan atan floor ceil trunc rint fix square cbrt deg2rad rad2deg degrees radians sinc", Call(A), Call(V))
    | calls("log log2 log10 log1p sqrt reciprocal", Call(P))
    | calls("arcsin asin arccos acos arctanh atanh", Call(UNIT))
    | calls("arccosh acosh", Call(ABOVE))
    | calls("isfinite isinf isnan signbit isneginf isposinf", Call(HOLES), Call(np.where(I > 4, np.inf, A)))
    | calls("conj conjugate real imag angle iscomplex isreal", Call(C), Call(A))
    | calls("logical_not", Call(M), Call(I))
    | calls("invert bitwise_not bitwise_invert", Call(M), Call(I))
    | calls("bitwise_count", Call(I))
    | calls("spacing", Call(A))
    | calls("modf frexp", Call(A))
    | calls("nan_to_num", Call(HOLES), Call(HOLES, nan=3.0))
    | calls("real_if_close", Call(A + 0j))
    | calls("i0", Call(A))
)

BINARY = (
    calls("add subtract multiply maximum minimum fmax fmin hypot arctan2 atan2 copysign", Call(A, B), Call(A, ROW))
    | calls("divide true_divide floor_divide remainder mod fmod divmod", Call(A, P), Call(I, J), Call(2.5, P))
    | calls("power pow float_power", Call(P, A), Call(P, 2), Call(3.0, A))
    | calls("logaddexp logaddexp2 nextafter heaviside", Call(A, B))
    | calls("ldexp", Call(A, J))
    | calls("equal not_equal less less_equal greater greater_equal", Call(A, B), Call(I, J), Call(A, 0.0))
    | calls("logical_and logical_or logical_xor", Call(M, N), Call(A, M))
    | calls("bitwise_and bitwise_or bitwise_xor", Call(M, N), Call(I, J))
    | calls("left_shift right_shift bitwise_left_shift bitwise_right_shift gcd lcm", Call(I, J))
    | calls("isclose", Call(A, A + 1e-9), Call(A, B, atol=1.0))
)

REDUCTIONS = (
    calls("sum mean prod", Call(A), Call(A, 0), Call(A, axis=(0, 1)), Call(A, axis=-1, keepdims=True), Call(I, 1))
    | calls("max min amax amin ptp", Call(A), Call(A, 0), Call(A, axis=1, keepdims=True))
    | calls("var std", Call(A), Call(A, 0), Call(A, axis=1, ddof=1), Call(A, keepdims=True))
    | calls("argmax argmin", Call(A), Call(A, 0), Call(A, axis=1))
    | calls("all any", Call(M), Call(M, 0), Call(M, axis=1, keepdims=True))
    | calls("count_nonzero", Call(I), Call(M, axis=0))
    | calls("median", Call(A), Call(A, 0), Call(A, axis=1, keepdims=True))
    | calls(
        "quantile",
        *(Call(A, 0.37, method=method) for method in METHODS),
        Call(A, 0.3),
        Call(A, 0.25, axis=0),
        Call(A, [0.1, 0.9], axis=1),
    )
    | calls("percentile", Call(A, 30), Call(A, 25.0, axis=0))
    | calls("average", Call(A), Call(A, 0), Call(A, axis=1, weights=positive(4)))
    | calls("nanquantile", Call(HOLES, 0.3), Call(HOLES, [0.1, 0.5, 1.0], axis=1), Call(HOLES, 0.6, keepdims=True))
    | calls("nanpercentile", Call(HOLES, 30), Call(HOLES, [0, 50], axis=0))
    | calls("nansum nanmean nanprod nanmax nanmin nanvar nanstd nanmedian", Call(HOLES), Call(HOLES, axis=1))
    | calls("nanargmax nanargmin", Call(HOLES), Call(HOLES, axis=1))
    | calls("nancumsum nancumprod", Call(HOLES), Call(HOLES, axis=1))
    | calls("cumsum cumprod", Call(A), Call(A, 0), Call(A, axis=-1))
    | calls("cumulative_sum cumulative_prod", Call(A, axis=0), Call(V), Call(V, include_initial=True))
    | calls("diff", Call(A), Call(A, 2), Call(A, axis=0), Call(V, prepend=0.0))
    | calls("ediff1d", Call(V), Call(V, to_begin=1.0))
    | calls("trapezoid", Call(A), Call(V, SORTED), Call(A, dx=0.5, axis=0))
    | calls("cov corrcoef", Call(A), Call(A, rowvar=False))
    | calls("gradient", Call(V), Call(V, 0.5), Call(A), Call(A, axis=0), Call(V, SORTED, edge_order=2), Call(I))
    | calls("gradient", Call(A, 0.5, np.array([0.0, 1.0, 1.5, 3.0])), Call(X3[:, :, :3], axis=(0, 1)), Call(V[:2]))
    | calls("convolve correlate", Call(V, ROW), Call(V, ROW, "same"), Call(V, ROW, mode="full"))
    | calls("interp", Call(SORTED[1:-1] + 0.01, SORTED, V))
    | calls("unwrap", Call(4 * V), Call(4 * A, axis=0), Call(I, period=4), Call(4 * V, 5.0))
)

SHAPES = (
    calls("reshape", Call(A, (2, 6)), Call(A, (-1, 3)), Call(A, -1))
    | calls("ravel", Call(A), Call(X3))
    | calls("transpose permute_dims", Call(A), Call(X3, (2, 0, 1)))
    | calls("matrix_transpose", Call(A), Call(X3))
    | calls("swapaxes", Call(X3, 0, 2), Call(X3, -1, 1))
    | calls("moveaxis", Call(X3, 0, -1), Call(X3, (0, 1), (1, 2)))
    | calls("rollaxis", Call(X3, 2), Call(X3, 0, 3))
    | calls("squeeze", Call(A[None]), Call(A[:, None, :, None], axis=1))
    | calls("expand_dims", Call(A, 0), Call(A, (0, -1)))
    | calls("broadcast_to", Call(ROW, (3, 4)))
    | calls("broadcast_arrays", Call(A, ROW), Call(ROW, A, 1.0))
    | calls("atleast_1d atleast_2d atleast_3d", Call(np.array(1.5)), Call(V), Call(A, V))
    | calls("concatenate concat", Call((A, B)), Call([A, B], 1), Call((A, B), axis=None))
    | calls("stack", Call((A, B)), Call([A, B], axis=-1))
    | calls("vstack hstack dstack column_stack", Call((A, B)), Call((V, W)))
    | calls("append", Call(A, B), Call(A, B, axis=0))
    | calls("block", Call([[A, B], [B, A]]), Call([V, W]))
    | calls("split array_split", Call(A, 2, 1), Call(V, 3), Call(A, [1, 3], axis=1))
    | calls("vsplit", Call(S, 3), Call(A, [1]))
    | calls("hsplit", Call(A, 2), Call(V, 2))
    | calls("dsplit", Call(X3, 2))
    | calls("unstack", Call(A), Call(A, axis=1))
    | calls("tile", Call(A, 2), Call(A, (2, 1)), Call(V, (2, 2)))
    | calls("repeat", Call(A, 2), Call(A, 2, axis=0), Call(A, [1, 0, 2], axis=0))
    | calls("roll", Call(A, 1), Call(A, 2, axis=1), Call(A, (1, 2), axis=(0, 1)))
    | calls("flip", Call(A), Call(A, 0), Call(A, axis=(0, 1)))
    | calls("flipud fliplr", Call(A))
    | calls("rot90", Call(A), Call(A, 2), Call(X3, 1, (1, 2)))
    | calls("pad", Call(A, 1), Call(A, ((1, 0), (0, 2))), Call(A, 1, mode="edge"), Call(A, 2, mode="reflect"))
    | calls("tril triu", Call(A), Call(A, 1), Call(X3, k=-1))
    | calls("diag", Call(V), Call(A), Call(V, 1))
    | calls("diagflat", Call(V), Call(S, 1))
    | calls("diagonal", Call(A), Call(X3, 1), Call(X3, axis1=1, axis2=2))
    | calls("meshgrid", Call(V, ROW), Call(V, ROW, indexing="ij"))
    | calls("trim_zeros", *(Call(np.array([0.0, 0.0, 1.0, 2.0, 0.0]), side) for side in ("f", "b", "fb")))
    | calls("trim_zeros", Call(np.pad(A, ((1, 0), (2, 1)))), Call(np.zeros(3)), Call(np.zeros((2, 2)), axis=1))
    | calls("resize", Call(A, (2, 3)), Call(V, (3, 4)), Call(V, 4), Call(V[:0], 3))
    | calls("delete", Call(A, 1), Call(A, [0, 2], axis=1), Call(V, slice(1, 4)), Call(V, V > 0), Call(V, np.array([1])))
    | calls(
        "insert", Call(V, 2, 5.0), Call(A, 1, ROW, axis=0), Call(A, [0, 2, -1], 7, axis=1), Call(V, [3], [1.0, 2.0])
    )
    | calls("insert", Call(A, 1, normal(3), axis=1), Call(A, [1], normal(3, 1), 1), Call(V, slice(0, 4, 2), W[:2]))
    | calls("astype", Call(A, np.float32), Call(I, np.float64))
    | calls("copy", Call(A))
    | calls("vander", Call(V), Call(V, 3), Call(V, 4, increasing=True))
)

INDEXING = (
    calls("where", Call(M, A, B), Call(A > 0, A, 0.0), Call(M))
    | calls("take", Call(A, [0, 5, 5]), Call(A, [2, 0], axis=0), Call(A, 1, 1))
    | calls("take_along_axis", Call(A, np.argsort(A, axis=1), axis=1), Call(A, np.argsort(A, axis=0), 0))
    | calls("choose", Call(integers(0, 2, 3, 4), (A, B)), Call(integers(0, 2, 4), [A, 1.0]))
    | calls("choose", *(Call(integers(-3, 5, 3, 4), (A, B), mode=mode) for mode in ("wrap", "clip")))
    | calls("apply_along_axis", Call(np.sort, 0, A), Call(np.sum, 1, X3), Call(np.outer, 1, X3, ROW))
    | calls("apply_over_axes", Call(np.sum, X3, [0, 2]), Call(np.max, A, 1))
    | calls("compress", Call([True, False, True], A, 0), Call([True, False, True], V))
    | calls("extract", Call(M, A))
    | calls("select", Call([A > 1, A > 0], [A, B]), Call([M], [A], 7.0))
    | calls("piecewise", Call(A, [A < 0, A >= 0], [-1.0, 1.0]))
    | calls("nonzero argwhere flatnonzero", Call(M), Call(I))
    | calls("sort", Call(A), Call(A, 0), Call(A, axis=None))
    | calls("argsort", Call(A), Call(A, 0))
    | calls("lexsort", Call((I[0], J[0])))
    | calls("partition", Call(V, 0), Call(V, 5))
    | calls("argpartition", Call(V, 0))
    | calls("sort_complex", Call(V + 1j * W), Call(V))
    | calls("searchsorted", Call(SORTED, V), Call(SORTED, V, side="right"))
    | calls("digitize", Call(V, SORTED))
    | calls("unique", Call(I), Call(I, return_counts=True), Call(V, return_inverse=True))
    | calls("unique_all unique_counts unique_inverse", Call(I))
    | calls("intersect1d union1d setdiff1d setxor1d", Call(I[0], J[0]), Call(V, V[:3]), Call(A, A[:2]))
    | calls("intersect1d", Call(I[0], J[0], return_indices=True))
    | calls("isin", Call(I, J[0]))
    | calls("bincount", Call(I.ravel()), Call(I[0], minlength=12), Call(I[0], ROW))
    | calls(
        "histogram", Call(A.ravel(), 4), Call(V, SORTED, weights=W), Call(V, 3, (-0.5, 0.5), weights=W, density=True)
    )
    | calls("histogram", Call(V, 3, density=True), Call(V, 3, weights=W))
    | calls("histogram_bin_edges", Call(V, 4))
    | calls("histogram2d", Call(V, W, 3))
    | calls("histogramdd", Call(normal(6, 2), 3))
    | calls("clip", Call(A, -0.5, 0.5), Call(A, None, 0.5), Call(A, min=0.0), Call(A, -1, ROW + 3))
    | calls("round around", Call(A), Call(A, 2), Call(A, decimals=1))
    | calls("ix_", Call(np.array([0, 2]), np.array([1, 3])))
    | calls("unravel_index", Call(I, (4, 5)))
    | calls("ravel_multi_index", Call((I[0], J[0]), (9, 9)))
    | calls("packbits", Call(M))
    | calls("unpackbits", Call(I.astype(np.uint8)))
    | calls("tril_indices_from triu_indices_from diag_indices_from", Call(S))
)

CONTRACTIONS = (
    calls("matmul", Call(A, B.T), Call(X3, A.T), Call(A, ROW), Call(ROW, ROW))
    | calls("dot", Call(A, B.T), Call(ROW, ROW), Call(A, 2.0), Call(X3, A.T))
    | calls("vdot", Call(A, B), Call(C, C + 1))
    | calls("inner", Call(A, B), Call(ROW, ROW))
    | calls("outer", Call(V, ROW), Call(A, V))
    | calls("tensordot", Call(A, B, 2), Call(X3, A.T, 1), Call(A, B, axes=([0], [0])))
    | calls("einsum", Call("ij,kj->ik", A, B), Call("ij->j", A), Call("ii", S), Call("...ij,jk", X3, A.T))
    | calls("einsum_path", Call("ij,jk,kl->il", A, A.T, A))
    | calls("kron", Call(A, B), Call(V, ROW))
    | calls("cross", Call(S, D), Call(S[0], D[0]))
    | calls("trace", Call(S), Call(A, 1), Call(X3, axis1=1, axis2=2))
    | calls("vecdot", Call(A, B), Call(C, C + 1))
    | calls("matvec", Call(A, ROW), Call(X3, ROW))
    | calls("vecmat", Call(ROW, A.T), Call(C[:, 0], C))
    | calls("poly", Call(V[:3]), Call(S, tolerance=1e-10), Call(C[0]), Call(np.zeros(0)))
    | calls("polyadd polysub polymul", Call(V, ROW), Call(ROW, V), Call(ROW, 2.0))
    | calls("polyder polyint", Call(V), Call(V, 2), Call(V, 0), Call(np.arange(4)))
    | calls("polyint", Call(V, 2, k=[1.0, 2.0]), Call(V, k=3.0))
    | calls("polyval", Call(ROW, V), Call(V, A), Call([1, 2], V), Call(V, 2.0))
    | calls("polydiv", Call(V, ROW, tolerance=1e-9), Call(ROW, V), Call(np.convolve(V, ROW), V, tolerance=1e-9))
    | calls("polydiv", Call(V, ROW[:1]))
    | calls("polyfit", Call(SORTED, V, 2, tolerance=1e-9), Call(SORTED, normal(6, 2), 3, w=positive(6), tolerance=1e-8))
    | calls(
        "polyfit", Call(SORTED, V, 1, 1e-15, full=True, tolerance=1e-9), Call(SORTED, V, 1, cov=True, tolerance=1e-9)
    )
    | calls("roots", Call(np.array([0.0, 1.0, 0.5, 4.0, 0.0])), Call(np.array([1, 0, 4])))
)

ANSWERS = (
    calls("shape ndim size iscomplexobj isrealobj array_repr array_str array2string", Call(A))
    | calls("result_type", Call(A, I), Call(A.astype(np.float32), 1.0))
    | calls("can_cast", Call(np.float32, np.float64))
    | calls("common_type", Call(A, A.astype(np.float32)))
    | calls("min_scalar_type", Call(A))
    | calls("array_equal array_equiv allclose", Call(A, A), Call(A, B))
    | calls("may_share_memory shares_memory", Call(A, B))
    | calls("zeros_like ones_like", Call(A), Call(A, dtype=np.float32), Call(I))
    | calls("full_like", Call(A, 3.0))
    | calls("linspace", Call(np.array(0.0), np.array(1.5), 5), Call(ROW, ROW + 1, 3))
    | calls("logspace geomspace", Call(np.array(1.0), np.array(2.0), 4))
)

LINALG = (
    calls("cholesky", Call(D))
    | calls("inv det slogdet cond matrix_rank", Call(S), Call(D))
    | calls("solve", Call(S, normal(3)), Call(S, normal(3, 2)))
    | calls("pinv", Call(A), Call(S))
    | calls("lstsq", Call(A.T, normal(4)), Call(A, normal(3, 2)), Call(A.T, normal(4), 1e-3))
    | calls("eigh eigvalsh", Call(D))
    | calls("svdvals", Call(A))
    | calls("matrix_norm", Call(A), Call(X3, ord=1))
    | calls("vector_norm", Call(V), Call(A, axis=1), Call(A, ord=1))
    | calls("norm", Call(A), Call(V), Call(A, axis=1), Call(A, 1), Call(V, np.inf), Call(A, "nuc"))
    | calls("matrix_power", Call(S, 3), Call(S, -2), Call(S, 0))
    | calls("multi_dot", Call([A, B.T, A]))
    | calls("tensorinv", Call(regular(6).reshape(2, 3, 6), 2))
    | calls("tensorsolve", Call(regular(6).reshape(2, 3, 6), normal(2, 3)))
    | calls("matmul", Call(A, B.T))
    | calls("outer", Call(V, ROW))
    | calls("cross", Call(S[0], D[0]))
    | calls("tensordot", Call(A, B, axes=2))
    | calls("trace", Call(S), Call(X3, offset=1))
    | calls("diagonal", Call(S), Call(X3, offset=1))
    | calls("matrix_transpose", Call(X3))
    | calls("vecdot", Call(A, B))
    | calls("svd", Call(A), Call(A, False), Call(A, compute_uv=False))
    | calls("qr", Call(A.T))
    | calls("eig eigvals", Call(C[:, :3]), Call(np.array([[0.0, 1.0], [-2.0, 0.5]])))
)

FFT = (
    calls("fft ifft", Call(A), Call(A, 3), Call(C, axis=0), Call(A, norm="ortho"))
    | calls("rfft", Call(A), Call(A, 6), Call(A, axis=0))
    | calls("irfft", Call(C), Call(C, 7))
    | calls("hfft", Call(C), Call(C, 6))
    | calls("ihfft", Call(A))
    | calls("fft2 ifft2 fftn ifftn", Call(C), Call(X3))
    | calls("rfft2 rfftn", Call(A), Call(X3))
    | calls("irfft2 irfftn", Call(C), Call(X3 + 0j))
    | calls("fftshift ifftshift", Call(A), Call(A, axes=0))
)

NUMPY_CALLS = UNARY | BINARY | REDUCTIONS | SHAPES | INDEXING | CONTRACTIONS | ANSWERS

#: Functions that make no sense on tensors, a call of each, and why; a test sees that they say so.
SENSELESS = {
    "isnat": (Call(A), "dates that are not one"),
    "datetime_as_string": (Call(I), "texts of dates"),
    "is_busday": (Call(I), "working days among dates"),
    "busday_count": (Call(I, J), "working days between dates"),
    "busday_offset": (Call(I, J), "working days after dates"),
}
