from __future__ import annotations

import numpy as np

from tests.laws.samples import distinct, normal, positive
from wengert.ops import statistics as s
from wengert.testing.laws import Case

GAPS = np.where(np.arange(12).reshape(3, 4) % 5 == 2, np.nan, distinct(3, 4))
NO_DIFFERENCES = dict.fromkeys(
    ["forward", "second_order", "adjoint"], "directions that move a NaN leave NaN in the differences"
)

CASES = [
    Case(s.median, distinct(3, 4), kwargs={"axis": 1}, reference=np.median),
    Case(s.median, distinct(3, 5), reference=np.median),
    Case(
        s.quantile, distinct(3, 4), 0.3, kwargs={"axis": 0, "keepdims": True}, reference=np.quantile, dtypes=["float64"]
    ),
    Case(s.quantile, distinct(7), 0.3, kwargs={"method": "nearest"}, reference=np.quantile, dtypes=["float64"]),
    Case(s.percentile, distinct(3, 4), 80.0, reference=np.percentile, dtypes=["float64"]),
    Case(s.average, normal(3, 4), kwargs={"axis": 1, "weights": positive(4)}, reference=np.average, dtypes=["float64"]),
    Case(s.cov, normal(3, 6), reference=np.cov, dtypes=["float64"]),
    Case(s.corrcoef, normal(3, 6), reference=np.corrcoef, dtypes=["float64"]),
    *(
        Case(function, GAPS, kwargs={"axis": 1}, reference=reference, skip=NO_DIFFERENCES)
        for function, reference in (
            (s.nansum, np.nansum),
            (s.nanprod, np.nanprod),
            (s.nanmean, np.nanmean),
            (s.nanvar, np.nanvar),
            (s.nanstd, np.nanstd),
            (s.nanmax, np.nanmax),
            (s.nanmin, np.nanmin),
            (s.nancumsum, np.nancumsum),
            (s.nancumprod, np.nancumprod),
            (s.nanargmax, np.nanargmax),
            (s.nanargmin, np.nanargmin),
        )
    ),
    Case(
        s.nanmedian, GAPS, kwargs={"axis": 1}, reference=np.nanmedian, skip={**NO_DIFFERENCES, "batching": "counts NaN"}
    ),
]
