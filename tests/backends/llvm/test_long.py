"""Long programs: nests, code written in place and functions have a bounded size, and numbers stay what they are."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm import memory, schedule
from wengert.backends.llvm.program import Program
from wengert.backends.llvm.schedule import Kernel
from wengert.passes import optimize


def chain(f: Callable[[Any], Any], count: int) -> Callable[[Any], Any]:
    def program(x: Any) -> Any:
        for _ in range(count):
            x = f(x)
        return x.sum()

    return program


def program_of(f: Callable[[Any], Any], x: np.ndarray) -> Program:
    return Program(optimize(wg.trace(wg.grad(f))(x)).graph)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (wg.sin, np.linspace(0.1, 1.0, 50)),
        (wg.sin, np.linspace(0.1, 1.0, 3)),
        (lambda x: x * 1.01 + 0.001, np.linspace(0.1, 1.0, 50)),
        (lambda x: x * wg.cos(x) + 0.5, np.float64(0.3)),
        (lambda x: wg.softmax(x, axis=1) * 1.1, np.linspace(0.1, 1.0, 30).reshape(5, 6)),
        (lambda x: wg.tanh(x @ (np.eye(4) * 1.1)), np.linspace(0.1, 1.0, 16).reshape(4, 4)),
    ],
    ids=["sin", "three sines", "light", "scalar", "softmax", "layers"],
)
def test_a_long_chain_has_the_derivative_that_the_interpreter_finds(f: Any, x: Any) -> None:
    program = chain(f, 150)
    value, slope = wg.jit(wg.value_and_grad(program))(x)
    expected, expected_slope = wg.value_and_grad(program)(wg.tensor(x))
    np.testing.assert_allclose(value, expected, rtol=1e-11)
    np.testing.assert_allclose(slope, expected_slope, rtol=1e-9, atol=1e-300)


def test_nests_of_a_long_chain_are_short_and_share_functions() -> None:
    made = program_of(chain(wg.sin, 200), np.linspace(0.1, 1.0, 50))
    kernels = [step for step in made.schedule.steps if isinstance(step, Kernel)]
    assert len(kernels) > 15
    assert all(kernel.weight <= schedule.MOST for kernel in kernels)
    assert sum(len(kernel.nodes) for kernel in kernels) >= 400
    text = str(wg.jit(wg.grad(chain(wg.sin, 200))).lower(np.linspace(0.1, 1.0, 50)).ir)
    functions = [line for line in text.splitlines() if line.startswith("define") and "kernel" in line]
    assert len(functions) < len(kernels) / 2


def test_steps_are_functions_of_a_hundred() -> None:
    a = np.eye(4) * 1.1
    made = program_of(chain(lambda x: wg.tanh(x @ a), 100), np.linspace(0.1, 1.0, 16).reshape(4, 4))
    assert len(made.parts) > 2
    assert [step for part in made.parts for step in part] == made.schedule.steps
    assert max(map(len, made.parts)) <= 100


@pytest.mark.parametrize("seed", range(3))
def test_memory_of_very_many_values_is_packed_without_overlap(seed: int) -> None:
    chance = random.Random(seed)
    count = 2000
    blocks = []
    for k in range(count):
        first = chance.randrange(count)
        last = min(count, first + chance.choice([0, 1, 2, 30, count // 4, count - first]))
        blocks.append(memory.Block(k, 64 * chance.choice([1, 2, 15, 80, 300]), first, last))
    offsets, total = memory.packed(blocks)
    alive: dict[int, list[memory.Block]] = {}
    for block in blocks:
        for time in range(block.first, block.last + 1):
            alive.setdefault(time, []).append(block)
    for together in alive.values():
        spans = sorted((offsets[block.key], offsets[block.key] + block.bytes) for block in together)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
        assert spans[-1][1] <= total
    least = max(sum(block.bytes for block in together) for together in alive.values())
    assert total <= 1.05 * least
