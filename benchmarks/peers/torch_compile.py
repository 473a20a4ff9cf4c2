"""PyTorch's compiler: the same, through ``torch.compile``."""

from __future__ import annotations

import numpy
import torch

from benchmarks.peers import torch as eager
from benchmarks.peers.base import Built, NotHere
from benchmarks.workloads import Workload


def build(work: Workload, data: list[numpy.ndarray]) -> Built:
    if work.long_loop:
        raise NotHere("unrolls the loop: minutes to compile")
    torch._dynamo.reset()
    return eager.build(work, data, wrap=lambda f: torch.compile(f, fullgraph=True))
