"""Families of operations: what can be derived from one formula is derived here, once.

- ``Elementwise`` declares partial derivatives; broadcasting, the pullback, the pushforward and batching follow.
- ``Linear`` declares its transpose; its pushforward is itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.core.dims import broadcast
from wengert.core.errors import WengertError
from wengert.core.primitive import NotDifferentiable, Primitive, Pull, Refusal, Rule, _argument_names
from wengert.core.types import SCALAR_TYPES, TensorSpec


class Partial(Rule):
    """A pullback that multiplies by a partial derivative."""

    __slots__ = ()

    def compile(self) -> Pull:
        call, slots = self.call, self.slots
        if len(slots) == 1:
            (slot,) = slots

            def pull_one(op: Primitive, g: Any, spec: Any, residuals: Any) -> Any:
                partial = call(op, residuals[slot])
                return g * partial if g.dtype.kind == "f" else g * np.conj(partial)

            return pull_one

        def pull(op: Primitive, g: Any, spec: Any, residuals: Any) -> Any:
            partial = call(op, *[residuals[slot] for slot in slots])
            return g * partial if g.dtype.kind == "f" else g * np.conj(partial)

        return pull


class Factor(Partial):
    """A partial derivative that is simply an operand, or the result."""

    __slots__ = ()

    def __init__(self, slot: int) -> None:
        super().__init__(lambda op, value: value, (slot,))

    def compile(self) -> Pull:
        (slot,) = self.slots

        def pull(op: Primitive, g: Any, spec: Any, residuals: Any) -> Any:
            return g * residuals[slot] if g.dtype.kind == "f" else g * np.conj(residuals[slot])

        return pull


class Scale(Rule):
    """A pullback that multiplies by a constant."""

    __slots__ = ("factor",)

    def __init__(self, factor: float) -> None:
        self.factor = factor
        super().__init__(lambda *_: None, ())

    def compile(self) -> Pull:
        factor = self.factor
        if factor == 1:
            return lambda op, g, spec, residuals: g
        if factor == -1:
            return lambda op, g, spec, residuals: -g
        return lambda op, g, spec, residuals: g * factor


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a tensor, array, spec or scalar."""
    return getattr(x, "shape", ())


def result_spec(function: Callable[..., Any], specs: Sequence[Any]) -> TensorSpec:
    """Shape and dtype of an elementwise NumPy function: shapes broadcast; the dtype is what NumPy's own promotion
    (weak Python scalars included) gives on empty arrays."""
    empties = [np.empty(0, spec.dtype) if hasattr(spec, "dtype") else spec for spec in specs]
    with np.errstate(all="ignore"):
        out = function(*empties)
    return TensorSpec(broadcast(*map(shape_of, specs)), np.asarray(out).dtype)


class Elementwise(Primitive, abstract=True):
    """An operation that acts on each element alone, after broadcasting.

    Subclasses set ``value`` to a NumPy ufunc (or write it as a method) and for each operand ``partial_<operand>``: a
    number, the name of an operand (or ``"out"``), or a method that names what it needs among the operands and ``out``.
    For a function of complex numbers it is the holomorphic derivative. Where a pullback is not a product (``where``,
    ``conj``), ``vjp_<operand>`` takes the partial's place; then the pushforward is the same map unless
    ``jvp_<operand>`` is given.
    """

    maps_leading_axes: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "inputs" not in cls.__dict__ and isinstance(cls.__dict__.get("value"), np.ufunc):
            cls.inputs = ("x", "y")[: cls.value.nin]  # type: ignore[attr-defined]
        super().__init_subclass__(**kwargs)

    @classmethod
    def _rule(cls, attribute: str) -> Rule | None:
        if hasattr(cls, attribute):
            return super()._rule(attribute)
        partial_name = attribute.replace("vjp_", "partial_")
        if not hasattr(cls, partial_name):
            raise WengertError(f"{cls.__name__} needs {partial_name} (or {attribute})")
        partial = getattr(cls, partial_name)
        if isinstance(partial, NotDifferentiable):
            return Refusal(partial.reason)
        if isinstance(partial, str):
            return Factor(*cls._slots((partial,), partial_name))
        if partial is None or (isinstance(partial, (int, float)) and partial == 0):
            return None
        if isinstance(partial, (int, float)):
            return Scale(partial)
        return Partial(partial, cls._slots(_argument_names(partial)[1:], partial_name))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        total = None
        residuals = (*inputs, out, None)
        for name, tangent, rule in zip(self.inputs, tangents, self.rules, strict=True):
            if tangent is None or rule is None:
                continue
            explicit = getattr(self, f"jvp_{name}", None)
            if explicit is not None:
                names = _argument_names(explicit.__func__)[2:]
                term = explicit(tangent, *[residuals[slot] for slot in self._slots(names, f"jvp_{name}")])
            elif type(rule) is Scale:
                term = tangent if rule.factor == 1 else tangent * rule.factor
            elif isinstance(rule, Partial):
                term = tangent * rule.call(self, *[residuals[slot] for slot in rule.slots])
            else:
                term = rule.pull(self, tangent, out, residuals)
            total = term if total is None else total + term
        if total is None or total.shape == out.shape:
            return total
        return np.broadcast_to(total, out.shape)

    def spec(self, *specs: Any) -> TensorSpec:
        return result_spec(self.value, specs)


class Linear(Primitive, abstract=True):
    """An operation that is linear in all of its operands together.

    Subclasses give ``transpose(self, g, spec)`` for one operand, or, if ``variadic``, ``transpose(self, g, specs)``,
    which returns a cotangent for each. No residual is kept.
    """

    linear: ClassVar[bool] = True

    @classmethod
    def _rule(cls, attribute: str) -> Rule | None:
        if hasattr(cls, attribute):
            return super()._rule(attribute)
        transpose = cls.__dict__.get("transpose") or getattr(cls, "transpose", None)
        if transpose is None:
            raise WengertError(f"{cls.__name__} needs transpose(self, g, spec)")
        return Rule(transpose, cls._slots(_argument_names(transpose)[2:], "transpose"))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        if all(tangent is None for tangent in tangents):
            return None
        return self(
            *(np.zeros(shape_of(x), out.dtype) if t is None else t for t, x in zip(tangents, inputs, strict=True))
        )


def conjugate(x: Any) -> Any:
    """The complex conjugate; real arrays are returned as they are, without NumPy's copy."""
    return np.conj(x) if x.dtype.kind == "c" else x


def is_scalar(x: Any) -> bool:
    """Whether an operand is a Python or NumPy scalar."""
    return type(x) in SCALAR_TYPES
