"""Graphs as values: immutable, closed, typed directed acyclic graphs.

A ``Value`` is an edge: an input, a constant, or one result of a node. A ``GraphNode`` is one application of a primitive
to values and Python scalars. A ``Graph`` holds its nodes in topological order, so nothing that walks it recurses.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .dims import Dim, has_dim, known
from .display import Displayed
from .errors import GraphError
from .node import Location
from .primitive import Primitive
from .types import SCALAR_TYPES, TensorSpec

if TYPE_CHECKING:
    from .pytree import TreeDef

G = TypeVar("G", bound="Graph")


class Value:
    """An edge of a graph: what flows from the node that makes it to the nodes that use it."""

    __slots__ = ("dtype", "name", "shape")

    shape: tuple[Any, ...]
    dtype: np.dtype[Any]
    name: str

    def __init__(self, spec: TensorSpec, name: str = "") -> None:
        self.shape = spec.shape
        self.dtype = spec.dtype
        self.name = name

    @property
    def spec(self) -> TensorSpec:
        return TensorSpec(self.shape, self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {spec_text(self)}>".replace("  ", " ")


class Input(Value):
    """A value that is given when the graph is called. ``weak`` is the type of a Python scalar, which does not take part
    in dtype promotion, or ``None``."""

    __slots__ = ("weak",)

    def __init__(self, spec: TensorSpec, name: str = "", weak: type | None = None) -> None:
        super().__init__(spec, name)
        self.weak = weak


class Constant(Value):
    """A value that the graph carries; its array cannot be written to."""

    __slots__ = ("array",)

    def __init__(self, array: np.ndarray, name: str = "") -> None:
        super().__init__(TensorSpec(array.shape, array.dtype), name)
        self.array = array


class Result(Value):
    """One result of a node."""

    __slots__ = ("index",)

    def __init__(self, spec: TensorSpec, index: int, name: str = "") -> None:
        super().__init__(spec, name)
        self.index = index


#: What an operation is applied to: a value, a Python scalar, or an unknown length.
Operand = Any


class GraphNode:
    """One application of a primitive in a graph."""

    __slots__ = ("_location", "operands", "primitive", "results", "scope")

    def __init__(
        self,
        primitive: Primitive,
        operands: Sequence[Operand],
        results: Sequence[Result],
        location: Location | Callable[[], Location | None] | None = None,
        scope: str = "",
    ) -> None:
        self.primitive = primitive
        self.operands = tuple(operands)
        self.results = tuple(results)
        self._location = location
        self.scope = scope

    @property
    def location(self) -> Location | None:
        """The user's source line that made the node."""
        if callable(self._location):
            self._location = self._location()
        return self._location

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The operands that are values."""
        return tuple([x for x in self.operands if isinstance(x, Value)])

    @property
    def op(self) -> str:
        """The name of the operation."""
        return self.primitive.name

    @property
    def name(self) -> str:
        """The name of the first result."""
        return self.results[0].name if self.results else ""

    @property
    def spec(self) -> TensorSpec:
        """Shape and dtype of the first result."""
        return self.results[0].spec

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.results[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.results[0].dtype

    def __repr__(self) -> str:
        return f"<{self.primitive!r} -> {', '.join(map(spec_text, self.results))}>"


class Graph(Displayed):
    """An immutable, closed, typed DAG: inputs, constants, nodes in topological order, outputs.

    ``captured`` are the tensors bound to the last inputs: what a traced function reached through its closure and a
    gradient can flow to. ``in_tree`` and ``out_tree`` are the containers of arguments and results, if there are any.

    Two graphs are equal if they apply the same operations to the same operands, whatever the names and source lines.
    Raises ``GraphError`` if a value is used before it is made, or made twice.
    """

    __slots__ = ("__weakref__", "_cache", "captured", "in_tree", "inputs", "nodes", "out_tree", "outputs")

    inputs: tuple[Input, ...]
    nodes: tuple[GraphNode, ...]
    outputs: tuple[Value, ...]

    def __init__(
        self,
        inputs: Sequence[Input],
        nodes: Sequence[GraphNode],
        outputs: Sequence[Value],
        captured: Sequence[Any] = (),
        in_tree: TreeDef | None = None,
        out_tree: TreeDef | None = None,
    ) -> None:
        self.inputs = tuple(inputs)
        self.nodes = tuple(nodes)
        self.outputs = tuple(outputs)
        self.captured = tuple(captured)
        self.in_tree = in_tree
        self.out_tree = out_tree
        self._cache: dict[Any, Any] = {}

    def replace(self: G, **changes: Any) -> G:
        """A graph of the same class with some parts changed."""
        parts = {
            name: getattr(self, name) for name in ("inputs", "nodes", "outputs", "captured", "in_tree", "out_tree")
        }
        new: G = object.__new__(type(self))
        Graph.__init__(new, **(parts | changes))
        return new

    def at(self: G, lengths: Mapping[str, int]) -> G:
        """The graph where unknown lengths have these values."""
        if self.is_concrete and not any(node.primitive.graphs() for node in self.nodes):
            return self
        found: G = self.cached(("at", tuple(sorted(lengths.items()))), lambda: self._at(lengths))
        return found

    def _at(self: G, lengths: Mapping[str, int]) -> G:
        new: dict[Any, Any] = {}
        for x in self.inputs:
            new[x] = Input(TensorSpec(known(x.shape, lengths), x.dtype), x.name, x.weak)
        nodes = []
        for node in self.nodes:
            operands = [new.get(x, x) if isinstance(x, Value) else known(x, lengths) for x in node.operands]
            results = [Result(TensorSpec(known(y.shape, lengths), y.dtype), y.index, y.name) for y in node.results]
            primitive = _primitive_at(node.primitive, lengths)
            nodes.append(GraphNode(primitive, operands, results, node._location, node.scope))
            new.update(zip(node.results, results, strict=True))
        return self.replace(
            inputs=tuple(new[x] for x in self.inputs),
            nodes=tuple(nodes),
            outputs=tuple(new.get(y, y) for y in self.outputs),
        )

    def cached(self, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` returned the first time for this key; derived facts live as long as the graph."""
        found = self._cache.get(key)
        if found is None:
            # Meanwhile another thread may have made it, or ``make`` itself: there is but one.
            found = self._cache.setdefault(key, make())
        return found

    # -- questions ----------------------------------------------------------------------------------------------

    @property
    def constants(self) -> tuple[Constant, ...]:
        """The constants that the nodes and outputs use, in the order of their first use."""

        def collect() -> tuple[Constant, ...]:
            used = [x for node in self.nodes for x in node.operands] + list(self.outputs)
            return tuple(dict.fromkeys(x for x in used if isinstance(x, Constant)))

        found: tuple[Constant, ...] = self.cached("constants", collect)
        return found

    def topological_order(self) -> tuple[GraphNode, ...]:
        """The nodes, each after everything that it depends on."""
        return self.nodes

    def producer(self, value: Value) -> GraphNode | None:
        """The node that makes a value; ``None`` for inputs and constants."""
        found: dict[Value, GraphNode] = self.cached(
            "producers", lambda: {result: node for node in self.nodes for result in node.results}
        )
        return found.get(value)

    def consumers(self, value: Value) -> tuple[GraphNode, ...]:
        """The nodes that use a value, each once."""

        def collect() -> dict[Value, list[GraphNode]]:
            uses: dict[Value, list[GraphNode]] = {}
            for node in self.nodes:
                for x in dict.fromkeys(node.inputs):
                    uses.setdefault(x, []).append(node)
            return uses

        return tuple(self.cached("consumers", collect).get(value, ()))

    def operands(self, node: GraphNode) -> tuple[GraphNode, ...]:
        """The nodes whose results a node uses."""
        return tuple(dict.fromkeys(made for x in node.inputs if (made := self.producer(x)) is not None))

    def sources(self) -> tuple[Value, ...]:
        """The values that flow in: inputs and constants."""
        return (*self.inputs, *self.constants)

    def sinks(self) -> tuple[GraphNode, ...]:
        """The nodes none of whose results another node uses."""
        used = {x for node in self.nodes for x in node.inputs}
        return tuple(node for node in self.nodes if not used.intersection(node.results))

    @property
    def edges(self) -> int:
        """How often the nodes use values."""
        return sum(len(node.inputs) for node in self.nodes)

    @property
    def depth(self) -> int:
        """The number of nodes on the longest path."""
        depth: dict[Value, int] = {}
        for node in self.nodes:
            here = 1 + max((depth.get(x, 0) for x in node.inputs), default=0)
            depth.update(dict.fromkeys(node.results, here))
        return max(depth.values(), default=0)

    @property
    def counts(self) -> Counter[str]:
        """How many nodes there are of each operation, by its name."""
        return Counter(node.op for node in self.nodes)

    @property
    def is_concrete(self) -> bool:
        """Whether every length is known."""
        values: Iterator[Value] = (x for node in self.nodes for x in node.results)
        return not any(has_dim(x.shape) for x in (*self.inputs, *self.outputs, *values))

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[GraphNode]:
        return iter(self.nodes)

    # -- validation ---------------------------------------------------------------------------------------------

    def validate(self: G) -> G:
        """The graph itself, if it is acyclic, closed and well typed; else ``GraphError`` says where it is not."""
        known: set[Value] = set(self.inputs)
        if len(known) != len(self.inputs):
            raise GraphError("an input stands twice in the list of inputs")
        made: dict[Value, int] = {
            result: position for position, node in enumerate(self.nodes) for result in node.results
        }
        for position, node in enumerate(self.nodes):
            for place, x in enumerate(node.operands):
                if isinstance(x, Value) and x not in known and not isinstance(x, Constant):
                    raise GraphError(self._dangling(position, node, place, x, made))
            for result in node.results:
                if result in known:
                    raise GraphError(f"node {position} ({node.primitive!r}) makes a value that was made before")
                known.add(result)
            check_types(position, node)
        for place, y in enumerate(self.outputs):
            if not isinstance(y, Value) or (y not in known and not isinstance(y, Constant)):
                raise GraphError(f"output {place} is neither an input, a constant nor the result of a node")
        return self

    def _dangling(self, position: int, node: GraphNode, place: int, x: Value, made: Mapping[Value, int]) -> str:
        start = f"node {position} ({node.primitive!r}), operand {place}: "
        if x in made and made[x] >= position:
            return start + f"a cycle: it uses the result of node {made[x]}, which comes later"
        return start + f"dangling: the {type(x).__name__.lower()} {spec_text(x)} belongs to no node or input"

    # -- equality -----------------------------------------------------------------------------------------------

    def _key(self) -> Any:
        def describe() -> Any:
            numbers: dict[Value, Any] = {x: i for i, x in enumerate(self.inputs)}

            def operand(x: Any) -> Any:
                if not isinstance(x, Value):
                    return (type(x), repr(x))
                if isinstance(x, Constant):
                    return ("constant", *digest(x.array))
                return numbers[x]

            rows: list[Any] = [(x.shape, x.dtype.str, x.weak) for x in self.inputs]
            for node in self.nodes:
                rows.append((node.primitive, *map(operand, node.operands)))
                numbers.update((result, len(numbers) + i) for i, result in enumerate(node.results))
            return (tuple(rows), tuple(map(operand, self.outputs)), tuple(map(id, self.captured)))

        return self.cached("key", describe)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Graph) and len(self) == len(other) and bool(self._key() == other._key())

    def __hash__(self) -> int:
        found: int = self.cached("hash", lambda: hash(self._key()))
        return found

    # -- text ---------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        arguments = ", ".join(map(spec_text, self.inputs))
        results = ", ".join(map(spec_text, self.outputs))
        return f"<Graph ({arguments}) -> ({results}), {len(self)} nodes>"

    def __str__(self) -> str:
        return self.text()

    def text(self, limit: int = 200, source: bool = True) -> str:
        """One line a node: name, shape and dtype, operation, operands, source line. Beyond ``limit`` nodes the middle
        is left out."""
        names = value_names(self)
        head = [f"{names[x]}: {spec_text(x)}" for x in self.inputs]
        lines = [f"graph({', '.join(head)}):"]
        lines += [f"  {names[x]}: {spec_text(x)} = {_constant_text(x)}" for x in self.constants if x.array.size > 1]
        shown: Sequence[GraphNode] = self.nodes
        if len(self.nodes) > limit:
            half = limit // 2
            shown = (*self.nodes[:half], *self.nodes[-half:])
        rows = [_row(node, names, source) for node in shown]
        width = min(76, max((len(left) for left, _ in rows), default=0))
        body = []
        for place, (node, (left, where)) in enumerate(zip(shown, rows, strict=True)):
            if len(shown) < len(self.nodes) and place == len(shown) // 2:
                body.append(f"  ... {len(self.nodes) - len(shown)} more nodes ...")
            body.append(f"  {left:{width}}  # {where}" if where else f"  {left}")
            for inner in node.primitive.graphs():
                body += [f"    {line}" for line in inner.text(limit, source).splitlines()]
        return "\n".join([*lines, *body, f"  return {', '.join(names[x] for x in self.outputs)}"])


