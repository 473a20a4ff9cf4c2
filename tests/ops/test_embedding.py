"""One-hot vectors and tables of rows, beyond the laws."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, IndexRangeError, ShapeError


def test_repeated_indices_accumulate() -> None:
    rng = np.random.default_rng(0)
    indices = rng.integers(0, 7, (20, 3))
    weight = wg.tensor(rng.standard_normal((7, 4)), requires_grad=True)
    g = rng.standard_normal((20, 3, 4))
    (wg.embedding(indices, weight) * g).sum().backward()
    expected = np.zeros((7, 4))
    np.add.at(expected, indices, g)
    assert weight.grad is not None
    np.testing.assert_allclose(weight.grad.numpy(), expected)


def test_the_padding_row_is_looked_up_but_gets_no_gradient() -> None:
    weight = wg.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    y = wg.embedding([0, 2, 2], weight, padding_idx=-1)
    assert y.tolist() == [[1.0], [3.0], [3.0]]
    y.sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[1.0], [0.0], [0.0]]


def test_per_sample_gradients_and_batched_tables() -> None:
    weight = wg.randn(4, 2)
    indices = wg.tensor([[0, 1, 1], [3, 3, 3]])
    single = wg.grad(lambda w, k: (wg.embedding(k, w, padding_idx=1) ** 2).sum())
    together = wg.vmap(single, in_axes=(None, 0))(weight, indices)
    np.testing.assert_allclose(together.numpy(), np.stack([single(weight, k).numpy() for k in indices]))
    tables = wg.randn(3, 4, 2)
    found = wg.vmap(lambda table: wg.embedding([1, 0], table))(tables)
    assert np.array_equal(found.numpy(), tables.numpy()[:, [1, 0]])


def test_one_hot() -> None:
    assert wg.one_hot(wg.tensor([[0, 2]])).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert wg.one_hot(1, 3, dtype="float32").dtype == np.float32
    assert wg.one_hot(np.zeros((0,), int), 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: wg.one_hot([0, 3], 3), IndexRangeError, "one_hot: the indices range from 0 to 3, outside of 0..2"),
        (lambda: wg.one_hot([-1, 0], 3), IndexRangeError, "one_hot: the indices range from -1 to 0, outside of 0..2"),
        (lambda: wg.one_hot([0.5], 3), DTypeError, "one_hot: indices must be integers, not float64"),
        (lambda: wg.one_hot(np.zeros(0, int)), ShapeError, "one_hot: num_classes is needed where there is no index"),
        (
            lambda: wg.embedding([5], wg.ones(5, 2)),
            IndexRangeError,
            "embedding: the indices range from 5 to 5, outside",
        ),
        (lambda: wg.embedding([True], wg.ones(5, 2)), DTypeError, "embedding: indices must be integers, not bool"),
        (lambda: wg.embedding([0], wg.tensor(1.0)), ShapeError, "embedding: the weight must have at least one axis"),
        (lambda: wg.embedding([0], wg.ones(2, 2), 2), IndexRangeError, "padding_idx 2 is outside of a table of 2 rows"),
    ],
)
def test_bad_arguments_are_refused(call, kind: type[Exception], text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(kind, match=text):
        call()
