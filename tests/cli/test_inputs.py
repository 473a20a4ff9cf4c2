"""Where arguments come from, and what ``--input`` means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.cli import values
from wengert.cli.failures import FILE, Failure
from wengert.cli.inputs import problem_of, read_inputs
from wengert.cli.target import opened
from wengert.cli.values import read_value

Cli = Callable[..., Any]


def value(text: str) -> Any:
    return read_value(text, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("text", "shape", "dtype"),
    [
        ("float64[3]", (3,), "float64"),
        ("f32[2,3]", (2, 3), "float32"),
        ("float32[2x3]", (2, 3), "float32"),
        ("float64[]", (), "float64"),
        ("float64[0,3]", (0, 3), "float64"),
        ("int[4]", (4,), "int64"),
        ("bool[4]", (4,), "bool"),
        ("complex[4]", (4,), "complex128"),
        ("float64[3]~ones", (3,), "float64"),
        ("float16[3]~uniform", (3,), "float16"),
    ],
)
def test_shapes(text: str, shape: tuple[int, ...], dtype: str) -> None:
    found = value(text)
    assert (found.shape, found.dtype) == (shape, np.dtype(dtype))
    np.testing.assert_array_equal(found, value(text))


def test_distributions() -> None:
    assert (value("float64[1000]~uniform") >= 0).all()
    assert (value("float64[1000]~positive") >= 0.5).all()
    assert (value("float64[3]~zeros") == 0).all()
    assert (value("int32[5]~ones") == 1).all()
    assert abs(value("float64[1000]").std() - 1) < 0.1
    assert set(value("int64[1000]")) == set(range(10))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5", 1.5),
        ("3", 3),
        ("-2.0", -2.0),
        ("1e-3", 1e-3),
        ("inf", np.inf),
        ("-inf", -np.inf),
        ("1+2j", 1 + 2j),
        ("None", None),
        ("True", True),
        ("'text'", "text"),
        ("[1, 2, 3]", np.array([1.0, 2.0, 3.0])),
        ("(1, 2)", np.array([1.0, 2.0])),
        ("[[1, nan], [-inf, 4]]", np.array([[1.0, np.nan], [-np.inf, 4.0]])),
        ("[]", np.array([])),
        ("[True, False]", np.array([True, False])),
        ("[1j, 2]", np.array([1j, 2])),
        ("float32([1, 2])", np.array([1, 2], "float32")),
        ("int64([1, 2])", np.array([1, 2])),
        ("float32(1.5)", np.array(1.5, "float32")),
    ],
)
def test_literals(text: str, expected: Any) -> None:
    found = value(text)
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not understood"),
        ("relu", "a text needs quotes: \"'relu'\""),
        ("__import__('os').system('true')", "is not understood"),
        ("9**9**9", "is not understood"),
        ("[" * 5000, "is not understood"),
        ("[" * 90 + "1" + "]" * 90, "is not understood"),
        ("[[1, 2], [3]]", "is not understood"),
        ("[1, 'a']", "is not an array of numbers"),
        ("[99999999999999999999999]", "is not an array of numbers"),
        ("float64[-1]", "a shape is whole numbers"),
        ("float64[2.5]", "a shape is whole numbers"),
        ("float64[99999999999999999999]", "a shape is whole numbers"),
        ("float64[999999999999]", "GB of memory"),
        ("float64[3]~gauss", "'gauss' is not one of normal, uniform"),
        ("float65[3]", "'float65' is no dtype"),
        ("object[3]", "'object' is no dtype"),
        ("float128[3]", "'float128' is no dtype"),
        ("float32('a')", "this is not an array of float32"),
        ("float64([1j])", "this is not an array of float64"),
        ("int64([1.5])", "int64 cannot hold these numbers"),
        ("uint8([300])", "uint8 cannot hold these numbers"),
        ("nowhere.npy", "there is no file nowhere.npy"),
    ],
)
def test_what_is_not_understood_is_said(text: str, words: str) -> None:
    with pytest.raises(Failure) as failure:
        value(text)
    assert words in failure.value.message
    assert len(failure.value.message) < 500


def test_files(folder: Path) -> None:
    np.save("a.npy", np.arange(3.0))
    np.savez("two.npz", x=np.ones(2), y=np.zeros(1))
    np.savez("one.npz", x=np.ones(2))
    np.save("swapped.npy", np.arange(3).astype(">f4"))
    np.testing.assert_array_equal(value("a.npy"), [0, 1, 2])
    np.testing.assert_array_equal(value("two.npz:y"), [0])
    np.testing.assert_array_equal(value("one.npz"), [1, 1])
    assert sorted(value("two.npz")) == ["x", "y"]
    assert value("swapped.npy").dtype == np.dtype("float32")
    wg.nn.save_file({"w": wg.ones(2)}, "s.safetensors")
    np.testing.assert_array_equal(value("s.safetensors:w"), [1, 1])
    with pytest.raises(Failure, match=r"two\.npz has no array 'z'; it has x, y"):
        value("two.npz:z")


def test_damaged_and_hostile_files(folder: Path) -> None:
    np.save("objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    np.save("text.npy", np.array(["a"]))
    np.save("a.npy", np.ones((2, 2)))
    whole = Path("a.npy").read_bytes()
    Path("short.npy").write_bytes(whole[:100])
    Path("huge.npy").write_bytes(whole.replace(b"(2, 2)", b"(9999999999, 2)"))
    Path("junk.npz").write_bytes(b"PK\x03\x04junk")
    Path("junk.safetensors").write_bytes(b"\xff" * 20)
    Path("empty.npy").write_bytes(b"")
    Path("folder.npy").mkdir()
    for name in ("objects", "text", "short", "huge", "empty", "folder"):
        with pytest.raises(Failure, match=f"cannot read {name}.npy") as failure:
            value(f"{name}.npy")
        assert failure.value.code == FILE
    for name in ("junk.npz", "junk.safetensors"):
        with pytest.raises(Failure, match=name) as failure:
            value(name)
        assert failure.value.code == FILE


def test_a_shape_larger_than_the_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "_memory", lambda: 100)
    assert value("float64[12]").shape == (12,)
    with pytest.raises(Failure, match="GB of memory"):
        value("float64[13]")


# -- binding --------------------------------------------------------------------------------------------------------

FUNCTIONS = """
import numpy as np
import wengert as wg

