"""Whatever goes wrong ends in one message and a documented exit code, and leaves nothing half done."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

import wengert as wg
from wengert.cli import files, main
from wengert.cli.failures import Failure, Terminated, explained
from wengert.cli.files import written
from wengert.cli.terminal import printable

Cli = Callable[..., Any]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["report"], 2, "required: TARGET"),
        (["reprot"], 2, "invalid choice: 'reprot'"),
        (["report", "model.py:loss", "--jsn"], 2, "unrecognized arguments: --jsn"),
        (["report", "modl.py:loss"], 2, "there is no file modl.py; did you mean model.py?"),
        (["report", "model:loss"], 2, "did you mean model.py?"),
        (["report", "model.py:los"], 2, "model.py has no 'los'; did you mean loss?"),
        (["report", "model.py"], 2, "which function of model.py? Name it as in model.py:loss"),
        (["report", "model.py:X"], 2, "is of type ndarray"),
        (["report", "model.py:nn.Linear"], 2, "is a class"),
        (["report", ""], 2, "name a file"),
        (["report", "."], 2, "'.' is a folder"),
        (["report", "n" * 5000], 2, "there is no file nnn"),
        (["report", "whole.graph:f"], 2, "whole.graph is no Python file"),
        (["report", "a\0b.py:f"], 2, "there is no file"),
        (["run", "model.py:loss", "-i", "x=1.0", "-i", "1=2.0"], 2, "x is given twice"),
        (["report", "model.py:needs"], 2, "needs values for a, b"),
        (["report", "model.py:result", "--input", "x=1.0"], 2, "is a tensor and takes no --input"),
        (["trace", "model.py:result"], 2, "is a tensor"),
        (["report", "model.py:loss", "--seed", "-1"], 2, "is not a whole number from 0 on"),
        (["check", "model.py:loss", "--order", "0"], 2, "invalid choice: 0"),
        (["check", "model.py:loss", "--eps", "nan"], 2, "is not a positive number"),
        (["bench", "model.py:loss", "--seconds", "inf"], 2, "is not a positive number"),
        (["draw", "model.py:loss", "-o", "x.bmp"], 2, "should end in .svg"),
        (["draw", "model.py:loss", "-o", "-", "--format", "png"], 2, "png is not text"),
        (["explore", "model.py:loss", "-o", "x.svg"], 2, "should end in .html"),
        (["report", "model.py:raises"], 3, "ValueError: this is wrong\n    raise ValueError"),
        (["report", "model.py:misfit"], 3, "return x @ np.ones((5, 5))"),
        (["trace", "model.py:branch"], 3, "wengert.where(condition, a, b)"),
        (["report", "helper.py:squash", "--input", "3"], 2, "write 3.0 for 3"),
        (["report", "model.svg"], 4, "this is not a graph file"),
        (["run", "cut.graph"], 4, "the file is truncated"),
        (["draw", "model.py:loss", "-o", "nowhere/x.svg"], 4, "there is no folder"),
        (["draw", "model.py:loss", "-o", ".", "--format", "svg"], 4, "it is a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_messages_and_exit_codes(cli: Cli, folder: Path, words: list[str], code: int, message: str) -> None:
    (folder / "model.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>" * 10)
    wg.trace(lambda x: x * 2)(1.0).save(folder / "whole.graph")
    (folder / "cut.graph").write_bytes((folder / "whole.graph").read_bytes()[:200])
    before = sorted(folder.rglob("*"))
    ran = cli(*words)
    assert ran.code == code, ran.err
    assert message in ran.err
    assert ran.err.startswith("wengert: error: ")
    assert "Traceback" not in ran.err
    assert ran.out == ""
    as_json = cli(*words, "--json")
    assert as_json.code == code
    assert as_json.data["exit_code"] == code
    assert printable(as_json.data["error"]["message"]) in as_json.err
    debug = cli(*words, "--debug")
    assert debug.code == code
    assert "Traceback (most recent call last)" in debug.err
    assert [path for path in sorted(folder.rglob("*")) if path not in before and "cache" not in path.parts] == []


def test_the_users_line_is_named_in_json(cli: Cli, folder: Path) -> None:
    error = cli("report", "model.py:raises", "--json").data["error"]
    assert error["kind"] == "code"
    assert error["file"] == str(folder / "model.py")
    assert error["source"] == 'raise ValueError("this is wrong")'
    assert (folder / "model.py").read_text().splitlines()[error["line"] - 1].strip() == error["source"]


FILES = {
    "syntax": ("def f(x=1.0) return x\n", "SyntaxError: expected ':'"),
    "indent": ("def f(x=1.0):\nreturn x\n", "IndentationError"),
    "missing": ("import there_is_no_such_module\n", "ModuleNotFoundError"),
    "exits": ("import sys\nsys.exit(3)\n", "sys.exit(3)"),
    "recursion": ("def f(x=1.0): return f(x)\n", "RecursionError"),
    "memory": ("def f(x=1.0): raise MemoryError('none left')\n", "MemoryError: none left"),
    "base": ("def f(x=1.0): raise BaseException('odd')\n", "BaseException: odd"),
    "quits": ("def f(x=1.0): raise SystemExit\n", "sys.exit(None)"),
    "evil": (
        "class E(Exception):\n    def __str__(self): raise RuntimeError\ndef f(x=1.0): raise E\n",
        "cannot be shown",
    ),
    "long": ("def f(x=1.0): raise ValueError('y' * 10**6)\n", "yyyy ..."),
    "null": ("def f(x=1.0):\n    '\0'\n", "null bytes"),
    "bytes": ("def f(x=1.0): return '\udcff'\n", "utf-8"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_fail(cli: Cli, folder: Path, name: str) -> None:
    content, message = FILES[name]
    (folder / f"{name}.py").write_bytes(content.encode("utf-8", "surrogateescape"))
    ran = cli("report", f"{name}.py:f")
    assert ran.code == 3, ran.err
    assert message in ran.err
    assert f"{name}.py" in ran.err
    assert "Traceback" not in ran.err
    assert len(ran.err) < 10_000


def test_interrupted(cli: Cli, folder: Path) -> None:
    (folder / "slow.py").write_text("def f(x=1.0): raise KeyboardInterrupt\n")
    ran = cli("draw", "slow.py:f", "-o", "x.svg")
    assert (ran.code, ran.err, ran.out) == (130, "wengert: interrupted\n", "")
    assert not (folder / "x.svg").exists()
    assert explained(Terminated()).code == 143


def test_a_fault_of_the_library_is_told_from_the_users() -> None:
    failure = explained(TypeError("broken"))
    assert failure.code == 70
    assert "a fault of Wengert" in failure.message


def test_names_cannot_take_over_the_terminal(cli: Cli, folder: Path) -> None:
    assert printable("a\x1b]0;x\x07b\x9bc\u202e\r\n\t") == "a\\x1b]0;x\\x07b\\x9bc\\u202e\\r\n\t"
    assert printable("\x1b[31mred\x1b[2J", color=True) == "\x1b[31mred\\x1b[2J"
    assert printable("\x1b[31mred") == "\\x1b[31mred"
    name = "evil\x1b]0;owned\x07\r.py"
    (folder / name).write_text("def f(x=1.0): raise ValueError('\\x1b[2J\\x1b]0;owned\\x07')\n")
    for words in (["report", f"{name}:f"], ["report", f"{name}:\x1b[2J"], ["\x1b]0;owned\x07"]):
        ran = cli(*words)
        assert ran.code in (2, 3)
        assert not {"\x1b", "\x07", "\r"} & set(ran.err + ran.out)
    wg.trace(lambda x: x * 2, names=["\x1b]0;owned\x07"])(1.0).save(folder / "evil.graph")
    for command in ("report", "draw", "trace", "run", "why", "check"):
        ran = cli(command, "evil.graph")
        assert not {"\x1b", "\x07"} & set(ran.err + ran.out), command


# -- files ----------------------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_old_file(folder: Path) -> None:
    (folder / "x.svg").write_text("old")
    with pytest.raises(Failure, match=r"cannot write x\.svg: No space left on device"):
        written("x.svg", Mock(side_effect=OSError(28, "No space left on device")))
    assert (folder / "x.svg").read_text() == "old"
    assert not list(folder.glob(".wengert*"))


def test_an_interrupt_leaves_nothing(folder: Path) -> None:
    def stopped(path: Path) -> None:
        path.write_bytes(b"half of it")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written("x.svg", stopped)
    assert sorted(path.name for path in folder.iterdir()) == ["helper.py", "model.py"]


def test_mode_and_links_are_kept(folder: Path) -> None:
    (folder / "real.txt").write_text("old")
    (folder / "real.txt").chmod(0o640)
    (folder / "link.txt").symlink_to("real.txt")
    file = written("link.txt", lambda path: path.write_text("new"))
    assert (file.bytes, file.replaced) == (3, True)
    assert (folder / "link.txt").is_symlink()
    assert (folder / "real.txt").read_text() == "new"
    assert (folder / "real.txt").stat().st_mode & 0o777 == 0o640
    mask = os.umask(0o027)
    try:
        written("fresh.txt", lambda path: path.write_text("new"))
    finally:
        os.umask(mask)
    assert (folder / "fresh.txt").stat().st_mode & 0o777 == 0o640


def test_devices_are_written_into(folder: Path, cli: Cli) -> None:
    assert not written(os.devnull, lambda path: path.write_text("x")).replaced
    assert not Path(os.devnull).is_file()
    if Path("/dev/full").exists():
        ran = cli("draw", "model.py:loss", "-o", "/dev/full", "--format", "svg")
        assert ran.code == 4
        assert "No space left on device" in ran.err


def test_write_protected_files_are_not_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "x.txt").write_text("old")
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)  # the tests may run as root, who may write
    with pytest.raises(Failure, match="write-protected"):
        written("x.txt", lambda path: path.write_text("new"))
    assert (folder / "x.txt").read_text() == "old"


def test_a_file_that_cannot_be_read(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests may run as root, who may read everything.
    monkeypatch.setattr(Path, "open", Mock(side_effect=PermissionError(13, "Permission denied")))
    ran = cli("report", "model.py:loss")
    assert (ran.code, ran.err) == (4, "wengert: error: cannot read model.py: Permission denied\n")


def test_an_extra_that_is_not_installed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    ran = cli("run", "model.py:pair", "-o", "x.safetensors")
    assert ran.code == 4
    assert "pip install 'wengert[nn]'" in ran.err
    monkeypatch.setitem(sys.modules, "onnx", None)
    ran = cli("trace", "model.py:plain", "-o", "x.onnx")
    assert ran.code == 4
    assert "pip install 'wengert[onnx]'" in ran.err


def test_long_names(folder: Path) -> None:
    name = "n" * 251 + ".svg"
    assert written(name, lambda path: path.write_text("x")).bytes == 1
    with pytest.raises(Failure, match="File name too long"):
        written("n" * 300 + ".svg", lambda path: path.write_text("x"))


def test_a_loop_of_links(folder: Path) -> None:
    (folder / "a.svg").symlink_to("b.svg")
    (folder / "b.svg").symlink_to("a.svg")
    written("a.svg", lambda path: path.write_text("x"))
    assert (folder / "a.svg").read_text() == "x"


# -- streams --------------------------------------------------------------------------------------------------------


def test_what_the_function_prints_is_not_in_the_answer(cli: Cli) -> None:
    for more in ((), ("--json",)):
        ran = cli("run", "model.py:prints", *more)
        assert ran.code == 0
        assert "printed by the function" in ran.err
        assert "printed by the function" not in ran.out


class Broken(io.StringIO):
    """A stream whose reader has gone."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def flush(self) -> None:
        raise self.error


@contextlib.contextmanager
def stdout(stream: Any) -> Iterator[None]:
    before, sys.stdout = sys.stdout, stream
    try:
        yield
    finally:
        sys.stdout = before


def test_streams_that_break(folder: Path) -> None:
    with stdout(Broken(BrokenPipeError(32, "Broken pipe"))):
        assert main(["why", "model.py:cut"]) == 141
    with stdout(Broken(OSError(28, "No space left on device"))):
        assert main(["why", "model.py:cut"]) == 4
    with stdout(None):
        assert main(["why", "model.py:cut"]) == 0


def test_a_terminal_without_the_characters(folder: Path) -> None:
    raw = io.BytesIO()
    with stdout(io.TextIOWrapper(raw, encoding="ascii")):
        assert main(["draw", "model.py:plain"]) == 0
        assert b"? 1" in raw.getvalue()
