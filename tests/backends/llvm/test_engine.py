"""What is made once is made once, whoever asks."""

from __future__ import annotations

import threading
import time

from wengert.backends.llvm.engine import once


def test_once_among_threads() -> None:
    made: list[object] = []

    @once
    def make() -> object:
        time.sleep(0.01)  # long enough for the others to come
        made.append(object())
        return made[-1]

    found: list[object] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        found.append(make())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert found == made * 8
