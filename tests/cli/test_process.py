"""Real processes: pipes, signals, streams, and what importing costs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

import wengert
from wengert.cli import main

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "wengert"]


def run(folder: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, check=False, **options)


def test_python_m_wengert(folder: Path) -> None:
    done = run(folder, "run", "model.py:prints", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["outputs"][0]["values"] == 1.0
    assert done.stderr == "printed by the function\n"
    assert run(folder, "report", "model.py:raises").returncode == 3
    assert run(folder).returncode == 2


def test_the_script_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert declared == {"wengert": "wengert.cli:main"}
    assert callable(main)


def test_derived_operations_do_not_come_from_the_launcher(folder: Path) -> None:
    text = run(folder, "trace", "model.py:loss", "--grad").stdout
    assert "model.py" in text
    assert "runpy" not in text


def test_other_programs_print_into_standard_error(folder: Path) -> None:
    (folder / "shell.py").write_text("import os\ndef f(x=1.0):\n    os.system('echo from a shell')\n    return x\n")
    done = run(folder, "run", "shell.py:f", "--json")
    assert json.loads(done.stdout)["outputs"][0]["values"] == 1.0
    assert done.stderr == "from a shell\n"


def test_a_pipe_that_is_closed(folder: Path) -> None:
    with subprocess.Popen([*COMMAND, "draw", "model.py:loss"], cwd=folder, stdout=-1, stderr=-1) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_standard_output(folder: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "why", "model.py:cut"], cwd=folder, stdout=full, stderr=-1, text=True, check=False
        )
    assert done.returncode == 4
    assert done.stderr == "wengert: error: cannot write the result: No space left on device\n"


def test_plain_text_when_piped_and_utf8_or_not(folder: Path) -> None:
    done = run(folder, "report", "model.py:loss", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert done.stdout.isascii()


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_signals_leave_no_files(folder: Path, number: signal.Signals, code: int, word: str) -> None:
    (folder / "slow.py").write_text(
        "import pathlib, time\n"
        "def f(x=1.0):\n    pathlib.Path('started').touch()\n    while True:\n        time.sleep(0.01)\n"
    )
    command = [*COMMAND, "explore", "slow.py:f", "-o", "slow.html"]
    with subprocess.Popen(command, cwd=folder, stdout=-1, stderr=-1, text=True) as process:
        while not (folder / "started").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (128 + number, "", f"wengert: {word}\n")
    assert sorted(path.name for path in folder.iterdir()) == ["helper.py", "model.py", "slow.py", "started"]


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are those of POSIX")
def test_on_a_terminal_there_are_colours_and_a_line_of_progress(folder: Path) -> None:
    master, slave = os.openpty()
    try:
        command = [*COMMAND, "check", "model.py:loss", "--order", "1"]
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
        with subprocess.Popen(command, cwd=folder, stdout=slave, stderr=slave, env=environment) as process:
            pass
        text = os.read(master, 65536).decode()
    finally:
        os.close(slave)
        os.close(master)
    assert process.returncode == 0
    assert "\x1b[32mpassed\x1b[0m" in text
    assert "\r\x1b[Kchecking loss, order 1, fwd and rev\r\x1b[Kloss(" in text


def test_importing_wengert_does_not_import_the_command_line() -> None:
    code = "import sys, wengert; print([m for m in sys.modules if m.startswith('wengert.cli') or m == 'argparse'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_needs_neither_scipy_nor_llvmlite() -> None:
    code = (
        "import sys; from wengert.cli import main; main(['report', '--help'])\n"
        "print([m for m in ('scipy', 'llvmlite') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
    assert wengert.__version__ in run(ROOT, "--version").stdout
