"""``why``: how a result depends on an input, or what cut the gradient off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wengert.core.display import Displayed
from wengert.core.errors import GradientError
from wengert.core.node import Leaf, Location, Node, Output, reachable
from wengert.core.primitive import Refusal
from wengert.core.pytree import tree_flatten, tree_unflatten
from wengert.core.static import Graph
from wengert.core.tensor import Tensor
from wengert.core.types import is_differentiable_dtype, storage
from wengert.inspect.building import argument_names, as_function
from wengert.inspect.recording import Call, Recording, fresh_leaf, pull_back


@dataclass(frozen=True)
class Step:
    """One operation on the way: its name, its line, and the largest entry of the gradient that arrives there."""

    op: str
    line: str
    code: str
    gradient: float | None


@dataclass(frozen=True)
class Cut:
    """A place where the gradient ends. ``reason`` is a sentence."""

    op: str
    reason: str
    line: str
    code: str

    def __str__(self) -> str:
        where = f"\n    {self.line}: {self.code}" if self.code else f"\n    {self.line}" if self.line else ""
        return f"{self.reason}{where}"


@dataclass(frozen=True)
class Answer:
    """Whether a gradient flows from a result to ``input``; the path that it takes, or what cuts it.

    A connected input may have cuts, too: on other ways from it to the result. ``gradient`` is the largest absolute
    entry of the gradient that arrives, where it is known.
    """

    input: str
    connected: bool
    path: tuple[Step, ...]
    cuts: tuple[Cut, ...]
    gradient: float | None = None

    def __str__(self) -> str:
        if not self.connected:
            head = f"no gradient reaches {self.input}:"
            return "\n".join([head, *(f"  {cut}" for cut in self.cuts)])
        size = "" if self.gradient is None else f", largest entry {self.gradient:.4g}"
        lines = [f"a gradient flows to {self.input}{size}:"]
        for step in self.path:
            note = "" if step.gradient is None else f"  |∂| ≤ {step.gradient:.4g}"
            lines.append(f"  {step.op:20}{note}" + (f"  {step.line}: {step.code}" if step.line else ""))
        return "\n".join([*lines, *(f"  but {cut}" for cut in self.cuts)])


@dataclass(frozen=True)
class Answers(Displayed):
    """The answers for several inputs, in order."""

    answers: tuple[Answer, ...]

    @property
    def connected(self) -> bool:
        """Whether a gradient flows to every input."""
        return all(answer.connected for answer in self.answers)

    def __getitem__(self, index: int) -> Answer:
        return self.answers[index]

    def __len__(self) -> int:
        return len(self.answers)

    def __str__(self) -> str:
        return "\n".join(map(str, self.answers))

    __repr__ = __str__


def why(y: Any, *x: Any) -> Answers:
    """Say how ``y`` depends on ``x``, or what cut the gradient: ``no_grad``, ``detach``, a cast to integers, an
    operation without a derivative, a derivative that is zero; with the line.

    ``y`` is a tensor and ``x`` are tensors; or ``y`` is a function and ``x`` its arguments: then it is run, every
    operation is watched, and the answer is exact (a tensor does not remember what was cut off before it was made).

    >>> import wengert as wg
    >>> print(why(lambda x: x.detach() * 2.0, wg.tensor(3.0)))  # doctest: +ELLIPSIS
    no gradient reaches x:
      detach() (or a value taken out by hand) was used by multiply...
    """
    if isinstance(y, Tensor):
        if not x or not all(isinstance(one, Tensor) for one in x):
            raise GradientError("why: give the tensors that y should depend on, or a function and its arguments")
        return Answers(tuple(_of_tensors(y, one, position, len(x)) for position, one in enumerate(x)))
    return _of_function(y, x)


# -- a tensor and its graph -----------------------------------------------------------------------------------------


def _of_tensors(y: Tensor, x: Tensor, position: int, count: int) -> Answer:
    name = x._node.label if isinstance(x._node, Leaf) and x._node.label else "x" if count == 1 else f"input {position}"
    if x._node is None:
        return _refused(name, "", "it does not require a gradient; call x.requires_grad_() before computing y")
    if y._node is None:
        if not is_differentiable_dtype(y.dtype):
            return _refused(name, "", f"y is {y.dtype}, and only floating-point and complex results carry gradients")
        return _refused(
            name,
            "",
            "y has no graph: it was computed under no_grad, detached, or from tensors that require no gradient; "
            "wengert.why(function, *args) watches the function run and names the line",
        )
    nodes = reachable([y._node])
    if x._node not in nodes:
        return Answer(name, False, (), tuple(_constants(nodes, x)))
    return _connected(y, x._node, name, {})


def _refused(name: str, op: str, reason: str) -> Answer:
    return Answer(name, False, (), (Cut(op, reason, "", ""),))


def _constants(nodes: Sequence[Node], x: Tensor) -> list[Cut]:
    """Operands that no gradient flows to: x may have come in there, and certainly did if its memory is kept there."""
    certain = []
    possible = []
    memory = storage(x._value) if isinstance(x._value, np.ndarray) else None
    for node in nodes:
        if isinstance(node, (Leaf, Output)):
            continue
        residuals = node.residuals if type(node.residuals) is tuple else ()
        for slot, parent in enumerate(node.parents):
            if parent is not None:
                continue
            kept = residuals[slot] if slot < len(residuals) - 2 else None
            if isinstance(kept, np.ndarray) and storage(kept) is memory:
                certain.append(
                    _cut(
                        node.primitive.name,
                        "x's value was used here without its graph (detach, numpy())",
                        node.location,
                    )
                )
            elif not np.isscalar(kept):
                possible.append(
                    _cut(node.primitive.name, f"operand {slot} of {node.primitive.name} is a constant", node.location)
                )
    if certain:
        return certain
    if possible:
        return possible[:10]
    return [Cut("", "y was not computed from it at all", "", "")]


def _connected(y: Tensor, target: Node, name: str, lines: Mapping[Node, Location | None]) -> Answer:
    """The shortest path along which a derivative exists; if there is none, where all paths end. ``lines`` has the lines
    of nodes that do not know better themselves."""
    assert y._node is not None
    before: dict[Node, Node | None] = {y._node: None}
    queue = [y._node]
    ends: dict[tuple[Node, int], None] = {}
    for node in queue:
        for slot, parent in enumerate(node.parents):
            if parent is None:
                continue
            if not isinstance(node, Output) and _zero(node, slot):
                ends[node, slot] = None
            elif parent not in before:
                before[parent] = node
                queue.append(parent)
    if target not in before:
        cuts = [
            _cut(
                node.primitive.name,
                f"the derivative of {node.primitive.name} is zero everywhere",
                lines.get(node, node.location),
            )
            for node, slot in ends
            if target in reachable([one for one in (node.parents[slot],) if one is not None])
        ]
        return Answer(name, False, (), tuple(cuts))
    path = []
    at: Node | None = target
    while at is not None:
        if not isinstance(at, Output):
            path.append(at)
        at = before[at]
    path.reverse()
    return _with_gradients(y, path, name, lines)


def _with_gradients(y: Tensor, path: Sequence[Node], name: str, lines: Mapping[Node, Location | None]) -> Answer:
    pulled = pull_back([y])
    sizes = [_size(pulled.gradients.get(node)) if pulled is not None else None for node in path]
    steps = tuple(_step(node, size, lines.get(node, node.location)) for node, size in zip(path, sizes, strict=True))
    notes = []
    for i in range(1, len(path)):
        if sizes[i] == 0 and sizes[i - 1] not in (0, None):
            op = path[i - 1].primitive.name
            notes.append(
                _cut(
                    op,
                    f"the gradient is zero from {op} on, at these values",
                    lines.get(path[i - 1], path[i - 1].location),
                )
            )
            break
    return Answer(name, True, steps, tuple(notes), sizes[-1])


def _size(g: Any) -> float | None:
    return None if g is None else float(np.abs(g).max()) if g.size else 0.0


def _step(node: Node, size: float | None, where: Location | None) -> Step:
    op = node.label or "leaf" if isinstance(node, Leaf) else node.primitive.name
    return Step(op, str(where) if where is not None else "", where.text if where is not None else "", size)


def _zero(node: Node, slot: int) -> bool:
    rules = node.primitive.rules
    return not node.primitive.variadic and slot < len(rules) and rules[slot] is None


def _cut(op: str, reason: str, where: Location | None) -> Cut:
    return Cut(op, reason, str(where) if where is not None else "", where.text if where is not None else "")


# -- a function that is watched -------------------------------------------------------------------------------------


def _of_function(function: Callable[..., Any], args: Sequence[Any]) -> Answers:
    leaves, structure = tree_flatten(tuple(args))
    names = argument_names(function, args)
    fresh = [fresh_leaf(value, name) for value, name in zip(leaves, names, strict=True)]
    with Recording() as recording:
        if isinstance(function, Graph):
            result: Any = recording.run_graph(function, fresh)
        else:
            result = as_function(function)(*tree_unflatten(structure, fresh))
    outputs = [y for y in tree_flatten(result)[0] if isinstance(y, Tensor)]
    lines = {node: call.location for node, call in recording.by_node().items()}
    answers = []
    for name, leaf in zip(names, fresh, strict=True):
        if not isinstance(leaf, Tensor) or leaf._node is None:
            kind = leaf.dtype if hasattr(leaf, "dtype") else type(leaf).__name__
            answers.append(_refused(name, "", f"it is {kind}, and only floating-point numbers have gradients"))
            continue
        node = leaf._node
        through = next((y for y in outputs if y._node is not None and node in reachable([y._node])), None)
        found = _connected(through, node, name, lines) if through is not None else None
        cuts = (*_cuts(recording, leaf, outputs), *(found.cuts if found is not None else ()))
        if found is not None and found.connected:
            found = replace(found, cuts=tuple(dict.fromkeys(cuts)))
        else:
            nothing = Cut("", "the result does not depend on it, or only through NumPy or Python numbers", "", "")
            found = Answer(name, False, (), tuple(dict.fromkeys(cuts)) or (nothing,))
        answers.append(found)
    return Answers(tuple(answers))


def _cuts(recording: Recording, leaf: Tensor, outputs: Sequence[Tensor]) -> list[Cut]:
    """Where values that depend on the leaf went on without their graph, on the way to the outputs."""
    useful = _needed(recording, outputs)
    tracked = {_memory(leaf._value)}
    cuts = []
    for call, used in zip(recording.calls, useful, strict=True):
        touched = [slot for slot, x in enumerate(call.inputs) if _memory(x.value) in tracked]
        if not touched:
            continue
        loose = [slot for slot in touched if call.inputs[slot].tensor and call.inputs[slot].node is None]
        raw = [slot for slot in touched if not call.inputs[slot].tensor]
        if call.grad and call.primitive.differentiable and len(loose) + len(raw) == len(touched):
            taken = "an array taken out by numpy()" if raw else "detach() (or a value taken out by hand)"
            if used:
                cuts.append(_cut(call.primitive.name, f"{taken} was used by {call.primitive.name}", call.location))
        elif any(y.node is not None for y in call.outputs):
            tracked.update(_memory(y.value) for y in call.outputs if y.node is not None)
        elif used:
            cuts.append(_cut(call.primitive.name, _reason(call), call.location))
    ends = {_memory(y._value) for y in outputs if y._node is None}
    if not cuts and not ends.isdisjoint(tracked):
        cuts.append(Cut("", "the result was detached before it was returned", "", ""))
    return cuts


def _memory(value: Any) -> int:
    """What tells values apart, with or without their graph: the memory that they are in (kept by the recording)."""
    return id(storage(value)) if isinstance(value, np.ndarray) else id(value)


def _needed(recording: Recording, outputs: Sequence[Tensor]) -> list[bool]:
    """For each call, whether the outputs depend on its result."""
    wanted = {_memory(y._value) for y in outputs}
    found = []
    for call in reversed(recording.calls):
        use = any(_memory(y.value) in wanted for y in call.outputs)
        found.append(use)
        if use:
            wanted.update(_memory(x.value) for x in call.inputs)
    return found[::-1]


def _reason(call: Call) -> str:
    name = call.primitive.name
    if not call.grad:
        return f"{name} ran under no_grad"
    if name == "stop_gradient":
        return "stop_gradient cuts it on purpose"
    kinds = {str(y.value.dtype) for y in call.outputs if not is_differentiable_dtype(y.value.dtype)}
    if kinds:
        return f"{name} gives {' and '.join(sorted(kinds))}, and only floating-point numbers carry gradients"
    refused = [rule.reason for rule in call.primitive.rules if isinstance(rule, Refusal)]
    return f"{name} has no derivative{': ' + refused[0] if refused else ''}"
