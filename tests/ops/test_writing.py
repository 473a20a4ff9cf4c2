"""NumPy's functions that write into a tensor, and errors of those that edit, choose and fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.laws.samples import normal

X = normal(3, 4)
WRITES: dict[str, Callable[[Any, Any], None]] = {
    "put": lambda x, v: np.put(x, [0, 5, -1, 5], v),
    "put, wrapping": lambda x, v: np.put(x, [13, -14], v, mode="wrap"),
    "put, clipping": lambda x, v: np.put(x, [13, -14], v, mode="clip"),
    "put nothing": lambda x, v: np.put(x, [], v),
    "place": lambda x, v: np.place(x, X > 0, v),
    "putmask": lambda x, v: np.putmask(x, X > 0, v),
    "fill_diagonal": lambda x, v: np.fill_diagonal(x, v),
    "put_along_axis": lambda x, v: np.put_along_axis(x, np.array([[0, 1, 2, 0]]), v[0], 0),
    "put_along_axis, flat": lambda x, v: np.put_along_axis(x, np.array([1, 2]), v[:2], None),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes_what_numpy_writes(name: str) -> None:
    values = np.array([10.0, 20.0, 30.0])
    expected, got = X.copy(), wg.tensor(X)
    leaf = wg.tensor(values, requires_grad=True)
    WRITES[name](expected, values)
    WRITES[name](got, leaf)
    np.testing.assert_array_equal(got.detach(), expected)
    if name != "put nothing":
        got.sum().backward()
        assert leaf.grad is not None
        np.testing.assert_array_equal(leaf.grad, [(expected == value).sum() for value in values])


@pytest.mark.parametrize(("shape", "wrap"), [((6, 2), True), ((6, 2), False), ((2, 5), False), ((3, 3, 3), False)])
def test_fill_diagonal(shape: tuple[int, ...], wrap: bool) -> None:
    expected, got = np.zeros(shape), wg.zeros(shape)
    np.fill_diagonal(expected, [1.0, 2.0], wrap)
    np.fill_diagonal(got, [1.0, 2.0], wrap)
    np.testing.assert_array_equal(got, expected)


def test_an_array_cannot_take_a_tensor() -> None:
    with pytest.raises(wg.GradientError, match="make the target a tensor"):
        np.put(np.zeros(3), [0], wg.tensor([1.0]))


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (wg.ShapeError, "has no diagonal", lambda x: np.fill_diagonal(x[0], 1.0)),
        (IndexError, "out of range", lambda x: np.put(x, [12], 1.0)),
        (wg.ShapeError, "no values", lambda x: np.place(x, X > 0, [])),
        (IndexError, "choices are numbered", lambda x: np.choose([0, 2], [x[0, :2], x[1, :2]])),
        (IndexError, "out of range", lambda x: np.insert(x, 5, 0.0, axis=0)),
        (wg.ShapeError, "made of 'f' and 'b'", lambda x: np.trim_zeros(x, "x")),
        (wg.ShapeError, "too short", lambda x: np.gradient(x[:2], edge_order=2, axis=0)),
        (wg.DTypeError, "spacings do not fit", lambda x: np.gradient(x, 1.0, 2.0, 3.0)),
        (wg.ShapeError, "do not fit an axis", lambda x: np.gradient(x, [1.0, 2.0], axis=0)),
        (wg.ShapeError, "vector of roots", lambda x: np.poly(x)),
        (wg.ShapeError, "cannot be negative", lambda x: np.polyder(x[0], -1)),
        (wg.ShapeError, "one constant or", lambda x: np.polyint(x[0], 3, k=[1.0, 2.0])),
        (wg.ShapeError, "no fit of degree", lambda x: np.polyfit(x[0], x[0, :2], 1)),
        (wg.ShapeError, "more points than", lambda x: np.polyfit(x[0, :2], x[1, :2], 1, cov=True)),
        (wg.DTypeError, "is not offered", lambda x: np.quantile(x, 0.5, method="closest_observation")),
        (wg.ShapeError, "weights have the shape", lambda x: np.histogram(x[0], 3, weights=x[0, :2])),
    ],
)
def test_errors(error: type[Exception], match: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(error, match=match):
        call(wg.tensor(X))


def test_the_gradient_of_a_function_is_elsewhere() -> None:
    with pytest.raises(wg.DTypeError, match=r"wengert\.grad"):
        wg.numpy.gradient(lambda x: x, 1.0)
