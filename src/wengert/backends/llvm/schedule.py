"""From a graph to steps: loop nests over fused operations, matrix products, loops, and what is left to NumPy.

Elementwise operations and reductions over the same elements share a loop nest. A node joins the last nest of its shape
in which all of its operands are known by then: as numbers in registers if the nest itself computes them, in memory if
an earlier step did. What only the nest uses is never stored.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from wengert.backends.llvm import routines
from wengert.backends.llvm.layout import Layout, contiguous, own, size, viewed
from wengert.core.static import Constant, Graph, GraphNode, Result, Value
from wengert.core.types import TensorSpec
from wengert.ops.contraction import Matmul
from wengert.ops.control import Call, Switch
from wengert.ops.families import Elementwise
from wengert.ops.loops import Scan, While
from wengert.ops.reversal import Reversal
from wengert.passes import FOR_CODE, optimize

#: Elements of a row up to which it is short.
SHORT = 16

#: Operations that a nest may have, and how many one of many instructions counts as. Registers do not suffice for more,
#: and LLVM takes time that grows with the square; many nests of the same operations are one function.
MOST, MANY = 160, 8

#: Elements up to which an operation is done as early as it can be.
SMALL = 1024


class Lowering(NamedTuple):
    """Why an operation is not compiled, if it is not; and whether it takes many instructions."""

    reason: str = ""
    heavy: bool = False
    #: Whether it may be computed twice, from the same operands (``wengert.backends.llvm.angles``).
    twice: bool = False

    @property
    def weight(self) -> int:
        """How many operations it counts as."""
        return MANY if self.heavy else 1


@dataclass(eq=False)
class Kernel:
    """A loop nest over ``space``: operations on single elements, and reductions of them."""

    space: tuple[int, ...]
    nodes: list[GraphNode] = field(default_factory=list)
    #: Elementwise results that another step, or the caller, reads.
    stored: set[Value] = field(default_factory=set)
    #: Whether there are operations of many instructions, and reductions over short rows: they do not go together,
    #: because loops over short rows cannot use vector instructions well.
    heavy: bool = False
    short: bool = False
    #: Whether its loops may run twice over the same operands.
    twice: bool = False
    #: How many operations there are; one of many instructions counts as ``MANY``.
    weight: int = 0
    #: How it is cut into chunks, if it is (``wengert.backends.llvm.division``).
    division: Any = None
    #: The product that is computed with it, tile by tile (``wengert.backends.llvm.epilogues``), and whether others
    #: read that as well.
    product: Product | None = None
    keeps: bool = False
    _inside: set[Value] = field(default_factory=set)

    def makes(self, value: Value) -> bool:
        """Whether a value is a number in this nest's registers."""
        return value in self._inside

    def add(self, node: GraphNode, lowering: Lowering) -> None:
        """One operation more."""
        self.nodes.append(node)
        self.heavy |= lowering.heavy
        self.twice |= lowering.twice
        self.weight += lowering.weight
        if not node.primitive.reducer:
            self._inside.update(node.results)


@dataclass(eq=False)
class Rows:
    """Nests over spaces with the same leading axes, which do one row after another (``grouping``)."""

    lead: tuple[int, ...]
    kernels: list[Kernel]
    division: Any = None


@dataclass(eq=False)
class Copy:
    """The elements of a view in memory of its own."""

    source: Layout
    target: Value


@dataclass(eq=False)
class Assembly:
    """A result that is put together from operands."""

    node: GraphNode
    #: Zeros if 0, the first operand if "x" or "+" (then pieces are added), nothing if the pieces cover the result.
    start: Any
    #: The place of an operand, and where in the result it goes.
    pieces: list[tuple[int, Layout]]


@dataclass(eq=False)
class Product:
    """A matrix product."""

    node: GraphNode


@dataclass(eq=False)
class Routine:
    """An operation with native code of its own (``wengert.backends.llvm.routines``)."""

    node: GraphNode
    plan: routines.Plan


@dataclass(eq=False)
class Repeat:
    """A scan, whose body is a schedule of its own."""

    node: GraphNode
    body: Schedule


@dataclass(eq=False)
class Until:
    """A while loop, whose condition and body are schedules of their own."""

    node: GraphNode
    condition: Schedule
    body: Schedule


@dataclass(eq=False)
class Sweep:
    """The way back through a loop that holds a few states. The memory of its own: for the states that are held, for the
    one that is worked on, and for its cotangents."""

    node: GraphNode
    condition: Schedule | None
    advance: Schedule
    pull: Schedule
    held: list[Value]
    state: list[Value]
    cotangents: list[Value]


