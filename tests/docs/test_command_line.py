"""Every example of the page on the command line runs and prints what the page says."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from wengert.backends.llvm import cache
from wengert.cli import main
from wengert.cli.commands import COMMANDS
from wengert.cli.failures import CODE, FAILED, FILE, INTERNAL, INTERRUPTED, OK, PIPE, TERMINATED, USAGE

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "command-line.md").read_text("utf-8")
MODEL = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)


def runs(block: str) -> list[tuple[str, str]]:
    """The command lines of a block, each with what it prints."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def same(printed: str, shown: str) -> bool:
    """Whether it is what the page shows, where ``...`` stands for anything and lines may be broken."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(shown, printed, options)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: runs(block)[0][0].removeprefix("wengert ")[:40])
def test_examples(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "cache"))
    cache.folder.cache_clear()
    code = OK
    try:
        for command, shown in runs(block):
            if command == "echo $?":
                assert shown == f"{code}\n"
                continue
            program, *words = shlex.split(command)
            assert program == "wengert"
            code = main(words)
            out, err = capfd.readouterr()
            assert same(err + out, shown), f"{command}\n{err}{out}"
            assert "error" in err or code in (OK, FAILED), command
    finally:
        cache.folder.cache_clear()


def test_the_check_of_examples_can_fail() -> None:
    assert same("a 1 b\n", "a ... b\n")
    assert not same("a 1 c\n", "a ... b\n")


def test_every_command_and_exit_code_is_on_the_page() -> None:
    for command in COMMANDS:
        assert f"| [`{command.name}`](#" in PAGE
        assert f"$ wengert {command.name}" in PAGE
    for code in (OK, FAILED, USAGE, CODE, FILE, INTERNAL):
        assert f"| {code} |" in PAGE
    assert f"| {INTERRUPTED}, {PIPE}, {TERMINATED} |" in PAGE


def test_links_within_the_page() -> None:
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    targets = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert len(targets) >= len(COMMANDS)
    assert set(targets) <= anchors
