"""How many units in the last place the compiled functions are off, measured against mpmath."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp, mpf
from scipy import special

from tests.backends.llvm.native import native
from wengert.backends.llvm.math import BINARY, NEAR_LIMIT

#: Units in the last place that each function may be off; two where nothing is said.
BOUNDS = {
    **dict.fromkeys("pow erfc erfcx ndtr log_ndtr erfinv erfcinv ndtri lgamma gamma digamma logaddexp2".split(), 4.0),
    **dict.fromkeys(("fmod", "remainder"), 0.5),
}


def _softplus(x: mpf) -> mpf:
    return (x if x > 0 else 0) + mp.log1p(mp.exp(-abs(x)))


def _cbrt(x: mpf) -> mpf:
    return mp.sign(x) * mp.cbrt(abs(x))


def _logaddexp(x: mpf, y: mpf) -> mpf:
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


def _fmod(x: mpf, y: mpf) -> mpf:
    return mpf(math.fmod(float(x), float(y)))  # exact in C


def _remainder(x: mpf, y: mpf) -> mpf:
    rest = _fmod(x, y)
    return rest + y if rest and (rest < 0) != (y < 0) else rest


def _lgamma(x: mpf) -> mpf:
    if x <= 0 and mp.isint(x):
        return mp.inf
    return mp.log(abs(mp.gamma(x))) if abs(x) < 1e4 else mp.re(mp.loggamma(x))


def _ndtr(x: mpf) -> mpf:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _erfcx(x: mpf) -> mpf:
    if x > 1e4:  # mpmath's erfc is slow there
        return (1 - 1 / (2 * x**2) + 3 / (4 * x**4) - 15 / (8 * x**6)) / (x * mp.sqrt(mp.pi))
    with mp.workdps(60):
        return mp.exp(x * x) * mp.erfc(x)


def _log_ndtr(x: mpf) -> mpf:
    if x > 100:
        return mpf(0)  # to far more than a thousand digits
    with mp.workdps(60):
        return mp.log(_erfcx(-x / mp.sqrt(2)) / 2) - x * x / 2 if x < -1 else mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2)


def _erfcinv(p: mpf) -> mpf:
    if p in (0, 2):
        return mp.inf if p == 0 else -mp.inf
    if not 0 < p < 2:
        return mp.nan
    if p > 1:
        return -_erfcinv(2 - p)
    t = mpf(float(special.erfcinv(float(p)))) if p > mpf("1e-300") else mp.sqrt(-mp.log(p))
    for _ in range(8):
        value = mp.erfc(t)
        t += mp.log(value / p) * value * mp.exp(t * t) * mp.sqrt(mp.pi) / 2
    return t


def _ndtri(p: mpf) -> mpf:
    return -mp.sqrt(2) * _erfcinv(2 * p)


REFERENCES: dict[str, Callable[..., Any]] = {
    "exp": mp.exp,
    "exp2": lambda x: mp.power(2, x),
    "expm1": mp.expm1,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "log": mp.log,
    "log2": lambda x: mp.log(x) / mp.ln2,
    "log10": lambda x: mp.log(x) / mp.ln10,
    "log1p": mp.log1p,
    "softplus": _softplus,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "sin_near": mp.sin,
    "cos_near": mp.cos,
    "tan_near": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "pow": mp.power,
    "cbrt": _cbrt,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfcx": _erfcx,
    "ndtr": _ndtr,
    "log_ndtr": _log_ndtr,
    "erfinv": lambda x: mp.erfinv(x) if abs(x) < mpf("0.9") else mp.sign(x) * _erfcinv(1 - abs(x)),
    "erfcinv": _erfcinv,
    "ndtri": _ndtri,
    "hypot": mp.hypot,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "logaddexp": _logaddexp,
    "logaddexp2": lambda x, y: _logaddexp(x * mp.ln2, y * mp.ln2) / mp.ln2,
    "xlogy": lambda x, y: x * mp.log(y) if x else x,
    "xlog1py": lambda x, y: x * mp.log1p(y) if x else x,
    "entr": lambda x: -x * mp.log(x) if x > 0 else mp.mpf(0) if x == 0 else -mp.inf,
    "lgamma": _lgamma,
    "gamma": mp.gamma,
    "digamma": mp.digamma,
    "fmod": _fmod,
    "remainder": _remainder,
    "floor_divide": lambda x, y: (x - _remainder(x, y)) / y,
}

#: Functions with roots that are no numbers: how large the terms are whose difference the value is. Where the value is
#: smaller than that, its error is measured in units of theirs.
SCALES: dict[str, Callable[..., Any]] = {
    "lgamma": lambda x: 1 if x < 0 else 0,
    "digamma": lambda x: max(1, mp.digamma(1 - x)) if x < 0 else 0,
    "logaddexp": lambda x, y: abs(max(x, y)),
    "logaddexp2": lambda x, y: abs(max(x, y)),
}

_HALF_TURNS = [1e-300, math.pi / 4] + [k * math.pi / 2 for k in (1, 2, 3, 4, 7, 100, 355, 710, 10**6, 10**12)]
#: Where a function has a root, a pole, a limit of its range or a seam between two formulas.
DELICATE: dict[str, Sequence[float]] = {
    "exp": [1e-300, 0.3465, 709.78, -708.4, -745.1, 88.72, -87.3, -103.9],
    "exp2": [0.5, 1024.0, -1022.0, -1075.0, 128.0, -126.0, -150.0],
    "expm1": [1e-300, 0.3465, -0.3465, 1.04, 709.78, 88.72, -37.4, -17.3],
    "sigmoid": [1e-300, 745.0, -745.0, -709.0, 53.0, 37.0, 88.0, -103.0],
    "softplus": [1e-300, 745.0, -745.0, -709.0, 37.0, -37.0, -103.0],
    "log": [1.0, 0.7071, 1.4142, 2.0],
    "log2": [1.0, 0.7071, 1.4142, 2.0, 1024.0],
    "log10": [1.0, 0.7071, 1.4142, 10.0, 1e20],
    "log1p": [1e-300, -1.0, -0.2929, 0.4142, 1.0],
    **dict.fromkeys(("sin", "sin_near", "cos", "cos_near", "tan", "tan_near"), _HALF_TURNS),
    "asin": [1e-300, 0.5, 1.0, -1.0, -0.5],
    "acos": [1e-300, 0.5, 1.0, -1.0, -0.5],
    "atan": [1e-300, 0.4142, 2.4142, 1.0, 1e16],
    "sinh": [1e-300, 0.3465, 22.0, 710.47, 89.41],
    "cosh": [1e-300, 0.3465, 22.0, 710.47, 89.41],
    "tanh": [1e-300, 0.17, 19.0, 9.01],
    "cbrt": [1e-310, 1.0, 2.0, 4.0, 8.0],
    "erf": [1e-300, 1.0, -1.0, 5.9, 3.9],
    "asinh": [1e-300, 1e-8, 1.0, 2.0**28, 2.0**14, 2.0**100, 1e308],
    "acosh": [1.0, 1.0, 1.5, 2.0**28, 2.0**14, 1e308],
    "atanh": [1e-300, 1e-8, 0.17, 0.4142, 0.5, 1.0, -1.0],
    "entr": [1e-300, 1.0, 0.7071, 1.4142],
    **dict.fromkeys(
        ("lgamma", "gamma", "digamma"),
        (1e-300, 0.5, 1.0, 1.5, 1.4616, 2.0, 2.5, 3.5, 4.5, 6.5, 171.6, 35.04, -0.5, -1.5, -2.457, -3.0, -10.0, -180.0),
    ),
    "erfinv": [1e-300, 0.5, 0.999, 1.0, -1.0, 0.99],
    "erfcinv": [1e-320, 1e-300, 1e-28, 1e-8, 0.00096, 0.5, 1.0, 2.0],
    "ndtri": [1e-320, 1e-300, 1e-28, 1e-8, 0.00048, 0.5, 1.0],
    "erfcx": [1e-300, 0.5, -1.0, -26.6, 28.0, 10.0, -6.0, -9.41, 1e5],
    "log_ndtr": [1e-300, -2e19, -1e154, -1.0, -0.5, 1.0, 5.0, 38.0, -39.6, -14.1, -1e5],
    "ndtr": [1e-300, 1.4, -0.7, -38.4, -37.5, -14.0],
    "erfc": [1e-300, 0.5, -1.0, 26.5, 27.2, 10.05, 9.2],
}
#: Beyond this a function is all poles and roots, or constant: mpmath need not be asked often.
REACH = {"erfc": 30.0, "ndtr": 42.0, "erf": 8.0, "gamma": 200.0}


@dataclass(frozen=True)
class Worst:
    """The largest error found, in units in the last place, and its arguments."""

    ulps: float
    arguments: tuple[float, ...]
    points: int


def _spread(count: int, dtype: np.dtype, random: np.random.Generator) -> np.ndarray:
    """Numbers of every exponent and sign, subnormals included."""
    kind = np.int32 if dtype == np.float32 else np.int64
    limits = np.iinfo(kind)
    values = random.integers(limits.min, limits.max, count, dtype=kind, endpoint=True).view(dtype)
    return values[np.isfinite(values)]


def samples(name: str, dtype: np.dtype, count: int, random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Arguments: over the whole range, at everyday sizes, and close to where the function is delicate."""
    sign = random.choice([-1.0, 1.0], count)
    everyday = sign * np.exp2(random.uniform(-12, 7, count))
    if name in BINARY:
        return _pairs(name, dtype, count, everyday, random)
    points = random.choice(DELICATE[name], count // 2)
    close = points * (1 + sign[: count // 2] * np.exp2(random.uniform(-52, -3, count // 2)))
    with np.errstate(over="ignore"):
        close = close.astype(dtype)
    values = np.concatenate([_spread(count // 2, dtype, random), everyday.astype(dtype), close])
    values = values[np.isfinite(values)]
    values = values[np.abs(values) < REACH.get(name, math.inf)]
    if name.endswith("_near"):
        values = values[np.abs(values) < NEAR_LIMIT]
    if name in ("gamma", "digamma"):
        values = values[values != 0]  # the sign of a zero decides, which mpmath does not know
    return (values,)


def _pairs(
    name: str, dtype: np.dtype, count: int, everyday: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, ...]:
    first, second = _spread(count, dtype, random), _spread(count, dtype, random)
    if name == "pow":
        # Powers that are in range: the exponent is chosen for the base.
        base = np.abs(np.concatenate([first, everyday.astype(dtype)]))
        base[base == 0] = 1
        logarithm = np.log2(base.astype(np.float64))
        span = 1080.0 if dtype == np.float64 else 152.0
        exponent = random.uniform(-span, span, base.size) / np.where(logarithm == 0, 1, logarithm)
        with np.errstate(over="ignore"):
            exponent = exponent.astype(dtype)
        keep = np.isfinite(exponent)
        return base[keep], exponent[keep]
    size = min(first.size, second.size)
    near = everyday[: count // 2]
    return (
        np.concatenate([first[:size], everyday.astype(dtype), near.astype(dtype)]),
        np.concatenate([second[:size], random.permutation(everyday).astype(dtype), (near * 1.01).astype(dtype)]),
    )


def error(got: float, want: Any, dtype: np.dtype, scale: Any = 0) -> float:
    """How far ``got`` is from the exact value, in units in the last place of that, or of ``scale`` if larger."""
    if math.isnan(got):
        return 0.0 if not mp.isfinite(want) or mp.im(want) else math.inf
    if mp.isinf(want):
        return 0.0 if got == want else math.inf
    information = np.finfo(dtype)
    precision, smallest = information.nmant + 1, information.minexp - information.nmant
    size = max(abs(want), scale)
    exponent = max(int(mp.floor(mp.log(size, 2))) - precision + 1, smallest) if size else smallest
    exponent = min(exponent, int(information.maxexp) - precision)
    exact = mpf(2) ** int(information.maxexp) * mp.sign(got) if math.isinf(got) else mpf(got)
    if math.isinf(got) and abs(want) >= abs(exact):
        return 0.0
    return float(abs(exact - want) / mpf(2) ** int(exponent))


def worst(name: str, dtype: str, count: int, seed: int = 0, portable: bool = False) -> Worst:
    """The largest error of a function over about ``2 * count`` arguments, here or on any x86-64."""
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    arguments = samples(name, np.dtype(dtype), count, random)
    compiled = native(name, dtype, cpu="x86-64", fused=False) if portable else native(name, dtype)
    got = compiled(*arguments)
    found = Worst(0.0, (), 0)
    with mp.workdps(40):
        for value, *point in zip(got.tolist(), *(one.tolist() for one in arguments), strict=True):
            ulps = error_at(name, dtype, value, point)
            if ulps > found.ulps:
                found = Worst(ulps, tuple(point), 0)
    return Worst(found.ulps, found.arguments, got.size)


def error_at(name: str, dtype: str, got: float, point: Sequence[float]) -> float:
    """The error of one value of a function."""
    scale = SCALES[name](*map(mpf, point)) if name in SCALES else 0
    return error(got, exact(name, *point), np.dtype(dtype), scale)


def exact(name: str, *point: float) -> Any:
    """The value in forty digits; complex or NaN where there is none."""
    try:
        return REFERENCES[name](*map(mpf, point))
    except (ZeroDivisionError, ValueError):
        return mp.nan
