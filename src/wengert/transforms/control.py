"""Control flow as part of the graph: branches and loops whose parts are graphs themselves.

Each takes functions of nested containers, traces them once, and applies one operation that carries the result. What the
functions reach through their closures takes part in derivatives like any operand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import ContainerError, DTypeError, GradientError, ShapeError
from wengert.core.levels import Dual, Wrapped, as_tensor
from wengert.core.mode import MODE
from wengert.core.pytree import TreeDef, tree_flatten, tree_unflatten
from wengert.core.static import Graph, Input, spec_text
from wengert.core.tensor import Tensor
from wengert.core.tracing import Symbol, trace_flat
from wengert.core.types import TensorSpec
from wengert.ops.control import Call, Switch
from wengert.ops.loops import Scan, While
from wengert.ops.reversal import slots_for

Function = Callable[..., Any]


class Traced:
    """A function of containers as a graph: its captured tensors are the graph's last inputs."""

    def __init__(self, function: Function, structure: TreeDef, specs: Sequence[Any]) -> None:
        structures: list[TreeDef] = []

        def flat(*leaves: Any) -> list[Any]:
            results, found = tree_flatten(function(*tree_unflatten(structure, leaves)))
            structures.append(found)
            return [as_tensor(y) for y in results]

        graph = trace_flat(flat, specs)
        self.captured = graph.captured
        self.graph = graph.replace(captured=())
        self.out_tree = structures[0]

    def with_captured(self, captured: Sequence[Any], first: bool = False) -> Graph:
        """The graph with inputs for all of ``captured``, which its own are among, last (or first)."""
        count = len(self.graph.inputs) - len(self.captured)
        own = dict(zip(map(id, self.captured), self.graph.inputs[count:], strict=True))
        extra = [own.get(id(x)) or Input(TensorSpec(x.shape, x.dtype)) for x in captured]
        declared = self.graph.inputs[:count]
        return self.graph.replace(inputs=(*extra, *declared) if first else (*declared, *extra))


def union(*groups: Sequence[Any]) -> list[Any]:
    """The tensors of all groups, each once."""
    return list({id(x): x for group in groups for x in group}.values())


def tracked(operands: Sequence[Any]) -> tuple[bool, ...]:
    """Which operands an eager backward pass will ask a gradient for; empty where there will be none."""
    mode = MODE.get()
    if not mode.grad or mode.trace is not None or any(isinstance(x, Wrapped) for x in operands):
        return ()
    flags = tuple(isinstance(x, Tensor) and x._node is not None for x in operands)
    return flags if any(flags) else ()


def leaves_of(tree: Any) -> tuple[list[Any], TreeDef]:
    leaves, structure = tree_flatten(tree)
    return [as_tensor(x) for x in leaves], structure


def specs_of(leaves: Sequence[Any]) -> list[TensorSpec]:
    return [TensorSpec(x.shape, x.dtype) for x in leaves]


def is_concrete(x: Any) -> bool:
    """Whether Python can see the value: it is neither traced nor batched."""
    while isinstance(x, Dual):
        x = x._inner
    return not isinstance(x, Wrapped) and not isinstance(getattr(x, "_value", None), Symbol)


# -- branches -------------------------------------------------------------------------------------------------------


def cond(pred: Any, true_fun: Function, false_fun: Function, *operands: Any) -> Any:
    """``true_fun(*operands)`` if ``pred`` holds, else ``false_fun(*operands)``; both must return the same structure,
    shapes and dtypes.

    Where the predicate's value is known, the chosen function is simply called. In a trace both become graphs, and the
    choice an operation; inside ``vmap``, with a predicate that differs along the batch, both are computed.

    Raises ``ShapeError`` for a predicate that is not a scalar, ``ContainerError``, ``ShapeError`` or ``DTypeError``
    for branches that do not agree.

    >>> import wengert as wg
    >>> f = lambda x: wg.cond(x > 0, lambda v: v**2, lambda v: -v, x)
    >>> wg.vmap(wg.grad(f))(wg.tensor([3.0, -3.0]))
    tensor([ 6., -1.])
    """
    if np.shape(pred) != ():
        raise ShapeError(f"cond: the predicate must be a scalar, and has shape {np.shape(pred)}; vmap maps over it")
    if is_concrete(pred):
        return true_fun(*operands) if pred else false_fun(*operands)
    index = as_tensor(pred).astype(bool).astype(np.int64)
    return _branch("cond", index, (false_fun, true_fun), operands)


