"""Loop nests over single elements: elementwise operations, and reductions of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm import angles
from wengert.backends.llvm.layout import Layout, collapsed, size
from wengert.backends.llvm.loops import flag, index, load, loop, nest, place, register, store
from wengert.backends.llvm.machine import vector_bits
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.scalars import Scalar, ScalarEmitter, memory_type
from wengert.backends.llvm.schedule import SHORT, Kernel, Rows, Schedule, is_scalar_constant, number
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode, Value

ir: Any = LazyModule("llvmlite.ir")


class KernelNest:
    """One loop nest: what it reads and writes, and its code."""

    def __init__(self, schedule: Schedule, kernel: Kernel) -> None:
        self.kernel = kernel
        self.nodes = kernel.nodes
        space = kernel.space
        inside = {y for node in self.nodes if not node.primitive.reducer for y in node.results}
        operands = dict.fromkeys(x for node in self.nodes for x in node.inputs if x not in inside)
        self.reads = {x: schedule.layouts[x] for x in operands if not is_scalar_constant(x)}
        written = {y: schedule.layouts[y] for node in self.nodes for y in node.results if y in kernel.stored}
        self.reductions = [node for node in self.nodes if node.primitive.reducer]
        totals = {node.results[0]: schedule.layouts[node.results[0]] for node in self.reductions}
        self.writes = list(written)
        #: Where everything that is read or written lies.
        self.places = self.reads | written | totals
        self.strides: dict[Value, tuple[int, ...]] = {
            x: at.broadcast(space) for x, at in (self.reads | written).items()
        }
        for node in self.reductions:
            self.strides[node.results[0]] = _reduced_strides(node, space, totals[node.results[0]])
        self.roots = list(dict.fromkeys(at.root for at in self.places.values()))

    @property
    def written(self) -> set[Value]:
        """The memory that is written to."""
        return {self.places[y].root for y in (*self.writes, *(node.results[0] for node in self.reductions))}

    def key(self, names: dict[Value, int] | None = None) -> Any:
        """What decides the code, whatever the memory."""
        names = names or {root: k for k, root in enumerate(self.roots)}
        rows: list[Any] = [self.kernel.space]
        for x, at in self.places.items():
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

    def write_out(self, builder: Any, pointers: dict[Value, Any], apart: bool = False) -> None:
        """Every element by itself, in place; mathematical functions may be ``apart``."""
        emitter = ScalarEmitter(builder, angles.called if apart else angles.by_branch, apart)
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
            self.compute(emitter, values)
            for y in self.writes:
                pending.append((values[y], pointers[self.places[y].root], offset(y)))
            for node in self.reductions:
                y = node.results[0]
                spot = (y, offset(y))
                term = self.term(emitter, node, values)
                totals[spot] = term if spot not in totals else combined(emitter, node, totals[spot], term)
        for one, pointer, at_place in pending:
            store(emitter, one, pointer, index(at_place))
        for node in self.reductions:
            y = node.results[0]
            for (root, at_place), total in totals.items():
                if root is y:
                    pointer = pointers[self.places[y].root]
                    store(emitter, self.finished(emitter, node, total), pointer, index(at_place))

    def compute(self, emitter: ScalarEmitter, values: dict[Any, Any]) -> None:
        for node in self.nodes:
            if node.primitive.reducer:
                continue
            operands = [values[x] if x in values else _literal(emitter, x) for x in node.operands]
            values[node.results[0]] = emitter.elementwise(node.primitive, operands, node.dtype)

    @staticmethod
    def term(emitter: ScalarEmitter, node: GraphNode, values: dict[Any, Any]) -> Scalar:
        (x,) = node.operands
        found = values[x] if x in values else _literal(emitter, x)
        if node.primitive.reducer == "nonzero":
            found = emitter.cast(found, np.dtype(bool))
        return emitter.cast(found, node.dtype)

    def finished(self, emitter: ScalarEmitter, node: GraphNode, total: Scalar) -> Scalar:
        if not node.primitive.averages:
            return total
        count = size(self.kernel.space) // max(size(node.shape), 1)
        return emitter.cast(emitter.ufunc(np.true_divide, (total, float(count))), node.dtype)

    # -- as loops -----------------------------------------------------------------------------------------------

    @functools.cached_property
    def collapsed(self) -> tuple[tuple[int, ...], dict[Value, list[int]]]:
        """The axes of the loops, and the steps of every access along them."""
        axes, strides = collapsed(self.kernel.space, [self.strides[x] for x in self.strides])
        return axes, dict(zip(self.strides, strides, strict=True))

    @functools.cached_property
    def cut(self) -> int:
        """Which loop is cut into chunks: the outermost, or the one inside it if all totals go over the outermost and
        over that one not. Then every chunk has totals of its own to itself."""
        axes, strides = self.collapsed
        totals = [strides[node.results[0]] for node in self.reductions]
        inner = len(axes) > 1 and axes[1] >= LONG and totals and all(not s[0] and s[1] for s in totals)
        return 1 if inner else 0

    @property
    def length(self) -> int:
        """The length of the loop that is cut; 0 if there is none."""
        axes, _ = self.collapsed
        return axes[self.cut] if axes else 0

    def emit(self, builder: Any, pointers: dict[Value, Any]) -> None:
        """All of the nest."""
        axes, strides = self.collapsed
        starts = {x: shifted(builder, pointers[at.root], index(at.offset)) for x, at in self.places.items()}
        LoopNest(self, builder, starts, axes, strides).emit()

    def emit_part(self, builder: Any, pointers: dict[Value, Any], first: Any, count: Any, angle: Any = None) -> None:
        """Part of the loop that is cut. What is ``collected`` is added to what is in memory."""
        axes, strides = self.collapsed
        starts = {}
        for x, at in self.places.items():
            start = builder.add(builder.mul(first, index(strides[x][self.cut])), index(at.offset))
            starts[x] = shifted(builder, pointers[at.root], start)
        partial = [node for _, node in self.collected()]
        axes = (*axes[: self.cut], count, *axes[self.cut + 1 :])
        LoopNest(self, builder, starts, axes, strides, partial, angle).emit()

    def collected(self) -> list[tuple[KernelNest, GraphNode]]:
        """The reductions whose totals are not at hand at the end of an iteration of the loop that is cut."""
        axes, strides = self.collapsed
        if self.cut:
            return []
        return [
            (self, node)
            for node in self.reductions
            if not strides[node.results[0]][0] or _register_depth(axes, strides[node.results[0]]) is None
        ]

    @property
    def nests(self) -> list[KernelNest]:
        """This one."""
        return [self]

    def crossing(self) -> list[tuple[KernelNest, GraphNode]]:
        """The reductions that go over the loop that is cut."""
        _, strides = self.collapsed
        return [(self, node) for node in self.reductions if not strides[node.results[0]][self.cut]]


class RowNest:
    """Nests that share their leading axes: all of them do one row before the next begins."""

    def __init__(self, schedule: Schedule, rows: Rows) -> None:
        self.lead = rows.lead
        self.nests = [KernelNest(schedule, kernel) for kernel in rows.kernels]
        self.roots = list(dict.fromkeys(root for one in self.nests for root in one.roots))

    def key(self) -> Any:
        """What decides the code, whatever the memory."""
        names = {root: k for k, root in enumerate(self.roots)}
        return ("rows", self.lead, *(one.key(names) for one in self.nests))

    @property
    def length(self) -> int:
        """The length of the outermost loop."""
        return self.lead[0]

    def emit(self, builder: Any, pointers: dict[Value, Any]) -> None:
        """All of the nests."""
        collected = self.collected()

        def rows(angle: Any) -> None:
            for one, node in collected:
                fill(builder, one, node, pointers)
            self.emit_part(builder, pointers, index(0), self.lead[0], angle)

        repeated(self, builder, rows)
        for one, node in collected:
            finish(builder, one, node, pointers)

    def emit_part(self, builder: Any, pointers: dict[Value, Any], first: Any, count: Any, angle: Any = None) -> None:
        """Part of the outermost loop. What is ``collected`` is added to what is in memory."""
        rank = len(self.lead)
        partial = [node for _, node in self.collected()]

        def row(numbers: list[Any]) -> None:
            numbers = [builder.add(numbers[0], first), *numbers[1:]]
            for one in self.nests:
                starts = {}
                for x, at in one.places.items():
                    start = place(builder, numbers, one.strides[x][:rank], at.offset)
                    starts[x] = shifted(builder, pointers[at.root], start)
                inner = one.kernel.space[rank:]
                axes, strides = collapsed(inner, [steps[rank:] for steps in one.strides.values()])
                inside = dict(zip(one.strides, strides, strict=True))
                LoopNest(one, builder, starts, axes, inside, partial, angle, row=True).emit()

        nest(builder, (count, *self.lead[1:]), row, outer=True)

    def collected(self) -> list[tuple[KernelNest, GraphNode]]:
        """The reductions that go over rows."""
        return self._over(len(self.lead))

    def crossing(self) -> list[tuple[KernelNest, GraphNode]]:
        """The reductions that go over the outermost loop."""
        return self._over(1)

    def _over(self, lead: int) -> list[tuple[KernelNest, GraphNode]]:
        return [
            (one, node) for one in self.nests for node in one.reductions if crosses(node, len(one.kernel.space), lead)
        ]


def repeated(nest_of: KernelNest | RowNest, builder: Any, run: Callable[[Any], None]) -> None:
    """Loops that add to what is in memory, from the beginning: with angles that turn out to be far away, once more.
    ``run`` emits them, with a way to compute angles."""
    if not _is_repeatable(nest_of):
        run(None)
        return
    noted = angles.Noted(builder)
    run(noted)
    if noted.used:
        with builder.if_then(noted.any(builder), likely=False):
            run(angles.called)


def _is_repeatable(nest_of: KernelNest | RowNest) -> bool:
    """Whether all of the nests have to be repeated for the sake of angles in those that add to memory, and can be: what
    they read is as it was, or made anew."""
    added = {node for _, node in nest_of.collected()}
    if not any(one.kernel.twice and not added.isdisjoint(one.reductions) for one in nest_of.nests):
        return False
    given: set[Value] = set()
    made: set[Value] = set()
    for one in nest_of.nests:
        given.update({one.places[x].root for x in one.reads} - made)
        made.update(one.written)
    return made.isdisjoint(given)


def compiled(nest_of: KernelNest | RowNest, code: Code) -> Any:
    """A nest as a function of its roots' pointers."""
    made, builder, pointers = function_of(code, nest_of.roots)
    nest_of.emit(builder, pointers)
    builder.ret_void()
    return made


