"""Graphs as text: small ones as trees, gradients beside values, colours on terminals only."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.inspect.building import model_of
from wengert.inspect.terminal import list_lines, text_of, tree_lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(x: Any, *args: Any, file: io.StringIO | None = None, **options: Any) -> str:
    out = file or io.StringIO()
    wg.show(x, *args, file=out, **options)
    return out.getvalue()


def test_a_tree_with_gradients_beside_values() -> None:
    found = shown(lambda x, w: (x * w + x).exp(), 1.0, 2.0)
    assert found.splitlines() == [
        "%4 = exp             float64[scalar]  20.09  ∂ 1",
        "└─ %3 = add          float64[scalar]  3      ∂ 20.09",
        "   ├─ %2 = multiply  float64[scalar]  2      ∂ 20.09",
        "   │  ├─ x           float64[scalar]  1      ∂ 60.26",
        "   │  └─ w           float64[scalar]  2      ∂ 20.09",
        "   └─ ↑ x",
    ]


def test_every_node_is_written_once() -> None:
    x = wg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(10):
        y = y * y
    lines = shown(y).splitlines()
    assert len(lines) == 11 + 10
    assert sum("↑" in line for line in lines) == 10


def test_several_results_are_several_trees() -> None:
    x = wg.tensor(1.0, requires_grad=True)
    lines = shown([x.exp(), x.sin()]).splitlines()
    assert [line.split()[0] for line in lines] == ["%1", "└─", "%2", "└─"]
    assert "↑" in lines[3]


def test_a_result_below_another_result() -> None:
    x = wg.tensor(1.0, requires_grad=True)
    y = x.exp()
    names = [line.head for line in tree_lines(model_of([y, y.sin()])) or ()]
    assert names == ["%1 = exp", "%0", "%2 = sin", "↑ %1"]


def test_large_and_deep_graphs_are_lists() -> None:
    x = wg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(5000):
        y = y * 1.001
    model = model_of(y, gradients=False)
    assert tree_lines(model) is None
    lines = shown(y, limit=40).splitlines()
    assert len(lines) == 41
    assert "… 4,961 more lines …" in lines[20]
    assert len(list_lines(model)) == 5001


def test_modules_indent_a_list() -> None:
    net = nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), nn.Tanh()) for _ in range(30)])
    lines = shown(net, np.ones((1, 2))).splitlines()
    assert "[29]" in lines
    assert any(line.startswith("    %") and "tanh" in line for line in lines)


def test_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = shown(lambda x: x * x, 3.0, file=Terminal())
    assert "\x1b[34m9\x1b[0m" in coloured.replace(" ", "")
    assert "\x1b[31m∂ 6\x1b[0m" in coloured
    plain = shown(lambda x: x * x, 3.0)
    assert "\x1b" not in plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(lambda x: x * x, 3.0, file=Terminal()) == plain


def test_control_characters_do_not_reach_the_terminal() -> None:
    x = wg.tensor(2.0, requires_grad=True)
    with wg.scope("a\x1b]0;owned\x07b"):
        y = x * x
    for tree in (True, False):
        assert "\x1b" not in text_of(model_of(y, params={"w\x1b[2J": x}), tree=tree)
    assert "\x1b" not in str(wg.draw(y, params={"w\x1b[2J": x}))


@pytest.mark.parametrize("data", [np.zeros((0, 2)), 1 + 2j, [np.nan, np.inf], np.ones((2, 2, 2))])
def test_values_of_every_kind(data: Any) -> None:
    x = wg.tensor(data, requires_grad=True)
    assert len(shown(x * 2.0).splitlines()) == 2


def test_a_static_graph() -> None:
    graph = wg.trace(lambda x: wg.exp(x) * 2.0)(wg.TensorSpec((3,), "float64"))
    assert [line.split()[0] for line in shown(graph).splitlines()] == ["%2", "└─", "└─"]
    assert "∂" not in shown(graph)
