"""Tracing: the same operations, applied to tensors that have a shape and a dtype but no value, build a graph.

Inside a trace a tensor's value is a ``Symbol``, an edge of the graph that is growing. A symbol answers the operators
and NumPy functions that an array does, so everything that works on arrays (derivative rules, sweeps, transforms) works
on it, and leaves nodes where it would compute.

A trace is a level, like those of forward mode and batching: what belongs to a transform inside of it is peeled first,
and what comes from outside (a tensor that a gradient can flow to, one of an enclosing transform) is *captured*: it
becomes an input of the graph, bound to that tensor. Other tensors become constants.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .apply import apply, explain, leave_node
from .dims import Dim, Unknown
from .errors import TraceError, TransformError
from .levels import ACTIVE, Level, Wrapped, as_tensor
from .mode import MODE, Mode
from .node import Location, next_number, resolve, user_frame, user_location
from .primitive import AUX, REGISTRY, Primitive
from .static import Constant, Graph, GraphNode, Input, Result, Value, infer, spec_text
from .tensor import Tensor, wrap
from .types import SCALAR_TYPES, TensorSpec, frozen_copy


class Symbol(Tensor):
    """The value of a traced tensor: an edge of a graph. It is its own value and is never tracked itself."""

    __slots__ = ("_level", "edge")

    edge: Value
    _level: TraceLevel

    @property
    def _value(self) -> Any:
        return self

    @property
    def _node(self) -> Any:  # type: ignore[override]
        return None

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.edge.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.edge.dtype

    @property
    def nbytes(self) -> int:
        return self.edge.spec.nbytes

    @property
    def base(self) -> None:
        """A symbol owns its memory, as far as the ledger is concerned."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self.unknown()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise self.unknown()

    def unknown(self) -> TraceError:
        """The error for whoever asks what the value is."""
        self._level.check_open(self)
        where = user_location()
        line = f"\n  at {where}: {where.text}" if where is not None else ""
        made = self._level.maker(self.edge)
        origin = f"\n  it was made at {made}: {made.text}" if made is not None else "\n  it is an input of the graph"
        return TraceError(
            f"the value of this tensor, {spec_text(self)}, is not known while the graph is being traced, so Python "
            f"cannot branch on it or convert it (if, while, bool, float, int, item(), numpy()).{line}{origin}\n"
            f"  choose with wengert.where(condition, a, b) or wengert.cond(condition, f, g, *operands), loop with "
            f"wengert.while_loop or wengert.scan, or make the argument static (static_argnums)"
        )

    def __repr__(self) -> str:
        return f"Symbol({spec_text(self)})"


class StopGradient(Primitive):
    """The identity, through which no derivative passes."""

    inputs = ("x",)
    aliases = True
    maps_leading_axes = True
    differentiable = False
    pointwise = True

    def value(self, x: Any) -> Any:
        return np.asarray(x)

    def spec(self, x: Any) -> TensorSpec:
        return x if isinstance(x, TensorSpec) else TensorSpec((), np.asarray(x).dtype)


_STOP = StopGradient()


