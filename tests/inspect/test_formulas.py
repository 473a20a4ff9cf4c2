"""Rules as text, for every operation that there is."""

from __future__ import annotations

import pytest

from wengert.core.primitive import REGISTRY
from wengert.inspect.formulas import formulas


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("exp", {"value": "exp(x)", "∂ x": "g · out"}),
        ("multiply", {"value": "multiply(x, y)", "∂ x": "g · y", "∂ y": "g · x"}),
        ("floor", {"value": "floor(x)", "∂ x": "0"}),
        ("relu", {"value": "np.maximum(x, 0)", "∂ x": "g * (out > 0)"}),
        ("reshape", {"value": "np.reshape(x, self.shape)", "∂ x": "g.reshape(spec.shape)"}),
    ],
)
def test_rules_are_read_off_the_class(name: str, expected: dict[str, str]) -> None:
    assert formulas(REGISTRY[name]) == expected


def test_operations_without_a_derivative_say_so() -> None:
    assert "no derivative" in formulas(REGISTRY["argmax"])["∂"]


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_operation_has_its_text(name: str) -> None:
    cls = REGISTRY[name]
    found = formulas(cls)
    assert found["value"]
    if cls.differentiable and not cls.variadic:
        assert [key for key in found if key != "value"] == [f"∂ {one}" for one in cls.inputs]
        assert all(found.values())
