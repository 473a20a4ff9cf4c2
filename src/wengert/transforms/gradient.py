"""Differentiation as functions of functions. Arguments and results may be nested containers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.errors import ContainerError, GradientError
from wengert.core.levels import Batched, Dual, JvpLevel, Wrapped, as_tensor, fresh_leaf, pullback, running
from wengert.core.mode import enable_grad
from wengert.core.node import Node
from wengert.core.pytree import tree_flatten, tree_map, tree_unflatten
from wengert.core.tensor import Tensor, wrap

Function = Callable[..., Any]


def floating(x: Any, caller: str) -> Any:
    """A leaf as a tensor of floating-point numbers; anything else is a ``GradientError``."""
    x = as_tensor(x if hasattr(x, "dtype") else np.asarray(x))
    if x.dtype.kind not in "fc":
        raise GradientError(
            f"{caller}: an argument has dtype {x.dtype}, and derivatives need floating-point arguments; pass 3.0 "
            f"instead of 3, or choose other arguments with argnums"
        )
    return x


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``f`` and its pullback, a function from the result's cotangent to those of the arguments.

    >>> import wengert as wg
    >>> y, pull = wg.vjp(lambda x: x**2, wg.tensor(3.0))
    >>> pull(wg.tensor(1.0))
    (tensor(6.),)
    """
    return vjp_for("vjp", f, primals, has_aux)


def vjp_for(caller: str, f: Function, primals: Sequence[Any], has_aux: bool) -> Any:
    """``vjp``, whose errors name ``caller``."""
    leaves, structure = tree_flatten(tuple(primals))
    inputs = [fresh_leaf(floating(x, caller)) for x in leaves]
    with enable_grad():
        out = f(*tree_unflatten(structure, inputs))
    aux = None
    if has_aux:
        out, aux = pair_of(out, caller)
    results, out_structure = tree_flatten(out)
    results = [as_tensor(y) for y in results]

    def pull(cotangent: Any) -> Any:
        given, given_structure = tree_flatten(cotangent)
        if given_structure != out_structure:
            raise ContainerError(f"the cotangent has structure {given_structure}, the result {out_structure}")
        for g, y in zip(given, results, strict=True):
            if np.shape(g) != y.shape:
                raise GradientError(f"a cotangent has shape {np.shape(g)}, and the result {y.shape}")
        found = pullback(results, [as_tensor(g) for g in given], inputs)
        return tree_unflatten(structure, [untied(g, inputs) for g in found])

    values = tree_unflatten(out_structure, [untied(y, inputs) for y in results])
    return (values, pull, aux) if has_aux else (values, pull)


def pair_of(out: Any, caller: str) -> Any:
    """What a function with an auxiliary result returned, which must be two things."""
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        found = f"{len(out)} things" if isinstance(out, (tuple, list)) else f"a {type(out).__name__}"
        raise ContainerError(f"{caller}: with has_aux the function must return (result, aux), and it returned {found}")
    return out


def untied(x: Any, inputs: Sequence[Any]) -> Any:
    """A result without the graph that ends in the transform's own leaves; kept where outer tensors are behind it."""
    if isinstance(x, Dual):
        tangent = None if x._tangent is None else untied(x._tangent, inputs)
        return x._level.dual(untied(x._inner, inputs), tangent)
    if isinstance(x, Batched):
        return x._level.batched(untied(x._inner, inputs))
    return x if x._node is None or _reaches_outside(x._node, inputs) else wrap(x._value)


def _reaches_outside(root: Node, inputs: Sequence[Any]) -> bool:
    """Whether the graph behind a node has a source that is not one of the transform's own leaves."""
    own = {node for leaf in inputs for node in _nodes(leaf) if not node.parents}
    stack = [root]
    seen = {root}
    while stack:
        node = stack.pop()
        if node in own:
            continue
        parents = [parent for parent in node.parents if parent is not None]
        if not parents:
            return True
        fresh = [parent for parent in parents if parent not in seen]
        seen.update(fresh)
        stack += fresh
    return False


def _nodes(x: Any) -> list[Node]:
    found = []
    stack = [x]
    while stack:
        x = stack.pop()
        if isinstance(x, Wrapped):
            stack += [x._inner, getattr(x, "_tangent", None)]
        elif isinstance(x, Tensor) and x._node is not None:
            found.append(x._node)
    return found


