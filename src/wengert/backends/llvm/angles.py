"""What becomes of the angles beyond 2**40, whose exact reduction is dear and hardly ever asked for.

Code for one element branches. Loops over many, which with a branch would not be vector loops, use the near functions
only and note whether there was such an angle; if so, they are done again, by calls. The functions here compute one
element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.backends.llvm import math
from wengert.backends.llvm.machine import has_fma
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")

_FLAG = 32
_PREFIX = "wengert.far."
#: The machine code of such functions, kept for the life of the process.
_COMPILED: dict[str, Any] = {}


def everywhere(builder: Any, name: str, x: Any) -> Any:
    """The function for every angle, in place: also in vector loops."""
    return builder.call(math.declare(builder.module, name, x.type, has_fma()), [x])


def called(builder: Any, name: str, x: Any) -> Any:
    """The function for every angle by a call of one outside of the module, which is compiled once for all. The bits of
    angles that are near are those of the near function."""
    symbol = f"{_PREFIX}{name}.{'f32' if isinstance(x.type, ir.FloatType) else 'f64'}"
    function = builder.module.globals.get(symbol)
    if function is None:
        function = ir.Function(builder.module, ir.FunctionType(x.type, [x.type]), symbol)
        function.attributes.add("nounwind")
    return builder.call(function, [x])


def symbols(module: Any, compiled: Callable[[Any], Any]) -> dict[str, int]:
    """Where the functions begin that ``called`` calls in a module; ``compiled`` makes machine code of one."""
    found = {}
    for function in module.functions:
        if function.name.startswith(_PREFIX) and function.is_declaration:
            if function.name not in _COMPILED:
                made = compiled(_outside(function.name))
                _COMPILED.setdefault(function.name, made)  # another thread may have been faster
            found[function.name] = _COMPILED[function.name].address(function.name)
    return found


def outside(module: Any) -> list[Any]:
    """The modules with the functions that ``called`` calls in a module, named as they are."""
    names = [one.name for one in module.functions if one.name.startswith(_PREFIX) and one.is_declaration]
    return [_outside(name) for name in names]


def _outside(symbol: str) -> Any:
    """A module with the function of that name."""
    name, size = symbol.removeprefix(_PREFIX).split(".")
    kind = ir.FloatType() if size == "f32" else ir.DoubleType()
    module = ir.Module(symbol)
    made = ir.Function(module, ir.FunctionType(kind, [kind]), symbol)
    builder = ir.IRBuilder(made.append_basic_block("entry"))
    (x,) = made.args
    with builder.if_then(_is_far(builder, x), likely=False):
        builder.ret(everywhere(builder, name, x))
    builder.ret(everywhere(builder, math.NEAR[name], x))
    return module


def by_branch(builder: Any, name: str, x: Any) -> Any:
    """The near function or, by a branch, the other."""
    with builder.if_else(_is_far(builder, x), likely=False) as (then, otherwise):
        with then:
            far, far_block = called(builder, name, x), builder.block
        with otherwise:
            near, near_block = everywhere(builder, math.NEAR[name], x), builder.block
    found = builder.phi(x.type)
    found.add_incoming(far, far_block)
    found.add_incoming(near, near_block)
    return found


class Noted:
    """The near function; whether an angle was too far for it is known afterwards."""

    def __init__(self, builder: Any) -> None:
        self.used = False
        with builder.goto_entry_block():
            self._register = builder.alloca(ir.IntType(_FLAG))
        builder.store(ir.Constant(ir.IntType(_FLAG), 0), self._register)

    def __call__(self, builder: Any, name: str, x: Any) -> Any:
        self.used = True
        far = builder.zext(_is_far(builder, x), ir.IntType(_FLAG))
        builder.store(builder.or_(builder.load(self._register), far), self._register)
        return everywhere(builder, math.NEAR[name], x)

    def any(self, builder: Any) -> Any:
        """Whether there was one."""
        return builder.icmp_signed("!=", builder.load(self._register), ir.Constant(ir.IntType(_FLAG), 0))


def _is_far(builder: Any, x: Any) -> Any:
    """Whether the near function does not hold; of infinities and NaN it does, and is NaN."""
    absolute = builder.module.declare_intrinsic("llvm.fabs", [x.type], ir.FunctionType(x.type, [x.type]))
    size = builder.call(absolute, [x])
    above = builder.fcmp_ordered(">", size, ir.Constant(x.type, math.NEAR_LIMIT))
    return builder.and_(above, builder.fcmp_ordered("<", size, ir.Constant(x.type, float("inf"))))
