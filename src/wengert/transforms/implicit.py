"""Derivatives of what an equation defines: roots, fixed points, minima, solutions of linear systems.

If F(x(p), p) = 0, then dF/dx x' + dF/dp p' = 0: the derivative of x is the solution of one linear system, however x was
found. The solver itself is never differentiated, so it may be any program.

Source: the implicit function theorem; M. Blondel et al., "Efficient and modular implicit differentiation", NeurIPS 35
(2022); for the rules of linear solves, M. Giles, "Collected matrix derivative results" (2008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.core.apply import apply
from wengert.core.derived import Flags, jvp_graph, pullback_graph, selected
from wengert.core.errors import ContainerError, ConvergenceError, GradientError, ShapeError, TransformError
from wengert.core.lazy import LazyModule
from wengert.core.levels import ACTIVE, as_tensor, concrete
from wengert.core.primitive import Primitive
from wengert.core.pytree import TreeDef, tree_flatten, tree_unflatten
from wengert.core.static import Graph
from wengert.core.tensor import Tensor, wrap
from wengert.core.tracing import replay, trace_flat
from wengert.core.types import TensorSpec
from wengert.ops.control import Call, any_tensor
from wengert.transforms.batching import vmap
from wengert.transforms.control import Traced, specs_of
from wengert.transforms.estimators import stop_gradient
from wengert.transforms.gradient import floating, grad
from wengert.transforms.points import basis, combine, sizes_of

optimize: Any = LazyModule("scipy.optimize")

Function = Callable[..., Any]
#: A solver of flat lists: ``solve(function, start) -> solution``.
Flat = Callable[[Function, list[Any]], list[Any]]


class Solver(Primitive):
    """Any program from arrays to arrays, one element of a batch at a time."""

    variadic: ClassVar[bool] = True
    differentiable: ClassVar[bool] = False
    run: Any
    specs: tuple[TensorSpec, ...]

    def value(self, *xs: Any) -> Any:
        found = _alone(self.run, [wrap(np.asarray(x)) for x in xs])
        return tuple(np.asarray(_value(y)) for y in found)

    def spec(self, *specs: Any) -> tuple[TensorSpec, ...]:
        return self.specs


def _alone(run: Function, xs: list[Any]) -> Any:
    """Call a function of concrete tensors as if no transform were running: its own gradients are not spread over the
    batches of those around it."""
    token = ACTIVE.set(())
    try:
        return run(xs)
    finally:
        ACTIVE.reset(token)


def _value(y: Any) -> Any:
    found = concrete(y)
    if found is None:
        raise TransformError("the solver returned a tensor of a running transform; let it use the function it is given")
    return found


class Implicit(Primitive):
    """``x`` such that ``graph(x, p) = 0``: the first ``count`` operands, differentiated as functions of the others.

    ``tangent`` and ``transposed`` solve linear systems with the graph's derivative by ``x`` and with its transpose;
    without them the matrix is formed. ``batches`` are the batch axes, outermost first: the size, and which operands
    have it.
    """

    variadic: ClassVar[bool] = True
    aliases: ClassVar[bool] = True
    graph: Graph
    count: int
    tangent: Any = None
    transposed: Any = None
    batches: tuple[tuple[int, Flags], ...] = ()

    def value(self, *xs: Any) -> Any:
        return tuple(np.asarray(x) for x in xs[: self.count])

    def spec(self, *specs: Any) -> tuple[TensorSpec, ...]:
        return tuple(specs[: self.count])

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        flags = (*(True,) * self.count, *batched[self.count :])
        full = [
            x if mine or not flag else np.broadcast_to(x, (size, *x.shape))
            for x, mine, flag in zip(inputs, batched, flags, strict=True)
        ]
        batches = ((size, flags), *self.batches)
        return Implicit(self.graph, self.count, self.tangent, self.transposed, batches)(*full)

    # The rules take the result for ``x``, because the result depends on the parameters as ``x`` does.

    def vjp(self, g: Any, inputs: Any, out: Any, needed: Any) -> Sequence[Any]:
        wanted = tuple(flag for flag in needed[self.count :])
        if not any(wanted):
            return (None,) * len(inputs)
        flags = (*(False,) * self.count, *wanted)

        def rule(*args: Any) -> list[Any]:
            operands, seeds = args[: len(inputs)], args[len(inputs) :]
            u = self.solve(operands, list(seeds), transpose=True)
            return [-p for p in Call(pullback_graph(self.graph, flags))(*operands, *u)]

        found = self._mapped(rule, [*out, *inputs[self.count :]], list(g), (True,) * self.count)
        chosen = [i for i, flag in enumerate(flags) if flag]
        for axis, (_, marks) in reversed(list(enumerate(self.batches))):
            # A parameter that a whole batch shares has the sum of the gradients.
            found = [p if marks[i] else p.sum(axis=axis) for p, i in zip(found, chosen, strict=True)]
        gradients = iter(_bare(found, g, inputs))
        return [next(gradients) if flag else None for flag in flags]

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        moving = tuple(t is not None for t in tangents[self.count :])
        if not any(moving):
            return None
        flags = (*(False,) * self.count, *moving)
        graph = self._moved(flags)

        def rule(*args: Any) -> list[Any]:
            operands, given = args[: len(inputs)], args[len(inputs) :]
            rates = Call(graph)(*operands, *given)
            return self.solve(operands, [-r for r in rates], transpose=False)

        given = [t for t in tangents[self.count :] if t is not None]
        marks = [flag for flag in range(len(inputs)) if flags[flag]]
        found = self._mapped(rule, [*out, *inputs[self.count :]], given, marks)
        return tuple(_bare(found, tangents, inputs))

    def _moved(self, flags: Flags) -> Graph:
        """The graph of the residuals' tangents, each of which is there."""
        joint = jvp_graph(self.graph, flags, (True,) * self.count)[0]
        found: Graph = joint.cached("moved", lambda: selected(joint, joint.outputs[self.count :]))
        return found

    def _mapped(self, rule: Function, operands: list[Any], given: list[Any], marks: Sequence[Any]) -> list[Any]:
        """The rule, mapped over the batches. ``given`` belong to the operands in ``marks``, or have every batch."""
        for _, flags in reversed(self.batches):
            places = [*flags, *(mark is True or flags[mark] for mark in marks)]
            rule = vmap(rule, in_axes=tuple(0 if flag else None for flag in places))
        return list(rule(*map(as_tensor, operands), *map(as_tensor, given)))

    def solve(self, operands: Sequence[Any], rhs: list[Any], transpose: bool) -> list[Any]:
        """The solution of the linear system with the derivative by ``x`` at the operands, or with its transpose."""
        moving = (*(True,) * self.count, *(False,) * (len(operands) - self.count))
        if self.tangent is None and self.transposed is None:
            return _dense_solve(self._moved(moving), operands, rhs, transpose)
        product = pullback_graph(self.graph, moving) if transpose else self._moved(moving)
        solve, other = (self.transposed, self.tangent) if transpose else (self.tangent, self.transposed)
        if solve is None:
            raise GradientError(
                "an implicit solve was given a solver for one direction only: reverse mode needs transpose_solve (or "
                "symmetric=True), forward mode tangent_solve"
            )
        return _linear(lambda v: list(Call(product)(*operands, *v)), rhs, solve, other)


