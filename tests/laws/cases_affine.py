from __future__ import annotations

import numpy as np

from tests.laws.samples import normal
from wengert.ops.affine import Affine, affine
from wengert.testing.laws import ALL_FLOATS, Case


def reference(x, weight, bias=None):  # type: ignore[no-untyped-def]
    product = np.matmul(x, weight.T)
    return product if bias is None else product + bias


CASES = [
    Case(Affine(), normal(5, 3), normal(4, 3), normal(4), reference=reference, dtypes=ALL_FLOATS),
    Case(Affine(), normal(2, 5, 3), normal(4, 3), normal(4), reference=reference, dtypes=ALL_FLOATS),
    Case(Affine(), normal(3), normal(4, 3), normal(4), reference=reference),
    Case(Affine(), normal(0, 3), normal(4, 3), normal(4), reference=reference),
    Case(affine, normal(5, 3), normal(4, 3), reference=reference),
]
