"""The call of a program from Python without a line of Python: a built-in function that checks the arguments, makes the
arrays of the results, runs the program and wraps what it gives, all in native code.

One piece of code serves all programs; what differs is in a record that the function is bound to. Whatever it does not
know (tracked tensors, other shapes, strided arrays, a failure to report) it answers with ``None``, and the long way
takes over. It relies on where CPython and NumPy keep the fields of their objects: this is looked up in the running
process first, and where it is not as expected there are no such functions.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm.engine import Native, once
from wengert.backends.llvm.external import array_function
from wengert.backends.llvm.loops import index
from wengert.backends.llvm.upcalls import RAISED
from wengert.core.lazy import LazyModule
from wengert.core.tensor import Tensor, wrap

ir: Any = LazyModule("llvmlite.ir")

#: The fields of an object: its type; of an array: elements, number of axes, lengths, dtype, flags; of a float: value.
_TYPE, _DATA, _NDIM, _LENGTHS, _DTYPE, _FLAGS, _FLOAT = 8, 16, 24, 32, 56, 64, 16

#: The words of a record, and of each argument and result in it.
_BUSY, _INPUTS, _OUTPUTS, _PLACES, _RUN, _STATUS, _RELEASES, _SINGLE, _HEADER = range(9)
_KIND, _OF_DTYPE, _AXES, _SHAPE, _NUMBER, _WIDTH = range(6)

#: What an argument may be.
ARRAY, FLOAT, INT = range(3)

#: How a number is handed over.
_NUMBERS = {FLOAT: np.dtype(np.float64), INT: np.dtype(np.int64)}

#: The flags of an array that is contiguous and aligned.
READY = 0x0101

#: Where NumPy's table of functions has ``PyArray_Empty``.
_EMPTY = 184

_ENTRY = "wengert.fastcall"

_FASTCALL = 0x80


class _Method(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("call", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("text", ctypes.c_char_p),
    ]


def fastcall(
    run: int,
    inputs: Sequence[tuple[int, tuple[int, ...], np.dtype[Any]]],
    outputs: Sequence[tuple[tuple[int, ...], np.dtype[Any]]],
    constants: Sequence[np.ndarray],
    arena: np.ndarray,
    status: int | None,
    releases: bool,
) -> Callable[..., Any] | None:
    """A function of arrays, tensors and numbers that returns tensors, or ``None`` when it is not for these arguments.

    ``run`` is the address of native code that takes a table of array objects: the inputs (each a kind, lengths, dtype),
    the outputs, the constants, the arena. ``status`` is the address of the byte that is not zero after a failure;
    ``releases`` says whether other threads may run Python meanwhile. Two calls at a time are not for it either.
    """
    if not possible() or any(dtype != _NUMBERS.get(kind, dtype) for kind, _, dtype in inputs):
        return None
    width = len(inputs) + len(outputs)
    words = np.zeros(_HEADER + _WIDTH * width + width + len(constants) + 1, np.int64)
    start = words.ctypes.data
    places = _HEADER + _WIDTH * width
    words[:_HEADER] = 0, len(inputs), len(outputs), start + 8 * places, run, status or 0, releases, len(outputs) == 1
    held: list[Any] = [*constants, arena]
    words[places + width :] = [id(x) for x in held]
    for number, (kind, shape, dtype) in enumerate([*inputs, *((ARRAY, *one) for one in outputs)]):
        lengths, scratch = np.array(shape, np.int64), np.zeros((), dtype)
        held += [lengths, scratch, dtype]
        at = _HEADER + _WIDTH * number
        words[at : at + _WIDTH] = kind, id(dtype), len(shape), lengths.ctypes.data, id(scratch)
    record = _Record(words.shape, np.int64, words)
    record.held = held
    new = ctypes.pythonapi.PyCFunction_NewEx
    made: Callable[..., Any] = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
        ctypes.cast(new, ctypes.c_void_p).value or 0
    )(ctypes.addressof(_method()), record, None)
    return made


class _Record(np.ndarray):
    """The words that a function is bound to, and what they point at."""

    held: list[Any]


@once
def _method() -> _Method:
    return _Method(_ENTRY.encode(), _code().address(_ENTRY), _FASTCALL, b"A compiled program.")


@functools.cache
def possible() -> bool:
    """Whether objects look as expected: CPython with a lock for the interpreter, and NumPy's arrays as ever."""
    if sys.implementation.name != "cpython" or object.__basicsize__ != 16 or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    array, number = np.zeros((3, 5)), 1.5

    def word(x: object, at: int) -> int:
        return ctypes.c_int64.from_address(id(x) + at).value

    lengths = word(array, _LENGTHS)
    tensor = wrap(array)
    return (
        word(array, _TYPE) == id(np.ndarray)
        and word(array, _DATA) == array.ctypes.data
        and ctypes.c_int32.from_address(id(array) + _NDIM).value == 2
        and [ctypes.c_int64.from_address(lengths + 8 * k).value for k in range(2)] == [3, 5]
        and word(array, _DTYPE) == id(array.dtype)
        and ctypes.c_int32.from_address(id(array) + _FLAGS).value == array.flags.num
        and ctypes.c_double.from_address(id(number) + _FLOAT).value == number
        and word(tensor, _slot("_value")) == id(array)
        and word(tensor, _slot("_node")) == id(None)
    )


