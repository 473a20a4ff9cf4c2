"""The way back through a loop that holds a few states: binomial checkpointing as native code.

The states that are held form a stack: their steps increase, and those that have been passed are dropped from its end.
What the graphs compute does not depend on which states are held, so the results are those of the interpreter
(``wengert.ops.reversal``, where the sources are named), bit for bit or nearly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert.backends.llvm import codegen, interrupts, upcalls
from wengert.backends.llvm.layout import Layout, contiguous, own, size
from wengert.backends.llvm.loops import index, loop, stack
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.schedule import Schedule, Sweep
from wengert.core.lazy import LazyModule
from wengert.core.static import Value

ir: Any = LazyModule("llvmlite.ir")

_WORD = 64


class Sweeping:
    """Emits one sweep."""

    def __init__(self, inner: Any, step: Sweep) -> None:
        self.inner, self.step = inner, step
        self.builder = inner.builder
        pointers = inner.outer.pointers
        reversal: Any = step.node.primitive
        self.op = op = reversal.loop
        count = len(reversal.wanted)
        self.wanted = op.parts(reversal.wanted)
        self.operands = op.parts(step.node.operands[:count])
        self.inputs = op.parts(step.advance.graph.inputs)
        self.cotangents = step.node.operands[count:]
        self.held = [pointers[x] for x in step.held]
        self.state = [pointers[x] for x in step.state]
        self.moving = [pointers[x] for x in step.cotangents]
        self.consts = [inner.whole(x) for x in self.operands.consts]
        self.rows = [(inner.whole(x), size(x.shape[1:])) for x in self.operands.xs]
        self.slots = op.slots
        self.places = stack(self.builder, np.dtype(np.int64), op.slots)
        self.count, self.stride = self._variable(0), self._variable(1)
        #: How many steps there were since Python was last asked for signals.
        self.since = self._variable(0)

    # -- pieces -------------------------------------------------------------------------------------------------

    def _variable(self, first: int) -> Any:
        with self.builder.goto_entry_block():
            found = self.builder.alloca(ir.IntType(_WORD))
        self.builder.store(index(first), found)
        return found

    @contextmanager
    def _while(self, holds: Callable[[], Any]) -> Iterator[None]:
        """The block's instructions for as long as something holds."""
        builder = self.builder
        ask, body, after = (builder.append_basic_block(name) for name in ("ask", "body", "after"))
        builder.branch(ask)
        builder.position_at_end(ask)
        builder.cbranch(holds(), body, after)
        builder.position_at_end(body)
        yield
        builder.branch(ask)
        builder.position_at_end(after)

    def _place(self, number: Any) -> Any:
        return self.builder.gep(self.places, [number])

    def _move(self, sources: Sequence[Any], targets: Sequence[Any], twins: Sequence[Value]) -> None:
        for source, target, twin in zip(sources, targets, twins, strict=True):
            self.inner.copy(own(twin), own(twin), (source, target))

    def _slot(self, number: Any) -> list[Any]:
        """The memory of a held state."""
        builder = self.builder
        return [
            builder.gep(held, [builder.mul(number, index(size(x.shape)))])
            for held, x in zip(self.held, self.step.state, strict=True)
        ]

    def _hold(self, number: Any) -> None:
        """Hold the state before a step."""
        count = self.builder.load(self.count)
        self._move(self.state, self._slot(count), self.step.state)
        self.builder.store(number, self._place(count))
        self.builder.store(self.builder.add(count, index(1)), self.count)

    def _given(self, schedule: Schedule, number: Any, more: Sequence[Any] = ()) -> dict[Value, Any]:
        """Where the inputs of a graph of one step lie."""
        rows = [self._row(pointer, width, number) for pointer, width in self.rows] if number is not None else []
        return dict(zip(schedule.graph.inputs, [*self.consts, *self.state, *rows, *more], strict=True))

    def _row(self, pointer: Any, width: int, number: Any) -> Any:
        """What a scan reads, or writes, at a step."""
        builder = self.builder
        place = builder.sub(index(self.op.length - 1), number) if self.op.reverse else number
        return builder.gep(pointer, [builder.mul(place, index(width))])

    def _advance(self, number: Any) -> None:
        scan = number if self.rows else None
        frame = self.inner.frame(self.step.advance, self._given(self.step.advance, scan))
        self.inner.hand_on(frame, self.inputs.carry, self.state)

    # -- the way ------------------------------------------------------------------------------------------------

    def emit(self) -> None:
        """All of it."""
        step, inner = self.step, self.inner
        layouts, pointers = inner.outer.schedule.layouts, inner.outer.pointers
        for x, twin, state in zip(self.operands.carry, step.state, self.state, strict=True):
            inner.copy(layouts[x], own(twin), (pointers[layouts[x].root], state))
        floats = len(step.cotangents)
        for x, twin, moving in zip(self.cotangents[:floats], step.cotangents, self.moving, strict=True):
            inner.copy(layouts[x], own(twin), (pointers[layouts[x].root], moving))
        self.totals, self.starts, self.stacked = self._results()
        for result in self.totals:
            codegen.fill_zeros(self.builder, pointers[result], result)
        end = self._variable(0)
        if step.condition is None:
            if self.op.length:
                self._hold(index(0))
                self.builder.store(index(self.op.length), end)
        else:
            self._forward(end)
        self._backward(end)
        for k, result in self.starts:
            inner.copy(own(result), own(result), (self.moving[k], pointers[result]))

    def _results(self) -> tuple[list[Any], list[tuple[int, Any]], list[Any]]:
        """The results: sums for constants, cotangents of the first state, rows for what a scan runs over."""
        results = iter(self.step.node.results)
        totals = [next(results) for flag in self.wanted.consts if flag]
        starts = []
        floats = 0
        for x, flag in zip(self.operands.carry, self.wanted.carry, strict=True):
            if flag:
                starts.append((floats, next(results)))
            floats += x.dtype.kind in "fc"
        return totals, starts, list(results)

    def _forward(self, end: Any) -> None:
        """Run a loop of unknown length, and hold states that are evenly spread: of too many, every other one goes."""
        builder, condition = self.builder, self.step.condition
        assert condition is not None

        def goes_on() -> Any:
            self._thin(builder.load(end))
            frame = self.inner.frame(condition, self._given(condition, None))
            (answer,) = condition.outputs
            value = builder.load(builder.gep(frame.pointers[answer.root], [index(answer.offset)]))
            return builder.icmp_signed("!=", value, ir.Constant(value.type, 0))

        with self._while(goes_on):
            number = builder.load(end)
            self._advance(number)
            builder.store(builder.add(number, index(1)), end)
            self._ask(index(1))

    def _thin(self, number: Any) -> None:
        builder = self.builder

        def on_stride(x: Any) -> Any:
            return builder.icmp_signed("==", builder.srem(x, builder.load(self.stride)), index(0))

        with builder.if_then(on_stride(number)):
            with builder.if_then(builder.icmp_signed(">=", builder.load(self.count), index(self.slots))):
                builder.store(builder.shl(builder.load(self.stride), index(1)), self.stride)
                kept = self._variable(0)
                builder.store(index(0), kept)
                with loop(builder, builder.load(self.count)) as old:
                    place = builder.load(self._place(old))
                    with builder.if_then(on_stride(place)):
                        new = builder.load(kept)
                        with builder.if_then(builder.icmp_signed("!=", new, old)):
                            self._move(self._slot(old), self._slot(new), self.step.state)
                        builder.store(place, self._place(new))
                        builder.store(builder.add(new, index(1)), kept)
                builder.store(builder.load(kept), self.count)
            room = builder.icmp_signed("<", builder.load(self.count), index(self.slots))
            with builder.if_then(builder.and_(room, on_stride(number))):
                self._hold(number)

    def _backward(self, end: Any) -> None:
        """Every step, last to first, from held states; new ones are held where others have been used up."""
        builder = self.builder
        start = self._variable(0)
        with self._while(lambda: builder.icmp_signed(">", builder.load(end), index(0))):
            with self._while(lambda: self._is_passed(end)):
                builder.store(builder.sub(builder.load(self.count), index(1)), self.count)
            last = builder.sub(builder.load(self.count), index(1))
            builder.store(builder.load(self._place(last)), start)
            self._move(self._slot(last), self.state, self.step.state)
            with self._while(lambda: self._is_before(start, end)):
                count = builder.sub(builder.load(end), builder.load(start))
                free = builder.sub(index(self.slots), builder.load(self.count))
                has_room = builder.icmp_signed(">", free, index(0))
                best = builder.call(next_state(self.inner.outer.code), [count, builder.add(free, index(1))])
                ahead = builder.select(has_room, best, builder.sub(count, index(1)))
                with loop(builder, ahead) as more:
                    self._advance(builder.add(builder.load(start), more))
                builder.store(builder.add(builder.load(start), ahead), start)
                self._ask(ahead)
                with builder.if_then(has_room):
                    self._hold(builder.load(start))
            self._pull(builder.load(start))
            builder.store(builder.load(start), end)
            self._ask(index(1))

    def _is_before(self, start: Any, end: Any) -> Any:
        """Whether there are steps between the state that is worked on and the one that is reversed next."""
        builder = self.builder
        return builder.icmp_signed(">", builder.sub(builder.load(end), builder.load(start)), index(1))

    def _ask(self, steps: Any) -> None:
        """After so many steps, ask Python for signals."""
        builder, outer = self.builder, self.inner.outer
        if not outer.code.interrupts:
            return
        since = builder.add(builder.load(self.since), steps)
        builder.store(since, self.since)
        now = builder.icmp_signed(">=", since, index(interrupts.steps_between(self.step.pull)))
        with builder.if_then(now, likely=False):
            builder.store(index(0), self.since)
            upcalls.poll(outer.code, builder, outer.status)

    def _is_passed(self, end: Any) -> Any:
        """Whether the last held state is of a step that has been reversed."""
        builder = self.builder
        count = builder.load(self.count)
        some = builder.icmp_signed(">", count, index(0))
        last = builder.select(some, builder.sub(count, index(1)), index(0))
        passed = builder.icmp_signed(">=", builder.load(self._place(last)), builder.load(end))
        return builder.and_(some, passed)

    def _pull(self, number: Any) -> None:
        """Reverse one step."""
        pull, inner = self.step.pull, self.inner
        floats = len(self.moving)
        pointers = inner.outer.pointers
        stacked = [self._row(inner.whole(x), size(x.shape[1:]), number) for x in self.cotangents[floats:]]
        given = self._given(pull, number if self.rows else None, [*self.moving, *stacked])
        frame = inner.frame(pull, given)
        outputs = pull.outputs[floats:]
        for layout, result in zip(outputs, self.totals, strict=False):
            codegen.copy_elements(
                frame.code, self.builder, layout, own(result), (frame.pointers[layout.root], pointers[result]), add=True
            )
        for layout, result in zip(outputs[len(self.totals) :], self.stacked, strict=True):
            target = Layout(layout.root, layout.shape, contiguous(layout.shape))
            row = self._row(pointers[result], size(result.shape[1:]), number)
            inner.copy(layout, target, (frame.pointers[layout.root], row))
        first = len(self.step.advance.graph.inputs)
        inner.hand_on(frame, pull.graph.inputs[first : first + floats], self.moving)


