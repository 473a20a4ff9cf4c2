"""Linear algebra of complex matrices, and eigenvalues of general ones, by the loops of NumPy's ``linalg``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import flag, load, loop, store
from wengert.backends.llvm.routines import ufuncs
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.backends.llvm.routines.stacks import each_matrix
from wengert.backends.llvm.routines.ufuncs import Loop
from wengert.core.lazy import LazyModule
from wengert.core.primitive import Primitive
from wengert.core.static import GraphNode
from wengert.core.types import TensorSpec
from wengert.ops.decomposition import Svd
from wengert.ops.eigen import Eig
from wengert.ops.linalg import Cholesky, Det, Eigh, Inv, Slogdet, Solve

ir: Any = LazyModule("llvmlite.ir")

_COMPLEX = np.dtype(np.complex128)


class _Form(NamedTuple):
    """A loop's name, the rank of each operand's and result's members, and whether it may fail."""

    name: str
    ranks: tuple[int, ...]
    fails: bool = True


_FORMS: dict[type[Primitive], _Form] = {
    Solve: _Form("solve", (2, 2, 2)),
    Inv: _Form("inv", (2, 2)),
    Cholesky: _Form("cholesky_lo", (2, 2)),
    Det: _Form("det", (2, 0), fails=False),
    Slogdet: _Form("slogdet", (2, 0, 0), fails=False),
    Eigh: _Form("eigh_lo", (2, 1, 2)),
    Eig: _Form("eig", (2, 1, 2)),
    Svd: _Form("svd_s", (2, 2, 1, 2)),
}


def _loop_of(node: GraphNode) -> Loop:
    op: Any = node.primitive
    name = "svd_f" if isinstance(op, Svd) and op.full_matrices else _FORMS[type(op)].name
    return Loop("linalg", name, _kind(node).char)


def _kind(node: GraphNode) -> np.dtype[Any]:
    """The dtype that the loop reads. Eigenvalues of general matrices are sought in double precision, as NumPy does."""
    if isinstance(node.primitive, Eig):
        return np.dtype(np.complex128 if node.inputs[0].dtype.kind == "c" else np.float64)
    single = node.results[0].dtype.char in "fF"
    return np.dtype(np.complex64 if single else np.complex128)


def _written(node: GraphNode) -> list[np.dtype[Any]]:
    """The dtypes that the loop writes."""
    return [_COMPLEX if isinstance(node.primitive, Eig) else y.dtype for y in node.results]


def _refuses(node: GraphNode) -> str:
    refused = ufuncs.only_values(node)
    if not refused and not any(x.dtype.kind == "c" for x in (*node.inputs, *node.results)):
        refused = "these dtypes"
    return refused or ufuncs.unseen_failures() or _loop_of(node).missing


def _space(node: GraphNode) -> Sequence[TensorSpec]:
    made = [
        TensorSpec((size(y.shape),), kind)
        for y, kind in zip(node.results, _written(node), strict=True)
        if y.dtype != kind
    ]
    return [*ufuncs.converted_space(node, [_kind(node)] * len(node.inputs)), *made]


@routine(*_FORMS, refuses=_refuses, scratch=_space)
def by_numpy(site: Site) -> None:
    node = site.node
    form, kind = _FORMS[type(site.op)], _kind(node)
    kinds = [kind] * len(node.inputs) + _written(node)
    narrow = [y.dtype != made for y, made in zip(node.results, _written(node), strict=True)]
    targets = site.pointers.scratch[-sum(narrow) :] if any(narrow) else site.pointers.results
    pointers = [*ufuncs.converted(site, [kind] * len(node.inputs)), *targets]
    values = [*node.inputs, *node.results]
    shapes = [x.shape[len(x.shape) - rank :] for x, rank in zip(values, form.ranks, strict=True)]
    leads = [x.shape[: len(x.shape) - rank] for x, rank in zip(values, form.ranks, strict=True)]
    inner = [step for shape, own in zip(shapes, kinds, strict=True) for step in ufuncs.strides(shape, own.itemsize)]
    sides = shapes[-1][-1:] if isinstance(site.op, Solve) else shapes[0][-1:] if isinstance(site.op, Svd) else ()

    def stack_of(count: int, found: Sequence[Any]) -> None:
        outer = [size(shape) * own.itemsize for shape, own in zip(shapes, kinds, strict=True)]
        dimensions, steps = [count, shapes[0][0], *sides], [*outer, *inner]

        def run() -> None:
            ufuncs.call(site, _loop_of(node), dimensions, steps, found)

        if form.fails:
            ufuncs.fails_as_reported(site, run)
        else:
            run()

    def checked(count: int, found: Sequence[Any]) -> None:
        if not isinstance(site.op, Eig):
            return stack_of(count, found)
        # NumPy does not begin with numbers that are not finite: LAPACK might not come to an end.
        finite = _is_finite(site, found[0], count * size(shapes[0]), kind)
        site.fail_if(site.builder.not_(finite))
        with site.builder.if_then(finite):
            stack_of(count, found)
        return None

    if len(set(leads)) == 1:
        checked(size(leads[0]), pointers)
    else:
        each_matrix(site, form.ranks, lambda operands, results: checked(1, [*operands, *results]), pointers=pointers)
    if any(narrow):
        for made, result, y in zip(targets, site.pointers.results, node.results, strict=True):
            with loop(site.builder, size(y.shape)) as k:
                x = load(site.emitter, made, k, _COMPLEX)
                store(site.emitter, site.emitter.cast(x, y.dtype), result, k)


def _is_finite(site: Site, pointer: Any, count: int, dtype: np.dtype[Any]) -> Any:
    """Whether all elements are."""
    builder, emitter = site.builder, site.emitter
    bad = flag(builder)
    with loop(builder, count) as k:
        one = emitter.ufunc(np.isfinite, (load(emitter, pointer, k, dtype),)).value
        builder.store(builder.or_(builder.load(bad), builder.not_(one)), bad)
    return builder.not_(builder.load(bad))
