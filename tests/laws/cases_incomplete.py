from __future__ import annotations

from scipy import special

from tests.laws.samples import between, positive
from wengert.ops import incomplete as s
from wengert.testing.laws import Case

FLOAT64 = ["float64"]
A, B, X, P = positive(5), positive(5, seed=1), positive(5, seed=2), between(0.1, 0.9, 5)

CASES = [
    Case(s.Gammainc(), A, X, reference=special.gammainc),
    Case(s.Gammaincc(), A, X, reference=special.gammaincc),
    Case(s.Gammaincinv(), A, P, reference=special.gammaincinv, dtypes=FLOAT64),
    Case(s.Gammainccinv(), A, P, reference=special.gammainccinv, dtypes=FLOAT64),
    *(Case(s.GammaincByShape(order), A, X) for order in (1, 2)),
    Case(s.Betainc(), A, B, P, reference=special.betainc),
    Case(s.Betaincinv(), A, B, P, reference=special.betaincinv, dtypes=FLOAT64),
    *(Case(s.BetaincByShape(*orders), A, B, P) for orders in ((1, 0), (0, 1), (1, 1))),
]
