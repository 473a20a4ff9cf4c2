"""Results in the memory of an operand that nobody reads any more: where it may be, and above all where it may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm import division
from wengert.backends.llvm.program import every
from wengert.backends.llvm.schedule import Product
from wengert.compile.lowered import Lowered
from wengert.scipy.special import polygamma

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 48)) / 7
NUMBERS = np.array([3, 0, 3])


def lowered(f: Callable[..., Any], *arguments: Any) -> Lowered:
    """A compilation, after its values were compared with the function's and its memory with the plan."""
    given = [x.copy() for x in arguments]
    for got, expected in zip(_leaves(wg.jit(f)(*given)), _leaves(f(*map(wg.asarray, arguments))), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11)
    for x, y in zip(arguments, given, strict=True):
        np.testing.assert_array_equal(x, y, err_msg="an argument was written to")
    found = wg.jit(f).lower(*arguments)
    assert found.predicted_bytes == found.measured_bytes
    assert found.program.arena.bound <= found.program.arena.size <= 1.05 * found.program.arena.bound
    return found


def _leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(x) for x in wg.tree_flatten(tree)[0]]


def moves(found: Lowered) -> list[int]:
    """How many results have taken over memory, in the program and in each loop or branch inside it."""
    return [len(schedule.homes) for schedule in every(found.program.schedule)]


# -- where it may be --------------------------------------------------------------------------------------------------


def test_a_chain_of_products_and_elementwise_operations_needs_two_matrices() -> None:
    def f(x: Any) -> Any:
        for _ in range(5):
            x = wg.tanh(x @ x) + 0.1
        return x.sum()

    found = lowered(f, X)
    assert found.program.arena.size == found.program.arena.bound == 2 * X.nbytes


def test_an_output_takes_over_an_operand() -> None:
    found = lowered(lambda x: wg.exp(x @ x), X)
    assert found.program.arena.size == 0
    assert moves(found) == [1]


def test_an_operand_of_the_same_elements_in_another_shape() -> None:
    found = lowered(lambda x: (wg.exp((x @ x).reshape(-1)) * 2).reshape(24, 96) @ wg.ones((96, 2)), X)
    assert moves(found) == [1]


@pytest.mark.parametrize("update", [wg.set_at, wg.add_at])
def test_updates_at_indices_are_made_where_the_operand_is(update: Any) -> None:
    found = lowered(lambda x, k: update(x @ x, k, x[:3]), X, NUMBERS)
    assert moves(found) == [1]
    assert found.program.arena.size == 0


@pytest.mark.parametrize("update", [wg.set_at, wg.add_at])
def test_an_update_in_a_loop_copies_nothing(update: Any) -> None:
    found = lowered(lambda x, k: wg.scan(lambda c, j: (update(c, j, 2.0), None), x, k)[0], X, NUMBERS)
    assert moves(found)[1] == 1
    assert found.program.arena.size == 0


def test_a_part_is_replaced_where_the_operand_is() -> None:
    def f(x: Any) -> Any:
        y = x @ x
        y[1:5] = x[:4] * 2
        return y

    assert moves(lowered(f, X)) == [1]


def test_the_state_of_a_loop_is_updated_in_place() -> None:
    def body(c: Any, _: Any) -> Any:
        h, total = c
        h = wg.tanh(h @ h)
        return (h, total + h * 0.5), h[0, 0]

    found = lowered(lambda x: wg.scan(body, (x, wg.zeros_like(x)), None, length=7), X)
    (_, inner) = every(found.program.schedule)
    assert all(at.root is x for at, x in zip(inner.outputs, inner.carried, strict=False))
    assert found.program.arena.size == X.nbytes


def test_the_state_of_a_while_loop() -> None:
    found = lowered(lambda x: wg.while_loop(lambda c: c.max() < 2, lambda c: c * 1.5 + 0.01, x @ x), X)
    assert moves(found) == [1, 1, 0]
    assert found.program.arena.size == 0


def test_the_state_of_a_loop_takes_over_what_it_starts_from() -> None:
    def body(c: Any, _: Any) -> Any:
        return c * 0.9, c.sum()

    found = lowered(lambda x: wg.scan(body, x @ x, None, length=3), X)
    assert moves(found) == [1, 1]


def test_what_is_stacked_is_computed_where_it_will_lie() -> None:
    found = lowered(lambda x: wg.scan(lambda c, v: (c + v.sum(), wg.exp(x) * v), x[0, 0], x[:5])[1], X)
    assert found.program.arena.size == 0
    # Only one of two stacks of the same values can be.
    found = lowered(lambda x: wg.scan(lambda c, v: (c + v.sum(), (y := wg.exp(x) * v, y, y.T)), x[0, 0], x[:5])[1], X)
    assert found.program.arena.size == 0


