"""Contractions: shapes that do not fit, and forms that the tables of calls leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.laws.samples import normal

X = normal(3, 4)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.einsum("ii", x),
        lambda x: np.einsum("iji->j", wg.ones((2, 3, 4))),
        lambda x: np.vecdot(x, wg.tensor(1.0)),
        lambda x: np.matvec(x[0], x),
        lambda x: np.vecmat(x, x[0]),
        lambda x: np.cross(x, x),
        lambda x: np.linalg.qr(x[0]),
        lambda x: np.linalg.matrix_norm(x[0], ord=np.inf),
    ],
)
def test_shapes_that_do_not_fit(call: Callable[[Any], Any]) -> None:
    with pytest.raises(wg.ShapeError):
        call(wg.tensor(X))


def test_cross_along_axes_of_its_own() -> None:
    x, y = normal(3, 2, 4), normal(2, 3, 4)
    found = np.cross(wg.tensor(x), wg.tensor(y), axisa=0, axisb=1, axisc=0)
    np.testing.assert_allclose(found, np.cross(x, y, axisa=0, axisb=1, axisc=0))
