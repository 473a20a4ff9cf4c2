from __future__ import annotations

import numpy as np

from tests.laws.samples import booleans, integers, normal
from wengert.ops import comparison as ops
from wengert.testing.laws import ALL_FLOATS, REAL, Case

SPECIAL = np.array([0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan])

CASES = [
    *[
        case
        for operation, reference in (
            (ops.Equal(), np.equal),
            (ops.NotEqual(), np.not_equal),
            (ops.Less(), np.less),
            (ops.LessEqual(), np.less_equal),
            (ops.Greater(), np.greater),
            (ops.GreaterEqual(), np.greater_equal),
            (ops.LogicalAnd(), np.logical_and),
            (ops.LogicalOr(), np.logical_or),
            (ops.LogicalXor(), np.logical_xor),
        )
        for case in (
            Case(operation, SPECIAL, SPECIAL[:, None], reference=reference, dtypes=ALL_FLOATS),
            Case(operation, integers(-2, 2, 2, 3), integers(-2, 2, 3), reference=reference),
            Case(operation, normal(0, 3), 1.0, reference=reference),
            Case(operation, booleans(4), booleans(4, seed=1), reference=reference),
        )
    ],
    Case(ops.LogicalNot(), SPECIAL, reference=np.logical_not, dtypes=ALL_FLOATS),
    Case(ops.Isnan(), SPECIAL, reference=np.isnan, dtypes=ALL_FLOATS),
    Case(ops.Isinf(), SPECIAL, reference=np.isinf, dtypes=ALL_FLOATS),
    Case(ops.Isfinite(), SPECIAL, reference=np.isfinite, dtypes=ALL_FLOATS),
    Case(ops.Signbit(), SPECIAL, reference=np.signbit),
    Case(ops.Isposinf(), SPECIAL, reference=np.isposinf),
    Case(ops.Isneginf(), SPECIAL, reference=np.isneginf),
    Case(ops.Isreal(), SPECIAL, reference=np.isreal, dtypes=ALL_FLOATS),
    Case(ops.Iscomplex(), SPECIAL, reference=np.iscomplex, dtypes=ALL_FLOATS),
    Case(ops.Isclose(), SPECIAL, SPECIAL[:, None], reference=np.isclose, dtypes=ALL_FLOATS),
    Case(
        ops.isclose,
        SPECIAL,
        SPECIAL + 1e-3,
        kwargs={"rtol": 0.0, "atol": 1e-2, "equal_nan": True},
        reference=np.isclose,
        dtypes=REAL,
    ),
]
