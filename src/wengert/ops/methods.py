"""Methods of ``Tensor`` that compute: functions of the families, bound."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from wengert.core.errors import DTypeError
from wengert.core.tensor import Tensor
from wengert.ops import (
    activation,
    arithmetic,
    bitwise,
    comparison,
    complex,
    contraction,
    cumulative,
    decomposition,
    linalg,
    power,
    reduction,
    rounding,
    selection,
    softmax,
    solving,
    sorting,
    special,
    statistics,
    transcendental,
)
from wengert.ops.protocol import torch_keywords


class Extreme(NamedTuple):
    """An extreme along an axis and where it is, as PyTorch's ``x.max(dim=...)`` returns them."""

    values: Any
    indices: Any


def _latest(running: Tensor, x: Any, axis: int) -> Tensor:
    """Where the running extremes are: the latest position that attains each."""
    count = np.arange(x.shape[axis]).reshape((-1,) + (1,) * (x.ndim - 1 - axis % x.ndim))
    return cumulative.cummax(np.where(comparison.equal(running, x), count, 0), axis)


def _freedom(ddof: float, correction: float | None = None, unbiased: bool | None = None) -> float:
    """NumPy's ``ddof`` from it or from what PyTorch has in its place."""
    if unbiased is not None:
        return float(unbiased)
    return ddof if correction is None else correction


