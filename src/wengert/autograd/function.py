"""Custom functions: a forward and a backward written by the user, as in PyTorch."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import GradientError
from wengert.core.mode import MODE, no_grad
from wengert.core.node import Node
from wengert.core.primitive import NotDifferentiable, Primitive
from wengert.core.tensor import Tensor, wrap
from wengert.core.types import frozen_copy


class Context:
    """What ``forward`` hands to ``backward``: saved tensors, and any attribute the user sets."""

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self._inputs: list[Any] = []
        self._input_nodes: list[Node | None] = []
        self._outputs: list[Any] = []
        self._output_nodes: list[weakref.ref[Node] | None] = []
        self._fixed: set[int] = set()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or arrays, which are copied) for ``backward``; the ledger counts them."""
        for x in tensors:
            if x is not None and not isinstance(x, (Tensor, np.ndarray)):
                raise GradientError(
                    f"save_for_backward takes tensors, not {type(x).__name__}; keep other things as attributes: "
                    f"ctx.shape = x.shape"
                )
        self._saved = tuple(wrap(frozen_copy(x)) if isinstance(x, np.ndarray) else x for x in tensors)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that were saved, tied to the graph again where they are inputs or outputs."""
        return tuple(self._tied(x) for x in self._saved)

    def _tied(self, x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        for own, node in zip(self._inputs, self._input_nodes, strict=True):
            if own is x:
                return wrap(x._value, node)
        for own, reference in zip(self._outputs, self._output_nodes, strict=False):
            if own is x and reference is not None:
                return wrap(x._value, reference())
        return x

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Outputs that no gradient flows back from."""
        self._fixed.update(id(y) for y in outputs)

    def mark_dirty(self, *inputs: Any) -> None:
        """Accepted for PyTorch's sake: values never change in place, so there is nothing to mark."""

    def set_materialize_grads(self, value: bool) -> None:
        """Accepted for PyTorch's sake: cotangents that did not arrive are always zeros here."""


class _Call(Primitive):
    """One call of a ``Function``; equal only to itself."""

    name = "custom_function"
    variadic = True
    function: Any
    rebuild: Any
    needs: Any
    nodes: Any

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def title(self) -> str:
        return str(self.function.__name__)

    def value(self, *xs: Any) -> Any:
        return self.value_and_aux(*xs)[0]

    def value_and_aux(self, *xs: Any) -> tuple[Any, Any]:
        ctx = Context()
        ctx.needs_input_grad = self.needs
        tensors = [wrap(x if isinstance(x, np.ndarray) else np.asarray(x)) for x in xs]
        ctx._inputs, ctx._input_nodes = tensors, list(self.nodes)
        args = self.rebuild(tensors)
        with no_grad():
            if self.function.setup_context is not Function.setup_context:
                out = self.function.forward(*args)
                self.function.setup_context(ctx, args, out)
            else:
                out = self.function.forward(ctx, *args)
        outputs = list(out) if isinstance(out, (tuple, list)) else [out]
        for y in outputs:
            if not isinstance(y, Tensor):
                raise GradientError(f"{self.title}.forward must return tensors, and returned a {type(y).__name__}")
        ctx._outputs = outputs
        values = tuple(y._value for y in outputs)
        return (values if isinstance(out, (tuple, list)) else values[0]), ctx

    def vjp(self, g: Any, aux: Any, specs: Any) -> Sequence[Any]:
        several = isinstance(g, tuple)
        cotangents = [one if isinstance(one, Tensor) else wrap(np.asarray(one)) for one in (g if several else (g,))]
        found = self.function.backward(aux, *cotangents)
        found = found if isinstance(found, (tuple, list)) else (found,)
        return self._checked(list(found), specs)

    def _checked(self, found: list[Any], specs: Any) -> list[Any]:
        positions = self.rebuild.positions
        while len(found) > self.rebuild.count and found[-1] is None:
            found.pop()
        if len(found) != self.rebuild.count:
            raise GradientError(
                f"{self.title}.backward returned {len(found)} gradients, and forward took {self.rebuild.count} "
                f"arguments; return one for each, None for those that are not tensors"
            )
        results: list[Any] = []
        for position, spec in zip(positions, specs, strict=True):
            x = found[position]
            if x is None or spec is None:
                results.append(None)
                continue
            if not isinstance(x, Tensor):
                raise GradientError(f"{self.title}.backward returned a {type(x).__name__} for argument {position}")
            if x.shape != spec.shape:
                try:
                    fits = np.broadcast_shapes(x.shape, spec.shape) == x.shape
                except ValueError:
                    fits = False
                if not fits:
                    raise GradientError(
                        f"{self.title}.backward returned a gradient of shape {x.shape} for argument {position}, whose "
                        f"shape is {spec.shape}"
                    )
            results.append(x if MODE.get().grad else x._value)
        return results

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        if self.function.jvp is Function.jvp:
            return NotImplemented
        ctx = self.value_and_aux(*[x._value if isinstance(x, Tensor) else x for x in inputs])[1]
        full: list[Any] = [None] * self.rebuild.count
        for position, tangent in zip(self.rebuild.positions, tangents, strict=True):
            full[position] = tangent
        return self.function.jvp(ctx, *full)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        if self.function.vmap is Function.vmap:
            return NotImplemented
        dims: list[Any] = [None] * self.rebuild.count
        for position, flag in zip(self.rebuild.positions, batched, strict=True):
            dims[position] = 0 if flag else None
        info = VmapInfo(size)
        out, place = self.function.vmap(info, tuple(dims), *self.rebuild(list(inputs)))
        return out if place in (0, None) else np.moveaxis(out, place, 0)


