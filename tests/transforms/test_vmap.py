"""``vmap`` against loops: axes in containers, nested, and of functions that hold gradients, indices, linear algebra,
control flow and random keys."""

from __future__ import annotations

import tracemalloc
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

import wengert as wg

RNG = np.random.default_rng(0)
XS = RNG.standard_normal((5, 3))
MS = RNG.standard_normal((5, 3, 3)) + 3 * np.eye(3)
KS = np.array([0, 2, 1, 1, 0])

Pair = namedtuple("Pair", ["a", "b"])

FUNCTIONS: dict[str, tuple[Any, tuple[np.ndarray, ...]]] = {
    "gradient": (wg.grad(lambda x: np.sin(x).prod()), (XS,)),
    "hessian": (wg.hessian(lambda x: np.sin(x).prod()), (XS,)),
    "gradient of a gradient": (wg.grad(lambda x: (wg.grad(lambda v: (v**3).sum())(x) ** 2).sum()), (XS,)),
    "jvp": (lambda x, t: wg.jvp(np.tanh, (x,), (t,))[1], (XS, XS + 1)),
    "vjp": (lambda x, g: wg.vjp(np.tanh, x)[1](g)[0], (XS, XS + 1)),
    "hvp": (lambda x, t: wg.hvp(lambda v: np.exp(v).prod(), (x,), (t,)), (XS, XS + 1)),
    "jacobian": (wg.jacobian(lambda x: np.outer(x, x).ravel()), (XS,)),
    "linearize": (lambda x: wg.linearize(np.sin, x)[1](np.ones(3)), (XS,)),
    "index": (lambda x, k: x[k] * x, (XS, KS)),
    "gradient of an index": (wg.grad(lambda x, k: x[k] ** 2 + x[0]), (XS, KS)),
    "slice and gather": (lambda x, k: x[1:] + x[np.array([0, 2])] * k, (XS, KS)),
    "solve": (np.linalg.solve, (MS, XS)),
    "gradient of solve": (wg.grad(lambda m, x: np.linalg.solve(m, x).sum(), (0, 1)), (MS, XS)),
    "inverse and determinant": (lambda m: np.linalg.inv(m) * np.linalg.det(m), (MS,)),
    "eigenvalues": (lambda m: np.linalg.eigvalsh(m @ m.T), (MS,)),
    "gradient of cholesky": (wg.grad(lambda m: wg.linalg.cholesky(m @ m.T).sum()), (MS,)),
    "matmul": (lambda m, x: m @ x + x @ m, (MS, XS)),
    "einsum": (lambda m, x: np.einsum("ij,j,i->i", m, x, x), (MS, XS)),
    "where and sort": (lambda x: np.where(x > 0, np.sort(x), x), (XS,)),
    "cond": (lambda x: wg.cond(x.sum() > 0, np.sin, np.cos, x), (XS,)),
    "gradient of cond": (wg.grad(lambda x: wg.cond(x[0] > 0, lambda v: (v**2).sum(), np.sum, x)), (XS,)),
    "scan": (lambda x: wg.scan(lambda c, v: (c * v + 1, c), 1.0, x), (XS,)),
    "gradient of scan": (wg.grad(lambda x: wg.scan(lambda c, v: (c * v + 1, None), 1.0, x)[0]), (XS,)),
    "while": (lambda x: wg.while_loop(lambda v: v.sum() < 9, lambda v: v * v + 1, x), (XS,)),
    "checkpoint": (wg.grad(lambda x: wg.checkpoint(np.sin)(x).sum()), (XS,)),
    "writing": (lambda x, k: written(x, k), (XS, KS)),
}


def written(x: Any, k: Any) -> Any:
    y = x * 2
    y[k] = 0.0
    return y


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("axis", [0, -1])
def test_as_a_loop(name: str, axis: int) -> None:
    f, arrays = FUNCTIONS[name]
    rows = [wg.tree_flatten(f(*(wg.tensor(x[i]) for x in arrays)))[0] for i in range(len(XS))]
    moved = [wg.tensor(np.moveaxis(x, 0, axis)) for x in arrays]
    found = wg.tree_flatten(wg.vmap(f, in_axes=axis, out_axes=axis)(*moved))[0]
    for k, one in enumerate(found):
        assert np.allclose(one.numpy(), np.stack([row[k].numpy() for row in rows], axis=axis))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nested_as_a_loop(name: str) -> None:
    f, arrays = FUNCTIONS[name]
    doubled = [wg.tensor(np.stack([x, x[::-1]])) for x in arrays]
    found = wg.tree_flatten(wg.vmap(wg.vmap(f))(*doubled))[0]
    for k, one in enumerate(found):
        for i, order in enumerate((slice(None), slice(None, None, -1))):
            expected = wg.tree_flatten(wg.vmap(f)(*(wg.tensor(x[order]) for x in arrays)))[0][k]
            assert np.allclose(one[i].numpy(), expected.numpy())


@pytest.mark.parametrize(
    ("tree", "axes"),
    [
        ([XS, MS], ([0, 0],)),
        (Pair(XS, MS[0, 0]), (Pair(0, None),)),
        ({"b": XS.T, "a": MS}, ({"b": 1, "a": 0},)),
        (OrderedDict([("z", XS), ("a", MS[0, 0])]), (OrderedDict([("z", 0), ("a", None)]),)),
        ({2: XS, "one": MS[0, 0]}, ({2: 0, "one": None},)),
        ((XS, (MS, [XS])), 0),
        ((XS, (MS[0], [MS[0, 0]])), ((0, None),)),
        ((XS.T, None), ((-1, None),)),
    ],
)
def test_axes_in_containers(tree: Any, axes: Any) -> None:
    def f(t: Any) -> Any:
        total: Any = 0.0
        for i, x in enumerate(wg.tree_flatten(t)[0]):
            total = total + (i + 1) * (x**2).sum()
        return total

    leaves, structure = wg.tree_flatten(tree)
    mapped = [next((axis for axis, n in enumerate(x.shape) if n == 5), None) for x in leaves]
    expected = []
    for i in range(5):
        row = [x if a is None else np.take(x, i, a) for x, a in zip(leaves, mapped, strict=True)]
        expected.append(float(f(wg.tree_unflatten(structure, row))))
    assert np.allclose(wg.vmap(f, in_axes=axes)(tree).numpy(), expected)


def test_random_keys_differ_along_the_batch() -> None:
    keys = wg.random.split(wg.random.key(0), 4)
    found = wg.vmap(lambda k: wg.random.normal(k, (3,)))(keys).numpy()
    assert np.array_equal(found[2], wg.random.normal(keys[2], (3,)).numpy())
    assert len(np.unique(found)) == 12


def test_an_empty_batch() -> None:
    assert wg.vmap(lambda x: (x * 2).sum())(wg.ones((0, 3))).shape == (0,)


# -- forward mode keeps no tape -------------------------------------------------------------------------------------


def test_forward_mode_runs_in_constant_memory() -> None:
    def loop(steps: int) -> tuple[int, float]:
        def f(x: Any) -> Any:
            for _ in range(steps):
                x = x * 0.99999 + 0.00001
            return x

        tracemalloc.start()
        _, moved = wg.jvp(f, (wg.ones(4),), (wg.ones(4),))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, float(moved[0])

    loop(10)
    short, _ = loop(100)
    long, slope = loop(100_000)
    assert slope == pytest.approx(0.99999**100_000)
    # A tape would hold 200,000 nodes with their arrays.
    assert long < short + 20_000
