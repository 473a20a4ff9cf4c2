"""Fourier transforms by NumPy's own loops (M. Reinecke's pocketfft: radices 2, 3, 4, 5, 7, 8, 11, and Bluestein's
algorithm for large primes), called along any axis without copies. In double precision the results are NumPy's bit for
bit; in single precision the sums are single too, where NumPy without a factor computes in double and rounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm.complex_numbers import part_dtype
from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import index, load, loop, stack, store
from wengert.backends.llvm.routines import ufuncs
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.backends.llvm.routines.ufuncs import Loop
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode
from wengert.core.types import TensorSpec
from wengert.ops.fft import FourierTransform, InverseRealFourierTransform, RealFourierTransform

ir: Any = LazyModule("llvmlite.ir")


def _kind(node: GraphNode) -> np.dtype[Any]:
    """The dtype that the loop reads."""
    single = node.dtype.char in "fF"
    if isinstance(node.primitive, RealFourierTransform):
        return np.dtype(np.float32 if single else np.float64)
    return np.dtype(np.complex64 if single else np.complex128)


def _passes(node: GraphNode) -> list[tuple[Loop, int]]:
    """The loops, in the order in which NumPy goes through them, each with its axis, counted from the end."""
    op: Any = node.primitive
    char = _kind(node).char
    if isinstance(op, FourierTransform):
        name = "ifft" if op.inverse else "fft"
        return [(Loop("fft", name, char), axis) for axis in reversed(op.axes)]
    if isinstance(op, RealFourierTransform):
        odd = node.inputs[0].shape[op.axis] % 2
        return [(Loop("fft", "rfft_n_odd" if odd else "rfft_n_even", char), op.axis)]
    return [(Loop("fft", "irfft", char), op.axis)]


def _refuses(node: GraphNode) -> str:
    refused = ufuncs.only_values(node)
    if not refused and any(axis >= 0 for _, axis in _passes(node)):
        refused = "axes that are counted from the first"
    return refused or next((which.missing for which, _ in _passes(node) if which.missing), "")


def _space(node: GraphNode) -> Sequence[TensorSpec]:
    return ufuncs.converted_space(node, [_kind(node)])


def _factor(node: GraphNode, n: int) -> float:
    """What the sums are multiplied by, as NumPy rounds it."""
    op: Any = node.primitive
    inverse = isinstance(op, InverseRealFourierTransform) or (isinstance(op, FourierTransform) and op.inverse)
    if op.norm == "ortho":
        return float(np.reciprocal(np.sqrt(n, dtype=part_of(node))))
    return float(np.reciprocal(n, dtype=part_of(node))) if (op.norm == "backward") == inverse else 1.0


def part_of(node: GraphNode) -> np.dtype[Any]:
    """The dtype of the real numbers that a transform computes with."""
    return part_dtype(node.dtype) if node.dtype.kind == "c" else node.dtype


@routine(FourierTransform, RealFourierTransform, InverseRealFourierTransform, refuses=_refuses, scratch=_space)
def transform(site: Site) -> None:
    """One axis after the other; all but the first where the result lies."""
    builder, emitter, node = site.builder, site.emitter, site.node
    (source,) = ufuncs.converted(site, [_kind(node)])
    kind, shape = _kind(node), node.inputs[0].shape
    real = part_of(node)
    factor = stack(builder, real, 1)
    if not _passes(node):
        with loop(builder, size(shape)) as k:
            store(emitter, load(emitter, source, k, kind), site.result(), k)
    for which, axis in _passes(node):
        place = len(shape) + axis
        count = (shape[axis], node.shape[axis])
        scale = _factor(node, count[0] if isinstance(site.op, RealFourierTransform) else count[1])
        store(emitter, emitter.constant(scale, real), factor, index(0))
        before, after = math.prod(shape[:place]), math.prod(shape[place + 1 :])
        sizes = kind.itemsize, node.dtype.itemsize
        target = site.result()
        if after == 1:
            steps = [count[0] * sizes[0], 0, count[1] * sizes[1], sizes[0], sizes[1]]
            ufuncs.call(site, which, [before, *count], steps, [source, factor, target])
        else:
            steps = [sizes[0], 0, sizes[1], after * sizes[0], after * sizes[1]]
            with loop(builder, before) as k:
                here = [
                    builder.gep(pointer, [builder.mul(k, index(n * after))])
                    for pointer, n in zip((source, target), count, strict=True)
                ]
                ufuncs.call(site, which, [after, *count], steps, [here[0], factor, here[1]])
        source = target