def switch(index: Any, branches: Sequence[Function], *operands: Any) -> Any:
    """``branches[index](*operands)``; an index out of range takes the first or the last.

    >>> import wengert as wg
    >>> wg.switch(1, [wg.sin, wg.exp], wg.tensor(0.0))
    tensor(1.)
    """
    if not branches:
        raise ContainerError("switch: needs at least one branch")
    if np.shape(index) != ():
        raise ShapeError(f"switch: the index must be a scalar, and has shape {np.shape(index)}")
    if not _is_integer(index):
        raise DTypeError("switch: the index must be an integer")
    if is_concrete(index):
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)
    return _branch("switch", as_tensor(index), branches, operands)


def _branch(name: str, index: Any, functions: Sequence[Function], operands: tuple[Any, ...]) -> Any:
    leaves, structure = leaves_of(operands)
    traced = [Traced(function, structure, specs_of(leaves)) for function in functions]
    first = traced[0]
    for k, other in enumerate(traced[1:], 1):
        _agree(f"{name}: branch {k}", other.out_tree, other.graph.outputs, first.out_tree, first.graph.outputs)
    captured = union(*(one.captured for one in traced))
    graphs = tuple(one.with_captured(captured) for one in traced)
    return tree_unflatten(first.out_tree, apply(Switch(graphs), index, *leaves, *captured))


def _agree(who: str, tree: TreeDef, outs: Sequence[Any], wanted_tree: TreeDef, wanted: Sequence[Any]) -> None:
    """Raise unless results have the structure, shapes and dtypes that are wanted."""
    if tree != wanted_tree:
        raise ContainerError(f"{who} returns the structure {tree}, and {wanted_tree} is wanted")
    for k, (y, other) in enumerate(zip(outs, wanted, strict=True)):
        place = f" in leaf {k}" if len(outs) > 1 else ""
        if y.shape != other.shape:
            raise ShapeError(f"{who} returns {spec_text(y)}{place}, and {spec_text(other)} is wanted: shapes differ")
        if y.dtype != other.dtype:
            raise DTypeError(f"{who} returns {spec_text(y)}{place}, and {spec_text(other)} is wanted: dtypes differ")


def _is_integer(x: Any) -> bool:
    return bool((x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype).kind in "iu")


# -- loops ----------------------------------------------------------------------------------------------------------


def scan(
    f: Function,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    checkpoint: int | str | None = None,
    slots: int | None = None,
) -> Any:
    """``carry, y = f(carry, x)`` for each ``x`` along the first axis of ``xs``: the last carry, and the stacked ``ys``.

    ``init`` and ``xs`` may be containers; without ``xs`` there are ``length`` steps with ``x = None``. The carry keeps
    its structure, shapes and dtypes. ``reverse`` goes from last to first.

    What reverse mode keeps for n steps: by default what each step needs for its derivative; with ``checkpoint=k`` every
    k-th carry, with ``"sqrt"`` about the square root of n of them, at the price of running each step once more; with
    ``"revolve"`` and ``slots=s`` at most s carries, at the price of exactly t(n, s) steps (``revolve_cost``), which is
    the least possible (Griewank and Walther 2000).

    Raises ``ContainerError``, ``ShapeError`` or ``DTypeError`` where the carry changes or the lengths differ.

    >>> import wengert as wg
    >>> wg.scan(lambda total, x: (total + x, total), 0.0, wg.tensor([1.0, 2.0, 3.0]))
    (tensor(6.), tensor([0., 1., 3.]))
    """
    x_leaves, x_tree = leaves_of(xs)
    count = _scan_length(x_leaves, length)
    init_leaves, init_tree = tree_flatten(init)
    rows = [TensorSpec(x.shape[1:], x.dtype) for x in x_leaves]

    def body(carry: Any, x: Any) -> Any:
        out = f(carry, x)
        if not isinstance(out, (tuple, list)) or len(out) != 2:
            raise ContainerError(f"scan: the function must return (carry, y), and returned a {type(out).__name__}")
        return tuple(out)

    structure = tree_flatten((init, tree_unflatten(x_tree, x_leaves)))[1]
    carry, traced = _with_carry("scan", body, structure, init_leaves, rows, init_tree)
    consts, n = traced.captured, len(carry)
    graph = traced.with_captured(consts, first=True)
    segment, held = _checkpointing(count, checkpoint, slots)
    operands = [*consts, *carry, *x_leaves]
    loop = Scan(graph, count, len(consts), n, bool(reverse), slots=held)
    if segment and 1 < segment < count:
        found = _in_segments(loop, segment, operands)
    else:
        found = apply(loop.but(wanted=tracked(operands), recompute=segment == 1), *operands)
    return tree_unflatten(traced.out_tree, found)


