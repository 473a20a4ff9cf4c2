"""The ways into a compiled function for arguments of one kind: by native code if possible, else by the operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm.fastcall import ARRAY, FLOAT, INT, READY
from wengert.compile.donation import Donor, worthwhile
from wengert.compile.native import Compiled, program_of
from wengert.core.apply import apply
from wengert.core.packing import packer, unpacker
from wengert.core.pytree import TreeDef
from wengert.core.tensor import EAGER_TYPES, Tensor, wrap
from wengert.core.types import frozen_copy
from wengert.static.graph import Graph

_ndarray = np.ndarray

#: What ``Entry.call`` returns for arguments of another kind.
MISSED = object()

#: The numbers that native functions take.
_SHORT = {int: INT, float: FLOAT}


class Entry:
    """A compiled kind of arguments."""

    def __init__(
        self, graph: Graph, structure: TreeDef, kinds: Sequence[Any], fixed: Any, given: Sequence[int] = ()
    ) -> None:
        self.graph = graph
        #: The static arguments.
        self.fixed = fixed
        #: The numbers of the leaves that the caller gives away.
        self.offered = given
        self.given = worthwhile(graph, given)
        self._donor: Donor | None = None
        self._structure, self._kinds = structure, kinds
        #: Whether this is not the first call: what is called once need not be called quickly.
        self.used = False
        #: The operation that stands for the graph, by the operands that a gradient is expected for.
        self._operations: dict[tuple[bool, ...], Compiled] = {}
        #: The native function, if the program is simple enough for one.
        self._native: Callable[..., Any] | None = None

    def prepare(self, plain: bool) -> None:
        """Make ready for ``call``, with the tuple of the arguments if ``plain``, else with that and the keywords."""
        graph = self.graph
        # Without the pair of arguments and keywords around it, and without keywords.
        self._unpack = unpacker(TreeDef(self._structure.entries[1:-1]) if plain else self._structure)
        self._pack = None if graph.out_tree is None else packer(graph.out_tree)
        kinds = [_SHORT.get(kind) if isinstance(kind, type) else ARRAY for kind in self._kinds]
        if not graph.captured and "program" in graph._cache and None not in kinds:
            self._native = program_of(graph).fastcall([kind for kind in kinds if kind is not None])

    def call(self, given: Any) -> Any:
        """The results, or ``MISSED`` if the arguments are of another kind."""
        leaves = self._unpack(given)
        if leaves is None:
            return MISSED
        pack = self._pack
        if self.given:
            found = self.donated(leaves) if self._fit(leaves, numbers=True) else None
            if found is not None:
                return found[0] if pack is None else pack(*found)
        elif self._native is not None:
            outs = self._native(*leaves)
            if outs is not None:
                return outs if pack is None else pack(outs) if type(outs) is Tensor else pack(*outs)
        if not self._fit(leaves):
            return MISSED
        outs = self._applied(leaves)
        return outs[0] if pack is None else pack(*outs)

    def donated(self, leaves: Sequence[Any]) -> tuple[Tensor, ...] | None:
        """The results in the memory of what is given away, if something is that can be used for that."""
        if self._donor is None:
            self._donor = Donor(self.graph, self.given)
            if not self._donor.used:
                self.given = ()
                return None
        return self._donor.run(leaves)

    def _fit(self, leaves: Sequence[Any], numbers: bool = False) -> bool:
        """Whether these are tensors and arrays, or numbers too, of exactly these kinds, ready for native code. An array
        is no number: the dtype of a number gives way to those beside it."""
        for x, kind in zip(leaves, self._kinds, strict=True):
            if isinstance(kind, type):
                if numbers and type(x) is kind:
                    continue
                return False
            shape, dtype = kind
            array = x._value if type(x) is Tensor or type(x) in EAGER_TYPES else x
            if type(array) is not _ndarray or array.shape != shape or array.dtype is not dtype:
                return False
            if array.flags.num & READY != READY:
                return False
        return True

    def _applied(self, leaves: Sequence[Any]) -> Any:
        """The results, with a node for the backward pass if need be."""
        operands = [*leaves, *self.graph.captured]
        wanted = tuple([type(x) is not _ndarray and x._node is not None for x in operands])
        operation = self._operations.get(wanted)
        if operation is None:
            operation = self._operations[wanted] = Compiled(self.graph, wanted=wanted if any(wanted) else ())
        # What is kept for a backward pass must not be changed by its owner.
        keep = frozen_copy if operation.wanted else _itself
        return apply(operation, *[wrap(keep(x)) if type(x) is _ndarray else x for x in operands])


def _itself(x: Any) -> Any:
    return x
