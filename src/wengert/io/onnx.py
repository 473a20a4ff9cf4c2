"""Graphs as ONNX models (https://onnx.ai), for other runtimes. Needs the extra ``onnx``.

What ONNX has no operator for, or needs lengths for that are unknown, is a ``GraphError`` that names the node.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wengert.core.dims import Dim, has_dim
from wengert.core.errors import GraphError
from wengert.core.lazy import LazyModule
from wengert.core.static import Graph, GraphNode, Value
from wengert.passes import Decompose, DropDeadCode, Fold, optimize

onnx: Any = LazyModule("onnx")

OPSET = 18

#: Operations of ONNX that act on operands of one dtype, that of the result.
_ARITHMETIC = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "power": "Pow", "negative": "Neg",
    "abs": "Abs", "sign": "Sign", "sqrt": "Sqrt", "reciprocal": "Reciprocal", "exp": "Exp", "log": "Log",
    "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh",
    "cosh": "Cosh", "tanh": "Tanh", "asinh": "Asinh", "acosh": "Acosh", "atanh": "Atanh", "erf": "Erf",
    "sigmoid": "Sigmoid", "relu": "Relu", "softplus": "Softplus", "floor": "Floor", "ceil": "Ceil", "rint": "Round",
    "maximum": "Max", "minimum": "Min", "positive": "Identity", "stop_gradient": "Identity", "copy": "Identity",
    "matmul": "MatMul",
}  # fmt: skip

#: Questions: operands of a common dtype, a truth value as the answer.
_QUESTIONS = {
    "equal": "Equal", "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater",
    "greater_equal": "GreaterOrEqual", "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor",
    "logical_not": "Not", "isnan": "IsNaN", "isinf": "IsInf",
}  # fmt: skip

_REDUCTIONS = {"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax", "min": "ReduceMin"}


class Exporter:
    """Builds one model."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.names: dict[Value, str] = {}
        self._count = 0

    def model(self) -> Any:
        helper = onnx.helper
        inputs = []
        for k, x in enumerate(self.graph.inputs):
            self.names[x] = x.name or f"input_{k}"
            inputs.append(helper.make_tensor_value_info(self.names[x], _type(x.dtype), list(map(_length, x.shape))))
        for constant in self.graph.constants:
            self.names[constant] = self.constant(constant.array)
        for node in self.graph.nodes:
            self._node(node)
        outputs = []
        for k, y in enumerate(self.graph.outputs):
            name = f"output_{k}"
            self.nodes.append(helper.make_node("Identity", [self.names[y]], [name]))
            outputs.append(helper.make_tensor_value_info(name, _type(y.dtype), list(map(_length, y.shape))))
        made = helper.make_graph(self.nodes, "wengert", inputs, outputs, self.initializers)
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="wengert")
        model.ir_version = min(model.ir_version, 10)
        onnx.checker.check_model(model)
        return model

    # -- pieces -------------------------------------------------------------------------------------------------

    def fresh(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def constant(self, array: Any) -> str:
        name = self.fresh()
        self.initializers.append(onnx.numpy_helper.from_array(np.array(array), name))
        return name

    def emit(self, op: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = self.fresh()
        self.nodes.append(onnx.helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def operand(self, x: Any, dtype: np.dtype[Any]) -> str:
        """An operand of a dtype; a literal becomes a constant of it."""
        if not isinstance(x, Value):
            return self.constant(np.asarray(x, dtype))
        name = self.names[x]
        return name if x.dtype == dtype else self.emit("Cast", [name], to=_type(dtype))

    def refuse(self, node: GraphNode, why: str = "ONNX has no operator for it") -> GraphError:
        where = f" at {node.location}" if node.location is not None else ""
        return GraphError(f"to_onnx: {node.primitive!r}{where}: {why}")

    # -- nodes --------------------------------------------------------------------------------------------------

    def _node(self, node: GraphNode) -> None:
        op = node.op
        if op in _ARITHMETIC:
            found = self.emit(_ARITHMETIC[op], [self.operand(x, node.dtype) for x in node.operands])
        elif op in _QUESTIONS:
            kinds = [x.dtype if isinstance(x, Value) else x for x in node.operands]
            common = np.result_type(*kinds) if not op.startswith("logical") else np.dtype(bool)
            found = self.emit(_QUESTIONS[op], [self.operand(x, common) for x in node.operands])
        elif op in _REDUCTIONS:
            found = self._reduction(node)
        else:
            handler = _HANDLERS.get(op)
            if handler is None:
                raise self.refuse(node)
            found = handler(self, node)
        self.names[node.results[0]] = found

    def _reduction(self, node: GraphNode) -> str:
        (x,) = node.inputs
        parameters = node.primitive.parameters()
        axes = self.constant(np.asarray([axis % len(x.shape) for axis in parameters["axes"]], np.int64))
        value = self.operand(x, node.dtype)
        if len(x.shape) == 0 or not parameters["axes"]:
            return self.emit("Identity", [value])
        return self.emit(_REDUCTIONS[node.op], [value, axes], keepdims=int(parameters["keepdims"]))

    def shape(self, node: GraphNode, shape: Sequence[Any], unknown: int) -> str:
        """A shape as a constant, with ``unknown`` in the place of one length that is not known."""
        if sum(isinstance(n, Dim) for n in shape) > 1:
            raise self.refuse(node, f"more than one length of {tuple(shape)} is unknown")
        return self.constant(np.asarray([unknown if isinstance(n, Dim) else n for n in shape], np.int64))

    def reshape(self, node: GraphNode) -> str:
        return self.emit("Reshape", [self.names[node.inputs[0]], self.shape(node, node.shape, -1)])

    def broadcast(self, node: GraphNode) -> str:
        if has_dim(node.shape):
            raise self.refuse(node, "it broadcasts to an unknown length")
        return self.emit("Expand", [self.operand(node.operands[0], node.dtype), self.shape(node, node.shape, 1)])

    def transpose(self, node: GraphNode) -> str:
        axes = node.primitive.parameters()["axes"]
        rank = len(node.shape)
        kept = list(range(rank - len(axes)))
        return self.emit("Transpose", [self.names[node.inputs[0]]], perm=kept + [axis + rank for axis in axes])

    def cast(self, node: GraphNode) -> str:
        return self.emit("Cast", [self.names[node.inputs[0]]], to=_type(node.dtype))

    def choose(self, node: GraphNode) -> str:
        condition, x, y = node.operands
        chosen = self.operand(condition, np.dtype(bool))
        return self.emit("Where", [chosen, self.operand(x, node.dtype), self.operand(y, node.dtype)])

    def concatenate(self, node: GraphNode) -> str:
        axis = node.primitive.parameters()["axis"] % len(node.shape)
        return self.emit("Concat", [self.operand(x, node.dtype) for x in node.operands], axis=axis)

    def square(self, node: GraphNode) -> str:
        x = self.operand(node.operands[0], node.dtype)
        return self.emit("Mul", [x, x])

    def expm1(self, node: GraphNode) -> str:
        x = self.operand(node.operands[0], node.dtype)
        return self.emit("Sub", [self.emit("Exp", [x]), self.constant(np.asarray(1, node.dtype))])

    def log1p(self, node: GraphNode) -> str:
        x = self.operand(node.operands[0], node.dtype)
        return self.emit("Log", [self.emit("Add", [x, self.constant(np.asarray(1, node.dtype))])])

    def not_equal(self, node: GraphNode) -> str:
        common = np.result_type(*(x.dtype if isinstance(x, Value) else x for x in node.operands))
        return self.emit("Not", [self.emit("Equal", [self.operand(x, common) for x in node.operands])])

    def finite(self, node: GraphNode) -> str:
        x = self.operand(node.operands[0], node.inputs[0].dtype)
        return self.emit("Not", [self.emit("Or", [self.emit("IsNaN", [x]), self.emit("IsInf", [x])])])

    def piece(self, node: GraphNode) -> str:
        """``Slice``: by slices and integers; then axes of length one go, and new ones come."""
        (x,) = node.inputs
        entries = list(node.primitive.parameters()["entries"])
        named = sum(entry[0] in ("slice", "int") for entry in entries)
        rest = [("slice", None, None, None)] * (len(x.shape) - named)
        if ("rest",) in entries:
            place = entries.index(("rest",))
            entries[place : place + 1] = rest
        else:
            entries += rest
        starts, stops, axes, steps, dropped, added = [], [], [], [], [], []
        axis = out = 0
        for entry in entries:
            if entry[0] == "new":
                added.append(out)
                out += 1
                continue
            if entry[0] == "int":
                dropped.append(axis)
                cut = (entry[1], entry[1] + 1 if entry[1] != -1 else 2**62, 1)
            else:
                cut, out = self._cut(entry[1:]), out + 1
            starts.append(cut[0])
            stops.append(cut[1])
            steps.append(cut[2])
            axes.append(axis)
            axis += 1
        value = self.names[x]
        if axes:
            tables = [self.constant(np.asarray(one, np.int64)) for one in (starts, stops, axes, steps)]
            value = self.emit("Slice", [value, *tables])
        if dropped:
            value = self.emit("Squeeze", [value, self.constant(np.asarray(dropped, np.int64))])
        return self.emit("Unsqueeze", [value, self.constant(np.asarray(added, np.int64))]) if added else value

    @staticmethod
    def _cut(part: Sequence[Any]) -> tuple[int, int, int]:
        start, stop, step = part
        step = 1 if step is None else step
        far = 2**62
        first = (0 if step > 0 else far) if start is None else start
        last = (far if step > 0 else -far) if stop is None else stop
        return first, last, step


_HANDLERS: dict[str, Callable[[Exporter, GraphNode], str]] = {
    "reshape": Exporter.reshape,
    "broadcast_to": Exporter.broadcast,
    "transpose": Exporter.transpose,
    "astype": Exporter.cast,
    "where": Exporter.choose,
    "concatenate": Exporter.concatenate,
    "square": Exporter.square,
    "expm1": Exporter.expm1,
    "log1p": Exporter.log1p,
    "not_equal": Exporter.not_equal,
    "isfinite": Exporter.finite,
    "slice": Exporter.piece,
}


def _type(dtype: np.dtype[Any]) -> int:
    found: int = onnx.helper.np_dtype_to_tensor_dtype(dtype)
    return found


def _length(n: Any) -> Any:
    return repr(n) if isinstance(n, Dim) else int(n)


def save_onnx(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write a graph without captured tensors as an ONNX model, whole or not at all."""
    pieces = optimize(graph, [Decompose(), Fold(), DropDeadCode()]).graph
    data = Exporter(pieces).model().SerializeToString()
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
