"""Indexing: reading elements by an index expression, and the functional updates of them.

The static part of an index expression (slices, integers, new axes, the ellipsis) is a parameter of the operation; index
arrays are operands, and have no derivative. Boolean masks become integer arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.errors import IndexRangeError, ShapeError, TransformError
from wengert.core.levels import Wrapped, as_tensor, bottom, concrete
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec, frozen_copy
from wengert.ops.families import shape_of
from wengert.ops.protocol import implements, torch_keywords
from wengert.ops.reduction import scalar_axis
from wengert.ops.selection import where
from wengert.ops.shape import Reshape, as_array, ravel, reshape

#: One entry of an index expression in a hashable form: ("slice", start, stop, step), ("int", k), ("new",), ("rest",) or
#: ("array",), which takes the next of the index operands.
Entry = tuple[Any, ...]
_NEW: Entry = ("new",)
_REST: Entry = ("rest",)
_ARRAY: Entry = ("array",)


def _static(item: Any) -> Entry | None:
    if isinstance(item, slice):
        return ("slice", *(None if end is None else _integer(end) for end in (item.start, item.stop, item.step)))
    if item is None:
        return _NEW
    if item is Ellipsis:
        return _REST
    if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
        return ("int", int(item))
    return None


def _integer(end: Any) -> int:
    try:
        return int(end.item()) if isinstance(end, Tensor) else end.__index__()
    except AttributeError:
        raise IndexRangeError(f"slices take integers, not {type(end).__name__}") from None


def parse(index: Any, shape: Sequence[Any]) -> tuple[tuple[Entry, ...], list[Any]]:
    """The static form of an index expression into something of ``shape``, and its index arrays."""
    entries: list[Entry] = []
    arrays: list[Any] = []
    items = index if isinstance(index, tuple) else (index,)
    for place, item in enumerate(items):
        entry = _static(item)
        if entry is not None:
            entries.append(entry)
            continue
        array = item if isinstance(item, Wrapped) else item._value if isinstance(item, Tensor) else np.asarray(item)
        if array.dtype.kind == "b":
            if isinstance(array, Wrapped):
                raise TransformError(
                    "a boolean mask has a size that depends on its values, which differ along the batch: use "
                    "wengert.where(mask, x, 0) inside vmap"
                )
            if array.ndim == 0:
                raise IndexRangeError("True or False among other indices is not supported; use None, or an empty slice")
            _check_mask(array.shape, items, place, shape)
            chosen = array.nonzero()
            entries += [_ARRAY] * len(chosen)
            arrays += chosen
        elif array.dtype.kind in "iu":
            entries.append(_ARRAY)
            arrays.append(array if isinstance(array, Wrapped) else frozen_copy(array))
        elif array.size == 0:
            entries.append(_ARRAY)
            arrays.append(array.astype(int))
        else:
            raise IndexRangeError(
                f"an index must be made of integers, slices, None, ... and integer or boolean arrays, not {array.dtype}"
            )
    return tuple(entries), arrays


def _check_mask(mask: Sequence[int], items: Sequence[Any], place: int, shape: Sequence[Any]) -> None:
    """Raise ``IndexRangeError`` unless a mask has the lengths of the axes that it stands for."""
    taken = [0 if one is None or one is Ellipsis else _axes_taken(one) for one in items]
    before = sum(taken[:place])
    if any(one is Ellipsis for one in items[:place]):
        before = len(shape) - sum(taken[place:])
    axes = tuple(shape[before : before + len(mask)])
    if axes != tuple(mask):
        raise IndexRangeError(f"a mask of shape {tuple(mask)} does not fit the axes of lengths {axes} that it indexes")


def _axes_taken(item: Any) -> int:
    if isinstance(item, (slice, int)):
        return 1
    array = item if hasattr(item, "dtype") else np.asarray(item)
    return len(array.shape) if array.dtype.kind == "b" else 1


def _whether(index: Any) -> bool | None:
    """The truth value that is an index by itself: True is a new axis, False an empty one."""
    if isinstance(index, (bool, np.bool_)):
        return bool(index)
    if isinstance(index, (np.ndarray, Tensor)) and index.ndim == 0 and index.dtype.kind == "b":
        return bool(bottom(index))
    return None


def _expression(entries: Sequence[Entry], arrays: Sequence[Any]) -> tuple[Any, ...]:
    """The index expression that NumPy takes."""
    found: list[Any] = []
    rest = iter(arrays)
    for entry in entries:
        kind = entry[0]
        if kind == "slice":
            found.append(slice(*entry[1:]))
        elif kind == "int":
            found.append(entry[1])
        elif kind == "new":
            found.append(None)
        elif kind == "rest":
            found.append(Ellipsis)
        else:
            found.append(next(rest))
    return tuple(found)


def _adjacent(entries: Sequence[Entry]) -> bool:
    """Whether the advanced indices (arrays, and integers beside them) stand next to each other."""
    places = [i for i, entry in enumerate(entries) if entry[0] in ("int", "array")]
    return not places or places[-1] - places[0] + 1 == len(places)


def _batched_entries(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (("slice", None, None, None), *entries)


class Slice(Primitive):
    """Reading by slices, integers, new axes and the ellipsis: a view."""

    short_name = "Slice"
    entries: tuple[Entry, ...]
    linear = True
    aliases = True

    def value(self, x: Any) -> Any:
        expression = _expression(self.entries, ())
        out = x[expression]
        # With the ellipsis, one element is a view as well.
        return x[(*expression, ...)] if isinstance(out, np.generic) else out

    def spec(self, x: TensorSpec) -> TensorSpec:
        view = np.broadcast_to(np.empty((), x.dtype), x.shape)[_expression(self.entries, ())]
        return TensorSpec(view.shape, x.dtype)

    def vjp_x(self, g: Array, spec: Any) -> Array:
        return Unslice(self.entries, tuple(spec.shape))(g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return self(tangents[0])

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        return Slice(_batched_entries(self.entries))(*inputs)


class Unslice(Primitive):
    """Zeros of a given shape with the operand where a ``Slice`` would read: its transpose."""

    entries: tuple[Entry, ...]
    shape: tuple[int, ...]
    linear = True

    def value(self, x: Any) -> Any:
        out = np.zeros(self.shape, x.dtype)
        out[_expression(self.entries, ())] = x
        return out

    def assembly(self, x: Any) -> tuple[Any, Sequence[tuple[int, Primitive]]] | None:
        return 0, [(0, Slice(self.entries))]

    def cheaper(self, operands: Sequence[Any], numbers: Sequence[Any]) -> tuple[Any, ...] | None:
        (x,) = operands
        shapes = (*shape_of(x), *self.shape)
        backwards = any(entry[0] == "slice" and (entry[3] or 1) < 0 for entry in self.entries)
        if backwards or not all(isinstance(n, int) for n in shapes) or math.prod(x.shape) != math.prod(self.shape):
            return None
        return (Reshape(self.shape), x)  # all of it is read, in order

    def spec(self, x: TensorSpec) -> TensorSpec:
        return TensorSpec(self.shape, x.dtype)

    def vjp_x(self, g: Array) -> Array:
        return Slice(self.entries)(g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return self(tangents[0])

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        return Unslice(_batched_entries(self.entries), (size, *self.shape))(*inputs)


def _batched_arrays(
    entries: tuple[Entry, ...], size: int, array_flags: Sequence[bool], arrays: Sequence[Any]
) -> tuple[tuple[Entry, ...], list[Any]] | None:
    """Entries and arrays that read a batch of operands; ``None`` where NumPy would move axes about."""
    if not any(array_flags):
        return (_batched_entries(entries), list(arrays)) if _adjacent(entries) else None
    if entries[0] != _ARRAY or not _adjacent(entries):
        return None
    # Every index array gains the batch axis in front, and one more array says which element of the batch is read.
    rank = max(len(shape_of(a)) - flag for a, flag in zip(arrays, array_flags, strict=True))
    lifted = []
    for a, flag in zip(arrays, array_flags, strict=True):
        shape = shape_of(a)
        lifted.append(reshape(a, (size, *(1,) * (rank - len(shape) + 1), *shape[1:])) if flag else a)
    rows = np.arange(size).reshape((size,) + (1,) * rank)
    return (_ARRAY, *entries), [rows, *lifted]


class Gather(Primitive):
    """Reading by integer arrays, perhaps among slices; repeated indices read, and accumulate in the gradient."""

    short_name = "Index"
    entries: tuple[Entry, ...]
    variadic = True

    def value(self, x: Any, *arrays: Any) -> Any:
        return x[_expression(self.entries, arrays)]

    def value_and_aux(self, x: Any, *arrays: Any) -> tuple[Any, Any]:
        return self.value(x, *arrays), tuple(arrays)

    def spec(self, x: TensorSpec, *arrays: Any) -> TensorSpec:
        blanks = [np.zeros(shape_of(a), int) for a in arrays]
        view = np.broadcast_to(np.empty((), x.dtype), tuple(max(n, 1) for n in x.shape))
        return TensorSpec(view[_expression(self.entries, blanks)].shape, x.dtype)

    def vjp(self, g: Array, aux: Any, specs: Any) -> Sequence[Any]:
        if specs[0] is None:
            return (None,) * len(specs)
        target = AddAt(self.entries)
        zeros = np.zeros(specs[0].shape, g.dtype)
        return (target(zeros, g, *aux), *(None,) * len(aux))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[0] is None else self(tangents[0], *inputs[1:])

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        x, *arrays = inputs
        if not batched[0]:
            if not _adjacent(self.entries) or self.entries[0] != _ARRAY:
                return NotImplemented
            flags = batched[1:]
            rank = max(len(shape_of(a)) - flag for a, flag in zip(arrays, flags, strict=True))
            lifted = [
                reshape(a, (size, *(1,) * (rank - a.ndim + 1), *a.shape[1:])) if flag else a
                for a, flag in zip(arrays, flags, strict=True)
            ]
            return self(x, *lifted)
        found = _batched_arrays(self.entries, size, batched[1:], arrays)
        return NotImplemented if found is None else Gather(found[0])(x, *found[1])


class _Update(Primitive, abstract=True):
    """A functional update: a new array that differs from ``x`` where the index points."""

    entries: tuple[Entry, ...]
    variadic = True

    def spec(self, x: TensorSpec, v: Any, *arrays: Any) -> TensorSpec:
        return x

    def _read(self, g: Array, arrays: Sequence[Any]) -> Array:
        return Gather(self.entries)(g, *arrays) if arrays else Slice(self.entries)(g)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        x, v, *arrays = inputs
        found = _batched_arrays(self.entries, size, batched[2:], arrays)
        if found is None:
            return NotImplemented
        entries, lifted = found
        if not batched[0]:
            x = np.broadcast_to(x, (size, *shape_of(x)))
        if batched[1]:
            blanks = [np.zeros(shape_of(a), int) for a in lifted]
            rank = np.broadcast_to(np.empty(()), shape_of(x))[_expression(entries, blanks)].ndim
            v = reshape(v, (size, *(1,) * (rank - v.ndim), *v.shape[1:]))
        return type(self)(entries)(x, v, *lifted)


class SetAt(_Update):
    """``x`` with the indexed elements replaced by ``v``; of repeated indices the last wins, and has the gradient."""

    def value(self, x: Any, v: Any, *arrays: Any) -> Any:
        out = np.array(x)
        out[_expression(self.entries, arrays)] = v
        return out

    def value_and_aux(self, x: Any, v: Any, *arrays: Any) -> tuple[Any, Any]:
        if not arrays:
            return self.value(x, v), ((), None)
        expression = _expression(self.entries, arrays)
        order = np.zeros(x.shape, int)
        shape = order[expression].shape
        numbers = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)
        order[expression] = numbers
        return self.value(x, v, *arrays), (tuple(arrays), order[expression] == numbers)

    def traced(self, bind: Any, x: Any, v: Any, *arrays: Any) -> tuple[Any, Any]:
        out = bind(self, x, v, *arrays)
        if not arrays:
            return out, ((), None)
        shape = Gather(self.entries).spec(x, *arrays).shape
        numbers = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)
        order = self(as_tensor(np.zeros(x.shape, int)), numbers, *arrays)
        return out, (arrays, self._read(order, arrays) == numbers)

    def assembly(self, x: Any, v: Any, *arrays: Any) -> tuple[Any, Sequence[tuple[int, Primitive]]] | None:
        return None if arrays else ("x", [(1, Slice(self.entries))])

    def vjp(self, g: Array, aux: Any, specs: Any) -> Sequence[Any]:
        arrays, wins = aux
        read = None if specs[1] is None else self._read(g, arrays)
        if read is not None and wins is not None:
            read = read * wins
        kept = None if specs[0] is None else self(g, np.zeros((), g.dtype), *arrays)
        return (kept, read, *(None,) * len(arrays))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        arrays = inputs[2:]
        tx, tv, *_ = tangents
        tx = np.zeros(out.shape, out.dtype) if tx is None else tx
        return self(tx, np.zeros((), out.dtype) if tv is None else tv, *arrays)


class AddAt(_Update):
    """``x`` with ``v`` added to the indexed elements; repeated indices accumulate."""

    def value(self, x: Any, v: Any, *arrays: Any) -> Any:
        out = np.array(x)
        expression = _expression(self.entries, arrays)
        if arrays:
            np.add.at(out, expression, v)
        else:
            out[expression] += v
        return out

    def value_and_aux(self, x: Any, v: Any, *arrays: Any) -> tuple[Any, Any]:
        return self.value(x, v, *arrays), tuple(arrays)

    def assembly(self, x: Any, v: Any, *arrays: Any) -> tuple[Any, Sequence[tuple[int, Primitive]]] | None:
        return None if arrays else ("+", [(1, Slice(self.entries))])

    def traced(self, bind: Any, x: Any, v: Any, *arrays: Any) -> tuple[Any, Any]:
        return bind(self, x, v, *arrays), arrays

    def vjp(self, g: Array, aux: Any, specs: Any) -> Sequence[Any]:
        read = None if specs[1] is None else self._read(g, aux)
        return (None if specs[0] is None else g, read, *(None,) * len(aux))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        tx, tv, *_ = tangents
        tx = np.zeros(out.shape, out.dtype) if tx is None else tx
        return tx if tv is None else self(tx, tv, *inputs[2:])


def get_at(x: Any, index: Any) -> Tensor:
    """``x[index]``: slices, integers, ellipsis, new axes, integer and boolean arrays, mixed as in NumPy."""
    entry = _static(index)
    if entry is not None:
        return apply(Slice((entry,)), x)
    whether = _whether(index)
    if whether is not None:
        return get_at(x, None) if whether else get_at(get_at(x, None), slice(0, 0))
    entries, arrays = parse(index, shape_of(x))
    return apply(Gather(entries), x, *arrays) if arrays else apply(Slice(entries), x)


def set_at(x: Any, index: Any, v: Any) -> Tensor:
    """A copy of ``x`` in which ``copy[index] = v``; gradients flow to both."""
    whether = _whether(index)
    if whether is False:
        return as_tensor(as_array(x))
    if whether:
        index = Ellipsis
    entries, arrays = parse(index, shape_of(x))
    return apply(SetAt(entries), as_array(x), _like(v, x), *arrays)


def add_at(x: Any, index: Any, v: Any) -> Tensor:
    """A copy of ``x`` in which ``v`` is added to ``copy[index]``, once for each time an element is named."""
    entries, arrays = parse(index, shape_of(x))
    return apply(AddAt(entries), as_array(x), _like(v, x), *arrays)


def _like(v: Any, x: Any) -> Any:
    return v if isinstance(v, Tensor) else np.asarray(v)


# -- by name --------------------------------------------------------------------------------------------------------


def _check_range(index: Any, size: int, name: str, axis: int) -> None:
    values = concrete(index)
    values = None if values is None else np.asarray(values)
    if values is not None and values.size and (values.min() < -size or values.max() >= size):
        bad = values.min() if values.min() < -size else values.max()
        raise IndexRangeError(f"{name}: index {int(bad)} is out of range for axis {axis} with size {size}")


@implements(np.take)
@torch_keywords
def take(x: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Tensor:
    """Elements along an axis (or of the flattened tensor) by integer; ``mode`` is raise, wrap or clip."""
    x = as_array(x)
    if axis is None:
        x, axis = ravel(x), 0
    one = scalar_axis(axis, x, "take")
    size = x.shape[one]
    if isinstance(indices, (int, np.integer)):
        indices = int(indices)
    elif not isinstance(indices, Tensor):
        indices = np.asarray(indices)
    if mode == "wrap":
        indices = indices % size
    elif mode == "clip":
        indices = np.clip(indices, 0, size - 1)
    else:
        _check_range(indices, size, "take", axis)
    return get_at(as_tensor(x), (*(slice(None),) * (x.ndim + one), indices))


def index_select(x: Any, dim: int, index: Any) -> Tensor:
    """PyTorch's name for ``take`` along an axis."""
    return take(x, index, axis=dim)


