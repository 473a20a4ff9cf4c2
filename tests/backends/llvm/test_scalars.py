"""Elementwise operations whose compiled meaning NumPy defines to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
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
    "name", ["gammaln", "digamma", "gamma", "ndtr", "erf", "erfc", "xlogy", "xlog1py", "entr", "logaddexp", "hypot"]
)
def test_special_functions_are_native(name: str) -> None:
    function = getattr(special, name, None) or getattr(np, name)
    count = 2 if name in ("xlogy", "xlog1py", "logaddexp", "hypot") else 1
    arrays = [np.random.default_rng(k).uniform(0.1, 4, 200) for k in range(count)]
    want = function(*map(wg.tensor, arrays)).numpy()
    np.testing.assert_allclose(_native(lambda *xs: function(*xs), *arrays), want, rtol=2e-14, atol=1e-15)
