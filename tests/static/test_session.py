"""Graphs that are built with placeholders and run with a feed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((50, 3))
TARGET = DATA @ np.array([1.0, 2.0, 3.0])


class Regression:
    def __init__(self) -> None:
        with wg.Graph() as self.graph:
            self.x = wg.placeholder((None, 3), "float64", name="x")
            self.y = wg.placeholder((None,), "float64", name="y")
            self.w = wg.variable(np.zeros(3), name="w")
            self.error = self.x @ self.w - self.y
            self.loss = (self.error**2).mean()
            (self.slope,) = wg.autograd.grad(self.loss, self.w)
            self.step = self.w.assign(self.w - 0.1 * self.slope)


def test_training() -> None:
    r = Regression()
    for _ in range(200):
        loss, _ = r.graph.run([r.loss, r.step], {r.x: DATA, r.y: TARGET})
    assert loss < 1e-20
    np.testing.assert_allclose(r.w.value, [1, 2, 3])


def test_fetches_of_any_structure_and_feeds_by_name() -> None:
    r = Regression()
    found = wg.Session(r.graph).run({"a": (r.loss, [r.slope]), "b": "w"}, {"x": DATA[:7], r.y: TARGET[:7]})
    assert found["a"][0] == pytest.approx((TARGET[:7] ** 2).mean())
    assert found["a"][1][0].shape == (3,)
    assert found["b"].tolist() == [0.0, 0.0, 0.0]
    assert r.graph.run(r.loss, {r.x: [[1, 0, 0]], r.y: [2]}) == 4.0


def test_only_what_is_fetched_is_needed() -> None:
    r = Regression()
    with r.graph:
        other = (r.x * 2).sum()
    assert r.graph.run(other, {r.x: DATA}) == pytest.approx(2 * DATA.sum())
    graph, sources = r.graph.pruned((r.graph.edge(other),))
    assert [node.op for node in graph] == ["multiply", "sum"]
    assert [x.name for x in sources] == ["x"]


def test_an_intermediate_value_can_be_fed() -> None:
    r = Regression()
    assert r.graph.run(r.loss, {r.error: np.array([3.0, 4.0])}) == 12.5


def test_every_fetch_sees_the_value_before_the_assignment() -> None:
    with wg.Graph() as g:
        n = wg.variable(1.0, name="n")
        double = n.assign(n * 2)
        plus = n + 1
    assert [float(v) for v in g.run([plus, double])] == [2.0, 2.0]
    assert [float(v) for v in g.run([plus, double])] == [3.0, 4.0]
    assert float(n.value) == 4.0


def test_control_flow_in_the_graph() -> None:
    with wg.Graph() as g:
        x = wg.placeholder((), name="x")
        y = wg.cond(x > 0, lambda v: v * 2, lambda v: -v, x)
    assert g.run(y, {x: 3.0}) == 6.0
    assert g.run(y, {x: -3.0}) == 3.0


def test_building_goes_on_in_a_second_block() -> None:
    with wg.Graph() as g:
        x = wg.placeholder((3,), name="x")
        y = x + 1
    with g:
        z = y * 2
    assert g.run(z, {x: np.ones(3)}).tolist() == [4.0, 4.0, 4.0]
    assert [node.op for node in g.nodes] == ["add", "multiply"]
    assert len(g) == 2
    assert "%x: float64[3]" in str(g)


def missing(r: Regression) -> Any:
    return r.graph.run(r.loss, {r.x: DATA})


def ill_shaped(r: Regression) -> Any:
    return r.graph.run(r.loss, {r.x: DATA[:, :2], r.y: TARGET})


def unequal(r: Regression) -> Any:
    return r.graph.run(r.loss, {r.x: DATA, r.y: TARGET[:3]})


def unknown_name(r: Regression) -> Any:
    return r.graph.run(r.loss, {r.x: DATA, r.y: TARGET, "z": 1})


def foreign(r: Regression) -> Any:
    return r.graph.run(Regression().loss, {r.x: DATA, r.y: TARGET})


def complex_feed(r: Regression) -> Any:
    return r.graph.run(r.loss, {r.x: DATA * 1j, r.y: TARGET})


def branching(r: Regression) -> Any:
    with r.graph:
        return 1 if r.loss > 0 else 2


def twice(r: Regression) -> Any:
    with r.graph:
        return wg.placeholder((3,), name="x")


def outside(r: Regression) -> Any:
    return wg.placeholder((3,))


def computing_outside(r: Regression) -> Any:
    return r.x * 2


def called(r: Regression) -> Any:
    return r.graph(DATA)


def wrong_assignment(r: Regression) -> Any:
    return r.w.assign(r.loss)


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (missing, wg.GraphError, "'y' is needed"),
        (ill_shaped, wg.ShapeError, r"declared float64\[n0,3\], and got float64\[50,2\]"),
        (unequal, wg.ShapeError, "'y'"),
        (unknown_name, wg.GraphError, "'z'"),
        (foreign, wg.GraphError, "does not belong"),
        (complex_feed, wg.DTypeError, "astype"),
        (branching, wg.TraceError, r"wengert\.cond"),
        (twice, wg.GraphError, "already"),
        (outside, wg.GraphError, "belongs in the block"),
        (computing_outside, wg.TraceError, "inside its block"),
        (called, wg.GraphError, "feed"),
        (wrong_assignment, wg.GraphError, "not a value"),
    ],
)
def test_clear_errors(act: Callable[[Regression], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        act(Regression())
