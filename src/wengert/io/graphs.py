"""Saving and loading graphs."""

from __future__ import annotations

import json
import os

from wengert.core.errors import GraphFileError
from wengert.core.static import Graph
from wengert.io.encoding import Decoder, Encoder, expect
from wengert.io.safetensors_file import parsed, read, write

#: Raised by one when an older Wengert could not read what is written.
VERSION = 1


def save_graph(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write a graph: structure as JSON, arrays in the safetensors format, in one file; see ``docs/graph-files.md``.

    Captured tensors are stored as constants. The file is written whole or not at all.
    """
    encoder = Encoder()
    number = encoder.graph(graph)
    structure = {
        "graphs": encoder.graphs,
        "graph": number,
        "in_tree": encoder.tree(graph.in_tree),
        "out_tree": encoder.tree(graph.out_tree),
    }
    metadata = {"format": "wengert.graph", "version": str(VERSION), "structure": json.dumps(structure)}
    write(path, encoder.arrays, metadata)


def load_graph(path: str | os.PathLike[str]) -> Graph:
    """The graph in a file that ``save_graph`` wrote. Nothing in the file is executed.

    Raises ``GraphFileError`` for a file that is truncated, damaged, of another kind or of a newer version.
    """
    arrays, metadata = read(path)
    if metadata.get("format") != "wengert.graph":
        raise GraphFileError(f"{path}: this is a safetensors file, but not of a graph")
    version = metadata.get("version", "")
    if not version.isdecimal() or int(version[:9]) > VERSION:
        raise GraphFileError(f"{path}: the file has version {version[:20]!r}, and this Wengert reads up to {VERSION}")
    structure = parsed(metadata.get("structure", "").encode(), str(path))
    try:
        decoder = Decoder(structure.get("graphs"), arrays)
        graph = decoder._known_graph(structure.get("graph"))
        in_tree, out_tree = decoder.tree(structure.get("in_tree")), decoder.tree(structure.get("out_tree"))
    except GraphFileError as error:
        raise GraphFileError(f"{path}: {error}") from error
    except (ValueError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise GraphFileError(f"{path}: the file is damaged: {type(error).__name__}: {error}") from error
    for tree, count, what in ((in_tree, len(graph.inputs), "inputs"), (out_tree, len(graph.outputs), "outputs")):
        if tree is not None and tree.num_leaves != count:
            raise GraphFileError(f"{path}: the structure of the {what} has {tree.num_leaves} leaves, not {count}")
    expect(graph, Graph, "a graph")
    return graph.replace(in_tree=in_tree, out_tree=out_tree)
