"""One operation, one class.

A ``Primitive`` is an operation together with its static parameters. Its class holds, on one screen, everything the
system knows of it:

- ``value``: the result on arrays;
- ``spec``: the result's shape and dtype from the operands' alone;
- ``vjp_<input>``: the pullback towards that input (reverse mode);
- ``jvp``: the pushforward (forward mode); families derive it, and there is a derived fallback;
- ``batch``: how it maps over a leading batch axis;
- ``lower``: how it is compiled;
- traits: ``differentiable``, ``linear``, ``commutative``, ``random``, ``aliases``.

**Residuals are read off the rules.** A pullback names what it needs in its signature: ``def vjp_x(self, g, y)`` keeps
the operand ``y`` and nothing else; ``out`` is the result, ``aux`` what ``value_and_aux`` returned beside it, and
``spec`` the shape and dtype of the input that the gradient is for, which costs nothing to keep.

**Rules are NumPy code.** ``np.cos(x) * g`` computes when it is given arrays and extends the graph when it is given
tensors, so one rule serves every order of derivative.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, dataclass_transform

from .errors import NotDifferentiableError, WengertError
from .types import Array, TensorSpec

#: Where a pullback's argument is read from. Residuals are the tuple ``(*operands, out, aux)`` with ``None`` for what is
#: not kept, so an operand's slot is its position, and the result's and the auxiliary's count from the end.
OUT = -2
AUX = -1
SPEC = -3
INPUTS = -4
NEEDED = -5

_NAMED_SLOTS = {"out": OUT, "aux": AUX, "spec": SPEC, "specs": SPEC, "inputs": INPUTS, "needed": NEEDED}

#: Every concrete operation by name; loading a graph and the law tests read it.
REGISTRY: dict[str, type[Primitive]] = {}


class NotDifferentiable:
    """Stands where a derivative rule would, and says why there is none.

    >>> class Nextafter: vjp_x = NotDifferentiable("the result jumps between neighbouring floats")
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason


#: A rule made ready for the sweep: ``(operation, g, spec, residuals) -> cotangent``.
Pull = Callable[["Primitive", Any, Any, Any], Any]


class Rule:
    """A pullback with the slots that its arguments are read from, and ``pull``, which reads them and calls it."""

    __slots__ = ("call", "pull", "slots")

    def __init__(self, call: Callable[..., Any], slots: tuple[int, ...]) -> None:
        self.call = call
        self.slots = slots
        self.pull: Pull = self.compile()

    def compile(self) -> Pull:
        """A closure for the sweep, with the common cases decided ahead."""
        call, slots = self.call, self.slots
        if not slots:
            return lambda op, g, spec, residuals: call(op, g)
        if slots == (SPEC,):
            return lambda op, g, spec, residuals: call(op, g, spec)
        if len(slots) == 1 and slots[0] >= OUT:
            (slot,) = slots
            return lambda op, g, spec, residuals: call(op, g, residuals[slot])

        def pull(op: Primitive, g: Any, spec: Any, residuals: Any) -> Any:
            return call(op, g, *[self.read(slot, spec, residuals) for slot in slots])

        return pull

    @staticmethod
    def read(slot: int, spec: Any, residuals: Any) -> Any:
        """One argument of a rule. For a variadic operation ``spec`` is the list of its operands' specs."""
        if slot >= OUT:
            return residuals[slot]
        if slot == SPEC:
            return spec
        if slot == INPUTS:
            return residuals[:-2]
        return [one is not None for one in spec]


