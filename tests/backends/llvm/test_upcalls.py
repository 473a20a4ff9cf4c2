"""Native code that calls NumPy: loops and branches around operations that have no native code."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm.program import Program
from wengert.backends.llvm.schedule import Host
from wengert.compile.native import program_of
from wengert.core.primitive import Primitive
from wengert.core.types import TensorSpec
from wengert.scipy.linalg import logm, solve_sylvester, sqrtm
from wengert.scipy.special import polygamma

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 2.0, 5)
WIDE = RNG.uniform(0.5, 2.0, (9, 8))
A = RNG.normal(size=(4, 4)) * 0.2 + np.eye(4)


class Asking(Primitive):
    """What a function of Python's makes of an array; its operand, if that returns nothing."""

    function: Callable[[np.ndarray], Any]

    def value(self, x: Any) -> Any:
        found = self.function(x)
        return x if found is None else found

    def spec(self, x: Any) -> Any:
        return TensorSpec(x.shape, x.dtype)

    def vjp_x(self, g: Any) -> Any:
        return g


def asking(function: Callable[[np.ndarray], Any]) -> Callable[[Any], Any]:
    return lambda x: wg.apply(Asking(function), x)


def repeated(body: Callable[[Any], Any], length: int = 7) -> Callable[[Any], Any]:
    return lambda x: wg.scan(lambda c, _: (body(c), None), x, None, length=length)[0]


def program(f: Any, *xs: Any) -> Program:
    found: Program = wg.jit(f).lower(*xs).program
    return found


def same(f: Any, *xs: Any, tolerance: float = 1e-10) -> None:
    """The compiled function against the interpreted one; what NumPy computes stands in loops and branches."""
    compiled = wg.jit(f)
    wanted = wg.tree_leaves(f(*xs))
    for _ in range(3):  # the long way, the short way is made, the short way
        for a, b in zip(wanted, wg.tree_leaves(compiled(*xs)), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=tolerance, atol=tolerance)
    lowered = compiled.lower(*xs)
    schedule = lowered.program.schedule
    assert schedule.hosts
    assert not any(isinstance(step, Host) for step in schedule.steps)
    assert lowered.predicted_bytes == lowered.measured_bytes


def step(c: Any) -> Any:
    return polygamma(1, c) * 0.5 + 1.0


def until(x: Any, n: Any) -> Any:
    return wg.while_loop(lambda c: c[1] < n, lambda c: (step(c[0]), c[1] + 1), (x, 0))[0]


def rows(x: Any) -> Any:
    return wg.scan(lambda c, r: (step(c) * r, (c.sum(), polygamma(2, r + c))), x[0], x, reverse=True)


def sylvester(c: Any) -> Any:
    return solve_sylvester(c, c.T * 2.0, sqrtm(c @ c.T)) + logm(c @ c.T + np.eye(4))


def branches(x: Any) -> Any:
    return wg.cond(x.sum() > 0, step, lambda c: c * 2, x) + wg.switch((x[0] * 2).astype(int), [wg.sin, wg.cos, step], x)


FORMS: list[tuple[Any, tuple[Any, ...]]] = [
    (repeated(step), (X,)),
    (repeated(step), (X.astype(np.float32),)),
    (repeated(step), (WIDE.T,)),
    (rows, (WIDE,)),
    (lambda x: repeated(lambda c: step(c) + x.sum())(x), (WIDE,)),
    (lambda x: repeated(lambda c: polygamma(1, wg.tanh(c.T @ c) + 2.0) @ c.T)(x), (A,)),
    (lambda x: repeated(repeated(step, 3), 4)(x), (X,)),
    (until, (X, 6)),
    (lambda x: wg.while_loop(lambda c: polygamma(1, c).sum() > 1.0, lambda c: c * 1.5, x), (X,)),
    (branches, (X,)),
    (branches, (-X,)),
    (repeated(lambda c: wg.cond(c.sum() > 8, lambda v: v * 0.5, step, c)), (X,)),
    (repeated(sylvester, 3), (A,)),
    (repeated(lambda c: polygamma(1, wg.concatenate([c, c])[:5] + 1.0)), (X,)),
]


