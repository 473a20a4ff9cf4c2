"""One contestant in a process of its own, which takes orders as lines of JSON and answers in kind.

Libraries clash (threads, copies of OpenMP, versions of LLVM) when they share a process; here one works while the
others sleep.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import time
import warnings
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import calls_for, seconds
from benchmarks.peers.base import leaves
from benchmarks.workloads import WORKLOADS


class Worker:
    """Holds the workload that is being measured."""

    def __init__(self, peer: str) -> None:
        self.module = peers.load(peer)
        self.built: peers.Built | None = None
        self.calls: dict[str, int] = {}
        with contextlib.suppress(Exception):
            self.build("chain-100", "")  # what the library sets up once is no workload's time to compile
            self.build("logistic", "")

    def build(self, workload: str, path: str) -> dict[str, Any]:
        """Compile, call once, and write what came out to ``path``."""
        self.built, self.calls = None, {}
        gc.collect()
        work = WORKLOADS[workload]
        data = work.data()
        start = time.perf_counter()
        self.built = self.module.build(work, data)
        result = self.built.both()
        first = time.perf_counter() - start
        if path:
            np.savez(path, *leaves(result))
        return {"first": first, "value": self.built.value is not None}

    def measure(self, what: str, budget: float) -> dict[str, Any]:
        """Seconds a call, over about ``budget`` seconds of calls."""
        function = self.built.both if what == "both" else self.built.value
        if what not in self.calls:
            self.calls[what] = calls_for(function, budget)
        gc.collect()
        gc.disable()
        try:
            return {"seconds": seconds(function, self.calls[what])}
        finally:
            gc.enable()


def main(peer: str) -> None:
    """Serve until standard input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("ignore")
    try:
        worker = Worker(peer)
        hello: dict[str, Any] = {"ready": True}
    except ImportError as error:
        hello = {"missing": str(error)}
    print(json.dumps(hello), file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = getattr(worker, order.pop("do"))(**order)
        except peers.NotHere as error:
            answer = {"not_here": str(error)}
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
