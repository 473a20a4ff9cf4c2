"""Sums of products: matrix products, tensor contractions and Einstein summation."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.apply import apply
from wengert.core.dims import broadcast, unified
from wengert.core.errors import ShapeError
from wengert.core.levels import as_tensor
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor
from wengert.core.types import Array, TensorSpec
from wengert.ops.arithmetic import multiply
from wengert.ops.families import conjugate
from wengert.ops.protocol import implements, operator
from wengert.ops.reduction import negative_axes
from wengert.ops.shape import as_array, moveaxis, reshape, transpose


class Matmul(Primitive):
    """Matrix product over the last two axes, the others broadcasting; vectors as NumPy treats them.

    For Y = X W the pullbacks are g W^H and X^H g (M. Giles, "Collected matrix derivative results", 2008).
    """

    value = np.matmul
    inputs = ("x", "y")

    def spec(self, x: TensorSpec, y: TensorSpec) -> TensorSpec:
        dtype = np.matmul(np.empty((0, 1), x.dtype), np.empty((1, 0), y.dtype)).dtype
        if not x.shape or not y.shape or not unified(x.shape[-1], y.shape[-2:][0]):
            raise ValueError(f"shapes {x.shape} and {y.shape} do not fit: the inner lengths differ")
        rows = x.shape[-2:-1] if x.ndim > 1 else ()
        columns = y.shape[-1:] if y.ndim > 1 else ()
        return TensorSpec((*broadcast(x.shape[:-2], y.shape[:-2]), *rows, *columns), dtype)

    def vjp_x(self, g: Array, y: Array, spec: Any) -> Array:
        y = conjugate(y)
        if y.ndim == 1:
            return g * y if len(spec.shape) == 1 else np.expand_dims(g, -1) * y
        if len(spec.shape) == 1:
            return np.matmul(y, np.expand_dims(g, -1))[..., 0]
        return np.matmul(g, np.swapaxes(y, -1, -2))

    def vjp_y(self, g: Array, x: Array, spec: Any) -> Array:
        x = conjugate(x)
        rank = len(spec.shape)
        if x.ndim == 1:
            return g * x if rank == 1 else np.expand_dims(x, -1) * np.expand_dims(g, -2)
        if rank == 1:
            return np.matmul(np.swapaxes(x, -1, -2), np.expand_dims(g, -1))[..., 0]
        if rank == 2 and x.ndim > 2:
            # One product over all rows, instead of one for each leading index and a sum.
            rows, columns = x.reshape((-1, x.shape[-1])), g.reshape((-1, g.shape[-1]))
            return np.matmul(np.swapaxes(rows, 0, 1), columns)
        return np.matmul(np.swapaxes(x, -1, -2), g)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (x, y), (tx, ty) = inputs, tangents
        left = None if tx is None else np.matmul(tx, y)
        right = None if ty is None else np.matmul(x, ty)
        return left if right is None else right if left is None else left + right

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        x, y = inputs
        x_rank, y_rank = len(x.shape) - batched[0], len(y.shape) - batched[1]
        vector_x, vector_y = x_rank == 1, y_rank == 1
        if vector_x:
            x = np.expand_dims(x, -2)
        if vector_y:
            y = np.expand_dims(y, -1)
        rank = max(x_rank + vector_x, y_rank + vector_y)
        if batched[0]:
            x = x.reshape((size, *(1,) * (rank - (x.ndim - 1)), *x.shape[1:]))
        if batched[1]:
            y = y.reshape((size, *(1,) * (rank - (y.ndim - 1)), *y.shape[1:]))
        out = np.matmul(x, y)
        if vector_y:
            out = out[..., 0]
        if vector_x:
            out = out[..., 0] if vector_y else out[..., 0, :]
        return out


matmul = operator(Matmul())


#: Products of the numbers of elements of two operands up to which ``numpy.einsum``'s own loop is quicker than BLAS.
_SMALL = 4096


class Contract(Primitive):
    """Einstein summation of two operands, as letters: ``Contract("ij", "jk", "ik")``.

    No letter occurs twice in one operand, and every letter of an operand occurs in the other or in the result.
    """

    short_name = "Einsum"
    left: str
    right: str
    out: str

    def value(self, x: Any, y: Any) -> Any:
        # Ordering axes for BLAS takes longer than a small sum of products.
        text = f"{self.left},{self.right}->{self.out}"
        summed = any(letter not in self.out for letter in self.left)
        return np.einsum(text, x, y, optimize=summed and x.size * y.size > _SMALL)

    def decompose(self, x: Any, y: Any) -> Any:
        """One matrix product between transpositions, or products of single elements if nothing is summed."""
        lengths = dict(zip(self.right, y.shape, strict=True))
        if any(lengths.get(c, n) != n for c, n in zip(self.left, x.shape, strict=True)) or 0 in (*x.shape, *y.shape):
            return NotImplemented
        lengths |= zip(self.left, x.shape, strict=True)
        summed = [c for c in self.left if c not in self.out]
        if not summed:
            left, right = (self._aligned(*pair) for pair in ((self.left, x), (self.right, y)))
            return left * right
        both = [c for c in self.left if c in self.right and c in self.out]
        rows = [c for c in self.left if c not in self.right]
        columns = [c for c in self.right if c not in self.left]
        front = [lengths[c] for c in both]
        first = np.transpose(x, [self.left.index(c) for c in (*both, *rows, *summed)])
        second = np.transpose(y, [self.right.index(c) for c in (*both, *summed, *columns)])
        inner, height, width = (math.prod(lengths[c] for c in group) for group in (summed, rows, columns))
        product = np.matmul(first.reshape((*front, height, inner)), second.reshape((*front, inner, width)))
        order = [*both, *rows, *columns]
        return np.transpose(product.reshape([lengths[c] for c in order]), [order.index(c) for c in self.out])

    def _aligned(self, letters: str, x: Any) -> Any:
        """An operand with its axes in the order of the result's, and axes of length one for those that it has not."""
        x = np.transpose(x, [letters.index(c) for c in self.out if c in letters])
        return np.expand_dims(x, [k for k, c in enumerate(self.out) if c not in letters])

    def spec(self, x: TensorSpec, y: TensorSpec) -> TensorSpec:
        lengths: dict[str, int] = {}
        for letters, operand in ((self.left, x), (self.right, y)):
            for letter, n in zip(letters, operand.shape, strict=True):
                lengths[letter] = max(n, lengths.get(letter, 1)) if n != 0 else 0
        return TensorSpec(tuple(lengths[letter] for letter in self.out), np.result_type(x.dtype, y.dtype))

    def vjp_x(self, g: Array, y: Array, spec: Any) -> Array:
        # Where x has length one and y has not, the sweep sums, as after any broadcast.
        return _contract(self.out, self.right, self.left)(g, conjugate(y))

    def vjp_y(self, g: Array, x: Array, spec: Any) -> Array:
        return _contract(self.out, self.left, self.right)(g, conjugate(x))

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        (x, y), (tx, ty) = inputs, tangents
        left = None if tx is None else self(tx, y)
        right = None if ty is None else self(x, ty)
        return left if right is None else right if left is None else left + right

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        letter = next(c for c in _LETTERS if c not in self.left + self.right + self.out)
        left = letter + self.left if batched[0] else self.left
        right = letter + self.right if batched[1] else self.right
        return Contract(left, right, letter + self.out)(*inputs)


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@functools.lru_cache(maxsize=4096)
def _contract(left: str, right: str, out: str) -> Contract:
    return Contract(left, right, out)


