from __future__ import annotations

import numpy as np

from tests.laws.samples import booleans, integers
from wengert.ops import bitwise as ops
from wengert.testing.laws import Case

CASES = [
    *[
        case
        for operation, reference in (
            (ops.BitwiseAnd(), np.bitwise_and),
            (ops.BitwiseOr(), np.bitwise_or),
            (ops.BitwiseXor(), np.bitwise_xor),
        )
        for case in (
            Case(operation, integers(-9, 9, 2, 3), integers(0, 9, 3), reference=reference),
            Case(operation, booleans(5), booleans(5, seed=1), reference=reference),
        )
    ],
    Case(ops.BitwiseNot(), integers(-9, 9, 2, 3), reference=np.invert),
    Case(ops.BitwiseNot(), booleans(5), reference=np.invert),
    Case(ops.LeftShift(), integers(-9, 9, 2, 3), integers(0, 5, 3), reference=np.left_shift),
    Case(ops.RightShift(), integers(-9, 9, 2, 3), 2, reference=np.right_shift),
    Case(ops.BitwiseCount(), integers(-9, 99, 2, 3), reference=np.bitwise_count),
    Case(ops.Gcd(), integers(0, 40, 2, 3), integers(0, 40, 3), reference=np.gcd),
    Case(ops.Lcm(), integers(0, 40, 2, 3), 6, reference=np.lcm),
]
