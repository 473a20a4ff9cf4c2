"""Functions of ``functional`` for normalisation, distances and further losses."""

from __future__ import annotations

import math
from typing import Any

import wengert as wg
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.tensor import Tensor
from wengert.ops.random_ import dropout
from wengert.ops.softmax import log_softmax


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The mean or the sum of a loss, or the loss itself."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    if reduction == "none":
        return loss
    raise DTypeError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")


def _per_channel(value: Any, x: Tensor) -> Tensor:
    return as_tensor(value).reshape((1, -1) + (1,) * (x.ndim - 2))


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Normalise ``num_groups`` groups of channels of each example of (N, C, ...) (Wu and He 2018)."""
    x = as_tensor(input)
    if x.ndim < 2 or x.shape[1] % num_groups:
        raise ShapeError(f"group_norm: {num_groups} groups do not divide the channels of an input of shape {x.shape}")
    rows = x.reshape((x.shape[0], num_groups, -1))
    centred = rows - rows.mean(axis=-1, keepdims=True)
    out = (centred / wg.sqrt(wg.square(centred).mean(axis=-1, keepdims=True) + eps)).reshape(x.shape)
    out = out if weight is None else out * _per_channel(weight, x)
    return out if bias is None else out + _per_channel(bias, x)


def instance_norm(input: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Normalise each channel of each example of (N, C, ...) (Ulyanov, Vedaldi and Lempitsky 2016)."""
    return group_norm(input, as_tensor(input).shape[1], weight, bias, eps)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Tensor:
    """Divide by the root mean square of the trailing axes; ``eps`` is the dtype's precision unless given."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    x = as_tensor(input)
    if x.shape[x.ndim - len(shape) :] != shape:
        raise ShapeError(f"rms_norm over {shape} does not fit an input of shape {x.shape}")
    small = float(wg.finfo(x.dtype).eps) if eps is None else eps
    axes = tuple(range(-len(shape), 0))
    out: Tensor = x / wg.sqrt(wg.square(x).mean(axis=axes, keepdims=True) + small)
    return out if weight is None else out * weight


def channel_dropout(input: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """Set whole channels of (N, C, ...) to zero with probability ``p`` and scale the others by 1 / (1 - p)."""
    x = as_tensor(input)
    if x.ndim < 2:
        raise ShapeError(f"channel_dropout: expected (batch, channels, ...), got shape {x.shape}")
    masked: Tensor = x * dropout(wg.ones(x.shape[:2] + (1,) * (x.ndim - 2), dtype=x.dtype), p, training)
    return masked


def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """(..., C r^2, H, W) to (..., C, H r, W r)."""
    x, r = as_tensor(input), upscale_factor
    if x.ndim < 3 or x.shape[-3] % (r * r):
        raise ShapeError(f"pixel_shuffle: {r}^2 does not divide the channels of an input of shape {x.shape}")
    *lead, c, h, w = x.shape
    n = len(lead)
    split = x.reshape((*lead, c // (r * r), r, r, h, w))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return wg.permute_dims(split, order).reshape((*lead, c // (r * r), h * r, w * r))


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """``input1 @ weight[k] @ input2 + bias[k]``: (..., m), (..., n), (o, m, n) and (o,) give (..., o)."""
    out: Tensor = wg.einsum("...i,kij,...j->...k", input1, weight, input2)
    return out if bias is None else out + bias


def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle along an axis; norms below ``eps`` count as ``eps``."""
    a, b = as_tensor(x1), as_tensor(x2)
    lengths = [wg.maximum(wg.linalg.vector_norm(x, axis=axis), eps) for x in (a, b)]
    found: Tensor = (a * b).sum(axis=axis) / (lengths[0] * lengths[1])
    return found


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` over the last axis."""
    found: Tensor = wg.linalg.vector_norm(as_tensor(x1) - x2 + eps, axis=-1, ord=p, keepdims=keepdims)
    return found


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
) -> Tensor:
    """Minus the log-probability of counts, up to a constant; ``full`` adds Stirling's approximation of it."""
    x, t = as_tensor(input), as_tensor(target)
    loss = wg.exp(x) - t * x if log_input else x - t * wg.log(x + eps)
    if full:
        safe = wg.where(t > 1, t, 1.0)
        loss = loss + wg.where(t > 1, t * wg.log(safe) - t + 0.5 * wg.log(2 * math.pi * safe), 0.0)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """Minus the log-density of a normal variable, up to the constant that ``full`` adds; ``var`` is at least ``eps``
    in the value, and its derivative is as if it were not cut off."""
    x, v = as_tensor(input), as_tensor(var)
    if bool((v < 0).any()):
        raise DTypeError("gaussian_nll_loss: var has negative entries")
    v = v + wg.maximum(eps - v.detach(), 0.0)
    loss = 0.5 * (wg.log(v) + wg.square(x - target) / v)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def margin_ranking_loss(x1: Any, x2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Tensor:
    """max(0, -target (x1 - x2) + margin): which of two should be larger."""
    return reduced(wg.maximum(-as_tensor(target) * (as_tensor(x1) - x2) + margin, 0.0), reduction)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """The input where the target is 1, max(0, margin - input) where it is -1."""
    x, t = as_tensor(input), as_tensor(target)
    return reduced(wg.where(t == 1, x, wg.maximum(margin - x, 0.0)), reduction)


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """log(1 + exp(-target input)), without overflow."""
    return reduced(wg.logaddexp(-as_tensor(target) * input, 0.0), reduction)


def cosine_embedding_loss(x1: Any, x2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Tensor:
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1."""
    similar = cosine_similarity(x1, x2, axis=-1)
    return reduced(wg.where(as_tensor(target) == 1, 1 - similar, wg.maximum(similar - margin, 0.0)), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin); ``swap`` takes the nearer of the two negatives."""
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = wg.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(wg.maximum(near - far + margin, 0.0), reduction)


def multi_margin_loss(input: Any, target: Any, p: int = 1, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """The hinge loss of several classes: the mean over the wrong ones of max(0, margin - right + wrong)^p."""
    x, t = as_tensor(input), as_tensor(target)
    right = wg.take_along_axis(x, wg.expand_dims(t, -1), -1)
    wrong = wg.arange(x.shape[-1]) != wg.expand_dims(t, -1)
    hinge = wg.maximum(margin - right + x, 0.0) ** p
    return reduced(wg.where(wrong, hinge, 0.0).sum(axis=-1) / x.shape[-1], reduction)


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, axis: int = -1) -> Tensor:
    """A relaxed sample of a category (Jang, Gu and Poole 2017); ``hard`` is one-hot with the relaxed gradient."""
    x = as_tensor(logits)
    noise = -wg.log(-wg.log(wg.clip(wg.rand(x.shape, dtype=x.dtype), 1e-30, 1 - 1e-7)))
    soft = wg.exp(log_softmax((x + noise) / tau, axis=axis))
    if not hard:
        return soft
    top = (soft == wg.max(soft, axis=axis, keepdims=True)).astype(x.dtype)
    return soft + (top - soft).detach()
