"""Transcendental functions as LLVM IR that the loop vectoriser can widen.

Each function is a few lines of branch-free arithmetic on scalars (``emit.Number``); in a loop, LLVM turns it into
vector code for whatever the machine has. ``docs/accuracy.md`` lists the errors measured against mpmath.

``FUNCTIONS`` emits a function where the builder stands. ``declare`` adds it to a module once, as an IR function that is
always inlined, which keeps the text of a module with many calls short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.backends.llvm.math import (
    circular,
    division,
    exponential,
    gamma,
    gaussian,
    hyperbolic,
    inverse,
    logarithm,
    parts,
    power,
    quantile,
)
from wengert.backends.llvm.math.circular import NEAR_LIMIT
from wengert.backends.llvm.math.emit import Emit
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")


def _on_values(function: Any) -> Callable[..., Any]:
    """From functions of Numbers to functions of IR values."""

    def emit(e: Emit, *values: Any) -> Any:
        return function(e, *map(e.number, values)).value

    emit.__doc__ = function.__doc__
    return emit


#: How to emit each function: ``FUNCTIONS["exp"](emit, x)`` is the IR value of exp(x).
#: ``sin_near``, ``cos_near`` and ``tan_near`` cost a third but hold up to ``NEAR_LIMIT`` only.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: _on_values(function)
    for name, function in {
        "exp": exponential.exp,
        "exp2": exponential.exp2,
        "expm1": exponential.expm1,
        "sigmoid": exponential.sigmoid,
        "log": logarithm.log,
        "log2": logarithm.log2,
        "log10": logarithm.log10,
        "log1p": logarithm.log1p,
        "softplus": logarithm.softplus,
        "sin": circular.sin,
        "cos": circular.cos,
        "tan": circular.tan,
        "sin_near": circular.sin_near,
        "cos_near": circular.cos_near,
        "tan_near": circular.tan_near,
        "asin": inverse.asin,
        "acos": inverse.acos,
        "atan": inverse.atan,
        "atan2": inverse.atan2,
        "sinh": hyperbolic.sinh,
        "cosh": hyperbolic.cosh,
        "tanh": hyperbolic.tanh,
        "pow": power.pow_,
        "cbrt": power.cbrt,
        "hypot": power.hypot,
        "asinh": hyperbolic.asinh,
        "acosh": hyperbolic.acosh,
        "atanh": hyperbolic.atanh,
        "logaddexp": logarithm.logaddexp,
        "logaddexp2": logarithm.logaddexp2,
        "xlogy": logarithm.xlogy,
        "xlog1py": logarithm.xlog1py,
        "entr": logarithm.entr,
        "erf": gaussian.erf,
        "erfc": gaussian.erfc,
        "erfcx": gaussian.erfcx,
        "ndtr": gaussian.ndtr,
        "log_ndtr": gaussian.log_ndtr,
        "erfinv": quantile.erfinv,
        "erfcinv": quantile.erfcinv,
        "ndtri": quantile.ndtri,
        "lgamma": gamma.lgamma,
        "gamma": gamma.gamma,
        "digamma": gamma.digamma,
        "fmod": division.fmod,
        "remainder": division.remainder,
        "floor_divide": division.floor_divide,
    }.items()
}

#: The function that holds up to ``NEAR_LIMIT``, of those that have one.
NEAR = {name: f"{name}_near" for name in ("sin", "cos", "tan")}

#: Functions of two arguments.
BINARY = frozenset(
    {"atan2", "pow", "hypot", "logaddexp", "logaddexp2", "xlogy", "xlog1py", "fmod", "remainder", "floor_divide"}
)


def declare(module: Any, name: str, kind: Any, fused: bool = True, apart: bool = False) -> Any:
    """The function called ``name`` for the IR type ``kind``, added to the module when it is first asked for.

    Args:
        module: an ``llvmlite.ir.Module``.
        name: a key of ``FUNCTIONS``.
        kind: ``FloatType()`` or ``DoubleType()``.
        fused: whether the target has fused multiply-add instructions.
        apart: whether it stays a function that is called; else it becomes part of whoever calls it.
    """
    symbol = f"wengert.{name}.{'f32' if isinstance(kind, ir.FloatType) else 'f64'}{'.apart' if apart else ''}"
    if symbol in module.globals:
        return module.globals[symbol]
    function = ir.Function(module, ir.FunctionType(kind, [kind] * (2 if name in BINARY else 1)), symbol)
    function.linkage = "internal"
    function.attributes.add("noinline" if apart else "alwaysinline")
    function.attributes.add("nounwind")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    builder.ret(FUNCTIONS[name](Emit(builder, kind, fused), *function.args))
    return function


def is_ours(symbol: str) -> bool:
    """Whether a function of a module is one of these."""
    return symbol.startswith("wengert.")


__all__ = ["BINARY", "FUNCTIONS", "NEAR", "NEAR_LIMIT", "Emit", "declare", "is_ours", "parts"]
