from __future__ import annotations

import numpy as np

from tests.laws.samples import away_from_zero, integers, normal
from wengert.ops import rounding as ops
from wengert.testing.laws import ALL_FLOATS, Case

# Nowhere near a half or a whole number, where rounding jumps.
VALUES = np.array([[0.3, 1.7, -2.2], [-0.8, 12.34, 3.3]])

CASES = [
    *[
        case
        for operation, reference in (
            (ops.Floor(), np.floor),
            (ops.Ceil(), np.ceil),
            (ops.Trunc(), np.trunc),
        )
        for case in (
            Case(operation, VALUES, reference=reference),
            Case(operation, integers(-3, 3, 4), reference=reference),
            Case(operation, normal(0), reference=reference),
        )
    ],
    Case(ops.Rint(), VALUES, reference=np.rint, dtypes=ALL_FLOATS),
    Case(ops.Round(), VALUES, reference=np.round, dtypes=ALL_FLOATS),
    Case(ops.Round(1), VALUES + 0.02, reference=lambda x: np.round(x, 1), dtypes=ALL_FLOATS),
    Case(ops.Round(-1), integers(-99, 99, 4), reference=lambda x: np.round(x, -1)),
    Case(ops.round, VALUES, kwargs={"decimals": -1}, reference=np.round),
    Case(ops.FractionalPart(), VALUES, reference=lambda x: np.modf(x)[0]),
    Case(ops.modf, VALUES, reference=np.modf),
    Case(ops.BinaryExponent(), VALUES, reference=lambda x: np.frexp(x)[1]),
    Case(ops.frexp, VALUES, reference=np.frexp),
    Case(ops.Ldexp(), normal(2, 3), integers(-4, 4, 3), reference=np.ldexp),
    Case(ops.Ldexp(), 1.5, integers(-4, 4, 3), reference=np.ldexp),
    Case(ops.Copysign(), away_from_zero(2, 3), away_from_zero(3), reference=np.copysign),
    Case(ops.Copysign(), away_from_zero(3), -1, reference=np.copysign),
    Case(ops.Nextafter(), normal(2, 3), normal(3), reference=np.nextafter),
    Case(ops.Spacing(), normal(2, 3), reference=np.spacing),
]