def _scan_length(leaves: Sequence[Any], length: int | None) -> int:
    sizes = set()
    for x in leaves:
        if x.ndim == 0:
            raise ShapeError("scan: every leaf of xs needs a first axis to go along, and one is a scalar")
        sizes.add(x.shape[0])
    if length is not None:
        sizes.add(length)
    if len(sizes) != 1:
        raise ShapeError(
            f"scan: the first axes of xs and length differ: {sorted(sizes)}" if sizes else "scan: give xs or length"
        )
    (found,) = sizes
    if not isinstance(found, (int, np.integer)) or found < 0:
        raise ShapeError(f"scan: the number of steps must be a known number, not {found!r}")
    return int(found)


def _with_carry(
    name: str, body: Function, structure: TreeDef, init: Sequence[Any], others: Sequence[Any], init_tree: TreeDef
) -> tuple[list[Any], Traced]:
    """The initial carry as tensors, and the traced body, whose first results are of the same types.

    A Python scalar in ``init`` takes the dtype that the body gives it."""
    weak = [type(x) in (bool, int, float, complex) for x in init]
    carry = [as_tensor(x) for x in init]
    if any(weak):
        loose = [type(x) if flag else s for x, flag, s in zip(init, weak, specs_of(carry), strict=True)]
        outs = Traced(body, structure, [*loose, *others]).graph.outputs
        carry = [
            x.astype(y.dtype) if flag and y.dtype != x.dtype else x
            for x, flag, y in zip(carry, weak, outs, strict=False)
        ]
    traced = Traced(body, structure, [*specs_of(carry), *others])
    n = len(carry)
    found = tree_flatten(tree_unflatten(traced.out_tree, list(range(traced.out_tree.num_leaves)))[0])[1]
    _agree(f"{name}: the body", found, traced.graph.outputs[: found.num_leaves], init_tree, carry[:n])
    return carry, traced


def _checkpointing(length: int, checkpoint: Any, slots: Any) -> tuple[int, int]:
    """Steps to a segment (0 for none), and states to hold (0 for any number)."""
    if checkpoint == "revolve":
        if slots is None:
            raise GradientError('scan: checkpoint="revolve" needs slots=s, the number of states to hold')
        return 0, slots_for(slots, "scan")
    if slots is not None:
        raise GradientError('scan: slots belongs to checkpoint="revolve"')
    if checkpoint is None:
        return 0, 0
    if checkpoint == "sqrt":
        return max(1, math.isqrt(max(length - 1, 0)) + 1), 0
    if isinstance(checkpoint, int) and not isinstance(checkpoint, bool) and checkpoint >= 1:
        return checkpoint, 0
    raise GradientError(f'scan: checkpoint must be a positive integer, "sqrt" or "revolve", not {checkpoint!r}')


def _in_segments(loop: Scan, segment: int, operands: Sequence[Any]) -> list[Any]:
    """The same scan as one over segments, each of which is computed again in the backward pass."""
    parts = loop.parts(operands)
    whole = loop.length // segment
    rest = loop.length - whole * segment
    inner = loop.but(length=segment)
    split = rest if loop.reverse else whole * segment
    near = [x[split:] if loop.reverse else x[:split] for x in parts.xs]
    far = [x[:split] if loop.reverse else x[split:] for x in parts.xs]
    columns = [x.reshape((whole, segment, *x.shape[1:])) for x in near]
    specs = [
        *specs_of(parts.consts),
        *specs_of(parts.carry),
        *(TensorSpec(x.shape[1:], x.dtype) for x in columns),
    ]
    body = trace_flat(lambda *xs: list(inner(*xs)), specs, fresh=True)
    outer = Scan(body, whole, loop.consts, loop.carry, loop.reverse, recompute=True)
    given = [*parts.consts, *parts.carry, *columns]
    found = outer.but(wanted=tracked(given))(*given)
    carry = found[: loop.carry]
    ys = [y.reshape((whole * segment, *y.shape[2:])) for y in found[loop.carry :]]
    if not rest:
        return [*carry, *ys]
    last = [*parts.consts, *carry, *far]
    found = loop.but(length=rest, wanted=tracked(last))(*last)
    others = found[loop.carry :]
    pairs = zip(others, ys, strict=True) if loop.reverse else zip(ys, others, strict=True)
    return [*found[: loop.carry], *(np.concatenate(pair) for pair in pairs)]


