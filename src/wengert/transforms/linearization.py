"""A function's derivative at a point as a linear function that can be applied again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.derived import differentiable, jvp_graph
from wengert.core.errors import ContainerError, GradientError, TransformError
from wengert.core.levels import as_tensor, fresh_leaf, pullback
from wengert.core.mode import enable_grad
from wengert.core.pytree import TreeDef, tree_flatten, tree_unflatten
from wengert.core.static import Constant, Graph, GraphNode, Input, Value
from wengert.core.tensor import wrap
from wengert.core.tracing import needed
from wengert.ops.control import Call
from wengert.transforms.control import Traced, specs_of
from wengert.transforms.gradient import floating, untied

Function = Callable[..., Any]


def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value of ``f``, and its derivative there: the linear function from tangents to the result's tangent.

    ``f`` is called once. What does not depend on the tangents is computed once and kept; a push runs only the linear
    part. Where ``f`` cannot be traced, because Python branches on a value, it is evaluated with a tape instead, whose
    pullback is recorded and transposed (Townsend 2017).

    Raises ``GradientError`` for arguments that are not floating-point numbers and for tangents of other shapes,
    ``ContainerError`` for tangents of another structure.

    >>> import wengert as wg
    >>> y, push = wg.linearize(wg.sin, wg.tensor(0.0))
    >>> y, push(wg.tensor(1.0)), push(wg.tensor(2.0))
    (tensor(0.), tensor(1.), tensor(2.))
    """
    leaves, tree = tree_flatten(primals)
    inputs = [floating(x, "linearize") for x in leaves]
    try:
        traced = Traced(f, tree, specs_of(inputs))
    except (TransformError, TypeError):
        values, push, out_tree = _taped(f, inputs, tree)
    else:
        values, push = _split(traced.graph, inputs, traced.captured)
        out_tree = traced.out_tree

    def pushforward(*tangents: Any) -> Any:
        given, structure = tree_flatten(tangents)
        if structure != tree:
            raise ContainerError(f"linearize: the tangents have structure {structure}, the primals {tree}")
        moved = []
        for x, t in zip(inputs, given, strict=True):
            t = as_tensor(t)
            if t.shape != x.shape:
                raise GradientError(f"linearize: a tangent has shape {t.shape}, and its primal {x.shape}")
            moved.append(t if t.dtype == x.dtype else t.astype(x.dtype))
        return tree_unflatten(out_tree, push(moved))

    return tree_unflatten(out_tree, values), pushforward


def _split(graph: Graph, inputs: Sequence[Any], captured: Sequence[Any]) -> tuple[list[Any], Function]:
    """Value and pushforward of a graph: the pushforward's graph cut into what needs tangents and what does not."""
    count, outs = len(graph.inputs), len(graph.outputs)
    moving = (*(True,) * len(inputs), *(False,) * len(captured))
    joint = jvp_graph(graph, moving, (True,) * outs)[0]
    late: set[Value] = set(joint.inputs[count:])
    nodes: list[GraphNode] = []
    kept: dict[Value, Input] = {}
    for node in joint.nodes:
        if late.isdisjoint(node.inputs):
            continue
        late.update(node.results)
        for x in node.inputs:
            if x not in late and not isinstance(x, Constant):
                kept.setdefault(x, Input(x.spec))
        operands = [kept.get(x, x) if isinstance(x, Value) else x for x in node.operands]
        nodes.append(GraphNode(node.primitive, operands, node.results, node._location, node.scope))
    tangents = [kept.setdefault(y, Input(y.spec)) if _is_early(y, late) else y for y in joint.outputs[outs:]]
    wanted = [*joint.outputs[:outs], *kept]
    first = Graph(joint.inputs[:count], needed(joint.nodes, wanted), wanted)
    linear = Graph([*kept.values(), *joint.inputs[count:]], nodes, tangents)
    found = Call(first)(*inputs, *captured)
    residuals = found[outs:]
    return list(found[:outs]), lambda ts: Call(linear)(*residuals, *ts)


def _is_early(y: Value, late: set[Value]) -> bool:
    return y not in late and not isinstance(y, Constant)


def _taped(f: Function, inputs: Sequence[Any], tree: TreeDef) -> tuple[list[Any], Function, TreeDef]:
    """The same from a recorded pullback, which is linear in its cotangents: its transpose is the pushforward."""
    own = [fresh_leaf(x) for x in inputs]
    with enable_grad():
        results, out_tree = tree_flatten(f(*tree_unflatten(tree, own)))
    values = [as_tensor(y) for y in results]
    seeds = [fresh_leaf(wrap(np.zeros(y.shape, y.dtype))) if differentiable(y) else None for y in values]
    pairs = [(y, u) for y, u in zip(values, seeds, strict=True) if u is not None]
    cotangents = [u for _, u in pairs]
    gradients = pullback([y for y, _ in pairs], cotangents, own)

    def push(tangents: Sequence[Any]) -> list[Any]:
        found = iter(pullback(gradients, tangents, cotangents))
        return [
            wrap(np.zeros(y.shape, y.dtype)) if u is None else untied(next(found), [*own, *cotangents])
            for y, u in zip(values, seeds, strict=True)
        ]

    return [untied(y, own) for y in values], push, out_tree
