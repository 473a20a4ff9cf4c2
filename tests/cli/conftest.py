"""A folder with a user's files, and the command line run in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from wengert.cli import main
from wengert.cli.loading import loaded

MODEL = """
import numpy as np
import wengert as wg
from helper import squash
from .helper import double
from wengert import nn

X = np.arange(12.0).reshape(4, 3) / 12


def loss(w=np.ones((3, 2)), x=X, rate=0.5, steps=2, kind="sum"):
    h = x @ w
    for _ in range(steps):
        h = squash(h)
    return getattr(double(h) * rate, kind)()


def plain(w=np.ones((3, 2)), x=X, rate=0.5):
    h = squash(squash(x @ w))
    return (double(h) * rate).sum()


def pair(a, b):
    return {"sum": a + b, "product": a * b}


def example_inputs_pair():
    return wg.TensorSpec((3,)), np.array([1.0, 2.0, 3.0])


def needs(a, b):
    return (a * b).sum()


def raises(x=1.0):
    raise ValueError("this is wrong")


def misfit(x=np.ones(3)):
    return x @ np.ones((5, 5))


def branch(x=1.0):
    return x * 2 if x > 0 else x


def cut(x=1.0, y=2.0):
    return x.detach() * y


@wg.custom_vjp
def cube(x):
    return x**3


cube.defvjp(lambda x: (x**3, x), lambda x, g: (2 * g * x,))


def wrong(x=np.array([1.0, 2.0])):
    return cube(x).sum()


def noisy(x=np.ones(3)):
    return (x * np.random.default_rng().normal(size=3)).sum()


def nan(x=np.array([-1.0, 2.0])):
    return wg.sqrt(x).sum()


def prints(x=1.0):
    print("printed by the function")
    return x * x


wg.manual_seed(0)
network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def example_inputs_network():
    return X


class Switched(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x, double=True, *, repeat=1):
        for _ in range(repeat):
            y = self.linear(x)
        return y * 2 if double else y


switched = Switched()
weights = wg.tensor([1.0, 2.0], requires_grad=True)
result = (weights * weights).sum()
"""

HELPER = """
import wengert as wg


def squash(x):
    return wg.tanh(x)


def double(x):
    return 2 * x
"""


class Ran(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "helper.py").write_text(HELPER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def cli(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs a command line in the folder."""

    def run(*words: str) -> Ran:
        capfd.readouterr()
        code = main(words)
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture
def model(folder: Path) -> Iterator[Any]:
    """The module of ``model.py``, for comparison."""
    with loaded(folder / "model.py") as module:
        yield module
