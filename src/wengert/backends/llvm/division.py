"""Cutting large nests into chunks that may run at once.

Where to cut depends on lengths alone, never on the number of threads, and what every chunk adds up for itself is put
together in order: so results do not depend on how many threads there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import index, load, loop, store
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.nests import KernelNest, RowNest, combined, fill, finish, function_of, repeated
from wengert.backends.llvm.scalars import ScalarEmitter, memory_type
from wengert.backends.llvm.schedule import Kernel, Rows, Schedule
from wengert.backends.llvm.threads import dispatch
from wengert.core.lazy import LazyModule
from wengert.core.static import Result, Value
from wengert.core.types import TensorSpec

ir: Any = LazyModule("llvmlite.ir")

#: Nanoseconds, by estimate, that a chunk is worth, and the most chunks.
WORTH, CHUNKS = 15_000, 64

#: Elements of the longest vector that loops are done in.
VECTOR = 64

#: Bytes that the chunks of a nest may need for themselves.
MEMORY = 4 << 20


@dataclass(eq=False)
class Division:
    """How the outermost loop of a nest is cut, and the memory that every chunk has for itself."""

    chunks: int
    length: int
    private: dict[Value, Value]


def divide(schedule: Schedule) -> None:
    """Decide for each nest of a schedule whether it is cut."""
    for step in schedule.steps:
        if isinstance(step, Rows) or (isinstance(step, Kernel) and step.product is None):
            step.division = _division(schedule, step)


def _division(schedule: Schedule, step: Kernel | Rows) -> Division | None:
    kernels = step.kernels if isinstance(step, Rows) else [step]
    chunks = min(int(sum(map(_nanoseconds, kernels)) / WORTH), CHUNKS)
    if chunks < 2:
        return None
    nest_of = KernelNest(schedule, step) if isinstance(step, Kernel) else RowNest(schedule, step)
    length = -(-nest_of.length // chunks)
    if isinstance(step, Kernel):
        length = -(-length // 64) * 64 if nest_of.length >= 64 * chunks else length
    chunks = -(-nest_of.length // max(length, 1))
    own = {one.places[node.results[0]].root for one, node in nest_of.crossing()}
    made = {y for kernel in kernels for node in kernel.nodes for y in node.results}
    own |= {root for root in schedule.writes(step) if root not in made}
    private = {root: Result(TensorSpec((chunks, *root.shape), root.dtype), 0) for root in nest_of.roots if root in own}
    if chunks < 2 or sum(x.spec.nbytes for x in private.values()) > MEMORY:
        return None
    return Division(chunks, length, private)  # type: ignore[arg-type]


def _nanoseconds(kernel: Kernel) -> float:
    """A rough estimate of the time that a nest takes."""
    return size(kernel.space) * (0.1 * len(kernel.nodes) + (2.0 if kernel.heavy else 0.2))


def compiled(nest_of: KernelNest | RowNest, division: Division, code: Code) -> Any:
    """A nest that is cut, as a function of its roots' pointers and of those to what is private to chunks."""
    private = division.private
    roots = [*nest_of.roots, *private.values()]
    crossing = {node for _, node in nest_of.crossing()}
    made, builder, pointers = function_of(code, roots)
    for one, node in nest_of.collected():
        if node not in crossing:
            fill(builder, one, node, pointers)
    byte = ir.IntType(8).as_pointer()
    with builder.goto_entry_block():
        table = builder.alloca(ir.ArrayType(byte, len(roots)))
    for k, root in enumerate(roots):
        place = builder.gep(table, [index(0), index(k)])
        builder.store(builder.bitcast(pointers[root], byte), place)
    chunk = _chunk(nest_of, division, roots, code)
    dispatch(builder, code, chunk, builder.bitcast(table, byte), division.chunks)
    for one, node in nest_of.crossing():
        _add_up(builder, one, node, division, pointers)
    for one, node in nest_of.collected():
        finish(builder, one, node, pointers)
    builder.ret_void()
    return made


def _chunk(nest_of: KernelNest | RowNest, division: Division, roots: list[Value], code: Code) -> Any:
    """The function of one chunk: of the table of pointers, and the chunk's number."""
    body = _body(nest_of, division, code)
    byte = ir.IntType(8).as_pointer()
    made, builder = code.function("chunk", [byte, ir.IntType(64)])
    table, number = made.args
    table = builder.bitcast(table, byte.as_pointer())
    pointers = {}
    for k, root in enumerate(roots):
        found = builder.load(builder.gep(table, [index(k)]))
        pointers[root] = builder.bitcast(found, memory_type(root.dtype).as_pointer())
    arguments = []
    for root in nest_of.roots:
        twin = division.private.get(root)
        if twin is None:
            arguments.append(pointers[root])
        else:
            step = builder.mul(number, index(size(root.shape)))
            arguments.append(builder.gep(pointers[twin], [step]))
    first = builder.mul(number, index(division.length))
    left = builder.sub(index(nest_of.length), first)
    is_last = builder.icmp_signed("<", left, index(division.length))
    count = builder.select(is_last, left, index(division.length))
    builder.call(body, [*arguments, first, count])
    builder.ret_void()
    return made


def _body(nest_of: KernelNest | RowNest, division: Division, code: Code) -> Any:
    """The loops of one chunk, as a function: LLVM takes it from nothing but arguments that memory does not overlap."""
    word = ir.IntType(64)
    made, builder, pointers = function_of(code, nest_of.roots, [word, word])
    crossing = nest_of.crossing()
    first, count = made.args[-2:]
    together = math.gcd(nest_of.length, division.length, VECTOR)
    if together > 1:
        # All chunks are of whole vectors, and LLVM is told so: single elements need no loop of their own then.
        several = builder.udiv(count, index(together))
        some = builder.icmp_unsigned(">", several, index(1))
        count = builder.mul(builder.select(some, several, index(1)), index(together), flags=("nuw", "nsw"))

    def loops(angle: Any) -> None:
        for one, node in crossing:
            fill(builder, one, node, pointers)
        nest_of.emit_part(builder, pointers, first, count, angle)

    if len(crossing) == len(nest_of.collected()):
        repeated(nest_of, builder, loops)
    else:  # what others begin, too, cannot be begun again
        loops(None)
    builder.ret_void()
    return made


def _add_up(builder: Any, one: KernelNest, node: Any, division: Division, pointers: Any) -> None:
    """The total of what chunks added up, in their order."""
    emitter = ScalarEmitter(builder)
    root = one.places[node.results[0]].root
    parts, count = pointers[division.private[root]], math.prod(root.shape)
    fill(builder, one, node, pointers)
    with loop(builder, division.chunks) as chunk, loop(builder, count) as number:
        part = load(emitter, parts, builder.add(builder.mul(chunk, index(count)), number), root.dtype)
        total = combined(emitter, node, load(emitter, pointers[root], number, root.dtype), part)
        store(emitter, total, pointers[root], number)
