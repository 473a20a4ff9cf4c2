"""Convolution and pooling layers for signals (N, C, L), images (N, C, H, W) and volumes (N, C, D, H, W)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from wengert.core.errors import ShapeError
from wengert.nn import functional, init
from wengert.nn.layers import new_parameter
from wengert.nn.module import Module


def _tuple(value: Any, rank: int) -> tuple[int, ...]:
    found = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(found) != rank:
        raise ShapeError(f"expected one length or {rank} of them, got {value}")
    return found


class _Conv(Module):
    """What all convolutions share: the bank of filters and the options."""

    rank: ClassVar[int]
    transposed: ClassVar[bool] = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ShapeError(f"{groups} groups do not divide {in_channels} input and {out_channels} output channels")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = _tuple(kernel_size, self.rank)
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = new_parameter(first, second // groups, *self.kernel_size, dtype=dtype)
        if bias:
            self.bias = new_parameter(out_channels, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial values again, as in PyTorch: uniform on +-1/sqrt(fan in)."""
        bound = 1 / math.sqrt(max(1, init.fans(self.weight.shape)[0]))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Any:
        convolve = getattr(functional, f"conv{self.rank}d")
        return convolve(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}"
        )


class Conv1d(_Conv):
    """Cross-correlation of (N, C_in, L) with a bank of filters, as in PyTorch."""

    rank = 1


class Conv2d(_Conv):
    """Cross-correlation of (N, C_in, H, W) with a bank of filters, as in PyTorch."""

    rank = 2


class Conv3d(_Conv):
    """Cross-correlation of (N, C_in, D, H, W) with a bank of filters, as in PyTorch."""

    rank = 3


class _ConvTranspose(_Conv):
    """The transpose of a convolution as a linear map; ``output_padding`` chooses among the lengths that it could have
    come from."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        dtype: Any = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, dtype)
        self.output_padding = output_padding

    def forward(self, x: Any) -> Any:
        convolve = getattr(functional, f"conv_transpose{self.rank}d")
        options = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return convolve(x, self.weight, self.bias, *options)


class ConvTranspose1d(_ConvTranspose):
    """The transpose of ``Conv1d``, from (N, C_in, L)."""

    rank = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of ``Conv2d``, from (N, C_in, H, W)."""

    rank = 2


class ConvTranspose3d(_ConvTranspose):
    """The transpose of ``Conv3d``, from (N, C_in, D, H, W)."""

    rank = 3


class _Pool(Module):
    """Calls one pooling function with the constructor's options."""

    function: ClassVar[str]

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, **options: Any) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding, self.options = kernel_size, stride, padding, options

    def forward(self, x: Any) -> Any:
        pool = getattr(functional, self.function)
        return pool(x, self.kernel_size, self.stride, self.padding, **self.options)

    def extra_repr(self) -> str:
        more = "".join(f", {name}={value}" for name, value in self.options.items())
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}{more}"


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        options = {"dilation": dilation, "return_indices": return_indices, "ceil_mode": ceil_mode}
        super().__init__(kernel_size, stride, padding, **options)


class MaxPool1d(_MaxPool):
    """The maximum of each window of (N, C, L)."""

    function = "max_pool1d"


class MaxPool2d(_MaxPool):
    """The maximum of each window of (N, C, H, W)."""

    function = "max_pool2d"


class MaxPool3d(_MaxPool):
    """The maximum of each window of (N, C, D, H, W)."""

    function = "max_pool3d"


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad)


class AvgPool1d(_AvgPool):
    """The mean of each window of (N, C, L)."""

    function = "avg_pool1d"


class AvgPool2d(_AvgPool):
    """The mean of each window of (N, C, H, W)."""

    function = "avg_pool2d"


class AvgPool3d(_AvgPool):
    """The mean of each window of (N, C, D, H, W)."""

    function = "avg_pool3d"


class _AdaptivePool(Module):
    """Pools over windows chosen so that the result has a given size."""

    function: ClassVar[str]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        return getattr(functional, self.function)(x, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """The mean of windows chosen so that the result has a given length."""

    function = "adaptive_avg_pool1d"


class AdaptiveAvgPool2d(_AdaptivePool):
    """The mean of windows chosen so that the result has a given size."""

    function = "adaptive_avg_pool2d"


class AdaptiveAvgPool3d(_AdaptivePool):
    """The mean of windows chosen so that the result has a given size."""

    function = "adaptive_avg_pool3d"


class AdaptiveMaxPool1d(_AdaptivePool):
    """The maximum of windows chosen so that the result has a given length."""

    function = "adaptive_max_pool1d"


class AdaptiveMaxPool2d(_AdaptivePool):
    """The maximum of windows chosen so that the result has a given size."""

    function = "adaptive_max_pool2d"


class AdaptiveMaxPool3d(_AdaptivePool):
    """The maximum of windows chosen so that the result has a given size."""

    function = "adaptive_max_pool3d"


class Upsample(Module):
    """(N, C, ...) at other spatial lengths: ``functional.interpolate``."""

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool = False
    ) -> None:
        super().__init__()
        self.options = {"size": size, "scale_factor": scale_factor, "mode": mode, "align_corners": align_corners}

    def forward(self, x: Any) -> Any:
        return functional.interpolate(x, **self.options)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.options.items() if value is not None)


class PixelShuffle(Module):
    """(N, C r^2, H, W) to (N, C, H r, W r): Shi et al., CVPR 2016."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, x: Any) -> Any:
        return functional.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"