def _primitive_at(primitive: Primitive, lengths: Mapping[str, int]) -> Primitive:
    parameters = primitive.parameters()
    changed = {name: _parameter_at(value, lengths) for name, value in parameters.items()}
    if all(changed[name] is value for name, value in parameters.items()):
        return primitive
    return type(primitive)(**changed)


def _parameter_at(value: Any, lengths: Mapping[str, int]) -> Any:
    if isinstance(value, Graph):
        return value.at(lengths)
    if isinstance(value, Primitive):
        return _primitive_at(value, lengths)
    if isinstance(value, tuple) and any(isinstance(one, Graph) for one in value):
        return tuple([_parameter_at(one, lengths) for one in value])
    return known(value, lengths) if has_dim(value) else value


def check_types(position: int, node: GraphNode) -> None:
    """Raise ``GraphError`` unless a node's results have the shapes and dtypes that its operation gives."""
    try:
        found = infer(node.primitive, node.operands)
    except Exception as error:
        raise GraphError(f"node {position} ({node.primitive!r}) does not fit its operands: {error}") from error
    specs = found if isinstance(found, tuple) else (found,)
    if len(specs) != len(node.results):
        raise GraphError(f"node {position} ({node.primitive!r}) has {len(node.results)} results, not {len(specs)}")
    for spec, result in zip(specs, node.results, strict=True):
        if spec != result.spec:
            raise GraphError(
                f"node {position} ({node.primitive!r}): a result is declared {spec_text(result)} and is "
                f"{spec_text(spec)}"
            )


