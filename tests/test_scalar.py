"""Scalar values: derivatives against differences, numbers on both sides, deep graphs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from benchmarks import scalar as demo
from wengert.scalar import Value

FUNCTIONS: dict[str, Callable[[Value, Value], Value]] = {
    "add": lambda x, y: x + y + 2 + x,
    "radd": lambda x, y: 3 + x + y,
    "subtract": lambda x, y: x - y - 1,
    "rsub": lambda x, y: 2 - x * y,
    "multiply": lambda x, y: x * y * 3,
    "rmul": lambda x, y: -2 * x * x * y,
    "divide": lambda x, y: x / y / 2,
    "rdiv": lambda x, y: 1 / x + 2 / y,
    "power": lambda x, y: x**3 + y**-2 + x**0.5,
    "power of values": lambda x, y: x**y,
    "rpow": lambda x, y: 2**x * y,
    "negative": lambda x, y: -x * y,
    "exp": lambda x, y: (x * y).exp(),
    "log": lambda x, y: (x + y).log(),
    "tanh": lambda x, y: (x - y).tanh(),
    "sigmoid": lambda x, y: (x * y).sigmoid(),
    "relu": lambda x, y: (x - y).relu() + (y - x).relu(),
    "sin and cos": lambda x, y: x.sin() * y.cos(),
    "same on both sides": lambda x, y: (x * x) * (x * x) + y / y,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient_agrees_with_differences(name: str) -> None:
    f, a, b, step = FUNCTIONS[name], 0.7, 1.9, 1e-6
    x, y = Value(a), Value(b)
    f(x, y).backward()
    by_x = (f(Value(a + step), Value(b)).data - f(Value(a - step), Value(b)).data) / (2 * step)
    by_y = (f(Value(a), Value(b + step)).data - f(Value(a), Value(b - step)).data) / (2 * step)
    assert (x.grad, y.grad) == pytest.approx((by_x, by_y), rel=1e-7, abs=1e-8)


def test_micrograd_sanity_check() -> None:
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)


def test_relu_has_derivative_zero_at_zero() -> None:
    x = Value(0.0)
    x.relu().backward()
    assert x.grad == 0.0


def test_gradients_of_leaves_add_up_over_calls() -> None:
    x = Value(3.0)
    (x * x).backward()
    (x * x).backward()
    assert x.grad == 12.0


def test_a_chain_of_200_000_values_neither_recurses_forward_nor_backward_nor_when_freed() -> None:
    x = Value(1.0)
    y = x
    for _ in range(200_000):
        y = y * 1.0 + 0.0
    y.backward()
    assert x.grad == 1.0
    del y


def test_a_ladder_of_2_to_the_500_paths_takes_linear_time() -> None:
    x = Value(1.0)
    y = x
    for _ in range(500):
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad == 1.0
    assert len(y.topological_order()) == 1 + 3 * 500


def test_values_have_no_dictionary_and_print_their_data_and_gradient() -> None:
    x = Value(2.0)
    assert not hasattr(x, "__dict__")
    assert repr(x) == "Value(data=2.0, grad=0.0)"
    assert float(x) == 2.0


def test_saturated_functions_stay_finite() -> None:
    for far in (-1000.0, 1000.0):
        x = Value(far)
        (x.sigmoid() + x.tanh()).backward()
        assert x.grad == 0.0


def test_bad_operands_are_type_errors() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        Value(1.0) + "one"  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"math domain error|expected a positive input"):
        Value(-1.0).log()


def test_the_benchmark_network_learns_from_its_gradient() -> None:
    points, labels = demo.moons()
    layers = demo.parameters(Value)
    first = demo.step(Value, layers, points[::5], labels[::5]).data
    for _ in range(3):
        for layer in layers:
            for row in layer:
                for w in row:
                    w.data -= 0.05 * w.grad
        last = demo.step(Value, layers, points[::5], labels[::5]).data
    assert math.isfinite(last)
    assert last < first
