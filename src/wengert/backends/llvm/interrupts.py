"""How often long native loops ask Python whether a signal has come, so that they can be left with Ctrl-C.

The question (``wengert.backends.llvm.upcalls``) takes a microsecond, for the interpreter's lock, and is asked some
hundred times a second at most.
"""

from __future__ import annotations

import math

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.schedule import Branch, Host, Repeat, Schedule, Until, inside, nodes_of
from wengert.core.static import GraphNode
from wengert.ops.contraction import Matmul

#: Elements computed, by estimate, between two questions, and in loops that need not ask: what takes some milliseconds,
#: and a tenth of a second.
BETWEEN, LONG = 4_000_000, 100_000_000


def work(schedule: Schedule) -> float:
    """How many elements a schedule computes, roughly; a while loop is taken to run once."""
    total = 1.0
    for step in schedule.steps:
        if isinstance(step, Repeat):
            length: int = step.node.primitive.length  # type: ignore[attr-defined]
            total += length * work(step.body)
        elif isinstance(step, Branch):
            total += max(map(work, step.branches), default=0.0)
        else:
            total += sum(size(y.shape) for y in schedule.writes(step)) + sum(map(work, inside(step)))
            total += sum(_multiplications(node) for node in nodes_of(step) if isinstance(node.primitive, Matmul)) / 16
    return total


def _multiplications(product: GraphNode) -> int:
    return size(product.results[0].shape) * int(product.inputs[0].shape[-1])


def calls(schedule: Schedule) -> float:
    """How often NumPy computes something for a schedule, by the same reckoning."""
    total = 0.0
    for step in schedule.steps:
        length = getattr(step.node.primitive, "length", 1) if isinstance(step, Repeat) else 1
        total += isinstance(step, Host) + length * sum(map(calls, inside(step)))
    return total


def steps_between(body: Schedule) -> int:
    """After how many steps of a loop the question is asked: a power of two."""
    return 1 << max(0, int(math.log2(BETWEEN / work(body))))


def asks(step: Repeat | Until) -> bool:
    """Whether a loop is long enough to be interrupted."""
    return isinstance(step, Until) or step.node.primitive.length * work(step.body) > LONG  # type: ignore[attr-defined]
