"""Changes of shape: no element is computed, only moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.families import Linear
from wengert.ops.protocol import implements


class Reshape(Linear):
    """The same elements, in row-major order, in another shape."""

    shape: tuple[int, ...]
    aliases = True

    def value(self, x: Any) -> Any:
        return np.reshape(x, self.shape)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(self.shape, x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        return g.reshape(spec.shape)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        return Reshape((size, *self.shape))(*inputs)


class BroadcastTo(Linear):
    """Repeat along new axes and axes of length one."""

    short_name = "Expand"
    shape: tuple[int, ...]
    aliases = True

    def value(self, x: Any) -> Any:
        return np.broadcast_to(x, self.shape)

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(self.shape, x.dtype)

    def transpose(self, g: Array, spec: Any) -> Array:
        # The sweep sums whatever was broadcast; see ``wengert.core.backward.conform``.
        return g

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        (x,) = inputs
        rank = len(self.shape)
        aligned = x.reshape((size, *(1,) * (rank - x.ndim + 1), *x.shape[1:]))
        return BroadcastTo((size, *self.shape))(aligned)


@implements(np.reshape)
def reshape(x: Any, shape: Any) -> Tensor:
    """The same elements in another shape; one length may be -1."""
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if -1 in shape:
        known = int(np.prod([n for n in shape if n != -1], dtype=int))
        shape = tuple(x.size // known if n == -1 and known else n for n in shape)
    return apply(Reshape(tuple(int(n) for n in shape)), x)


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: Any) -> Tensor:
    """Repeat along new axes and axes of length one."""
    return apply(BroadcastTo(tuple(shape)), x)
