"""Random numbers: Philox and Threefry in integer arithmetic (``wengert.ops.random_``), bit for bit what NumPy draws.

NumPy's own functions make normal, exponential and bounded numbers of Philox's words. They are given a generator of
NumPy's layout whose functions are in our code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm import external
from wengert.backends.llvm.layout import contiguous, size
from wengert.backends.llvm.loops import index, load, loop, nest, place, stack, store
from wengert.backends.llvm.routines.registry import Site, routine
from wengert.backends.llvm.scalars import Scalar
from wengert.core.lazy import LazyModule
from wengert.core.static import GraphNode, Value
from wengert.core.types import TensorSpec
from wengert.ops.draws import RandomBinomial, RandomGamma, RandomLogGamma, RandomPoisson
from wengert.ops.random_ import (
    DropoutMask,
    FoldIn,
    RandomExponential,
    RandomIntegers,
    RandomNormal,
    RandomPermutation,
    RandomUniform,
    SplitKey,
)

ir: Any = LazyModule("llvmlite.ir")

_ROTATIONS = ((16, 42, 12, 31), (16, 32, 24, 21))
_PARITY = 0x1BD11BDAA9FC1A22
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_BUMPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)

#: What a generator remembers, a word each: the key, the counter, four numbers made in advance, how many of them are
#: used, and whether half of a word is left, and which.
_KEY, _COUNTER, _BUFFER, _USED, _HALF, _LEFT, _STATE = 0, 2, 3, 7, 8, 9, 10


def _word(number: int) -> Any:
    return ir.Constant(ir.IntType(64), number)


# -- keys -------------------------------------------------------------------------------------------------------------


def _threefry(builder: Any, key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Threefry-2x64-20."""
    words = (*key, builder.xor(builder.xor(*key), _word(_PARITY)))
    x, y = builder.add(counter[0], words[0]), builder.add(counter[1], words[1])
    for block in range(5):
        for turn in _ROTATIONS[block % 2]:
            x = builder.add(x, y)
            y = builder.or_(builder.shl(y, _word(turn)), builder.lshr(y, _word(64 - turn)))
            y = builder.xor(y, x)
        x = builder.add(x, words[(block + 1) % 3])
        y = builder.add(builder.add(y, words[(block + 2) % 3]), _word(block + 1))
    return x, y


def _key_at(site: Site, number: Any) -> tuple[Any, Any]:
    builder = site.builder
    where = builder.gep(site.operand(0), [builder.mul(number, index(2))])
    return builder.load(where), builder.load(builder.gep(where, [index(1)]))


def _write_key(site: Site, key: tuple[Any, Any], number: Any) -> None:
    builder = site.builder
    where = builder.gep(site.result(), [builder.mul(number, index(2))])
    builder.store(key[0], where)
    builder.store(key[1], builder.gep(where, [index(1)]))


@routine(SplitKey)
def split(site: Site) -> None:
    builder, count = site.builder, site.op.count
    with loop(builder, size(site.node.inputs[0].shape[:-1])) as i:
        key = _key_at(site, i)
        with loop(builder, count) as k:
            made = _threefry(builder, key, (k, _word(1)))
            _write_key(site, made, builder.add(builder.mul(i, index(count)), k))


def _refuses_fold(node: GraphNode) -> str:
    key, data = node.operands
    if isinstance(data, Value):
        lead = key.shape[:-1]
        return "" if data.dtype.kind in "iub" and (not lead or lead == data.shape) else "keys that broadcast"
    return "" if isinstance(data, int) else "data that is no integer"


@routine(FoldIn, refuses=_refuses_fold)
def fold_in(site: Site) -> None:
    builder, emitter = site.builder, site.emitter
    key, data = site.node.operands
    with loop(builder, size(site.node.shape[:-1])) as i:
        if isinstance(data, Value):
            wide = np.dtype(np.int64 if data.dtype.kind == "i" else np.uint64)
            number = emitter.cast(load(emitter, site.operand(1), i, data.dtype), wide).value
        else:
            number = _word(int(data) % (1 << 64))
        own = _key_at(site, i if len(key.shape) > 1 else index(0))
        _write_key(site, _threefry(builder, own, (number, _word(2))), i)


