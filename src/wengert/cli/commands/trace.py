"""``wengert trace``."""

from __future__ import annotations

import argparse
from typing import Any

import wengert as wg
from wengert.cli.command import Command, Result, add_target, positive, problem
from wengert.cli.failures import FILE, Failure
from wengert.cli.files import OutputPath, Written, written
from wengert.cli.inputs import OPTIONAL, Problem
from wengert.core.tensor import Tensor
from wengert.inspect.building import argument_names


def configure(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "-o", "--output", type=OutputPath, metavar="FILE", help="a file for the graph; .onnx makes an ONNX model"
    )
    parser.add_argument("--grad", action="store_true", help="the graph of the value and the gradient")
    parser.add_argument("--limit", type=positive, default=200, help="print at most this many nodes (default: 200)")


def run(options: argparse.Namespace) -> Result:
    with problem(options, OPTIONAL) as found:
        graph = traced(found)
        if options.grad:
            places = [place for place, x in enumerate(graph.arguments) if x.dtype.kind in "fc"]
            if graph.in_tree is not None:
                graph = wg.Graph(graph.inputs, graph.nodes, graph.outputs, graph.captured, None, graph.out_tree)
            graph = graph.value_and_grad(places)
        text = graph.text(limit=options.limit)
        data: dict[str, Any] = {"nodes": len(graph), "operations": dict(graph.counts), "text": text}
        if options.output is None:
            return Result(data, text)
        file = save_graph(graph, options.output)
    return Result({**data, **vars(file)}, f"{text}\n{file}")


def traced(found: Problem) -> Any:
    """The graph of the function, or the graph itself."""
    if isinstance(found.subject, Tensor):
        raise Failure(f"{found.name} is a tensor; name a function to trace")
    if isinstance(found.subject, wg.Graph):
        return found.subject
    return wg.trace(found.function, argument_names(found.function, found.args))(*found.args)


def save_graph(graph: Any, path: str) -> Written:
    """Write a graph file, or an ONNX model where the suffix says so."""
    onnx = path.lower().endswith(".onnx")
    try:
        return written(path, graph.to_onnx if onnx else graph.save)
    except ImportError as error:
        raise Failure("an ONNX model needs the package onnx: pip install 'wengert[onnx]'", FILE) from error


COMMAND = Command(
    "trace",
    "the graph of a function as text, and as a file",
    "Run a function once with symbols in the place of arrays, print its graph, and save it. The file needs no source "
    "and runs no code when it is loaded.",
    (
        "wengert trace model.py:loss",
        "wengert trace model.py:loss -o loss.graph",
        "wengert trace model.py:loss --grad",
        "wengert trace model.py:loss -o loss.onnx",
    ),
    configure,
    run,
)
