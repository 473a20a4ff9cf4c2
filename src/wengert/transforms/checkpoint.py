"""Checkpointing: keep a function's inputs only, and replay it in the backward pass.

On a chain of n equal layers cut into segments, every segment is replayed once and kept while it is swept, so the price
is at most n extra layer evaluations: Chen et al., "Training deep nets with sublinear memory cost" (2016).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.backward import sweep
from wengert.core.errors import ContainerError, ShapeError
from wengert.core.levels import Wrapped, fresh_leaf
from wengert.core.mode import MODE
from wengert.core.node import MultiNode, Node, next_number, record
from wengert.core.primitive import Primitive
from wengert.core.pytree import tree_flatten, tree_structure, tree_unflatten
from wengert.core.tensor import Tensor, wrap
from wengert.ops.control import Call
from wengert.ops.random_ import get_rng_state, set_rng_state
from wengert.transforms.checkpoint_policies import Keeper, Policy, Replayer, Unobserved, everything_saveable
from wengert.transforms.control import Traced, specs_of


class _Drop:
    """Stands for residuals in the first run, which only looks at what the graph reaches."""

    def pack(self, residuals: Any) -> Any:
        return None


class Checkpoint(Primitive):
    """A call whose graph is built again when its gradient is asked for; equal only to itself."""

    name = "checkpoint"
    variadic = True
    function: Any
    leaves: Any
    structure: Any
    places: Any
    captured: Any
    rng_state: Any

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"checkpoint({getattr(self.function, '__name__', type(self.function).__name__)})"

    def vjp(self, g: Any, inputs: Any, aux: Any, specs: Any, needed: Any) -> Sequence[Any]:
        mode = MODE.get()
        create_graph = mode.grad
        own = inputs[: len(self.places)]
        tensors = [x if isinstance(x, Tensor) else wrap(x) for x in own]
        fresh = [fresh_leaf(x, spread=False) if flag else x for x, flag in zip(tensors, needed, strict=False)]
        leaves = list(self.leaves)
        for place, x in zip(self.places, fresh, strict=True):
            leaves[place] = x
        before = get_rng_state()
        observer = mode.observer if aux is None else Replayer(aux, mode.observer)
        token = MODE.set(mode.but(grad=True, observer=observer))
        try:
            set_rng_state(self.rng_state)
            args, kwargs = tree_unflatten(self.structure, leaves)
            outs = tree_flatten(self.function(*args, **kwargs))[0]
        finally:
            MODE.reset(token)
            set_rng_state(before)
        seeds = g if isinstance(g, tuple) else (g,)
        tracked = [(y, u) for y, u in zip(_tensors(outs), seeds, strict=True) if y._node is not None]
        nodes = [x._node if flag else None for x, flag in zip(fresh, needed, strict=False)]
        nodes += [node if flag else None for node, flag in zip(self.captured, needed[len(fresh) :], strict=True)]
        wanted = [node for node in nodes if node is not None]
        found = sweep(
            [y._node for y, _ in tracked],
            [u for _, u in tracked],
            create_graph=create_graph,
            retain_graph=create_graph,
            wanted=wanted,
            stop=True,
        )
        return [None if node is None else found.get(node) for node in nodes]


def _tensors(leaves: Sequence[Any]) -> list[Any]:
    return [x for x in leaves if isinstance(x, Tensor)]


def _boundary(outs: Sequence[Any], own: set[Node], start: int) -> list[Node]:
    """The nodes from before the call that the results depend on other than through the arguments."""
    stack = [y._node for y in outs if y._node is not None]
    seen = set(stack)
    found = []
    while stack:
        node = stack.pop()
        if node in own:
            continue
        if node.number < start:
            found.append(node)
            continue
        fresh = [parent for parent in node.parents if parent is not None and parent not in seen]
        seen.update(fresh)
        stack += fresh
    return sorted(found, key=lambda node: node.number)


def checkpoint(f: Callable[..., Any], policy: Policy | None = None) -> Callable[..., Any]:
    """A function with the value and the derivatives of ``f`` that keeps only ``f``'s inputs for its backward pass.

    Arguments may be nested containers and hold things that are not tensors. Tensors that ``f`` reaches through its
    closure (a module's parameters) receive their gradients too, also when no argument requires one. Random numbers from
    the eager generator are replayed bit for bit.

    With a ``policy`` (``wengert.checkpoint_policies``) the results that it accepts are kept as well and not computed
    again. In a trace a policy other than ``everything_saveable`` keeps nothing.

    >>> import wengert as wg
    >>> x = wg.tensor(0.5, requires_grad=True)
    >>> wg.checkpoint(lambda v: v.exp().sin())(x).backward()
    >>> x.grad == (x.exp().cos() * x.exp())
    tensor(True)
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        mode = MODE.get()
        leaves, structure = tree_flatten((args, kwargs))
        if mode.trace is not None:
            if policy is everything_saveable:
                return f(*args, **kwargs)
            return _traced(f, leaves, structure)
        if not mode.grad or any(isinstance(x, Wrapped) for x in leaves):
            # Without a graph there is nothing to save; under a transform of the arguments ``f`` runs as it is.
            return f(*args, **kwargs)
        return _run(f, leaves, structure, mode, policy)

    return wrapper


def _traced(f: Callable[..., Any], leaves: list[Any], structure: Any) -> Any:
    """The call as one node of a trace, whose graph is computed again in the backward pass."""
    places = [i for i, x in enumerate(leaves) if isinstance(x, Tensor)]

    def function(*tensors: Any) -> Any:
        full = list(leaves)
        for i, x in zip(places, tensors, strict=True):
            full[i] = x
        args, kwargs = tree_unflatten(structure, full)
        return f(*args, **kwargs)

    operands = [leaves[i] for i in places]
    traced = Traced(function, tree_structure(tuple(operands)), specs_of(operands))
    outs = Call(traced.with_captured(traced.captured), inline=False)(*operands, *traced.captured)
    return tree_unflatten(traced.out_tree, outs)


def _run(f: Callable[..., Any], leaves: list[Any], structure: Any, mode: Any, policy: Policy | None) -> Any:
    places = [i for i, x in enumerate(leaves) if isinstance(x, Tensor)]
    start = next_number()
    stand_ins = list(leaves)
    for i in places:
        if leaves[i]._node is not None:
            stand_ins[i] = fresh_leaf(leaves[i], spread=False)
    state = get_rng_state()
    keeper = None if policy is None else Keeper(policy, mode.observer)
    hidden = isinstance(mode.observer, (Keeper, Replayer))
    observer = keeper or (Unobserved(mode.observer) if hidden else mode.observer)
    token = MODE.set(mode.but(pack=_Drop(), observer=observer))
    try:
        args, kwargs = tree_unflatten(structure, stand_ins)
        out = f(*args, **kwargs)
    finally:
        MODE.reset(token)
    results, out_structure = tree_flatten(out)
    outs = _tensors(results)
    if any(isinstance(y, Wrapped) for y in outs):
        raise ContainerError("checkpoint: the function uses tensors of a running transform that are not its arguments")
    own = {stand_ins[i]._node for i in places if stand_ins[i]._node is not None}
    captured = _boundary(outs, own, start)
    parents = tuple(leaves[i]._node for i in places) + tuple(captured)
    if not any(parent is not None for parent in parents):
        return out
    kept = [None if isinstance(x, Tensor) else x for x in leaves]
    call = Checkpoint(f, tuple(kept), structure, tuple(places), tuple(captured), state)
    values = tuple(y._value for y in outs)
    residuals = (
        *(leaves[i]._value for i in places),
        *(None,) * len(captured),
        None,
        None if keeper is None else keeper.kept(),
    )
    several = len(values) != 1
    node = record(call, parents, residuals, values if several else values[0], mode.scope, mode.source)
    final = iter(
        wrap(value, (node.output(k) if isinstance(node, MultiNode) else node) if value.dtype.kind in "fc" else None)
        for k, value in enumerate(values)
    )
    return tree_unflatten(out_structure, [next(final) if isinstance(x, Tensor) else x for x in results])


def checkpoint_sequential(layers: Sequence[Callable[[Any], Any]], x: Any, segments: int | str = "sqrt") -> Any:
    """Call layers one after the other, keeping only the inputs of ``segments`` segments ("sqrt": about the square root
    of the number of layers). Each segment is replayed once: at most one extra evaluation of each layer."""
    steps = list(layers)
    count = max(1, math.isqrt(len(steps))) if segments == "sqrt" else segments
    if not isinstance(count, int) or not 1 <= count <= max(1, len(steps)):
        raise ShapeError(f"checkpoint_sequential: {segments!r} segments of {len(steps)} layers")
    places = np.linspace(0, len(steps), count + 1).astype(int)

    def segment(a: int, b: int) -> Callable[[Any], Any]:
        def run(value: Any) -> Any:
            for layer in steps[a:b]:
                value = layer(value)
            return value

        return run

    for a, b in itertools.pairwise(places):
        x = checkpoint(segment(int(a), int(b)))(x)
    return x
