"""PyTorch, eager: ``autograd.grad`` for gradients, ``torch.func`` for matrices."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy
import torch

from benchmarks.peers.base import Built
from benchmarks.workloads import Workload

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return function(x) if axis is None else function(x, dim=axis, keepdim=keepdims)

    return reduce


def _scan(f: Any, carry: Any, xs: Any, length: int | None = None) -> Any:
    results = []
    for k in range(length if xs is None else len(xs)):
        carry, y = f(carry, None if xs is None else xs[k])
        results.append(y)
    return carry, None if results[0] is None else torch.stack(results)


XP = SimpleNamespace(
    **{name: getattr(torch, name) for name in "exp log log1p sin cos tanh sqrt erf sigmoid stack reshape".split()},
    sum=_reduced(torch.sum),
    mean=_reduced(torch.mean),
    max=_reduced(torch.amax),
    swapaxes=torch.swapaxes,
    scan=_scan,
)


def build(work: Workload, data: list[numpy.ndarray], wrap: Callable[..., Any] = lambda f: f) -> Built:
    arguments = [torch.from_numpy(numpy.array(x)) for x in data]

    def program(*arguments: Any) -> Any:
        return work.program(XP, *arguments)

    if work.kind == "gradient":
        wanted = [arguments[k].requires_grad_() for k in work.argnums]
        run = wrap(program)

        def both() -> Any:
            loss = run(*arguments)
            return loss, torch.autograd.grad(loss, wanted)

    else:
        matrices = {
            "hvp": lambda w, *rest: torch.func.jvp(
                torch.func.grad(lambda w: program(w, *rest)), (w,), (rest[-1],)
            )[1],
            "hessian": torch.func.hessian(program),
            "jacobian": torch.func.jacfwd(program),
            "jacobians": torch.func.vmap(torch.func.jacrev(program)),
        }  # fmt: skip
        transformed = wrap(matrices[work.kind])

        def both() -> Any:
            return transformed(*arguments)

    return Built(both)
