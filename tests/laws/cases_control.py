"""Law cases of the operations that carry graphs. Their graphs have fixed dtypes; the functions built on them do not."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert as wg
from tests.laws.samples import normal
from wengert.compile import Compiled
from wengert.core.tracing import trace_flat
from wengert.core.types import TensorSpec
from wengert.ops.control import Call, Custom, Switch
from wengert.ops.loops import Scan, While
from wengert.ops.reversal import Reversal
from wengert.testing.laws import REAL, Case

VECTOR, MATRIX, SCALAR, COUNT = (
    TensorSpec((3,)),
    TensorSpec((3, 3)),
    TensorSpec(()),
    TensorSpec((), "int64"),
)
FLOAT = ("float64",)


def cell(w: Any, h: Any, x: Any) -> list[Any]:
    new = np.tanh(w @ h + x)
    return [new, (new * x).sum()]


CELL = trace_flat(cell, [MATRIX, VECTOR, VECTOR])
ONE = trace_flat(lambda x, y: [np.sin(x) * y, (x * y).sum()], [VECTOR, VECTOR])
OTHER = trace_flat(lambda x, y: [x + y * y, np.exp(y).sum()], [VECTOR, VECTOR])
BELOW = trace_flat(lambda a, x, n: [n < 4], [SCALAR, VECTOR, COUNT])
STEP = trace_flat(lambda a, x, n: [np.sin(a * x) + x, n + 1], [SCALAR, VECTOR, COUNT])
LOOP = While(body=STEP, condition=BELOW, consts=1, slots=2)
FEW = Scan(CELL, length=5, consts=1, carry=1, slots=2)


def run_cell(w: Any, h: Any, xs: Any) -> Any:
    ys = []
    for x in xs:
        h, y = cell(w, h, x)
        ys.append(y)
    return h, np.stack(ys)


def run_step(a: Any, x: Any, n: Any) -> Any:
    while n < 4:
        x, n = STEP_VALUE(a, x), n + 1
    return x, n


def STEP_VALUE(a: Any, x: Any) -> Any:
    return np.sin(a * x) + x


def scanned(checkpoint: Any, slots: Any = None, reverse: bool = False) -> Any:
    def function(w: Any, h: Any, xs: Any) -> Any:
        return wg.scan(lambda h, x: tuple(cell(w, h, x)), h, xs, reverse=reverse, checkpoint=checkpoint, slots=slots)

    return function


# The sine with rules that say what is true: forward keeps the cosine.
WITH_COSINE = trace_flat(lambda x: [np.sin(x), np.cos(x)], [VECTOR])
TIMES = trace_flat(lambda kept, g: [g * kept], [VECTOR, VECTOR])
PUSH = trace_flat(lambda x, t: [t * np.cos(x)], [VECTOR, VECTOR])
SINE = trace_flat(lambda x: [np.sin(x)], [VECTOR])


def implicit_root(p: Any) -> Any:
    return wg.custom_root(lambda x: x**3 + x - p, np.zeros(3))


def implicit_solve(b: Any, d: Any) -> Any:
    """A diagonal system, whose solver needs no matrix."""
    return wg.custom_linear_solve(lambda x: (2 + d * d) * x, b, lambda f, v: v / f(wg.ones(3)), symmetric=True)


CASES = [
    Case(implicit_root, normal(3), dtypes=FLOAT, label="custom_root"),
    Case(implicit_solve, normal(3), normal(3), dtypes=FLOAT, label="custom_linear_solve"),
    Case(Compiled(ONE), normal(3), normal(3), dtypes=FLOAT, label="compiled"),
    Case(Compiled(ONE, wanted=(True, True)), normal(3), normal(3), dtypes=FLOAT, label="compiled[wanted]"),
    Case(Custom("sine", SINE, WITH_COSINE, TIMES, (True,)), normal(3), dtypes=FLOAT, label="custom"),
    Case(Custom("sine", SINE, WITH_COSINE, TIMES, (True,), PUSH), normal(3), dtypes=FLOAT, label="custom[pushforward]"),
    Case(Call(ONE), normal(3), normal(3), reference=lambda x, y: (np.sin(x) * y, (x * y).sum()), dtypes=FLOAT),
    Case(Call(ONE, wanted=(True, True)), normal(3), normal(3), dtypes=FLOAT, label="call[wanted]"),
    Case(Call(ONE, inline=False), normal(3), normal(3), dtypes=FLOAT, label="call[opaque]"),
    Case(Switch((ONE, OTHER)), np.array(1), normal(3), normal(3), dtypes=FLOAT),
    Case(Switch((ONE, OTHER)), np.array(-3), normal(3), normal(3), dtypes=FLOAT, label="switch[low]"),
    Case(Scan(CELL, 4, 1, 1), normal(3, 3), normal(3), normal(4, 3), reference=run_cell, dtypes=FLOAT),
    Case(
        Scan(CELL, 4, 1, 1, wanted=(True, True, True)),
        normal(3, 3),
        normal(3),
        normal(4, 3),
        dtypes=FLOAT,
        label="scan[wanted]",
    ),
    Case(Scan(CELL, 4, 1, 1, reverse=True), normal(3, 3), normal(3), normal(4, 3), dtypes=FLOAT, label="scan[reverse]"),
    Case(FEW, normal(3, 3), normal(3), normal(5, 3), dtypes=FLOAT, label="scan[revolve]"),
    Case(Scan(CELL, 0, 1, 1), normal(3, 3), normal(3), normal(0, 3), dtypes=FLOAT, label="scan[empty]"),
    Case(LOOP, normal(), normal(3), np.array(0), reference=run_step, dtypes=FLOAT, label="while_loop"),
    Case(LOOP, normal(), normal(3), np.array(9), reference=run_step, dtypes=FLOAT, label="while_loop[no step]"),
    Case(
        Reversal(FEW, (True, True, True)),
        normal(3, 3),
        normal(3),
        normal(5, 3),
        normal(3),
        normal(5),
        dtypes=FLOAT,
        label="reversal[scan]",
    ),
    Case(
        Reversal(LOOP, (True, True, False)),
        normal(),
        normal(3),
        np.array(0),
        normal(3),
        dtypes=FLOAT,
        label="reversal[while_loop]",
    ),
    *(
        Case(
            scanned(checkpoint, slots, reverse),
            normal(3, 3),
            normal(3),
            normal(7, 3),
            dtypes=REAL,
            label=f"scan[checkpoint={checkpoint},reverse={reverse}]",
        )
        for reverse in (False, True)
        for checkpoint, slots in ((None, None), (3, None), ("sqrt", None), (1, None), (50, None), ("revolve", 3))
    ),
]
