from __future__ import annotations

import scipy.linalg

from tests.laws.samples import definite, normal, regular
from wengert.ops import factorisation as f
from wengert.testing.laws import Case

ALL = ["float64", "float32", "complex128"]

CASES = [
    Case(f.Lu(), regular(3), dtypes=ALL),
    Case(f.Lu(), regular(3, 2)),
    Case(f.SolveSylvester(), regular(3), definite(2), normal(3, 2), reference=scipy.linalg.solve_sylvester, dtypes=ALL),
    Case(f.SolveSylvester(), regular(3), definite(2, 2), normal(2, 3, 2)),
    Case(f.Sqrtm(), definite(3), reference=scipy.linalg.sqrtm),
    Case(f.Sqrtm(), definite(2, 2)),
    Case(f.Logm(), definite(3), reference=scipy.linalg.logm, dtypes=["float64"]),
]