def _along_axis(x: Any, indices: Any, axis: int) -> tuple[Any, ...]:
    """The index expression of ``take_along_axis``: a grid on the other axes."""
    rank = x.ndim
    grid: list[Any] = []
    for i in range(rank):
        n = shape_of(indices)[i]
        grid.append(indices if i == rank + axis else np.arange(n).reshape((1,) * i + (n,) + (1,) * (rank - 1 - i)))
    return tuple(grid)


@implements(np.take_along_axis)
@torch_keywords
def take_along_axis(x: Any, indices: Any, axis: Any = -1) -> Tensor:
    """For each place, the element along the axis that ``indices`` names there."""
    x = as_array(x)
    if axis is None:
        x, axis = ravel(x), 0
    one = scalar_axis(axis, x, "take_along_axis")
    indices = as_array(indices)
    if indices.ndim != x.ndim:
        raise ShapeError(f"take_along_axis: indices of shape {shape_of(indices)} do not fit shape {shape_of(x)}")
    shape = np.broadcast_shapes(
        tuple(1 if i == x.ndim + one else n for i, n in enumerate(x.shape)),
        tuple(1 if i == x.ndim + one else n for i, n in enumerate(indices.shape)),
    )
    full = tuple(indices.shape[one] if i == x.ndim + one else n for i, n in enumerate(shape))
    source = tuple(x.shape[one] if i == x.ndim + one else n for i, n in enumerate(shape))
    x, indices = np.broadcast_to(as_tensor(x), source), np.broadcast_to(indices, full)
    _check_range(indices, x.shape[one], "take_along_axis", one)
    return get_at(x, _along_axis(x, indices, one))


