"""A compilation, to look at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wengert.backends.llvm.layout import itemsize, size
from wengert.backends.llvm.memory import Arena
from wengert.backends.llvm.program import Program
from wengert.backends.llvm.schedule import Copy, Host, Kernel, Rows, Schedule, Step, every, inside, nodes_of
from wengert.compile.donation import worthwhile
from wengert.compile.native import fitted
from wengert.core.static import Value
from wengert.passes import FOR_CODE, optimize
from wengert.plan.cost import flops_of
from wengert.static.graph import Graph


class Piece(NamedTuple):
    """Where a value lies in the arena, and the steps between which it is needed. ``within`` counts the loops and
    branches around it; the steps are those of its own loop."""

    name: str
    offset: int
    bytes: int
    first: int
    last: int
    within: int


class Work(NamedTuple):
    """A step of the program: what it computes, from which lines, how many operations it takes, and how many bytes it
    reads and writes if nothing stays in a cache."""

    text: str
    operations: tuple[str, ...]
    lines: tuple[str, ...]
    flops: int
    bytes: int
    native: bool


class Lowered:
    """A compilation, to look at: what ``jit(f).lower(...)`` returns.

    ``graph`` is as traced and ``optimized`` after the passes; ``kernels`` lists the steps, ``arena_map`` where values
    lie in memory and how long, ``ir`` and ``asm`` are LLVM's; ``flops`` and ``bytes`` count one call. ``not_native``
    says what NumPy computes, and why. ``predicted_bytes`` is the memory that a call takes by plan, ``measured_bytes``
    what one has taken; they are equal. ``donated`` says what becomes of the memory of arguments that are given away.

    >>> import wengert as wg
    >>> lowered = wg.jit(lambda x: wg.exp(x).sum()).lower(wg.ones(1000))
    >>> lowered.flops, lowered.bytes, lowered.not_native
    (2000, 8008, {})
    >>> lowered.predicted_bytes == lowered.measured_bytes
    True
    """

    def __init__(
        self,
        graph: Graph,
        arguments: Sequence[Any] = (),
        donated: Sequence[int] = (),
        refused: Mapping[int, str] | None = None,
    ) -> None:
        self.graph = graph
        self.passes = optimize(graph, FOR_CODE)
        self.optimized = Graph.of(self.passes.graph)
        self._donated, self._refused = donated, refused or {}
        inputs = self.passes.graph.inputs
        self.program = Program(
            self.passes.graph, keep_text=True, donated=[inputs[k] for k in worthwhile(graph, donated)]
        )
        self._arguments = arguments

    @property
    def ir(self) -> str:
        """The LLVM IR after optimisation."""
        return self.program.native.ir if self.program.native is not None else ""

    @property
    def asm(self) -> str:
        """The assembly."""
        return self.program.native.assembly if self.program.native is not None else ""

    @property
    def kernels(self) -> tuple[Work, ...]:
        """The steps of the program, in order."""
        schedule = self.program.schedule
        return tuple(_work(schedule, step) for step in schedule.steps)

    @property
    def flops(self) -> int:
        """Floating-point operations of a call: a scan as often as it runs, a while loop once, a choice all branches."""
        return sum(step.flops for step in self.kernels)

    @property
    def bytes(self) -> int:
        """Bytes that the steps of a call read and write, if nothing stays in a cache."""
        return sum(step.bytes for step in self.kernels)

    @property
    def not_native(self) -> dict[str, str]:
        """The operations that NumPy computes, and why."""
        return {step.node.op: step.reason for step in self.program.schedule.hosts}

    @property
    def arena_map(self) -> tuple[Piece, ...]:
        """The values in the arena, by offset."""
        return tuple(sorted(_pieces(self.program.arena), key=lambda piece: (piece.offset, piece.within, piece.first)))

    @property
    def predicted_bytes(self) -> int:
        """The memory that a call takes, by plan: arena and outputs."""
        return self.program.predicted_bytes

    @property
    def measured_bytes(self) -> int:
        """The memory that a call with these arguments has taken."""
        arguments = [getattr(x, "_value", x) for x in (*self._arguments, *self.graph.captured)]
        arrays = [fitted(x, declared) for x, declared in zip(arguments, self.graph.inputs, strict=True)]
        return self.program.measured_bytes([x.copy() if k in self._donated else x for k, x in enumerate(arrays)])

    @property
    def donated(self) -> dict[str, str]:
        """For each donated argument what its memory is used for, and if these arguments cannot be taken, why."""
        schedule, outputs = self.program.schedule, [layout.root for layout in self.program.layouts]
        found = {}
        for k in self._donated:
            x = self.program.graph.inputs[k]
            if x in outputs and x in schedule.homes.values():
                text = f"becomes output {outputs.index(x)}"
            elif x in schedule.homes.values():
                text = "holds intermediate values"
            elif not worthwhile(self.graph, self._donated):
                text = "not used: too little to be worth it"
            else:
                text = "not used: no result of its shape and dtype is made once it has been read"
            name = x.name or f"input {k}"
            found[name] = text + (f", but is copied first: {self._refused[k]}" if k in self._refused else "")
        return found

    def report(self) -> str:
        """Passes, steps, memory, and what NumPy computes and why, as text; ``to_json`` has the same for programs."""
        arena = self.program.arena
        kernels = self.kernels
        lines = [str(self.passes), "", f"{len(kernels)} steps, {self.flops:,} flops, {self.bytes:,} bytes moved"]
        lines += [f"  {step.text}  [{step.flops:,} flops, {step.bytes:,} bytes]" for step in kernels]
        lines.append(
            f"memory: {self.predicted_bytes:,} bytes a call; arena: {arena.size:,} bytes; at most {arena.bound:,} are "
            f"alive at one time"
        )
        lines += [
            f"  {'  ' * piece.within}{piece.offset:>8} +{piece.bytes:<8} steps {piece.first}-{piece.last}  {piece.name}"
            for piece in self.arena_map
        ]
        hosts = self.program.schedule.hosts
        lines.append(f"in place: {sum(len(one.homes) for one in every(self.program.schedule))} results")
        lines += [f"  donated {name}: {text}" for name, text in self.donated.items()]
        lines.append(f"not native: {len(hosts)}" if hosts else "everything is native")
        lines += [f"  {step.node.op}: {step.reason}" for step in hosts]
        return "\n".join(lines)

    def to_json(self) -> str:
        """What ``report`` says, as JSON."""
        return json.dumps(
            {
                "kernels": [step._asdict() for step in self.kernels],
                "flops": self.flops,
                "bytes": self.bytes,
                "arena": {
                    "bytes": self.program.arena.size,
                    "bound": self.program.arena.bound,
                    "map": [piece._asdict() for piece in self.arena_map],
                },
                "predicted_bytes": self.predicted_bytes,
                "measured_bytes": self.measured_bytes,
                "donated": self.donated,
                "not_native": self.not_native,
            },
            indent=1,
        )

    def __str__(self) -> str:
        return self.report()


def step_text(step: Step) -> str:
    """One line for a step."""
    if isinstance(step, Kernel):
        after = f"{step.product.node.op}, each tile followed by " if step.product is not None else ""
        return f"{after}kernel over {step.space}: {', '.join(node.op for node in step.nodes)}"
    if isinstance(step, Rows):
        parts = "; ".join(f"over {one.space}: {', '.join(node.op for node in one.nodes)}" for one in step.kernels)
        return f"kernels for each row of {step.lead}, {parts}"
    if isinstance(step, Copy):
        return f"copy {step.source.shape}"
    return f"{type(step).__name__.lower()}: {step.node.op}"


def _work(schedule: Schedule, step: Step) -> Work:
    nodes = nodes_of(step)
    lines = dict.fromkeys(str(node.location) for node in nodes if node.location is not None)
    return Work(
        step_text(step),
        tuple(node.op for node in nodes),
        tuple(lines),
        sum(flops_of(n.primitive, list(map(_spec, n.operands)), [y.spec for y in n.results]) for n in nodes),
        _moved(schedule, step),
        not isinstance(step, Host) and not any(one.hosts for one in inside(step)),
    )


def _spec(x: Any) -> Any:
    return x.spec if isinstance(x, Value) else None


def _moved(schedule: Schedule, step: Step) -> int:
    """Bytes of what a step and those inside it read and write; of one view of a value, each element once."""
    total = 0
    waiting = [(schedule, step, 1)]
    while waiting:
        here, one, times = waiting.pop()
        schedules = inside(one)
        times *= getattr(one.node.primitive, "length", 1) if schedules else 1  # type: ignore[union-attr]
        waiting += [(inner, deeper, times) for inner in schedules for deeper in inner.steps]
        if not schedules:
            reads = sum(_elements(layout) * itemsize(layout.root) for layout in here.reads(one))
            total += times * (reads + sum(y.spec.nbytes for y in here.writes(one)))
    return total


def _elements(layout: Any) -> int:
    """The elements of a view: those that are repeated count once."""
    return size([n for n, s in zip(layout.shape, layout.strides, strict=True) if s or n == 0])


def _pieces(arena: Arena) -> Iterator[Piece]:
    for here, base, within in arena.every():
        for block in here.blocks:
            if block.key not in here.inner:
                offset = base + here.offsets[block.key]
                yield Piece(str(getattr(block.key, "name", "")), offset, block.bytes, block.first, block.last, within)
