"""A program as an object file: one C function, without Python."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from wengert.backends.llvm import angles, engine, external
from wengert.backends.llvm.codegen import Frame, copy_elements
from wengert.backends.llvm.inner import Inner
from wengert.backends.llvm.layout import Layout, contiguous, own
from wengert.backends.llvm.loops import index
from wengert.backends.llvm.machine import object_machine
from wengert.backends.llvm.memory import ALIGNMENT
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.program import Program
from wengert.backends.llvm.scalars import memory_type
from wengert.core.errors import GraphError
from wengert.core.lazy import LazyModule
from wengert.core.static import Constant, Value

ir: Any = LazyModule("llvmlite.ir")
binding: Any = LazyModule("llvmlite.binding")

#: What the function returns.
FINE, FAILED, MISSING = 0, 1, 2

_BYTE = 8


class Object(NamedTuple):
    """An object file, how much memory its function asks for, and the functions that it calls."""

    code: bytes
    workspace: int
    externals: tuple[str, ...]


def compiled(program: Program, name: str, cpu: str | None = None) -> Object:
    """The object file with ``name`` and ``name_workspace_size``.

    Raises ``GraphError`` if something would need Python."""
    writer = _Writer(program, name)
    writer.write()
    module = writer.code.module
    missing = external.foreign(module)
    if missing:
        raise GraphError(f"export: {', '.join(missing)} is computed by NumPy or SciPy, which a C program does not have")
    text = str(module)
    for symbol, standard in external.standard_names(module).items():
        text = text.replace(f'@"{symbol}"', f'@"{standard}"')
    with engine.LOCK:
        target = object_machine(cpu)
        parsed = binding.parse_assembly(text)
        for one in angles.outside(module):
            parsed.link_in(binding.parse_assembly(str(one)))
            parsed.get_function(one.name).linkage = "internal"
        parsed.triple = target.triple
        parsed.data_layout = str(target.target_data)
        engine.optimise(parsed, target)
        code = target.emit_object(parsed)
        called = [one.name for one in parsed.functions if one.is_declaration and not one.name.startswith("llvm.")]
    return Object(code, writer.workspace, tuple(sorted(called)))


class _Writer:
    """Writes ``int32_t name(const x*, ..., y*, ..., void* workspace)``."""

    def __init__(self, program: Program, name: str) -> None:
        self.program = program
        self.name = name
        self.code = Code(Inner)
        self.byte = ir.IntType(_BYTE).as_pointer()
        #: The outputs that are computed where the caller wants them, by root.
        self.direct: dict[Value, int] = {}
        for k, layout in enumerate(program.layouts):
            if layout == own(layout.root) and layout.root in program.fresh:
                self.direct.setdefault(layout.root, k)
        end = program.arena.size + ALIGNMENT
        #: Where the other roots lie in the workspace, after the arena and the mark of failure.
        self.places: dict[Value, int] = {}
        for root in program.fresh:
            if root not in self.direct:
                self.places[root] = end
                end += -(-root.spec.nbytes // ALIGNMENT) * ALIGNMENT
        # What is given need not be aligned.
        self.workspace = end + ALIGNMENT

    def write(self) -> None:
        graph = self.program.graph
        given = [memory_type(x.dtype).as_pointer() for x in (*graph.inputs, *graph.outputs)]
        kind = ir.FunctionType(ir.IntType(32), [*given, self.byte])
        function = ir.Function(self.code.module, kind, self.name)
        function.attributes.add("nounwind")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        *arguments, workspace = function.args
        self._refuse_null(builder, function.args)
        base = self._aligned(builder, workspace)
        inputs, outputs = arguments[: len(graph.inputs)], arguments[len(graph.inputs) :]
        pointers: dict[Value, Any] = dict(zip(graph.inputs, inputs, strict=True))
        pointers.update((root, outputs[k]) for root, k in self.direct.items())
        for root, place in self.places.items():
            where = builder.gep(base, [index(place)])
            pointers[root] = builder.bitcast(where, memory_type(root.dtype).as_pointer())
        pointers.update((x, self._embedded(x, k)) for k, x in enumerate(self.program.constants))
        mark = builder.bitcast(builder.gep(base, [index(self.program.arena.size)]), ir.IntType(64).as_pointer())
        builder.store(index(0), mark)
        frame = Frame(self.code, builder, self.program.schedule, pointers, mark)
        frame.allocate(self.program.arena, base)
        frame.run(self.program.schedule.steps, self.program.arena, base)
        for k, layout in enumerate(self.program.layouts):
            if self.direct.get(layout.root) != k or layout != own(layout.root):
                target = Layout(layout.root, layout.shape, contiguous(layout.shape))
                copy_elements(self.code, builder, layout, target, (frame.pointers[layout.root], outputs[k]))
        failed = builder.icmp_signed("!=", builder.load(mark), index(0))
        builder.ret(builder.select(failed, ir.IntType(32)(FAILED), ir.IntType(32)(FINE)))
        self._size_function()

    def _refuse_null(self, builder: Any, pointers: Any) -> None:
        for pointer in pointers:
            missing = builder.icmp_unsigned("==", pointer, ir.Constant(pointer.type, None))
            with builder.if_then(missing, likely=False):
                builder.ret(ir.IntType(32)(MISSING))

    @staticmethod
    def _aligned(builder: Any, pointer: Any) -> Any:
        number = builder.ptrtoint(pointer, ir.IntType(64))
        number = builder.and_(builder.add(number, index(ALIGNMENT - 1)), index(-ALIGNMENT))
        return builder.inttoptr(number, pointer.type)

    def _embedded(self, x: Constant, number: int) -> Any:
        """The elements of a constant, in the object file."""
        data = bytearray(np.ascontiguousarray(x.array).tobytes()) or bytearray(1)
        kind = ir.ArrayType(ir.IntType(_BYTE), len(data))
        made = ir.GlobalVariable(self.code.module, kind, f"constant_{number}")
        made.linkage = "internal"
        made.global_constant = True
        made.align = ALIGNMENT
        made.initializer = ir.Constant(kind, data)
        return made.bitcast(memory_type(x.dtype).as_pointer())

    def _size_function(self) -> None:
        word = ir.IntType(64)
        function = ir.Function(self.code.module, ir.FunctionType(word, []), f"{self.name}_workspace_size")
        ir.IRBuilder(function.append_basic_block("entry")).ret(index(self.workspace))
