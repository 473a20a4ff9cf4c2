"""The one backward sweep.

Cotangents flow from newer nodes to older ones. Node numbers grow with creation, so a heap of pending nodes keyed by
number visits every node after all of its consumers (reverse topological order) without recursion and without a
separate sort. First-order sweeps run on bare arrays; with ``create_graph`` the same rules run on tensors and so record
a graph of their own.

Source: reverse accumulation, A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from .apply import describe, summary
from .errors import AnomalyError, FreedGraphError, GradientError, LinearAlgebraError
from .mode import MODE
from .node import FREED, Leaf, Node, Output, reachable
from .tensor import Tensor, wrap


def sweep(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
    wanted: Sequence[Node] | None = None,
    stop: bool = False,
) -> dict[Node, Any]:
    """Push the cotangents ``seeds`` of ``roots`` back through the graph.

    Without ``wanted``, returns the cotangent of every leaf reached; with it, the cotangents of exactly those nodes, and
    only nodes that lead to them are visited; with ``stop``, nothing beyond them is, as if they were leaves (their hooks
    belong to the sweep that does go on). Cotangents are arrays, or tensors if ``create_graph``.
    """
    mode = MODE.get()
    token = MODE.set(mode.with_grad(create_graph))
    try:
        with np.errstate(all="ignore"):
            return _sweep(roots, seeds, retain_graph, create_graph, wanted, mode.anomaly, stop)
    finally:
        MODE.reset(token)


def _sweep(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    retain_graph: bool,
    create_graph: bool,
    wanted: Sequence[Node] | None,
    anomaly: bool,
    stop: bool,
) -> dict[Node, Any]:
    useful = None if wanted is None else _leading_to(roots, wanted, stop)
    wanted_set = frozenset(wanted or ())
    heap: list[int] = []
    # For each pending node: the node, its cotangent so far, and whether that is an array of our own to add into.
    pending: dict[int, list[Any]] = {}
    collected: dict[Node, Any] = {}
    # Operands whose derivative is zero by construction (of floor, of sign): nothing flows on, yet they are reached.
    cut: list[Node] = []
    heappush, heappop, add, ndarray = heapq.heappush, heapq.heappop, np.add, np.ndarray

    for root, seed in zip(roots, seeds, strict=True):
        if useful is None or root in useful:
            _deposit(heap, pending, root, seed)

    while heap:
        node, g, _ = pending.pop(-heappop(heap))
        if stop and node in wanted_set:
            collected[node] = g
            continue
        if node.watch is not None:
            g = _run_watch(node, g, create_graph)
        if wanted_set and node in wanted_set:
            collected[node] = g
        kind = type(node)
        if kind is not Node:
            if kind is Leaf:
                if wanted is None:
                    collected[node] = g
                continue
            if kind is Output:
                _deposit_output(heap, pending, node, g)
                continue
            g = _materialised(node, g)
        residuals = node.residuals
        if residuals is not None and type(residuals) is not tuple:
            if residuals is FREED:
                raise _freed(node)
            residuals = residuals.unpack()
        if create_graph:
            residuals = _as_tensors(node, residuals)
        parents = node.parents
        if useful is not None:
            parents = tuple([parent if parent in useful else None for parent in parents])
        primitive = node.primitive
        try:
            if primitive.variadic:
                rules: Any = _ready(primitive.pull(g, parents, residuals))
            else:
                rules = primitive.rules
            for parent, rule in zip(parents, rules):  # noqa: B905 - equal by construction; this is the innermost loop
                if parent is None or rule is None:
                    if parent is not None and not primitive.variadic:
                        cut.append(parent)
                    continue
                contribution = rule.pull(primitive, g, parent, residuals)
                if contribution is None:
                    if not primitive.variadic:
                        cut.append(parent)
                    continue
                if contribution.dtype is not parent.dtype or contribution.shape != parent.shape:
                    contribution = conform(contribution, parent, node)
                if anomaly:
                    _check_finite(node, g, contribution)
                number = parent.number
                entry = pending.get(number)
                if entry is None:
                    pending[number] = [parent, contribution, False]
                    heappush(heap, -number)
                elif entry[2]:
                    add(entry[1], contribution, entry[1])
                else:
                    total = entry[1] = entry[1] + contribution
                    entry[2] = type(total) is ndarray
        except GradientError as error:
            if node.location is not None:
                error.add_note(f"  in the backward pass of {node.location}: {node.location.text}")
            raise
        except np.linalg.LinAlgError as error:
            raise explain_pullback(node, error) from error
        if not retain_graph:
            node.residuals = FREED
    if cut:
        _add_zeros(collected, cut, wanted, useful, create_graph)
    return collected


def _add_zeros(
    collected: dict[Node, Any],
    cut: Sequence[Node],
    wanted: Sequence[Node] | None,
    useful: set[Node] | None,
    create_graph: bool,
) -> None:
    """Zeros for what is reached through derivatives that are zero by construction only."""
    for node in reachable(cut):
        asked = type(node) is Leaf if wanted is None else useful is not None and node in useful and node in wanted
        if asked and node not in collected:
            zeros = np.zeros(node.shape, node.dtype)
            collected[node] = wrap(zeros) if create_graph else zeros


def explain_pullback(node: Node, error: Exception) -> LinearAlgebraError:
    """The typed error for a matrix that a pullback could not invert: of which operation, at which line."""
    where = f"\n  in the backward pass of {node.location}: {node.location.text}" if node.location is not None else ""
    if isinstance(error, LinearAlgebraError):
        return LinearAlgebraError(f"{error}{where}")
    return LinearAlgebraError(f"{node.primitive!r} has no derivative here: {error}{where}")


def _deposit(heap: list[int], pending: dict[int, list[Any]], node: Node, g: Any) -> None:
    entry = pending.get(node.number)
    if entry is None:
        pending[node.number] = [node, g, False]
        heapq.heappush(heap, -node.number)
    else:
        entry[1] = entry[1] + g


class _Ready:
    """The cotangent that a variadic operation has already computed, in the place of a rule that would."""

    __slots__ = ("g",)

    def __init__(self, g: Any) -> None:
        self.g = g

    def pull(self, primitive: Any, g: Any, parent: Any, residuals: Any) -> Any:
        return self.g


def _ready(contributions: Any) -> list[_Ready | None]:
    return [None if one is None else _Ready(one) for one in contributions]


def _deposit_output(heap: list[int], pending: dict[int, list[Any]], output: Output, g: Any) -> None:
    """Put the cotangent of one result among those of its operation's other results."""
    node = output.parents[0]
    assert node is not None
    if node.number not in pending:
        _deposit(heap, pending, node, [None] * len(node.shape))
    slots = pending[node.number][1]
    slots[output.index] = g if slots[output.index] is None else slots[output.index] + g