@pytest.mark.parametrize(("f", "xs"), FORMS)
def test_loops_and_branches_around_what_numpy_computes(f: Any, xs: Any) -> None:
    same(f, *xs)


def total(f: Any) -> Any:
    return lambda *xs: sum((y * y).sum() for y in wg.tree_leaves(f(*xs)))


@pytest.mark.parametrize(
    "f",
    [
        repeated(step),
        repeated(repeated(step, 2), 2),
        lambda x: wg.scan(lambda c, r: (step(c) * r, polygamma(2, r + c)), x[0], x),
        lambda x: wg.scan(lambda c, _: (step(c), None), x, None, length=9, checkpoint="revolve", slots=2)[0],
        lambda x: wg.scan(lambda c, _: (step(c), None), x, None, length=9, checkpoint=3)[0],
        lambda x: wg.while_loop(lambda c: c[1] < 5, lambda c: (step(c[0]), c[1] + 1), (x, 0), checkpoint=2)[0],
        branches,
    ],
    ids=["scan", "nested", "rows", "revolve", "segments", "while", "branches"],
)
def test_derivatives(f: Any) -> None:
    same(wg.value_and_grad(total(f)), X)
    same(lambda x: wg.jvp(f, (x,), (np.cos(x),)), X)
    same(wg.grad(lambda x: (wg.grad(total(f))(x) ** 2).sum()), X)


def test_batches() -> None:
    same(wg.vmap(repeated(step)), WIDE)
    same(wg.vmap(wg.grad(total(repeated(step))), 1), WIDE)
    found = wg.vmap(wg.jit(repeated(step)))(WIDE)
    np.testing.assert_allclose(found.numpy(), repeated(step)(WIDE).numpy(), rtol=1e-12)


def test_results_of_several_kinds() -> None:
    def kinds(c: Any) -> Any:
        q, r = wg.linalg.qr(c + 1j * c.T)
        return (q @ r).real * 0.5 + wg.real((c + 0.5j) ** (1.5 + 0.1j)) * 0.1

    same(repeated(kinds, 3), A)


def test_nothing_and_single_numbers() -> None:
    same(repeated(lambda c: wg.concatenate([c[:0], c * 2.0]) + 1.0), X)
    same(repeated(step), np.float64(1.5))
    assert wg.jit(repeated(step, 0))(X).numpy().tolist() == X.tolist()


def test_straight_line_programs_are_one_function_too() -> None:
    f = lambda x: wg.exp(polygamma(1, wg.sin(x) + 2.0)) * polygamma(2, x)  # noqa: E731
    compiled = wg.jit(f)
    for _ in range(3):
        np.testing.assert_allclose(compiled(X).numpy(), f(X).numpy(), rtol=1e-14)
    assert compiled._ready[()][0]._native is not None


def test_every_operation_has_its_own_number() -> None:
    def f(x: Any) -> Any:
        for k in range(1, 130):
            x = asking(lambda c, k=k: c + k)(wg.tanh(x) + 0.5)  # type: ignore[misc]
        return repeated(asking(lambda c: c * 0.5), 3)(x) + repeated(asking(lambda c: c * 0.25), 2)(x)

    compiled = program(f, X)
    assert len(compiled.parts) > 1
    np.testing.assert_allclose(compiled.run([X])[0], f(X).numpy(), rtol=1e-14)


def test_checked_runs() -> None:
    f = repeated(lambda c: step(wg.sin(c) + 2.0))
    np.testing.assert_allclose(wg.jit(f, check=True)(X).numpy(), f(X).numpy(), rtol=1e-12)


# -- what is said about it --------------------------------------------------------------------------------------------


def test_the_report_names_what_numpy_computes_in_a_loop() -> None:
    lowered = wg.jit(lambda x: repeated(step)(x) + wg.sin(x)).lower(X)
    assert list(lowered.not_native) == ["polygamma"]
    assert "not native: 1\n  polygamma: " in lowered.report()
    assert [work.native for work in lowered.kernels if work.operations == ("scan",)] == [False]


def test_no_object_file_is_written(tmp_path: Path) -> None:
    graph = wg.jit(repeated(step)).lower(X).graph
    with pytest.raises(wg.GraphError, match=r"export: NumPy would have to compute\n  polygamma: .*test_upcalls"):
        graph.export(tmp_path / "f")
    assert not list(tmp_path.iterdir())


