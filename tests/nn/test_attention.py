"""Masks of attention: what may not be seen changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.core.errors import ShapeError

RNG = np.random.default_rng(4)
X = RNG.normal(size=(2, 5, 6))


def run(layer: nn.MultiheadAttention, x: np.ndarray, **masks: object) -> np.ndarray:
    t = wg.tensor(x)
    return layer(t, t, t, **masks).detach().numpy()


def test_causal_attention_does_not_see_the_future() -> None:
    layer = nn.MultiheadAttention(6, 2)
    changed = X.copy()
    changed[:, 3:] += 1
    before, after = run(layer, X, is_causal=True), run(layer, changed, is_causal=True)
    np.testing.assert_allclose(before[:, :3], after[:, :3], rtol=1e-12)
    assert not np.allclose(before[:, 3:], after[:, 3:])
    np.testing.assert_allclose(before, run(layer, X, attn_mask=np.tri(5, dtype=bool)), rtol=1e-12)
    added = np.where(np.tri(5, dtype=bool), 0.0, -np.inf)
    np.testing.assert_allclose(before, run(layer, X, attn_mask=added), rtol=1e-12)


@pytest.mark.parametrize("extra", [{}, {"attn_mask": np.zeros((5, 5))}, {"attn_mask": np.ones((5, 5), bool)}])
def test_padding_is_as_if_the_keys_were_not_there(extra: dict[str, np.ndarray]) -> None:
    layer = nn.MultiheadAttention(6, 2)
    padding = np.zeros((2, 5), bool)
    padding[:, 3:] = True
    found = run(layer, X, key_padding_mask=padding, **extra)
    np.testing.assert_allclose(found[:, :3], run(layer, X[:, :3]), rtol=1e-10)
    with pytest.raises(ShapeError, match=r"boolean of shape \(2, 5\)"):
        run(layer, X, key_padding_mask=padding[:, :3])


@pytest.mark.parametrize("bias", [True, False])
def test_parameters_have_pytorchs_names_and_order(bias: bool) -> None:
    layer = nn.MultiheadAttention(6, 2, bias=bias)
    shapes = {"in_proj_weight": (18, 6), "in_proj_bias": (18,), "out_proj.weight": (6, 6), "out_proj.bias": (6,)}
    expected = [(name, shape) for name, shape in shapes.items() if bias or "bias" not in name]
    assert [(name, p.shape) for name, p in layer.named_parameters()] == expected


def test_the_rows_of_the_projection_are_those_of_query_key_and_value() -> None:
    layer = nn.MultiheadAttention(6, 2)
    q, k, v = (RNG.normal(size=(2, n, 6)) for n in (3, 5, 5))
    weight, bias = layer.in_proj_weight.detach().numpy(), RNG.normal(size=18)
    layer.load_state_dict(layer.state_dict() | {"in_proj_bias": bias})

    def heads(x: np.ndarray, part: int) -> np.ndarray:
        rows = slice(6 * part, 6 * part + 6)
        return (x @ weight[rows].T + bias[rows]).reshape(2, -1, 2, 3).swapaxes(1, 2)

    scores = heads(q, 0) @ heads(k, 1).swapaxes(-1, -2) / np.sqrt(3)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    mixed = (weights @ heads(v, 2)).swapaxes(1, 2).reshape(2, 3, 6)
    expected = layer.out_proj(wg.tensor(mixed)).detach().numpy()
    np.testing.assert_allclose(layer(*map(wg.tensor, (q, k, v))).detach().numpy(), expected, rtol=1e-10)
