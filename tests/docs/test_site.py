"""The site is complete: every page is in the navigation, every link leads somewhere, every public name is described.

What only a build can tell (``make docs``, where warnings are errors) is not repeated here.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from docs.tools.names import MODULES, module_of, names_of
from docs.tools.pages import ROOT, blocks_of

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _navigation() -> Counter[Path]:
    found: Counter[Path] = Counter()
    for page in PAGES:
        for block in blocks_of(page.read_text("utf-8")):
            if block.language == "{toctree}":
                for entry in (line for line in block.text.splitlines() if line and not line.startswith(":")):
                    target = re.sub(r".*<(.*)>", r"\1", entry)
                    found.update(page.parent.glob(f"{target}.md"))
    return found


def test_every_page_is_in_the_navigation_once() -> None:
    found = _navigation()
    assert {_name(page) for page in PAGES} - {_name(page) for page in found} == {"docs/index.md"}
    assert [_name(page) for page, times in found.items() if times > 1] == []


@cache
def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ +(.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^(`{3,}).*?^\1$|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{_name(page)} links to {target}"
        if anchor:
            assert anchor in _anchors(other), f"{_name(page)} links to {target}, which has no such heading"


def _described(module: str) -> list[str]:
    found: list[str] = []
    for page in (DOCS / "reference").glob("*.md"):
        for line in re.finditer(r"^```\{names\} (\S+)(?: (\S+))?\n(.*?)```$", page.read_text("utf-8"), re.M | re.S):
            if line[1] == module:
                found += line[3].split() or names_of(module, line[2])
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_reference_once(module: str) -> None:
    described = Counter(_described(module))
    # What a module shares with the top level or with its parent is described there.
    elsewhere = {"wengert.autograd": {"enable_grad", "graph_of", "is_grad_enabled", "no_grad", "set_grad_enabled"}}
    elsewhere |= {"wengert.autograd.function": {"Function"}}
    elsewhere |= {"wengert.inspect": {"draw", "explore", "make_dot", "progress", "report", "show", "why"}}
    missing = set(names_of(module)) - set(described) - elsewhere.get(module, set())
    assert not missing, f"{sorted(missing)}: add ``{{names}} {module} THEIR.MODULE`` to a page in docs/reference"
    assert [name for name, times in described.items() if times > 1] == []


def test_the_architecture_page_shows_the_layers_that_are_enforced() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    enforced = [layer.replace("wengert.", "").split(" | ") for layer in contract["layers"]]
    blocks = [block.text for block in blocks_of((DOCS / "architecture.md").read_text("utf-8"))]
    (shown,) = (text for text in blocks if text.startswith("cli "))
    assert [re.split(r"   +", line)[0].split() for line in shown.splitlines()] == enforced


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_code_fits_on_the_page(page: Path) -> None:
    blocks = [block for block in blocks_of(page.read_text("utf-8")) if block.language == "python"]
    assert [line for block in blocks for line in block.text.splitlines() if len(line) > 96] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_public_method_is_described(module: str) -> None:
    missing = [
        f"{name}.{member}"
        for name in names_of(module)
        if inspect.isclass(found := getattr(module_of(module), name))
        for member, value in vars(found).items()
        if member[0] != "_" and (inspect.isroutine(value) or isinstance(value, property)) and not inspect.getdoc(value)
    ]
    assert missing == []


def test_every_example_is_on_its_page() -> None:
    shown = re.findall(r"^```\{literalinclude\} (\S+)$", (DOCS / "examples.md").read_text("utf-8"), re.MULTILINE)
    assert sorted((DOCS / path).resolve() for path in shown) == sorted((ROOT / "examples").glob("*.py"))
