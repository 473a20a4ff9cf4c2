"""Define, then run: a graph that is built in a ``with`` block out of placeholders and variables, and run with a feed.

Source of the style: M. Abadi et al., "TensorFlow: a system for large-scale machine learning", OSDI 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.core import static
from wengert.core.errors import GraphError
from wengert.core.interpreter import interpret
from wengert.core.levels import ACTIVE, as_tensor
from wengert.core.mode import MODE
from wengert.core.node import Leaf
from wengert.core.pytree import tree_flatten, tree_unflatten
from wengert.core.static import Input, Value, spec_text
from wengert.core.tensor import Tensor
from wengert.core.tracing import Symbol, TraceLevel, needed
from wengert.core.types import TensorSpec, frozen_copy, get_default_dtype
from wengert.passes import optimize
from wengert.static.graph import Graph, fitted, open_graph


class Construction(TraceLevel):
    """The level of a graph that is being built by hand."""

    def __init__(self) -> None:
        super().__init__()
        #: The variables, whose values stay between runs, by their input.
        self.variables: dict[Value, Variable] = {}


class OpenGraph(Graph):
    """A graph that is being built: what is computed from its placeholders and variables joins it."""

    __slots__ = ("_entered", "_level", "_programs")

    def __init__(self) -> None:
        self._level = Construction()
        self._entered: list[Any] = []
        self._programs: dict[Any, tuple[Graph, list[Value]]] = {}
        self._cache = {}
        self.in_tree = self.out_tree = None
        self.captured = ()

    # The lists grow, so nothing that is derived from them is kept.
    def cached(self, key: Any, make: Any) -> Any:
        return make()

    @property
    def inputs(self) -> tuple[Input, ...]:  # type: ignore[override]
        return tuple(self._level.inputs)

    @property
    def nodes(self) -> tuple[static.GraphNode, ...]:  # type: ignore[override]
        return tuple(self._level.nodes)

    @property
    def outputs(self) -> tuple[Value, ...]:  # type: ignore[override]
        """What nothing uses."""
        used = {x for node in self.nodes for x in node.inputs}
        return tuple(y for node in self.nodes for y in node.results if y not in used)

    def __enter__(self) -> OpenGraph:
        mode = MODE.get()
        self._entered.append((MODE.set(mode.but(trace=self._level, pack=None)), ACTIVE.set((self._level,))))
        return self

    def __exit__(self, *exc: object) -> None:
        mode, levels = self._entered.pop()
        ACTIVE.reset(levels)
        MODE.reset(mode)

    def __call__(self, *args: Any) -> Any:
        raise GraphError("a graph with placeholders is run with a feed: g.run(fetches, feed_dict={x: data})")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def edge(self, x: Any) -> Value:
        """The edge behind a tensor of this graph, or behind a name of a placeholder or variable."""
        if isinstance(x, str):
            found = [one for one in self.inputs if one.name == x]
            if len(found) != 1:
                raise GraphError(
                    f"no placeholder or variable is called {x!r}; there are {[i.name for i in self.inputs]}"
                )
            return found[0]
        symbol = getattr(x, "_value", None)
        if not isinstance(symbol, Symbol) or symbol._level is not self._level:
            raise GraphError(f"{_described(x)} does not belong to this graph")
        return symbol.edge

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """The values of ``fetches`` (a tensor, a name, or a container of them) as arrays, for this feed.

        Only what the fetches depend on is computed. A feed may also give the value of an intermediate tensor. Raises
        ``GraphError`` for a placeholder that is missing or a feed that is no part of the graph, ``ShapeError`` and
        ``DTypeError`` for values that do not fit.
        """
        leaves, structure = tree_flatten(fetches)
        wanted = tuple(self.edge(x.value if isinstance(x, Assignment) else x) for x in leaves)
        lengths: dict[str, int] = {}
        feeds: dict[Value, Any] = {}
        for key, data in (feed_dict or {}).items():
            edge = self.edge(key)
            feeds[edge] = fitted(edge, data, f"the feed of {edge.name or spec_text(edge)!r}", lengths)._value
        graph, sources = self.pruned(wanted, tuple(feeds))
        values = [feeds[x] if x in feeds else self._held(x) for x in sources]
        outs = interpret(graph.at(lengths), values)
        for x, y in zip(leaves, outs, strict=True):
            if isinstance(x, Assignment):
                x.variable.value = frozen_copy(y)
        return tree_unflatten(structure, outs)

    def _held(self, x: Value) -> np.ndarray:
        variable = self._level.variables.get(x)
        if variable is None:
            raise GraphError(
                f"the placeholder {x.name or spec_text(x)!r} is needed for what is fetched, and is not in the feed"
            )
        return variable.value

    def pruned(self, fetches: tuple[Value, ...], fed: tuple[Value, ...] = ()) -> tuple[Graph, list[Value]]:
        """The optimised graph from what is fed, placeholders and variables to what is fetched; and for each of its
        inputs the value of this graph that it is."""
        key = (fetches, fed)
        found = self._programs.get(key)
        if found is None:
            renamed: dict[Value, Value] = {x: Input(x.spec, x.name) for x in fed if not isinstance(x, Input)}
            nodes = [
                static.GraphNode(
                    node.primitive,
                    [renamed.get(x, x) if isinstance(x, Value) else x for x in node.operands],
                    node.results,
                    node._location,
                    node.scope,
                )
                for node in self.nodes
            ]
            outputs = [renamed.get(y, y) for y in fetches]
            nodes = needed(nodes, outputs)
            used = {x for node in nodes for x in node.inputs} | set(outputs)
            if any(x in used for _, x in self._level.captured.values()):
                raise GraphError(
                    "the graph uses a tensor with a gradient from outside; make it a variable of the graph"
                )
            sources = [x for x in (*self.inputs, *renamed) if renamed.get(x, x) in used]
            inputs: list[Any] = [renamed.get(x, x) for x in sources]
            found = Graph.of(optimize(Graph(inputs, nodes, outputs)).graph), sources
            self._programs[key] = found
        return found


class Session:
    """Runs a graph: ``Session(g).run(fetches, feed_dict)`` is ``g.run(fetches, feed_dict)``, as a context manager too.

    >>> import wengert as wg
    >>> with wg.Graph() as g:
    ...     x = wg.placeholder((), name="x")
    ...     y = x**2
    >>> with wg.Session(g) as session:
    ...     {name: float(v) for name, v in session.run({"square": y}, {x: 3.0}).items()}
    {'square': 9.0}
    """

    def __init__(self, graph: OpenGraph) -> None:
        if not isinstance(graph, OpenGraph):
            raise GraphError(f"Session: expected a graph made with wengert.Graph(), got a {type(graph).__name__}")
        self.graph = graph

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """The values of ``fetches`` for this feed; see ``Graph.run``."""
        return self.graph.run(fetches, feed_dict)

    def close(self) -> None:
        """Nothing is held that would have to be given back."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Variable(Tensor):
    """A tensor of a graph whose value stays between runs."""

    __slots__ = ("edge", "value")

    edge: Input
    value: np.ndarray

    def assign(self, new: Any) -> Assignment:
        """What sets the variable to ``new`` when it is fetched; every fetch of a run sees the old value."""
        return Assignment(self, as_tensor(new))


