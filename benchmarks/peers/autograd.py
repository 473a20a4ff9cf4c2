"""HIPS autograd, on NumPy's arrays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import autograd
import autograd.numpy as anp
import autograd.scipy.special as special
import numpy

from benchmarks.peers.base import Built, NotHere
from benchmarks.workloads import Workload


def _scan(f: Any, carry: Any, xs: Any, length: int | None = None) -> Any:
    results = []
    for k in range(length if xs is None else len(xs)):
        carry, y = f(carry, None if xs is None else xs[k])
        results.append(y)
    return carry, None if results[0] is None else anp.array(results)


XP = SimpleNamespace(
    **{
        name: getattr(anp, name)
        for name in "exp log log1p sin cos tanh sqrt stack reshape sum mean max swapaxes".split()
    },
    erf=special.erf,
    sigmoid=special.expit,
    scan=_scan,
)


def build(work: Workload, data: list[numpy.ndarray]) -> Built:
    if work.kind == "jacobians":
        raise NotHere("cannot map a jacobian")

    def program(*arguments: Any) -> Any:
        return work.program(XP, *arguments)

    def packed(chosen: tuple[Any, ...], *arguments: Any) -> Any:
        every = list(arguments)
        for k, value in zip(work.argnums, chosen, strict=True):
            every[k] = value
        return program(*every)

    chosen = tuple(data[k] for k in work.argnums)
    if work.kind == "gradient":
        both = autograd.value_and_grad(packed)
        return Built(lambda: both(chosen, *data))
    if work.kind == "hvp":
        product = autograd.hessian_vector_product(program)
        return Built(lambda: product(*data, data[-1]))
    matrix = {"hessian": autograd.hessian, "jacobian": autograd.jacobian}[work.kind](program)
    return Built(lambda: matrix(*data))
