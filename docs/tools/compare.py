"""Compare the two columns of the pages for newcomers from other libraries: the same numbers must come out of both.

``python -m docs.tools.compare`` needs those libraries (extra ``bench``). A page says in a comment that begins with
``<!-- compare: NAME`` what has to be set up on the other side; the page's own code sets up Wengert's. Values that are
neither numbers nor made of them (functions, modules, generators) only have to be there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from docs.tools.pages import DOCS, blocks_of

_SETUP = re.compile(r"<!-- compare: (\w+)\n(.*?)-->", re.DOTALL)


def rows_of(page: str) -> Iterator[tuple[str, list[str]]]:
    """Pairs of the other library's code and Wengert's."""
    for line in page.splitlines():
        cells = [re.findall(r"`([^`]+)`", cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if line.startswith("|") and len(cells) == 2 and all(cells):
            yield cells[0][0].replace(r"\|", "|"), [code.replace(r"\|", "|") for code in cells[1]]


def numbers(value: Any) -> list[Any] | None:
    """The numbers and texts in a value, in order; ``None`` where there are none."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, (tuple, list)):
        parts = [numbers(part) for part in value]
        return None if None in parts else [number for part in parts for number in part or []]
    if isinstance(value, (str, bool, int, float)):
        return [value]
    if hasattr(value, "detach"):
        value = value.detach()
    try:
        array = np.asarray(value)
    except TypeError:
        return None
    return list(array.ravel()) if array.dtype.kind in "biufc" else None


def equal(one: list[Any], other: list[Any]) -> bool:
    """The same numbers, up to rounding."""
    return len(one) == len(other) and all(
        a == b if isinstance(a, str) or isinstance(b, str) else bool(np.isclose(a, b, rtol=1e-6, atol=1e-9))
        for a, b in zip(one, other, strict=True)
    )


def differences(path: Path) -> list[str]:
    """Rows whose columns do not agree, and how many were compared."""
    page = path.read_text("utf-8")
    setup = _SETUP.search(page)
    if setup is None:
        return []
    theirs: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    exec(setup[2], theirs)
    for block in blocks_of(page):
        if block.language == "python":
            exec(block.text, ours)
    found, compared = [], 0
    for left, right in rows_of(page):
        expected = numbers(eval(left, theirs))
        for code in right:
            actual = numbers(eval(code, ours))
            if expected is not None and actual is not None:
                compared += 1
                if not equal(expected, actual):
                    found.append(f"{left} is {expected}\n{code} is {actual}")
    sys.stdout.write(f"{path.name}: {compared} values compared with {setup[1]}, {len(found)} differ\n")
    return found


def main() -> int:
    """Compare every page, or those of the command line."""
    pages = [Path(name) for name in sys.argv[1:]] or sorted(DOCS.rglob("*.md"))
    found = [difference for page in pages for difference in differences(page)]
    sys.stdout.write("\n".join([*found, ""]))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
