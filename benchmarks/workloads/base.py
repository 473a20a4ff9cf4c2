"""What a workload is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Program = Callable[..., Any]


@dataclass(frozen=True)
class Workload:
    """A program ``program(xp, *arguments)`` and what is asked of it.

    ``kind`` is what is timed: ``gradient`` is the value and the gradient by ``argnums``; ``hvp`` the product of the
    Hessian by the first argument with the last one; ``hessian`` and ``jacobian`` are matrices by the first argument;
    ``jacobians`` those of the program mapped over the first axis of its argument.
    """

    name: str
    title: str
    program: Program
    arguments: Callable[[np.random.Generator], list[np.ndarray]]
    argnums: tuple[int, ...] = (0,)
    kind: Literal["gradient", "hvp", "hessian", "jacobian", "jacobians"] = "gradient"
    target: float = 1.0
    first_call_ms: float | None = None
    floor: Literal["", "blas", "memory"] = ""
    flops: float = 0.0
    """Floating-point operations of the matrix products of value and gradient."""
    touched: float = 0.0
    """Bytes that value and gradient must read and write at least."""
    long_loop: bool = False
    """Hundreds of steps: unrolled by compilers without a loop of their own, which then take minutes."""
    tolerance: float = 1e-7
    smooth: bool = True

    def data(self) -> list[np.ndarray]:
        """The same arguments in every process."""
        return self.arguments(np.random.default_rng(0))
