"""Value and gradient of every workload by every contestant, in turns.

Each contestant lives in a process of its own (``benchmarks.worker``); only one works at a time, and they take turns
round by round, so that a machine that slows down slows them all. Before anything is timed all must agree.
"""

from __future__ import annotations

import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import PEERS
from benchmarks.workloads import WORKLOADS, Workload

PATIENCE = 120.0
"""Seconds after which a contestant that has not answered is given up."""


class Contestant:
    """A worker's process, started when it is first needed and again after it had to be given up."""

    def __init__(self, peer: str, threads: int) -> None:
        self.peer = peer
        self.missing = ""
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        self.environment = {**os.environ, **dict.fromkeys(names, str(threads))}
        if threads == 1:
            self.environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
            self.environment["NPROC"] = "1"
        self.cores = sorted(os.sched_getaffinity(0))[:threads] if hasattr(os, "sched_getaffinity") else []
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        interpreter = os.environ.get(f"BENCH_PYTHON_{self.peer.upper()}", sys.executable)
        self.process = subprocess.Popen(
            [interpreter, "-m", "benchmarks.worker", self.peer],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=self.environment, start_new_session=True,
        )  # fmt: skip
        self.missing = self._answer(PATIENCE).get("missing", "")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def ask(self, do: str, patience: float = PATIENCE, **order: Any) -> dict[str, Any]:
        if self.process is None:
            self.start()
        if self.missing or self.process is None:
            return {"not_here": f"not installed: {self.missing}"}
        self.process.stdin.write(json.dumps({"do": do, **order}) + "\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        return self._answer(patience)

    def _answer(self, patience: float) -> dict[str, Any]:
        pipe = self.process.stdout  # type: ignore[union-attr]
        ready, _, _ = select.select([pipe], [], [], patience)
        line = pipe.readline() if ready else ""  # type: ignore[union-attr]
        if line:
            return json.loads(line)
        self.stop()
        return {"failed": f"no answer in {patience:.0f} s" if not ready else "the process died"}


def _differs(work: Workload, ours: list[np.ndarray], theirs: list[np.ndarray]) -> str:
    """How far two results are apart, where that is more than the workload allows."""
    if len(ours) != len(theirs):
        return f"{len(ours)} results against {len(theirs)}"
    for k, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        scale = max(float(np.max(np.abs(other), initial=0.0)), 1e-300)
        error = float(np.max(np.abs(one.ravel().astype(float) - other.ravel().astype(float)), initial=0.0)) / scale
        if one.size != other.size or not error <= work.tolerance:
            return f"result {k} differs by {error:.1e} of its largest entry"
    return ""


def _read(path: str) -> list[np.ndarray]:
    with np.load(path) as found:
        return [found[f"arr_{k}"] for k in range(len(found.files))]


def measure(work: Workload, contestants: Sequence[Contestant], rounds: int, budget: float) -> dict[str, Any]:
    """Of one workload: first calls, samples of value and gradient, and of the value alone for some."""
    peers: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        reference: list[np.ndarray] | None = None
        for one in contestants:
            path = str(Path(folder) / f"{one.peer}.npz")
            peers[one.peer] = found = one.ask("build", workload=work.name, path=path)
            if "first" not in found:
                continue
            result = _read(path)
            if reference is None:
                reference = result
            elif difference := _differs(work, result, reference):
                found["failed"] = f"disagrees: {difference}"
    running = [one for one in contestants if "first" in peers[one.peer] and "failed" not in peers[one.peer]]
    wanted = [
        (one, what) for one in running for what in ("both", "value") if what == "both" or peers[one.peer]["value"]
    ]
    samples: dict[tuple[str, str], list[float]] = {(one.peer, what): [] for one, what in wanted}
    for _ in range(rounds):
        for one, what in wanted:
            had = samples[one.peer, what]
            if had and sum(had) > 3.0:  # seconds a call: more rounds would not change the picture
                continue
            answer = one.ask("measure", what=what, budget=budget)
            if "seconds" in answer:
                had.append(answer["seconds"])
    for (peer, what), values in samples.items():
        if values:
            peers[peer][what] = {"median": statistics.median(values), "least": min(values), "samples": values}
    return {"title": work.title, "kind": work.kind, "target": work.target, "peers": peers}


def run(
    only: Sequence[str],
    peers: Sequence[str],
    threads: int,
    rounds: int = 7,
    budget: float = 0.03,
    tell: Callable[[str, dict[str, Any]], None] = lambda name, found: None,
) -> dict[str, Any]:
    """Results by workload; what was measured before an interrupt is kept."""
    chosen = [w for name, w in WORKLOADS.items() if not only or any(part in name for part in only)]
    contestants = [Contestant(peer, threads) for peer in PEERS if not peers or peer in peers]
    results: dict[str, Any] = {}
    try:
        for work in chosen:
            results[work.name] = measure(work, contestants, rounds, budget)
            tell(work.name, results[work.name])
    except KeyboardInterrupt:
        print("interrupted: what was measured so far is kept")
    finally:
        for one in contestants:
            one.stop()
    return {"threads": threads, "time": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "workloads": results}


def best_peer(found: dict[str, Any]) -> tuple[str, float] | None:
    """The fastest of the others, and its seconds."""
    times = {p: f["both"]["median"] for p, f in found["peers"].items() if p != "wengert" and "both" in f}
    return min(times.items(), key=lambda item: item[1]) if times else None


def line(name: str, found: dict[str, Any]) -> str:
    """One line of progress."""
    ours, best = found["peers"].get("wengert", {}), best_peer(found)
    parts = [f"{name:18}"]
    if "both" in ours:
        parts.append(f"{ours['both']['median'] * 1e6:12,.1f} us")
    else:
        parts.append(str(ours))
    if "both" in ours and best is not None:
        parts.append(f"{ours['both']['median'] / best[1]:6.2f} of {best[0]}")
    return "  ".join(parts)


def main(only: Sequence[str] = (), peers: Sequence[str] = ()) -> dict[int, dict[str, Any]]:
    """Results on one thread and on all, also written to ``build/benchmarks.json``."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = {}
    for threads in sorted({1, cores}):
        print(f"{threads} thread{'s' * (threads > 1)}", flush=True)
        found[threads] = run(only, peers, threads, tell=lambda name, one: print(line(name, one), flush=True))
    target = Path("build/benchmarks.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(found, default=float))
    return found
