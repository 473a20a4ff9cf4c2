"""Operations of three operands: the fast path does what ``apply`` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.core.apply import apply
from wengert.ops.selection import Clip, Where

X, LOW, HIGH = np.array([0.1, 0.2, 0.3]), np.array([0.15, 0.1, 0.1]), np.array([0.25, 0.15, 0.9])
MASK = np.array([True, False, True])


def clips(operands: list[Any]) -> tuple[Any, Any]:
    return wg.clip(*operands), apply(Clip(), *operands)


def wheres(operands: list[Any]) -> tuple[Any, Any]:
    mask = wg.tensor(MASK)
    return wg.where(mask, *operands[1:]), apply(Where(), mask, *operands[1:])


@pytest.mark.parametrize("both", [clips, wheres])
@pytest.mark.parametrize("tracked", range(8))
def test_the_graph_is_that_of_apply(both: Callable[[list[Any]], tuple[Any, Any]], tracked: int) -> None:
    operands = [wg.tensor(v, requires_grad=bool(tracked >> k & 1)) for k, v in enumerate((X, LOW, HIGH))]
    fast, slow = both(operands)
    np.testing.assert_array_equal(fast.detach(), slow.detach())
    assert fast.requires_grad == slow.requires_grad
    if fast.requires_grad:
        assert fast.grad_fn.parents == slow.grad_fn.parents
        assert fast.grad_fn.primitive == slow.grad_fn.primitive
        kept = [[None if r is None else r.tolist() for r in one.grad_fn.residuals] for one in (fast, slow)]
        assert kept[0] == kept[1]
        assert fast.grad_fn.location.line == slow.grad_fn.location.line


@pytest.mark.parametrize("operands", [(X, 0.15, HIGH), (0.2, LOW, HIGH), (X, LOW, 0.2), (0.2, 0.1, 0.15)])
def test_numbers_among_the_operands(operands: tuple[Any, ...]) -> None:
    tensors = [wg.tensor(x, requires_grad=True) if isinstance(x, np.ndarray) else x for x in operands]
    np.testing.assert_array_equal(wg.clip(*tensors).detach(), np.clip(*operands))


def test_an_array_that_is_written_to_afterwards() -> None:
    x, mask = wg.tensor(X, requires_grad=True), MASK.copy()
    y = wg.where(mask, x, 0.0)
    mask[:] = False
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 0.0, 1.0])


def test_a_choice_among_integers_has_no_gradient() -> None:
    condition = wg.tensor([1.0, 0.0], requires_grad=True)
    assert not wg.where(condition, 1, 2).requires_grad


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(wg.ShapeError, match=r"where on bool\(3,\), float64\(2,\), 0"):
        wg.where(wg.tensor(MASK), wg.ones(2), 0)


def test_under_transforms() -> None:
    x = wg.tensor(X)
    with wg.no_grad():
        assert not wg.clip(wg.tensor(X, requires_grad=True), 0.0, 0.2).requires_grad
    np.testing.assert_array_equal(wg.grad(lambda x: wg.clip(x, 0.15, 0.25).sum())(x), [0.0, 1.0, 0.0])
    mapped = wg.vmap(lambda x, low: wg.clip(x, low, 0.25))(x, wg.tensor(LOW))
    np.testing.assert_array_equal(mapped, np.clip(X, LOW, 0.25))


@pytest.mark.parametrize("size", [3, 5000])
def test_clip_of_any_size_agrees_with_numpy(size: int) -> None:
    x = np.resize([np.nan, -np.inf, -0.5, 0.0, 0.5, np.inf], size)
    np.testing.assert_array_equal(wg.clip(wg.tensor(x), -0.25, 0.25), np.clip(x, -0.25, 0.25))
    np.testing.assert_array_equal(wg.clip(wg.tensor(x), 0.25, -0.25), np.clip(x, 0.25, -0.25))
    single = wg.clip(wg.tensor(x.astype(np.float32)), -0.25, 0.25)
    assert single.dtype == np.float32
