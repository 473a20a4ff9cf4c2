from __future__ import annotations

import numpy as np

from tests.laws.samples import away_from_zero, between, normal, positive
from wengert.ops import transcendental as t
from wengert.testing.laws import ALL_FLOATS, REAL, Case

CASES = [
    Case(t.Exp(), normal(3, 4), reference=np.exp, dtypes=ALL_FLOATS),
    Case(t.Exp2(), normal(3), reference=np.exp2),
    Case(t.Expm1(), normal(3, 1), reference=np.expm1, dtypes=ALL_FLOATS),
    Case(t.Log(), positive(3, 4), reference=np.log, dtypes=ALL_FLOATS),
    Case(t.Log2(), positive(4), reference=np.log2, dtypes=ALL_FLOATS),
    Case(t.Log10(), positive(), reference=np.log10, dtypes=ALL_FLOATS),
    Case(t.Log1p(), positive(0, 3), reference=np.log1p, dtypes=ALL_FLOATS),
    Case(t.Logaddexp(), normal(3, 4), normal(4, seed=1), reference=np.logaddexp),
    Case(t.Logaddexp2(), normal(3, 4), normal(4, seed=1), reference=np.logaddexp2),
    Case(t.Sin(), normal(3, 4), reference=np.sin, dtypes=ALL_FLOATS),
    Case(t.Cos(), normal(3, 4), reference=np.cos, dtypes=ALL_FLOATS),
    Case(t.Tan(), between(-1, 1, 5), reference=np.tan, dtypes=ALL_FLOATS),
    Case(t.Asin(), between(-0.9, 0.9, 5), reference=np.arcsin, dtypes=ALL_FLOATS),
    Case(t.Acos(), between(-0.9, 0.9, 5), reference=np.arccos, dtypes=ALL_FLOATS),
    Case(t.Atan(), normal(5), reference=np.arctan, dtypes=ALL_FLOATS),
    Case(t.Atan2(), away_from_zero(3, 4), away_from_zero(4), reference=np.arctan2),
    Case(t.Sinh(), normal(5), reference=np.sinh, dtypes=ALL_FLOATS),
    Case(t.Cosh(), normal(5), reference=np.cosh, dtypes=ALL_FLOATS),
    Case(t.Tanh(), normal(5), reference=np.tanh, dtypes=ALL_FLOATS),
    Case(t.Asinh(), normal(5), reference=np.arcsinh, dtypes=ALL_FLOATS),
    Case(t.Acosh(), between(1.2, 3, 5), reference=np.arccosh, dtypes=ALL_FLOATS),
    Case(t.Atanh(), between(-0.8, 0.8, 5), reference=np.arctanh, dtypes=ALL_FLOATS),
    Case(t.Sinc(), np.array([-1.3, -0.2, 0.0, 1e-9, 0.1, 0.4, 2.0]), reference=np.sinc, dtypes=REAL),
    Case(t.SincDerivative(1), np.array([-1.3, -0.2, 0.0, 1e-9, 0.1, 0.4, 2.0]), dtypes=REAL),
    Case(t.SincDerivative(2), np.array([-1.3, -0.2, 0.0, 0.1, 0.4, 2.0]), dtypes=REAL),
]
