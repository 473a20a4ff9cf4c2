from __future__ import annotations

from scipy import special

from tests.laws.samples import away_from_zero, between, normal, positive
from wengert.ops import special as s
from wengert.testing.laws import Case

CASES = [
    Case(s.Erf(), normal(3, 4), reference=special.erf),
    Case(s.Erfc(), normal(3, 4), reference=special.erfc),
    Case(s.Erfcx(), normal(3, 4), reference=special.erfcx),
    Case(s.Erfinv(), between(-0.9, 0.9, 5), reference=special.erfinv),
    Case(s.Erfcinv(), between(0.1, 1.9, 5), reference=special.erfcinv),
    Case(s.Ndtri(), between(0.1, 0.9, 5), reference=special.ndtri),
    Case(s.LogNdtr(), normal(5), reference=special.log_ndtr),
    Case(s.Gammaln(), positive(3, 4), reference=special.gammaln),
    Case(s.Gamma(), positive(5), reference=special.gamma),
    Case(s.Polygamma(0), positive(5), reference=special.psi),
    Case(s.Polygamma(2), positive(5), reference=lambda x: special.polygamma(2, x).astype(x.dtype)),
    Case(s.I0(), normal(5), reference=special.i0),
    Case(s.I1(), away_from_zero(5), reference=special.i1),
    Case(s.I0e(), away_from_zero(5), reference=special.i0e),
    Case(s.I1e(), away_from_zero(5), reference=special.i1e),
    Case(s.J0(), away_from_zero(5), reference=special.j0),
    Case(s.J1(), away_from_zero(5), reference=special.j1),
    Case(s.Xlogy(), positive(3, 4), positive(4, seed=1), reference=special.xlogy),
    Case(s.Xlog1py(), positive(3, 4), positive(4, seed=1), reference=special.xlog1py),
    Case(s.Entr(), positive(5), reference=special.entr),
    Case(s.Betaln(), positive(3), positive(3, seed=1), reference=special.betaln),
    Case(s.beta, positive(3), positive(3, seed=1), reference=special.beta),
    Case(s.logit, between(0, 1, 5), reference=special.logit),
    Case(s.rel_entr, positive(5), positive(5, seed=1), reference=special.rel_entr),
    Case(s.kl_div, positive(5), positive(5, seed=1), reference=special.kl_div),
    Case(s.multigammaln, positive(3) + 2, 2, dtypes=["float64"], reference=lambda a, d: special.multigammaln(a, d)),
]
