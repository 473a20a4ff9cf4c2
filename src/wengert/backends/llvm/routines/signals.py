"""Convolution and correlation of two vectors: the longer one, moved along the shorter one."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import load, loop, store
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.core.static import GraphNode, Value
from wengert.ops.correlation import Convolve, Correlate


def _numbers(node: GraphNode) -> str:
    fit = all(isinstance(x, Value) and x.dtype == node.dtype for x in node.operands)
    return "" if fit and node.dtype.char in "bhilqBHILQfdFD" else "these dtypes"


@routine(Convolve, Correlate, refuses=_numbers)
def sums(site: Site) -> None:
    """``out[k + j] += x[k] y[j]``, or ``out[k] += x[k + j] conj(y[j])``."""
    builder, emitter, dtype = site.builder, site.emitter, site.node.dtype
    convolves = isinstance(site.op, Convolve)
    (first, n), (second, m) = ((site.operand(k), size(x.shape)) for k, x in enumerate(site.node.inputs))
    if convolves and n < m:
        (first, n), (second, m) = (second, m), (first, n)
    zero = emitter.constant(0, dtype)
    with loop(builder, size(site.node.shape)) as k:
        store(emitter, zero, site.result(), k)
    with loop(builder, m) as j:
        factor = load(emitter, second, j, dtype)
        if dtype.kind == "c" and not convolves:
            factor = emitter.ufunc(np.conjugate, (factor,))
        with loop(builder, n if convolves else n - m + 1) as k:
            source: Any = k if convolves else builder.add(k, j)
            target: Any = builder.add(k, j) if convolves else k
            term = emitter.ufunc(np.multiply, (load(emitter, first, source, dtype), factor))
            total = emitter.ufunc(np.add, (load(emitter, site.result(), target, dtype), term))
            store(emitter, total, site.result(), target)