def chosen_arguments(argnums: Any, args: tuple[Any, ...], caller: str) -> tuple[int, ...]:
    """The positions that ``argnums`` names, none of them negative."""
    numbers = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    for number in numbers:
        if not isinstance(number, int) or isinstance(number, bool) or not -len(args) <= number < len(args):
            raise GradientError(f"{caller}: argnums {argnums!r} does not name one of {len(args)} positional arguments")
    found = tuple(number % len(args) for number in numbers)
    if len(set(found)) < len(found):
        raise GradientError(f"{caller}: argnums {argnums!r} names an argument twice")
    return found


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """A function that returns the value of ``f`` and its gradient with respect to the arguments ``argnums``.

    ``f`` must return a real scalar (and, with ``has_aux``, anything else beside it).
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers = chosen_arguments(argnums, args, "grad")

        def scalar(*chosen: Any) -> Any:
            full = list(args)
            for number, value in zip(numbers, chosen, strict=True):
                full[number] = value
            out = f(*full, **kwargs)
            y = pair_of(out, "grad")[0] if has_aux else out
            if isinstance(y, (tuple, list, dict)) or y is None:
                raise GradientError(f"grad: the function must return a scalar, and returned a {type(y).__name__}")
            if np.shape(y) != () and getattr(y, "size", 0) != 1:
                raise GradientError(
                    f"grad: the function must return a scalar, and returned shape {np.shape(y)}; use jacobian, or vjp"
                )
            if getattr(y, "dtype", np.dtype(float)).kind == "c":
                raise GradientError(
                    "grad: the function returned a complex number; take its real part or square modulus"
                )
            return out

        found = vjp_for("grad", scalar, [args[number] for number in numbers], has_aux)
        value, pull = found[0], found[1]
        if not isinstance(value, Tensor):
            raise GradientError(f"grad: the function must return a scalar, and returned a {type(value).__name__}")
        gradients = pull(wrap(np.ones(value.shape, value.dtype)))
        gradient = gradients[0] if isinstance(argnums, int) else gradients
        return ((value, found[2]), gradient) if has_aux else (value, gradient)

    return wrapper


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """A function that returns the gradient of the scalar function ``f`` with respect to the arguments ``argnums``.

    >>> import wengert as wg
    >>> wg.grad(lambda x: x**3)(wg.tensor(2.0))
    tensor(12.)
    >>> wg.grad(wg.grad(lambda x: x**3))(2.0)
    tensor(12.)
    """
    with_value = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        value, gradient = with_value(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """The value of ``f`` and its directional derivative, in one pass without a tape.

    >>> import wengert as wg
    >>> wg.jvp(wg.sin, (wg.tensor(0.0),), (wg.tensor(1.0),))
    (tensor(0.), tensor(1.))
    """
    for name, group in (("primals", primals), ("tangents", tangents)):
        if not isinstance(group, (tuple, list)):
            raise ContainerError(
                f"jvp: {name} must be a tuple with an entry for each argument, not a {type(group).__name__}; for one "
                f"argument write ({name[:-1]},)"
            )
    leaves, structure = tree_flatten(tuple(primals))
    directions, direction_structure = tree_flatten(tuple(tangents))
    if structure != direction_structure:
        raise ContainerError(f"jvp: the tangents have structure {direction_structure}, the primals {structure}")
    level = JvpLevel()
    with running(level):
        duals = []
        for x, t in zip(leaves, directions, strict=True):
            x = floating(x, "jvp")
            t = as_tensor(t if hasattr(t, "dtype") else np.asarray(t))
            if t.shape != x.shape:
                raise GradientError(f"jvp: a tangent has shape {t.shape}, and its primal {x.shape}")
            if t.dtype.kind not in "biuf" + x.dtype.kind:
                raise GradientError(f"jvp: a tangent has dtype {t.dtype}, and its primal {x.dtype}")
            duals.append(level.dual(x, t if t.dtype == x.dtype else t.astype(x.dtype)))
        out = f(*tree_unflatten(structure, duals))
        aux = None
        if has_aux:
            out, aux = pair_of(out, "jvp")
        results, out_structure = tree_flatten(out)
        pairs = [level.split(as_tensor(y)) for y in results]
        aux = tree_map(lambda x: level.split(x)[0], aux)
    values = tree_unflatten(out_structure, [y for y, _ in pairs])
    moved = tree_unflatten(out_structure, [wrap(np.zeros(y.shape, y.dtype)) if t is None else t for y, t in pairs])
    return (values, moved, aux) if has_aux else (values, moved)


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The product of the Hessian of a scalar function with a vector, without the Hessian (Pearlmutter 1994).

    A function of several arguments gives a tuple, one product for each.
    """
    numbers = tuple(range(len(primals)))
    moved = jvp(grad(f, numbers), primals, tangents)[1]
    return moved[0] if len(primals) == 1 else moved