# -- the generator --------------------------------------------------------------------------------------------------


def _philox(builder: Any, counter: Any, key: tuple[Any, Any]) -> list[Any]:
    """Philox-4x64-10 of a counter whose other words are zero."""
    wide, narrow = ir.IntType(128), ir.IntType(64)
    x = [counter, _word(0), _word(0), _word(0)]
    for turn in range(10):
        if turn:
            key = builder.add(key[0], _word(_BUMPS[0])), builder.add(key[1], _word(_BUMPS[1]))
        halves = []
        for number, multiplier in zip((x[0], x[2]), _MULTIPLIERS, strict=True):
            product = builder.mul(builder.zext(number, wide), ir.Constant(wide, multiplier))
            high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), narrow)
            halves.append((high, builder.trunc(product, narrow)))
        (high, low), (other_high, other_low) = halves
        first = builder.xor(builder.xor(other_high, x[1]), key[0])
        x = [first, other_low, builder.xor(builder.xor(high, x[3]), key[1]), low]
    return x


def _function(site: Site, name: str, result: Any, emit: Callable[[Any, Any], Any]) -> Any:
    """A function of the state of a generator."""
    found = site.code.kernels.get(("draws", name))
    if found is None:
        kind = ir.FunctionType(result, [ir.IntType(64).as_pointer()])
        found = ir.Function(site.code.module, kind, f"philox_{name}")
        found.linkage = "internal"
        found.attributes.add("nounwind")
        builder = ir.IRBuilder(found.append_basic_block("entry"))
        builder.ret(emit(builder, found.args[0]))
        site.code.kernels["draws", name] = found
    return found


def _slot(builder: Any, state: Any, number: int) -> Any:
    return builder.gep(state, [index(number)])


def _next_word(builder: Any, state: Any) -> Any:
    used = builder.load(_slot(builder, state, _USED))
    with builder.if_then(builder.icmp_unsigned("==", used, _word(4)), likely=False):
        counter = builder.add(builder.load(_slot(builder, state, _COUNTER)), _word(1))
        builder.store(counter, _slot(builder, state, _COUNTER))
        key = builder.load(_slot(builder, state, _KEY)), builder.load(_slot(builder, state, _KEY + 1))
        for k, made in enumerate(_philox(builder, counter, key)):
            builder.store(made, _slot(builder, state, _BUFFER + k))
        builder.store(_word(0), _slot(builder, state, _USED))
    used = builder.load(_slot(builder, state, _USED))
    builder.store(builder.add(used, _word(1)), _slot(builder, state, _USED))
    return builder.load(builder.gep(state, [builder.add(used, _word(_BUFFER))]))


