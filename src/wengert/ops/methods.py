"""Methods of ``Tensor`` that compute: functions of the families, bound."""

from __future__ import annotations

from typing import Any

from wengert.core.tensor import Tensor
from wengert.ops import reduction, shape, transcendental


class Methods:
    """Computing methods of ``Tensor``."""

    __slots__ = ()

    tanh = transcendental.tanh
    exp = transcendental.exp
    sum = reduction.sum

    def reshape(self, *new: Any) -> Tensor:
        """The same elements in another shape, given as a tuple or as separate numbers; one of them may be -1."""
        return shape.reshape(self, new[0] if len(new) == 1 else new)
