"""Rules of the house that a machine can keep: sizes, imports, and what importing costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "wengert"
FILES = sorted(SOURCE.rglob("*.py"))


def _name(path: Path) -> str:
    return str(path.relative_to(SOURCE))


# The index of public names has a line for each name.
@pytest.mark.parametrize("path", [path for path in FILES if path != SOURCE / "__init__.py"], ids=_name)
def test_files_stay_under_600_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 600


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_functions_stay_short(path: Path) -> None:
    # The sweep's loop and the three specialised operators of ``apply`` are long on purpose: they inline.
    allowed = {"_sweep", "binary_operator", "operator", "ternary_operator", "unary_operator"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name not in allowed:
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= 65, f"{path.name}:{node.name} has {lines} lines"


OPTIONAL = {"safetensors", "rich", "torch", "sklearn", "autograd", "micrograd", "resvg_py"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_import_hides_in_a_function_except_an_optional_dependency(path: Path) -> None:
    for function in ast.walk(ast.parse(path.read_text())):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for node in ast.walk(function):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or "relative"]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert name.split(".")[0] in OPTIONAL, f"{path.name}:{function.name} imports {name}"


def test_importing_wengert_loads_neither_scipy_nor_llvmlite() -> None:
    code = "import sys, wengert; print([m for m in ('scipy', 'llvmlite', 'wengert.nn') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_test_of_the_layers_can_fail(tmp_path: Path) -> None:
    """The import contract is kept by lint-imports; this shows that it would notice a breach."""
    package = tmp_path / "house"
    for name in ("core", "ops"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "core" / "bad.py").write_text("import house.ops\n")
    (tmp_path / "config.toml").write_text(
        '[tool.importlinter]\nroot_package = "house"\n[[tool.importlinter.contracts]]\nname = "layers"\n'
        'type = "layers"\nlayers = ["house.ops", "house.core"]\n'
    )
    command = [
        str(Path(sys.executable).with_name("lint-imports")),
        *("--config", "config.toml", "--no-cache"),
    ]
    result = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "house.core is not allowed to import house.ops" in result.stdout
