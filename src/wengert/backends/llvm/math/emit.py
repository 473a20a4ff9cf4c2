"""A notation for scalar arithmetic in LLVM IR, so that a mathematical function reads like one.

``Emit`` knows the builder and the floating-point format, ``Number`` is an IR value with Python's operators. Everything
is branch-free: LLVM's loop vectoriser widens the scalar code of a loop body to whatever the machine has.

No fast-math flag is set here. Error-free transformations rely on every operation being rounded as written, and fused
multiply-adds are asked for by name (``fma`` is exact everywhere; ``mad`` is fused only where the machine can).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wengert.backends.llvm.math.tables import COEFFICIENTS, CONSTANTS
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

Operand = Any  # a Number, or a Python number that becomes a constant of the other operand's type


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """A value in the function under construction: floating-point, integer or truth value, by its type.

    Comparisons are false for NaN, except ``!=``'s counterpart ``differs``; ``>>`` shifts in zeros.
    """

    emit: Emit
    value: Any

    def _float(self) -> bool:
        return not isinstance(self.value.type, ir.IntType)

    def _other(self, other: Operand) -> Any:
        return other.value if isinstance(other, Number) else ir.Constant(self.value.type, other)

    def _binary(self, real: str, integer: str, other: Operand, swap: bool = False) -> Number:
        left, right = self.value, self._other(other)
        if swap:
            left, right = right, left
        return Number(self.emit, getattr(self.emit.builder, real if self._float() else integer)(left, right))

    def _compare(self, relation: str, other: Operand) -> Number:
        build = self.emit.builder.fcmp_ordered if self._float() else self.emit.builder.icmp_signed
        return Number(self.emit, build(relation, self.value, self._other(other)))

    def __add__(self, other: Operand) -> Number:
        return self._binary("fadd", "add", other)

    def __radd__(self, other: Operand) -> Number:
        return self._binary("fadd", "add", other, swap=True)

    def __sub__(self, other: Operand) -> Number:
        return self._binary("fsub", "sub", other)

    def __rsub__(self, other: Operand) -> Number:
        return self._binary("fsub", "sub", other, swap=True)

    def __mul__(self, other: Operand) -> Number:
        return self._binary("fmul", "mul", other)

    def __rmul__(self, other: Operand) -> Number:
        return self._binary("fmul", "mul", other, swap=True)

    def __truediv__(self, other: Operand) -> Number:
        return self._binary("fdiv", "", other)

    def __rtruediv__(self, other: Operand) -> Number:
        return self._binary("fdiv", "", other, swap=True)

    def __and__(self, other: Operand) -> Number:
        return self._binary("", "and_", other)

    def __or__(self, other: Operand) -> Number:
        return self._binary("", "or_", other)

    def __xor__(self, other: Operand) -> Number:
        return self._binary("", "xor", other)

    def __lshift__(self, other: Operand) -> Number:
        return self._binary("", "shl", other)

    def __rshift__(self, other: Operand) -> Number:
        return self._binary("", "lshr", other)

    def __neg__(self) -> Number:
        build = self.emit.builder.fneg if self._float() else self.emit.builder.neg
        return Number(self.emit, build(self.value))

    def __invert__(self) -> Number:
        return Number(self.emit, self.emit.builder.not_(self.value))

    def __lt__(self, other: Operand) -> Number:
        return self._compare("<", other)

    def __le__(self, other: Operand) -> Number:
        return self._compare("<=", other)

    def __gt__(self, other: Operand) -> Number:
        return self._compare(">", other)

    def __ge__(self, other: Operand) -> Number:
        return self._compare(">=", other)

    def equals(self, other: Operand) -> Number:
        """True where both are the same number."""
        return self._compare("==", other)

    def differs(self, other: Operand) -> Number:
        """True where they are not the same number; a NaN differs from everything."""
        build = self.emit.builder.fcmp_unordered if self._float() else self.emit.builder.icmp_signed
        return Number(self.emit, build("!=", self.value, self._other(other)))


@dataclass(frozen=True)
class Emit:
    """Builds scalar code for one floating-point format.

    Args:
        builder: where instructions go.
        real: ``llvmlite.ir.DoubleType()`` or ``FloatType()``.
        fused: whether the machine has fused multiply-add instructions; without, ``mad`` is two instructions and
            ``fma`` two dozen, for the C library's function would keep loops from being vector loops.
        digits: how many bits of the result count. Less than the format has shortens polynomials, for results that
            are rounded to a narrower format in the end.
    """

    builder: Any
    real: Any
    fused: bool = True
    digits: int = 0

    def __post_init__(self) -> None:
        if not self.digits:
            object.__setattr__(self, "digits", self.precision)

    @property
    def single(self) -> bool:
        """Whether the format is float32."""
        return isinstance(self.real, ir.FloatType)

    @property
    def precision(self) -> int:
        """Bits of the significand, the hidden one included."""
        return 24 if self.single else 53

    @property
    def fraction_bits(self) -> int:
        """Bits of the significand that are stored."""
        return self.precision - 1

    @property
    def bias(self) -> int:
        """What is added to the exponent in its field; also the exponent of the largest number."""
        return 127 if self.single else 1023

    @property
    def integer(self) -> Any:
        """The integer type of the same width."""
        return ir.IntType(32 if self.single else 64)

    def number(self, value: Any) -> Number:
        """An IR value (or a Number) as a Number of this Emit."""
        return Number(self, value.value if isinstance(value, Number) else value)

    def constant(self, value: float) -> Number:
        """A floating-point constant."""
        return Number(self, ir.Constant(self.real, value))

    def whole(self, value: int) -> Number:
        """An integer constant."""
        return Number(self, ir.Constant(self.integer, value))

    def words(self, name: str) -> list[float]:
        """A constant from the tables as an unevaluated sum of numbers of this format, largest first."""
        return CONSTANTS[name, self.precision]

    def _real(self, value: Operand) -> Any:
        return value.value if isinstance(value, Number) else ir.Constant(self.real, value)

    def _intrinsic(self, name: str, *operands: Operand) -> Number:
        values = [self._real(one) for one in operands]
        signature = ir.FunctionType(self.real, [self.real] * len(values))
        function = self.builder.module.declare_intrinsic(f"llvm.{name}", [self.real], signature)
        return Number(self, self.builder.call(function, values))

    def fma(self, a: Operand, b: Operand, c: Operand) -> Number:
        """a*b + c, rounded once; where the machine cannot, exact still if the result is a number of the format, and
        rounded to one more part in 2**(2 * precision) if not."""
        if self.fused:
            return self._intrinsic("fma", a, b, c)
        x, y, z = map(self._number, (a, b, c))
        if self.single:
            wide = self.widened()
            return self.narrow(wide.widen(x) * wide.widen(y) + wide.widen(z))
        product = x * y
        total = product + z
        shadow = total - product
        lost = (product - (total - shadow)) + (z - shadow)
        return total + (lost + self.lost(x, y, product))

    def lost(self, a: Operand, b: Operand, product: Number) -> Number:
        """a*b - product, where that is a*b rounded."""
        if self.fused or self.single:
            return self.fma(a, b, -product)
        # T. J. Dekker, Numerische Mathematik 18, 1971, 224-242: products of halves are exact.
        x, y = self._number(a), self._number(b)
        x_high, y_high = self._upper_half(x), self._upper_half(y)
        x_low, y_low = x - x_high, y - y_high
        return x_low * y_low - (((product - x_high * y_high) - x_low * y_high) - x_high * y_low)

    def _upper_half(self, x: Number) -> Number:
        """x rounded to 26 bits, for magnitudes that this leaves finite."""
        return self.from_bits(self.bits(x) + (1 << 26) & -(1 << 27))

    def mad(self, a: Operand, b: Operand, c: Operand) -> Number:
        """a*b + c, as fast as the machine can; where one rounding or two does not matter."""
        return self.fma(a, b, c) if self.fused else self._number(a) * b + c

    def _number(self, value: Operand) -> Number:
        return value if isinstance(value, Number) else self.constant(value)

    def sqrt(self, x: Number) -> Number:
        """The correctly rounded square root."""
        return self._intrinsic("sqrt", x)

    def abs(self, x: Number) -> Number:
        """The magnitude."""
        return self._intrinsic("fabs", x)

    def copysign(self, x: Operand, sign: Operand) -> Number:
        """The magnitude of ``x`` with the sign of ``sign``."""
        return self._intrinsic("copysign", x, sign)

    def floor(self, x: Number) -> Number:
        """The largest whole number that is not above ``x``."""
        if self.fused:
            return self._intrinsic("floor", x)
        whole = self.rint(x)
        return self.select(whole > x, whole - 1.0, whole)

    def rint(self, x: Number) -> Number:
        """The nearest whole number, of any size."""
        if self.fused:  # machines without that may lack an instruction for this, too
            return self._intrinsic("rint", x)
        size, unit = self.abs(x), 2.0**self.fraction_bits
        return self.copysign(self.select(size < unit, (size + unit) - unit, size), x)

    def branch(self, condition: Number, yes: Callable[[], Number], no: Callable[[], Number]) -> Number:
        """``yes()`` or ``no()``, of which only one is computed: a loop with a branch is not vectorised."""
        builder = self.builder
        with builder.if_else(condition.value, likely=True) as (then, otherwise):
            with then:
                first, first_block = yes(), builder.block
            with otherwise:
                second, second_block = no(), builder.block
        chosen = builder.phi(first.value.type)
        chosen.add_incoming(first.value, first_block)
        chosen.add_incoming(second.value, second_block)
        return Number(self, chosen)

    def select(self, condition: Number, yes: Operand, no: Operand) -> Number:
        """``yes`` where the condition holds, ``no`` elsewhere; of two constants both must be floating-point."""
        kind = next((one.value.type for one in (yes, no) if isinstance(one, Number)), self.real)
        values = [one.value if isinstance(one, Number) else ir.Constant(kind, one) for one in (yes, no)]
        return Number(self, self.builder.select(condition.value, *values))

    def clamp(self, x: Number, low: float, high: float) -> Number:
        """``x`` held between two bounds; NaN stays NaN."""
        x = self.select(x < low, low, x)
        return self.select(x > high, high, x)

    def bits(self, x: Number) -> Number:
        """The representation of a floating-point number, as an integer."""
        return Number(self, self.builder.bitcast(x.value, self.integer))

    def from_bits(self, i: Number) -> Number:
        """The floating-point number with that representation."""
        return Number(self, self.builder.bitcast(i.value, self.real))

    def nearest(self, x: Number, factor: Operand = 1.0) -> tuple[Number, Number]:
        """``x * factor`` rounded to a whole number, as floating-point and as integer, if below 2**(precision - 3).

        Adding 1.5 * 2**(precision - 1) pushes the fraction out and leaves the integer in the low bits: conversion
        instructions between float64 and int64 do not exist as vectors before AVX-512.
        """
        magic = 1.5 * 2.0**self.fraction_bits
        shifted = x + magic if factor == 1.0 else self.mad(x, factor, magic)
        exponent = (self.bias + self.fraction_bits) << self.fraction_bits
        pattern = exponent | 1 << (self.fraction_bits - 1)
        return shifted - magic, self.bits(shifted) - pattern

    def power_of_two(self, i: Number) -> Number:
        """2**i for an exponent of the normal range."""
        return self.from_bits((i + self.bias) << self.fraction_bits)

    def scale(self, x: Number, i: Number) -> Number:
        """x * 2**i for any i that some power of two, doubled, could bring ``x`` in or out of range with."""
        offset = 4 * (self.bias + 1)  # makes the exponent positive, so that halving it needs no arithmetic shift
        half = ((i + 2 * offset) >> 1) - offset
        return x * self.power_of_two(half) * self.power_of_two(i - half)

    def coefficients(self, name: str) -> list[float]:
        """The polynomial of that name, for the digits that count, constant first."""
        return COEFFICIENTS[name, self.digits]

    def polynomial(self, name: str, x: Number) -> Number:
        """A polynomial from the tables."""
        return self.evaluate(self.coefficients(name), x)

    def evaluate(self, coefficients: Sequence[float], x: Number) -> Number:
        """A polynomial, constant first: two interleaved Horner chains, which halve the latency for one product."""
        if len(coefficients) < 5:
            return self._horner(coefficients, x)
        square = x * x
        return self.mad(self._horner(coefficients[1::2], square), x, self._horner(coefficients[0::2], square))

    def _horner(self, coefficients: Sequence[float], x: Number) -> Number:
        total = self.constant(coefficients[-1])
        for one in reversed(coefficients[:-1]):
            total = self.mad(total, x, one)
        return total

    def widened(self, digits: int = 0) -> Emit:
        """The same builder with float64 arithmetic, of which ``digits`` bits count."""
        return Emit(self.builder, ir.DoubleType(), self.fused, digits)

    def widen(self, x: Number) -> Number:
        """A float32 as the float64 of a widened Emit."""
        return Number(self, self.builder.fpext(x.value, self.real))

    def narrow(self, x: Number) -> Number:
        """A float64 rounded to this float32 format."""
        return Number(self, self.builder.fptrunc(x.value, self.real))

    def lookup(self, table: str, rows: Sequence[Sequence[float]], row: Number) -> list[Number]:
        """One row of a constant table: a gather for each column."""
        columns = len(rows[0])
        data = self._global(f"wengert.{table}", [one for each in rows for one in each])
        start = row * columns
        return [self._load(data, start + column) for column in range(columns)]

    def _global(self, name: str, values: list[float]) -> Any:
        module = self.builder.module
        if name in module.globals:
            return module.globals[name]
        kind = ir.ArrayType(self.real, len(values))
        data = ir.GlobalVariable(module, kind, name)
        data.linkage, data.global_constant, data.align = "internal", True, 64
        data.initializer = ir.Constant(kind, values)
        return data

    def _load(self, data: Any, index: Number) -> Number:
        zero = ir.Constant(self.integer, 0)
        return Number(self, self.builder.load(self.builder.gep(data, [zero, index.value], inbounds=True)))


Function = Callable[..., Number]
