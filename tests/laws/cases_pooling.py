from __future__ import annotations

import numpy as np

from tests.laws.samples import distinct, integers, normal
from wengert.ops import embedding as e
from wengert.ops import interpolation as i
from wengert.ops import pooling as p
from wengert.testing.laws import Case

PLAIN = ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1), False)
WIDE = ((3, 2), (2, 1), ((1, 1), (0, 0)), (1, 2), False)
IMAGE = distinct(2, 3, 6, 6)
OFFSETS = integers(0, 4, 2, 3, 3, 3).astype("uint8")

CASES = [
    Case(p.MaxPool(*PLAIN), IMAGE),
    Case(p.MaxPool(*WIDE), IMAGE),
    Case(p.MaxPoolOffsets(*PLAIN), IMAGE),
    Case(p.WindowPick(*PLAIN), IMAGE, OFFSETS),
    Case(p.WindowPlace(*PLAIN, (6, 6)), normal(2, 3, 3, 3), OFFSETS),
    Case(p.AvgPool(*PLAIN, True), IMAGE),
    Case(p.AvgPool(*WIDE, False), IMAGE),
    Case(p.AvgPoolTranspose(*PLAIN, True, (6, 6)), normal(2, 3, 3, 3)),
    Case(p.Unfold(*PLAIN), IMAGE),
    Case(p.max_pool1d, distinct(2, 3, 8), 2),
    Case(p.avg_pool2d, normal(1, 2, 5, 5), 2),
    Case(p.adaptive_avg_pool2d, normal(2, 3, 5, 7), (2, 3)),
    Case(p.adaptive_max_pool2d, distinct(2, 3, 5, 7), (2, 3)),
    Case(e.OneHot(4, "float64"), integers(0, 4, 3), reference=lambda k: np.eye(4)[k]),
    Case(e.Embedding(-1), integers(0, 4, 2, 3), normal(4, 5), reference=lambda k, w: w[k]),
    Case(e.EmbeddingGradient(4, -1), integers(0, 4, 2, 3), normal(2, 3, 5)),
    Case(i.Segment(), normal(5), np.array([-1.0, 0.1, 0.7])),
    Case(i.interp, normal(6), np.array([-1.0, 0.1, 0.7]), normal(3), reference=np.interp, dtypes=["float64"]),
]
