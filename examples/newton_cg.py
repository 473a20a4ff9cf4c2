"""Hessian-free training of a logistic regression on the breast-cancer data, and what a Hessian-vector product costs.

Newton's step is found by conjugate gradients, which need only products of the Hessian with vectors; the Hessian is
never formed. A product costs a few function evaluations (Pearlmutter 1994; Griewank and Walther 2008, chapter 3).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer

import wengert as wg


def seconds(f: Callable[..., Any], *args: Any, repeats: int = 200) -> float:
    """The shortest of many runs, after one to warm up."""
    f(*args)
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        f(*args)
        times.append(time.perf_counter() - begin)
    return min(times)


def problem() -> tuple[Callable[[Any], Any], np.ndarray, np.ndarray]:
    """The regularised loss as a function of the weights, the data (standardised, with a column of ones), the labels."""
    data, labels = load_breast_cancer(return_X_y=True)
    data = np.hstack([(data - data.mean(0)) / data.std(0), np.ones((len(data), 1))])
    signs = 2.0 * labels - 1

    def loss(w: Any) -> Any:
        return wg.softplus(-signs * (data @ w)).mean() + 5e-4 * (w * w).sum()

    return loss, data, labels


def cost(loss: Callable[[Any], Any], size: int) -> dict[str, float]:
    """Time of a Hessian-vector product over that of the function, in three forms that give the same numbers.

    Eagerly, the time is that of building graphs of small arrays in Python, not of arithmetic: the bound of four
    function evaluations is for the graph, interpreted or compiled. It can be below one: the product has no use for the
    function's value, so the logarithms in it are not computed.
    """
    rng = np.random.default_rng(0)
    w, v = (wg.tensor(rng.normal(size=size) / 10) for _ in range(2))

    def product(w: Any, v: Any) -> Any:
        return wg.hvp(loss, (w,), (v,))

    forms = {
        "eager": (loss, product),
        "interpreted graph": (wg.trace(loss)(w).optimize(), wg.trace(product)(w, v).optimize()),
        "jit": (wg.jit(loss), wg.jit(product)),
    }
    ratios = {}
    expected = product(w, v).numpy()
    for name, (value, times_vector) in forms.items():
        one, other = seconds(value, w), seconds(times_vector, w, v)
        ratios[name] = other / one
        np.testing.assert_allclose(times_vector(w, v).numpy(), expected, rtol=1e-10, atol=1e-14)
        print(f"{name:18} function {one * 1e6:7.1f} µs   hvp {other * 1e6:7.1f} µs   ratio {other / one:5.2f}")
    return ratios


def main() -> tuple[float, float, dict[str, float]]:
    """Train; returns the accuracy, the norm of the gradient at the end, and the ratios of costs."""
    loss, data, labels = problem()
    found = wg.optimize.minimize(loss, np.zeros(data.shape[1]), method="Newton-CG", options={"xtol": 1e-10})
    accuracy = float(((data @ found.x.numpy() > 0) == labels).mean())
    slope = float(np.linalg.norm(wg.grad(loss)(found.x).numpy()))
    print(f"{found.nit} Newton steps, {found.nhev} Hessian-vector products, loss {found.fun:.6f}")
    print(f"accuracy {accuracy:.4f}, gradient norm {slope:.1e}")
    return accuracy, slope, cost(loss, data.shape[1])


if __name__ == "__main__":
    main()
