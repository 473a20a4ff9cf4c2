"""Derivatives of incomplete gamma and beta functions in their shapes, against 30-digit arithmetic (mpmath)."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.ops.incomplete import BetaincByShape, GammaincByShape
from wengert.scipy import special

#: a, x, dP/da, d^2P/da^2
GAMMA = [
    (0.01, 0.001, -5.957905603446865, 36.30008774742207),
    (0.01, 2.0, -0.05043446769316511, -0.15401502564787894),
    (0.5, 0.3, -0.7705703513753519, 0.6261476558399126),
    (1.0, 1.0, -0.4317297106348987, 0.033618035299959194),
    (3.0, 10.0, -0.004120470819561477, -0.0050631907927515245),
    (10.0, 2.5, -0.0004049994485224199, 0.0005663301461353713),
    (50.0, 50.0, -0.05651312752336055, 1.889851704371531e-06),
    (200.0, 230.0, -0.0033931816755953846, -0.0004744282614794249),
    (500.0, 400.0, -1.87712519504196e-07, 4.1893877815519584e-08),
]
#: a, b, x, dI/da, dI/db
BETA = [
    (0.01, 0.1, 0.5, -8.218211084539632, 0.8328196692391965),
    (0.5, 0.5, 1e-06, -0.009185925720194629, 0.0008825423354943546),
    (1.0, 1.0, 0.3, -0.3611918412977808, 0.24967246075711266),
    (2.0, 5.0, 0.4, -0.17972242994255216, 0.08806140151213031),
    (50.0, 5.0, 0.8, -0.0015529049114409532, 0.009880123761715097),
    (30.0, 200.0, 0.15, -0.04440391885974252, 0.007195659267603108),
    (1.0, 0.01, 0.9, -0.01496546781941425, 2.2501718572917784),
]


@pytest.mark.parametrize(("a", "x", "first", "second"), GAMMA)
def test_gamma(a: float, x: float, first: float, second: float) -> None:
    a_, x_ = wg.tensor(a), wg.tensor(x)
    np.testing.assert_allclose(wg.grad(special.gammainc)(a_, x_).item(), first, rtol=1e-12)
    np.testing.assert_allclose(wg.grad(special.gammaincc)(a_, x_).item(), -first, rtol=1e-12)
    # The second derivative passes through zero: its error is relative to its parts.
    np.testing.assert_allclose(wg.grad(wg.grad(special.gammainc))(a_, x_).item(), second, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("a", "b", "x", "by_a", "by_b"), BETA)
def test_beta(a: float, b: float, x: float, by_a: float, by_b: float) -> None:
    found = wg.grad(special.betainc, argnums=(0, 1))(wg.tensor(a), wg.tensor(b), wg.tensor(x))
    np.testing.assert_allclose([one.item() for one in found], [by_a, by_b], rtol=1e-12)


def test_where_the_functions_are_constant_or_not_defined() -> None:
    found = GammaincByShape(1)(np.array([1.0, 1.0, -1.0, 1.0, np.nan]), np.array([0.0, np.inf, 1.0, -1.0, 1.0]))
    np.testing.assert_array_equal(found, [0, 0, np.nan, np.nan, np.nan])
    found = BetaincByShape(1, 0)(np.array([1.0, 1.0, 0.0, 1.0]), 2.0, np.array([0.0, 1.0, 0.5, 1.5]))
    np.testing.assert_array_equal(found, [0, 0, np.nan, np.nan])
    assert GammaincByShape(1)(np.empty((0, 2)), 1.0).shape == (0, 2)


def test_python_numbers_are_double() -> None:
    assert abs(GammaincByShape(1)(1, 1.0) / -0.4317297106348987 - 1) < 1e-13
    assert abs(BetaincByShape(1, 0)(1.0, 1.0, 0.3) / (0.3 * np.log(0.3)) - 1) < 1e-13


def test_closed_forms_with_one_shape_of_one() -> None:
    a = np.array([1e-3, 0.01, 0.1, 5.0, 300.0])[:, None]
    x = np.array([1e-6, 1e-3, 0.01, 0.3, 0.9, 0.999])
    # I_x(a, 1) = x^a, and I_x(1, b) = 1 - (1 - x)^b; where it underflows, so does its derivative.
    np.testing.assert_allclose(BetaincByShape(1, 0)(a, 1.0, x), x**a * np.log(x), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(BetaincByShape(0, 1)(1.0, a, x), -((1 - x) ** a) * np.log1p(-x), rtol=1e-9, atol=1e-300)


def test_single_precision_stays_single_and_exact() -> None:
    a = wg.tensor([0.5, 30.0], dtype="float32", requires_grad=True)
    special.gammainc(a, wg.tensor([0.3, 28.0], dtype="float32")).sum().backward()
    assert a.grad is not None
    assert a.grad.dtype == np.float32
    np.testing.assert_allclose(a.grad[0].item(), -0.7705703513753519, rtol=1e-6)


@pytest.mark.parametrize(
    ("inverse", "function", "shapes"),
    [
        (special.gammaincinv, special.gammainc, (2.5,)),
        (special.gammainccinv, special.gammaincc, (0.4,)),
        (special.betaincinv, special.betainc, (2.5, 0.7)),
    ],
)
def test_inverses_undo_the_functions_with_all_derivatives(inverse, function, shapes) -> None:  # type: ignore[no-untyped-def]
    shapes = tuple(map(wg.tensor, shapes))

    def identity(*args):  # type: ignore[no-untyped-def]
        return inverse(*args[:-1], function(*args))

    arguments = (*shapes, wg.tensor(0.3))
    assert abs(identity(*arguments).item() - 0.3) < 1e-13
    every = tuple(range(len(arguments)))
    slopes = [one.item() for one in wg.grad(identity, argnums=every)(*arguments)]
    np.testing.assert_allclose(slopes, [0] * len(shapes) + [1], atol=1e-12)
    curvature = [one.item() for one in wg.grad(wg.grad(identity), argnums=every)(*arguments)]
    np.testing.assert_allclose(curvature, 0, atol=1e-10)
