"""Graphs as object files for C, compiled ahead of time."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from wengert.backends.llvm import objects
from wengert.backends.llvm.program import Program
from wengert.backends.llvm.schedule import Host
from wengert.core.dims import has_dim
from wengert.core.errors import GraphError
from wengert.core.static import Graph, Value, spec_text
from wengert.passes import FOR_CODE, optimize
from wengert.static.graph import exporter

_C_TYPES = {
    "?": "uint8_t",
    "f": "float",
    "d": "double",
    "F": "float",
    "D": "double",
    **{f"i{n}": f"int{8 * n}_t" for n in (1, 2, 4, 8)},
    **{f"u{n}": f"uint{8 * n}_t" for n in (1, 2, 4, 8)},
}

_C_WORDS = set(
    """auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while""".split()
)

#: Functions that every C program can have.
_LIBRARY = {"memcpy", "memmove", "memset", "fma", "fmaf"}


def export(graph: Graph, path: str | os.PathLike[str], name: str = "", cpu: str | None = None) -> tuple[Path, Path]:
    """Write ``path.o`` and ``path.h``; see ``Graph.export``."""
    path = Path(path)
    if path.suffix in (".o", ".h"):
        path = path.with_suffix("")
    name = name or path.name
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name in _C_WORDS:
        raise GraphError(f"export: {name!r} is no name of a C function; pass another with name=")
    unknown = [x for x in graph.inputs if has_dim(x.shape)]
    if unknown:
        raise GraphError(
            f"export: {', '.join(map(_described, unknown))} has lengths that are not known; specialise the graph "
            f"with at({{...}}), or trace it with the lengths"
        )
    program = Program(optimize(graph, FOR_CODE).graph)
    if program.schedule.hosts:
        raise GraphError("export: NumPy would have to compute\n" + "\n".join(map(_reason, program.schedule.hosts)))
    made = objects.compiled(program, name, cpu)
    header = _header(graph, name, made, cpu)
    written = path.with_name(f"{path.name}.o"), path.with_name(f"{path.name}.h")
    written[0].write_bytes(made.code)
    written[1].write_text(header)
    return written


exporter.append(export)


def _reason(step: Host) -> str:
    at = step.node.location
    return f"  {step.node.op}: {step.reason}" + (f" (line {at}: {at.text})" if at is not None else "")


def _described(x: Value) -> str:
    return f"{x.name or 'an input'} ({spec_text(x)})"


def _c_type(dtype: np.dtype[Any]) -> str:
    return _C_TYPES.get(dtype.char) or _C_TYPES[f"{dtype.kind}{dtype.itemsize}"]


def _names(graph: Graph) -> tuple[list[str], list[str]]:
    """Names of the parameters, as far as the graph's will do."""
    taken: set[str] = {"workspace"}
    inputs = []
    for k, x in enumerate(graph.inputs):
        fits = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", x.name) and x.name not in _C_WORDS
        name = x.name if fits and x.name not in taken else f"in{k}"
        taken.add(name)
        inputs.append(name)
    outputs = []
    for k in range(len(graph.outputs)):
        name = f"out{k}"
        while name in taken:
            name += "_"
        taken.add(name)
        outputs.append(name)
    return inputs, outputs


def _header(graph: Graph, name: str, made: objects.Object, cpu: str | None) -> str:
    inputs, outputs = _names(graph)
    rows: list[tuple[str, str, Value]] = [
        (f"const {_c_type(x.dtype)} *", one, x) for one, x in zip(inputs, graph.inputs, strict=True)
    ]
    rows += [(f"{_c_type(y.dtype)} *", one, y) for one, y in zip(outputs, graph.outputs, strict=True)]
    parameters = [f"    {kind}{one}, /* {spec_text(x)}{_note(x)} */" for kind, one, x in rows]
    needs = [one for one in made.externals if one not in _LIBRARY]
    libraries = (
        f"{', '.join(needs)} (link BLAS and LAPACK, with 32-bit integers)" if needs else "nothing but libc, libm"
    )
    guard = f"WENGERT_{name.upper()}_H"
    body = "\n".join(parameters)
    return f"""\
/* Written by wengert's Graph.export. {len(graph.nodes)} operations, for {cpu or "the processor it was compiled on"}.
   Needs: {libraries}.

   Arrays are contiguous, the last index fastest, aligned for their type; a complex number is two numbers, a boolean
   one byte, 0 or 1. Outputs overlap neither each other, inputs nor the workspace. Any number of threads may call the
   function at once, each with a workspace and outputs of its own. Nothing is allocated.

   Returns {objects.FINE} if all is well; {objects.FAILED} if an index is out of range, a matrix is singular or the \
like: the outputs then
   hold nothing of use; {objects.MISSING} if a pointer is null. */
#ifndef {guard}
#define {guard}

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define {name.upper()}_WORKSPACE_SIZE {made.workspace}

/* Bytes that the workspace must have; it need not be aligned, and nothing in it is kept from call to call. */
size_t {name}_workspace_size(void);

int32_t {name}(
{body}
    void *workspace);

#ifdef __cplusplus
}}
#endif

#endif
"""


def _note(x: Value) -> str:
    if x.dtype.kind == "c":
        return ", real and imaginary parts in turn"
    return "" if x.shape else ", one number"
