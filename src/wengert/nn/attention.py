"""Attention."""

from __future__ import annotations

from typing import Any

import wengert as wg
from wengert.core.errors import ShapeError
from wengert.core.tensor import Tensor
from wengert.nn import functional
from wengert.nn.layers import Linear
from wengert.nn.module import Module


class MultiheadAttention(Module):
    """Attention in several heads (Vaswani et al. 2017) on inputs (N, T, embed_dim)."""

    def __init__(self, embed_dim: int, num_heads: int, bias: bool = True, dtype: Any = None) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ShapeError(f"MultiheadAttention: {num_heads} heads do not divide {embed_dim} features")
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.query = Linear(embed_dim, embed_dim, bias, dtype)
        self.key = Linear(embed_dim, embed_dim, bias, dtype)
        self.value = Linear(embed_dim, embed_dim, bias, dtype)
        self.out = Linear(embed_dim, embed_dim, bias, dtype)

    def _heads(self, x: Tensor) -> Tensor:
        n, t, _ = x.shape
        return wg.swapaxes(x.reshape((n, t, self.num_heads, -1)), 1, 2)

    def forward(self, query: Any, key: Any, value: Any, attn_mask: Any = None) -> Tensor:
        q, k, v = self._heads(self.query(query)), self._heads(self.key(key)), self._heads(self.value(value))
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask)
        n, _, t, _ = mixed.shape
        result: Tensor = self.out(wg.swapaxes(mixed, 1, 2).reshape((n, t, self.embed_dim)))
        return result
