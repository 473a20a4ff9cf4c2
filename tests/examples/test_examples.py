"""Every example runs, and does what it says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    demo = load("demo")
    monkeypatch.setattr(demo, "BUILD", tmp_path)
    assert demo.main() >= 0.97
    printed = capsys.readouterr().out
    for words in ("nodes", "edges", "depth", "bytes", "agree with differences", "forward + backward", "build/"):
        assert words in printed
    assert {path.name for path in tmp_path.iterdir()} == {
        "digits.safetensors",
        "graph.txt",
        "history.csv",
        "ledger.txt",
    }


def test_two_layer_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert load("two_layer_network").main() < 1e-14
    assert "return %" in capsys.readouterr().out


def test_dynamic_graphs() -> None:
    for first, last in load("dynamic_graphs").main().values():
        assert first > 0.6
        assert last < 0.45


def test_lstm() -> None:
    error, naive = load("lstm").main()
    assert error < 0.2 * naive


def test_cnn_on_digits() -> None:
    assert load("cnn_digits").main() >= 0.96


def test_seeing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seeing = load("seeing")
    monkeypatch.setattr(seeing, "BUILD", tmp_path)
    files = seeing.main()
    assert {Path(file).name for file in files} == {path.name for path in tmp_path.iterdir()}
    assert "(×4)" in (tmp_path / "transformer.svg").read_text()
    printed = capsys.readouterr().out
    for words in ("most memory-hungry lines", "no gradient reaches x", "scale = x.detach().exp()"):
        assert words in printed


def test_every_example_is_tested() -> None:
    here = Path(__file__).read_text() + "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for path in EXAMPLES.glob("*.py"):
        assert f'load("{path.stem}")' in here, path.name


def test_maml() -> None:
    before, after = load("maml").main(steps=150)
    assert after < before / 4


def test_hamiltonian() -> None:
    energy, momentum = load("hamiltonian").main(steps=5000)
    assert energy < 1e-6
    assert momentum < 1e-12


def test_quantised_network() -> None:
    accuracy, values = load("quantised").main(steps=200)
    assert accuracy > 0.85
    assert values <= {-1.0, 0.0, 1.0}


def test_forward_against_reverse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = load("forward_vs_reverse")
    monkeypatch.setattr(example, "BUILD", tmp_path)
    rows, ratios = example.main(sizes=(10, 1000))
    # Timings decide nothing; that there are figures does.
    assert [row[0] for row in rows] == [10, 1000]
    assert all(time > 0 for row in rows for time in row[1:])
    assert len(ratios) == 4
    assert (tmp_path / "forward_vs_reverse.svg").read_text().startswith("<svg")
