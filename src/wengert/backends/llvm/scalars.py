"""Elementwise operations on single numbers, as LLVM IR.

A ``Scalar`` stands for one element. It answers NumPy's ufuncs and operators by emitting instructions, so an elementwise
operation is lowered by calling the very ``value`` that computes it on arrays: there is no second definition. What has
no instruction or function here raises ``NotLowered``, and stays with NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm import angles, complex_numbers, external, integers, math
from wengert.backends.llvm.functions import FUNCTIONS, exprel
from wengert.backends.llvm.machine import has_fma
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

Value = Any


class NotLowered(Exception):
    """This operation is not compiled; NumPy computes it."""


def ir_type(dtype: np.dtype[Any]) -> Any:
    """The type of a value in a register."""
    if dtype.kind == "b":
        return ir.IntType(1)
    if dtype.kind not in "iu" and dtype.char not in "fdFD":
        raise NotLowered(f"numbers of dtype {dtype}")
    return memory_type(dtype)


def memory_type(dtype: np.dtype[Any]) -> Any:
    """The type of a value in memory."""
    if dtype.kind == "b":
        return ir.IntType(8)
    if dtype.kind in "iu":
        return ir.IntType(8 * dtype.itemsize)
    if dtype.char == "d":
        return ir.DoubleType()
    if dtype.char == "f":
        return ir.FloatType()
    if dtype.char in "FD":
        return ir.LiteralStructType([memory_type(complex_numbers.part_dtype(dtype))] * 2)
    # Others are moved, not computed with.
    return ir.IntType(8 * dtype.itemsize)


class Scalar:
    """One number in a register, with its dtype."""

    __slots__ = ("dtype", "emitter", "value")
    ndim = 0
    shape: tuple[int, ...] = ()
    size = 1

    def __init__(self, emitter: ScalarEmitter, value: Value, dtype: np.dtype[Any]) -> None:
        self.emitter = emitter
        self.value = value
        self.dtype = dtype

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Scalar:
        if method != "__call__" or kwargs:
            raise NotLowered(f"{ufunc.__name__}.{method} with {sorted(kwargs)}")
        return self.emitter.ufunc(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = function.__name__
        if name == "where" and len(args) == 3:
            return self.emitter.select(*args)
        known = FUNCTIONS.get(name)
        if known is None:
            raise NotLowered(name)
        found = known(*args, **kwargs)
        if found is NotImplemented:
            raise NotLowered(name)
        return found

    def astype(self, dtype: Any, copy: bool = True) -> Scalar:
        return self.emitter.cast(self, np.dtype(dtype))

    @property
    def real(self) -> Scalar:
        return complex_numbers.parts(self)[0] if self.dtype.kind == "c" else self

    @property
    def imag(self) -> Scalar:
        if self.dtype.kind == "c":
            return complex_numbers.parts(self)[1]
        return self.emitter.constant(0, self.dtype)

    def conj(self) -> Scalar:
        return np.conjugate(self)

    def __bool__(self) -> bool:
        raise NotLowered("a branch on a value")

    def __pow__(self, other: Any) -> Any:
        return self.emitter.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return self.emitter.ufunc(np.power, (other, self))


def _operator(ufunc: Any, swap: bool = False) -> Any:
    if swap:
        return lambda self, other: self.emitter.ufunc(ufunc, (other, self))
    return lambda self, other: self.emitter.ufunc(ufunc, (self, other))


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "lshift": np.left_shift,
    "rshift": np.right_shift,
}.items():  # fmt: skip
    setattr(Scalar, f"__{_name}__", _operator(_ufunc))
    setattr(Scalar, f"__r{_name}__", _operator(_ufunc, swap=True))
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(Scalar, f"__{_name}__", _operator(_ufunc))
_UNARY: dict[str, Any] = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}
for _name, _ufunc in _UNARY.items():
    setattr(Scalar, f"__{_name}__", lambda self, _ufunc=_ufunc: self.emitter.ufunc(_ufunc, (self,)))


class ScalarEmitter:
    """Emits arithmetic on single numbers at a builder's place. ``angle`` computes sin, cos and tan; mathematical
    functions are written in place, or called if they are ``apart``."""

    def __init__(
        self, builder: Any, angle: Callable[[Any, str, Value], Value] = angles.everywhere, apart: bool = False
    ) -> None:
        self.builder = builder
        self.angle = angle
        self.apart = apart

    def scalar(self, value: Value, dtype: np.dtype[Any]) -> Scalar:
        return Scalar(self, value, dtype)

    def constant(self, number: Any, dtype: np.dtype[Any]) -> Scalar:
        """A number that is known."""
        number = dtype.type(number).item()
        if dtype.kind == "c":
            return Scalar(self, ir.Constant(ir_type(dtype), [number.real, number.imag]), dtype)
        return Scalar(self, ir.Constant(ir_type(dtype), number), dtype)

    def elementwise(self, primitive: Any, operands: Sequence[Any], dtype: np.dtype[Any]) -> Scalar:
        """One element of an operation's result."""
        try:
            found = primitive.lower(self, *operands)
            if found is NotImplemented:
                found = primitive.value(*operands)
        except NotLowered:
            raise
        except Exception as error:
            raise NotLowered(f"{primitive.name}: {error}") from error
        if not isinstance(found, Scalar):
            if isinstance(found, (bool, int, float, complex, np.generic)):
                return self.constant(found, dtype)
            raise NotLowered(primitive.name)
        return self.cast(found, dtype)

    # -- ufuncs -------------------------------------------------------------------------------------------------

    def ufunc(self, ufunc: Any, inputs: Sequence[Any]) -> Any:
        """The result of a ufunc (a tuple, if there are several), in the types that NumPy would compute it in."""
        kinds: list[Any] = [x.dtype if isinstance(x, Scalar) else _weak(x) for x in inputs]
        if not hasattr(ufunc, "resolve_dtypes"):
            raise NotLowered(ufunc.__name__)
        resolved = ufunc.resolve_dtypes((*kinds, *(None,) * ufunc.nout))
        operands = [self.cast(x, dtype) for x, dtype in zip(inputs, resolved, strict=False)]
        if any(dtype.kind == "c" for dtype in resolved):
            found = complex_numbers.emitted(self, ufunc.__name__, operands, resolved[-1])
            if found is None:
                raise NotLowered(f"{ufunc.__name__} of complex numbers")
            return Scalar(self, found, resolved[-1])
        emit = _UFUNCS.get(ufunc.__name__) or _special(ufunc.__name__, len(inputs))
        if emit is None:
            raise NotLowered(ufunc.__name__)
        found = emit(self, *operands)
        if ufunc.nout == 1:
            return Scalar(self, found, resolved[-1])
        return tuple(Scalar(self, one, dtype) for one, dtype in zip(found, resolved[ufunc.nin :], strict=True))

    def cast(self, x: Any, dtype: np.dtype[Any]) -> Scalar:
        """The number in another dtype, as ``astype`` converts it."""
        if not isinstance(x, Scalar):
            return self.constant(x, dtype)
        if x.dtype == dtype:
            return x
        if "c" in (x.dtype.kind, dtype.kind):
            return Scalar(self, complex_numbers.cast(self, x, dtype), dtype)
        target, builder, value = ir_type(dtype), self.builder, x.value
        source, kind = x.dtype.kind, dtype.kind
        if kind == "b":
            found = self.is_nonzero(x)
        elif source == "b":
            found = builder.uitofp(value, target) if kind == "f" else builder.zext(value, target)
        elif source in "iu" and kind == "f":
            found = (builder.sitofp if source == "i" else builder.uitofp)(value, target)
        elif source == "f" and kind in "iu":
            # What does not fit is undefined in IR, and whatever the machine gives in NumPy: saturation is defined.
            name = "llvm.fptosi.sat" if kind == "i" else "llvm.fptoui.sat"
            found = self.intrinsic(name, target, [value], [target, value.type])
        elif source == "f":
            found = (builder.fpext if dtype.itemsize > x.dtype.itemsize else builder.fptrunc)(value, target)
        elif dtype.itemsize > x.dtype.itemsize:
            found = (builder.sext if source == "i" else builder.zext)(value, target)
        elif dtype.itemsize < x.dtype.itemsize:
            found = builder.trunc(value, target)
        else:
            found = value
        return Scalar(self, found, dtype)

    def is_nonzero(self, x: Scalar) -> Value:
        """Whether a number is not zero; NaN is not."""
        if x.dtype.kind == "b":
            return x.value
        zero = ir.Constant(x.value.type, 0)
        if x.dtype.kind == "f":
            return self.builder.fcmp_unordered("!=", x.value, zero)
        return self.builder.icmp_signed("!=", x.value, zero)

    def select(self, condition: Any, x: Any, y: Any) -> Scalar:
        """``x`` where the condition holds, else ``y``."""
        kinds = [v.dtype if isinstance(v, Scalar) else v for v in (x, y)]
        dtype = np.result_type(*kinds)
        chosen = self.cast(condition, np.dtype(bool))
        pair = [self.cast(v, dtype) for v in (x, y)]
        return Scalar(self, self.builder.select(chosen.value, pair[0].value, pair[1].value), dtype)

    def power(self, x: Scalar, exponent: Any) -> Any:
        """``x ** exponent``; small whole exponents as products."""
        if isinstance(exponent, (int, float)) and x.dtype.kind in "fc":
            if exponent == 0.5:
                return self.ufunc(np.sqrt, (x,))
            if exponent == int(exponent) and 0 < abs(exponent) <= 16:
                found = self._product(x, abs(int(exponent)))
                return found if exponent > 0 else 1.0 / found
        return self.ufunc(np.power, (x, exponent))

    def _product(self, x: Any, n: int) -> Any:
        result, square = None, x
        while n:
            if n & 1:
                result = square if result is None else result * square
            n >>= 1
            if n:
                square = square * square
        return result

    def intrinsic(self, name: str, result: Any, args: Sequence[Value], overloads: Sequence[Any] = ()) -> Value:
        """A call of an LLVM intrinsic, whose full name has the types that it is overloaded on."""
        full = name + "".join(f".{_mangled(t)}" for t in (overloads or [args[0].type]))
        module = self.builder.module
        function = module.globals.get(full)
        if function is None:
            function = ir.Function(module, ir.FunctionType(result, [a.type for a in args]), full)
        return self.builder.call(function, args)

    def library(self, name: str, *args: Scalar) -> Value:
        """A call of a mathematical function."""
        if name in math.NEAR:
            return self.angle(self.builder, name, args[0].value)
        function = math.declare(self.builder.module, name, args[0].value.type, has_fma(), self.apart)
        return self.builder.call(function, [a.value for a in args])