class Refusal(Rule):
    """Stands in the rules for a ``NotDifferentiable``: pulling back through it is an error."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(lambda *_: None, ())

    def compile(self) -> Pull:
        def pull(op: Primitive, g: Any, spec: Any, residuals: Any) -> Any:
            raise NotDifferentiableError(f"{op.name} has no derivative: {self.reason}")

        return pull


def _holds_graphs(value: Any) -> bool:
    return hasattr(value, "outputs") or (isinstance(value, tuple) and any(map(_holds_graphs, value)))


def _argument_names(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__
    return tuple(code.co_varnames[: code.co_argcount])


@dataclass_transform(frozen_default=True)
class Primitive:
    """Base class of all operations. Annotated attributes that are not ``ClassVar`` are its static parameters."""

    name: ClassVar[str] = ""
    #: PyTorch's name where it differs (``Mul`` for ``multiply``).
    short_name: ClassVar[str] = ""
    #: Names of the operands, in order; read off ``value`` unless the class says otherwise.
    inputs: ClassVar[tuple[str, ...]] = ()
    #: Takes any number of operands; then ``vjp(self, g, ...)`` returns a gradient for each.
    variadic: ClassVar[bool] = False
    abstract: ClassVar[bool] = True

    #: False when every derivative is structurally zero or the result is not a floating number (comparisons, argmax).
    differentiable: ClassVar[bool] = True
    linear: ClassVar[bool] = False
    commutative: ClassVar[bool] = False
    random: ClassVar[bool] = False
    #: The value may be a view of an operand.
    aliases: ClassVar[bool] = False
    #: Extra leading axes are looped over (a NumPy generalised ufunc, or all axes stored as negative numbers).
    maps_leading_axes: ClassVar[bool] = False

    #: Each element of the result depends on the operands' elements at the same place only.
    pointwise: ClassVar[bool] = False
    #: The ufunc whose reduction over ``axes`` (with ``keepdims``) the operation is; empty for other operations.
    reducer: ClassVar[str] = ""
    #: The reduction is divided by the number of elements.
    averages: ClassVar[bool] = False

    # What simplification may use. The first five are exact, to the last bit and for NaN and infinities.
    #: By place of an operand: the number that makes the result the other operand.
    identities: ClassVar[Mapping[int, float]] = {}
    #: ``f(f(x)) = x``.
    involution: ClassVar[bool] = False
    #: ``f(f(x)) = f(x)``.
    idempotent: ClassVar[bool] = False
    #: ``f(x, x) = x``; for three operands, ``f(c, x, x) = x``.
    chooses: ClassVar[bool] = False
    #: The result has one number wherever the operand does.
    spreads: ClassVar[bool] = False
    #: The same as ``identities``, but for signed zeros, NaN or infinities.
    loose_identities: ClassVar[Mapping[int, float]] = {}
    #: ``f(a, x) = f(x, a) = a`` for finite ``x``.
    absorbing: ClassVar[float | None] = None
    #: ``f(x, x)`` for finite ``x``.
    of_equals: ClassVar[float | None] = None

    fields: ClassVar[tuple[str, ...]] = ()
    rules: ClassVar[tuple[Rule | None, ...]] = ()
    #: For every bit mask of tracked operands, the residual slots to keep.
    keep: ClassVar[dict[int, tuple[int, ...]]] = {}

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [
            name
            for name, kind in cls.__dict__.get("__annotations__", {}).items()  # noqa: RUF063 - inspect is slow to import
            if not str(kind).startswith(("ClassVar", "typing.ClassVar"))
        ]
        cls.fields = cls.fields + tuple(name for name in own if name not in cls.fields)
        cls.abstract = abstract
        if abstract:
            return
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        if cls.name in REGISTRY and REGISTRY[cls.name].__qualname__ != cls.__qualname__:
            raise WengertError(f"two operations are called {cls.name!r}: {REGISTRY[cls.name]} and {cls}")
        REGISTRY[cls.name] = cls
        if "inputs" not in cls.__dict__ and not cls.variadic and hasattr(cls.value, "__code__"):
            cls.inputs = _argument_names(cls.value)[1:]
        cls.keep = {}
        if cls.differentiable:
            cls.rules = (cls._rule("vjp"),) if cls.variadic else tuple(cls._rule(f"vjp_{name}") for name in cls.inputs)
        else:
            cls.rules = (None,) * max(1, len(cls.inputs))

    @classmethod
    def _rule(cls, attribute: str) -> Rule | None:
        declared = getattr(cls, attribute, None)
        if isinstance(declared, NotDifferentiable):
            return Refusal(declared.reason)
        if declared is None:
            if not hasattr(cls, attribute):
                raise WengertError(
                    f"{cls.__name__} lacks {attribute}: write the pullback, None for a zero derivative, or "
                    f'NotDifferentiable("reason")'
                )
            return None
        return Rule(declared, cls._slots(_argument_names(declared)[2:], attribute))

    @classmethod
    def _slots(cls, names: Sequence[str], attribute: str) -> tuple[int, ...]:
        slots = []
        for name in names:
            if name in cls.inputs:
                slots.append(cls.inputs.index(name))
            elif name in _NAMED_SLOTS:
                slots.append(_NAMED_SLOTS[name])
            else:
                raise WengertError(
                    f"{cls.__name__}.{attribute} asks for {name!r}, which is not an operand, out or spec"
                )
        return tuple(slots)

    # -- parameters ---------------------------------------------------------------------------------------------

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cls = type(self)
        values = dict(zip(cls.fields, args, strict=False), **kwargs)
        if len(args) > len(cls.fields) or not values.keys() <= set(cls.fields):
            raise TypeError(f"{cls.__name__} takes the parameters {cls.fields}, not {args} {kwargs}")
        for name in cls.fields:
            if name not in values:
                if not hasattr(cls, name):
                    raise TypeError(f"{cls.__name__} needs its parameter {name!r}")
                values[name] = getattr(cls, name)
        # In the order of declaration, which the hash depends on.
        self.__dict__.update((name, values[name]) for name in cls.fields)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; make a new one")

    def parameters(self) -> dict[str, Any]:
        """The static parameters by name, in the order of declaration."""
        return {name: getattr(self, name) for name in self.fields}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.parameters().items())
        return f"{self.name}({inside})" if inside else self.name

    def graphs(self) -> tuple[Any, ...]:
        """The graphs among the parameters."""
        return ()

    def call_text(self, operands: Sequence[str]) -> str:
        """How a graph shows the operation: parameters that have their default value, and graphs, are left out."""
        shown = [
            f"{name}={value!r}"
            for name, value in self.parameters().items()
            if not (hasattr(type(self), name) and value == getattr(type(self), name)) and not _holds_graphs(value)
        ]
        head = f"{self.name}[{', '.join(shown)}]" if shown else self.name
        return f"{head} {' '.join(operands)}".rstrip()

    @property
    def title(self) -> str:
        """The name in PyTorch's style, as ``grad_fn`` shows it: ``LogSoftmax`` for ``log_softmax``."""
        return self.short_name or "".join(part[:1].upper() + part[1:] for part in self.name.split("_"))

    # -- what a class provides ----------------------------------------------------------------------------------

    def value(self, *inputs: Any) -> Any:
        """The result on arrays and scalars: an array, or a tuple of arrays."""
        raise NotImplementedError(f"{type(self).__name__}.value")

    def rehearse(self, *inputs: Any) -> Any:
        """``value`` on arrays whose numbers mean nothing, as far as the memory goes that it takes."""
        return self.value(*inputs)

    def value_and_aux(self, *inputs: Any) -> tuple[Any, Any]:
        """The result, and what a rule that names ``aux`` keeps beside it (indices, masks: never differentiable)."""
        return self.value(*inputs), None

    def traced(self, bind: Callable[..., Any], *inputs: Any) -> tuple[Any, Any]:
        """``value_and_aux`` for symbols of a trace; ``bind(primitive, *symbols)`` appends a node to its graph. To be
        overridden where ``value_and_aux`` is not NumPy code that a symbol answers."""
        return bind(self, *inputs), self.value_and_aux(*inputs)[1]

    def expand(self, *inputs: Any) -> Any:
        """The result by other operations, which a trace puts in the place of this one; ``NotImplemented`` keeps it."""
        return NotImplemented

    def assembly(self, *specs: Any) -> tuple[Any, Sequence[tuple[int, Primitive]]] | None:
        """How the result is put together from operands: what it starts as (zeros if 0, the first operand if "x" or "+",
        ``None`` if the pieces cover it), and pieces, which are added if that is "+": the place of an operand, and the
        operation that views the part of the result where it goes."""
        return None

    def decompose(self, *inputs: Any) -> Any:
        """The result by simpler operations, which a compiler can fuse; ``NotImplemented`` keeps it."""
        return NotImplemented

    def spec(self, *specs: Any) -> TensorSpec | tuple[TensorSpec, ...]:
        """Shape and dtype of the result, given those of the operands (or Python scalars)."""
        raise NotImplementedError(f"{type(self).__name__}.spec")

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        """The tangent of the result. ``None`` among the tangents is a structural zero.

        ``NotImplemented`` asks for the derived rule: the pullback is linear in its cotangent, and the transpose of
        the pullback is the pushforward (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).
        """
        return NotImplemented

    def value_and_jvp(self, tangents: Sequence[Any], inputs: Sequence[Any]) -> Any:
        """The result and its tangent, where they are computed together (loops); ``NotImplemented`` computes the result
        first and asks ``jvp``."""
        return NotImplemented

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        """The result for a whole batch, whose axis stands first in the operands marked in ``batched`` and in the
        result. ``NotImplemented`` asks for a loop over the batch."""
        return NotImplemented

    def keeps(self, x: Any) -> bool:
        """Whether the result is exactly the operand, of which the shape and dtype are given."""
        return False

    def after(self, inner: Primitive) -> Primitive | None:
        """The one operation that this one applied to the result of ``inner`` is, if there is one."""
        return None

    def cheaper(self, operands: Sequence[Any], numbers: Sequence[Any]) -> tuple[Any, ...] | None:
        """A cheaper operation with its operands that is exactly equal; ``numbers`` holds, for each operand, the one
        number that it is known to be everywhere, or ``None``."""
        return None

    def pruned(self, used: Sequence[bool]) -> tuple[Primitive, Sequence[int]] | None:
        """An operation with only the results that are used, and the places of the operands that it takes."""
        return None

    def lower(self, emitter: Any, *inputs: Any) -> Any:
        """Emit code for the operation; ``NotImplemented`` leaves it to NumPy."""
        return NotImplemented

    # -- used by apply and by the sweep -------------------------------------------------------------------------

    def __call__(self, *inputs: Any) -> Any:
        """Arrays in, arrays out; tensors in, tensors out. Rules use it to call other operations."""
        for x in inputs:
            if hasattr(x, "_node"):
                return apply_hook[0](self, *inputs)
        return self.value(*inputs)

    @classmethod
    def residual_slots(cls, mask: int) -> tuple[int, ...]:
        """Which operands (by position), ``OUT`` and ``AUX`` the rules of the tracked operands will ask for."""
        found = cls.keep.get(mask)
        if found is None:
            slots: set[int] = set()
            for position, rule in enumerate(cls.rules):
                if isinstance(rule, Rule) and (cls.variadic or mask >> position & 1):
                    slots.update(rule.slots)
            found = cls.keep[mask] = tuple(sorted(slots - {SPEC, NEEDED}))
        return found

    def pull(self, g: Any, parents: Sequence[Any], residuals: Any) -> Sequence[Any]:
        """The cotangents of the operands. ``parents`` has ``None`` for operands that are not tracked, else something
        with their shape and dtype; ``residuals`` is ``(*operands, out, aux)``."""
        if self.variadic:
            rule = self.rules[0]
            found: Sequence[Any] = (None,) * len(parents) if rule is None else rule.pull(self, g, parents, residuals)
            return found
        return [
            None if parent is None or rule is None else rule.pull(self, g, parent, residuals)
            for parent, rule in zip(parents, self.rules, strict=True)
        ]


#: ``apply`` registers itself here, so that this module need not import the one that imports it.
apply_hook: list[Callable[..., Array]] = []
