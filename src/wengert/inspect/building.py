"""From a tensor's graph, a function with its arguments, or a static graph to a ``Model``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from wengert.core.errors import GradientError, TransformError
from wengert.core.graph import GraphView
from wengert.core.node import Leaf, Location, MultiNode, Node, Output
from wengert.core.primitive import Refusal
from wengert.core.pytree import tree_flatten, tree_unflatten
from wengert.core.static import Constant, Graph, GraphNode, Value
from wengert.core.tensor import Tensor
from wengert.core.tracing import replay
from wengert.core.types import TensorSpec, is_differentiable_dtype
from wengert.inspect.grouping import group_nodes
from wengert.inspect.model import (
    CONSTANT,
    LEAF,
    OPERATION,
    PARAMETER,
    Kept,
    Model,
    ModelEdge,
    ModelNode,
    number_text,
    value_text,
)
from wengert.inspect.recording import Call, Pullbacks, Recording, fresh_leaf, operation, pull_back
from wengert.plan.cost import flops_of, moved_bytes
from wengert.plan.ledger import ledger


class Run(NamedTuple):
    """A model, with the outputs it was taken from and how long the passes took (``None`` if they were not timed)."""

    model: Model
    outputs: tuple[Tensor, ...]
    recording: Recording | None = None
    forward: float | None = None
    backward: float | None = None
    #: The nodes of the graph, in the order of the model's.
    nodes: tuple[Node, ...] = ()


def model_of(x: Any, *args: Any, params: Mapping[str, Any] | None = None, gradients: bool = True) -> Model:
    """The model of a tensor (or several), of a function or static graph applied to ``args``, or of a static graph.

    >>> import wengert as wg
    >>> model = model_of(lambda x: (x * x).sum(), wg.tensor([1.0, 2.0]))
    >>> [(node.op, node.label) for node in model.nodes]
    [('leaf', 'x'), ('multiply', ''), ('sum', '')]
    >>> model.nodes[0].grad
    array([2., 4.])
    """
    return run_of(x, *args, params=params, gradients=gradients).model


def run_of(x: Any, *args: Any, params: Mapping[str, Any] | None = None, gradients: bool = True) -> Run:
    """``model_of``, with what was measured on the way.

    Raises ``GradientError`` where there is no graph to show.
    """
    if isinstance(x, Graph) and not args:
        return Run(model_of_static(x), ())
    if isinstance(x, GraphView):
        return Run(_model_of_nodes(x, [], None, None, {}), ())
    if isinstance(x, Tensor) or (isinstance(x, (list, tuple)) and all(isinstance(y, Tensor) for y in x)):
        outputs = (x,) if isinstance(x, Tensor) else tuple(x)
        return _run_of_tensors(outputs, None, params, gradients)
    return run_function(x, args, params, gradients)


def as_function(x: Any) -> Callable[..., Any]:
    """A function of tensors that can be called eagerly: a static graph is replayed. Raises ``GradientError``."""
    if isinstance(x, Graph):
        return lambda *xs: replay(x, [*xs, *x.captured])
    if not callable(x):
        raise GradientError(
            f"expected a tensor with a graph, a function with its arguments, or a Graph, not {type(x).__name__}"
        )
    found: Callable[..., Any] = x
    return found


def run_function(
    function: Callable[..., Any] | Graph,
    args: Sequence[Any],
    params: Mapping[str, Any] | None = None,
    gradients: bool = True,
) -> Run:
    """Run a function on fresh leaves of its arguments, noting every operation, and sweep back."""
    leaves, structure = tree_flatten(tuple(args))
    names = argument_names(function, args)
    fresh = [fresh_leaf(x, name) for x, name in zip(leaves, names, strict=True)]
    with Recording() as recording:
        start = perf_counter()
        if isinstance(function, Graph):
            result: Any = recording.run_graph(function, fresh)
        else:
            result = as_function(function)(*tree_unflatten(structure, fresh))
        forward = perf_counter() - start
    outputs = tuple(y for y in tree_flatten(result)[0] if isinstance(y, Tensor) and y._node is not None)
    if not outputs:
        raise GradientError(
            f"{_name_of(function)} returned nothing that a gradient leads back from; wengert.why({_name_of(function)}, "
            f"*args) says where the graph was cut"
        )
    run = _run_of_tensors(outputs, recording, params, gradients, _name_of(function))
    return run._replace(forward=forward)


def _run_of_tensors(
    outputs: tuple[Tensor, ...],
    recording: Recording | None,
    params: Mapping[str, Any] | None,
    gradients: bool,
    title: str = "",
) -> Run:
    view = GraphView(outputs)
    names = {x._node: name for name, x in (params or {}).items() if isinstance(x, Tensor) and x._node is not None}
    try:
        pulled = pull_back(outputs) if gradients else None
    except (GradientError, TransformError):
        # Some operation has no derivative, or the tensor is one of a graph that is being built: it can still be seen.
        pulled = None
    model = _model_of_nodes(view, outputs, recording, pulled, names, title)
    return Run(model, outputs, recording, None, pulled.total if pulled is not None else None, tuple(view.nodes))


# -- a tensor's graph -----------------------------------------------------------------------------------------------


def _model_of_nodes(
    view: GraphView,
    outputs: Sequence[Tensor],
    recording: Recording | None,
    pulled: Pullbacks | None,
    names: Mapping[Any, str],
    title: str = "",
) -> Model:
    calls = recording.by_node() if recording is not None else {}
    values = _values(view, outputs, calls)
    kept = _kept(view)
    ends = set(view.outputs)
    place = {node: index for index, node in enumerate(view.nodes)}
    locations: dict[tuple[Any, int], Location | None] = {}
    nodes = []
    edges = []
    for index, node in enumerate(view.nodes):
        key = (node.code, node.lasti)
        if key not in locations:
            locations[key] = node.location
        made = _source(index, node, names) if isinstance(node, Leaf) else _applied(index, node, calls.get(node))
        call = calls.get(node)
        made.location = locations[key] if call is None or call.origin is None else call.location
        made.kept = kept.get(node, ())
        made.value = values.get(node)
        made.output = node in ends
        scope = node.scope if call is None else call.scope
        made.group = (scope,) if scope else ()
        if pulled is not None:
            made.grad = _gradient(node, pulled)
            made.backward = pulled.seconds.get(node)
        elif isinstance(node, Leaf) and node.grad is not None:
            made.grad = node.grad._value
        elif node.watch is not None and node.watch.grad is not None:
            made.grad = node.watch.grad._value
        nodes.append(made)
        for slot, parent in enumerate(node.parents):
            if parent is not None:
                result = parent.index if isinstance(parent, Output) else 0
                source = place[operation(parent)]
                edges.append(ModelEdge(source, index, slot, result, parent.spec, _flows(node.primitive, slot)))
    model = Model(nodes, edges, title)
    group_nodes(model)
    return model


def _source(index: int, node: Leaf, names: Mapping[Any, str]) -> ModelNode:
    label = names.get(node) or node.label
    kind = PARAMETER if node in names or "." in node.label else LEAF
    return ModelNode(index, kind, kind, label, label or kind, (node.spec,))


def _applied(index: int, node: Node, call: Call | None) -> ModelNode:
    primitive = node.primitive
    specs = tuple(node.shape) if isinstance(node, MultiNode) else (node.spec,)
    given = call.inputs if call is not None else ()
    operands: list[TensorSpec | None] = []
    texts = []
    for slot, parent in enumerate(node.parents):
        constant: Any = given[slot].value if slot < len(given) else None
        if parent is not None:
            operands.append(parent.spec)
            texts.append("")
        else:
            operands.append(TensorSpec(constant.shape, constant.dtype) if hasattr(constant, "shape") else None)
            texts.append(_constant_text(constant))
    return ModelNode(
        index,
        OPERATION,
        primitive.name,
        "",
        primitive.call_text([]),
        specs,
        primitive=primitive,
        operands=tuple(texts),
        forward=call.seconds if call is not None else None,
        flops=flops_of(primitive, operands, specs),
        moved=moved_bytes(primitive, operands, specs),
    )


def _constant_text(x: Any) -> str:
    if x is None:
        return "constant"
    return value_text(x) if hasattr(x, "shape") else number_text(x)


def _flows(primitive: Any, slot: int) -> bool:
    """Whether a pullback towards this operand exists and is not structurally zero."""
    if primitive is None or not primitive.differentiable:
        return False
    rules = primitive.rules
    rule = rules[0] if primitive.variadic else rules[slot] if slot < len(rules) else None
    return rule is not None and not isinstance(rule, Refusal)


def _values(view: GraphView, outputs: Sequence[Tensor], calls: Mapping[Node, Call]) -> dict[Node, Any]:
    """What is known of results: recorded, kept for the backward pass, held by a leaf, or given."""
    found: dict[Node, Any] = {}
    for node in view.nodes:
        if isinstance(node, Leaf):
            memory = node.memory() if node.memory is not None else None
            if memory is not None and memory.shape == node.shape:
                found[node] = memory
        elif node in calls:
            results = tuple(y.value for y in calls[node].outputs)
            found[node] = results if isinstance(node, MultiNode) else results[0]
        elif type(node.residuals) is tuple:
            for parent, array in zip(node.parents, node.residuals, strict=False):
                if parent is not None and not isinstance(parent, Output) and isinstance(array, np.ndarray):
                    found.setdefault(parent, array)
            if isinstance(node.residuals[-2], np.ndarray):
                found[node] = node.residuals[-2]
    for call in calls.values():
        for x in call.inputs:
            # A leaf, or the result of what does not run as one operation (a custom function, a checkpoint).
            if x.node is not None and not isinstance(x.node, Output) and isinstance(x.value, np.ndarray):
                found.setdefault(x.node, x.value)
    for y in outputs:
        if y._node is not None and not isinstance(y._node, Output) and isinstance(y._value, np.ndarray):
            found[y._node] = y._value
    return found


def _gradient(node: Node, pulled: Pullbacks) -> Any:
    if isinstance(node, MultiNode):
        found = [pulled.gradients.get(one) for ref in node.outputs if ref is not None and (one := ref()) is not None]
        return next((g for g in found if g is not None), None)
    return pulled.gradients.get(node)


def _kept(view: GraphView) -> dict[Node, tuple[Kept, ...]]:
    if all(isinstance(node, Leaf) for node in view.nodes):
        return {}
    found: dict[Node, list[Kept]] = {}
    for entry in ledger_of(view):
        found.setdefault(operation(entry.node), []).append(
            Kept(entry.role, tuple(entry.shape), str(entry.dtype), entry.bytes, entry.leaf)
        )
    return {node: tuple(entries) for node, entries in found.items()}


def ledger_of(view: GraphView) -> Sequence[Any]:
    """The entries of the ledger of a graph's outputs."""
    held = []
    for node in view.outputs:
        tensor = Tensor.__new__(Tensor)
        tensor._value = None
        tensor._node = node
        held.append(tensor)
    return ledger(held).entries


