"""Signals in long native loops."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that send signals")


class RangError(Exception):
    """What the handler raises."""


@pytest.fixture
def alarm() -> Iterator[Callable[[float], None]]:
    """Have a handler raise after some seconds."""

    def ring(*_: Any) -> None:
        raise RangError("it is time")

    before = signal.signal(signal.SIGALRM, ring)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def step(c: Any) -> Any:
    return wg.sin(c) * 1.0001 + 0.1


def until(x: Any, n: Any) -> Any:
    return wg.while_loop(lambda c: c[1] < n, lambda c: (step(c[0]), c[1] + 1), (x, 0))[0]


FOREVER = 10**13


def test_a_while_loop_is_left_by_either_way_and_the_program_still_works(alarm: Callable[[float], None]) -> None:
    f = wg.jit(until)
    expected = until(0.3, 10).item()
    for _ in range(4):  # the long way, the short way is made, the short way
        alarm(0.2)
        with pytest.raises(RangError, match="it is time"):
            f(0.3, FOREVER)
        alarm(0)
        assert f(0.3, 10).item() == pytest.approx(expected, rel=1e-14)
    assert f._ready[()][0]._native(0.3, 10).item() == pytest.approx(expected, rel=1e-14)


def test_a_scan_is_left(alarm: Callable[[float], None]) -> None:
    f = wg.jit(lambda x: wg.scan(lambda c, _: (step(c), None), x, None, length=FOREVER)[0])
    alarm(0.2)
    with pytest.raises(RangError):
        f(0.3)


@pytest.mark.parametrize("length", [1, 5, 40_000_000, 40_000_001])
def test_a_scan_in_pieces_does_all_its_steps(length: int) -> None:
    f = wg.jit(lambda x: wg.scan(lambda c, _: (c + 2, None), x, None, length=length)[0])
    assert f(1).item() == 1 + 2 * length
    g = wg.jit(lambda x: wg.scan(lambda c, _: (c + 1, None), x, None, length=3 * length, reverse=True)[0])
    assert g(0).item() == 3 * length


def test_loops_within_loops(alarm: Callable[[float], None]) -> None:
    f = wg.jit(lambda x, n: wg.scan(lambda c, _: (until(c, n), None), x, None, length=3)[0])
    expected = until(until(until(0.3, 7), 7), 7).item()
    assert f(0.3, 7).item() == pytest.approx(expected, rel=1e-13)
    alarm(0.2)
    with pytest.raises(RangError):
        f(0.3, FOREVER)
    alarm(0)
    assert f(0.3, 7).item() == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("slots", [2, 30])
def test_a_sweep_back_is_left_on_its_way_there(slots: int, alarm: Callable[[float], None]) -> None:
    def f(x: Any, n: Any) -> Any:
        return wg.while_loop(lambda c: c[1] < n, lambda c: (step(c[0]), c[1] + 1), (x, 0), checkpoint=slots)[0]

    g = wg.jit(wg.grad(f))
    expected = wg.grad(f)(0.3, 50).item()
    assert g(0.3, 50).item() == pytest.approx(expected, rel=1e-12)
    alarm(0.2)
    with pytest.raises(RangError):
        g(0.3, FOREVER)
    alarm(0)
    assert g(0.3, 50).item() == pytest.approx(expected, rel=1e-12)


def test_a_sweep_back_is_left_on_its_way_back(alarm: Callable[[float], None]) -> None:
    def f(x: Any) -> Any:
        return wg.scan(lambda c, _: (step(c), None), x, None, length=3_000_000, checkpoint="revolve", slots=2)[0]

    g = wg.jit(wg.grad(f))
    alarm(0.3)
    with pytest.raises(RangError):
        g(0.3)


def test_control_c() -> None:
    f = wg.jit(until)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        f(0.3, FOREVER)
    timer.join()


def test_a_handler_that_raises_nothing_changes_nothing() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        found = wg.jit(until)(0.3, 20_000_000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen == [signal.SIGALRM]
    assert np.isfinite(found.item())


def test_another_thread_is_not_disturbed(alarm: Callable[[float], None]) -> None:
    f = wg.jit(until)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(f(0.3, 20_000_000).item()))
    thread.start()
    alarm(0.05)
    with pytest.raises(RangError):
        f(0.3, FOREVER)
    thread.join()
    assert found == [f(0.3, 20_000_000).item()]
