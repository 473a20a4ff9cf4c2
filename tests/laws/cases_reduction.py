from __future__ import annotations

import numpy as np

from tests.laws.samples import away_from_zero, booleans, distinct, integers, normal, positive
from wengert.ops import cumulative as c
from wengert.ops import reduction as r
from wengert.ops import softmax as s
from wengert.testing.laws import ALL_FLOATS, Case

ZEROS = np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 5.0], [1.5, -2.0, 0.7]])
TIED = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])

CASES = [
    Case(r.Sum((-2, -1)), normal(3, 4), dtypes=ALL_FLOATS),
    Case(r.Sum((-1,), True), normal(2, 3, 4)),
    Case(r.Mean((-1,)), normal(3, 4), dtypes=ALL_FLOATS),
    Case(r.Mean((-2,), True), normal(3, 4)),
    Case(r.Max((-1,)), distinct(3, 4)),
    Case(r.Max((-2, -1), True), distinct(3, 4)),
    Case(r.Min((-2,)), distinct(3, 4)),
    Case(r.Argmax(-1), distinct(3, 4)),
    Case(r.Argmin(-2, True), distinct(3, 4)),
    Case(r.All((-1,)), booleans(3, 4)),
    Case(r.Any_((-2, -1), True), booleans(3, 4)),
    Case(r.CountNonzero((-1,)), integers(0, 2, 3, 4)),
    Case(r.Prod(), ZEROS, dtypes=ALL_FLOATS),
    Case(r.sum, normal(2, 3, 4), kwargs={"axis": (0, -1)}, reference=np.sum, dtypes=ALL_FLOATS),
    Case(r.sum, normal(3, 4), kwargs={"axis": ()}, reference=np.sum),
    Case(r.sum, normal(), reference=np.sum),
    Case(r.sum, normal(0, 3), kwargs={"axis": 0}, reference=np.sum),
    Case(r.sum, integers(0, 9, 3, 4), kwargs={"keepdims": True}, reference=np.sum),
    Case(r.sum, booleans(3, 4), reference=np.sum),
    Case(r.mean, normal(3, 4), kwargs={"axis": -1, "keepdims": True}, reference=np.mean, dtypes=ALL_FLOATS),
    Case(r.mean, integers(0, 9, 3, 4), reference=np.mean),
    Case(r.prod, ZEROS, kwargs={"axis": (0, 1)}, reference=np.prod),
    Case(r.prod, normal(2, 3, 4), kwargs={"axis": 1, "keepdims": True}, reference=np.prod),
    Case(r.max, distinct(2, 3, 4), kwargs={"axis": (0, 2)}, reference=np.max),
    Case(r.min, distinct(3, 4), kwargs={"keepdims": True}, reference=np.min),
    Case(r.argmax, distinct(3, 4), reference=np.argmax),
    Case(r.argmin, distinct(3, 4), kwargs={"axis": 0, "keepdims": True}, reference=np.argmin),
    Case(r.ptp, distinct(3, 4), kwargs={"axis": 1}, reference=np.ptp),
    Case(r.var, normal(3, 4), kwargs={"axis": 0, "ddof": 1}, reference=np.var, dtypes=ALL_FLOATS),
    Case(r.std, normal(3, 4), kwargs={"axis": (0, 1)}, reference=np.std),
    Case(r.all, booleans(3, 4), kwargs={"axis": 1}, reference=np.all),
    Case(r.any, booleans(3, 4), reference=np.any),
    Case(r.count_nonzero, integers(0, 2, 3, 4), kwargs={"axis": 0}, reference=np.count_nonzero),
    *(
        Case(
            r.vector_norm,
            away_from_zero(3, 4),
            kwargs={"ord": order, "axis": 1},
            reference=np.linalg.vector_norm,
            dtypes=ALL_FLOATS if order in (1, 2) else ("float64", "float32"),
        )
        for order in (1, 2, 3, 0.5, np.inf, -np.inf)
    ),
    Case(s.Softmax((-1,)), normal(3, 4), dtypes=ALL_FLOATS),
    Case(s.LogSoftmax((-2,)), normal(3, 4), dtypes=ALL_FLOATS),
    Case(s.Logsumexp((-1,)), normal(3, 4), dtypes=ALL_FLOATS),
    Case(s.Logsumexp((-2, -1), True), normal(3, 4)),
    Case(s.softmax, normal(3, 4), kwargs={"axis": 0}, reference=lambda x, axis: np.exp(x) / np.exp(x).sum(axis)),
    Case(s.logsumexp, normal(3, 4), reference=lambda x: np.log(np.exp(x).sum())),
    Case(c.Cumsum(-1), normal(3, 4), dtypes=ALL_FLOATS),
    Case(c.Cumsum(-2), normal(3, 4)),
    Case(c.Cumprod(), ZEROS, dtypes=ALL_FLOATS),
    Case(c.Cummax(), distinct(3, 5)),
    Case(c.Cummin(), distinct(3, 5)),
    Case(c.Cumlogsumexp(), normal(3, 5)),
    Case(c.cumsum, normal(3, 4), reference=np.cumsum),
    Case(c.cumsum, integers(0, 5, 3, 4), kwargs={"axis": 0}, reference=np.cumsum),
    Case(c.cumprod, normal(3, 4), kwargs={"axis": 0}, reference=np.cumprod),
    Case(c.diff, normal(3, 5), kwargs={"n": 2, "axis": 1}, reference=np.diff),
    Case(c.diff, normal(3, 5), kwargs={"axis": 0, "prepend": 0.0}, reference=np.diff, dtypes=["float64"]),
    Case(c.trapezoid, normal(3, 5), reference=np.trapezoid),
    Case(c.trapezoid, normal(3, 5), np.sort(positive(5)), reference=np.trapezoid),
]


def test_tied_extremes_share() -> None:
    import wengert as wg

    x = wg.tensor(TIED, requires_grad=True)
    x.max(axis=1).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]])
