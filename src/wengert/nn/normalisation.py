"""Normalisation over groups of channels and single instances, and layers that compare or combine two inputs."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from wengert.core.errors import ShapeError
from wengert.nn import functional, init
from wengert.nn.layers import BatchNorm2d, Dropout, new_parameter
from wengert.nn.module import Module


class BatchNorm3d(BatchNorm2d):
    """Batch normalisation of (N, C, D, H, W)."""

    dimensions = (5,)


class _Scaled(Module):
    """Holds a weight of ones and a bias of zeros, or neither."""

    def _start(self, affine: bool, bias: bool, *shape: int, dtype: Any = None) -> None:
        for name, wanted, fill in (("weight", affine, init.ones_), ("bias", affine and bias, init.zeros_)):
            if wanted:
                setattr(self, name, fill(new_parameter(*shape, dtype=dtype)))
            else:
                self.register_parameter(name, None)


class GroupNorm(_Scaled):
    """Normalise groups of channels of each example of (N, C, ...)."""

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, dtype: Any = None
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ShapeError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels")
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self._start(affine, True, num_channels, dtype=dtype)

    def forward(self, x: Any) -> Any:
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"


class _InstanceNorm(_Scaled):
    dimensions: ClassVar[int]

    def __init__(self, num_features: int, eps: float = 1e-5, affine: bool = False, dtype: Any = None) -> None:
        super().__init__()
        self.num_features, self.eps = num_features, eps
        self._start(affine, True, num_features, dtype=dtype)

    def forward(self, x: Any) -> Any:
        if x.ndim != self.dimensions or x.shape[1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}({self.num_features}) takes {self.dimensions} dimensions with "
                f"{self.num_features} channels second, and got shape {x.shape}"
            )
        return functional.instance_norm(x, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}"


class InstanceNorm1d(_InstanceNorm):
    """Normalise each channel of each example of (N, C, L)."""

    dimensions = 3


class InstanceNorm2d(_InstanceNorm):
    """Normalise each channel of each example of (N, C, H, W)."""

    dimensions = 4


class InstanceNorm3d(_InstanceNorm):
    """Normalise each channel of each example of (N, C, D, H, W)."""

    dimensions = 5


class RMSNorm(_Scaled):
    """Divide by the root mean square of the trailing axes: Zhang and Sennrich, NeurIPS 2019."""

    def __init__(
        self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True, dtype: Any = None
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self._start(elementwise_affine, False, *self.normalized_shape, dtype=dtype)

    def forward(self, x: Any) -> Any:
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"


class _ChannelDropout(Dropout):
    """Set whole channels of (N, C, ...) to zero while training."""

    def forward(self, x: Any) -> Any:
        return functional.channel_dropout(x, self.p, self.training)


class Dropout1d(_ChannelDropout):
    """Set whole channels of (N, C, L) to zero while training."""


class Dropout2d(_ChannelDropout):
    """Set whole channels of (N, C, H, W) to zero while training."""


class Dropout3d(_ChannelDropout):
    """Set whole channels of (N, C, D, H, W) to zero while training."""


class PReLU(Module):
    """x where positive, a learnt multiple of it elsewhere; one slope, or one for each channel."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = new_parameter(num_parameters, dtype=dtype)
        self.weight._value = self.weight._value + init

    def forward(self, x: Any) -> Any:
        channels = (1, -1) + (1,) * (x.ndim - 2)
        weight = self.weight.reshape(channels if self.num_parameters > 1 and x.ndim > 1 else (self.num_parameters,))
        return functional.prelu(x, weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Bilinear(Module):
    """``x1 @ weight[k] @ x2 + bias[k]`` for each output feature k."""

    def __init__(self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, dtype: Any = None):
        super().__init__()
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        bound = 1 / math.sqrt(max(1, in1_features))
        self.weight = init.uniform_(new_parameter(out_features, in1_features, in2_features, dtype=dtype), -bound, bound)
        if bias:
            self.bias = init.uniform_(new_parameter(out_features, dtype=dtype), -bound, bound)
        else:
            self.register_parameter("bias", None)

    def forward(self, x1: Any, x2: Any) -> Any:
        return functional.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.in1_features}, {self.in2_features}, {self.out_features}"


class CosineSimilarity(Module):
    """The cosine of the angle between two inputs along an axis."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Any:
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)