@dataclass(eq=False)
class Branch:
    """A choice among schedules; if there is but one, it is run."""

    node: GraphNode
    branches: list[Schedule]


@dataclass(eq=False)
class Host:
    """An operation that NumPy computes, called by native code. The memory of its own: for its operands (``None`` for a
    Python number) and its results, at fixed places of the arena (``wengert.backends.llvm.upcalls``)."""

    node: GraphNode
    reason: str
    given: list[Value | None] = field(init=False)
    made: list[Value] = field(init=False)

    def __post_init__(self) -> None:
        self.given = [Result(x.spec, 0) if isinstance(x, Value) else None for x in self.node.operands]
        self.made = [Result(y.spec, 0) for y in self.node.results]

    @property
    def memory(self) -> list[Value]:
        """All of its own memory."""
        return [x for x in (*self.given, *self.made) if x is not None]


Step = Kernel | Rows | Copy | Assembly | Product | Routine | Repeat | Until | Sweep | Branch | Host


def inside(step: Step) -> list[Schedule]:
    """The schedules that a step carries."""
    if isinstance(step, Repeat):
        return [step.body]
    if isinstance(step, Until):
        return [step.condition, step.body]
    if isinstance(step, Sweep):
        return [*([step.condition] if step.condition is not None else []), step.advance, step.pull]
    return step.branches if isinstance(step, Branch) else []


def every(schedule: Schedule) -> Iterator[Schedule]:
    """A schedule and those inside it."""
    stack = [schedule]
    while stack:
        here = stack.pop()
        yield here
        stack += [one for step in here.steps for one in inside(step)]


def nodes_of(step: Step) -> list[GraphNode]:
    """The nodes that a step computes."""
    if isinstance(step, Rows):
        return [node for kernel in step.kernels for node in kernel.nodes]
    if isinstance(step, Kernel):
        return step.nodes if step.product is None else [step.product.node, *step.nodes]
    return [] if isinstance(step, Copy) else [step.node]


def handed_over(step: Step, schedule: Schedule) -> dict[Value, int]:
    """Which results of a step are computed where they will lie: for the memory of an inner schedule, the number of the
    result."""
    if isinstance(step, Repeat):
        first, outputs = step.node.primitive.carried, schedule.outputs[step.node.primitive.carried :]  # type: ignore[attr-defined]
    elif isinstance(step, Branch):
        first, outputs = 0, schedule.outputs
    else:
        return {}
    written = {y for one in schedule.steps for y in schedule.writes(one)}.difference(schedule.graph.inputs)
    found: dict[Value, int] = {}
    for k, at in enumerate(outputs, first):
        if at.root in written and at.is_contiguous and not at.offset and size(at.root.shape) == size(at.shape):
            found.setdefault(at.root, k)
    return found


