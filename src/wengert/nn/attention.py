"""Attention."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert as wg
from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor
from wengert.nn import functional, init
from wengert.nn.layers import Linear, new_parameter
from wengert.nn.module import Module


def _both(mask: Any, allowed: Any) -> Tensor:
    """A mask that also forbids what ``allowed`` does not allow."""
    more = as_tensor(allowed)
    if mask is None:
        return more
    own = as_tensor(mask)
    joined: Tensor = wg.logical_and(own, more) if own.dtype.kind == "b" else wg.where(more, own, -np.inf)
    return joined


class MultiheadAttention(Module):
    """Attention in several heads (Vaswani et al. 2017) on inputs (N, T, embed_dim).

    ``attn_mask`` is boolean (True where attention is allowed) or added to the scores, and broadcasts to
    (N, heads, T, S). ``key_padding_mask`` (N, S) is True for keys that do not count, as in PyTorch. With ``is_causal``
    a position sees itself and what came before. A query that may look at nothing gives NaN. Parameters have PyTorch's
    names and shapes.
    """

    def __init__(self, embed_dim: int, num_heads: int, bias: bool = True, dtype: Any = None) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ShapeError(f"MultiheadAttention: {num_heads} heads do not divide {embed_dim} features")
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.in_proj_weight = init.xavier_uniform_(new_parameter(3 * embed_dim, embed_dim, dtype=dtype))
        self.register_parameter("in_proj_bias", new_parameter(3 * embed_dim, dtype=dtype) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype)

    def _projected(self, x: Any, part: int) -> Tensor:
        """What the heads see of an input, with the rows of the projection for queries (0), keys (1) or values (2)."""
        rows = slice(part * self.embed_dim, (part + 1) * self.embed_dim)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        seen = functional.linear(x, self.in_proj_weight[rows], bias)
        n, t, _ = seen.shape
        return wg.swapaxes(seen.reshape((n, t, self.num_heads, -1)), 1, 2)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        attn_mask: Any = None,
        key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Tensor:
        length, keys = query.shape[1], key.shape[1]
        if is_causal:
            attn_mask = _both(attn_mask, np.tri(length, keys, dtype=bool))
        if key_padding_mask is not None:
            padding = as_tensor(key_padding_mask)
            if padding.dtype.kind != "b" or padding.shape != (key.shape[0], keys):
                raise ShapeError(
                    f"MultiheadAttention: key_padding_mask must be boolean of shape {(key.shape[0], keys)}, not "
                    f"{padding.dtype} of shape {padding.shape}"
                )
            attn_mask = _both(attn_mask, wg.logical_not(padding)[:, None, None, :])
        q, k, v = (self._projected(x, part) for part, x in enumerate((query, key, value)))
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask)
        n, _, t, _ = mixed.shape
        result: Tensor = self.out_proj(wg.swapaxes(mixed, 1, 2).reshape((n, t, self.embed_dim)))
        return result