# -- what Python raises -----------------------------------------------------------------------------------------------


class OwnError(Exception):
    """What a test's operation raises."""


def failing(error: BaseException, at: int) -> tuple[Any, list[int]]:
    """A function that raises when it is called for this time."""
    calls: list[int] = []

    def ask(_: np.ndarray) -> None:
        calls.append(1)
        if len(calls) == at:
            raise error

    return ask, calls


@pytest.mark.parametrize("error", [OwnError("no"), KeyboardInterrupt(), SystemExit(3), MemoryError()], ids=repr)
def test_what_an_operation_raises_comes_out_as_it_is(error: BaseException) -> None:
    for before in range(3):  # the long way, the short way is made, the short way
        ask, calls = failing(error, 10 * before + 4)
        f = wg.jit(lambda x, ask=ask: repeated(asking(ask), 10)(wg.sin(x)) * 2)
        for _ in range(before):
            f(X)
        with pytest.raises(type(error)) as caught:
            f(X)
        assert caught.value is error
        assert len(calls) == 10 * before + 4
        np.testing.assert_allclose(f(X).numpy(), np.sin(X) * 2)
        assert len(calls) == 10 * before + 14


def test_an_error_is_typed_and_names_the_line() -> None:
    ask, _ = failing(np.linalg.LinAlgError("it is singular"), 2)
    with pytest.raises(wg.LinearAlgebraError, match=r"asking.* on float64\(4, 4\): it is singular\n  at .*upcalls"):
        wg.jit(repeated(asking(ask), 3))(A)


def test_nothing_is_called_after_an_error() -> None:
    ask, calls = failing(OwnError(), 5)

    def f(x: Any) -> Any:
        for _ in range(3):
            x = wg.while_loop(lambda c: c.sum() < 1e3, lambda c: repeated(asking(ask), 3)(c) * 1.1, x)
        for _ in range(150):
            x = asking(ask)(wg.tanh(x) + 0.5)
        return x

    assert len(program(f, X).parts) > 1
    with pytest.raises(OwnError):
        wg.jit(f)(X)
    assert len(calls) == 5


@pytest.mark.parametrize("slots", [2, 30])
def test_a_sweep_back_is_left(slots: int) -> None:
    for at in (3, 12, 25):
        ask, calls = failing(OwnError(), at)
        loop = lambda x: wg.scan(  # noqa: E731
            lambda c, _: (asking(ask)(wg.sin(c)), None),  # noqa: B023
            x,
            None,
            length=14,
            checkpoint="revolve",
            slots=slots,
        )[0]
        with pytest.raises(OwnError):
            wg.jit(wg.grad(total(loop)))(X)
        assert len(calls) == at


def test_what_native_code_has_found_before_is_what_is_reported() -> None:
    ask, calls = failing(OwnError(), 1)
    f = wg.jit(lambda x, i: repeated(lambda c: asking(ask)(c[i]) * x)(x))
    with pytest.raises(wg.IndexRangeError):
        f(X, np.full(5, 7))
    assert calls == []


def test_an_operation_that_breaks_its_word() -> None:
    for wrong in (lambda x: x[:2], lambda x: x.astype(np.float32), lambda x: np.stack([x, x])):
        with pytest.raises(wg.GraphError, match=r"asking computed .* and declares float64\[5\]"):
            wg.jit(repeated(asking(wrong)))(X)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that send signals")
def test_signals() -> None:
    def ring(*_: Any) -> None:
        raise OwnError("it is time")

    before = signal.signal(signal.SIGALRM, ring)
    try:
        f = wg.jit(until)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(OwnError, match="it is time"):
            f(X, 10**12)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    np.testing.assert_allclose(f(X, 5).numpy(), until(X, 5).numpy(), rtol=1e-12)


# -- memory -----------------------------------------------------------------------------------------------------------


def test_operands_are_the_operations_own() -> None:
    kept: list[np.ndarray] = []
    f = wg.jit(repeated(lambda c: asking(kept.append)(c) + 1.0, 4))
    for _ in range(3):
        f(X)
    assert len(kept) == 12
    for k, x in enumerate(kept):
        np.testing.assert_array_equal(x, X + k % 4)


