"""Results that take the memory of an operand: of one that nobody reads any more.

Every value of a schedule that lies in memory has a home: itself, or the value whose memory it takes over. Then all
layouts name that one, so that a kernel has one pointer for both (its arguments are promised not to overlap), lifetimes
are those of the memory, and neither the packing nor the code needs to know more.

When a result may take over memory is decided here and nowhere else. It may

- when all that used the memory is over before the step begins that makes the result, or
- when the last to read it is that step itself, and the step reads no element after another one was written in its place
  (``overwrites``).

And the memory must be ours to write to: made by a step, the old state of a loop, or an argument that was given away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wengert.backends.llvm.division import Division
from wengert.backends.llvm.grouping import in_row
from wengert.backends.llvm.layout import Layout, contiguous, own, size
from wengert.backends.llvm.memory import SMALL
from wengert.backends.llvm.schedule import Assembly, Copy, Host, Kernel, Repeat, Routine, Rows, Schedule, Step, Until
from wengert.core.static import Value


def overwrites(schedule: Schedule, step: Step, y: Value, x: Value) -> bool:
    """Whether a step that reads the memory ``x`` may write its result ``y`` there: whether each element is read, for
    the last time, before it is overwritten."""
    if isinstance(step, Kernel):
        return _in_kernel(schedule, step, y, x)
    if isinstance(step, Rows):
        return _in_rows(schedule, step, y, x)
    if isinstance(step, Copy):
        # Then there is nothing to do.
        at = step.source
        return at.root is x and at.is_contiguous and not at.offset and size(at.shape) == size(x.shape)
    if isinstance(step, Assembly):
        # The first operand is copied, then the pieces: without the copy they go where they would, unless they come from
        # what they overwrite.
        sources = [schedule.layouts[step.node.inputs[k]].root for k, _ in step.pieces]
        return step.start in ("x", "+") and x not in sources and _whole(schedule, step.node.inputs[0], x)
    if isinstance(step, Host):
        # NumPy works on copies.
        return y in step.node.results
    if isinstance(step, Routine):
        over = step.plan.over
        return over is not None and y is step.node.results[0] and _alone(schedule, step, over, x)
    if isinstance(step, (Repeat, Until)):
        # The first state is copied to where the result will be before anything runs; the other operands are read until
        # the loop is over.
        op: Any = step.node.primitive
        k = step.node.results.index(y)
        first = op.parts(range(len(step.node.operands))).carry
        return k < len(first) and _alone(schedule, step, first[k], x)
    return False


def _in_kernel(schedule: Schedule, kernel: Kernel, y: Value, x: Value) -> bool:
    """A nest visits every element of its space once: it reads all operands there, and then writes. Chunks and vectors
    take elements in another order, and none of them is read for the sake of another. So it is enough that ``x`` is read
    where ``y`` is written. A nest with angles may run twice over its operands (``angles``), so they must last; so must
    what a product reads that is computed tile by tile with the nest (``epilogues``)."""
    if y not in kernel.stored or kernel.twice or schedule.layouts[y] != own(y):
        return False
    if kernel.product is not None and any(schedule.layouts[one].root is x for one in kernel.product.node.inputs):
        return False
    straight = contiguous(kernel.space)
    return all(
        layout.broadcast(kernel.space) == straight and not layout.offset
        for layout in schedule.reads(kernel)
        if layout.root is x
    )


def _in_rows(schedule: Schedule, rows: Rows, y: Value, x: Value) -> bool:
    """All nests do one row before the next begins, and chunks are of whole rows. So the nests before the one that
    writes may read anything in the same row, and those after it nothing."""
    place = next((k for k, kernel in enumerate(rows.kernels) if y in kernel.stored), None)
    if place is None or not _in_kernel(schedule, rows.kernels[place], y, x):
        return False
    if any(layout.root is x for kernel in rows.kernels[place + 1 :] for layout in schedule.reads(kernel)):
        return False
    return all(
        in_row(layout, rows.lead, kernel.space)
        for kernel in rows.kernels[:place]
        for layout in schedule.reads(kernel)
        if layout.root is x
    )


def _alone(schedule: Schedule, step: Routine | Repeat | Until, number: int, x: Value) -> bool:
    """Whether an operand is all of ``x``, and no other operand is part of it."""
    operands = step.node.operands
    others = [one for k, one in enumerate(operands) if k != number and isinstance(one, Value)]
    given = operands[number]
    apart = all(schedule.layouts[other].root is not x for other in others)
    return apart and isinstance(given, Value) and _whole(schedule, given, x)


def _whole(schedule: Schedule, value: Value, x: Value) -> bool:
    layout = schedule.layouts[value]
    return layout.root is x and layout.is_contiguous and not layout.offset and size(value.shape) == size(x.shape)


def reuse(schedule: Schedule, given: Iterable[Value] = ()) -> None:
    """Let results take over memory wherever they may. ``given`` are inputs that the caller has given away."""
    _Reuse(schedule, list(given)).run()


class _Reuse:
    def __init__(self, schedule: Schedule, given: Sequence[Value]) -> None:
        self.schedule = schedule
        #: What must last until all has run.
        self.outputs = {layout.root for layout in schedule.outputs}
        #: The first and the last step that uses memory. What nobody may write to is not there.
        self.lives = schedule.lifetimes()
        #: What was somebody else's.
        self.lent = {x for x in (*schedule.carried, *given) if x.spec.nbytes > SMALL and x not in self.outputs}
        self.lives.update((x, (-1, -1)) for x in self.lent)
        self.made: dict[Value, int] = {}
        self.copies: dict[Value, list[Copy]] = {}
        self.divisions: dict[Value, list[Division]] = {}
        for place, step in enumerate(schedule.steps):
            self._note(place, step)
        self.named: dict[Value, list[Value]] = {}
        for value, layout in schedule.layouts.items():
            self.named.setdefault(layout.root, []).append(value)
        #: For outputs, the memory where they should end, and the other way round.
        self.wanted: dict[Value, Value] = {}
        self._match_states()
        self._match_arguments([x for x in given if x in self.lent])
        self.meant = {x: y for y, x in self.wanted.items()}

    def _note(self, place: int, step: Step) -> None:
        self.made.update((y, place) for y in self.schedule.writes(step))
        self.lives.update((at.root, (-1, place)) for at in self.schedule.reads(step) if at.root in self.lent)
        if isinstance(step, Copy):
            self.copies.setdefault(step.source.root, []).append(step)
        elif isinstance(step, (Kernel, Rows)) and step.division is not None:
            for root in step.division.private:
                self.divisions.setdefault(root, []).append(step.division)

    def _match_states(self) -> None:
        """A new state should be made in the place of the old one: then it need not be copied there."""
        for x, layout in zip(self.schedule.carried, self.schedule.outputs, strict=False):
            if layout == own(layout.root) and x in self.lent:
                self.wanted.setdefault(layout.root, x)

    def _match_arguments(self, given: Sequence[Value]) -> None:
        """An output should be made in an argument of its kind; best in one that the same step reads, because others may
        have better use for the rest."""
        outputs = [at.root for at in self.schedule.outputs if at == own(at.root) and at.root in self.made]
        free: dict[Any, dict[Value, None]] = {}
        for x in given:
            free.setdefault((x.shape, x.dtype), {})[x] = None
        for together in (True, False):
            for y in outputs:
                place, fitting = self.made[y], free.get((y.shape, y.dtype), {})
                if y in self.wanted or y not in self.lives:
                    continue
                for x in fitting:
                    if (self.lives[x][1] == place) is together and self._may(y, x, place):
                        self.wanted[y] = x
                        del fitting[x]
                        break

    def _may(self, y: Value, x: Value, place: int) -> bool:
        """Whether the result ``y`` of a step may be where ``x`` is."""
        if x is y or x.dtype != y.dtype or size(x.shape) != size(y.shape):
            return False
        last = self.lives[x][1]
        return last < place or (last == place and overwrites(self.schedule, self.schedule.steps[place], y, x))

    def run(self) -> None:
        for place, step in enumerate(self.schedule.steps):
            taken: set[Value] = set()
            for y in self.schedule.writes(step):
                if y in self.lives and y.spec.nbytes > SMALL and self.made[y] == place:
                    x = self._home(y, place, step, taken)
                    if x is not None:
                        taken.add(x)
                        self._move(y, x)

    def _home(self, y: Value, place: int, step: Step, taken: set[Value]) -> Value | None:
        """The memory that a result takes over, if any; what another result of the step has taken, it may not."""
        meant = self.wanted.get(y)
        if meant is not None and meant not in taken and self._may(y, meant, place):
            return meant
        for layout in self.schedule.reads(step):
            x = layout.root
            free = x in self.lives and x not in self.outputs and x not in taken
            if free and self._spare(x, y) and self._may(y, x, place):
                return x
        return None

    def _spare(self, x: Value, y: Value) -> bool:
        """Whether memory is better used for ``y`` than kept for what is meant for it."""
        if y in self.outputs:
            # An output of a loop's body is handed on when the body is over: it must not be in the place of another one.
            # Other outputs are arrays of their own shape.
            return x not in self.lent and x.shape == y.shape
        heir = self.meant.get(x)
        if heir is None or heir not in self.made:
            return True
        place, last = self.made[heir], self.lives[y][1]
        return last < place or (last == place and overwrites(self.schedule, self.schedule.steps[place], heir, y))

    def _move(self, y: Value, x: Value) -> None:
        """Let ``y`` lie where ``x`` lies."""
        schedule = self.schedule
        schedule.homes[y] = x
        self.lives[x] = self.lives[x][0], self.lives.pop(y)[1]
        for value in self.named.pop(y):
            schedule.layouts[value] = _moved(schedule.layouts[value], y, x)
            self.named[x].append(value)
        if y in self.outputs:
            self.outputs.add(x)
            schedule.outputs[:] = [_moved(layout, y, x) for layout in schedule.outputs]
        for copy in self.copies.pop(y, ()):
            copy.source = _moved(copy.source, y, x)
            self.copies.setdefault(x, []).append(copy)
        for division in self.divisions.pop(y, ()):
            division.private[x] = division.private.pop(y)


def _moved(layout: Layout, y: Value, x: Value) -> Layout:
    return layout._replace(root=x) if layout.root is y else layout
