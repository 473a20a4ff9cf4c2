"""``scipy.special``'s names, on tensors. Plain ``scipy.special`` ufuncs work on tensors too.

>>> import wengert as wg
>>> from wengert.scipy import special
>>> x = wg.tensor(0.0, requires_grad=True)
>>> special.expit(x).backward()
>>> x.grad
tensor(0.25)
"""

from __future__ import annotations

from typing import Any

from wengert.core.tensor import Tensor
from wengert.ops.activation import log_sigmoid as log_expit  # noqa: F401
from wengert.ops.incomplete import betainc as betainc
from wengert.ops.incomplete import betaincinv as betaincinv
from wengert.ops.incomplete import gammainc as gammainc
from wengert.ops.incomplete import gammaincc as gammaincc
from wengert.ops.incomplete import gammainccinv as gammainccinv
from wengert.ops.incomplete import gammaincinv as gammaincinv
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
from wengert.ops.special import expit as expit
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


def softmax(x: Any, axis: Any = None) -> Tensor:
    """Exponentials divided by their sum, over all elements unless ``axis`` is given, as in SciPy."""
    return _softmax(x, axis)


def log_softmax(x: Any, axis: Any = None) -> Tensor:
    """The logarithm of ``softmax``, without overflow; over all elements unless ``axis`` is given, as in SciPy."""
    return _log_softmax(x, axis)
