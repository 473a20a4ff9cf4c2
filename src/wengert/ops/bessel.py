"""Bessel functions of real order (DLMF chapter 10), differentiable in the argument."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.lazy import LazyModule
from wengert.core.primitive import NotDifferentiable
from wengert.core.types import Array
from wengert.ops.families import Elementwise
from wengert.ops.protocol import operator
from wengert.ops.special import SPECIAL_FUNCTIONS

special: Any = LazyModule("scipy.special")

_ORDER = NotDifferentiable("the derivative of a Bessel function by its order has no closed form")


class K0(Elementwise):
    """Modified Bessel function of the second kind, order 0."""

    def value(self, x: Any) -> Any:
        return special.k0(x)

    def partial_x(self, x: Array) -> Array:
        return -K1()(x)


class K1(Elementwise):
    """Modified Bessel function of the second kind, order 1."""

    def value(self, x: Any) -> Any:
        return special.k1(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        return -K0()(x) - out / x


class K0e(Elementwise):
    """exp(x) K0(x)."""

    def value(self, x: Any) -> Any:
        return special.k0e(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        return out - K1e()(x)


class K1e(Elementwise):
    """exp(x) K1(x)."""

    def value(self, x: Any) -> Any:
        return special.k1e(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        return out - K0e()(x) - out / x


class Y0(Elementwise):
    """Bessel function of the second kind, order 0."""

    def value(self, x: Any) -> Any:
        return special.y0(x)

    def partial_x(self, x: Array) -> Array:
        return -Y1()(x)


class Y1(Elementwise):
    """Bessel function of the second kind, order 1."""

    def value(self, x: Any) -> Any:
        return special.y1(x)

    def partial_x(self, x: Array, out: Array) -> Array:
        return Y0()(x) - out / x


class Jv(Elementwise):
    """Bessel function of the first kind, order v."""

    vjp_v = _ORDER

    def value(self, v: Any, x: Any) -> Any:
        return special.jv(v, x)

    def partial_x(self, v: Array, x: Array) -> Array:
        return 0.5 * (Jv()(v - 1, x) - Jv()(v + 1, x))


class Yv(Elementwise):
    """Bessel function of the second kind, order v."""

    vjp_v = _ORDER

    def value(self, v: Any, x: Any) -> Any:
        return special.yv(v, x)

    def partial_x(self, v: Array, x: Array) -> Array:
        return 0.5 * (Yv()(v - 1, x) - Yv()(v + 1, x))


class Iv(Elementwise):
    """Modified Bessel function of the first kind, order v."""

    vjp_v = _ORDER

    def value(self, v: Any, x: Any) -> Any:
        return special.iv(v, x)

    def partial_x(self, v: Array, x: Array) -> Array:
        return 0.5 * (Iv()(v - 1, x) + Iv()(v + 1, x))


class Ive(Elementwise):
    """exp(-|x|) Iv(x)."""

    vjp_v = _ORDER

    def value(self, v: Any, x: Any) -> Any:
        return special.ive(v, x)

    def partial_x(self, v: Array, x: Array, out: Array) -> Array:
        return 0.5 * (Ive()(v - 1, x) + Ive()(v + 1, x)) - np.sign(x) * out


class Kv(Elementwise):
    """Modified Bessel function of the second kind, order v."""

    vjp_v = _ORDER

    def value(self, v: Any, x: Any) -> Any:
        return special.kv(v, x)

    def partial_x(self, v: Array, x: Array) -> Array:
        return -0.5 * (Kv()(v - 1, x) + Kv()(v + 1, x))


class Kve(Elementwise):
    """exp(x) Kv(x)."""

    vjp_v = _ORDER

    def value(self, v: Any, x: Any) -> Any:
        return special.kve(v, x)

    def partial_x(self, v: Array, x: Array, out: Array) -> Array:
        return out - 0.5 * (Kve()(v - 1, x) + Kve()(v + 1, x))


k0, k0e, k1, k1e = operator(K0()), operator(K0e()), operator(K1()), operator(K1e())
y0, y1 = operator(Y0()), operator(Y1())
jv, yv, iv, ive, kv, kve = (operator(one) for one in (Jv(), Yv(), Iv(), Ive(), Kv(), Kve()))

SPECIAL_FUNCTIONS |= {
    "iv": iv,
    "ive": ive,
    "jv": jv,
    "k0": k0,
    "k0e": k0e,
    "k1": k1,
    "k1e": k1e,
    "kv": kv,
    "kve": kve,
    "y0": y0,
    "y1": y1,
    "yv": yv,
}
