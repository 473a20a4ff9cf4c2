"""A user's file is loaded as if it were imported, and leaves no trace."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wengert.cli.loading import loaded

Cli = Callable[..., Any]


def test_nothing_is_left_behind(folder: Path) -> None:
    (folder / "uses.py").write_text("import sys\nfrom helper import double\nARGV = sys.argv\nNAME = __name__\n")
    before = set(sys.modules), list(sys.path), list(sys.meta_path), sys.argv, sys.dont_write_bytecode
    with loaded(folder / "uses.py") as module:
        assert module.double(2) == 4
        assert [str(folder / "uses.py")] == module.ARGV
        assert module.NAME != "__main__"
        assert module.__file__ == str(folder / "uses.py")
        assert "helper" in sys.modules
    assert before == (set(sys.modules), sys.path, sys.meta_path, sys.argv, sys.dont_write_bytecode)
    assert sorted(path.name for path in folder.iterdir()) == ["helper.py", "model.py", "uses.py"]


def test_nor_after_an_error(folder: Path) -> None:
    (folder / "bad.py").write_text("import helper\nraise ValueError\n")
    before = set(sys.modules), list(sys.meta_path)
    with pytest.raises(ValueError, match=r"^$"), loaded(folder / "bad.py"):
        pass
    assert before == (set(sys.modules), sys.meta_path)


def test_two_files_of_one_name_do_not_meet(folder: Path) -> None:
    for name, number in (("one", 1), ("two", 2)):
        (folder / name).mkdir()
        (folder / name / "helper.py").write_text(f"NUMBER = {number}\n")
        (folder / name / "m.py").write_text("from helper import NUMBER\nfrom .helper import NUMBER as AGAIN\n")
    for name, number in (("one", 1), ("two", 2)):
        with loaded(folder / name / "m.py") as module:
            assert (number, number) == (module.NUMBER, module.AGAIN)


def test_a_file_of_a_package_is_imported_with_its_package(folder: Path) -> None:
    (folder / "outer" / "inner").mkdir(parents=True)
    (folder / "outer" / "__init__.py").write_text("LOADED = True\n")
    (folder / "outer" / "base.py").write_text("NUMBER = 7\n")
    (folder / "outer" / "inner" / "__init__.py").write_text("")
    (folder / "outer" / "inner" / "m.py").write_text(
        "from ..base import NUMBER\nimport outer\nfrom outer.base import NUMBER as SAME\nLOADED = outer.LOADED\n"
    )
    with loaded(folder / "outer" / "inner" / "m.py") as module:
        assert module.__name__ == "outer.inner.m"
        assert (module.NUMBER, module.SAME, module.LOADED) == (7, 7, True)
    assert "outer" not in sys.modules


@pytest.mark.parametrize(
    "name", ["numpy.py", "wengert.py", "random.py", "json.py", "my-model.v2.py", "class.py", "1.py"]
)
def test_unfortunate_names(cli: Cli, folder: Path, name: str) -> None:
    (folder / name).write_text("import numpy, random, json\nimport wengert\ndef f(x=1.0): return wengert.sin(x)\n")
    ran = cli("check", f"{name}:f")
    assert ran.code == 0, ran.err
    assert cli("bench", f"./{name}:f", "--seconds", "0.001").code == 0


def test_unfortunate_names_of_packages(cli: Cli, folder: Path) -> None:
    for name in ("test", "numpy", "a b"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("")
        (folder / name / "other.py").write_text("TWO = 2.0\n")
        (folder / name / "m.py").write_text("from .other import TWO\ndef f(x=1.0): return x * TWO\n")
        ran = cli("check", f"{name}/m.py:f")
        assert ran.code == 0, ran.err


def test_dataclasses_and_scripts(cli: Cli, folder: Path) -> None:
    (folder / "script.py").write_text(
        "from __future__ import annotations\n"
        "import argparse\nfrom dataclasses import dataclass\nfrom typing import ClassVar\n"
        "@dataclass\nclass P:\n    scale: float = 2.0\n    kind: ClassVar[str] = 'p'\n"
        "def f(x=1.0): return x * P().scale\n"
        "print('loading')\n"
        "options = argparse.ArgumentParser().parse_args()\n"
        "if __name__ == '__main__':\n    raise SystemExit(f(1.0))\n"
    )
    ran = cli("run", "script.py:f", "--json")
    assert ran.code == 0, ran.err
    assert ran.data["outputs"][0]["values"] == 2.0
    (folder / "noext").write_text("def f(x=1.0): return x\n")
    assert cli("run", "noext:f").code == 0


def test_imports_inside_of_functions_work(cli: Cli, folder: Path) -> None:
    (folder / "late.py").write_text("def f(x=1.0):\n    from helper import double\n    return double(x)\n")
    assert cli("check", "late.py:f").code == 0


def test_a_folder_does_not_hide_an_installed_package(cli: Cli, folder: Path) -> None:
    (folder / "hypothesis").mkdir()
    (folder / "m.py").write_text("import hypothesis\nV = hypothesis.__version__\ndef f(x=1.0): return x\n")
    assert cli("run", "m.py:f").code == 0


def test_paths_are_meant_from_where_the_command_was_given(cli: Cli, folder: Path) -> None:
    (folder / "far" / "away").mkdir(parents=True)
    (folder / "far" / "m.py").write_text(
        "import os\nos.chdir(os.path.dirname(__file__) + '/away')\ndef f(x):\n    os.chdir('/')\n    return x.sum()\n"
    )
    np.save(folder / "x.npy", np.ones(3))
    for command, output in (("draw", "x.svg"), ("explore", "x.html"), ("run", "x.npz"), ("trace", "x.graph")):
        here = os.getcwd()
        try:
            ran = cli(command, "far/m.py:f", "-i", "x=x.npy", "-o", output)
        finally:
            os.chdir(here)
        assert ran.code == 0, ran.err
        assert (folder / output).exists()
        assert f"wrote {output} (" in ran.out


def test_options_may_stand_in_front(cli: Cli) -> None:
    assert cli("--json", "why", "model.py:cut").data["connected"] is False
    assert "usage: wengert why" in cli("help", "why").out
    assert "usage: wengert [-h]" in cli("help").out
