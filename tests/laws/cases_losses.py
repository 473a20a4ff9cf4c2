from __future__ import annotations

import numpy as np

from tests.laws.samples import integers, normal
from wengert.ops.losses import ClassCrossEntropy
from wengert.testing.laws import Case


def reference(x, target):  # type: ignore[no-untyped-def]
    logs = x - np.log(np.exp(x).sum(-1, keepdims=True))
    return -np.take_along_axis(logs, target[..., None], -1)[..., 0]


CASES = [
    Case(ClassCrossEntropy(), normal(5, 4), integers(0, 4, 5), reference=reference),
    Case(ClassCrossEntropy(), normal(2, 3, 4), integers(0, 4, 2, 3), reference=reference),
    Case(ClassCrossEntropy(), normal(4), integers(0, 4), reference=reference),
]
