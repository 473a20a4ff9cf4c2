"""NumPy's functions that are no ufuncs, of single numbers: written with ufuncs, as NumPy writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _clip(x: Any, low: Any, high: Any) -> Any:
    return np.minimum(np.maximum(x, low), high)


def _angle(x: Any, deg: bool = False) -> Any:
    angle = np.arctan2(x.imag, x.real)
    return np.degrees(angle) if deg else angle


def _round(x: Any, decimals: int = 0) -> Any:
    if x.dtype.kind != "f":
        return x if decimals >= 0 else NotImplemented
    if decimals == 0:
        return np.rint(x)
    factor = float(10 ** abs(decimals))
    return np.rint(x * factor) / factor if decimals > 0 else np.rint(x / factor) * factor


def _sinc(x: Any) -> Any:
    # The small number only exists among floats, and NumPy takes sinc of integers and truth values among these.
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    y = np.pi * np.where(x == 0, x.dtype.type(1e-20), x)
    return np.sin(y) / y


def _nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    if x.dtype.kind != "f":
        return x
    kind, limits = x.dtype.type, np.finfo(x.dtype)
    highest = kind(limits.max if posinf is None else posinf)
    lowest = kind(limits.min if neginf is None else neginf)
    x = np.where(np.isnan(x), kind(nan), x)
    return np.where(x == np.inf, highest, np.where(x == -np.inf, lowest, x))


def _isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    near = (np.abs(x - y) <= atol + rtol * np.abs(y)) & np.isfinite(y) | (x == y)
    return near | (np.isnan(x) & np.isnan(y)) if equal_nan else near


def _result_type(*kinds: Any) -> np.dtype[Any]:
    return np.result_type(*(kind if isinstance(kind, type) else getattr(kind, "dtype", kind) for kind in kinds))


def exprel(x: Any) -> Any:
    """(exp(x) - 1) / x, as SciPy has it."""
    one = x.dtype.type(1)
    zero = x == 0
    return np.where(zero, one, np.where(x == np.inf, x, np.expm1(x) / np.where(zero, one, x)))


def _of_reals(function: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(x: Any, *more: Any, **named: Any) -> Any:
        return NotImplemented if getattr(getattr(x, "dtype", None), "kind", "f") == "c" else function(x, *more, **named)

    return guarded


#: By NumPy's name.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "real": lambda x: x.real,
    "imag": lambda x: x.imag,
    "angle": _angle,
    "clip": _of_reals(_clip),
    "round": _of_reals(_round),
    "around": _of_reals(_round),
    "sinc": _of_reals(_sinc),
    "nan_to_num": _of_reals(_nan_to_num),
    "isclose": _of_reals(_isclose),
    "isposinf": _of_reals(lambda x: x == np.inf),
    "isneginf": _of_reals(lambda x: x == -np.inf),
    "isreal": lambda x: x.imag == 0,
    "iscomplex": lambda x: x.imag != 0,
    "result_type": _result_type,
    "ones_like": lambda x: x.dtype.type(1),
    "zeros_like": lambda x: x.dtype.type(0),
}
