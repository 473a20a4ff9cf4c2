"""Jacobians and Hessians: all partial derivatives in batched sweeps, forwards or backwards, dense or sparse."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.errors import GradientError
from wengert.core.mode import MODE
from wengert.core.static import Constant, Graph, Value
from wengert.transforms.gradient import grad
from wengert.transforms.pattern import sparsity
from wengert.transforms.points import Point, basis, cut, joined, sizes_of
from wengert.transforms.sparse import sparse_hessian, sparse_jacobian, structural_graph

Function = Callable[..., Any]
Blocks = list[list[Any]]

#: What the intermediate values of one batched sweep may take.
CHUNK_BYTES = 2**28

#: Seconds to apply one operation, and to read or write one byte: what a sweep costs, roughly.
_PER_NODE = 1e-5
_PER_BYTE = 5e-10
#: What a direction costs in units of the function itself (Griewank and Walther, "Evaluating Derivatives", 2008, 3.2 and
#: 3.3, without the share that all directions of a batch have in common).
_PER_TANGENT = 1.5
_PER_COTANGENT = 2.0

_MODES = {"auto": "auto", "forward": "forward", "fwd": "forward", "reverse": "reverse", "rev": "reverse"}


@dataclasses.dataclass(frozen=True)
class JacobianReport:
    """What ``jacobian`` chose, and why. ``inputs`` and ``outputs`` are numbers of elements, costs are rough estimates
    in seconds (NaN where the function could not be traced), ``sweeps`` the batched passes, ``chunk`` the directions in
    each of them."""

    mode: str
    inputs: int
    outputs: int
    directions: int
    chunk: int
    sweeps: int
    forward_cost: float
    reverse_cost: float
    chunk_bytes: int
    nonzeros: int | None = None

    def __str__(self) -> str:
        kind = "" if self.nonzeros is None else f", {self.nonzeros} structural nonzeros in {self.directions} colours"
        return (
            f"jacobian {self.outputs} x {self.inputs}{kind}: {self.mode} mode, {self.sweeps} batched sweep"
            f"{'' if self.sweeps == 1 else 's'} of up to {self.chunk} directions "
            f"(estimated: forward {self.forward_cost:.2g} s, reverse {self.reverse_cost:.2g} s)"
        )


class Estimate:
    """What sweeps over a traced function cost, in seconds and bytes."""

    def __init__(self, graph: Graph | None, inputs: Sequence[Any], outputs: Sequence[Any], limit: int) -> None:
        self.inputs = sum(sizes_of(inputs))
        self.outputs = sum(sizes_of(outputs))
        self.limit = limit
        # In a trace an operation is applied once, when nobody waits for results.
        self.per_node = 0.0 if MODE.get().trace is not None else _PER_NODE
        ends = sum(
            size * x.dtype.itemsize for xs in (inputs, outputs) for x, size in zip(xs, sizes_of(xs), strict=True)
        )
        self.nodes = 0 if graph is None else len(graph)
        self.moved = ends if graph is None else moved_bytes(graph)
        #: Bytes alive at once for one direction; a direction's own values and the products that make them.
        self.alive = 2 * max(ends, 0 if graph is None else peak_bytes(graph))

    def chunk(self, directions: int, kept: int = 0) -> int:
        """How many directions fit into the limit beside what is kept anyway: at least one."""
        return max(1, min(directions, (self.limit - kept) // max(1, self.alive)))

    def forward(self, directions: int) -> float:
        passes = math.ceil(directions / self.chunk(directions))
        return passes * (3 * self.nodes * self.per_node + self.moved * _PER_BYTE) + (
            _PER_TANGENT * directions * self.moved * _PER_BYTE
        )

    def reverse(self, directions: int) -> float:
        passes = math.ceil(directions / self.chunk(directions, self.moved))
        return (2 + 3 * passes) * self.nodes * self.per_node + (1 + _PER_COTANGENT * directions) * (
            self.moved * _PER_BYTE
        )


def moved_bytes(graph: Graph) -> int:
    """The bytes that a graph's operations read and write."""
    return sum(x.spec.nbytes for node in graph.nodes for x in (*node.inputs, *node.results))


def peak_bytes(graph: Graph) -> int:
    """The most bytes that are alive at once when a graph is run node by node and every value dropped after its last
    use."""
    last: dict[Value, int] = {}
    for position, node in enumerate(graph.nodes):
        last.update((x, position) for x in (*node.inputs, *node.results))
    last.update((y, len(graph.nodes)) for y in graph.outputs)
    drops: dict[int, int] = {}
    for value, position in last.items():
        if not isinstance(value, Constant):
            drops[position] = drops.get(position, 0) + value.spec.nbytes
    alive = sum(x.spec.nbytes for x in graph.inputs)
    peak = alive
    for position, node in enumerate(graph.nodes):
        alive += sum(y.spec.nbytes for y in node.results)
        peak = max(peak, alive)
        alive -= drops.get(position, 0)
    return peak


# -- the two directions ---------------------------------------------------------------------------------------------


