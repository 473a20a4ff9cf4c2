"""``jit(check=True)``: right programs pass; a planted fault is found, with the node, the numbers and the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm import scalars
from wengert.backends.llvm.program import Program
from wengert.compile import check

X = np.random.default_rng(0).standard_normal((4, 5))


def mixed(x: Any) -> Any:
    y = wg.exp(x)
    return (wg.sin(y) @ y.T).sum() + (x - x.mean(axis=1, keepdims=True)).var() + wg.logsumexp(x)


def looping(x: Any) -> Any:
    return wg.scan(lambda c, a: (c * wg.tanh(a), c + a), x[0], x)[1].sum()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", [mixed, looping])
def test_right_programs_pass_under_every_transform(function: Callable[..., Any], dtype: str) -> None:
    x = wg.tensor(X.astype(dtype))
    checked = wg.jit(function, check=True)
    np.testing.assert_array_equal(checked(x).numpy(), wg.jit(function)(x).numpy())
    np.testing.assert_allclose(wg.grad(checked)(x).numpy(), wg.grad(function)(x).numpy(), rtol=2e-4, atol=1e-5)
    np.testing.assert_allclose(
        wg.jit(wg.grad(function), check=True)(x).numpy(), wg.grad(function)(x).numpy(), rtol=2e-4, atol=1e-5
    )


def plant(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Make native code of a function wrong by one part in a million."""
    right = scalars._UFUNCS[name]

    def wrong(emitter: Any, x: Any) -> Any:
        found = right(emitter, x)
        return emitter.builder.fmul(found, scalars.ir.Constant(found.type, 1.000001))

    monkeypatch.setitem(scalars._UFUNCS, name, wrong)


def test_a_wrong_lowering_is_found_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "tanh")

    def f(x: Any) -> Any:
        y = x * 2 + 1
        z = wg.tanh(y)  # the culprit
        return (z * z).sum()

    with pytest.raises(wg.MiscompiledError, match="tanh") as caught:
        wg.jit(f, check=True)(wg.tensor(X))
    error = caught.value
    assert error.node.op == "tanh"
    assert error.native == pytest.approx(error.expected, rel=2e-6)
    assert error.native != error.expected
    assert 1e9 < error.ulps < 1e10
    assert error.expected == np.tanh(X * 2 + 1)[error.index]
    assert "# the culprit" in str(error)
    assert "test_check.py" in str(error)


def test_it_is_found_in_a_derivative_and_inside_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "tanh")
    for function in (looping, wg.jit(looping, check=True)):
        with pytest.raises(wg.MiscompiledError) as caught:
            wg.jit(wg.grad(function), check=True)(wg.tensor(X))
        assert caught.value.node.op == "tanh"
    with pytest.raises(wg.MiscompiledError, match="tanh"):
        wg.grad(wg.jit(looping, check=True))(wg.tensor(X))


def test_a_fault_of_fusion_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every result is stored the code is right; where one is not, it is wrong."""
    whole = Program.run

    def wrong(self: Program, arguments: Any) -> Any:
        outs = whole(self, arguments)
        names = [node.op for node in self.graph.nodes]
        return tuple(1.5 * y for y in outs) if "cos" in names and len(outs) == 1 else outs

    monkeypatch.setattr(Program, "run", wrong)
    with pytest.raises(wg.MiscompiledError, match="fused") as caught:
        wg.jit(lambda x: wg.exp(wg.cos(x) + 1), check=True)(wg.tensor(X))
    assert caught.value.node.op == "cos"


def test_units_in_the_last_place() -> None:
    one = np.array([1.0, 0.0, np.nan, np.inf, -1.0])
    other = np.array([np.nextafter(1.0, 2), -0.0, np.nan, np.inf, 1.0])
    assert check.ulps(one, other).tolist()[:4] == [1, 0, 0, 0]
    assert check.ulps(one, other)[4] > 9e18
    assert check.ulps(np.array([np.nan]), np.array([1.0])) == [np.inf]
    assert check.ulps(np.array([1 + 1j]), np.array([1 + 1j])) == [0]
    assert check.ulps(np.array([3, 4]), np.array([3, 6])).tolist() == [0, 2]