def _spelled(subscripts: Any, operands: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """The text and the operands, of the interleaved form too: einsum(x, [0, 1], y, [1, 2], [0, 2])."""
    if isinstance(subscripts, str):
        return subscripts, operands
    items = [subscripts, *operands]
    paired = len(items) // 2
    spelled = ["".join("..." if k is Ellipsis else _LETTERS[k] for k in part) for part in items[1::2]]
    text = ",".join(spelled[:paired])
    if len(items) % 2:
        text += "->" + "".join("..." if k is Ellipsis else _LETTERS[k] for k in items[-1])
    return text, items[0 : 2 * paired : 2]


@functools.lru_cache(maxsize=4096)
def _parse(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """Letters of each operand and of the result, with ellipses written out."""
    text = subscripts.replace(" ", "")
    given, arrow, out = text.partition("->")
    terms = given.split(",")
    if len(terms) != len(ndims):
        raise ShapeError(f"einsum: {subscripts!r} names {len(terms)} operands, and {len(ndims)} are given")
    ranks = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=True)]
    spare = [c for c in reversed(_LETTERS) if c not in text]
    longest = max((rank for term, rank in zip(terms, ranks, strict=True) if "..." in term), default=0)
    hidden = "".join(spare[:longest][::-1])
    full = []
    for term, rank in zip(terms, ranks, strict=True):
        if rank < 0 or (rank > 0 and "..." not in term):
            raise ShapeError(f"einsum: the term {term!r} of {subscripts!r} does not fit an operand of its rank")
        full.append(term.replace("...", hidden[longest - rank :]))
    if not arrow:
        counts = given.replace("...", "").replace(",", "")
        out = ("..." if "..." in given else "") + "".join(sorted(c for c in set(counts) if counts.count(c) == 1))
    out = out.replace("...", hidden)
    if not set(out) <= set("".join(full)) or len(set(out)) != len(out):
        raise ShapeError(f"einsum: the result {out!r} has letters that no operand has, or repeats one")
    return tuple(full), out


