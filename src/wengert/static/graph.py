"""The graph that users hold: callable, differentiable, composable, optimisable."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from wengert.core import static
from wengert.core.derived import jvp_graph
from wengert.core.dims import Dim
from wengert.core.errors import ContainerError, DTypeError, GraphError, ShapeError
from wengert.core.levels import as_tensor
from wengert.core.pytree import TreeDef, tree_flatten, tree_structure, tree_unflatten
from wengert.core.static import Constant, Input, Value, spec_text
from wengert.core.tracing import needed, trace_flat
from wengert.core.types import SCALAR_TYPES, TensorSpec, frozen_copy
from wengert.io.graphs import load_graph, save_graph
from wengert.io.onnx import save_onnx
from wengert.passes import Report
from wengert.passes import optimize as run_passes
from wengert.passes.pipeline import Observer
from wengert.passes.rewriting import Pass
from wengert.transforms.control import call
from wengert.transforms.gradient import grad, value_and_grad

Function = Callable[..., Any]


class Graph(static.Graph):
    """An immutable, closed, typed graph: inputs, constants, nodes in topological order, outputs.

    It is a function of its inputs (``g(x)``, in eager mode, under any transform, or inside another trace), and a value:
    ``str(g)`` has one line for each node, ``==`` and ``hash`` go by structure, and what changes it makes a new one.
    ``Graph()`` without arguments is an empty graph to build in a ``with`` block; see ``wengert.placeholder``.

    >>> import wengert as wg
    >>> g = wg.trace(lambda x: x * x + 1)(wg.TensorSpec(()))
    >>> g(3.0), g.grad()(3.0)
    (tensor(10.), tensor(6.))
    """

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Graph:
        return object.__new__(open_graph[0] if cls is Graph and not args and not kwargs else cls)

    @classmethod
    def of(cls, graph: static.Graph) -> Graph:
        """A graph of the core as one of these."""
        if isinstance(graph, Graph):
            return graph
        return cls(graph.inputs, graph.nodes, graph.outputs, graph.captured, graph.in_tree, graph.out_tree)

    # -- as a function ------------------------------------------------------------------------------------------

    @property
    def arguments(self) -> tuple[Input, ...]:
        """The inputs that are given when the graph is called: all but the captured ones."""
        return self.inputs[: len(self.inputs) - len(self.captured)]

    def __call__(self, *args: Any) -> Any:
        leaves, structure = tree_flatten(args)
        if self.in_tree is not None and structure != self.in_tree:
            raise ContainerError(f"the graph takes arguments of structure {self.in_tree}, and got {structure}")
        operands, lengths = matched(self.arguments, leaves)
        outs = call(self.at(lengths), [*operands, *self.captured])
        return self._packed(outs)

    def _packed(self, outs: Sequence[Any]) -> Any:
        if self.out_tree is not None:
            return tree_unflatten(self.out_tree, outs)
        return outs[0] if len(outs) == 1 else tuple(outs)

    def example_specs(self) -> list[Any]:
        """A spec (or the type of a Python scalar) for each argument."""
        return [x.weak if x.weak is not None else x.spec for x in self.arguments]

    def traced(self, function: Function, in_tree: TreeDef | None = None, specs: Sequence[Any] | None = None) -> Graph:
        """The graph of a function of this graph's arguments, or of others."""
        structure = in_tree or self.in_tree or tree_structure(tuple(range(len(self.arguments))))
        names = [x.name for x in self.arguments] if specs is None else ()
        return traced(function, structure, self.example_specs() if specs is None else specs, names)

    # -- transforms ---------------------------------------------------------------------------------------------

    def grad(self, argnums: int | Sequence[int] = 0) -> Graph:
        """The graph of the gradient of a scalar result with respect to the arguments ``argnums``."""
        return self.traced(grad(self, argnums))

    def value_and_grad(self, argnums: int | Sequence[int] = 0) -> Graph:
        """The graph of the result and its gradient."""
        return self.traced(value_and_grad(self, argnums))

    def jvp(self) -> Graph:
        """The graph from the arguments, followed by a tangent for each floating one, to the results and their tangents.

        >>> import wengert as wg
        >>> wg.trace(wg.sin)(wg.TensorSpec(())).jvp()(0.0, 2.0)
        (tensor(0.), tensor(2.))
        """
        moving = tuple(x.dtype.kind in "fc" for x in self.arguments) + (False,) * len(self.captured)
        forced = tuple(y.dtype.kind in "fc" for y in self.outputs)
        joint = jvp_graph(self, moving, forced)[0]
        count = len(self.inputs)
        inputs = (
            *joint.inputs[: len(self.arguments)],
            *joint.inputs[count:],
            *joint.inputs[len(self.arguments) : count],
        )
        return Graph(inputs, joint.nodes, joint.outputs, self.captured)

    def compose(self, inner: Function) -> Graph:
        """The graph of ``self(inner(...))``; ``inner`` is a graph, whose arguments the new graph takes.

        >>> import wengert as wg
        >>> square = wg.trace(lambda x: x * x)(wg.TensorSpec(()))
        >>> square.compose(square)(2.0)
        tensor(16.)
        """
        if not isinstance(inner, Graph):
            raise GraphError(f"compose: expected a graph, got a {type(inner).__name__}; trace it first")

        def composed(*args: Any) -> Any:
            found = inner(*args)
            several = inner.out_tree is None and len(inner.outputs) > 1
            return self(*found) if several or isinstance(found, tuple) else self(found)

        return inner.traced(composed)

    def substitute(self, values: Mapping[Any, Any]) -> Graph:
        """The graph with inputs or intermediate values replaced: by arrays, which become constants, or by other values
        of the graph. A key is a ``Value``, or the name or position of an input.

        >>> import wengert as wg
        >>> g = wg.trace(lambda x, y: x * y)(wg.TensorSpec(()), wg.TensorSpec(()))
        >>> g.substitute({1: 3.0})(2.0)
        tensor(6.)
        """
        replaced = {self._value(key): self._substitute(self._value(key), new) for key, new in values.items()}
        nodes = [
            static.GraphNode(
                node.primitive,
                [replaced.get(x, x) if isinstance(x, Value) else x for x in node.operands],
                node.results,
                node._location,
                node.scope,
            )
            for node in self.nodes
        ]
        outputs = tuple(replaced.get(y, y) for y in self.outputs)
        gone = [k for k, x in enumerate(self.inputs) if x in replaced]
        changed = self.replace(
            inputs=tuple(x for k, x in enumerate(self.inputs) if k not in gone),
            nodes=tuple(needed(nodes, outputs)),
            outputs=outputs,
            in_tree=None,
            captured=tuple(x for k, x in enumerate(self.captured, len(self.arguments)) if k not in gone),
        )
        return changed.validate()

    def _value(self, key: Any) -> Value:
        if isinstance(key, Value):
            return key
        found = [x for k, x in enumerate(self.inputs) if key in (k, x.name)]
        if len(found) != 1:
            raise GraphError(f"substitute: {key!r} names no input of {self!r}")
        return found[0]

    def _substitute(self, old: Value, new: Any) -> Value:
        value = new if isinstance(new, Value) else Constant(frozen_copy(np.asarray(as_tensor(new).numpy())))
        if value.shape != old.shape:
            raise ShapeError(f"substitute: {spec_text(value)} cannot stand for {spec_text(old)}")
        if value.dtype != old.dtype:
            if isinstance(new, Value) or not np.can_cast(value.dtype, old.dtype, "same_kind"):
                raise DTypeError(f"substitute: {spec_text(value)} cannot stand for {spec_text(old)}")
            array = cast(Constant, value).array.astype(old.dtype)
            array.flags.writeable = False
            value = Constant(array)
        return value

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to a file that ``wengert.load`` reads, on a machine without the source too. The file is a
        safetensors file with the structure as JSON in its metadata: no pickle, and nothing in it is executed. Captured
        tensors become constants. Raises ``GraphFileError`` for what cannot be written, ``OSError`` from the disk."""
        save_graph(self, path)

    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write the graph as an ONNX model, for other runtimes; needs the extra ``onnx``. Captured tensors become
        constants. Raises ``GraphError`` for a node that ONNX has no operator for."""
        captured = zip(self.inputs[len(self.arguments) :], self.captured, strict=True)
        save_onnx(self.substitute({x: tensor.detach() for x, tensor in captured}), path)

    def compile(self) -> Function:
        """The graph as native code: a function with the graph's values and derivatives; see ``wengert.jit``.

        >>> import wengert as wg
        >>> wg.trace(lambda x: (x * x).sum())(wg.TensorSpec((3,))).compile()(wg.ones(3))
        tensor(3.)
        """
        if not compiler:
            importlib.import_module("wengert.compile")
        compiled: Function = compiler[0](self)
        return compiled

    def export(self, path: str | os.PathLike[str], name: str = "", cpu: str | None = None) -> tuple[Path, Path]:
        """Write the graph as an object file and a C header, ``path.o`` and ``path.h``: a function without Python.

        ``name`` is the function's, else the file's. ``cpu`` is a processor in LLVM's words (``"x86-64-v3"``,
        ``"generic"``); without it, the code is for the one it runs on. Captured tensors become constants. What the
        function takes and returns is in the header, and in the chapter on compiling ahead of time.

        Raises ``GraphError`` if a length is not known, or if the graph has operations that NumPy computes.
        """
        if not exporter:
            importlib.import_module("wengert.compile")
        captured = zip(self.inputs[len(self.arguments) :], self.captured, strict=True)
        written: tuple[Path, Path] = exporter[0](
            self.substitute({x: tensor.detach() for x, tensor in captured}), path, name, cpu
        )
        return written

    # -- passes -------------------------------------------------------------------------------------------------

    def optimize(
        self, passes: Sequence[Pass] | None = None, report: bool = False, observer: Observer | None = None
    ) -> Any:
        """The graph after passes (``wengert.passes.DEFAULT``, or a user's own) have run until nothing changes; with
        ``report``, the graph and a report of what each pass did. ``observer(before, pass, after)`` sees every step.

        >>> import wengert as wg
        >>> len(wg.trace(lambda x: (x * 1) - (-(-x)))(wg.TensorSpec((3,))).optimize())
        1
        """
        found = run_passes(self, passes, observer)
        graph = cast(Graph, found.graph)
        return (graph, Report(graph, found.steps)) if report else graph


