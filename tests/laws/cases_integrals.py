from __future__ import annotations

import numpy as np
from scipy import special

from tests.laws.samples import away_from_zero, between, normal, positive
from wengert.ops import bessel, integrals
from wengert.ops import cumulative_distributions as cdf
from wengert.testing.laws import Case

FLOAT64 = ["float64"]
X, Y = positive(5), positive(5, seed=1)

CASES = [
    *(
        Case(kind(), X, reference=getattr(special, kind.name))
        for kind in (bessel.K0, bessel.K1, bessel.K0e, bessel.K1e)
    ),
    *(Case(kind(), X, reference=getattr(special, kind.name)) for kind in (bessel.Y0, bessel.Y1)),
    *(
        Case(kind(), 1.5, X, reference=getattr(special, kind.name), dtypes=FLOAT64)
        for kind in (bessel.Jv, bessel.Yv, bessel.Iv, bessel.Ive, bessel.Kv, bessel.Kve)
    ),
    *(Case(integrals.Expn(n), X, reference=lambda x, n=n: special.expn(n, x), dtypes=FLOAT64) for n in (0, 1, 3)),
    Case(integrals.Expi(), X, reference=special.expi),
    Case(integrals.Exprel(), away_from_zero(7), reference=special.exprel),
    Case(integrals.Exprel(), np.array([0.0, 1e-5, -1e-3, 5.0, -20.0]), reference=special.exprel),
    Case(integrals.Log1prel(), np.array([0.0, 1e-5, -1e-3, 0.3, -0.5, 4.0]), dtypes=FLOAT64),
    Case(integrals.Spence(), np.array([1.0, 1.001, 0.3, 2.5]), reference=special.spence, dtypes=FLOAT64),
    Case(integrals.Dawsn(), normal(5), reference=special.dawsn),
    Case(integrals.Erfi(), normal(5), reference=special.erfi),
    Case(integrals.Ellipk(), np.array([0.0, 1e-3, 0.02, 0.04, 0.7, -3.0]), reference=special.ellipk, dtypes=FLOAT64),
    Case(integrals.Ellipe(), np.array([0.0, 1e-3, 0.02, 0.04, 0.7, -3.0]), reference=special.ellipe, dtypes=FLOAT64),
    Case(integrals.OwensT(), normal(5), normal(5, seed=1), reference=special.owens_t),
    Case(integrals.Zeta(), 2.5, X, reference=special.zeta, dtypes=FLOAT64),
    Case(integrals.Hyp1f1(), 0.5, 1.5, X, reference=special.hyp1f1, dtypes=FLOAT64),
    Case(integrals.Hyp2f1(), 0.5, 1.5, 2.5, between(0, 0.8, 5), reference=special.hyp2f1, dtypes=FLOAT64),
    Case(cdf.Stdtr(), X, away_from_zero(5), reference=special.stdtr, dtypes=FLOAT64),
    Case(cdf.Stdtrit(), X, between(0.1, 0.45, 5), reference=special.stdtrit, dtypes=FLOAT64),
    Case(cdf.NdtriExp(), -X, reference=special.ndtri_exp),
]
