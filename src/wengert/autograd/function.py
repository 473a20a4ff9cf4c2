"""Custom functions: a forward and a backward written by the user, as in PyTorch."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.core.apply import apply
from wengert.core.derived import selected
from wengert.core.errors import GradientError
from wengert.core.levels import Wrapped, as_tensor, transposed_pullback
from wengert.core.mode import MODE, enable_grad, no_grad
from wengert.core.node import MultiNode, Node
from wengert.core.primitive import NotDifferentiable, Primitive
from wengert.core.pytree import tree_flatten, tree_unflatten
from wengert.core.tensor import Tensor, wrap
from wengert.core.tracing import trace_flat
from wengert.core.types import TensorSpec, frozen_copy
from wengert.ops.control import Call, Custom


class Context:
    """What ``forward`` hands to ``backward``: saved tensors, and any attribute the user sets."""

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self, needs: tuple[bool, ...] = ()) -> None:
        self.needs_input_grad = needs
        self._saved: tuple[Any, ...] = ()
        self._fixed: set[int] = set()
        self._materialize = True
        #: For each saved tensor the position of the operand that it is, or ~position of the result; ``None`` otherwise.
        self._origins: tuple[int | None, ...] = ()

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
        """The tensors that were saved; when the backward pass is recorded, those that are arguments or results of
        ``forward`` are tied to the graph."""
        return self._saved

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Outputs that no gradient flows back from."""
        self._fixed.update(id(y) for y in outputs)

    def mark_dirty(self, *inputs: Any) -> None:
        """Accepted for PyTorch's sake: values never change in place, so there is nothing to mark."""

    def set_materialize_grads(self, value: bool) -> None:
        """With ``False``, ``backward`` gets ``None`` in the place of a cotangent that did not arrive, and not zeros."""
        self._materialize = bool(value)

    # -- used by the call and by the sweep ----------------------------------------------------------------------

    def _settle(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Note where saved tensors come from, so that the inputs and outputs themselves need not be kept alive."""
        known = {id(x): k for k, x in enumerate(inputs)} | {id(y): ~k for k, y in enumerate(outputs)}
        self._origins = tuple(None if x is None else known.get(id(x)) for x in self._saved)

    def tied_to(self, node: Node) -> Context:
        """A copy whose saved arguments and results are tied to their nodes, for a backward pass that is recorded."""
        tied = copy.copy(self)
        tied._saved = tuple(
            x if origin is None else wrap(x._value, _node_at(node, origin))
            for x, origin in zip(self._saved, self._origins, strict=True)
        )
        return tied

    def mapped(self, function: Callable[[Any], Any]) -> Context:
        """A copy with ``function`` applied to each saved tensor (``saved_tensors_hooks``)."""
        other = copy.copy(self)
        other._saved = tuple(None if x is None else function(x) for x in self._saved)
        return other

    def kept_arrays(self) -> list[np.ndarray]:
        """The arrays kept for ``backward``: saved tensors, and tensors and arrays among the attributes."""
        found = [*self._saved, *vars(self).values()]
        return [x._value if isinstance(x, Tensor) else x for x in found if isinstance(x, (Tensor, np.ndarray))]


def _node_at(node: Any, origin: int) -> Node | None:
    if origin >= 0:
        parent: Node | None = node.parents[origin]
        return parent
    if isinstance(node, MultiNode):
        return node.output(~origin)
    own: Node = node
    return own


class _Call(Primitive):
    """One call of a ``Function``; equal only to itself."""

    name = "custom_function"
    variadic = True
    function: Any
    rebuild: Any
    needs: Any
    #: Positions of results that were marked non-differentiable, known once ``forward`` has run.
    fixed: Any
    #: Names of what ``forward`` asked for through its context: "none" for cotangents that may be ``None``.
    wishes: Any

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def title(self) -> str:
        return str(self.function.__name__)

    @property
    def takes_none(self) -> bool:
        """Whether a cotangent that did not arrive is ``None`` for the rule."""
        return "none" in self.wishes

    @property
    def _is_split(self) -> bool:
        return self.function.setup_context is not Function.setup_context

    def value(self, *xs: Any) -> Any:
        return self.value_and_aux(*xs)[0]

    def value_and_aux(self, *xs: Any) -> tuple[Any, Any]:
        ctx = Context(self.needs)
        tensors = [wrap(x if isinstance(x, np.ndarray) else np.asarray(x)) for x in xs]
        args = self.rebuild(tensors)
        with no_grad():
            if self._is_split:
                out = self.function.forward(*args)
                self.function.setup_context(ctx, args, out)
            else:
                out = self.function.forward(ctx, *args)
        outputs = list(out) if isinstance(out, (tuple, list)) else [out]
        for y in outputs:
            if not isinstance(y, Tensor):
                raise GradientError(f"{self.title}.forward must return tensors, and returned a {type(y).__name__}")
        ctx._settle(tensors, outputs)
        if not ctx._materialize:
            self.wishes.add("none")
        self.fixed.update(k for k, y in enumerate(outputs) if id(y) in ctx._fixed)
        values = tuple(y._value for y in outputs)
        return (values if isinstance(out, (tuple, list)) else values[0]), ctx

    def expand(self, *inputs: Any) -> Any:
        """In a trace: one node that carries ``forward``, ``backward`` and ``jvp`` as graphs."""
        return _Recorder(self, inputs).applied(inputs)

    def _context(self, inputs: Sequence[Any], out: Any) -> Context:
        """The context of a call on the operands of a transform: saved arguments and results are ``inputs`` and ``out``
        themselves, with whatever they carry."""
        ctx = Context(self.needs)
        args = self.rebuild([as_tensor(x) for x in inputs])
        with no_grad():
            if self._is_split:
                self.function.setup_context(ctx, args, out)
                return ctx
            own = self.function.forward(ctx, *args)
        results = zip(own, out, strict=True) if isinstance(own, (tuple, list)) else [(own, out)]
        given = {id(mine): theirs for mine, theirs in results}
        ctx._saved = tuple(given.get(id(x), x) for x in ctx._saved)
        return ctx

    def vjp(self, g: Any, aux: Any, specs: Any) -> Sequence[Any]:
        cotangents = [None if one is None else as_tensor(one) for one in (g if isinstance(g, tuple) else (g,))]
        for k in self.fixed:
            cotangents[k] = None if cotangents[k] is None else wrap(np.zeros(cotangents[k].shape, cotangents[k].dtype))
        found = self.function.backward(aux, *cotangents)
        return self._checked(list(found) if isinstance(found, (tuple, list)) else [found], specs)

    def _checked(self, found: list[Any], specs: Any) -> list[Any]:
        while len(found) > self.rebuild.count and found[-1] is None:
            found.pop()
        if len(found) != self.rebuild.count:
            raise GradientError(
                f"{self.title}.backward returned {len(found)} gradients, and forward took {self.rebuild.count} "
                f"arguments; return one for each, None for those that are not tensors"
            )
        return [
            None if spec is None or found[position] is None else self._checked_one(found[position], spec, position)
            for position, spec in zip(self.rebuild.positions, specs, strict=True)
        ]

    def _checked_one(self, x: Any, spec: Any, position: int) -> Any:
        if not isinstance(x, Tensor):
            raise GradientError(f"{self.title}.backward returned a {type(x).__name__} for argument {position}")
        if x.dtype.kind not in "fc":
            raise GradientError(
                f"{self.title}.backward returned a gradient of dtype {x.dtype} for argument {position}, whose dtype is "
                f"{spec.dtype}"
            )
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
        return x if MODE.get().grad or isinstance(x, Wrapped) else x._value

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        ctx = self._context(inputs, out)
        if self.function.jvp is Function.jvp:
            moved = transposed_pullback(self, tangents, inputs, out, ctx)
        else:
            full: list[Any] = [None] * self.rebuild.count
            for position, tangent in zip(self.rebuild.positions, tangents, strict=True):
                full[position] = tangent
            moved = self.function.jvp(ctx, *full)
        if isinstance(moved, (tuple, list)):
            return tuple(None if k in self.fixed else t for k, t in enumerate(moved))
        return None if 0 in self.fixed else moved

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        if self.function.vmap is Function.vmap:
            if size == 0:
                return NotImplemented
            # Each element is a call of its own, with its own context.
            rows = [
                self.function.apply(
                    *self.rebuild([x[i] if flag else x for x, flag in zip(inputs, batched, strict=True)])
                )
                for i in range(size)
            ]
            if isinstance(rows[0], tuple):
                return tuple(np.stack([row[k] for row in rows]) for k in range(len(rows[0])))
            return np.stack(rows)
        dims: list[Any] = [None] * self.rebuild.count
        for position, flag in zip(self.rebuild.positions, batched, strict=True):
            dims[position] = 0 if flag else None
        out, places = self.function.vmap(VmapInfo(size), tuple(dims), *self.rebuild(list(inputs)))
        if not isinstance(out, (tuple, list)):
            return _leading(out, places, size)
        several = places if isinstance(places, (tuple, list)) else [places] * len(out)
        return tuple(_leading(y, place, size) for y, place in zip(out, several, strict=True))


class _Recorder:
    """Traces the static methods of a ``Function``: what its context holds between them becomes residuals."""

    def __init__(self, call: _Call, inputs: Sequence[Any]) -> None:
        self.call = call
        self.specs = [TensorSpec(x.shape, x.dtype) for x in map(as_tensor, inputs)]
        joint = trace_flat(self.forward, self.specs)
        self.captured = joint.captured
        self.joint = joint.replace(captured=())
        self.outs = joint.outputs[: self.count]
        self.residuals = [y.spec for y in joint.outputs[self.count :]]

    def forward(self, *xs: Any) -> list[Any]:
        call, ctx = self.call, Context(self.call.needs)
        args = call.rebuild([as_tensor(x) for x in xs])
        if call._is_split:
            out = call.function.forward(*args)
            call.function.setup_context(ctx, args, out)
        else:
            out = call.function.forward(ctx, *args)
        self.several = isinstance(out, (tuple, list))
        outputs = list(out) if self.several else [out]
        self.count = len(outputs)
        call.fixed.update(k for k, y in enumerate(outputs) if id(y) in ctx._fixed)
        self.kept, self.structure = tree_flatten(vars(ctx))
        return [*outputs, *(x for x in self.kept if isinstance(x, Tensor))]

    def context(self, residuals: Sequence[Any]) -> Context:
        """The context that ``forward`` left, with these tensors in it."""
        values = iter(residuals)
        ctx = Context(self.call.needs)
        found = [next(values) if isinstance(x, Tensor) else x for x in self.kept]
        vars(ctx).update(tree_unflatten(self.structure, found))
        return ctx

    def backward(self, *xs: Any) -> list[Any]:
        split = len(self.residuals)
        given = iter(xs[split:])
        g = [next(given) if y.dtype.kind in "fc" else wrap(np.zeros(y.shape, y.dtype)) for y in self.outs]
        with enable_grad():
            found = self.call.vjp(tuple(g) if self.several else g[0], self.context(xs[:split]), self.specs)
        self.moved = tuple(one is not None for one in found)
        return [one for one in found if one is not None]

    def pushforward(self, *xs: Any) -> list[Any]:
        split = len(self.specs)
        given = iter(xs[split:])
        values = Call(self.joint)(*xs[:split], *self.captured)
        full: list[Any] = [None] * self.call.rebuild.count
        for position, spec in zip(self.call.rebuild.positions, self.specs, strict=True):
            full[position] = next(given) if spec.dtype.kind in "fc" else None
        found = self.call.function.jvp(self.context(values[self.count :]), *full)
        dots = list(found) if isinstance(found, (tuple, list)) else [found]
        return [
            wrap(np.zeros(y.shape, y.dtype)) if t is None or k in self.call.fixed else t
            for k, (y, t) in enumerate(zip(self.outs, dots, strict=True))
            if y.dtype.kind in "fc"
        ]

    def applied(self, inputs: Sequence[Any]) -> Any:
        cotangents = [y.spec for y in self.outs if y.dtype.kind in "fc"]
        backward = trace_flat(self.backward, [*self.residuals, *cotangents])
        pushforward = None
        if self.call.function.jvp is not Function.jvp:
            tangents = [spec for spec in self.specs if spec.dtype.kind in "fc"]
            pushforward = trace_flat(self.pushforward, [*self.specs, *tangents])
        moved = (*self.moved, *(False,) * len(self.captured))
        custom = Custom(self.call.title, selected(self.joint, self.outs), self.joint, backward, moved, pushforward)
        found = custom(*inputs, *self.captured)
        return found if self.several else found[0]


def _leading(y: Any, place: int | None, size: int) -> Any:
    """A result of a user's batching rule with the batch axis first."""
    if place is None:
        return np.broadcast_to(y, (size, *y.shape))
    return y if place == 0 else np.moveaxis(y, place, 0)


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

    #: Accepted for PyTorch's sake: without ``vmap`` a batching rule is always derived.
    generate_vmap_rule: ClassVar[bool] = False

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
        grad = MODE.get().grad
        needs = tuple(isinstance(x, Tensor) and grad and bool(x.requires_grad) for x in args)
        call = _Call(cls, rebuild, needs, set(), set())
        out = apply(call, *[args[i] for i in rebuild.positions])
        outputs = out if isinstance(out, tuple) else (out,)
        for k in call.fixed:
            # Where a transform wraps the result, its rules give it a zero derivative.
            outputs[k]._node = None
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
        tracked = next((x for x in (*gradients, *ctx.saved_tensors) if x is not None and x.requires_grad), None)
        if not MODE.get().grad or tracked is None:
            return found
        several = isinstance(found, (tuple, list))
        results = [None if x is None else apply(_Once(), x, tracked) for x in (found if several else (found,))]
        return tuple(results) if several else results[0]

    return wrapper
