"""PyTensor, in its default mode; loops through its ``scan``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy
import pytensor
import pytensor.gradient
import pytensor.tensor as pt

from benchmarks.peers.base import Built, NotHere
from benchmarks.workloads import Workload


def _scan(f: Any, carry: Any, xs: Any, length: int | None = None) -> Any:
    several = isinstance(carry, tuple)
    begin = list(carry) if several else [carry]

    def step(*values: Any) -> Any:
        x, values = (None, values) if xs is None else (values[0], values[1:])
        after, y = f(tuple(values) if several else values[0], x)
        states = list(after) if several else [after]
        return states if y is None else [*states, y]

    probe = f(carry, None if xs is None else xs[0])[1]
    outputs = pytensor.scan(
        step,
        sequences=None if xs is None else [xs],
        outputs_info=begin if probe is None else [*begin, None],
        n_steps=length,
        return_updates=False,
        return_list=True,
    )
    last = [out[-1] for out in outputs[: len(begin)]]
    return tuple(last) if several else last[0], None if probe is None else outputs[-1]


XP = SimpleNamespace(
    **{name: getattr(pt, name) for name in "exp log log1p sin cos tanh sqrt erf sigmoid stack sum mean max".split()},
    reshape=lambda x, shape: x.reshape(shape),
    swapaxes=pt.swapaxes,
    scan=_scan,
)


def build(work: Workload, data: list[numpy.ndarray]) -> Built:
    if work.kind == "jacobians":
        raise NotHere("cannot map a jacobian")
    inputs = [pt.tensor(f"x{k}", dtype=str(x.dtype), shape=x.shape) for k, x in enumerate(data)]
    result = work.program(XP, *inputs)
    wanted = [inputs[k] for k in work.argnums]
    if work.kind == "gradient":
        outputs = [result, *pytensor.grad(result, wanted)]
    elif work.kind == "hvp":
        gradient = pytensor.grad(result, inputs[0])
        outputs = [pytensor.grad((gradient * inputs[-1]).sum(), inputs[0], consider_constant=[inputs[-1]])]
    elif work.kind == "hessian":
        outputs = [pytensor.gradient.hessian(result, inputs[0])]
    else:
        outputs = [pytensor.gradient.jacobian(result, inputs[0])]
    function = pytensor.function(inputs, outputs, on_unused_input="ignore", trust_input=True)
    return Built(lambda: function(*data))