class TraceLevel(Level):
    """A running trace, and the graph that it has built so far."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[Input] = []
        self.nodes: list[GraphNode] = []
        #: What was captured, by identity: the tensor, which is kept alive, and its input.
        self.captured: dict[int, tuple[Any, Input]] = {}
        self._constants: dict[int, tuple[np.ndarray, Constant]] = {}
        self._start = next_number()
        self._recording = True
        self._unknowns = 0
        self._names: dict[str, Unknown] = {}
        #: The node that is being replayed, whose source line and scope its successors inherit.
        self.origin: GraphNode | None = None

    def check_open(self, symbol: Symbol) -> None:
        """Raise ``TransformError`` for a tensor that has outlived its trace."""
        if not self.open:
            made = self.maker(symbol.edge)
            where = f" It was made at {made}: {made.text}." if made is not None else ""
            raise TransformError(
                f"a traced tensor, {spec_text(symbol)}, was used after its trace had ended.{where} Return it from the "
                f"function; assigning it to something outside is a side effect that a graph cannot have"
            )

    def maker(self, edge: Value) -> Location | None:
        """The line that made an edge."""
        for node in reversed(self.nodes):
            if any(result is edge for result in node.results):
                return node.location
        return None

    # -- growing ------------------------------------------------------------------------------------------------

    def symbol(self, edge: Value) -> Symbol:
        found = Symbol.__new__(Symbol)
        found.edge = edge
        found._level = self
        return found

    def input(self, spec: TensorSpec, name: str = "", weak: type | None = None) -> Tensor:
        """A new input of the graph; ``None`` in its shape is an unknown length."""
        edge = Input(self.with_unknowns(spec, name), name, weak)
        self.inputs.append(edge)
        return wrap(self.symbol(edge))

    def with_unknowns(self, spec: TensorSpec, name: str) -> TensorSpec:
        """The spec with a ``Dim`` for every ``None``; a string names an unknown that several inputs share."""
        shape: list[Any] = []
        for n in spec.shape:
            if n is None:
                n = f"n{self._unknowns}"
                self._unknowns += 1
            shape.append(Dim(self._names.setdefault(n, Unknown(n))) if isinstance(n, str) else n)
        return TensorSpec(tuple(shape), spec.dtype)

    def interpret(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        mode = MODE.get()
        if mode.trace is None:
            self._outside(inputs)
        expanded = primitive.expand(*inputs)
        if expanded is not NotImplemented:
            return expanded
        values = [self.lower(x) for x in inputs]
        mask = 0
        for position, x in enumerate(inputs):
            if isinstance(x, Tensor) and self.tracks(x):
                mask |= 1 << position
        if not (mask and mode.grad and primitive.differentiable):
            out = self.bind(primitive, *values)
            if primitive.differentiable and self._recording and not mode.grad:
                out = tuple(map(self.cut, out)) if isinstance(out, tuple) else self.cut(out)
            return tuple(map(wrap, out)) if isinstance(out, tuple) else wrap(out)
        slots = primitive.residual_slots(mask)
        aux = None
        if AUX in slots:
            out, aux = primitive.traced(self.bind, *values)
        else:
            out = self.bind(primitive, *values)
        parents = tuple(x._node if mask >> position & 1 else None for position, x in enumerate(inputs))
        return leave_node(primitive, inputs, values, parents, out, aux, slots, mode)

    def _outside(self, inputs: Sequence[Any]) -> None:
        """Raise for an operation on traced tensors where no trace is running."""
        for x in inputs:
            if isinstance(x, Tensor) and type(x._value) is Symbol:
                self.check_open(x._value)
        raise TraceError("this tensor belongs to a graph that is being built; go on inside its block: with g: ...")

    def tracks(self, x: Any) -> bool:
        """Whether a gradient inside of the trace can flow to this operand."""
        return x._node is not None and (type(x._value) is Symbol or x._node.number > self._start) and not self._outer(x)

    def _outer(self, x: Any) -> bool:
        return isinstance(x, Wrapped) or (type(x._value) is Symbol and x._value._level is not self)

    def lower(self, x: Any) -> Any:
        """An operand as a symbol of this trace, or a Python scalar."""
        if type(x) in SCALAR_TYPES or isinstance(x, Dim):
            return x
        if not isinstance(x, Tensor):
            return self._constant_symbol(frozen_copy(x))
        if isinstance(x, Wrapped) and x._level.number > self.number:
            raise TransformError("a tensor of an inner transform reached a trace around it")
        if self._outer(x) or (x._node is not None and x._node.number <= self._start and type(x._value) is not Symbol):
            return self.symbol(self.capture(x))
        value = x._value
        if type(value) is Symbol:
            self.check_open(value)
            return value
        return self._constant_symbol(value)

    def _constant_symbol(self, array: np.ndarray) -> Symbol:
        if array.size > 1 and not any(array.strides):
            # One number seen many times, as the cotangent of a sum is: the graph keeps the number.
            scalar = self.symbol(self.constant(array[(0,) * array.ndim].copy().reshape(())))
            found: Symbol = self.bind(REGISTRY["broadcast_to"](array.shape), scalar)
            return found
        return self.symbol(self.constant(array))

    def adopt(self, x: Any) -> Any:
        """A tensor that belongs to this trace: ``x`` itself, or what captures it. Constants stay as they are."""
        if isinstance(x, Wrapped) and x._level.number > self.number:
            return x
        if isinstance(x, Tensor) and (x._node is not None or isinstance(x, Wrapped) or type(x._value) is Symbol):
            return x if self.tracks(x) else wrap(self.lower(x))
        return x

    def capture(self, x: Any) -> Input:
        """The input that stands for a tensor from outside."""
        key = id(x._value) if type(x._value) is Symbol and x._node is None else id(x)
        found = self.captured.get(key)
        if found is None:
            found = self.captured[key] = (x, Input(TensorSpec(x.shape, x.dtype)))
        return found[1]

    def constant(self, array: np.ndarray) -> Constant:
        """The constant that stands for an array nobody can change."""
        found = self._constants.get(id(array))
        if found is None:
            found = self._constants[id(array)] = (array, Constant(array))
        return found[1]

    def cut(self, x: Symbol) -> Symbol:
        """The same value, through which no derivative of the finished graph passes."""
        if x.dtype.kind not in "fc":
            return x
        found: Symbol = self.bind(_STOP, x)
        return found

    def bind(self, primitive: Primitive, *values: Any) -> Any:
        """Append a node, and return the symbol of its result, or a tuple of them."""
        operands = [x.edge if type(x) is Symbol else x for x in values]
        try:
            found = infer(primitive, operands)
        except Exception as error:
            raise explain(primitive, values, error) from error
        specs = found if isinstance(found, tuple) else (found,)
        origin = self.origin
        results = [Result(spec, i) for i, spec in enumerate(specs)]
        if origin is None:
            code, lasti = user_frame()
            node = GraphNode(
                primitive,
                operands,
                results,
                functools.partial(resolve, code, lasti) if code else None,
                MODE.get().scope,
            )
        else:
            node = GraphNode(primitive, operands, results, origin._location, origin.scope)
        self.nodes.append(node)
        symbols = tuple([self.symbol(result) for result in results])
        return symbols if isinstance(found, tuple) else symbols[0]

    # -- finishing ----------------------------------------------------------------------------------------------

    def edge_of(self, y: Any) -> Value:
        """The edge of an output, which may be a tensor, an array or a scalar."""
        found = self.lower(as_tensor(y))
        edge: Value = found.edge
        return edge

    def finish(self, outputs: Sequence[Any]) -> Graph:
        """The graph with these outputs, without nodes that nothing needs."""
        edges = [self.edge_of(y) for y in outputs]
        captures = list(self.captured.values())
        nodes = needed(self.nodes, edges)
        used = {x for node in nodes for x in node.operands if isinstance(x, Value)} | set(edges)
        captures = [(tensor, edge) for tensor, edge in captures if edge in used]
        return Graph(
            [*self.inputs, *(edge for _, edge in captures)], nodes, edges, captured=[tensor for tensor, _ in captures]
        )


def needed(nodes: Sequence[GraphNode], outputs: Sequence[Value]) -> list[GraphNode]:
    """The nodes that the outputs depend on, in order."""
    wanted = set(outputs)
    kept = []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.results):
            kept.append(node)
            wanted.update(node.inputs)
    return kept[::-1]


class tracing:
    """Enter a trace: its mode, and no other level than its own for what is made inside."""

    def __init__(self, level: TraceLevel, fresh: bool = False) -> None:
        self._level = level
        self._fresh = fresh

    def __enter__(self) -> TraceLevel:
        mode = Mode() if self._fresh else MODE.get()
        self._level._recording = mode.grad
        self._mode = MODE.set(mode.but(trace=self._level, pack=None, anomaly=False))
        self._levels = ACTIVE.set((self._level,))
        return self._level

    def __exit__(self, *exc: object) -> None:
        ACTIVE.reset(self._levels)
        MODE.reset(self._mode)
        self._level.open = False


def trace_flat(
    function: Callable[..., Sequence[Any]],
    specs: Sequence[Any],
    names: Sequence[str] = (),
    fresh: bool = False,
) -> Graph:
    """The graph of a function from tensors to a sequence of tensors. A spec may be a Python type, for a scalar."""
    level = TraceLevel()
    with tracing(level, fresh):
        arguments = [
            level.input(TensorSpec((), np.dtype(spec)), name, spec)
            if isinstance(spec, type)
            else level.input(spec, name)
            for spec, name in zip(specs, names or [""] * len(specs), strict=True)
        ]
        return level.finish(function(*arguments))


def replay(graph: Graph, arguments: Sequence[Any]) -> list[Any]:
    """The outputs of a graph for these tensors, by applying its operations to them one after the other: in eager mode,
    under any transform, or inside another trace, where the nodes keep their source lines."""
    env: dict[Value, Any] = dict(zip(graph.inputs, arguments, strict=True))
    env.update((constant, wrap(constant.array)) for constant in graph.constants)
    level = MODE.get().trace
    before = level.origin if level is not None else None
    try:
        for node in graph.nodes:
            if level is not None and before is None:
                level.origin = node
            out = apply(node.primitive, *[env[x] if isinstance(x, Value) else x for x in node.operands])
            outs = out if isinstance(out, tuple) else (out,)
            env.update(zip(node.results, outs, strict=True))
    finally:
        if level is not None:
            level.origin = before
    return [env[y] for y in graph.outputs]