class Schedule:
    """The steps of a graph, and the layout of every value that lies in memory."""

    def __init__(self, graph: Graph, lowers: Any, carried: Sequence[Value] = ()) -> None:
        self.graph = graph
        self.steps: list[Step] = []
        self.layouts: dict[Value, Layout] = {}
        #: The old state, if this is the body of a loop: its memory is where the new state goes.
        self.carried = tuple(carried)
        #: The value whose memory another has taken over (``wengert.backends.llvm.reuse``).
        self.homes: dict[Value, Value] = {}
        self._lowers = lowers
        self._made: dict[Value, int] = {}
        self._reads: dict[Value, list[int]] = {}
        self._aliases: dict[Value, Value] = {}
        for x in (*graph.inputs, *graph.constants):
            self.layouts[x] = own(x)
            self._made[x] = -1
        for node in _small_first(graph):
            self._place(node)
        for y in graph.outputs:
            self._materialise(y)
        #: Where each output lies.
        self.outputs: list[Layout] = [self.layouts[y] for y in graph.outputs]
        self._detach(carried)

    # -- placing a node -----------------------------------------------------------------------------------------

    def _place(self, node: GraphNode) -> None:
        primitive = node.primitive
        if self._as_view(node):
            return
        assembled = self._assembled(node)
        if assembled is not None:
            return self._append(assembled, node)
        if (primitive.pointwise or primitive.reducer) and not routines.is_empty(node):
            lowering = self._lowers(node)
            if not lowering.reason:
                return self._join(node, lowering)
            reason = lowering.reason
        elif isinstance(primitive, Matmul) and _is_product(node):
            return self._append(Product(node), node)
        elif isinstance(primitive, (Scan, While, Switch, Call, Reversal)):
            return self._append(self._carrying(node), node)
        else:
            found = routines.plan(node)
            if not isinstance(found, str):
                return self._append(Routine(node, found), node)
            reason = found
        return self._append(Host(node, reason), node)

    def _carrying(self, node: GraphNode) -> Step:
        """The step of an operation that carries graphs."""
        primitive: Any = node.primitive
        if isinstance(primitive, Reversal):
            return self._sweep(node, primitive)
        if isinstance(primitive, (Switch, Call)):
            return Branch(node, [Schedule(one, self._lowers) for one in primitive.graphs()])
        *others, body = primitive.graphs()
        inner = Schedule(body, self._lowers, primitive.parts(body.inputs).carry)
        return Until(node, Schedule(others[0], self._lowers), inner) if others else Repeat(node, inner)

    def _sweep(self, node: GraphNode, primitive: Reversal) -> Sweep:
        condition, advance, pull = primitive.pieces
        pull = optimize(pull, FOR_CODE).graph
        loop: Any = primitive.loop
        states = loop.parts(advance.inputs).carry
        floats = [x.spec for x in states if x.dtype.kind in "fc"]
        first = len(advance.inputs)
        return Sweep(
            node,
            None if condition is None else Schedule(condition, self._lowers),
            Schedule(advance, self._lowers, states),
            Schedule(pull, self._lowers, pull.inputs[first : first + len(floats)]),
            [Result(TensorSpec((loop.slots, *x.shape), x.dtype), 0) for x in states],
            [Result(x.spec, 0) for x in states],
            [Result(spec, 0) for spec in floats],
        )

    def _as_view(self, node: GraphNode) -> bool:
        if len(node.operands) != 1 or isinstance(node.primitive, Elementwise) or not node.results:
            return False
        (x,) = node.operands
        if not isinstance(x, Value) or x.dtype != node.dtype:
            return False
        base = self.layouts.get(x)
        if len(node.results) > 1:
            return self._as_views(node, x)
        found = viewed(node.primitive, base if base is not None else own(x), node.results[0])
        if found is None and base is not None and not base.is_contiguous and node.primitive.aliases:
            # A reshape of what is not contiguous: copy, and look again.
            found = viewed(node.primitive, self._copy_of(x), node.results[0])
        if found is None:
            return False
        self._materialise(x)
        self.layouts[node.results[0]] = found
        self._made[node.results[0]] = self._made[found.root]
        return True

    def _as_views(self, node: GraphNode, x: Value) -> bool:
        """The same for an operation whose results are all views of its operand."""
        base = self.layouts.get(x, own(x))
        found = [viewed(node.primitive, base, y, k) for k, y in enumerate(node.results)]
        if any(layout is None for layout in found):
            return False
        self._materialise(x)
        for y, layout in zip(node.results, found, strict=True):
            assert layout is not None
            self.layouts[y] = layout
            self._made[y] = self._made[layout.root]
        return True

    def _assembled(self, node: GraphNode) -> Assembly | None:
        if node.primitive.variadic and node.primitive.graphs():
            return None
        if not all(isinstance(x, Value) and x.dtype == node.dtype and 0 not in x.shape for x in node.operands):
            return None
        found = node.primitive.assembly(*(x.spec for x in node.inputs)) if node.dtype.kind in "biufc" else None
        if found is None or 0 in node.shape:
            return None
        start, pieces = found
        placed = []
        for k, view in pieces:
            part = viewed(view, own(node.results[0]), None)
            if part is None:
                return None
            placed.append((k, part))
        return Assembly(node, start, placed)

    def _copy_of(self, x: Value) -> Layout:
        self._materialise(x)
        return self._copied(self.layouts[x])

    def _copied(self, source: Layout) -> Layout:
        twin = Result(TensorSpec(source.shape, source.root.dtype), 0)
        self.steps.append(Copy(source, twin))
        self._made[twin] = len(self.steps) - 1
        self.layouts[twin] = own(twin)
        return self.layouts[twin]

    def _materialise(self, x: Value) -> None:
        """See to it that a value lies in memory when the step that makes it is done."""
        if x not in self.layouts:
            self.layouts[x] = own(x)
            step = self.steps[self._made[x]]
            assert isinstance(step, Kernel)
            step.stored.add(x)

    def _join(self, node: GraphNode, lowering: Lowering) -> None:
        reduces = bool(node.primitive.reducer)
        space = node.operands[0].shape if reduces else node.shape
        short = reduces and _is_short(node)
        latest = -1
        for x in node.inputs:
            made = self._made[x]
            latest = max(latest, made)
        for place in range(len(self.steps) - 1, max(latest, 0) - 1, -1):
            step = self.steps[place]
            if not isinstance(step, Kernel) or step.space != space or not self._fits(node, place, step):
                continue
            if (short and step.heavy) or (lowering.heavy and step.short) or step.weight + lowering.weight > MOST:
                continue
            break
        else:
            self.steps.append(Kernel(space))
            place = len(self.steps) - 1
            step = self.steps[place]
        assert isinstance(step, Kernel)
        for x in node.inputs:
            if not step.makes(x):
                self._materialise(x)
        step.add(node, lowering)
        step.short |= short
        for y in node.results:
            self._made[y] = place
            if reduces:
                self.layouts[y] = own(y)

    def _fits(self, node: GraphNode, place: int, kernel: Kernel) -> bool:
        """Whether all operands are known inside a nest: in its registers at the same element, or from before it."""
        for x in node.inputs:
            made = self._made[x]
            if made < place:
                continue
            if made > place or not kernel.makes(x) or x.shape != kernel.space:
                return False
        return True

    def _append(self, step: Step, node: GraphNode) -> None:
        copies = {}
        for x in node.inputs:
            self._materialise(x)
            if x not in copies and not self._is_readable(step, x):
                copies[x] = self._copy_of(x).root
        if copies and not isinstance(step, (Kernel, Rows, Copy)):
            # What other steps read stays where it is.
            operands = [copies.get(x, x) if isinstance(x, Value) else x for x in node.operands]
            step.node = GraphNode(node.primitive, operands, node.results, node.location, node.scope)
        self.steps.append(step)
        for y in node.results:
            self._made[y] = len(self.steps) - 1
            self.layouts[y] = own(y)

    def _is_readable(self, step: Step, x: Value) -> bool:
        """Whether an operand lies as the code of a step reads it."""
        layout = self.layouts[x]
        if isinstance(step, Product):
            return _is_matrix(layout)
        if isinstance(step, (Host, Assembly)):
            return True
        if isinstance(step, (Repeat, Until)):
            operands = step.node.primitive.parts(step.node.operands)  # type: ignore[attr-defined]
            if x not in operands.consts:
                # The first state is copied anyway; what a scan runs over is read row by row.
                return x not in operands.xs or layout.strides[1:] == contiguous(layout.shape)[1:]
        return layout.is_contiguous

    def _detach(self, carried: Sequence[Value]) -> None:
        """Give the new state of a loop memory of its own where it is part of the old one, which is overwritten."""
        for k, x in enumerate(carried):
            layout = self.outputs[k]
            if layout.root in carried and not (layout.root is x and (layout == own(x) or size(x.shape) == 1)):
                self.outputs[k] = self._copied(layout)

    def own_outputs(self) -> None:
        """Give outputs memory of their own: copies of what is given or lies elsewhere. A large view stays."""
        given, taken = {*self.graph.inputs, *self.graph.constants}, set()
        for k, layout in enumerate(self.outputs):
            elements = size(layout.shape)
            repeats = any(s == 0 and n > 1 for n, s in zip(layout.shape, layout.strides, strict=True))
            shares = layout != own(layout.root) or layout.root in taken
            if elements and (layout.root in given or repeats or (shares and elements <= SMALL)):
                self.outputs[k] = self._copied(layout)
            taken.add(self.outputs[k].root)

    # -- questions ----------------------------------------------------------------------------------------------

    @property
    def hosts(self) -> list[Host]:
        """What NumPy computes, in loops and branches too."""
        return [step for one in every(self) for step in one.steps if isinstance(step, Host)]

    def reads(self, step: Step) -> list[Layout]:
        """The layouts that a step reads."""
        if isinstance(step, Copy):
            return [step.source]
        if isinstance(step, Rows):
            return list(dict.fromkeys(layout for kernel in step.kernels for layout in self.reads(kernel)))
        nodes = nodes_of(step)
        inside = set()
        if isinstance(step, Kernel):
            inside = {y for node in nodes if not node.primitive.reducer for y in node.results}
        found = [self.layouts[x] for node in nodes for x in node.inputs if x not in inside]
        # A product may be read through views of it.
        return list(dict.fromkeys(layout for layout in found if layout.root not in inside))

    def writes(self, step: Step) -> list[Value]:
        """The roots that a step leaves in memory, and the memory that it needs meanwhile."""
        if isinstance(step, (Kernel, Rows)) and step.division is not None:
            return [*self._made_by(step), *step.division.private.values()]
        return self._made_by(step)

    def _made_by(self, step: Step) -> list[Value]:
        if isinstance(step, Copy):
            return [self.layouts[step.target].root]
        if isinstance(step, Rows):
            return [y for kernel in step.kernels for y in self._made_by(kernel)]
        if isinstance(step, Kernel):
            reduced = [y for node in step.nodes if node.primitive.reducer for y in node.results]
            stored = [y for node in step.nodes for y in node.results if y in step.stored]
            product = step.product.node.results if step.product is not None and step.keeps else ()
            return [self.layouts[y].root for y in (*product, *stored, *reduced)]
        results = [self.layouts[y].root for y in step.node.results]
        if isinstance(step, Sweep):
            return [*results, *step.held, *step.state, *step.cotangents]
        if isinstance(step, Host):
            return [*results, *step.memory]
        return [*results, *(step.plan.scratch if isinstance(step, Routine) else ())]

    def lifetimes(self) -> dict[Value, tuple[int, int]]:
        """For each value with memory of its own, the steps between which that is needed; outputs to the end."""
        lives: dict[Value, tuple[int, int]] = {}
        for place, step in enumerate(self.steps):
            for y in self.writes(step):
                lives[y] = (lives.get(y, (place, place))[0], place)
            for layout in self.reads(step):
                if layout.root in lives:
                    lives[layout.root] = (lives[layout.root][0], place)
        for layout in self.outputs:
            root = layout.root
            if root in lives:
                lives[root] = (lives[root][0], len(self.steps))
        return lives


