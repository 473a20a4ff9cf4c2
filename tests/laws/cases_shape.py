from __future__ import annotations

import numpy as np

from tests.laws.samples import booleans, distinct, normal
from wengert.ops import editing, repetition
from wengert.ops import indexing as i
from wengert.ops import joining as j
from wengert.ops import padding as p
from wengert.ops import shape as s
from wengert.ops import sorting as o
from wengert.testing.laws import ALL_FLOATS, Case

FULL = ("slice", None, None, None)
ROWS = np.array([[0, 2, 2], [1, 0, 1]])

CASES = [
    Case(s.Reshape((6, 2)), normal(3, 4), dtypes=ALL_FLOATS),
    Case(s.BroadcastTo((2, 3, 4)), normal(3, 1)),
    Case(s.Transpose((-1, -3, -2)), normal(2, 3, 4), dtypes=ALL_FLOATS),
    Case(s.Flip((-1,)), normal(3, 4)),
    Case(s.Roll((1, -2), (-1, -2)), normal(3, 4)),
    Case(s.Tril(1), normal(3, 4)),
    Case(s.Triu(-1), normal(2, 3, 4)),
    Case(s.Diagonal(1), normal(3, 4)),
    Case(s.Diagonal(-1), normal(2, 3, 4)),
    Case(s.DiagEmbed(4, 4, 1), normal(2, 3)),
    Case(s.Astype("float32"), normal(3, 4), dtypes=["float32"]),
    Case(s.Astype("complex128"), normal(3, 4), dtypes=["float64"]),
    Case(s.Astype("int64"), normal(3, 4)),
    Case(s.Copy(), normal(3, 4), dtypes=ALL_FLOATS),
    Case(repetition.Repeat(3, -1), normal(3, 4)),
    Case(s.reshape, normal(3, 4), (2, -1), reference=np.reshape),
    Case(s.ravel, normal(3, 4), reference=np.ravel),
    Case(s.transpose, normal(2, 3, 4), reference=np.transpose),
    Case(s.swapaxes, normal(2, 3, 4), 0, -1, reference=np.swapaxes),
    Case(s.moveaxis, normal(2, 3, 4), (0, 1), (-1, 0), reference=np.moveaxis),
    Case(s.rollaxis, normal(2, 3, 4), 2, 0, reference=np.rollaxis),
    Case(s.squeeze, normal(1, 3, 1), kwargs={"axis": 0}, reference=np.squeeze),
    Case(s.expand_dims, normal(3, 4), (0, -1), reference=np.expand_dims),
    Case(s.roll, normal(3, 4), 2, reference=np.roll),
    *(Case(s.rot90, normal(3, 4), k, reference=np.rot90) for k in (-1, 1, 2, 3)),
    Case(s.diag, normal(3), 1, reference=np.diag),
    Case(s.diag, normal(3, 4), reference=np.diag),
    Case(s.trace, normal(3, 4, 2), reference=np.trace),
    Case(repetition.repeat, normal(3, 4), np.array([2, 0, 1]), kwargs={"axis": 0}, reference=np.repeat),
    Case(repetition.tile, normal(3, 4), (2, 1, 2), reference=np.tile),
    Case(repetition.meshgrid, normal(3), normal(2), reference=np.meshgrid),
    Case(s.atleast_3d, normal(3), reference=np.atleast_3d),
    Case(j.Concatenate(-1), normal(3, 2), normal(3, 4), normal(3, 1), dtypes=ALL_FLOATS),
    Case(j.Split(-1, (0, 1, 3, 4)), normal(3, 4)),
    Case(j.concatenate, [normal(2, 3), normal(1, 3)], reference=np.concatenate),
    Case(j.concatenate, [normal(2, 3), normal(4)], kwargs={"axis": None}, reference=np.concatenate),
    Case(j.stack, [normal(2, 3), normal(2, 3, seed=1)], kwargs={"axis": -1}, reference=np.stack),
    Case(j.vstack, [normal(3), normal(2, 3)], reference=np.vstack),
    Case(j.hstack, [normal(3), normal(2)], reference=np.hstack),
    Case(j.dstack, [normal(2, 3), normal(2, 3)], reference=np.dstack),
    Case(j.column_stack, [normal(3), normal(3, 2)], reference=np.column_stack),
    Case(j.array_split, normal(7, 2), 3, reference=np.array_split),
    Case(j.split, normal(4, 6), [1, 4], kwargs={"axis": 1}, reference=np.split),
    Case(j.unstack, normal(3, 4), kwargs={"axis": 1}, reference=np.unstack),
    Case(j.append, normal(3), normal(2), reference=np.append),
    Case(i.Slice((("int", 1), ("slice", None, None, -2))), normal(3, 4), dtypes=ALL_FLOATS),
    Case(i.Slice((("rest",), ("new",), ("slice", 1, 3, None))), normal(3, 4)),
    Case(i.Unslice((("int", 1), ("slice", None, None, -2)), (3, 4)), normal(2)),
    Case(i.Gather((("array",),)), normal(3, 4), np.array([0, 2, 2, -1]), dtypes=ALL_FLOATS),
    Case(i.Gather((("array",), ("array",))), normal(3, 4), np.array([0, 2, 2]), np.array([1, 1, 3])),
    Case(i.Gather((FULL, ("array",))), normal(3, 4), ROWS),
    Case(i.Gather((("array",), FULL, ("array",))), normal(3, 2, 4), np.array([0, 2]), np.array([1, 1])),
    Case(i.SetAt((("array",),)), normal(4, 2), normal(3, 2), np.array([0, 2, 2])),
    Case(i.SetAt((("slice", 1, 3, None),)), normal(4, 2), normal(2)),
    Case(i.AddAt((("array",),)), normal(4, 2), normal(3, 2), np.array([0, 2, 2])),
    Case(i.AddAt((("int", 1),)), normal(4, 2), normal(2)),
    Case(i.get_at, normal(3, 4), booleans(3, 4), reference=lambda x, m: x[m]),
    Case(i.take, normal(3, 4), ROWS, kwargs={"axis": 1}, reference=np.take),
    Case(i.take, normal(3, 4), 5, reference=np.take),
    Case(i.take_along_axis, normal(2, 4), ROWS, 1, reference=np.take_along_axis),
    Case(i.put_along_axis, normal(2, 4), ROWS[:, :1], normal(2, 1), 1),
    Case(i.gather, normal(3, 4), 0, ROWS),
    Case(i.scatter, normal(3, 4), 0, ROWS, normal(2, 3)),
    Case(i.scatter_add, normal(3, 4), 1, ROWS, normal(2, 3)),
    Case(i.index_add, normal(3, 4), 0, np.array([0, 2, 0]), normal(3, 4, seed=1)),
    Case(editing.delete, normal(4), [1, 3], reference=lambda x, k: np.delete(x, [int(n) for n in k])),
    *(
        Case(p.pad, normal(3, 4), ((1, 2), (0, 1)), kwargs={"mode": mode}, reference=np.pad)
        for mode in ("constant", "edge", "reflect", "symmetric", "wrap")
    ),
    Case(o.Argsort(), distinct(3, 4)),
    Case(o.Argsort(True), distinct(3, 4)),
    Case(o.TakeLast(), normal(2, 4), ROWS),
    Case(o.PutLast(4), normal(2, 3), ROWS),
    Case(o.sort, distinct(3, 4), kwargs={"axis": 0}, reference=np.sort),
    Case(o.sort, distinct(3, 4), kwargs={"axis": None}, reference=np.sort),
    Case(o.argsort, distinct(3, 4), reference=np.argsort),
    Case(o.topk, distinct(3, 5), 2),
    Case(o.kthvalue, distinct(3, 5), 2),
    Case(
        o.unique,
        np.array([3.0, 1.0, 3.0, 2.0]),
        reference=np.unique,
        skip={
            "batching": "its size depends on values",
            "traced": "its size depends on values",
            "compiled": "its size depends on values",
            **dict.fromkeys(["forward", "second_order"], "equal elements are one, and moving one of them makes two"),
        },
    ),
    Case(
        o.searchsorted,
        np.sort(normal(5)),
        normal(3),
        reference=np.searchsorted,
    ),
    Case(o.Searchsorted("right"), np.sort(normal(5)), normal(2, 3)),
]
