"""Operations with native code of their own, beside elementwise ones, reductions, products and loops."""

from __future__ import annotations

from wengert.backends.llvm.routines import (
    classes,
    complex_linear,
    decompositions,
    draws,
    empty,
    exponentials,
    fourier,
    indexing,
    linear,
    movement,
    pooling,
    rows,
    signals,
    windows,
)
from wengert.backends.llvm.routines.empty import is_empty
from wengert.backends.llvm.routines.registry import Plan, emit, rule_of
from wengert.core.static import GraphNode

#: Modules that register rules when they are imported.
RULES = (
    classes,
    decompositions,
    complex_linear,
    draws,
    exponentials,
    fourier,
    indexing,
    linear,
    pooling,
    rows,
    signals,
    windows,
)


def plan(node: GraphNode) -> Plan | str:
    """How an operation is compiled, or why it is not."""
    if empty.is_empty(node):
        return empty.plan(node)
    return movement.plan(node) or rule_of(node)


__all__ = ["Plan", "emit", "is_empty", "plan"]
