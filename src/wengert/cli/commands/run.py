"""``wengert run``."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import wengert as wg
from wengert.cli.command import Command, Result, add_target, problem
from wengert.cli.failures import CODE, Failure
from wengert.cli.files import OutputPath, array_format, save_arrays
from wengert.cli.inputs import REQUIRED
from wengert.core.static import spec_text
from wengert.core.tensor import Tensor

#: Arrays of more numbers than this are not in the JSON.
_MOST = 100_000


def configure(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "-o", "--output", type=OutputPath, metavar="FILE", help="a file for the results: .npz, .npy or .safetensors"
    )
    parser.add_argument("--compiled", action="store_true", help="run native code")


def run(options: argparse.Namespace) -> Result:
    if options.output is not None:
        array_format(options.output)
    with problem(options, REQUIRED) as found:
        function = wg.jit(found.function) if options.compiled else found.function
        with wg.no_grad():
            results = named_results(function(*found.tensors()))
    data: dict[str, Any] = {
        "outputs": [
            {
                "name": name,
                "dtype": str(x.dtype),
                "shape": list(x.shape),
                "values": x if x.size <= _MOST else None,
            }
            for name, x in results.items()
        ]
    }
    if options.output is None:
        return Result(data, "\n".join(_shown(name, x) for name, x in results.items()) or "no results")
    file = save_arrays(options.output, results)
    lines = [f"{name}: {spec_text(x)}" for name, x in results.items()]
    return Result({**data, **vars(file)}, "\n".join([*lines, str(file)]))


def named_results(results: Any) -> dict[str, np.ndarray]:
    """Arrays by name: the keys of a dictionary, or ``output``, or ``output0``, ``output1``, ..."""
    if isinstance(results, dict) and all(isinstance(key, str) for key in results):
        flat = {key: wg.tree_leaves(value) for key, value in results.items()}
    else:
        flat = {"output": wg.tree_leaves(results)}
    found = {}
    for key, leaves in flat.items():
        for place, x in enumerate(leaves):
            name = key if len(leaves) == 1 else f"{key}{place}"
            array = np.asarray(x.detach().numpy() if isinstance(x, Tensor) else x)
            if array.dtype.kind not in "biufc":
                raise Failure(f"{name} is of type {type(x).__name__}, and no array of numbers", CODE)
            found[name] = array
    return found


def _shown(name: str, x: np.ndarray) -> str:
    return f"{name}: {spec_text(x)}\n{np.array2string(x, threshold=200, floatmode='unique')}"


COMMAND = Command(
    "run",
    "the results of a graph file, or of a function",
    "Compute results. Every input of a graph file has to be given.",
    (
        'wengert run loss.graph --input "x=[[1, 2], [3, 4]]" --input w=weights.npy',
        "wengert run loss.graph --input data.npz -o results.npz",
        'wengert run loss.graph --input "x=float32[32,10]" --compiled --json',
    ),
    configure,
    run,
)
