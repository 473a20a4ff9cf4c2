"""Many calls, many compilations, several threads and processes, and a cache that misbehaves."""

from __future__ import annotations

import ctypes
import gc
import hashlib
import multiprocessing
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm import cache, engine
from wengert.backends.llvm import program as programs

RNG = np.random.default_rng(0)

linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to see the memory of a process")


def kilobytes() -> int:
    """What this process holds in memory, after everything that can be given back has been."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def compile_one(k: int) -> None:
    factor = float(k)
    wg.jit(lambda x: (wg.exp(x) * factor + 1).sum())(np.ones(7))


# -- memory ---------------------------------------------------------------------------------------------------------


@linux
@pytest.mark.long
@pytest.mark.parametrize("arguments", [1, 5])
def test_a_hundred_thousand_calls_leave_nothing(arguments: int) -> None:
    f = wg.jit(lambda *xs: (wg.exp(sum(xs)), xs[0] @ xs[-1]))
    xs = [wg.tensor(RNG.standard_normal(300)) for _ in range(arguments)]
    for _ in range(1000):
        f(*xs)
    before = kilobytes()
    for _ in range(100_000):
        f(*xs)
    assert kilobytes() - before < 1024


@linux
@pytest.mark.long
def test_a_thousand_compilations_leave_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """LLVM keeps about a kilobyte for each; llvmlite's lists of passes, which nobody frees for us, were 57."""
    monkeypatch.setattr(cache, "folder", lambda: None)
    monkeypatch.setattr(programs, "_MANY", 64)
    for k in range(100):
        compile_one(k)
    before = kilobytes()
    for k in range(1000):
        compile_one(k)
    assert (kilobytes() - before) / 1000 < 8


def test_the_machine_code_of_a_function_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    alive = [0]

    class Counted(engine.Native):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            alive[0] += 1

        def __del__(self) -> None:
            alive[0] -= 1

    monkeypatch.setattr(programs, "Native", Counted)
    f = wg.jit(lambda x: wg.exp(x) + 0.125)
    f(np.ones(3)), f(np.ones(4))
    assert alive == [2]
    del f
    gc.collect()
    assert alive == [0]


# -- threads and processes ------------------------------------------------------------------------------------------


def model(x: Any) -> Any:
    return wg.scan(lambda c, a: (wg.tanh(c + a), c * a), x[0], x)[1].sum() + (x @ x.T).sum()


def test_eight_threads_call_one_program_and_compile_others() -> None:
    f = wg.jit(wg.grad(model))
    inputs = [RNG.standard_normal((50, 40)) for _ in range(8)]
    expected = [f(x).numpy() for x in inputs]
    problems: list[Any] = []
    start = threading.Barrier(8)

    def work(k: int) -> None:
        start.wait()
        try:
            own = wg.jit(lambda x: x * (k + 0.5))
            for _ in range(30):
                if not np.array_equal(f(inputs[k]).numpy(), expected[k]):
                    problems.append(k)
            if not np.array_equal(own(inputs[k]).numpy(), inputs[k] * (k + 0.5)):
                problems.append(("own", k))
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def in_a_child(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A program that the parent may have, and one that it has not."""
    return SHARED(x).numpy(), wg.jit(lambda x: wg.exp(x) * 0.375)(x).numpy()


SHARED = wg.jit(wg.grad(model))


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_processes_started_after_compiling(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    x = RNG.standard_normal((30, 30))
    expected = SHARED(x).numpy()
    with multiprocessing.get_context(method).Pool(2) as pool:
        for known, new in pool.map(in_a_child, [x, x, x]):
            np.testing.assert_array_equal(known, expected)
            np.testing.assert_allclose(new, np.exp(x) * 0.375, rtol=1e-14)
    np.testing.assert_array_equal(SHARED(x).numpy(), expected)


# -- the cache ------------------------------------------------------------------------------------------------------

SCRIPT = """
import wengert as wg, numpy as np
x = np.linspace(-1, 1, 64)
f = lambda x: (wg.exp(x) * wg.tanh(x)).sum()
print(repr(wg.jit(f)(x).item()), repr(wg.jit(wg.grad(f))(x).sum().item()))
"""


def start(**environment: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT], env=os.environ | environment, stdout=pipe, stderr=pipe, text=True
    )


def run(**environment: str) -> str:
    process = start(**environment)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


@pytest.fixture(scope="module")
def expected() -> str:
    return run(WENGERT_CACHE="0")


def test_several_processes_fill_one_cache(tmp_path: Path, expected: str) -> None:
    processes = [start(WENGERT_CACHE=str(tmp_path)) for _ in range(4)]
    for process in processes:
        out, err = process.communicate(timeout=240)
        assert process.returncode == 0, err
        assert out == expected
    entries = list(tmp_path.iterdir())
    assert entries
    assert not [path for path in entries if path.name.startswith(".new-")]
    for path in entries:
        data = path.read_bytes()
        assert data[:32] == hashlib.sha256(path.name.encode() + data[32:]).digest()


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "foreign", "folder"])
def test_a_damaged_entry_is_not_run(tmp_path: Path, damage: str, expected: str) -> None:
    run(WENGERT_CACHE=str(tmp_path))
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        if damage == "folder":
            path.unlink()
            path.mkdir()
            continue
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 255
        foreign = b"#!/bin/sh\nexit 1\n"
        path.write_bytes({"empty": b"", "cut": data[:-9], "flipped": bytes(flipped), "foreign": foreign}[damage])
    assert run(WENGERT_CACHE=str(tmp_path)) == expected


def test_code_under_the_name_of_other_code_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)

    def twice(x: Any) -> Any:
        return wg.exp(x) * 2.0

    def thrice(x: Any) -> Any:
        return wg.exp(x) * 3.0

    x = np.ones(70)
    expected = [wg.jit(f)(x).numpy() for f in (twice, thrice)]
    one, other = tmp_path.iterdir()
    whole = one.read_bytes(), other.read_bytes()
    one.write_bytes(whole[1])
    other.write_bytes(whole[0])
    for f, wanted in zip((twice, thrice), expected, strict=True):
        np.testing.assert_array_equal(wg.jit(f)(x).numpy(), wanted)
    assert (one.read_bytes(), other.read_bytes()) == whole


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> tuple[int, str]:
        place = tmp_path / "new"
        place.touch()
        return os.open("/dev/full", os.O_WRONLY), str(place)

    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    monkeypatch.setattr(cache.tempfile, "mkstemp", full)
    found = wg.jit(lambda x: wg.exp(x) * 0.3125)(np.ones(70))
    np.testing.assert_allclose(found.numpy(), np.exp(np.ones(70)) * 0.3125, rtol=1e-14)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path: Path, expected: str) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o500)
    assert run(WENGERT_CACHE=str(folder)) == expected
    assert run(WENGERT_CACHE="/proc/nowhere") == expected
    (tmp_path / "file").write_text("a file where the folder should be")
    assert run(WENGERT_CACHE=str(tmp_path / "file")) == expected


def test_a_processor_without_vector_extensions(tmp_path: Path, expected: str) -> None:
    """The cache is the same folder, but not the same entries."""
    run(WENGERT_CACHE=str(tmp_path))
    for name in ("generic", "x86-64") if engine.machine().triple.startswith("x86_64") else ("generic",):
        found = run(WENGERT_CACHE=str(tmp_path), WENGERT_CPU=name)
        np.testing.assert_allclose(
            [float(x) for x in found.split()], [float(x) for x in expected.split()], rtol=1e-12, atol=1e-12
        )