def _bare(found: Sequence[Any], *groups: Sequence[Any]) -> list[Any]:
    """Arrays where a rule ran on arrays."""
    if any_tensor(*[group if isinstance(group, (list, tuple)) else [group] for group in groups]):
        return list(found)
    return [x._value if isinstance(x, Tensor) else x for x in found]


def _dense_solve(graph: Graph, operands: Sequence[Any], rhs: list[Any], transpose: bool) -> list[Any]:
    leaves = [as_tensor(x) for x in operands[: len(rhs)]]
    total = sum(sizes_of(leaves))
    columns = vmap(lambda *v: list(Call(graph)(*operands, *v)))(*map(wrap, basis(leaves, 0, total)))
    matrix = np.concatenate([c.reshape((total, -1)) for c in columns], axis=1)
    matrix = np.conj(matrix) if transpose else matrix.T
    flat = np.linalg.solve(matrix, np.concatenate([r.reshape((-1,)) for r in rhs]))
    return _pieces(flat, leaves)


def _pieces(flat: Any, leaves: Sequence[Any]) -> list[Any]:
    places = np.cumsum([0, *sizes_of(leaves)])
    return [flat[a:b].reshape(x.shape) for x, a, b in zip(leaves, places, places[1:], strict=False)]


# -- finding and differentiating a solution -------------------------------------------------------------------------