def _is_short(node: GraphNode) -> bool:
    """Whether a reduction takes many short rows together."""
    (x,) = node.inputs
    kept = [axis for axis in range(len(x.shape)) if axis not in {a % len(x.shape) for a in node.primitive.axes}]  # type: ignore[attr-defined]
    return bool(kept) and size(x.shape[kept[-1] + 1 :]) < SHORT < size(x.shape)


def _small_first(graph: Graph) -> list[GraphNode]:
    """The nodes in an order in which operations on few elements come as early as they can, the others as they were. So
    nothing small stands between two large nests that could be one."""
    maker = {y: node for node in graph.nodes for y in node.results}
    sources = {node: {maker[x] for x in node.inputs if x in maker} for node in graph.nodes}
    waiting = {node: len(before) for node, before in sources.items()}
    users: dict[GraphNode, list[GraphNode]] = {node: [] for node in graph.nodes}
    for node, before in sources.items():
        for one in before:
            users[one].append(node)
    number = {node: k for k, node in enumerate(graph.nodes)}
    ready = [(_is_large(node), number[node]) for node in graph.nodes if not waiting[node]]
    heapq.heapify(ready)
    found = []
    while ready:
        node = graph.nodes[heapq.heappop(ready)[1]]
        found.append(node)
        for user in users[node]:
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, (_is_large(user), number[user]))
    return found


