"""A function at a point, as a map from a flat list of floating leaves to a flat list of floating leaves.

Jacobians of all kinds start here: which arguments are differentiated, how containers come apart and go together again,
and the matrix of all partial derivatives cut into the blocks that belong to each pair of leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.errors import GradientError, TransformError
from wengert.core.levels import as_tensor
from wengert.core.pytree import TreeDef, tree_flatten, tree_map, tree_unflatten
from wengert.core.static import Graph
from wengert.core.tensor import wrap
from wengert.core.tracing import replay, trace_flat
from wengert.core.types import TensorSpec
from wengert.transforms.batching import vmap
from wengert.transforms.gradient import chosen_arguments, floating, jvp, pair_of, vjp

Function = Callable[..., Any]


class Point:
    """``f`` at ``args``, as a function ``call`` of the leaves of the arguments ``argnums``."""

    def __init__(
        self, f: Function, argnums: Any, args: tuple[Any, ...], kwargs: dict[str, Any], has_aux: bool, caller: str
    ) -> None:
        numbers = chosen_arguments(argnums, args, caller)
        self.caller = caller
        self.has_aux = has_aux
        self.single = isinstance(argnums, int)
        leaves, self.in_tree = tree_flatten(args[numbers[0]] if self.single else tuple(args[i] for i in numbers))
        self.leaves = [floating(x, caller) for x in leaves]
        self.out_tree: TreeDef | None = None
        self.aux: Any = None

        def call(*xs: Any) -> list[Any]:
            full = list(args)
            inside = tree_unflatten(self.in_tree, xs)
            for number, value in zip(numbers, (inside,) if self.single else inside, strict=True):
                full[number] = value
            out = f(*full, **kwargs)
            if has_aux:
                out, self.aux = pair_of(out, caller)
            results, self.out_tree = tree_flatten(out)
            return [self._result(y) for y in results]

        self.call = call

    def _result(self, y: Any) -> Any:
        y = as_tensor(y)
        if y.dtype.kind not in "fc":
            raise GradientError(
                f"{self.caller}: a result has dtype {y.dtype}, which has no derivative; return it beside the result, "
                f"with has_aux=True"
            )
        return y

    @property
    def specs(self) -> list[TensorSpec]:
        return [TensorSpec(x.shape, x.dtype) for x in self.leaves]

    def graph(self) -> Graph | None:
        """The function traced, or ``None`` where it cannot be: for auxiliary results, or Python control flow on values.

        From then on ``call`` runs the graph."""
        if self.has_aux:
            return None
        try:
            return self.traced()
        except (TransformError, TypeError):
            # What is really wrong with the function shows when it is called.
            return None

    def traced(self) -> Graph:
        """The same, for those who cannot do without: raises ``TraceError``."""
        graph = trace_flat(self.call, self.specs)
        self.call = lambda *xs: replay(graph, [*xs, *graph.captured])
        return graph

    # -- one batched sweep --------------------------------------------------------------------------------------

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """The tangents of the results for a batch of tangents of the leaves: one batched pass."""

        def along(*ts: Any) -> list[Any]:
            _, moved, (aux,) = jvp(lambda *xs: (self.call(*xs), (self.aux,)), self.leaves, ts, has_aux=True)
            self.aux = aux
            return list(moved)

        found: list[Any] = vmap(along)(*map(wrap, tangents))
        return found

    def pullback(self) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
        """The results, and the cotangents of the leaves for a batch of cotangents of the results: one batched sweep."""
        values, pull, (aux,) = vjp(lambda *xs: (self.call(*xs), (self.aux,)), *self.leaves, has_aux=True)
        self.aux = tree_map(_detached, aux)

        def back(cotangents: Sequence[Any]) -> list[Any]:
            found = vmap(lambda *gs: pull(list(gs)))(*map(wrap, cotangents))
            return list(found)

        return values, back

    # -- blocks -------------------------------------------------------------------------------------------------

    def assembled(self, blocks: Sequence[Sequence[Any]]) -> Any:
        """The container of results whose leaves are containers of arguments, from ``blocks[result][leaf]``."""
        assert self.out_tree is not None
        return tree_unflatten(self.out_tree, [tree_unflatten(self.in_tree, row) for row in blocks])


def _detached(x: Any) -> Any:
    return x.detach() if hasattr(x, "detach") else x


def sizes_of(leaves: Sequence[Any]) -> list[int]:
    return [int(np.prod(x.shape, dtype=int)) for x in leaves]


def basis(leaves: Sequence[Any], start: int, stop: int, unit: complex = 1.0) -> list[np.ndarray]:
    """Unit vectors ``start`` to ``stop`` of the space of all leaves together: one stack for each leaf."""
    stacks = []
    offset = 0
    for x, size in zip(leaves, sizes_of(leaves), strict=True):
        stack = np.zeros((stop - start, size), x.dtype)
        first, last = max(start, offset), min(stop, offset + size)
        if first < last and (unit == 1.0 or x.dtype.kind == "c"):
            stack[np.arange(first, last) - start, np.arange(first, last) - offset] = unit
        stacks.append(stack.reshape((stop - start, *x.shape)))
        offset += size
    return stacks


def combine(leaves: Sequence[Any], weights: np.ndarray) -> list[np.ndarray]:
    """Rows of ``weights`` over the space of all leaves together, as one stack for each leaf."""
    places = np.cumsum([0, *sizes_of(leaves)])
    return [
        weights[:, a:b].reshape((len(weights), *x.shape)).astype(x.dtype)
        for x, a, b in zip(leaves, places, places[1:], strict=False)
    ]


def cut(stack: Any, others: Sequence[Any]) -> list[Any]:
    """Pieces of a stack's first axis, one for each of ``others``, in whose shape the axis is given back."""
    places = np.cumsum([0, *sizes_of(others)])
    return [
        stack[a:b].reshape((*x.shape, *stack.shape[1:])) for x, a, b in zip(others, places, places[1:], strict=False)
    ]


def joined(chunks: Sequence[Any]) -> Any:
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)