def _solution(
    graph: Graph, residual: Graph, start: list[Any], parameters: Sequence[Any], solve: Flat, rules: dict[str, Any]
) -> list[Any]:
    """What ``solve`` finds for the function of ``graph``, as the solution of ``residual = 0``."""

    def run(xs: list[Any]) -> list[Any]:
        n = len(start)
        return solve(lambda v: replay(graph, [*v, *xs[n:]]), xs[:n])

    fixed = [stop_gradient(x) for x in (*start, *parameters)]
    if all(concrete(x) is not None for x in fixed):
        found = _alone(run, fixed)
    else:
        try:
            found = run(fixed)
        except TransformError:
            # A solver with control flow in Python: the elements of a batch are solved one after the other, and in a
            # trace it becomes one operation, which runs when the graph does.
            found = list(apply(Solver(run, tuple(specs_of(start))), *fixed))
    for x, y in zip(start, found, strict=True):
        if np.shape(y) != x.shape:
            raise ShapeError(f"the solver returned shape {np.shape(y)} for a start of shape {x.shape}")
    solution = [stop_gradient(as_tensor(y)) for y in found]
    return list(apply(Implicit(residual, len(start), **rules), *solution, *parameters))


def _flat_solver(solve: Function | None, tree: TreeDef) -> Flat | None:
    """A solver of containers as one of flat lists."""
    if solve is None:
        return None

    def flat(function: Function, start: list[Any]) -> list[Any]:
        def structured(v: Any) -> Any:
            leaves, found = tree_flatten(v)
            if found != tree:
                raise ContainerError(f"the solver called its function with structure {found} instead of {tree}")
            outs = function([as_tensor(x) for x in leaves])
            return tree_unflatten(tree, outs) if len(outs) == tree.num_leaves else outs[0]

        leaves, found = tree_flatten(solve(structured, tree_unflatten(tree, start)))
        if found != tree:
            raise ContainerError(f"the solver returned structure {found}, and started with {tree}")
        return [as_tensor(x) for x in leaves]

    return flat


def _start(x0: Any, caller: str) -> tuple[list[Any], TreeDef]:
    leaves, tree = tree_flatten(x0)
    return [floating(x, caller) for x in leaves], tree


def _traced(f: Function, start: list[Any], tree: TreeDef, caller: str, same: bool = True) -> tuple[Graph, list[Any]]:
    """The function of ``x`` alone as a graph that takes what it captures last, and what that is."""
    traced = Traced(f, tree_flatten((tree_unflatten(tree, start),))[1], specs_of(start))
    outs = traced.graph.outputs
    if same and traced.out_tree != tree:
        raise ContainerError(f"{caller}: the function returns the structure {traced.out_tree}, and takes {tree}")
    if same and any(y.shape != x.shape for x, y in zip(start, outs, strict=True)):
        raise ShapeError(
            f"{caller}: the function returns shapes {[y.shape for y in outs]}, and takes {[x.shape for x in start]}"
        )
    return traced.graph, list(traced.captured)


def _rules(tree: TreeDef, tangent_solve: Function | None, transpose_solve: Function | None) -> dict[str, Any]:
    return {"tangent": _flat_solver(tangent_solve, tree), "transposed": _flat_solver(transpose_solve, tree)}


def custom_root(
    f: Function,
    x0: Any,
    solve: Function | None = None,
    tangent_solve: Function | None = None,
    transpose_solve: Function | None = None,
) -> Any:
    """A root of ``f``, differentiable in both modes to any order with respect to what ``f`` closes over.

    ``solve(f, x0)`` finds it, by whatever means, and must use the ``f`` that it is given; by default it is MINPACK's
    hybrid method and a Newton step. ``x0`` may be a container, whose structure and shapes ``f`` and ``solve`` return.
    Derivatives solve a linear system with the Jacobian of ``f``, which is formed, unless ``tangent_solve(matvec, b)``
    (forward mode) and ``transpose_solve(matvec, b)`` (reverse mode) are given.

    Raises ``TraceError`` for a function that cannot be traced, ``ConvergenceError`` where the default solver fails,
    ``ContainerError`` or ``ShapeError`` where structures or shapes change.

    >>> import wengert as wg
    >>> cube_root = lambda p: wg.custom_root(lambda x: x**3 - p, 1.0)
    >>> wg.grad(cube_root)(8.0), wg.grad(wg.grad(cube_root))(8.0)
    (tensor(0.0833...), tensor(-0.0069...))
    """
    start, tree = _start(x0, "custom_root")
    graph, parameters = _traced(f, start, tree, "custom_root")
    solver = _flat_solver(solve, tree) or _hybrid
    found = _solution(graph, graph, start, parameters, solver, _rules(tree, tangent_solve, transpose_solve))
    return tree_unflatten(tree, found)


