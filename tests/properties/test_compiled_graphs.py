"""Random programs: eager, interpreted, optimised, compiled and loaded, they give the same values and gradients."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wengert as wg
from wengert.backends.llvm import codegen, division, grouping, inner, memory, reuse
from wengert.backends.llvm.program import Program
from wengert.compile import run as run_native
from wengert.core.interpreter import interpret
from wengert.core.tracing import trace_flat
from wengert.passes import FOR_CODE, optimize

SHAPES = [(), (3,), (4, 3), (4, 1), (1, 3), (2, 4, 3), (40,), (40, 7)]

Step = Callable[[Any, Any, float], Any]


def joined(x: Any, y: Any) -> bool:
    return x.shape == y.shape or x.ndim == 0 or y.ndim == 0


def looped(x: Any, y: Any, r: float) -> Any:
    return wg.scan(lambda c, v: (wg.tanh(c + v.sum()), v * c), x.sum() * 0.0, x, reverse=r > 0.5)[1]


#: An operation, and for which operands it makes sense.
STEPS: list[tuple[Step, Callable[[Any, Any], bool]]] = [
    (lambda x, y, r: x + y, joined),
    (lambda x, y, r: x * y, joined),
    (lambda x, y, r: x - y * 2, joined),
    (lambda x, y, r: wg.tanh(x), lambda x, y: True),
    (lambda x, y, r: wg.sin(x), lambda x, y: True),
    (lambda x, y, r: wg.exp(-x * x), lambda x, y: True),
    (lambda x, y, r: wg.where(x > 0, x, x * 0.1), lambda x, y: True),
    (lambda x, y, r: x.sum(axis=int(r * x.ndim), keepdims=r > 0.5), lambda x, y: x.ndim > 0),
    (lambda x, y, r: x.mean(axis=int(r * x.ndim)), lambda x, y: x.ndim > 0),
    (lambda x, y, r: x.max(axis=-1), lambda x, y: x.ndim > 0),
    (lambda x, y, r: wg.swapaxes(x, -1, -2), lambda x, y: x.ndim > 1),
    (lambda x, y, r: x.reshape(-1), lambda x, y: True),
    (lambda x, y, r: x[1:], lambda x, y: x.ndim > 0 and x.shape[0] > 1),
    (lambda x, y, r: x[int(r * x.shape[0])], lambda x, y: x.ndim > 0),
    (lambda x, y, r: x[..., ::-1], lambda x, y: x.ndim > 0),
    (lambda x, y, r: x[..., 0:1] * x, lambda x, y: x.ndim > 0),
    (lambda x, y, r: x[np.array([0, 2, 2])], lambda x, y: x.ndim > 0 and x.shape[0] > 2),
    (lambda x, y, r: wg.concatenate([x, x * 2], axis=int(r * x.ndim)), lambda x, y: x.ndim > 0),
    (lambda x, y, r: wg.softmax(x, axis=-1), lambda x, y: x.ndim > 0),
    (lambda x, y, r: x @ wg.swapaxes(x, -1, -2), lambda x, y: x.ndim > 1),
    (lambda x, y, r: wg.cumsum(x, axis=-1), lambda x, y: x.ndim > 0),
    (lambda x, y, r: wg.expand_dims(x, 0), lambda x, y: x.ndim < 3),
    (lambda x, y, r: wg.broadcast_to(x, (2, *x.shape)), lambda x, y: x.ndim < 3),
    (lambda x, y, r: x[:, None] - x[None, :], lambda x, y: 0 < x.ndim < 3 and x.shape[0] < 12),
    (lambda x, y, r: wg.sort(x, axis=-1), lambda x, y: x.ndim > 0),
    (lambda x, y, r: wg.cumprod(x * 0.5, axis=0), lambda x, y: x.ndim > 0),
    (lambda x, y, r: wg.roll(x, 1, axis=-1) + wg.flip(x, 0), lambda x, y: x.ndim > 0),
    (lambda x, y, r: x.sum(axis=tuple(range(x.ndim - 1))), lambda x, y: x.ndim > 1),
    (lambda x, y, r: wg.tril(x), lambda x, y: x.ndim > 1),
    (looped, lambda x, y: x.ndim > 0 and x.shape[0] < 9),
    (lambda x, y, r: wg.cond((x > 0).any(), lambda v: v * 2, wg.sin, x), lambda x, y: True),
]


def program(seed: int) -> tuple[Callable[..., list[Any]], list[np.ndarray]]:
    """A function of some arrays, and the arrays."""
    choose = random.Random(seed)
    shapes = [choose.choice(SHAPES) for _ in range(choose.randrange(1, 4))]
    plan = [
        (choose.random(), choose.random(), choose.choice(STEPS), choose.random())
        for _ in range(choose.randrange(3, 20))
    ]

    def function(*xs: Any) -> list[Any]:
        values = list(xs)
        for a, b, (step, fits), r in plan:
            x, y = values[int(a * len(values))], values[int(b * len(values))]
            if fits(x, y) and x.size <= 400:
                values.append(step(x, y, r))
        return [value * 1.0 for value in values[-3:]]

    rng = np.random.default_rng(seed)
    return function, [rng.standard_normal(shape) for shape in shapes]


def donated(graph: Any, xs: list[np.ndarray]) -> Any:
    """The outputs of a graph that may write to all of its inputs."""
    return Program(graph, donated=graph.inputs).run([x.copy() for x in xs])


def check(seed: int, folder: Path) -> None:
    function, xs = program(seed)
    specs = [wg.TensorSpec(x.shape) for x in xs]

    def loss(*a: Any) -> Any:
        return sum(wg.sin(y).sum() for y in function(*a))

    places = tuple(range(len(xs)))
    for target in (function, lambda *a: list(wg.grad(loss, places)(*a))):
        expected = [y.numpy() for y in target(*map(wg.tensor, xs))]
        graph = trace_flat(target, specs).validate()
        wg.Graph.of(graph).save(folder / "x.graph")
        found = {
            "interpreted": interpret(graph, xs),
            "optimised": interpret(optimize(graph, FOR_CODE).graph.validate(), xs),
            "native": run_native(graph, xs),
            "donated": donated(optimize(graph, FOR_CODE).graph, xs),
            "loaded": interpret(wg.load(folder / "x.graph"), xs),
        }
        for name, results in found.items():
            for one, other in zip(results, expected, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9, err_msg=f"{name}, seed {seed}")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_random_programs(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path)


@pytest.mark.long
def test_many_random_programs(tmp_path: Path) -> None:
    for seed in range(300):
        check(seed, tmp_path)


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 200), marks=pytest.mark.long)], ids=["few", "many"])
def test_random_programs_row_by_row(seeds: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nests are put together however small they are, and never written out."""
    monkeypatch.setattr(grouping, "LEAST", 0)
    monkeypatch.setattr(grouping, "SHORTEST", 1)
    monkeypatch.setattr(codegen, "UNROLLED", 0)
    for seed in seeds:
        check(seed, tmp_path)


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 200), marks=pytest.mark.long)], ids=["few", "many"])
def test_random_programs_whose_values_take_over_memory(
    seeds: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small values are they lie in the arena, and nests are cut into chunks."""
    for module in (inner, memory, reuse):
        monkeypatch.setattr(module, "SMALL", 0)
    monkeypatch.setattr(codegen, "UNROLLED", 0)
    monkeypatch.setattr(division, "WORTH", 2)
    for seed in seeds:
        check(seed, tmp_path)
