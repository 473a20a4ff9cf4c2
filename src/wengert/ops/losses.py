"""Cross-entropy from logits as one operation: one node, and softmax minus one-hot in the backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.errors import IndexRangeError
from wengert.core.primitive import Primitive
from wengert.core.types import Array, TensorSpec
from wengert.ops.embedding import OneHot
from wengert.ops.families import conjugate
from wengert.ops.softmax import Softmax


class ClassCrossEntropy(Primitive):
    """Minus the logarithm of the softmax over the last axis of ``x`` at the class ``target``."""

    short_name = "CrossEntropy"

    def value(self, x: Any, target: Any) -> Any:
        classes = x.shape[-1]
        if target.size and (target.min() < 0 or target.max() >= classes):
            raise IndexRangeError(
                f"a target class is outside 0..{classes - 1} (they range from {target.min()} to {target.max()})"
            )
        top = x.max(axis=-1, keepdims=True)
        shifted = x - np.where(np.isfinite(top), top, np.zeros_like(top))
        picked = np.take_along_axis(shifted, target[..., None], -1)[..., 0]
        return np.log(np.add.reduce(np.exp(shifted), -1)) - picked

    def decompose(self, x: Any, target: Any) -> Any:
        here = OneHot(x.shape[-1], x.dtype.name)(target)
        shifted = x - np.max(x, axis=-1, keepdims=True)
        # Not a product: infinity times zero is NaN.
        picked = np.where(here != 0, shifted, 0).sum(axis=-1)
        return np.log(np.exp(shifted).sum(axis=-1)) - picked

    def spec(self, x: TensorSpec, target: TensorSpec) -> TensorSpec:
        return TensorSpec(x.shape[:-1], x.dtype)

    @staticmethod
    def _slope(x: Array, target: Any) -> Array:
        return Softmax((-1,))(x) - OneHot(x.shape[-1], x.dtype.name)(target)

    def vjp_x(self, g: Array, x: Array, target: Any) -> Array:
        return conjugate(self._slope(x, target)) * np.expand_dims(g, -1)

    vjp_target = None

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[0] is None else (tangents[0] * self._slope(*inputs)).sum(axis=-1)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        x, target = inputs
        if not batched[0]:
            x = np.broadcast_to(x, (size, *x.shape))
        if not batched[1]:
            target = np.broadcast_to(target, (size, *target.shape))
        return self(x, target)
