"""Programs for a processor without AVX2 or FMA, forced by ``WENGERT_CPU``, are within the same bounds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp

from tests.backends.llvm.accuracy import BOUNDS, error_at, samples
from wengert.backends.llvm.math import FUNCTIONS

ROOT = Path(__file__).resolve().parents[3]
NAMES = [name for name in FUNCTIONS if not name.endswith("_near")]  # those that programs call

PROGRAM = """
import sys
import numpy as np
import wengert as wg
from tests.backends.llvm.references import NUMPY

given = np.load(sys.argv[1])
results = {}
for key in {key.rsplit(".", 1)[0] for key in given.files}:
    arrays = [given[f"{key}.{k}"] for k in range(2) if f"{key}.{k}" in given.files]
    function = NUMPY[key.split(".")[0]]
    program = wg.jit(lambda *xs, function=function: function(*xs))
    results[key] = program(*arrays).numpy()
    lowered = program.lower(*arrays)
    assert "everything is native" in str(lowered.report()), key
    assert "vfmadd" not in lowered.asm and "%ymm" not in lowered.asm, key
np.savez(sys.argv[2], **results)
"""


Computed = tuple[dict[str, tuple[np.ndarray, ...]], dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def portable(tmp_path_factory: pytest.TempPathFactory) -> Computed:
    """Arguments and results of every function in both formats, computed in a process of its own."""
    folder = tmp_path_factory.mktemp("portable")
    arguments = {
        f"{name}.{dtype}": samples(name, np.dtype(dtype), 60, np.random.default_rng(7))
        for name in NAMES
        for dtype in ("float64", "float32")
    }
    np.savez(folder / "in.npz", **{f"{key}.{k}": one for key, each in arguments.items() for k, one in enumerate(each)})
    environment = os.environ | {"WENGERT_CPU": "generic", "XDG_CACHE_HOME": str(folder)}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-c", PROGRAM, str(folder / "in.npz"), str(folder / "out.npz")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "out.npz") as results:
        return arguments, dict(results)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_a_generic_processor_gives_results_within_the_bounds(name: str, dtype: str, portable: Computed) -> None:
    arguments, results = portable
    key = f"{name}.{dtype}"
    points = zip(results[key].tolist(), *(one.tolist() for one in arguments[key]), strict=True)
    with mp.workdps(40):
        wrong = [(got, *point) for got, *point in points if error_at(name, dtype, got, point) > BOUNDS.get(name, 2.0)]
    assert not wrong
