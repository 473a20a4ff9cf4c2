"""Loop nests in LLVM IR."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from wengert.backends.llvm.scalars import Scalar, ScalarEmitter, ir_type, memory_type
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")


def index(number: int) -> Any:
    """A 64-bit number."""
    return ir.Constant(ir.IntType(64), number)


#: What LLVM is told about loops: a property, and its value. An outer loop must not be made a vector loop, with gathers,
#: once a short loop inside has been unrolled. A loop over long code must not be done several elements at a time, which
#: would take more time to compile than it saves. No loop is unrolled but those that are short.
Hints = tuple[tuple[str, int | None], ...]
OUTER: Hints = (("llvm.loop.vectorize.enable", 0),)
ROLLED: Hints = (("llvm.loop.interleave.count", 1),)
REST: Hints = (*ROLLED, ("llvm.loop.vectorize.predicate.enable", 1), ("llvm.loop.vectorize.enable", 1))
UNROLLED: Hints = (("llvm.loop.unroll.full", None),)
BY_FOUR: Hints = (("llvm.loop.unroll.count", 4),)

#: Iterations, of all loops from one on, up to which it is unrolled, and operations of all of them.
SHORT, FEW = 16, 256


@contextmanager
def loop(builder: Any, count: Any, hints: Hints = ()) -> Iterator[Any]:
    """Emit the block's instructions ``count`` times; yields the loop's index. ``count``, a number or a value in the
    code, is at least one."""
    before = builder.block
    body = builder.append_basic_block("loop")
    after = builder.append_basic_block("after")
    builder.branch(body)
    builder.position_at_end(body)
    number = builder.phi(ir.IntType(64), "i")
    number.add_incoming(index(0), before)
    yield number
    following = builder.add(number, index(1), flags=("nuw", "nsw"))
    number.add_incoming(following, builder.block)
    branch = builder.cbranch(
        builder.icmp_signed("<", following, index(count) if isinstance(count, int) else count), body, after
    )
    if hints:
        branch.set_metadata("llvm.loop", _told(builder.module, hints))
    builder.position_at_end(after)


def _told(module: Any, hints: Hints) -> Any:
    found = []
    for name, value in hints:
        kind = ir.IntType(1 if name == OUTER[0][0] else 32)
        found.append([ir.MetaDataString(module, name), *([] if value is None else [ir.Constant(kind, value)])])
    # A loop is known by a node that names itself.
    nodes = [module.add_metadata(one) for one in found]
    made = ir.values.MDValue(module, nodes, name=str(len(module.metadata)))
    made.operands = (made, *nodes)
    return made


def load(emitter: ScalarEmitter, pointer: Any, offset: Any, dtype: Any) -> Scalar:
    """The element at an offset."""
    builder = emitter.builder
    value = builder.load(builder.gep(pointer, [offset], inbounds=True))
    if dtype.kind == "b":
        value = builder.trunc(value, ir.IntType(1))
    return Scalar(emitter, value, dtype)


def store(emitter: ScalarEmitter, x: Scalar, pointer: Any, offset: Any) -> None:
    """Write an element at an offset."""
    builder = emitter.builder
    value = builder.zext(x.value, ir.IntType(8)) if x.dtype.kind == "b" else x.value
    builder.store(value, builder.gep(pointer, [offset], inbounds=True))


def place(builder: Any, numbers: Sequence[Any], strides: Sequence[int], start: int = 0) -> Any:
    """``start + sum(i * stride)``."""
    total: Any = None
    for number, stride in zip(numbers, strides, strict=True):
        if stride == 0:
            continue
        term = number if stride == 1 else builder.mul(number, index(stride), flags=("nsw",))
        total = term if total is None else builder.add(total, term, flags=("nsw",))
    if total is None:
        return index(start)
    return total if start == 0 else builder.add(total, index(start), flags=("nsw",))


#: Length up to which what does not fill a vector matters, and how many single elements take as long as a vector.
LONG, ALONE = 512, 2


def _rest(count: Any, lanes: int) -> int:
    """How many iterations at the end of a loop are worth a vector of their own."""
    if not isinstance(count, int) or not lanes < count <= LONG:
        return 0
    return count % lanes if count % lanes > ALONE else 0


#: Length up to which a loop over long code may be done several elements at a time.
SHORT_HEAVY = 32


def nest(
    builder: Any,
    axes: Sequence[Any],
    inside: Callable[[list[Any]], None],
    at: Any = None,
    free: bool = False,
    heavy: bool = False,
    operations: int = 1,
    outer: bool = False,
    lanes: int = 1,
    masked: bool = False,
) -> None:
    """Loops over axes, outermost first. Only the innermost one is made a vector loop, unless all are ``free``; short
    ones of few ``operations`` are unrolled, unless they are ``heavy``. None of ``outer`` loops is, because there are
    others inside, or nobody waits for them. Of a heavy innermost loop, what does not fill a vector of ``lanes`` is done
    by a vector with a mask; all of the loop, if it is ``masked``: which is less code, but masks delay who reads what
    was written. ``at(depth, numbers, enter)`` may put instructions around the loops from a depth on: it calls
    ``enter``, which emits them."""

    def hints(depth: int) -> Hints:
        rest = axes[depth:]
        if outer:
            return OUTER
        if not heavy and all(isinstance(n, int) for n in rest):
            count = math.prod(rest)
            if count <= SHORT and count * operations <= FEW:
                return UNROLLED
        if depth < len(axes) - 1:
            return () if free else OUTER
        if masked and heavy and _rest(axes[depth], lanes):
            return REST
        return ROLLED if heavy and (not isinstance(axes[depth], int) or axes[depth] >= SHORT_HEAVY) else ()

    def enter(depth: int, numbers: list[Any]) -> None:
        def go_on() -> None:
            if depth == len(axes):
                inside(numbers)
                return
            count = axes[depth]
            rest = _rest(count, lanes) if depth == len(axes) - 1 and heavy and not outer and not masked else 0
            with loop(builder, count - rest if rest else count, hints(depth)) as number:
                enter(depth + 1, [*numbers, number])
            if rest:
                with loop(builder, rest, REST) as number:
                    shifted = builder.add(number, index(count - rest), flags=("nuw", "nsw"))
                    enter(depth + 1, [*numbers, shifted])

        if at is None:
            go_on()
        else:
            at(depth, numbers, go_on)

    enter(0, [])


def stack(builder: Any, dtype: Any, count: int) -> Any:
    """Memory on the stack, allocated once where the function begins."""
    with builder.goto_entry_block():
        found = builder.alloca(ir.ArrayType(memory_type(dtype), max(count, 1)))
        found.align = 32
        return builder.bitcast(found, memory_type(dtype).as_pointer())


def register(builder: Any, dtype: Any) -> Any:
    """A variable that LLVM keeps in a register."""
    with builder.goto_entry_block():
        return builder.alloca(ir_type(dtype))


def flag(builder: Any) -> Any:
    """A variable for one bit, not set."""
    with builder.goto_entry_block():
        made = builder.alloca(ir.IntType(1))
    builder.store(ir.Constant(ir.IntType(1), 0), made)
    return made
