"""Graphs as values: tracing, calling, transforming, comparing, validating."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.core import static
from wengert.core.dims import Dim
from wengert.core.static import GraphNode, Input, Result

V, M, S = wg.TensorSpec((3,)), wg.TensorSpec((3, 3)), wg.TensorSpec(())
X = np.array([0.5, -1.0, 2.0])


def test_the_text_has_one_line_a_node_with_names_types_and_source() -> None:
    graph = wg.trace(lambda x, w: wg.tanh(x @ w).sum())(M, V)
    lines = str(graph).splitlines()
    assert lines[0] == "graph(%x: float64[3,3], %w: float64[3]):"
    assert lines[1].startswith("  %2: float64[3] = matmul %x %w")
    line = test_the_text_has_one_line_a_node_with_names_types_and_source.__code__.co_firstlineno + 1
    assert lines[1].endswith(f"test_graph.py:{line}")
    assert lines[-1] == "  return %4"
    assert len(lines) == len(graph) + 2


def test_long_graphs_are_abridged() -> None:
    def f(x: Any) -> Any:
        for _ in range(1000):
            x = wg.sin(x)
        return x

    graph = wg.trace(f)(V)
    assert len(graph) == 1000
    assert graph.depth == 1000
    assert "800 more nodes" in str(graph)


def test_questions() -> None:
    graph = wg.trace(lambda x, y: (wg.sin(x) * y, wg.sin(x)))(V, V)
    assert graph.counts == {"sin": 2, "multiply": 1}
    assert graph.topological_order() == graph.nodes
    assert graph.edges == 4
    assert set(graph.sources()) == set(graph.inputs)
    assert [node.op for node in graph.sinks()] == ["multiply", "sin"]
    first = graph.nodes[0]
    assert graph.producer(first.results[0]) is first
    assert graph.consumers(graph.inputs[0]) == (graph.nodes[0], graph.nodes[2])
    assert graph.operands(graph.nodes[1]) == (first,)


def test_equality_and_hash_go_by_structure() -> None:
    def f(x: Any) -> Any:
        return wg.sin(x) * 2

    def g(value: Any) -> Any:
        doubled = wg.sin(value)
        return doubled * 2

    a, b = wg.trace(f)(V), wg.trace(g)(V)
    assert a == b
    assert hash(a) == hash(b)
    assert a != wg.trace(f)(wg.TensorSpec((4,)))
    assert a != wg.trace(lambda x: wg.sin(x) * 3)(V)
    assert a != wg.trace(lambda x: wg.sin(x) * 2.0)(V)
    assert wg.trace(lambda x: x + np.ones(3))(V) == wg.trace(lambda x: x + np.ones(3))(V)
    assert wg.trace(lambda x: x + np.ones(3))(V) != wg.trace(lambda x: x + np.zeros(3))(V)


def test_a_graph_is_a_function_under_every_transform() -> None:
    graph = wg.trace(lambda x: (x**3).sum())(V)
    assert graph(X).item() == (X**3).sum()
    np.testing.assert_allclose(wg.grad(graph)(X).numpy(), 3 * X**2)
    np.testing.assert_allclose(wg.hessian(graph)(X).numpy(), np.diag(6 * X))
    np.testing.assert_allclose(wg.vmap(graph)(np.stack([X, 2 * X])).numpy(), [(X**3).sum(), 8 * (X**3).sum()])
    assert wg.jvp(graph, (X,), (np.ones(3),))[1].item() == pytest.approx((3 * X**2).sum())
    x = wg.tensor(X, requires_grad=True)
    graph(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * X**2)
    inner = wg.trace(lambda x: graph(x) * 2)(V)
    assert inner(X).item() == 2 * (X**3).sum()


def test_grad_jvp_and_value_and_grad_are_graphs_again() -> None:
    graph = wg.trace(lambda x, k: (x**3).sum() * k)(V, 2.0)
    np.testing.assert_allclose(graph.grad()(X, 2.0).numpy(), 6 * X**2)
    second = wg.trace(lambda x: (x**3).sum())(V).grad()
    np.testing.assert_allclose(wg.jacrev(second)(X).numpy(), np.diag(6 * X))
    value, slope = wg.trace(lambda x: (x**3).sum())(V).value_and_grad()(X)
    assert value.item() == pytest.approx((X**3).sum())
    np.testing.assert_allclose(slope.numpy(), 3 * X**2)
    assert wg.trace(lambda x: x**3)(S).grad().grad().grad()(5.0).item() == 6.0


def test_containers_go_in_and_come_out() -> None:
    graph = wg.trace(lambda p, x: {"y": p["w"] * x, "n": [p["b"][0]]})({"w": V, "b": (S,)}, V)
    out = graph({"w": X, "b": (1.0,)}, X)
    assert out["n"][0].item() == 1.0
    np.testing.assert_allclose(out["y"].numpy(), X * X)
    with pytest.raises(wg.ContainerError, match="structure"):
        graph({"w": X}, X)


def test_what_a_gradient_can_reach_is_captured_and_the_rest_is_constant() -> None:
    w, c = wg.tensor(2.0, requires_grad=True), wg.tensor(5.0)
    graph = wg.trace(lambda x: (x * w + c).sum())(V)
    assert graph.captured == (w,)
    assert len(graph.constants) == 1
    graph(X).backward()
    assert w.grad.item() == X.sum()


def test_unknown_lengths() -> None:
    graph = wg.trace(lambda x, y: ((x @ np.ones((2, 3)) - y) ** 2).mean())(
        wg.TensorSpec((None, 2)), wg.TensorSpec((None, 3))
    )
    assert not graph.is_concrete
    for n in (1, 4, 7):
        x, y = np.ones((n, 2)), np.zeros((n, 3))
        assert graph(x, y).item() == 4.0
        assert graph.grad()(x, y).shape == (n, 2)
    with pytest.raises(wg.ShapeError, match="input 'y'"):
        graph(np.ones((4, 2)), np.ones((3, 3)))
    named = wg.trace(lambda a, b: a * b)(wg.TensorSpec(("n",)), wg.TensorSpec(("n",)))
    with pytest.raises(wg.ShapeError, match="settled"):
        named(np.ones(3), np.ones(4))


def test_arithmetic_of_unknown_lengths() -> None:
    n, m = Dim("n"), Dim("m")
    assert (n + 1) * (n - 1) == n * n - 1
    assert (2 * n * m) // m == 2 * n
    assert (n + 3 > 2, n < n + 1, n - n) == (True, True, 0)
    with pytest.raises(wg.TraceError, match="cannot be decided"):
        bool(n > 3)
    with pytest.raises(wg.TraceError, match="cannot be decided"):
        n // 2


def test_composition_and_substitution() -> None:
    square = wg.trace(lambda x: x * x)(S)
    add = wg.trace(lambda x, y: x + y)(S, S)
    assert square.compose(square)(3.0).item() == 81.0
    two = wg.trace(lambda x: (x, x * 2))(S)
    assert add.compose(two)(3.0).item() == 9.0
    fixed = add.substitute({"y": 10.0})
    assert len(fixed.inputs) == 1
    assert fixed(1.0).item() == 11.0
    same = add.substitute({add.inputs[1]: add.inputs[0]})
    assert same(4.0).item() == 8.0
    with pytest.raises(wg.ShapeError, match="cannot stand for"):
        add.substitute({0: np.ones(3)})
    with pytest.raises(wg.GraphError, match="names no input"):
        add.substitute({"z": 1.0})


# -- validation -----------------------------------------------------------------------------------------------------


def broken(change: Callable[[list[GraphNode], Any], Any]) -> static.Graph:
    graph = wg.trace(lambda x: wg.cos(wg.sin(x)))(V)
    nodes = list(graph.nodes)
    outputs = change(nodes, graph)
    return static.Graph(graph.inputs, nodes, outputs or graph.outputs)


def cycle(nodes: list[GraphNode], graph: Any) -> None:
    nodes[0] = GraphNode(nodes[0].primitive, [nodes[1].results[0]], nodes[0].results)


def dangling(nodes: list[GraphNode], graph: Any) -> None:
    nodes[0] = GraphNode(nodes[0].primitive, [Input(V)], nodes[0].results)


def wrong_type(nodes: list[GraphNode], graph: Any) -> None:
    result = Result(wg.TensorSpec((4,)), 0)
    nodes[0] = GraphNode(nodes[0].primitive, nodes[0].operands, [result])
    nodes[1] = GraphNode(nodes[1].primitive, [result], nodes[1].results)


def made_twice(nodes: list[GraphNode], graph: Any) -> None:
    nodes.append(nodes[0])


def open_output(nodes: list[GraphNode], graph: Any) -> Any:
    return [Input(V)]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (cycle, "a cycle: it uses the result of node 1"),
        (dangling, "dangling: the input"),
        (wrong_type, r"declared float64\[4\] and is float64\[3\]"),
        (made_twice, "made before"),
        (open_output, "output 0 is neither"),
    ],
)
def test_validation_says_what_is_wrong(change: Any, text: str) -> None:
    with pytest.raises(wg.GraphError, match=text):
        broken(change).validate()


# -- errors of tracing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * float(x.sum()),
        lambda x: x * x[0].item(),
        lambda x: x * int(x[0]),
        lambda x: x + np.asarray(x),
        lambda x: x + x.numpy(),
        lambda x: x.tolist(),
        lambda x: [v for v in x if v > 0],
        lambda x: x if x[0] == 1 and x[1] == 2 else -x,
    ],
)
def test_python_cannot_see_values_in_a_trace(function: Callable[..., Any]) -> None:
    with pytest.raises(wg.TraceError, match=r"test_graph.py:\d+: lambda x") as found:
        wg.trace(function)(V)
    assert "wengert.cond" in str(found.value)
    assert "static_argnums" in str(found.value)


def test_a_tensor_that_leaks_from_its_trace_is_named_with_its_line() -> None:
    leaked = []
    wg.trace(lambda x: leaked.append(wg.sin(x)) or x)(V)
    with pytest.raises(wg.TransformError, match=r"used after its trace had ended.*test_graph.py:\d+"):
        leaked[0] + 1


def test_the_eager_generator_is_an_error_in_a_trace() -> None:
    with pytest.raises(wg.TraceError, match="pass a key"):
        wg.trace(lambda x: x + wg.randn(3))(V)
    with pytest.raises(wg.TraceError, match="pass a key"):
        wg.trace(lambda x: wg.nn.functional.dropout(x, 0.5, True))(V)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ((np.ones(4),), wg.ShapeError, r"declared float64\[3\], and got float64\[4\]"),
        ((np.ones((3, 1)),), wg.ShapeError, "declared"),
        ((np.ones(3, "float32"),), wg.DTypeError, "astype"),
        ((np.ones(3), 1), wg.ContainerError, "structure"),
        ((), wg.ContainerError, "structure"),
        (("abc",), wg.DTypeError, "not supported"),
    ],
)
def test_wrong_arguments(given: Any, error: type[Exception], text: str) -> None:
    graph = wg.trace(wg.sin)(V)
    with pytest.raises(error, match=text):
        graph(*given)


def test_errors_in_a_run_name_the_line_that_made_the_node() -> None:
    graph = wg.trace(lambda x, i: x[i])(V, wg.TensorSpec((), "int64"))
    with pytest.raises(wg.IndexRangeError, match=r"test_graph.py:\d+"):
        graph(X, 7)


# -- custom rules and checkpoints keep their meaning in a trace ------------------------------------------------------


@wg.custom_vjp
def thrice(x: Any) -> Any:
    return wg.sin(x)


thrice.defvjp(lambda x: (wg.sin(x), x), lambda kept, g: (g * 3 * kept,))


@wg.custom_jvp
def softplus(x: Any) -> Any:
    return wg.log(1 + wg.exp(x))


softplus.defjvp(lambda p, t: (softplus(p[0]), t[0] * 7))


class Scaled(wg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, k: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.k = k
        return x * k, x + k

    @staticmethod
    def backward(ctx: Any, a: Any, b: Any) -> Any:
        (x,) = ctx.saved_tensors
        return a * ctx.k * 10 + b * x, None


def test_custom_rules_are_part_of_the_graph() -> None:
    graph = wg.trace(lambda x: thrice(x).sum())(V)
    assert graph.counts["custom"] == 1
    np.testing.assert_allclose(graph(X).item(), np.sin(X).sum())
    np.testing.assert_allclose(graph.grad()(X).numpy(), 3 * X)
    np.testing.assert_allclose(wg.vmap(wg.grad(graph))(np.stack([X, 2 * X])).numpy(), [3 * X, 6 * X])
    np.testing.assert_allclose(wg.jacrev(graph.grad())(X).numpy(), 3 * np.eye(3))
    np.testing.assert_allclose(wg.trace(lambda x: softplus(x).sum())(V).grad()(X).numpy(), np.full(3, 7.0))
    pair = wg.trace(lambda x: Scaled.apply(x, 3)[0].sum() + Scaled.apply(x, 3)[1].sum())(V)
    np.testing.assert_allclose(pair.grad()(X).numpy(), 30 + X)


def test_a_checkpoint_in_a_trace_keeps_its_inputs_only() -> None:
    w = wg.tensor(2.0, requires_grad=True)
    f = lambda x: wg.checkpoint(lambda a: (wg.sin(wg.sin(a)) * w).sum())(x)  # noqa: E731
    graph = wg.trace(f)(V)
    np.testing.assert_allclose(graph.grad()(X).detach().numpy(), 2 * np.cos(np.sin(X)) * np.cos(X))
    slope = graph.grad().optimize()
    assert [node.op for node in slope] == ["call"]
    assert slope.nodes[0].primitive.graphs()[0].counts["cos"] == 2


def test_a_graph_is_compiled_in_a_process_that_has_compiled_nothing() -> None:
    code = "import wengert as wg; print(wg.trace(wg.sin)(wg.TensorSpec(())).compile()(0.0).item())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "0.0\n"