def _mangled(kind: Any) -> str:
    if isinstance(kind, ir.IntType):
        return f"i{kind.width}"
    return "f64" if isinstance(kind, ir.DoubleType) else "f32"


def _weak(x: Any) -> Any:
    if isinstance(x, np.generic):
        return x.dtype
    if isinstance(x, bool):
        return np.dtype(bool)
    if isinstance(x, (int, float, complex)):
        return type(x)
    if isinstance(x, np.ndarray) and x.ndim == 0:
        return x.dtype
    raise NotLowered(f"an operand of type {type(x).__name__}")


# -- instructions for ufuncs ----------------------------------------------------------------------------------------


def _arithmetic(real: str, integer: str) -> Callable[..., Value]:
    def emit(e: ScalarEmitter, x: Scalar, y: Scalar) -> Value:
        if x.dtype.kind == "f":
            flags = ("contract",) if real in ("fadd", "fsub", "fmul") else ()
            return getattr(e.builder, real)(x.value, y.value, flags=flags)
        if x.dtype.kind == "b":
            return getattr(e.builder, {"add": "or_", "mul": "and_"}[integer])(x.value, y.value)
        return getattr(e.builder, integer)(x.value, y.value)

    return emit


def _comparison(sign: str) -> Callable[..., Value]:
    def emit(e: ScalarEmitter, x: Scalar, y: Scalar) -> Value:
        if x.dtype.kind == "f":
            build = e.builder.fcmp_unordered if sign == "!=" else e.builder.fcmp_ordered
            return build(sign, x.value, y.value)
        signed = x.dtype.kind == "i"
        if {x.dtype.kind, y.dtype.kind} == {"i", "u"}:
            return _mixed(e, sign, x, y)
        return (e.builder.icmp_signed if signed else e.builder.icmp_unsigned)(sign, x.value, y.value)

    return emit


