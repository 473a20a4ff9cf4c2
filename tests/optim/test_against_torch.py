"""Twelve steps of every optimiser against numbers that PyTorch 2.13 gave in float64."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import optim
from wengert.core.errors import DTypeError

# PyTorch keeps the scalar state of NAdam and ASGD in float32, hence their wider margin.
NUMBERS: list[tuple[str, dict[str, Any], list[float], float]] = [
    (
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        [0.9222024925179998, 0.4961544163539286, 0.7450109336847258],
        1e-13,
    ),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}, [0.9820998946935767, -1.4092024441898743, 0.8457914664846792], 1e-13),
    (
        "Adam",
        {"lr": 0.05, "amsgrad": True, "maximize": True},
        [2.1135623942306427, -2.6079965737124704, -0.3085140062236126],
        1e-13,
    ),
    ("AdamW", {"lr": 0.05}, [0.9916037681438201, -1.3991153731706798, 0.8459544845445174], 1e-13),
    ("Adamax", {"lr": 0.05, "weight_decay": 0.1}, [1.0821934892519396, -1.4482091107308026, 0.733214829770905], 1e-13),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.1}, [1.1210763850357448, -1.532161029375354, 0.700102647277541], 1e-08),
    (
        "NAdam",
        {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
        [1.098098185619074, -1.4345469546614769, 0.6852222888890978],
        1e-08,
    ),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.1}, [1.1880405156046272, -0.4777797259430636, 0.899957722909625], 1e-13),
    (
        "RAdam",
        {"lr": 0.05, "betas": (0.8, 0.9), "decoupled_weight_decay": True, "weight_decay": 0.1},
        [1.0634035415382943, -0.3871964928413287, 0.9446677526039009],
        1e-13,
    ),
    (
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5},
        [1.1843010402462333, -1.6004522534111434, 0.6387557558601773],
        1e-13,
    ),
    (
        "Adadelta",
        {"lr": 1.0, "weight_decay": 0.1},
        [1.4604522030094618, -1.9594834299787272, 0.3394105645383722],
        1e-13,
    ),
    (
        "RMSprop",
        {"lr": 0.05, "momentum": 0.5, "centered": True, "weight_decay": 0.1},
        [0.7381301819479119, 0.6244102123469731, 0.7230097413458072],
        1e-13,
    ),
    ("Rprop", {"lr": 0.05}, [1.1341408, -0.02097488793600022, 1.0801644799999999], 1e-13),
    (
        "ASGD",
        {"lr": 0.05, "t0": 5, "weight_decay": 0.1},
        [1.072751254295624, -0.05429524968652011, 0.9287317372005331],
        1e-08,
    ),
    ("LBFGS", {"max_iter": 3}, [0.7207885690891737, 0.7207902976480327, 0.7207852743784079], 1e-13),
    ("LBFGS", {"max_iter": 4, "lr": 0.5}, [0.7207984561819001, 0.7207735779376537, 0.7207793644772652], 1e-13),
]


def run(name: str, options: dict[str, Any], steps: int, x: Any, states: list[Any] | None = None) -> Any:
    optimiser = getattr(optim, name)([x], **options)
    if states:
        optimiser.load_state_dict(states[0])

    def closure() -> Any:
        optimiser.zero_grad()
        loss = ((x - 1) ** 2).sum() + (x[0] * x[1] * x[2]).sin() + (x**4).sum() * 0.05
        loss.backward()
        return loss

    for _ in range(steps):
        optimiser.step(closure)
    return optimiser


@pytest.mark.parametrize(("name", "options", "expected", "margin"), NUMBERS)
def test_twelve_steps(name: str, options: dict[str, Any], expected: list[float], margin: float) -> None:
    x = wg.tensor([1.5, -2.0, 0.3], requires_grad=True)
    run(name, options, 12, x)
    np.testing.assert_allclose(x.detach().numpy(), expected, rtol=margin, atol=margin)


@pytest.mark.parametrize(("name", "options", "expected", "margin"), NUMBERS)
def test_resumed_is_bit_equal(name: str, options: dict[str, Any], expected: list[float], margin: float) -> None:
    whole = wg.tensor([1.5, -2.0, 0.3], requires_grad=True)
    run(name, options, 7, whole)
    part = wg.tensor([1.5, -2.0, 0.3], requires_grad=True)
    first = run(name, options, 4, part)
    resumed = wg.tensor(part.detach().numpy(), requires_grad=True)
    saved = first.state_dict()
    run(name, options, 3, resumed, [saved])
    if name == "LBFGS":
        # One call of ``step`` evaluates the gradient anew, so nothing but the pairs needs to be remembered.
        assert len(saved["state"][0]["steps"]) > 0
    assert np.array_equal(resumed.detach().numpy(), whole.detach().numpy())


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "RMSprop", "Rprop"])
def test_float32_stays_and_maximize_climbs(name: str) -> None:
    x = wg.tensor([0.5], dtype="float32", requires_grad=True)
    optimiser = getattr(optim, name)([x], lr=0.1, maximize=True)
    (-((x - 2) ** 2)).sum().backward()
    optimiser.step()
    assert x.dtype == np.float32
    assert float(x) > 0.5


def test_newton_cg() -> None:
    a = wg.tensor([-1.5], requires_grad=True)
    b = wg.tensor(2.0, requires_grad=True)
    optimiser = optim.NewtonCG([a, b])
    losses = [float(optimiser.step(lambda: ((1 - a) ** 2 + 100 * (b - a**2) ** 2).sum())) for _ in range(30)]
    assert all(after <= before for before, after in itertools.pairwise(losses))
    np.testing.assert_allclose([float(a), float(b)], 1.0, rtol=1e-8)
    # A linear loss has no curvature: the step is that of steepest descent.
    c = wg.tensor([1.0], requires_grad=True)
    optim.NewtonCG([c]).step(lambda: 3 * c.sum())
    assert c.tolist() == [-2.0]


def test_one_group_and_a_closure() -> None:
    x, y = wg.ones(2, requires_grad=True), wg.ones(2, requires_grad=True)
    for kind in (optim.LBFGS, optim.NewtonCG):
        with pytest.raises(DTypeError, match="one parameter group"):
            kind([{"params": [x]}, {"params": [y]}])
        with pytest.raises(DTypeError, match="needs a closure"):
            kind([x]).step()
