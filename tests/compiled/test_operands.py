"""Arguments and operands of every kind: compiled programs take what NumPy takes, and give what it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

COMPARISONS = "less less_equal greater greater_equal equal not_equal".split()


@pytest.mark.parametrize("name", COMPARISONS)
def test_signed_and_unsigned_integers_compare_exactly(name: str) -> None:
    large, small = np.array([2**63 + 5, 0, 7, 2**64 - 1], "uint64"), np.array([-1, 0, 9, -1], "int64")
    for x, y in ((large, small), (small, large)):
        assert np.array_equal(wg.jit(getattr(wg, name))(x, y).numpy(), getattr(np, name)(x, y))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_sign_of_unsigned_integers(dtype: str) -> None:
    x = np.array([0, 1, np.iinfo(dtype).max], dtype)
    got = wg.jit(wg.sign)(x).numpy()
    assert got.dtype == dtype
    assert got.tolist() == [0, 1, 1]


@pytest.mark.parametrize("dtype", ["int64", "int8", "bool", "uint16"])
def test_sinc_of_integers(dtype: str) -> None:
    x = np.array([0, 1, 1, 0], dtype)
    np.testing.assert_allclose(wg.jit(np.sinc)(x).numpy(), np.sinc(x), atol=1e-16)


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_extremes_of_complex_numbers(name: str, dtype: str) -> None:
    x = np.array([[1 + 2j, 1 - 1j, 0.5], [complex(np.nan, 0), 3, 1j]], dtype)
    for axis in (None, 0, 1):
        want = getattr(np, name)(x, axis=axis)
        got = wg.jit(lambda x, axis=axis: getattr(wg, name)(x, axis=axis))(x).numpy()
        assert np.array_equal(got, want, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "complex128"])
def test_arrays_of_the_other_byte_order(dtype: str) -> None:
    plain = np.arange(4).astype(dtype)
    other = plain.astype(plain.dtype.newbyteorder())
    want = plain * 2 + plain
    assert wg.tensor(other).dtype.isnative
    assert wg.TensorSpec((4,), other.dtype).dtype.isnative
    calls: list[Callable[[Any], Any]] = [
        lambda x: x * 2 + other,
        lambda x: wg.tensor(other) * 2 + x,
        lambda x: wg.asarray(x, dtype=other.dtype) * 2 + x,
    ]
    for f in calls:
        for got in (f(wg.tensor(other)), wg.jit(f)(other), wg.jit(f)(wg.tensor(other)), wg.jit(f)(plain)):
            assert got.dtype == plain.dtype
            assert got.numpy().dtype.isnative
            assert np.array_equal(got.numpy(), want)
    places = np.array([2, 0], np.dtype("int64").newbyteorder())
    assert np.array_equal(wg.jit(lambda x, i: x[i])(plain, places).numpy(), plain[places])


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sum": wg.sum,
    "max": wg.max,
    "var": wg.var,
    "argmax": wg.argmax,
    "reshape": lambda x: wg.reshape(x, (1,)),
    "broadcast_to": lambda x: wg.broadcast_to(x, (3,)),
    "stack": lambda x: wg.stack([x, x]),
    "repeat": lambda x: wg.repeat(x, 3),
    "astype": lambda x: wg.astype(x, "float32"),
    "dot": lambda x: wg.dot(x, x),
    "einsum": lambda x: wg.einsum(",->", x, x),
    "promotion": lambda x: wg.ones(3, dtype="float32") * x + wg.sum(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [1.5, 2, True])
def test_python_scalars_are_arguments_of_every_operation(name: str, x: Any) -> None:
    f = FUNCTIONS[name]
    want = f(x)
    for got in (wg.jit(f)(x), wg.trace(f)(x)(x)):
        assert got.dtype == want.dtype
        assert np.array_equal(got.numpy(), want.numpy())
