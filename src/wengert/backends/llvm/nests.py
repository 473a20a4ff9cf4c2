"""Loop nests over single elements: elementwise operations, and reductions of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.backends.llvm.layout import collapsed, contiguous, size
from wengert.backends.llvm.loops import index, load, loop, nest, place, register, store
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.scalars import Scalar, ScalarEmitter, memory_type
from wengert.backends.llvm.schedule import Kernel, Schedule, is_scalar_constant, number
from wengert.core.static import GraphNode, Value


class KernelNest:
    """One loop nest: what it reads and writes, and its code."""

    def __init__(self, schedule: Schedule, kernel: Kernel) -> None:
        self.kernel = kernel
        self.nodes = kernel.nodes
        space = kernel.space
        inside = {y for node in self.nodes if not node.primitive.reducer for y in node.results}
        operands = dict.fromkeys(x for node in self.nodes for x in node.inputs if x not in inside)
        self.reads = {x: schedule.layouts[x] for x in operands if not is_scalar_constant(x)}
        self.writes = [y for node in self.nodes for y in node.results if y in kernel.stored]
        self.reductions = [node for node in self.nodes if node.primitive.reducer]
        self.strides: dict[Value, tuple[int, ...]] = {x: at.broadcast(space) for x, at in self.reads.items()}
        self.strides.update((y, contiguous(space)) for y in self.writes)
        for node in self.reductions:
            self.strides[node.results[0]] = _reduced_strides(node, space)
        self.roots = list(
            dict.fromkeys(
                [at.root for at in self.reads.values()] + self.writes + [node.results[0] for node in self.reductions]
            )
        )

    def key(self) -> Any:
        """What decides the code, whatever the memory."""
        names: dict[Value, int] = {root: k for k, root in enumerate(self.roots)}
        rows: list[Any] = [self.kernel.space]
        for x, at in self.reads.items():
            rows.append((names[at.root], at.strides, at.shape, at.offset, x.dtype.char))
        local: dict[Value, Any] = {x: ("read", k) for k, x in enumerate(self.reads)}
        for node in self.nodes:
            operands = tuple(
                local[x] if x in local else (type(number(x)).__name__, repr(number(x))) for x in node.operands
            )
            rows.append((node.primitive, operands, node.dtype.char, node.results[0] in self.kernel.stored))
            local[node.results[0]] = ("node", len(local))
        return tuple(rows)

    # -- written out --------------------------------------------------------------------------------------------

    def write_out(self, builder: Any, pointers: dict[Value, Any]) -> None:
        """Every element by itself, in place."""
        emitter = ScalarEmitter(builder)
        totals: dict[tuple[Value, int], Scalar] = {}
        loaded: dict[tuple[Value, int], Scalar] = {}
        pending: list[tuple[Scalar, Any, int]] = []
        for where in np.ndindex(self.kernel.space):

            def offset(x: Value, where: tuple[int, ...] = where) -> int:
                return sum(i * s for i, s in zip(where, self.strides[x], strict=True))

            values: dict[Any, Any] = {}
            for x, at in self.reads.items():
                spot = (x, offset(x))
                if spot not in loaded:
                    loaded[spot] = load(emitter, pointers[at.root], index(spot[1] + at.offset), x.dtype)
                values[x] = loaded[spot]
            self._compute(emitter, values)
            for y in self.writes:
                pending.append((values[y], pointers[y], offset(y)))
            for node in self.reductions:
                y = node.results[0]
                spot = (y, offset(y))
                term = self._term(emitter, node, values)
                totals[spot] = term if spot not in totals else combined(emitter, node, totals[spot], term)
        for one, pointer, at_place in pending:
            store(emitter, one, pointer, index(at_place))
        for node in self.reductions:
            y = node.results[0]
            for (root, at_place), total in totals.items():
                if root is y:
                    store(emitter, self._finished(emitter, node, total), pointers[y], index(at_place))

    def _compute(self, emitter: ScalarEmitter, values: dict[Any, Any]) -> None:
        for node in self.nodes:
            if node.primitive.reducer:
                continue
            operands = [values[x] if x in values else _literal(emitter, x) for x in node.operands]
            values[node.results[0]] = emitter.elementwise(node.primitive, operands, node.dtype)

    @staticmethod
    def _term(emitter: ScalarEmitter, node: GraphNode, values: dict[Any, Any]) -> Scalar:
        (x,) = node.operands
        found = values[x] if x in values else _literal(emitter, x)
        return emitter.cast(found, node.dtype)

    def _finished(self, emitter: ScalarEmitter, node: GraphNode, total: Scalar) -> Scalar:
        if not node.primitive.averages:
            return total
        count = size(self.kernel.space) // max(size(node.shape), 1)
        return emitter.cast(emitter.ufunc(np.true_divide, (total, float(count))), node.dtype)

    # -- as loops -----------------------------------------------------------------------------------------------

    def compile(self, code: Code) -> Any:
        """The nest as a function of its pointers."""
        kinds = [memory_type(root.dtype).as_pointer() for root in self.roots]
        made, builder = code.function("kernel", kinds)
        for argument in made.args:
            argument.add_attribute("noalias")
        pointers = dict(zip(self.roots, made.args, strict=True))
        keys = list(self.strides)
        axes, strides = collapsed(self.kernel.space, [self.strides[x] for x in keys])
        LoopNest(self, builder, pointers, axes, dict(zip(keys, strides, strict=True))).emit()
        builder.ret_void()
        return made


class LoopNest:
    """The loops of a kernel over its collapsed axes."""

    def __init__(self, kernel: KernelNest, builder: Any, pointers: Any, axes: Any, strides: Any) -> None:
        self.kernel = kernel
        self.builder = builder
        self.emitter = ScalarEmitter(builder)
        self.pointers = pointers
        self.axes = axes
        self.strides = strides
        #: For a reduction over the innermost axes, at which depth they begin; its total stays in a register.
        self.depths: dict[GraphNode, int] = {}
        self.registers: dict[GraphNode, Any] = {}
        for node in kernel.reductions:
            steps = strides[node.results[0]]
            inner = len(axes)
            while inner and steps[inner - 1] == 0:
                inner -= 1
            if all(s != 0 for s in steps[:inner]):
                self.depths[node] = inner
                self.registers[node] = register(builder, node.dtype)

    def emit(self) -> None:
        for node in self.kernel.reductions:
            if node not in self.depths:
                self._fill(node)
        nest(self.builder, self.axes, self._element, self._around)
        for node in self.kernel.reductions:
            if node not in self.depths and node.primitive.averages:
                self._each(node, lambda x, node=node: self.kernel._finished(self.emitter, node, x))

    def _fill(self, node: GraphNode) -> None:
        start = identity(self.emitter, node)
        self._each(node, lambda x: start)

    def _each(self, node: GraphNode, change: Any) -> None:
        y = node.results[0]
        with loop(self.builder, size(y.shape)) as number:
            x = load(self.emitter, self.pointers[y], number, y.dtype)
            store(self.emitter, change(x), self.pointers[y], number)

    def _around(self, depth: int, numbers: list[Any], enter: Any) -> None:
        here = [node for node, at in self.depths.items() if at == depth]
        for node in here:
            self.builder.store(identity(self.emitter, node).value, self.registers[node])
        enter()
        for node in here:
            y = node.results[0]
            total = Scalar(self.emitter, self.builder.load(self.registers[node]), node.dtype)
            where = place(self.builder, numbers, self.strides[y][: len(numbers)])
            store(self.emitter, self.kernel._finished(self.emitter, node, total), self.pointers[y], where)

    def _element(self, numbers: list[Any]) -> None:
        kernel, emitter, builder = self.kernel, self.emitter, self.builder
        values: dict[Any, Any] = {}
        for x, at in kernel.reads.items():
            where = place(builder, numbers, self.strides[x], at.offset)
            values[x] = load(emitter, self.pointers[at.root], where, x.dtype)
        kernel._compute(emitter, values)
        for y in kernel.writes:
            store(emitter, values[y], self.pointers[y], place(builder, numbers, self.strides[y]))
        for node in kernel.reductions:
            term = kernel._term(emitter, node, values)
            if node in self.registers:
                total = Scalar(emitter, builder.load(self.registers[node]), node.dtype)
                builder.store(combined(emitter, node, total, term).value, self.registers[node])
            else:
                y = node.results[0]
                where = place(builder, numbers, self.strides[y])
                total = load(emitter, self.pointers[y], where, y.dtype)
                store(emitter, combined(emitter, node, total, term), self.pointers[y], where)


def _literal(emitter: ScalarEmitter, x: Any) -> Any:
    found = number(x)
    return emitter.constant(found, found.dtype) if isinstance(found, np.generic) else found


def _reduced_strides(node: GraphNode, space: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of a reduction's result along the axes of what is reduced; 0 along those that go."""
    axes = {axis % len(space) for axis in node.primitive.axes}  # type: ignore[attr-defined]
    kept = [n for axis, n in enumerate(space) if axis not in axes]
    strides = iter(contiguous(kept))
    return tuple(0 if axis in axes else next(strides) for axis in range(len(space)))


