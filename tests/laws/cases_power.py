from __future__ import annotations

import numpy as np

from tests.laws.samples import away_from_zero, integers, normal, positive
from wengert.ops import power as ops
from wengert.testing.laws import ALL_FLOATS, Case

WHOLE = np.array([[0, 1, 2, 3], [-1, -2, 4, 0]])

CASES = [
    Case(ops.Power(), positive(3, 4), normal(4), reference=np.power, dtypes=ALL_FLOATS),
    Case(ops.Power(), positive(3), normal(2, 1), reference=np.power, dtypes=ALL_FLOATS),
    Case(ops.Power(), away_from_zero(4), WHOLE, reference=np.power, dtypes=ALL_FLOATS),
    *[
        Case(
            ops.Power(), away_from_zero(2, 3), exponent, reference=np.power, dtypes=ALL_FLOATS, label=f"power{exponent}"
        )
        for exponent in (0, 1, 2, 3, -1, -2, 2.0, -3.0)
    ],
    *[
        Case(ops.Power(), positive(2, 3), exponent, reference=np.power, dtypes=ALL_FLOATS, label=f"power{exponent}")
        for exponent in (0.5, -0.5, 1.7, 1 + 2j)
    ],
    # Central differences are defined at 0 for whole exponents from 2 on, and exact to the law's tolerance.
    Case(ops.Power(), np.zeros(3), np.array([1, 2, 3]), reference=np.power, label="power-at-zero"),
    Case(ops.Power(), 2.0, normal(3), reference=np.power, dtypes=ALL_FLOATS),
    Case(ops.Power(), 3, normal(), reference=np.power, dtypes=ALL_FLOATS),
    Case(ops.Power(), 0, positive(3), reference=np.power),
    Case(ops.Power(), integers(1, 5, 3), normal(2, 3), reference=np.power),
    Case(ops.Power(), integers(-4, 5, 6), 3, reference=np.power),
    Case(ops.Power(), normal(0, 3), 2, reference=np.power, dtypes=ALL_FLOATS),
    Case(ops.FloatPower(), positive(3), normal(2, 3), reference=np.float_power, dtypes=ALL_FLOATS),
    Case(ops.FloatPower(), away_from_zero(3), -2, reference=np.float_power, dtypes=ALL_FLOATS),
    Case(ops.FloatPower(), integers(1, 5, 3), -2, reference=np.float_power),
    Case(ops.Square(), normal(2, 3), reference=np.square, dtypes=ALL_FLOATS),
    Case(ops.Square(), normal(), reference=np.square, dtypes=ALL_FLOATS),
    Case(ops.Sqrt(), positive(2, 3), reference=np.sqrt, dtypes=ALL_FLOATS),
    Case(ops.Sqrt(), positive(0), reference=np.sqrt, dtypes=ALL_FLOATS),
    Case(ops.Cbrt(), away_from_zero(2, 3), reference=np.cbrt),
    Case(ops.Reciprocal(), away_from_zero(2, 3), reference=np.reciprocal, dtypes=ALL_FLOATS),
    Case(ops.Hypot(), away_from_zero(3, 4), away_from_zero(4), reference=np.hypot),
    Case(ops.Hypot(), away_from_zero(3), 2, reference=np.hypot),
]
