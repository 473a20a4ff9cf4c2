"""Absolute value and sign, and the parts of complex numbers.

The gradient of a real loss with respect to a complex operand is ``dL/dRe + i dL/dIm``. None of these functions is
holomorphic on complex numbers, so each gives its pullback and pushforward rather than a derivative.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.levels import as_tensor, bottom
from wengert.core.tensor import Tensor
from wengert.core.types import Array
from wengert.ops.families import Elementwise
from wengert.ops.protocol import implements, operator


class Abs(Elementwise):
    """Absolute value (alias ``absolute``); of a complex number a real one. The gradient at 0 is 0.

    >>> import wengert as wg
    >>> z = wg.tensor([3 + 4j], requires_grad=True)
    >>> wg.abs(z).sum().backward()
    >>> z.grad
    tensor([0.6+0.8j])
    """

    idempotent = True
    value = np.absolute

    def vjp_x(self, g: Array, x: Array) -> Array:
        return g * np.sign(x)

    def jvp_x(self, t: Array, x: Array) -> Array:
        return np.real(np.conj(np.sign(x)) * t) if t.dtype.kind == "c" else t * np.sign(x)


class Fabs(Elementwise):
    """Absolute value of real numbers, as floating-point numbers. The gradient at 0 is 0."""

    value = np.fabs

    def partial_x(self, x: Array) -> Array:
        return np.sign(x)


class Sign(Elementwise):
    """-1, 0 or 1 for a real number, with derivative zero; ``x / abs(x)`` (0 at 0) for a complex one."""

    idempotent = True
    value = np.sign

    def vjp_x(self, g: Array, x: Array) -> Array:
        # The derivative is a projection: of a step only the part along the circle turns the sign. It is symmetric, so
        # pullback and pushforward are the same map.
        if g.dtype.kind != "c":
            return None
        direction, size = np.sign(x), np.abs(x)
        across = g - direction * np.real(np.conj(direction) * g)
        return across * (size != 0) / np.where(size == 0, 1, size)


class Real(Elementwise):
    """The real part; a real tensor as it is.

    >>> import wengert as wg
    >>> wg.real(wg.tensor([1 + 2j]))
    tensor([1.])
    """

    idempotent = True
    aliases = True

    def value(self, x: Any) -> Any:
        return np.real(x)

    def vjp_x(self, g: Array) -> Array:
        return g

    def jvp_x(self, t: Array) -> Array:
        return np.real(t)


class Imag(Elementwise):
    """The imaginary part; zeros for a real tensor."""

    aliases = True

    def value(self, x: Any) -> Any:
        return np.imag(x)

    def vjp_x(self, g: Array) -> Array:
        return g * 1j

    def jvp_x(self, t: Array) -> Array:
        return np.imag(t)


class Conjugate(Elementwise):
    """The complex conjugate (alias ``conj``)."""

    involution = True
    short_name = "Conj"
    value = np.conjugate

    def vjp_x(self, g: Array) -> Array:
        return np.conj(g)


class Angle(Elementwise):
    """The angle of a complex number; 0 or pi for a real one, with derivative zero."""

    deg: bool = False

    def value(self, x: Any) -> Any:
        return np.angle(x, self.deg)

    @property
    def unit(self) -> float:
        """The result of a radian."""
        return 180 / math.pi if self.deg else 1.0

    # d angle = Im(dx / x), which is taken as 0 at 0.
    def vjp_x(self, g: Array, x: Array) -> Array:
        if x.dtype.kind != "c":
            return None
        return g * (1j * self.unit) * (x != 0) / np.conj(np.where(x == 0, 1, x))

    def jvp_x(self, t: Array, x: Array) -> Array:
        if x.dtype.kind != "c":
            return None
        return np.imag(t / np.where(x == 0, 1, x)) * (x != 0) * self.unit


abs = absolute = operator(Abs(), np.abs)
fabs = operator(Fabs())
sign = operator(Sign())
real = operator(Real(), np.real)
imag = operator(Imag(), np.imag)
conjugate = conj = operator(Conjugate())


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Tensor:
    """The angle of a complex number in (-pi, pi], or in degrees; 0 or pi for a real number.

    The gradient at 0 is 0, and zero for real operands.

    >>> import wengert as wg
    >>> wg.angle(wg.tensor([1j, -1 + 0j]), deg=True)
    tensor([ 90., 180.])
    """
    return apply(Angle(bool(deg)), z)


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Tensor:
    """The real part if every imaginary part is smaller than ``tol`` machine epsilons (or than ``tol`` itself, if that
    is at most 1), else the tensor as it is."""
    a = as_tensor(a)
    if a.dtype.kind != "c":
        return a
    bound = tol * float(np.finfo(a.dtype).eps) if tol > 1 else tol
    return real(a) if bool(np.all(np.absolute(bottom(a).imag) < bound)) else a
