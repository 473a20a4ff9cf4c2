from __future__ import annotations

import numpy as np

from tests.laws.samples import away_from_zero, between, integers, normal, positive
from wengert.ops import arithmetic as ops
from wengert.testing.laws import ALL_FLOATS, Case

# Quotients far from integers, where the remainders jump.
DIVIDEND = np.array([[7.3, -7.3, 0.4], [5.9, -5.9, 2.6]])
DIVISOR = np.array([2.0, 2.1, -3.0])

CASES = [
    Case(ops.Add(), normal(3, 4), normal(4), reference=np.add, dtypes=ALL_FLOATS),
    Case(ops.Add(), normal(0, 3), 1.0, reference=np.add, dtypes=ALL_FLOATS),
    Case(ops.Add(), integers(-5, 5, 3), integers(0, 3, 2, 1), reference=np.add),
    Case(ops.Subtract(), normal(3, 1), normal(4, seed=1), reference=np.subtract, dtypes=ALL_FLOATS),
    Case(ops.Subtract(), 2, normal(), reference=np.subtract, dtypes=ALL_FLOATS),
    Case(ops.Multiply(), normal(3, 4), normal(3, 4, seed=1), reference=np.multiply, dtypes=ALL_FLOATS),
    Case(ops.Multiply(), normal(2, 1, 4), 2.0, reference=np.multiply, dtypes=ALL_FLOATS),
    Case(ops.Multiply(), normal(3), integers(-3, 3, 2, 3), reference=np.multiply, dtypes=ALL_FLOATS),
    Case(ops.Multiply(), normal(3), 1.5 - 2j, reference=np.multiply, dtypes=ALL_FLOATS),
    Case(ops.Divide(), normal(3, 4), away_from_zero(4), reference=np.divide, dtypes=ALL_FLOATS),
    Case(ops.Divide(), normal(3), 2, reference=np.divide, dtypes=ALL_FLOATS),
    Case(ops.Divide(), 2.5, away_from_zero(2, 1, 3), reference=np.divide, dtypes=ALL_FLOATS),
    Case(ops.Divide(), integers(-5, 5, 4), integers(1, 4, 4), reference=np.divide),
    Case(ops.FloorDivide(), DIVIDEND, DIVISOR, reference=np.floor_divide),
    Case(ops.FloorDivide(), integers(-9, 9, 5), integers(1, 4, 5), reference=np.floor_divide),
    Case(ops.Remainder(), DIVIDEND, DIVISOR, reference=np.remainder),
    Case(ops.Remainder(), DIVIDEND, 1.7, reference=np.remainder),
    Case(ops.Remainder(), integers(-9, 9, 5), 4, reference=np.remainder),
    Case(ops.Fmod(), DIVIDEND, DIVISOR, reference=np.fmod),
    Case(ops.Fmod(), 7.7, DIVISOR, reference=np.fmod),
    Case(ops.divmod, DIVIDEND, DIVISOR, reference=np.divmod),
    Case(ops.Negative(), normal(), reference=np.negative, dtypes=ALL_FLOATS),
    Case(ops.Negative(), normal(2, 0), reference=np.negative, dtypes=ALL_FLOATS),
    Case(ops.Positive(), normal(2, 3), reference=np.positive, dtypes=ALL_FLOATS),
    Case(ops.DegToRad(), between(-180, 180, 5), reference=np.deg2rad),
    Case(ops.RadToDeg(), normal(2, 2), reference=np.rad2deg),
    Case(ops.lerp, normal(3), normal(2, 1), positive(3), dtypes=ALL_FLOATS),
]
