from __future__ import annotations

import numpy as np
from scipy import special

from tests.laws.samples import away_from_zero, between, normal
from wengert.ops import activation as a
from wengert.testing.laws import Case

X = away_from_zero(3, 4)

CASES = [
    Case(a.Sigmoid(), normal(3, 4), reference=special.expit),
    Case(a.Relu(), X, reference=lambda x: np.maximum(x, 0)),
    Case(a.LeakyRelu(0.1), X, reference=lambda x: np.where(x > 0, x, x * np.asarray(0.1, x.dtype))),
    Case(a.Elu(0.7), X, reference=lambda x: np.where(x > 0, x, np.asarray(0.7, x.dtype) * np.expm1(x))),
    Case(a.Elu(1.6732632423543772, 1.0507009873554805), X),
    Case(a.Celu(0.7), X),
    Case(a.Softplus(2.0, 20.0), X, reference=lambda x: np.log1p(np.exp(2 * x)) / 2),
    Case(a.LogSigmoid(), X, reference=special.log_expit),
    Case(a.Silu(), X, reference=lambda x: x * special.expit(x)),
    Case(a.Gelu(), X, reference=lambda x: x * special.ndtr(x)),
    Case(a._NormalCdf(), X, reference=special.ndtr),
    Case(a.GeluTanh(), X),
    Case(a.Mish(), X, reference=lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    Case(a.Hardtanh(-1.1, 1.2), X, reference=lambda x: np.clip(x, -1.1, 1.2)),
    Case(a.Hardsigmoid(), between(-5, 5, 7)),
    Case(a.Hardswish(), between(-5, 5, 7)),
    Case(a.Softshrink(0.2), X),
    Case(a.Hardshrink(0.2), X),
    Case(a.prelu, X, np.array(0.25)),
    Case(a.gelu, X, kwargs={"approximate": "tanh"}),
    Case(a.relu6, X * 4),
    Case(a.softsign, X, reference=lambda x: x / (1 + np.abs(x))),
    Case(a.tanhshrink, X, reference=lambda x: x - np.tanh(x)),
]
