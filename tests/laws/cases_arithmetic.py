from __future__ import annotations

import numpy as np

from tests.laws.samples import away_from_zero, normal
from wengert.ops.arithmetic import Add, Divide, Multiply, Negative, Subtract
from wengert.testing.laws import ALL_FLOATS, Case

CASES = [
    Case(Add(), normal(3, 4), normal(4), reference=np.add, dtypes=ALL_FLOATS),
    Case(Subtract(), normal(3, 1), normal(4, seed=1), reference=np.subtract, dtypes=ALL_FLOATS),
    Case(Multiply(), normal(3, 4), normal(3, 4, seed=1), reference=np.multiply, dtypes=ALL_FLOATS),
    Case(Multiply(), normal(2, 1, 4), 2.0, reference=np.multiply, dtypes=ALL_FLOATS),
    Case(Divide(), normal(3, 4), away_from_zero(4), reference=np.divide, dtypes=ALL_FLOATS),
    Case(Negative(), normal(), reference=np.negative, dtypes=ALL_FLOATS),
]
