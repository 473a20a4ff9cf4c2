"""The examples of second derivatives and of applications reach what they promise."""

from __future__ import annotations

import pytest

from tests.examples.test_examples import load


def test_second_order() -> None:
    second, distances = load("second_order").main()
    assert second == 12.0
    assert distances[-1] < 1e-12
    # Newton's method is quadratic: near the minimum the error is squared, up to a constant.
    assert distances[6] < 10 * distances[5] ** 2


def test_newton_cg(capsys: pytest.CaptureFixture[str]) -> None:
    accuracy, slope, ratios = load("newton_cg").main()
    assert accuracy > 0.98
    assert slope < 1e-5
    # The bound holds for graphs; run eagerly, Python's own time dominates arrays this small, and the table says so.
    assert ratios["interpreted graph"] <= 4
    assert ratios["jit"] <= 4
    assert "eager" in capsys.readouterr().out


def test_gradient_penalty() -> None:
    found = load("gradient_penalty").main()
    slopes = [slope for _, slope in found.values()]
    assert slopes == sorted(slopes, reverse=True)
    assert slopes[-1] < 0.7 * slopes[0]
    assert found[0.02][0] > 0.9


def test_adversarial() -> None:
    found = load("adversarial").main()
    assert found["clean"] > 0.9
    assert found["random"] > 0.85
    assert found["adversarial"] < 0.4


def test_least_squares_fit() -> None:
    found = load("least_squares_fit").main()
    assert found["cost"] < found["straight"]
    assert found["gradient"] < 1e-7 * found["cost"]
    assert found["evaluations"] < 50
