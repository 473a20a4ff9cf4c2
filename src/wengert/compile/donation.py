"""Arguments that are given away: their memory becomes that of results.

Nothing is taken that somebody else can see. Of a tensor that is known, because every array, view, graph or other tensor
that shares its memory holds a reference to it: where there is only the tensor's own, the memory is taken, and from then
on the tensor raises ``DonatedTensorError``. An array is taken at the word of the caller, if it owns its memory and may
be written to, and no other argument is part of it; from then on it is read-only. In the place of what cannot be taken
the program gets a copy: giving away is a permission, and changes no result.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from sys import getrefcount
from typing import Any, NoReturn

import numpy as np

from wengert.backends.llvm.fastcall import READY
from wengert.backends.llvm.program import Program
from wengert.backends.llvm.results import Lease
from wengert.core.errors import DonatedTensorError
from wengert.core.static import Graph
from wengert.core.tensor import Tensor, wrap
from wengert.core.types import storage
from wengert.passes import FOR_CODE, optimize


class DonatedTensor(Tensor):
    """What a tensor becomes when its memory has been taken."""

    __slots__ = ()

    @property
    def _value(self) -> NoReturn:
        raise DonatedTensorError(
            "this tensor was given away to a compiled function (donate_argnums of wengert.jit), and its memory holds a "
            "result now; use the result, pass x.clone() to keep x, or do not donate it"
        )

    def __repr__(self) -> str:
        return "<a tensor that was given away>"

    __str__ = __repr__


#: What ``getrefcount`` says of an array that a tensor and a list hold, asked for an element of the list; and of one
#: that one object holds, asked for an attribute of that.
_PROBE = wrap(np.empty(0))
_LISTED = [_PROBE._value]
_HELD = getrefcount(_LISTED[0])
del _LISTED
_ONE = getrefcount(_PROBE._value)

#: Held while it is found out whether memory may be taken, until it is.
_TAKING = threading.Lock()


#: Bytes, of all that is given away together, from which on it is worth the time to find out whether it may be taken.
WORTH = 1 << 18


def worthwhile(graph: Graph, places: Sequence[int]) -> Sequence[int]:
    """The numbers of inputs that are given away, or none if they are not worth it."""
    return places if sum(graph.inputs[k].spec.nbytes for k in places) >= WORTH else ()


class Donor:
    """The program of a graph that writes results into the memory of some inputs, those with the numbers ``places``."""

    def __init__(self, graph: Graph, places: Sequence[int]) -> None:
        passes = optimize(graph, FOR_CODE).graph
        self.program = program = Program(passes, donated=[passes.inputs[k] for k in places])
        self._specs = [(x.shape, x.dtype) for x in graph.inputs]
        outputs = [layout.root for layout in program.layouts]
        #: For inputs whose memory is written to, the output that is there in the end, if there is one.
        self.used: dict[int, int | None] = {}
        for k in places:
            x = passes.inputs[k]
            if x in program.schedule.homes.values():
                self.used[k] = outputs.index(x) if x in outputs else None

    def run(self, leaves: Sequence[Any]) -> tuple[Tensor, ...] | None:
        """The results; ``None`` for arguments that are tracked, or not ready for native code."""
        arrays = self._arrays(leaves)
        if arrays is None:
            return None
        with _TAKING:
            refused = refusals(leaves, arrays, self.used)
            for k in self.used:
                if k not in refused:
                    arrays[k] = _taken(leaves[k])
        for k in refused:
            arrays[k] = arrays[k].copy()
        return tuple(map(wrap, self.program.run(arrays)))

    def _arrays(self, leaves: Sequence[Any]) -> list[Any] | None:
        arrays = []
        for x, (shape, dtype) in zip(leaves, self._specs, strict=True):
            if isinstance(x, Tensor):
                if x._node is not None:
                    return None
                arrays.append(x._value)
            else:
                arrays.append(np.asarray(x, dtype) if type(x) in _NUMBERS else x)
            array = arrays[-1]
            if type(array) is not np.ndarray or array.shape != shape or array.dtype is not dtype:
                return None
            if array.flags.num & READY != READY:
                return None
        return arrays


_NUMBERS = (bool, int, float, complex)


def _taken(x: Any) -> np.ndarray:
    """The array in which a result may be, in the place of an argument."""
    if type(x) is np.ndarray:
        view = x.view()
        # A result is there, and must not be changed from outside.
        x.flags.writeable = False
        return view
    array: np.ndarray = x._value
    del x._value
    x.__class__ = DonatedTensor
    return array


def refusals(leaves: Sequence[Any], arrays: list[Any], places: Iterable[int]) -> dict[int, str]:
    """Which of these arguments cannot be taken, and why; ``arrays`` holds their values."""
    times: Counter[int] | None = Counter(map(id, leaves)) if len(set(map(id, leaves))) < len(leaves) else None
    roots: Counter[int] | None = None
    found = {}
    for k in places:
        x = leaves[k]
        if times is not None and times[id(x)] > 1:
            reason = "it is passed more than once"
        elif type(x) is np.ndarray:
            roots = (
                Counter(id(storage(one)) for one in arrays if isinstance(one, np.ndarray)) if roots is None else roots
            )
            reason = _refused_array(x, roots)
        else:
            reason = _refused_tensor(x, arrays, k)
        if reason:
            found[k] = reason
    return found


def _refused_array(x: np.ndarray, roots: Counter[int]) -> str:
    if not x.flags.writeable:
        return "it is read-only"
    if not x.flags.owndata:
        return "it is a view of memory that it does not own"
    return "another argument lies in its memory" if roots[id(x)] > 1 else ""


def _refused_tensor(x: Any, arrays: list[Any], k: int) -> str:
    # Nothing here may hold a reference to the array, or to its base, while references are counted.
    if type(x) is not Tensor:
        return f"it is a {type(x).__name__}"
    if not arrays[k].flags.writeable:
        return "its memory is read-only"
    if getrefcount(arrays[k]) > _HELD:
        return "something else refers to its memory"
    if arrays[k].base is None:
        return "" if arrays[k].flags.owndata else "its memory is not an array's"
    kind = type(arrays[k].base)
    if kind is not Lease and (kind is not np.ndarray or not arrays[k].base.flags.owndata):
        return "its memory is not an array's"
    if getrefcount(arrays[k].base) > _ONE or arrays[k].base.nbytes != arrays[k].nbytes:
        return "something else refers to its memory"
    return ""
