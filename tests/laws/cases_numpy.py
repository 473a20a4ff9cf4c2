"""What NumPy offers by name and is composed of others: polynomials, differences, editing, order statistics, sets."""

from __future__ import annotations

import numpy as np

from tests.laws.samples import away_from_zero, distinct, integers, normal, positive
from wengert.ops import differences as di
from wengert.ops import editing as ed
from wengert.ops import polynomials as po
from wengert.ops import sorting as so
from wengert.ops import statistics as st
from wengert.testing.laws import Case

COMPLEX_TOO = ("float64", "float32", "complex128")
HOLES = np.where(np.arange(12).reshape(3, 4) % 5 == 1, np.nan, distinct(3, 4))
INCREASING = np.cumsum(positive(6))
FIRST = dict.fromkeys(
    ["traced", "compiled", "batching", "forward", "second_order"],
    "which elements the result has depends on their values",
)


def holes(function):  # type: ignore[no-untyped-def]
    """The function of what remains when some elements are NaN: operands of the laws are finite."""

    def with_holes(x, *args, **kwargs):  # type: ignore[no-untyped-def]
        return function(np.where(np.isnan(HOLES), np.nan, x), *args, **kwargs)

    with_holes.__name__ = function.__name__
    return with_holes


def sorted_roots(p):  # type: ignore[no-untyped-def]
    found = po.roots(p)
    return (found**3).sum(), np.abs(found - 0.3).prod()


CASES = [
    Case(po.polyval, normal(4), normal(3), reference=np.polyval, dtypes=COMPLEX_TOO),
    Case(po.polyadd, normal(4), normal(2), reference=np.polyadd, dtypes=COMPLEX_TOO),
    Case(po.polysub, normal(2), normal(4), reference=np.polysub, dtypes=COMPLEX_TOO),
    Case(po.polymul, normal(4), normal(2), reference=np.polymul, dtypes=COMPLEX_TOO),
    Case(po.polydiv, normal(5), away_from_zero(3), reference=np.polydiv, dtypes=["float64", "complex128"], rtol=1e-9),
    Case(po.polydiv, normal(2), away_from_zero(3), reference=np.polydiv),
    Case(po.polyder, normal(5), kwargs={"m": 2}, reference=np.polyder, dtypes=COMPLEX_TOO),
    Case(po.polyint, normal(3), kwargs={"m": 2}, reference=np.polyint, dtypes=COMPLEX_TOO),
    Case(po.polyint, normal(3), 2, normal(2), reference=np.polyint),
    Case(po.poly, normal(3), reference=np.poly, dtypes=["float64"]),
    Case(po.poly, normal(3, 3), reference=np.poly, dtypes=["float64"], rtol=1e-10),
    Case(sorted_roots, normal(5), dtypes=["float64", "complex128"]),
    Case(po.vander, normal(3), 4, reference=np.vander, dtypes=COMPLEX_TOO),
    Case(po.polyfit, INCREASING, normal(6), 2, reference=np.polyfit, dtypes=["float64"], rtol=1e-9),
    Case(
        po.polyfit,
        INCREASING,
        normal(6, 2),
        1,
        kwargs={"w": positive(6, seed=1), "cov": True},
        reference=np.polyfit,
        dtypes=["float64"],
        rtol=1e-9,
    ),
    Case(di.gradient, normal(5), reference=np.gradient, dtypes=COMPLEX_TOO),
    Case(di.gradient, normal(3, 4), reference=lambda x: list(np.gradient(x))),
    Case(di.gradient, normal(6), INCREASING, kwargs={"edge_order": 2}, reference=np.gradient, dtypes=["float64"]),
    Case(di.unwrap, 3 * normal(2, 6), reference=np.unwrap),
    Case(ed.insert, normal(4), [0, 2, 2], normal(3), reference=np.insert),
    Case(ed.insert, normal(3, 4), 1, normal(3), 1, reference=np.insert),
    Case(ed.delete, normal(3, 4), [0, 2], 1, reference=np.delete),
    Case(ed.choose, integers(0, 2, 3, 4), [normal(3, 4), normal(4)], reference=np.choose),
    Case(ed.resize, normal(3), (2, 4), reference=np.resize),
    Case(ed.trim_zeros, np.array([0.0, 1.0, 0.0, 2.0, 0.0]), reference=np.trim_zeros, skip=FIRST),
    Case(st.nanquantile, HOLES, 0.3, kwargs={"axis": 1}, reference=np.nanquantile, nondifferentiable="NaN operands"),
    Case(holes(st.nanquantile), distinct(3, 4), [0.3, 1.0], kwargs={"axis": 1}),
    Case(holes(st.nanmedian), distinct(3, 4)),
    Case(holes(st.nanpercentile), distinct(3, 4), 40),
    Case(
        st.quantile, distinct(5), [0.1, 0.72], kwargs={"method": "weibull"}, reference=np.quantile, dtypes=["float64"]
    ),
    Case(st.bincount, integers(0, 4, 6), normal(6), reference=np.bincount, dtypes=["float64"]),
    Case(
        lambda w: st.histogram(INCREASING, 3, weights=w)[0],
        normal(6),
        reference=lambda w: np.histogram(INCREASING, 3, weights=w)[0],
        label="histogram of weights",
        dtypes=["float64"],
    ),
    *(
        Case(function, distinct(6), distinct(6)[1::2], reference=reference, skip=FIRST)
        for function, reference in [
            (so.intersect1d, np.intersect1d),
            (so.setdiff1d, np.setdiff1d),
            (so.setxor1d, np.setxor1d),
            (so.union1d, np.union1d),
        ]
    ),
]
