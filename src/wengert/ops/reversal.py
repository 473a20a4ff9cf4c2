"""Going backwards through a loop with room for a few of its states: binomial checkpointing.

From ``s`` states at a time, ``n`` steps are reversed with ``t(n, s) = r n - C(s + r, r - 1)`` steps forward, where
``r`` is the least number with ``C(s + r, s) >= n``; no schedule needs fewer.

Source: A. Griewank and A. Walther, "Algorithm 799: revolve", ACM TOMS 26 (2000); for loops whose length is not known,
the states are thinned out as they come, which keeps them evenly spread, and each gap is then reversed optimally.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.core.derived import Flags, differentiable
from wengert.core.errors import GradientError
from wengert.core.primitive import Primitive
from wengert.core.static import Graph
from wengert.core.types import TensorSpec
from wengert.ops.control import GraphPrimitive, spread

State = Any


def repetitions(n: int, s: int) -> int:
    """The least ``r`` with ``C(s + r, s) >= n``: how often a step is run at most."""
    r = 0
    while math.comb(s + r, s) < n:
        r += 1
    return r


def revolve_cost(n: int, s: int) -> int:
    """How many steps forward the best schedule for ``n`` steps with ``s`` states takes.

    >>> revolve_cost(10, 3)
    15
    """
    r = repetitions(n, s)
    return r * n - (math.comb(s + r, r - 1) if r else 0)


def next_state(n: int, s: int) -> int:
    """After how many of ``n`` steps the next of ``s`` states (the first one included) is best stored."""
    r = repetitions(n, s)
    before = math.comb(s + r - 2, s) if r >= 2 else 0
    return max(before, n - math.comb(s - 1 + r, s - 1), 1)


class Snapshots:
    """Stored states by the number of the step that they come before: at most ``slots`` of them."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.states: dict[int, State] = {}
        #: The state that the loop works on, where the first pass has left it just before the last step.
        self.current: State = None
        self._stride = 1
        self._places: frozenset[int] = frozenset()

    @classmethod
    def planned(cls, steps: int, slots: int) -> Snapshots:
        """For a known number of steps: where the first pass of the best schedule stores."""
        made = cls(slots)
        places = [0]
        while len(places) < slots and steps - places[-1] > 1:
            places.append(places[-1] + next_state(steps - places[-1], slots - len(places) + 1))
        made._places = frozenset(places)
        return made

    def offer(self, number: int, state: State, last: bool = False) -> None:
        """Store a state if this is one of the planned places, or the one before the last step."""
        if last:
            self.current = tuple(state)
        if number in self._places:
            self.states[number] = tuple(state)

    def fill(self, state: State, steps: int, advance: Callable[[int, State], State]) -> None:
        """Run to the last planned place, storing on the way."""
        last = max(self._places)
        for number in range(min(last + 1, max(steps, 1))):
            self.offer(number, state)
            if number < last:
                state = advance(number, state)[: len(state)]

    def thin(self, number: int, state: State) -> None:
        """Store a state of a loop of unknown length; when there are too many, every other one goes."""
        if number % self._stride:
            return
        if len(self.states) >= self.slots:
            self._stride *= 2
            self.states = {place: kept for place, kept in self.states.items() if place % self._stride == 0}
            if number % self._stride or len(self.states) >= self.slots:
                return
        self.states[number] = tuple(state)

    @property
    def arrays(self) -> list[Any]:
        return [x for state in (*self.states.values(), self.current or ()) for x in state]

    def kept_arrays(self) -> list[Any]:
        """What the ledger counts."""
        return [x for x in self.arrays if isinstance(x, np.ndarray)]


def sweep_back(
    snapshots: Snapshots,
    steps: int,
    advance: Callable[[int, State], State],
    back: Callable[[int, State], None],
) -> None:
    """Call ``back(number, state before it)`` for every step, last to first, running steps forward from stored states
    with ``advance(number, state)`` in between, and storing new ones where others have been used up."""
    states = dict(snapshots.states)
    end = steps
    while end:
        start = max(number for number in states if number < end)
        for stale in [number for number in states if number >= end]:
            del states[stale]
        state = states[start]
        if end == steps and snapshots.current is not None:
            start, state = end - 1, snapshots.current
        free = snapshots.slots - len(states)
        while end - start > 1:
            count = end - start
            if free:
                ahead = next_state(count, free + 1)
            else:
                ahead = count - 1
            for number in range(start, start + ahead):
                state = advance(number, state)
            start += ahead
            if free and start < end:
                states[start] = tuple(state)
                free -= 1
        back(start, state)
        end = start


class Pieces(NamedTuple):
    """The graphs of a sweep."""

    #: Whether there is another step, if their number is not known.
    condition: Graph | None
    #: From constants, state and one row of what a scan runs over to the next state.
    advance: Graph
    #: From the same, the cotangents of the next state and of one row of what a scan stacks, to the cotangents of the
    #: state, of the wanted constants, and of the wanted rows.
    pull: Graph


