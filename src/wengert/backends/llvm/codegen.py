"""The code of a schedule: one function, with loop nests as functions of their own where they are large.

Nests that differ only in the memory they work on share a function. Small ones are written out element by element in
place, where LLVM keeps everything in registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm import angles, division, epilogues, math, products, routines, upcalls
from wengert.backends.llvm.layout import Layout, collapsed, own, size
from wengert.backends.llvm.loops import index, load, nest, place, register, stack, store
from wengert.backends.llvm.memory import Arena
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.nests import SIDES, KernelNest, RowNest, compiled, written_out
from wengert.backends.llvm.scalars import NotLowered, Scalar, ScalarEmitter, ir_type, memory_type
from wengert.backends.llvm.schedule import (
    Assembly,
    Copy,
    Host,
    Kernel,
    Lowering,
    Product,
    Routine,
    Rows,
    Schedule,
    Step,
)
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode, Value

ir: Any = LazyModule("llvmlite.ir")

#: Elements up to which a nest is written out, and a nest of long code.
UNROLLED, UNROLLED_HEAVY = 32, 4

#: Operations of a program that are written out in place; more of them become functions, which LLVM takes one by one.
WRITTEN = 1024


class Frame:
    """Emits the steps of one schedule at a builder's place. ``pointers`` says where roots lie, and ``status`` where to
    write that the run has failed."""

    def __init__(
        self, code: Code, builder: Any, schedule: Schedule, pointers: dict[Value, Any], status: Any = None
    ) -> None:
        self.code = code
        self.builder = builder
        self.schedule = schedule
        self.pointers = pointers
        self.status = status

    def allocate(self, arena: Arena, base: Any, steps: Sequence[Step] | None = None) -> None:
        """Give memory to every value of some steps (of all) that has none yet: on the stack, or at its offset in the
        arena."""
        for step in self.schedule.steps if steps is None else steps:
            for y in (*self.schedule.writes(step), *(layout.root for layout in self.schedule.reads(step))):
                if y in self.pointers:
                    continue
                if y in arena.offsets:
                    where = self.builder.gep(base, [index(arena.offsets[y])])
                    self.pointers[y] = self.builder.bitcast(where, memory_type(y.dtype).as_pointer())
                else:
                    self.pointers[y] = stack(self.builder, y.dtype, size(y.shape))
        for y, home in self.schedule.homes.items():
            if home in self.pointers:
                self.pointers[y] = self.pointers[home]

    def run(self, steps: Sequence[Step], arena: Arena, base: Any) -> None:
        """Emit steps, in order."""
        for step in steps:
            if isinstance(step, Kernel):
                self.kernel(step)
            elif isinstance(step, Rows):
                self.call(RowNest(self.schedule, step), step.division)
            elif isinstance(step, Copy):
                self.copy(step.source, own(step.target))
            elif isinstance(step, Assembly):
                self.assemble(step)
            elif isinstance(step, Product):
                products.emit(self, products.task_of(self.schedule, step))
            elif isinstance(step, Routine):
                routines.emit(self, step.node, step.plan)
            elif isinstance(step, Host):
                upcalls.compute(self, step)
            else:
                self.code.inner(self, arena, base).emit(step)

    # -- elementwise operations and reductions ---------------------------------------------------------------------

    def kernel(self, kernel: Kernel) -> None:
        if kernel.product is not None:
            task = products.task_of(self.schedule, kernel.product)
            return products.emit(self, task, epilogues.of(self.schedule, kernel, task.matrices[2].rows))
        nest_of = KernelNest(self.schedule, kernel)
        if size(kernel.space) <= (UNROLLED_HEAVY if kernel.heavy else UNROLLED):
            self.code.written += size(kernel.space) * kernel.weight
            if self.code.written <= WRITTEN:
                nest_of.write_out(self.builder, self.pointers)
            else:
                self.call(nest_of, None, written_out)
            return
        self.call(nest_of, kernel.division)

    def call(self, nest_of: KernelNest | RowNest, cut: Any, compiled: Any = compiled) -> None:
        """Run a nest that is a function of its own, shared with those that do the same to other memory."""
        key = compiled, nest_of.key()
        roots = nest_of.roots if cut is None else [*nest_of.roots, *cut.private.values()]
        made = self.code.kernels.get(key)
        if made is None:
            made = compiled(nest_of, self.code) if cut is None else division.compiled(nest_of, cut, self.code)
            self.code.kernels[key] = made
        self.builder.call(made, [self.pointers[root] for root in roots])

    def copy(self, source: Layout, target: Layout, add: bool = False) -> None:
        """Copy elements from one layout to another of the same shape, or add them to what is there."""
        pointers = self.pointers[source.root], self.pointers[target.root]
        copy_elements(self.code, self.builder, source, target, pointers, add)

    def assemble(self, step: Assembly) -> None:
        """Put a result together from operands."""
        (result,) = step.node.results
        layouts = self.schedule.layouts
        if step.start in ("x", "+"):
            self.copy(layouts[step.node.inputs[0]], own(result))
        elif step.start == 0:
            fill_zeros(self.builder, self.pointers[result], result)
        for k, part in step.pieces:
            source = layouts[step.node.inputs[k]]
            strides = source.broadcast(part.shape)
            self.copy(Layout(source.root, part.shape, strides, source.offset), part, step.start == "+")


def fill_zeros(builder: Any, pointer: Any, result: Value) -> None:
    """Zeros in every element; a few are written out, so that they can stay in registers."""
    kind = memory_type(result.dtype)
    if size(result.shape) <= UNROLLED:
        for k in range(size(result.shape)):
            builder.store(ir.Constant(kind, None), builder.gep(pointer, [index(k)], inbounds=True))
        return
    byte = ir.IntType(8)
    name = "llvm.memset.p0.i64"
    function = builder.module.globals.get(name)
    if function is None:
        signature = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), byte, ir.IntType(64), ir.IntType(1)])
        function = ir.Function(builder.module, signature, name)
    where = builder.bitcast(pointer, byte.as_pointer())
    builder.call(function, [where, byte(0), index(result.spec.nbytes), ir.IntType(1)(0)])


def copy_elements(
    code: Code, builder: Any, source: Layout, target: Layout, pointers: tuple[Any, Any], add: bool = False
) -> None:
    """Copy elements from one layout to another of the same shape, or add them to what is there."""
    dtype = source.root.dtype
    count = size(source.shape)
    in_place = pointers[0] is pointers[1] and (source.strides, source.offset) == (target.strides, target.offset)
    if count == 0 or (in_place and not add):
        return

    def move(emitter: ScalarEmitter, starts: Sequence[Any], a: Any, b: Any) -> None:
        x = load(emitter, starts[0], a, dtype)
        x = emitter.cast(emitter.ufunc(np.add, (load(emitter, starts[1], b, dtype), x)), dtype) if add else x
        store(emitter, x, starts[1], b)

    if count <= UNROLLED:
        for where in np.ndindex(source.shape):
            a = sum(i * s for i, s in zip(where, source.strides, strict=True)) + source.offset
            b = sum(i * s for i, s in zip(where, target.strides, strict=True)) + target.offset
            move(ScalarEmitter(builder), pointers, index(a), index(b))
        return
    axes, (left, right) = collapsed(source.shape, [source.strides, target.strides])
    key = ("copy", axes, tuple(left), tuple(right), dtype.char, add)
    made = code.kernels.get(key)
    if made is None:
        kind = memory_type(dtype).as_pointer()
        made, inner = code.function("copy", [kind, kind])
        for argument in made.args:
            argument.add_attribute("noalias")
        element = ScalarEmitter(inner)
        nest(inner, axes, lambda at: move(element, made.args, place(inner, at, left), place(inner, at, right)))
        inner.ret_void()
        code.kernels[key] = made
    starts = [
        builder.gep(pointer, [index(layout.offset)]) for pointer, layout in zip(pointers, (source, target), strict=True)
    ]
    builder.call(made, starts)


def lowers(node: GraphNode) -> Lowering:
    """Whether an elementwise operation or reduction is compiled, found by trying."""
    try:
        if 0 in (*node.shape, *(n for x in node.inputs for n in x.shape)):
            return Lowering("an empty array")
        code = Code()
        _, builder = code.function("probe", [])
        angles_met = []

        def angle(*asked: Any) -> Any:
            angles_met.append(asked)
            return angles.everywhere(*asked)

        emitter = ScalarEmitter(builder, angle)
        operands = []
        for x in node.operands:
            if isinstance(x, Value):
                variable = register(builder, x.dtype)
                operands.append(Scalar(emitter, builder.load(variable), x.dtype))
            else:
                operands.append(x)
        ir_type(node.dtype)
        if node.primitive.reducer:
            if node.dtype.kind == "c" and node.primitive.reducer in SIDES:
                raise NotLowered("complex numbers have no order but NumPy's")
            emitter.cast(operands[0], node.dtype)
        else:
            emitter.elementwise(node.primitive, operands, node.dtype)
    except NotLowered as error:
        return Lowering(f"{node.op}: {error}" if node.op not in str(error) else str(error))
    heavy = any(math.is_ours(function.name) for function in code.module.functions)
    return Lowering(heavy=heavy, twice=bool(angles_met))
