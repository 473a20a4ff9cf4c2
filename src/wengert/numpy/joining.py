"""NumPy's objects that are indexed to make arrays: ``r_``, ``c_``, ``mgrid`` and ``ogrid``."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.core.errors import DTypeError
from wengert.core.tensor import Tensor, wrap
from wengert.ops.creation import arange, array, linspace
from wengert.ops.joining import concatenate
from wengert.ops.shape import atleast_1d


def _ranged(one: slice) -> Tensor:
    """``start:stop:step``; an imaginary step is the number of points, the last one included."""
    start = 0 if one.start is None else one.start
    if isinstance(one.step, complex):
        return linspace(start, one.stop, int(abs(one.step)))
    return arange(start, one.stop, 1 if one.step is None else one.step)


class Joined:
    """Slices, numbers and tensors in brackets, joined along the first or the last axis; gradients flow through.

    >>> import wengert.numpy as np
    >>> np.r_[0:3, 7, np.array([1, 2])]
    tensor([0, 1, 2, 7, 1, 2])
    >>> np.c_[np.array([1, 2]), np.array([3, 4])]
    tensor([[1, 3],
            [2, 4]])
    """

    def __init__(self, columns: bool) -> None:
        self._columns = columns

    def __getitem__(self, key: Any) -> Tensor:
        pieces = []
        for one in key if isinstance(key, tuple) else (key,):
            if isinstance(one, str):
                raise DTypeError(f"r_ and c_ take no directives such as {one!r} here; use wengert.concatenate")
            piece = atleast_1d(_ranged(one) if isinstance(one, slice) else array(one))
            pieces.append(piece[:, None] if self._columns and piece.ndim == 1 else piece)
        return concatenate(pieces, axis=-1 if self._columns else 0)


class Grid:
    """The coordinates of a grid that slices describe, as NumPy's ``mgrid`` and ``ogrid`` give them.

    >>> import wengert.numpy as np
    >>> np.mgrid[0:2, 0:2].shape, np.mgrid[0:1:3j]
    ((2, 2, 2), tensor([0. , 0.5, 1. ]))
    """

    def __init__(self, maker: Any) -> None:
        self._maker = maker

    def __getitem__(self, key: Any) -> Any:
        made = self._maker[key]
        return tuple(map(wrap, made)) if isinstance(made, (tuple, list)) else wrap(made)


r_ = Joined(columns=False)
c_ = Joined(columns=True)
mgrid = Grid(np.mgrid)
ogrid = Grid(np.ogrid)
