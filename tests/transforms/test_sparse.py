"""Sparse derivatives: patterns against dense Jacobians, colourings against their definitions, and what they cost."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import wengert as wg
from wengert.transforms.colouring import column_colours, star_colours
from wengert.transforms.pattern import sparsity

RNG = np.random.default_rng(0)
M = RNG.standard_normal((4, 3))
BAND = np.where(np.abs(np.subtract.outer(np.arange(6), np.arange(6))) <= 1, RNG.standard_normal((6, 6)), 0.0)
INDEX = np.array([4, 0, 0, 5])
STACK = RNG.standard_normal((2, 4, 3))


def written(x: Any) -> Any:
    y = x * 2
    y[INDEX[:2]] = x[1:3] ** 2
    y[3:5] += x[0]
    return y


#: Functions of a vector of six whose Jacobian at a general point is nonzero exactly where it can be.
EXACT: dict[str, Any] = {
    "elementwise": lambda x: np.sin(x) * x + 2.0,
    "broadcast": lambda x: x[:2, None] * x[None, 3:],
    "where": lambda x: np.where(np.arange(6) % 2 == 0, x, x[::-1] ** 2),
    "slices": lambda x: x[1:] - x[:-1] ** 2,
    "reshape and transpose": lambda x: x.reshape((2, 3)).T.ravel() * 2,
    "flip and roll": lambda x: np.flip(x) + np.roll(x, 2),
    "concatenate": lambda x: np.concatenate([x[:2], np.ones(2), x[4:] * 3]),
    "stack": lambda x: np.stack([x, x**2], axis=1),
    "gather": lambda x: x[INDEX] * np.arange(1.0, 5.0),
    "repeat": lambda x: np.repeat(x, 2),
    "split": lambda x: np.split(x, [2])[1] ** 2,
    "diagonal": lambda x: np.diagonal(x[:, None] * x[None, :]),
    "triangles": lambda x: np.tril(x.reshape((2, 3))) + np.triu(x.reshape((2, 3)), 1),
    "sum over an axis": lambda x: (x**2).reshape((2, 3)).sum(axis=0),
    "sum": lambda x: (x**2).sum(),
    "mean, keeping the axis": lambda x: x.reshape((2, 3)).mean(axis=1, keepdims=True) * x.reshape((2, 3)),
    "running sum": lambda x: np.cumsum(x.reshape((2, 3)), axis=1),
    "softmax": lambda x: wg.softmax(x.reshape((2, 3)), axis=1),
    "logsumexp": lambda x: wg.logsumexp(x.reshape((2, 3)), axis=0),
    "product": lambda x: np.prod(x.reshape((2, 3)), axis=1),
    "matrix times vector": lambda x: wg.tensor(M) @ x[:3],
    "banded matrix": lambda x: np.tanh(wg.tensor(BAND) @ x),
    "vector times matrix": lambda x: x @ wg.tensor(BAND),
    "matrix product of both": lambda x: x.reshape((2, 3)) @ x.reshape((3, 2)),
    "stacks of matrices": lambda x: wg.tensor(STACK) @ x.reshape((2, 3, 1)),
    "einsum": lambda x: np.einsum("ij,kj->ik", x.reshape((2, 3)), M),
    "linear layer": lambda x: wg.nn.functional.linear(x.reshape((2, 3)), wg.tensor(M), wg.ones(4)),
    "masks": lambda x: x * np.array([0.0, 1, 0, 1, 1, 0]),
    "checkpoint": lambda x: wg.checkpoint(lambda v: v[1:] * v[:-1])(x),
    "float32": lambda x: x.astype(np.float32) ** 2,
    "convolution": lambda x: np.convolve(x, np.array([1.0, 0.0, -2.0])),
    "correlation": lambda x: np.convolve(x, np.array([1.0, -2.0]), mode="valid") * x[:5],
    "convolution of both": lambda x: np.convolve(x[:4], x[4:]),
    "scan": lambda x: wg.scan(lambda c, v: (v * 2, c + v), 0.0, x)[1],
    "scan, backwards": lambda x: wg.scan(lambda c, v: (c + v, c * v), x[0], x[1:], reverse=True)[1],
    "loop with an index": lambda x: wg.fori_loop(0, 3, lambda i, c: c + x[i] ** 2, 0.0 * x[:2]),
    "elementwise loop": lambda x: wg.while_loop(lambda v: (v**2).sum() < 50, lambda v: v * 2, x, checkpoint=5),
    "switch": lambda x: wg.cond(x[0] > 0, lambda v: v[1:] * 2, lambda v: v[1:] ** 3, x),
    "constants only": lambda x: np.arange(3.0) * (x > 0).sum(),
    "integers": lambda x: np.floor(x) * 0 + np.round(x),
}

#: Functions that touch the general rule, which may see more than there is.
LARGER: dict[str, Any] = {
    "writing": written,
    "sort": lambda x: np.sort(x.reshape((2, 3)), axis=1),
    "maximum over an axis": lambda x: x.reshape((2, 3)).max(axis=1),
    "solve": lambda x: np.linalg.solve(np.eye(6) * 3 + 0.1 * BAND, x),
    "stencil in a loop": lambda x: wg.while_loop(
        lambda v: v.sum() < 9, lambda v: v * 2 + np.roll(v, 1), x, checkpoint=5
    ),
    "long scan": lambda x: wg.scan(lambda c, v: (c + v, c * v), 0.0, np.tile(x, 200))[1],
    "fft": lambda x: np.abs(np.fft.fft(x)),
}

POINT = np.array([0.4, -0.7, 1.3, 0.9, -1.1, 0.6])


def dense(f: Any, x: np.ndarray) -> np.ndarray:
    found = wg.jacrev(f)(wg.tensor(x)).numpy()
    return found.reshape((-1, x.size))


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_pattern_and_values(name: str, mode: str) -> None:
    f = EXACT[name]
    expected = dense(f, POINT)
    found, report = wg.jacobian(f, mode=mode, sparse=True, report=True)(wg.tensor(POINT))
    assert isinstance(found, scipy.sparse.csr_array)
    assert np.allclose(found.toarray(), expected, atol=1e-6 if name == "float32" else 1e-12)
    if name != "integers":
        assert found.nnz == np.count_nonzero(expected) == report.nonzeros
    assert mode in ("auto", report.mode)


@pytest.mark.parametrize("name", LARGER)
def test_the_pattern_is_never_too_small(name: str) -> None:
    f = LARGER[name]
    assert np.allclose(wg.jacobian(f, sparse=True)(wg.tensor(POINT)).toarray(), dense(f, POINT))


def test_containers_are_laid_out_one_leaf_after_the_other() -> None:
    def f(p: Any, y: Any) -> Any:
        return {"a": p["u"] * y, "b": p["v"] ** 2}

    p = {"u": wg.tensor([1.0, 2.0]), "v": wg.tensor([3.0])}
    found = wg.jacobian(f, (0, 1), sparse=True)(p, wg.tensor([5.0, 7.0]))
    assert found.toarray().tolist() == [[5.0, 0, 0, 1.0, 0], [0, 7.0, 0, 0, 2.0], [0, 0, 6.0, 0, 0]]


def tridiagonal(x: Any) -> Any:
    inner = (3 - 2 * x[1:-1]) * x[1:-1] - x[:-2] - 2 * x[2:] + 1
    first = (3 - 2 * x[:1]) * x[:1] - 2 * x[1:2] + 1
    last = (3 - 2 * x[-1:]) * x[-1:] - x[-2:-1] + 1
    return np.concatenate([first, inner, last])


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_large_banded_jacobian_takes_one_call_and_three_directions(mode: str) -> None:
    n = 10_000
    calls = [0]

    def f(x: Any) -> Any:
        calls[0] += 1
        return tridiagonal(x)

    x = RNG.standard_normal(n)
    j, report = wg.jacobian(f, mode=mode, sparse=True, report=True)(wg.tensor(x))
    assert calls == [1]
    assert (j.shape, j.nnz, report.directions, report.sweeps) == ((n, n), 3 * n - 2, 3, 1)
    assert np.allclose(j.diagonal(), 3 - 4 * x)
    assert np.allclose(j.diagonal(1), -2)
    assert np.allclose(j.diagonal(-1), -1)


def test_chunks_of_a_sparse_jacobian() -> None:
    j, report = wg.jacobian(tridiagonal, sparse=True, chunk_bytes=1, report=True)(wg.tensor(POINT))
    assert report.sweeps == report.directions == 3
    assert np.allclose(j.toarray(), dense(tridiagonal, POINT))


def test_arrows_go_the_way_that_needs_fewer_directions() -> None:
    _, by_row = wg.jacobian(lambda x: x.sum(), sparse=True, report=True)(wg.ones(50))
    assert (by_row.mode, by_row.directions) == ("reverse", 1)
    _, by_column = wg.jacobian(lambda x: x[0] * np.ones(50) + x, sparse=True, report=True)(wg.ones(50))
    assert (by_column.mode, by_column.directions) == ("forward", 2)


def test_tracked_closures_without_gradients() -> None:
    w = wg.tensor(2.0, requires_grad=True)
    with wg.no_grad():
        found = wg.jacobian(lambda x: w * x, sparse=True)(wg.ones(3))
    assert found.toarray().tolist() == (2 * np.eye(3)).tolist()


# -- Hessians -------------------------------------------------------------------------------------------------------


HESSIANS: dict[str, Any] = {
    "rosenbrock": lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(),
    "arrow": lambda x: (x[0] * x**2).sum(),
    "dense": lambda x: np.sin(x.sum()),
    "diagonal": lambda x: (x**4).sum(),
    "separable pairs": lambda x: (x[::2] * x[1::2]).sum(),
    "quadratic form": lambda x: x @ (wg.tensor(BAND) @ x),
    "linear": lambda x: x.sum(),
}


@pytest.mark.parametrize("name", HESSIANS)
def test_sparse_hessians(name: str) -> None:
    f = HESSIANS[name]
    found = wg.hessian(f, sparse=True)(wg.tensor(POINT))
    expected = wg.hessian(f)(wg.tensor(POINT)).numpy()
    assert np.allclose(found.toarray(), expected)
    assert found.nnz == np.count_nonzero(expected)


def test_a_large_hessian_takes_a_handful_of_directions() -> None:
    n = 10_000
    x = RNG.standard_normal(n)
    found = wg.hessian(HESSIANS["rosenbrock"], sparse=True)(wg.tensor(x))
    assert found.nnz == 3 * n - 2
    assert np.allclose(found.diagonal(1), -400 * x[:-1])
    inner = 1200 * x[1:-1] ** 2 - 400 * x[2:] + 202
    assert np.allclose(found.diagonal()[1:-1], inner)
    assert star_colours(found != 0).max() + 1 == 3


def test_hessian_of_two_arguments_is_one_matrix() -> None:
    found = wg.hessian(lambda x, y: (x * y**2).sum(), (0, 1), sparse=True)(wg.tensor([1.0, 2.0]), wg.tensor([3.0, 5.0]))
    assert found.toarray().tolist() == [[0, 0, 6, 0], [0, 0, 0, 10], [6, 0, 2, 0], [0, 10, 0, 4]]


# -- colourings -----------------------------------------------------------------------------------------------------


def random_pattern(seed: int, symmetric: bool) -> Any:
    matrix = scipy.sparse.random_array((12, 12), density=0.15, rng=np.random.default_rng(seed)) != 0
    return scipy.sparse.csr_array(matrix + matrix.T) if symmetric else scipy.sparse.csr_array(matrix)


@pytest.mark.parametrize("seed", range(20))
def test_no_row_has_two_columns_of_one_colour(seed: int) -> None:
    pattern = random_pattern(seed, symmetric=False)
    colours = column_colours(pattern)
    assert colours is not None
    for row in pattern.toarray():
        assert len(set(colours[row])) == row.sum()
    least = int(pattern.toarray().sum(axis=1).max())
    assert colours.max() + 1 >= least
    assert column_colours(pattern, limit=least - 1) is None


@pytest.mark.parametrize("seed", range(20))
def test_star_colourings(seed: int) -> None:
    pattern = random_pattern(seed, symmetric=True)
    colours = star_colours(pattern)
    edges = pattern.toarray()
    np.fill_diagonal(edges, False)
    near = [np.flatnonzero(row) for row in edges]
    for a, b in itertools.product(range(12), repeat=2):
        if edges[a, b]:
            assert colours[a] != colours[b]
            paths = [(c, d) for c in near[b] for d in near[c] if c != a and d not in (a, b)]
            assert all(len({colours[k] for k in (a, b, c, d)}) >= 3 for c, d in paths)


def test_the_pattern_of_captured_and_constant_values() -> None:
    from wengert.core.tracing import trace_flat
    from wengert.core.types import TensorSpec

    w = wg.tensor(BAND, requires_grad=True)
    graph = trace_flat(lambda x: [w @ x], [TensorSpec((6,), np.dtype(float))])
    # What a gradient can flow to is not known to be zero anywhere.
    assert sparsity(graph, 1).toarray().all()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: wg.jacobian(lambda v: v if v[0] > 0 else -v, sparse=True)(x), wg.TraceError, "cannot branch on it"),
        (lambda x: wg.vmap(wg.jacobian(wg.sin, sparse=True))(x[None]), wg.TransformError, "cannot be traced, batched"),
        (
            lambda x: wg.jvp(lambda v: wg.jacobian(wg.sin, sparse=True)(v), (x,), (x,)),
            wg.TransformError,
            "leave sparse=True out inside of jvp",
        ),
        (
            lambda x: wg.grad(lambda v: wg.jacobian(lambda u: u * v, sparse=True)(wg.ones(6)).sum())(x),
            wg.GradientError,
            r"no gradient can flow to the float64\[6\] tensor",
        ),
        (lambda x: wg.jacobian(lambda v: (v, 1), sparse=True, has_aux=True)(x), wg.GradientError, "do not go together"),
        (lambda x: wg.hessian(lambda v: (v, 1), sparse=True, has_aux=True)(x), wg.GradientError, "do not go together"),
        (lambda x: wg.jacobian(lambda v: v * 1j, sparse=True)(x), wg.GradientError, "real arguments and results"),
    ],
)
def test_errors(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call(wg.tensor(POINT))