class Assignment:
    """Fetched, it gives the new value of a variable, and sets it."""

    def __init__(self, variable: Variable, value: Any) -> None:
        if value.shape != variable.shape or value.dtype != variable.dtype:
            raise GraphError(f"assign: {spec_text(value)} is not a value for a variable of {spec_text(variable)}")
        self.variable = variable
        self.value = value


def _described(x: Any) -> str:
    return f"a tensor {spec_text(x)}" if hasattr(x, "dtype") else f"{x!r}"


def _construction(caller: str) -> Construction:
    level = MODE.get().trace
    if not isinstance(level, Construction):
        raise GraphError(f"{caller} belongs in the block of a graph: with wengert.Graph() as g: x = {caller}(...)")
    return level


def placeholder(shape: Any, dtype: Any = None, name: str = "") -> Tensor:
    """A tensor of the graph that is being built, whose value is fed at every run; ``None`` in its shape is a length
    that only the feed tells.

    >>> import wengert as wg
    >>> with wg.Graph() as g:
    ...     x = wg.placeholder((None, 2), "float64", name="x")
    ...     total = (x * x).sum()
    >>> float(g.run(total, feed_dict={x: [[1.0, 2.0]]}))
    5.0
    """
    level = _construction("placeholder")
    _unused(level, name)
    shape = (shape,) if isinstance(shape, int) or shape is None else tuple(shape)
    x = level.input(TensorSpec(shape, get_default_dtype() if dtype is None else dtype), name)
    if x.dtype.kind in "fc":
        x._node = Leaf(x.shape, x.dtype, name)
    return x


def _unused(level: Construction, name: str) -> None:
    if name and any(x.name == name for x in level.inputs):
        raise GraphError(f"the graph has a placeholder or variable called {name!r} already")


def variable(value: Any, name: str = "", dtype: Any = None) -> Variable:
    """A tensor of the graph that is being built, with a value that stays between runs and that ``assign`` sets.

    >>> import wengert as wg
    >>> with wg.Graph() as g:
    ...     w = wg.variable(1.0, name="w")
    ...     step = w.assign(w * 2)
    >>> [float(g.run(step)) for _ in range(3)]
    [2.0, 4.0, 8.0]
    """
    level = _construction("variable")
    _unused(level, name)
    array = frozen_copy(np.asarray(as_tensor(value).detach().numpy(), dtype))
    made = level.input(TensorSpec(array.shape, array.dtype), name)
    result = Variable.__new__(Variable)
    result._value = made._value
    result._node = Leaf(array.shape, array.dtype, name) if array.dtype.kind in "fc" else None
    result.edge = made._value.edge
    result.value = array
    level.variables[result.edge] = result
    return result


open_graph.append(OpenGraph)
