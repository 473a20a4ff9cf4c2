from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from tests.laws.samples import integers, normal
from wengert.ops.convolution import (
    Convolution,
    ConvolutionInput,
    ConvolutionWeight,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from wengert.ops.correlation import Convolve, Correlate, convolve, convolve_nd, correlate
from wengert.testing.laws import ALL_FLOATS, Case


def _each(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def convolution(
    x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """The definition, one output element at a time."""
    rank = w.ndim - 2
    strides, dilations = _each(stride, rank), _each(dilation, rank)
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilations, w.shape[2:], strict=True)]
        pads = [(total // 2, total - total // 2) for total in totals]
    else:
        pads = [(p, p) for p in _each(padding, rank)]
    squeeze = x.ndim == rank + 1
    x = x[None] if squeeze else x
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    extent = [d * (k - 1) + 1 for d, k in zip(dilations, w.shape[2:], strict=True)]
    size = [(n - e) // s + 1 for n, e, s in zip(x.shape[2:], extent, strides, strict=True)]
    out = np.zeros((len(x), len(w), *size), np.result_type(x, w))
    inputs, outputs = w.shape[1], len(w) // groups
    for place in np.ndindex(*size):
        window = x[
            (
                slice(None),
                slice(None),
                *(slice(i * s, i * s + e, d) for i, s, e, d in zip(place, strides, extent, dilations, strict=True)),
            )
        ]
        for group in range(groups):
            part = window[:, group * inputs : (group + 1) * inputs]
            bank = w[group * outputs : (group + 1) * outputs]
            out[(slice(None), slice(group * outputs, (group + 1) * outputs), *place)] = np.tensordot(
                part, bank, (tuple(range(1, rank + 2)),) * 2
            )
    if bias is not None:
        out = out + bias.reshape(-1, *(1,) * rank)
    return out[0] if squeeze else out


def transposed(
    x: Any,
    w: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The definition: each input element adds a multiple of the kernel to the output."""
    rank = w.ndim - 2
    squeeze = x.ndim == rank + 1
    x = x[None] if squeeze else x
    strides, dilations, pads, extras = (_each(v, rank) for v in (stride, dilation, padding, output_padding))
    kernel = w.shape[2:]
    full = [
        (n - 1) * s + d * (k - 1) + 1 + e
        for n, s, d, k, e in zip(x.shape[2:], strides, dilations, kernel, extras, strict=True)
    ]
    outputs, inputs = w.shape[1], x.shape[1] // groups
    out = np.zeros((len(x), outputs * groups, *full), np.result_type(x, w))
    for channel in range(x.shape[1]):
        group = channel // inputs
        for place in np.ndindex(*x.shape[2:]):
            for offset in np.ndindex(*kernel):
                target = tuple(i * s + k * d for i, s, k, d in zip(place, strides, offset, dilations, strict=True))
                out[(slice(None), slice(group * outputs, (group + 1) * outputs), *target)] += (
                    x[(slice(None), channel, *place)][:, None] * w[(channel, slice(None), *offset)]
                )
    out = out[(..., *(slice(p, n - p) for p, n in zip(pads, full, strict=True)))]
    if bias is not None:
        out = out + bias.reshape(-1, *(1,) * rank)
    return out[0] if squeeze else out


def _plain(rank: int) -> tuple[Any, ...]:
    return (1,) * rank, ((0, 0),) * rank, (1,) * rank


CASES = [
    Case(Convolution(*_plain(1)), normal(2, 3, 7), normal(4, 3, 3), reference=convolution, dtypes=ALL_FLOATS),
    Case(Convolution(*_plain(2)), normal(2, 3, 5, 4), normal(4, 3, 3, 2), reference=convolution, dtypes=ALL_FLOATS),
    Case(Convolution((2, 1), ((1, 2), (0, 1)), (1, 2), 2), normal(2, 4, 6, 7), normal(6, 2, 3, 2), dtypes=ALL_FLOATS),
    Case(Convolution(*_plain(1)), normal(0, 3, 7), normal(4, 3, 3), reference=convolution),
    Case(Convolution(*_plain(1)), integers(-5, 5, 2, 3, 7), integers(-5, 5, 4, 3, 3), reference=convolution),
    Case(ConvolutionInput(*_plain(1), size=(7,)), normal(2, 4, 5), normal(4, 3, 3), dtypes=ALL_FLOATS),
    Case(
        ConvolutionInput((2, 1), ((1, 2), (0, 1)), (1, 2), 2, size=(6, 7)),
        normal(2, 6, 4, 6),
        normal(6, 2, 3, 2),
        dtypes=ALL_FLOATS,
    ),
    Case(ConvolutionWeight(*_plain(1), kernel=(3,)), normal(2, 4, 5), normal(2, 3, 7), dtypes=ALL_FLOATS),
    Case(
        ConvolutionWeight((2, 1), ((1, 2), (0, 1)), (1, 2), 2, kernel=(3, 2)),
        normal(2, 6, 4, 6),
        normal(2, 4, 6, 7),
        dtypes=ALL_FLOATS,
    ),
    Case(conv1d, normal(2, 3, 8), normal(4, 3, 3), normal(4), reference=convolution, kwargs={"stride": 2}),
    Case(conv1d, normal(3, 8), normal(4, 3, 3), reference=convolution, kwargs={"padding": "same", "dilation": 2}),
    Case(conv1d, normal(2, 3, 8), normal(4, 3, 4), reference=convolution, kwargs={"padding": "same"}),
    Case(conv2d, normal(2, 4, 6, 5), normal(6, 2, 3, 3), normal(6), reference=convolution, kwargs={"groups": 2}),
    Case(conv2d, normal(2, 3, 6, 5), normal(3, 1, 3, 3), reference=convolution, kwargs={"groups": 3, "padding": 1}),
    Case(conv2d, normal(2, 3, 4, 5), normal(6, 3, 1, 1), reference=convolution, dtypes=ALL_FLOATS),
    Case(
        conv2d,
        normal(1, 2, 7, 6),
        normal(2, 2, 3, 2),
        reference=convolution,
        kwargs={"stride": (2, 3), "padding": (2, 0), "dilation": (2, 1)},
        dtypes=ALL_FLOATS,
    ),
    Case(conv3d, normal(2, 2, 4, 3, 5), normal(3, 2, 2, 2, 3), normal(3), reference=convolution, kwargs={"padding": 1}),
    Case(conv_transpose1d, normal(2, 4, 5), normal(4, 3, 3), normal(3), reference=transposed, kwargs={"stride": 2}),
    Case(
        conv_transpose2d,
        normal(2, 4, 3, 4),
        normal(4, 3, 3, 2),
        normal(6),
        reference=transposed,
        kwargs={"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2), "groups": 2, "dilation": (2, 1)},
        dtypes=ALL_FLOATS,
    ),
    Case(conv_transpose2d, normal(4, 3, 4), normal(4, 3, 3, 2), reference=transposed),
    Case(conv_transpose3d, normal(1, 2, 2, 3, 2), normal(2, 3, 2, 2, 2), reference=transposed, kwargs={"stride": 2}),
    Case(Convolve(), normal(5), normal(3), reference=np.convolve, dtypes=ALL_FLOATS),
    Case(Convolve(), normal(3), normal(5), reference=np.convolve, dtypes=ALL_FLOATS),
    Case(Correlate(), normal(5), normal(3), reference=np.correlate, dtypes=ALL_FLOATS),
    Case(Correlate(), normal(4), normal(4), reference=np.correlate, dtypes=ALL_FLOATS),
    *(
        Case(function, normal(n), normal(m), kwargs={"mode": mode}, reference=reference, dtypes=ALL_FLOATS)
        for function, reference in ((convolve, np.convolve), (correlate, np.correlate))
        for n, m in ((6, 3), (6, 4), (3, 6), (4, 6), (5, 5), (4, 4), (1, 3))
        for mode in ("full", "same", "valid")
    ),
    *(
        Case(
            convolve_nd,
            normal(*first),
            normal(*second),
            kwargs={"mode": mode, "method": method},
            reference=signal.convolve,
            dtypes=ALL_FLOATS,
        )
        for first, second in (((5, 4), (2, 3)), ((2, 3), (5, 4)), ((6,), (3,)), ((3, 2, 4), (2, 2, 3)))
        for mode in ("full", "same", "valid")
        for method in ("direct", "fft")
    ),
]
