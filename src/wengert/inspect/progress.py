"""``progress``: a line that lives while something long runs, with the numbers that matter beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from time import perf_counter
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

import numpy as np

from wengert.core.tensor import Tensor
from wengert.inspect.model import number_text, seconds_text
from wengert.inspect.terminal import wants_color

#: Seconds between two paintings of the line; and between two lines where there is no terminal.
_QUICK, _SLOW = 0.1, 10.0
_BAR, _SPARKS = 24, 24
_LEVELS = "▁▂▃▄▅▆▇█"


class Progress:
    """How far a long run has come: iterate over it, or enter it and call ``advance``. Made by ``progress``."""

    def __init__(self, items: Iterable[Any] | None, title: str, total: int | None, file: TextIO | None) -> None:
        self._items = items
        self.title = title
        self.total = len(items) if total is None and isinstance(items, Sized) else total
        #: Steps that are done.
        self.done = 0
        #: The numbers that were last noted, and the recent past of the first of them.
        self.notes: dict[str, Any] = {}
        self.past: list[float] = []
        self._file = file or sys.stderr
        self._view: _View | None = None
        self._start = 0.0

    def __iter__(self) -> Iterator[Any]:
        with self:
            for item in self._items if self._items is not None else ():
                yield item
                self.advance()

    def __enter__(self) -> Self:
        self._start = perf_counter()
        self._view = _view_for(self._file)
        self._view.update(self, False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._view is not None:
            self._view.update(self, True)
            self._view.close()
            self._view = None

    def advance(self, steps: int = 1) -> None:
        """So many steps more are done."""
        self.done += steps
        if self._view is not None:
            self._view.update(self, False)

    def note(self, **values: Any) -> None:
        """Show numbers beside the line: scalars as they are, of larger arrays the norm. The first has its recent past
        drawn as a little curve.

        >>> import io
        >>> out = io.StringIO()
        >>> bar = progress(range(2), "fit", file=out)
        >>> for step in bar:
        ...     bar.note(loss=1.0 / (step + 1))
        >>> print(bar.text().rpartition("  ")[2])
        loss 0.5
        """
        for name, value in values.items():
            number = _number(value)
            if not self.notes or name == next(iter(self.notes)):
                self.past = [*self.past[-_SPARKS + 1 :], number]
            self.notes[name] = number

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return perf_counter() - self._start

    def text(self) -> str:
        """The line: title, bar, steps, time, and what was noted."""
        parts = [self.title] if self.title else []
        if self.total:
            share = min(1.0, self.done / self.total)
            full = round(share * _BAR)
            parts.append(f"{'━' * full}{'╌' * (_BAR - full)} {share:4.0%} {self.done:,}/{self.total:,}")
        else:
            parts.append(f"{self.done:,} steps")
        parts.append(self.clock())
        if self.notes:
            parts += [self.noted()]
        return "  ".join(parts)

    def clock(self) -> str:
        """Seconds since the beginning, and seconds to go at this speed."""
        spent = self.seconds
        if not self.total or not self.done or self.done >= self.total:
            return seconds_text(spent)
        return f"{seconds_text(spent)}, {seconds_text(spent / self.done * (self.total - self.done))} to go"

    def noted(self) -> str:
        """What was noted last, after the little curve of the first of the numbers."""
        texts = ", ".join(f"{name} {number_text(value)}" for name, value in self.notes.items())
        return f"{sparks(self.past)}  {texts}" if len(self.past) > 1 else texts


def progress(
    items: Iterable[Any] | None = None, title: str = "", total: int | None = None, file: TextIO | None = None
) -> Progress:
    """Show how far a long run has come, live: a bar, the time to go, and what ``note`` is given.

    Iterate over it in the place of ``items``; or give ``total``, enter it with ``with``, and call ``advance()``. On a
    terminal the line is painted over (by ``rich`` where that is installed); elsewhere a line is written every ten
    seconds and at the end. ``file`` defaults to the standard error.

    >>> import io, wengert as wg
    >>> with wg.progress(total=3, title="sweep", file=io.StringIO()) as bar:
    ...     bar.advance(3)
    >>> bar.done, bar.total
    (3, 3)
    """
    return Progress(items, title, total, file)


def sparks(values: Iterable[float]) -> str:
    """A little curve of block characters, lowest to highest; ``×`` for what is not finite.

    >>> sparks([1.0, 2.0, 4.0])
    '▁▃█'
    """
    numbers = list(values)
    finite = [x for x in numbers if np.isfinite(x)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(_LEVELS) - 1) / (high - low) if high > low else 0.0
    return "".join(_LEVELS[round((x - low) * scale)] if np.isfinite(x) else "×" for x in numbers)


def _number(value: Any) -> float:
    array = np.asarray(value._value if isinstance(value, Tensor) else value)
    if array.size == 1 and array.dtype.kind != "c":
        return float(array.reshape(()))
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(array))


# -- where it is shown ----------------------------------------------------------------------------------------------


class _View(Protocol):
    def update(self, progress: Progress, last: bool) -> None:
        """Show it, if it is time to."""

    def close(self) -> None:
        """Nothing more will come."""


def _view_for(file: TextIO) -> _View:
    if not file.isatty():
        return _Lines(file, _SLOW, "", "\n")
    try:
        return _Rich(file)
    except ImportError:
        return _Lines(file, _QUICK, "\r\x1b[K", "")


class _Lines:
    """Plain text: one line over the other, or one after the other."""

    def __init__(self, file: TextIO, interval: float, before: str, after: str) -> None:
        self._file, self._interval, self._before, self._after = file, interval, before, after
        self._next = perf_counter() + interval

    def update(self, progress: Progress, last: bool) -> None:
        now = perf_counter()
        if now < self._next and not last:
            return
        self._next = now + self._interval
        text = f"{self._before}{progress.text()}" + ("\n" if last else self._after)
        encoding = self._file.encoding or "utf-8"
        self._file.write(text.encode(encoding, "replace").decode(encoding))
        self._file.flush()

    def close(self) -> None:
        self._file.flush()


class _Rich:
    """The bar of the package ``rich``."""

    def __init__(self, file: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        # The user's text is text, not markup.
        columns = [TextColumn("{task.fields[title]}", markup=False), BarColumn(), MofNCompleteColumn()]
        notes = [TextColumn("{task.fields[clock]}  {task.fields[noted]}", markup=False)]
        console = Console(file=file, no_color=not wants_color(file))
        self._bar = Bar(*columns, *notes, console=console, auto_refresh=False)
        self._task: Any = None
        self._next = 0.0

    def update(self, progress: Progress, last: bool) -> None:
        now = perf_counter()
        if now < self._next and not last:
            return
        self._next = now + _QUICK
        fields: dict[str, Any] = {"title": progress.title, "clock": progress.clock(), "noted": progress.noted()}
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("", total=progress.total, **fields)
        self._bar.update(self._task, completed=progress.done, total=progress.total, **fields)
        self._bar.refresh()

    def close(self) -> None:
        self._bar.stop()
