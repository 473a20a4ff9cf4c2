"""ONNX models give what the graph gives, in onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import wengert as wg

RNG = np.random.default_rng(0)


def network(x: Any, w: Any, b: Any, v: Any) -> Any:
    h = wg.relu(x @ w + b)
    h = wg.concatenate([wg.tanh(h), wg.sigmoid(h)], axis=1)
    return wg.softmax(h @ v, axis=1), wg.logsumexp(h, axis=-1)


GRAPHS: list[tuple[Any, tuple[tuple[int, ...], ...]]] = [
    (network, ((5, 3), (3, 4), (4,), (8, 2))),
    (lambda x, w: wg.grad(lambda w: ((wg.tanh(x @ w)) ** 2).mean())(w), ((5, 3), (3, 4))),
    (
        lambda x: (x[1:, ::-1], x[0], x[:, None, -1], x.T.reshape(-1), x.sum(0), x.mean(), x.max(1, keepdims=True)),
        ((3, 4),),
    ),
    (lambda x: (wg.where(x > 0, wg.exp(x), wg.expm1(x)), wg.log1p(x * x), x**3, wg.sqrt(abs(x)), x != 0), ((3, 4),)),
    (lambda x: (wg.erf(x), wg.softplus(x), wg.floor(x), wg.sign(x), wg.isnan(x), x.astype("int64"), 1 / x), ((3, 4),)),
]


def outputs(path: Path, arguments: list[np.ndarray]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {one.name: x for one, x in zip(session.get_inputs(), arguments, strict=True)})


@pytest.mark.parametrize(("function", "shapes"), GRAPHS)
def test_the_model_gives_what_the_graph_gives(function: Any, shapes: Any, tmp_path: Path) -> None:
    xs = [RNG.standard_normal(shape).astype("float32") for shape in shapes]
    graph = wg.trace(function)(*xs)
    graph.to_onnx(tmp_path / "model.onnx")
    expected = wg.tree_leaves(graph(*xs))
    for one, other in zip(outputs(tmp_path / "model.onnx", xs), expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other.numpy(), rtol=2e-5, atol=1e-6)


def test_unknown_lengths_stay_unknown(tmp_path: Path) -> None:
    w = RNG.standard_normal((3, 2)).astype("float32")
    graph = wg.trace(lambda x: wg.tanh(x @ w).reshape(-1))(wg.TensorSpec((None, 3), "float32"))
    graph.to_onnx(tmp_path / "model.onnx")
    for n in (1, 6):
        x = RNG.standard_normal((n, 3)).astype("float32")
        (found,) = outputs(tmp_path / "model.onnx", [x])
        np.testing.assert_allclose(found, graph(x).numpy(), rtol=1e-5, atol=1e-6)


def test_what_onnx_cannot_say_is_an_error_that_names_the_node(tmp_path: Path) -> None:
    graph = wg.trace(lambda x: wg.linalg.inv(x))(wg.TensorSpec((3, 3)))
    with pytest.raises(wg.GraphError, match=r"inv at .*test_onnx.py"):
        graph.to_onnx(tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_captured_tensors_become_constants(tmp_path: Path) -> None:
    w = wg.tensor(RNG.standard_normal((3, 2)).astype("float32"), requires_grad=True)
    graph = wg.trace(lambda x: wg.tanh(x @ w))(wg.TensorSpec((None, 3), "float32"))
    graph.to_onnx(tmp_path / "model.onnx")
    x = RNG.standard_normal((4, 3)).astype("float32")
    (found,) = outputs(tmp_path / "model.onnx", [x])
    np.testing.assert_allclose(found, graph(x).detach().numpy(), rtol=1e-5, atol=1e-6)
    assert len(graph.captured) == 1
