"""``scipy.special``'s names, on tensors. Plain ``scipy.special`` ufuncs work on tensors too.

Derivatives are exact: in closed form or, for the parameters of the incomplete gamma and beta functions, by quadrature
to full precision. Asking for one that is not offered (by the order of a Bessel function) is an error.

>>> import wengert as wg
>>> from wengert.scipy import special
>>> x = wg.tensor(0.0, requires_grad=True)
>>> special.expit(x).backward()
>>> x.grad
tensor(0.25)
"""

from __future__ import annotations

import math
from typing import Any

from wengert.core.errors import DTypeError
from wengert.core.tensor import Tensor
from wengert.ops.activation import expit as expit
from wengert.ops.activation import softplus as softplus
from wengert.ops.bessel import iv as iv
from wengert.ops.bessel import ive as ive
from wengert.ops.bessel import jv as jv
from wengert.ops.bessel import k0 as k0
from wengert.ops.bessel import k0e as k0e
from wengert.ops.bessel import k1 as k1
from wengert.ops.bessel import k1e as k1e
from wengert.ops.bessel import kv as kv
from wengert.ops.bessel import kve as kve
from wengert.ops.bessel import y0 as y0
from wengert.ops.bessel import y1 as y1
from wengert.ops.bessel import yv as yv
from wengert.ops.cumulative_distributions import bdtr as bdtr
from wengert.ops.cumulative_distributions import bdtrc as bdtrc
from wengert.ops.cumulative_distributions import chdtr as chdtr
from wengert.ops.cumulative_distributions import chdtrc as chdtrc
from wengert.ops.cumulative_distributions import fdtr as fdtr
from wengert.ops.cumulative_distributions import gdtr as gdtr
from wengert.ops.cumulative_distributions import gdtrc as gdtrc
from wengert.ops.cumulative_distributions import ndtri_exp as ndtri_exp
from wengert.ops.cumulative_distributions import pdtr as pdtr
from wengert.ops.cumulative_distributions import pdtrc as pdtrc
from wengert.ops.cumulative_distributions import stdtr as stdtr
from wengert.ops.cumulative_distributions import stdtrit as stdtrit
from wengert.ops.incomplete import betainc as betainc
from wengert.ops.incomplete import betaincinv as betaincinv
from wengert.ops.incomplete import gammainc as gammainc
from wengert.ops.incomplete import gammaincc as gammaincc
from wengert.ops.incomplete import gammainccinv as gammainccinv
from wengert.ops.incomplete import gammaincinv as gammaincinv
from wengert.ops.integrals import dawsn as dawsn
from wengert.ops.integrals import ellipe as ellipe
from wengert.ops.integrals import ellipk as ellipk
from wengert.ops.integrals import erfi as erfi
from wengert.ops.integrals import exp1 as exp1
from wengert.ops.integrals import expi as expi
from wengert.ops.integrals import expn as expn
from wengert.ops.integrals import exprel as exprel
from wengert.ops.integrals import hyp1f1 as hyp1f1
from wengert.ops.integrals import hyp2f1 as hyp2f1
from wengert.ops.integrals import owens_t as owens_t
from wengert.ops.integrals import spence as spence
from wengert.ops.integrals import zeta as zeta
from wengert.ops.power import cbrt as cbrt
from wengert.ops.softmax import log_softmax as _log_softmax
from wengert.ops.softmax import logsumexp as logsumexp
from wengert.ops.softmax import softmax as _softmax
from wengert.ops.special import beta as beta
from wengert.ops.special import betaln as betaln
from wengert.ops.special import digamma as digamma
from wengert.ops.special import entr as entr
from wengert.ops.special import erf as erf
from wengert.ops.special import erfc as erfc
from wengert.ops.special import erfcinv as erfcinv
from wengert.ops.special import erfcx as erfcx
from wengert.ops.special import erfinv as erfinv
from wengert.ops.special import gamma as gamma
from wengert.ops.special import gammaln as gammaln
from wengert.ops.special import i0 as i0
from wengert.ops.special import i0e as i0e
from wengert.ops.special import i1 as i1
from wengert.ops.special import i1e as i1e
from wengert.ops.special import j0 as j0
from wengert.ops.special import j1 as j1
from wengert.ops.special import kl_div as kl_div
from wengert.ops.special import log_ndtr as log_ndtr
from wengert.ops.special import logit as logit
from wengert.ops.special import multigammaln as multigammaln
from wengert.ops.special import ndtr as ndtr
from wengert.ops.special import ndtri as ndtri
from wengert.ops.special import polygamma as polygamma
from wengert.ops.special import psi as psi
from wengert.ops.special import rel_entr as rel_entr
from wengert.ops.special import xlog1py as xlog1py
from wengert.ops.special import xlogy as xlogy
from wengert.ops.special_formulas import binom as binom
from wengert.ops.special_formulas import boxcox as boxcox
from wengert.ops.special_formulas import boxcox1p as boxcox1p
from wengert.ops.special_formulas import cosdg as cosdg
from wengert.ops.special_formulas import cosm1 as cosm1
from wengert.ops.special_formulas import exp10 as exp10
from wengert.ops.special_formulas import factorial as factorial
from wengert.ops.special_formulas import gammasgn as gammasgn
from wengert.ops.special_formulas import huber as huber
from wengert.ops.special_formulas import inv_boxcox as inv_boxcox
from wengert.ops.special_formulas import inv_boxcox1p as inv_boxcox1p
from wengert.ops.special_formulas import log_expit as log_expit
from wengert.ops.special_formulas import loggamma as loggamma
from wengert.ops.special_formulas import poch as poch
from wengert.ops.special_formulas import pseudo_huber as pseudo_huber
from wengert.ops.special_formulas import rgamma as rgamma
from wengert.ops.special_formulas import sindg as sindg
from wengert.ops.special_formulas import tandg as tandg
from wengert.ops.transcendental import exp2 as exp2
from wengert.ops.transcendental import expm1 as expm1
from wengert.ops.transcendental import log1p as log1p
from wengert.ops.transcendental import sinc as sinc

#: Names of this module that are not SciPy's.
_IMPORTS = frozenset({"annotations", "math", "Any", "DTypeError", "Tensor"})


def softmax(x: Any, axis: Any = None) -> Tensor:
    """Exponentials divided by their sum, over all elements unless ``axis`` is given, as in SciPy."""
    return _softmax(x, axis)


def log_softmax(x: Any, axis: Any = None) -> Tensor:
    """The logarithm of ``softmax``, without overflow; over all elements unless ``axis`` is given, as in SciPy."""
    return _log_softmax(x, axis)


def comb(n: Any, k: Any, exact: bool = False) -> Any:
    """The number of ways to take k of n things; an integer for integers if ``exact``."""
    if not exact:
        return binom(n, k)
    if not (hasattr(n, "__index__") and hasattr(k, "__index__")):
        raise DTypeError(f"comb: exact=True needs integers, not {n!r} and {k!r}")
    return math.comb(n, k) if 0 <= k.__index__() <= n.__index__() else 0


__all__ = sorted(name for name in globals() if not name.startswith("_") and name not in _IMPORTS)
