"""Nests that run together, row by row: the same values, fewer passes over memory, and no nest where it must not be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm.schedule import Rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 64))


def compiled(f: Callable[..., Any], *arguments: Any) -> tuple[Any, Any]:
    """The program's schedule, after its values were compared with the function's."""
    for got, expected in zip(_leaves(wg.jit(f)(*arguments)), _leaves(f(*arguments)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    program = wg.jit(f).lower(*arguments).program
    return program.schedule, program.arena


def _leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(x) for x in wg.tree_flatten(tree)[0]]


def softmax_loss(x: Any, t: Any) -> Any:
    shifted = x - x.max(axis=1, keepdims=True)
    return (t * (shifted - wg.log(wg.exp(shifted).sum(axis=1, keepdims=True)))).sum()


def test_a_softmax_and_its_gradient_pass_once_over_the_rows() -> None:
    x, t = RNG.normal(size=(1000, 100)), RNG.normal(size=(1000, 100))
    schedule, arena = compiled(wg.value_and_grad(softmax_loss), x, t)
    assert [type(step) for step in schedule.steps] == [Rows]
    assert schedule.steps[0].lead == (1000,)
    assert arena.size < x.nbytes / 4, "rows, not matrices, are kept"


def test_normalised_rows_are_one_group() -> None:
    def loss(x: Any, scale: Any, shift: Any) -> Any:
        centred = x - x.mean(axis=1, keepdims=True)
        deviation = wg.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5)
        return wg.sin(centred / deviation * scale + shift).sum()

    arguments = RNG.normal(size=(40, 200)), RNG.normal(size=200), RNG.normal(size=200)
    schedule, _ = compiled(wg.value_and_grad(loss, argnums=(0, 1, 2)), *arguments)
    assert [type(step) for step in schedule.steps] == [Rows]


def test_a_mixture_of_normals_is_one_group_over_the_data() -> None:
    def loss(x: Any, mean: Any, log_scale: Any) -> Any:
        d = (x[:, None, :] - mean) * wg.exp(-log_scale)
        lp = -0.5 * (d * d).sum(axis=2) - log_scale.sum(axis=1)
        m = lp.max(axis=1, keepdims=True)
        return (m[:, 0] + wg.log(wg.exp(lp - m).sum(axis=1))).sum()

    arguments = RNG.normal(size=(200, 5)), RNG.normal(size=(7, 5)), RNG.normal(size=(7, 5))
    schedule, arena = compiled(wg.value_and_grad(loss, argnums=(1, 2)), *arguments)
    assert any(isinstance(step, Rows) and step.lead == (200,) for step in schedule.steps)
    assert arena.size < 200 * 7 * 8


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x.sum(axis=0),
        lambda x: x + (x * x).max(axis=0, keepdims=True) + x.sum(axis=1, keepdims=True),
        lambda x: wg.exp(x).T + x.sum(axis=1, keepdims=True),
        lambda x: wg.exp(x)[::-1] * x.sum(axis=1, keepdims=True),
        lambda x: (x - x.mean(axis=1, keepdims=True)).mean(axis=0) + x.sum(axis=1),
        lambda x: (x.sum(axis=1)[:, None] * x).sum(axis=0).max() * x,
        lambda x: (x.min(axis=1) + x.max(axis=0), wg.exp(x - x.min(axis=1)).sum(axis=1)),
        lambda x: wg.exp(x).sum(axis=1)[::2] + x.sum(axis=1)[1::2],
    ],
    ids=["columns", "both", "transposed", "reversed", "means", "total", "square trap", "every other"],
)
def test_what_crosses_rows_is_computed_before_it_is_read(f: Callable[..., Any]) -> None:
    compiled(f, X)
    compiled(f, np.asfortranarray(X))
    compiled(wg.grad(lambda x: sum(y.sum() for y in wg.tree_flatten(f(x))[0])), X)


def test_sums_within_a_row_stay_within_it() -> None:
    def energy(x: Any) -> Any:
        d = x[:, None, :] - x[None, :, :]
        return (1.0 / wg.sqrt((d * d).sum(axis=-1) + 0.01)).sum()

    schedule, _ = compiled(wg.grad(energy), RNG.normal(size=(64, 3)))
    assert any(isinstance(step, Rows) for step in schedule.steps)


def test_three_axes_share_as_many_as_they_can() -> None:
    x = RNG.normal(size=(4, 8, 100))
    schedule, _ = compiled(lambda x: wg.exp(x - x.max(axis=2, keepdims=True)) / x.sum(axis=2, keepdims=True), x)
    assert [step.lead for step in schedule.steps if isinstance(step, Rows)] == [(4, 8)]
    schedule, _ = compiled(lambda x: x - x.max(axis=(1, 2), keepdims=True), x)
    assert [step.lead for step in schedule.steps if isinstance(step, Rows)] == [(4,)]