def test_an_operation_may_write_to_its_operand() -> None:
    def spoil(x: np.ndarray) -> np.ndarray:
        doubled = x * 2
        x[:] = np.nan
        return doubled

    x = X.copy()
    np.testing.assert_array_equal(wg.jit(lambda x: (asking(spoil)(x), x + 1.0))(x)[1].numpy(), X + 1)
    np.testing.assert_array_equal(x, X)


class Watched(np.ndarray):
    """An array that can be watched."""


def test_nothing_is_kept_alive() -> None:
    seen: list[Any] = []

    def ask(x: np.ndarray) -> Any:
        if len(seen) == 70:
            error = OwnError()
            seen.append(weakref.ref(error))
            raise error
        made = x.view(Watched)
        seen.append(weakref.ref(made))
        return made

    f = wg.jit(repeated(asking(ask), 20))
    for _ in range(3):
        f(X)
    with pytest.raises(OwnError):
        f(X)
    gc.collect()
    assert len(seen) == 71
    assert [one() for one in seen] == [None] * 71


# -- calls of calls, threads, processes -------------------------------------------------------------------------------


def test_an_operation_may_call_the_program_it_is_part_of() -> None:
    depth = [0]

    def again(x: np.ndarray) -> Any:
        if depth[0] == 3:
            return x + 1
        depth[0] += 1
        try:
            return f(x).numpy()
        finally:
            depth[0] -= 1

    body = lambda c: asking(again)(wg.sin(c)) + 0.5  # noqa: E731
    f = wg.jit(repeated(body, 2))
    interpreted = repeated(body, 2)
    expected = interpreted(X).numpy()
    for _ in range(3):
        np.testing.assert_allclose(f(X).numpy(), expected, rtol=1e-13)


def test_eight_threads() -> None:
    f = wg.jit(wg.grad(total(rows)))
    inputs = [WIDE + 0.1 * k for k in range(8)]
    expected = [f(x).numpy() for x in inputs]
    problems: list[Any] = []
    start = threading.Barrier(8)

    def work(k: int) -> None:
        start.wait()
        try:
            problems.extend(k for _ in range(30) if not np.array_equal(f(inputs[k]).numpy(), expected[k]))
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_the_lock_is_kept_where_it_would_be_wanted_back_at_once() -> None:
    assert not program_of(wg.trace(repeated(step))(X))._releases
    large = np.ones((300, 300))
    assert program_of(wg.trace(repeated(lambda c: c @ c * polygamma(1, c[0, 0])))(large))._releases


SHARED = wg.jit(wg.grad(total(repeated(step))))


def in_a_child(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A program that the parent may have, and one that it has not."""
    return SHARED(x).numpy(), wg.jit(repeated(lambda c: step(c) * 0.375))(x).numpy()


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_processes_started_after_compiling(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    expected = SHARED(X).numpy()
    with multiprocessing.get_context(method).Pool(2) as pool:
        for known, new in pool.map(in_a_child, [X, X, X]):
            np.testing.assert_array_equal(known, expected)
            np.testing.assert_allclose(new, repeated(lambda c: step(c) * 0.375)(X).numpy(), rtol=1e-12)


SCRIPT = """
import wengert as wg, numpy as np
{before}
f = lambda x: wg.scan(lambda c, _: (wg.scipy.special.polygamma(1, c) * 0.5 + 1, None), x, None, length=9)[0]
print(repr(wg.jit(f)(np.linspace(0.5, 2.0, 5)).numpy().tolist()))
"""


def test_code_from_the_disk_calls_what_this_process_has(tmp_path: Path) -> None:
    def run(before: str) -> str:
        command = [sys.executable, "-W", "error", "-c", SCRIPT.format(before=before)]
        environment = os.environ | {"WENGERT_CACHE": str(tmp_path)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout

    first = run("")
    entries = sorted(tmp_path.iterdir())
    # Everything lies elsewhere in the second process.
    assert run("ballast = [bytearray(1 << 20) for _ in range(50)]") == first
    assert entries
    assert sorted(tmp_path.iterdir()) == entries