def identity(emitter: ScalarEmitter, node: GraphNode) -> Scalar:
    """What a reduction starts from."""
    kind = node.primitive.reducer
    if kind == "add":
        return emitter.constant(0, node.dtype)
    worst = -np.inf if kind == "maximum" else np.inf
    if node.dtype.kind == "f":
        return emitter.constant(worst, node.dtype)
    if node.dtype.kind == "b":
        return emitter.constant(kind == "minimum", node.dtype)
    limits = np.iinfo(node.dtype)
    return emitter.constant(limits.min if kind == "maximum" else limits.max, node.dtype)


def combined(emitter: ScalarEmitter, node: GraphNode, total: Scalar, x: Scalar) -> Scalar:
    """A reduction's total with one more element. Sums may be taken in any order, so that they vectorise."""
    kind = node.primitive.reducer
    if kind == "add" and node.dtype.kind == "f":
        return Scalar(emitter, emitter.builder.fadd(total.value, x.value, flags=("reassoc", "contract")), node.dtype)
    if node.dtype.kind == "f":
        found = emitter.intrinsic(f"llvm.{kind}", total.value.type, [total.value, x.value])
        return Scalar(emitter, found, node.dtype)
    return emitter.cast(emitter.ufunc(getattr(np, kind), (total, x)), node.dtype)
