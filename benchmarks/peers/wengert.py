"""Wengert: ``jit`` of the transforms, on tensors."""

from __future__ import annotations

import os
import types
from typing import Any

import numpy

os.environ["WENGERT_CACHE"] = "0"  # so that a first call is one that compiles

import wengert as wg
import wengert.numpy as np
import wengert.scipy.special as special
from benchmarks.peers.base import Built
from benchmarks.workloads import Workload

wg.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


class _Namespace(types.ModuleType):
    scan = staticmethod(wg.scan)
    erf = staticmethod(special.erf)
    sigmoid = staticmethod(wg.sigmoid)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


XP = _Namespace("xp")


def build(work: Workload, data: list[numpy.ndarray]) -> Built:
    arguments = [wg.tensor(x) for x in data]

    def program(*arguments: Any) -> Any:
        return work.program(XP, *arguments)

    def product(w: Any, *rest: Any) -> Any:
        return wg.hvp(lambda w: program(w, *rest), (w,), (rest[-1],))

    both = wg.jit(
        {
            "gradient": wg.value_and_grad(program, work.argnums if len(work.argnums) > 1 else work.argnums[0]),
            "hvp": product,
            "hessian": wg.hessian(program),
            "jacobian": wg.jacobian(program),
            "jacobians": wg.vmap(wg.jacobian(program)),
        }[work.kind]
    )
    value = wg.jit(wg.vmap(program) if work.kind == "jacobians" else program)
    return Built(lambda: both(*arguments), lambda: value(*arguments))
