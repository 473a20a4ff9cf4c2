"""What the commands say is what the library says."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm import cache
from wengert.cli import main
from wengert.cli.commands import COMMANDS
from wengert.cli.main import parser

Cli = Callable[..., Any]
W, X = np.ones((3, 2)), np.arange(12.0).reshape(4, 3) / 12


def exact(report: dict[str, Any]) -> dict[str, Any]:
    """The figures of a report that are not times."""
    return {
        key: report[key] for key in ("title", "nodes", "edges", "depth", "width", "flops", "moved_bytes", "kept_bytes")
    }


def test_report(cli: Cli, model: Any) -> None:
    ran = cli("report", "model.py:plain", "--json")
    assert ran.code == 0
    assert ran.err == ""
    assert exact(ran.data) == exact(wg.report(model.plain, W, X, 0.5, measure=False).to_dict())
    assert ran.data["ratio"] > 0
    assert {row["code"] for row in ran.data["by_line"]} >= {"h = squash(squash(x @ w))", "return wg.tanh(x)"}
    # What is no number (how many steps, which sum) is filled in, and no input of the graph.
    filled = cli("report", "model.py:loss", "--json")
    assert exact(filled.data) == {**exact(ran.data), "title": "loss"}
    once = cli("report", "model.py:loss", "--json", "--no-measure")
    assert once.data["function_seconds"] is None
    text = cli("report", "model.py:loss").out
    assert text.startswith("loss: ")
    assert "\x1b" not in text


@pytest.mark.filterwarnings("ignore:invalid value")
def test_report_of_a_tensor_a_module_and_of_nan(cli: Cli, model: Any) -> None:
    assert exact(cli("report", "model.py:result", "--json").data) == exact(wg.report(model.result).to_dict())
    assert cli("report", "model.py:network", "--json").data["parameters"] == 21
    found = cli("report", "model.py:nan", "--json").data["nonfinite"]
    assert (found["what"], found["code"]) == ("value", "return wg.sqrt(x).sum()")


def test_draw(cli: Cli, model: Any, folder: Path) -> None:
    ran = cli("draw", "model.py:plain", "--json")
    drawing = wg.draw(model.plain, W, X, 0.5)
    assert (ran.data["nodes"], ran.data["edges"]) == (len(drawing.model.nodes), len(drawing.model.edges))
    assert ran.data["text"] == str(drawing)
    assert cli("draw", "model.py:plain").out == f"{drawing}\n"
    for name, start in (("g.svg", b"<svg"), ("g.pdf", b"%PDF"), ("g.dot", b"digraph"), ("g.gv", b"digraph")):
        ran = cli("draw", "model.py:loss", "-o", name, "--json")
        assert ran.code == 0
        assert (folder / name).read_bytes().startswith(start)
        assert ran.data["bytes"] == (folder / name).stat().st_size
    assert cli("draw", "model.py:loss", "-o", "-", "--format", "svg").out.startswith("<svg")
    assert cli("draw", "model.py:loss", "-o", "picture", "--format", "svg").code == 0
    assert (folder / "picture").read_bytes().startswith(b"<svg")
    files = {path.name for path in folder.iterdir()} - {"cache"}
    assert files == {"model.py", "helper.py", "g.svg", "g.pdf", "g.dot", "g.gv", "picture"}


def test_explore(cli: Cli, folder: Path) -> None:
    ran = cli("explore", "model.py:loss", "--json")
    page = (folder / "graph.html").read_text()
    assert page.startswith("<!")
    assert ran.data["bytes"] == len(page.encode())
    assert not ran.data["replaced"]
    assert ran.data["nodes"] == cli("report", "model.py:loss", "--json").data["nodes"]
    again = cli("explore", "model.py:loss")
    assert again.out.startswith("replaced graph.html")


def test_why(cli: Cli, model: Any) -> None:
    ran = cli("why", "model.py:cut", "--json")
    assert ran.code == 0
    assert not ran.data["connected"]
    assert [(one["input"], one["connected"]) for one in ran.data["inputs"]] == [("x", False), ("y", True)]
    assert "return x.detach() * y" in cli("why", "model.py:cut").out


def test_check_passes(cli: Cli) -> None:
    ran = cli("check", "model.py:loss", "--order", "3", "--json")
    assert ran.code == 0
    assert ran.data["passed"]
    assert [(one["order"], one["modes"]) for one in ran.data["checks"]] == [
        (order, modes) for modes in (["fwd"], ["rev"], ["fwd", "rev"]) for order in (1, 2, 3)
    ]
    assert cli("check", "model.py:loss", "--compiled", "--mode", "rev").code == 0
    assert ran.data["inputs"] == {"w": ["float64[3,2]"], "x": ["float64[4,3]"], "rate": ["float"]}


def test_check_differentiates_a_module_by_its_parameters(cli: Cli) -> None:
    ran = cli("check", "model.py:network", "--json")
    assert ran.code == 0
    assert sorted(ran.data["inputs"]["parameters"]) == ["float64[1,4]", "float64[1]", "float64[4,3]", "float64[4]"]


def test_a_module_with_options_keeps_its_parameters(cli: Cli) -> None:
    given = ("--input", "x=float64[4,3]", "--input", "repeat=2")
    ran = cli("check", "model.py:switched", *given, "--json")
    assert ran.code == 0, ran.err
    assert ran.data["inputs"] == {"parameters": ["float64[2]", "float64[2,3]"], "x": ["float64[4,3]"]}
    assert cli("report", "model.py:switched", *given, "--json").data["parameters"] == 8
    assert "linear.weight" in cli("draw", "model.py:switched", *given).out
    bench = cli("bench", "model.py:switched", *given, "--seconds", "0.001", "--json")
    assert list(bench.data["inputs"]) == ["parameters", "x"]


def test_the_seed_is_that_of_the_eager_generator_too(cli: Cli, folder: Path) -> None:
    (folder / "r.py").write_text("import wengert as wg\nw = wg.randn(())\ndef f(x=1.0): return x * w * wg.randn(())\n")
    values = [cli("run", "r.py:f", "--seed", seed, "--json").data["outputs"][0]["values"] for seed in "001"]
    assert values[0] == values[1] != values[2]


def test_check_finds_a_wrong_rule(cli: Cli, model: Any) -> None:
    ran = cli("check", "model.py:wrong", "--mode", "rev", "--json")
    assert ran.code == 1
    assert not ran.data["passed"]
    assert len(ran.data["checks"]) == 1
    with pytest.raises(wg.GradcheckError) as error:
        wg.check_grads(model.wrong, (np.array([1.0, 2.0]),), 1, ("rev",))
    assert ran.data["checks"][0]["message"] == str(error.value)
    text = cli("check", "model.py:wrong", "--mode", "rev")
    assert text.code == 1
    assert "FAILED" in text.out


def test_check_says_what_cannot_be_checked(cli: Cli) -> None:
    noisy = cli("check", "model.py:noisy")
    assert noisy.code == 2
    assert "gives other values" in noisy.err
    whole = cli("check", "model.py:branch", "--input", "x=3")
    assert whole.code == 2
    assert "write 3.0 for 3" in whole.err


def test_bench(cli: Cli) -> None:
    ran = cli("bench", "model.py:loss", "--seconds", "0.001", "--json")
    assert ran.code == 0
    assert [way["way"] for way in ran.data["ways"]] == ["eager", "interpreted", "compiled"]
    for way in ran.data["ways"]:
        assert way["reason"] == ""
        assert way["ratio"] == pytest.approx(way["gradient_seconds"] / way["function_seconds"])
    branch = cli("bench", "model.py:branch", "--seconds", "0.001", "--json")
    assert branch.code == 0
    assert [bool(way["reason"]) for way in branch.data["ways"]] == [False, True, True]
    assert branch.data["ways"][1]["ratio"] is None
    summed = cli("bench", "model.py:pair", "--seconds", "0.001")
    assert "results summed" in summed.out
    assert summed.out.count("µs") >= 3
    assert cli("bench", "model.py:network", "--seconds", "0.001").code == 0


def test_trace_optimize_and_run(cli: Cli, model: Any, folder: Path) -> None:
    ran = cli("trace", "model.py:loss", "-o", "loss.graph", "--json")
    graph = wg.load(folder / "loss.graph")
    assert ran.data["text"] == graph.text()
    assert ran.data["nodes"] == len(graph)
    assert [x.name for x in graph.arguments] == ["w", "x", "rate"]

    ran = cli("optimize", "loss.graph", "-o", "less.graph", "--json")
    after, report = graph.optimize(report=True)
    assert ran.data["nodes_after"] == len(after) == len(wg.load(folder / "less.graph"))
    assert [step["pass"] for step in ran.data["passes"]] == [step.name for step in report.steps]

    np.save(folder / "w.npy", W * 2)
    expected = model.loss(wg.tensor(W * 2), wg.tensor(X), 0.25).item()
    words = ("--input", "w=w.npy", "--input", f"x={X.tolist()}", "--input", "rate=0.25")
    for more in ((), ("--compiled",)):
        (output,) = cli("run", "less.graph", *words, *more, "--json").data["outputs"]
        assert (output["name"], output["dtype"], output["shape"]) == ("output", "float64", [])
        assert output["values"] == pytest.approx(expected, rel=1e-14)
    missing = cli("run", "loss.graph", "--input", "w=w.npy")
    assert missing.code == 2
    assert "x: float64[4,3]" in missing.err
    for command in ("report", "draw", "check", "bench", "explore", "why"):
        more = ("--seconds", "0.001") if command == "bench" else ()
        assert cli(command, "loss.graph", *more).code == 0, command


def test_trace_of_the_gradient(cli: Cli, model: Any, folder: Path) -> None:
    assert cli("trace", "model.py:loss", "--grad", "-o", "g.graph").code == 0
    found = wg.load(folder / "g.graph")(W, X, 0.5)
    with wg.enable_grad():
        value, gradients = wg.value_and_grad(lambda w, x, r: (2 * wg.tanh(wg.tanh(x @ w)) * r).sum(), (0, 1, 2))(
            W, X, 0.5
        )
    for one, other in zip(wg.tree_leaves(found), wg.tree_leaves((value, gradients)), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-14)


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_results_are_written_and_read_back(cli: Cli, folder: Path, suffix: str) -> None:
    assert cli("trace", "model.py:pair", "-o", "pair.graph").code == 0
    ran = cli("run", "pair.graph", "-i", "a=[1, 2, 3]", "-i", "b=[4, 5, 6]", "-o", f"out.{suffix}", "--json")
    assert ran.code == 0
    written = np.load(folder / "out.npz") if suffix == "npz" else wg.nn.load_file(folder / f"out.{suffix}")
    np.testing.assert_array_equal(np.asarray(written["sum"]), [5, 7, 9])
    np.testing.assert_array_equal(np.asarray(written["product"]), [4, 10, 18])
    # They are inputs of the next run, by name.
    (folder / "names.py").write_text("def f(sum, product):\n    return (sum * product).sum()\n")
    again = cli("run", "names.py:f", "--input", f"out.{suffix}", "--json")
    assert again.data["outputs"][0]["values"] == 5 * 4 + 7 * 10 + 9 * 18
    assert cli("run", "pair.graph", "-i", "a=[1, 2, 3]", "-i", "b=[4, 5, 6]", "-o", "out.npy").code == 2
    assert cli("run", "pair.graph", "-i", "a=[1, 2, 3]", "-i", "b=[4, 5, 6]", "-o", "out.txt").code == 2


@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_is_valid_json(cli: Cli) -> None:
    ran = cli("run", "model.py:pair", "-i", "a=[nan, inf, 1]", "-i", "b=[1, -1, -inf]", "--json")

    def refuse(name: str) -> None:
        raise AssertionError(name)

    outputs = json.loads(ran.out, parse_constant=refuse)["outputs"]
    assert outputs[0]["values"] == ["NaN", "Infinity", "-Infinity"]
    assert outputs[1]["values"] == ["NaN", "-Infinity", "-Infinity"]
    report = cli("report", "model.py:nan", "--json")
    json.loads(report.out, parse_constant=refuse)


def test_info_and_cache(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.folder.cache_clear()
    try:
        cli("bench", "model.py:loss", "--seconds", "0.001")
        data = cli("cache", "--json").data
        files = [path for path in (folder / "cache").iterdir() if path.is_file()]
        assert data["folder"] == str(folder / "cache")
        assert data["entries"] == len(files) > 0
        assert data["bytes"] == sum(path.stat().st_size for path in files)
        info = cli("info", "--json").data
        assert info["wengert"] == wg.__version__
        assert info["versions"]["numpy"] == np.__version__
        assert info["cache"] == data
        (folder / "cache" / "mine.txt").write_text("not of the cache")
        assert cli("cache", "clear", "--json").data["removed"] == data["entries"]
        assert [path.name for path in (folder / "cache").iterdir()] == ["mine.txt"]
        assert "0 compiled programs" in cli("cache").out
    finally:
        cache.folder.cache_clear()


def test_demo(cli: Cli, folder: Path) -> None:
    ran = cli("demo", "--steps", "150", "-o", "spirals", "--json")
    assert ran.code == 0
    assert ran.data["loss"] < ran.data["first_loss"] / 2
    assert ran.data["derivatives_agree"]
    assert sorted(path.name for path in (folder / "spirals").iterdir()) == ["graph.html", "graph.svg", "spirals.py"]
    report = cli("report", "spirals/spirals.py:loss", "--json")
    assert (report.data["nodes"], report.data["edges"]) == (ran.data["nodes"], ran.data["edges"])
    assert cli("check", "spirals/spirals.py:network").code == 0
    assert cli("demo", "--steps", "1", "-o", "spirals").code == 0
    (folder / "spirals" / "spirals.py").write_text("mine")
    again = cli("demo", "-o", "spirals")
    assert (again.code, "would be lost" in again.err) == (2, True)
    assert (folder / "spirals" / "spirals.py").read_text() == "mine"
    assert cli("demo", "-o", "model.py").code == 4


def test_every_command_has_help_with_examples_that_parse(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        assert main([command.name, "--help"]) == 0
        printed = capsys.readouterr().out
        assert "exit codes:" in printed
        assert "--json" in printed
        for example in command.examples:
            assert example in printed
            program, *words = shlex.split(example.partition(" | ")[0])
            assert program == "wengert"
            assert parser().parse_args(words).chosen is command
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(f"    {command.name} " in printed for command in COMMANDS)
    assert parser().prog == "wengert"
    assert main(["--version"]) == 0
    assert wg.__version__ in capsys.readouterr().out


def test_large_results_are_for_files(cli: Cli, folder: Path) -> None:
    (output,) = cli("run", "model.py:prints", "-i", "x=float64[100001]", "-o", "x.npy", "--json").data["outputs"]
    assert (output["shape"], output["values"]) == ([100001], None)
    assert np.load(folder / "x.npy").shape == (100001,)
    assert len(cli("run", "model.py:prints", "-i", "x=float64[100001]").out) < 1000


def test_complex_results_are_pairs(cli: Cli) -> None:
    (output,) = cli("run", "model.py:prints", "-i", "x=[1+2j]", "--json").data["outputs"]
    assert output["values"] == [[-3.0, 4.0]]
