"""A graph as a program: native segments, and between them what NumPy computes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from wengert.backends.llvm import interrupts, results
from wengert.backends.llvm.codegen import Frame, lowers
from wengert.backends.llvm.division import divide
from wengert.backends.llvm.engine import Native
from wengert.backends.llvm.fastcall import fastcall
from wengert.backends.llvm.grouping import group
from wengert.backends.llvm.inner import Inner
from wengert.backends.llvm.layout import Layout, own, size
from wengert.backends.llvm.loops import index
from wengert.backends.llvm.memory import ALIGNMENT, Arena
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.reuse import reuse
from wengert.backends.llvm.scalars import memory_type
from wengert.backends.llvm.schedule import Host, Lowering, Routine, Schedule, Step, inside
from wengert.backends.llvm.threads import AVAILABLE, DISPATCH, POOL
from wengert.core.apply import explain
from wengert.core.errors import GraphError
from wengert.core.interpreter import interpret
from wengert.core.lazy import LazyModule
from wengert.core.static import Constant, Graph, Value
from wengert.core.types import storage

ir: Any = LazyModule("llvmlite.ir")

#: Where an ndarray object keeps the address of its elements: after the reference count and the type.
_DATA = 16

#: Multiplications, roughly, from which on a run is long enough to let other threads have the interpreter meanwhile.
_LONG = 20_000


#: Steps of one function: LLVM takes time for long ones that grows with the square.
_PART = 100


class Segment:
    """Steps that run as one native function of a table of arrays."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.call: Any = None

    @property
    def parts(self) -> list[list[Step]]:
        """The steps, in pieces that are functions of their own if there are several."""
        return [self.steps[k : k + _PART] for k in range(0, len(self.steps), _PART)]


