"""The graph as a value, and graphs that are deep, wide, or shared by exponentially many paths."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import GradientError
from wengert.core.graph import graph_of
from wengert.core.node import Leaf


def build() -> tuple[wg.Tensor, list[wg.Tensor]]:
    x, w, b = (wg.tensor(v, requires_grad=True) for v in (2.0, 3.0, 1.0))
    return (w * x + b).relu(), [x, w, b]


def test_sources_sinks_order_depth_and_counts() -> None:
    y, leaves = build()
    g = graph_of(y)
    assert set(g.sources()) == {x._node for x in leaves} == set(g.leaves)
    assert [node.name() for node in g.sinks()] == ["ReluBackward"]
    order = g.topological_order()
    position = {node: i for i, node in enumerate(order)}
    assert all(position[operand] < position[node] for node in order for operand in g.operands(node))
    assert (len(g), g.edges, g.depth) == (6, 5, 3)
    assert g.counts == {"AccumulateGrad": 3, "Mul": 1, "Add": 1, "Relu": 1}


def test_grad_fn_and_next_functions_have_pytorchs_names() -> None:
    y, _ = build()
    assert repr(y.grad_fn).startswith("<ReluBackward")
    (add, index), *rest = y.grad_fn.next_functions
    assert (add.name(), index, rest) == ("AddBackward", 0, [])
    (mul, _), (accumulate, _) = add.next_functions
    assert (mul.name(), accumulate.name()) == ("MulBackward", "AccumulateGrad")


def test_text_has_one_line_a_node_with_types_and_source_lines() -> None:
    y, _ = build()
    text = str(graph_of(y))
    lines = text.splitlines()
    assert len(lines) == 7
    assert any("= multiply %" in line and "float64[]" in line and "test_graph.py:" in line for line in lines)
    assert lines[-1] == "return %5"


def test_several_results_count_as_one_node() -> None:
    x = wg.tensor([3.0, 1.0, 2.0, 4.0], requires_grad=True)
    first, second = wg.split(x, 2)
    assert first.grad_fn is second.grad_fn
    assert (first.output_nr, second.output_nr) == (0, 1)
    total = (first * second).sum()
    g = graph_of(total)
    assert g.counts["Mul"] == 1
    assert len(g) == 4
    total.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 4.0, 3.0, 1.0])


def test_a_tensor_without_a_graph() -> None:
    with pytest.raises(GradientError, match="nothing was recorded"):
        graph_of(wg.ones(3))


def test_nodes_know_the_users_line() -> None:
    x = wg.tensor(1.0, requires_grad=True)
    y = x.exp()
    line = sys._getframe().f_lineno - 1
    assert y.grad_fn.location.line == line
    assert y.grad_fn.location.filename.endswith("test_graph.py")
    assert y.grad_fn.location.text == "y = x.exp()"
    with wg.record_source(False):
        assert x.exp().grad_fn.location is None


def test_a_chain_of_a_million_nodes() -> None:
    n = 1_000_000
    x = wg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(n):
        y = y + 1.0
    g = graph_of(y)
    assert len(g) == n + 1
    text = str(g)
    assert "more nodes" in text
    assert len(text.splitlines()) < 60
    del g
    y.backward()
    assert x.grad.item() == 1.0
    assert y.item() == n + 1
    del y


def test_a_diamond_ladder_takes_linear_time() -> None:
    """2^1000 paths, 1,000 steps: each node is visited once."""

    def ladder(depth: int) -> float:
        x = wg.tensor(1.0, requires_grad=True)
        y = x
        start = time.perf_counter()
        for _ in range(depth):
            y = (y + y) * 0.5
        y.backward()
        assert x.grad.item() == 1.0
        return time.perf_counter() - start

    ladder(10)
    # Any dependence on the number of paths would never end; the bound only has to tell linear from exponential.
    assert ladder(1000) < 30.0


def test_a_deep_graph_is_freed_without_recursion() -> None:
    x = wg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(200_000):
        y = y * 1.0
    del y
    assert isinstance(x._node, Leaf)


def test_nodes_are_small() -> None:
    """At most 600 bytes a node beyond its arrays: the node, its tuples, the tensor and its number."""
    import tracemalloc

    x = wg.tensor(np.ones(3), requires_grad=True)
    n = 2000
    keep = []
    y = x
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(n):
        y = y * x
        keep.append(y)
    used = (tracemalloc.get_traced_memory()[0] - before) / n
    tracemalloc.stop()
    array = sys.getsizeof(np.ones(3) * 2.0)
    assert used - array <= 600


def test_independent_threads_build_and_run_graphs() -> None:
    results: dict[int, float] = {}
    errors: list[BaseException] = []

    def work(k: int) -> None:
        try:
            x = wg.tensor(float(k), requires_grad=True)
            y = x
            for _ in range(300):
                y = (y * 1.001).tanh() + x
            if k % 2:
                with wg.no_grad():
                    assert not (x * 2).requires_grad
            y.backward()
            results[k] = x.grad.item()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    sequential: dict[int, float] = dict(results)
    results.clear()
    for k in range(8):
        work(k)
    assert results == sequential


def test_x_times_y_reaches_numpy_within_four_python_frames() -> None:
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    y = wg.tensor([3.0, 4.0], requires_grad=True)
    depth = 0
    deepest = 0

    def trace(frame: object, event: str, argument: object) -> None:
        nonlocal depth, deepest
        if event == "call":
            depth += 1
            deepest = max(deepest, depth)
        elif event == "return":
            depth -= 1

    sys.setprofile(trace)
    x * y
    sys.setprofile(None)
    assert deepest <= 4
