"""Which passes run, in which order, and what each of them did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wengert.core.display import Displayed
from wengert.core.static import Graph
from wengert.passes.chain import OrderMatmuls
from wengert.passes.cse import ShareSubexpressions
from wengert.passes.dce import DropDeadCode
from wengert.passes.decompose import Decompose
from wengert.passes.fold import Fold
from wengert.passes.loops import MergeLoops
from wengert.passes.rewriting import Pass
from wengert.passes.simplify import Simplify
from wengert.passes.slices import AddSlices
from wengert.passes.views import CancelViews

#: In the order of a round. Every one of them keeps results as they are, to the last bit; ``OrderMatmuls`` alone rounds
#: differently.
DEFAULT: tuple[Pass, ...] = (
    MergeLoops(),
    Fold(),
    CancelViews(),
    Simplify(),
    ShareSubexpressions(),
    OrderMatmuls(),
    DropDeadCode(),
)

#: What runs before code is generated.
FOR_CODE: tuple[Pass, ...] = (*DEFAULT[:-1], Decompose(), AddSlices(), DEFAULT[-1])

#: Sees the graph before a pass, the pass, and the graph after it.
Observer = Callable[[Graph, Pass, Graph], None]

#: Each round only takes away, so there is an end; this one is never reached in practice.
_MOST_ROUNDS = 50


@dataclass(frozen=True)
class Step:
    """What one pass did."""

    name: str
    before: Graph
    after: Graph

    @property
    def removed(self) -> Counter[str]:
        """How many operations of each kind are gone."""
        return self.before.counts - self.after.counts

    @property
    def added(self) -> Counter[str]:
        """How many operations of each kind are new."""
        return self.after.counts - self.before.counts

    def __str__(self) -> str:
        changes = [f"-{count} {name}" for name, count in sorted(self.removed.items())]
        changes += [f"+{count} {name}" for name, count in sorted(self.added.items())]
        return f"{self.name:24} {len(self.before):5} -> {len(self.after):<5} {', '.join(changes) or 'inside loops'}"


@dataclass(frozen=True)
class Report(Displayed):
    """The steps of a pipeline that changed something, in order: a log that can be looked at and replayed."""

    graph: Graph
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        head = f"{'pass':24} {'nodes':>5}"
        return "\n".join([head, *map(str, self.steps), f"{len(self.graph)} nodes are left"])


def optimize(graph: Graph, passes: Sequence[Pass] | None = None, observer: Observer | None = None) -> Report:
    """Apply passes, one after the other and again from the first, until none of them changes the graph.

    ``passes`` defaults to ``DEFAULT``; a user's own are callables from graph to graph. The result is a fixed point:
    applied to it, the same passes return it as it is.
    """
    chosen = DEFAULT if passes is None else tuple(passes)
    steps: list[Step] = []
    for _ in range(_MOST_ROUNDS):
        start = graph
        for one in chosen:
            after = one(graph)
            if observer is not None:
                observer(graph, one, after)
            if after is not graph:
                steps.append(Step(_name(one), graph, after))
                graph = after
        if graph is start:
            break
    return Report(graph, tuple(steps))


def _name(one: Any) -> str:
    return one.__name__ if hasattr(one, "__name__") else type(one).__name__
