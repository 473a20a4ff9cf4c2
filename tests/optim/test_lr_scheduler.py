"""Schedules against the rates that PyTorch 2.13 gave for the first of two groups (initial rates 0.5 and 0.2)."""

from __future__ import annotations

from typing import Any

import pytest

import wengert as wg
from wengert import optim
from wengert.core.errors import DTypeError, StateError
from wengert.optim import lr_scheduler as s

MAKERS: dict[str, Any] = {
    "LambdaLR": lambda o: s.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)]),
    "MultiplicativeLR": lambda o: s.MultiplicativeLR(o, lambda e: 1 - 0.05 * e),
    "StepLR": lambda o: s.StepLR(o, 3, 0.5),
    "MultiStepLR": lambda o: s.MultiStepLR(o, [2, 7], 0.1),
    "ConstantLR": s.ConstantLR,
    "LinearLR": lambda o: s.LinearLR(o, 0.25, 0.8, 6),
    "PolynomialLR": lambda o: s.PolynomialLR(o, 8, 2.0),
    "CosineAnnealingLR": lambda o: s.CosineAnnealingLR(o, 6, eta_min=0.01),
    "CosineAnnealingWarmRestarts": lambda o: s.CosineAnnealingWarmRestarts(o, 3, 2, eta_min=0.01),
    "OneCycleLR": lambda o: s.OneCycleLR(o, 1.0, 15),
    "OneCycleLR linear": lambda o: s.OneCycleLR(o, 1.0, 15, anneal_strategy="linear", pct_start=0.4),
    "CyclicLR": lambda o: s.CyclicLR(o, 0.1, 1.0, 3, 4, mode="triangular2"),
    "CyclicLR exp": lambda o: s.CyclicLR(o, 0.1, 1.0, 3, mode="exp_range", gamma=0.9),
    "SequentialLR": lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 4), s.CosineAnnealingLR(o, 8)], [4]),
    "ChainedScheduler": lambda o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9)]),
    "ReduceLROnPlateau": lambda o: s.ReduceLROnPlateau(o, patience=1, factor=0.5, cooldown=1),
}
METRICS = [5, 4, 4, 4, 4, 3.9, 3.9, 3.9, 3.9, 1, 2, 2, 2]
EXPECTED = {
    "LambdaLR": [
        0.5,
        0.45,
        0.405,
        0.3645,
        0.32805,
        0.295245,
        0.2657205,
        0.23914845,
        0.215233605,
        0.1937102445,
        0.17433922005,
        0.156905298045,
        0.141214768241,
    ],
    "MultiplicativeLR": [
        0.5,
        0.475,
        0.4275,
        0.363375,
        0.2907,
        0.218025,
        0.1526175,
        0.099201375,
        0.059520825,
        0.03273645375,
        0.016368226875,
        0.007365702094,
        0.002946280837,
    ],
    "StepLR": [0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.0625, 0.0625, 0.0625, 0.03125],
    "MultiStepLR": [0.5, 0.5, 0.05, 0.05, 0.05, 0.05, 0.05, 0.005, 0.005, 0.005, 0.005, 0.005, 0.005],
    "ConstantLR": [
        0.166666666667,
        0.166666666667,
        0.166666666667,
        0.166666666667,
        0.166666666667,
        0.5,
        0.5,
        0.5,
        0.5,
        0.5,
        0.5,
        0.5,
        0.5,
    ],
    "LinearLR": [
        0.125,
        0.170833333333,
        0.216666666667,
        0.2625,
        0.308333333333,
        0.354166666667,
        0.4,
        0.4,
        0.4,
        0.4,
        0.4,
        0.4,
        0.4,
    ],
    "PolynomialLR": [0.5, 0.3828125, 0.28125, 0.1953125, 0.125, 0.0703125, 0.03125, 0.0078125, 0.0, 0.0, 0.0, 0.0, 0.0],
    "CosineAnnealingLR": [
        0.5,
        0.467176223927,
        0.3775,
        0.255,
        0.1325,
        0.042823776073,
        0.01,
        0.042823776073,
        0.1325,
        0.255,
        0.3775,
        0.467176223927,
        0.5,
    ],
    "CosineAnnealingWarmRestarts": [
        0.5,
        0.3775,
        0.1325,
        0.5,
        0.467176223927,
        0.3775,
        0.255,
        0.1325,
        0.042823776073,
        0.5,
        0.491651827441,
        0.467176223927,
        0.428241161391,
    ],
    "OneCycleLR": [
        0.04,
        0.220724895108,
        0.626810048299,
        0.952465056593,
        0.994415435451,
        0.950484632013,
        0.866526469811,
        0.750001,
        0.611262021936,
        0.462637102667,
        0.317332218499,
        0.18825834605,
        0.08688426532,
    ],
    "OneCycleLR linear": [
        0.04,
        0.232,
        0.424,
        0.616,
        0.808,
        1.0,
        0.888889333333,
        0.777778666667,
        0.666668,
        0.555557333333,
        0.444446666667,
        0.333336,
        0.222225333333,
    ],
    "CyclicLR": [0.1, 0.4, 0.7, 1.0, 0.775, 0.55, 0.325, 0.1, 0.25, 0.4, 0.55, 0.4375, 0.325],
    "CyclicLR exp": [
        0.1,
        0.37,
        0.586,
        0.7561,
        0.49366,
        0.277147,
        0.1,
        0.24348907,
        0.358280326,
        0.4486784401,
        0.30920706406,
        0.194143178827,
        0.1,
    ],
    "SequentialLR": [
        0.05,
        0.1625,
        0.275,
        0.3875,
        0.5,
        0.480969883128,
        0.426776695297,
        0.345670858091,
        0.25,
        0.154329141909,
        0.073223304703,
        0.019030116872,
        0.0,
    ],
    "ChainedScheduler": [
        0.05,
        0.045,
        0.0405,
        0.3645,
        0.32805,
        0.295245,
        0.2657205,
        0.23914845,
        0.215233605,
        0.1937102445,
        0.17433922005,
        0.156905298045,
        0.141214768241,
    ],
    "ReduceLROnPlateau": [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.0625],
}


