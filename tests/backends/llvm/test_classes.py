"""Classes, tables and sums of products in compiled code, against the interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.backends.llvm.test_routines import natively
from wengert.ops.losses import ClassCrossEntropy

RNG = np.random.default_rng(0)
F = wg.nn.functional


@pytest.mark.parametrize("indices", [np.array([2, 0, 2]), np.array([[1], [4]], dtype=np.uint8), np.array(3)])
def test_rows_of_a_table(indices: np.ndarray) -> None:
    table = RNG.normal(size=(5, 3))
    natively(lambda i: F.one_hot(i, 5), indices)
    natively(lambda i, t: F.embedding(i, t), indices, table)
    natively(wg.grad(lambda t: wg.sin(F.embedding(indices, t, padding_idx=2)).sum()), table)


def test_cross_entropy() -> None:
    x, target = RNG.normal(size=(6, 4)), np.array([0, 3, 1, 1, 2, 0])
    natively(lambda x: F.cross_entropy(x, target), x)
    natively(wg.grad(lambda x: F.cross_entropy(x, target)), x)
    x[0, 1] = -np.inf
    natively(lambda x: F.cross_entropy(x, target), x)


@pytest.mark.parametrize("bad", [-1, 5])
def test_a_class_out_of_range(bad: int) -> None:
    table = np.ones((5, 3))
    for f in (
        lambda i: F.one_hot(i, 5),
        lambda i: F.embedding(i, table),
        lambda i: wg.core.apply.apply(ClassCrossEntropy(), wg.tensor(np.arange(10.0).reshape(2, 5)), i),
    ):
        with pytest.raises(wg.IndexRangeError):
            wg.jit(f)(np.array([0, bad]))


@pytest.mark.parametrize(
    "text", ["ij,jk->ik", "ij,ij->i", "bij,bkj->bik", "i,j->ji", "bhtd,bshd->bhts", "ijk,kj->i", "ab,cb->cab", "i,i->"]
)
def test_sums_of_products(text: str) -> None:
    lengths = dict(zip("ijkbhtdsac", range(2, 12), strict=True))
    left, right = (RNG.normal(size=[lengths[c] for c in part]) for part in text.split("->")[0].split(","))
    natively(lambda x, y: wg.einsum(text, x, y), left, right)
    natively(wg.grad(lambda x, y: wg.sin(wg.einsum(text, x, y)).sum(), argnums=1), left, right)


@pytest.mark.parametrize("shapes", [((3, 4), (4, 2)), ((4,), (4,)), ((2, 3, 4), (4,)), ((4,), (2, 4, 3))])
def test_products_of_integers(shapes: Any) -> None:
    x, y = (RNG.integers(-5, 5, shape) for shape in shapes)
    natively(lambda x, y: x @ y, x, y)
    natively(lambda x, y: x @ y, x > 0, y > 0)
    natively(lambda x, y: x @ y, x.astype(np.float32), y.astype(np.float64))
