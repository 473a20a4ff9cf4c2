"""How much memory a graph takes: predicted before it runs, and measured while it does. The two agree to the byte.

Counted are the results of nodes, inside loops and branches too: each piece of memory once, however many views of it
there are, from when it is made until the interpreter lets go of it. Inputs and constants belong to others and are not
counted; what an operation uses while it computes is its own affair.

The prediction is a rehearsal: the interpreter runs the graph on arrays that are allocated and never written or read, so
that no memory is touched, with views, layouts and lifetimes as they will be.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.core.dims import has_dim
from wengert.core.errors import GraphError
from wengert.core.interpreter import METER, check_arguments, interpret
from wengert.core.primitive import Primitive
from wengert.core.static import Graph, GraphNode, infer
from wengert.core.types import TensorSpec, storage
from wengert.ops.families import Elementwise


class Recorder:
    """Counts the bytes that are alive; ``peak`` is the most there were, ``peak_node`` what ran then."""

    def __init__(self, rehearsal: bool) -> None:
        self.rehearsal = rehearsal
        self.live = 0
        self.peak = 0
        self.peak_node: GraphNode | None = None
        self._node: GraphNode | None = None
        self._seen: dict[int, weakref.ref[np.ndarray]] = {}

    def own(self, arrays: Sequence[Any]) -> None:
        """Leave out memory that belongs to others."""
        for x in arrays:
            if isinstance(x, np.ndarray):
                root = storage(x)
                self._seen[id(root)] = weakref.ref(root)

    def note(self, array: np.ndarray) -> None:
        root = storage(array)
        key = id(root)
        found = self._seen.get(key)
        if found is not None and found() is root:
            return
        size = root.nbytes

        def gone(_: Any) -> None:
            self.live -= size
            self._seen.pop(key, None)

        self._seen[key] = weakref.ref(root, gone)
        self.live += size
        if self.live > self.peak:
            self.peak, self.peak_node = self.live, self._node

    def run(self, node: GraphNode, operands: Sequence[Any]) -> Any:
        primitive = node.primitive
        self._node = node
        out = rehearsed(primitive, operands) if self.rehearsal else primitive.value(*operands)
        self._node = node
        outs = out if isinstance(out, tuple) else (out,)
        outs = tuple(one if type(one) is np.ndarray else np.asarray(one) for one in outs)
        for one in outs:
            self.note(one)
        return outs if isinstance(out, tuple) else outs[0]


def rehearsed(primitive: Primitive, operands: Sequence[Any]) -> Any:
    """Arrays in the place of a result: views where it is one, else fresh memory in the layout that it would have."""
    if primitive.graphs() or primitive.aliases:
        with np.errstate(all="ignore"):
            return primitive.rehearse(*operands)
    specs = [TensorSpec(x.shape, x.dtype) if isinstance(x, np.ndarray) else x for x in operands]
    found = infer(primitive, specs)
    if isinstance(found, tuple):
        return tuple(np.empty(one.shape, one.dtype) for one in found)
    if isinstance(primitive, Elementwise):
        arrays = [x for x in operands if isinstance(x, np.ndarray)]
        return _like_a_ufunc(arrays, found)
    return np.empty(found.shape, found.dtype)


def _like_a_ufunc(arrays: Sequence[np.ndarray], spec: TensorSpec) -> np.ndarray:
    """Fresh memory in the layout that NumPy chooses for an elementwise result."""
    if not arrays or 0 in spec.shape:
        return np.empty(spec.shape, spec.dtype)
    flags = [["readonly"]] * len(arrays) + [["writeonly", "allocate"]]
    with np.nditer(
        [*arrays, None],  # type: ignore[arg-type]
        flags=["refs_ok", "zerosize_ok"],
        op_flags=flags,  # type: ignore[arg-type]
        op_dtypes=[*(x.dtype for x in arrays), spec.dtype],
    ) as iterator:
        return iterator.operands[-1]


def predict(graph: Graph) -> Recorder:
    """The peak memory of a graph, before it runs. Raises ``GraphError`` if a length is not known."""
    if any(has_dim(x.shape) for x in graph.inputs):
        raise GraphError("the memory of a graph with unknown lengths cannot be predicted; specialise it with at({...})")
    arguments = [x.weak(0) if x.weak is not None else np.empty(x.shape, x.dtype) for x in graph.inputs]
    return _recorded(graph, arguments, rehearsal=True)[0]


def measure(graph: Graph, arguments: Sequence[Any]) -> tuple[Recorder, tuple[Any, ...]]:
    """The peak memory of a graph while it runs on these arrays, and its outputs."""
    check_arguments(graph, arguments)
    return _recorded(graph, arguments, rehearsal=False)


def _recorded(graph: Graph, arguments: Sequence[Any], rehearsal: bool) -> tuple[Recorder, tuple[Any, ...]]:
    recorder = Recorder(rehearsal)
    recorder.own(arguments)
    recorder.own([x.array for x in _constants(graph)])
    token = METER.set(recorder)
    try:
        return recorder, interpret(graph, arguments)
    finally:
        METER.reset(token)


def _constants(graph: Graph) -> list[Any]:
    """The constants of a graph and of those inside it."""
    found: list[Any] = []
    stack = [graph]
    while stack:
        here = stack.pop()
        found += here.constants
        stack += [inner for node in here.nodes for inner in node.primitive.graphs()]
    return found
