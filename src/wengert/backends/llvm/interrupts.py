"""Ctrl-C in long native loops: now and then they ask Python whether a signal has come, and leave if its handler raises.

The question takes a microsecond, for the interpreter's lock, and is asked some hundred times a second at most. What the
handler raised is kept beside the status word, and raised again by whoever called the program.
"""

from __future__ import annotations

import ctypes
import functools
import math
from typing import Any

import numpy as np

from wengert.backends.llvm.engine import Native, once
from wengert.backends.llvm.layout import size
from wengert.backends.llvm.loops import index
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.schedule import Branch, Product, Repeat, Schedule, Until, inside
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

#: The name by which modules call ``poll(status)``.
POLL = "wengert_poll"

#: What the status word is when a handler has raised; three words with the exception follow it.
INTERRUPTED = 2

#: Elements computed, by estimate, between two questions, and in loops that need not ask: what takes some milliseconds,
#: and a tenth of a second.
BETWEEN, LONG = 4_000_000, 100_000_000

_FUNCTIONS = ("PyGILState_Ensure", "PyGILState_Release", "PyErr_CheckSignals", "PyErr_Fetch")


@functools.cache
def work(schedule: Schedule) -> float:
    """How many elements a schedule computes, roughly; a while loop is taken to run once."""
    total = 1.0
    for step in schedule.steps:
        if isinstance(step, Repeat):
            length: int = step.node.primitive.length  # type: ignore[attr-defined]
            total += length * work(step.body)
        elif isinstance(step, Branch):
            total += max(map(work, step.branches), default=0.0)
        elif isinstance(step, Product):
            total += size(step.node.results[0].shape) * step.node.operands[0].shape[-1] / 16
        else:
            total += sum(size(y.shape) for y in schedule.writes(step)) + sum(map(work, inside(step)))
    return total


def steps_between(body: Schedule) -> int:
    """After how many steps of a loop the question is asked: a power of two."""
    return 1 << max(0, int(math.log2(BETWEEN / work(body))))


def asks(step: Repeat | Until) -> bool:
    """Whether a loop is long enough to be interrupted."""
    return isinstance(step, Until) or step.node.primitive.length * work(step.body) > LONG  # type: ignore[attr-defined]


def emit(code: Code, builder: Any, status: Any) -> Any:
    """Ask; whether the loop must be left."""
    function = code.module.globals.get(POLL)
    if function is None:
        function = ir.Function(code.module, ir.FunctionType(ir.VoidType(), [status.type]), POLL)
    builder.call(function, [status])
    return builder.icmp_signed("==", builder.load(status), index(INTERRUPTED))


@once
def _code() -> Native:
    word = ir.IntType(64)
    module = ir.Module(POLL)
    count = ir.IntType(32)
    kinds = [(count, []), (ir.VoidType(), [count]), (count, []), (ir.VoidType(), [word.as_pointer()] * 3)]
    ensure, release, check, fetch = (
        ir.Function(module, ir.FunctionType(*kind), f"{POLL}.{name}")
        for name, kind in zip(_FUNCTIONS, kinds, strict=True)
    )
    made = ir.Function(module, ir.FunctionType(ir.VoidType(), [word.as_pointer()]), POLL)
    builder = ir.IRBuilder(made.append_basic_block("entry"))
    (status,) = made.args
    state = builder.call(ensure, [])
    raised = builder.icmp_signed("!=", builder.call(check, []), count(0))
    with builder.if_then(raised, likely=False):
        builder.call(fetch, [builder.gep(status, [index(k)]) for k in (1, 2, 3)])
        builder.store(index(INTERRUPTED), status)
    builder.call(release, [state])
    builder.ret_void()
    addresses = {
        f"{POLL}.{name}": ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0
        for name in _FUNCTIONS
    }
    return Native(module, symbols=addresses)


def address() -> int:
    """Where ``poll`` begins."""
    return _code().address(POLL)


def raise_again(words: np.ndarray) -> None:
    """Raise what a handler has raised, if the status word says so."""
    if words[0] == INTERRUPTED:
        restore = ctypes.pythonapi.PyErr_Restore
        restore.argtypes, restore.restype = [ctypes.c_void_p] * 3, None
        restore(*(int(word) or None for word in words[1:4]))
