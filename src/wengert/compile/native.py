"""What runs a graph as native code, and the operation that stands for it in other graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends.llvm.fastcall import READY
from wengert.backends.llvm.program import Program
from wengert.compile.check import Check
from wengert.core.derived import halves
from wengert.core.static import Graph
from wengert.ops.control import Call
from wengert.passes import FOR_CODE, optimize


class Compiled(Call):
    """The results of a graph, by native code."""

    name = "compiled"
    #: Whether every node is compared with the interpreter.
    check: bool = False

    def value(self, *xs: Any) -> Any:
        return self._run(self.graph, xs)

    def rehearse(self, *xs: Any) -> Any:
        return Call.value(self, *xs)

    def value_and_aux(self, *xs: Any) -> Any:
        if not self.wanted:
            return self._run(self.graph, xs), None
        count = len(self.graph.outputs)
        found = self._run(halves(self.graph, self.wanted).forward, xs)
        return found[:count], found[count:]

    def _of(self, graph: Graph) -> Call:
        return Compiled(graph, inline=self.inline, check=self.check)

    def _run(self, graph: Graph, xs: Sequence[Any]) -> tuple[np.ndarray, ...]:
        return checked(graph, xs) if self.check else run(graph, xs)

    def _run_back(self, residuals: Sequence[Any]) -> Any:
        return self._run(halves(self.graph, self.wanted).backward, residuals)


def program_of(graph: Graph) -> Program:
    """The program of a graph, made once."""
    found: Program = graph.cached("program", lambda: Program(optimize(graph, FOR_CODE).graph))
    return found


def run(graph: Graph, arguments: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """The outputs of a graph for arrays, by native code."""
    return program_of(graph).run([fitted(x, declared) for x, declared in zip(arguments, graph.inputs, strict=True)])


def checked(graph: Graph, arguments: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """The same, with every node compared with the interpreter."""
    check: Check = graph.cached("check", lambda: Check(program_of(graph)))
    return check.run([fitted(x, declared) for x, declared in zip(arguments, graph.inputs, strict=True)])


def fitted(x: Any, declared: Any) -> np.ndarray:
    """An array as native code takes it: contiguous, aligned, of the declared dtype."""
    if type(x) is np.ndarray and x.flags.num & READY == READY and x.dtype is declared.dtype:
        return x
    return np.require(x, declared.dtype, ["C", "A"]).reshape(declared.shape)
