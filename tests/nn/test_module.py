"""Modules, their parameters, scopes and state."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.core.errors import StateError, WengertError


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 4), nn.Linear(4, 4)])
        self.head = nn.Sequential(nn.Linear(4, 2), nn.Tanh())

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        for layer in self.layers:
            x = layer(x).relu()
        return self.head(x)


def test_parameters_are_found_once_and_by_name() -> None:
    model = Net()
    names = [name for name, _ in model.named_parameters()]
    assert names == [
        "layers.0.weight",
        "layers.0.bias",
        "layers.1.weight",
        "layers.1.bias",
        "head.0.weight",
        "head.0.bias",
    ]
    model.again = model.layers[0]
    assert len(list(model.parameters())) == 6
    assert all(isinstance(p, nn.Parameter) and p.is_leaf and p.requires_grad for p in model.parameters())


def test_nodes_carry_scopes_and_leaves_carry_names() -> None:
    model = Net()
    y = model(wg.ones((5, 3))).sum()
    graph = wg.graph_of(y)
    scopes = {node.name(): node.scope for node in graph if node.scope}
    assert scopes["TanhBackward"] == "Net.head.1"
    dense = {node.scope for node in graph if node.name() == "AffineBackward"}
    assert dense == {"Net.layers.0", "Net.layers.1", "Net.head.0"}
    assert {leaf.label for leaf in graph.leaves} == {name for name, _ in model.named_parameters()}


def test_forgetting_super_init_is_explained() -> None:
    class Wrong(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

    with pytest.raises(WengertError, match=r"call super\(\).__init__\(\) in Wrong"):
        Wrong()


def test_train_and_eval_reach_every_module() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5)))
    model.eval()
    assert not any(module.training for module in model.modules())
    x = wg.ones((4, 4))
    np.testing.assert_array_equal(model(x).numpy(), x.numpy())
    model.train()
    assert model[1][0].training


def test_dropout_scales_what_it_keeps_and_its_gradient_alike() -> None:
    wg.manual_seed(0)
    x = wg.ones(10_000, requires_grad=True)
    y = nn.Dropout(0.25)(x)
    values = np.unique(y.detach().numpy())
    np.testing.assert_allclose(values, [0.0, 1 / 0.75])
    assert abs(float((y.detach().numpy() > 0).mean()) - 0.75) < 0.02
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


def test_to_casts_parameters_and_keeps_them_trainable() -> None:
    model = Net().to("float32")
    assert {p.dtype.name for p in model.parameters()} == {"float32"}
    y = model(wg.ones((2, 3), dtype="float32"))
    assert y.dtype == np.float32
    y.sum().backward()
    assert all(p.grad is not None and p.grad.dtype == np.float32 for p in model.parameters())
    with pytest.raises(TypeError, match="floating-point"):
        model.to("int64")


def test_freezing() -> None:
    model = Net().requires_grad_(False)
    assert not model(wg.ones((1, 3))).requires_grad
    model.requires_grad_()
    assert model(wg.ones((1, 3))).requires_grad


def test_zero_grad() -> None:
    model = nn.Linear(2, 1)
    model(wg.ones((3, 2))).sum().backward()
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_state_dict_is_a_snapshot() -> None:
    model = nn.Linear(2, 1)
    state = model.state_dict()
    before = state["weight"].numpy().copy()
    with wg.no_grad():
        model.weight += 1.0
    np.testing.assert_array_equal(state["weight"].numpy(), before)
    model.load_state_dict(state)
    np.testing.assert_array_equal(model.weight.detach().numpy(), before)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda s: s.pop("bias"), "missing: bias"),
        (lambda s: s.update(extra=np.ones(1)), "unexpected: extra"),
        (lambda s: s.update(weight=np.ones((5, 5))), r"weight: shape \(5, 5\) in the state, \(1, 2\) in the module"),
        (lambda s: s.update(weight=np.array([["a", "b"]])), "weight: dtype"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, text: str) -> None:  # type: ignore[no-untyped-def]
    model = nn.Linear(2, 1)
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    state = {"weight": np.zeros((1, 2)), "bias": np.zeros(1)}
    change(state)
    with pytest.raises(StateError, match=text):
        model.load_state_dict(state)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


def test_a_state_saved_and_loaded(tmp_path: Path) -> None:
    first, second = Net().to("float32"), Net().to("float32")
    nn.save_file(first.state_dict(), tmp_path / "net.safetensors")
    second.load_state_dict(nn.load_file(tmp_path / "net.safetensors"))
    x = wg.ones((2, 3), dtype="float32")
    np.testing.assert_array_equal(first(x).detach().numpy(), second(x).detach().numpy())
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    nn.save_file(Net().state_dict(), path)
    whole = path.read_bytes()
    pickled = pickle.dumps(os.getcwd)
    damaged = (whole[:-10], whole[:20], b"", b"\xff" * 64, pickled, (2**60).to_bytes(8, "little") + whole[8:])
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(StateError, match="not a whole safetensors file"):
            nn.load_file(path)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.safetensors"
    nn.save_file({"a": wg.ones(2)}, path)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        nn.save_file({"a": wg.zeros(1000)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_functional_call_uses_other_parameters_and_restores() -> None:
    model = nn.Linear(2, 1)
    own = model.weight
    weight = wg.tensor([[1.0, 2.0]], requires_grad=True)
    y = nn.functional_call(model, {"weight": weight, "bias": wg.zeros(1)}, wg.tensor([[3.0, 4.0]]))
    assert y.tolist() == [[11.0]]
    y.sum().backward()
    assert weight.grad.tolist() == [[3.0, 4.0]]
    assert model.weight is own
    with pytest.raises(StateError, match="no parameter named"):
        nn.functional_call(model, {"wrong": weight}, wg.ones((1, 2)))


def test_modules_can_be_copied_and_pickled() -> None:
    model = Net()
    x = wg.ones((2, 3))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other(x).detach().numpy(), model(x).detach().numpy())
        assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in other.parameters())
        assert next(other.parameters()) is not next(model.parameters())


def test_text_form() -> None:
    text = repr(Net())
    assert "(layers): ModuleList(" in text
    assert "(0): Linear(in_features=3, out_features=4, bias=True)" in text


def test_containers_refuse_what_is_not_a_module() -> None:
    with pytest.raises(TypeError, match="Sequential holds modules, not function"):
        nn.Sequential(lambda x: x)  # type: ignore[arg-type]