def next_state(code: Code) -> Any:
    """The function of ``n`` and ``s`` that is ``wengert.ops.reversal.next_state``: after how many of ``n`` steps the
    next of ``s`` states is best stored."""
    made = code.kernels.get("next state")
    if made is not None:
        return made
    word = ir.IntType(_WORD)
    made = ir.Function(code.module, ir.FunctionType(word, [word, word]), "next_state")
    made.linkage = "internal"
    code.kernels["next state"] = made
    n, s = made.args
    builder = ir.IRBuilder(made.append_basic_block("entry"))
    entry = builder.block
    ask, body, after = (builder.append_basic_block(name) for name in ("ask", "body", "after"))
    builder.branch(ask)
    builder.position_at_end(ask)
    # C(s + r, s) for this r, the one before, and the one before that.
    r, here, before, earlier = (builder.phi(word) for _ in range(4))
    for phi, first in ((r, 0), (here, 1), (before, 0), (earlier, 0)):
        phi.add_incoming(index(first), entry)
    builder.cbranch(builder.icmp_signed("<", here, n), body, after)
    builder.position_at_end(body)
    more = builder.add(r, index(1))
    grown = builder.sdiv(builder.mul(here, builder.add(s, more)), more)
    for phi, value in ((r, more), (here, grown), (before, here), (earlier, before)):
        phi.add_incoming(value, body)
    builder.branch(ask)
    builder.position_at_end(after)
    rest = builder.sub(n, builder.sdiv(builder.mul(here, s), builder.add(s, r)))
    found = builder.select(builder.icmp_signed(">", earlier, rest), earlier, rest)
    builder.ret(builder.select(builder.icmp_signed(">", found, index(1)), found, index(1)))
    return made