@functools.lru_cache(maxsize=4096)
def _direct(terms: tuple[str, ...], out: str) -> Contract | None:
    """The one operation that does it all, if there is one: two operands, nothing to be simplified first."""
    if len(terms) != 2:
        return None
    left, right = terms
    plain = len(set(left)) == len(left) and len(set(right)) == len(right)
    return (
        _contract(left, right, out)
        if plain and set(left) <= set(right + out) and set(right) <= set(left + out)
        else None
    )


def _simplified(term: str, x: Any, keep: set[str]) -> tuple[str, Any]:
    """Take diagonals for repeated letters, and sum over letters that nothing else needs."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            i = term.index(letter)
            j = term.index(letter, i + 1)
            if x.shape[i] != x.shape[j]:
                raise ShapeError(f"einsum: letter {letter!r} stands for lengths {x.shape[i]} and {x.shape[j]}")
            x = np.diagonal(x, 0, i, j)
            term = term[:i] + term[i + 1 : j] + term[j + 1 :] + letter
    gone = tuple(i for i, letter in enumerate(term) if letter not in keep)
    if gone:
        x = x.sum(axis=gone)
        term = "".join(letter for letter in term if letter in keep)
    return term, x


@implements(np.einsum)
def einsum(subscripts: Any, *operands: Any, optimize: Any = True) -> Any:
    """Einstein summation, in the form ``einsum("ij,jk->ik", x, y)`` or the interleaved one.

    Operands are contracted pair by pair in the order that ``numpy.einsum_path`` finds cheapest.

    >>> import wengert as wg
    >>> wg.einsum("i,i->", wg.tensor([1.0, 2.0]), wg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    text, given = _spelled(subscripts, operands)
    arrays: list[Any] = [as_tensor(as_array(x)) for x in given]
    terms, out = _parse(text, tuple([len(x.shape) for x in arrays]))
    direct = _direct(terms, out)
    if direct is not None:
        _check_lengths(direct.left, arrays[0], direct.right, arrays[1])
        return apply(direct, *arrays)
    path: list[Any] = [tuple(range(len(arrays)))]
    if len(arrays) > 2:
        blanks = [np.broadcast_to(np.empty(()), x.shape) for x in arrays]
        path = np.einsum_path(",".join(terms) + "->" + out, *blanks, optimize="greedy")[0][1:]
    work = list(zip(terms, arrays, strict=True))
    for places in path:
        chosen = [work.pop(i) for i in sorted(places, reverse=True)]
        while len(chosen) > 1:
            (right, y), (left, x) = chosen.pop(), chosen.pop()
            needed = set(out).union(*(term for term, _ in work), *(term for term, _ in chosen))
            chosen.append(_pair(left, x, right, y, needed))
        work += chosen
    ((term, x),) = work
    term, x = _simplified(term, x, set(out))
    return transpose(x, [term.index(letter) for letter in out]) if term != out else x


@implements(np.einsum_path)
def einsum_path(*operands: Any, optimize: Any = "greedy") -> tuple[list[Any], str]:
    """The order in which ``einsum`` would contract, and a text about its cost, from the operands' shapes alone."""
    blanks: list[Any] = [np.broadcast_to(np.float64(0), x.shape) if hasattr(x, "shape") else x for x in operands]
    return np.einsum_path(*blanks, optimize=optimize)


def _pair(left: str, x: Any, right: str, y: Any, needed: set[str]) -> tuple[str, Any]:
    left, x = _simplified(left, x, needed | set(right))
    right, y = _simplified(right, y, needed | set(left))
    out = "".join(c for c in dict.fromkeys(left + right) if c in needed)
    _check_lengths(left, x, right, y)
    return out, apply(_contract(left, right, out), x, y)


def _check_lengths(left: str, x: Any, right: str, y: Any) -> None:
    """Raise ``ShapeError`` where a letter stands for two lengths, neither of which is one."""
    for letter, n in zip(left, x.shape, strict=True):
        place = right.find(letter)
        if place >= 0 and n != y.shape[place] and n != 1 and y.shape[place] != 1:
            raise ShapeError(f"einsum: letter {letter!r} stands for lengths {n} and {y.shape[place]}")


@implements(np.dot)
def dot(x: Any, y: Any) -> Tensor:
    """NumPy's dot: the product for scalars, else a sum over the last axis of x and the last but one of y."""
    x, y = as_array(x), as_array(y)
    if x.ndim == 0 or y.ndim == 0:
        return multiply(x, y)
    if y.ndim <= 2:
        return matmul(x, y)
    return tensordot(x, y, axes=([-1], [-2]))


@implements(np.vdot)
def vdot(x: Any, y: Any) -> Tensor:
    """The sum of products of the flattened operands, the first one conjugated."""
    x, y = as_array(x), as_array(y)
    return matmul(np.conj(reshape(x, (-1,))), reshape(y, (-1,)))


def vecdot(x: Any, y: Any, axis: int = -1) -> Tensor:
    """The sum of products along an axis, the first operand conjugated."""
    x, y = as_array(x), as_tensor(as_array(y))
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError(f"vecdot takes vectors, not shapes {tuple(x.shape)} and {tuple(y.shape)}")
    return (np.conj(x) * y).sum(axis=axis)


implements(np.vecdot, np.linalg.vecdot)(vecdot)


@implements(np.inner)
def inner(x: Any, y: Any) -> Tensor:
    """The sum of products over the last axes of both."""
    x, y = as_array(x), as_array(y)
    if x.ndim == 0 or y.ndim == 0:
        return multiply(x, y)
    return tensordot(x, y, axes=([-1], [-1]))


@implements(np.outer)
def outer(x: Any, y: Any) -> Tensor:
    """Every product of an element of one flattened operand with one of the other."""
    x, y = as_array(x), as_array(y)
    return multiply(reshape(x, (-1, 1)), reshape(y, (1, -1)))


@implements(np.tensordot, np.linalg.tensordot)
def tensordot(x: Any, y: Any, axes: Any = 2) -> Tensor:
    """The sum of products over pairs of axes: a number of them, or a list for each operand."""
    x, y = as_array(x), as_array(y)
    if isinstance(axes, (int, np.integer)):
        n = int(axes)
        left, right = list(range(x.ndim - n, x.ndim)), list(range(n))
    else:
        left, right = ([one] if isinstance(one, (int, np.integer)) else list(one) for one in axes)
    left = [negative_axes(axis, x.ndim, "tensordot")[0] + x.ndim for axis in left]
    right = [negative_axes(axis, y.ndim, "tensordot")[0] + y.ndim for axis in right]
    if [x.shape[i] for i in left] != [y.shape[j] for j in right]:
        raise ShapeError(f"tensordot: axes {left} of {tuple(x.shape)} and {right} of {tuple(y.shape)} differ in length")
    free_x = [i for i in range(x.ndim) if i not in left]
    free_y = [j for j in range(y.ndim) if j not in right]
    n = math.prod(x.shape[i] for i in left)
    rows = reshape(transpose(x, free_x + left), (math.prod(x.shape[i] for i in free_x), n))
    columns = reshape(transpose(y, right + free_y), (n, math.prod(y.shape[j] for j in free_y)))
    return reshape(matmul(rows, columns), (*(x.shape[i] for i in free_x), *(y.shape[j] for j in free_y)))


@implements(np.kron)
def kron(x: Any, y: Any) -> Tensor:
    """Every element of x times all of y, as blocks."""
    x, y = as_array(x), as_array(y)
    rank = max(x.ndim, y.ndim)
    a = (1,) * (rank - x.ndim) + tuple(x.shape)
    b = (1,) * (rank - y.ndim) + tuple(y.shape)
    left = reshape(x, tuple(n for length in a for n in (length, 1)))
    right = reshape(y, tuple(n for length in b for n in (1, length)))
    return reshape(np.multiply(left, right), tuple(n * m for n, m in zip(a, b, strict=True)))


@implements(np.cross)
def cross(x: Any, y: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The vector product of three-dimensional vectors, which lie along ``axis``, or along ``axisa`` and ``axisb`` and
    in the result along ``axisc``.

    >>> import wengert as wg
    >>> wg.linalg.cross(wg.tensor([1.0, 0.0, 0.0]), [0.0, 1.0, 0.0])
    tensor([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = moveaxis(as_array(x), axisa, -1), moveaxis(as_array(y), axisb, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ShapeError(f"cross takes vectors of length 3, not {x.shape[-1]} and {y.shape[-1]}")
    forward, back = [1, 2, 0], [2, 0, 1]
    return moveaxis(x[..., forward] * y[..., back] - x[..., back] * y[..., forward], -1, axisc)


@implements(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """The vector product of three-dimensional vectors along ``axis``, as the array API standard has it."""
    return cross(x1, x2, axis=axis)


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any]) -> Tensor:
    """The product of several matrices, in the order that costs least."""
    parts = [as_array(x) for x in arrays]
    letters = iter(_LETTERS)
    terms: list[str] = []
    last = ""
    for i, x in enumerate(parts):
        first = last if i else (next(letters) if x.ndim == 2 else "")
        last = next(letters) if i == 0 or x.ndim == 2 else ""
        terms.append(first + last)
    ends = (terms[0][0] if parts[0].ndim == 2 else "") + last
    return einsum(",".join(terms) + "->" + ends, *parts)


@implements(np.linalg.matmul)
def _matmul(x1: Any, x2: Any) -> Tensor:
    return matmul(x1, x2)


@implements(np.linalg.outer)
def _outer(x1: Any, x2: Any) -> Tensor:
    return outer(x1, x2)


def _check_ranks(name: str, *operands: tuple[Any, int]) -> None:
    shapes = [tuple(as_array(x).shape) for x, _ in operands]
    if any(len(shape) < rank for shape, (_, rank) in zip(shapes, operands, strict=True)):
        raise ShapeError(f"{name} takes a matrix and a vector (or stacks of them), not shapes {shapes}")


def matvec(x: Any, y: Any) -> Tensor:
    """Matrices times vectors, both in stacks."""
    _check_ranks("matvec", (x, 2), (y, 1))
    return matmul(as_array(x), np.expand_dims(as_array(y), -1))[..., 0]


def vecmat(x: Any, y: Any) -> Tensor:
    """Conjugated vectors times matrices, both in stacks."""
    _check_ranks("vecmat", (x, 1), (y, 2))
    return matmul(np.expand_dims(conjugate(as_array(x)), -2), as_array(y))[..., 0, :]


implements(np.matvec)(matvec)
implements(np.vecmat)(vecmat)