def _forward_blocks(point: Point, chunk: int | None) -> Blocks:
    total = sum(sizes_of(point.leaves))
    step = chunk or max(1, total)
    found = [point.push(basis(point.leaves, a, min(a + step, total))) for a in range(0, max(1, total), step)]
    stacks = [joined(column) for column in zip(*found, strict=True)]
    blocks = []
    for stack in stacks:
        if stack.dtype.kind != "c" and any(x.dtype.kind == "c" for x in point.leaves):
            raise GradientError(
                f"{point.caller}: real results of complex arguments have a Jacobian in reverse mode only"
            )
        rank = stack.ndim - 1
        blocks.append(
            [
                np.moveaxis(piece, tuple(range(x.ndim)), tuple(range(rank, rank + x.ndim)))
                for piece, x in zip(cut(stack, point.leaves), point.leaves, strict=True)
            ]
        )
    return blocks


def _reverse_blocks(point: Point, values: Sequence[Any], back: Any, chunk: int | None) -> Blocks:
    total = sum(sizes_of(values))
    step = chunk or max(1, total)

    def rows(unit: complex) -> list[Any]:
        found = [back(basis(values, a, min(a + step, total), unit)) for a in range(0, max(1, total), step)]
        return [joined(column) for column in zip(*found, strict=True)]

    units = [cut(stack, values) for stack in rows(1.0)]
    mixed = any(y.dtype.kind == "c" for y in values) and any(x.dtype.kind == "f" for x in point.leaves)
    imaginary = [cut(stack, values) for stack in rows(1j)] if mixed else units
    return [
        [_entries(units[j][i], imaginary[j][i], y, x) for j, x in enumerate(point.leaves)] for i, y in enumerate(values)
    ]


def _entries(real: Any, imaginary: Any, y: Any, x: Any) -> Any:
    """Partial derivatives from the pullbacks of 1 and i: of a real argument, Re J and Im J; of a complex one of a
    holomorphic function, the conjugate of J."""
    if y.dtype.kind != "c":
        return real
    return np.conj(real) if x.dtype.kind == "c" else real + 1j * imaginary


def _transform(
    f: Function, argnums: int | Sequence[int], has_aux: bool, caller: str, solve: Callable[[Point], Any]
) -> Function:
    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        point = Point(f, argnums, args, kwargs, has_aux, caller)
        found = solve(point)
        return (found, point.aux) if has_aux else found

    return wrapper


def jacfwd(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The Jacobian by forward mode: one batched pass over all elements of the arguments ``argnums``.

    It has the structure of the result, with that of the arguments in the place of each leaf, whose shape is that of the
    result's leaf followed by that of the argument's. Complex arguments are for holomorphic functions.

    Raises ``GradientError`` for arguments or results that are not floating-point numbers.

    >>> import wengert as wg
    >>> wg.jacfwd(lambda x: x[:2] * x[2])(wg.tensor([1.0, 2.0, 3.0]))
    tensor([[3., 0., 1.],
            [0., 3., 2.]])
    """
    return _transform(f, argnums, has_aux, "jacfwd", lambda point: point.assembled(_forward_blocks(point, None)))


def jacrev(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The Jacobian by reverse mode: one evaluation, and one batched sweep back over all elements of the result. Else as
    ``jacfwd``.

    >>> import wengert as wg
    >>> wg.jacrev(lambda x: {"sum": x.sum(), "twice": 2 * x})(wg.tensor([1.0, 2.0]))["sum"]
    tensor([1., 1.])
    """

    def solve(point: Point) -> Any:
        values, back = point.pullback()
        return point.assembled(_reverse_blocks(point, values, back, None))

    return _transform(f, argnums, has_aux, "jacrev", solve)


def hessian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    sparse: bool = False,
    chunk_bytes: int = CHUNK_BYTES,
) -> Function:
    """The second derivatives of a scalar function: one batched pass forward over reverse mode.

    With several arguments, a tuple of tuples of blocks.

    With ``sparse=True``, a ``scipy.sparse.csr_array`` over all elements of the arguments: the pattern is that of the
    traced gradient, a star colouring says which columns are computed together, and symmetry does the rest (Gebremedhin,
    Manne and Pothen 2005). Raises ``TraceError`` if the function cannot be traced.

    >>> import wengert as wg
    >>> wg.hessian(lambda x: x[0] ** 2 * x[1])(wg.tensor([1.0, 2.0]))
    tensor([[4., 2.],
            [2., 0.]])
    >>> wg.hessian(lambda x: (x[1:] * x[:-1]).sum(), sparse=True)(wg.ones(1000)).nnz
    1998
    """
    if sparse:
        if has_aux:
            raise GradientError("hessian: sparse=True and has_aux=True do not go together; return the result alone")
        return sparse_hessian(grad(f, argnums), argnums, chunk_bytes, peak_bytes)

    def solve(point: Point) -> Any:
        # Of a graph of the gradient, what does not depend on the direction is computed once; a gradient that is taken
        # inside the batch is a batch of them.
        point.graph()
        return point.assembled(_forward_blocks(point, None))

    return _transform(grad(f, argnums, has_aux), argnums, has_aux, "hessian", solve)