#: Python scalars that stand for weakly typed inputs when types are inferred.
_WEAK_EXAMPLES: dict[type, Any] = {bool: True, int: 1, float: 1.0, complex: 1j}


def infer(primitive: Primitive, operands: Sequence[Operand]) -> TensorSpec | tuple[TensorSpec, ...]:
    """Shapes and dtypes of the result or results of an operation on these operands."""
    if not primitive.pointwise:
        # Python scalars take part in promotion among elements alone; elsewhere they are arrays.
        return primitive.spec(*(x.spec if isinstance(x, Value) else x for x in operands))
    return primitive.spec(*map(_spec_of, operands))


def _spec_of(x: Operand) -> Any:
    if isinstance(x, Input) and x.weak is not None:
        return _WEAK_EXAMPLES[x.weak]
    if isinstance(x, Dim):
        return 1
    return x.spec if isinstance(x, Value) else x


def spec_text(x: Any) -> str:
    """``float64[2,3]``: dtype and shape."""
    return f"{x.dtype}[{','.join(map(str, x.shape))}]"


def value_names(graph: Graph) -> dict[Value, str]:
    """A name for every value that is shown: the user's own where there is one, else ``%0``, ``%1``, ..."""
    names: dict[Value, str] = {}
    taken: set[str] = set()

    def give(x: Value) -> None:
        name = f"%{x.name}" if x.name else f"%{len(taken)}"
        while name in taken:
            name += "_"
        taken.add(name)
        names[x] = name

    for source in graph.inputs:
        give(source)
    for constant in graph.constants:
        if constant.array.size > 1:
            give(constant)
        else:
            names[constant] = _constant_text(constant)
    for node in graph.nodes:
        for result in node.results:
            give(result)
    return names


def _constant_text(x: Constant) -> str:
    if x.array.size == 1 and x.array.ndim == 0:
        return f"{x.dtype}({x.array.item()!r})"
    body = np.array2string(x.array, threshold=6, edgeitems=2, precision=4, separator=", ").replace("\n", " ")
    return f"constant {' '.join(body.split())}"


def _row(node: GraphNode, names: Mapping[Value, str], source: bool) -> tuple[str, str]:
    left = ", ".join(f"{names[x]}: {spec_text(x)}" for x in node.results)
    operands = [names[x] if isinstance(x, Value) else repr(x) for x in node.operands]
    where = str(node.location or "") if source else ""
    if node.scope:
        where = f"{where} [{node.scope}]".strip()
    return f"{left} = {node.primitive.call_text(operands)}", where


def digest(array: np.ndarray) -> tuple[Any, ...]:
    """Shape, dtype and contents of an array, hashable and independent of its memory layout."""
    data = np.ascontiguousarray(array)
    return array.shape, array.dtype.str, hashlib.sha256(data.tobytes()).digest() if data.nbytes > 32 else data.tobytes()


def is_literal(x: Any) -> bool:
    """Whether an operand is a number that stands in the graph itself."""
    return type(x) in SCALAR_TYPES
