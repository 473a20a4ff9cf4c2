"""Layers with parameters, normalisation, dropout and activations."""

from __future__ import annotations

import math
from typing import Any

import wengert as wg
from wengert.core.errors import ShapeError
from wengert.core.types import get_default_dtype
from wengert.nn import functional, init
from wengert.nn.module import Module, Parameter


def new_parameter(*shape: int, dtype: Any = None) -> Parameter:
    """A parameter of zeros, in the default dtype unless one is given."""
    return Parameter(wg.zeros(shape, dtype=get_default_dtype() if dtype is None else dtype))


class Linear(Module):
    """``x @ weight.T + bias``: (..., in_features) gives (..., out_features).

    Weights start as in PyTorch, uniform on +-1/sqrt(in_features).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: Any = None) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = new_parameter(out_features, in_features, dtype=dtype)
        if bias:
            self.bias = new_parameter(out_features, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial values again."""
        bound = 1 / math.sqrt(max(1, self.in_features))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Any:
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """A table of vectors, looked up by integer."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.weight = new_parameter(num_embeddings, embedding_dim, dtype=dtype)
        init.normal_(self.weight)
        if padding_idx is not None:
            value = self.weight._value.copy()
            value[padding_idx] = 0
            self.weight._value = value

    def forward(self, indices: Any) -> Any:
        return functional.embedding(indices, self.weight, padding_idx=self.padding_idx)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"


class Flatten(Module):
    """Join the axes from ``start_dim`` to ``end_dim`` into one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Any) -> Any:
        start = self.start_dim % x.ndim
        end = self.end_dim % x.ndim
        if end < start:
            raise ShapeError(f"Flatten: axes {self.start_dim} to {self.end_dim} of {x.ndim} dimensions")
        return x.reshape((*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Identity(Module):
    """What goes in comes out."""

    def forward(self, x: Any) -> Any:
        return x


class Dropout(Module):
    """Set each element to zero with probability ``p`` while training, and scale the rest by 1 / (1 - p)."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ShapeError(f"Dropout: p must lie in [0, 1], not {p}")
        self.p = p

    def forward(self, x: Any) -> Any:
        return functional.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class LayerNorm(Module):
    """Normalise the trailing axes to mean 0 and variance 1, then scale and shift."""

    def __init__(
        self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5, affine: bool = True, dtype: Any = None
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        if affine:
            self.weight = init.ones_(new_parameter(*shape, dtype=dtype))
            self.bias = new_parameter(*shape, dtype=dtype)
        else:
            self.register_parameter("weight", None)
            self.register_parameter("bias", None)

    def forward(self, x: Any) -> Any:
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"


class BatchNorm2d(Module):
    """Normalise each channel over the batch while training, by running statistics in evaluation.

    With ``momentum=None`` those are the plain means over all batches so far, which ``num_batches_tracked`` counts.
    """

    dimensions: tuple[int, ...] = (4,)
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        if affine:
            self.weight = init.ones_(new_parameter(num_features, dtype=dtype))
            self.bias = new_parameter(num_features, dtype=dtype)
        else:
            self.register_parameter("weight", None)
            self.register_parameter("bias", None)
        kind = get_default_dtype() if dtype is None else dtype
        self.register_buffer("running_mean", wg.zeros(num_features, dtype=kind))
        self.register_buffer("running_var", wg.ones(num_features, dtype=kind))
        self.register_buffer("num_batches_tracked", wg.zeros((), dtype="int64"))

    def forward(self, x: Any) -> Any:
        if x.ndim not in self.dimensions or x.shape[1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}({self.num_features}) got an input of shape {x.shape}; it takes "
                f"{' or '.join(str(n) for n in self.dimensions)} dimensions with {self.num_features} channels second"
            )
        out, mean, var = functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.eps
        )
        if self.training:
            count = math.prod(x.shape) // self.num_features
            self.num_batches_tracked = self.num_batches_tracked + 1
            take = 1.0 / self.num_batches_tracked if self.momentum is None else self.momentum
            keep = 1.0 - take
            unbiased = var.detach() * (count / max(1, count - 1))
            self.running_mean = keep * self.running_mean + take * mean.detach()
            self.running_var = keep * self.running_var + take * unbiased
        return out

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(BatchNorm2d):
    """Batch normalisation of (N, C) or (N, C, L)."""

    dimensions = (2, 3)
