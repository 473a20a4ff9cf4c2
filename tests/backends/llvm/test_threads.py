"""Large loops on several threads: the same bits whatever their number; processes, signals and callers unharmed."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm.threads import POOL

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = wg.get_num_threads()
    yield
    wg.set_num_threads(before)


def softmax_loss(x: Any) -> Any:
    shifted = x - x.max(axis=1, keepdims=True)
    return ((shifted - wg.log(wg.exp(shifted).sum(axis=1, keepdims=True))) ** 2).mean()


CASES: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "elementwise": (lambda x: wg.tanh(x) * wg.exp(-x * x), RNG.normal(size=100_003)),
    "total": (lambda x: wg.sin(x).sum(), RNG.normal(size=100_003)),
    "extremes": (lambda x: wg.sin(x).max() - wg.cos(x).min(), RNG.normal(size=100_003)),
    "columns": (lambda x: wg.exp(x).mean(axis=0), RNG.normal(size=(3_001, 33))),
    "rows": (lambda x: wg.exp(x).sum(axis=1), RNG.normal(size=(3_001, 33))),
    "middle": (lambda x: wg.exp(x).sum(axis=1), RNG.normal(size=(101, 31, 33))),
    "softmax": (softmax_loss, RNG.normal(size=(301, 333))),
    "short rows": (lambda x: wg.exp(x).sum(axis=1) * x.sum(axis=1), RNG.normal(size=(30_001, 3))),
    "transposed": (lambda x: wg.exp(x.T) * x.sum(axis=0)[:, None], RNG.normal(size=(301, 333))),
    "truth": (lambda x: ((wg.sin(x) > 0.5) & (x < 0)).sum(axis=0), RNG.normal(size=(3_001, 33))),
    "single": (lambda x: wg.exp(x).sum(axis=0), RNG.normal(size=(3_001, 33)).astype(np.float32)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_threads_changes_no_bit(name: str) -> None:
    f, x = CASES[name]
    functions = [f]
    if f(wg.tensor(x)).dtype.kind == "f":
        functions.append(wg.grad(lambda x: (f(x) * 1.5).sum()))
    for one in functions:
        compiled = wg.jit(one)
        found = []
        for number in (1, 2, 5, 1, 3):
            wg.set_num_threads(number)
            found.append(compiled(x).numpy())
        assert all(np.array_equal(found[0], other) for other in found)
        tolerance = 1e-12 if x.dtype == np.float64 else 1e-4
        np.testing.assert_allclose(found[0], one(wg.tensor(x)).numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
def test_these_loops_are_cut(name: str) -> None:
    f, x = CASES[name]
    steps = wg.jit(f).lower(x).program.schedule.steps
    assert any(getattr(step, "division", None) is not None for step in steps)


def test_small_loops_are_not() -> None:
    steps = wg.jit(lambda x: wg.exp(x).sum()).lower(np.ones(1_000)).program.schedule.steps
    assert all(step.division is None for step in steps)


def test_callers_on_several_threads_share_the_workers() -> None:
    wg.set_num_threads(4)
    compiled, x = wg.jit(wg.grad(softmax_loss)), RNG.normal(size=(200, 300))
    expected = compiled(x).numpy()
    found: list[bool] = []

    def call() -> None:
        found.extend(np.array_equal(compiled(x).numpy(), expected) for _ in range(50))

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for change in (3, 1, 2):
        wg.set_num_threads(change)
    for caller in callers:
        caller.join(timeout=120)
    assert found == [True] * 400


def test_the_workers_end_when_fewer_are_wanted() -> None:
    wg.set_num_threads(4)
    wg.jit(lambda x: wg.exp(x))(RNG.normal(size=100_000))
    workers = list(POOL.threads)
    assert [worker.is_alive() for worker in workers] == [True] * 3
    wg.set_num_threads(1)
    assert [worker.is_alive() for worker in workers] == [False] * 3


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", True, None])
def test_a_number_of_threads_that_makes_no_sense(n: Any) -> None:
    with pytest.raises(wg.GraphError, match="positive integer"):
        wg.set_num_threads(n)


def _sum_in_child(queue: Any) -> None:
    queue.put(float(wg.jit(lambda x: wg.exp(x).sum())(np.ones(200_000)).item()))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_started_after_compiling(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {method} on this system")
    wg.set_num_threads(3)
    total = float(wg.jit(lambda x: wg.exp(x).sum())(np.ones(200_000)).item())
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_sum_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == total
    child.join(timeout=60)
    assert child.exitcode == 0


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"WENGERT_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}, "3"),
        ({"OMP_NUM_THREADS": "2,4"}, "2"),
        ({"OMP_NUM_THREADS": "many"}, str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0)),
    ],
)
def test_the_environment_says_how_many(variables: dict[str, str], expected: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    code = "import wengert as wg; print(wg.get_num_threads())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=inherited | variables, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == expected


INTERRUPTED = """
import os, signal, threading
import numpy as np
import wengert as wg

def long(x):
    return wg.fori_loop(0, 4000, lambda k, x: wg.sin(x) + x, x).sum()

f, x = wg.jit(long), np.ones(50_000)
g = wg.jit(lambda x: wg.exp(x).sum())
g(x)
f.lower(x)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    while True:
        f(x)
except KeyboardInterrupt:
    print("interrupted", float(g(x).item()) == float(g(x).item()))
"""


def test_an_interrupt_arrives_and_leaves_everything_working(tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text(INTERRUPTED)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "interrupted True"
