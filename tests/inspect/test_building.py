"""The model of a graph: nodes, edges, values, gradients, groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.core.tracing import trace_flat
from wengert.core.types import TensorSpec
from wengert.inspect.building import model_of, run_of


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*[nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(3)])
        self.out = nn.Linear(4, 1)

    def forward(self, x: Any) -> Any:
        return self.out(self.layers(x))


def test_a_function_is_run_on_fresh_leaves_and_every_value_and_gradient_is_known() -> None:
    x = wg.tensor([1.0, 2.0], requires_grad=True)

    def f(x: Any, scale: float) -> Any:
        return (x.exp() * scale).sum()

    model = model_of(f, x, 3.0)
    assert [(node.kind, node.op) for node in model.nodes] == [
        ("leaf", "leaf"),
        ("leaf", "leaf"),
        ("operation", "exp"),
        ("operation", "multiply"),
        ("operation", "sum"),
    ]
    assert [node.label for node in model.nodes[:2]] == ["x", "scale"]
    e = np.exp([1.0, 2.0])
    np.testing.assert_allclose(model.nodes[2].value, e)
    np.testing.assert_allclose(model.nodes[0].grad, 3 * e)
    np.testing.assert_allclose(model.nodes[1].grad, e.sum())
    assert model.nodes[-1].output
    assert x.grad is None


def test_what_a_tensor_s_graph_still_knows_is_found_without_touching_it() -> None:
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    calls = []
    h = x.exp()
    h.register_hook(lambda g: calls.append(g))
    y = (h * x).sum()
    model = model_of(y, params={"weights": x})
    assert model.nodes[0].label == "weights"
    assert model.nodes[0].kind == "parameter"
    np.testing.assert_allclose(model.nodes[1].value, np.exp([1.0, 2.0]))
    np.testing.assert_allclose(model.nodes[0].grad, np.exp([1.0, 2.0]) * [2.0, 3.0])
    assert calls == []
    assert x.grad is None
    y.backward()
    assert len(calls) == 1
    freed = model_of(y)
    np.testing.assert_allclose(freed.nodes[0].grad, model.nodes[0].grad)
    assert freed.nodes[1].grad is None


def test_modules_are_groups_and_their_parameters_lie_inside() -> None:
    net = Net()
    model = model_of(net, np.ones((2, 4)))
    groups = {node.label or node.op: node.group for node in model.nodes}
    assert groups["layers.0.0.weight"] == ("layers", "0", "0")
    assert groups["out.bias"] == ("out",)
    assert {node.op for node in model.nodes if node.kind == "operation"} == {"affine", "tanh"}


def test_rounds_of_a_loop_are_groups() -> None:
    def f(weights: Any, x: Any) -> Any:
        for w in weights:
            x = wg.tanh(x @ w)
        return x.sum()

    model = model_of(f, [np.eye(3)] * 4, np.ones(3))
    assert [node.group for node in model.nodes if node.op == "tanh"] == [(f"round {i}",) for i in range(4)]
    assert model.nodes[-1].group == ()


def test_a_static_graph_has_inputs_constants_and_zero_derivatives() -> None:
    graph = trace_flat(
        lambda x: [(wg.floor(x) * wg.tensor([1.0, 2.0]) + x * 3.0).sum()], [TensorSpec((2,), "float64")], ["x"]
    )
    model = model_of(graph)
    kinds = [node.kind for node in model.nodes]
    assert kinds[:2] == ["leaf", "constant"]
    floor = next(node.index for node in model.nodes if node.op == "floor")
    assert not next(edge for edge in model.edges if edge.target == floor).gradient
    assert next(edge for edge in model.edges if edge.source == floor).gradient
    scaled = [node for node in model.nodes if node.op == "multiply" and "3" in node.operands]
    assert len(scaled) == 1


def test_costs_come_from_shapes() -> None:
    model = model_of(lambda x, w: (x @ w).sum(), np.ones((3, 4)), np.ones((4, 5)))
    product, total = [node for node in model.nodes if node.kind == "operation"]
    assert product.flops == 2 * 3 * 4 * 5
    assert product.moved == 8 * (12 + 20 + 15)
    assert total.flops == 15


def test_operations_with_several_results_keep_their_places() -> None:
    model = model_of(lambda x: wg.concat(wg.split(x, 2)[::-1]).sum(), np.arange(4.0))
    assert any(edge.result == 1 for edge in model.edges)
    np.testing.assert_allclose(model.nodes[0].grad, 1.0)


def test_depth_does_not_recurse() -> None:
    y = wg.tensor(1.0, requires_grad=True)
    for _ in range(20_000):
        y = y + 1.0
    model = model_of(y)
    assert model.depth == 20_000
    assert model.width == 1


def test_times_and_errors() -> None:
    run = run_of(lambda x: x.exp(), 1.0)
    assert (run.forward or 0) > 0
    assert (run.backward or 0) > 0
    with pytest.raises(wg.GradientError, match=r"wengert\.why"):
        run_of(lambda x: x.detach(), 1.0)
    with pytest.raises(wg.GradientError, match="not int"):
        run_of(3)


def test_a_graph_with_an_operation_without_derivative_can_still_be_seen() -> None:
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    model = model_of(wg.nextafter(x * 2.0, 3.0))
    assert [node.op for node in model.nodes] == ["leaf", "multiply", "nextafter"]
    assert not model.edges[-1].gradient
    assert all(node.grad is None for node in model.nodes)


def test_values_are_those_of_the_time_whatever_is_changed_in_place_later() -> None:
    def f(x: Any) -> Any:
        y = x.clone()
        y.add_(1.0)
        y[0] = 5.0
        return (y * x).sum()

    model = model_of(f, np.array([1.0, 2.0]))
    values = {node.op: node.value for node in model.nodes}
    np.testing.assert_array_equal(values["add"], [2.0, 3.0])
    np.testing.assert_array_equal(values["multiply"], [5.0, 6.0])
    assert all(node.value is not None for node in model.nodes)
    replayed = model_of(lambda x: wg.checkpoint(lambda a: a.sin().exp())(x).sum(), np.ones(3))
    np.testing.assert_allclose(replayed.nodes[1].value, np.exp(np.sin(1.0)))


def test_a_static_graph_that_is_run_keeps_its_lines_and_names() -> None:
    def f(x: Any, w: Any) -> Any:
        h = x @ w
        return h.tanh().sum()

    graph = wg.trace(f)(TensorSpec((2, 3)), TensorSpec((3, 4)))
    model = model_of(graph, np.ones((2, 3)), np.ones((3, 4)))
    assert [node.location.text for node in model.nodes if node.location] == [
        "h = x @ w",
        "return h.tanh().sum()",
        "return h.tanh().sum()",
    ]
    assert [node.label for node in model.nodes[:2]] == [x.name or f"arg{i}" for i, x in enumerate(graph.inputs)]


def test_the_tensors_of_a_graph_that_is_being_built_can_be_seen() -> None:
    with wg.Graph() as graph:
        x = wg.placeholder((None, 3), "float32", name="x")
        w = wg.variable(np.ones((3, 2), np.float32), name="w")
        y = (x @ w).relu()
    model = model_of(y)
    assert [node.op for node in model.nodes][-2:] == ["matmul", "relu"]
    assert [node.op for node in model_of(graph).nodes] == ["leaf", "leaf", "matmul", "relu"]


def test_what_is_inside_of_a_loop_or_a_compiled_function_is_counted() -> None:
    def step(carry: Any, x: Any) -> Any:
        return carry * x, carry + x

    loop = model_of(lambda c: wg.scan(step, c, wg.tensor(np.ones(7)))[0], 2.0)
    (scan,) = [node for node in loop.nodes if node.op == "scan"]
    assert scan.flops == 2 * 7

    def f(x: Any, w: Any) -> Any:
        return (x @ w).tanh().sum()

    args = (np.ones((2, 3)), np.ones((3, 4)))
    assert sum(node.flops for node in model_of(wg.jit(f), *args).nodes) == sum(
        node.flops for node in model_of(f, *args).nodes
    )
