"""What a page shows beside the graph itself: the graph before and after each pass, the kernels of the compiled
program, and what is inside of operations: the graphs of loops, branches and calls, and what a checkpoint replays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from wengert.backends.llvm.codegen import lowers
from wengert.backends.llvm.grouping import group
from wengert.backends.llvm.schedule import Host, Kernel, Product, Routine, Rows, Schedule, nodes_of
from wengert.core.errors import WengertError
from wengert.core.node import Leaf, Node, Output
from wengert.core.pytree import tree_unflatten
from wengert.core.static import Constant, Graph, GraphNode, Input, Result, Value
from wengert.core.types import TensorSpec, frozen_copy
from wengert.inspect.building import Run, model_of_static, run_function
from wengert.inspect.model import Model, ModelNode, shape_text
from wengert.inspect.recording import Operand, operation
from wengert.ops.control import Call
from wengert.ops.random_ import get_rng_state, set_rng_state
from wengert.passes import FOR_CODE
from wengert.passes.pipeline import optimize
from wengert.transforms.checkpoint import Checkpoint

#: Of what is inside of operations, so many graphs are in a page.
_MOST_INSIDES = 40
#: Larger graphs are not optimised for the sake of being looked at, and are not shown twice on one page.
_MOST_NODES = 3_000
#: Names of the two halves of a comparison.
BEFORE, AFTER = "before", "after"


@dataclass
class Stage:
    """One of the graphs of a page. ``inside`` is, for a node that carries graphs, the numbers of their stages."""

    name: str
    model: Model
    inside: dict[int, list[int]]


def stages_of(run: Run, x: Any, passes: bool) -> list[Stage]:
    """The graph, what is inside of its operations, and the graph before and after each pass."""
    first = "before optimisation" if isinstance(x, Graph) else run.model.title or "graph"
    found = [Stage(first, run.model, {})]
    if passes:
        graph = x if isinstance(x, Graph) else static_graph_of(run)
        if graph is not None and len(graph) <= _MOST_NODES:
            found += [Stage(name, model, {}) for name, model in passes_of(graph)]
    _add_insides(found)
    return found


def _add_insides(stages: list[Stage]) -> None:
    """Append the graphs that operations carry, and then what is inside of those."""
    known: dict[int, int] = {}
    first = len(stages)
    for stage in stages:
        for node in stage.model.nodes:
            for key, name, make in _insides(stage.model, node):
                if key not in known and len(stages) - first < _MOST_INSIDES and (made := make()) is not None:
                    known[key] = len(stages)
                    stages.append(Stage(name, made, {}))
                if key in known:
                    stage.inside.setdefault(node.index, []).append(known[key])


def _insides(model: Model, node: ModelNode) -> Iterator[tuple[int, str, Callable[[], Model | None]]]:
    primitive = node.primitive
    if isinstance(primitive, Checkpoint):
        yield id(primitive), f"replayed by {node.text}", partial(replayed_model, model, node)
    elif primitive is not None:
        for graph in primitive.graphs():
            yield id(graph), f"inside {node.op}", partial(model_of_static, graph)


def is_checkpoint(node: ModelNode) -> bool:
    """Whether what is inside of an operation is computed again in the backward pass."""
    primitive = node.primitive
    return isinstance(primitive, Checkpoint) or (isinstance(primitive, Call) and not primitive.inline)


# -- checkpoints ----------------------------------------------------------------------------------------------------


def replayed_model(model: Model, node: ModelNode) -> Model | None:
    """What the backward pass runs again for a checkpoint, from the values that it kept; nothing if they are gone."""
    primitive: Any = node.primitive
    count = len(primitive.places)
    values: dict[int, Any] = {}
    for edge in model.incoming[node.index]:
        value = model.nodes[edge.source].value
        if edge.slot < count and value is not None:
            values[edge.slot] = value[edge.result] if isinstance(value, tuple) else value
    if len(values) < count:
        return None

    def again(*tensors: Any) -> Any:
        leaves = list(primitive.leaves)
        for place, x in zip(primitive.places, tensors, strict=True):
            leaves[place] = x
        args, kwargs = tree_unflatten(primitive.structure, leaves)
        return primitive.function(*args, **kwargs)

    before = get_rng_state()
    try:
        set_rng_state(primitive.rng_state)
        # Its gradients are those of the pass around it, which this run does not have.
        return run_function(again, [values[slot] for slot in range(count)], gradients=False).model
    except WengertError:
        return None
    finally:
        set_rng_state(before)


# -- from what ran to a graph ---------------------------------------------------------------------------------------


def static_graph_of(run: Run) -> Graph | None:
    """The operations that ran and that the outputs depend on, as a graph of their own; the user's function is not run
    again. A custom function counts as the operation that it was recorded as. Nothing if what ran was not recorded."""
    if run.recording is None:
        return None
    calls = run.recording.by_node()
    values: dict[Node, tuple[Value, ...]] = {}
    inputs: list[Input] = []
    nodes: list[GraphNode] = []
    for node in run.nodes:
        if isinstance(node, Leaf):
            inputs.append(Input(node.spec, node.label))
            values[node] = (inputs[-1],)
            continue
        call = calls.get(node)
        if call is None:
            return None
        operands = [_operand(x, values) for x in call.inputs]
        results = [Result(TensorSpec(y.value.shape, y.value.dtype), k) for k, y in enumerate(call.outputs)]
        nodes.append(GraphNode(call.primitive, operands, results, call.location, call.scope))
        values[node] = tuple(results)
    outputs = [_operand(Operand(y._value, y._node, True), values) for y in run.outputs]
    return Graph(inputs, nodes, outputs)


def _operand(x: Operand, values: dict[Node, tuple[Value, ...]]) -> Any:
    if x.node is not None and (made := values.get(operation(x.node))) is not None:
        return made[x.node.index if isinstance(x.node, Output) else 0]
    if isinstance(x.value, (bool, int, float, complex)):
        return x.value
    return Constant(frozen_copy(x.value))


# -- passes and kernels ---------------------------------------------------------------------------------------------


def passes_of(graph: Graph) -> list[tuple[str, Model]]:
    """After each pass that changed something, the graph before it beside the graph after it; and the kernels of what is
    left."""
    found = []
    done = optimize(graph, FOR_CODE)
    for number, step in enumerate(done.steps, 1):
        changes = [f"−{count} {name}" for name, count in step.removed.most_common(3)]
        changes += [f"+{count} {name}" for name, count in step.added.most_common(3)]
        name = f"{number}. {step.name}: {', '.join(changes)}".removesuffix(": ")
        found.append((name, beside(model_of_static(step.before), model_of_static(step.after))))
    kernels = kernels_of(done.graph)
    return [*found, kernels] if kernels is not None else found


def beside(before: Model, after: Model) -> Model:
    """Both in one model, in groups side by side, with what is gone and what is new marked."""
    old, new = Counter(map(_likeness, before.nodes)), Counter(map(_likeness, after.nodes))
    nodes = _marked(before, old - new, BEFORE, "removed", 0)
    nodes += _marked(after, new - old, AFTER, "added", len(before.nodes))
    shift = len(before.nodes)
    edges = [*before.edges, *(replace(e, source=e.source + shift, target=e.target + shift) for e in after.edges)]
    return Model(nodes, edges, differentiated=False)


def _marked(model: Model, changed: Counter[Any], name: str, change: str, shift: int) -> list[ModelNode]:
    # Of equal nodes the first is kept, as passes do: marked is the last.
    nodes = []
    for node in reversed(model.nodes):
        mark = changed[_likeness(node)] > 0
        changed[_likeness(node)] -= mark
        nodes.append(replace(node, index=node.index + shift, group=(name, *node.group), change=change if mark else ""))
    return nodes[::-1]


def _likeness(node: ModelNode) -> Any:
    return node.kind, node.text, node.specs, node.operands, node.line


def kernels_of(graph: Graph) -> tuple[str, Model] | None:
    """The optimised graph, grouped by what the compiler makes of it: fused loops, products, routines, calls of NumPy.
    Nothing where a length is not known."""
    if not graph.is_concrete or not graph.nodes:
        return None
    try:
        schedule = Schedule(graph, lowers)
        group(schedule)
    except WengertError:
        return None
    model = model_of_static(graph)
    first = len(model.nodes) - len(graph.nodes)
    place = {id(node): first + k for k, node in enumerate(graph.nodes)}
    fused: dict[int, str] = {}
    for number, step in enumerate(schedule.steps, 1):
        for node in nodes_of(step):
            fused[place[id(node)]] = f"{number}. {_name_of(step)}"
    for one in model.nodes:
        one.group = ()
    for index, name in fused.items():
        model.nodes[index].group = (name,)
    host = len(schedule.hosts)
    count = sum(not isinstance(step, Host) for step in schedule.steps)
    name = f"compiled: {count} {'kernel' if count == 1 else 'kernels'}" + (f", {host} in NumPy" if host else "")
    return name, model


def _name_of(step: Any) -> str:
    if isinstance(step, Rows):
        return f"fused rows over {shape_text(step.lead)}"
    if isinstance(step, Kernel):
        return f"{'matrix product and ' if step.product else ''}fused loop over {shape_text(step.space)}"
    if isinstance(step, Product):
        return "matrix product"
    if isinstance(step, Host):
        return f"NumPy: {step.reason}"
    return "routine" if isinstance(step, Routine) else type(step).__name__.lower()
