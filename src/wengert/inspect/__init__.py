"""Seeing the graph: reports, drawings, the explorer, and why a gradient is missing."""

from __future__ import annotations
