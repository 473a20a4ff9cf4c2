from __future__ import annotations

import numpy as np

from tests.laws.samples import away_from_zero, integers, normal
from wengert.ops import complex as ops
from wengert.testing.laws import ALL_FLOATS, COMPLEX, Case

CASES = [
    Case(ops.Abs(), away_from_zero(2, 3), reference=np.absolute, dtypes=ALL_FLOATS),
    Case(ops.Abs(), away_from_zero(), reference=np.absolute, dtypes=ALL_FLOATS),
    Case(ops.Abs(), integers(-3, 4, 5), reference=np.absolute),
    Case(ops.Fabs(), away_from_zero(2, 3), reference=np.fabs),
    Case(ops.Sign(), away_from_zero(2, 3), reference=np.sign, dtypes=ALL_FLOATS),
    Case(ops.Sign(), away_from_zero(0, 2), reference=np.sign, dtypes=ALL_FLOATS),
    Case(ops.Real(), normal(2, 3), reference=np.real, dtypes=ALL_FLOATS),
    Case(ops.Real(), normal(), reference=np.real, dtypes=ALL_FLOATS),
    Case(ops.Imag(), normal(2, 3), reference=np.imag, dtypes=ALL_FLOATS),
    Case(ops.Imag(), normal(0), reference=np.imag, dtypes=ALL_FLOATS),
    Case(ops.Conjugate(), normal(2, 3), reference=np.conjugate, dtypes=ALL_FLOATS),
    Case(ops.Angle(), away_from_zero(2, 3), reference=np.angle, dtypes=ALL_FLOATS),
    Case(ops.angle, away_from_zero(2, 3), kwargs={"deg": True}, reference=np.angle, dtypes=ALL_FLOATS),
    Case(
        ops.real_if_close,
        normal(3),
        reference=np.real_if_close,
        dtypes=COMPLEX,
        skip={
            "batching": "whether the result is real depends on the values, which a batch has several of",
            "traced": "whether the result is real depends on the values",
            "compiled": "whether the result is real depends on the values",
        },
    ),
]
