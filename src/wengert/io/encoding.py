"""A graph as JSON values, and back: structure only, no code and no pickle.

A graph is ``{"inputs", "nodes", "outputs", "constants"}``; graphs inside operations come first in one list. Everything
that JSON has no form for is a list that starts with a tag: ``["tuple", ...]``, ``["float", "nan"]``, ``["graph", 3]``.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.dims import Dim, Unknown
from wengert.core.errors import GraphFileError
from wengert.core.node import Location
from wengert.core.primitive import REGISTRY, Primitive
from wengert.core.pytree import TreeDef
from wengert.core.static import Constant, Graph, GraphNode, Input, Result, Value
from wengert.core.types import SCALAR_TYPES, TensorSpec

_WEAK = {"bool": bool, "int": int, "float": float, "complex": complex}
_CONTAINERS: dict[str, type] = {
    "tuple": tuple,
    "list": list,
    "dict": dict,
    "OrderedDict": OrderedDict,
    "None": type(None),
}


class Encoder:
    """Collects the graphs and arrays of one file."""

    def __init__(self) -> None:
        self.graphs: list[Any] = []
        self.arrays: dict[str, np.ndarray] = {}
        self._numbers: dict[int, int] = {}
        self._keys: dict[int, str] = {}

    def graph(self, graph: Graph) -> int:
        """The number of a graph in the list."""
        found = self._numbers.get(id(graph))
        if found is not None:
            return found
        places: dict[Value, int] = {}
        captured = dict(zip(graph.inputs[len(graph.inputs) - len(graph.captured) :], graph.captured, strict=True))
        own = [x for x in graph.inputs if x not in captured]
        inputs = [[x.name, self._spec(x), x.weak.__name__ if x.weak else None] for x in own]
        constants = []
        for x in own:
            places[x] = len(places)
        for x in captured:
            places[x] = len(places)
            constants.append(self._constant(np.asarray(captured[x].detach().numpy()), x.name))
        for c in graph.constants:
            places[c] = len(places)
            constants.append(self._constant(c.array, c.name))
        nodes = []
        for node in graph.nodes:
            operands = [places[x] if isinstance(x, Value) else ["literal", self.value(x)] for x in node.operands]
            results = [[y.name, self._spec(y)] for y in node.results]
            for y in node.results:
                places[y] = len(places)
            where = node.location
            line = None if where is None else [where.filename, where.line, where.function]
            nodes.append([node.op, self._parameters(node.primitive), operands, results, line, node.scope])
        made = {"inputs": inputs, "constants": constants, "nodes": nodes, "outputs": [places[y] for y in graph.outputs]}
        self.graphs.append(made)
        self._numbers[id(graph)] = len(self.graphs) - 1
        return len(self.graphs) - 1

    def _constant(self, array: np.ndarray, name: str) -> list[Any]:
        key = self._keys.get(id(array))
        if key is None:
            key = self._keys[id(array)] = f"constant_{len(self.arrays)}"
            self.arrays[key] = array
        return [name, key]

    def _spec(self, x: Value) -> list[Any]:
        return [[self.value(n) for n in x.shape], x.dtype.name]

    def _parameters(self, primitive: Primitive) -> dict[str, Any]:
        return {name: self.value(value) for name, value in primitive.parameters().items()}

    def value(self, x: Any) -> Any:
        """A parameter or literal."""
        if x is None or type(x) in (bool, int, str):
            return x
        if type(x) is float:
            return x if math.isfinite(x) else ["float", repr(x)]
        if type(x) is complex:
            return ["complex", self.value(x.real), self.value(x.imag)]
        if type(x) in (tuple, list):
            return [type(x).__name__, *(self.value(one) for one in x)]
        if isinstance(x, Dim):
            return ["dim", *([list(monomial), factor] for monomial, factor in x.terms.items())]
        if isinstance(x, Graph):
            return ["graph", self.graph(x)]
        if isinstance(x, Primitive):
            return ["operation", x.name, self._parameters(x)]
        if type(x) in SCALAR_TYPES:
            return ["scalar", x.dtype.name, self.value(x.item())]
        if isinstance(x, np.dtype):
            return ["dtype", x.name]
        raise GraphFileError(f"a parameter of type {type(x).__name__} cannot be saved: {x!r}")

    def tree(self, tree: TreeDef | None) -> Any:
        """The structure of arguments or results."""
        if tree is None:
            return None
        names = {cls: name for name, cls in _CONTAINERS.items()}
        entries: list[Any] = []
        for entry in tree.entries:
            if entry is None:
                entries.append(None)
                continue
            cls, auxiliary, count = entry
            if issubclass(cls, tuple) and hasattr(cls, "_fields"):
                # Its class may not exist where the file is read.
                cls, auxiliary = tuple, None
            if cls not in names:
                raise GraphFileError(
                    f"a graph whose arguments or results hold a {cls.__name__} cannot be saved; use tuples, lists and "
                    f"dictionaries"
                )
            entries.append([names[cls], self.value(auxiliary), count])
        return entries


class Decoder:
    """Builds graphs from what an ``Encoder`` made. Everything is checked: a file may come from anywhere."""

    def __init__(self, graphs: Any, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.unknowns: dict[str, Unknown] = {}
        self.graphs: list[Graph] = []
        for number, described in enumerate(expect(graphs, list, "the list of graphs")):
            try:
                self.graphs.append(self._graph(described))
            except GraphFileError:
                raise
            except Exception as error:
                raise GraphFileError(f"graph {number} of the file is damaged: {error}") from error

    def _graph(self, described: Any) -> Graph:
        inputs = [self._input(one) for one in described["inputs"]]
        values: list[Value] = [*inputs]
        for name, key in described["constants"]:
            if key not in self.arrays:
                raise GraphFileError(f"the array {key!r} is missing from the file")
            values.append(Constant(self.arrays[key], expect(name, str, "a name")))
        nodes = []
        for op, parameters, operands, results, line, scope in described["nodes"]:
            primitive = self._operation(op, parameters)
            used = [self._operand(x, values) for x in operands]
            made = [Result(self._spec(spec), k, expect(name, str, "a name")) for k, (name, spec) in enumerate(results)]
            nodes.append(GraphNode(primitive, used, made, self._location(line), expect(scope, str, "a scope")))
            values += made
        outputs = [self._operand(x, values) for x in described["outputs"]]
        return Graph(inputs, nodes, outputs).validate()

    def _input(self, described: Any) -> Input:
        name, spec, weak = described
        return Input(self._spec(spec), expect(name, str, "a name"), None if weak is None else _WEAK[weak])

    def _spec(self, described: Any) -> TensorSpec:
        lengths, dtype = described
        shape = tuple(self.value(n) for n in expect(lengths, list, "a shape"))
        if any(not isinstance(n, (int, Dim)) or (isinstance(n, int) and n < 0) for n in shape):
            raise GraphFileError(f"{shape} is not a shape")
        return TensorSpec(shape, dtype_of(dtype))

    def _operand(self, x: Any, values: list[Value]) -> Any:
        if type(x) is int:
            if not 0 <= x < len(values):
                raise GraphFileError(f"value {x} is used before it is made")
            return values[x]
        tag, literal = expect(x, list, "an operand")
        found = self.value(literal) if tag == "literal" else None
        if type(found) not in SCALAR_TYPES and not isinstance(found, Dim):
            raise GraphFileError(f"{x!r} is not an operand")
        return found

    def _operation(self, name: Any, parameters: Any) -> Primitive:
        cls = REGISTRY.get(expect(name, str, "an operation"))
        if cls is None or cls.abstract:
            raise GraphFileError(
                f"the file uses the operation {name!r}, which is not known here; import the module that defines it, or "
                f"update Wengert"
            )
        given = {key: self.value(value) for key, value in expect(parameters, dict, "parameters").items()}
        if given.keys() != set(cls.fields):
            raise GraphFileError(f"{name} takes the parameters {cls.fields}, and the file has {tuple(given)}")
        return cls(**given)

    @staticmethod
    def _location(line: Any) -> Location | None:
        if line is None:
            return None
        filename, number, text = line
        return Location(
            expect(filename, str, "a file name"), expect(number, int, "a line"), expect(text, str, "a function")
        )

    def value(self, x: Any) -> Any:
        if x is None or type(x) in (bool, int, str, float):
            return x
        tag, *rest = expect(x, list, "a tagged value")
        decode = _TAGS.get(tag)
        if decode is None:
            raise GraphFileError(f"the file has a value of an unknown kind, {tag!r}")
        return decode(self, *rest)

    def tree(self, described: Any) -> TreeDef | None:
        if described is None:
            return None
        entries: list[Any] = []
        pending = 1
        for one in expect(described, list, "a structure"):
            pending -= 1
            if one is None:
                entries.append(None)
                continue
            name, auxiliary, count = one
            if name not in _CONTAINERS or type(count) is not int or count < 0:
                raise GraphFileError(f"{one!r} is not a container")
            entries.append((_CONTAINERS[name], self.value(auxiliary), count))
            pending += count
        if pending:
            raise GraphFileError("the structure of arguments or results is incomplete")
        return TreeDef(entries)

    def _dim(self, *terms: Any) -> Any:
        found: dict[Any, int] = {}
        for names, factor in terms:
            monomial = tuple(self.unknowns.setdefault(n, Unknown(expect(n, str, "a name"))) for n in names)
            found[monomial] = expect(factor, int, "a factor")
        return Dim.of(found)

    def _known_graph(self, number: Any) -> Graph:
        if type(number) is not int or not 0 <= number < len(self.graphs):
            raise GraphFileError(f"graph {number!r} is used before it is described")
        return self.graphs[number]


_TAGS: dict[str, Callable[..., Any]] = {
    "float": lambda self, text: float(text),
    "complex": lambda self, real, imag: complex(self.value(real), self.value(imag)),
    "tuple": lambda self, *rest: tuple(self.value(one) for one in rest),
    "list": lambda self, *rest: [self.value(one) for one in rest],
    "dim": Decoder._dim,
    "graph": Decoder._known_graph,
    "operation": Decoder._operation,
    "scalar": lambda self, dtype, number: dtype_of(dtype).type(self.value(number)),
    "dtype": lambda self, name: dtype_of(name),
}


def dtype_of(name: Any) -> np.dtype[Any]:
    """A number's dtype by its name."""
    try:
        found = np.dtype(expect(name, str, "a dtype"))
    except TypeError as error:
        raise GraphFileError(f"{name!r} is not a dtype") from error
    if found.kind not in "biufc":
        raise GraphFileError(f"{name!r} is not a dtype of numbers")
    return found


def expect(x: Any, kind: type, what: str) -> Any:
    """``x`` itself, if it is of this type."""
    if type(x) is not kind:
        raise GraphFileError(f"the file is damaged: {what} is expected where there is {str(x)[:80]!r}")
    return x
