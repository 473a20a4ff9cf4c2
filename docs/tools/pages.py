"""Run the code of the documentation's pages, and compare what it prints and draws with what the pages show.

``python -m docs.tools.pages PAGE...`` runs pages, each in an interpreter and an empty folder of its own; with
``--write`` it puts the outputs and pictures that it finds in place of the old ones. The rules:

* the ``python`` blocks of a page are one program, in order; blocks of ``>>>`` lines are doctests in its namespace;
* a ``text`` block right after a ``python`` block is what that block prints (``...`` stands for anything);
* a picture of the page is made by the page's code: it writes ``NAME.svg``, the page shows ``pictures/NAME.svg``;
* in a table with a column *Wengert*, every piece of code in that column runs as well.
"""

from __future__ import annotations

import argparse
import contextlib
import doctest
import io
import linecache
import os
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
_FENCE = re.compile(r"^(`{3,}|~{3,})[ ]*(\S*).*$")
_CHECKER = doctest.OutputChecker()


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the lines (from 0) of the page that the text takes."""

    language: str
    text: str
    first: int
    end: int


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page, in order; what stands inside a block is not looked at again."""
    found, lines, position = [], page.splitlines(keepends=True), 0
    while position < len(lines):
        opening = _FENCE.match(lines[position])
        position += 1
        if opening:
            first = position
            while position < len(lines) and lines[position].rstrip() != opening[1]:
                position += 1
            found.append(Block(opening[2], "".join(lines[first:position]), first, position))
            position += 1
    return found


def programs_of(page: str) -> Iterator[tuple[Block, Block | None]]:
    """The Python blocks of a page, each with the block of its output if it has one."""
    lines, blocks = page.splitlines(), blocks_of(page)
    for block, following in zip(blocks, [*blocks[1:], None], strict=False):
        if block.language in ("python", "pycon"):
            between = lines[block.end + 1 : following.first - 1] if following else ["no block"]
            shown = (
                following if following and following.language == "text" and not any(map(str.strip, between)) else None
            )
            yield block, shown


def table_code(page: str) -> list[tuple[int, str]]:
    """Code in the column *Wengert* of tables: line (from 1) and text."""
    found, column, width = [], None, 0
    for number, line in enumerate(page.splitlines(), start=1):
        if not line.startswith("|"):
            column = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if "Wengert" in cells:
            column, width = cells.index("Wengert"), len(cells)
        elif column is not None:
            if len(cells) != width:
                raise ValueError(f"line {number}: a row of {len(cells)} cells in a table of {width}")
            found += [(number, code.replace(r"\|", "|")) for code in re.findall(r"`([^`]+)`", cells[column])]
    return found


def pictures_of(page: str) -> list[str]:
    """Names of the pictures that a page shows."""
    return re.findall(r"\]\((?:\.\./)*pictures/([\w.-]+)\)", page)


def pages_with_code() -> list[Path]:
    """README and every page with a block or a table to run."""
    pages = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    return [page for page in pages if any(programs_of(page.read_text("utf-8"))) or table_code(page.read_text("utf-8"))]


@dataclass
class Run:
    """The state of a page that runs: its namespace, what differs, and the outputs to write."""

    name: str
    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    source: str = ""
    problems: list[str] = field(default_factory=list)
    outputs: list[tuple[Block, str]] = field(default_factory=list)

    def execute(self, code: str, line: int) -> str:
        """What ``code`` prints. To the library the page is one file, ``NAME.py``, of all its code so far."""
        shift = self.source.count("\n")
        self.source += code + "\n"
        linecache.cache[self.name] = (len(self.source), None, self.source.splitlines(keepends=True), self.name)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile("\n" * shift + code, self.name, "exec"), self.namespace)
        except Exception:
            self.problems.append(f"line {line}: {traceback.format_exc()}")
        return "".join(text.rstrip() + "\n" for text in printed.getvalue().splitlines())

    def block(self, block: Block, shown: Block | None) -> None:
        """Run a block and compare what it prints with the block after it."""
        if block.text.startswith(">>>"):
            self._doctest(block)
            return
        printed = self.execute(block.text, block.first + 1)
        if shown and not _CHECKER.check_output(shown.text, printed, doctest.ELLIPSIS):
            self.problems.append(f"line {shown.first + 1} shows\n{shown.text}and the code prints\n{printed}")
            self.outputs.append((shown, printed))

    def _doctest(self, block: Block) -> None:
        examples = doctest.DocTestParser().get_doctest(block.text, self.namespace, self.name, None, block.first)
        found: list[str] = []
        runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
        runner.run(examples, out=found.append, clear_globs=False)
        self.namespace.update(examples.globs)
        self.problems += found


def run_page(path: Path, write: bool) -> list[str]:
    """Run a page in the current folder; returns what differs. ``write`` updates the page and its pictures."""
    page = path.read_text("utf-8")
    run = Run(re.sub(r"^[0-9]+-", "", path.stem) + ".py")
    for block, shown in programs_of(page):
        run.block(block, shown)
    for line, code in table_code(page):
        run.execute(code, line)
    for name in pictures_of(page):
        made, stored = Path(name), PICTURES / name
        if not made.exists():
            run.problems.append(f"no code of the page writes {name}")
        elif not stored.exists() or stored.read_text("utf-8") != made.read_text("utf-8"):
            run.problems.append(f"the picture {name} has changed")
            if write:
                PICTURES.mkdir(exist_ok=True)
                stored.write_text(made.read_text("utf-8"), "utf-8")
    if write and run.outputs:
        lines = page.splitlines(keepends=True)
        for shown, printed in reversed(run.outputs):
            lines[shown.first : shown.end] = printed.splitlines(keepends=True)
        path.write_text("".join(lines), "utf-8")
    return run.problems


def run_apart(path: Path, write: bool = False, folder: Path | None = None) -> str:
    """Run a page in an interpreter of its own, in ``folder`` or in an empty one that is gone afterwards; returns what
    differs, nothing if all is well."""
    if folder is None:
        with tempfile.TemporaryDirectory() as empty:
            return run_apart(path, write, Path(empty))
    command = [sys.executable, "-W", "error", "-m", "docs.tools.pages", "--here", str(path.resolve())]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    result = subprocess.run(
        command + ["--write"] * write,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if result.returncode == 0 else result.stdout + result.stderr or f"exit status {result.returncode}"


def main() -> int:
    """Run the pages of the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="put outputs and pictures into the pages")
    parser.add_argument("--here", action="store_true", help="in this interpreter and folder")
    chosen = parser.parse_args()
    failed = False
    for path in chosen.pages or pages_with_code():
        found = "\n".join(run_page(path, chosen.write)) if chosen.here else run_apart(path, chosen.write)
        if found:
            failed = True
            sys.stdout.write(found if chosen.here else f"{path}\n{found}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
