"""What a checkpoint keeps: ``checkpoint(f, policy=checkpoint_policies.dots_saveable)``, with JAX's names.

A policy is asked about every operation of the function, ``policy(primitive, *operand_specs)``, and says whether the
result is kept; all others are computed again in the backward pass. A kept result is not computed a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply, leave_node
from wengert.core.errors import GradientError
from wengert.core.levels import as_tensor
from wengert.core.mode import MODE
from wengert.core.primitive import AUX, Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.affine import Affine
from wengert.ops.contraction import Contract, Matmul

Policy = Callable[..., bool]


class Name(Primitive):
    """The identity, with a name for policies to go by."""

    label: str
    inputs = ("x",)
    linear = True
    aliases = True
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return np.asarray(x)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def vjp_x(self, g: Array) -> Array:
        return g

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return tangents[0]


def checkpoint_name(x: Any, name: str) -> Tensor:
    """``x`` itself, under a name that ``save_only_these_names`` and its relatives know.

    >>> import wengert as wg
    >>> f = lambda x: wg.checkpoint_name(x.exp(), "e").sin()
    >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
    >>> kept = wg.checkpoint_policies.save_only_these_names("e")
    >>> wg.ledger(wg.checkpoint(f)(x)).total, wg.ledger(wg.checkpoint(f, policy=kept)(x)).total
    (0, 16)
    """
    named: Tensor = apply(Name(str(name)), as_tensor(x))
    return named


# -- policies -------------------------------------------------------------------------------------------------------


def nothing_saveable(primitive: Primitive, *operands: Any) -> bool:
    """Keep the inputs only; the same as no policy."""
    return False


def everything_saveable(primitive: Primitive, *operands: Any) -> bool:
    """Keep every result: nothing is computed twice."""
    return True


def dots_saveable(primitive: Primitive, *operands: Any) -> bool:
    """Keep the results of matrix products, which are dear to compute and small beside what follows them."""
    return isinstance(primitive, (Matmul, Contract, Affine))


def dots_with_no_batch_dims_saveable(primitive: Primitive, *operands: Any) -> bool:
    """Keep matrix products without batch axes (of weights with activations, not of activations with each other)."""
    if isinstance(primitive, Contract):
        return not set(primitive.left) & set(primitive.right) & set(primitive.out)
    if isinstance(primitive, Matmul):
        return min(len(x.shape) for x in operands) <= 2
    return isinstance(primitive, Affine)


def save_only_these_names(*names: str) -> Policy:
    """Keep what ``checkpoint_name`` gave one of these names."""
    wanted = frozenset(names)
    return lambda primitive, *operands: isinstance(primitive, Name) and primitive.label in wanted


def save_any_names_but_these(*names: str) -> Policy:
    """Keep what ``checkpoint_name`` gave any other name."""
    refused = frozenset(names)
    return lambda primitive, *operands: isinstance(primitive, Name) and primitive.label not in refused


def save_anything_except_these_names(*names: str) -> Policy:
    """Keep every result but those that ``checkpoint_name`` gave one of these names."""
    refused = frozenset(names)
    return lambda primitive, *operands: not (isinstance(primitive, Name) and primitive.label in refused)


def save_from_both_policies(first: Policy, second: Policy) -> Policy:
    """Keep what either policy keeps."""
    return lambda primitive, *operands: first(primitive, *operands) or second(primitive, *operands)


checkpoint_dots = dots_saveable
checkpoint_dots_with_no_batch_dims = dots_with_no_batch_dims_saveable


# -- the two runs of a checkpointed function ------------------------------------------------------------------------


class _Observer:
    """Stands in ``apply``'s place while the function runs; an observer from outside still sees every operation."""

    def __init__(self, outer: Any) -> None:
        self.outer = None if isinstance(outer, _Observer) else outer

    def __call__(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        raise NotImplementedError

    def compute(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        mode = MODE.get()
        token = MODE.set(mode.but(observer=self.outer))
        try:
            return apply(primitive, *inputs)
        finally:
            MODE.reset(token)


class Unobserved(_Observer):
    """For a checkpoint without a policy inside of one with: the outer policy does not look into it."""

    def __call__(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        return self.compute(primitive, inputs)


class Keeper(_Observer):
    """The first run: keeps what the policy accepts, by the position of the operation."""

    def __init__(self, policy: Policy, outer: Any) -> None:
        super().__init__(outer)
        self.policy = policy
        self.kinds: list[type[Primitive]] = []
        self.values: dict[int, Any] = {}
        #: Which operation made a value, so that a name keeps what it is given and not only its own result.
        self.made: dict[int, tuple[int, Any]] = {}

    def __call__(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        out = self.compute(primitive, inputs)
        position = len(self.kinds)
        self.kinds.append(type(primitive))
        results = out if isinstance(out, tuple) else (out,)
        arrays = tuple(y._value for y in results)
        if not isinstance(primitive, Name):
            self.made.update((id(array), (position, arrays)) for array in arrays)
        if self.policy(primitive, *[as_tensor(x) for x in inputs]):
            self.values[position] = arrays
            if isinstance(primitive, Name) and id(arrays[0]) in self.made:
                origin, found = self.made[id(arrays[0])]
                self.values[origin] = found
        return out

    def kept(self) -> Kept:
        """What the replay needs."""
        return Kept(tuple(self.kinds), self.values)


class Kept:
    """Results that are not computed again, a residual of the checkpoint's node."""

    def __init__(self, kinds: tuple[type[Primitive], ...], values: dict[int, Any]) -> None:
        self.kinds = kinds
        self.values = values

    def kept_arrays(self) -> list[Any]:
        """For the ledger."""
        return [array for arrays in self.values.values() for array in arrays]


class Replayer(_Observer):
    """The second run: kept results take the place of computing them."""

    def __init__(self, kept: Kept, outer: Any) -> None:
        super().__init__(outer)
        self.kept = kept
        self.position = 0

    def __call__(self, primitive: Primitive, inputs: Sequence[Any]) -> Any:
        position = self.position
        self.position += 1
        kinds = self.kept.kinds
        if position >= len(kinds) or kinds[position] is not type(primitive):
            before = kinds[position].name if position < len(kinds) else "no operation"
            raise GradientError(
                f"checkpoint: in the replay, operation {position} is {primitive.name} and was {before} before; the "
                f"function must do the same each time it is called"
            )
        found = self.kept.values.get(position)
        return self.compute(primitive, inputs) if found is None else self.restored(primitive, inputs, found)

    def restored(self, primitive: Primitive, inputs: Sequence[Any], found: tuple[Any, ...]) -> Any:
        """The node that the operation would leave, with its kept result."""
        mode = MODE.get()
        nodes = tuple(x._node if isinstance(x, Tensor) else None for x in inputs)
        mask = sum(1 << place for place, node in enumerate(nodes) if node is not None)
        slots = primitive.residual_slots(mask) if mask else ()
        if AUX in slots or not (mask and mode.grad and primitive.differentiable):
            # What lies beside the result was not kept; and without a node there is no graph to restore.
            return self.compute(primitive, inputs)
        values = [x._value if isinstance(x, Tensor) else x for x in inputs]
        several = len(found) != 1
        return leave_node(primitive, inputs, values, nodes, found if several else found[0], None, slots, mode)