class Program:
    """The executable form of a graph whose lengths are known. May be called from several threads at once. ``donated``
    inputs are written to, if a result can be where they are."""

    def __init__(self, graph: Graph, keep_text: bool = False, donated: Sequence[Value] = ()) -> None:
        self.graph = graph
        self._donated = bool(donated)
        self.schedule = schedule = Schedule(graph, _remembered)
        schedule.own_outputs()
        for one in every(schedule):
            group(one)
            divide(one)
            reuse(one, donated if one is schedule else ())
        self.layouts = self._outputs = schedule.outputs
        written = {y for step in schedule.steps for y in schedule.writes(step)}
        shared: set[Value] = set()
        #: Roots that become fresh arrays at every call because an output lies in them whole.
        self.fresh: list[Value] = []
        for layout in self._outputs:
            root = layout.root
            if root in written and root not in shared and root not in graph.inputs:
                shared.add(root)
                self.fresh.append(root)
        crossing = [y for step in schedule.hosts for y in schedule.writes(step)]
        crossing += [layout.root for step in schedule.hosts for layout in schedule.reads(step)]
        held = dict.fromkeys(x for x in crossing if x in written and x not in shared)
        self.segments = self._segments()
        self.arena = Arena(schedule, [*shared, *held], self._lasting())
        self.constants = constants_inside(schedule)
        arrays: list[Value] = [*graph.inputs, *self.fresh, *held, *self.constants]
        self.places = {x: k for k, x in enumerate(arrays)}
        self._held = list(held)
        self._own = written
        self._constant_arrays = [np.ascontiguousarray(x.array).reshape(x.shape) for x in self.constants]
        self._arenas: list[np.ndarray] = []
        self._specs = [(x.shape, x.dtype) for x in graph.inputs]
        self._fresh_specs = [(x.shape, x.dtype, x.spec.nbytes) for x in self.fresh]
        self._keeps = results.worthwhile(x.spec.nbytes for x in self.fresh)
        self.native: Native | None = None
        self._threaded = False
        #: Whether other threads may run Python meanwhile.
        self._releases = False
        #: Whether native code may find something wrong.
        self._checked = any(isinstance(step, Routine) for one in every(schedule) for step in one.steps)
        self._compile(keep_text)
        self.simple = len(self.segments) == 1 and isinstance(self.segments[0], Segment) and not self._held
        self._call: Any = self.segments[0].call if self.simple else None  # type: ignore[union-attr]
        self._table: Any = ctypes.c_void_p * (len(self.places) + 1)
        self._constant_ids = tuple(map(id, self._constant_arrays))
        self._direct = all(layout == own(layout.root) for layout in self._outputs) and len(shared) == len(self._outputs)

    def _segments(self) -> list[Segment | Host]:
        found: list[Segment | Host] = []
        for step in self.schedule.steps:
            if isinstance(step, Host):
                found.append(step)
            elif found and isinstance(found[-1], Segment):
                found[-1].steps.append(step)
            else:
                found.append(Segment([step]))
        return found

    def _lasting(self) -> set[Value]:
        """What one part of a native segment leaves for another."""
        parts = [part for one in self.segments if isinstance(one, Segment) for part in one.parts]
        place = {id(step): k for k, part in enumerate(parts) for step in part}
        made = {y: place.get(id(step)) for step in self.schedule.steps for y in self.schedule.writes(step)}
        return {
            layout.root
            for step in self.schedule.steps
            for layout in self.schedule.reads(step)
            if made.get(layout.root) not in (None, place.get(id(step)))
        }

    # -- compiling ----------------------------------------------------------------------------------------------

    def _compile(self, keep_text: bool) -> None:
        native = [one for one in self.segments if isinstance(one, Segment)]
        if not native:
            return
        code = Code(Inner, threads=AVAILABLE, interrupts=True)
        table = ir.IntType(8).as_pointer().as_pointer()
        for number, segment in enumerate(native):
            function, builder = code.function(f"segment_{number}", [table], internal=False)
            if len(segment.parts) == 1:
                self._write(code, builder, segment.steps)
            else:
                for steps in segment.parts:
                    part, inside_part = code.function("part", [table])
                    self._write(code, inside_part, steps)
                    inside_part.ret_void()
                    builder.call(part, function.args)
            builder.ret_void()
        self._threaded = DISPATCH in code.module.globals
        outside = {DISPATCH: POOL.address()} if self._threaded else {}
        if interrupts.POLL in code.module.globals:
            outside[interrupts.POLL] = interrupts.address()
            self._checked = True
        self.native = Native(code.module, keep_text, outside)
        long = sum(np.prod(y.shape, dtype=float) for node in self.graph.nodes for y in node.results) > _LONG
        self._releases = bool(long or any(n.primitive.graphs() for n in self.graph.nodes))
        kind = ctypes.CFUNCTYPE if self._releases else ctypes.PYFUNCTYPE
        signature = kind(None, ctypes.c_void_p)
        for number, segment in enumerate(native):
            segment.call = signature(self.native.address(f"segment_{number}"))

    def _write(self, code: Code, builder: Any, steps: Sequence[Step]) -> None:
        """The code of some steps, in a function of the table."""
        entry = builder.function.args[0]
        used: Iterable[Value] = self.places
        if len(steps) < len(self.schedule.steps) and not any(inside(one) or isinstance(one, Routine) for one in steps):
            touched = {layout.root for one in steps for layout in self.schedule.reads(one)}
            touched.update(y for one in steps for y in self.schedule.writes(one))
            used = [x for x in self.places if x in touched]
        pointers = {x: self._data(builder, entry, self.places[x], x) for x in used}
        base = self._data(builder, entry, len(self.places), None)
        status = builder.bitcast(builder.gep(base, [index(self.arena.size)]), ir.IntType(64).as_pointer())
        frame = Frame(code, builder, self.schedule, pointers, status)
        frame.allocate(self.arena, base, steps)
        frame.run(steps, self.arena, base)

    @staticmethod
    def _data(builder: Any, table: Any, place: int, x: Value | None) -> Any:
        """The elements of the array object at a place of the table."""
        array = builder.load(builder.gep(table, [index(place)]))
        field = builder.bitcast(builder.gep(array, [index(_DATA)]), ir.IntType(8).as_pointer().as_pointer())
        data = builder.load(field)
        return data if x is None else builder.bitcast(data, memory_type(x.dtype).as_pointer())

    # -- running ------------------------------------------------------------------------------------------------

    def run(self, arguments: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """The outputs for arrays of the shapes and dtypes of the inputs, contiguous and aligned."""
        if self._threaded and not POOL.ready:
            POOL.start()
        fresh = self._fresh()
        try:
            arena = self._arenas.pop()
        except IndexError:
            arena = self._new_arena()
        if self.simple:
            self._call(self._table(*map(id, arguments), *map(id, fresh), *self._constant_ids, id(arena)))
            if self._checked and arena[-ALIGNMENT]:
                self._explain(arena, arguments)
            self._arenas.append(arena)
            if self._direct:
                return tuple(fresh)
            arrays = [*arguments, *fresh, *self._constant_arrays]
        else:
            arrays = self._in_turn([*arguments, *fresh], arena)
            self._arenas.append(arena)
        return self._outputs_of(arrays)

    def fastcall(self, kinds: Sequence[int]) -> Callable[..., Any] | None:
        """The same as a built-in function of arrays, tensors and numbers, which ``kinds`` tells apart, that returns
        tensors; ``None`` if this program is not simple enough for one."""
        if not self.simple or not self._direct or not self.fresh or self._threaded or self.native is None:
            return None
        if self._keeps:
            return None
        inputs = [(kind, *spec) for kind, spec in zip(kinds, self._specs, strict=True)]
        outputs = [(shape, dtype) for shape, dtype, _ in self._fresh_specs]
        arena = self._new_arena()
        status = arena.ctypes.data + self.arena.size if self._checked else None
        run = self.native.address("segment_0")
        return fastcall(run, inputs, outputs, self._constant_arrays, arena, status, self._releases)

    def _outputs_of(self, arrays: list[Any]) -> tuple[np.ndarray, ...]:
        """The outputs, when all has run. What belongs to the caller or to the program is handed out as a copy."""
        return tuple(
            self._output(layout, arrays) if layout.root in self._own else self._output(layout, arrays).copy()
            for layout in self._outputs
        )

    def _fresh(self) -> list[np.ndarray]:
        if self._keeps:
            return [results.fresh(*spec) for spec in self._fresh_specs]
        return [np.empty(shape, dtype) for shape, dtype, _ in self._fresh_specs]

    # -- memory -------------------------------------------------------------------------------------------------

    @property
    def predicted_bytes(self) -> int:
        """The bytes that a run takes: the arena, the outputs, and what native segments and NumPy hand each other."""
        copies = [layout for layout in self._outputs if layout.root not in self._own]
        values = (*self.fresh, *self._held)
        return (
            self.arena.size
            + 2 * ALIGNMENT
            + sum(x.spec.nbytes for x in values)
            + sum(size(layout.shape) * layout.root.dtype.itemsize for layout in copies)
        )

    def measured_bytes(self, arguments: Sequence[np.ndarray]) -> int:
        """The bytes that a run has really taken: those of the arrays that are there when it is over."""
        if self._threaded and not POOL.ready:
            POOL.start()
        arena = self._new_arena()
        fresh = self._fresh()
        arrays = self._in_turn([*arguments, *fresh], arena)
        given = {id(storage(x)) for x in (*arguments, *self._constant_arrays)}
        taken = {id(root): root for root in map(storage, (*arrays, *self._outputs_of(arrays), arena))}
        return sum(root.nbytes for key, root in taken.items() if key not in given)

    def _new_arena(self) -> np.ndarray:
        memory = np.empty(self.arena.size + 2 * ALIGNMENT, np.uint8)
        start = -memory.__array_interface__["data"][0] % ALIGNMENT
        memory[start + self.arena.size] = 0
        return memory[start : start + self.arena.size + ALIGNMENT]

    def _in_turn(self, arrays: list[Any], arena: np.ndarray) -> list[Any]:
        arrays += [np.empty(x.shape, x.dtype) for x in self._held]
        arrays += self._constant_arrays
        for one in self.segments:
            if isinstance(one, Segment):
                one.call(self._table(*map(id, arrays), id(arena)))
                if self._checked and arena[-ALIGNMENT]:
                    self._explain(arena, arrays[: len(self.graph.inputs)])
            else:
                self._host(one, arrays)
        return arrays

    def _explain(self, arena: np.ndarray, arguments: Sequence[np.ndarray]) -> NoReturn:
        """A signal has come; or native code found something wrong, and the operations know how to say it."""
        interrupts.raise_again(arena[-ALIGNMENT:].view(np.int64))
        interpret(self.graph, arguments)
        lost = "; arguments were donated and are overwritten: without donate_argnums the error says more"
        raise GraphError(f"native code reported a failure that NumPy does not find{lost if self._donated else ''}")

    def _host(self, step: Host, arrays: list[Any]) -> None:
        node = step.node
        operands = [
            self._output(self.schedule.layouts[x], arrays) if isinstance(x, Value) else x for x in node.operands
        ]
        try:
            out = node.primitive.value(*operands)
        except Exception as error:
            raise explain(node.primitive, operands, error, node.location) from error
        for y, one in zip(node.results, out if isinstance(out, tuple) else (out,), strict=True):
            place = self.places[y]
            array = np.ascontiguousarray(one).reshape(y.shape)
            # What was handed out or handed in must not be shared with what comes next.
            arrays[place] = array if array.flags.owndata and array is one else array.copy()

    def _output(self, layout: Layout, arrays: list[Any]) -> np.ndarray:
        array: np.ndarray = arrays[self.places[layout.root]]
        if layout == own(layout.root):
            return array if array.shape == layout.shape else array.reshape(layout.shape)
        if 0 in layout.shape:
            return np.empty(layout.shape, array.dtype)
        step = array.itemsize
        return np.ndarray(
            layout.shape, array.dtype, array, layout.offset * step, tuple(s * step for s in layout.strides)
        )


def every(schedule: Schedule) -> Iterator[Schedule]:
    """A schedule and those inside it."""
    stack = [schedule]
    while stack:
        here = stack.pop()
        yield here
        stack += [one for step in here.steps for one in inside(step)]


def constants_inside(schedule: Schedule) -> list[Constant]:
    """The constants of a schedule and of those inside it, and the tables of their routines."""
    found: dict[Constant, None] = {}
    for one in every(schedule):
        found.update(dict.fromkeys(one.graph.constants))
        tables = [table for step in one.steps if isinstance(step, Routine) for table in step.plan.tables]
        found.update(dict.fromkeys(tables))
    return list(found)


#: What was found out, as long as there is not too much of it: literals are part of the key.
_LOWERINGS: dict[Any, Lowering] = {}
_MANY = 4096


def _remembered(node: Any) -> Lowering:
    """``lowers``, asked once for each operation and dtypes of operands."""
    key = (
        node.primitive,
        tuple((x.dtype, 0 in x.shape) if isinstance(x, Value) else (type(x), repr(x)) for x in node.operands),
    )
    found = _LOWERINGS.get(key)
    if found is None:
        if len(_LOWERINGS) >= _MANY:
            _LOWERINGS.clear()
        found = _LOWERINGS[key] = lowers(node)
    return found
