"""Sums of slices: added where they are, or put there where nothing is yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.compile import run as run_native
from wengert.core.interpreter import interpret
from wengert.core.tracing import trace_flat
from wengert.passes import FOR_CODE, AddSlices, optimize

X = np.random.default_rng(0).standard_normal((6, 8))


def after(f: Callable[[Any], Any], x: np.ndarray = X) -> Counter[str]:
    """The operations of the gradient of ``f`` after the compiler's passes; its values were compared."""
    graph = trace_flat(lambda x: [wg.grad(f)(x)], [wg.TensorSpec(x.shape, x.dtype)])
    expected = interpret(graph, [x])[0]
    found = optimize(graph, FOR_CODE).graph.validate()
    np.testing.assert_allclose(interpret(found, [x])[0], expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(run_native(graph, [x])[0], expected, rtol=1e-12, atol=1e-14)
    assert AddSlices()(found) is found
    return found.counts


def test_what_is_apart_is_put_there() -> None:
    counts = after(lambda x: (x[0] * x[1] * wg.exp(x[2:4]).sum(axis=0)).sum())
    assert (counts["unslice"], counts["set_at"], counts["add_at"]) == (1, 2, 0)


def test_what_overlaps_is_added() -> None:
    counts = after(lambda x: (wg.exp(x[1:] - x[:-1])).sum())
    assert (counts["unslice"], counts["set_at"], counts["add_at"]) == (1, 0, 1)


def test_interleaved_slices_are_apart() -> None:
    counts = after(lambda x: (wg.exp(x[:, ::2]) * wg.sin(x[:, 1::2])).sum())
    assert (counts["unslice"], counts["set_at"], counts["add_at"]) == (1, 1, 0)


def test_apart_along_any_axis() -> None:
    counts = after(lambda x: (wg.exp(x[:3, 1:4]) * wg.sin(x[2:5, 4:7])).sum())
    assert (counts["set_at"], counts["add_at"]) == (1, 0)
    counts = after(lambda x: (wg.exp(x[:3, 1:5]) * wg.sin(x[2:5, 4:8])).sum())
    assert (counts["set_at"], counts["add_at"]) == (0, 1)


def test_constants_lie_under_the_slices() -> None:
    counts = after(lambda x: (x[0] * 2 + wg.exp(x[1]) + x[2] * x[3] - x[4]).sum())
    assert (counts["unslice"], counts["add"], counts["set_at"]) == (0, 0, 3)
    counts = after(lambda x: (x[0] * 2 + wg.exp(x[:2]).sum(axis=0) - x[1]).sum())
    assert counts["set_at"] == 0
    assert counts["add_at"] == 1


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_dtypes(dtype: Any) -> None:
    x = X.astype(dtype)
    graph = trace_flat(
        lambda x: [wg.vjp(lambda x: x[1:] * x[:-1] * x[0], x)[1](x[1:])[0]], [wg.TensorSpec(x.shape, x.dtype)]
    )
    assert optimize(graph, FOR_CODE).graph.counts["add_at"] > 0
    np.testing.assert_allclose(run_native(graph, [x])[0], interpret(graph, [x])[0], rtol=1e-5)


def test_other_sums_stay() -> None:
    counts = after(lambda x: (wg.exp(x) * 2).sum() + wg.sin(x[0]).sum())
    assert (counts["set_at"], counts["add_at"]) == (0, 0)
    counts = after(lambda x: wg.sin(x[np.array([0, 0])]).sum() + wg.exp(x[0]).sum())
    assert counts["set_at"] == 0


@pytest.mark.parametrize("seed", range(20))
def test_random_slices(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def some() -> Any:
        def axis(n: int) -> Any:
            if rng.random() < 0.3:
                return int(rng.integers(-n, n))
            a, b = sorted(rng.integers(0, n + 1, 2))
            return slice(int(a), int(b), int(rng.integers(1, 4))) if rng.random() < 0.7 else slice(None, None, -1)

        chosen = (axis(6), axis(8))
        return chosen if rng.random() < 0.8 else (..., None, chosen[1])

    terms = [(some(), rng.random() < 0.3) for _ in range(int(rng.integers(2, 8)))]

    def f(x: Any) -> Any:
        return sum((x[at] * 3 if is_linear else wg.exp(x[at])).sum() for at, is_linear in terms)

    after(f)


def test_updates_of_slices_are_native() -> None:
    for update in (wg.add_at, wg.set_at):
        f = wg.jit(lambda x, v, update=update: (update(x * 2, (slice(1, 5), 3), v), update(x, slice(0, 2), v[0])))
        lowered = f.lower(X, X[:4, 0])
        assert not lowered.not_native
        assert lowered.predicted_bytes == lowered.measured_bytes
        out = f(X, X[:4, 0])
        expected = X * 2, X.copy()
        for one, at, v in zip(expected, ((slice(1, 5), 3), slice(0, 2)), (X[:4, 0], X[0, 0]), strict=True):
            one[at] = one[at] + v if update is wg.add_at else v
        for one, other in zip(out, expected, strict=True):
            np.testing.assert_array_equal(one, other)