def put_along_axis(x: Any, indices: Any, values: Any, axis: int) -> Tensor:
    """A copy of ``x`` in which the element that ``indices`` names at each place is replaced."""
    x = as_array(x)
    one = scalar_axis(axis, x, "put_along_axis")
    return set_at(x, _along_axis(x, as_array(indices), one), values)


def gather(x: Any, dim: int, index: Any) -> Tensor:
    """PyTorch's gather: ``out[i][j] = x[index[i][j]][j]`` for ``dim`` 0; ``index`` may be smaller than ``x``."""
    x, index = as_tensor(as_array(x)), as_array(index)
    one = scalar_axis(dim, x, "gather")
    _check_range(index, x.shape[one], "gather", dim)
    return get_at(x, _along_axis(x, index, one))


def scatter(x: Any, dim: int, index: Any, src: Any) -> Tensor:
    """PyTorch's scatter, as a new tensor: ``out[index[i][j]][j] = src[i][j]`` for ``dim`` 0."""
    x, index = as_array(x), as_array(index)
    one = scalar_axis(dim, x, "scatter")
    _check_range(index, x.shape[one], "scatter", dim)
    return set_at(x, _along_axis(x, index, one), _cropped(src, index))


def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Tensor:
    """PyTorch's scatter_add, as a new tensor; repeated indices accumulate."""
    x, index = as_array(x), as_array(index)
    one = scalar_axis(dim, x, "scatter_add")
    _check_range(index, x.shape[one], "scatter_add", dim)
    return add_at(x, _along_axis(x, index, one), _cropped(src, index))


