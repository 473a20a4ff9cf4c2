"""Which operations have native code of their own, and what that code is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import index
from wengert.backends.llvm.scalars import ScalarEmitter
from wengert.core.lazy import LazyModule
from wengert.core.primitive import Primitive
from wengert.core.static import GraphNode, Result, Value
from wengert.core.types import TensorSpec

ir: Any = LazyModule("llvmlite.ir")

Emit = Callable[["Site"], None]
Refusal = Callable[[GraphNode], str]
Scratch = Callable[[GraphNode], Sequence[TensorSpec]]


class Site:
    """Where the code of one operation goes. Operands lie in one piece, row by row, and so do results."""

    def __init__(self, frame: Any, node: GraphNode, scratch: Sequence[Value]) -> None:
        self.frame = frame
        self.node = node
        self.op: Any = node.primitive
        self.builder = frame.builder
        self.emitter = ScalarEmitter(frame.builder)
        self._scratch = scratch

    def operand(self, k: int) -> Any:
        """The pointer to the elements of an operand that is a value."""
        layout = self.frame.schedule.layouts[self.node.operands[k]]
        return self.builder.gep(self.frame.pointers[layout.root], [index(layout.offset)])

    def result(self, k: int = 0) -> Any:
        """The pointer to the elements of a result."""
        return self.frame.pointers[self.node.results[k]]

    def scratch(self, k: int) -> Any:
        """The pointer to memory that the operation asked for."""
        return self.frame.pointers[self._scratch[k]]

    def copy(self, source: Any, target: Any, value: Value) -> None:
        """Copy the elements of a value of this shape and dtype, from pointer to pointer."""
        self.frame.move(source, target, value)

    def fail_if(self, condition: Any) -> None:
        """Have the whole run reported as failed if a bit is set: the interpreter then runs again, and says what is
        wrong. The code after it still runs, and must do no harm."""
        with self.builder.if_then(condition, likely=False):
            self.builder.store(index(1), self.frame.status)


class Rule(NamedTuple):
    """How an operation is compiled: its code, why it may not be, and the memory it needs meanwhile."""

    emit: Emit
    refuses: Refusal
    scratch: Scratch


_RULES: dict[type[Primitive], Rule] = {}


def routine(
    *kinds: type[Primitive], refuses: Refusal = lambda node: "", scratch: Scratch = lambda node: ()
) -> Callable[[Emit], Emit]:
    """Register the code of some operations.

    ``refuses(node)`` says why a certain use of the operation is left to NumPy (empty if it is not), and
    ``scratch(node)`` which memory the code needs while it runs. Empty arrays are left to NumPy always.
    """

    def register(emit: Emit) -> Emit:
        for kind in kinds:
            _RULES[kind] = Rule(emit, refuses, scratch)
        return emit

    return register


def refusal(node: GraphNode) -> str:
    """Why an operation has no native code; empty if it has."""
    rule = _RULES.get(type(node.primitive))
    if rule is None:
        return f"{node.op} is not compiled"
    if any(0 in x.shape for x in (*node.inputs, *node.results)):
        return f"{node.op}: an empty array"
    found = rule.refuses(node)
    return f"{node.op}: {found}" if found else ""


def scratch(node: GraphNode) -> list[Value]:
    """The memory that an operation's code needs."""
    return [Result(spec, 0) for spec in _RULES[type(node.primitive)].scratch(node)]


def emit(frame: Any, node: GraphNode, memory: Sequence[Value]) -> None:
    """The code of one operation."""
    _RULES[type(node.primitive)].emit(Site(frame, node, memory))


def count(value: Value) -> int:
    """How many elements a value has."""
    return size(value.shape)
