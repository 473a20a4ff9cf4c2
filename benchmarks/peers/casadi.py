"""CasADi: scalar expression graphs, unrolled where small, ``mapaccum``ulated where loops are long."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import casadi as ca
import numpy as np

from benchmarks.peers.base import Built, NotHere
from benchmarks.workloads import Workload
from benchmarks.workloads.numeric import arm, reprojection

XP = SimpleNamespace(exp=ca.exp, sin=ca.sin, cos=ca.cos, sqrt=ca.sqrt, stack=lambda parts: ca.vertcat(*parts))


def chain(a: Any, x: Any) -> Any:
    return ca.sum1(ca.tanh(a * x + 1.0) * ca.exp(-x * x) + ca.sin(x))


def rosenbrock(x: Any) -> Any:
    return ca.sumsqr(10.0 * (x[1:] - x[:-1] ** 2)) + ca.sumsqr(1.0 - x[:-1])


def black_scholes(spot: Any, volatility: Any, rate: Any, expiry: Any, strike: Any) -> Any:
    deviation = volatility * ca.sqrt(expiry)
    d1 = (ca.log(spot / strike) + (rate + 0.5 * volatility * volatility) * expiry) / deviation
    n1, n2 = (0.5 * (1.0 + ca.erf(d * 0.5**0.5)) for d in (d1, d1 - deviation))
    return ca.sum1(spot * n1 - strike * ca.exp(-rate * expiry) * n2)


def bodies(x: Any) -> Any:
    total = 64 / 0.01**0.5
    for i in range(64):
        for j in range(i):
            total += 2.0 / ca.sqrt(ca.sumsqr(x[i, :] - x[j, :]) + 0.01)
    return total


def _runge_kutta(slope: Callable[[Any], Any], s: Any, h: float) -> Any:
    k1 = slope(s)
    k2 = slope(s + 0.5 * h * k1)
    k3 = slope(s + 0.5 * h * k2)
    k4 = slope(s + h * k3)
    return s + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def lorenz(state: Any, p: Any) -> Any:
    s, q = ca.SX.sym("s", 3), ca.SX.sym("q", 3)

    def slope(s: Any) -> Any:
        return ca.vertcat(q[0] * (s[1] - s[0]), s[0] * (q[1] - s[2]) - s[1], s[0] * s[1] - q[2] * s[2])

    step = ca.Function("step", [s, q], [_runge_kutta(slope, s, 0.001)])
    return ca.sum1(step.fold(1000)(state, ca.repmat(p, 1, 1000)))


def van_der_pol(state: Any, mu: Any) -> Any:
    s, m = ca.SX.sym("s", 2), ca.SX.sym("m")
    slope = lambda s: ca.vertcat(s[1], m * (1.0 - s[0] * s[0]) * s[1] - s[0])  # noqa: E731
    step = ca.Function("step", [s, m], [_runge_kutta(slope, s, 0.005)])
    return ca.sumsqr(step.fold(1000)(state, ca.repmat(mu, 1, 1000)))


def kalman(a: Any, q: Any, h: Any, ys: Any) -> Any:
    sym = ca.SX.sym
    carry, sa, sq, sh, y = sym("carry", 21), sym("a", 4, 4), sym("q", 4, 4), sym("h", 4), sym("y")
    m, p = sa @ carry[:4], sa @ ca.reshape(carry[4:20], 4, 4) @ sa.T + sq
    ph = p @ sh
    s, r = ca.dot(sh, ph) + 0.1, y - ca.dot(sh, m)
    after = ca.vertcat(
        m + ph / s * r, ca.vec(p - ph @ ph.T / s), carry[20] - 0.5 * (ca.log(s) + r * r / s)
    )  # fmt: skip
    step = ca.Function("step", [carry, sa, sq, sh, y], [after])
    start = ca.vertcat(ca.MX.zeros(4), ca.vec(q), 0.0)
    return step.fold(500)(start, ca.repmat(a, 1, 500), ca.repmat(q, 1, 500), ca.repmat(h, 1, 500), ys.T)[20]


def carries(x: Any, xs: Any) -> Any:
    c, v = ca.SX.sym("c", 60), ca.SX.sym("v")
    step = ca.Function("step", [c, v], [ca.sin(c) * 0.9 + v * 0.1])
    return ca.sum1(step.fold(600)(x, xs.T))


def logistic(w: Any, x: Any, y: Any, *direction: Any) -> Any:
    return ca.sum1(ca.log1p(ca.exp(-y * (x @ w)))) / y.numel() + 0.01 * ca.sumsqr(w)


SCALAR = {
    **{f"chain-{n}": chain for n in (10, 100, 1_000, 10_000)},
    "rosenbrock": rosenbrock, "black-scholes": black_scholes, "n-body": bodies,
}  # fmt: skip
MATRIX = {
    "lorenz": lorenz, "van-der-pol": van_der_pol, "kalman": kalman, "carries": carries, "logistic": logistic,
    "logistic-hvp": logistic, "logistic-hessian": logistic,
}  # fmt: skip


def _call(function: Any, data: list[np.ndarray]) -> Built:
    """Through CasADi's buffers, its quickest way in and out: column-major matrices."""
    arguments = [np.asfortranarray(x, dtype=float) for x in data]
    results = [np.zeros(function.size_out(k), order="F") for k in range(function.n_out())]
    buffer, run = function.buffer()
    for k, x in enumerate(arguments):
        buffer.set_arg(k, memoryview(x.reshape(-1, order="F")))
    for k, x in enumerate(results):
        buffer.set_res(k, memoryview(x.reshape(-1, order="F")))
    held = (function, buffer, arguments)  # CasADi keeps addresses only

    def both() -> Any:
        assert held
        run()
        return results

    return Built(both)


def build(work: Workload, data: list[np.ndarray]) -> Built:
    if work.name == "arm":
        x = ca.SX.sym("x", 3)
        return _call(ca.Function("f", [x], [ca.densify(ca.jacobian(arm(XP, x), x))]), data)
    if work.name == "bundle":
        x = ca.SX.sym("x", 14)
        each = ca.Function("each", [x], [ca.densify(ca.jacobian(reprojection(XP, x), x))])
        return _call(each.map(len(data[0])), [np.ascontiguousarray(data[0].T)])
    kind = ca.SX if work.name in SCALAR else ca.MX
    program = SCALAR.get(work.name) or MATRIX.get(work.name)
    if program is None:
        raise NotHere("no tensors: scalars and matrices only")
    shapes = [x.shape if x.ndim == 2 else (x.size, 1) for x in data]
    inputs = [kind.sym(f"x{k}", *shape) for k, shape in enumerate(shapes)]
    result = program(*inputs)
    wanted = [inputs[k] for k in work.argnums]
    if work.kind == "gradient":
        outputs = [result, *(ca.densify(ca.gradient(result, x)) for x in wanted)]
    elif work.kind == "hvp":
        gradient = ca.gradient(result, inputs[0])
        outputs = [ca.densify(ca.jtimes(gradient, inputs[0], inputs[-1]))]
    else:
        outputs = [ca.densify(ca.hessian(result, inputs[0])[0])]
    return _call(ca.Function("f", inputs, outputs), data)