def matched(inputs: Sequence[Input], given: Sequence[Any]) -> tuple[list[Any], dict[str, int]]:
    """What is given as operands for these inputs, and the lengths that it settles.

    Raises ``GraphError``, ``ShapeError`` or ``DTypeError`` for what does not fit."""
    if len(given) != len(inputs):
        raise GraphError(f"the graph takes {len(inputs)} inputs, and got {len(given)}")
    lengths: dict[str, int] = {}
    operands = []
    for position, (declared, x) in enumerate(zip(inputs, given, strict=True)):
        name = f"input {declared.name!r}" if declared.name else f"input {position}"
        operands.append(fitted(declared, x, name, lengths))
    return operands, lengths


def fitted(declared: Value, x: Any, name: str, lengths: dict[str, int]) -> Any:
    """One operand: numbers and arrays are cast where nothing is lost; lengths that were unknown are noted."""
    weak = getattr(declared, "weak", None)
    if weak is not None and type(x) in SCALAR_TYPES:
        return weak(x)
    number = type(x) in (bool, int, float, complex) or not hasattr(x, "dtype")
    x = as_tensor(x if hasattr(x, "dtype") else np.asarray(x))
    if x.ndim != len(declared.shape):
        raise ShapeError(f"{name} is declared {spec_text(declared)}, and got {spec_text(x)}")
    for n, have in zip(declared.shape, x.shape, strict=True):
        if isinstance(n, Dim):
            settled = n.at(lengths)
            if isinstance(settled, Dim) and len(settled.names) == 1 and isinstance(have, int):
                (unknown,) = settled.names
                lengths[unknown] = _solved(settled, unknown, have, name)
                continue
            n = settled
        if n != have:
            raise ShapeError(
                f"{name} is declared {spec_text(declared)}, and got {spec_text(x)}"
                + (f", where {lengths} was settled by inputs before it" if lengths else "")
            )
    if x.dtype != declared.dtype:
        if not number or not np.can_cast(x.dtype, declared.dtype, "same_kind"):
            raise DTypeError(
                f"{name} is declared {spec_text(declared)}, and got {spec_text(x)}; convert it with "
                f"astype({str(declared.dtype)!r})"
            )
        x = x.astype(declared.dtype)
    return x


