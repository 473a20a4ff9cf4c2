from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from tests.laws.samples import between, normal
from wengert.ops.interpolation import Segment, interp, interpolate
from wengert.testing.laws import Case

POINTS = np.array([-1.0, 0.2, 0.9, 2.0])
INSIDE = np.array([[-0.7, 0.0, 0.5], [1.2, 1.9, 0.3]])
OUTSIDE = np.array([-2.0, 0.5, 3.0])

#: NumPy's interp computes in double precision; ours keeps the operands' dtype, as everything does here.
DOUBLE = ("float64",)


def zoomed(x: Any, size: Any, mode: str, align_corners: bool) -> Any:
    zoom = (1, 1, *(m / n for m, n in zip(size, x.shape[2:], strict=True)))
    return ndimage.zoom(x, zoom, order=1, grid_mode=not align_corners, mode="nearest")


CASES = [
    Case(Segment(), between(-2, 3, 5), POINTS),
    Case(interp, INSIDE, POINTS, normal(4), reference=np.interp, dtypes=DOUBLE),
    Case(interp, INSIDE, POINTS, normal(4)),
    Case(interp, OUTSIDE, POINTS, normal(4), reference=np.interp, dtypes=DOUBLE),
    Case(interp, OUTSIDE, POINTS, normal(4), kwargs={"left": 7.0, "right": -1.0}, reference=np.interp, dtypes=DOUBLE),
    Case(
        interp,
        OUTSIDE,
        np.array([0.1, 0.9, 1.4]),
        normal(3),
        kwargs={"period": 1.5},
        reference=np.interp,
        dtypes=DOUBLE,
        skip={"batching": "the points are sorted, and argsort of a batch is tested with sorting"},
    ),
    Case(interp, OUTSIDE, np.array([0.5]), normal(1), reference=np.interp, dtypes=DOUBLE),
    Case(interp, normal(0), POINTS, normal(4), reference=np.interp, dtypes=DOUBLE),
    Case(interpolate, normal(2, 3, 4), kwargs={"size": 7}),
    Case(interpolate, normal(1, 2, 3, 4), kwargs={"scale_factor": 2, "mode": "nearest"}),
    Case(
        interpolate,
        normal(1, 2, 3, 4),
        kwargs={"size": (6, 8), "mode": "bilinear", "align_corners": False},
        reference=zoomed,
    ),
    Case(
        interpolate,
        normal(1, 2, 3, 4),
        kwargs={"size": (5, 3), "mode": "bilinear", "align_corners": True},
        reference=zoomed,
    ),
    Case(interpolate, normal(1, 2, 3), kwargs={"size": 5, "mode": "linear"}),
    Case(interpolate, normal(1, 1, 2, 2, 2), kwargs={"size": 3, "mode": "trilinear"}),
]