def _materialised(node: Node, cotangents: list[Any]) -> tuple[Any, ...]:
    """The cotangents of all results of a node, zeros for those that nothing used (unless the rule prefers ``None``)."""
    if getattr(node.primitive, "takes_none", False):
        return tuple(cotangents)
    return tuple(
        np.zeros(spec.shape, spec.dtype) if g is None else g for g, spec in zip(cotangents, node.shape, strict=True)
    )


def _leading_to(roots: Sequence[Node], wanted: Sequence[Node], stop: bool) -> set[Node]:
    """The nodes on a path from the roots to a wanted node."""
    useful = set(wanted)
    oldest = min((node.number for node in wanted), default=0)
    for node in reachable(roots, useful.copy() if stop else ()):
        if node.number > oldest and any(parent in useful for parent in node.parents):
            useful.add(node)
    return useful


def _as_tensors(node: Node, residuals: Any) -> Any:
    """The residuals as tensors that are tied to the graph again, so that the rule can be differentiated."""
    if residuals is None:
        return None
    parents = node.parents
    restored: list[Any] = [
        wrap(value, parent) if parent is not None and isinstance(value, (np.ndarray, Tensor)) else value
        for value, parent in zip(residuals, parents, strict=False)
    ]
    out = residuals[-2]
    if isinstance(out, tuple):
        out = tuple(
            wrap(one, node.output(i) if one.dtype.kind in "fc" else None)  # type: ignore[attr-defined]
            for i, one in enumerate(out)
        )
    elif out is not None:
        out = wrap(out, node)
    aux = residuals[-1]
    # The context of a custom function ties the tensors that it saved by itself.
    return (*restored, out, aux.tied_to(node) if hasattr(aux, "tied_to") else aux)


def conform(contribution: Any, spec: Any, node: Node | None = None) -> Any:
    """Make a cotangent fit the operand that it is for: sum over broadcast axes, drop an imaginary part, cast."""
    shape = spec.shape
    if contribution.shape != shape:
        contribution = unbroadcast(contribution, shape, node)
    dtype = spec.dtype
    if contribution.dtype != dtype:
        if contribution.dtype.kind == "c" and dtype.kind != "c":
            contribution = np.real(contribution)
        if contribution.dtype != dtype:
            contribution = contribution.astype(dtype)
    return contribution