def _mixed(e: ScalarEmitter, sign: str, x: Scalar, y: Scalar) -> Value:
    """A signed against an unsigned integer of the same width, as exact as NumPy's: what is negative is less than all
    else."""
    first = x.dtype.kind == "i"
    one = x if first else y
    negative = e.builder.icmp_signed("<", one.value, ir.Constant(one.value.type, 0))
    decided = sign == "!=" or sign in (("<", "<=") if first else (">", ">="))
    return e.builder.select(
        negative, ir.Constant(ir.IntType(1), decided), e.builder.icmp_unsigned(sign, x.value, y.value)
    )


def _extreme(sign: str, quiet: bool) -> Callable[..., Value]:
    def emit(e: ScalarEmitter, x: Scalar, y: Scalar) -> Value:
        if x.dtype.kind != "f":
            return e.builder.select(_comparison(sign)(e, x, y), x.value, y.value)
        # NaN wins, or for fmax and fmin loses.
        special = y if quiet else x
        is_nan = e.builder.fcmp_unordered("uno", special.value, special.value)
        return e.builder.select(e.builder.or_(e.builder.fcmp_ordered(sign, x.value, y.value), is_nan), x.value, y.value)

    return emit


def _intrinsic(name: str) -> Callable[..., Value]:
    def emit(e: ScalarEmitter, *xs: Scalar) -> Value:
        if xs[0].dtype.kind != "f":
            if name in ("llvm.floor", "llvm.ceil", "llvm.trunc", "llvm.nearbyint"):
                return xs[0].value
            raise NotLowered(name)
        return e.intrinsic(name, xs[0].value.type, [x.value for x in xs])

    return emit