class Generator:
    """A generator on the stack, as NumPy's functions want it."""

    def __init__(self, site: Site) -> None:
        self.site, self.builder = site, site.builder
        word, half = ir.IntType(64), ir.IntType(32)
        self.word = _function(site, "word", word, _next_word)
        self.half = _function(site, "half", half, self._next_half)
        self.double = _function(site, "double", ir.DoubleType(), self._next_double)
        with self.builder.goto_entry_block():
            made = self.builder.alloca(ir.ArrayType(word, _STATE + 5))
            self.state = self.builder.bitcast(made, word.as_pointer())
        functions = (self.word, self.half, self.double, self.word)
        self.interface = _slot(self.builder, self.state, _STATE)
        for k, value in enumerate((self.state, *functions)):
            self.builder.store(self.builder.ptrtoint(value, word), _slot(self.builder, self.state, _STATE + k))

    def _next_half(self, builder: Any, state: Any) -> Any:
        half = ir.IntType(32)
        left = builder.load(_slot(builder, state, _HALF))
        with builder.if_then(builder.icmp_unsigned("!=", left, _word(0))):
            builder.store(_word(0), _slot(builder, state, _HALF))
            builder.ret(builder.trunc(builder.load(_slot(builder, state, _LEFT)), half))
        made = builder.call(self.word, [state])
        builder.store(_word(1), _slot(builder, state, _HALF))
        builder.store(builder.lshr(made, _word(32)), _slot(builder, state, _LEFT))
        return builder.trunc(made, half)

    def _next_double(self, builder: Any, state: Any) -> Any:
        bits = builder.lshr(builder.call(self.word, [state]), _word(11))
        double = ir.DoubleType()
        return builder.fmul(builder.uitofp(bits, double), ir.Constant(double, 2.0**-53))

    def start(self, key: tuple[Any, Any]) -> None:
        """Begin the numbers of a key."""
        slots = {_KEY: key[0], _KEY + 1: key[1], _COUNTER: _word(0), _USED: _word(4), _HALF: _word(0)}
        for slot, value in slots.items():
            self.builder.store(value, _slot(self.builder, self.state, slot))

    def single(self) -> Any:
        """Uniform on [0, 1) in single precision."""
        kind = ir.FloatType()
        bits = self.builder.lshr(self.builder.call(self.half, [self.state]), ir.Constant(ir.IntType(32), 8))
        return self.builder.fmul(self.builder.uitofp(bits, kind), ir.Constant(kind, 2.0**-24))

    def call(self, name: str, *arguments: Any, result: Any = None) -> Any:
        """One of NumPy's functions of a generator."""
        values = [self.builder.ptrtoint(x, ir.IntType(64)) if x.type.is_pointer else x for x in arguments]
        full, module = f"wengert_random_{name}", self.site.code.module
        function = module.globals.get(full)
        if function is None:
            kinds = [self.interface.type, *(x.type for x in values)]
            function = ir.Function(module, ir.FunctionType(result or ir.VoidType(), kinds), full)
        return self.builder.call(function, [self.interface, *values])


# -- draws ----------------------------------------------------------------------------------------------------------


def _each_key(site: Site, fill: Callable[[Generator, Any, int], None]) -> None:
    """``fill(generator, target, count)`` with the numbers of each key."""
    generator, builder = Generator(site), site.builder
    count = size(site.op.shape)
    with loop(builder, size(site.node.inputs[0].shape[:-1])) as i:
        generator.start(_key_at(site, i))
        fill(generator, builder.gep(site.result(), [builder.mul(i, index(count))]), count)


def _needs(*names: str) -> Callable[[GraphNode], str]:
    def refuses(node: GraphNode) -> str:
        if node.dtype.char not in "fd" and not isinstance(node.primitive, (RandomIntegers, RandomPermutation)):
            return f"numbers of dtype {node.dtype}"
        missing = [name for name in names if external.draw(name) is None]
        return f"NumPy's {missing[0]} is not to be found" if missing else ""

    return refuses


@routine(RandomUniform, refuses=_needs())
def uniform(site: Site) -> None:
    builder, emitter, dtype = site.builder, site.emitter, site.node.dtype

    def fill(generator: Generator, target: Any, count: int) -> None:
        with loop(builder, count) as k:
            made = builder.call(generator.double, [generator.state]) if dtype.char == "d" else generator.single()
            store(emitter, Scalar(emitter, made, dtype), target, k)

    _each_key(site, fill)


_FILLS = {RandomNormal: "standard_normal_fill", RandomExponential: "standard_exponential_fill"}


@routine(RandomNormal, RandomExponential, refuses=_needs(*_FILLS.values(), *(f"{x}_f" for x in _FILLS.values())))
def by_rejection(site: Site) -> None:
    name = _FILLS[type(site.op)] + ("_f" if site.node.dtype.char == "f" else "")
    _each_key(site, lambda generator, target, count: generator.call(name, index(count), target))


_BOUNDED = {width: f"bounded_uint{width}_fill" for width in (8, 16, 32, 64)}


@routine(RandomIntegers, refuses=_needs(*_BOUNDED.values()))
def integers(site: Site) -> None:
    width = 8 * site.node.dtype.itemsize
    low, span = site.op.low % (1 << width), site.op.high - 1 - site.op.low

    def fill(generator: Generator, target: Any, count: int) -> None:
        generator.call(_BOUNDED[width], _word(low), _word(span), index(count), _word(0), target)

    _each_key(site, fill)


