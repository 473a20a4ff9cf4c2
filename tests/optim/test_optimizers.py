"""Optimisers against their update rules written out, and on a problem with a known answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

import wengert as wg
from wengert import optim
from wengert.core.errors import DTypeError, StateError


def steps(make, gradients):  # type: ignore[no-untyped-def]
    """The parameter after each of the given gradients."""
    p = wg.tensor([1.0, -2.0], requires_grad=True)
    optimiser = make([p])
    path = []
    for g in gradients:
        p.grad = wg.tensor(g)
        optimiser.step()
        path.append(p.detach().numpy().copy())
    return np.array(path)


GRADIENTS = [np.array([0.5, -1.0]), np.array([0.1, 2.0]), np.array([-0.3, 0.7])]


def test_sgd() -> None:
    path = steps(lambda p: optim.SGD(p, lr=0.1), GRADIENTS)
    np.testing.assert_allclose(path, np.array([1.0, -2.0]) - 0.1 * np.cumsum(GRADIENTS, axis=0))


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_momentum_and_weight_decay(nesterov: bool) -> None:
    path = steps(lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=nesterov), GRADIENTS)
    x, v = np.array([1.0, -2.0]), None
    for g, found in zip(GRADIENTS, path, strict=True):
        g = g + 0.01 * x
        v = g if v is None else 0.9 * v + g
        x = x - 0.1 * (g + 0.9 * v if nesterov else v)
        np.testing.assert_allclose(found, x, rtol=1e-14)


@pytest.mark.parametrize("decoupled", [False, True])
def test_adam_and_adamw(decoupled: bool) -> None:
    kind = optim.AdamW if decoupled else optim.Adam
    path = steps(lambda p: kind(p, lr=0.1, weight_decay=0.02), GRADIENTS)
    x, m, v = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    for t, (g, found) in enumerate(zip(GRADIENTS, path, strict=True), 1):
        if decoupled:
            x = x * (1 - 0.1 * 0.02)
        else:
            g = g + 0.02 * x
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        x = x - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        np.testing.assert_allclose(found, x, rtol=1e-12)


def test_rmsprop() -> None:
    path = steps(lambda p: optim.RMSprop(p, lr=0.1), GRADIENTS)
    x, v = np.array([1.0, -2.0]), np.zeros(2)
    for g, found in zip(GRADIENTS, path, strict=True):
        v = 0.99 * v + 0.01 * g**2
        x = x - 0.1 * g / (np.sqrt(v) + 1e-8)
        # The first step takes 1 - 1: what is left is rounding of numbers of size 1.
        np.testing.assert_allclose(found, x, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
        lambda p: optim.Adam(p, lr=0.1),
        lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
        lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.0),
        lambda p: optim.RMSprop(p, lr=0.02, momentum=0.5, centered=True),
    ],
)
def test_they_find_the_minimum_of_a_quadratic(make) -> None:  # type: ignore[no-untyped-def]
    x = wg.tensor([3.0, -4.0], requires_grad=True)
    optimiser = make([x])
    for _ in range(600):
        optimiser.zero_grad()
        loss = ((x - wg.tensor([1.0, 2.0])) ** 2 * wg.tensor([1.0, 3.0])).sum()
        loss.backward()
        optimiser.step()
    np.testing.assert_allclose(x.detach().numpy(), [1.0, 2.0], atol=0.05)


def test_a_step_does_not_disturb_a_graph_that_still_needs_the_old_value() -> None:
    x = wg.tensor([3.0], requires_grad=True)
    y = (x * x).sum()
    x.grad = wg.tensor([1.0])
    optim.SGD([x], lr=1.0).step()
    assert x.tolist() == [2.0]
    x.grad = None
    y.backward()
    assert x.grad.tolist() == [6.0]


def test_groups_have_their_own_options() -> None:
    a, b = wg.tensor(1.0, requires_grad=True), wg.tensor(1.0, requires_grad=True)
    optimiser = optim.SGD([{"params": [a], "lr": 1.0}, {"params": [b]}], lr=0.1)
    a.grad = b.grad = wg.tensor(1.0)
    optimiser.step()
    assert (a.item(), b.item()) == (0.0, 0.9)


def test_state_is_restored() -> None:
    def run(interrupted: bool) -> np.ndarray:
        p = wg.tensor([1.0, -2.0], requires_grad=True)
        optimiser = optim.Adam([p], lr=0.1)
        for g in GRADIENTS:
            if interrupted:
                state = optimiser.state_dict()
                optimiser = optim.Adam([p], lr=0.5)
                optimiser.load_state_dict(state)
            p.grad = wg.tensor(g)
            optimiser.step()
        return p.detach().numpy()

    np.testing.assert_array_equal(run(True), run(False))
    state = optim.Adam([wg.ones(2, requires_grad=True)]).state_dict()
    with pytest.raises(StateError, match="other parameter groups"):
        optim.Adam([wg.ones(2, requires_grad=True), wg.ones(3, requires_grad=True)]).load_state_dict(state)


def test_wrong_options_and_parameters() -> None:
    x = wg.ones(2, requires_grad=True)
    with pytest.raises(DTypeError, match="lr must be non-negative"):
        optim.SGD([x], lr=-1.0)
    with pytest.raises(DTypeError, match="got no parameters"):
        optim.SGD([])
    with pytest.raises(DTypeError, match="leaf tensors"):
        optim.SGD([x * 2])
    with pytest.raises(DTypeError, match="more than one group"):
        optim.SGD([x, x])
    with pytest.raises(DTypeError, match="Nesterov"):
        optim.SGD([x], nesterov=True)
    with pytest.raises(DTypeError, match="betas"):
        optim.Adam([x], betas=(1.0, 0.9))
    with pytest.raises(TypeError, match="no option"):
        optim.SGD([{"params": [x], "speed": 1}])


def test_schedules() -> None:
    def rates(make, count: int = 5) -> list[float]:  # type: ignore[no-untyped-def]
        optimiser = optim.SGD([wg.ones(1, requires_grad=True)], lr=1.0)
        schedule = make(optimiser)
        found = []
        for _ in range(count):
            found.append(schedule.get_last_lr()[0])
            schedule.step()
        return found

    s = optim.lr_scheduler
    assert rates(lambda o: s.StepLR(o, 2, 0.5)) == [1.0, 1.0, 0.5, 0.5, 0.25]
    assert rates(lambda o: s.MultiStepLR(o, [1, 3], 0.1)) == pytest.approx([1.0, 0.1, 0.1, 0.01, 0.01])
    assert rates(lambda o: s.ExponentialLR(o, 0.5)) == [1.0, 0.5, 0.25, 0.125, 0.0625]
    assert rates(lambda o: s.LambdaLR(o, lambda e: 1 / (1 + e)))[3] == 0.25
    assert rates(lambda o: s.CosineAnnealingLR(o, 4)) == pytest.approx(
        [(1 + math.cos(math.pi * k / 4)) / 2 for k in range(5)]
    )