def made(name: str) -> tuple[Any, Any]:
    groups = [{"params": [wg.ones(1, requires_grad=True)], "lr": lr} for lr in (0.5, 0.2)]
    optimiser = optim.SGD(groups, lr=1.0)
    return optimiser, MAKERS[name](optimiser)


def advance(schedule: Any, metric: float) -> None:
    if isinstance(schedule, s.ReduceLROnPlateau):
        schedule.step(metric)
    else:
        schedule.step()


@pytest.mark.parametrize("name", MAKERS)
def test_rates(name: str) -> None:
    optimiser, schedule = made(name)
    found = []
    for metric in METRICS:
        found.append(optimiser.param_groups[0]["lr"])
        advance(schedule, metric)
    assert found == pytest.approx(EXPECTED[name], rel=1e-10)


@pytest.mark.parametrize("name", MAKERS)
def test_resumed(name: str) -> None:
    optimiser, schedule = made(name)
    other, resumed = made(name)
    for metric in METRICS[:6]:
        advance(schedule, metric)
    other.load_state_dict(optimiser.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    for metric in METRICS[6:]:
        advance(schedule, metric)
        advance(resumed, metric)
        assert resumed.get_last_lr() == schedule.get_last_lr()


def test_wrong_options() -> None:
    optimiser, _ = made("StepLR")
    with pytest.raises(DTypeError, match="1 functions for 2 parameter groups"):
        s.LambdaLR(optimiser, [lambda e: 1.0])
    with pytest.raises(DTypeError, match="need 1 milestones"):
        s.SequentialLR(optimiser, [s.ConstantLR(optimiser), s.ConstantLR(optimiser)], [1, 2])
    with pytest.raises(DTypeError, match="'triangular'"):
        s.CyclicLR(optimiser, 0.1, 1.0, mode="round")
    schedule = s.OneCycleLR(optimiser, 1.0, 2)
    schedule.step()
    with pytest.raises(StateError, match="step 2 of a schedule of 2"):
        schedule.step()
