"""Comparisons, predicates and logic: operations whose results are truth values."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.levels import as_tensor, bottom
from wengert.core.tensor import Tensor
from wengert.ops.families import Elementwise
from wengert.ops.protocol import implements, operator


class Predicate(Elementwise, abstract=True):
    """An elementwise operation with results that are not differentiated."""

    differentiable = False


class Equal(Predicate):
    """Elementwise ``x == y``."""

    commutative = True
    value = np.equal


class NotEqual(Predicate):
    """Elementwise ``x != y``."""

    commutative = True
    value = np.not_equal


class Less(Predicate):
    """Elementwise ``x < y``."""

    value = np.less


class LessEqual(Predicate):
    """Elementwise ``x <= y``."""

    value = np.less_equal


class Greater(Predicate):
    """Elementwise ``x > y``."""

    value = np.greater


class GreaterEqual(Predicate):
    """Elementwise ``x >= y``."""

    value = np.greater_equal


class LogicalAnd(Predicate):
    """Whether both are true (not zero)."""

    commutative = True
    value = np.logical_and


class LogicalOr(Predicate):
    """Whether at least one is true (not zero)."""

    commutative = True
    value = np.logical_or


class LogicalXor(Predicate):
    """Whether exactly one is true (not zero)."""

    commutative = True
    value = np.logical_xor


class LogicalNot(Predicate):
    """Whether the operand is zero (false)."""

    value = np.logical_not


class Isnan(Predicate):
    """Whether a number is NaN."""

    value = np.isnan


class Isinf(Predicate):
    """Whether a number is an infinity of either sign."""

    value = np.isinf


class Isfinite(Predicate):
    """Whether a number is neither NaN nor an infinity."""

    value = np.isfinite


class Signbit(Predicate):
    """Whether the sign bit is set: true for negative numbers and for -0.0."""

    value = np.signbit


class Isposinf(Predicate):
    """Whether a real number is positive infinity."""

    def value(self, x: Any) -> Any:
        return np.isposinf(x)


class Isneginf(Predicate):
    """Whether a real number is negative infinity."""

    def value(self, x: Any) -> Any:
        return np.isneginf(x)


class Isreal(Predicate):
    """Whether the imaginary part is zero; true for real numbers."""

    def value(self, x: Any) -> Any:
        return np.isreal(x)


class Iscomplex(Predicate):
    """Whether the imaginary part is not zero; false for real numbers."""

    def value(self, x: Any) -> Any:
        return np.iscomplex(x)


class Isclose(Predicate):
    """Whether two numbers are equal within a tolerance."""

    rtol: float = 1e-5
    atol: float = 1e-8
    equal_nan: bool = False

    def value(self, x: Any, y: Any) -> Any:
        return np.isclose(x, y, self.rtol, self.atol, self.equal_nan)


equal = operator(Equal())
not_equal = operator(NotEqual())
less = operator(Less())
less_equal = operator(LessEqual())
greater = operator(Greater())
greater_equal = operator(GreaterEqual())
logical_and = operator(LogicalAnd())
logical_or = operator(LogicalOr())
logical_xor = operator(LogicalXor())
logical_not = operator(LogicalNot())
isnan = operator(Isnan())
isinf = operator(Isinf())
isfinite = operator(Isfinite())
signbit = operator(Signbit())
isposinf = operator(Isposinf(), np.isposinf)
isneginf = operator(Isneginf(), np.isneginf)
isreal = operator(Isreal(), np.isreal)
iscomplex = operator(Iscomplex(), np.iscomplex)


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether ``abs(a - b) <= atol + rtol * abs(b)``, elementwise. NaNs are equal only with ``equal_nan``.

    >>> import wengert as wg
    >>> wg.isclose(wg.tensor([1.0, 2.0]), [1.0 + 1e-9, 2.1])
    tensor([ True, False])
    """
    return apply(Isclose(float(rtol), float(atol), bool(equal_nan)), a, b)


@implements(np.allclose)
def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are equal within a tolerance, as a Python bool; see ``isclose``."""
    return bool(bottom(isclose(a, b, rtol, atol, equal_nan)).all())


@implements(np.array_equal)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """Whether two tensors have the same shape and the same elements, as a Python bool.

    >>> import wengert as wg
    >>> wg.array_equal(wg.tensor([1.0, 2.0]), [1, 2]), wg.array_equal(wg.tensor([1.0]), [1.0, 1.0])
    (True, False)
    """
    return bool(np.array_equal(bottom(as_tensor(a1)), bottom(as_tensor(a2)), equal_nan))


@implements(np.array_equiv)
def array_equiv(a1: Any, a2: Any) -> bool:
    """Whether two tensors have the same elements after broadcasting one to the other, as a Python bool."""
    return bool(np.array_equiv(bottom(as_tensor(a1)), bottom(as_tensor(a2))))
