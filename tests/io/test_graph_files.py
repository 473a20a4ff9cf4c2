"""Graph files: what is written comes back; what is damaged, hostile or newer is a clear error."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.io import safetensors_file
from wengert.io.graphs import VERSION

V, M, S = wg.TensorSpec((3,)), wg.TensorSpec((3, 3)), wg.TensorSpec(())
RNG = np.random.default_rng(0)


def network(w: Any, h: Any, xs: Any) -> Any:
    h, ys = wg.scan(lambda h, x: (wg.tanh(w @ h + x), (h * x).sum()), h, xs)
    return {"loss": (h**2 * np.arange(3.0)).sum() + (ys**2).sum(), "other": [wg.where(h > 0, np.inf, h * 1j)]}


GRAPHS: list[tuple[Any, tuple[Any, ...]]] = [
    (network, (M, V, wg.TensorSpec((7, 3)))),
    (lambda x: wg.grad(lambda x: wg.softmax(x @ np.ones((3, 2))).std())(x), (wg.TensorSpec((None, 3)),)),
    (lambda x: wg.cond(x.sum() > 0, wg.sin, wg.cos, x), (V,)),
    (lambda x: wg.while_loop(lambda v: v < 100.0, lambda v: v * v, x, checkpoint=3), (S,)),
    (lambda x: x[[0, 0, 2]] + np.array([1 + 2j, 0, 1]), (V,)),
    (lambda x, k: x * k, (wg.TensorSpec((2,), "float32"), 2.0)),
    (lambda x: (x.astype("int32"), x > np.nan, wg.linalg.eigh(x @ x.T)), (M,)),
]


def arguments(graph: Any) -> list[Any]:
    found = []
    for x in graph.inputs:
        shape = tuple(n if isinstance(n, int) else 4 for n in x.shape)
        found.append(x.weak(3) if x.weak else (RNG.standard_normal(shape) + 1.5).astype(x.dtype))
    return found


@pytest.mark.parametrize(("function", "specs"), GRAPHS)
def test_what_is_written_comes_back(function: Any, specs: Any, tmp_path: Path) -> None:
    graph = wg.trace(function)(*specs)
    graph.save(tmp_path / "x.graph")
    again = wg.load(tmp_path / "x.graph")
    assert again == graph
    assert again.text() == graph.text()
    xs = arguments(graph)
    for one, other in zip(wg.tree_leaves(graph(*xs)), wg.tree_leaves(again(*xs)), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    again.optimize().save(tmp_path / "y.graph")
    assert wg.load(tmp_path / "y.graph") == again.optimize()


def test_a_loaded_graph_is_still_differentiable(tmp_path: Path) -> None:
    wg.trace(lambda x: (x**3).sum())(V).save(tmp_path / "x.graph")
    graph = wg.load(tmp_path / "x.graph")
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(graph.grad()(x).numpy(), 3 * x**2)
    np.testing.assert_allclose(wg.hessian(graph)(x).numpy(), np.diag(6 * x))


def test_captured_tensors_become_constants(tmp_path: Path) -> None:
    w = wg.tensor(2.0, requires_grad=True)
    wg.trace(lambda x: x * w)(S).save(tmp_path / "x.graph")
    graph = wg.load(tmp_path / "x.graph")
    assert (len(graph.inputs), graph(3.0).item()) == (1, 6.0)


def test_another_process_without_the_source_loads_it(tmp_path: Path) -> None:
    wg.trace(lambda x: wg.sin(x) * 2)(S).save(tmp_path / "x.graph")
    code = f"import wengert as wg; print(wg.load({str(tmp_path / 'x.graph')!r}).grad()(0.0).item())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "2.0"


def test_the_arrays_can_be_read_as_safetensors(tmp_path: Path) -> None:
    numpy_reader = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    wg.trace(lambda x: x + np.arange(3.0))(V).save(tmp_path / "x.graph")
    (array,) = numpy_reader.load_file(tmp_path / "x.graph").values()
    assert array.tolist() == [0.0, 1.0, 2.0]


def written(tmp_path: Path) -> bytes:
    wg.trace(network)(M, V, wg.TensorSpec((7, 3))).save(tmp_path / "good.graph")
    return (tmp_path / "good.graph").read_bytes()


def test_truncated_and_tampered_files_are_errors_or_harmless(tmp_path: Path) -> None:
    good = written(tmp_path)
    rng = random.Random(0)
    path = tmp_path / "bad.graph"
    refused = 0
    for k in range(300):
        data = bytearray(good)
        if k % 3 == 0:
            data = data[: rng.randrange(len(data))]
        else:
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(8 if k % 3 == 1 else len(data))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            wg.load(path).validate()
        except wg.GraphFileError:
            refused += 1
    assert refused > 280


def header_of(data: bytes) -> tuple[Any, bytes]:
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def with_header(header: Any, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def with_structure(data: bytes, change: Any) -> bytes:
    header, body = header_of(data)
    structure = json.loads(header["__metadata__"]["structure"])
    change(structure)
    header["__metadata__"]["structure"] = json.dumps(structure)
    return with_header(header, body)


def newer(data: bytes) -> bytes:
    header, body = header_of(data)
    header["__metadata__"]["version"] = str(VERSION + 1)
    return with_header(header, body)


def huge_shape(data: bytes) -> bytes:
    header, body = header_of(data)
    name = next(key for key in header if key != "__metadata__")
    header[name]["shape"] = [1 << 40, 1 << 40]
    return with_header(header, body)


def deep(data: bytes) -> bytes:
    text = b"[" * 200_000
    return struct.pack("<Q", len(text)) + text


def path_trick(data: bytes) -> bytes:
    return with_structure(data, lambda s: s["graphs"][-1]["constants"].append(["x", "../../etc/passwd"]))


def unknown_operation(data: bytes) -> bytes:
    return with_structure(data, lambda s: s["graphs"][-1]["nodes"][0].__setitem__(0, "os.system"))


def wrong_parameters(data: bytes) -> bytes:
    return with_structure(data, lambda s: s["graphs"][-1]["nodes"][0].__setitem__(1, {"evil": 1}))


def later_value(data: bytes) -> bytes:
    return with_structure(data, lambda s: s["graphs"][-1]["nodes"][0][2].__setitem__(0, 999))


def wrong_type(data: bytes) -> bytes:
    return with_structure(data, lambda s: s["graphs"][-1]["nodes"][0][3][0].__setitem__(1, [[10**12], "float64"]))


def object_dtype(data: bytes) -> bytes:
    return with_structure(data, lambda s: s["graphs"][-1]["inputs"][0].__setitem__(1, [[3, 3], "object"]))


def not_a_graph(data: bytes) -> bytes:
    return with_header({"__metadata__": {"sha256": __import__("hashlib").sha256(b"").hexdigest()}}, b"")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (newer, "version"),
        (huge_shape, "would lie at"),
        (deep, "nested too deeply|damaged"),
        (path_trick, "missing from the file"),
        (unknown_operation, "not known here"),
        (wrong_parameters, "takes the parameters"),
        (later_value, "before it is made"),
        (wrong_type, "declared"),
        (object_dtype, "not a dtype"),
        (not_a_graph, "not of a graph"),
        (lambda data: b"", "truncated"),
        (lambda data: b"\xff" * 100, "not a graph file"),
        (lambda data: data[:-1], "checksum|truncated"),
    ],
)
def test_hostile_files(change: Any, text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.graph"
    path.write_bytes(change(written(tmp_path)))
    with pytest.raises(wg.GraphFileError, match=text):
        wg.load(path)


def test_writing_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.graph"
    wg.trace(wg.sin)(V).save(path)
    before = path.read_bytes()

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        wg.trace(wg.cos)(V).save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x.graph"]


def test_what_has_no_place_in_a_file_is_an_error(tmp_path: Path) -> None:
    class Pair(tuple[Any, ...]):
        pass

    wg.register_pytree_node(Pair, lambda p: (p, None), lambda _, children: Pair(children))
    with pytest.raises(wg.GraphFileError, match="Pair"):
        wg.trace(lambda p: p[0])(Pair((V,))).save(tmp_path / "x.graph")
    assert list(tmp_path.iterdir()) == []


def test_complex_and_empty_arrays(tmp_path: Path) -> None:
    arrays = {"a": np.array(1 + 2j), "b": np.zeros((0, 3), "complex64"), "c": np.ones((2, 2), "complex128")[:, ::-1]}
    safetensors_file.write(tmp_path / "x", arrays, {})
    found, _ = safetensors_file.read(tmp_path / "x")
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
        assert not found[name].flags.writeable