class VmapInfo:
    """What ``Function.vmap`` is told: the length of the mapped axis."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size


class _Rebuild:
    """The arguments of a call with the tensors put back in their places."""

    def __init__(self, args: tuple[Any, ...]) -> None:
        self.args = args
        self.count = len(args)
        self.positions = [i for i, x in enumerate(args) if isinstance(x, Tensor)]

    def __call__(self, tensors: Sequence[Any]) -> tuple[Any, ...]:
        full = list(self.args)
        for position, x in zip(self.positions, tensors, strict=True):
            full[position] = x
        return tuple(full)


class Function:
    """Base class of custom functions: write ``forward(ctx, ...)`` and ``backward(ctx, *gradients)`` as static methods.

    ``backward`` returns one gradient for each argument of ``forward``, ``None`` for those that are not tensors. With
    ``jvp(ctx, *tangents)`` and ``vmap(info, in_dims, *args)`` the function has rules of its own for these transforms;
    without them they are derived.

    >>> import wengert as wg
    >>> class Double(wg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return g * 2
    >>> x = wg.tensor(3.0, requires_grad=True)
    >>> Double.apply(x).backward(); x.grad
    tensor(2.)
    """

    __slots__: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The value."""
        raise NotImplementedError("a Function needs a static method forward(ctx, ...)")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Saves for backward, where ``forward`` is written without ``ctx``."""

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The cotangents of the arguments."""
        raise NotImplementedError("a Function needs a static method backward(ctx, ...) to be differentiated")

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """The tangent of the result."""
        raise NotImplementedError

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """The result for a batch, and the axis it stands on."""
        raise NotImplementedError

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Call the function."""
        rebuild = _Rebuild(args)
        tensors = [args[i] for i in rebuild.positions]
        grad = MODE.get().grad
        needs = tuple(isinstance(x, Tensor) and grad and bool(x.requires_grad) for x in args)
        call = _Call(cls, rebuild, needs, tuple(x._node for x in tensors))
        out = apply(call, *tensors)
        outputs = out if isinstance(out, tuple) else (out,)
        node = next((y._node for y in outputs if y._node is not None), None)
        if node is not None:
            owner: Any = outputs[0].grad_fn if outputs[0].grad_fn is not None else node
            ctx = owner.residuals[-1] if isinstance(owner.residuals, tuple) else None
            if isinstance(ctx, Context):
                ctx._output_nodes = [None if y._node is None else weakref.ref(y._node) for y in outputs]
                for own, y in zip(ctx._outputs, outputs, strict=True):
                    if id(own) in ctx._fixed:
                        y._node = None
        return out


class _Once(Primitive):
    """Passes a gradient on, but not a gradient of it."""

    name = "once_differentiable"

    def value(self, x: Any, g: Any) -> Any:
        return np.array(x)

    vjp_x = NotDifferentiable("its backward is marked once_differentiable")
    vjp_g = NotDifferentiable("its backward is marked once_differentiable")


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a ``backward`` that works outside of the graph: differentiating its result is an error, not a wrong zero."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *gradients: Any) -> Any:
        with no_grad():
            found = backward(ctx, *gradients)
        tracked = next((g for g in gradients if g.requires_grad), None)
        if not MODE.get().grad or tracked is None:
            return found
        several = isinstance(found, (tuple, list))
        results = [None if x is None else apply(_Once(), x, tracked) for x in (found if several else (found,))]
        return tuple(results) if several else results[0]

    return wrapper