def _library(name: str) -> Callable[..., Value]:
    def emit(e: ScalarEmitter, *xs: Scalar) -> Value:
        if xs[0].dtype.kind != "f":
            raise NotLowered(name)
        return e.library(name, *xs)

    return emit


def _special(name: str, count: int) -> Callable[..., Value] | None:
    """A call of one of SciPy's functions, which compute in double precision."""
    found = external.special(name, count)
    if found is None:
        return None

    def emit(e: ScalarEmitter, *xs: Scalar) -> Value:
        double = np.dtype(float)
        module, flag = e.builder.module, ir.IntType(32)
        function = module.globals.get(found)
        if function is None:
            kind = ir.FunctionType(ir.DoubleType(), [*[ir.DoubleType()] * count, flag])
            function = ir.Function(module, kind, found)
            function.attributes.add("nounwind")
        result = e.builder.call(function, [*(e.cast(x, double).value for x in xs), flag(0)])
        return result if xs[-1].dtype.char != "f" else e.builder.fptrunc(result, ir.FloatType())

    return emit


def _negative(e: ScalarEmitter, x: Scalar) -> Value:
    return e.builder.fneg(x.value) if x.dtype.kind == "f" else e.builder.neg(x.value)


def _absolute(e: ScalarEmitter, x: Scalar) -> Value:
    if x.dtype.kind == "f":
        return e.intrinsic("llvm.fabs", x.value.type, [x.value])
    if x.dtype.kind in "ub":
        return x.value
    negative = e.builder.icmp_signed("<", x.value, ir.Constant(x.value.type, 0))
    return e.builder.select(negative, e.builder.neg(x.value), x.value)


def _sign(e: ScalarEmitter, x: Scalar) -> Value:
    one, zero = ir.Constant(x.value.type, 1), ir.Constant(x.value.type, 0)
    if x.dtype.kind == "u":
        return e.builder.select(e.builder.icmp_unsigned("!=", x.value, zero), one, zero)
    if x.dtype.kind != "f":
        positive = e.builder.icmp_signed(">", x.value, zero)
        negative = e.builder.icmp_signed("<", x.value, zero)
        return e.builder.select(positive, one, e.builder.select(negative, ir.Constant(x.value.type, -1), zero))
    size = e.intrinsic("llvm.copysign", x.value.type, [one, x.value])
    # Zeros and NaN are their own sign.
    ordinary = e.builder.fcmp_ordered("!=", x.value, zero)
    positive_zero = e.builder.fadd(x.value, zero)
    return e.builder.select(ordinary, size, positive_zero)


