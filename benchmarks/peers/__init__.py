"""Contestants: each module's ``build`` makes a workload ready to be called in its library."""

from __future__ import annotations

from benchmarks.peers.base import PEERS, Built, NotHere, load

__all__ = ["PEERS", "Built", "NotHere", "load"]
