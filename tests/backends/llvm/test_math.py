from __future__ import annotations

import re

import numpy as np
import pytest
from llvmlite import ir

from tests.backends.llvm.accuracy import BOUNDS, REFERENCES, error, exact, worst
from tests.backends.llvm.native import native
from tests.backends.llvm.references import NUMPY
from wengert.backends.llvm.math import BINARY, FUNCTIONS, Emit, declare

DTYPES = ("float64", "float32")
CASES = [(name, dtype) for name in FUNCTIONS for dtype in DTYPES]


def test_every_function_has_a_reference_and_a_numpy_equivalent() -> None:
    assert set(FUNCTIONS) == set(REFERENCES) == set(NUMPY)


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_the_error_is_within_its_bound(name: str, dtype: str) -> None:
    found = worst(name, dtype, 300)
    assert found.points > 300
    assert found.ulps <= BOUNDS.get(name, 2.0), found


@pytest.mark.long
@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_the_error_is_within_its_bound_on_many_points(name: str, dtype: str) -> None:
    found = worst(name, dtype, 20_000, seed=1)
    assert found.ulps <= BOUNDS.get(name, 2.0), found


def _special_values(dtype: str) -> np.ndarray:
    information = np.finfo(dtype)
    ends = [information.smallest_subnormal, information.tiny, information.eps, information.max]
    values = [0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 1.5, 2.5, 40.0, 1e5, *map(float, ends), np.inf]
    return np.array([*values, *(-one for one in values), np.nan], dtype=dtype)


def _agree(got: np.ndarray, want: np.ndarray, *arguments: np.ndarray) -> None:
    """NaN, infinities and zeros with their signs exactly; other numbers within a millionth."""
    plain = np.isfinite(want) & (want != 0)
    wrong = np.where(plain, ~np.isclose(got, want, rtol=1e-6), (got != want) & ~(np.isnan(got) & np.isnan(want)))
    wrong |= ~np.isnan(want) & (np.signbit(got) != np.signbit(want))
    assert not wrong.any(), list(zip(*(one[wrong].tolist() for one in (*arguments, got, want)), strict=True))


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_special_values_are_numpys(name: str, dtype: str) -> None:
    values = _special_values(dtype)
    arguments = tuple(one.ravel() for one in np.meshgrid(values, values)) if name in BINARY else (values,)
    if name.endswith("_near"):
        arguments = (values[~(np.abs(values) > 2.0**40) | np.isinf(values)],)
    if name in ("lgamma", "erfcinv"):
        arguments = (values[np.abs(values) != 5e-324],)  # where SciPy's overflow: the values are 744.44 and 27.21
    with np.errstate(all="ignore"):
        _agree(native(name, dtype)(*arguments), NUMPY[name](*arguments), *arguments)


# The float64 and float32 numbers closest to a multiple of pi/2, relative to their size (W. Kahan's "nearpi" program, in
# J.-M. Muller, "Elementary functions", 3rd edition, 11.2), and the largest numbers there are.
HARD_ANGLES = {
    "float64": [
        6381956970095103 * 2.0**797,
        float.fromhex("0x1.6ac5b262ca1ffp+849"),
        5.319372648326541e255,
        1.7976931348623157e308,
    ],
    "float32": [16367173 * 2.0**72, 3.4028234663852886e38, 1.0e22, 2.0**120],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_next_to_multiples_of_a_right_angle(name: str, dtype: str) -> None:
    angles = np.array(HARD_ANGLES[dtype], dtype=dtype)
    for angle, got in zip(angles.tolist(), native(name, dtype)(angles).tolist(), strict=True):
        assert error(got, exact(name, angle), np.dtype(dtype)) <= 2.0, angle


_WHOLE = np.arange(1.0, 16.0)


@pytest.mark.parametrize(
    ("name", "arguments", "want"),
    [
        ("exp2", (_WHOLE,), 2.0**_WHOLE),
        ("log2", (2.0**_WHOLE,), _WHOLE),
        ("log10", (10.0**_WHOLE,), _WHOLE),
        ("cbrt", (_WHOLE**3,), _WHOLE),
        ("pow", (_WHOLE, _WHOLE[:13, None]), _WHOLE ** _WHOLE[:13, None]),
    ],
)
def test_whole_results_are_exact(name: str, arguments: tuple[np.ndarray, ...], want: np.ndarray) -> None:
    np.testing.assert_array_equal(native(name, "float64")(*arguments), want)


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_loops_are_vectorised_for_avx2(name: str, dtype: str) -> None:
    text = native(name, dtype, cpu="haswell").assembly
    packed = len(re.findall(r"\tv\w+p[sd]\t.*%ymm", text))
    assert packed > 10, f"{packed} packed instructions"


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_a_machine_without_fused_multiply_add_is_within_the_same_bound(name: str, dtype: str) -> None:
    text = native(name, dtype, cpu="x86-64", fused=False).assembly
    assert "fmadd" not in text
    assert not re.findall(r"\b(?:fma|floor|rint)f?\b", text), "a call of the C library in the loop"
    found = worst(name, dtype, 200, portable=True)
    assert found.ulps <= BOUNDS.get(name, 2.0), found


def test_lanes_and_remainders_give_the_same_bits() -> None:
    values = np.random.default_rng(0).uniform(-3, 3, 37)
    whole = native("tanh", "float64")(values)
    for size in range(1, 37):
        np.testing.assert_array_equal(native("tanh", "float64")(values[:size]), whole[:size])


def test_a_module_holds_each_function_once() -> None:
    module = ir.Module()
    first = declare(module, "exp", ir.DoubleType())
    assert declare(module, "exp", ir.DoubleType()) is first
    assert declare(module, "exp", ir.FloatType()) is not first
    assert str(module).count("define internal") == 2


def test_functions_can_be_emitted_in_place() -> None:
    module = ir.Module()
    kind = ir.DoubleType()
    function = ir.Function(module, ir.FunctionType(kind, [kind]), "f")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(FUNCTIONS["log"](Emit(builder, kind), function.args[0]))
    assert "fdiv double" in str(function)
