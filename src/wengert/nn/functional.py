"""Layers and losses as functions of their parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert as wg
from wengert.core.errors import DTypeError, IndexRangeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor
from wengert.nn.metrics import bilinear as bilinear
from wengert.nn.metrics import channel_dropout as channel_dropout
from wengert.nn.metrics import cosine_embedding_loss as cosine_embedding_loss
from wengert.nn.metrics import cosine_similarity as cosine_similarity
from wengert.nn.metrics import gaussian_nll_loss as gaussian_nll_loss
from wengert.nn.metrics import group_norm as group_norm
from wengert.nn.metrics import gumbel_softmax as gumbel_softmax
from wengert.nn.metrics import hinge_embedding_loss as hinge_embedding_loss
from wengert.nn.metrics import instance_norm as instance_norm
from wengert.nn.metrics import margin_ranking_loss as margin_ranking_loss
from wengert.nn.metrics import multi_margin_loss as multi_margin_loss
from wengert.nn.metrics import pairwise_distance as pairwise_distance
from wengert.nn.metrics import pixel_shuffle as pixel_shuffle
from wengert.nn.metrics import poisson_nll_loss as poisson_nll_loss
from wengert.nn.metrics import reduced
from wengert.nn.metrics import rms_norm as rms_norm
from wengert.nn.metrics import soft_margin_loss as soft_margin_loss
from wengert.nn.metrics import triplet_margin_loss as triplet_margin_loss
from wengert.ops.activation import celu as celu
from wengert.ops.activation import elu as elu
from wengert.ops.activation import gelu as gelu
from wengert.ops.activation import hardshrink as hardshrink
from wengert.ops.activation import hardsigmoid as hardsigmoid
from wengert.ops.activation import hardswish as hardswish
from wengert.ops.activation import hardtanh as hardtanh
from wengert.ops.activation import leaky_relu as leaky_relu
from wengert.ops.activation import log_sigmoid as log_sigmoid
from wengert.ops.activation import mish as mish
from wengert.ops.activation import prelu as prelu
from wengert.ops.activation import relu as relu
from wengert.ops.activation import relu6 as relu6
from wengert.ops.activation import selu as selu
from wengert.ops.activation import sigmoid as sigmoid
from wengert.ops.activation import silu as silu
from wengert.ops.activation import softplus as softplus
from wengert.ops.activation import softshrink as softshrink
from wengert.ops.activation import softsign as softsign
from wengert.ops.activation import tanhshrink as tanhshrink
from wengert.ops.affine import affine as affine
from wengert.ops.convolution import conv1d as conv1d
from wengert.ops.convolution import conv2d as conv2d
from wengert.ops.convolution import conv3d as conv3d
from wengert.ops.convolution import conv_transpose1d as conv_transpose1d
from wengert.ops.convolution import conv_transpose2d as conv_transpose2d
from wengert.ops.convolution import conv_transpose3d as conv_transpose3d
from wengert.ops.embedding import embedding as embedding
from wengert.ops.embedding import one_hot as one_hot
from wengert.ops.interpolation import interpolate as interpolate
from wengert.ops.losses import ClassCrossEntropy
from wengert.ops.pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from wengert.ops.pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
from wengert.ops.pooling import adaptive_avg_pool3d as adaptive_avg_pool3d
from wengert.ops.pooling import adaptive_max_pool1d as adaptive_max_pool1d
from wengert.ops.pooling import adaptive_max_pool2d as adaptive_max_pool2d
from wengert.ops.pooling import adaptive_max_pool3d as adaptive_max_pool3d
from wengert.ops.pooling import avg_pool1d as avg_pool1d
from wengert.ops.pooling import avg_pool2d as avg_pool2d
from wengert.ops.pooling import avg_pool3d as avg_pool3d
from wengert.ops.pooling import fold as fold
from wengert.ops.pooling import max_pool1d as max_pool1d
from wengert.ops.pooling import max_pool2d as max_pool2d
from wengert.ops.pooling import max_pool3d as max_pool3d
from wengert.ops.pooling import unfold as unfold
from wengert.ops.random_ import dropout as dropout
from wengert.ops.softmax import log_softmax as log_softmax
from wengert.ops.softmax import softmax as softmax
from wengert.ops.softmax import softmin as softmin
from wengert.ops.transcendental import tanh as tanh

#: PyTorch's names.
linear = affine
logsigmoid = log_sigmoid
dropout1d = dropout2d = dropout3d = channel_dropout


def _same_shape(input: Any, target: Any, name: str) -> None:
    if np.shape(input) != np.shape(target):
        raise ShapeError(
            f"{name}: input has shape {np.shape(input)} and target {np.shape(target)}; a loss does not broadcast, "
            f"because that is almost always a missing axis. Reshape one of them"
        )


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Squared error."""
    _same_shape(input, target, "mse_loss")
    return reduced(wg.square(as_tensor(input) - target), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Absolute error."""
    _same_shape(input, target, "l1_loss")
    return reduced(wg.abs(as_tensor(input) - target), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Quadratic near zero, linear beyond ``delta`` (Huber 1964)."""
    _same_shape(input, target, "huber_loss")
    error = as_tensor(input) - target
    size = wg.abs(error)
    return reduced(wg.where(size <= delta, 0.5 * error * error, delta * (size - 0.5 * delta)), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Huber's loss divided by ``beta``; the absolute error for ``beta`` 0."""
    if beta == 0:
        return l1_loss(input, target, reduction)
    return huber_loss(input, target, reduction, delta=beta) / beta


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """Cross-entropy of a Bernoulli variable from its logit, without overflow."""
    _same_shape(input, target, "binary_cross_entropy_with_logits")
    input, target = as_tensor(input), as_tensor(target)
    if pos_weight is None:
        loss = softplus(input) - input * target
    else:
        loss = (1 - target) * input + (1 + (pos_weight - 1) * target) * softplus(-input)
    return reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Tensor:
    """Cross-entropy of a Bernoulli variable from its probability; logarithms are cut off at -100, as in PyTorch."""
    _same_shape(input, target, "binary_cross_entropy")
    input, target = as_tensor(input), as_tensor(target)
    loss = -(target * wg.clip(wg.log(input), -100.0, None) + (1 - target) * wg.clip(wg.log1p(-input), -100.0, None))
    return reduced(loss if weight is None else loss * weight, reduction)


def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Tensor:
    """Minus the log-probability of the target class.

    ``input`` holds log-probabilities of shape (N, C, ...) or (C,), ``target`` class indices of shape (N, ...) or ().
    With ``weight`` (C,) the mean is a weighted one. Entries equal to ``ignore_index`` do not count.
    """
    input, target = as_tensor(input), as_tensor(target)
    if target.dtype.kind not in "iu":
        raise DTypeError(f"nll_loss: class indices must be integers, not {target.dtype}")
    axis = 0 if input.ndim == 1 else 1
    expected = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != expected:
        raise ShapeError(
            f"nll_loss: input of shape {input.shape} needs a target of shape {expected}, not {target.shape}"
        )
    classes = input.shape[axis]
    kept = target != ignore_index
    # While a graph is being traced, the classes are not known.
    ignores = not bool(np.all(kept._value)) if isinstance(kept._value, np.ndarray) else True
    safe = wg.where(kept, target, 0) if ignores else target
    found = safe._value
    if isinstance(found, np.ndarray) and found.size and not (found.min() >= 0 and found.max() < classes):
        raise IndexRangeError(
            f"nll_loss: a target class is outside 0..{classes - 1} (they range from {found.min()} to {found.max()})"
        )
    if not isinstance(found, np.ndarray):
        # Checked when it is known: a negative class must not count from the end.
        safe = wg.where(safe < 0, classes, safe)
    picked = -wg.take_along_axis(input, wg.expand_dims(safe, axis), axis).squeeze(axis)
    if weight is None and not ignores:
        return reduced(picked, reduction)
    weights = wg.ones_like(picked.detach()) if weight is None else wg.take(as_tensor(weight), safe, axis=0)
    weights = wg.where(kept, weights, 0.0)
    picked = picked * weights
    return picked.sum() / weights.sum() if reduction == "mean" else reduced(picked, reduction)


_CROSS_ENTROPY = ClassCrossEntropy()


def _is_plain(input: Tensor, target: Tensor, ignore_index: int) -> bool:
    """Whether every target counts and has the shape it should: then one operation does it all."""
    axis = 0 if input.ndim == 1 else 1
    if target.shape != input.shape[:axis] + input.shape[axis + 1 :] or not isinstance(target._value, np.ndarray):
        return False
    return not bool((target._value == ignore_index).any())


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy from logits of shape (N, C, ...) or (C,).

    ``target`` is class indices (N, ...), or probabilities of the shape of ``input``.

    >>> import wengert as wg
    >>> round(float(cross_entropy(wg.tensor([[0.0, 0.0]]), wg.tensor([1]))), 4)
    0.6931
    """
    input, target = as_tensor(input), as_tensor(target)
    axis = 0 if input.ndim == 1 else 1
    if target.dtype.kind in "iu" and weight is None and not label_smoothing and _is_plain(input, target, ignore_index):
        moved = input if axis == input.ndim - 1 else wg.moveaxis(input, axis, -1)
        loss: Tensor = wg.apply(_CROSS_ENTROPY, moved, target)
        return reduced(loss, reduction)
    logs = log_softmax(input, axis=axis)
    classes = input.shape[axis]
    if target.dtype.kind == "f":
        _same_shape(input, target, "cross_entropy with probabilities")
        if label_smoothing:
            target = target * (1 - label_smoothing) + label_smoothing / classes
        if weight is not None:
            target = target * as_tensor(weight).reshape((1,) * axis + (-1,) + (1,) * (input.ndim - axis - 1))
        return reduced(-(target * logs).sum(axis=axis), reduction)
    loss = nll_loss(logs, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return loss
    # Smoothing spreads its part over all classes, each with its weight, and leaves ignored entries out.
    kept = target != ignore_index
    shape = (1,) * axis + (-1,) + (1,) * (input.ndim - axis - 1)
    every = logs if weight is None else logs * as_tensor(weight).reshape(shape)
    smooth = wg.where(kept, -every.sum(axis=axis), 0.0)
    if reduction == "mean":
        safe = wg.where(kept, target, 0)
        counts = wg.ones_like(smooth.detach()) if weight is None else wg.take(as_tensor(weight), safe, axis=0)
        smooth = smooth.sum() / wg.where(kept, counts, 0.0).sum()
    else:
        smooth = reduced(smooth, reduction)
    return (1 - label_smoothing) * loss + label_smoothing / classes * smooth


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Kullback-Leibler divergence of ``target`` from exp(``input``), pointwise target * (log target - input)."""
    input, target = as_tensor(input), as_tensor(target)
    loss = wg.exp(target) * (target - input) if log_target else wg.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return loss.sum() / input.shape[0]
    return reduced(loss, reduction)


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Normalise the trailing axes to mean 0 and variance 1, then scale and shift (Ba, Kiros and Hinton 2016)."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    x = as_tensor(input)
    if x.shape[x.ndim - len(shape) :] != shape:
        raise ShapeError(f"layer_norm over {shape} does not fit an input of shape {x.shape}")
    axes = tuple(range(-len(shape), 0))
    centred = x - x.mean(axis=axes, keepdims=True)
    out = centred / wg.sqrt(wg.square(centred).mean(axis=axes, keepdims=True) + eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise each channel of (N, C, ...) (Ioffe and Szegedy 2015).

    Returns the result and the mean and (biased) variance that were used, so that the caller can update its running
    statistics: a function changes nothing that it is given.
    """
    x = as_tensor(input)
    axes = (0, *range(2, x.ndim))
    shape = (1, -1) + (1,) * (x.ndim - 2)
    if training:
        mean = x.mean(axis=axes)
        centred = x - mean.reshape(shape)
        var = wg.square(centred).mean(axis=axes)
    else:
        mean, var = as_tensor(running_mean), as_tensor(running_var)
        centred = x - mean.reshape(shape)
    out = centred / wg.sqrt(var.reshape(shape) + eps)
    out = out if weight is None else out * as_tensor(weight).reshape(shape)
    return (out if bias is None else out + as_tensor(bias).reshape(shape)), mean, var


def normalize(input: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Tensor:
    """Divide by the p-norm along an axis."""
    x = as_tensor(input)
    size = wg.sum(wg.abs(x) ** p, axis=axis, keepdims=True) ** (1.0 / p)
    return x / wg.maximum(size, eps)


def scaled_dot_product_attention(query: Any, key: Any, value: Any, attn_mask: Any = None) -> Tensor:
    """softmax(Q K^T / sqrt(d)) V over the last two axes (Vaswani et al. 2017).

    ``attn_mask`` is boolean (True where attention is allowed) or added to the scores.
    """
    query, key, value = as_tensor(query), as_tensor(key), as_tensor(value)
    scores = wg.matmul(query, wg.swapaxes(key, -1, -2)) * (query.shape[-1] ** -0.5)
    if attn_mask is not None:
        mask = as_tensor(attn_mask)
        scores = wg.where(mask, scores, -np.inf) if mask.dtype.kind == "b" else scores + mask
    return wg.matmul(softmax(scores, axis=-1), value)
