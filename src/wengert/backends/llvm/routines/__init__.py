"""Operations with native code of their own, beside elementwise ones, reductions, products and loops."""

from wengert.backends.llvm.routines import indexing as indexing
from wengert.backends.llvm.routines.registry import emit as emit
from wengert.backends.llvm.routines.registry import refusal as refusal
from wengert.backends.llvm.routines.registry import scratch as scratch
