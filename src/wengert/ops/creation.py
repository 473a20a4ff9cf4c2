"""Tensors made from nothing, from data and from other libraries' arrays.

Shapes are given as in PyTorch or as in NumPy: ``zeros(2, 3)`` and ``zeros((2, 3))`` are the same. The dtype is the
default dtype (``set_default_dtype``) unless given or implied by the data. Every function takes
``requires_grad``, and ``device``, which can only be ``"cpu"``.

Python's ``range`` and NumPy's ``np.zeros`` have no tensor among their arguments, so NumPy's own creation functions
give arrays; the ``*_like`` functions dispatch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.apply import as_operand
from wengert.core.errors import DTypeError, ShapeError
from wengert.core.levels import as_tensor, bottom
from wengert.core.tensor import Tensor, wrap
from wengert.core.types import Shape, frozen_copy, get_default_dtype, in_machine_order
from wengert.ops.protocol import implements


def shape_from(shape: tuple[Any, ...], name: str) -> Shape:
    """The shape in ``f(2, 3)``, ``f((2, 3))``, ``f([2, 3])`` or ``f()``.

    Raises ``DTypeError`` for lengths that are not integers and ``ShapeError`` for negative ones.
    """
    if len(shape) == 1 and not hasattr(shape[0], "__index__"):
        try:
            shape = tuple(shape[0])
        except TypeError as error:
            raise DTypeError(f"{name}: a shape is integers or a tuple of them, not {shape[0]!r}") from error
    try:
        found = tuple(n.__index__() for n in shape)
    except AttributeError as error:
        raise DTypeError(f"{name}: a shape is integers or a tuple of them, not {shape!r}") from error
    if any(n < 0 for n in found):
        raise ShapeError(f"{name}: the shape {found} has a negative length")
    return found


def check_device(device: Any) -> None:
    """Raise ``DTypeError`` for any device but the CPU."""
    name = str(device)
    if name.split(":")[0] != "cpu":
        raise DTypeError(f"there is no device {name!r}: Wengert computes on the CPU, with NumPy; leave the device away")


def finish(value: np.ndarray, requires_grad: bool, device: Any = None) -> Tensor:
    """A tensor around a new array that nobody else holds."""
    if device is not None:
        check_device(device)
    result = wrap(in_machine_order(value))
    return result.requires_grad_() if requires_grad else result


def _plain(value: Any, name: str) -> Any:
    """A number or array for NumPy: the value of a tensor that is not tracked."""
    if isinstance(value, Tensor):
        if value.requires_grad:
            raise DTypeError(f"{name}: its arguments are numbers; this tensor requires a gradient, so detach it first")
        value = bottom(value)
    return value


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor with a copy of ``data``: a number, nested lists (tensors may be among them) or an array.

    Python floats get the default dtype; NumPy arrays and tensors keep theirs. The result is a leaf: no gradient flows
    back to a tensor in ``data`` (``stack`` keeps the graph). Raises ``DTypeError`` for ragged lists and for data
    that is not numeric.

    >>> import wengert as wg
    >>> wg.tensor([[1, 2], [3, 4]], dtype="float32", requires_grad=True)
    tensor([[1., 2.],
            [3., 4.]], dtype=float32, requires_grad=True)
    """
    if device is not None:
        check_device(device)
    return Tensor(data, dtype, requires_grad)


def _filled(
    make: Callable[..., np.ndarray], size: tuple[Any, ...], shape: Any, dtype: Any, requires_grad: bool, device: Any
) -> Tensor:
    found = shape_from(size if shape is None else (shape,), make.__name__)
    return finish(make(found, dtype or get_default_dtype()), requires_grad, device)