class Methods:
    """Computing methods of ``Tensor``."""

    __slots__ = ()

    # -- elementwise --------------------------------------------------------------------------------------------

    mul = multiply = arithmetic.multiply
    floor_divide, remainder, fmod = arithmetic.floor_divide, arithmetic.remainder, arithmetic.fmod
    neg = negative = arithmetic.negative
    positive, lerp = arithmetic.positive, arithmetic.lerp
    deg2rad, rad2deg = arithmetic.deg2rad, arithmetic.rad2deg
    abs = absolute = complex.abs
    conj = conjugate = complex.conj
    angle, sign = complex.angle, complex.sign
    pow = power.power
    sqrt, square, reciprocal, hypot = power.sqrt, power.square, power.reciprocal, power.hypot
    acos, acosh, asin, asinh = transcendental.acos, transcendental.acosh, transcendental.asin, transcendental.asinh
    arccos, arccosh, arcsin, arcsinh = acos, acosh, asin, asinh
    atan, atanh, cos, cosh = transcendental.atan, transcendental.atanh, transcendental.cos, transcendental.cosh
    arctan, arctanh = atan, atanh
    atan2 = arctan2 = transcendental.atan2
    exp, exp2, expm1 = transcendental.exp, transcendental.exp2, transcendental.expm1
    log, log10, log1p, log2 = transcendental.log, transcendental.log10, transcendental.log1p, transcendental.log2
    logaddexp, logaddexp2, sinc = transcendental.logaddexp, transcendental.logaddexp2, transcendental.sinc
    sin, sinh, tan, tanh = transcendental.sin, transcendental.sinh, transcendental.tan, transcendental.tanh
    erf, erfc, erfinv, logit = special.erf, special.erfc, special.erfinv, special.logit
    lgamma, digamma, i0, xlogy = special.lgamma, special.digamma, special.i0, special.xlogy
    relu, sigmoid = activation.relu, activation.sigmoid
    floor, ceil, trunc, round = rounding.floor, rounding.ceil, rounding.trunc, rounding.round
    fix = trunc
    copysign, nextafter, ldexp = rounding.copysign, rounding.nextafter, rounding.ldexp
    clip = clamp = selection.clip
    maximum, minimum, fmax, fmin = selection.maximum, selection.minimum, selection.fmax, selection.fmin
    heaviside, nan_to_num = selection.heaviside, selection.nan_to_num

    eq, ne = comparison.equal, comparison.not_equal
    lt = less = comparison.less
    le = less_equal = comparison.less_equal
    gt = greater = comparison.greater
    ge = greater_equal = comparison.greater_equal
    isnan, isinf, isfinite = comparison.isnan, comparison.isinf, comparison.isfinite
    isposinf, isneginf, isreal = comparison.isposinf, comparison.isneginf, comparison.isreal
    isclose, allclose, equal = comparison.isclose, comparison.allclose, comparison.array_equal
    signbit, logical_not = comparison.signbit, comparison.logical_not
    logical_and, logical_or, logical_xor = comparison.logical_and, comparison.logical_or, comparison.logical_xor
    bitwise_and, bitwise_or, bitwise_xor = bitwise.bitwise_and, bitwise.bitwise_or, bitwise.bitwise_xor
    bitwise_not = bitwise.bitwise_not
    bitwise_left_shift, bitwise_right_shift = bitwise.left_shift, bitwise.right_shift

    def add(self: Any, other: Any, alpha: Any = 1) -> Tensor:
        """``x + alpha * other``."""
        return arithmetic.add(self, other if alpha == 1 else arithmetic.multiply(other, alpha))

    def sub(self: Any, other: Any, alpha: Any = 1) -> Tensor:
        """``x - alpha * other``."""
        return arithmetic.subtract(self, other if alpha == 1 else arithmetic.multiply(other, alpha))

    subtract = sub

    def div(self: Any, other: Any, rounding_mode: str | None = None) -> Tensor:
        """``x / other``, the quotient rounded towards zero with "trunc" and down with "floor"."""
        if rounding_mode == "floor":
            return arithmetic.floor_divide(self, other)
        if rounding_mode not in (None, "trunc"):
            raise DTypeError(f"div: rounding_mode is None, 'trunc' or 'floor', not {rounding_mode!r}")
        quotient = arithmetic.divide(self, other)
        return quotient if rounding_mode is None else rounding.trunc(quotient)

    divide = true_divide = div

    def addcmul(self: Any, first: Any, second: Any, value: Any = 1) -> Tensor:
        """``x + value * first * second``."""
        return self + value * (first * second)

    def addcdiv(self: Any, first: Any, second: Any, value: Any = 1) -> Tensor:
        """``x + value * first / second``."""
        return self + value * (first / second)

    def rsqrt(self: Any) -> Tensor:
        """One over the square root."""
        return power.reciprocal(power.sqrt(self))

    def frac(self: Any) -> Tensor:
        """What is left without the whole part, with the sign of the number."""
        return rounding.modf(self)[0]

    def polygamma(self: Any, n: int) -> Tensor:
        """The n-th derivative of digamma."""
        return special.polygamma(n, self)

    def where(self: Any, condition: Any, other: Any) -> Tensor:
        """These elements where ``condition`` holds, those of ``other`` elsewhere."""
        return selection.where(condition, self, other)

    def clamp_min(self: Any, low: Any) -> Tensor:
        """At least ``low``."""
        return selection.clip(self, low, None)

    def clamp_max(self: Any, high: Any) -> Tensor:
        """At most ``high``."""
        return selection.clip(self, None, high)

    @property
    def real(self: Any) -> Tensor:
        """The real part."""
        return complex.real(self)

    @property
    def imag(self: Any) -> Tensor:
        """The imaginary part."""
        return complex.imag(self)

    # -- reductions ---------------------------------------------------------------------------------------------

    sum, mean, prod = reduction.sum, reduction.mean, reduction.prod
    amax, amin, argmax, argmin = reduction.amax, reduction.amin, reduction.argmax, reduction.argmin
    all, any, count_nonzero, ptp = reduction.all, reduction.any, reduction.count_nonzero, reduction.ptp
    logsumexp, softmax, log_softmax = softmax.logsumexp, softmax.softmax, softmax.log_softmax
    cumsum, cumprod = cumulative.cumsum, cumulative.cumprod
    logcumsumexp, diff = cumulative.logcumsumexp, cumulative.diff
    quantile, nanmedian = statistics.quantile, statistics.nanmedian
    nansum, nanmean = statistics.nansum, statistics.nanmean
    cov, corrcoef = statistics.cov, statistics.corrcoef

    def max(self: Any, axis: Any = None, keepdims: Any = False, *, dim: Any = None, keepdim: Any = False) -> Any:
        """The largest element, over all or over ``axis`` (NumPy); with PyTorch's ``dim`` also its indices, named; the
        elementwise maximum with another tensor.

        >>> import wengert as wg
        >>> x = wg.tensor([[1.0, 5.0], [7.0, 3.0]])
        >>> x.max(axis=1)
        tensor([5., 7.])
        >>> x.max(dim=1).indices
        tensor([1, 0])
        """
        if isinstance(axis, Tensor):
            return selection.maximum(self, axis)
        if dim is None:
            return reduction.max(self, axis, keepdims or keepdim)
        return Extreme(reduction.max(self, dim, keepdim), reduction.argmax(self, dim, keepdim))

    def min(self: Any, axis: Any = None, keepdims: Any = False, *, dim: Any = None, keepdim: Any = False) -> Any:
        """The smallest element, over all or over ``axis`` (NumPy); with PyTorch's ``dim`` also its indices, named; the
        elementwise minimum with another tensor."""
        if isinstance(axis, Tensor):
            return selection.minimum(self, axis)
        if dim is None:
            return reduction.min(self, axis, keepdims or keepdim)
        return Extreme(reduction.min(self, dim, keepdim), reduction.argmin(self, dim, keepdim))

    @torch_keywords
    def var(self: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, **options: Any) -> Tensor:
        """Variance, divided by n - ``ddof``: 0 unless given, as in NumPy. PyTorch's ``unbiased=True`` and
        ``correction`` are accepted; its default would be 1."""
        return reduction.var(self, axis, None, _freedom(ddof, **options), keepdims)

    @torch_keywords
    def std(self: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, **options: Any) -> Tensor:
        """Standard deviation; its arguments are those of ``var``."""
        return reduction.std(self, axis, None, _freedom(ddof, **options), keepdims)

    def aminmax(self: Any, axis: Any = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
        """The smallest and the largest element."""
        return reduction.min(self, axis, keepdims), reduction.max(self, axis, keepdims)

    def median(self: Any, axis: Any = None, keepdims: Any = False, *, dim: Any = None, keepdim: Any = False) -> Any:
        """The middle element, or the mean of the two in the middle (NumPy); with PyTorch's ``dim`` the lower of the
        two, and where it is, named."""
        if dim is None:
            return statistics.median(self, axis, keepdims or keepdim)
        return sorting.kthvalue(self, (self.shape[dim] + 1) // 2, axis=dim, keepdims=keepdim)

    def cummax(self: Any, axis: Any = None, *, dim: Any = None) -> Any:
        """The running maximum along ``axis``; with PyTorch's ``dim`` also where it is, named."""
        running = cumulative.cummax(self, axis if dim is None else dim)
        return running if dim is None else Extreme(running, _latest(running, self, dim))

    def cummin(self: Any, axis: Any = None, *, dim: Any = None) -> Any:
        """The running minimum along ``axis``; with PyTorch's ``dim`` also where it is, named."""
        running = cumulative.cummin(self, axis if dim is None else dim)
        return running if dim is None else Extreme(running, _latest(running, self, dim))

    @torch_keywords
    def norm(self: Any, p: Any = 2, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The vector norm of order ``p`` over axes (all of them by default)."""
        return reduction.vector_norm(self, 2 if p in ("fro", None) else p, axis, keepdims)

    # -- linear algebra -----------------------------------------------------------------------------------------

    matmul = mm = bmm = mv = contraction.matmul
    dot, outer, vdot, inner = contraction.dot, contraction.outer, contraction.vdot, contraction.inner
    kron, cross, tensordot = contraction.kron, contraction.cross, contraction.tensordot
    det, slogdet, matrix_power = linalg.det, linalg.slogdet, linalg.matrix_power
    inverse, cholesky, qr = linalg.inv, linalg.cholesky, linalg.qr
    pinverse, svd = solving.pinv, decomposition.svd

    def addmm(self: Any, first: Any, second: Any, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """``beta * x + alpha * (first @ second)``."""
        product = contraction.matmul(first, second)
        return beta * self + alpha * product

    addmv = baddbmm = addmm

    def logdet(self: Any) -> Tensor:
        """The logarithm of the determinant; NaN where that is negative."""
        sign, log = linalg.slogdet(self)
        return selection.where(comparison.less(sign, 0), np.nan, log)
