"""What a notebook is given: HTML that says what is there, with the user's text escaped."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn

HOSTILE = "<img src=x onerror=alert(1)>"


def parsed(x: Any) -> ElementTree.Element:
    """The tree of the HTML, which is written so that it is XML too."""
    return ElementTree.fromstring(x._repr_html_())


def text(x: Any) -> str:
    return " ".join(" ".join(parsed(x).itertext()).split())


def cells(x: Any) -> list[list[str]]:
    return [[cell.text or "" for cell in row.iter("td")] for row in parsed(x).iter("tr")]


def test_a_tensor_shows_its_numbers_and_its_gradient() -> None:
    x = wg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert cells(x) == [["1", "2"], ["3", "4"]]
    (x * x).sum().backward()
    assert cells(x) == [["1", "2"], ["3", "4"], ["2", "4"], ["6", "8"]]
    found = text(x)
    assert "float64[2×2]" in found
    assert "32 B" in found
    assert "leaf, requires a gradient" in found
    assert "‖·‖ = 10.95" in found
    made = text(x * 2.0)
    assert "from MulBackward at" in made
    assert "test_notebook.py" in made


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (3, [["3"]]),
        (True, [["True"]]),
        (1 + 2j, [["1+2j"]]),
        ([np.nan, -np.inf], [["nan", "-inf"]]),
        (np.zeros((0, 3)), []),
        (np.arange(4, dtype=np.int8), [["0", "1", "2", "3"]]),
        (np.zeros((2, 1, 2)), [["0", "0"]]),
    ],
)
def test_tensors_of_every_kind(data: Any, shown: list[list[str]]) -> None:
    assert cells(wg.tensor(data)) == shown


def test_of_a_large_tensor_the_corners_are_shown() -> None:
    found = cells(wg.tensor(np.arange(600.0).reshape(20, 30)))
    assert len(found) == 11
    assert found[0] == ["0", "1", "2", "3", "4", "…", "25", "26", "27", "28", "29"]
    assert found[5][0] == "⋮"
    assert found[-1][-1] == "599"


def test_inside_of_a_trace_there_are_no_numbers() -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(x._repr_html_())
        return x * 2.0

    wg.trace(f)(wg.TensorSpec((2,), "float64"))
    wg.vmap(f)(wg.tensor([1.0, 2.0]))
    wg.jvp(f, (wg.tensor(1.0),), (wg.tensor(1.0),))
    assert len(seen) == 3
    assert all(one.startswith("<pre>tensor float64[") for one in seen)


def test_graphs_are_pictures() -> None:
    graph = wg.trace(lambda x: wg.exp(x) * 2.0)(wg.TensorSpec((3,), "float64"))
    x = wg.tensor(2.0, requires_grad=True)
    for one in (graph, wg.graph_of(x * x)):
        assert parsed(one).find(".//{http://www.w3.org/2000/svg}svg") is not None
    y = x
    for _ in range(1200):
        y = y * 1.0
    assert "<pre>" in wg.graph_of(y)._repr_html_()
    assert "<svg" not in wg.graph_of(y)._repr_html_()


def test_modules_list_their_parameters() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    found = text(net)
    assert "21 parameters" in found
    assert "weight 4×3, bias 4" in found
    assert "training mode" in found
    assert len(cells(net)) == 1 + 4
    assert "… 46 more" in text(nn.Sequential(*[nn.Tanh() for _ in range(105)]))


def test_reports_and_answers() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    found = text(wg.report(net, np.ones((2, 3)), measure=False))
    assert "5 nodes, 4 edges" in found
    assert "by operation" in found
    assert "most memory-hungry lines" in found
    with np.errstate(all="ignore"):
        assert "first NaN or infinity" in text(wg.report(lambda x: wg.sqrt(x).sum(), np.array([-1.0]), measure=False))
    assert "no gradient reaches x" in text(wg.why(lambda x: x.detach() * 2.0, wg.tensor(1.0)))
    x = wg.tensor([1.0], requires_grad=True)
    assert parsed(wg.ledger((x * x).exp())).tag == "pre"
    graph = wg.trace(lambda x: wg.exp(x) * 1.0)(wg.TensorSpec((3,), "float64"))
    from wengert.passes import optimize

    assert "Simplify" in text(optimize(graph))


def test_names_are_escaped() -> None:
    x = wg.tensor(2.0, requires_grad=True)
    with wg.scope(HOSTILE):
        y = x * x
    net = nn.ModuleDict({"a": nn.Tanh()})
    net._modules[HOSTILE] = nn.Linear(1, 1)
    for one in (y, wg.graph_of(y), net, wg.report(y)):
        assert "<img" not in one._repr_html_()
