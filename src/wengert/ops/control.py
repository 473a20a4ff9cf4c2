"""Operations that carry graphs: a call, and a choice among branches.

Their rules are those of the operations inside: a derivative or a batch of one is the same kind of operation, carrying
the derived graph (``wengert.core.derived``). Results are always a tuple.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.core.derived import Flags, batch_graph, differentiable, halves, jvp_graph, pullback_graph
from wengert.core.interpreter import interpret
from wengert.core.primitive import Primitive
from wengert.core.static import Graph
from wengert.core.tensor import Tensor
from wengert.core.tracing import replay
from wengert.core.types import TensorSpec


class GraphPrimitive(Primitive, abstract=True):
    """An operation with graphs among its parameters."""

    variadic: ClassVar[bool] = True
    #: A graph may return what it was given.
    aliases: ClassVar[bool] = True


def any_tensor(*groups: Sequence[Any]) -> bool:
    """Whether a rule runs on tensors, so that what it does must itself be recorded."""
    return any(isinstance(x, Tensor) for group in groups for x in group)


def cotangents_of(g: Sequence[Any]) -> list[Any]:
    """The cotangents of the results that can have one."""
    return [one for one in g if differentiable(one)]


def spread(found: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
    """``found`` in the places that are marked, ``None`` elsewhere."""
    values = iter(found)
    return [next(values) if flag else None for flag in flags]


def moving_of(tangents: Sequence[Any]) -> Flags:
    return tuple(t is not None for t in tangents)


class Call(GraphPrimitive):
    """The results of a graph.

    In a trace the graph's nodes take the place of the call, unless ``inline`` is false: then nothing is kept for the
    backward pass but the operands, and the graph is computed again there.
    """

    name = "call"
    graph: Graph
    #: Which operands a gradient is expected for: what their pullback needs is computed and kept beside the results.
    wanted: Flags = ()
    inline: bool = True

    def graphs(self) -> tuple[Graph, ...]:
        return (self.graph,)

    def value(self, *xs: Any) -> Any:
        return interpret(self.graph, xs)

    def value_and_aux(self, *xs: Any) -> Any:
        if not self.wanted or not self.inline:
            return interpret(self.graph, xs), None
        count = len(self.graph.outputs)
        found = interpret(halves(self.graph, self.wanted).forward, xs)
        return found[:count], found[count:]

    def traced(self, bind: Any, *inputs: Any) -> Any:
        return bind(self, *inputs), None

    def expand(self, *inputs: Any) -> Any:
        return tuple(replay(self.graph, inputs)) if self.inline else NotImplemented

    def spec(self, *specs: Any) -> tuple[TensorSpec, ...]:
        return tuple(y.spec for y in self.graph.outputs)

    def vjp(self, g: Any, inputs: Any, aux: Any, needed: Any) -> Sequence[Any]:
        cotangents = cotangents_of(g)
        if aux is not None and not any_tensor(g, inputs):
            half = halves(self.graph, self.wanted)
            found = self._run_back([*aux, *(inputs[i] for i in half.kept), *cotangents])
            return spread(found, self.wanted)
        flags = tuple(flag and differentiable(x) for flag, x in zip(needed, self.graph.inputs, strict=True))
        pull = self._of(pullback_graph(self.graph, flags))
        return spread(pull(*inputs, *cotangents), flags)

    def value_and_jvp(self, tangents: Sequence[Any], inputs: Sequence[Any]) -> Any:
        joint, moved = jvp_graph(self.graph, moving_of(tangents))
        outs = self._of(joint)(*inputs, *(t for t in tangents if t is not None))
        count = len(self.graph.outputs)
        return outs[:count], spread(outs[count:], moved)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        return self._of(batch_graph(self.graph, size, tuple(batched))[0])(*inputs)

    def _of(self, graph: Graph) -> Call:
        """The same operation of another graph."""
        return type(self)(graph, inline=self.inline)

    def _run_back(self, residuals: Sequence[Any]) -> Any:
        """The backward half on arrays."""
        return interpret(halves(self.graph, self.wanted).backward, residuals)


class Switch(GraphPrimitive):
    """The results of one of several graphs: that whose number is the first operand, the first or last if it is out of
    range. All have the same inputs and outputs."""

    name = "switch"
    branches: tuple[Graph, ...]

    def graphs(self) -> tuple[Graph, ...]:
        return self.branches

    def value(self, index: Any, *xs: Any) -> Any:
        return interpret(self.branches[min(max(int(index), 0), len(self.branches) - 1)], xs)

    def rehearse(self, index: Any, *xs: Any) -> Any:
        # The branch that takes most decides, so all of them are tried, each after the one before is gone.
        for branch in self.branches[:-1]:
            interpret(branch, xs)
        return interpret(self.branches[-1], xs)

    def spec(self, *specs: Any) -> tuple[TensorSpec, ...]:
        return tuple(y.spec for y in self.branches[0].outputs)

    def vjp(self, g: Any, inputs: Any, needed: Any) -> Sequence[Any]:
        flags = tuple(flag and differentiable(x) for flag, x in zip(needed[1:], self.branches[0].inputs, strict=True))
        pull = Switch(tuple(pullback_graph(branch, flags) for branch in self.branches))
        return [None, *spread(pull(*inputs, *cotangents_of(g)), flags)]

    def value_and_jvp(self, tangents: Sequence[Any], inputs: Sequence[Any]) -> Any:
        moving = moving_of(tangents[1:])
        found = [jvp_graph(branch, moving)[1] for branch in self.branches]
        moved = tuple(any(flags) for flags in zip(*found, strict=True))
        joint = Switch(tuple(jvp_graph(branch, moving, moved)[0] for branch in self.branches))
        outs = joint(*inputs, *(t for t in tangents if t is not None))
        count = len(moved)
        return outs[:count], spread(outs[count:], moved)

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        flags = tuple(batched[1:])
        graphs = tuple(batch_graph(branch, size, flags)[0] for branch in self.branches)
        if not batched[0]:
            return Switch(graphs)(*inputs)
        index = np.clip(inputs[0], 0, len(graphs) - 1)
        rows = [Call(graph)(*inputs[1:]) for graph in graphs]
        chosen = []
        for column in zip(*rows, strict=True):
            out = column[0]
            for k, other in enumerate(column[1:], 1):
                out = np.where((index == k).reshape((size, *(1,) * (other.ndim - 1))), other, out)
            chosen.append(out)
        return tuple(chosen)


class Custom(GraphPrimitive):
    """A function with derivative rules of its user's: three graphs, or four.

    ``forward`` gives the results and then residuals; ``backward`` takes residuals and cotangents, and gives cotangents
    of the operands marked in ``moved``; ``pushforward``, if there is one, takes operands and tangents of the floating
    ones, and gives tangents of the floating results.
    """

    name = "custom"
    label: str
    graph: Graph
    forward: Graph
    backward: Graph
    moved: Flags
    pushforward: Graph | None = None

    @property
    def title(self) -> str:
        return self.label

    def graphs(self) -> tuple[Graph, ...]:
        return (self.graph,)

    def value(self, *xs: Any) -> Any:
        return interpret(self.graph, xs)

    def decompose(self, *xs: Any) -> Any:
        return tuple(replay(self.graph, xs))

    def spec(self, *specs: Any) -> tuple[TensorSpec, ...]:
        return tuple(y.spec for y in self.graph.outputs)

    def vjp(self, g: Any, inputs: Any) -> Sequence[Any]:
        residuals = Call(self.forward)(*inputs)[len(self.graph.outputs) :]
        return spread(Call(self.backward)(*residuals, *cotangents_of(g)), self.moved)

    def value_and_jvp(self, tangents: Sequence[Any], inputs: Sequence[Any]) -> Any:
        if self.pushforward is None:
            return NotImplemented
        dots = [
            np.zeros(np.shape(x), x.dtype) if t is None else t
            for x, t in zip(inputs, tangents, strict=True)
            if differentiable(x)
        ]
        out = self(*inputs)
        moved = Call(self.pushforward)(*inputs, *dots)
        return out, spread(moved, [differentiable(y) for y in out])

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        flags = tuple(batched)
        forward = batch_graph(self.forward, size, flags)[0]
        backward = batch_graph(self.backward, size, (True,) * len(self.backward.inputs))[0]
        pushforward = None
        if self.pushforward is not None:
            dots = tuple(flag for flag, x in zip(flags, self.graph.inputs, strict=True) if differentiable(x))
            pushforward = batch_graph(self.pushforward, size, (*flags, *dots))[0]
        graph = batch_graph(self.graph, size, flags)[0]
        return Custom(self.label, graph, forward, backward, self.moved, pushforward)(*inputs)
