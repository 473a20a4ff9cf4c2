"""What a contestant gives."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

PEERS = {
    "wengert": "Wengert",
    "byhand": "NumPy by hand",
    "autograd": "HIPS autograd",
    "torch": "PyTorch eager",
    "torch_compile": "PyTorch compile",
    "jax": "JAX jit",
    "pytensor": "PyTensor",
    "casadi": "CasADi",
    "numba": "Numba by hand",
}
"""Names of modules of this package, and how tables call them."""


class NotHere(Exception):
    """This contestant does not run this workload; the message says why."""


@dataclass(frozen=True)
class Built:
    """Calls without arguments that have finished when they return."""

    both: Callable[[], Any]
    value: Callable[[], Any] | None = None
    forget: Callable[[], object] | None = None


def load(peer: str) -> Any:
    """The module of a contestant: it has ``build(work, data)``."""
    return importlib.import_module(f"benchmarks.peers.{peer}")


def leaves(result: Any) -> list[np.ndarray]:
    """Arrays of a nested result, in order."""
    if isinstance(result, (tuple, list)):
        return [leaf for part in result for leaf in leaves(part)]
    if hasattr(result, "detach"):
        result = result.detach()
    return [np.asarray(result)]