def zeros(*size: Any, shape: Any = None, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Zeros of the given shape."""
    return _filled(np.zeros, size, shape, dtype, requires_grad, device)


def ones(*size: Any, shape: Any = None, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones of the given shape.

    >>> import wengert as wg
    >>> wg.ones(2, 3, dtype="int64")
    tensor([[1, 1, 1],
            [1, 1, 1]])
    """
    return _filled(np.ones, size, shape, dtype, requires_grad, device)


def empty(*size: Any, shape: Any = None, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor of the given shape whose elements are whatever was in memory."""
    return _filled(np.empty, size, shape, dtype, requires_grad, device)


def full(shape: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """One value everywhere. The dtype follows the value: the default dtype for a Python float.

    A tensor as ``fill_value`` stays in the graph: its gradient is the sum over the copies.
    """
    if device is not None:
        check_device(device)
    value = as_operand(fill_value, "full")
    if dtype is None and isinstance(value, float):
        dtype = get_default_dtype()
    return _repeated(value, shape_from((shape,), "full"), dtype, requires_grad)


def _repeated(value: Any, shape: Shape, dtype: Any, requires_grad: bool) -> Tensor:
    if not isinstance(value, Tensor):
        return finish(np.full(shape, value, dtype), requires_grad)
    same: Any = value if dtype is None else value.astype(dtype)
    filled: Any = np.broadcast_to(same, shape)
    return filled.requires_grad_() if requires_grad else filled


def eye(
    n: int, m: int | None = None, k: int = 0, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """An (n, m) matrix with ones on the k-th diagonal; ``m`` is ``n`` unless given."""
    return finish(np.eye(n, m, k, dtype or get_default_dtype()), requires_grad, device)


def identity(n: int, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """The (n, n) identity matrix."""
    return eye(n, dtype=dtype, requires_grad=requires_grad, device=device)


def tri(
    n: int, m: int | None = None, k: int = 0, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """An (n, m) matrix with ones on and below the k-th diagonal."""
    return finish(np.tri(n, m, k, dtype or get_default_dtype()), requires_grad, device)


def _ranged(value: np.ndarray, dtype: Any, requires_grad: bool, device: Any) -> Tensor:
    """NumPy's ranges come in float64 where their limits are Python floats; ours follow the default dtype."""
    if dtype is None and value.dtype == np.float64:
        value = value.astype(get_default_dtype(), copy=False)
    return finish(value, requires_grad, device)


def arange(
    start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Numbers from ``start`` (0 if only one is given) up to but not including ``stop``; integers give integers.

    >>> import wengert as wg
    >>> wg.arange(4), wg.arange(1.0, 2.0, 0.5)
    (tensor([0, 1, 2, 3]), tensor([1. , 1.5]))
    """
    low, high = (0, start) if stop is None else (start, stop)
    limits: Any = [_plain(value, "arange") for value in (low, high, step)]
    if limits[2] == 0:
        raise ShapeError("arange: step must not be zero")
    return _ranged(np.arange(*limits, dtype=dtype), dtype, requires_grad, device)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, which is included if ``endpoint``.

    Tensors as ends stay in the graph, here and in ``logspace`` and ``geomspace``.

    >>> import wengert as wg
    >>> wg.grad(lambda stop: wg.linspace(0.0, stop, 5).sum())(2.0)
    tensor(2.5)
    """
    if isinstance(start, Tensor) or isinstance(stop, Tensor):
        return _converted(_between(start, stop, num, endpoint), dtype, requires_grad, device)
    return _ranged(np.linspace(start, stop, num, endpoint, dtype=dtype), dtype, requires_grad, device)


def _between(start: Any, stop: Any, num: int, endpoint: bool) -> Tensor:
    """Evenly spaced numbers between tensors, rounded as NumPy rounds them."""
    start, stop = as_operand(start, "linspace") * 1.0, as_operand(stop, "linspace") * 1.0
    steps = num - 1 if endpoint else num
    places = np.arange(num).reshape(-1, *(1,) * max(np.ndim(start), np.ndim(stop)))
    step = (stop - start) / max(steps, 1)
    found: Any = places.astype(step.dtype) * step + start
    ends = endpoint and num > 1
    return np.where(places == steps, stop, found) if ends else found


def _converted(value: Any, dtype: Any, requires_grad: bool, device: Any) -> Tensor:
    """A range in the graph, in the dtype asked for: to integers it is rounded down."""
    if device is not None:
        check_device(device)
    if dtype is not None:
        value = (np.floor(value) if np.dtype(dtype).kind in "iu" else value).astype(dtype)
    return value.requires_grad_() if requires_grad else value


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """``base`` to the power of ``num`` evenly spaced numbers from ``start`` to ``stop``."""
    if any(isinstance(x, Tensor) for x in (start, stop, base)):
        powers = base ** linspace(start, stop, num, endpoint)
        return _converted(powers, dtype, requires_grad, device)
    return _ranged(np.logspace(start, stop, num, endpoint, base, dtype), dtype, requires_grad, device)


def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """``num`` numbers from ``start`` to ``stop`` with a constant ratio."""
    if isinstance(start, Tensor) or isinstance(stop, Tensor):
        ratio = as_operand(stop, "geomspace") / as_operand(start, "geomspace")
        powers = np.linspace(np.zeros(ratio.shape, ratio.dtype), 1.0, num, endpoint, dtype=ratio.dtype)
        return _converted(start * ratio**powers, dtype, requires_grad, device)
    return _ranged(np.geomspace(start, stop, num, endpoint, dtype), dtype, requires_grad, device)


# -- like another tensor --------------------------------------------------------------------------------------------


def _like(x: Any, dtype: Any, shape: Any, name: str) -> tuple[Shape, Any]:
    x = as_operand(x, name)
    own = getattr(x, "shape", ())
    return own if shape is None else shape_from((shape,), name), dtype or getattr(x, "dtype", type(x))


@implements(np.zeros_like)
def zeros_like(x: Any, dtype: Any = None, shape: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Zeros of the shape and dtype of ``x``; no gradient flows to ``x``."""
    return finish(np.zeros(*_like(x, dtype, shape, "zeros_like")), requires_grad, device)


@implements(np.ones_like)
def ones_like(x: Any, dtype: Any = None, shape: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones of the shape and dtype of ``x``; no gradient flows to ``x``."""
    return finish(np.ones(*_like(x, dtype, shape, "ones_like")), requires_grad, device)


@implements(np.empty_like)
def empty_like(x: Any, dtype: Any = None, shape: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor of the shape and dtype of ``x``, with any elements."""
    return finish(np.empty(*_like(x, dtype, shape, "empty_like")), requires_grad, device)


@implements(np.full_like)
def full_like(
    x: Any, fill_value: Any, dtype: Any = None, shape: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """One value, in the shape and dtype of ``x``.

    A tensor as ``fill_value`` stays in the graph: its gradient is the sum over the copies.
    """
    if device is not None:
        check_device(device)
    shape, dtype = _like(x, dtype, shape, "full_like")
    return _repeated(as_operand(fill_value, "full_like"), shape, dtype, requires_grad)


def fromfunction(
    function: Callable[..., Any], shape: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """The tensor of ``function(i, j, ...)``, called once with tensors of all the indices.

    >>> import wengert as wg
    >>> wg.fromfunction(lambda i, j: 10 * i + j, (2, 3), dtype="int64")
    tensor([[ 0,  1,  2],
            [10, 11, 12]])
    """
    if device is not None:
        check_device(device)
    grid = np.indices(shape_from((shape,), "fromfunction"), dtype or get_default_dtype())
    result = as_tensor(function(*(wrap(axis) for axis in grid)))
    return result.requires_grad_() if requires_grad else result


# -- from other arrays ----------------------------------------------------------------------------------------------


@implements(np.asarray, np.asanyarray, np.ascontiguousarray)
def asarray(x: Any, dtype: Any = None, copy: bool | None = None, device: Any = None) -> Any:
    """``x`` as a tensor. A tensor that already has this dtype is returned as it is, graph and all.

    ``copy=True`` gives a new handle (values never change in place, so memory need not be copied); ``copy=False`` raises
    ``ShapeError`` where the data would have to be copied.
    """
    if device is not None:
        check_device(device)
    if hasattr(x, "_node"):
        if dtype is None or np.dtype(dtype) == x.dtype:
            return np.copy(x) if copy else x
        if copy is False:
            raise ShapeError(f"asarray: a conversion from {x.dtype} to {np.dtype(dtype)} needs a copy")
        return np.astype(x, dtype)
    if copy is False:
        raise ShapeError("asarray: a tensor never shares memory that others can write to; it needs a copy")
    return tensor(x, dtype)


@implements(np.array)
def array(data: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A new tensor from ``data``, as in NumPy: a tensor in it keeps its graph, and so do tensors in a list.

    >>> import wengert as wg
    >>> x = wg.tensor(2.0, requires_grad=True)
    >>> wg.array([x, x * x]).sum().backward(); x.grad
    tensor(5.)
    """
    result: Tensor = asarray(_joined(data), dtype, True, device)
    return result.requires_grad_() if requires_grad else result


def _joined(data: Any) -> Any:
    """Nested lists with tensors among them as one tensor, in the graph; anything else as it is."""
    if not isinstance(data, (list, tuple)):
        return data
    items = [_joined(item) for item in data]
    if not any(isinstance(item, Tensor) for item in items):
        return data
    return np.stack([as_tensor(item) for item in items])


def from_numpy(array: np.ndarray, requires_grad: bool = False) -> Tensor:
    """A tensor of an array's elements.

    The array is copied, unless it and every array that it is a view of are read-only. PyTorch shares the memory
    instead; here the graph relies on values that no one can change: a rule that was handed ``x`` in the forward pass
    finds the same ``x`` in the backward pass, whatever became of the user's array in between. To share a large
    array without a copy, give it up for writing first: ``array.flags.writeable = False``.

    >>> import numpy as np, wengert as wg
    >>> data = np.ones(2)
    >>> x = wg.from_numpy(data); data[0] = 7; x
    tensor([1., 1.])
    """
    if not isinstance(array, np.ndarray):
        raise DTypeError(f"from_numpy: expected a numpy.ndarray, not {type(array).__name__}; use wengert.tensor")
    return finish(frozen_copy(as_operand(array, "from_numpy")), requires_grad)


def from_dlpack(x: Any, copy: bool | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor from any object with ``__dlpack__`` in main memory (a PyTorch or JAX array, say).

    The data is copied unless the producer says that it is read-only, for the reason given at ``from_numpy``; with
    ``copy=False`` the need for a copy raises ``ShapeError``.
    """
    if device is not None:
        check_device(device)
    if isinstance(x, Tensor):
        return finish(bottom(x), requires_grad)
    if isinstance(x, np.ndarray) and copy is None:
        return from_numpy(x, requires_grad)
    if not hasattr(x, "__dlpack__"):
        raise DTypeError(f"from_dlpack: an object of type {type(x).__name__} has no __dlpack__; use wengert.tensor")
    view = np.from_dlpack(x)
    if view.flags.writeable or copy:
        if copy is False:
            raise ShapeError("from_dlpack: the producer can still write to this memory, so it must be copied")
        view = view.copy()
    return finish(as_operand(view, "from_dlpack"), requires_grad)
