"""SciPy's optimisers, driven by exact gradients, Jacobians and Hessian-vector products.

The point is a container of real floating-point arrays; SciPy sees its elements as one float64 vector. Functions are
compiled once, and run eagerly where they cannot be traced (Python control flow on values). Methods and their keywords
are those of ``scipy.optimize``; sources: Nocedal and Wright, "Numerical Optimization", 2nd edition (2006).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compile import jit as jit_
from wengert.core.errors import GradientError, ShapeError, TransformError
from wengert.core.lazy import LazyModule
from wengert.core.levels import as_tensor
from wengert.core.pytree import tree_flatten, tree_unflatten
from wengert.core.tensor import Tensor, wrap
from wengert.ops.joining import concat
from wengert.transforms.gradient import hvp, value_and_grad
from wengert.transforms.jacobian import hessian, jacobian

__all__ = ["least_squares", "minimize", "root"]

scipy_optimize: Any = LazyModule("scipy.optimize")

Function = Callable[..., Any]

_BY_VALUES = ("nelder-mead", "powell", "cobyla", "cobyqa")
_BY_GRADIENTS = ("cg", "bfgs", "l-bfgs-b", "tnc", "slsqp")
_BY_PRODUCTS = ("newton-cg", "trust-ncg", "trust-krylov", "trust-constr")
_BY_HESSIANS = ("dogleg", "trust-exact")
_MINIMIZERS = (*_BY_VALUES, *_BY_GRADIENTS, *_BY_PRODUCTS, *_BY_HESSIANS)


class _Space:
    """The points of a problem, as containers and as vectors."""

    def __init__(self, x0: Any, caller: str) -> None:
        leaves, self.tree = tree_flatten(x0)
        self.caller = caller
        self.leaves = [as_tensor(x if hasattr(x, "dtype") else np.asarray(x)) for x in leaves]
        for x in self.leaves:
            if x.dtype.kind != "f":
                raise GradientError(
                    f"{caller}: x0 has a leaf of dtype {x.dtype}, and optimisation moves real floating-point numbers; "
                    f"pass 3.0 instead of 3, and complex numbers as their real and imaginary parts"
                )
        self.stops = np.cumsum([0, *(x.size for x in self.leaves)])
        if not self.stops[-1]:
            raise GradientError(f"{caller}: x0 has no elements, so there is nothing to choose")
        # A copy: SciPy's solvers may write to their start.
        self.start = np.concatenate([np.ravel(np.array(x.detach(), np.float64)) for x in self.leaves])

    def point(self, vector: Any) -> Any:
        """The container whose elements are those of a vector, in the dtypes of ``x0``."""
        parts = [
            vector[start:stop].reshape(x.shape).astype(x.dtype)
            for x, start, stop in zip(self.leaves, self.stops[:-1], self.stops[1:], strict=True)
        ]
        return tree_unflatten(self.tree, parts)

    def result(self, found: Any) -> Any:
        """SciPy's result, with ``x`` as a container."""
        found.x = self.point(wrap(np.array(found.x, np.float64)))
        return found

    def scalar(self, f: Function, args: tuple[Any, ...]) -> Function:
        """The objective as a function of a vector."""

        def objective(vector: Any) -> Any:
            y = f(self.point(vector), *args)
            if isinstance(y, (tuple, list, dict)) or y is None or np.shape(y) != ():
                found = f"a {type(y).__name__}" if not hasattr(y, "shape") else f"shape {y.shape}"
                raise GradientError(
                    f"{self.caller}: the objective must return a scalar, and returned {found}; sum it, or use "
                    f"least_squares for a vector of residuals"
                )
            return as_tensor(y).astype(np.float64)

        return objective

    def vector(self, f: Function, args: tuple[Any, ...]) -> Function:
        """A function with a container of results, from a vector to a vector."""

        def function(vector: Any) -> Any:
            results = [as_tensor(y) for y in tree_flatten(f(self.point(vector), *args))[0]]
            for y in results:
                if y.dtype.kind == "c":
                    raise GradientError(f"{self.caller}: the function returned complex numbers; return their parts")
            return concat([y.reshape(-1).astype(np.float64) for y in results])

        return function


def _runner(f: Function, compiled: bool) -> Function:
    """``f`` from arrays to arrays: compiled, or, where it cannot be traced, as it is."""
    chosen = jit_(f) if compiled else f

    def run(*vectors: Any) -> Any:
        nonlocal chosen
        # Copies: some of SciPy's solvers write into the array that they passed before.
        tensors = [wrap(np.array(x, np.float64)) for x in vectors]
        try:
            found = chosen(*tensors)
        except TransformError:
            if chosen is f:
                raise
            chosen = f
            found = f(*tensors)
        return tuple(map(_plain, found)) if isinstance(found, tuple) else _plain(found)

    return run


def _plain(x: Any) -> Any:
    return x.detach().numpy() if isinstance(x, Tensor) else x