def _bits(node: GraphNode) -> Sequence[TensorSpec]:
    return [TensorSpec((size(node.primitive.shape),), np.dtype(np.uint16))]  # type: ignore[attr-defined]


@routine(DropoutMask, refuses=_needs(_BOUNDED[16]), scratch=_bits)
def dropout_mask(site: Site) -> None:
    builder, emitter, dtype = site.builder, site.emitter, site.node.dtype
    scale = 1.0 / (1.0 - site.op.p) if site.op.p < 1 else 0.0
    bits, bound = site.scratch(0), round(site.op.p * (1 << 16))

    def fill(generator: Generator, target: Any, count: int) -> None:
        generator.call(_BOUNDED[16], _word(0), _word((1 << 16) - 1), index(count), _word(0), bits)
        with loop(builder, count) as k:
            drawn = builder.zext(builder.load(builder.gep(bits, [k])), ir.IntType(64))
            kept = builder.icmp_unsigned(">=", drawn, _word(bound))
            chosen = builder.select(kept, emitter.constant(scale, dtype).value, emitter.constant(0, dtype).value)
            store(emitter, Scalar(emitter, chosen, dtype), target, k)

    _each_key(site, fill)


def _words(node: GraphNode) -> Sequence[TensorSpec]:
    return [TensorSpec((max(1, math.prod(node.primitive.shape)),), np.dtype(np.int64))]  # type: ignore[attr-defined]


@routine(RandomPermutation, refuses=_needs("interval"), scratch=_words)
def permutation(site: Site) -> None:
    """Exchanges from the end (R. Durstenfeld, algorithm 235: Random permutation, 1964)."""
    builder, emitter, word = site.builder, site.emitter, np.dtype(np.int64)
    order = site.scratch(0)

    def fill(generator: Generator, target: Any, count: int) -> None:
        with loop(builder, count) as k:
            builder.store(k, builder.gep(order, [k]))
        if count > 1:
            with loop(builder, count - 1) as k:
                last = builder.sub(index(count - 1), k)
                kind = ir.IntType(64)
                other = generator.call("interval", last, result=kind)
                here, there = builder.gep(order, [last]), builder.gep(order, [other])
                first, second = builder.load(here), builder.load(there)
                builder.store(second, here)
                builder.store(first, there)
        with loop(builder, count) as k:
            store(emitter, emitter.cast(load(emitter, order, k, word), site.node.dtype), target, k)

    _each_key(site, fill)


# -- draws whose distribution has a parameter -----------------------------------------------------------------------

_DOUBLE = np.dtype(np.float64)

#: Where NumPy's function for Poisson numbers ends: the largest mean whose numbers fit into 64 bits.
_LARGEST_MEAN = float(np.iinfo(np.int64).max - 10 * math.sqrt(np.iinfo(np.int64).max))

#: Words for what NumPy's function for binomial numbers remembers from one to the next (``binomial_t`` has 17).
_BINOMIAL = 32


def _by_parameter(*names: str) -> Callable[[GraphNode], str]:
    def refuses(node: GraphNode) -> str:
        key, parameter = node.operands
        if not isinstance(key, Value) or len(key.shape) != 1:
            return "stacks of keys"
        if isinstance(parameter, Value) and (parameter.dtype.kind not in "iufb" or parameter.dtype.char in "eg"):
            return f"a parameter of dtype {parameter.dtype}"
        missing = [name for name in names if external.draw(name) is None]
        return f"NumPy's {missing[0]} is not to be found" if missing else ""

    return refuses


def _start(site: Site) -> Generator:
    generator = Generator(site)
    generator.start(_key_at(site, index(0)))
    return generator


def _each_parameter(site: Site, visit: Callable[[Any, Any], None]) -> None:
    """``visit(number, parameter)`` for each number to be drawn, with the parameter in double precision."""
    emitter, parameter = site.emitter, site.node.operands[1]
    shape = site.op.shape
    if isinstance(parameter, Value):
        own = (0,) * (len(shape) - len(parameter.shape)) + contiguous(parameter.shape)

    def one(numbers: list[Any]) -> None:
        if isinstance(parameter, Value):
            x = load(emitter, site.operand(1), place(site.builder, numbers, own), parameter.dtype)
            value = emitter.cast(x, _DOUBLE).value
        else:
            value = emitter.constant(float(parameter), _DOUBLE).value
        visit(place(site.builder, numbers, contiguous(shape)), value)

    nest(site.builder, shape, one)