# -- a static graph -------------------------------------------------------------------------------------------------


def model_of_static(graph: Graph, title: str = "") -> Model:
    """The model of a graph without values: inputs, constants that are more than one number, and nodes."""
    place: dict[Value, tuple[int, int]] = {}
    nodes: list[ModelNode] = []
    edges: list[ModelEdge] = []
    captured = len(graph.inputs) - len(graph.captured)
    for position, x in enumerate(graph.inputs):
        kind = LEAF if position < captured and "." not in x.name else PARAMETER
        label = x.name or ("" if position < captured else _label_of(graph.captured[position - captured]))
        place[x] = (len(nodes), 0)
        nodes.append(ModelNode(len(nodes), kind, kind, label, label or kind, (x.spec,)))
    for constant in graph.constants:
        if constant.array.size > 1:
            place[constant] = (len(nodes), 0)
            nodes.append(
                ModelNode(
                    len(nodes), CONSTANT, CONSTANT, constant.name, CONSTANT, (constant.spec,), value=constant.array
                )
            )
    for node in graph.nodes:
        index = len(nodes)
        nodes.append(_static_node(index, node))
        for slot, x in enumerate(node.operands):
            if isinstance(x, Value) and x in place:
                source, result = place[x]
                flows = _flows(node.primitive, slot) and is_differentiable_dtype(x.dtype)
                edges.append(ModelEdge(source, index, slot, result, x.spec, flows))
        place.update((result, (index, i)) for i, result in enumerate(node.results))
    for y in graph.outputs:
        if y in place:
            nodes[place[y][0]].output = True
    model = Model(nodes, edges, title, differentiated=False)
    group_nodes(model)
    return model