def _solved(length: Dim, unknown: str, have: int, name: str) -> int:
    offset = length.at({unknown: 0})
    factor = length.at({unknown: 1}) - offset
    if (have - offset) % factor or have < offset:
        raise ShapeError(f"{name}: no length {unknown} makes {length!r} equal to {have}")
    return int((have - offset) // factor)


def trace(function: Function, names: Sequence[str] | None = None) -> Function:
    """``trace(f)(*examples)``: the graph of ``f`` for arguments like these.

    An example is a tensor, an array, a number or a ``TensorSpec``, whose shape may hold ``None`` (or a name, for
    lengths that are the same) where a length is not known; containers of them work too. What ``f`` reaches through its
    closure and a gradient can flow to is captured; other tensors become constants. ``f`` runs once; its Python control
    flow must not depend on values.

    Raises ``TraceError`` where it does, with the line and what to write instead.

    >>> import wengert as wg
    >>> print(wg.trace(lambda x: (x @ x.T).sum())(wg.TensorSpec((None, 2))).text(source=False))
    graph(%x: float64[n0,2]):
      %1: float64[2,n0] = transpose[axes=(-1, -2)] %x
      %2: float64[n0,n0] = matmul %x %1
      %3: float64[] = sum[axes=(-2, -1)] %2
      return %3
    """

    def tracer(*examples: Any) -> Graph:
        leaves, structure = tree_flatten(examples)
        return traced(function, structure, [_spec_of(x) for x in leaves], names or argument_names(function, examples))

    return tracer


def _spec_of(x: Any) -> Any:
    if isinstance(x, TensorSpec):
        return x
    if type(x) in (bool, int, float, complex):
        return type(x)
    x = as_tensor(x if hasattr(x, "dtype") else np.asarray(x))
    return TensorSpec(x.shape, x.dtype)


def argument_names(function: Function, examples: Sequence[Any]) -> list[str]:
    """Names for the leaves of positional arguments, from the function's signature; empty where there are none."""
    code = getattr(function, "__code__", None)
    found: list[str] = []
    if code is None or code.co_flags & 0x04:  # *args
        return found
    offset = 1 if hasattr(function, "__self__") else 0
    names = code.co_varnames[offset : code.co_argcount]
    for k, example in enumerate(examples):
        count = len(tree_flatten(example)[0])
        name = names[k] if k < len(names) else ""
        found += [name] if count == 1 else [f"{name}_{i}" if name else "" for i in range(count)]
    return found


def traced(function: Function, structure: TreeDef, specs: Sequence[Any], names: Sequence[str] = ()) -> Graph:
    """The graph of a function of containers."""
    structures: list[TreeDef] = []

    def flat(*leaves: Any) -> list[Any]:
        results, found = tree_flatten(function(*tree_unflatten(structure, leaves)))
        structures.append(found)
        return [as_tensor(y) for y in results]

    graph = trace_flat(flat, specs, names)
    return Graph(graph.inputs, graph.nodes, graph.outputs, graph.captured, structure, structures[0])


def load(path: str | os.PathLike[str]) -> Graph:
    """The graph in a file that ``Graph.save`` wrote: callable, differentiable, and open to passes like any other.

    Raises ``GraphFileError`` for a file that is truncated, damaged, hostile, or of a newer version.

    >>> import tempfile, wengert as wg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     wg.trace(lambda x: x**2)(wg.TensorSpec(())).save(folder + "/square.graph")
    ...     square = wg.load(folder + "/square.graph")
    >>> square.grad()(3.0)
    tensor(6.)
    """
    return Graph.of(load_graph(path))


#: What ``Graph.compile`` calls; ``wengert.compile`` registers ``jit`` here.
compiler: list[Function] = []

#: What ``Graph.export`` calls; ``wengert.compile`` registers itself here too.
exporter: list[Function] = []

#: What ``Graph()`` makes; the class of graphs that are being built registers itself here.
open_graph: list[type[Graph]] = []
