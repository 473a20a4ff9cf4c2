"""The laws are tested too: an operation with a planted fault breaks the law that is there to find it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.laws.samples import normal
from wengert.core.primitive import REGISTRY, Primitive
from wengert.core.types import TensorSpec
from wengert.ops.families import Elementwise, Linear
from wengert.testing.laws import Case, LawError, check_law


class WrongDerivative(Elementwise):
    value = np.sin

    def partial_x(self, x: Any) -> Any:
        return np.cos(x) * 1.001


class WrongTransposeOnly(Elementwise):
    """The pullback is wrong, the pushforward is right."""

    value = np.sin

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * np.sin(x)

    def jvp_x(self, t: Any, x: Any) -> Any:
        return t * np.cos(x)


class WrongShape(Linear):
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return x[..., :1] * 1.0

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def transpose(self, g: Any, spec: Any) -> Any:
        return np.concatenate([g, np.zeros((*spec.shape[:-1], spec.shape[-1] - 1))], axis=-1)


class DetachedSecondOrder(Elementwise):
    value = np.exp

    def partial_x(self, out: Any) -> Any:
        return np.asarray(getattr(out, "_value", out))


class NotReallyPerElement(Primitive):
    """Claims to map leading axes, but sums over all of them."""

    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return x - x.sum()

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def vjp_x(self, g: Any) -> Any:
        return g - g.sum()


class Vandal(Elementwise):
    def value(self, x: Any) -> Any:
        x *= 2.0
        return x * 1.0

    partial_x = 2


class HiddenView(Linear):
    maps_leading_axes = True

    def value(self, x: Any) -> Any:
        return x[::-1]

    def spec(self, x: TensorSpec) -> TensorSpec:
        return x

    def transpose(self, g: Any, spec: Any) -> Any:
        return g[::-1]


@pytest.mark.parametrize(
    ("law", "case"),
    [
        ("value", Case(WrongDerivative(), normal(3), reference=np.cos)),
        ("forward", Case(WrongDerivative(), normal(3))),
        ("adjoint", Case(WrongTransposeOnly(), normal(3))),
        ("spec", Case(WrongShape(), normal(3))),
        ("second_order", Case(DetachedSecondOrder(), normal(3))),
        ("batching", Case(NotReallyPerElement(), normal(3))),
        ("no_mutation", Case(Vandal(), normal(3))),
        ("alias", Case(HiddenView(), normal(3))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_planted_fault_is_found(law: str, case: Case) -> None:
    with pytest.raises(LawError):
        check_law(law, case, "float64")


def test_the_planted_operations_are_not_the_librarys() -> None:
    mine = {cls.name for cls in REGISTRY.values() if cls.__module__ == __name__}
    assert "wrong_derivative" in mine
