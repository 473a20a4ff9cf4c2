"""Native code that calls Python: for signals that have come, and for what only NumPy computes.

Both take the interpreter's lock, call, and give the lock back; where it is held already, that costs nothing. What
Python raises, whatever it is, is kept beside the status word. The native code returns as soon as that word is set,
from within any number of loops, and whoever called the program raises it again.

An operation that NumPy computes gets its operands, and leaves its results, at fixed places of the arena: native code
copies them there and from there. So no address is handed over, and none is part of the code: at the end of each arena
stand the addresses of the functions to call, and of the arena itself as an array.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm.engine import Native, once
from wengert.backends.llvm.layout import own
from wengert.backends.llvm.loops import index
from wengert.backends.llvm.module import Code
from wengert.backends.llvm.schedule import Host
from wengert.core.apply import explain
from wengert.core.errors import GraphError
from wengert.core.lazy import LazyModule
from wengert.core.static import Value, spec_text

ir: Any = LazyModule("llvmlite.ir")

#: The names by which modules call ``poll(status)`` and ``compute(status, number)``.
POLL, COMPUTE = "wengert_poll", "wengert_compute"

#: The words at the end of an arena: the status; three of an exception; the addresses of a table of Python functions
#: and of the array that the arena is.
_STATUS, _EXCEPTION, _TABLE, _ARENA = 0, 1, 4, 5

#: What the status word is when Python has raised an exception. Zero: all is well; one: native code found something.
RAISED = 2

_FUNCTIONS = (
    "PyGILState_Ensure",
    "PyGILState_Release",
    "PyErr_CheckSignals",
    "PyErr_Fetch",
    "PyObject_Vectorcall",
    "Py_DecRef",
)


# -- in the code of programs ----------------------------------------------------------------------------------------


def poll(code: Code, builder: Any, status: Any) -> None:
    """Ask whether a signal has come. If its handler raises, the function under construction returns."""
    _call(code, builder, POLL, status)


def compute(frame: Any, step: Host) -> None:
    """Have NumPy compute an operation. If it raises, the function under construction returns."""
    layouts = frame.schedule.layouts
    for x, place in zip(step.node.operands, step.given, strict=True):
        if place is not None:
            frame.copy(layouts[x], own(place))
    number = frame.code.hosts.setdefault(step, len(frame.code.hosts))
    _call(frame.code, frame.builder, COMPUTE, frame.status, index(number))
    for y, place in zip(step.node.results, step.made, strict=True):
        frame.copy(own(place), layouts[y])


def _call(code: Code, builder: Any, name: str, *given: Any) -> None:
    function = code.module.globals.get(name)
    if function is None:
        kind = ir.FunctionType(ir.VoidType(), [one.type for one in given])
        function = ir.Function(code.module, kind, name)
    builder.call(function, given)
    leave_if_failed(builder, given[0])


def leave_if_failed(builder: Any, status: Any) -> None:
    """Return from the function under construction if the status word is set."""
    with builder.if_then(builder.icmp_signed("!=", builder.load(status), index(0)), likely=False):
        builder.ret_void()


def used(code: Code) -> list[str]:
    """Which of the two a module calls."""
    return [name for name in (POLL, COMPUTE) if name in code.module.globals]


# -- what they do -----------------------------------------------------------------------------------------------------


def address(name: str) -> int:
    """Where ``poll`` or ``compute`` begins."""
    return _code().address(name)


@once
def _code() -> Native:
    module = ir.Module("wengert_upcalls")
    asking, computing = _Writer(module, POLL, 0), _Writer(module, COMPUTE, 1)
    asking.write(asking.signals)
    computing.write(computing.operation)
    addresses = {
        f"wengert.{name}": ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0
        for name in _FUNCTIONS
    }
    return Native(module, symbols=addresses)


class _Writer:
    """Writes a function that takes the interpreter's lock, calls, and keeps what was raised."""

    def __init__(self, module: Any, name: str, numbers: int) -> None:
        self.module = module
        self.word, self.count, self.object = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [self.word.as_pointer(), *[self.word] * numbers])
        made = ir.Function(module, kind, name)
        self.builder = ir.IRBuilder(made.append_basic_block("entry"))
        self.status, *self.numbers = made.args

    def write(self, raises: Callable[[], Any]) -> None:
        """``raises`` writes the call, and says whether Python has raised."""
        b = self.builder
        leave_if_failed(b, self.status)
        state = self.python("PyGILState_Ensure", self.count)
        with b.if_then(raises(), likely=False):
            self.python("PyErr_Fetch", ir.VoidType(), *(self.place(_EXCEPTION + k) for k in range(3)))
            b.store(index(RAISED), self.place(_STATUS))
        self.python("PyGILState_Release", ir.VoidType(), state)
        b.ret_void()

    def python(self, name: str, result: Any, *given: Any) -> Any:
        """Call a function of Python's."""
        full = f"wengert.{name}"
        function = self.module.globals.get(full)
        if function is None:
            function = ir.Function(self.module, ir.FunctionType(result, [one.type for one in given]), full)
        return self.builder.call(function, given)

    def place(self, word: int) -> Any:
        return self.builder.gep(self.status, [index(word)])

    def signals(self) -> Any:
        """Run the handlers of signals that have come."""
        return self.builder.icmp_signed("!=", self.python("PyErr_CheckSignals", self.count), self.count(0))

    def operation(self) -> Any:
        """Call the function of this number in the table with the arena."""
        b = self.builder
        nothing = ir.Constant(self.object, None)
        table = b.inttoptr(b.load(self.place(_TABLE)), self.object.as_pointer())
        function = b.load(b.gep(table, self.numbers))
        arguments = b.bitcast(self.place(_ARENA), self.object.as_pointer())
        made = self.python("PyObject_Vectorcall", self.object, function, arguments, index(1), nothing)
        failed = b.icmp_unsigned("==", made, nothing)
        with b.if_then(b.not_(failed)):
            self.python("Py_DecRef", ir.VoidType(), made)
        return failed