def _slot(name: str) -> int:
    """Where a tensor keeps an attribute: the descriptor of a slot points at a record whose third word says it."""
    record = ctypes.c_int64.from_address(id(Tensor.__dict__[name]) + 40).value
    return ctypes.c_int64.from_address(record + 16).value


# -- the code -------------------------------------------------------------------------------------------------------

_FUNCTIONS = {
    "PyType_GenericAlloc": ("object", "object", "word"),
    "PyTuple_New": ("object", "word"),
    "PyTuple_SetItem": ("word", "object", "word", "object"),
    "PyLong_AsLongLong": ("word", "object"),
    "PyErr_Occurred": ("object",),
    "PyErr_Clear": (None,),
    "PyErr_Restore": (None, "object", "object", "object"),
    "PyEval_SaveThread": ("object",),
    "PyEval_RestoreThread": (None, "object"),
    "Py_IncRef": (None, "object"),
    "Py_DecRef": (None, "object"),
    "PyArray_Empty": ("object", "count", "object", "object", "count"),
}
_OBJECTS: dict[str, object] = {"array": np.ndarray, "tensor": Tensor, "float": float, "int": int, "none": None}


@once
def _code() -> Native:
    addresses = {
        f"{_ENTRY}.{name}": ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0
        for name in _FUNCTIONS
        if name != "PyArray_Empty"
    }
    addresses[f"{_ENTRY}.PyArray_Empty"] = array_function(_EMPTY)
    addresses |= {f"{_ENTRY}.{name}": id(x) for name, x in _OBJECTS.items()}
    return Native(_Emitter().module, symbols=addresses)