def written_out(nest_of: KernelNest, code: Code) -> Any:
    """A nest as such a function, element by element."""
    made, builder, pointers = function_of(code, nest_of.roots)
    nest_of.write_out(builder, pointers, apart=True)
    builder.ret_void()
    return made


class LoopNest:
    """The loops of a kernel over its collapsed axes, from where ``starts`` point. ``partial`` reductions add to what is
    in their memory; the others start afresh. ``angle`` is how angles are computed, where that is decided outside, and
    ``row`` whether others read at once what is written."""

    def __init__(
        self,
        kernel: KernelNest,
        builder: Any,
        starts: Any,
        axes: Any,
        strides: Any,
        partial: Sequence[GraphNode] = (),
        angle: Any = None,
        row: bool = False,
    ) -> None:
        self.kernel = kernel
        self.builder = builder
        self.emitter = ScalarEmitter(builder)
        self.starts = starts
        self.axes = axes
        self.strides = strides
        self.partial = partial
        self.angle = angle
        self.row = row
        #: For a reduction over the innermost axes, at which depth they begin; its total stays in a register.
        self.depths: dict[GraphNode, int] = {}
        self.registers: dict[GraphNode, Any] = {}
        #: For the largest and the smallest number, whether there was a NaN.
        self.strange: dict[GraphNode, Any] = {}
        for node in kernel.reductions:
            depth = _register_depth(axes, strides[node.results[0]])
            if depth is not None:
                self.depths[node] = depth
                self.registers[node] = register(builder, node.dtype)
                if node.dtype.kind == "f" and node.primitive.reducer in SIDES:
                    self.strange[node] = flag(builder)

    def emit(self) -> None:
        """The loops; with angles that turn out to be far away, once more."""
        if self.angle is not None:
            self.emitter.angle = self.angle
        if self.angle is not None or not self._is_repeatable():
            self._loops()
            return
        noted = angles.Noted(self.builder)
        self.emitter.angle = noted
        self._loops()
        if noted.used:
            again = LoopNest(self.kernel, self.builder, self.starts, self.axes, self.strides)
            again.emitter.angle = angles.called
            with self.builder.if_then(noted.any(self.builder), likely=False):
                again._loops()

    def _is_repeatable(self) -> bool:
        """Whether the loops leave what they read as it is."""
        kernel = self.kernel
        return not self.partial and kernel.written.isdisjoint(kernel.places[x].root for x in kernel.reads)

    def _loops(self) -> None:
        fresh = [node for node in self.kernel.reductions if node not in self.depths and node not in self.partial]
        for node in fresh:
            self._totals(node, lambda _, node=node: identity(self.emitter, node))
        heavy, operations = self.kernel.kernel.heavy, len(self.kernel.nodes) + len(self.strides)
        again = self.emitter.angle is angles.called
        masked = not self.row and len(self.axes) == 1
        nest(
            self.builder, self.axes, self._element, self._around, self._is_free(), heavy, operations, again,
            self._lanes(), masked,
        )  # fmt: skip
        for node in fresh:
            if node.primitive.averages:
                self._totals(node, lambda total, node=node: self.kernel.finished(self.emitter, node, total))

    def _lanes(self) -> int:
        """How many elements a vector has; 1 where there are no masks for vectors."""
        bits = vector_bits()
        return bits // (8 * max(node.dtype.itemsize for node in self.kernel.nodes)) if bits >= 256 else 1

    def _totals(self, node: GraphNode, change: Any) -> None:
        """Replace the totals that these loops add up in memory."""
        y = node.results[0]
        kept = [(n, s) for n, s in zip(self.axes, self.strides[y], strict=True) if s]

        def one(numbers: list[Any]) -> None:
            where = place(self.builder, numbers, [s for _, s in kept])
            store(self.emitter, change(load(self.emitter, self.starts[y], where, y.dtype)), self.starts[y], where)

        nest(self.builder, [n for n, _ in kept], one)

    def _is_free(self) -> bool:
        """Whether all that happens is sums of short rows: they are better taken several at a time, with gathers."""
        axes = self.axes
        short = len(axes) > 1 and isinstance(axes[-1], int) and axes[-1] < SHORT
        return short and not self.kernel.writes and len(axes) - 1 in self.depths.values()

    def _around(self, depth: int, numbers: list[Any], enter: Any) -> None:
        here = [node for node, at in self.depths.items() if at == depth]
        for node in here:
            self.builder.store(identity(self.emitter, node).value, self.registers[node])
            if node in self.strange:
                self.builder.store(ir.IntType(1)(0), self.strange[node])
        enter()
        for node in here:
            y = node.results[0]
            total = self._total(node)
            where = place(self.builder, numbers, self.strides[y][: len(numbers)])
            if node in self.partial:
                total = combined(self.emitter, node, load(self.emitter, self.starts[y], where, y.dtype), total)
            else:
                total = self.kernel.finished(self.emitter, node, total)
            store(self.emitter, total, self.starts[y], where)

    def _total(self, node: GraphNode) -> Scalar:
        """What the registers of a reduction hold."""
        total = self.builder.load(self.registers[node])
        if node in self.strange:
            nan = ir.Constant(total.type, float("nan"))
            total = self.builder.select(self.builder.load(self.strange[node]), nan, total)
        return Scalar(self.emitter, total, node.dtype)

    def _add(self, node: GraphNode, term: Scalar) -> None:
        """One element more in the registers of a reduction. Of NaN there is but a note, because the instruction that
        keeps it takes six others along, one waiting for another: what the comparison gives then does not count."""
        builder, total = self.builder, self.builder.load(self.registers[node])
        if node not in self.strange:
            builder.store(
                combined(self.emitter, node, Scalar(self.emitter, total, node.dtype), term).value, self.registers[node]
            )
            return
        is_nan = builder.fcmp_unordered("uno", term.value, term.value)
        builder.store(builder.or_(builder.load(self.strange[node]), is_nan), self.strange[node])
        flags = ("nnan", "nsz")
        farther = builder.fcmp_ordered(SIDES[node.primitive.reducer], term.value, total, flags=flags)
        builder.store(builder.select(farther, term.value, total, flags=flags), self.registers[node])

    def _element(self, numbers: list[Any]) -> None:
        kernel, emitter, builder = self.kernel, self.emitter, self.builder
        values: dict[Any, Any] = {}
        for x in kernel.reads:
            values[x] = load(emitter, self.starts[x], place(builder, numbers, self.strides[x]), x.dtype)
        kernel.compute(emitter, values)
        for y in kernel.writes:
            store(emitter, values[y], self.starts[y], place(builder, numbers, self.strides[y]))
        for node in kernel.reductions:
            term = kernel.term(emitter, node, values)
            if node in self.registers:
                self._add(node, term)
            else:
                y = node.results[0]
                where = place(builder, numbers, self.strides[y])
                total = load(emitter, self.starts[y], where, y.dtype)
                store(emitter, combined(emitter, node, total, term), self.starts[y], where)


