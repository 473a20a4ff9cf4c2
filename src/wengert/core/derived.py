"""Graphs made from graphs: derivatives in both directions, batches, and the two halves of a pullback.

A graph is replayed under a transform, inside a trace: what the transform does leaves the nodes of the new graph. So
there are no rules here but those of the operations. Each derived graph is made once and kept with the one it is of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .dims import has_dim
from .levels import JvpLevel, VmapLevel, Wrapped, as_tensor, fresh_leaf, pullback, running
from .static import Constant, Graph, GraphNode, Input, Value
from .tensor import wrap
from .tracing import needed, replay, trace_flat
from .types import TensorSpec

Flags = tuple[bool, ...]


def differentiable(spec: Any) -> bool:
    """Whether a value of this dtype can carry a derivative."""
    return spec.dtype.kind in "fc"


def selected(graph: Graph, outputs: Sequence[Value]) -> Graph:
    """The graph with other outputs, and only the nodes that these need."""
    return graph.replace(outputs=tuple(outputs), nodes=tuple(needed(graph.nodes, outputs)), out_tree=None)


def jvp_graph(graph: Graph, moving: Flags, forced: Flags = ()) -> tuple[Graph, Flags]:
    """The graph from the inputs, followed by the tangents of those that move, to the outputs, followed by the tangents
    of those that move; and which outputs do. An output marked in ``forced`` has a tangent, of zeros if need be."""

    def build() -> tuple[Graph, Flags]:
        flags: list[bool] = []
        count = len(graph.inputs)

        def function(*xs: Any) -> list[Any]:
            tangents = iter(xs[count:])
            with running(JvpLevel()) as level:
                duals = [level.dual(x, next(tangents)) if flag else x for x, flag in zip(xs, moving, strict=False)]
                pairs = [level.split(as_tensor(y)) for y in replay(graph, duals)]
            moved = [
                wrap(np.zeros(y.shape, y.dtype)) if t is None and k < len(forced) and forced[k] else t
                for k, (y, t) in enumerate(pairs)
            ]
            flags.extend(t is not None for t in moved)
            return [*(y for y, _ in pairs), *(t for t in moved if t is not None)]

        specs = [x.spec for x in graph.inputs]
        made = trace_flat(function, [*specs, *(s for s, flag in zip(specs, moving, strict=True) if flag)], fresh=True)
        return made, tuple(flags)

    found: tuple[Graph, Flags] = graph.cached(("jvp", moving, forced), build)
    return found


def tangent_graph(graph: Graph, moving: Flags) -> tuple[Graph, Flags]:
    """``jvp_graph`` without the outputs themselves: only the tangents of those that move."""
    joint, moved = jvp_graph(graph, moving)
    found: Graph = joint.cached("tangents", lambda: selected(joint, joint.outputs[len(graph.outputs) :]))
    return found, moved


def vjp_graph(graph: Graph, wanted: Flags) -> Graph:
    """The graph from the inputs, followed by a cotangent of each differentiable output, to the outputs, followed by the
    cotangents of the wanted inputs."""

    def build() -> Graph:
        count = len(graph.inputs)

        def function(*xs: Any) -> list[Any]:
            leaves = [fresh_leaf(x) if flag else x for x, flag in zip(xs[:count], wanted, strict=True)]
            outs = [as_tensor(y) for y in replay(graph, leaves)]
            cotangents = iter(xs[count:])
            pairs = [(y, next(cotangents)) for y in outs if differentiable(y)]
            targets = [x for x, flag in zip(leaves, wanted, strict=True) if flag]
            gradients = pullback([y for y, _ in pairs], [g for _, g in pairs], targets, create_graph=True)
            return [*(wrap(y._value) for y in outs), *(wrap(as_tensor(g)._value) for g in gradients)]

        specs = [x.spec for x in graph.inputs] + [y.spec for y in graph.outputs if differentiable(y)]
        return trace_flat(function, specs, fresh=True)

    found: Graph = graph.cached(("vjp", wanted), build)
    return found


def pullback_graph(graph: Graph, wanted: Flags) -> Graph:
    """``vjp_graph`` without the outputs themselves: only the cotangents of the wanted inputs."""
    joint = vjp_graph(graph, wanted)
    found: Graph = joint.cached("cotangents", lambda: selected(joint, joint.outputs[len(graph.outputs) :]))
    return found


def batch_graph(graph: Graph, size: int, batched: Flags, forced: Flags | None = None) -> tuple[Graph, Flags]:
    """The graph for a whole batch, whose axis stands first in the inputs marked in ``batched`` and in the outputs that
    have it; and which do. All of them, or those marked in ``forced``, have it in any case."""
    forced = (True,) * len(graph.outputs) if forced is None else forced

    def build() -> tuple[Graph, Flags]:
        flags: list[bool] = []

        def function(*xs: Any) -> list[Any]:
            with running(VmapLevel(size)) as level:
                inner = [level.batched(x) if flag else x for x, flag in zip(xs, batched, strict=True)]
                results: list[Any] = [as_tensor(y) for y in replay(graph, inner)]
            outs: list[Any] = []
            for y, force in zip(results, forced, strict=True):
                mine = isinstance(y, Wrapped) and y._level is level
                flags.append(mine or force)
                outs.append(y._inner if mine else np.broadcast_to(y, (size, *y.shape)) if force else y)
            return outs

        specs = [
            TensorSpec((size, *x.shape), x.dtype) if flag else x.spec
            for x, flag in zip(graph.inputs, batched, strict=True)
        ]
        return trace_flat(function, specs, fresh=True), tuple(flags)

    found: tuple[Graph, Flags] = graph.cached(("batch", size, batched, forced), build)
    return found


class Halves:
    """A pullback cut in two: ``forward`` gives the outputs followed by the residuals, ``backward`` takes the residuals,
    the kept inputs and the cotangents, and gives the cotangents of the wanted inputs."""

    def __init__(self, forward: Graph, backward: Graph, kept: tuple[int, ...], residuals: int) -> None:
        self.forward = forward
        self.backward = backward
        #: Positions of the graph's inputs that the backward half takes as they are.
        self.kept = kept
        #: How many residuals there are.
        self.residuals = residuals


def halves(graph: Graph, wanted: Flags, invariant: Flags = (), recompute: bool = False) -> Halves:
    """The two halves of the pullback of a graph.

    What depends on no cotangent is computed in the forward half; of that, what the backward half needs is a residual,
    unless it is cheap to compute again: a view or a cast of something that is kept, or anything that depends only on
    the inputs marked ``invariant``. With ``recompute``, everything is, and only inputs are kept.
    """
    key = ("halves", wanted, invariant, recompute)
    found: Halves = graph.cached(key, lambda: _cut(graph, wanted, invariant, recompute))
    return found


def _cut(graph: Graph, wanted: Flags, invariant: Flags, recompute: bool) -> Halves:
    joint = vjp_graph(graph, wanted)
    count = len(graph.inputs)
    outputs = joint.outputs[: len(graph.outputs)]
    gradients = joint.outputs[len(graph.outputs) :]
    late: set[Value] = set(joint.inputs[count:])
    free: set[Value] = {x for x, flag in zip(joint.inputs[:count], invariant, strict=False) if flag}
    for node in joint.nodes:
        if not late.isdisjoint(node.inputs):
            late.update(node.results)
        elif free.issuperset(x for x in node.inputs if not isinstance(x, Constant)):
            free.update(node.results)
    maker: dict[Value, GraphNode] = {result: node for node in joint.nodes for result in node.results}
    # Backwards from the gradients: each early value that is met is computed again, or kept.
    again: set[GraphNode] = set()
    kept: dict[Value, None] = {}
    stack: list[Value] = list(gradients)
    seen: set[Value] = set(stack)
    while stack:
        value = stack.pop()
        made = maker.get(value)
        if made is None or (value not in late and not (recompute or value in free or _is_cheap(made))):
            kept[value] = None
            continue
        again.add(made)
        fresh = [x for x in made.inputs if x not in seen]
        seen.update(fresh)
        stack += fresh
    places = {x: i for i, x in enumerate(joint.inputs)}
    residuals = [x for x in kept if x in maker]
    inputs = sorted(places[x] for x in kept if x in places and places[x] < count)
    forward = Graph(joint.inputs[:count], needed(joint.nodes, [*outputs, *residuals]), [*outputs, *residuals])
    stand_ins: dict[Value, Input] = {x: Input(x.spec) for x in residuals}
    nodes = []
    for node in joint.nodes:
        if node in again:
            operands = [stand_ins.get(x, x) if isinstance(x, Value) else x for x in node.operands]
            nodes.append(GraphNode(node.primitive, operands, node.results, node._location, node.scope))
    backward = Graph(
        [*stand_ins.values(), *(joint.inputs[i] for i in inputs), *joint.inputs[count:]],
        nodes,
        [stand_ins.get(x, x) for x in gradients],
    )
    return Halves(forward, backward, tuple(inputs), len(residuals))


def _is_cheap(node: GraphNode) -> bool:
    """Whether computing a value again costs next to nothing and keeps nothing larger: a reshape, a broadcast, ..."""
    if (
        node.primitive.variadic
        or not node.primitive.aliases
        or len(node.inputs) != 1
        or has_dim(node.shape)
        or has_dim(node.inputs[0].shape)
    ):
        return False
    return bool(node.inputs[0].spec.nbytes <= node.spec.nbytes)