class _Emitter:
    """Writes the function."""

    def __init__(self) -> None:
        self.module = ir.Module(_ENTRY)
        self.word, self.count = ir.IntType(64), ir.IntType(32)
        self.object = ir.IntType(8).as_pointer()
        kinds = {"object": self.object, "word": self.word, "count": self.count, None: ir.VoidType()}
        self.functions = {
            name: ir.Function(
                self.module, ir.FunctionType(kinds[result], [kinds[one] for one in parameters]), f"{_ENTRY}.{name}"
            )
            for name, (result, *parameters) in _FUNCTIONS.items()
        }
        self.objects = {}
        for name in _OBJECTS:
            self.objects[name] = ir.GlobalVariable(self.module, ir.IntType(8), f"{_ENTRY}.{name}")
        parameters = [self.object, self.object.as_pointer(), self.word]
        function = ir.Function(self.module, ir.FunctionType(self.object, parameters), _ENTRY)
        self.builder = b = ir.IRBuilder(function.append_basic_block("entry"))
        self.miss, self.lost = function.append_basic_block("miss"), function.append_basic_block("lost")
        bound, self.arguments, given = function.args
        self.record = self.load(bound, _DATA, self.word.as_pointer())
        self.places = b.inttoptr(self.header(_PLACES), self.object.as_pointer())
        self.inputs, self.outputs = self.header(_INPUTS), self.header(_OUTPUTS)
        self.unless(b.icmp_signed("==", given, self.inputs), self.miss)
        self.unless(b.icmp_signed("==", self.header(_BUSY), index(0)), self.miss)
        self.each(index(0), self.inputs, self.argument)
        self.store(_BUSY, 1)
        self.each(index(0), self.outputs, self.array)
        self.run()
        self.give_back()
        b.position_at_end(self.lost)
        self.store(_BUSY, 0)
        b.ret(ir.Constant(self.object, None))
        b.position_at_end(self.miss)
        self.call("Py_IncRef", self.objects["none"])
        b.ret(self.objects["none"])

    # -- pieces -------------------------------------------------------------------------------------------------

    def load(self, x: Any, at: Any, kind: Any) -> Any:
        """A field of an object."""
        place = self.builder.gep(x, [index(at) if isinstance(at, int) else at])
        return self.builder.load(self.builder.bitcast(place, kind.as_pointer()))

    def header(self, word: int) -> Any:
        return self.builder.load(self.builder.gep(self.record, [index(word)]))

    def store(self, word: int, value: int) -> None:
        self.builder.store(index(value), self.builder.gep(self.record, [index(word)]))

    def call(self, name: str, *xs: Any) -> Any:
        return self.builder.call(self.functions[name], xs)

    def unless(self, good: Any, otherwise: Any) -> None:
        """Go on if something holds."""
        following = self.builder.append_basic_block("next")
        self.builder.cbranch(good, following, otherwise)
        self.builder.position_at_end(following)

    def each(self, first: Any, last: Any, body: Callable[[Any], None]) -> None:
        """A loop that may run no times."""
        b = self.builder
        before, head, inside, after = (b.block, *(b.append_basic_block(name) for name in ("head", "inside", "after")))
        b.branch(head)
        b.position_at_end(head)
        number = b.phi(self.word)
        number.add_incoming(first, before)
        b.cbranch(b.icmp_signed("<", number, last), inside, after)
        b.position_at_end(inside)
        body(number)
        number.add_incoming(b.add(number, index(1)), b.block)
        b.branch(head)
        b.position_at_end(after)

    def field(self, number: Any, word: int) -> Any:
        """A word of the record of an argument or result."""
        at = self.builder.add(self.builder.mul(number, index(_WIDTH)), index(_HEADER + word))
        return self.builder.load(self.builder.gep(self.record, [at]))

    def same(self, word: Any, x: Any) -> Any:
        return self.builder.icmp_unsigned("==", word, self.builder.ptrtoint(x, self.word))

    def place(self, number: Any) -> Any:
        return self.builder.gep(self.places, [number])

    # -- arguments ----------------------------------------------------------------------------------------------

    def argument(self, number: Any) -> None:
        """Check one, and put the array that stands for it into the table."""
        b = self.builder
        given = b.load(b.gep(self.arguments, [number]))
        of_type = self.load(given, _TYPE, self.word)
        is_array, done = b.append_basic_block("array"), b.append_basic_block("done")
        is_float, is_int = b.append_basic_block("float"), b.append_basic_block("int")
        which = b.switch(self.field(number, _KIND), is_array)
        which.add_case(index(FLOAT), is_float)
        which.add_case(index(INT), is_int)
        b.position_at_end(is_array)
        self.checked_array(number, given, of_type)
        b.branch(done)
        b.position_at_end(is_float)
        self.unless(self.same(of_type, self.objects["float"]), self.miss)
        self.number(number, self.load(given, _FLOAT, ir.DoubleType()))
        b.branch(done)
        b.position_at_end(is_int)
        self.unless(self.same(of_type, self.objects["int"]), self.miss)
        value = self.call("PyLong_AsLongLong", given)
        with b.if_then(b.icmp_signed("==", value, index(-1)), likely=False):
            failed = b.icmp_unsigned("!=", self.call("PyErr_Occurred"), ir.Constant(self.object, None))
            with b.if_then(failed, likely=False):
                self.call("PyErr_Clear")
                b.branch(self.miss)
        self.number(number, value)
        b.branch(done)
        b.position_at_end(done)

    def number(self, number: Any, value: Any) -> None:
        b = self.builder
        scratch = b.inttoptr(self.field(number, _NUMBER), self.object)
        b.store(value, self.load(scratch, _DATA, value.type.as_pointer()))
        b.store(scratch, self.place(number))

    def checked_array(self, number: Any, given: Any, of_type: Any) -> None:
        b = self.builder
        plain = b.block
        with b.if_then(self.same(of_type, self.objects["tensor"])):
            self.unless(
                b.icmp_unsigned("==", self.load(given, _slot("_node"), self.object), self.objects["none"]), self.miss
            )
            value = self.load(given, _slot("_value"), self.object)
            value_type = self.load(value, _TYPE, self.word)
            unwrapped = b.block
        x, kind = b.phi(self.object), b.phi(self.word)
        for phi, before, inside in ((x, given, value), (kind, of_type, value_type)):
            phi.add_incoming(before, plain)
            phi.add_incoming(inside, unwrapped)
        self.unless(self.same(kind, self.objects["array"]), self.miss)
        self.unless(b.icmp_unsigned("==", self.load(x, _DTYPE, self.word), self.field(number, _OF_DTYPE)), self.miss)
        flags = b.and_(self.load(x, _FLAGS, self.count), ir.Constant(self.count, READY))
        self.unless(b.icmp_signed("==", flags, ir.Constant(self.count, READY)), self.miss)
        axes = b.sext(self.load(x, _NDIM, self.count), self.word)
        self.unless(b.icmp_signed("==", axes, self.field(number, _AXES)), self.miss)
        lengths = self.load(x, _LENGTHS, self.word.as_pointer())
        wanted = b.inttoptr(self.field(number, _SHAPE), self.word.as_pointer())

        def compare(axis: Any) -> None:
            one, other = b.load(b.gep(lengths, [axis])), b.load(b.gep(wanted, [axis]))
            self.unless(b.icmp_signed("==", one, other), self.miss)

        self.each(index(0), axes, compare)
        b.store(x, self.place(number))

    # -- results ------------------------------------------------------------------------------------------------

    def array(self, number: Any) -> None:
        """The array of a result, in its place of the table."""
        b = self.builder
        at = b.add(self.inputs, number)
        dtype = b.inttoptr(self.field(at, _OF_DTYPE), self.object)
        self.call("Py_IncRef", dtype)  # it is taken away by the next call
        lengths = b.inttoptr(self.field(at, _SHAPE), self.object)
        axes = b.trunc(self.field(at, _AXES), self.count)
        made = self.call("PyArray_Empty", axes, lengths, dtype, ir.Constant(self.count, 0))
        with b.if_then(b.icmp_unsigned("==", made, ir.Constant(self.object, None)), likely=False):
            self.each(self.inputs, at, self.drop)
            b.branch(self.lost)
        b.store(made, self.place(at))

    def drop(self, place: Any) -> None:
        self.call("Py_DecRef", self.builder.load(self.place(place)))

    def hold(self, place: Any) -> None:
        self.call("Py_IncRef", self.builder.load(self.place(place)))

    def run(self) -> None:
        """Run the program; after a failure, answer as if nothing had been."""
        b = self.builder
        kind = ir.FunctionType(ir.VoidType(), [self.object.as_pointer()])
        program = b.inttoptr(self.header(_RUN), kind.as_pointer())
        # Meanwhile other threads may run, and let go of what was given.
        self.each(index(0), self.inputs, self.hold)
        with b.if_else(b.icmp_signed("!=", self.header(_RELEASES), index(0))) as (long, short):
            with long:
                state = self.call("PyEval_SaveThread")
                b.call(program, [self.places])
                self.call("PyEval_RestoreThread", state)
            with short:
                b.call(program, [self.places])
        self.each(index(0), self.inputs, self.drop)
        status = self.header(_STATUS)
        with b.if_then(b.icmp_signed("!=", status, index(0))):
            code = b.load(b.inttoptr(status, self.object))
            failed = b.icmp_signed("!=", code, ir.Constant(ir.IntType(8), 0))
            with b.if_then(failed, likely=False):
                b.store(ir.Constant(ir.IntType(8), 0), b.inttoptr(status, self.object))
                self.each(self.inputs, b.add(self.inputs, self.outputs), self.drop)
                with b.if_then(b.icmp_signed("==", code, ir.Constant(ir.IntType(8), RAISED))):
                    words = b.inttoptr(b.add(status, index(8)), self.object.as_pointer())
                    self.call("PyErr_Restore", *(b.load(b.gep(words, [index(k)])) for k in range(3)))
                    b.branch(self.lost)
                self.store(_BUSY, 0)
                b.branch(self.miss)

    def give_back(self) -> None:
        """One tensor, or a tuple of them."""
        b = self.builder
        single = b.append_basic_block("single")
        several = b.append_basic_block("several")
        b.cbranch(b.icmp_signed("!=", self.header(_SINGLE), index(0)), single, several)
        b.position_at_end(single)
        only = self.tensor(index(0))
        self.store(_BUSY, 0)
        b.ret(only)
        b.position_at_end(several)
        found = self.call("PyTuple_New", self.outputs)
        with b.if_then(b.icmp_unsigned("==", found, ir.Constant(self.object, None)), likely=False):
            b.branch(self.lost)

        def put(number: Any) -> None:
            self.call("PyTuple_SetItem", found, number, self.tensor(number))

        self.each(index(0), self.outputs, put)
        self.store(_BUSY, 0)
        b.ret(found)

    def tensor(self, number: Any) -> Any:
        """A tensor around the array of a result."""
        b = self.builder
        made = self.call("PyType_GenericAlloc", self.objects["tensor"], index(0))
        with b.if_then(b.icmp_unsigned("==", made, ir.Constant(self.object, None)), likely=False):
            b.branch(self.lost)
        array = b.load(self.place(b.add(self.inputs, number)))
        for name, x in (("_value", array), ("_node", self.objects["none"])):
            b.store(x, b.bitcast(b.gep(made, [index(_slot(name))]), self.object.as_pointer()))
        self.call("Py_IncRef", self.objects["none"])
        return made
