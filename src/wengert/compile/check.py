"""Native code compared with the interpreter, node by node.

Three things run on the same arguments. The program itself; the same graph with the result of every node as an output;
and NumPy, which computes each node from what native code gave it. So rounding does not add up: what a node differs by
is its own doing, and the first one that differs by more than rounding is at fault. Where all nodes agree and the
program still has other results, fusion is at fault: then programs of growing parts of the graph find the first node
that goes wrong in company.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm.program import Program
from wengert.core.errors import MiscompiledError
from wengert.core.interpreter import METER
from wengert.core.static import Constant, Graph, GraphNode, Input, Result, Value, spec_text
from wengert.core.tracing import needed
from wengert.core.types import TensorSpec

#: Units in the last place by which an elementwise function may differ from NumPy's; both have errors of their own.
POINTWISE = 16


class Check:
    """The comparison of a program with the interpreter."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.graph = program.graph
        self.values = [y for node in self.graph.nodes for y in node.results]
        self.watched = _part(self.graph, self.values)

    def run(self, arguments: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """The outputs of the program. Raises ``MiscompiledError`` at the first node that differs."""
        outs = self.program.run(arguments)
        known: dict[Value, Any] = dict(zip(self.graph.inputs, arguments, strict=True))
        known.update((x, x.array) for x in self.graph.constants)
        known.update(zip(self.values, self.watched.run(arguments), strict=True))
        with np.errstate(all="ignore"):
            for node in self.graph.nodes:
                operands = [known[x] if isinstance(x, Value) else x for x in node.operands]
                _compare(node, operands, [known[y] for y in node.results])
            for y, out in zip(self.graph.outputs, outs, strict=True):
                if not _agree(out, known[y], np.sqrt(_eps(out.dtype))):
                    self._find_in_company(y, out, known, arguments)
        return outs

    def _find_in_company(self, y: Value, out: np.ndarray, known: Any, arguments: Sequence[np.ndarray]) -> None:
        """Each node is right by itself, but not the program: raise for the first that is wrong in a part of it."""
        made: dict[Value, GraphNode] = {one: node for node in self.graph.nodes for one in node.results}
        for value in needed_values(self.graph, y):
            (found,) = _part(self.graph, [value]).run(arguments)
            if not _agree(found, known[value], np.sqrt(_eps(found.dtype))):
                raise _error(made[value], found, known[value], "fused with what it depends on, ")
        if y in made:
            raise _error(made[y], out, known[y], "fused with the rest of the program, ")
        raise MiscompiledError(f"jit: an argument or constant ({spec_text(y)}) is not handed through as it is")


def needed_values(graph: Graph, y: Value) -> list[Value]:
    """The results that a value is computed from, and itself, in their order."""
    return [one for node in needed(graph.nodes, [y]) for one in node.results]


def _part(graph: Graph, outputs: Sequence[Value]) -> Program:
    return Program(Graph(graph.inputs, needed(graph.nodes, outputs), outputs))


def _compare(node: GraphNode, operands: Sequence[Any], found: Sequence[np.ndarray]) -> None:
    """Raise if a node's results are not what NumPy makes of the same operands."""
    wanted = _results(node, operands)
    limit = _limit(node, operands)
    for one, other in zip(found, wanted, strict=True):
        if not _within(node, one, other, limit):
            if node.primitive.graphs():
                _find_inside(node, operands)
            raise _error(node, one, other)


def _results(node: GraphNode, operands: Sequence[Any]) -> list[np.ndarray]:
    out = node.primitive.value(*operands)
    return [np.asarray(one) for one in (out if isinstance(out, tuple) else (out,))]


def _within(node: GraphNode, found: np.ndarray, wanted: np.ndarray, limit: float) -> bool:
    if node.primitive.pointwise and wanted.dtype.kind == "f":
        return bool(np.all(ulps(found, wanted) <= POINTWISE))
    return _agree(found, wanted, limit)


def _limit(node: GraphNode, operands: Sequence[Any]) -> float:
    """How far results may lie apart, relative to the largest: sums may be taken in another order, and what is solved
    or iterated may amplify that."""
    eps = float(_eps(node.dtype)) if node.results else 0.0
    primitive = node.primitive
    if primitive.pointwise or (primitive.aliases and not primitive.graphs()):
        return POINTWISE * eps
    if primitive.graphs():
        return float(np.sqrt(eps))
    # Products and sums lose at most one rounding a term (N. Higham, "Accuracy and stability of numerical algorithms",
    # 2nd ed., 2002, section 3.1); what is more than sums is no better conditioned than this assumes.
    terms = max((np.size(x) for x in operands), default=1)
    largest = _largest(node, operands)
    return eps * (64 + terms) * largest


def _largest(node: GraphNode, operands: Sequence[Any]) -> float:
    """By how much the terms of a sum exceed it: the same operation on magnitudes says so."""
    if node.dtype.kind not in "fc":
        return 1.0
    try:
        terms = _results(node, [np.abs(x) if isinstance(x, np.ndarray) else x for x in operands])
        sums = _results(node, operands)
    except Exception:
        # A matrix whose elements have lost their signs may be singular, and the like.
        return 1e4
    above, below = _greatest(terms[0]), _greatest(sums[0])
    return max(1.0, above / below) if below else np.inf if above else 1.0


def _greatest(x: np.ndarray) -> float:
    finite = np.abs(x[np.isfinite(x)]) if x.dtype.kind in "fc" else np.abs(x)
    return float(finite.max()) if finite.size else 0.0


def _eps(dtype: np.dtype[Any]) -> Any:
    return np.finfo(dtype).eps if dtype.kind in "fc" else 0.0


def _agree(found: np.ndarray, wanted: np.ndarray, limit: float) -> bool:
    """Whether arrays are equal up to ``limit`` times the largest number."""
    if found.dtype.kind not in "fc" or not limit:
        return bool(np.array_equal(found, wanted, equal_nan=found.dtype.kind in "fc"))
    finite = np.isfinite(wanted)
    if not np.array_equal(found[~finite], wanted[~finite], equal_nan=True):
        return False
    # More than that would be an overflow of one and not of the other.
    tiny = float(np.finfo(found.dtype).tiny)
    return bool(np.all(np.abs(found[finite] - wanted[finite]) <= limit * _greatest(wanted) + tiny))


def ulps(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """How many floating-point numbers lie between two, element by element; infinite between a number and NaN."""
    if found.dtype.kind == "c":
        return np.maximum(ulps(found.real, wanted.real), ulps(found.imag, wanted.imag))
    if found.dtype.kind != "f":
        return np.abs(found.astype(float) - wanted.astype(float))
    kind = np.dtype(f"i{found.dtype.itemsize}")

    def ordered(x: np.ndarray) -> Any:
        bits = np.ascontiguousarray(x).view(kind)
        return np.where(bits < 0, np.iinfo(kind).min - bits, bits).reshape(x.shape).astype(np.longdouble)

    apart = np.abs(ordered(found) - ordered(wanted)).astype(float)
    missing = np.isnan(found), np.isnan(wanted)
    return np.where(missing[0] & missing[1], 0.0, np.where(missing[0] ^ missing[1], np.inf, apart))


def _error(node: GraphNode, found: np.ndarray, wanted: np.ndarray, where: str = "") -> MiscompiledError:
    apart = ulps(found, wanted)
    place = tuple(map(int, np.unravel_index(int(np.argmax(apart)), apart.shape)))
    one, other = found[place], wanted[place]
    at = f", from line {node.location}: {node.location.text}" if node.location is not None else ""
    name = f"%{node.name} = " if node.name else ""
    return MiscompiledError(
        f"jit(check=True): {name}{node.primitive!r} ({spec_text(node.results[0])}) differs from NumPy{at}\n"
        f"  {where}element {place}: native code has {one!r}, NumPy {other!r}: {apart[place]:.4g} ulps apart\n"
        f"  {int((apart > 0).sum())} of {apart.size} elements differ. This is an error of the compiler, not of yours: "
        f"please report it; without jit the function is right",
        node=node,
        native=one,
        expected=other,
        ulps=float(apart[place]),
        index=place,
    )


# -- inside loops and branches ---------------------------------------------------------------------------------------


class _Watch:
    """Runs the nodes of loops and branches with NumPy, and compares each with its own native code."""

    rehearsal = False

    def __init__(self) -> None:
        self._programs: dict[GraphNode, tuple[Program, list[int]]] = {}

    def run(self, node: GraphNode, operands: Sequence[Any]) -> Any:
        if not node.primitive.graphs():
            arrays = [
                np.asarray(x) if isinstance(v, Value) else x for v, x in zip(node.operands, operands, strict=True)
            ]
            program, places = self._program(node, arrays)
            _compare(node, arrays, program.run([np.require(arrays[k], None, ["C", "A"]) for k in places]))
        return node.primitive.value(*operands)

    def note(self, array: np.ndarray) -> None:
        pass

    def _program(self, node: GraphNode, arrays: Sequence[Any]) -> tuple[Program, list[int]]:
        if node not in self._programs:
            places = [k for k, v in enumerate(node.operands) if isinstance(v, Value) and not isinstance(v, Constant)]
            inputs = {k: Input(TensorSpec(arrays[k].shape, arrays[k].dtype)) for k in places}
            results = [Result(y.spec, y.index, y.name) for y in node.results]
            operands = [inputs.get(k, v) for k, v in enumerate(node.operands)]
            one = GraphNode(node.primitive, operands, results, node._location, node.scope)
            self._programs[node] = Program(Graph([*inputs.values()], [one], results)), places
        return self._programs[node]


def _find_inside(node: GraphNode, operands: Sequence[Any]) -> None:
    """Raise for the first node inside a loop or branch whose own native code differs."""
    token = METER.set(_Watch())
    try:
        node.primitive.value(*operands)
    finally:
        METER.reset(token)
