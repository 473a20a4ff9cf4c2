"""``wengert.numpy.random``: NumPy's names and arguments, tensors as results."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import ShapeError
from wengert.numpy import random

#: Arguments without a size, and the shape of what they give.
CALLS = {
    "random": ((), ()),
    "random_sample": ((), ()),
    "uniform": ((np.zeros(3), 2.0), (3,)),
    "standard_normal": ((), ()),
    "normal": ((0.0, np.ones((2, 1))), (2, 1)),
    "lognormal": ((1.0, 0.5), ()),
    "multivariate_normal": ((np.zeros(2), np.eye(2)), (2,)),
    "standard_exponential": ((), ()),
    "exponential": ((2.0,), ()),
    "standard_gamma": ((np.array([1.0, 2.0, 3.0]),), (3,)),
    "gamma": ((2.0, 3.0), ()),
    "chisquare": ((3.0,), ()),
    "standard_t": ((3.0,), ()),
    "beta": ((1.0, 2.0), ()),
    "dirichlet": (([1.0, 2.0, 3.0],), (3,)),
    "laplace": ((), ()),
    "logistic": ((), ()),
    "gumbel": ((), ()),
    "standard_cauchy": ((), ()),
    "rayleigh": ((), ()),
    "weibull": ((2.0,), ()),
    "pareto": ((2.0,), ()),
    "integers": ((3, 9), ()),
    "poisson": ((4.0,), ()),
    "binomial": ((5, 0.5), ()),
    "geometric": ((0.5,), ()),
    "multinomial": ((5, [0.5, 0.5]), (2,)),
    "choice": ((5,), ()),
}
VECTORS = {"multivariate_normal", "dirichlet", "multinomial"}


@pytest.mark.parametrize("name", CALLS)
def test_shapes_seeds_and_signatures(name: str) -> None:
    args, shape = CALLS[name]
    draw = getattr(random.default_rng(3), name)
    one = draw(*args)
    assert isinstance(one, wg.Tensor)
    assert one.shape == shape
    assert draw(*args, size=(2, 3)).shape == ((2, 3, *shape) if name in VECTORS else (2, 3))
    assert np.array_equal(one.numpy(), getattr(random.default_rng(3), name)(*args).numpy())
    theirs = inspect.signature(getattr(np.random.default_rng(0), name, None) or np.random.random_sample)
    ours = list(inspect.signature(draw).parameters)
    leading = [one for one in theirs.parameters if one in ours]
    assert leading == ours[: len(leading)]


def test_the_functions_share_the_eager_generator() -> None:
    random.seed(5)
    first = random.randn(2, 3)
    wg.manual_seed(5)
    assert np.array_equal(first.numpy(), wg.randn(2, 3).numpy())
    state = random.get_state()
    again = [random.rand(2).numpy(), random.randint(9, size=3).numpy(), random.choice(4, 2, replace=False).numpy()]
    random.set_state(state)
    for one, other in zip(
        again, (random.rand(2), random.randint(9, size=3), random.choice(4, 2, replace=False)), strict=True
    ):
        assert np.array_equal(one, other.numpy())
    assert random.default_rng().random() != random.default_rng().random()
    random.seed()


def test_limits() -> None:
    rng = random.default_rng(0)
    assert set(rng.integers(2, size=200).tolist()) == {0, 1}
    assert set(rng.integers(1, 2, size=200, endpoint=True, dtype="int8").tolist()) == {1, 2}
    assert rng.integers(1, 2, size=3, dtype="int8").dtype == np.int8
    assert float(rng.pareto(3.0, 1000).min()) < 0.1
    assert rng.random(3, "float32").dtype == np.float32
    assert len(rng.bytes(5)) == 5


def test_shuffling() -> None:
    rng = random.default_rng(0)
    x = wg.arange(12).reshape(6, 2)
    rng.shuffle(x)
    assert sorted(x[:, 0].tolist()) == [0, 2, 4, 6, 8, 10]
    assert (x[:, 1] - x[:, 0]).tolist() == [1] * 6
    assert sorted(rng.permutation(4).tolist()) == [0, 1, 2, 3]
    with pytest.raises(ShapeError, match=r"shuffle works in place on tensors, not on a list; use permutation\(x\)"):
        rng.shuffle([1, 2])


def test_gradients_flow_to_parameters() -> None:
    scale = wg.tensor(2.0, requires_grad=True)
    z = random.default_rng(0).gamma(3.0, scale, size=4)
    z.sum().backward()
    assert scale.grad is not None
    np.testing.assert_allclose(scale.grad.item(), z.sum().item() / 2)
