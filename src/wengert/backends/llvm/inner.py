"""Loops and branches: the code of schedules inside a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from wengert.backends.llvm import codegen, interrupts, upcalls
from wengert.backends.llvm.layout import Layout, contiguous, own, size
from wengert.backends.llvm.loops import index, loop, stack
from wengert.backends.llvm.memory import SMALL, Arena
from wengert.backends.llvm.schedule import Branch, Repeat, Schedule, Step, Sweep, Until, handed_over
from wengert.backends.llvm.sweeping import Sweeping
from wengert.core.lazy import LazyModule
from wengert.core.static import Constant, Value
from wengert.ops.control import Call

ir: Any = LazyModule("llvmlite.ir")


class Inner:
    """Emits one loop or branch in the place of a frame's builder."""

    def __init__(self, frame: codegen.Frame, arena: Arena, base: Any) -> None:
        self.outer = frame
        self.builder = frame.builder
        self.arena = arena
        self.base = base

    def emit(self, step: Step) -> None:
        if isinstance(step, Repeat):
            self.repeat(step)
        elif isinstance(step, Until):
            self.until(step)
        elif isinstance(step, Branch):
            self.branch(step)
        elif isinstance(step, Sweep):
            Sweeping(self, step).emit()

    def copy(self, source: Layout, target: Layout, pointers: tuple[Any, Any]) -> None:
        codegen.copy_elements(self.outer.code, self.builder, source, target, pointers)

    def frame(self, schedule: Schedule, pointers: dict[Value, Any]) -> codegen.Frame:
        """The frame of an inner schedule, after its steps have been emitted."""
        constants = {x: pointer for x, pointer in self.outer.pointers.items() if isinstance(x, Constant)}
        base = self.base
        if schedule in self.arena.offsets:
            base = self.builder.gep(base, [index(self.arena.offsets[schedule])])
        frame = codegen.Frame(self.outer.code, self.builder, schedule, constants | pointers, self.outer.status)
        frame.allocate(self.arena.inner[schedule], base)
        frame.run(schedule.steps, self.arena.inner[schedule], base)
        return frame

    def whole(self, x: Value) -> Any:
        """The pointer to an operand that lies in one piece."""
        layout = self.outer.schedule.layouts[x]
        return self.builder.gep(self.outer.pointers[layout.root], [index(layout.offset)])

    def _rows(self, x: Value) -> tuple[Any, int]:
        """The pointer to an operand whose rows lie in one piece each, and the step from row to row."""
        return self.whole(x), self.outer.schedule.layouts[x].strides[0]

    def _states(self, news: Sequence[Value], operands: Sequence[Value], results: Sequence[Value]) -> list[Any]:
        """Memory for what is handed from step to step, with the initial values in it: on the stack if it is small, so
        that it can stay in registers, else where the result will be."""
        states = []
        for inner, x, result in zip(news, operands, results, strict=True):
            small = result.spec.nbytes <= SMALL
            state = stack(self.builder, inner.dtype, size(inner.shape)) if small else self.outer.pointers[result]
            layout = self.outer.schedule.layouts[x]
            self.copy(layout, own(inner), (self.outer.pointers[layout.root], state))
            states.append(state)
        return states

    def _results(self, states: Sequence[Any], results: Sequence[Value]) -> None:
        for state, result in zip(states, results, strict=True):
            pointer = self.outer.pointers[result]
            if state is not pointer:
                self.copy(own(result), own(result), (state, pointer))

    def hand_on(self, frame: codegen.Frame, olds: Sequence[Value], states: Sequence[Any]) -> None:
        """The new state in the place of the old one. No part of it lies in the old one, but for what stays as it is."""
        for layout, x, state in zip(frame.schedule.outputs, olds, states, strict=False):
            if layout.root is not x:
                self.copy(layout, own(x), (frame.pointers[layout.root], state))

    # -- scan ---------------------------------------------------------------------------------------------------

    def repeat(self, step: Repeat) -> None:
        scan: Any = step.node.primitive
        inputs, operands = scan.parts(scan.body.inputs), scan.parts(step.node.operands)
        results = step.node.results[: scan.carry]
        states = self._states(inputs.carry, operands.carry, results)
        if scan.length:
            consts = {x: self.whole(y) for x, y in zip(inputs.consts, operands.consts, strict=True)}
            rows = [self._rows(x) for x in operands.xs]
            with self._numbers(step, scan.length) as number:
                place = self.builder.sub(index(scan.length - 1), number) if scan.reverse else number
                pointers = consts | dict(zip(inputs.carry, states, strict=True))
                for x, (pointer, stride) in zip(inputs.xs, rows, strict=True):
                    pointers[x] = self.builder.gep(pointer, [self.builder.mul(place, index(stride))])
                self._step(step, pointers, place, states)
        self._results(states, results)

    @contextmanager
    def _numbers(self, step: Repeat, length: int) -> Iterator[Any]:
        """The loop over the steps; a long one in pieces, between which Python is asked for signals."""
        builder, code = self.builder, self.outer.code
        if not code.interrupts or not interrupts.asks(step):
            with loop(builder, length) as number:
                yield number
            return
        piece = interrupts.steps_between(step.body)
        with loop(builder, -(-length // piece)) as pieces:
            first = builder.mul(pieces, index(piece))
            left = builder.sub(index(length), first)
            count = builder.select(builder.icmp_signed("<", left, index(piece)), left, index(piece))
            with loop(builder, count) as within:
                yield builder.add(first, within)
            upcalls.poll(code, builder, self.outer.status)

    def _step(self, step: Repeat, pointers: dict[Value, Any], place: Any, states: Sequence[Any]) -> None:
        scan: Any = step.node.primitive
        direct = handed_over(step, step.body)
        copies = []
        for k in range(scan.carry, len(step.node.results)):
            at, result = step.body.outputs[k], step.node.results[k]
            slot = self.builder.gep(self.outer.pointers[result], [self.builder.mul(place, index(size(at.shape)))])
            if direct.get(at.root) == k:
                pointers[at.root] = slot
            else:
                copies.append((at, slot))
        frame = self.frame(step.body, pointers)
        for at, slot in copies:
            target = Layout(at.root, at.shape, contiguous(at.shape))
            self.copy(at, target, (frame.pointers[at.root], slot))
        self.hand_on(frame, scan.parts(scan.body.inputs).carry, states)

    # -- while_loop ---------------------------------------------------------------------------------------------

    def until(self, step: Until) -> None:
        op: Any = step.node.primitive
        builder = self.builder
        inputs, asked = op.parts(op.body.inputs), op.parts(op.condition.inputs)
        operands = op.parts(step.node.operands)
        states = self._states(inputs.carry, operands.carry, step.node.results)
        consts = [self.whole(x) for x in operands.consts]
        ask, body, after = (builder.append_basic_block(name) for name in ("ask", "body", "after"))
        builder.branch(ask)
        builder.position_at_end(ask)
        given = dict(zip((*asked.consts, *asked.carry), (*consts, *states), strict=True))
        frame = self.frame(step.condition, given)
        (answer,) = step.condition.outputs
        value = builder.load(builder.gep(frame.pointers[answer.root], [index(answer.offset)]))
        builder.cbranch(builder.icmp_signed("!=", value, ir.Constant(value.type, 0)), body, after)
        builder.position_at_end(body)
        given = dict(zip((*inputs.consts, *inputs.carry), (*consts, *states), strict=True))
        frame = self.frame(step.body, given)
        self.hand_on(frame, inputs.carry, states)
        if self.outer.code.interrupts:
            self._ask_now_and_then(step)
        builder.branch(ask)
        builder.position_at_end(after)
        self._results(states, step.node.results)

    def _ask_now_and_then(self, step: Until) -> None:
        """After so many steps, ask Python for signals."""
        builder = self.builder
        with builder.goto_entry_block():
            counter = builder.alloca(ir.IntType(64))
            builder.store(index(0), counter)
        count = builder.add(builder.load(counter), index(1))
        builder.store(count, counter)
        between = index(interrupts.steps_between(step.body) - 1)
        with builder.if_then(builder.icmp_signed("==", builder.and_(count, between), index(0)), likely=False):
            upcalls.poll(self.outer.code, builder, self.outer.status)

    # -- switch -------------------------------------------------------------------------------------------------

    def branch(self, step: Branch) -> None:
        if isinstance(step.node.primitive, Call):
            self._run(step.branches[0], step, step.node.operands)
            return
        builder = self.builder
        chosen, *operands = step.node.operands
        layout = self.outer.schedule.layouts[chosen]
        number = builder.load(builder.gep(self.outer.pointers[layout.root], [index(layout.offset)]))
        number = builder.sext(number, ir.IntType(64)) if number.type.width < 64 else number
        blocks = [builder.append_basic_block("branch") for _ in step.branches]
        after = builder.append_basic_block("after")
        negative = builder.icmp_signed("<", number, index(0))
        jump = builder.switch(builder.select(negative, index(0), number), blocks[-1])
        for k, block in enumerate(blocks[:-1]):
            jump.add_case(index(k), block)
        for schedule, block in zip(step.branches, blocks, strict=True):
            builder.position_at_end(block)
            self._run(schedule, step, operands)
            builder.branch(after)
        builder.position_at_end(after)

    def _run(self, schedule: Schedule, step: Branch, operands: Sequence[Value]) -> None:
        """A schedule of the step's operands, and its outputs as the step's results."""
        pointers = [self.whole(x) for x in operands]
        direct = handed_over(step, schedule)
        given: dict[Value, Any] = dict(zip(schedule.graph.inputs, pointers, strict=True))
        given.update((root, self.outer.pointers[step.node.results[k]]) for root, k in direct.items())
        frame = self.frame(schedule, given)
        for k, (at, result) in enumerate(zip(schedule.outputs, step.node.results, strict=True)):
            if direct.get(at.root) != k:
                self.copy(at, own(result), (frame.pointers[at.root], self.outer.pointers[result]))
