"""JAX: ``jit`` of the same transforms."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy

from benchmarks.peers.base import Built
from benchmarks.workloads import Workload

jax.config.update("jax_enable_x64", True)

XP = SimpleNamespace(
    **{name: getattr(jnp, name) for name in dir(jnp) if not name.startswith("_")},
    scan=jax.lax.scan,
    erf=jax.scipy.special.erf,
    sigmoid=jax.nn.sigmoid,
)


def build(work: Workload, data: list[numpy.ndarray]) -> Built:
    arguments = [jnp.asarray(x) for x in data]

    def program(*arguments: Any) -> Any:
        return work.program(XP, *arguments)

    def product(w: Any, *rest: Any) -> Any:
        return jax.jvp(jax.grad(lambda w: program(w, *rest)), (w,), (rest[-1],))[1]

    def jacobian(x: Any) -> Any:
        return (jax.jacfwd if work.kind == "jacobian" else jax.jacrev)(program)(x)

    both = jax.jit(
        {
            "gradient": jax.value_and_grad(program, work.argnums),
            "hvp": product,
            "hessian": jax.hessian(program),
            "jacobian": jacobian,
            "jacobians": jax.vmap(jacobian),
        }[work.kind]
    )
    value = jax.jit(jax.vmap(program) if work.kind == "jacobians" else program)
    ready = jax.block_until_ready
    return Built(lambda: ready(both(*arguments)), lambda: ready(value(*arguments)))
