"""Reports: figures that can be checked by hand, and what they look like."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.core.tracing import trace_flat
from wengert.core.types import TensorSpec
from wengert.inspect.building import model_of
from wengert.inspect.memory import timeline
from wengert.inspect.reporting import report


def mlp(x: Any, w: Any, v: Any) -> Any:
    return ((x @ w).tanh() @ v).sum()


ARGS = (np.ones((5, 4)), np.ones((4, 3)), np.ones((3, 2)))


def test_counts_costs_and_residuals() -> None:
    found = report(mlp, *ARGS)
    assert (found.nodes, found.edges, found.leaves, found.depth, found.width) == (7, 6, 3, 4, 1)
    assert found.flops == 2 * 5 * 4 * 3 + 15 + 2 * 5 * 3 * 2 + 10
    assert found.kept_bytes == wg.ledger(mlp(*[wg.tensor(x, requires_grad=True) for x in ARGS])).total == 15 * 8
    assert [row.name for row in found.by_operation if row.count == 2] == ["matmul"]
    assert sum(row.count for row in found.by_line) == 4
    assert found.by_line[0].code == "return ((x @ w).tanh() @ v).sum()"
    assert [row.kept_bytes for row in found.hungriest] == [120]


def test_measured_and_predicted() -> None:
    big = (np.ones((200, 100)), np.ones((100, 300)), np.ones((300, 50)))
    found = report(mlp, *big)
    assert found.measured_peak_bytes is not None
    assert 0.5 < found.measured_peak_bytes / found.predicted_peak_bytes < 3
    assert found.forward_seconds is not None
    assert found.backward_seconds is not None
    assert found.function_seconds is not None
    assert found.ratio == pytest.approx((found.forward_seconds + found.backward_seconds) / found.function_seconds)


def test_a_tensor_and_a_static_graph_have_reports_too() -> None:
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    of_tensor = report((x * x).sum())
    assert (of_tensor.nodes, of_tensor.function_seconds) == (3, None)
    assert x.grad is None
    graph = trace_flat(lambda x: [(x * x).sum()], [TensorSpec((2,), "float64")], ["x"])
    assert report(graph).nodes == 3
    assert report(graph, np.array([1.0, 2.0])).ratio is not None


def test_json_and_text() -> None:
    found = report(mlp, *ARGS, measure=False)
    data = json.loads(found.to_json())
    assert data["nodes"] == 7
    assert data["by_operation"][0]["name"] in {"matmul", "tanh", "sum"}
    lines = str(found).splitlines()
    assert lines[0].startswith("mlp: 7 nodes, 6 edges, depth 4")
    assert "\x1b" not in str(found)
    assert "\x1b[" in found.text(color=True)
    plain = io.StringIO()
    found.show(plain)
    assert plain.getvalue() == str(found) + "\n"


def test_modules_have_their_rows() -> None:
    found = report(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), np.ones((2, 3)), measure=False)
    assert {row.name for row in found.by_module} == {"0", "1", "2"}
    assert found.parameters == 12 + 4 + 4 + 1
    inner = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.Tanh()), nn.Linear(4, 1))
    rows = {row.name: row for row in report(inner, np.ones((2, 3)), measure=False).by_module}
    assert rows["0"].count == 2
    assert rows["0"].kept_bytes == rows["0.0"].kept_bytes + rows["0.1"].kept_bytes


def test_the_first_nan_is_named_with_its_line_and_chain() -> None:
    def f(x: Any) -> Any:
        y = x - 2.0
        z = wg.sqrt(y)
        return (z * 3.0).sum()

    with np.errstate(all="ignore"):
        found = report(f, np.array([1.0, 4.0]), measure=False).nonfinite
    assert found is not None
    assert (found.what, found.op, found.code) == ("value", "sqrt", "z = wg.sqrt(y)")
    assert [step.split()[0] for step in found.chain] == ["sqrt", "multiply", "sum"]
    backward = report(lambda x: wg.sqrt(x).sum(), np.array([0.0, 4.0]), measure=False).nonfinite
    assert backward is not None
    assert backward.what == "gradient"
    assert report(mlp, *ARGS, measure=False).nonfinite is None


def test_the_timeline_of_memory_rises_and_falls() -> None:
    model = model_of(lambda x: x.exp().sin().sum(), np.ones(1000))
    steps = timeline(model)
    forward = [step.values for step in steps if not step.backward]
    # exp keeps its result, which sin keeps as its operand; the sine is used by the sum and then gone.
    assert forward == [8000, 16000, 16008]
    backward = [(step.values, step.gradients) for step in steps if step.backward]
    assert backward == [(8008, 8008), (8008, 16000), (8008, 16000), (8, 8000)]


def test_a_view_has_no_memory_of_its_own() -> None:
    model = model_of(lambda x: x.exp().reshape(10, 100).sum(), np.ones(1000))
    assert max(step.values for step in timeline(model) if not step.backward) == 8008
