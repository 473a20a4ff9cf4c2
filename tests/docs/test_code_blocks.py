"""Every piece of code in the documentation runs, prints what the page shows and draws the pictures that it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.tools.pages import PICTURES, ROOT, blocks_of, pages_with_code, pictures_of, programs_of, run_apart, table_code


@pytest.mark.parametrize("page", pages_with_code(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_of_a_page_does_what_the_page_says(page: Path) -> None:
    found = run_apart(page)
    assert not found, f"{found}\n`make docs-run` writes outputs and pictures anew"


def test_every_stored_picture_is_on_a_page() -> None:
    shown = {name for page in (ROOT / "docs").rglob("*.md") for name in pictures_of(page.read_text("utf-8"))}
    assert {path.name for path in PICTURES.iterdir()} == shown


PAGE = """# Page

```python
x = 1
print(x + 1)
```

```text
{shown}
```

```{{note}}
Not code.
```

```pycon
>>> x
{value}
```

| NumPy | Wengert | why |
|---|---|---|
| `np.nothing` | `{code}` | `not this` |
"""


def _write(tmp_path: Path, **filled: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(**({"shown": "2", "value": "1", "code": "x + 1"} | filled)), "utf-8")
    return page


def test_blocks_outputs_and_tables_are_found() -> None:
    page = PAGE.format(shown="2", value="1", code=r"x \| 1")
    assert [block.language for block in blocks_of(page)] == ["python", "text", "{note}", "pycon"]
    assert [(block.first, shown and shown.text) for block, shown in programs_of(page)] == [(3, "2\n"), (16, None)]
    assert table_code(page) == [(23, "x | 1")]


def test_a_right_page_passes(tmp_path: Path) -> None:
    assert run_apart(_write(tmp_path)) == ""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shown": "3"}, "line 9 shows"),
        ({"value": "5"}, "Expected:"),
        ({"code": "missing"}, "line 23: Traceback"),
        ({"code": "1 / 0"}, "ZeroDivisionError"),
        ({"code": "x` | `x"}, "line 23: a row of 4 cells in a table of 3"),
        ({"value": "1\n```\n\n![it](pictures/it.svg)\n\n```text"}, "no code of the page writes it.svg"),
    ],
    ids=["output", "doctest", "name", "error", "row", "picture"],
)
def test_a_wrong_page_fails(tmp_path: Path, wrong: dict[str, str], message: str) -> None:
    assert message in run_apart(_write(tmp_path, **wrong))


def test_writing_puts_the_output_in_place(tmp_path: Path) -> None:
    page = _write(tmp_path, shown="3\nand more")
    assert run_apart(page, write=True)
    assert page.read_text("utf-8") == PAGE.format(shown="2", value="1", code="x + 1")
    assert run_apart(page) == ""
