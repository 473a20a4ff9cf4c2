"""Progress: on a terminal a line that is painted over, elsewhere a line now and then."""

from __future__ import annotations

import builtins
import io
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.inspect.progress import sparks


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_every_item_comes_and_is_counted() -> None:
    out = io.StringIO()
    bar = wg.progress(range(5), "fit", file=out)
    assert list(bar) == [0, 1, 2, 3, 4]
    assert bar.done == bar.total == 5
    lines = out.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("fit  ━━━━")
    assert "100% 5/5" in lines[0]
    assert "\x1b" not in out.getvalue()


def test_without_a_total() -> None:
    out = io.StringIO()
    bar = wg.progress(iter("abc"), file=out)
    assert list(bar) == ["a", "b", "c"]
    assert out.getvalue().startswith("3 steps")


def test_by_hand_and_when_something_goes_wrong() -> None:
    out = io.StringIO()

    def run() -> None:
        with wg.progress(total=4, file=out) as bar:
            bar.advance(2)
            raise KeyError

    with pytest.raises(KeyError):
        run()
    assert "50% 2/4" in out.getvalue()
    assert " to go" in out.getvalue()


def test_notes_are_numbers_or_norms() -> None:
    bar = wg.progress(total=1, file=io.StringIO())
    bar.note(loss=wg.tensor(0.25), gradient=np.array([3.0, 4.0]))
    assert bar.noted() == "loss 0.25, gradient 5"
    bar.note(loss=0.5)
    assert bar.noted() == "▁█  loss 0.5, gradient 5"
    for _ in range(100):
        bar.note(loss=float("nan"))
    assert len(bar.past) == 24
    assert bar.noted().startswith("×××")
    assert bar.past[:1] != [0.25]


def test_little_curves() -> None:
    assert sparks([]) == ""
    assert sparks([1.0, 1.0]) == "▁▁"
    assert sparks([0.0, float("inf"), 7.0]) == "▁×█"


def test_a_terminal_with_rich() -> None:
    pytest.importorskip("rich", reason="rich is not installed")
    out = Terminal()
    for _ in (bar := wg.progress(range(3), "[bold]fit", file=out)):
        bar.note(loss=0.125)
    assert "[bold]fit" in out.getvalue()
    assert "3/3" in out.getvalue()
    assert "loss 0.125" in out.getvalue()


def test_a_terminal_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("rich"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    out = Terminal()
    list(wg.progress(range(3), "fit", file=out))
    assert out.getvalue().startswith("\r\x1b[Kfit")
    assert out.getvalue().endswith("\n")
