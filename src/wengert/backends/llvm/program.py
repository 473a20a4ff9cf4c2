"""A graph as a program: one native function of arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import numpy as np

from wengert.backends.llvm import interrupts, results, upcalls
from wengert.backends.llvm.codegen import Frame, lowers
from wengert.backends.llvm.division import divide
from wengert.backends.llvm.engine import Native
from wengert.backends.llvm.epilogues import attach
from wengert.backends.llvm.fastcall import fastcall
from wengert.backends.llvm.grouping import group
from wengert.backends.llvm.inner import Inner
from wengert.backends.llvm.layout import Layout, own, size
from wengert.backends.llvm.loops import index
from wengert.backends.llvm.memory import ALIGNMENT, Arena
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.reuse import reuse
from wengert.backends.llvm.scalars import memory_type
from wengert.backends.llvm.schedule import Lowering, Routine, Schedule, Step, every, inside
from wengert.backends.llvm.threads import AVAILABLE, DISPATCH, POOL
from wengert.backends.llvm.upcalls import Upcalls
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


#: The name of the function in its module.
_ENTRY = "program"

#: Steps of one function: LLVM takes time for long ones that grows with the square.
_PART = 100


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
            attach(one)
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
        self.arena = Arena(schedule, shared, self._lasting())
        self.constants = constants_inside(schedule)
        arrays: list[Value] = [*graph.inputs, *self.fresh, *self.constants]
        self.places = {x: k for k, x in enumerate(arrays)}
        self._own = written
        self._constant_arrays = [np.ascontiguousarray(x.array).reshape(x.shape) for x in self.constants]
        self._arenas: list[np.ndarray] = []
        self._specs = [(x.shape, x.dtype) for x in graph.inputs]
        self._fresh_specs = [(x.shape, x.dtype, x.spec.nbytes) for x in self.fresh]
        self._keeps = results.worthwhile(x.spec.nbytes for x in self.fresh)
        self.native: Native | None = None
        #: What native code calls for what NumPy computes.
        self._upcalls: Upcalls | None = None
        self._threaded = False
        #: Whether other threads may run Python meanwhile.
        self._releases = False
        #: Whether native code may find something wrong, or Python may raise.
        self._checked = any(isinstance(step, Routine) for one in every(schedule) for step in one.steps)
        self._call: Any = None
        self._compile(keep_text)
        self._table: Any = ctypes.c_void_p * (len(self.places) + 1)
        self._constant_ids = tuple(map(id, self._constant_arrays))
        self._direct = all(layout == own(layout.root) for layout in self._outputs) and len(shared) == len(self._outputs)

    @property
    def parts(self) -> list[list[Step]]:
        """The steps, in pieces that are functions of their own if there are several."""
        steps = self.schedule.steps
        return [steps[k : k + _PART] for k in range(0, len(steps), _PART)]

    def _lasting(self) -> set[Value]:
        """What one part leaves for another."""
        place = {id(step): k for k, part in enumerate(self.parts) for step in part}
        made = {y: place.get(id(step)) for step in self.schedule.steps for y in self.schedule.writes(step)}
        return {
            layout.root
            for step in self.schedule.steps
            for layout in self.schedule.reads(step)
            if made.get(layout.root) not in (None, place.get(id(step)))
        }

    # -- compiling ----------------------------------------------------------------------------------------------

    def _compile(self, keep_text: bool) -> None:
        if not self.schedule.steps:
            return
        code = Code(Inner, threads=AVAILABLE, interrupts=True)
        table = ir.IntType(8).as_pointer().as_pointer()
        function, builder = code.function(_ENTRY, [table], internal=False)
        if len(self.parts) == 1:
            self._write(code, builder, self.schedule.steps)
        else:
            for steps in self.parts:
                part, inside_part = code.function("part", [table])
                self._write(code, inside_part, steps)
                inside_part.ret_void()
                builder.call(part, function.args)
                if upcalls.used(code):
                    upcalls.leave_if_failed(builder, self._status(builder, self._base(builder, *function.args)))
        builder.ret_void()
        self._threaded = DISPATCH in code.module.globals
        outside = {DISPATCH: POOL.address()} if self._threaded else {}
        outside |= {name: upcalls.address(name) for name in upcalls.used(code)}
        self._checked |= bool(upcalls.used(code))
        self.native = Native(code.module, keep_text, outside)
        self._upcalls = Upcalls(list(code.hosts), self._offsets()) if code.hosts else None
        self._releases = self._is_long()
        kind = ctypes.CFUNCTYPE if self._releases else ctypes.PYFUNCTYPE
        self._call = kind(None, ctypes.c_void_p)(self.native.address(_ENTRY))

    def _is_long(self) -> bool:
        """Whether a run, or what it does between two calls of Python, is long enough to let other threads have the
        interpreter meanwhile: a thread that gives it up may wait for milliseconds to get it back."""
        often = interrupts.calls(self.schedule)
        if often:
            return interrupts.work(self.schedule) > _LONG * often
        nodes = self.graph.nodes
        long = sum(np.prod(y.shape, dtype=float) for node in nodes for y in node.results) > _LONG
        return bool(long or any(node.primitive.graphs() for node in nodes))

    def _offsets(self) -> dict[Any, int]:
        """Where in the arena everything is that lies there."""
        return {key: base + offset for one, base, _ in self.arena.every() for key, offset in one.offsets.items()}

    def _write(self, code: Code, builder: Any, steps: Sequence[Step]) -> None:
        """The code of some steps, in a function of the table."""
        entry = builder.function.args[0]
        used: Iterable[Value] = self.places
        if len(steps) < len(self.schedule.steps) and not any(inside(one) or isinstance(one, Routine) for one in steps):
            touched = {layout.root for one in steps for layout in self.schedule.reads(one)}
            touched.update(y for one in steps for y in self.schedule.writes(one))
            used = [x for x in self.places if x in touched]
        pointers = {x: self._data(builder, entry, self.places[x], x) for x in used}
        base = self._base(builder, entry)
        frame = Frame(code, builder, self.schedule, pointers, self._status(builder, base))
        frame.allocate(self.arena, base, steps)
        frame.run(steps, self.arena, base)

    def _base(self, builder: Any, table: Any) -> Any:
        """Where the arena begins."""
        return self._data(builder, table, len(self.places), None)

    def _status(self, builder: Any, base: Any) -> Any:
        return builder.bitcast(builder.gep(base, [index(self.arena.size)]), ir.IntType(64).as_pointer())

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
        fresh = self._fresh()
        try:
            arena = self._arenas.pop()
        except IndexError:
            arena = self._new_arena()
        self._execute(arguments, fresh, arena)
        self._arenas.append(arena)
        if self._direct:
            return tuple(fresh)
        return self._outputs_of([*arguments, *fresh, *self._constant_arrays])

    def _execute(self, arguments: Sequence[np.ndarray], fresh: Sequence[np.ndarray], arena: np.ndarray) -> None:
        if self._threaded and not POOL.ready:
            POOL.start()
        if self._call is not None:
            self._call(self._table(*map(id, arguments), *map(id, fresh), *self._constant_ids, id(arena)))
            if self._checked and arena[-ALIGNMENT]:
                self._explain(arena, arguments)

    def fastcall(self, kinds: Sequence[int]) -> Callable[..., Any] | None:
        """The same as a built-in function of arrays, tensors and numbers, which ``kinds`` tells apart, that returns
        tensors; ``None`` if this program is not simple enough for one."""
        if not self._direct or not self.fresh or self._threaded or self._keeps or self.native is None:
            return None
        inputs = [(kind, *spec) for kind, spec in zip(kinds, self._specs, strict=True)]
        outputs = [(shape, dtype) for shape, dtype, _ in self._fresh_specs]
        arena = self._new_arena()
        status = arena.ctypes.data + self.arena.size if self._checked else None
        run = self.native.address(_ENTRY)
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
        """The bytes that a run takes: the arena and the outputs. What NumPy takes while it computes is not counted."""
        copies = [layout for layout in self._outputs if layout.root not in self._own]
        return (
            self.arena.size
            + 2 * ALIGNMENT
            + sum(x.spec.nbytes for x in self.fresh)
            + sum(size(layout.shape) * layout.root.dtype.itemsize for layout in copies)
        )

    def measured_bytes(self, arguments: Sequence[np.ndarray]) -> int:
        """The bytes that a run has really taken: those of the arrays that are there when it is over."""
        arena, fresh = self._new_arena(), self._fresh()
        self._execute(arguments, fresh, arena)
        arrays = [*arguments, *fresh, *self._constant_arrays]
        given = {id(storage(x)) for x in (*arguments, *self._constant_arrays)}
        taken = {id(root): root for root in map(storage, (*arrays, *self._outputs_of(arrays), arena))}
        return sum(root.nbytes for key, root in taken.items() if key not in given)

    def _new_arena(self) -> np.ndarray:
        memory = np.empty(self.arena.size + 2 * ALIGNMENT, np.uint8)
        start = -memory.__array_interface__["data"][0] % ALIGNMENT
        arena = memory[start : start + self.arena.size + ALIGNMENT]
        words = arena[-ALIGNMENT:].view(np.int64)
        words[:] = 0
        if self._upcalls is not None:
            self._upcalls.prepare(words, arena)
        return arena

    def _explain(self, arena: np.ndarray, arguments: Sequence[np.ndarray]) -> NoReturn:
        """Python has raised something; or native code found something wrong, and the operations know how to say it."""
        upcalls.raise_again(arena[-ALIGNMENT:].view(np.int64))
        interpret(self.graph, arguments)
        lost = "; arguments were donated and are overwritten: without donate_argnums the error says more"
        raise GraphError(f"native code reported a failure that NumPy does not find{lost if self._donated else ''}")

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
