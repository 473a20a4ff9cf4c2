"""What a page shows beside the graph: passes, kernels, and what is inside of operations."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert as wg
from wengert import nn
from wengert.inspect.building import model_of_static, run_of
from wengert.inspect.stages import beside, kernels_of, replayed_model, stages_of, static_graph_of


def f(x: Any, w: Any) -> Any:
    return ((x @ w).tanh() * 2.0 + (x @ w).tanh()).sum()


ARGS = (np.ones((2, 3)), np.arange(12.0).reshape(3, 4) / 10)


def test_what_ran_becomes_a_graph_with_the_same_values_and_lines() -> None:
    run = run_of(f, *ARGS)
    graph = static_graph_of(run)
    assert graph is not None
    given = {"x": ARGS[0], "w": ARGS[1]}
    found = wg.Graph.of(graph)(*[given[x.name] for x in graph.inputs])
    value = found[0] if isinstance(found, (list, tuple)) else found
    np.testing.assert_array_equal(value.numpy(), f(*map(wg.tensor, ARGS)).numpy())
    assert {node.location.text for node in graph.nodes if node.location} == {
        "return ((x @ w).tanh() * 2.0 + (x @ w).tanh()).sum()"
    }


def test_the_user_s_function_is_run_no_more_than_for_the_graph_itself() -> None:
    calls = []

    def counted(x: Any) -> Any:
        calls.append(1)
        return x * x

    run = run_of(counted, 1.0)
    stages_of(run, counted, True)
    assert len(calls) == 1


def test_several_results_and_constants() -> None:
    def g(x: Any) -> Any:
        a, b = wg.split(x, 2)
        return a * np.array([1.0, 2.0]), b + a

    graph = static_graph_of(run_of(g, np.arange(4.0)))
    assert graph is not None
    first, second = wg.Graph.of(graph)(np.arange(4.0))
    np.testing.assert_array_equal(first.numpy(), [0.0, 2.0])
    np.testing.assert_array_equal(second.numpy(), [2.0, 4.0])


def test_passes_mark_what_is_gone_and_what_is_new() -> None:
    stages = stages_of(run_of(f, *ARGS), f, True)
    names = [stage.name for stage in stages]
    assert names[0] == "f"
    shared = next(stage for stage in stages if "ShareSubexpressions" in stage.name)
    assert sorted(node.op for node in shared.model.nodes if node.change) == ["matmul", "tanh"]
    assert {node.change for node in shared.model.nodes} == {"", "removed"}
    assert {node.group[0] for node in shared.model.nodes} == {"before", "after"}
    assert names[-1].startswith("compiled: ")
    assert [stage.name for stage in stages_of(run_of(f, *ARGS), f, False)] == ["f"]


def test_equal_graphs_have_no_marks() -> None:
    model = model_of_static(wg.trace(f)(*ARGS))
    assert not any(node.change for node in beside(model, model).nodes)


def test_kernels_name_their_operations() -> None:
    found = kernels_of(wg.trace(f)(*ARGS))
    assert found is not None
    groups = {node.group[0].split(". ")[1] for node in found[1].nodes if node.group}
    assert "matrix product" in groups
    assert any(name.startswith("fused") for name in groups)
    assert kernels_of(wg.trace(lambda x: x.exp())(wg.TensorSpec((None,), "float64"))) is None


def test_a_checkpoint_s_inside_is_what_it_computed() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    run = run_of(lambda x: wg.checkpoint(net)(x).sum(), np.ones((2, 3)))
    node = next(node for node in run.model.nodes if node.op == "checkpoint")
    inside = replayed_model(run.model, node)
    assert inside is not None
    # The same random numbers as the first time.
    np.testing.assert_array_equal(next(one.value for one in reversed(inside.nodes) if one.output), node.value)
    model = stages_of(run, f, True)
    assert model[0].inside == {node.index: [1]}


def test_random_numbers_go_on_as_if_nobody_had_looked() -> None:
    run = run_of(wg.checkpoint(lambda x: wg.randn(3) * x), 1.0)
    node = next(node for node in run.model.nodes if node.op == "checkpoint")
    wg.manual_seed(3)
    expected = wg.randn(3).numpy()
    wg.manual_seed(3)
    assert replayed_model(run.model, node) is not None
    np.testing.assert_array_equal(wg.randn(3).numpy(), expected)
