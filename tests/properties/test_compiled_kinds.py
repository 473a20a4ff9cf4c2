"""Random programs compiled, over dtypes, orders of elements in memory, second derivatives and numbers of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.properties.test_compiled_graphs import program
from wengert.backends.llvm import codegen, division, grouping

FEW = range(6)
MANY = pytest.param(range(6, 120), marks=pytest.mark.long)

KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "single precision": lambda x: x.astype(np.float32),
    "every other element": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "columns first": np.asfortranarray,
    "backwards": lambda x: np.ascontiguousarray(x[..., ::-1])[..., ::-1] if x.ndim else x,
    "integers": lambda x: (x * 3).astype(np.int64),
}


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = wg.get_num_threads()
    yield
    wg.set_num_threads(before)


def _arrays(results: Any) -> list[np.ndarray]:
    return [np.asarray(y) for y in results]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seeds", [FEW, MANY], ids=["few", "many"])
def test_every_kind_of_array(seeds: range, kind: str) -> None:
    tolerance = 2e-3 if kind == "single precision" else 1e-9
    for seed in seeds:
        f, xs = program(seed)
        arrays = [KINDS[kind](x) for x in xs]
        try:
            results = _arrays(wg.jit(f)(*arrays))
        except wg.DTypeError:
            assert kind == "integers", "of which one branch makes other numbers"
            continue
        for found, wanted in zip(results, _arrays(f(*map(wg.tensor, arrays))), strict=True):
            assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
            np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance, err_msg=f"seed {seed}")


@pytest.mark.parametrize("seeds", [FEW, MANY], ids=["few", "many"])
def test_second_derivatives_in_chunks(seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "LEAST", 0)
    monkeypatch.setattr(grouping, "SHORTEST", 1)
    monkeypatch.setattr(codegen, "UNROLLED", 0)
    monkeypatch.setattr(codegen, "UNROLLED_HEAVY", 0)
    monkeypatch.setattr(division, "WORTH", 5)
    for seed in seeds:
        f, xs = program(seed)
        places = tuple(range(len(xs)))

        def loss(*a: Any, f: Any = f) -> Any:
            return sum(wg.sin(y).sum() for y in f(*a))

        def norm(*a: Any, loss: Any = loss, places: Any = places) -> Any:
            return sum((g * g).sum() for g in wg.grad(loss, places)(*a))

        twice = wg.grad(norm, places)
        expected = _arrays(twice(*map(wg.tensor, xs)))
        compiled = wg.jit(twice)
        found = []
        for number in (1, 3):
            wg.set_num_threads(number)
            found.append(_arrays(compiled(*xs)))
        for one, other, wanted in zip(*found, expected, strict=True):
            assert np.array_equal(one, other, equal_nan=True)
            np.testing.assert_allclose(one, wanted, rtol=1e-7, atol=1e-7, err_msg=f"seed {seed}")