def _cropped(src: Any, index: Any) -> Any:
    if np.ndim(src) == 0:
        return src
    return get_at(as_tensor(as_array(src)), tuple(slice(0, n) for n in index.shape))


def index_add(x: Any, dim: int, index: Any, source: Any) -> Tensor:
    """A copy of ``x`` with ``source`` added to the slices along ``dim`` that ``index`` names."""
    x = as_array(x)
    one = scalar_axis(dim, x, "index_add")
    return add_at(x, (*(slice(None),) * (x.ndim + one), index), source)


def masked_fill(x: Any, mask: Any, value: Any) -> Tensor:
    """``x`` with ``value`` where ``mask`` is true."""
    return where(mask, value, as_tensor(as_array(x)))


def masked_select(x: Any, mask: Any) -> Tensor:
    """The elements where ``mask`` is true, in one axis."""
    x = as_tensor(as_array(x))
    mask = np.asarray(bottom(mask))
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return get_at(np.broadcast_to(x, shape), np.broadcast_to(mask, shape))


@implements(np.compress)
def compress(condition: Any, x: Any, axis: Any = None) -> Tensor:
    """The slices along an axis where a boolean vector is true."""
    values = np.asarray(bottom(condition))
    return take(x, np.flatnonzero(values), axis=axis)


@implements(np.extract)
def extract(condition: Any, x: Any) -> Tensor:
    """The elements where ``condition`` is true, in one axis."""
    values = np.asarray(bottom(condition))
    return take(ravel(x), np.flatnonzero(values))


def _positions(x: Any) -> np.ndarray:
    """The values, which must be known: what depends on them has a size, or an order, that a batch cannot share."""
    return bottom(as_array(x))


@implements(np.nonzero)
def nonzero(x: Any) -> tuple[Tensor, ...]:
    """The indices of the elements that are not zero, an array for each axis. Has no gradient."""
    return tuple(as_tensor(found) for found in np.nonzero(_positions(x)))


@implements(np.argwhere)
def argwhere(x: Any) -> Tensor:
    """The indices of the elements that are not zero, one a row."""
    return as_tensor(np.argwhere(_positions(x)))


@implements(np.flatnonzero)
def flatnonzero(x: Any) -> Tensor:
    """The positions in the flattened tensor of the elements that are not zero."""
    return as_tensor(np.flatnonzero(_positions(x)))
