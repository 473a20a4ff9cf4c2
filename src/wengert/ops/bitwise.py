"""Operations on integers: bits, shifts and divisors. None is differentiable."""

from __future__ import annotations

import numpy as np

from wengert.ops.comparison import Predicate
from wengert.ops.protocol import operator


class BitwiseAnd(Predicate):
    """Bits set in both operands (Python's ``&``); for booleans the logical and."""

    commutative = True
    value = np.bitwise_and


class BitwiseOr(Predicate):
    """Bits set in at least one operand (Python's ``|``); for booleans the logical or."""

    commutative = True
    value = np.bitwise_or


class BitwiseXor(Predicate):
    """Bits set in exactly one operand (Python's ``^``); for booleans the exclusive or."""

    commutative = True
    value = np.bitwise_xor


class BitwiseNot(Predicate):
    """Every bit inverted (Python's ``~``; aliases ``invert``, ``bitwise_invert``); for booleans the negation."""

    value = np.invert


class LeftShift(Predicate):
    """Bits shifted to the left (Python's ``<<``; alias ``bitwise_left_shift``)."""

    value = np.left_shift


class RightShift(Predicate):
    """Bits shifted to the right (Python's ``>>``; alias ``bitwise_right_shift``)."""

    value = np.right_shift


class BitwiseCount(Predicate):
    """How many bits of the absolute value are set.

    >>> import wengert as wg
    >>> wg.bitwise_count(wg.tensor([0, 1, 255]))
    tensor([0, 1, 8], dtype=uint8)
    """

    value = np.bitwise_count


class Gcd(Predicate):
    """Greatest common divisor of integers."""

    commutative = True
    value = np.gcd


class Lcm(Predicate):
    """Least common multiple of integers."""

    commutative = True
    value = np.lcm


bitwise_and = operator(BitwiseAnd())
bitwise_or = operator(BitwiseOr())
bitwise_xor = operator(BitwiseXor())
bitwise_not = bitwise_invert = invert = operator(BitwiseNot())
left_shift = bitwise_left_shift = operator(LeftShift())
right_shift = bitwise_right_shift = operator(RightShift())
bitwise_count = operator(BitwiseCount())
gcd = operator(Gcd())
lcm = operator(Lcm())