def unbroadcast(contribution: Any, shape: tuple[int, ...], node: Node | None = None) -> Any:
    """The transpose of broadcasting: sum over the axes along which an operand of ``shape`` was repeated."""
    extra = len(contribution.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(
        extra + i for i, n in enumerate(shape) if extra + i >= 0 and n == 1 and contribution.shape[extra + i] != 1
    )
    total = contribution.sum(axis=axes) if axes else contribution
    if extra < 0 or total.size != _size(shape):
        name = node.primitive.name if node is not None else "a rule"
        raise GradientError(
            f"the pullback of {name} returned a gradient of shape {contribution.shape} for an operand of shape {shape}"
        )
    return total if total.shape == shape else total.reshape(shape)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


def _run_watch(node: Node, g: Any, create_graph: bool) -> Any:
    watch = node.watch
    assert watch is not None
    for hook in list(watch.hooks.values()):
        replaced = hook(g if isinstance(g, Tensor) else wrap(np.asarray(g)))
        if replaced is not None:
            if not isinstance(replaced, Tensor) or replaced.shape != node.shape:
                raise GradientError(
                    f"a hook on {node!r} returned {describe(replaced)} for a gradient of shape {node.shape}"
                )
            g = replaced if create_graph else replaced._value
    if watch.retain:
        watch.grad = _accumulated(watch.grad, g)
    return g


def _accumulated(grad: Tensor | None, g: Any) -> Tensor:
    if not isinstance(g, Tensor):
        if type(g) is not np.ndarray:
            g = np.asarray(g)
        if grad is None:
            return wrap(g)
        if grad._node is None:
            return wrap(np.asarray(grad._value + g))
        g = wrap(g)
    result: Tensor = _as_result(g) if grad is None else grad + g
    return result


def _freed(node: Node) -> FreedGraphError:
    where = f" (made at {node.location}: {node.location.text})" if node.location is not None else ""
    return FreedGraphError(
        f"backward through the graph a second time: what {node.name()}{where} kept for its gradient was freed by an "
        f"earlier backward pass. Pass retain_graph=True to the first one, or compute the result again"
    )


def _check_finite(node: Node, g: Any, contribution: Any) -> None:
    array = contribution._value if isinstance(contribution, Tensor) else np.asarray(contribution)
    if array.dtype.kind in "fc" and not np.isfinite(array).all():
        where = f"\n  at {node.location}: {node.location.text}" if node.location is not None else ""
        kept = "".join(f"\n  kept {role}: {summary(value)}" for role, value in node.kept())
        incoming = summary(g._value if isinstance(g, Tensor) else g) if not isinstance(g, tuple) else "several"
        raise AnomalyError(
            f"the backward pass of {node.primitive!r} gave {summary(array)}{where}\n"
            f"  incoming gradient: {incoming}{kept}"
        )


# -- the two public entrances ---------------------------------------------------------------------------------------


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Accumulate the gradients of ``tensors`` into the ``grad`` of every leaf they depend on.

    ``grad_tensors`` are the cotangents, one for each tensor; for a scalar it may be left out and is 1. The residuals
    are freed on the way unless ``retain_graph``; ``create_graph`` makes the gradients differentiable themselves.
    With ``inputs``, only those leaves receive their gradient. Nothing is written if an error is raised.

    Raises ``GradientError`` for a tensor without a graph or a non-scalar without a cotangent, ``FreedGraphError`` on a
    second pass without ``retain_graph``.

    >>> import wengert as wg
    >>> x = wg.tensor(3.0, requires_grad=True)
    >>> wg.autograd.backward(x**2); x.grad
    tensor(6.)
    """
    outputs = _as_tuple(tensors)
    # In a trace the sweep leaves nodes like everything else.
    create_graph = create_graph or MODE.get().trace is not None
    roots, seeds = _seeded(outputs, grad_tensors, create_graph, "backward")
    retain = create_graph if retain_graph is None else bool(retain_graph)
    wanted = None
    if inputs is not None:
        targets = _as_tuple(inputs)
        wanted = [_node_of(x, "backward(inputs=...)") for x in targets]
    found = sweep(roots, seeds, retain_graph=retain, create_graph=create_graph, wanted=wanted)
    for node, g in found.items():
        if isinstance(node, Leaf):
            node.grad = _accumulated(node.grad, g)
        else:
            watch = node.watch
            if watch is None or not watch.retain:
                raise GradientError("backward(inputs=...) takes leaves, or tensors on which retain_grad() was called")


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of ``outputs`` with respect to ``inputs`` (leaves or intermediates), as a tuple; no ``grad`` is
    written.

    An input that the outputs do not depend on is an error, gives ``None`` with ``allow_unused``, and zeros with
    ``materialize_grads``. A gradient of a real loss with respect to a complex tensor is the direction of steepest
    ascent, dL/dRe + i dL/dIm (PyTorch's convention).

    >>> import wengert as wg
    >>> x = wg.tensor(2.0, requires_grad=True)
    >>> (g,) = wg.autograd.grad(x**3, x, create_graph=True)
    >>> wg.autograd.grad(g, x)
    (tensor(12.),)
    """
    if is_grads_batched:
        raise GradientError("is_grads_batched is not supported; use wengert.vmap over the cotangents")
    targets = _as_tuple(inputs)
    create_graph = create_graph or MODE.get().trace is not None
    roots, seeds = _seeded(_as_tuple(outputs), grad_outputs, create_graph, "grad")
    wanted = [_node_of(x, "grad") for x in targets]
    retain = create_graph if retain_graph is None else bool(retain_graph)
    found = sweep(roots, seeds, retain_graph=retain, create_graph=create_graph, wanted=wanted)
    results: list[Tensor | None] = []
    for position, (x, node) in enumerate(zip(targets, wanted, strict=True)):
        g = found.get(node)
        if g is not None:
            results.append(_as_result(g))
        elif materialize_grads:
            results.append(wrap(np.zeros(x.shape, x.dtype)))
        elif allow_unused:
            results.append(None)
        else:
            raise GradientError(
                f"grad: the outputs do not depend on input {position}, a tensor of shape {x.shape}. Pass "
                f"allow_unused=True for None in its place, or materialize_grads=True for zeros"
            )
    return tuple(results)


def _as_result(g: Any) -> Tensor:
    """A cotangent as a tensor of the user's. A bare symbol of a trace is its own value."""
    if isinstance(g, Tensor):
        return g if g._value is not g else wrap(g)
    return wrap(np.asarray(g))


def _as_tuple(tensors: Any) -> tuple[Any, ...]:
    return tuple(tensors) if isinstance(tensors, (tuple, list)) else (tensors,)


def _node_of(x: Any, caller: str) -> Node:
    if not isinstance(x, Tensor):
        raise GradientError(f"{caller}: expected a tensor, got {type(x).__name__}")
    if x._node is None:
        raise GradientError(
            f"{caller}: the input of shape {x.shape} and dtype {x.dtype} does not require a gradient; call "
            f"requires_grad_() on it before computing the output"
        )
    return x._node


def _seeded(outputs: tuple[Any, ...], cotangents: Any, create_graph: bool, caller: str) -> tuple[list[Node], list[Any]]:
    given = (None,) * len(outputs) if cotangents is None else _as_tuple(cotangents)
    if len(given) != len(outputs):
        raise GradientError(f"{caller}: got {len(outputs)} outputs and {len(given)} cotangents")
    roots = []
    seeds = []
    for y, g in zip(outputs, given, strict=True):
        if not isinstance(y, Tensor):
            raise GradientError(f"{caller}: expected a tensor, got {type(y).__name__}")
        if y._node is None:
            why = (
                f"its dtype is {y.dtype}, and only floating-point and complex results carry gradients"
                if y.dtype.kind not in "fc"
                else "no tensor that it was computed from requires a gradient, or it was computed under no_grad, "
                "detached, or went through an operation without a derivative"
            )
            raise GradientError(f"{caller}: the output of shape {y.shape} has no graph: {why}")
        roots.append(y._node)
        seeds.append(_seed(y, g, create_graph, caller))
    return roots, seeds


def _seed(y: Tensor, g: Any, create_graph: bool, caller: str) -> Any:
    if g is None:
        if y.size != 1:
            raise GradientError(
                f"{caller}: a gradient can be left implicit only for a scalar, and this output has shape {y.shape}. "
                f"Reduce it (y.sum(), y.mean()), or pass the cotangent: y.backward(wengert.ones_like(y))"
            )
        if y.dtype.kind == "c":
            raise GradientError(
                f"{caller}: the output is complex, so its gradient is not defined by a scalar alone; reduce it to a "
                f"real number (wengert.abs(y)**2) or pass the cotangent"
            )
        value: Any = np.ones(y.shape, y.dtype)
        return wrap(value) if create_graph else value
    if not isinstance(g, Tensor):
        g = Tensor(g, dtype=y.dtype)
    if g.shape != y.shape:
        raise GradientError(f"{caller}: the cotangent has shape {g.shape} and the output has shape {y.shape}")
    if g.dtype != y.dtype:
        if g.dtype.kind == "c" and y.dtype.kind != "c":
            raise GradientError(f"{caller}: the cotangent is {g.dtype} but the output is {y.dtype}; take its real part")
        g = g.astype(y.dtype)
    return g if create_graph else g._value
