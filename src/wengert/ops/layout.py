"""Methods of ``Tensor`` that move elements: shapes, pieces and indices."""

from __future__ import annotations

from typing import Any

from wengert.core.errors import ShapeError
from wengert.core.tensor import Tensor
from wengert.ops import complex, indexing, joining, repetition, shape, sorting
from wengert.ops.inplace import move


def numbers(given: tuple[Any, ...]) -> Any:
    """A shape or axes given as a tuple or as separate numbers."""
    return given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


class Layout:
    """Shapes, pieces and indices of ``Tensor``."""

    __slots__ = ()

    ravel, flatten, squeeze = shape.ravel, shape.flatten, shape.squeeze
    unsqueeze = expand_dims = shape.expand_dims
    swapaxes = swapdims = shape.swapaxes
    moveaxis = movedim = shape.moveaxis
    flip, fliplr, flipud, roll, rot90 = shape.flip, shape.fliplr, shape.flipud, shape.roll, shape.rot90
    tril, triu, trace = shape.tril, shape.triu, shape.trace
    diag, diagflat, diagonal, diag_embed = shape.diag, shape.diagflat, shape.diagonal, shape.diag_embed
    repeat_interleave = repetition.repeat
    clone = copy = shape.copy

    chunk, unbind, unstack = joining.chunk, joining.unbind, joining.unstack
    tensor_split, hsplit, vsplit, dsplit = joining.array_split, joining.hsplit, joining.vsplit, joining.dsplit

    masked_fill, masked_select = indexing.masked_fill, indexing.masked_select
    gather, scatter, scatter_add = indexing.gather, indexing.scatter, indexing.scatter_add
    index_select, index_add, take = indexing.index_select, indexing.index_add, indexing.take
    take_along_axis = take_along_dim = indexing.take_along_axis
    argwhere, compress = indexing.argwhere, indexing.compress

    argsort, topk, kthvalue, unique = sorting.argsort, sorting.topk, sorting.kthvalue, sorting.unique
    partition, argpartition, searchsorted = sorting.partition, sorting.argpartition, sorting.searchsorted

    # -- shapes -------------------------------------------------------------------------------------------------

    def reshape(self: Any, *new: Any) -> Tensor:
        """The same elements in another shape, given as a tuple or as separate numbers; one of them may be -1."""
        return shape.reshape(self, numbers(new))

    view = reshape

    def view_as(self: Any, other: Any) -> Tensor:
        """The same elements in the shape of another tensor."""
        return shape.reshape(self, other.shape)

    reshape_as = view_as

    def unflatten(self: Any, dim: int, sizes: Any) -> Tensor:
        """One axis split into several of the given lengths, one of which may be -1."""
        if not -self.ndim <= dim < self.ndim:
            raise ShapeError(f"unflatten: axis {dim} is out of range for a tensor of shape {self.shape}")
        dim %= self.ndim
        return shape.reshape(self, (*self.shape[:dim], *_lengths(sizes, self.shape[dim]), *self.shape[dim + 1 :]))

    def permute(self: Any, *axes: Any) -> Tensor:
        """The axes in the given order."""
        return shape.transpose(self, numbers(axes))

    def transpose(self: Any, *axes: Any) -> Tensor:
        """The axes reversed or in the given order (NumPy); given two numbers, those two exchanged (PyTorch).

        For a matrix ``x.transpose(0, 1)`` is PyTorch's exchange, and ``x.transpose((0, 1))`` NumPy's identity.

        >>> import wengert as wg
        >>> x = wg.zeros((2, 3, 4))
        >>> x.transpose(0, 1).shape, x.transpose(2, 0, 1).shape, x.transpose().shape
        ((3, 2, 4), (4, 2, 3), (4, 3, 2))
        """
        if len(axes) == 2:
            return shape.swapaxes(self, *axes)
        return shape.transpose(self, numbers(axes) if axes and axes[0] is not None else None)

    def t(self: Any) -> Tensor:
        """The transpose of a matrix; a vector as it is."""
        if self.ndim > 2:
            raise ShapeError(f"t: expected a matrix or a vector, and this tensor has shape {self.shape}")
        return shape.transpose(self)

    @property
    def T(self: Any) -> Tensor:
        """The axes reversed."""
        return shape.transpose(self)

    @property
    def mT(self: Any) -> Tensor:
        """The last two axes exchanged."""
        return shape.matrix_transpose(self)

    @property
    def H(self: Any) -> Tensor:
        """The conjugate transpose of a matrix."""
        return complex.conj(shape.matrix_transpose(self))

    mH = H

    def adjoint(self: Any) -> Tensor:
        """The conjugate transpose of a matrix."""
        return complex.conj(shape.matrix_transpose(self))

    def expand(self: Any, *sizes: Any) -> Tensor:
        """Repeated along new axes and axes of length one; -1 keeps a length."""
        sizes = tuple(numbers(sizes))
        if len(sizes) < self.ndim:
            raise ShapeError(f"expand: {sizes} has fewer dimensions than the shape {tuple(self.shape)}")
        own = (1,) * (len(sizes) - self.ndim) + tuple(self.shape)
        return shape.broadcast_to(self, tuple(n if m == -1 else m for m, n in zip(sizes, own, strict=True)))

    broadcast_to = expand

    def expand_as(self: Any, other: Any) -> Tensor:
        """Repeated to the shape of another tensor."""
        return shape.broadcast_to(self, other.shape)

    def repeat(self: Any, *sizes: Any, axis: Any = None) -> Tensor:
        """The whole tensor repeated along axes (PyTorch's meaning); with ``axis``, each element repeated (NumPy's).

        >>> import wengert as wg
        >>> x = wg.tensor([1, 2])
        >>> x.repeat(2), x.repeat(2, axis=0)
        (tensor([1, 2, 1, 2]), tensor([1, 1, 2, 2]))
        """
        if axis is not None:
            return repetition.repeat(self, numbers(sizes) if len(sizes) > 1 else sizes[0], axis)
        return repetition.tile(self, numbers(sizes))

    def tile(self: Any, *reps: Any) -> Tensor:
        """The whole tensor repeated along axes."""
        return repetition.tile(self, numbers(reps))

    # -- pieces and indices -------------------------------------------------------------------------------------

    def split(self: Any, sizes: Any, dim: int = 0, axis: int | None = None) -> tuple[Tensor, ...]:
        """Pieces along an axis, as PyTorch means it: of the length ``sizes`` (the last perhaps shorter), or of each of
        the lengths in it. ``wengert.split`` is NumPy's, with the number of pieces or the places to cut at.

        >>> import wengert as wg
        >>> wg.arange(5).split(2)
        (tensor([0, 1]), tensor([2, 3]), tensor([4]))
        """
        axis = dim if axis is None else axis
        n = self.shape[axis]
        if isinstance(sizes, int):
            if sizes <= 0:
                raise ShapeError(f"split: the length of the pieces must be positive, not {sizes}")
            return joining.array_split(self, list(range(sizes, n, sizes)), axis)
        if sum(sizes) != n:
            raise ShapeError(f"split: the lengths {tuple(sizes)} do not add up to the axis, which has length {n}")
        places = [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]
        return joining.array_split(self, places, axis)

    def narrow(self: Any, dim: int, start: int, length: int) -> Tensor:
        """``length`` elements of an axis, from ``start`` on."""
        if not 0 <= start <= start + length <= self.shape[dim]:
            raise ShapeError(f"narrow: {start} to {start + length} is not within axis {dim} of shape {self.shape}")
        return self._slice(dim, slice(start, start + length))

    def select(self: Any, dim: int, index: int) -> Tensor:
        """One slice of an axis, without it."""
        return self._slice(dim, index)

    def _slice(self: Any, dim: int, item: Any) -> Tensor:
        """``x[..., item, ...]`` with ``item`` in the place of axis ``dim``."""
        if not -self.ndim <= dim < self.ndim:
            raise ShapeError(f"axis {dim} is out of range for a tensor of shape {self.shape}")
        return indexing.get_at(self, (*(slice(None),) * (dim % self.ndim), item))

    def index_fill(self: Any, dim: int, index: Any, value: Any) -> Tensor:
        """A copy in which the slices of an axis that ``index`` names are filled with a number."""
        return indexing.set_at(self, (*(slice(None),) * (dim % self.ndim), index), value)

    def index_copy(self: Any, dim: int, index: Any, source: Any) -> Tensor:
        """A copy in which the slices of an axis that ``index`` names are those of ``source``."""
        return indexing.set_at(self, (*(slice(None),) * (dim % self.ndim), index), source)

    def nonzero(self: Any, as_tuple: bool = True) -> Any:
        """The indices of the elements that are not zero: one tensor for each axis (NumPy's form, PyTorch's
        ``as_tuple=True``), or with ``as_tuple=False`` a matrix with one row for each."""
        return indexing.nonzero(self) if as_tuple else indexing.argwhere(self)

    def sort(self: Any, axis: Any = -1, descending: bool = False, stable: Any = None, *, dim: Any = None) -> Any:
        """Sorted along an axis. With PyTorch's ``dim``, the values and where they were, named."""
        if dim is None:
            return sorting.sort(self, axis, descending=descending)
        order = sorting.argsort(self, dim, descending=descending)
        return sorting.TopK(indexing.take_along_axis(self, order, dim), order)

    def __getitem__(self: Any, index: Any) -> Tensor:
        return indexing.get_at(self, index)

    def __setitem__(self: Any, index: Any, value: Any) -> None:
        move(self, indexing.set_at(self, index, value), "x[index] = value")


def _lengths(sizes: Any, total: int) -> tuple[int, ...]:
    """Lengths whose product is ``total``, with -1 replaced by what is missing."""
    known = 1
    for n in sizes:
        known *= 1 if n == -1 else n
    found = tuple(total // known if n == -1 and known else n for n in sizes)
    product = 1
    for n in found:
        product *= n
    if product != total:
        raise ShapeError(f"unflatten: an axis of length {total} does not split into {tuple(sizes)}")
    return found
