"""Timing side by side.

These figures are ratios on purpose: contestants take turns within one process, round by round, and the median over the
rounds of each round's ratio is what is reported, so a machine that slows down slows them all.
"""

from __future__ import annotations

import gc
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


def seconds(function: Callable[[], object], calls: int) -> float:
    """Seconds a call, over a loop of calls."""
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - start) / calls


def calls_for(function: Callable[[], object], budget: float = 0.05) -> int:
    """How many calls take about ``budget`` seconds. The first few may still be setting something up."""
    once = max(min(seconds(function, 1) for _ in range(4)), 1e-7)
    return max(1, int(budget / once))


def compare(contestants: Mapping[str, Callable[[], object]], rounds: int = 9, budget: float = 0.05) -> dict[str, float]:
    """Median seconds a call of each contestant, taken in turns."""
    calls = {name: calls_for(function, budget) for name, function in contestants.items()}
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, function in contestants.items():
            gc.collect()
            samples[name].append(seconds(function, calls[name]))
    return {name: statistics.median(values) for name, values in samples.items()}


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{model}, {platform.system()}, Python {platform.python_version()}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