def defaults(x=2.0, n=3, flag=True, *, scale=np.ones(2)): return (x * scale).sum() * n
def example_inputs(): return (np.ones(3), np.zeros(2))
def from_file(a, b, c=1.0): return a.sum() + b.sum() + c
def named(a, b): return a * b
example_inputs_named = {"b": 2.0, "a": wg.TensorSpec((2,))}
def tree(params): return params["w"].sum() + params["b"][0]
def example_inputs_tree(): return {"w": np.ones(2), "b": [np.ones(1), 2]}
def many(*xs): return sum(x.sum() for x in xs)
def example_inputs_many(): return (np.ones(1), np.ones(2), np.ones(3))
def keywords(x=1.0, **rest): return x + sum(rest.values())
def too_many(a): return a
class Layer:
    def __init__(self): self.w = 2.0
    def __call__(self, x=3.0): return self.w * x
    def method(self, y): return y
layer = Layer()
def example_inputs_layer_method(): return 5.0
def needs(p, q): return p
example_inputs_needs = ()
def square(x): return x * x
example_inputs_square = 2.0
jitted = wg.jit(square)
example_inputs_jitted = (np.ones(2),)
"""


@pytest.fixture
def problem(folder: Path) -> Callable[..., Any]:
    (folder / "f.py").write_text(FUNCTIONS)

    def found(name: str, *given: str, seed: int = 0) -> Any:
        with opened(f"f.py:{name}") as target:
            return problem_of(target, read_inputs(given, seed), seed)

    return found


def test_defaults(problem: Callable[..., Any]) -> None:
    found = problem("defaults")
    assert found.names == ("x", "scale")
    assert found.whole == ("n",)
    assert found.function(*found.args) == 12.0
    changed = problem("defaults", "x=5.0", "n=1", "scale=[1, 1, 1]")
    assert changed.function(*changed.args) == 15.0
    by_position = problem("defaults", "1=7", "0=1.0")
    assert by_position.function(*by_position.args) == 14.0


def test_example_inputs(problem: Callable[..., Any]) -> None:
    found = problem("from_file")
    assert found.names == ("a", "b", "c")
    np.testing.assert_array_equal(found.args[0], np.ones(3))
    assert found.args[2] == 1.0
    assert problem("named").names == ("a", "b")
    assert problem("named").args[0].shape == (2,)
    assert problem("named", "a=4.0").args == (4.0, 2.0)
    assert problem("tree").function(*problem("tree").args) == 3.0
    assert [len(x) for x in problem("many").args] == [1, 2, 3]
    assert problem("layer").args == (3.0,)
    assert problem("layer.method").args == (5.0,)
    assert problem("square").args == (2.0,)
    assert problem("jitted").args[0].shape == (2,)
    with pytest.raises(Failure, match="example_inputs gives 2 inputs, and too_many takes 1"):
        problem("too_many")
    assert problem("too_many", "a=1.0").args == (1.0,)


def test_seeds(problem: Callable[..., Any]) -> None:
    assert (problem("named").args[0] == problem("named").args[0]).all()
    assert (problem("named").args[0] != problem("named", seed=1).args[0]).all()
    one, other = problem("named", "a=float64[3]", "b=float64[3]").args
    assert (one != other).all()


def test_unnamed_inputs_fill_what_is_open(problem: Callable[..., Any]) -> None:
    assert problem("named", "1.0", "2.0").args == (1.0, 2.0)
    assert problem("named", "a=7.0", "2.0").args == (7.0, 2.0)
    assert len(problem("many", "1.0").args) == 4
    assert problem("keywords", "x=1.0", "more=2.0").function(1.0, 2.0) == 3.0
    with pytest.raises(Failure, match="takes 2 arguments"):
        problem("named", "1.0", "2.0", "3.0")


def test_what_is_missing_or_unknown_is_said(problem: Callable[..., Any]) -> None:
    with pytest.raises(Failure, match=r'needs values for p, q\. Give shapes or values \(--input "p=float64\[3\]"'):
        problem("needs")
    with pytest.raises(Failure, match="has no input 'flg'; did you mean flag"):
        problem("defaults", "flg=True")
    with pytest.raises(Failure, match="a is given twice"):
        problem("named", "a=1.0", "a=2.0")
    with pytest.raises(Failure, match="no input '7'"):
        problem("named", "7=1.0")


def test_functions_get_tensors_whatever_they_are_declared_with(cli: Cli, folder: Path) -> None:
    (folder / "m.py").write_text("import numpy as np\ndef f(x=np.ones(3), y=2.0): return (x.tanh() * y.exp()).sum()\n")
    for command in ("report", "check", "why", "run", "trace", "draw"):
        ran = cli(command, "m.py:f")
        assert ran.code == 0, ran.err
    assert cli("bench", "m.py:f", "--seconds", "0.001").code == 0


def test_inputs_of_graph_files(cli: Cli, folder: Path) -> None:
    wg.trace(lambda x, p: x @ p["w"] + p["b"])(
        wg.TensorSpec((None, 2), "float32"), {"w": np.ones(2, "float32"), "b": np.float32(1.0)}
    ).save(folder / "g.graph")
    graph = wg.load(folder / "g.graph")
    names = [x.name for x in graph.arguments]
    assert names == ["x", "p_0", "p_1"]
    given = ("--input", "x=[[1, 2], [3, 4]]", "--input", "p_1=[10, 20]", "--input", "p_0=5")
    assert cli("run", "g.graph", *given, "--json").data["outputs"][0]["values"] == [55.0, 115.0]
    assert cli("check", "g.graph", "--input", "x=float32[4,2]").code == 0
    assert "x: float32[n0,2]" in cli("check", "g.graph").err
    assert cli("report", "g.graph").code == 0
    for bad, words in (
        ("x=[1, 2]", "is declared float32[n0,2]"),
        ("x=[[1, 2, 3]]", "is declared float32[n0,2]"),
        ("x=complex[3,2]", "got complex128"),
        ("y=1.0", "has no input 'y'; it has x, p_0, p_1"),
        ("9=1.0", "has no input '9'"),
        ("x='text'", "is declared float32[n0,2]"),
    ):
        ran = cli("run", "g.graph", "--input", bad, "--input", "p_0=1", "--input", "p_1=[1, 2]")
        assert ran.code == 2, ran
        assert words in ran.err


def test_functions_that_are_not_of_python(cli: Cli, folder: Path) -> None:
    (folder / "m.py").write_text("from math import sqrt\nfrom wengert import sin\nimport numpy as np\nroot = np.sqrt\n")
    assert cli("check", "m.py:sin", "--input", "1.0").code == 0
    assert cli("check", "m.py:root", "--input", "4.0").code == 0
    ran = cli("report", "m.py:sqrt", "--input", "4.0")
    assert ran.code == 3
    assert "a fault of Wengert" not in ran.err
    (folder / "n.py").write_text("def f(x): return x\ndef example_inputs(n): return n\n")
    ran = cli("report", "n.py:f")
    assert ran.code == 2
    assert "example_inputs should be a function without arguments" in ran.err
