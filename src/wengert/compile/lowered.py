"""A compilation, to look at."""

from __future__ import annotations

from typing import Any

from wengert.backends.llvm.program import Program
from wengert.compile.native import PASSES
from wengert.passes import optimize
from wengert.static.graph import Graph


class Lowered:
    """A compilation, to look at: ``graph`` as traced, ``optimized``, ``ir``, ``asm`` and ``report()``."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.passes = optimize(graph, PASSES)
        self.optimized = Graph.of(self.passes.graph)
        self.program = Program(self.passes.graph, keep_text=True)

    @property
    def ir(self) -> str:
        """The LLVM IR after optimisation."""
        return self.program.native.ir if self.program.native is not None else ""

    @property
    def asm(self) -> str:
        """The assembly."""
        return self.program.native.assembly if self.program.native is not None else ""

    def report(self) -> str:
        """Passes, steps, memory, and what NumPy computes and why."""
        arena = self.program.arena
        lines = [str(self.passes), "", f"{len(self.program.schedule.steps)} steps"]
        for step in self.program.schedule.steps:
            lines.append(f"  {step_text(step)}")
        lines.append(f"arena: {arena.size:,} bytes; at most {arena.bound:,} are alive at one time")
        hosts = self.program.schedule.hosts
        lines.append(f"not native: {len(hosts)}" if hosts else "everything is native")
        lines += [f"  {step.node.op}: {step.reason}" for step in hosts]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.report()


def step_text(step: Any) -> str:
    """One line for a step."""
    kind = type(step).__name__.lower()
    if kind == "kernel":
        names = ", ".join(node.op for node in step.nodes)
        return f"kernel over {step.space}: {names}"
    if kind == "rows":
        parts = "; ".join(f"over {one.space}: {', '.join(node.op for node in one.nodes)}" for one in step.kernels)
        return f"kernels for each row of {step.lead}, {parts}"
    if kind == "copy":
        return f"copy {step.source.shape}"
    return f"{kind}: {step.node.op}"
