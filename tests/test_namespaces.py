"""The names that users rely on are where they are promised."""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest
import scipy.special

import wengert as wg
import wengert.numpy as wnp
from wengert.core.errors import DTypeError, UnsupportedFunctionError
from wengert.ops.special import SPECIAL_FUNCTIONS
from wengert.scipy import special


@pytest.mark.parametrize(
    "name", ["autograd", "fft", "linalg", "nn", "numpy", "optim", "optimize", "random", "scalar", "scipy"]
)
def test_submodules_are_found_without_importing_them(name):
    assert getattr(wg, name).__name__ == f"wengert.{name}"
    assert name in dir(wg)


def test_a_name_that_does_not_exist():
    with pytest.raises(AttributeError, match="module 'wengert' has no attribute 'gradient_descent'"):
        _ = wg.gradient_descent


def test_importing_wengert_imports_neither_scipy_nor_llvmlite():
    code = "import sys, wengert; print([m for m in ('scipy', 'llvmlite', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- wengert.numpy --------------------------------------------------------------------------------------------------


def test_numpys_functions_make_tensors():
    for made in (wnp.zeros(3), wnp.arange(3), wnp.array([1.0]), wnp.sin([0.0]), wnp.linalg.inv([[2.0]])):
        assert isinstance(made, wg.Tensor)
    assert wnp.ndarray is wg.Tensor


def test_numpys_own_constants_and_dtypes():
    assert wnp.pi == np.pi
    assert wnp.newaxis is None
    assert wnp.float32 is np.float32


def test_numpys_arguments():
    x = wnp.array([[1.0, 2.0], [3.0, 4.0]])
    assert wnp.sum(x, 0, None, None, True).shape == (1, 2)
    assert wnp.clip(x, a_min=2.0, a_max=3.0).tolist() == [[2.0, 2.0], [3.0, 3.0]]


def test_ufuncs_keep_their_methods():
    assert wnp.add.reduce([1.0, 2.0]).item() == 3.0
    assert wnp.multiply.outer([1.0, 2.0], [3.0]).tolist() == [[3.0], [6.0]]
    assert wnp.maximum.accumulate([1.0, 3.0, 2.0]).tolist() == [1.0, 3.0, 3.0]


def test_a_function_without_counterpart():
    with pytest.raises(AttributeError, match=r"wengert\.numpy has no 'vectorize'.*use wengert\.vmap"):
        _ = wnp.vectorize
    with pytest.raises(AttributeError, match="has no attribute 'no_such_thing', and neither has numpy"):
        _ = wnp.no_such_thing


def test_what_is_indexed_to_make_arrays():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    joined = wnp.r_[x, 0:3, 7]
    assert joined.tolist() == np.r_[[1.0, 2.0], 0:3, 7].tolist()
    joined.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert wnp.c_[[1, 2], [3, 4]].tolist() == np.c_[[1, 2], [3, 4]].tolist()
    assert wnp.r_[0:1:5j].tolist() == np.r_[0:1:5j].tolist()
    assert wnp.mgrid[0:2, 1:3].tolist() == np.mgrid[0:2, 1:3].tolist()
    assert [one.shape for one in wnp.ogrid[0:2, 1:3]] == [(2, 1), (1, 2)]
    with pytest.raises(DTypeError, match="no directives such as 'r'"):
        _ = wnp.r_["r", 1]


@pytest.mark.parametrize("module", ["numpy", "numpy.linalg", "numpy.fft"])
def test_every_listed_name_is_there(module):
    theirs, ours = (importlib.import_module(name) for name in (module, f"wengert.{module}"))
    for name in dir(ours):
        assert getattr(ours, name) is not None or getattr(theirs, name) is None


def test_gradients_flow_through_numpys_names():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    wnp.sum(wnp.exp(x) * wnp.arange(2)).backward()
    assert x.grad.tolist() == [0.0, pytest.approx(np.exp(2.0))]


# -- wengert.scipy --------------------------------------------------------------------------------------------------