def jacobian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    mode: str = "auto",
    has_aux: bool = False,
    sparse: bool = False,
    chunk_bytes: int = CHUNK_BYTES,
    report: bool = False,
) -> Function:
    """The Jacobian, by the mode that the shapes and an estimate of cost and memory speak for.

    ``mode`` is "auto", "forward" or "reverse". Directions are batched, as many at a time as keep the intermediate
    values of a sweep below ``chunk_bytes``. With ``report=True`` the function returns ``(jacobian, report)``, a
    ``JacobianReport`` that says what was chosen (``((jacobian, aux), report)`` with ``has_aux``).

    The function is traced to know its shapes and costs, and the sweeps run its graph, so that Python calls it once; if
    it cannot be traced, because Python branches on a value, it is evaluated to know its shapes, and called once more
    for every sweep in forward mode.

    With ``sparse=True`` the result is a ``scipy.sparse.csr_array`` with a row for each element of the result and a
    column for each element of the arguments, containers laid out one leaf after the other. Which entries can be other
    than zero is read off the graph, columns (or rows) that share no row (or column) are computed together (Curtis,
    Powell and Reid 1974), and one batched sweep takes one direction for each such colour. It raises ``TraceError`` if
    the function cannot be traced, and ``TransformError`` inside of ``vmap`` or a trace.

    Raises ``GradientError`` for an unknown mode, and for arguments or results that are not floating-point numbers.

    >>> import wengert as wg
    >>> j, report = wg.jacobian(lambda x: (x**2).sum(), report=True)(wg.ones(1000))
    >>> j.shape, report.mode, report.sweeps
    ((1000,), 'reverse', 1)
    >>> j, report = wg.jacobian(lambda x: x[1:] * x[:-1], sparse=True, report=True)(wg.ones(1000))
    >>> j.shape, j.nnz, report.directions
    ((999, 1000), 1998, 2)
    """
    chosen = _mode(mode)

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        point = Point(f, argnums, args, kwargs, has_aux, "jacobian")
        found, said = (_sparse if sparse else _dense)(point, chosen, chunk_bytes)
        result = (found, point.aux) if has_aux else found
        return (result, said) if report else result

    return wrapper


def _mode(mode: str) -> str:
    if mode not in _MODES:
        raise GradientError(f'jacobian: mode must be "auto", "forward" or "reverse", not {mode!r}')
    return _MODES[mode]


def _dense(point: Point, mode: str, limit: int) -> tuple[Any, JacobianReport]:
    graph = point.graph()
    values, back = (None, None) if graph is not None else point.pullback()
    estimate = Estimate(graph, point.leaves, values if graph is None else graph.outputs, limit)  # type: ignore[arg-type]
    n, m = estimate.inputs, estimate.outputs
    costs = (estimate.forward(n), estimate.reverse(m))
    results = graph.outputs if graph is not None else values
    assert results is not None
    if mode == "auto":
        mode = "forward" if costs[0] <= costs[1] else "reverse"
        if any(x.dtype.kind == "c" for x in point.leaves) and any(y.dtype.kind == "f" for y in results):
            mode = "reverse"
    directions = n if mode == "forward" else m
    chunk = estimate.chunk(directions, 0 if mode == "forward" else estimate.moved)
    if mode == "forward":
        blocks = _forward_blocks(point, chunk)
    else:
        if back is None:
            values, back = point.pullback()
        assert values is not None
        blocks = _reverse_blocks(point, values, back, chunk)
    costs = costs if graph is not None else (math.nan, math.nan)
    said = JacobianReport(mode, n, m, directions, chunk, math.ceil(directions / chunk), *costs, limit)
    return point.assembled(blocks), said


def _sparse(point: Point, mode: str, limit: int) -> tuple[Any, JacobianReport]:
    graph = structural_graph(point)
    estimate = Estimate(graph, point.leaves, graph.outputs, limit)
    if any(z.dtype.kind == "c" for z in (*point.leaves, *graph.outputs)):
        raise GradientError("jacobian: a sparse Jacobian is for real arguments and results")
    pattern = sparsity(graph, len(point.leaves))

    def chunk(chosen: str, directions: int) -> int:
        return estimate.chunk(directions, 0 if chosen == "forward" else estimate.moved)

    found = sparse_jacobian(point, pattern, mode, graph.outputs, chunk)
    step = chunk(found.mode, found.colours)
    costs = (estimate.forward(found.colours), estimate.reverse(found.colours))
    said = JacobianReport(
        mode=found.mode,
        inputs=estimate.inputs,
        outputs=estimate.outputs,
        directions=found.colours,
        chunk=step,
        sweeps=math.ceil(found.colours / step),
        forward_cost=costs[0],
        reverse_cost=costs[1],
        chunk_bytes=limit,
        nonzeros=pattern.nnz,
    )
    return found.matrix, said
