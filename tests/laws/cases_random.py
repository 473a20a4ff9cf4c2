from __future__ import annotations

import numpy as np

from tests.laws.samples import between, positive
from wengert.ops.draws import RandomBinomial, RandomGamma, RandomLogGamma, RandomPoisson
from wengert.ops.random_ import (
    DropoutMask,
    FoldIn,
    RandomExponential,
    RandomIntegers,
    RandomNormal,
    RandomPermutation,
    RandomUniform,
    SplitKey,
)
from wengert.testing.laws import Case

KEY = np.array([3, 5], np.uint64)
KEYS = np.array([[3, 5], [7, 1], [2, 9]], np.uint64)

#: The derivative keeps the place in the distribution, not what the algorithm does with its bits; tests/test_random.py
#: compares it with the distribution function's.
IMPLICIT = {"forward": "implicit reparameterisation", "second_order": "implicit reparameterisation"}

CASES = [
    *(Case(SplitKey(4), key) for key in (KEY, KEYS)),
    Case(FoldIn(), KEY, 3),
    Case(FoldIn(), KEY, np.arange(4)),
    Case(FoldIn(), KEYS, np.arange(3, dtype=np.uint8)),
    *(Case(RandomUniform((2, 3), dtype), key) for dtype in ("float64", "float32", "float16") for key in (KEY, KEYS)),
    *(Case(RandomNormal((2, 3), dtype), key) for dtype in ("float64", "float32", "complex64") for key in (KEY, KEYS)),
    *(Case(RandomExponential((), dtype), key) for dtype in ("float64", "float32") for key in (KEY, KEYS)),
    *(Case(RandomIntegers((5,), "int32", -3, 9), key) for key in (KEY, KEYS)),
    *(Case(RandomPermutation((6,), "int64"), key) for key in (KEY, KEYS)),
    *(
        Case(kind((2, 3), dtype), KEY, positive(3), skip=IMPLICIT, dtypes=[dtype])
        for kind in (RandomGamma, RandomLogGamma)
        for dtype in ("float64", "float32")
    ),
    Case(RandomBinomial((2, 3), "int64", 7), KEY, between(0.0, 1.0, 3)),
    Case(RandomPoisson((2, 3), "int64"), KEY, positive(3)),
    *(Case(DropoutMask((4, 2), "float32", 0.5), key) for key in (KEY, KEYS)),
]
