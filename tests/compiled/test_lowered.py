"""What ``jit(f).lower(...)`` says of a program is so."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest

import wengert as wg
from tests.compiled.models import MODELS


def lowered(name: str, gradient: bool) -> Any:
    function, weights, x = MODELS[name]
    return wg.jit(wg.value_and_grad(function) if gradient else function).lower(weights, x)


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_predicted_and_measured_bytes_are_equal(name: str, gradient: bool) -> None:
    found = lowered(name, gradient)
    assert found.predicted_bytes == found.measured_bytes > 0


def test_measured_bytes_are_what_numpy_has_allocated() -> None:
    """An account by somebody else: Python's own trace of NumPy's memory."""
    x = np.random.default_rng(0).standard_normal((64, 64))
    found = wg.jit(lambda x: ((x @ x).T @ wg.sin(x), wg.exp(x))).lower(x)
    domain = np.lib.tracemalloc_domain
    tracemalloc.start()
    try:
        outs = found.program.run([x])
        snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(True, domain)])
    finally:
        tracemalloc.stop()
    assert len(outs) == 2
    assert sum(trace.size for trace in snapshot.traces) == found.predicted_bytes == found.measured_bytes


def test_what_numpy_computes_counts_too() -> None:
    x = np.random.default_rng(0).standard_normal((30, 30))
    found = wg.jit(lambda x: wg.scipy.special.polygamma(1, wg.sin(x) + 2.0) * 2).lower(x)
    assert "polygamma" in found.not_native
    assert found.predicted_bytes == found.measured_bytes
    assert any(not step.native for step in found.kernels)
    assert "not native: 1" in found.report()


@pytest.mark.parametrize("name", MODELS)
def test_the_map_of_the_arena_has_no_overlaps(name: str) -> None:
    found = lowered(name, True)
    pieces = [piece for piece in found.arena_map if not piece.within]
    for k, one in enumerate(pieces):
        assert one.offset % 64 == 0
        assert 0 <= one.offset <= one.offset + one.bytes <= found.program.arena.size
        for other in pieces[k + 1 :]:
            apart = one.last < other.first or other.last < one.first
            assert apart or one.offset + one.bytes <= other.offset or other.offset + other.bytes <= one.offset


def test_flops_and_bytes_are_counted() -> None:
    x = np.ones((50, 40))
    found = wg.jit(lambda x: x @ x.T).lower(x)
    assert found.flops == 2 * 50 * 50 * 40
    assert found.bytes == 8 * (2 * 50 * 40 + 50 * 50)
    scan = wg.jit(lambda x: wg.scan(lambda c, a: (c * a, None), x[0], x)[0]).lower(x)
    assert scan.flops == 50 * 40


def test_text_and_json() -> None:
    found = lowered("mlp", True)
    report = found.report()
    assert f"{found.flops:,} flops" in report
    assert f"{found.predicted_bytes:,} bytes a call" in report
    assert "everything is native" in report
    assert str(found) == report
    data = json.loads(found.to_json())
    assert data["predicted_bytes"] == data["measured_bytes"] == found.predicted_bytes
    assert len(data["kernels"]) == len(found.kernels)
    assert any("models.py" in line for step in data["kernels"] for line in step["lines"])
    assert data["arena"]["map"]
    assert "define" in found.ir
    assert found.asm


# -- the arena ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_the_arena_is_hardly_larger_than_what_is_alive(name: str, gradient: bool) -> None:
    arena = lowered(name, gradient).program.arena
    assert arena.bound <= arena.size <= 1.05 * arena.bound
