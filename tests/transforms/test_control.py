"""Control flow: values, derivatives of several orders, batches, memory and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.core.interpreter import interpret
from wengert.core.static import Graph
from wengert.core.tracing import trace_flat
from wengert.ops.loops import Scan
from wengert.ops.reversal import Snapshots, revolve_cost, sweep_back

RNG = np.random.default_rng(0)
W, XS, H = RNG.standard_normal((3, 3)) * 0.5, RNG.standard_normal((7, 3)), RNG.standard_normal(3)
WAYS: list[dict[str, Any]] = [
    {},
    {"checkpoint": 3},
    {"checkpoint": "sqrt"},
    {"checkpoint": 1},
    {"checkpoint": 100},
    {"checkpoint": "revolve", "slots": 2},
]


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(actual.detach()), np.asarray(expected.detach()), rtol=1e-10, atol=1e-12)


def recurrent(reverse: bool = False, **options: Any) -> Callable[..., Any]:
    def loss(w: Any, h: Any, xs: Any) -> Any:
        h, ys = wg.scan(lambda h, x: (wg.tanh(w @ h + x), (h * x).sum()), h, xs, reverse=reverse, **options)
        return (h**2).sum() + (ys**2).sum()

    return loss


def unrolled(reverse: bool = False) -> Callable[..., Any]:
    def loss(w: Any, h: Any, xs: Any) -> Any:
        total = 0.0
        for i in reversed(range(7)) if reverse else range(7):
            total = total + (h * xs[i]).sum() ** 2
            h = wg.tanh(w @ h + xs[i])
        return (h**2).sum() + total

    return loss


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_scan_has_the_derivatives_of_the_unrolled_loop(way: dict[str, Any], reverse: bool) -> None:
    f, g = recurrent(reverse, **way), unrolled(reverse)
    close(f(W, H, XS), g(W, H, XS))
    for argument in range(3):
        close(wg.grad(f, argument)(W, H, XS), wg.grad(g, argument)(W, H, XS))
        close(wg.jacfwd(f, argument)(W, H, XS), wg.grad(g, argument)(W, H, XS))
    close(wg.hessian(f, 1)(W, H, XS), wg.hessian(g, 1)(W, H, XS))
    close(wg.jacrev(wg.grad(f, 1), 1)(W, H, XS), wg.hessian(g, 1)(W, H, XS))
    close(wg.jacrev(wg.grad(f, 1), 0)(W, H, XS), wg.jacrev(wg.grad(g, 1), 0)(W, H, XS))
    batch = wg.vmap(wg.grad(f, 1), in_axes=(None, 0, None))
    close(batch(W, np.stack([H, 2 * H]), XS), wg.stack([wg.grad(g, 1)(W, k * H, XS) for k in (1, 2)]))


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_scan_in_eager_mode_reaches_leaves_through_the_closure(way: dict[str, Any]) -> None:
    w = wg.tensor(W, requires_grad=True)
    recurrent(**way)(w, H, XS).backward()
    close(w.grad, wg.grad(unrolled())(W, H, XS))


def test_scan_of_containers() -> None:
    init = {"a": 0.0, "b": (wg.tensor([1.0, 2.0]),)}

    def body(carry: Any, x: Any) -> Any:
        i, row = x
        return {"a": carry["a"] + i, "b": (carry["b"][0] * 2,)}, [carry["a"], None, row]

    carry, ys = wg.scan(body, init, (wg.tensor([1.0, 2.0]), wg.ones((2, 3))))
    assert carry["a"].item() == 3.0
    assert carry["b"][0].tolist() == [4.0, 8.0]
    assert ys[0].tolist() == [0.0, 1.0]
    assert ys[1] is None
    assert ys[2].shape == (2, 3)


def test_a_python_number_in_the_carry_takes_the_dtype_of_the_body() -> None:
    total, _ = wg.scan(lambda c, x: (c + x, None), 0.0, wg.ones(3, dtype="float32"))
    assert total.dtype == np.float32
    assert total.item() == 3.0


def test_the_body_of_a_scan_runs_once_in_python() -> None:
    calls = []
    wg.scan(lambda c, x: (calls.append(1) or c + x, None), 0.0, wg.ones(100))
    assert len(calls) <= 2  # once to find the dtype of the Python number, once for the graph


@pytest.mark.parametrize("n", [1, 2, 7, 30, 200])
@pytest.mark.parametrize("s", [1, 2, 5, 20])
def test_revolve_takes_the_steps_that_the_formula_says(n: int, s: int) -> None:
    assert schedule_cost(n, s)[0] == revolve_cost(n, s)


def schedule_cost(n: int, s: int) -> tuple[int, int]:
    """Steps forward, and states held at once, when a loop that counts is swept back."""
    steps, most = 0, 0

    def advance(number: int, state: tuple[int]) -> tuple[int]:
        nonlocal steps
        assert state == (number,)
        steps += 1
        return (number + 1,)

    snapshots = Snapshots.planned(n, s)
    snapshots.fill((0,), n, advance)
    most = len(snapshots.states)
    seen: list[Any] = []
    sweep_back(snapshots, n, advance, lambda number, state: seen.append((number, state)))
    assert seen == [(k, (k,)) for k in reversed(range(n))]
    return steps, most


@pytest.mark.long
def test_revolve_for_all_lengths_and_slots() -> None:
    for n in range(1, 201):
        for s in range(1, 21):
            cost, most = schedule_cost(n, s)
            assert cost == revolve_cost(n, s), (n, s)
            assert most <= s


def test_revolve_costs_no_more_than_the_formula_in_a_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    step = Scan.step

    def counted(self: Scan, *args: Any) -> Any:
        nonlocal count
        count += 1
        return step(self, *args)

    monkeypatch.setattr(Scan, "step", counted)
    x = wg.tensor(0.3, requires_grad=True)
    y, _ = wg.scan(lambda c, _: (wg.sin(c), None), x, length=50, checkpoint="revolve", slots=4)
    assert count == 50
    y.backward()
    # The last of the first 50 steps gives the result; the schedule proper has the 49 before it and those of the sweep.
    assert count == revolve_cost(50, 4) + 1
    expected = 1.0
    value = 0.3
    for _ in range(50):
        expected *= np.cos(value)
        value = np.sin(value)
    assert x.grad.item() == pytest.approx(expected, rel=1e-12)


def power(x: Any) -> Any:
    return wg.while_loop(lambda v: v < 100.0, lambda v: v * v, x, checkpoint=2)


def iterated(x: Any, a: Any) -> Any:
    return wg.while_loop(lambda s: s[1] < 5, lambda s: (wg.sin(a * s[0]) + s[0], s[1] + 1), (x, 0), checkpoint=3)[0]


def iterated_by_hand(x: Any, a: Any) -> Any:
    for _ in range(5):
        x = wg.sin(a * x) + x
    return x


@pytest.mark.parametrize("i", [0, 1])
@pytest.mark.parametrize("j", [0, 1])
def test_while_loop_has_derivatives_of_every_order_and_direction(i: int, j: int) -> None:
    point = (0.3, 0.7)
    f, g = iterated, iterated_by_hand
    close(wg.grad(f, i)(*point), wg.grad(g, i)(*point))
    close(wg.jacfwd(f, i)(*point), wg.grad(g, i)(*point))
    second = wg.grad(wg.grad(g, i), j)(*point)
    close(wg.grad(wg.grad(f, i), j)(*point), second)
    close(wg.jacfwd(wg.grad(f, i), j)(*point), second)
    close(wg.grad(wg.jacfwd(f, i), j)(*point), second)
    third = wg.grad(wg.grad(wg.grad(g, i), j))(*point)
    close(wg.grad(wg.grad(wg.grad(f, i), j))(*point), third)


def test_a_batch_of_while_loops_stops_when_each_is_done() -> None:
    xs = wg.tensor([2.0, 3.0, 50.0, 200.0])
    assert wg.vmap(power)(xs).tolist() == [256.0, 6561.0, 2500.0, 200.0]
    assert wg.vmap(wg.grad(power))(xs).tolist() == [8 * 2.0**7, 8 * 3.0**7, 100.0, 1.0]


def test_a_while_loop_is_reversed_with_few_states() -> None:
    f = lambda x: wg.while_loop(lambda s: s[1] < 1000, lambda s: (s[0] * 1.001, s[1] + 1), (x, 0), checkpoint=5)[0]  # noqa: E731
    assert wg.grad(f)(2.0).item() == pytest.approx(1.001**1000)


def test_cond_calls_or_becomes_part_of_the_graph() -> None:
    f = lambda x: wg.cond(x.sum() > 0, lambda v: (v**2).sum(), lambda v: -v.sum(), x)  # noqa: E731
    graph = trace_flat(lambda x: [f(x), wg.grad(f)(x), wg.hessian(f)(x)], [wg.TensorSpec((3,))]).validate()
    assert graph.counts["switch"] >= 2
    for v in (np.array([1.0, 2.0, 3.0]), np.array([-1.0, -2.0, -3.0])):
        x = wg.tensor(v)
        for one, other in zip(interpret(graph, [v]), (f(x), wg.grad(f)(x), wg.hessian(f)(x)), strict=True):
            np.testing.assert_allclose(one, other.numpy())
    both = wg.vmap(wg.grad(f))(wg.tensor([[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]]))
    assert both.tolist() == [[2.0, 4.0, 6.0], [-1.0, -1.0, -1.0]]


def test_switch_of_a_batch() -> None:
    f = lambda i, x: wg.switch(i, [wg.sin, wg.cos, lambda v: v * v], x)  # noqa: E731
    found = wg.vmap(f, in_axes=(0, None))(wg.tensor([-1, 0, 1, 2, 9]), wg.tensor(2.0))
    np.testing.assert_allclose(found.numpy(), [np.sin(2), np.sin(2), np.cos(2), 4, 4])
    assert f(5, wg.tensor(3.0)).item() == 9.0


def test_loops_nest() -> None:
    def f(x: Any) -> Any:
        inner = lambda c, _: (wg.fori_loop(0, 3, lambda i, v: wg.sin(v) + i * 0.1, c), None)  # noqa: E731
        return wg.scan(inner, x, length=4, checkpoint=2)[0]

    def g(x: Any) -> Any:
        for _ in range(4):
            for i in range(3):
                x = wg.sin(x) + i * 0.1
        return x

    close(wg.grad(f)(0.4), wg.grad(g)(0.4))
    close(wg.grad(wg.grad(f))(0.4), wg.grad(wg.grad(g))(0.4))
    traced = trace_flat(lambda x: [wg.grad(f)(x)], [wg.TensorSpec(())])
    np.testing.assert_allclose(interpret(traced, [np.array(0.4)])[0], wg.grad(g)(0.4).item())


def test_fori_loop_with_bounds_that_are_traced() -> None:
    f = lambda n, x: wg.fori_loop(0, n, lambda i, v: v * 2 + i, x, checkpoint=4)  # noqa: E731
    graph = trace_flat(lambda n, x: [f(n, x), wg.grad(f, 1)(n, x)], [wg.TensorSpec((), "int64"), wg.TensorSpec(())])
    value, slope = interpret(graph, [np.array(5), np.array(1.0)])
    assert (value, slope) == (58.0, 32.0)
    assert f(0, 7.0).item() == 7.0


def test_map_stacks_what_the_function_returns() -> None:
    doubled, names = wg.map(lambda x: (x * 2, x + 1), wg.tensor([1.0, 2.0]))
    assert (doubled.tolist(), names.tolist()) == ([2.0, 4.0], [2.0, 3.0])


def test_a_loop_of_no_steps() -> None:
    carry, ys = wg.scan(lambda c, x: (c + x, c), wg.ones(2), wg.ones((0, 2)))
    assert carry.tolist() == [1.0, 1.0]
    assert ys.shape == (0, 2)
    g = wg.grad(lambda c: wg.scan(lambda c, x: (c * x, None), c, wg.ones(0))[0])(3.0)
    assert g.item() == 1.0


def plan_of(checkpoint: Any) -> int:
    """Bytes that a gradient through 256 steps keeps."""
    w = wg.tensor(W, requires_grad=True)
    h, _ = wg.scan(lambda h, _: (wg.tanh(w @ wg.sin(h)), None), wg.tensor(H), length=256, checkpoint=checkpoint)
    return wg.ledger(h.sum()).total


def test_sqrt_checkpoints_keep_far_less() -> None:
    assert plan_of("sqrt") < plan_of(None) / 8


def test_loops_of_python_numbers_in_a_graph() -> None:
    graph = wg.trace(wg.grad(power))(3.0)
    assert graph(3.0).item() == 8 * 3.0**7
    looped = wg.trace(lambda x: wg.scan(lambda c, v: (c * v, c[None]), x, wg.ones(3) * 2)[1].sum())(3.0)
    assert looped(3.0).item() == 3.0 + 6.0 + 12.0
    assert wg.jit(wg.grad(power))(3.0).item() == 8 * 3.0**7


# -- errors ---------------------------------------------------------------------------------------------------------


def test_an_unbounded_while_loop_in_reverse_says_what_to_do() -> None:
    with pytest.raises(wg.GradientError, match="checkpoint=20"):
        wg.grad(lambda x: wg.while_loop(lambda v: v < 9.0, lambda v: v * v, x))(2.0)


def unequal(p: Any) -> Any:
    return [wg.cond(p, lambda: wg.ones(2), lambda: wg.ones(3))]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: wg.scan(lambda c, x: c, 0.0, wg.ones(3)), wg.ContainerError, "must return"),
        (lambda: wg.scan(lambda c, x: ((c, c), x), 0.0, wg.ones(3)), wg.ContainerError, "structure"),
        (lambda: wg.scan(lambda c, x: (wg.stack([c, c]), x), wg.ones(2), wg.ones(3)), wg.ShapeError, "shapes differ"),
        (lambda: wg.scan(lambda c, x: (c > 0, x), wg.ones(2), wg.ones(3)), wg.DTypeError, "dtypes differ"),
        (lambda: wg.scan(lambda c, x: (c, x), 0.0, (wg.ones(3), wg.ones(4))), wg.ShapeError, r"\[3, 4\]"),
        (lambda: wg.scan(lambda c, x: (c, x), 0.0), wg.ShapeError, "give xs or length"),
        (lambda: wg.scan(lambda c, x: (c, x), 0.0, wg.tensor(1.0)), wg.ShapeError, "scalar"),
        (lambda: wg.scan(lambda c, x: (c, x), 0.0, wg.ones(3), checkpoint="revolve"), wg.GradientError, "slots"),
        (lambda: wg.scan(lambda c, x: (c, x), 0.0, wg.ones(3), slots=3), wg.GradientError, "revolve"),
        (lambda: wg.scan(lambda c, x: (c, x), 0.0, wg.ones(3), checkpoint=-1), wg.GradientError, "positive"),
        (lambda: wg.cond(wg.ones(2), wg.sin, wg.cos, 1.0), wg.ShapeError, "scalar"),
        (lambda: wg.switch(0, []), wg.ContainerError, "at least one"),
        (lambda: wg.switch(0.5, [wg.sin], 1.0), wg.DTypeError, "integer"),
        (lambda: wg.while_loop(lambda v: v > wg.ones(2), lambda v: v, 1.0), wg.ShapeError, "one scalar"),
        (lambda: wg.fori_loop(0, 1.5, lambda i, v: v, 1.0), wg.DTypeError, "integers"),
        (lambda: trace_flat(unequal, [wg.TensorSpec((), "bool")]), wg.ShapeError, "branch 1"),
        (lambda: wg.scan(lambda c, x: (c + wg.randn(), None), 0.0, wg.ones(3)), wg.TraceError, "pass a key"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_python_branches_in_a_body_are_an_error_that_shows_cond() -> None:
    with pytest.raises(wg.TraceError, match=r"wengert\.cond"):
        wg.scan(lambda c, x: (c if c > 0 else x, None), 0.0, wg.ones(3))


def test_a_graph_of_a_loop_shows_what_is_inside() -> None:
    graph = trace_flat(lambda x: [wg.scan(lambda c, v: (c + wg.sin(v), None), 0.0, x)[0]], [wg.TensorSpec((3,))])
    assert isinstance(graph, Graph)
    assert "sin" in str(graph)


def test_a_counter_in_the_state_may_be_an_index_from_the_first_trace_on() -> None:
    table = wg.tensor([1.0, 2.0, 3.0, 4.0])
    found = wg.while_loop(lambda c: c[1] < 3, lambda c: (c[0] * table[c[1]], c[1] + 1), (np.ones(2), 1))
    assert found[0].tolist() == [6, 6]