def test_what_a_branch_computes_is_where_the_result_will_lie() -> None:
    def f(x: Any) -> Any:
        return wg.cond(x[0, 0] > 0, lambda v: (wg.exp(v), v.T, v), lambda v: ((y := v @ v), y, y.T), x)

    assert lowered(f, X).program.arena.size == 0
    lowered(f, -X)


@pytest.mark.parametrize("worth", [1, division.WORTH])
def test_chunks_on_several_threads(worth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(division, "WORTH", worth)

    def f(x: Any) -> Any:
        y = wg.exp(x[:, ::-1] * 0.1) * x.sum(axis=0)
        z = wg.softmax(y @ x, axis=1)
        return wg.sqrt(z) @ x + z.sum(axis=0)

    found = lowered(f, X)
    assert sum(moves(found)) > 0
    cut = [step for step in found.program.schedule.steps if getattr(step, "division", None) is not None]
    assert bool(cut) is (worth == 1)


# -- where it may not -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda y: wg.exp(y) + y.T,
        lambda y: wg.exp(y) + y[::-1],
        lambda y: wg.exp(y) + wg.roll(y, 1, axis=0),
        lambda y: y * y[0],
        lambda y: y * y[:, :1],
        lambda y: y[1:] - y[:-1],
        lambda y: wg.exp(y.T),
        lambda y: (z := wg.exp(y - y.max(axis=1, keepdims=True)), (y * z.sum(axis=1, keepdims=True)).sum()),
        lambda y: wg.sin(y),
        lambda y: wg.add_at(y, NUMBERS, y[:3]),
        lambda y: wg.set_at(y, slice(0, 3), y[1:4]),
        lambda y: (wg.add_at(y, NUMBERS, 1.0), y),
        lambda y: wg.scan(lambda c, v: (c * 0.5 + v.sum(), None), y, y)[0],
        lambda y: wg.scan(lambda c, v: (c * 0.5 + y, v.sum()), y, y),
        lambda y: y[:, :24] * y[:, 24:],
        lambda y: (wg.exp(y), y),
        lambda y: (y * 2, y.T),
    ],
    ids=(
        "transposed reversed rolled row column shifted turned later angles part rows update scanned constant halves "
        "output view"
    ).split(),
)
def test_elements_that_are_read_again(f: Callable[[Any], Any]) -> None:
    found = lowered(lambda x: f(x @ x), X)
    assert _of_products(found) == 0


def _of_products(found: Lowered) -> int:
    """How many results lie where a product was."""
    schedule = found.program.schedule
    made = {step.node.results[0] for step in schedule.steps if isinstance(step, Product)}
    return sum(home in made for home in schedule.homes.values())


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (lambda a, b: (b, a), 0),
        (lambda a, b: (b + 1, a * 2), 0),
        (lambda a, b: (wg.exp(-a * a), a + b), 1),
        (lambda a, b: ((a + b) * 0.5, (a + b) * 0.5), 1),
        (lambda a, b: (a.T * 0.5, b), 0),
        (lambda a, b: (a * b, (a * b).T.copy() * b), 0),
    ],
    ids=["exchanged", "crossed", "one after the other", "the same", "turned", "both"],
)
def test_states_that_depend_on_each_other(body: Any, count: int) -> None:
    def f(x: Any) -> Any:
        return wg.scan(lambda c, _: (body(*c), None), (x, x * 0.5 + 0.1), None, length=3)

    found = lowered(f, X)
    (_, inner) = every(found.program.schedule)
    kept = [at.root is x for at, x in zip(inner.outputs, inner.carried, strict=False)]
    assert sum(kept) >= count


def test_a_state_that_is_stacked_before_it_changes() -> None:
    lowered(lambda x: wg.scan(lambda c, _: (c * 0.5 + 1, c), x, None, length=3), X)
    lowered(lambda x: wg.scan(lambda c, _: (c * 0.5 + 1, c.T), x, None, length=3), X)
    lowered(lambda x: wg.scan(lambda c, _: (y := c * 0.5 + 1, y.T), x, None, length=3), X)


def test_what_numpy_computes_takes_over_memory_too() -> None:
    found = lowered(lambda x: wg.tanh(polygamma(1, (x * x) @ (x * x).T) + x) * 2 @ x, X)
    assert found.not_native
    assert moves(found) == [2]