def minimize(
    f: Function,
    x0: Any,
    args: tuple[Any, ...] = (),
    method: str = "L-BFGS-B",
    jit: bool = True,
    callback: Function | None = None,
    constraints: Any = (),
    **keywords: Any,
) -> Any:
    """Minimise a real scalar function of a container, by a method of ``scipy.optimize.minimize``.

    The method gets what it can use: the exact gradient, products of the Hessian with vectors (Newton-CG, trust-ncg,
    trust-krylov, trust-constr), or the Hessian itself (dogleg, trust-exact). ``constraints`` are SciPy's; functions in
    them take the container, and get exact Jacobians. ``callback(x)`` gets the container too. Other keywords (``bounds``
    over the elements in order, ``tol``, ``options``) go to SciPy.

    Returns SciPy's ``OptimizeResult``; ``x`` is a container of tensors like ``x0``, with its dtypes, and arrays beside
    it (``jac``, ``hess``) are over its elements in order.

    Raises ``GradientError`` for an objective that is not a scalar, for leaves of ``x0`` that are not real
    floating-point numbers, and for an unknown method.

    >>> import wengert as wg
    >>> rosenbrock = lambda p: (1 - p["a"]) ** 2 + 100 * (p["b"] - p["a"] ** 2) ** 2
    >>> found = wg.optimize.minimize(rosenbrock, {"a": -1.2, "b": 1.0}, method="trust-ncg")
    >>> found.success, round(float(found.x["a"]), 4), round(float(found.x["b"]), 4)
    (True, 1.0, 1.0)
    """
    kind = str(method).lower()
    if kind not in _MINIMIZERS:
        raise GradientError(f"minimize: unknown method {method!r}; there are {', '.join(_MINIMIZERS)}")
    space = _Space(x0, "minimize")
    objective = space.scalar(f, args)
    if kind in _BY_VALUES:
        fun = _runner(objective, jit)
    else:
        fun = _runner(value_and_grad(objective), jit)
        keywords["jac"] = True
    if kind in _BY_PRODUCTS:
        keywords["hessp"] = _runner(lambda x, v: hvp(objective, (x,), (v,)), jit)
    elif kind in _BY_HESSIANS:
        keywords["hess"] = _runner(hessian(objective), jit)
    if callback is not None:
        keywords["callback"] = lambda x, *state: callback(space.point(wrap(np.array(x))))
    constraints = _constraints(space, constraints, jit)
    return space.result(scipy_optimize.minimize(fun, space.start, method=method, constraints=constraints, **keywords))


def _constraints(space: _Space, constraints: Any, compiled: bool) -> Any:
    """SciPy's constraints whose functions take containers, as functions of vectors with exact Jacobians."""
    if isinstance(constraints, (list, tuple)):
        return [_constraints(space, one, compiled) for one in constraints]
    if isinstance(constraints, dict):
        function = space.vector(constraints["fun"], tuple(constraints.get("args", ())))
        exact = {"fun": _runner(function, compiled), "jac": _runner(jacobian(function), compiled), "args": ()}
        return constraints | exact
    if isinstance(constraints, scipy_optimize.NonlinearConstraint):
        function = space.vector(constraints.fun, ())
        jac = _runner(jacobian(function), compiled)
        return scipy_optimize.NonlinearConstraint(
            _runner(function, compiled), constraints.lb, constraints.ub, jac=jac, hess=constraints.hess
        )
    return constraints


def least_squares(
    residuals: Function, x0: Any, args: tuple[Any, ...] = (), jit: bool = True, sparse: bool = False, **keywords: Any
) -> Any:
    """Minimise half the sum of squares of a container of residuals, by ``scipy.optimize.least_squares``.

    Its methods (``method="trf"``, "dogbox", "lm") are Gauss-Newton methods with a trust region; they get the exact
    Jacobian, or with ``sparse=True`` the compressed evaluation of a ``scipy.sparse`` one. Other keywords (``bounds``,
    ``loss``, ``x_scale``, ``max_nfev``) go to SciPy. Returns its ``OptimizeResult`` with ``x`` as a container.

    Raises ``GradientError`` for leaves of ``x0`` that are not real floating-point numbers, or complex residuals.

    >>> import numpy as np, wengert as wg
    >>> t = np.linspace(0, 2, 20)
    >>> y = 3 * np.exp(-1.5 * t)
    >>> found = wg.optimize.least_squares(lambda p: p[0] * wg.exp(-p[1] * t) - y, (1.0, 1.0))
    >>> [round(float(x), 6) for x in found.x]
    [3.0, 1.5]
    """
    space = _Space(x0, "least_squares")
    function = space.vector(residuals, args)
    # The pattern of a sparse Jacobian is found by a trace of its own, which cannot run inside of another.
    slope = _runner(jacobian(function, sparse=sparse), jit and not sparse)
    return space.result(scipy_optimize.least_squares(_runner(function, jit), space.start, jac=slope, **keywords))


def root(
    f: Function, x0: Any, args: tuple[Any, ...] = (), method: str = "hybr", jit: bool = True, **keywords: Any
) -> Any:
    """A point where a function is zero, by ``scipy.optimize.root``; "hybr" and "lm" get the exact Jacobian.

    ``f`` returns as many elements as ``x0`` has, in any container. For the derivative of the root by what ``f`` depends
    on, use ``wg.custom_root``. Returns SciPy's ``OptimizeResult`` with ``x`` as a container.

    Raises ``GradientError`` for leaves of ``x0`` that are not real floating-point numbers, and ``ShapeError`` if the
    numbers of equations and unknowns differ.

    >>> import wengert as wg
    >>> found = wg.optimize.root(lambda x: wg.cos(x) - x, 1.0)
    >>> round(float(found.x), 6)
    0.739085
    """
    space = _Space(x0, "root")
    function = space.vector(f, args)

    @functools.wraps(f)
    def square(vector: Any) -> Any:
        y = function(vector)
        if method != "lm" and y.size != space.stops[-1]:
            raise ShapeError(
                f"root: {y.size} equations for {space.stops[-1]} unknowns; use least_squares where they differ"
            )
        return y

    if method in ("hybr", "lm"):
        keywords["jac"] = _runner(jacobian(square), jit)
    return space.result(scipy_optimize.root(_runner(square, jit), space.start, method=method, **keywords))
