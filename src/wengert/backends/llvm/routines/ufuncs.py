"""Calls of the loops of NumPy's generalised ufuncs, which work on stacks of vectors and matrices of any strides."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.backends.llvm import external
from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import index, load, loop, store
from wengert.backends.llvm.routines.registry import Site
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode, Value
from wengert.core.types import TensorSpec

ir: Any = LazyModule("llvmlite.ir")


class Loop(NamedTuple):
    """One of NumPy's loops: the module it is in, the ufunc's name, the type of its first operand."""

    module: str
    name: str
    char: str

    @property
    def missing(self) -> str:
        """Why it cannot be called, or nothing."""
        found = external.ufunc_loop(*self)
        return "" if found is not None else f"NumPy's loop of {self.name} is not to be found"


def call(site: Site, which: Loop, dimensions: Sequence[int], steps: Sequence[int], pointers: Sequence[Any]) -> None:
    """``dimensions`` begins with the length of the stack; ``steps``, in bytes, has those from one member to the next
    for each operand and result, and then those inside, along each of their axes."""
    builder, module = site.builder, site.code.module
    byte = ir.IntType(8).as_pointer()
    with builder.goto_entry_block():
        arguments = builder.alloca(ir.ArrayType(byte, len(pointers)))
    arguments = builder.bitcast(arguments, byte.as_pointer())
    for k, pointer in enumerate(pointers):
        builder.store(builder.bitcast(pointer, byte), builder.gep(arguments, [index(k)]))
    full = f"wengert_loop_{which.module}_{which.name}_{which.char}"
    function = module.globals.get(full)
    if function is None:
        numbers = ir.IntType(64).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), numbers, numbers, byte])
        function = ir.Function(module, kind, full)
    # What NumPy hands to the loops of its Fourier transforms: whether they go forward.
    forward = _numbers(site, [0 if which.name == "ifft" else 1])
    builder.call(
        function, [arguments, _numbers(site, dimensions), _numbers(site, steps), builder.bitcast(forward, byte)]
    )


def _numbers(site: Site, numbers: Sequence[int]) -> Any:
    """A pointer to constants."""
    module, name = site.code.module, "numbers_" + "_".join(map(str, numbers)).replace("-", "m")
    found = module.globals.get(name)
    if found is None:
        kind = ir.ArrayType(ir.IntType(64), len(numbers))
        found = ir.GlobalVariable(module, kind, name)
        found.global_constant = True
        found.linkage = "internal"
        found.initializer = ir.Constant(kind, list(numbers))
    return found.bitcast(ir.IntType(64).as_pointer())


def converted_space(node: GraphNode, kinds: Sequence[np.dtype[Any]]) -> list[TensorSpec]:
    """Memory for operands that a loop reads in another dtype."""
    return [TensorSpec((size(x.shape),), kind) for x, kind in zip(node.inputs, kinds, strict=True) if x.dtype != kind]


def converted(site: Site, kinds: Sequence[np.dtype[Any]]) -> list[Any]:
    """The operands in the dtypes that a loop reads; those that differ are converted first."""
    emitter, found = site.emitter, []
    spaces = iter(site.pointers.scratch)
    for pointer, x, kind in zip(site.pointers.operands, site.node.inputs, kinds, strict=True):
        if x.dtype != kind:
            space = next(spaces)
            with loop(site.builder, size(x.shape)) as k:
                store(emitter, emitter.cast(load(emitter, pointer, k, x.dtype), kind), space, k)
            pointer = space
        found.append(pointer)
    return found


def only_values(node: GraphNode) -> str:
    """Why operands do not fit that are no arrays, or have half precision."""
    fit = all(isinstance(x, Value) and x.dtype.kind in "iufbc" and x.dtype.char not in "eg" for x in node.operands)
    return "" if fit and all(y.dtype.char in "fdFD" for y in node.results) else "these dtypes"


def strides(shape: Sequence[int], itemsize: int) -> list[int]:
    """Steps of a stack's member in bytes, along each axis."""
    return [itemsize * math.prod(shape[k + 1 :]) for k in range(len(shape))]


#: C's number for an invalid operation, on the systems that have ``fetestexcept`` in every process.
_INVALID = 1


def fails_as_reported(site: Site, run: Callable[[], None]) -> None:
    """NumPy's linear algebra reports a failure as an invalid operation, and only that."""
    builder, module, kind = site.builder, site.code.module, ir.IntType(32)

    def ask(name: str) -> Any:
        full = f"wengert_status_{name}"
        function = module.globals.get(full) or ir.Function(module, ir.FunctionType(kind, [kind]), full)
        return builder.call(function, [ir.Constant(kind, _INVALID)])

    ask("feclearexcept")
    run()
    site.fail_if(builder.icmp_signed("!=", ask("fetestexcept"), ir.Constant(kind, 0)))


def unseen_failures() -> str:
    """Why failures cannot be seen, or nothing."""
    known = sys.platform == "linux" and all(map(external.status_function, ("feclearexcept", "fetestexcept")))
    return "" if known else "the floating-point status is not to be found"