def custom_fixed_point(
    f: Function,
    x0: Any,
    solve: Function | None = None,
    tangent_solve: Function | None = None,
    transpose_solve: Function | None = None,
    tol: float = 1e-12,
    max_iterations: int = 1000,
) -> Any:
    """A fixed point ``x = f(x)``, differentiable with respect to what ``f`` closes over.

    By default ``f`` is iterated until no element changes by more than ``tol`` times its size, or ``ConvergenceError``.
    Else as ``custom_root``; the linear systems are those of ``f(x) - x``.

    >>> import wengert as wg
    >>> wg.grad(lambda p: wg.custom_fixed_point(lambda x: (x + p / x) / 2, 1.0))(4.0)
    tensor(0.25)
    """
    start, tree = _start(x0, "custom_fixed_point")
    graph, parameters = _traced(f, start, tree, "custom_fixed_point")
    n = len(start)

    def difference(*xs: Any) -> list[Any]:
        return [y - x for x, y in zip(xs, replay(graph, xs), strict=False)]

    residual = graph.cached("difference", lambda: trace_flat(difference, [x.spec for x in graph.inputs], fresh=True))

    def iterate(function: Function, xs: list[Any]) -> list[Any]:
        for _ in range(max_iterations):
            new = function(xs)
            old_values, new_values = [_value(x) for x in xs], [_value(y) for y in new]
            xs = new
            if all(
                np.all(abs(b - a) <= tol * np.maximum(1, abs(b))) for a, b in zip(old_values, new_values, strict=True)
            ):
                return xs
        raise ConvergenceError(f"custom_fixed_point: no fixed point to a tolerance of {tol} in {max_iterations} steps")

    solver = _flat_solver(solve, tree) or iterate
    rules = _rules(tree, tangent_solve, transpose_solve)
    return tree_unflatten(tree, _solution(graph, residual, start, parameters, solver, rules)[:n])


def custom_argmin(
    f: Function,
    x0: Any,
    solve: Function | None = None,
    tangent_solve: Function | None = None,
) -> Any:
    """Where the scalar function ``f`` is least, differentiable with respect to what ``f`` closes over.

    ``solve(f, x0)`` finds the minimum, by default SciPy's BFGS and Newton steps on the gradient. Derivatives solve a
    linear system with the Hessian, which is symmetric, so ``tangent_solve`` (conjugate gradients, say) serves both
    modes. Else as ``custom_root``; ``GradientError`` if ``f`` does not return a scalar.

    >>> import wengert as wg
    >>> wg.grad(lambda p: wg.custom_argmin(lambda x: (x - p) ** 2 + x**2, 0.0))(4.0)
    tensor(0.5)
    """
    start, tree = _start(x0, "custom_argmin")
    graph, parameters = _traced(f, start, tree, "custom_argmin", same=False)
    if len(graph.outputs) != 1 or graph.outputs[0].shape != ():
        raise GradientError("custom_argmin: the function must return one scalar")
    numbers = tuple(range(len(start)))

    def slope(*xs: Any) -> list[Any]:
        return list(grad(lambda *vs: replay(graph, [*vs, *xs[len(start) :]])[0], numbers)(*xs[: len(start)]))

    residual = graph.cached("slope", lambda: trace_flat(slope, [x.spec for x in graph.inputs], fresh=True))
    rules = _rules(tree, tangent_solve, tangent_solve)
    solver = _flat_solver(solve, tree) or _descent
    return tree_unflatten(tree, _solution(graph, residual, start, parameters, solver, rules))


def custom_linear_solve(
    matvec: Function, b: Any, solve: Function, transpose_solve: Function | None = None, symmetric: bool = False
) -> Any:
    """The solution of ``matvec(x) = b`` that ``solve(matvec, b)`` finds, differentiable with respect to ``b`` and to
    what the linear function ``matvec`` closes over, to any order.

    Reverse mode solves the transposed system by ``transpose_solve(vecmat, b)``, or by ``solve`` itself if
    ``symmetric``; without either it is a ``GradientError``.

    >>> import wengert as wg
    >>> a = wg.tensor([[2.0, 1.0], [1.0, 3.0]])
    >>> dense = lambda matvec, b: wg.linalg.solve(wg.jacfwd(matvec)(b), b)
    >>> wg.grad(lambda b: wg.custom_linear_solve(lambda x: a @ x, b, dense, symmetric=True).sum())(wg.ones(2))
    tensor([0.4, 0.2])
    """
    leaves, tree = _start(b, "custom_linear_solve")
    forwards = _flat_solver(solve, tree)
    backwards = forwards if symmetric else _flat_solver(transpose_solve, tree)

    def flat(v: list[Any]) -> list[Any]:
        outs, found = tree_flatten(matvec(tree_unflatten(tree, v)))
        if found != tree:
            raise ContainerError(f"custom_linear_solve: matvec returns the structure {found}, and takes {tree}")
        return [as_tensor(y) for y in outs]

    return tree_unflatten(tree, _linear(flat, leaves, forwards, backwards))


