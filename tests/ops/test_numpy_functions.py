"""NumPy functions called on tensors, each against NumPy's own result."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.ops.numpy_calls import FFT, LINALG, NUMPY_CALLS, SENSELESS, Call

TABLES: list[tuple[ModuleType, dict[str, tuple[Call, ...]]]] = [
    (np, NUMPY_CALLS),
    (np.linalg, LINALG),
    (np.fft, FFT),
]
ALL = [(module, name) for module, table in TABLES for name in table]
CALLS = {(module, name): table[name] for module, table in TABLES for name in table}

#: The answer is about dtypes or Python objects, or the indices are what NumPy gives as arrays: no tensor to expect.
NO_TENSOR = {
    "shape",
    "ndim",
    "size",
    "iscomplexobj",
    "isrealobj",
    "array_repr",
    "array_str",
    "array2string",
    "result_type",
    "can_cast",
    "common_type",
    "min_scalar_type",
    "array_equal",
    "array_equiv",
    "allclose",
    "may_share_memory",
    "shares_memory",
    "einsum_path",
}


def as_tensors(x: Any, track: bool) -> Any:
    """Arrays of numbers become tensors, in lists and tuples too; index lists stay what they are."""
    if isinstance(x, np.ndarray):
        return wg.tensor(x, requires_grad=track and x.dtype.kind in "fc")
    if isinstance(x, (list, tuple)) and any(isinstance(one, (np.ndarray, list, tuple)) for one in x):
        return type(x)(as_tensors(one, track) for one in x)
    return x


def assert_same(got: Any, expected: Any, tolerance: float, tensors: bool) -> None:
    if isinstance(expected, (tuple, list)):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            assert_same(one, other, tolerance, tensors)
    elif isinstance(expected, (np.ndarray, np.generic)) and expected.dtype.kind in "biufc":
        if tensors:
            assert isinstance(got, wg.Tensor), f"a {type(got).__name__} where a tensor was expected"
        value = got.detach().numpy() if isinstance(got, wg.Tensor) else np.asarray(got)
        assert value.shape == expected.shape
        assert value.dtype == expected.dtype
        np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance)
    else:
        assert got == expected


@pytest.mark.parametrize("track", [False, True], ids=["constant", "tracked"])
@pytest.mark.parametrize(("module", "name"), ALL, ids=[f"{module.__name__}.{name}" for module, name in ALL])
def test_agrees_with_numpy(module: ModuleType, name: str, track: bool) -> None:
    function = getattr(module, name)
    for call in CALLS[module, name]:
        with np.errstate(all="ignore"):
            expected = function(*call.args, **call.kwargs)
            got = function(*as_tensors(call.args, track), **as_tensors(call.kwargs, track))
        assert_same(got, expected, call.tolerance, name not in NO_TENSOR)


def test_more_than_three_hundred_functions_work() -> None:
    distinct = {getattr(module, name) for module, name in ALL}
    assert len(ALL) >= 300
    assert len(distinct) >= 300


@pytest.mark.parametrize("name", SENSELESS)
def test_what_makes_no_sense_on_tensors_says_so(name: str) -> None:
    call, reason = SENSELESS[name]
    assert reason
    with pytest.raises(wg.UnsupportedFunctionError, match="does not work on tensors; tensors hold numbers, not dates"):
        getattr(np, name)(*as_tensors(call.args, False), **as_tensors(call.kwargs, False))


def test_distinct_values_are_in_order() -> None:
    # numpy.unique_values leaves the order open.
    np.testing.assert_array_equal(np.unique_values(wg.tensor([3, 1, 3, 2])), [1, 2, 3])


#: Functions whose result is not to be compared: they write into an operand or a file, or promise no values.
ELSEWHERE = set(
    "copyto put place putmask fill_diagonal put_along_axis save savez savez_compressed savetxt empty_like "
    "unique_values".split()
)


def test_every_other_function_is_called() -> None:
    for module, table in TABLES:
        for name in dir(module):
            member = getattr(module, name)
            if name.startswith("_") or not (isinstance(member, np.ufunc) or hasattr(member, "_implementation")):
                continue
            assert name in table or name in SENSELESS or name in ELSEWHERE, f"{module.__name__}.{name} is not called"
