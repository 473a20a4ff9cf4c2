"""Index expressions of every kind, read and written, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.laws.samples import normal

X = normal(3, 4, 5)
M = X > 0
GOOD: list[Any] = [
    -1,
    slice(None, None, -1),
    slice(5, 9),
    Ellipsis,
    None,
    (),
    (0, 1, 2),
    (0, Ellipsis, -1),
    (None, 0, None),
    [0, -1, 0],
    ([0, 1], slice(None), [1, 2]),
    ([[0], [1]], [[1, 2]]),
    (slice(None), 0, [0, 1]),
    ([0, 1], None, [1, 2]),
    np.array([0, 2], np.uint8),
    np.array(1),
    [],
    M,
    M[:, :, 0],
    (slice(None), M[0, :, 0], 0),
    (Ellipsis, M[0, 0]),
    (slice(0, 2), [True, False, True, True]),
    True,
    False,
    np.array(True),
]
BAD: list[Any] = [
    3,
    (0, 0, 0, 0),
    [0, 3],
    1.0,
    (Ellipsis, Ellipsis),
    M[:2],
    (slice(None), M[:, 0, 0]),
    (0, M),
    (True, 0),
]


def as_index(index: Any) -> Any:
    """The index with tensors in the place of arrays."""
    if isinstance(index, tuple):
        return tuple(as_index(one) for one in index)
    return wg.tensor(index) if isinstance(index, np.ndarray) else index


@pytest.mark.parametrize("tensors", [False, True], ids=["arrays", "tensors"])
@pytest.mark.parametrize("index", GOOD, ids=lambda index: repr(index)[:40].replace("\n", " "))
def test_reads_and_writes_as_numpy(index: Any, tensors: bool) -> None:
    ours = as_index(index) if tensors else index
    x = wg.tensor(X, requires_grad=True)
    got = x[ours]
    np.testing.assert_array_equal(got.detach(), X[index])
    weights = normal(*got.shape, seed=1)
    (got * weights).sum().backward()
    expected = np.zeros_like(X)
    np.add.at(expected, index, weights)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad, expected)
    written, array = wg.tensor(X), X.copy()
    written[ours] = weights
    array[index] = weights
    np.testing.assert_array_equal(written, array)


@pytest.mark.parametrize("index", BAD, ids=lambda index: repr(index)[:40].replace("\n", " "))
def test_what_does_not_fit(index: Any) -> None:
    with pytest.raises(wg.IndexRangeError):
        wg.tensor(X)[index]