# -- in Python --------------------------------------------------------------------------------------------------------


class _Place:
    """Where in an arena an operand or a result lies."""

    def __init__(self, x: Value, offset: int) -> None:
        self.shape, self.dtype, self.offset = x.shape, x.dtype, offset

    def of(self, arena: np.ndarray) -> np.ndarray:
        return np.ndarray(self.shape, self.dtype, arena, self.offset)


class _Operation:
    """What native code calls for an operation that NumPy computes."""

    def __init__(self, step: Host, offsets: Mapping[Any, int]) -> None:
        self.node = node = step.node
        self.operands = [
            x if place is None else _Place(place, offsets[place])
            for x, place in zip(node.operands, step.given, strict=True)
        ]
        self.results = [_Place(place, offsets[place]) for place in step.made]

    def run(self, arena: np.ndarray) -> None:
        """Read the operands from an arena, and write the results to it. What an operation gets is its own to keep."""
        operands = [x.of(arena).copy() if type(x) is _Place else x for x in self.operands]
        node = self.node
        try:
            out = node.primitive.value(*operands)
        except Exception as error:
            raise explain(node.primitive, operands, error, node.location) from error
        for place, one in zip(self.results, out if type(out) is tuple else (out,), strict=True):
            array = np.asarray(one)
            if array.shape != place.shape or array.dtype != place.dtype:
                raise GraphError(
                    f"{node.op} computed {spec_text(array)}, and declares {spec_text(place)}: its value and its shape "
                    f"rule disagree"
                )
            place.of(arena)[...] = array


class Upcalls:
    """The functions that a program's native code calls, by number; alive as long as that code may run."""

    def __init__(self, steps: Sequence[Host], offsets: Mapping[Any, int]) -> None:
        self._functions = [_Operation(step, offsets).run for step in steps]
        self._table = (ctypes.c_void_p * max(len(steps), 1))(*map(id, self._functions))

    def prepare(self, words: np.ndarray, arena: np.ndarray) -> None:
        """Tell an arena, in the words at its end, where they are."""
        words[_TABLE], words[_ARENA] = ctypes.addressof(self._table), id(arena)


def raise_again(words: np.ndarray) -> None:
    """Raise what Python has raised meanwhile, if the status word says so."""
    if words[_STATUS] == RAISED:
        restore = ctypes.pythonapi.PyErr_Restore
        restore.argtypes, restore.restype = [ctypes.c_void_p] * 3, None
        restore(*(int(word) or None for word in words[_EXCEPTION : _EXCEPTION + 3]))
