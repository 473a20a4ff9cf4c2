"""What ``import wengert`` costs beside ``import numpy``: whole processes, in turns, with byte code compiled."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.harness import table


def once(code: str, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    return time.perf_counter() - start


def main(rounds: int = 15) -> str:
    """Markdown: median milliseconds of a process that imports, less those of one that does nothing."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache
        programs = {"nothing": "pass", "import numpy": "import numpy", "import wengert": "import wengert"}
        samples: dict[str, list[float]] = {name: [] for name in programs}
        for turn in range(rounds + 1):
            for name, code in programs.items():
                seconds = once(code, environment)
                if turn:
                    samples[name].append(seconds)
    empty = statistics.median(samples["nothing"])
    numpy_time = statistics.median(samples["import numpy"]) - empty
    rows = []
    for name in ("import numpy", "import wengert"):
        value = statistics.median(samples[name]) - empty
        rows.append([name, f"{value * 1e3:.0f}", f"{value / numpy_time:.2f}"])
    return "## Import time\n\n" + table(["", "ms", "ratio to NumPy"], rows)


if __name__ == "__main__":
    print(main())