def _linear(matvec: Function, b: list[Any], solve: Any, transposed: Any) -> list[Any]:
    n = len(b)
    traced = Traced(lambda v: matvec(list(v)), tree_flatten((tuple(b),))[1], specs_of(b))
    graph, captured = traced.graph, list(traced.captured)
    for x, y in zip(b, graph.outputs, strict=True):
        if x.shape != y.shape:
            raise ShapeError(f"custom_linear_solve: matvec maps shape {x.shape} to {y.shape}")

    def difference(*xs: Any) -> list[Any]:
        return [y - z for y, z in zip(replay(graph, [*xs[:n], *xs[2 * n :]]), xs[n : 2 * n], strict=True)]

    specs = [*specs_of(b), *specs_of(b), *(x.spec for x in graph.inputs[n:])]
    residual = graph.cached("difference", lambda: trace_flat(difference, specs, fresh=True))
    whole = trace_flat(lambda *xs: replay(graph, [*xs[:n], *xs[2 * n :]]), specs, fresh=True)

    def run(function: Function, start: list[Any]) -> list[Any]:
        found: list[Any] = solve(function, start)
        return found

    return _solution(whole, residual, b, [*b, *captured], run, {"tangent": solve, "transposed": transposed})


# -- default solvers ------------------------------------------------------------------------------------------------


def _hybrid(function: Function, start: list[Any]) -> list[Any]:
    """MINPACK's hybrid method (Powell 1970) with the exact Jacobian, and a Newton step."""
    values = [_value(x) for x in start]
    weights = np.concatenate([np.asarray(x, float).ravel() for x in values])

    def residual(z: np.ndarray) -> np.ndarray:
        outs = function([wrap(x[0]) for x in combine(start, z[None])])
        return np.concatenate([np.asarray(_value(y), float).ravel() for y in outs])

    def slope(z: np.ndarray) -> np.ndarray:
        point = [wrap(x[0]) for x in combine(start, z[None])]
        return _matrix(function, point)

    found = optimize.root(residual, weights, jac=slope, method="hybr")
    z = found.x
    error = residual(z)
    if found.success or np.linalg.norm(error) < 1e-6:
        polished = z - np.linalg.solve(slope(z), error)
        z = polished if np.linalg.norm(residual(polished)) <= np.linalg.norm(error) else z
        return [wrap(x[0]) for x in combine(start, z[None])]
    raise ConvergenceError(f"custom_root: no root was found from this start: {found.message}")


def _matrix(function: Function, point: list[Any]) -> np.ndarray:
    """The Jacobian of a function of flat lists, as an array."""
    graph = trace_flat(lambda *xs: function(list(xs)), specs_of(point))
    operands = [*point, *graph.captured]
    n = len(point)
    joint = jvp_graph(graph, (*(True,) * n, *(False,) * len(graph.captured)), (True,) * len(graph.outputs))[0]
    moved = selected(joint, joint.outputs[len(graph.outputs) :])
    total = sum(sizes_of(point))
    columns = vmap(lambda *v: list(Call(moved)(*operands, *v)))(*map(wrap, basis(point, 0, total)))
    return np.concatenate([np.asarray(_value(c)).reshape((total, -1)) for c in columns], axis=1).T


def _descent(function: Function, start: list[Any]) -> list[Any]:
    """SciPy's BFGS with exact gradients, then a root of the gradient from there."""
    numbers = tuple(range(len(start)))

    def slope(xs: list[Any]) -> list[Any]:
        return list(grad(lambda *vs: function(list(vs))[0], numbers)(*xs))

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        point = [wrap(x[0]) for x in combine(start, z[None])]
        down = np.concatenate([np.asarray(_value(g), float).ravel() for g in slope(point)])
        return float(_value(function(point)[0])), down

    first = np.concatenate([np.asarray(_value(x), float).ravel() for x in start])
    found = optimize.minimize(objective, first, jac=True, method="BFGS")
    if not np.all(np.isfinite(found.x)):
        raise ConvergenceError(f"custom_argmin: no minimum was found from this start: {found.message}")
    return _hybrid(slope, [wrap(x[0]) for x in combine(start, found.x[None])])
