"""The accuracy page lists every compiled function, and every figure on it is within its bound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.accuracy import largest, special_table
from tests.backends.llvm.accuracy import BOUNDS
from wengert.backends.llvm.math import FUNCTIONS

PAGE = (Path(__file__).resolve().parents[2] / "docs/accuracy.md").read_text()


def _rows(title: str) -> dict[str, list[float]]:
    """The figures of a section's table, by function."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section, re.MULTILINE)
    return {name: [float(one) for one in figures.split("|")] for name, figures in rows}


def test_every_function_has_its_errors_on_the_page() -> None:
    assert list(_rows("Errors")) == list(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_errors_on_the_page_are_within_the_bounds(name: str) -> None:
    bound, *figures = _rows("Errors")[name]
    assert bound == BOUNDS.get(name, 2.0)
    assert len(figures) == 4
    assert max(figures) <= bound


def test_every_functions_speed_is_on_the_page() -> None:
    rows = _rows("Speed")
    assert list(rows) == list(FUNCTIONS)
    assert all(len(figures) == 4 and min(figures) > 0 for figures in rows.values())


def test_the_special_values_are_what_the_functions_give() -> None:
    assert "\n".join(special_table()) in PAGE


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_the_page_measures_is_within_the_bounds_again(name: str, dtype: str) -> None:
    assert largest(name, dtype) <= BOUNDS.get(name, 2.0)
