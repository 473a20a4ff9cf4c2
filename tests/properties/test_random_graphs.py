"""Random graphs: whatever is built, reverse mode, forward mode, checkpointing and differences agree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert as wg

#: Smooth, bounded building blocks, so that differences are trustworthy at any depth.
UNARY: dict[str, Callable[[wg.Tensor], wg.Tensor]] = {
    "tanh": lambda x: x.tanh(),
    "sin": wg.sin,
    "sigmoid": lambda x: x.sigmoid(),
    "softsign": lambda x: x / (1.0 + x * x),
    "square_tanh": lambda x: (x * x).tanh(),
    "flip": lambda x: x[::-1],
    "roll": lambda x: wg.roll(x, 1),
    "cumsum": lambda x: wg.cumsum(x, axis=0).tanh(),
    "centre": lambda x: x - x.mean(),
    "gather": lambda x: x[np.array([0, 0, 2, 1])],
    "softmax": lambda x: x.softmax(axis=0),
    "reshape": lambda x: (x.reshape(2, 2) @ x.reshape(2, 2).T).reshape(4).tanh(),
}
BINARY: dict[str, Callable[[wg.Tensor, wg.Tensor], wg.Tensor]] = {
    "add": lambda x, y: x + y,
    "multiply": lambda x, y: x * y,
    "subtract": lambda x, y: x - y,
    "average": lambda x, y: 0.5 * (x + y),
    "hypot": lambda x, y: wg.sqrt(x * x + y * y + 1.0),
    "dot": lambda x, y: x * (x @ y).tanh(),
    "where": lambda x, y: wg.where(np.array([True, False, True, False]), x, y),
}

Step = tuple[str, int, int]


@st.composite
def programs(draw: st.DrawFn) -> list[Step]:
    """Steps that each name an operation and the two earlier values it may use."""
    count = draw(st.integers(1, 12))
    steps = []
    for position in range(count):
        name = draw(st.sampled_from(sorted(UNARY) + sorted(BINARY)))
        steps.append((name, draw(st.integers(0, position + 1)), draw(st.integers(0, position + 1))))
    return steps


def run(program: list[Step], x: wg.Tensor, y: wg.Tensor) -> wg.Tensor:
    values = [x, y]
    for name, i, j in program:
        values.append(UNARY[name](values[i]) if name in UNARY else BINARY[name](values[i], values[j]))
    return (values[-1] * np.array([1.0, -2.0, 0.5, 3.0])).sum() + 0.1 * (x * y).sum()


POINTS = st.lists(st.floats(-2, 2), min_size=8, max_size=8)


@given(programs(), POINTS)
@settings(max_examples=120, deadline=None)
def test_reverse_forward_differences_and_checkpoint_agree(program: list[Step], numbers: list[float]) -> None:
    x, y = np.array(numbers[:4]), np.array(numbers[4:])
    tx, ty = wg.tensor(x, requires_grad=True), wg.tensor(y, requires_grad=True)
    out = run(program, tx, ty)
    out.backward()
    v = np.array([0.3, -0.7, 0.2, 0.5])
    _, tangent = wg.jvp(lambda a, b: run(program, a, b), (wg.tensor(x), wg.tensor(y)), (wg.tensor(v), wg.tensor(-v)))
    reverse = float(tx.grad.numpy() @ v - ty.grad.numpy() @ v)
    scale = max(1.0, abs(reverse), float(np.abs(tx.grad.numpy()).max()), float(np.abs(ty.grad.numpy()).max()))
    assert abs(tangent.item() - reverse) <= 1e-11 * scale
    h = 1e-5
    ahead = run(program, wg.tensor(x + h * v), wg.tensor(y - h * v)).item()
    behind = run(program, wg.tensor(x - h * v), wg.tensor(y + h * v)).item()
    # Central differences: truncation h^2 f''' / 6 with steep compositions of up to 12 steps, rounding 1e-11.
    assert abs((ahead - behind) / (2 * h) - reverse) <= 2e-5 * scale * 10
    cx, cy = wg.tensor(x, requires_grad=True), wg.tensor(y, requires_grad=True)
    replayed = wg.checkpoint(lambda a, b: run(program, a, b))(cx, cy)
    assert replayed.item() == out.item()
    replayed.backward()
    np.testing.assert_array_equal(cx.grad.numpy(), tx.grad.numpy())
    np.testing.assert_array_equal(cy.grad.numpy(), ty.grad.numpy())


@given(programs(), POINTS)
@settings(max_examples=40, deadline=None)
def test_hessians_are_symmetric_and_the_same_in_every_mode(program: list[Step], numbers: list[float]) -> None:
    x, y = wg.tensor(numbers[:4]), wg.tensor(numbers[4:])

    def f(a: wg.Tensor) -> wg.Tensor:
        return run(program, a, y)

    over = wg.jacfwd(wg.grad(f))(x).numpy()
    under = wg.jacrev(wg.grad(f))(x).numpy()
    scale = max(1.0, float(np.abs(over).max()))
    np.testing.assert_allclose(over, over.T, atol=1e-9 * scale)
    np.testing.assert_allclose(over, under, atol=1e-9 * scale)


@given(programs(), POINTS)
@settings(max_examples=40, deadline=None)
def test_batched_gradients_equal_a_loop(program: list[Step], numbers: list[float]) -> None:
    y = wg.tensor(numbers[4:])
    rows = np.array([numbers[:4], numbers[4:], [0.1, 0.2, 0.3, 0.4]])
    gradient = wg.grad(lambda a: run(program, a, y))
    batched = wg.vmap(gradient)(wg.tensor(rows)).numpy()
    loop = np.stack([gradient(wg.tensor(row)).numpy() for row in rows])
    np.testing.assert_allclose(batched, loop, rtol=1e-10, atol=1e-10 * max(1.0, float(np.abs(loop).max())))


@given(programs(), POINTS)
@settings(max_examples=60, deadline=None)
def test_sparse_derivatives_equal_dense_ones(program: list[Step], numbers: list[float]) -> None:
    x, y = wg.tensor(numbers[:4]), wg.tensor(numbers[4:])

    def f(a: wg.Tensor) -> wg.Tensor:
        return run(program, a, y)

    gradient = wg.grad(f)
    dense = wg.jacrev(gradient)(x).numpy()
    scale = max(1.0, float(np.abs(dense).max()))
    for mode in ("forward", "reverse"):
        found = wg.jacobian(gradient, mode=mode, sparse=True)(x).toarray()
        np.testing.assert_allclose(found, dense, atol=1e-9 * scale)
    np.testing.assert_allclose(wg.hessian(f, sparse=True)(x).toarray(), dense, atol=1e-9 * scale)


@pytest.mark.long
@given(programs(), POINTS)
@settings(max_examples=3000, deadline=None)
def test_many_more_random_graphs(program: list[Step], numbers: list[float]) -> None:
    test_reverse_forward_differences_and_checkpoint_agree.hypothesis.inner_test(program, numbers)
