"""Functions with derivative rules of the user's own, as JAX writes them; arguments and results may be containers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from wengert.autograd.function import Function
from wengert.core.errors import ContainerError, GradientError
from wengert.core.levels import Wrapped, as_tensor, fresh_leaf, pullback
from wengert.core.mode import MODE, enable_grad
from wengert.core.pytree import tree_flatten, tree_unflatten
from wengert.core.tensor import Tensor, wrap

Rule = Callable[..., Any]


#: The functions whose rules are being traced: there, a call of the function itself is the plain function.
_TRACED: ContextVar[frozenset[int]] = ContextVar("wengert_traced_rules", default=frozenset())


def _needs_rules(function: Any, leaves: Sequence[Any]) -> bool:
    if MODE.get().trace is not None:
        return id(function) not in _TRACED.get()
    return any(isinstance(x, Wrapped) or (isinstance(x, Tensor) and x.requires_grad) for x in leaves)


def _applied(call: type[Function], function: Any, leaves: Sequence[Any]) -> Any:
    token = _TRACED.set(_TRACED.get() | {id(function)} if MODE.get().trace is not None else _TRACED.get())
    try:
        return call.apply(*leaves)
    finally:
        _TRACED.reset(token)


def _refilled(leaves: Sequence[Any], tensors: Sequence[Any]) -> list[Any]:
    """``leaves`` with their tensors replaced in order."""
    values = iter(tensors)
    return [next(values) if isinstance(x, Tensor) else x for x in leaves]


class custom_vjp:
    """Give a function a pullback of its own.

    ``defvjp(forward, backward)``: ``forward(*args)`` returns the result and anything that ``backward(kept, cotangent)``
    needs; that returns a tuple with a cotangent for each argument, ``None`` for zero. When the backward pass is itself
    recorded, ``forward`` runs again, so that what it kept has derivatives too.

    >>> import wengert as wg
    >>> @wg.custom_vjp
    ... def doubled(x):
    ...     return x
    >>> doubled.defvjp(lambda x: (x, None), lambda kept, g: (2 * g,))
    >>> wg.grad(doubled)(3.0)
    tensor(2.)
    """

    def __init__(self, function: Rule) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.rules: tuple[Rule, Rule] | None = None

    def defvjp(self, forward: Rule, backward: Rule) -> None:
        """Set the two rules."""
        self.rules = (forward, backward)

    def __call__(self, *args: Any) -> Any:
        name = getattr(self.function, "__name__", "the function")
        if self.rules is None:
            raise GradientError(f"custom_vjp: {name} has no rules yet; call defvjp(forward, backward)")
        forward_rule, backward_rule = self.rules
        leaves, structure = tree_flatten(args)
        if not _needs_rules(self, leaves):
            return self.function(*args)
        shapes: list[Any] = []

        class Call(Function):
            @staticmethod
            def forward(ctx: Any, *values: Any) -> Any:
                out, ctx.kept = forward_rule(*tree_unflatten(structure, values))
                ctx.save_for_backward(*[x for x in values if isinstance(x, Tensor)])
                results, out_structure = tree_flatten(out)
                shapes.append(out_structure)
                return tuple(as_tensor(y) for y in results)

            @staticmethod
            def backward(ctx: Any, *gradients: Any) -> Any:
                kept = ctx.kept
                if MODE.get().grad:
                    kept = forward_rule(*tree_unflatten(structure, _refilled(leaves, ctx.saved_tensors)))[1]
                found = backward_rule(kept, tree_unflatten(shapes[-1], gradients))
                return _flat_cotangents(found, args, name)

        Call.__name__ = Call.__qualname__ = name
        out = _applied(Call, self, leaves)
        return tree_unflatten(shapes[-1], out)


def _flat_cotangents(found: Any, args: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    if not isinstance(found, (tuple, list)) or len(found) != len(args):
        count = len(found) if isinstance(found, (tuple, list)) else f"a {type(found).__name__} instead of"
        raise GradientError(f"the backward rule of {name} returned {count} cotangents for {len(args)} arguments")
    flat: list[Any] = []
    for position, (g, arg) in enumerate(zip(found, args, strict=True)):
        leaves, structure = tree_flatten(arg)
        if g is None:
            flat += [None] * len(leaves)
            continue
        parts, own = tree_flatten(g)
        if own != structure:
            raise ContainerError(
                f"the backward rule of {name} returned a cotangent of structure {own} for argument {position}, whose "
                f"structure is {structure}"
            )
        flat += [as_tensor(part) for part in parts]
    return tuple(flat)


class custom_jvp:
    """Give a function a pushforward of its own; its pullback is the transpose.

    ``defjvp(rule)``: ``rule(primals, tangents)`` returns the result and its tangent, which must be linear in
    ``tangents``.

    >>> import wengert as wg
    >>> @wg.custom_jvp
    ... def log1pexp(x):
    ...     return wg.log(1 + wg.exp(x))
    >>> log1pexp.defjvp(lambda primals, tangents: (log1pexp(primals[0]), tangents[0] / (1 + wg.exp(-primals[0]))))
    >>> wg.grad(log1pexp)(0.0)
    tensor(0.5)
    """

    def __init__(self, function: Rule) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.rule: Rule | None = None

    def defjvp(self, rule: Rule) -> None:
        """Set the rule."""
        self.rule = rule

    def __call__(self, *args: Any) -> Any:
        name = getattr(self.function, "__name__", "the function")
        if self.rule is None:
            raise GradientError(f"custom_jvp: {name} has no rule yet; call defjvp(rule)")
        rule, function = self.rule, self.function
        leaves, structure = tree_flatten(args)
        if not _needs_rules(self, leaves):
            return function(*args)
        shapes: list[Any] = []

        def moved(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, ...]:
            full = [zeros_like(x) if t is None else t for x, t in zip(primals, tangents, strict=True)]
            out = rule(tree_unflatten(structure, primals), tree_unflatten(structure, full))[1]
            return tuple(as_tensor(t) for t in tree_flatten(out)[0])

        class Call(Function):
            @staticmethod
            def forward(ctx: Any, *values: Any) -> Any:
                ctx.save_for_backward(*[x for x in values if isinstance(x, Tensor)])
                results, out_structure = tree_flatten(function(*tree_unflatten(structure, values)))
                shapes.append(out_structure)
                return tuple(as_tensor(y) for y in results)

            @staticmethod
            def jvp(ctx: Any, *tangents: Any) -> Any:
                return moved(_refilled(leaves, ctx.saved_tensors), tangents)

            @staticmethod
            def backward(ctx: Any, *gradients: Any) -> Any:
                primals = _refilled(leaves, ctx.saved_tensors)
                recorded = MODE.get().grad
                with enable_grad():
                    tangents = [fresh_leaf(zeros_like(x), spread=False) if is_floating(x) else None for x in primals]
                    outs = moved(primals, tangents)
                    chosen = [t for t in tangents if t is not None]
                    found = iter(pullback(outs, gradients, chosen, create_graph=recorded))
                return tuple(None if t is None else next(found) for t in tangents)

        Call.__name__ = Call.__qualname__ = name
        out = _applied(Call, self, leaves)
        return tree_unflatten(shapes[-1], out)


def is_floating(x: Any) -> bool:
    return isinstance(x, Tensor) and x.dtype.kind in "fc"


def zeros_like(x: Any) -> Any:
    return wrap(np.zeros(np.shape(x), x.dtype if is_floating(x) else float))