def fori_loop(
    lower: Any, upper: Any, body: Function, init: Any, checkpoint: int | str | None = None, slots: int | None = None
) -> Any:
    """``carry = body(i, carry)`` for ``i`` from ``lower`` up to but not including ``upper``.

    With known bounds it is a ``scan``, to which ``checkpoint`` and ``slots`` belong; with bounds that are not known in
    a trace it is a ``while_loop``, and ``checkpoint`` the number of states that reverse mode may hold.

    >>> import wengert as wg
    >>> wg.fori_loop(1, 5, lambda i, x: x * i, 1.0)
    tensor(24.)
    """
    for bound in (lower, upper):
        if np.shape(bound) != () or not _is_integer(bound):
            raise DTypeError("fori_loop: the bounds must be integers")
    if is_concrete(lower) and is_concrete(upper):
        numbers = np.arange(int(lower), max(int(lower), int(upper)))
        return scan(lambda c, i: (body(i, c), None), init, numbers, checkpoint=checkpoint, slots=slots)[0]
    start = as_tensor(lower).astype(np.int64)
    stop = as_tensor(upper).astype(np.int64)
    found = while_loop(
        lambda state: state[0] < state[1],
        lambda state: (state[0] + 1, state[1], body(state[0], state[2])),
        (start, stop, init),
        checkpoint=slots if isinstance(checkpoint, str) else checkpoint,
    )
    return found[2]


def while_loop(cond_fun: Function, body_fun: Function, init: Any, checkpoint: int | None = None) -> Any:
    """``carry = body_fun(carry)`` for as long as ``cond_fun(carry)`` holds.

    The number of steps is not known ahead, so for reverse mode ``checkpoint`` says how many states may be held at once;
    without it, a gradient is a ``GradientError``. Forward mode needs no states.

    >>> import wengert as wg
    >>> wg.while_loop(lambda x: x < 100.0, lambda x: x * 2, 3.0)
    tensor(192.)
    >>> wg.grad(lambda x: wg.while_loop(lambda v: v < 100.0, lambda v: v * v, x, checkpoint=4))(3.0)
    tensor(17496.)
    """
    held = 0 if checkpoint is None else slots_for(checkpoint, "while_loop")
    leaves, structure = tree_flatten((init,))
    init_tree = tree_flatten(init)[1]
    carry, body = _with_carry("while_loop", lambda state: (body_fun(state),), structure, leaves, (), init_tree)
    condition = Traced(cond_fun, structure, specs_of(carry))
    outs = condition.graph.outputs
    if len(outs) != 1 or outs[0].shape != ():
        shown = ", ".join(map(spec_text, outs))
        raise ShapeError(f"while_loop: the condition must return one scalar, and returns {shown or 'nothing'}")
    consts = union(condition.captured, body.captured)
    graphs = [one.with_captured(consts, first=True) for one in (condition, body)]
    loop = While(body=graphs[1], condition=graphs[0], consts=len(consts), slots=held)
    found = apply(loop, *consts, *carry)
    return tree_unflatten(init_tree, found)


def map_(f: Function, xs: Any) -> Any:
    """``f(x)`` for every ``x`` along the first axis of ``xs``, one after the other, stacked. ``vmap`` does it at once.

    >>> import wengert as wg
    >>> wg.map(lambda x: x**2, wg.tensor([1.0, 2.0]))
    tensor([1., 4.])
    """
    return scan(lambda _, x: (None, f(x)), None, xs)[1]


def call(graph: Graph, operands: Sequence[Any]) -> tuple[Any, ...]:
    """A graph applied to tensors: one operation with the graph's derivatives."""
    found: tuple[Any, ...] = apply(Call(graph, wanted=tracked(operands)), *operands)
    return found
