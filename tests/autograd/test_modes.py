"""Finding the first NaN, and deciding what is saved."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.autograd.test_function import Cube, Exp
from wengert.autograd import detect_anomaly, saved_tensors_hooks, set_detect_anomaly


def leaf(*values: float) -> wg.Tensor:
    return wg.tensor(values, requires_grad=True)


def test_the_first_nan_of_the_forward_pass() -> None:
    x = leaf(4.0, -1.0)
    with warnings.catch_warnings(), detect_anomaly():
        warnings.simplefilter("ignore")
        with pytest.raises(wg.AnomalyError) as caught:
            wg.sqrt(x)  # the line with the NaN
    text = str(caught.value)
    for words in ("forward pass of sqrt", "float64(2,): 1 NaN, 0 inf", "the line with the NaN", "operand 0:", "[1, 4]"):
        assert words in text


def test_the_first_infinity_of_the_backward_pass() -> None:
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        y = wg.sqrt(x)  # the line with the infinity
        with pytest.raises(wg.AnomalyError) as caught:
            y.sum().backward()
    text = str(caught.value)
    for words in ("backward pass of sqrt", "1 inf", "the line with the infinity", "incoming gradient", "kept"):
        assert words in text
    assert x.grad is None


def test_anomalies_are_looked_for_only_inside() -> None:
    x = leaf(0.0)
    y = wg.sqrt(x)
    with set_detect_anomaly(False):
        y.sum().backward()
    assert np.isinf(x.grad.numpy()).all()  # type: ignore[union-attr]


def test_hooks_see_every_saved_tensor_and_give_it_back() -> None:
    packed: list[Any] = []

    def pack(t: Any) -> Any:
        packed.append(t)
        return t.numpy().astype("float32")

    def unpack(a: Any) -> Any:
        return wg.tensor(a.astype("float64"))

    x = leaf(0.5, 1.5)
    with saved_tensors_hooks(pack, unpack):
        y = (x * x).exp().sum()
    y.backward()
    assert len(packed) == 3
    expected = 2 * x.detach().numpy() * np.exp(x.detach().numpy() ** 2)
    assert np.allclose(x.grad.numpy(), expected, rtol=1e-6)  # type: ignore[union-attr]


def test_hooks_see_what_custom_functions_save() -> None:
    x = leaf(0.5, 1.5)
    with saved_tensors_hooks(lambda t: ("held", t), lambda pair: pair[1]):
        y = Cube.apply(Exp.apply(x)).sum()
    (g,) = wg.autograd.grad(y, x, create_graph=True)
    assert np.allclose(g.detach().numpy(), 3 * np.exp(3 * x.detach().numpy()))  # type: ignore[union-attr]
    g.sum().backward()  # type: ignore[union-attr]
    assert np.allclose(x.grad.numpy(), 9 * np.exp(3 * x.detach().numpy()))  # type: ignore[union-attr]


def test_the_innermost_hooks_are_the_ones_that_run() -> None:
    seen: list[str] = []

    def hooks(name: str) -> Any:
        return saved_tensors_hooks(lambda t: seen.append(name) or t, lambda t: t)

    x = leaf(1.0)
    with hooks("outer"):
        x.exp()
        with hooks("inner"):
            x.exp()
        x.exp()
    x.exp()
    assert seen == ["outer", "inner", "outer"]


def test_source_lines_can_be_switched_off() -> None:
    x = leaf(1.0)
    with wg.record_source(False):
        assert x.exp().grad_fn.location is None  # type: ignore[union-attr]
    assert "x.exp()" in x.exp().grad_fn.location.text  # type: ignore[union-attr]
