"""Interpolation beyond the laws: slopes at the points, dtypes, sizes, and bad arguments."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, ShapeError


def test_the_slope_on_a_point_is_that_to_its_right_and_zero_outside() -> None:
    x = wg.tensor([-1.0, 0.0, 1.0, 2.0, 3.0], requires_grad=True)
    wg.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0]).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 1.0, 3.0, 0.0, 0.0]


def test_interp_is_exact_on_its_points_and_keeps_single_precision() -> None:
    rng = np.random.default_rng(0)
    xp, fp = np.sort(rng.standard_normal(20)), rng.standard_normal(20)
    assert np.array_equal(wg.interp(xp, xp, fp).numpy(), fp)
    assert wg.interp(*(wg.tensor(v.astype("float32")) for v in (xp, xp, fp))).dtype == np.float32
    assert isinstance(np.interp(wg.tensor(0.5), [0.0, 1.0], [0.0, 1.0]), wg.Tensor)
    assert wg.interp(0.5, [0.0, 1.0], [0.0, 2j]).item() == 1j


def test_values_beyond_the_ends_pass_their_gradients_to_the_end_points() -> None:
    fp = wg.tensor([1.0, 2.0], requires_grad=True)
    wg.interp([-1.0, 5.0, 6.0], [0.0, 1.0], fp).sum().backward()
    assert fp.grad is not None
    assert fp.grad.tolist() == [1.0, 2.0]


def test_nearest_copies_and_linear_keeps_the_ends() -> None:
    x = wg.tensor([[[1.0, 2.0, 3.0]]])
    assert wg.interpolate(x, size=6).tolist() == [[[1.0, 1.0, 2.0, 2.0, 3.0, 3.0]]]
    assert wg.interpolate(x, scale_factor=0.67).tolist() == [[[1.0, 2.0]]]
    assert wg.interpolate(x, size=5, mode="linear", align_corners=True).tolist() == [[[1.0, 1.5, 2.0, 2.5, 3.0]]]
    assert wg.interpolate(x.astype("float32"), size=5, mode="linear").dtype == np.float32


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: wg.interp(0.5, [0.0, 1.0], [1.0]), ShapeError, "vectors of one length, at least 1, not \\(2,\\) and"),
        (lambda: wg.interp(0.5, [], []), ShapeError, "at least 1, not \\(0,\\) and \\(0,\\)"),
        (lambda: wg.interp(0.5j, [0.0], [1.0]), DTypeError, "interp: only fp may be complex"),
        (lambda: wg.interp(0.5, [0.0], [1.0], period=0), ShapeError, "interp: period must not be zero"),
        (lambda: wg.interpolate(wg.ones(1, 1, 3)), ShapeError, "give either size or scale_factor"),
        (
            lambda: wg.interpolate(wg.ones(1, 1, 3), size=2, mode="cubic"),
            ShapeError,
            "mode must be one of nearest, lin",
        ),
        (
            lambda: wg.interpolate(wg.ones(1, 1, 3), size=2, mode="bilinear"),
            ShapeError,
            "'bilinear' does not fit an in",
        ),
        (lambda: wg.interpolate(wg.ones(1, 1, 3), scale_factor=0.1), ShapeError, "size must be at least 1"),
        (lambda: wg.interpolate(wg.ones(1, 1, 0), size=2), ShapeError, "a spatial axis is empty"),
        (lambda: wg.interpolate(wg.ones(1, 1, 3, 3), scale_factor=(2, 2, 2)), ShapeError, "must have 2 entries"),
    ],
)
def test_bad_arguments_are_refused(call, kind: type[Exception], text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(kind, match=text):
        call()
