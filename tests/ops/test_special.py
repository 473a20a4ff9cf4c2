"""Derivatives of special functions where the obvious formula loses every digit."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp, mpf

import wengert as wg
from wengert.scipy import special


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_slope_of_log_ndtr_in_the_lower_tail(dtype: str, compiled: bool) -> None:
    """It grows like -x, and is not the quotient of two numbers that vanish."""
    x = np.array([-1e30, -1e8, -1e4, -709.0, -40.0, -5.0, -0.0, 0.0, 3.0, 30.0, 1e8], dtype=dtype)
    slope = wg.grad(lambda x: special.log_ndtr(x).sum())
    got = (wg.jit(slope) if compiled else slope)(wg.tensor(x)).numpy()
    with mp.workdps(50):
        want = [float(mp.npdf(mpf(one)) / mp.ncdf(mpf(one))) if one > -100 else _tail(one) for one in x.tolist()]
    np.testing.assert_allclose(got, want, rtol=100 * np.finfo(dtype).eps, atol=1e-35)


def _tail(x: float) -> float:
    """Mills' ratio, inverted: -x - 1/x + 2/x**3, to more digits than float64 has below -100."""
    return float(-mpf(x) - 1 / mpf(x) + 2 / mpf(x) ** 3 - 10 / mpf(x) ** 5)


def test_the_curvature_of_log_ndtr_is_finite_on_both_sides() -> None:
    x = wg.tensor(np.array([-30.0, -1.0, 0.0, 1.0, 50.0, 1e5]))
    curvature = wg.grad(lambda x: wg.grad(lambda x: special.log_ndtr(x).sum())(x).sum())(x).numpy()
    with mp.workdps(50):
        ratios = [mp.npdf(mpf(one)) / mp.ncdf(mpf(one)) for one in x.tolist()]
        want = [float(-ratio * (mpf(one) + ratio)) for ratio, one in zip(ratios, x.tolist(), strict=True)]
    np.testing.assert_allclose(curvature, want, rtol=1e-10, atol=1e-300)
