"""Random numbers: the eager generator, and functions of keys."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy import special, stats

import wengert as wg
from wengert import random
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.interpreter import interpret
from wengert.core.tracing import trace_flat
from wengert.core.types import TensorSpec
from wengert.ops.random_ import default_generator, threefry

COUNT = 20_000


def words(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


@pytest.mark.parametrize(
    ("key", "counter", "expected"),
    [
        ((0, 0), (0, 0), (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)),
        ((2**64 - 1, 2**64 - 1), (2**64 - 1, 2**64 - 1), (0xE02CB7C4D95D277A, 0xD06633D0893B8B68)),
        (
            (0xA4093822299F31D0, 0x082EFA98EC4E6C89),
            (0x243F6A8885A308D3, 0x13198A2E03707344),
            (0x263C7D30BB0F0AF1, 0x56BE8361D3311526),
        ),
    ],
)
def test_threefry_gives_the_known_answers_of_random123(
    key: tuple[int, int], counter: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert threefry(words(*key), words(*counter)).tolist() == list(expected)


# -- the eager generator --------------------------------------------------------------------------------------------


def draws() -> list[np.ndarray]:
    tensors = (wg.rand(3), wg.randn(2, 2, dtype="float32"), wg.randint(0, 9, (4,)), wg.randperm(5), wg.bernoulli(0.5))
    return [x.numpy() for x in (*tensors, wg.dropout(wg.ones(8)))]


def test_a_seed_and_a_state_repeat_every_draw_bit_for_bit() -> None:
    wg.manual_seed(3)
    first = draws()
    state = wg.get_rng_state()
    second = draws()
    wg.set_rng_state(state)
    third = draws()
    wg.manual_seed(3)
    assert all(np.array_equal(a, b) for a, b in zip(first, draws(), strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(second, third, strict=True))
    assert not np.array_equal(first[0], second[0])


def test_a_state_is_restored_in_another_generator() -> None:
    wg.manual_seed(11)
    other = random.Generator()
    other.set_state(wg.get_rng_state())
    assert np.array_equal(other.next_key().numpy(), default_generator.next_key().numpy())


def test_threads_never_share_a_draw() -> None:
    wg.manual_seed(0)
    found: list[float] = []

    def work() -> None:
        found.extend(float(wg.rand(())) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 200
    wg.manual_seed(0)
    assert {float(wg.rand(())) for _ in range(200)} == set(found)


def test_eager_dtypes_shapes_and_leaves() -> None:
    assert wg.rand(2, 3).dtype == np.float64
    assert wg.rand((2, 3), dtype="float32").shape == (2, 3)
    assert wg.randn(dtype="complex64").dtype == np.complex64
    assert wg.randn(2, requires_grad=True).is_leaf
    assert wg.randn(2, requires_grad=True).requires_grad
    assert wg.randint(10, size=3).shape == (3,)
    assert wg.randint(10, (3, 1), dtype="uint8").dtype == np.uint8
    assert wg.randn_like(wg.zeros(2, dtype="float32")).dtype == np.float32
    assert sorted(wg.randperm(6).tolist()) == list(range(6))
    wg.set_default_dtype("float32")
    try:
        assert wg.rand(1).dtype == wg.bernoulli(0.5).dtype == wg.normal().dtype == np.float32
    finally:
        wg.set_default_dtype("float64")


def test_normal_follows_its_parameters_and_passes_gradients() -> None:
    mean = wg.tensor([1.0, -2.0], requires_grad=True)
    std = wg.tensor([[0.5], [2.0]], requires_grad=True)
    x = wg.normal(mean, std)
    assert x.shape == (2, 2)
    x.sum().backward()
    assert mean.grad is not None
    assert mean.grad.tolist() == [2.0, 2.0]
    assert std.grad is not None
    np.testing.assert_allclose(std.grad.numpy(), ((x.detach() - mean.detach()) / std.detach()).sum(1, keepdims=True))


def test_dropout_zeroes_a_share_scales_the_rest_and_masks_the_gradient() -> None:
    wg.manual_seed(0)
    x = wg.ones(COUNT, dtype="float32", requires_grad=True)
    y = wg.dropout(x, 0.25)
    assert y.dtype == np.float32
    assert set(np.unique(y.detach().numpy())) == {np.float32(0), np.float32(1 / 0.75)}
    zeros = float((y == 0).sum()) / COUNT
    # Four standard deviations of a Bernoulli mean.
    assert abs(zeros - 0.25) < 4 * np.sqrt(0.25 * 0.75 / COUNT)
    y.sum().backward()
    assert x.grad is not None
    assert np.array_equal(x.grad.numpy(), y.detach().numpy())


def test_dropout_at_its_ends() -> None:
    x = wg.tensor([1.0, np.inf])
    assert wg.dropout(x, 0.5, training=False) is x
    assert wg.dropout(x, 0.0) is x
    assert wg.dropout(wg.ones(3), 1.0).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: wg.manual_seed(1.5), DTypeError, "a seed is an integer, not 1.5"),
        (lambda: wg.set_rng_state([1, 2, 3]), DTypeError, "a uint64 tensor of shape \\(3,\\), not int64\\(3,\\)"),
        (lambda: wg.rand(2, dtype="int64"), DTypeError, "rand: a floating dtype is needed, not int64"),
        (lambda: wg.rand(-1), ShapeError, "rand: the shape \\(-1,\\) has a negative length"),
        (lambda: wg.rand("ab"), DTypeError, "a shape is integers"),
        (lambda: wg.randint(3, 3), ShapeError, "no integer from 3 up to but not including 3"),
        (lambda: wg.randint(0, 300, dtype="uint8"), ShapeError, "uint8 cannot hold the integers from 0 to 299"),
        (lambda: wg.randint(0.5, 3), DTypeError, "limits must be integers"),
        (lambda: wg.dropout(wg.ones(2), 1.5), ShapeError, "dropout: p is a probability, from 0 to 1, not 1.5"),
        (lambda: wg.dropout(wg.arange(2)), DTypeError, "dropout: a floating tensor is needed, not int64"),
        (lambda: random.normal(5, (2,)), DTypeError, "a key is a uint64 tensor of shape \\(2,\\)"),
        (lambda: random.normal(wg.arange(2), (2,)), DTypeError, "wengert.random.key\\(seed\\); got int64\\(2,\\)"),
        (lambda: random.key("a"), DTypeError, "a seed is an integer, not 'a'"),
        (lambda: random.normal(random.key(0), (2,), loc=wg.zeros(3)), ShapeError, "do not broadcast to the shape"),
        (lambda: random.choice(random.key(0), 3, (4,), replace=False), ShapeError, "4 of 3 elements without replace"),
        (lambda: random.choice(random.key(0), 3, p=[0.5, 0.5]), ShapeError, "p must have shape \\(3,\\), not \\(2,\\)"),
        (lambda: random.gamma(random.key(0), -1.0), ShapeError, "gamma: the shape must be positive, not -1.0"),
        (lambda: random.poisson(random.key(0), -1.0), ShapeError, "poisson: the mean must be at least zero"),
        (lambda: random.permutation(random.key(0), wg.ones(2), 3), ShapeError, "axis 3 is out of range for 1"),
        (lambda: random.fold_in(random.key(0), 0.5), DTypeError, "fold_in: data must be an integer, not float64"),
        (lambda: random.split(random.key(0), -1), ShapeError, "must not be negative, and is -1"),
    ],
)
def test_bad_arguments_are_refused(call, kind: type[Exception], text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(kind, match=text):
        call()


# -- keys -----------------------------------------------------------------------------------------------------------


def test_keys_are_pure_and_distinct() -> None:
    key = random.key(5)
    keys = [
        *random.split(key, 50),
        *(random.fold_in(key, i) for i in range(50)),
        key,
        random.key(-1),
        random.key(2**64),
    ]
    assert len({tuple(k.tolist()) for k in keys}) == 103
    assert np.array_equal(random.split(key, 3).numpy(), random.split(key, 5).numpy()[:3])
    assert np.array_equal(random.fold_in(key, wg.arange(3)).numpy()[2], random.fold_in(key, 2).numpy())
    before = wg.get_rng_state()
    random.normal(key, (3,))
    assert np.array_equal(before.numpy(), wg.get_rng_state().numpy())


DISTRIBUTIONS = {
    "uniform": (lambda key, n: random.uniform(key, n, minval=-1.0, maxval=3.0), stats.uniform(-1, 4)),
    "normal": (lambda key, n: random.normal(key, n, loc=1.0, scale=2.0), stats.norm(1, 2)),
    "truncated_normal": (lambda key, n: random.truncated_normal(key, -1.0, 2.0, n), stats.truncnorm(-1, 2)),
    "exponential": (lambda key, n: random.exponential(key, n, scale=2.0), stats.expon(scale=2)),
    "gumbel": (lambda key, n: random.gumbel(key, n, loc=1.0, scale=2.0), stats.gumbel_r(1, 2)),
    "laplace": (lambda key, n: random.laplace(key, n, scale=2.0), stats.laplace(scale=2)),
    "logistic": (lambda key, n: random.logistic(key, n, scale=2.0), stats.logistic(scale=2)),
    "cauchy": (lambda key, n: random.cauchy(key, n, loc=1.0), stats.cauchy(1)),
    "gamma": (lambda key, n: random.gamma(key, 0.7, n, scale=2.0), stats.gamma(0.7, scale=2)),
    "beta": (lambda key, n: random.beta(key, 0.7, 2.0, n), stats.beta(0.7, 2)),
    "chisquare": (lambda key, n: random.chisquare(key, 3.0, n), stats.chi2(3)),
    "t": (lambda key, n: random.t(key, 3.0, n), stats.t(3)),
    "lognormal": (lambda key, n: random.lognormal(key, n, loc=1.0, scale=0.5), stats.lognorm(0.5, scale=np.e)),
    "weibull": (lambda key, n: random.weibull(key, 1.5, n, scale=2.0), stats.weibull_min(1.5, scale=2)),
    "pareto": (lambda key, n: random.pareto(key, 2.5, n, scale=2.0), stats.pareto(2.5, scale=2)),
    "rayleigh": (lambda key, n: random.rayleigh(key, n, scale=2.0), stats.rayleigh(scale=2)),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_follow_their_distribution(name: str, dtype: str) -> None:
    draw, expected = DISTRIBUTIONS[name]
    wg.set_default_dtype(dtype)
    try:
        x = draw(random.key(12), (COUNT,))
    finally:
        wg.set_default_dtype("float64")
    assert x.dtype == dtype
    # Kolmogorov and Smirnov; the seed is fixed, so the test is no game of chance.
    assert stats.kstest(x.numpy().astype(float), expected.cdf).pvalue > 1e-3


def test_discrete_numbers_follow_their_distribution() -> None:
    key = random.key(3)
    p = np.array([0.1, 0.2, 0.3, 0.4])

    def frequencies(x: wg.Tensor) -> np.ndarray:
        return np.bincount(x.numpy(), minlength=4) / x.size

    # Five standard deviations.
    bound = 5 * np.sqrt(0.25 / COUNT)
    assert np.abs(frequencies(random.categorical(key, wg.log(wg.tensor(p)), shape=(COUNT,))) - p).max() < bound
    assert np.abs(frequencies(random.choice(key, 4, (COUNT,), p=p)) - p).max() < bound
    assert np.abs(frequencies(random.randint(key, (COUNT,), 0, 4)) - 0.25).max() < bound
    assert abs(float(random.bernoulli(key, 0.3, (COUNT,)).astype("float64").mean()) - 0.3) < bound
    assert abs(float(random.poisson(key, 4.0, (COUNT,)).astype("float64").mean()) - 4) < 5 * 2 / np.sqrt(COUNT)
    assert abs(float(random.binomial(key, 10, 0.3, (COUNT,)).astype("float64").mean()) - 3) < 5 * 1.5 / np.sqrt(COUNT)
    waits = random.geometric(key, 0.3, (COUNT,)).numpy()
    assert abs((waits == 1).mean() - 0.3) < bound
    assert abs((waits == 2).mean() - 0.21) < bound
    counts = random.multinomial(key, 9, p, (COUNT // 10,)).numpy()
    assert (counts.sum(axis=1) == 9).all()
    assert np.abs(counts.mean(axis=0) / 9 - p).max() < bound
    assert abs(float(random.rademacher(key, (COUNT,)).astype("float64").mean())) < 2 * bound


def test_choices_and_permutations() -> None:
    key = random.key(8)
    assert sorted(random.permutation(key, 7).tolist()) == list(range(7))
    table = wg.arange(12).reshape(3, 4)
    assert sorted(random.permutation(key, table, axis=1)[0].tolist()) == [0, 1, 2, 3]
    assert len(set(random.choice(key, 9, (3, 3), replace=False).numpy().ravel())) == 9
    picked = random.choice(key, wg.tensor([5.0, 6.0, 7.0]), (2,), replace=False, p=[0.0, 0.5, 0.5])
    assert sorted(picked.tolist()) == [6.0, 7.0]
    assert random.choice(key, table, (2,)).shape == (2, 4)


def test_vectors() -> None:
    x = random.dirichlet(random.key(0), wg.tensor([1.0, 2.0, 3.0]), (5,))
    np.testing.assert_allclose(x.sum(axis=-1).numpy(), np.ones(5))
    cov = np.array([[2.0, 0.6], [0.6, 1.0]])
    sample = random.multivariate_normal(random.key(1), [1.0, -1.0], cov, (COUNT,)).numpy()
    np.testing.assert_allclose(sample.mean(axis=0), [1, -1], atol=0.05)
    np.testing.assert_allclose(np.cov(sample.T), cov, atol=0.1)


def test_gradients_flow_to_the_parameters_of_reparameterised_distributions() -> None:
    low = wg.tensor([0.5, 1.0], requires_grad=True)
    high = wg.tensor(3.0, requires_grad=True)
    u = random.uniform(random.key(1), minval=low, maxval=high)
    u.sum().backward()
    share = (u.detach() - low.detach()) / (high.detach() - low.detach())
    assert low.grad is not None
    assert high.grad is not None
    np.testing.assert_allclose(low.grad.numpy(), 1 - share.numpy())
    np.testing.assert_allclose(float(high.grad), float(share.sum()))


def test_truncated_normal_is_differentiable_in_its_limits() -> None:
    limits = wg.tensor([-0.5, 1.0], requires_grad=True)
    assert wg.autograd.gradcheck(
        lambda x: random.truncated_normal(random.key(4), x[0], x[1], (3,)), (limits,), eps=1e-6, atol=1e-6, rtol=1e-5
    )


@pytest.mark.parametrize("a", [1e-3, 0.1, 0.9, 1.0, 4.0, 200.0])
def test_gamma_numbers_keep_their_place_when_the_shape_moves(a: float) -> None:
    shape = wg.tensor(a, requires_grad=True)
    z = random.gamma(random.key(5), shape, (50,))
    (slope,) = wg.autograd.grad(z, shape, wg.ones(50))
    each = wg.jvp(lambda a: random.gamma(random.key(5), a, (50,)), (shape.detach(),), (wg.tensor(1.0),))[1].numpy()
    np.testing.assert_allclose(slope.item(), each.sum(), rtol=1e-10)
    place = stats.gamma.cdf(z.detach().numpy(), a)
    ordinary = (place > 1e-3) & (place < 0.999) & (z.detach().numpy() > 1e-290)
    step = 1e-5 * a
    # Of logarithms, since for small shapes the quantile is nearly a power with a great exponent.
    upper, lower = (np.log(stats.gamma.ppf(place[ordinary], one)) for one in (a + step, a - step))
    expected = z.detach().numpy()[ordinary] * (upper - lower) / (2 * step)
    np.testing.assert_allclose(each[ordinary], expected, rtol=2e-7)


def test_the_second_derivative_of_gamma_numbers_is_that_of_their_quantile() -> None:
    second = wg.grad(wg.grad(lambda a: random.gamma(random.key(5), a, ())))(wg.tensor(2.5)).item()
    place = stats.gamma.cdf(random.gamma(random.key(5), 2.5, ()).item(), 2.5)
    h = 1e-3
    expected = (
        stats.gamma.ppf(place, 2.5 + h) - 2 * stats.gamma.ppf(place, 2.5) + stats.gamma.ppf(place, 2.5 - h)
    ) / h**2
    np.testing.assert_allclose(second, expected, rtol=1e-6)


def test_logarithms_of_gamma_numbers_do_not_round_to_zero() -> None:
    a = wg.tensor([1e-3, 0.3, 0.999, 2.0], requires_grad=True)
    logs = random.loggamma(random.key(1), a, (1000, 4))
    assert bool(wg.isfinite(logs).all())
    logs.sum().backward()
    values = logs.detach().numpy()
    # log P(a, z) = a log z - log Gamma(a + 1) for small z, and a number keeps P.
    tiny = values[:, 0] < -50
    assert tiny.any()
    each = wg.jvp(lambda a: random.loggamma(random.key(1), a, (1000, 4)), (a.detach(),), (wg.ones(4),))[1].numpy()
    expected = (special.digamma(1.001) - values[tiny, 0]) / 1e-3
    np.testing.assert_allclose(each[tiny, 0], expected, rtol=1e-12)
    assert a.grad is not None
    np.testing.assert_allclose(a.grad.numpy(), each.sum(axis=0), rtol=1e-9)
    for column in (1, 2, 3):
        assert stats.kstest(np.exp(values[:, column]), stats.gamma(float(a[column])).cdf).pvalue > 1e-3


def test_the_mean_of_beta_and_dirichlet_numbers_has_the_gradient_of_the_mean() -> None:
    a, b = wg.tensor(0.4, requires_grad=True), wg.tensor(1.7, requires_grad=True)
    random.beta(random.key(3), a, b, (COUNT,)).mean().backward()
    np.testing.assert_allclose([a.grad.item(), b.grad.item()], np.array([1.7, -0.4]) / 2.1**2, atol=0.01)
    alpha = wg.tensor([0.5, 1.0, 2.0], requires_grad=True)
    random.dirichlet(random.key(3), alpha, (COUNT,))[:, 2].mean().backward()
    np.testing.assert_allclose(alpha.grad.numpy(), np.array([-2, -2, 1.5]) / 3.5**2, atol=0.01)
    sparse = random.dirichlet(random.key(3), wg.full((3,), 1e-3), (COUNT,))
    np.testing.assert_allclose(sparse.sum(axis=-1).numpy(), 1.0)


def test_far_tails_of_the_normal_distribution() -> None:
    for low, high in ((7.0, 9.0), (-9.0, -7.0)):
        x = random.truncated_normal(random.key(0), low, high, (COUNT,)).numpy()
        assert stats.kstest(x, stats.truncnorm(low, high).cdf).pvalue > 1e-3


def test_draws_are_recorded_in_graphs() -> None:
    def draw(key, a):  # type: ignore[no-untyped-def]
        return random.gamma(key, a, (3,)).sum() + random.normal(key, (3,)).sum() + random.dirichlet(key, a).max()

    a = wg.tensor([0.5, 1.0, 2.0])
    graph = trace_flat(lambda key, a: [draw(key, a)], [TensorSpec((2,), "uint64"), TensorSpec((3,), "float64")])
    assert {"random_gamma", "random_log_gamma", "random_normal"} <= {node.primitive.name for node in graph.nodes}
    for seed in (0, 1):
        (found,) = interpret(graph, [random.key(seed), a])
        np.testing.assert_array_equal(found, draw(random.key(seed), a).numpy())


@pytest.mark.parametrize(
    "draw",
    [
        lambda key: random.uniform(key, (2, 3)),
        lambda key: random.normal(key, (3,), dtype="float32"),
        lambda key: random.randint(key, (4,), 0, 100),
        lambda key: random.permutation(key, 6),
        lambda key: random.laplace(key, ()),
        lambda key: random.gamma(key, 2.0, (2,)),
        lambda key: random.dirichlet(key, wg.tensor([0.5, 1.0]), (2,)),
        lambda key: random.binomial(key, 5, 0.5, (3,)),
        lambda key: random.choice(key, 9, (4,), replace=False),
        lambda key: random.multivariate_normal(key, wg.zeros(2), wg.eye(2), (3,)),
        lambda key: random.multinomial(key, 5, wg.tensor([0.5, 0.5])),
        lambda key: random.split(random.fold_in(key, 3), 2),
        lambda key: random.categorical(key, wg.zeros(5), shape=(3,)),
    ],
)
def test_mapping_over_keys_equals_a_loop(draw) -> None:  # type: ignore[no-untyped-def]
    keys = random.split(random.key(2), 5)
    together = wg.vmap(draw)(keys).numpy()
    assert np.array_equal(together, np.stack([draw(key).numpy() for key in keys]))
