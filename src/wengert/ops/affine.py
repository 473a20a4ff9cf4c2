"""The affine map of a dense layer, as one operation: one node, no temporary for the bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import ShapeError
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.families import conjugate


def _rows(x: Array) -> Array:
    """All leading axes as one."""
    return x if x.ndim == 2 else x.reshape((-1, x.shape[-1]))


class Affine(Primitive):
    """``x @ weight.T + bias``: shapes (..., n), (m, n) and (m,) give (..., m)."""

    def value(self, x: Any, weight: Any, bias: Any) -> Any:
        if weight.ndim != 2 or bias.shape != weight.shape[:1] or x.ndim == 0 or x.shape[-1] != weight.shape[1]:
            raise ShapeError(
                f"expected x (..., n), weight (m, n) and bias (m,), got {x.shape}, {weight.shape} and {bias.shape}"
            )
        out = np.matmul(x, weight.T)
        if out.dtype == np.result_type(out, bias) and type(out) is np.ndarray:
            out += bias
            return out
        return out + bias

    def decompose(self, x: Any, weight: Any, bias: Any) -> Any:
        return np.matmul(x, np.swapaxes(weight, 0, 1)) + bias

    def spec(self, x: TensorSpec, weight: TensorSpec, bias: TensorSpec) -> TensorSpec:
        return TensorSpec((*x.shape[:-1], weight.shape[0]), np.result_type(x.dtype, weight.dtype, bias.dtype))

    def vjp_x(self, g: Array, weight: Array) -> Array:
        return np.matmul(g, conjugate(weight))

    def vjp_weight(self, g: Array, x: Array) -> Array:
        return np.matmul(np.swapaxes(_rows(g), 0, 1), conjugate(_rows(x))) if x.ndim > 1 else np.outer(g, conjugate(x))

    def vjp_bias(self, g: Array) -> Array:
        # The sweep sums over the leading axes, along which the bias was broadcast.
        return g

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        x, weight, _ = inputs
        dx, dweight, dbias = tangents
        total: Any = None if dx is None else np.matmul(dx, np.swapaxes(weight, 0, 1))
        if dweight is not None:
            term = np.matmul(x, np.swapaxes(dweight, 0, 1))
            total = term if total is None else total + term
        if dbias is not None:
            total = dbias if total is None else total + dbias
        return total if total.shape == out.shape else np.broadcast_to(total, out.shape)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        x, weight, bias = inputs
        if batched == [True, False, False]:
            return self(x, weight, bias)
        if not batched[0]:
            x = np.broadcast_to(x, (size, *x.shape))
        shape = x.shape
        # One matrix product for each element of the batch: (size, rows, n) @ (size or 1, n, m).
        rows = x.reshape((size, -1, shape[-1]))
        product = np.matmul(rows, np.swapaxes(weight, -1, -2))
        product = product + (bias.reshape((size, 1, -1)) if batched[2] else bias)
        return product.reshape((*shape[:-1], weight.shape[-2]))


_AFFINE = Affine()


def affine(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """``x @ weight.T + bias``, the map of a dense layer.

    ``x`` has shape (..., n), ``weight`` (m, n), ``bias`` (m,) or ``None``; the result has shape (..., m). Raises
    ``ShapeError`` if they do not fit.

    >>> import wengert as wg
    >>> wg.affine(wg.tensor([1.0, 2.0]), wg.tensor([[3.0, 4.0]]), wg.tensor([0.5]))
    tensor([11.5])
    """
    if bias is None:
        # Adding zeros would be a pass over the result for nothing.
        product: Tensor = np.matmul(x, np.swapaxes(weight, 0, 1))
        return product
    result: Tensor = apply(_AFFINE, x, weight, bias)
    return result
