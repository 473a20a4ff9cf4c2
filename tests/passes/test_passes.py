"""Each pass on graphs before and after; all of them on what operations and transforms leave behind."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import passes
from wengert.core.interpreter import interpret
from wengert.core.static import Graph
from wengert.core.tracing import trace_flat

V, M, S = wg.TensorSpec((3,)), wg.TensorSpec((3, 3)), wg.TensorSpec(())


def graph_of(function: Callable[..., Any], *specs: Any) -> Graph:
    return trace_flat(lambda *xs: [function(*xs)], specs)


def text(graph: Graph) -> str:
    return graph.text(source=False)


def after(one: Any, function: Callable[..., Any], *specs: Any) -> str:
    graph = graph_of(function, *specs)
    return text(one(graph).validate())


def test_folding_computes_what_is_constant() -> None:
    graph = wg.trace(lambda x, y: x * np.exp(y) + np.cos(y + 1))(V, S).substitute({"y": 0.0})
    assert text(passes.Fold()(graph)) == (
        "graph(%x: float64[3]):\n"
        "  %1: float64[3] = multiply %x float64(1.0)\n"
        "  %2: float64[3] = add %1 float64(0.5403023058681398)\n"
        "  return %2"
    )


def test_folding_leaves_errors_to_the_run_and_large_results_alone() -> None:
    outer = wg.trace(lambda x, y: x * y)(wg.TensorSpec((100, 1)), wg.TensorSpec((1, 100)))
    large = outer.substitute({0: np.ones((100, 1)), 1: np.ones((1, 100))})
    assert passes.Fold()(large) is large
    assert len(passes.Fold(limit=1 << 20)(large)) == 0
    wrong = wg.trace(lambda x, i: x[i])(V, wg.TensorSpec((), "int64")).substitute({0: np.ones(3), 1: 7})
    assert passes.Fold()(wrong) is wrong


def test_common_subexpressions_are_computed_once() -> None:
    assert after(passes.ShareSubexpressions(), lambda x, y: np.sin(x * y) + np.sin(y * x), V, V) == (
        "graph(%0: float64[3], %1: float64[3]):\n"
        "  %2: float64[3] = multiply %0 %1\n"
        "  %3: float64[3] = sin %2\n"
        "  %4: float64[3] = add %3 %3\n"
        "  return %4"
    )


def test_operations_with_other_parameters_are_not_shared() -> None:
    graph = graph_of(lambda x: x.sum(0) + x.sum(1), M)
    assert passes.ShareSubexpressions()(graph) is graph


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x * 1, ""),
        (lambda x: 1.0 * x / 1, ""),
        (lambda x: x - 0, ""),
        (lambda x: x + -0.0, ""),
        (lambda x: np.negative(np.negative(x)), ""),
        (lambda x: np.positive(x), ""),
        (lambda x: x**1, ""),
        (lambda x: x**2, "square"),
        (lambda x: x**0.5, "sqrt"),
        (lambda x: x**-1, "reciprocal"),
        (lambda x: abs(abs(x)), "abs"),
        (lambda x: np.maximum(x, x), ""),
        (lambda x: np.where(x > 0, x, x), ""),
        (lambda x: x.astype("float64"), ""),
        (lambda x: x.reshape(3), ""),
        (lambda x: x * wg.ones(3).sum() / 3, "multiply divide"),
        # Not exact: the sign of zero, NaN, infinities.
        (lambda x: x + 0, "add"),
        (lambda x: x * 0, "multiply"),
        (lambda x: x - x, "subtract"),
        (lambda x: x / x, "divide"),
        (lambda x: wg.sqrt(x * x), "multiply sqrt"),
    ],
)
def test_simplification_is_exact(function: Callable[..., Any], expected: str) -> None:
    graph = graph_of(function, V)
    small = passes.optimize(graph, [passes.Simplify(), passes.DropDeadCode()]).graph
    assert [node.op for node in small] == expected.split()
    for values in ([1.0, -2.0, 0.0], [np.nan, np.inf, -0.0]):
        x = np.array(values)
        with np.errstate(all="ignore"):
            before, now = interpret(graph, [x])[0], interpret(small, [x])[0]
        assert before.tobytes() == now.tobytes() or np.array_equal(before, now, equal_nan=True)
        assert np.array_equal(np.signbit(before), np.signbit(now))


@pytest.mark.parametrize(
    ("read", "left"), [(np.s_[:, None, 0:3], "reshape"), (np.s_[..., None], "reshape"), (np.s_[::-1], "unslice")]
)
def test_the_transpose_of_reading_everything_in_order_is_a_reshape(read: Any, left: str) -> None:
    x = np.arange(9.0).reshape(3, 3)
    g = x[read]
    graph = graph_of(lambda g: wg.vjp(lambda x: x[read], x)[1](g)[0], wg.TensorSpec(g.shape))
    found = passes.Simplify()(graph)
    assert [node.op for node in found] == [left]
    assert np.array_equal(interpret(found, [g])[0], interpret(graph, [g])[0])


@pytest.mark.parametrize(
    ("function", "expected"),
    [(lambda x: x + 0, []), (lambda x: x * 0, ["broadcast_to"]), (lambda x: x - x, ["broadcast_to"])],
)
def test_unsafe_simplification_is_asked_for(function: Callable[..., Any], expected: list[str]) -> None:
    graph = passes.optimize(graph_of(function, V), [passes.Simplify(unsafe=True), passes.DropDeadCode()]).graph
    assert [node.op for node in graph] == expected
    assert interpret(graph, [np.ones(3)])[0].shape == (3,)


def test_integers_keep_their_dtype() -> None:
    graph = graph_of(lambda x: x * 1.0, wg.TensorSpec((3,), "int64"))
    assert len(passes.Simplify()(graph)) == 1


def test_views_cancel() -> None:
    assert after(passes.CancelViews(), lambda x: x.T.T.reshape(9).reshape(3, 3), M).count("transpose") <= 1
    graph = passes.optimize(graph_of(lambda x: x.T.T.reshape(9).reshape(3, 3), M)).graph
    assert len(graph) == 0


def test_broadcasts_are_left_to_the_operation_or_done_after_it() -> None:
    graph = passes.optimize(graph_of(lambda x: np.broadcast_to(x, (3, 3)) * 2 + wg.ones((3, 3)), V)).graph
    assert "broadcast_to" not in graph.counts
    graph = passes.optimize(graph_of(lambda x: np.sin(np.broadcast_to(x, (3, 3))), V)).graph
    assert [node.op for node in graph] == ["sin", "broadcast_to"]
    assert graph.nodes[0].shape == (3,)


def test_matrices_are_multiplied_in_the_cheapest_order() -> None:
    square = wg.TensorSpec((50, 50))
    assert after(passes.OrderMatmuls(), lambda a, b, v: (a @ b) @ v, square, square, wg.TensorSpec((50,))) == (
        "graph(%0: float64[50,50], %1: float64[50,50], %2: float64[50]):\n"
        "  %3: float64[50] = matmul %1 %2\n"
        "  %4: float64[50] = matmul %0 %3\n"
        "  return %4"
    )


def test_a_chain_that_is_in_order_or_shared_stays() -> None:
    square, thin = wg.TensorSpec((50, 50)), wg.TensorSpec((50, 2))
    graph = graph_of(lambda a, b, c: a @ (b @ c), square, square, thin)
    assert passes.OrderMatmuls()(graph) is graph
    shared = trace_flat(lambda a, b, c: [a @ b, (a @ b) @ c], [square, square, thin])
    shared = passes.ShareSubexpressions()(shared)
    assert passes.OrderMatmuls()(shared) is shared


def test_the_textbook_chain() -> None:
    # Cormen et al., "Introduction to Algorithms", section 15.2: 15,125 multiplications.
    specs = [wg.TensorSpec(pair) for pair in itertools.pairwise([30, 35, 15, 5, 10, 20, 25])]
    graph = passes.OrderMatmuls()(graph_of(lambda *matrices: functools.reduce(np.matmul, matrices), *specs))
    cost = sum(n.operands[0].shape[0] * n.operands[0].shape[1] * n.operands[1].shape[1] for n in graph)
    assert cost == 15125


def test_dead_code_goes_also_inside_loops() -> None:
    def loop(x: Any) -> Any:
        (a, _), (ys, _) = wg.scan(lambda c, v: ((np.sin(c[0]) + v, np.exp(c[1])), (c[0], np.exp(v))), (0.0, 1.0), x)
        return a + ys.sum()

    graph = passes.optimize(graph_of(loop, V)).graph
    (scan,) = [node for node in graph if node.op == "scan"]
    assert scan.primitive.carry == 1  # type: ignore[attr-defined]
    assert "exp" not in scan.primitive.graphs()[0].counts
    x = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(interpret(graph, [x])[0], loop(wg.tensor(x)).numpy())


def test_the_loop_for_the_value_and_the_one_for_the_gradient_become_one() -> None:
    loss = lambda x: wg.scan(lambda c, v: (np.sin(c) * v, None), 1.0, x)[0]  # noqa: E731
    graph = trace_flat(lambda x: wg.value_and_grad(loss)(x), [V])
    assert graph.counts["scan"] == 3
    assert passes.optimize(graph).graph.counts["scan"] == 2


def mlp(x: Any, w: Any, v: Any) -> Any:
    return wg.grad(lambda w, v: ((wg.tanh(x @ w) @ v) ** 2).mean(), (0, 1))(w, v)


FUNCTIONS: list[tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = [
    (mlp, ((5, 3), (3, 4), (4, 2))),
    (lambda x: wg.hessian(lambda x: (wg.sin(x) * x[::-1]).sum())(x), ((4,),)),
    (lambda x: wg.jacfwd(lambda x: wg.softmax(x) ** 2)(x), ((4,),)),
    (lambda x: wg.grad(lambda x: wg.logsumexp(x, axis=1).std())(x), ((3, 4),)),
    (lambda x: wg.vmap(wg.grad(lambda v: (v @ v) ** 2))(x), ((3, 4),)),
    (lambda x: wg.grad(lambda x: wg.linalg.slogdet(x @ x.T)[1])(x), ((3, 3),)),
    (lambda x: wg.grad(lambda x: wg.scan(lambda c, v: (np.sin(c) * v, c), 1.0, x)[1].sum())(x), ((5,),)),
]


@pytest.mark.parametrize(("function", "shapes"), FUNCTIONS)
def test_the_pipeline_keeps_values_and_is_idempotent(function: Callable[..., Any], shapes: Any) -> None:
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal(shape) for shape in shapes]
    graph = trace_flat(lambda *a: wg.tree_leaves(function(*a)), [wg.TensorSpec(x.shape) for x in xs])
    seen = []
    report = passes.optimize(graph, observer=lambda before, one, now: seen.append((one, now.validate())))
    assert len(report.graph) <= len(graph)
    assert seen[-1][1] is report.graph
    for one, other in zip(interpret(graph, xs), interpret(report.graph, xs), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    assert passes.optimize(report.graph).graph is report.graph
    assert str(report).splitlines()[-1] == f"{len(report.graph)} nodes are left"


def test_a_pass_that_changes_nothing_returns_the_same_graph() -> None:
    graph = graph_of(np.sin, V)
    for one in passes.DEFAULT:
        assert one(graph) is graph


def test_a_pass_of_the_user() -> None:
    def drop_sin(graph: Graph) -> Graph:
        def rule(builder: Any, node: Any) -> Any:
            return [node.operands[0]] if node.op == "sin" else None

        return passes.rewrite(graph, rule)

    graph, report = wg.trace(lambda x: np.cos(np.sin(x)))(V).optimize([drop_sin, *passes.DEFAULT], report=True)
    assert [node.op for node in graph] == ["cos"]
    assert report.steps[0].name == "drop_sin"
    assert report.steps[0].removed == {"sin": 1}
