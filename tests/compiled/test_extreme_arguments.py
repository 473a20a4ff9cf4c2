"""Values and derivatives at the ends of the range: compiled programs give what the interpreter gives."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import wengert as wg
import wengert.nn.functional as F
from wengert.scipy import special

ENDS = [1e-9, 0.1, 0.5, 1, 2, 5, 15, 19.9, 20.1, 30, 37, 40, 88, 100, 104, 400, 709, 710, 745, 746, 1e3, 1e8, 1e30]
EXTREMES = np.array([0.0, *ENDS, np.inf, np.nan, -0.0, *(-x for x in ENDS), -np.inf])

ACTIVATIONS = "sigmoid softplus log_sigmoid silu gelu mish relu elu selu celu tanh hardswish hardsigmoid tanhshrink"
UFUNCS = """exp expm1 exp2 log log1p log2 log10 sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh
sqrt cbrt square reciprocal absolute"""
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(wg, name, None) or getattr(F, name) for name in ACTIVATIONS.split()},
    **{name: getattr(np, name) for name in UFUNCS.split()},
    **{name: getattr(special, name) for name in "erf erfc ndtr gammaln digamma gamma entr logit".split()},
}


def _differentiated(function: Callable[..., Any], order: int) -> Callable[..., Any]:
    for _ in range(order):
        function = wg.grad(lambda x, inner=function: inner(x).sum())
    return function


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_is_as_interpreted_at_the_ends_of_the_range(name: str, order: int, dtype: str) -> None:
    """NaN and infinities in the same places; elsewhere equal, up to the rounding of terms of size 1 or x."""
    function = _differentiated(FUNCTIONS[name], order)
    x = EXTREMES.astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        want, got = function(wg.tensor(x)).numpy(), wg.jit(function)(x).numpy()
    unit = np.finfo(dtype).eps
    slack = 32 * unit * np.maximum(1, np.where(np.isfinite(x), np.abs(x), 1))
    for at, one, other, atol in zip(x.tolist(), got.tolist(), want.tolist(), slack.tolist(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1000 * unit, atol=atol, err_msg=f"x = {at}")


LOGITS = [
    [1000.0, 0.0, -1000.0],
    [-1000.0, -1000.5, -2000.0],
    [0.0, 0.0, 0.0],
    [1e-300, 1.0, 88.0],
    [700.0, 709.0, 710.0],
    [-745.0, -746.0, -744.0],
    [1e8, 1e8, 1e8 - 1],
    [0.0, -np.inf, 3.0],
]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("logits", LOGITS)
def test_logsumexp_and_softmax_of_extreme_numbers(logits: list[float], compiled: bool) -> None:
    """Against 40 digits: the value and softmax to a few units; the gradient, exp(x - logsumexp(x)), to those of x."""
    wrap = wg.jit if compiled else lambda function: function
    x = wg.tensor(np.array([logits] * 40))  # more rows than are written out one by one
    with mp.workdps(40):
        powers = [mp.exp(mpf(one)) for one in logits]
        total = mp.log(mp.fsum(powers))
        shares = np.array([float(one / mp.fsum(powers)) for one in powers])
    value = wrap(lambda x: special.logsumexp(x, axis=1))(x).numpy()
    np.testing.assert_allclose(value, float(total), rtol=1e-15, atol=4e-16)
    tolerance = 2.5e-16 * max(1.0, *(abs(one) for one in logits if np.isfinite(one)))
    gradient = wrap(wg.grad(lambda x: special.logsumexp(x, axis=1).sum()))(x).numpy()
    np.testing.assert_allclose(gradient, np.tile(shares, (40, 1)), rtol=0, atol=tolerance)
    np.testing.assert_allclose(wrap(lambda x: wg.softmax(x, axis=1))(x).numpy()[0], shares, rtol=1e-15, atol=1e-300)


SATURATED = np.array([-1e4, -746.0, -700.0, -100.0, -40.0, -20.0, -1.0, -1e-8, 0.0, 1e-8, 1.0, 19.0, 40.0, 700.0, 1e4])


@pytest.mark.parametrize(
    ("function", "value", "slope"),
    [
        (F.softplus, lambda x: mp.log1p(mp.exp(x)), lambda x: 1 / (1 + mp.exp(-x))),
        (F.log_sigmoid, lambda x: -mp.log1p(mp.exp(-x)), lambda x: 1 / (1 + mp.exp(x))),
        (F.sigmoid, lambda x: 1 / (1 + mp.exp(-x)), lambda x: mp.exp(-abs(x)) / (1 + mp.exp(-abs(x))) ** 2),
    ],
)
def test_saturating_functions_keep_their_digits(
    function: Callable[..., Any], value: Callable[..., Any], slope: Callable[..., Any]
) -> None:
    """softplus, its relatives and their slopes, compiled; where a slope is 1 - sigmoid(x), absolutely."""
    x = np.tile(SATURATED, 4)
    got = wg.jit(function)(x).numpy()
    gradient = wg.jit(wg.grad(lambda x: function(x).sum()))(x).numpy()
    with mp.workdps(40):
        want = np.array([float(value(mpf(one))) for one in x.tolist()])
        want_slope = np.array([float(slope(mpf(one))) for one in x.tolist()])
    # softplus is x itself beyond its threshold of 20, as in PyTorch, where exp(-x) is left out.
    np.testing.assert_allclose(got, want, rtol=5e-16, atol=1e-320)
    np.testing.assert_allclose(gradient, want_slope, rtol=5e-15, atol=2e-16)
