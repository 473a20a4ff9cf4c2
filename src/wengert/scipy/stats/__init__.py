"""``scipy.stats``' distributions on tensors, differentiable in numbers and parameters.

A distribution is called with its parameters, or its methods take them: ``norm(1.0, 2.0).logpdf(x)`` is
``norm.logpdf(x, 1.0, 2.0)``. Names, order and meaning of the parameters are SciPy's. What has no exact formula (the
distribution function of ``vonmises``) is an error that says so.

>>> import wengert as wg
>>> from wengert.scipy.stats import gamma
>>> a = wg.tensor(2.0, requires_grad=True)
>>> gamma.cdf(1.5, a, scale=2.0).backward(); round(a.grad.item(), 6)
-0.225406
"""

from __future__ import annotations

from wengert.scipy.stats import continuous as _continuous
from wengert.scipy.stats import discrete as _discrete
from wengert.scipy.stats import multivariate as _multivariate
from wengert.scipy.stats import positive as _positive

norm = _continuous.Norm("norm")
t = _continuous.T("t")
beta = _continuous.Beta("beta")
gamma = _positive.Gamma("gamma")
chi2 = _positive.Chi2("chi2")
invgamma = _positive.InvGamma("invgamma")
f = _positive.F("f")
expon = _positive.Expon("expon")
uniform = _continuous.Uniform("uniform")
laplace = _continuous.Laplace("laplace")
logistic = _continuous.Logistic("logistic")
lognorm = _positive.LogNorm("lognorm")
cauchy = _continuous.Cauchy("cauchy")
halfcauchy = _positive.HalfCauchy("halfcauchy")
halfnorm = _positive.HalfNorm("halfnorm")
gumbel_r = _continuous.GumbelR("gumbel_r")
gumbel_l = _continuous.GumbelL("gumbel_l")
weibull_min = _positive.WeibullMin("weibull_min")
pareto = _positive.Pareto("pareto")
rayleigh = _positive.Rayleigh("rayleigh")
truncnorm = _continuous.TruncNorm("truncnorm")
vonmises = _continuous.VonMises("vonmises")

poisson = _discrete.Poisson("poisson")
binom = _discrete.Binom("binom")
bernoulli = _discrete.Bernoulli("bernoulli")
geom = _discrete.Geom("geom")
nbinom = _discrete.NBinom("nbinom")
betabinom = _discrete.BetaBinom("betabinom")

multivariate_normal = _multivariate.MultivariateNormal("multivariate_normal")
multivariate_t = _multivariate.MultivariateT("multivariate_t")
dirichlet = _multivariate.Dirichlet("dirichlet")
multinomial = _multivariate.Multinomial("multinomial")
