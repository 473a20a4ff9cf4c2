"""The Python array API standard, version 2024.12: every name, its signature, and what it computes.

NumPy 2 follows the standard, so it says what each function gives. The signatures are the standard's own.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError

SIGNATURES = """
abs(x, /) | acos(x, /) | acosh(x, /) | add(x1, x2, /) | asin(x, /) | asinh(x, /) | atan(x, /) | atan2(x1, x2, /)
atanh(x, /) | bitwise_and(x1, x2, /) | bitwise_invert(x, /) | bitwise_left_shift(x1, x2, /) | bitwise_or(x1, x2, /)
bitwise_right_shift(x1, x2, /) | bitwise_xor(x1, x2, /) | ceil(x, /) | clip(x, /, min=None, max=None) | conj(x, /)
copysign(x1, x2, /) | cos(x, /) | cosh(x, /) | divide(x1, x2, /) | equal(x1, x2, /) | exp(x, /) | expm1(x, /)
floor(x, /) | floor_divide(x1, x2, /) | greater(x1, x2, /) | greater_equal(x1, x2, /) | hypot(x1, x2, /) | imag(x, /)
isfinite(x, /) | isinf(x, /) | isnan(x, /) | less(x1, x2, /) | less_equal(x1, x2, /) | log(x, /) | log10(x, /)
log1p(x, /) | log2(x, /) | logaddexp(x1, x2, /) | logical_and(x1, x2, /) | logical_not(x, /) | logical_or(x1, x2, /)
logical_xor(x1, x2, /) | maximum(x1, x2, /) | minimum(x1, x2, /) | multiply(x1, x2, /) | negative(x, /)
nextafter(x1, x2, /) | not_equal(x1, x2, /) | positive(x, /) | pow(x1, x2, /) | real(x, /) | reciprocal(x, /)
remainder(x1, x2, /) | round(x, /) | sign(x, /) | signbit(x, /) | sin(x, /) | sinh(x, /) | sqrt(x, /) | square(x, /)
subtract(x1, x2, /) | tan(x, /) | tanh(x, /) | trunc(x, /)
arange(start, /, stop=None, step=1, *, dtype=None, device=None) | asarray(obj, /, *, dtype=None, device=None, copy=None)
empty(shape, *, dtype=None, device=None) | empty_like(x, /, *, dtype=None, device=None)
eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None) | from_dlpack(x, /, *, device=None, copy=None)
full(shape, fill_value, *, dtype=None, device=None) | full_like(x, /, fill_value, *, dtype=None, device=None)
linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True) | meshgrid(*arrays, indexing='xy')
ones(shape, *, dtype=None, device=None) | ones_like(x, /, *, dtype=None, device=None) | tril(x, /, *, k=0)
triu(x, /, *, k=0) | zeros(shape, *, dtype=None, device=None) | zeros_like(x, /, *, dtype=None, device=None)
broadcast_arrays(*arrays) | broadcast_to(x, /, shape) | concat(arrays, /, *, axis=0) | expand_dims(x, /, *, axis)
flip(x, /, *, axis=None) | moveaxis(x, source, destination, /) | permute_dims(x, /, axes)
repeat(x, repeats, /, *, axis=None)
reshape(x, /, shape, *, copy=None) | roll(x, /, shift, *, axis=None) | squeeze(x, /, axis) | stack(arrays, /, *, axis=0)
tile(x, repetitions, /) | unstack(x, /, *, axis=0)
argmax(x, /, *, axis=None, keepdims=False) | argmin(x, /, *, axis=None, keepdims=False)
count_nonzero(x, /, *, axis=None, keepdims=False) | nonzero(x, /) | where(condition, x1, x2, /)
searchsorted(x1, x2, /, *, side='left', sorter=None)
argsort(x, /, *, axis=-1, descending=False, stable=True) | sort(x, /, *, axis=-1, descending=False, stable=True)
unique_all(x, /) | unique_counts(x, /) | unique_inverse(x, /) | unique_values(x, /)
cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)
cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)
max(x, /, *, axis=None, keepdims=False) | mean(x, /, *, axis=None, keepdims=False)
min(x, /, *, axis=None, keepdims=False)
prod(x, /, *, axis=None, dtype=None, keepdims=False) | sum(x, /, *, axis=None, dtype=None, keepdims=False)
std(x, /, *, axis=None, correction=0.0, keepdims=False) | var(x, /, *, axis=None, correction=0.0, keepdims=False)
all(x, /, *, axis=None, keepdims=False) | any(x, /, *, axis=None, keepdims=False)
diff(x, /, *, axis=-1, n=1, prepend=None, append=None)
matmul(x1, x2, /) | matrix_transpose(x, /) | tensordot(x1, x2, /, *, axes=2) | vecdot(x1, x2, /, *, axis=-1)
take(x, indices, /, *, axis=None) | take_along_axis(x, indices, /, *, axis=-1)
astype(x, dtype, /, *, copy=True, device=None) | can_cast(from_, to, /) | finfo(type, /) | iinfo(type, /)
isdtype(dtype, kind) | result_type(*arrays_and_dtypes)
linalg.cholesky(x, /, *, upper=False) | linalg.cross(x1, x2, /, *, axis=-1) | linalg.det(x, /)
linalg.diagonal(x, /, *, offset=0) | linalg.eigh(x, /) | linalg.eigvalsh(x, /) | linalg.inv(x, /)
linalg.matmul(x1, x2, /) | linalg.matrix_norm(x, /, *, keepdims=False, ord='fro') | linalg.matrix_power(x, n, /)
linalg.matrix_rank(x, /, *, rtol=None) | linalg.matrix_transpose(x, /) | linalg.outer(x1, x2, /)
linalg.pinv(x, /, *, rtol=None) | linalg.qr(x, /, *, mode='reduced') | linalg.slogdet(x, /) | linalg.solve(x1, x2, /)
linalg.svd(x, /, *, full_matrices=True) | linalg.svdvals(x, /) | linalg.tensordot(x1, x2, /, *, axes=2)
linalg.trace(x, /, *, offset=0, dtype=None) | linalg.vecdot(x1, x2, /, *, axis=-1)
linalg.vector_norm(x, /, *, axis=None, keepdims=False, ord=2)
fft.fft(x, /, *, n=None, axis=-1, norm='backward') | fft.ifft(x, /, *, n=None, axis=-1, norm='backward')
fft.fftn(x, /, *, s=None, axes=None, norm='backward') | fft.ifftn(x, /, *, s=None, axes=None, norm='backward')
fft.rfft(x, /, *, n=None, axis=-1, norm='backward') | fft.irfft(x, /, *, n=None, axis=-1, norm='backward')
fft.rfftn(x, /, *, s=None, axes=None, norm='backward') | fft.irfftn(x, /, *, s=None, axes=None, norm='backward')
fft.hfft(x, /, *, n=None, axis=-1, norm='backward') | fft.ihfft(x, /, *, n=None, axis=-1, norm='backward')
fft.fftfreq(n, /, *, d=1.0, dtype=None, device=None) | fft.rfftfreq(n, /, *, d=1.0, dtype=None, device=None)
fft.fftshift(x, /, *, axes=None) | fft.ifftshift(x, /, *, axes=None)
"""
STANDARD = {
    one.split("(")[0]: f"({one.split('(', 1)[1]}"
    for line in SIGNATURES.split("\n")
    if line
    for one in line.split(" | ")
}
CONSTANTS = ["e", "inf", "nan", "newaxis", "pi"]
DTYPES = """bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128""".split()

#: A default that means the same as the standard's.
SAME_DEFAULT = {("norm", None), ("stable", None), ("correction", None)}


def found(name: str, namespace: Any = wg) -> Any:
    for part in name.split("."):
        namespace = getattr(namespace, part)
    return namespace


def standard_signature(text: str) -> inspect.Signature:
    scope: dict[str, Any] = {}
    exec(f"def function{text}: pass", scope)
    return inspect.signature(scope["function"])


@pytest.mark.parametrize("name", STANDARD)
def test_it_can_be_called_as_the_standard_says(name: str) -> None:
    ours = inspect.signature(found(name))
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for parameter in standard_signature(STANDARD[name]).parameters.values():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            positional.append(None)
        else:
            keywords[parameter.name] = None
            if parameter.default is not parameter.empty:
                own = ours.parameters[parameter.name].default
                assert own == parameter.default or (parameter.name, own) in SAME_DEFAULT
    ours.bind(*positional, **keywords)


@pytest.mark.parametrize("name", [*CONSTANTS, *DTYPES])
def test_constants_and_dtypes(name: str) -> None:
    assert getattr(wg, name) is getattr(np, name)


REAL = np.array([[0.25, 0.5, 0.75], [0.1, 0.9, 0.6]])
OTHER = np.array([[0.5, 0.25, 0.75], [0.2, 0.8, 0.6]])
WHOLE = np.array([[6, 3, 0], [1, 7, 5]])
SHIFTS = np.array([[1, 2, 0], [3, 1, 2]])
TRUTH = np.array([[True, False, True], [False, False, True]])
COMPLEX = REAL + 1j * OTHER
SQUARE = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])
POWERS = np.array([3.0, -1.0, 2.0, -1.0])

#: Calls, for the names whose operands are not one or two matrices of numbers between 0 and 1.
CALLS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "acosh": [((REAL + 1,), {})],
    **{
        name: [((WHOLE, SHIFTS), {}), ((WHOLE.astype(np.uint8), 3), {})]
        for name in STANDARD
        if name.startswith("bitwise_")
    },
    "bitwise_invert": [((WHOLE,), {}), ((TRUTH,), {})],
    **{name: [((TRUTH, ~TRUTH), {}), ((TRUTH, True), {})] for name in ("logical_and", "logical_or", "logical_xor")},
    "logical_not": [((TRUTH,), {})],
    "clip": [((REAL,), {"min": 0.3}), ((REAL,), {"max": 0.6}), ((REAL, 0.2, OTHER), {})],
    "real": [((COMPLEX,), {})],
    "imag": [((COMPLEX,), {})],
    "conj": [((COMPLEX,), {}), ((REAL,), {})],
    "abs": [((-REAL,), {}), ((COMPLEX,), {}), ((-WHOLE,), {})],
    "sign": [((REAL - 0.5,), {}), ((COMPLEX,), {}), ((WHOLE - 3,), {})],
    "arange": [((3,), {}), ((1.0, 3.0), {"step": 0.5}), ((1, 7, 2), {"dtype": np.float32})],
    "asarray": [((REAL,), {"copy": True}), (([[1, 2]],), {"dtype": np.complex64}), ((True,), {"device": "cpu"})],
    "eye": [((3,), {}), ((2, 3), {"k": 1, "dtype": np.int8})],
    "from_dlpack": [((REAL,), {}), ((REAL,), {"device": "cpu"})],
    "zeros": [(((2, 3),), {}), ((), {"shape": (2,), "dtype": np.int8, "device": "cpu"})],
    "ones": [(((2, 3),), {}), ((), {"shape": (2,), "dtype": np.int8, "device": "cpu"})],
    "full": [(((2, 3), 4), {}), ((), {"shape": (), "fill_value": True}), (((2,), 1j), {})],
    "full_like": [((REAL, 4), {}), ((REAL,), {"fill_value": 3, "dtype": np.int16})],
    "zeros_like": [((REAL,), {}), ((REAL,), {"dtype": np.int16, "device": "cpu"})],
    "ones_like": [((REAL,), {}), ((REAL,), {"dtype": np.int16, "device": "cpu"})],
    "linspace": [((0.0, 1.0), {"num": 3}), ((0, 2, 4), {"endpoint": False, "dtype": np.float32})],
    "meshgrid": [((REAL[0], OTHER[1, :2]), {}), ((REAL[0], OTHER[1, :2]), {"indexing": "ij"})],
    "broadcast_arrays": [((REAL, OTHER[:1]), {})],
    "broadcast_to": [((REAL, (2, 2, 3)), {}), ((REAL[0],), {"shape": (2, 3)})],
    "concat": [(([REAL, OTHER],), {}), (([REAL, OTHER],), {"axis": 1}), (([REAL, OTHER],), {"axis": None})],
    "expand_dims": [((REAL,), {"axis": 1}), ((REAL,), {"axis": -1})],
    "flip": [((REAL,), {}), ((REAL,), {"axis": (0, 1)})],
    "moveaxis": [((REAL, 0, 1), {}), ((REAL, (0, 1), (1, 0)), {})],
    "permute_dims": [((REAL, (1, 0)), {}), ((REAL,), {"axes": (0, 1)})],
    "repeat": [((REAL, 2), {}), ((REAL, np.array([1, 2])), {"axis": 0})],
    "reshape": [((REAL, (3, 2)), {}), ((REAL,), {"shape": (6,), "copy": True})],
    "roll": [((REAL, 1), {}), ((REAL,), {"shift": (1, 2), "axis": (0, 1)})],
    "squeeze": [((REAL[:1], 0), {}), ((REAL[:1, :1],), {"axis": (0, 1)})],
    "stack": [(([REAL, OTHER],), {}), (((REAL, OTHER),), {"axis": -1})],
    "tile": [((REAL, (2, 1)), {}), ((REAL, (2, 1, 2)), {})],
    "unstack": [((REAL,), {}), ((REAL,), {"axis": 1})],
    "where": [((TRUTH, REAL, OTHER), {}), ((TRUTH, REAL, 0.0), {})],
    "searchsorted": [((np.array([1.0, 2.0, 3.0]), REAL * 4), {}), ((np.array([1, 2, 2]), WHOLE), {"side": "right"})],
    **{name: [((WHOLE.ravel() % 3,), {})] for name in ("unique_all", "unique_counts", "unique_inverse")},
    "nonzero": [((WHOLE,), {})],
    "count_nonzero": [((WHOLE,), {}), ((WHOLE,), {"axis": 1, "keepdims": True})],
    **{name: [((REAL,), {}), ((REAL,), {"axis": 1, "keepdims": True})] for name in ("argmax", "argmin")},
    **{
        name: [((REAL,), {}), ((REAL,), {"axis": 0}), ((REAL,), {"axis": (0, 1), "keepdims": True})]
        for name in ("max", "min", "mean")
    },
    **{
        name: [((REAL,), {}), ((WHOLE,), {"axis": 0}), ((WHOLE,), {"axis": 1, "keepdims": True, "dtype": np.float32})]
        for name in ("sum", "prod")
    },
    **{
        name: [((REAL,), {}), ((REAL,), {"axis": 1, "correction": 1, "keepdims": True}), ((REAL,), {"axis": (0, 1)})]
        for name in ("std", "var")
    },
    **{
        name: [
            ((REAL[0],), {}),
            ((REAL,), {"axis": 1, "include_initial": True}),
            ((WHOLE,), {"axis": 0, "dtype": float}),
        ]
        for name in ("cumulative_sum", "cumulative_prod")
    },
    **{name: [((TRUTH,), {}), ((TRUTH,), {"axis": 1}), ((WHOLE,), {"keepdims": True})] for name in ("all", "any")},
    "diff": [((REAL,), {}), ((REAL,), {"n": 2}), ((REAL,), {"axis": 0, "prepend": OTHER, "append": OTHER})],
    "matmul": [((REAL, OTHER.T), {}), ((REAL, OTHER[0]), {})],
    "tensordot": [((REAL, OTHER), {}), ((REAL, OTHER), {"axes": ((1,), (1,))})],
    "vecdot": [((COMPLEX, OTHER), {}), ((REAL, OTHER), {"axis": 0})],
    "take": [((REAL, np.array([2, 0])), {"axis": 1}), ((REAL[0], np.array([1, 1])), {})],
    "take_along_axis": [((REAL, np.array([[2], [0]])), {"axis": 1}), ((REAL, SHIFTS % 3), {})],
    "astype": [((REAL, np.float32), {}), ((WHOLE, bool), {"copy": False})],
    "can_cast": [((np.int8, np.int16), {}), ((REAL, np.float32), {}), ((np.float32, WHOLE.dtype), {})],
    "finfo": [((np.float32,), {}), ((COMPLEX.dtype,), {})],
    "iinfo": [((np.int8,), {})],
    "isdtype": [((np.dtype("int8"), "signed integer"), {}), ((np.dtype(bool), ("numeric", np.dtype(bool))), {})],
    "result_type": [((np.float32, REAL), {}), ((np.float32(1.0), 2.0), {}), ((WHOLE, 1.0), {})],
    "linalg.cross": [((REAL, OTHER), {})],
    "linalg.diagonal": [((SQUARE,), {"offset": 1})],
    "linalg.matrix_norm": [((SQUARE,), {"ord": order}) for order in ("fro", "nuc", 1, 2, -1, -2, np.inf, -np.inf)],
    "linalg.matrix_power": [((SQUARE, n), {}) for n in (-2, 0, 3)],
    "linalg.matrix_rank": [((SQUARE,), {}), ((np.outer(REAL[0], REAL[0]),), {"rtol": 1e-8})],
    "linalg.outer": [((REAL[0], OTHER[0]), {})],
    "linalg.pinv": [((REAL,), {}), ((REAL,), {"rtol": 0.4})],
    "linalg.qr": [((REAL,), {}), ((REAL.T,), {"mode": "complete"})],
    "linalg.solve": [((SQUARE, REAL[0]), {}), ((SQUARE, REAL.T), {})],
    "linalg.svd": [((REAL,), {}), ((REAL,), {"full_matrices": False})],
    "linalg.tensordot": [((REAL, OTHER), {"axes": ((1,), (1,))})],
    "linalg.trace": [((SQUARE,), {}), ((WHOLE,), {"offset": 1, "dtype": np.float32})],
    "linalg.vecdot": [((COMPLEX, OTHER), {})],
    "linalg.vector_norm": [
        ((REAL,), {}),
        ((REAL,), {"axis": 1, "ord": 1, "keepdims": True}),
        ((REAL,), {"ord": np.inf}),
    ],
    **{f"linalg.{name}": [((SQUARE,), {})] for name in ("det", "eigh", "eigvalsh", "inv", "slogdet", "svdvals")},
    "linalg.cholesky": [((SQUARE,), {}), ((SQUARE,), {"upper": True})],
    "linalg.matmul": [((REAL, OTHER.T), {})],
    **{
        f"fft.{name}": [((POWERS,), {}), ((REAL,), {"n": 4, "axis": 0, "norm": "ortho"})]
        for name in ("fft", "rfft", "ihfft")
    },
    **{
        f"fft.{name}": [((COMPLEX,), {}), ((COMPLEX,), {"n": 5, "norm": "forward"})]
        for name in ("ifft", "irfft", "hfft")
    },
    **{
        f"fft.{name}": [((values,), {}), ((values,), {"s": (2, 4), "axes": (0, 1), "norm": "ortho"})]
        for name, values in (("fftn", REAL), ("ifftn", COMPLEX), ("rfftn", REAL), ("irfftn", COMPLEX))
    },
    **{f"fft.{name}": [((5,), {}), ((4,), {"d": 0.5, "device": "cpu"})] for name in ("fftfreq", "rfftfreq")},
    **{f"fft.{name}": [((REAL,), {}), ((REAL,), {"axes": 1})] for name in ("fftshift", "ifftshift")},
}
for _name, _text in STANDARD.items():
    CALLS.setdefault(_name, [((REAL, OTHER), {})] if "x2" in _text else [((REAL,), {})])

#: What NumPy does otherwise (in an order of its own), or without the standard's keywords.
OWN = ("empty", "empty_like", "sort", "argsort", "unique_values")


def as_tensors(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return wg.tensor(x)
    return type(x)(map(as_tensors, x)) if isinstance(x, list) else x


def agree(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            agree(one, other)
    elif isinstance(theirs, (np.ndarray, np.generic)) and not isinstance(theirs, np.dtype):
        assert isinstance(ours, (wg.Tensor, bool))
        value = np.asarray(ours)
        assert value.shape == theirs.shape
        assert value.dtype == theirs.dtype
        np.testing.assert_allclose(value, theirs, rtol=1e-12, atol=1e-12)
    else:
        assert ours == theirs or repr(ours) == repr(theirs)


@pytest.mark.parametrize("name", [name for name in STANDARD if name not in OWN])
def test_it_computes_what_numpy_does(name: str) -> None:
    for args, kwargs in CALLS[name]:
        ours = found(name)(*map(as_tensors, args), **{key: as_tensors(value) for key, value in kwargs.items()})
        agree(ours, found(name, np)(*args, **kwargs))


def test_results_with_names() -> None:
    assert wg.unique_all(wg.tensor([2, 1, 2]))._fields == ("values", "indices", "inverse_indices", "counts")
    assert wg.unique_counts(wg.tensor([2, 1, 2])).counts.tolist() == [1, 2]
    assert wg.unique_inverse(wg.tensor([2, 1, 2])).inverse_indices.tolist() == [1, 0, 1]
    assert wg.linalg.eigh(wg.tensor(SQUARE))._fields == ("eigenvalues", "eigenvectors")
    assert wg.linalg.qr(wg.tensor(REAL))._fields == ("Q", "R")
    assert wg.linalg.slogdet(wg.tensor(SQUARE))._fields == ("sign", "logabsdet")
    assert wg.linalg.svd(wg.tensor(REAL))._fields == ("U", "S", "Vh")


def test_sorting_in_both_directions() -> None:
    x = wg.tensor([[3, 1, 2], [1, 1, 0]])
    assert wg.sort(x).tolist() == [[1, 2, 3], [0, 1, 1]]
    assert wg.sort(x, descending=True, stable=True).tolist() == [[3, 2, 1], [1, 1, 0]]
    assert wg.sort(x, axis=0).tolist() == [[1, 1, 0], [3, 1, 2]]
    assert wg.argsort(x).tolist() == [[1, 2, 0], [2, 0, 1]]
    assert wg.argsort(x, descending=True).tolist() == [[0, 2, 1], [0, 1, 2]]
    assert wg.argsort(x, axis=0, stable=False).tolist() == [[1, 0, 1], [0, 1, 0]]
    assert wg.unique_values(x).tolist() == [0, 1, 2, 3]


def test_empty() -> None:
    assert wg.empty((2, 3), dtype=wg.int8, device="cpu").dtype == np.int8
    assert wg.empty_like(wg.tensor(REAL), dtype=wg.int8, device="cpu").shape == REAL.shape


@pytest.mark.parametrize("name", [name for name, text in STANDARD.items() if "device" in text])
def test_there_is_no_other_device(name: str) -> None:
    ((args, kwargs), *_) = CALLS[name]
    if name in OWN:
        args = ((2,),) if name == "empty" else (REAL,)
    with pytest.raises(DTypeError, match="there is no device 'cuda:0'"):
        found(name)(*map(as_tensors, args), **{**kwargs, "device": "cuda:0"})


# -- tensors --------------------------------------------------------------------------------------------------------


METHODS = """
__abs__ __add__ __and__ __array_namespace__ __bool__ __complex__ __dlpack__ __dlpack_device__ __eq__ __float__
__floordiv__ __ge__ __getitem__ __gt__ __index__ __int__ __invert__ __le__ __lshift__ __lt__ __matmul__ __mod__ __mul__
__ne__ __neg__ __or__ __pos__ __pow__ __rshift__ __setitem__ __sub__ __truediv__ __xor__ __iadd__ __isub__ __imul__
__itruediv__ __ifloordiv__ __ipow__ __imatmul__ __imod__ __iand__ __ior__ __ixor__ __ilshift__ __irshift__ __radd__
__rsub__ __rmul__ __rtruediv__ __rfloordiv__ __rpow__ __rmatmul__ __rmod__ __rand__ __ror__ __rxor__ __rlshift__
__rrshift__ to_device
""".split()


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_arrays(name: str) -> None:
    assert callable(getattr(wg.Tensor, name))


def test_attributes_of_arrays() -> None:
    x = wg.tensor(REAL)
    assert (x.dtype, x.ndim, x.shape, x.size) == (REAL.dtype, 2, (2, 3), 6)
    assert x.device == "cpu"
    assert x.to_device(x.device) is x
    np.testing.assert_array_equal(x.T.numpy(), REAL.T)
    np.testing.assert_array_equal(wg.tensor(REAL[None]).mT.numpy(), REAL.T[None])


def test_the_namespace_of_arrays() -> None:
    x = wg.tensor(REAL)
    assert x.__array_namespace__() is x.__array_namespace__(api_version="2024.12") is wg
    with pytest.raises(DTypeError, match=r"array API version '2031.12'.*2024\.12"):
        x.__array_namespace__(api_version="2031.12")


def test_what_the_namespace_says_of_itself() -> None:
    info = wg.__array_namespace_info__()
    assert wg.__array_api_version__ == "2024.12"
    assert info.default_device() == "cpu"
    assert info.devices() == ["cpu"]
    assert set(info.dtypes(kind="real floating")) == {"float32", "float64"}
    assert set(info.dtypes()) == set(DTYPES)
    assert set(info.dtypes(kind=("bool", "signed integer"))) == {"bool", "int8", "int16", "int32", "int64"}
    assert info.default_dtypes()["complex floating"] == np.complex128
    assert info.default_dtypes(device="cpu")["integral"] == np.int64
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}


def test_type_promotion_follows_the_standard() -> None:
    x = wg.tensor([1, 2], dtype="int8")
    assert (x + 1).dtype == np.int8
    assert (wg.ones(2, dtype="float32") * 2.0).dtype == np.float32
    assert (wg.ones(2, dtype="float32") * 2j).dtype == np.complex64
    assert (x + wg.tensor([1, 2], dtype="uint8")).dtype == np.int16
    assert wg.result_type(wg.float32, wg.ones(1, dtype="complex64")) == np.complex64