def _is_large(node: GraphNode) -> bool:
    light = node.primitive.pointwise or node.primitive.reducer or node.primitive.aliases
    return not light or max((size(x.shape) for x in (*node.inputs, *node.results)), default=0) > SMALL


def _is_product(node: GraphNode) -> bool:
    x, y = node.inputs
    return len(node.inputs) == 2 and x.dtype == y.dtype and x.dtype.char in "fdFD" and 0 not in (*x.shape, *y.shape)


def _is_matrix(x: Layout) -> bool:
    """Whether BLAS can read the last axes: one of them without gaps, the other with a fixed step forward."""
    axes = [(n, s) for n, s in zip(x.shape[-2:], x.strides[-2:], strict=True) if n > 1]
    if len(x.shape) == 1 or len(axes) < 2:
        return all(s > 0 for _, s in axes)
    (rows, down), (columns, across) = axes
    return (across == 1 and down >= columns) or (down == 1 and across >= rows)


def is_scalar_constant(x: Any) -> bool:
    """Whether an operand is a number that can stand in the code itself."""
    return not isinstance(x, Value) or (isinstance(x, Constant) and x.array.size == 1 and x.dtype.kind in "biufc")


def number(x: Any) -> Any:
    """The number of an operand that ``is_scalar_constant``; constants keep their dtype."""
    return x.array.reshape(())[()] if isinstance(x, Constant) else x