POINTS = np.array([0.2, 0.5, 0.8])


#: Arguments of the functions that are not defined between 0 and 1.
ARGUMENTS = {
    "bdtr": (np.array([2, 3]), np.array([5, 7]), 0.3),
    "bdtrc": (np.array([2, 3]), np.array([5, 7]), 0.3),
    "expn": (np.array([3]), POINTS),
    "ndtri_exp": (-POINTS,),
}


@pytest.mark.parametrize("name", SPECIAL_FUNCTIONS)
def test_scipy_special(name):
    theirs = getattr(scipy.special, name)
    args = ARGUMENTS.get(name, (POINTS,) * (theirs.nin if isinstance(theirs, np.ufunc) else 1))
    tensors = [wg.tensor(one) for one in args]
    np.testing.assert_allclose(getattr(special, name)(*tensors).numpy(), theirs(*args), rtol=1e-13)
    if isinstance(theirs, np.ufunc):
        np.testing.assert_allclose(theirs(*tensors).numpy(), theirs(*args), rtol=1e-13)


X = np.array([-1.3, -0.2, 0.4, 2.5])
FORMULAS = [
    ("cosm1", (X * 1e-4,)),
    ("gammasgn", (np.array([-0.5, -1.5, 2.0, -2.5]),)),
    ("poch", (np.abs(X), 1.5)),
    ("binom", (5.5, np.abs(X))),
    ("boxcox", (np.abs(X), np.array([0.0, 1e-9, 0.5, -2.0]))),
    ("boxcox1p", (np.abs(X), np.array([0.0, 1e-9, 0.5, -2.0]))),
    ("inv_boxcox", (X / 3, np.array([0.0, 1e-9, 0.5, -0.7]))),
    ("inv_boxcox1p", (X / 3, np.array([0.0, 1e-9, 0.5, -0.7]))),
    ("huber", (0.9, X)),
    ("pseudo_huber", (0.9, X)),
    ("log_expit", (X * 100,)),
    ("factorial", (np.array([0.0, 3.0, 2.5]),)),
    ("comb", (7, np.array([0, 3, 7]))),
    ("exp10", (X,)),
    ("zeta", (np.array([2.0, 3.5]), 1.5)),
    ("zeta", (np.array([2.0, 3.5]),)),
]


@pytest.mark.parametrize(("name", "args"), FORMULAS)
def test_formulas_of_special_functions(name, args):
    got = getattr(special, name)(*(wg.tensor(one) if isinstance(one, np.ndarray) else one for one in args))
    np.testing.assert_allclose(got.numpy(), getattr(scipy.special, name)(*args), rtol=2e-14)


def test_transformations_of_box_and_cox_are_smooth_where_the_power_is_zero():
    slope = wg.grad(special.boxcox, argnums=1)(wg.tensor(3.0), wg.tensor(0.0))
    assert slope.item() == pytest.approx(np.log(3) ** 2 / 2)
    slope = wg.grad(special.inv_boxcox, argnums=1)(wg.tensor(0.7), wg.tensor(0.0))
    assert slope.item() == pytest.approx(-np.exp(0.7) * 0.7**2 / 2)


def test_exact_combinations():
    assert special.comb(60, 30, exact=True) == scipy.special.comb(60, 30, exact=True)
    assert special.comb(3, 5, exact=True) == 0
    with pytest.raises(DTypeError, match="exact=True needs integers"):
        special.comb(3.5, 1, exact=True)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_scipys_default_axis(name):
    x = np.arange(6.0).reshape(2, 3)
    for kwargs in ({}, {"axis": 1}):
        expected = getattr(scipy.special, name)(x, **kwargs)
        np.testing.assert_allclose(getattr(special, name)(wg.tensor(x), **kwargs).numpy(), expected, rtol=1e-13)


def test_a_special_function_without_counterpart_is_named():
    with pytest.raises(UnsupportedFunctionError, match=r"scipy\.special\.airy does not work on tensors"):
        scipy.special.airy(wg.tensor(1.0))