def _reciprocal(e: ScalarEmitter, x: Scalar) -> Value:
    if x.dtype.kind != "f":
        raise NotLowered("reciprocal")
    return e.builder.fdiv(ir.Constant(x.value.type, 1.0), x.value)


def _divided(name: str) -> Callable[..., Value]:
    """``fmod``, ``remainder`` or ``floor_divide``: of floats by our own functions, of integers without a trap."""

    def emit(e: ScalarEmitter, x: Scalar, y: Scalar) -> Value:
        if x.dtype.kind == "f":
            return e.library(name, x, y)
        return (integers.signed if x.dtype.kind == "i" else integers.unsigned)(name, e.builder, x.value, y.value)

    return emit


def _logical(operation: str) -> Callable[..., Value]:
    return lambda e, x, y: getattr(e.builder, operation)(e.is_nonzero(x), e.is_nonzero(y))


def _isnan(e: ScalarEmitter, x: Scalar) -> Value:
    if x.dtype.kind != "f":
        return ir.Constant(ir.IntType(1), 0)
    return e.builder.fcmp_unordered("uno", x.value, x.value)


def _isfinite(e: ScalarEmitter, x: Scalar) -> Value:
    if x.dtype.kind != "f":
        return ir.Constant(ir.IntType(1), 1)
    size = e.intrinsic("llvm.fabs", x.value.type, [x.value])
    return e.builder.fcmp_ordered("<", size, ir.Constant(x.value.type, float("inf")))


def _isinf(e: ScalarEmitter, x: Scalar) -> Value:
    if x.dtype.kind != "f":
        return ir.Constant(ir.IntType(1), 0)
    size = e.intrinsic("llvm.fabs", x.value.type, [x.value])
    return e.builder.fcmp_ordered("==", size, ir.Constant(x.value.type, float("inf")))


def _signbit(e: ScalarEmitter, x: Scalar) -> Value:
    if x.dtype.kind != "f":
        raise NotLowered("signbit")
    width = ir.IntType(64 if isinstance(x.value.type, ir.DoubleType) else 32)
    return e.builder.icmp_signed("<", e.builder.bitcast(x.value, width), ir.Constant(width, 0))


def _scaled(factor: float) -> Callable[..., Value]:
    return lambda e, x: e.builder.fmul(x.value, ir.Constant(x.value.type, factor))


def _bits(operation: str) -> Callable[..., Value]:
    return lambda e, x, y: getattr(e.builder, operation)(x.value, y.value)


def _parted(function: Any) -> Callable[..., Any]:
    """A function of ``math.parts``; integers are brought to the width of the float."""

    def emit(e: ScalarEmitter, *xs: Scalar) -> Any:
        if xs[0].dtype.kind != "f":
            raise NotLowered(function.__name__)
        m = math.Emit(e.builder, xs[0].value.type, has_fma())
        found = function(m, *(m.number(_same_width(m, e.builder, x)) for x in xs))
        return tuple(one.value for one in found) if isinstance(found, tuple) else found.value

    return emit


def _same_width(m: math.Emit, builder: Any, x: Scalar) -> Value:
    if x.dtype.kind == "f":
        return x.value
    kind, wanted = x.value.type, m.integer
    for limit, sign in ((4000, ">"), (-4000, "<")):  # far more than any exponent
        bound = ir.Constant(kind, limit)
        x = Scalar(x.emitter, builder.select(builder.icmp_signed(sign, x.value, bound), bound, x.value), x.dtype)
    if kind.width == wanted.width:
        return x.value
    return (builder.sext if kind.width < wanted.width else builder.trunc)(x.value, wanted)


def _exponent(m: math.Emit, x: Any) -> Any:
    """``frexp``, whose exponent has 32 bits."""
    fraction, exponent = math.parts.frexp(m, x)
    if not m.single:
        exponent = m.number(m.builder.trunc(exponent.value, ir.IntType(32)))
    return fraction, exponent


