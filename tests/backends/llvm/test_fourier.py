"""Fourier transforms in compiled code, against the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg


def numbers(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    random = np.random.default_rng(0)
    made = random.normal(size=shape) * 3
    return (made + 1j * random.normal(size=shape) if np.dtype(dtype).kind == "c" else made).astype(dtype)


def agree(f: Callable[..., Any], x: np.ndarray) -> None:
    """In double precision the loops are NumPy's own. In single precision NumPy's sums are double where no factor is
    applied, and ours single: their error is some units times the logarithm of the length."""
    lowered = wg.jit(f).lower(x)
    assert not lowered.program.schedule.hosts, lowered.report()
    found, expected = wg.jit(f)(x).numpy(), f(wg.tensor(x)).numpy()
    assert found.dtype == expected.dtype
    if found.dtype.char in "fF":
        scale = np.abs(expected).max(initial=1e-30)
        np.testing.assert_allclose(found, expected, rtol=0, atol=16 * np.finfo(np.float32).eps * scale)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 12, 13, 64, 101, 127])
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int32"])
def test_lengths_norms_and_dtypes(dtype: str, norm: str, n: int) -> None:
    x = numbers((3, n), dtype)
    agree(lambda x: wg.fft.fft(x, norm=norm), x)
    agree(lambda x: wg.fft.ifft(x, norm=norm), x)
    agree(lambda x: wg.fft.irfft(x, norm=norm, n=n) if n > 1 else wg.fft.irfft(x, n=1, norm=norm), x)
    if np.dtype(dtype).kind != "c":
        agree(lambda x: wg.fft.rfft(x, norm=norm), x)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_axes(axis: int) -> None:
    x = numbers((4, 5, 6), "float64")
    agree(lambda x: wg.fft.fft(x, axis=axis), x)
    agree(lambda x: wg.fft.rfft(x, axis=axis), x)
    agree(lambda x: wg.fft.irfft(x, n=7, axis=axis), x)
    agree(lambda x: wg.fft.fft(np.swapaxes(x, 0, 2)[::-1], axis=axis), x)


def test_several_axes() -> None:
    x = numbers((4, 5, 6), "complex128")
    for axes in (None, (0, 2), (2, 0), (1,), (-1, -2)):
        agree(lambda x, axes=axes: wg.fft.fftn(x, axes=axes, norm="ortho"), x)
        agree(lambda x, axes=axes: wg.fft.ifftn(x, axes=axes), x)
    agree(wg.fft.rfft2, x.real)
    agree(wg.fft.irfft2, x)


def test_numbers_that_are_not_finite() -> None:
    x = numbers((3, 8), "float64")
    x[0, 2], x[1, 3] = np.inf, np.nan
    agree(wg.fft.fft, x)


@pytest.mark.parametrize("n", [6, 7])
def test_gradients(n: int) -> None:
    def power(x: Any) -> Any:
        return (abs(wg.fft.rfft(x, norm="ortho")) ** 2 * np.arange(1.0, n // 2 + 2)).sum()

    x = numbers((2, n), "float64")
    lowered = wg.jit(wg.grad(power)).lower(x)
    assert not lowered.program.schedule.hosts, lowered.report()
    found = wg.jit(wg.grad(power))(x).numpy()
    np.testing.assert_allclose(found, wg.grad(power)(wg.tensor(x)).numpy(), rtol=1e-13, atol=1e-13)


def test_a_c_program_has_no_such_loops() -> None:
    graph = wg.trace(wg.fft.fft)(wg.tensor(numbers((8,), "complex128")))
    with pytest.raises(wg.GraphError, match="fft_fft_D"):
        graph.export("nowhere.o")
