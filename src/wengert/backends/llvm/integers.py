"""Division and shifts of integers, without traps, as NumPy means them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")


def unsigned(name: str, builder: Any, x: Any, y: Any) -> Any:
    """A quotient or a remainder; by zero, NumPy says zero."""
    zero = ir.Constant(x.type, 0)
    by_zero = builder.icmp_unsigned("==", y, zero)
    divisor = builder.select(by_zero, ir.Constant(x.type, 1), y)
    found = (builder.udiv if name == "floor_divide" else builder.urem)(x, divisor)
    return builder.select(by_zero, zero, found)


def signed(name: str, builder: Any, x: Any, y: Any) -> Any:
    """The same; the smallest number over -1 is itself."""
    zero, one = ir.Constant(x.type, 0), ir.Constant(x.type, 1)
    by_zero = builder.icmp_signed("==", y, zero)
    smallest = builder.icmp_signed("==", x, ir.Constant(x.type, -(2 ** (x.type.width - 1))))
    overflow = builder.and_(smallest, builder.icmp_signed("==", y, ir.Constant(x.type, -1)))
    divisor = builder.select(builder.or_(by_zero, overflow), one, y)
    rest = builder.srem(x, divisor)
    crossed = builder.icmp_signed("<", builder.xor(rest, divisor), zero)
    crossed = builder.and_(crossed, builder.icmp_signed("!=", rest, zero))
    if name == "fmod":
        found = rest
    elif name == "remainder":
        found = builder.select(crossed, builder.add(rest, divisor), rest)
    else:
        quotient = builder.sdiv(x, divisor)
        found = builder.select(crossed, builder.sub(quotient, one), quotient)
    return builder.select(by_zero, zero, found)


def shift(left: bool) -> Callable[..., Any]:
    """Shifts by as many bits as there are, or more, push every bit out."""

    def emit(e: Any, x: Any, y: Any) -> Any:
        builder, kind = e.builder, x.value.type
        last = ir.Constant(kind, kind.width - 1)
        inside = builder.icmp_unsigned("<=", y.value, last)
        by = builder.select(inside, y.value, last)
        if not left and x.dtype.kind == "i":
            return builder.ashr(x.value, by)
        shifted = (builder.shl if left else builder.lshr)(x.value, by)
        return builder.select(inside, shifted, ir.Constant(kind, 0))

    return emit
