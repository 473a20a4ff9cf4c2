"""``wengert.scipy.stats`` against SciPy, and its derivatives against central differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import wengert as wg
from tests.laws.samples import definite, normal
from wengert import random
from wengert.core.errors import DTypeError, LinearAlgebraError, ShapeError, UnsupportedFunctionError
from wengert.scipy import stats

#: Shape parameters.
CONTINUOUS = {
    "norm": (),
    "t": (3.5,),
    "beta": (0.7, 2.5),
    "gamma": (2.3,),
    "chi2": (3.2,),
    "invgamma": (2.7,),
    "f": (3.5, 5.2),
    "expon": (),
    "uniform": (),
    "laplace": (),
    "logistic": (),
    "lognorm": (0.8,),
    "cauchy": (),
    "halfcauchy": (),
    "halfnorm": (),
    "gumbel_r": (),
    "gumbel_l": (),
    "weibull_min": (1.7,),
    "pareto": (2.6,),
    "rayleigh": (),
    "truncnorm": (-0.7, 1.4),
    "vonmises": (1.3,),
}
DISCRETE = {
    "poisson": (2.4,),
    "binom": (7, 0.3),
    "bernoulli": (0.3,),
    "geom": (0.3,),
    "nbinom": (3.5, 0.4),
    "betabinom": (7, 1.4, 2.2),
}
LOC, SCALE = 0.4, 1.7
WITHOUT_CDF = {"vonmises", "betabinom"}
METHODS = ["pdf", "logpdf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf"]


def points(name: str, method: str) -> np.ndarray:
    """Numbers inside the support."""
    q = np.array([0.02, 0.3, 0.55, 0.9, 0.99])
    return q if method in ("ppf", "isf") else getattr(scipy.stats, name).ppf(q, *CONTINUOUS[name], LOC, SCALE)


CASES = [(name, method) for name in CONTINUOUS for method in METHODS if name not in WITHOUT_CDF or "pdf" in method]


@pytest.mark.parametrize(("name", "method"), CASES)
def test_continuous(name: str, method: str) -> None:
    x = points(name, method)
    beyond = np.array([0.0, 1.0, -0.1, 1.1]) if method in ("ppf", "isf") else np.array([-50.0, 60.0, LOC, np.nan])
    theirs = getattr(getattr(scipy.stats, name), method)
    ours = getattr(getattr(stats, name), method)
    # SciPy takes the logarithm of what is rounded near 1.
    atol = 2e-16 if "log" in method else 1e-300
    for shapes in (CONTINUOUS[name], tuple(2 * one + 0.1 for one in CONTINUOUS[name])):
        with np.errstate(all="ignore"):
            for at in (x, beyond):
                expected = theirs(at, *shapes, loc=LOC, scale=SCALE)
                np.testing.assert_allclose(ours(at, *shapes, loc=LOC, scale=SCALE).numpy(), expected, 1e-10, atol)
    frozen = getattr(getattr(stats, name)(*CONTINUOUS[name], LOC, SCALE), method)
    np.testing.assert_array_equal(frozen(x).numpy(), ours(x, *CONTINUOUS[name], loc=LOC, scale=SCALE).numpy())


@pytest.mark.parametrize(("name", "method"), CASES)
def test_derivatives_of_continuous_distributions(name: str, method: str) -> None:
    x, values = points(name, method)[1:], (*CONTINUOUS[name], LOC, SCALE)
    function = getattr(getattr(stats, name), method)
    leaves = [wg.tensor(one, requires_grad=True) for one in (x, *values)]
    function(*leaves).sum().backward()

    def shifted(position: int, step: float) -> np.ndarray:
        arguments = [x, *values]
        arguments[position] = arguments[position] + step
        return getattr(getattr(scipy.stats, name), method)(*arguments)

    for position, leaf in enumerate(leaves):
        h = 2e-6 if method in ("ppf", "isf") and position == 0 else 2e-5
        expected = (shifted(position, h) - shifted(position, -h)) / (2 * h)
        assert leaf.grad is not None
        found = leaf.grad.numpy()
        # The error of the differences: rounding over the step, and its square times a third derivative.
        size = 1 + np.abs(shifted(position, 0.0)).max()
        np.testing.assert_allclose(found, expected if position == 0 else expected.sum(), rtol=2e-6, atol=2e-8 * size)


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name: str) -> None:
    k = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 6.0, 7.0, 8.0, 9.0, 2.5])
    shapes = DISCRETE[name]
    ours, theirs = getattr(stats, name), getattr(scipy.stats, name)
    for method in ("pmf", "logpmf", "cdf", "sf", "logcdf", "logsf"):
        if name in WITHOUT_CDF and "pmf" not in method:
            continue
        with np.errstate(all="ignore"):
            expected = getattr(theirs, method)(k, *shapes, loc=1)
            np.testing.assert_allclose(getattr(ours, method)(k, *shapes, loc=1).numpy(), expected, 1e-11, 1e-15)
    for method in ("mean", "var", "std"):
        np.testing.assert_allclose(getattr(ours(*shapes), method)().numpy(), getattr(theirs(*shapes), method)())
    np.testing.assert_allclose(ours.pmf([1, 2], *shapes).numpy(), theirs.pmf([1, 2], *shapes))


@pytest.mark.parametrize("name", DISCRETE)
@pytest.mark.parametrize("method", ["logpmf", "cdf", "sf"])
def test_derivatives_of_discrete_distributions(name: str, method: str) -> None:
    if name in WITHOUT_CDF and method != "logpmf":
        with pytest.raises(UnsupportedFunctionError, match=rf"{name}\.cdf has no exact, differentiable formula"):
            getattr(getattr(stats, name), method)(1, *DISCRETE[name])
        return
    k, values = np.array([1.0, 2.0, 5.0]) if name != "bernoulli" else np.array([0.0, 1.0]), DISCRETE[name]
    for position, value in enumerate(values):
        if isinstance(value, int):
            continue
        leaf = wg.tensor(value, requires_grad=True)
        arguments = [leaf if one == position else other for one, other in enumerate(values)]
        getattr(getattr(stats, name), method)(k, *arguments).sum().backward()

        def at(step: float, position: int = position) -> float:
            moved = [other + step * (one == position) for one, other in enumerate(values)]
            return float(getattr(getattr(scipy.stats, name), method)(k, *moved).sum())

        assert leaf.grad is not None
        np.testing.assert_allclose(leaf.grad.item(), (at(1e-5) - at(-1e-5)) / 2e-5, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in CONTINUOUS if name not in ("truncnorm", "vonmises")])
def test_moments(name: str) -> None:
    ours, theirs = getattr(stats, name), getattr(scipy.stats, name)
    for shapes in (CONTINUOUS[name], tuple(2.5 * one + 1 for one in CONTINUOUS[name])):
        for method in ("mean", "var", "std"):
            np.testing.assert_allclose(
                getattr(ours(*shapes, LOC, SCALE), method)().numpy(), getattr(theirs(*shapes, LOC, SCALE), method)()
            )
    np.testing.assert_allclose(ours.median(*CONTINUOUS[name]).numpy(), theirs.median(*CONTINUOUS[name]), atol=1e-15)
    expected = theirs.interval(0.9, *CONTINUOUS[name])
    np.testing.assert_allclose([one.item() for one in ours.interval(0.9, *CONTINUOUS[name])], expected, rtol=1e-9)


def test_moments_that_do_not_exist_leave_no_trace_in_gradients() -> None:
    for family, shapes in ((stats.pareto, (0.5,)), (stats.invgamma, (0.5,)), (stats.f, (3.0, 1.5))):
        leaves = [wg.tensor(one, requires_grad=True) for one in shapes]
        mean = family.mean(*leaves)
        assert mean.item() == np.inf
        wg.where(wg.isfinite(mean), mean, 0.0).backward()
        assert leaves[-1].grad is None or np.isfinite(leaves[-1].grad.item())


def test_numbers_outside_of_the_support_leave_no_nan_in_gradients() -> None:
    for name, shapes in CONTINUOUS.items():
        leaves = [wg.tensor(one, requires_grad=True) for one in (*shapes, LOC, SCALE)]
        inside = points(name, "pdf")
        getattr(stats, name).pdf(np.array([-40.0, inside[1], 50.0]), *leaves).sum().backward()
        assert all(leaf.grad is not None and np.isfinite(leaf.grad.item()) for leaf in leaves), name


def test_parameters_that_are_not_allowed_give_nan() -> None:
    for value in (
        stats.norm.logpdf(0.0, 0.0, -1.0),
        stats.gamma.cdf(1.0, -1.0),
        stats.beta.ppf(0.5, 1.0, 0.0),
        stats.binom.pmf(1, 3, 1.5),
        stats.truncnorm.pdf(0.0, 1.0, -1.0),
        stats.poisson.mean(-1.0),
    ):
        assert np.isnan(value.item())


def test_tails() -> None:
    assert stats.norm.sf(30.0).item() == pytest.approx(scipy.stats.norm.sf(30))
    assert stats.norm.logcdf(-1e4).item() == pytest.approx(-5e7, rel=1e-6)
    assert stats.truncnorm.ppf(0.3, 20.0, 21.0).item() == pytest.approx(scipy.stats.truncnorm.ppf(0.3, 20, 21))
    assert stats.truncnorm.logpdf(20.5, 20.0, np.inf).item() == pytest.approx(
        scipy.stats.truncnorm.logpdf(20.5, 20, np.inf)
    )
    assert stats.cauchy.cdf(-1e20).item() == pytest.approx(1 / (np.pi * 1e20))


def test_dtypes() -> None:
    x = wg.tensor([0.5, 1.5], dtype="float32")
    for name, shapes in CONTINUOUS.items():
        assert getattr(stats, name).logpdf(x, *shapes).dtype == np.float32
    assert stats.poisson.logpmf([1, 2], wg.tensor(2.0, dtype="float32")).dtype == np.float32
    assert stats.norm.cdf(1).dtype == np.float64


def test_drawing() -> None:
    for name, shapes in CONTINUOUS.items():
        if name == "vonmises":
            continue
        drawn = getattr(stats, name).rvs(*shapes, loc=LOC, size=2000, random_state=random.key(1)).numpy()
        assert scipy.stats.kstest(drawn, getattr(scipy.stats, name)(*shapes, LOC).cdf).pvalue > 1e-3
    a = wg.tensor(2.0, requires_grad=True)
    stats.gamma.rvs(a, size=500, random_state=wg.numpy.random.default_rng(0)).mean().backward()
    assert abs(a.grad.item() - 1) < 0.1
    assert stats.norm(wg.zeros(3), 1.0).rvs().shape == (3,)


# -- vectors --------------------------------------------------------------------------------------------------------

COV, MEAN = definite(3), normal(3)


def test_normal_and_t_vectors() -> None:
    x = normal(4, 2, 3)
    for ours, theirs in (
        (stats.multivariate_normal(MEAN, COV), scipy.stats.multivariate_normal(MEAN, COV)),
        (stats.multivariate_normal(MEAN, np.array([1.0, 2.0, 3.0])), scipy.stats.multivariate_normal(MEAN, [1, 2, 3])),
        (stats.multivariate_t(MEAN, COV, 3.5), scipy.stats.multivariate_t(MEAN, COV, 3.5)),
    ):
        np.testing.assert_allclose(ours.logpdf(x).numpy(), theirs.logpdf(x), rtol=1e-12)
        np.testing.assert_allclose(ours.pdf(x[0, 0]).numpy(), theirs.pdf(x[0, 0]), rtol=1e-12)
    np.testing.assert_allclose(
        stats.multivariate_normal(MEAN, COV).entropy().item(), scipy.stats.multivariate_normal(MEAN, COV).entropy()
    )
    np.testing.assert_allclose(
        stats.multivariate_normal.logpdf(MEAN).numpy(), scipy.stats.multivariate_normal.logpdf(MEAN)
    )
    np.testing.assert_allclose(
        stats.multivariate_normal.logpdf(np.array([1.0, 2.0]), 0.5, 2.0).numpy(),
        scipy.stats.multivariate_normal.logpdf([1.0, 2.0], 0.5, 2.0),
    )
    leaves = tuple(wg.tensor(one, requires_grad=True) for one in (x[0], MEAN, COV))
    assert wg.autograd.gradcheck(lambda x, m, c: stats.multivariate_normal.logpdf(x, m, 0.5 * (c + c.T)), leaves)
    df = wg.tensor(3.5, requires_grad=True)
    assert wg.autograd.gradcheck(lambda x, m, df: stats.multivariate_t.logpdf(x, m, COV, df), (*leaves[:2], df))


def test_points_of_the_simplex_and_counts() -> None:
    alpha = np.array([0.7, 2.0, 3.5])
    x = np.array([[0.2, 0.5], [0.3, 0.1], [0.5, 0.4]])
    for at in (x, x[:, 0], x[:2]):
        np.testing.assert_allclose(stats.dirichlet.logpdf(at, alpha).numpy(), scipy.stats.dirichlet.logpdf(at, alpha))
    for method in ("mean", "var", "entropy"):
        ours, theirs = (getattr(one.dirichlet(alpha), method)() for one in (stats, scipy.stats))
        np.testing.assert_allclose(ours.numpy(), theirs)
    leaf = wg.tensor(alpha, requires_grad=True)
    assert wg.autograd.gradcheck(lambda a: stats.dirichlet.logpdf(x, a), (leaf,))
    p = np.array([0.2, 0.3, 0.5])
    counts = np.array([[1, 2, 3], [0, 0, 6], [1, 1, 1]])
    np.testing.assert_allclose(stats.multinomial.pmf(counts, 6, p).numpy(), scipy.stats.multinomial.pmf(counts, 6, p))
    np.testing.assert_allclose(stats.multinomial(6, p).cov().numpy(), scipy.stats.multinomial(6, p).cov())
    np.testing.assert_allclose(stats.multinomial(6, p).mean().numpy(), 6 * p)
    assert wg.autograd.gradcheck(
        lambda p: stats.multinomial.logpmf(counts[:2], 6, p), (wg.tensor(p, requires_grad=True),)
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: stats.gamma.logpdf(1.0), DTypeError, r"gamma\.logpdf takes the parameters \(a, loc=0, scale=1\)"),
        (lambda: stats.norm.cdf(1.0, 0.0, 1.0, 2.0), DTypeError, r"norm\.cdf takes the parameters \(loc=0, scale=1\)"),
        (lambda: stats.norm(mu=1.0), DTypeError, "norm takes the parameters"),
        (
            lambda: stats.vonmises.cdf(0.1, 1.0),
            UnsupportedFunctionError,
            r"use scipy\.stats\.vonmises\.cdf on x\.detach",
        ),
        (
            lambda: stats.multivariate_normal.cdf([0.0]),
            UnsupportedFunctionError,
            "multivariate_normal.cdf has no exact",
        ),
        (lambda: stats.multivariate_normal.logpdf(normal(2), MEAN), ShapeError, "vectors of 3 elements are needed"),
        (lambda: stats.multivariate_normal.logpdf(MEAN, MEAN, np.eye(2)), ShapeError, r"matrix of shape \(3, 3\)"),
        (lambda: stats.multivariate_normal.logpdf(MEAN, MEAN, -np.eye(3)), LinearAlgebraError, "positive definite"),
        (lambda: stats.dirichlet.logpdf(normal(5), np.ones(3)), ShapeError, "do not fit alpha"),
    ],
)
def test_errors(call, error, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=message):
        call()


def test_what_distributions_print() -> None:
    assert repr(stats.gamma) == "<wengert.scipy.stats.gamma(a, loc, scale)>"
    assert repr(stats.norm(1.0, scale=2.0)) == "<wengert.scipy.stats.norm(1.0, scale=2.0)>"
