"""Special functions that are formulas of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor
from wengert.ops.activation import log_sigmoid
from wengert.ops.integrals import exprel, log1prel
from wengert.ops.power import cbrt
from wengert.ops.special import SPECIAL_FUNCTIONS, betaln, gamma, gammaln
from wengert.ops.transcendental import exp2, expm1, log1p

log_expit = log_sigmoid


def exp10(x: Any) -> Any:
    """10 to the power of x."""
    return np.power(10.0, as_tensor(x))


def cosm1(x: Any) -> Any:
    """cos(x) - 1, without cancellation."""
    half = np.sin(as_tensor(x) * 0.5)
    return -2.0 * half * half


def gammasgn(x: Any) -> Any:
    """The sign of the gamma function."""
    x = as_tensor(x)
    odd = np.remainder(np.floor(x), 2) != 0
    return np.where((x < 0) & odd, -1.0, 1.0).astype(x.dtype)


def loggamma(x: Any) -> Tensor:
    """The logarithm of the gamma function of positive numbers."""
    return gammaln(x)


def rgamma(x: Any) -> Any:
    """1 / Gamma(x)."""
    return 1.0 / gamma(x)


def factorial(n: Any) -> Tensor:
    """Gamma(n + 1)."""
    return gamma(np.add(n, 1.0))


def poch(z: Any, m: Any) -> Any:
    """Pochhammer's symbol Gamma(z + m) / Gamma(z) of positive numbers."""
    return np.exp(gammaln(np.add(z, m)) - gammaln(z))


def binom(n: Any, k: Any) -> Any:
    """The binomial coefficient of real numbers 0 <= k <= n."""
    return np.exp(-np.log1p(as_tensor(n)) - betaln(np.subtract(n, k) + 1.0, np.add(k, 1.0)))


def boxcox(x: Any, lmbda: Any) -> Any:
    """Box and Cox's transformation (x^lambda - 1) / lambda, log(x) for lambda = 0; smooth there in both arguments."""
    logs = np.log(as_tensor(x))
    return logs * exprel(lmbda * logs)


def boxcox1p(x: Any, lmbda: Any) -> Any:
    """Box and Cox's transformation of 1 + x."""
    logs = np.log1p(as_tensor(x))
    return logs * exprel(lmbda * logs)


def inv_boxcox(y: Any, lmbda: Any) -> Any:
    """The inverse of ``boxcox``."""
    y = as_tensor(y)
    return np.exp(y * log1prel(lmbda * y))


def inv_boxcox1p(y: Any, lmbda: Any) -> Any:
    """The inverse of ``boxcox1p``."""
    y = as_tensor(y)
    return np.expm1(y * log1prel(lmbda * y))


def huber(delta: Any, r: Any) -> Any:
    """Huber's loss: r^2 / 2 up to |r| = delta, linear beyond."""
    size = np.abs(as_tensor(r))
    return np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * as_tensor(delta)))


def pseudo_huber(delta: Any, r: Any) -> Any:
    """The smooth approximation delta^2 (sqrt(1 + (r / delta)^2) - 1) of Huber's loss."""
    ratio = np.square(as_tensor(r) / delta)
    # sqrt(1 + s) - 1 without cancellation.
    return delta * delta * ratio / (np.sqrt(1 + ratio) + 1)


def _degrees(x: Any) -> Any:
    return np.deg2rad(as_tensor(x))


def sindg(x: Any) -> Any:
    """The sine of an angle in degrees."""
    return np.sin(_degrees(x))


def cosdg(x: Any) -> Any:
    """The cosine of an angle in degrees."""
    return np.cos(_degrees(x))


def tandg(x: Any) -> Any:
    """The tangent of an angle in degrees."""
    return np.tan(_degrees(x))


SPECIAL_FUNCTIONS |= {
    "binom": binom,
    "boxcox": boxcox,
    "boxcox1p": boxcox1p,
    "cbrt": cbrt,
    "cosdg": cosdg,
    "cosm1": cosm1,
    "exp10": exp10,
    "exp2": exp2,
    "expm1": expm1,
    "gammasgn": gammasgn,
    "huber": huber,
    "inv_boxcox": inv_boxcox,
    "inv_boxcox1p": inv_boxcox1p,
    "log1p": log1p,
    "log_expit": log_expit,
    "loggamma": loggamma,
    "poch": poch,
    "pseudo_huber": pseudo_huber,
    "rgamma": rgamma,
    "sindg": sindg,
    "tandg": tandg,
}
