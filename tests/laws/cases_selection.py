from __future__ import annotations

import numpy as np

from tests.laws.samples import booleans, distinct, integers, normal
from wengert.ops import selection as ops
from wengert.testing.laws import ALL_FLOATS, Case

LEFT = distinct(3, 4)
RIGHT = distinct(3, 4)[::-1, ::-1] + 0.05
X = np.array([[-2.0, -0.4, 0.3, 1.2], [0.9, -1.1, 2.2, 0.1]])
LOW = np.array([-1.0, -0.5, -0.2, 0.5])
HIGH = np.array([[1.0], [0.4]])
NOT_FINITE = np.array([1.5, np.nan, np.inf, -np.inf, -0.5])


def replaced(x, **kwargs):  # type: ignore[no-untyped-def]
    return np.nan_to_num(x, **kwargs)


DIFFERENCES = {
    "forward": "differences of infinities are NaN",
    "second_order": "differences of infinities are NaN",
}

CASES = [
    *[
        case
        for operation, reference in (
            (ops.Maximum(), np.maximum),
            (ops.Minimum(), np.minimum),
            (ops.Fmax(), np.fmax),
            (ops.Fmin(), np.fmin),
        )
        for case in (
            Case(operation, LEFT, RIGHT, reference=reference, dtypes=ALL_FLOATS),
            Case(operation, LEFT, 0.5, reference=reference),
            Case(operation, 0, LEFT[0], reference=reference),
            Case(operation, integers(-3, 3, 4), integers(-3, 3, 2, 1), reference=reference),
        )
    ],
    Case(ops.Heaviside(), np.array([-1.5, 0.7, 2.0]), normal(2, 3), reference=np.heaviside),
    Case(ops.Heaviside(), integers(-1, 2, 4), normal(4), reference=np.heaviside),
    Case(ops.Clip(), X, LOW, HIGH, reference=np.clip),
    Case(ops.Clip(), X, -1.0, 1.0, reference=np.clip),
    Case(ops.Clip(), X, 1.0, -1.0, reference=np.clip, label="clip-with-crossed-bounds"),
    Case(ops.Clip(), 0.25, LOW, 0.45, reference=np.clip),
    Case(ops.Clip(), integers(-9, 9, 5), -2, 3, reference=np.clip),
    Case(ops.ClipBelow(), X, LOW, reference=np.maximum),
    Case(ops.ClipAbove(), X, 0.5, reference=np.minimum),
    Case(ops.clip, X, kwargs={"min": -1}, reference=lambda x, min: np.clip(x, min, None)),
    Case(ops.clip, X, kwargs={"max": 1}, reference=lambda x, max: np.clip(x, None, max)),
    Case(ops.clip, X, reference=np.array),
    Case(ops.Where(), booleans(3, 4), normal(4), normal(3, 1), reference=np.where, dtypes=ALL_FLOATS),
    Case(ops.Where(), booleans(3, 4), normal(4), 0, reference=np.where, dtypes=ALL_FLOATS),
    Case(ops.Where(), booleans(2, 1), 1.5, normal(), reference=np.where, dtypes=ALL_FLOATS),
    Case(ops.Where(), integers(0, 2, 3), integers(0, 5, 3), normal(3), reference=np.where, dtypes=ALL_FLOATS),
    Case(ops.Where(), booleans(0, 2), normal(2), normal(0, 2), reference=np.where),
    Case(
        ops.select,
        [booleans(3, 4), booleans(4, seed=1)],
        [normal(3, 4), normal(4, seed=1)],
        kwargs={"default": 2.5},
        reference=np.select,
        dtypes=ALL_FLOATS,
    ),
    Case(ops.NanToNum(), normal(2, 3), reference=replaced, dtypes=ALL_FLOATS),
    Case(ops.NanToNum(1.0, 2.0, -3.0), NOT_FINITE, reference=lambda x: replaced(x, nan=1.0, posinf=2.0, neginf=-3.0)),
    Case(
        ops.NanToNum(), NOT_FINITE, reference=replaced, dtypes=ALL_FLOATS, skip=DIFFERENCES, label="nan_to_num-complex"
    ),
    Case(ops.NanToNum(), integers(0, 3, 4), reference=replaced),
]