def _static_node(index: int, node: GraphNode) -> ModelNode:
    primitive = node.primitive
    operands = [x.spec if isinstance(x, Value) else None for x in node.operands]
    texts = [
        number_text(x.array.reshape(())[()])
        if isinstance(x, Constant) and x.array.size == 1
        else ""
        if isinstance(x, Value)
        else number_text(x)
        for x in node.operands
    ]
    specs = tuple(result.spec for result in node.results)
    return ModelNode(
        index,
        OPERATION,
        primitive.name,
        node.name,
        primitive.call_text([]),
        specs,
        group=(node.scope,) if node.scope else (),
        location=node.location,
        primitive=primitive,
        operands=tuple(texts),
        flops=flops_of(primitive, operands, specs),
        moved=moved_bytes(primitive, operands, specs),
    )


def _label_of(x: Any) -> str:
    node = getattr(x, "_node", None)
    return node.label if isinstance(node, Leaf) else ""


# -- names ----------------------------------------------------------------------------------------------------------


def _name_of(function: Any) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__)).rpartition("<locals>.")[2]


def argument_names(function: Any, args: Sequence[Any]) -> list[str]:
    """A name for every leaf of the arguments: ``x``, ``params[0]``, ``params['w']``."""
    if isinstance(function, Graph):
        return [x.name or f"arg{i}" for i, x in enumerate(function.inputs[: len(args)])]
    target = getattr(function, "forward", function)
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    found = []
    for position, argument in enumerate(args):
        named = position < len(parameters) and parameters[position].kind is not inspect.Parameter.VAR_POSITIONAL
        base = parameters[position].name if named else f"arg{position}"
        leaves = tree_flatten(argument)[0]
        if len(leaves) == 1 and leaves[0] is argument:
            found.append(base)
        elif isinstance(argument, dict) and len(leaves) == len(argument):
            found += [f"{base}.{key}" for key in sorted(argument)]
        else:
            found += [f"{base}[{i}]" for i in range(len(leaves))]
    return found
