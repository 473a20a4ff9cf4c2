"""Hooks around forward, containers of parameters, copies, and recurrent layers in both directions."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.core.errors import DTypeError


def test_hooks_see_and_replace() -> None:
    layer = nn.Linear(2, 2)
    seen: list[Any] = []
    x = wg.ones((1, 2))
    plain = layer(x).detach().numpy()
    first = layer.register_forward_pre_hook(lambda module, args: seen.append((module, args)))
    assert np.array_equal(layer(x).detach().numpy(), plain)
    assert seen[0][0] is layer
    assert seen[0][1] == (x,)
    layer.register_forward_pre_hook(lambda module, args: args[0] * 0)
    with layer.register_forward_hook(lambda module, args, out: out * 2):
        np.testing.assert_allclose(layer(x).detach().numpy()[0], 2 * layer.bias.detach().numpy())
    np.testing.assert_allclose(layer(x).detach().numpy()[0], layer.bias.detach().numpy())
    count = len(seen)
    first.remove()
    first.remove()
    layer(x)
    assert len(seen) == count


def test_parameter_containers() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.several = nn.ParameterList([wg.ones(2), nn.Parameter(wg.zeros(3))])
            self.named = nn.ParameterDict({"a": wg.ones(1)})

    net = Net()
    assert [name for name, _ in net.named_parameters()] == ["several.0", "several.1", "named.a"]
    assert all(p.requires_grad for p in net.parameters())
    assert [p.shape for p in net.several] == [(2,), (3,)]
    net.several[0] = wg.ones(5)
    assert net.several[0].shape == (5,)
    assert len(net.several[:1]) == 1
    net.named["b"] = wg.ones(2)
    assert list(net.named) == ["a", "b"]
    del net.named["a"]
    assert "a" not in net.named
    with pytest.raises(DTypeError, match="holds parameters and tensors, not float"):
        net.several.append(1.0)


def test_what_is_replaced_keeps_its_place() -> None:
    modules = nn.ModuleList([nn.Linear(1, 2), nn.Linear(2, 3), nn.Linear(3, 4)])
    modules[0] = nn.Linear(1, 9)
    assert [m.weight.shape[0] for m in modules] == [9, 3, 4]
    layer = nn.Linear(2, 2)
    layer.weight = nn.Parameter(wg.zeros((2, 2)))
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    layer.weight = None
    layer.register_buffer("weight", wg.ones((2, 2)))
    assert list(layer.state_dict()) == ["bias", "weight"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent(copied: Any) -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU())
    other = copied(net)
    x = wg.tensor(np.random.default_rng(0).normal(size=(4, 2)))
    assert np.array_equal(other(x).detach().numpy(), net(x).detach().numpy())
    other(x).sum().backward()
    assert net[0].weight.grad is None
    assert other[0].weight.grad is not None


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("batch_first", [False, True])
def test_both_directions(kind: Any, batch_first: bool) -> None:
    both = kind(3, 4, num_layers=2, bidirectional=True, batch_first=batch_first)
    x = wg.tensor(np.random.default_rng(1).normal(size=(5, 5, 3)))
    time = 1 if batch_first else 0
    out, state = both(x)
    assert out.shape == (5, 5, 8)
    last = state[0] if kind is nn.LSTM else state
    assert last.shape == (4, 5, 4)
    # A layer by hand: one cell over the sequence, the other over its reverse.
    layer = x
    for number in range(2):
        ways = []
        for ending in ("", "_reverse"):
            single = kind(layer.shape[-1], 4, batch_first=batch_first)
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            single.load_state_dict({f"{name}_l0": getattr(both, f"{name}_l{number}{ending}") for name in names})
            y = single(wg.flip(layer, time) if ending else layer)[0]
            ways.append(wg.flip(y, time) if ending else y)
        layer = wg.concat(ways, axis=-1)
    assert np.array_equal(out.detach().numpy(), layer.detach().numpy())
    assert np.array_equal(last[2].detach().numpy(), wg.take(out, -1, axis=time).detach().numpy()[:, :4])
    assert np.array_equal(last[3].detach().numpy(), wg.take(out, 0, axis=time).detach().numpy()[:, 4:])
    again = both(x, state)[0]
    assert not np.array_equal(again.detach().numpy(), out.detach().numpy())


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_recurrent_layers_name_their_parameters_as_pytorch_does(kind: Any) -> None:
    layer = kind(3, 4, num_layers=2, bidirectional=True)
    rows = {nn.RNN: 4, nn.GRU: 12, nn.LSTM: 16}[kind]
    expected = {
        f"{name}_l{number}{ending}": shape
        for number, size in enumerate((3, 8))
        for ending in ("", "_reverse")
        for name, shape in {
            "weight_ih": (rows, size),
            "weight_hh": (rows, 4),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }.items()
    }
    assert [(name, p.shape) for name, p in layer.named_parameters()] == list(expected.items())
    assert list(layer.state_dict()) == list(expected)
    assert [name for name, _ in kind(3, 4, bias=False).named_parameters()] == ["weight_ih_l0", "weight_hh_l0"]


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_recurrent_layers_compute_with_the_parameters_they_have_now(kind: Any) -> None:
    layer, x = kind(3, 4), wg.tensor(np.random.default_rng(0).normal(size=(5, 2, 3)))
    zeros = {name: wg.zeros_like(p) for name, p in layer.named_parameters()}
    assert not nn.functional_call(layer, zeros, x)[0].any()
    assert layer(x)[0].any()
    layer.weight_ih_l0 = nn.Parameter(wg.zeros_like(layer.weight_ih_l0))
    assert np.array_equal(layer(x)[0].detach().numpy(), layer(x * 2.0)[0].detach().numpy())
    assert layer.to("float32")(x.astype("float32"))[0].dtype == np.float32
    other = copy.deepcopy(layer)
    other.load_state_dict({name: wg.zeros_like(p) for name, p in layer.named_parameters()})
    assert not other(x.astype("float32"))[0].any()
    assert layer(x.astype("float32"))[0].any()


def test_batch_norm_counts_batches_and_averages_them_without_a_momentum() -> None:
    layer = nn.BatchNorm1d(3, momentum=None)
    assert list(layer.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    batches = np.random.default_rng(0).normal(size=(4, 5, 3))
    for batch in batches:
        layer(wg.tensor(batch))
    assert layer.num_batches_tracked.item() == 4
    assert layer.to("float32").num_batches_tracked.dtype == np.int64
    np.testing.assert_allclose(layer.running_mean.numpy(), batches.mean((0, 1)), rtol=1e-6)
    np.testing.assert_allclose(layer.running_var.numpy(), batches.var(1, ddof=1).mean(0), rtol=1e-6)
    layer.eval()(wg.tensor(batches[0], dtype="float32"))
    assert layer.num_batches_tracked.item() == 4