def _register_depth(axes: Sequence[Any], steps: Sequence[int]) -> int | None:
    """At which depth the loops of a reduction begin, if it goes over the innermost loops and no others: its total stays
    in a register."""
    inner = len(axes)
    while inner and steps[inner - 1] == 0:
        inner -= 1
    return inner if all(steps[:inner]) else None


def function_of(code: Code, roots: Sequence[Value], more: Sequence[Any] = ()) -> tuple[Any, Any, dict[Value, Any]]:
    """A new function of the memory of some values (and more arguments), a builder at its start, and where the memory
    begins."""
    made, builder = code.function("kernel", [*(memory_type(root.dtype).as_pointer() for root in roots), *more])
    pointers = dict(zip(roots, made.args, strict=False))
    for argument in pointers.values():
        argument.add_attribute("noalias")
    return made, builder, pointers


def shifted(builder: Any, pointer: Any, offset: Any) -> Any:
    """The pointer some elements further on."""
    return builder.gep(pointer, [offset], inbounds=True)


def crosses(node: GraphNode, rank: int, lead: int) -> bool:
    """Whether a reduction goes over one of the first ``lead`` of ``rank`` axes."""
    return any(axis % rank < lead for axis in node.primitive.axes)  # type: ignore[attr-defined]


def fill(builder: Any, kernel: KernelNest, node: GraphNode, pointers: Any) -> None:
    """Put what a reduction starts from into all of the memory of its result."""
    emitter = ScalarEmitter(builder)
    root = kernel.places[node.results[0]].root
    with loop(builder, size(root.shape)) as number:
        store(emitter, identity(emitter, node), pointers[root], number)


