"""Functions of SciPy and NumPy by their addresses: BLAS, LAPACK and special functions, which SciPy publishes for
Cython, NumPy's draws, and the loops of NumPy's generalised ufuncs. So no library has to be found, and none is needed
but these."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from wengert.core.lazy import LazyModule

#: The modules that publish, by the prefix of the names that our code calls their functions by.
_PUBLISHERS: dict[str, Any] = {
    "wengert_blas_": LazyModule("scipy.linalg.cython_blas"),
    "wengert_lapack_": LazyModule("scipy.linalg.cython_lapack"),
    "wengert_special_": LazyModule("scipy.special.cython_special"),
}

#: NumPy's draws are functions of its shared library.
_DRAWS = "wengert_random_"
_generator = LazyModule("numpy.random._generator")
_arrays = LazyModule("numpy._core._multiarray_umath")


@functools.cache
def draw(name: str) -> int | None:
    """Where one of NumPy's draws begins, if it is to be found."""
    try:
        function = getattr(ctypes.CDLL(_generator.__file__), f"random_{name}")
    except (OSError, AttributeError):
        return None
    return ctypes.cast(function, ctypes.c_void_p).value


#: The loops of NumPy's Fourier transforms and linear algebra: module, name and type are part of the name.
_LOOPS = "wengert_loop_"
_ufuncs: dict[str, Any] = {
    "fft": LazyModule("numpy.fft._pocketfft_umath"),
    "linalg": LazyModule("numpy.linalg._umath_linalg"),
}

#: Where a ufunc has its loops, how many it has, and its name, in bytes (``PyUFuncObject`` in NumPy's ufuncobject.h).
_FUNCTIONS, _COUNT, _NAME = 32, 48, 56


@functools.cache
def ufunc_loop(module: str, name: str, char: str) -> int | None:
    """Where the loop of a ufunc for operands of this type begins, if it is to be found."""
    ufunc = getattr(_ufuncs[module], name, None)
    if not isinstance(ufunc, np.ufunc):
        return None
    start = id(ufunc)
    fits = ctypes.c_int.from_address(start + _COUNT).value == ufunc.ntypes
    fits = fits and ctypes.c_char_p.from_address(start + _NAME).value == ufunc.__name__.encode()
    kinds = [one[0] for one in ufunc.types]
    if not fits or char not in kinds:
        return None
    functions = ctypes.c_void_p.from_address(start + _FUNCTIONS).value or 0
    return ctypes.c_void_p.from_address(functions + 8 * kinds.index(char)).value


#: C's functions of the floating-point status, in which NumPy's linear algebra reports failures as an invalid operation.
_STATUS = "wengert_status_"


@functools.cache
def status_function(name: str) -> int | None:
    """Where ``feclearexcept`` or ``fetestexcept`` begins, if it is to be found."""
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (OSError, TypeError, AttributeError):
        return None
    return ctypes.cast(function, ctypes.c_void_p).value


@functools.cache
def _api() -> Any:
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return api


@functools.cache
def address(full: str) -> int:
    """Where a function begins, by the name that our code calls it by."""
    if full.startswith(_DRAWS):
        where = draw(full.removeprefix(_DRAWS))
        assert where is not None
        return where
    if full.startswith(_STATUS):
        where = status_function(full.removeprefix(_STATUS))
        assert where is not None
        return where
    if full.startswith(_LOOPS):
        module, _, rest = full.removeprefix(_LOOPS).partition("_")
        where = ufunc_loop(module, *rest.rsplit("_", 1))
        assert where is not None
        return where
    prefix = next(one for one in _PUBLISHERS if full.startswith(one))
    capsule = _PUBLISHERS[prefix].__pyx_capi__[full.removeprefix(prefix)]
    found: int = _api().PyCapsule_GetPointer(capsule, _api().PyCapsule_GetName(capsule))
    return found


def array_function(place: int) -> int:
    """Where a function of NumPy's C interface begins, by its place in the table that NumPy publishes."""
    capsule = _arrays._ARRAY_API
    table = _api().PyCapsule_GetPointer(capsule, None)
    return ctypes.c_int64.from_address(table + 8 * place).value


def symbols(module: Any) -> dict[str, int]:
    """The published functions that a module calls."""
    names = [one.name for one in module.functions if one.name.startswith((_DRAWS, _LOOPS, _STATUS, *_PUBLISHERS))]
    return {name: address(name) for name in names}


def standard_names(module: Any) -> dict[str, str]:
    """The functions of BLAS and LAPACK that a module calls, with the names that they have in Fortran's libraries."""
    found = {}
    for one in module.functions:
        for prefix in ("wengert_blas_", "wengert_lapack_"):
            if one.name.startswith(prefix):
                found[one.name] = f"{one.name.removeprefix(prefix)}_"
    return found


def foreign(module: Any) -> list[str]:
    """The functions that a module calls and that no library for C has under a name of its own."""
    found = []
    for one in module.functions:
        prefix = next((p for p in ("wengert_special_", _DRAWS, _LOOPS) if one.name.startswith(p)), None)
        if prefix is not None:
            found.append(one.name.removeprefix(prefix))
    return found


@functools.cache
def special(name: str, count: int) -> str | None:
    """The name of a special function of so many numbers in double precision, if there is one."""
    published = _PUBLISHERS["wengert_special_"].__pyx_capi__
    wanted = f"double ({'double, ' * count}int __pyx_skip_dispatch)".encode()
    for one in (name, f"__pyx_fuse_0{name}", f"__pyx_fuse_1{name}"):
        if one in published and _api().PyCapsule_GetName(published[one]) == wanted:
            return f"wengert_special_{one}"
    return None