def _demanded(site: Site, x: Any, least: float, most: float = math.inf, open_: bool = False) -> Any:
    """The parameter, if the interpreter would draw for it; otherwise the run has failed, and NumPy's function is given
    one that it comes to an end with."""
    builder, kind = site.builder, ir.DoubleType()
    meets = builder.and_(
        builder.fcmp_ordered(">" if open_ else ">=", x, ir.Constant(kind, least)),
        builder.fcmp_ordered("<=", x, ir.Constant(kind, most)),
    )
    site.fail_if(builder.not_(meets))
    return builder.select(meets, x, ir.Constant(kind, 1.0))


def _keep(site: Site, value: Any, kind: np.dtype[Any], number: Any) -> None:
    found = site.emitter.cast(Scalar(site.emitter, value, kind), site.node.dtype)
    store(site.emitter, found, site.result(), number)


@routine(RandomGamma, refuses=_by_parameter("standard_gamma"))
def gamma(site: Site) -> None:
    generator = _start(site)

    def one(number: Any, a: Any) -> None:
        a = _demanded(site, a, 0.0, open_=True)
        _keep(site, generator.call("standard_gamma", a, result=ir.DoubleType()), _DOUBLE, number)

    _each_parameter(site, one)


def _logarithms(node: GraphNode) -> Sequence[TensorSpec]:
    return [TensorSpec((size(node.shape),), _DOUBLE)]


@routine(RandomLogGamma, refuses=_by_parameter("standard_gamma"), scratch=_logarithms)
def log_gamma(site: Site) -> None:
    """All gamma numbers first, then the uniform ones that turn numbers of shape a + 1 into those of a < 1. These are
    drawn for every number, as the interpreter does."""
    builder, emitter, generator = site.builder, site.emitter, _start(site)
    space, one_ = site.scratch(0), ir.Constant(ir.DoubleType(), 1.0)

    def first(number: Any, a: Any) -> None:
        a = _demanded(site, a, 0.0, open_=True)
        shape = builder.select(builder.fcmp_ordered("<", a, one_), builder.fadd(a, one_), a)
        drawn = Scalar(emitter, generator.call("standard_gamma", shape, result=ir.DoubleType()), _DOUBLE)
        store(emitter, emitter.ufunc(np.log, (drawn,)), space, number)

    def second(number: Any, a: Any) -> None:
        uniform: Any = Scalar(emitter, builder.call(generator.double, [generator.state]), _DOUBLE)
        power: Any = np.log1p(-uniform) / Scalar(emitter, a, _DOUBLE)
        added = builder.select(builder.fcmp_ordered("<", a, one_), power.value, emitter.constant(0, _DOUBLE).value)
        _keep(site, builder.fadd(load(emitter, space, number, _DOUBLE).value, added), _DOUBLE, number)

    _each_parameter(site, first)
    _each_parameter(site, second)


@routine(RandomPoisson, refuses=_by_parameter("poisson"))
def poisson(site: Site) -> None:
    generator, word = _start(site), np.dtype(np.int64)

    def one(number: Any, mean: Any) -> None:
        mean = _demanded(site, mean, 0.0, _LARGEST_MEAN)
        _keep(site, generator.call("poisson", mean, result=ir.IntType(64)), word, number)

    _each_parameter(site, one)


@routine(RandomBinomial, refuses=_by_parameter("binomial"))
def binomial(site: Site) -> None:
    generator, word, builder = _start(site), np.dtype(np.int64), site.builder
    memory = stack(builder, word, _BINOMIAL)
    with loop(builder, _BINOMIAL) as k:
        builder.store(index(0), builder.gep(memory, [k]))

    def one(number: Any, p: Any) -> None:
        p = _demanded(site, p, 0.0, 1.0)
        drawn = generator.call("binomial", p, index(site.op.count), memory, result=ir.IntType(64))
        _keep(site, drawn, word, number)

    _each_parameter(site, one)
