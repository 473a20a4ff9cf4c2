"""The ledger equals what is actually alive, to the byte."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

SIDE = 64


def storage(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "chain": lambda x: (x * 2.0).tanh().exp().sum(),
    "shared": lambda x: (x.tanh() * x.tanh().reshape(-1).reshape(SIDE, SIDE)).sum(),
    "views": lambda x: (x.exp()[1:] * x.exp()[:-1].T.T).sum(),
    "nothing to keep": lambda x: (x + 1.0).reshape(-1)[::2].sum(),
    "matmul and softmax": lambda x: (x @ x.T).softmax(axis=1).log().mean(),
    "reduction": lambda x: x.max(axis=0).sum() + x.var(),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_total_is_what_freeing_the_graph_frees(name: str) -> None:
    x = wg.tensor(np.random.default_rng(0).uniform(0.5, 1.5, (SIDE, SIDE)), requires_grad=True)
    y = PROGRAMS[name](x)
    kept = wg.ledger(y)
    own = storage(x._value)
    roots: dict[int, Any] = {}
    for entry in kept.entries:
        for root in [storage(array) for _, array in entry.node.kept()]:
            if root is not own:
                roots[id(root)] = (weakref.ref(root), root.nbytes)
            del root
    entry = None
    sizes = [size for _, size in roots.values()]
    references = [reference for reference, _ in roots.values()]
    assert kept.total == sum(sizes)
    assert all(reference() is not None for reference in references)
    total = kept.total
    del roots
    # A sweep frees every one of them, though the nodes live on.
    y.sum().backward()
    gc.collect()
    assert total == sum(sizes)
    alive = [reference() for reference in references]
    assert [a is None or a is storage(y._value) for a in alive] == [True] * len(alive)
    assert wg.ledger(y).total == 0


def test_views_are_counted_once_and_leaves_apart() -> None:
    x = wg.tensor(np.ones((10, 10)), requires_grad=True)
    h = x.exp()
    y = (h[:5] * h[5:] * x[:5]).sum()
    kept = wg.ledger(y)
    sizes = {entry.bytes for entry in kept.entries}
    # exp(x), of which two views are kept, and the product of the views.
    assert kept.total == 800 + 400
    assert sizes == {800, 400, 0}
    assert kept.leaf_bytes == 800
    assert sum(entry.leaf for entry in kept.entries) == 1


def test_lines_scopes_and_text() -> None:
    x = wg.tensor(np.ones(100), requires_grad=True)
    with wg.scope("block"):
        h = x.exp()  # keeps 800 bytes
    y = h.tanh()  # keeps 800 bytes too
    kept = wg.ledger([h, y])
    lines = kept.by_line()
    assert sorted(lines.values()) == [800, 800]
    assert all("test_ledger.py:" in line for line in lines)
    assert kept.by_scope() == {"block": 800, "": 800}
    text = str(kept)
    for words in ("bytes", "ExpBackward", "TanhBackward", "out", "float64", "block", "total 1,600 bytes"):
        assert words in text


def test_a_tensor_without_a_graph_has_no_ledger() -> None:
    with pytest.raises(wg.GradientError, match="without a graph"):
        wg.ledger(wg.tensor(1.0))