def finish(builder: Any, kernel: KernelNest, node: GraphNode, pointers: Any) -> None:
    """Make averages of totals in memory."""
    if not node.primitive.averages:
        return
    emitter = ScalarEmitter(builder)
    root = kernel.places[node.results[0]].root
    with loop(builder, size(root.shape)) as number:
        total = load(emitter, pointers[root], number, root.dtype)
        store(emitter, kernel.finished(emitter, node, total), pointers[root], number)


def _literal(emitter: ScalarEmitter, x: Any) -> Any:
    found = number(x)
    return emitter.constant(found, found.dtype) if isinstance(found, np.generic) else found


def _reduced_strides(node: GraphNode, space: tuple[int, ...], at: Layout) -> tuple[int, ...]:
    """Strides of a reduction's result along the axes of what is reduced; 0 along those that go."""
    axes = {axis % len(space) for axis in node.primitive.axes}  # type: ignore[attr-defined]
    if len(at.shape) == len(space):
        return tuple(0 if axis in axes else s for axis, s in enumerate(at.strides))
    strides = iter(at.strides)
    return tuple(0 if axis in axes else next(strides) for axis in range(len(space)))


#: Length of an inner loop from which on it may be cut instead of the outermost.
LONG = 512

#: How an element compares with the total that it replaces.
SIDES = {"maximum": ">", "minimum": "<"}

#: What sums, products and the like start from.
_STARTS: dict[str, Any] = {"add": 0, "multiply": 1, "logical_or": False, "logical_and": True, "nonzero": 0}


def identity(emitter: ScalarEmitter, node: GraphNode) -> Scalar:
    """What a reduction starts from."""
    kind = node.primitive.reducer
    if kind in _STARTS:
        return emitter.constant(_STARTS[kind], node.dtype)
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
    if kind in _STARTS:
        kind = "add" if kind == "nonzero" else kind
        if node.dtype.kind == "f":
            build = emitter.builder.fadd if kind == "add" else emitter.builder.fmul
            return Scalar(emitter, build(total.value, x.value, flags=("reassoc", "contract")), node.dtype)
    elif node.dtype.kind == "f":
        found = emitter.intrinsic(f"llvm.{kind}", total.value.type, [total.value, x.value])
        return Scalar(emitter, found, node.dtype)
    return emitter.cast(emitter.ufunc(getattr(np, kind), (total, x)), node.dtype)
