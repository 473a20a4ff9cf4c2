"""What an operation costs, from shapes alone: floating-point operations and bytes moved.

A multiply-add counts as two, every elementwise function as one an element, a view as nothing. Dense linear algebra has
the leading terms of G. Golub and C. Van Loan, *Matrix Computations*, 4th ed., 2013; a Fourier transform of length n
counts as 5 n log2 n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wengert.core.static import Value
from wengert.core.types import TensorSpec

_Flops = Callable[[Any, Sequence[TensorSpec | None], TensorSpec], float]


def _size(spec: TensorSpec | None) -> int:
    return math.prod(n for n in spec.shape if isinstance(n, int)) if spec is not None else 1


def _matmul(primitive: Any, operands: Sequence[TensorSpec | None], out: TensorSpec) -> float:
    left, right = operands[0], operands[1]
    if left is not None and left.shape:
        inner = left.shape[-1]
    elif right is not None and right.shape:
        inner = right.shape[-2 if right.ndim > 1 else 0]
    else:
        inner = 1
    return 2 * _size(out) * inner


def _affine(primitive: Any, operands: Sequence[TensorSpec | None], out: TensorSpec) -> float:
    known = next((spec for spec in operands[:2] if spec is not None), None)
    return _size(out) * (2 * known.shape[-1] if known is not None else 1)


def _contract(primitive: Any, operands: Sequence[TensorSpec | None], out: TensorSpec) -> float:
    lengths = dict(zip(primitive.out, out.shape, strict=True))
    for letters, spec in zip((primitive.left, primitive.right), operands, strict=True):
        if spec is not None:
            lengths.update(zip(letters, spec.shape, strict=True))
    return 2 * math.prod(lengths.values())


def _convolution(primitive: Any, operands: Sequence[TensorSpec | None], out: TensorSpec) -> float:
    weight = operands[1]
    return 2 * _size(out) * (math.prod(weight.shape[1:]) if weight is not None else 1)


def _cubic(factor: float) -> _Flops:
    def flops(primitive: Any, operands: Sequence[TensorSpec | None], out: TensorSpec) -> float:
        matrix = operands[0]
        if matrix is None or matrix.ndim < 2:
            return _size(out)
        return factor * _size(matrix) * min(matrix.shape[-2:])

    return flops


def _fourier(primitive: Any, operands: Sequence[TensorSpec | None], out: TensorSpec) -> float:
    size = _size(out)
    return 5 * size * math.log2(max(size, 2))


_FLOPS: dict[str, _Flops] = {
    "matmul": _matmul,
    "affine": _affine,
    "contract": _contract,
    "convolution": _convolution,
    "cholesky": _cubic(1 / 3),
    "inverse": _cubic(2),
    "inv": _cubic(2),
    "solve": _cubic(2 / 3),
    "det": _cubic(2 / 3),
    "slogdet": _cubic(2 / 3),
    "qr": _cubic(4 / 3),
    "svd": _cubic(12),
    "eigh": _cubic(9),
    "eig": _cubic(25),
    "fft": _fourier,
    "ifft": _fourier,
    "rfft": _fourier,
    "irfft": _fourier,
}


def flops_of(primitive: Any, operands: Sequence[TensorSpec | None], results: Sequence[TensorSpec]) -> int:
    """Floating-point operations of one application; ``None`` stands for an operand that is not known.

    What carries graphs costs what is in them: a scan as often as it runs, a while loop once, a choice all branches.
    """
    if primitive is None or not results:
        return 0
    if primitive.graphs():
        return sum(times * _flops(one, specs, made) for one, specs, made, times in _inside(primitive))
    return _flops(primitive, operands, results)


def _flops(primitive: Any, operands: Sequence[TensorSpec | None], results: Sequence[TensorSpec]) -> int:
    if primitive.aliases:
        return 0
    rule = _FLOPS.get(primitive.name)
    if rule is not None and all(isinstance(n, int) for spec in operands if spec is not None for n in spec.shape):
        return int(rule(primitive, operands, results[0]))
    # Elementwise operations touch every result, reductions every operand.
    return max([_size(spec) for spec in results] + [_size(spec) for spec in operands if spec is not None])


def moved_bytes(primitive: Any, operands: Sequence[TensorSpec | None], results: Sequence[TensorSpec]) -> int:
    """Bytes read and written, if nothing stays in a cache."""
    if primitive is None:
        return 0
    if primitive.graphs():
        return sum(times * _moved(one, specs, made) for one, specs, made, times in _inside(primitive))
    return _moved(primitive, operands, results)


def _inside(primitive: Any) -> Iterator[tuple[Any, list[TensorSpec | None], list[TensorSpec], int]]:
    """The plain operations in the graphs that an operation carries, with how often each runs."""
    waiting = [(graph, getattr(primitive, "length", 1)) for graph in primitive.graphs()]
    while waiting:
        graph, times = waiting.pop()
        for node in graph.nodes:
            inner = node.primitive.graphs()
            waiting += [(one, times * getattr(node.primitive, "length", 1)) for one in inner]
            if not inner:
                specs = [x.spec if isinstance(x, Value) else None for x in node.operands]
                yield node.primitive, specs, [y.spec for y in node.results], times


def spec_bytes(spec: TensorSpec) -> int:
    """Bytes of a result, 0 if a length is unknown."""
    return int(math.prod(spec.shape)) * spec.dtype.itemsize if all(isinstance(n, int) for n in spec.shape) else 0


def _moved(primitive: Any, operands: Sequence[TensorSpec | None], results: Sequence[TensorSpec]) -> int:
    if primitive.aliases:
        return 0
    return sum(spec_bytes(spec) for spec in results) + sum(spec_bytes(spec) for spec in operands if spec is not None)
