"""Programs to be differentiated, each written once for a namespace of array functions (``xp``).

``wengert.numpy`` is such a namespace as it stands; ``benchmarks.peers`` adapts the others' spellings to it.
"""

from __future__ import annotations

from benchmarks.workloads import elementwise, loops, models, networks, numeric, rows
from benchmarks.workloads.base import Workload

WORKLOADS: dict[str, Workload] = {
    work.name: work for family in (elementwise, rows, numeric, loops, networks, models) for work in family.workloads()
}

__all__ = ["WORKLOADS", "Workload"]
