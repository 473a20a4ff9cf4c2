"""The module under construction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")


class Code:
    """A module, and the functions in it that several steps share."""

    def __init__(self, inner: Any = None, threads: bool = False, interrupts: bool = False) -> None:
        self.module = ir.Module("wengert")
        #: Emits loops and branches (``wengert.backends.llvm.inner``).
        self.inner = inner
        #: Whether chunks of loops are handed to threads.
        self.threads = threads
        #: Whether long loops ask Python for signals.
        self.interrupts = interrupts
        self.kernels: dict[Any, Any] = {}
        #: What NumPy computes, with the numbers that it is called by.
        self.hosts: dict[Any, int] = {}
        #: How many operations have been written out in place.
        self.written = 0

    def function(self, name: str, parameters: Sequence[Any], internal: bool = True) -> tuple[Any, Any]:
        """A new function without a result, and a builder at its start."""
        kind = ir.FunctionType(ir.VoidType(), parameters)
        made = ir.Function(self.module, kind, f"{name}_{len(self.module.functions)}" if internal else name)
        made.attributes.add("nounwind")
        if internal:
            made.linkage = "internal"
            made.attributes.add("noinline")
        return made, ir.IRBuilder(made.append_basic_block("entry"))
