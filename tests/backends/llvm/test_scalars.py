"""Elementwise operations whose compiled meaning NumPy defines to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.core.apply import apply
from wengert.ops.integrals import Log1prel
from wengert.scipy import special

INTEGERS = ("int8", "uint8", "int16", "int64", "uint32")


def _pairs(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of a few numbers: ends of the range, zero, both signs; more than are written out singly."""
    limits = np.iinfo(dtype)
    values = np.unique(np.clip([limits.min, limits.min + 1, -7, -2, -1, 0, 1, 2, 3, 7, limits.max], limits.min, None))
    first, second = np.meshgrid(values.astype(dtype), values.astype(dtype))
    return first.ravel(), second.ravel()


def _native(function: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    compiled = wg.jit(function)
    got = compiled(*arrays).numpy()
    assert "everything is native" in str(compiled.lower(*arrays).report())
    return got


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_division_is_numpys(dtype: str, name: str) -> None:
    """By zero, and of the smallest number by -1, the processor would trap."""
    ufunc = getattr(np, name)
    first, second = _pairs(dtype)
    with np.errstate(all="ignore"):
        want = ufunc(first, second)
    got = _native(lambda x, y: ufunc(x, y), first, second)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ["left_shift", "right_shift"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts_by_any_number_of_bits_are_numpys(dtype: str, name: str) -> None:
    ufunc = getattr(np, name)
    first, second = _pairs(dtype)
    by = np.concatenate([np.minimum(np.maximum(second, 0), 100), np.full_like(second, np.iinfo(dtype).bits)])
    first = np.concatenate([first, first])
    np.testing.assert_array_equal(_native(lambda x, y: ufunc(x, y), first, by), ufunc(first, by))


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_division_of_floats_is_numpys_to_the_bit(dtype: str, name: str) -> None:
    """Of every exponent and sign, and of whole and everyday numbers."""
    random = np.random.default_rng(0)
    kind = np.int64 if dtype == "float64" else np.int32
    limits = np.iinfo(kind)
    spread = random.integers(limits.min, limits.max, (2, 3000), dtype=kind, endpoint=True).view(dtype)
    everyday = (random.standard_normal((2, 3000)) * 100).astype(dtype)
    first, second = np.concatenate([spread, everyday, np.rint(everyday / 20)], axis=1)
    ufunc = getattr(np, name)
    with np.errstate(all="ignore"):
        want = ufunc(first, second)
    got = _native(lambda x, y: ufunc(x, y), first, second)
    np.testing.assert_array_equal(got, want)
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(want[number]))


@pytest.mark.parametrize(
    "name",
    """gammaln digamma gamma ndtr log_ndtr erf erfc erfcx exprel log1p_over xlogy xlog1py entr logaddexp hypot
    sinc_slope""".split(),
)
def test_special_functions_are_native(name: str) -> None:
    own = {"log1p_over": lambda x: apply(Log1prel(), x), "sinc_slope": wg.grad(lambda x: np.sinc(x).sum())}
    function = own.get(name) or getattr(special, name, None) or getattr(np, name)
    count = 2 if name in ("xlogy", "xlog1py", "logaddexp", "hypot") else 1
    arrays = [np.random.default_rng(k).uniform(0.1, 4, 200) for k in range(count)]
    want = function(*map(wg.tensor, arrays)).numpy()
    np.testing.assert_allclose(_native(lambda *xs: function(*xs), *arrays), want, rtol=2e-14, atol=1e-15)


_ODD = [0.0, 0.5, 1.25, 2.5, 3.5, 123.456, 1e-310, 5e-324, 1e-300, 1e300, 1.7976931348623157e308, np.inf]
PARTS = np.array([*_ODD, *(-x for x in _ODD), np.nan] * 3)  # more than are written out singly
POWERS = np.resize([0, 1, -1, 5, -1074, -1100, 1023, 2000, -3000, 52, 2**31 - 1, -(2**31), 700, -1022], PARTS.size)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "function",
    [
        lambda x, y, k: np.modf(x)[0],
        lambda x, y, k: np.frexp(x),
        lambda x, y, k: np.ldexp(x, k),
        lambda x, y, k: np.nextafter(x, y),
        lambda x, y, k: np.spacing(x),
        lambda x, y, k: np.heaviside(x, y),
        lambda x, y, k: np.round(x),
        lambda x, y, k: np.round(x, 2),
        lambda x, y, k: np.round(x, -2),
        lambda x, y, k: np.nan_to_num(x),
        lambda x, y, k: np.nan_to_num(x, nan=3.0, posinf=7.0),
        lambda x, y, k: np.isclose(x, y),
        lambda x, y, k: np.isclose(x, y, equal_nan=True),
        lambda x, y, k: np.isposinf(x) ^ np.isneginf(y),
        lambda x, y, k: np.angle(x),
        lambda x, y, k: np.clip(x, -1, 2),
    ],
)
def test_parts_of_numbers_are_numpys_to_the_bit(function: Callable[..., Any], dtype: str) -> None:
    compiled = wg.jit(function)
    with np.errstate(all="ignore"):
        x, y, k = PARTS.astype(dtype), np.roll(PARTS, 5).astype(dtype), POWERS.astype(np.int32)
        want = wg.tree_leaves(function(*map(wg.tensor, (x, y, k))))
    got = wg.tree_leaves(compiled(x, y, k))
    assert "everything is native" in str(compiled.lower(x, y, k).report())
    for one, other in zip(got, want, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one.numpy(), other.numpy())
        there = ~np.isnan(one.numpy())
        np.testing.assert_array_equal(np.signbit(one.numpy()[there] * 1.0), np.signbit(other.numpy()[there] * 1.0))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bits_are_counted_as_numpy_counts_them(dtype: str) -> None:
    first, _ = _pairs(dtype)
    np.testing.assert_array_equal(_native(lambda x: np.bitwise_count(x), first), np.bitwise_count(first))
