"""Clipping of gradients, and parameters as one vector."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.core.errors import AnomalyError, ShapeError


def model() -> nn.Module:
    net = nn.Linear(3, 2)
    (net(wg.ones((4, 3))) * 10).sum().backward()
    return net


def test_norms() -> None:
    net = model()
    before = np.concatenate([p.grad.numpy().ravel() for p in net.parameters()])  # type: ignore[union-attr]
    for kind in (2.0, 1.0, np.inf):
        found = float(nn.utils.clip_grad_norm_(net.parameters(), 1e9, kind))
        assert found == pytest.approx(np.linalg.norm(before, kind))
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    after = np.concatenate([p.grad.numpy().ravel() for p in net.parameters()])  # type: ignore[union-attr]
    np.testing.assert_allclose(after, before / np.linalg.norm(before), rtol=1e-6)
    net.weight.grad = wg.full((2, 3), np.nan)
    with pytest.raises(AnomalyError, match="is nan"):
        nn.utils.clip_grad_norm_(net.parameters(), 1.0, error_if_nonfinite=True)


def test_values() -> None:
    net = model()
    nn.utils.clip_grad_value_(net.parameters(), 0.5)
    assert all(np.all(p.grad.numpy() == 0.5) for p in net.parameters())  # type: ignore[union-attr]


def test_vectors() -> None:
    net = model()
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (8,)
    assert vector.requires_grad
    nn.utils.vector_to_parameters(wg.arange(8.0), net.parameters())
    assert net.weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert net.bias.tolist() == [6.0, 7.0]
    with pytest.raises(ShapeError, match=r"\(7,\) for 8 elements"):
        nn.utils.vector_to_parameters(wg.arange(7.0), net.parameters())


def test_channels_are_dropped_whole() -> None:
    layer = nn.Dropout2d(0.5)
    y = layer(wg.ones((8, 16, 3, 3))).numpy()
    assert set(np.unique(y)) == {0.0, 2.0}
    assert np.all(y == y[:, :, :1, :1])
    assert np.array_equal(layer.eval()(wg.ones((2, 3, 4, 4))).numpy(), np.ones((2, 3, 4, 4)))
