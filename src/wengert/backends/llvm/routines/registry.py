"""Which operations have native code of their own, and what that code is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import index, load, loop, store
from wengert.backends.llvm.scalars import ScalarEmitter
from wengert.core.lazy import LazyModule
from wengert.core.primitive import Primitive
from wengert.core.static import Constant, GraphNode, Result, Value
from wengert.core.types import TensorSpec

ir: Any = LazyModule("llvmlite.ir")

Emit = Callable[["Site"], None]
Refusal = Callable[[GraphNode], str]
Scratch = Callable[[GraphNode], Sequence[TensorSpec]]
Question = Callable[[GraphNode], bool]


class Pointers(NamedTuple):
    """Where the code of one operation finds its operands (``None`` for a Python number), and so on."""

    operands: tuple[Any, ...]
    results: tuple[Any, ...]
    scratch: tuple[Any, ...]
    tables: tuple[Any, ...]
    status: Any


class Site:
    """Where the code of one operation goes. Operands lie in one piece, row by row, and so do results."""

    def __init__(self, code: Any, builder: Any, node: GraphNode, pointers: Pointers) -> None:
        self.code = code
        self.builder = builder
        self.emitter = ScalarEmitter(builder)
        self.node = node
        self.op: Any = node.primitive
        self.pointers = pointers

    def operand(self, k: int) -> Any:
        """The pointer to the elements of an operand that is a value."""
        return self.pointers.operands[k]

    def result(self, k: int = 0) -> Any:
        """The pointer to the elements of a result."""
        return self.pointers.results[k]

    def scratch(self, k: int) -> Any:
        """The pointer to memory that the operation asked for."""
        return self.pointers.scratch[k]

    def table(self, k: int = 0) -> Any:
        """The pointer to one of the operation's tables."""
        return self.pointers.tables[k]

    def copy(self, source: Any, target: Any, value: Value) -> None:
        """Copy the elements of a value of this shape and dtype, from pointer to pointer; they may be there already."""
        if source is target:
            return
        with loop(self.builder, size(value.shape)) as number:
            store(self.emitter, load(self.emitter, source, number, value.dtype), target, number)

    def fail_if(self, condition: Any) -> None:
        """Have the whole run reported as failed if a bit is set: the interpreter then runs again, and says what is
        wrong. The code after it still runs, and must do no harm."""
        with self.builder.if_then(condition, likely=False):
            self.builder.store(index(1), self.pointers.status)


class Rule(NamedTuple):
    """How an operation is compiled: its code, why it may not be, and the memory it needs meanwhile."""

    emit: Emit
    refuses: Refusal
    scratch: Scratch
    apart: Question
    scattered: bool
    over: int | None


_RULES: dict[type[Primitive], list[Rule]] = {}


def routine(
    *kinds: type[Primitive],
    refuses: Refusal = lambda node: "",
    scratch: Scratch = lambda node: (),
    apart: Question = lambda node: True,
    scattered: bool = False,
    over: int | None = None,
) -> Callable[[Emit], Emit]:
    """Register the code of some operations.

    ``refuses(node)`` says why a certain use of the operation is left to NumPy (empty if it is not), and
    ``scratch(node)`` which memory the code needs while it runs, and ``apart(node)`` whether it is a function of its own
    rather than written in place. ``over`` is the operand, if there
    is one, that the first result may take the memory of: the code copies it there first (``Site.copy``), and only then
    reads anything else. Of several rules for an operation, the
    first one that does not refuse is taken. Empty arrays never come here.
    """

    def register(emit: Emit) -> Emit:
        for kind in kinds:
            _RULES.setdefault(kind, []).append(Rule(emit, refuses, scratch, apart, scattered, over))
        return emit

    return register


class Plan(NamedTuple):
    """The native code of one operation: what writes it, the memory that it needs meanwhile, and its tables; whether it
    is a function of its own, and whether that one reads at computed places; which operand the first result may take the
    memory of."""

    emit: Emit
    scratch: tuple[Value, ...] = ()
    tables: tuple[Constant, ...] = ()
    apart: bool = True
    scattered: bool = False
    over: int | None = None


def emit(frame: Any, node: GraphNode, plan: Plan) -> None:
    """The code of one operation, in a function that operations with the same parameters share, or in place."""
    pointers, layouts = frame.pointers, frame.schedule.layouts

    def start(x: Any) -> Any:
        if not isinstance(x, Value):
            return None
        return frame.builder.gep(pointers[layouts[x].root], [index(layouts[x].offset)])

    over = plan.over if _takes_over(frame.schedule, node, plan) else None
    found = Pointers(
        tuple(pointers[node.results[0]] if k == over else start(x) for k, x in enumerate(node.operands)),
        tuple(pointers[y] for y in node.results),
        tuple(pointers[x] for x in plan.scratch),
        tuple(pointers[x] for x in plan.tables),
        frame.status,
    )
    if not plan.apart:
        plan.emit(Site(frame.code, frame.builder, node, found))
        return
    kinds = tuple((x.shape, x.dtype.char) if isinstance(x, Value) else (type(x), x) for x in node.operands)
    key = ("routine", node.primitive, kinds, plan.emit if plan.tables else None, over)
    made = frame.code.kernels.get(key)
    if made is None:
        made = frame.code.kernels[key] = _function(frame.code, node, plan, found, over)
    frame.builder.call(made, [pointer for pointer in _flat(found) if pointer is not None])


def _takes_over(schedule: Any, node: GraphNode, plan: Plan) -> bool:
    """Whether the first result lies where the operand does that it may take the memory of."""
    if plan.over is None:
        return False
    x: Any = node.operands[plan.over]
    return schedule.layouts[x].root is schedule.layouts[node.results[0]].root


def _flat(pointers: Pointers) -> list[Any]:
    return [*pointers.operands, *pointers.results, *pointers.scratch, *pointers.tables, pointers.status]


def _function(code: Any, node: GraphNode, plan: Plan, outside: Pointers, over: int | None) -> Any:
    given = _flat(outside)
    made, builder = code.function("routine", [pointer.type for pointer in given if pointer is not None])
    if plan.scattered:
        # LLVM's vectoriser of straight code (22.1) gets some reads at computed places wrong: no vectors here.
        made.attributes.add("noimplicitfloat")
    arguments = iter(made.args)

    def inside(group: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(None if pointer is None else next(arguments) for pointer in group)

    operands, results, memory, tables = map(inside, outside[:4])
    if over is not None:
        operands = (*operands[:over], results[0], *operands[over + 1 :])
    plan.emit(Site(code, builder, node, Pointers(operands, results, memory, tables, next(arguments))))
    builder.ret_void()
    return made


def rule_of(node: GraphNode) -> Plan | str:
    """How an operation is compiled by a rule that was registered, or why it is not."""
    rules = _RULES.get(type(node.primitive), [])
    if not rules:
        return f"{node.op} is not compiled"
    refusals = [rule.refuses(node) for rule in rules]
    if all(refusals):
        return f"{node.op}: {refusals[0]}"
    rule = rules[refusals.index("")]
    scratch = tuple(Result(spec, 0) for spec in rule.scratch(node))
    return Plan(rule.emit, scratch, (), rule.apart(node), rule.scattered, rule.over)