def _heaviside(e: ScalarEmitter, x: Scalar, y: Scalar) -> Value:
    kind, builder = x.value.type, e.builder
    above = builder.fcmp_ordered(">", x.value, ir.Constant(kind, 0.0))
    step = builder.select(above, ir.Constant(kind, 1.0), ir.Constant(kind, 0.0))
    step = builder.select(builder.fcmp_ordered("==", x.value, ir.Constant(kind, 0.0)), y.value, step)
    return builder.select(_isnan(e, x), x.value, step)


def _bit_count(e: ScalarEmitter, x: Scalar) -> Value:
    size = _absolute(e, x)
    count = e.intrinsic("llvm.ctpop", size.type, [size])
    return count if size.type.width == 8 else e.builder.trunc(count, ir.IntType(8))


_UFUNCS: dict[str, Callable[..., Any]] = {
    "add": _arithmetic("fadd", "add"),
    "subtract": _arithmetic("fsub", "sub"),
    "multiply": _arithmetic("fmul", "mul"),
    "divide": _arithmetic("fdiv", "sdiv"),
    "true_divide": _arithmetic("fdiv", "sdiv"),
    "negative": _negative,
    "positive": lambda e, x: x.value,
    "conjugate": lambda e, x: x.value,
    "absolute": _absolute,
    "fabs": _absolute,
    "sign": _sign,
    "square": lambda e, x: _arithmetic("fmul", "mul")(e, x, x),
    "reciprocal": _reciprocal,
    "sqrt": _intrinsic("llvm.sqrt"),
    "floor": _intrinsic("llvm.floor"),
    "ceil": _intrinsic("llvm.ceil"),
    "trunc": _intrinsic("llvm.trunc"),
    "rint": _intrinsic("llvm.nearbyint"),
    "copysign": _intrinsic("llvm.copysign"),
    "less": _comparison("<"),
    "less_equal": _comparison("<="),
    "greater": _comparison(">"),
    "greater_equal": _comparison(">="),
    "equal": _comparison("=="),
    "not_equal": _comparison("!="),
    "maximum": _extreme(">=", quiet=False),
    "minimum": _extreme("<=", quiet=False),
    "fmax": _extreme(">=", quiet=True),
    "fmin": _extreme("<=", quiet=True),
    "logical_and": _logical("and_"),
    "logical_or": _logical("or_"),
    "logical_xor": _logical("xor"),
    "logical_not": lambda e, x: e.builder.not_(e.is_nonzero(x)),
    **{name: _divided(name) for name in ("fmod", "remainder", "floor_divide")},
    "left_shift": integers.shift(left=True),
    "right_shift": integers.shift(left=False),
    "modf": _parted(math.parts.modf),
    "frexp": _parted(_exponent),
    "ldexp": _parted(math.parts.ldexp),
    "nextafter": _parted(math.parts.nextafter),
    "spacing": _parted(math.parts.spacing),
    "heaviside": _heaviside,
    "exprel": lambda e, x: exprel(x).value,
    "bitwise_count": _bit_count,
    "bitwise_and": _bits("and_"),
    "bitwise_or": _bits("or_"),
    "bitwise_xor": _bits("xor"),
    "invert": lambda e, x: e.builder.not_(x.value),
    "isnan": _isnan,
    "isinf": _isinf,
    "isfinite": _isfinite,
    "signbit": _signbit,
    "deg2rad": _scaled(np.pi / 180),
    "radians": _scaled(np.pi / 180),
    "rad2deg": _scaled(180 / np.pi),
    "degrees": _scaled(180 / np.pi),
    **{
        numpy_name: _library(name)
        for numpy_name, name in {
            **{name: name for name in (
                "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh",
                "cbrt", "hypot", "logaddexp", "logaddexp2", "xlogy", "xlog1py", "entr", "erf", "erfc", "erfcx", "ndtr",
                "log_ndtr", "erfinv", "erfcinv", "ndtri", "gamma",
            )},
            **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
            "power": "pow", "float_power": "pow", "gammaln": "lgamma", "psi": "digamma", "expit": "sigmoid",
        }.items()
    },
}  # fmt: skip