class Reversal(GraphPrimitive):
    """The pullback of a loop that holds few states: from its operands and the cotangents of its results to those of the
    wanted operands.

    Its derivatives need no further rules. With ``F`` the loop, ``F'`` the loop over values and tangents, and ``G(x, g)
    = J(x)^T g`` this operation, both follow from ``<u, G(x, g)> = <g, F'(x; u)>``: the pushforward is the pullback of
    ``F'`` with cotangents ``(dg, g)``, and the pullback towards ``x`` that of ``F'(x; u)`` with cotangents ``(0, g)``.
    """

    name = "reversal"
    loop: Primitive
    wanted: Flags

    def graphs(self) -> tuple[Graph, ...]:
        found: tuple[Graph, ...] = self.loop.graphs()
        return found

    def _split(self, operands: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        count = len(self.wanted)
        return operands[:count], operands[count:]

    @property
    def pieces(self) -> Pieces:
        """What a compiler makes the sweep of."""
        found: Pieces = self.loop.sweep_pieces(self.wanted)  # type: ignore[attr-defined]
        return found

    def value(self, *operands: Any) -> Any:
        inputs, cotangents = self._split(operands)
        return tuple(self.loop.swept_back(inputs, cotangents, self.wanted))  # type: ignore[attr-defined]

    def spec(self, *specs: Any) -> tuple[TensorSpec, ...]:
        return tuple(TensorSpec(x.shape, x.dtype) for x, flag in zip(specs, self.wanted, strict=False) if flag)

    def vjp(self, g: Any, inputs: Any, needed: Any) -> Sequence[Any]:
        xs, cotangents = self._split(inputs)
        loop: Any = self.loop
        dual, moved = loop.dual(self.wanted)
        operands = loop.dual_operands(self.wanted, moved, xs, spread(g, self.wanted))
        results, tangents = loop.sorted_results(moved, dual(*operands))
        floats = [k for k, y in enumerate(results) if differentiable(y)]
        by_cotangent = [
            tangents[k] if tangents[k] is not None else np.zeros(c.shape, c.dtype)
            for k, c in zip(floats, cotangents, strict=True)
        ]
        by_input: list[Any] = [None] * len(xs)
        flags = tuple(flag and differentiable(x) for flag, x in zip(needed, xs, strict=False))
        if any(flags):
            seeds = dict(zip(floats, cotangents, strict=True))
            by_input = self._pulled(dual, moved, flags, xs, operands, {}, seeds)
        return [*by_input, *by_cotangent]

    def _pulled(
        self, dual: Any, moved: Flags, flags: Flags, xs: Any, operands: Any, by_value: Any, by_tangent: Any
    ) -> list[Any]:
        """The cotangents of the marked operands of the loop, from those of values and tangents of ``dual``."""
        loop: Any = self.loop
        values: list[Any] = []
        tangents: list[Any] = []
        for k, spec in enumerate(loop.spec(*xs)):
            if not differentiable(spec):
                values.append(None)
                tangents.append(None)
                continue
            zeros = np.zeros(spec.shape, spec.dtype)
            values.append(by_value.get(k, zeros))
            tangents.append(by_tangent.get(k, zeros) if moved[k] else None)
        seeds = loop.dual_cotangents(moved, values, tangents)
        wanted = loop.dual_wanted(self.wanted, moved, flags)
        return spread(Reversal(dual, wanted)(*operands, *seeds), flags)

    def value_and_jvp(self, tangents: Sequence[Any], inputs: Sequence[Any]) -> Any:
        xs, cotangents = self._split(inputs)
        loop: Any = self.loop
        dots, cotangent_dots = self._split(tangents)
        moving = tuple(t is not None for t in dots)
        floats = [k for k, y in enumerate(loop.spec(*xs)) if differentiable(y)]
        seeds = dict(zip(floats, cotangents, strict=True))
        seed_dots = {k: t for k, t in zip(floats, cotangent_dots, strict=True) if t is not None}
        outs = Reversal(loop, self.wanted)(*xs, *cotangents)
        total: list[Any] = [None] * len(outs)
        if any(moving):
            dual, moved = loop.dual(moving)
            operands = loop.dual_operands(moving, moved, xs, dots)
            helper = Reversal(loop, moving)
            found = helper._pulled(dual, moved, self.wanted, xs, operands, seed_dots, seeds)
            total = [g for g, flag in zip(found, self.wanted, strict=True) if flag]
        elif seed_dots:
            zeros = [seed_dots.get(k, np.zeros(c.shape, c.dtype)) for k, c in zip(floats, cotangents, strict=True)]
            total = list(Reversal(loop, self.wanted)(*xs, *zeros))
        return outs, total


def slots_for(checkpoint: Any, name: str) -> int:
    """The number of states that a ``slots`` argument asks for."""
    if not isinstance(checkpoint, int) or isinstance(checkpoint, bool) or checkpoint < 1:
        raise GradientError(f"{name}: the number of states to hold must be a positive integer, not {checkpoint!r}")
    return checkpoint
