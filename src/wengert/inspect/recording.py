"""Watching a function run: every eager operation with its operands, results and time, and every gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from wengert.core.apply import apply
from wengert.core.backward import sweep
from wengert.core.mode import MODE
from wengert.core.node import FREED, Leaf, Location, MultiNode, Node, Output, Watch, reachable, resolve, user_frame
from wengert.core.primitive import Primitive
from wengert.core.static import Graph, GraphNode, Value
from wengert.core.tensor import Tensor, wrap


class Operand(NamedTuple):
    """What a tensor, array or number was at the time: in-place operations change tensors later."""

    value: Any
    node: Node | None
    tensor: bool


class Call(NamedTuple):
    """One operation that ran: the values of operands and results are alive as long as the recording is."""

    primitive: Primitive
    inputs: tuple[Operand, ...]
    outputs: tuple[Operand, ...]
    seconds: float
    grad: bool
    scope: str
    code: Any
    lasti: int
    #: The node of a static graph that is being run, which knows where it came from.
    origin: GraphNode | None

    @property
    def location(self) -> Location | None:
        """The user's line."""
        return self.origin.location if self.origin is not None else resolve(self.code, self.lasti)


class Recording:
    """Inside ``with Recording() as recording``, every eager operation is noted, tracked or not.

    Operations inside of a transform are noted as the plain operations that the transform makes of them.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._origin: GraphNode | None = None

    def __enter__(self) -> Recording:
        self._token = MODE.set(MODE.get().but(observer=self.observe))
        return self

    def __exit__(self, *exc: object) -> None:
        MODE.reset(self._token)

    def observe(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        """Compute an operation, outside of the recording, and note it."""
        mode = MODE.get()
        token = MODE.set(mode.but(observer=None))
        try:
            start = perf_counter()
            out = apply(primitive, *inputs)
            seconds = perf_counter() - start
        finally:
            MODE.reset(token)
        outputs = out if isinstance(out, tuple) else (out,)
        found, made = tuple(map(_operand, inputs)), tuple(map(_operand, outputs))
        scope = mode.scope if self._origin is None else self._origin.scope
        self.calls.append(Call(primitive, found, made, seconds, mode.grad, scope, *user_frame(), self._origin))
        return out

    def run_graph(self, graph: Graph, arguments: Sequence[Any]) -> list[Any]:
        """The outputs of a static graph, run operation by operation; the calls keep the lines of its nodes."""
        env: dict[Value, Any] = dict(zip(graph.inputs, [*arguments, *graph.captured], strict=True))
        env.update((constant, wrap(constant.array)) for constant in graph.constants)
        for node in graph.nodes:
            self._origin = node
            out = apply(node.primitive, *[env[x] if isinstance(x, Value) else x for x in node.operands])
            env.update(zip(node.results, out if isinstance(out, tuple) else (out,), strict=True))
        self._origin = None
        return [env[y] for y in graph.outputs]

    def by_node(self) -> dict[Node, Call]:
        """The call that left each node behind."""
        found = {}
        for call in self.calls:
            for y in call.outputs:
                if y.node is not None:
                    found[operation(y.node)] = call
        return found


def _operand(x: Any) -> Operand:
    return Operand(x._value, x._node, True) if isinstance(x, Tensor) else Operand(x, None, False)


class Pullbacks(NamedTuple):
    """A backward pass: the cotangent of every node's result, and the seconds that its pullbacks took."""

    gradients: dict[Node, Any]
    seconds: dict[Node, float]
    total: float


def pull_back(outputs: Sequence[Tensor]) -> Pullbacks | None:
    """Sweep back from the outputs, noting every cotangent; ``None`` if the residuals are gone.

    Nothing of the user's is touched: no ``grad`` is written, no hook is called, no residual freed. An output that is
    not a scalar gets a cotangent of ones.
    """
    tracked = [y for y in outputs if y._node is not None]
    nodes = reachable([y._node for y in tracked if y._node is not None])
    if not tracked or any(node.residuals is FREED for node in nodes):
        return None
    before = [node.watch for node in nodes]
    visits: list[tuple[Node, Any, float]] = []
    for node in nodes:
        if not isinstance(node, MultiNode):
            node.watch = Watch()
            node.watch.hooks[0] = _noting(node, visits)
    start = perf_counter()
    try:
        seeds = [np.ones(y.shape, y.dtype) for y in tracked]
        sweep([y._node for y in tracked if y._node is not None], seeds, retain_graph=True)
    finally:
        end = perf_counter()
        for node, watch in zip(nodes, before, strict=True):
            node.watch = watch
    gradients = {node: g for node, g, _ in visits}
    seconds: dict[Node, float] = {}
    for position, (node, _, at) in enumerate(visits):
        until = visits[position + 1][2] if position + 1 < len(visits) else end
        seconds[operation(node)] = seconds.get(operation(node), 0.0) + (until - at)
    return Pullbacks(gradients, seconds, end - start)


def _noting(node: Node, visits: list[tuple[Node, Any, float]]) -> Callable[[Tensor], None]:
    return lambda g: visits.append((node, g._value, perf_counter()))


def operation(node: Node) -> Node:
    """The node itself, or the operation that an ``Output`` belongs to."""
    found: Any = node.parents[0] if isinstance(node, Output) else node
    return found


def fresh_leaf(x: Any, label: str) -> Any:
    """A leaf of the user's value, so that nothing flows into the user's own ``grad``; other values as they are."""
    array = x._value if isinstance(x, Tensor) else x
    if isinstance(array, (float, complex)) and not isinstance(array, bool):
        array = np.asarray(array)
    if isinstance(array, np.ndarray) and array.dtype.kind in "fc":
        leaf = Tensor(array, requires_grad=True)
        if isinstance(leaf._node, Leaf):
            leaf._node.label = label
        return leaf
    return x
