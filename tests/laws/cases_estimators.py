"""Law cases of the operations that change a derivative on purpose."""

from __future__ import annotations

import numpy as np

from tests.laws.samples import away_from_zero, normal
from wengert.testing.laws import ALL_FLOATS, REAL, Case
from wengert.transforms.checkpoint_policies import Name
from wengert.transforms.estimators import ClipGradient, ClipGradientNorm, ScaleGradient, StopGradient, Substitute

CHANGED = dict.fromkeys(("forward", "second_order"), "the derivative is not the value's, on purpose")
NONLINEAR = CHANGED | {"adjoint": "clipping a cotangent is not linear; forward mode sees the identity"}


def identity(x: np.ndarray) -> np.ndarray:
    return x


CASES = [
    Case(StopGradient(), normal(3, 4), reference=identity, dtypes=ALL_FLOATS),
    Case(Name("hidden"), normal(3, 4), reference=identity, dtypes=ALL_FLOATS),
    Case(ScaleGradient(-1.0), normal(3, 4), reference=identity, dtypes=ALL_FLOATS, skip=CHANGED),
    Case(ScaleGradient(0.5), normal(), reference=identity, dtypes=ALL_FLOATS, skip=CHANGED),
    Case(ClipGradient(-0.1, 0.1), normal(3, 4), reference=identity, dtypes=REAL, skip=NONLINEAR),
    Case(ClipGradientNorm(0.1, 2), normal(3, 4), reference=identity, dtypes=ALL_FLOATS, skip=NONLINEAR),
    Case(
        Substitute(),
        normal(3, 4),
        np.sign(normal(3, 4)),
        away_from_zero(3, 4),
        reference=lambda x, y, slope: y,
        dtypes=ALL_FLOATS,
        skip=CHANGED,
    ),
]
