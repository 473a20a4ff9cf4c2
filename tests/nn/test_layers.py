"""Layers and losses against their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.core.errors import DTypeError, IndexRangeError, ShapeError
from wengert.nn import functional

RNG = np.random.default_rng(0)


def test_linear() -> None:
    layer = nn.Linear(3, 2)
    x = RNG.normal(size=(5, 3))
    expected = x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    np.testing.assert_allclose(layer(wg.tensor(x)).detach().numpy(), expected)
    without = nn.Linear(3, 2, bias=False)
    assert without.bias is None
    np.testing.assert_allclose(without(wg.tensor(x)).detach().numpy(), x @ without.weight.detach().numpy().T)


def test_linear_names_the_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"got \(5, 4\), \(2, 3\) and \(2,\)"):
        nn.Linear(3, 2)(wg.ones((5, 4)))


def test_layer_norm() -> None:
    layer = nn.LayerNorm(6)
    x = RNG.normal(size=(4, 6))
    y = layer(wg.tensor(x)).detach().numpy()
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    with pytest.raises(ShapeError, match="does not fit"):
        layer(wg.ones((4, 5)))


def test_batch_norm_in_training_and_evaluation() -> None:
    layer = nn.BatchNorm2d(3)
    x = RNG.normal(size=(4, 3, 5, 5)) * 2 + 1
    y = layer(wg.tensor(x)).detach().numpy()
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
    expected = (x - mean[None, :, None, None]) / np.sqrt(var[None, :, None, None] + 1e-5)
    np.testing.assert_allclose(y, expected, rtol=1e-10)
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * mean)
    np.testing.assert_allclose(layer.running_var.numpy(), 0.9 + 0.1 * x.var((0, 2, 3), ddof=1))
    layer.eval()
    again = layer(wg.tensor(x)).detach().numpy()
    shape = (1, 3, 1, 1)
    rm, rv = layer.running_mean.numpy().reshape(shape), layer.running_var.numpy().reshape(shape)
    np.testing.assert_allclose(again, (x - rm) / np.sqrt(rv + 1e-5))
    with pytest.raises(ShapeError, match="4 dimensions with 3 channels"):
        layer(wg.ones((4, 2, 5, 5)))


def test_embedding_accumulates_and_skips_padding() -> None:
    layer = nn.Embedding(5, 2, padding_idx=0)
    layer(wg.tensor([0, 1, 1, 4])).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.numpy()[:, 0], [0.0, 2.0, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(layer.weight.detach().numpy()[0], [0.0, 0.0])
    with pytest.raises(IndexError):
        layer(wg.tensor([5]))


def test_lstm_cell_against_its_equations() -> None:
    def sigmoid(v: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-v))

    cell = nn.LSTMCell(3, 4)
    x, h, c = RNG.normal(size=(2, 3)), RNG.normal(size=(2, 4)), RNG.normal(size=(2, 4))
    new_h, new_c = cell(wg.tensor(x), (wg.tensor(h), wg.tensor(c)))
    w = {name: p.detach().numpy() for name, p in cell.named_parameters()}
    gates = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
    i, f, g, o = np.split(gates, 4, axis=1)
    expected_c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    np.testing.assert_allclose(new_c.detach().numpy(), expected_c, rtol=1e-12)
    np.testing.assert_allclose(new_h.detach().numpy(), sigmoid(o) * np.tanh(expected_c), rtol=1e-12)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_a_layer_is_its_cells_step_by_step(kind: type) -> None:
    layer = kind(3, 4, num_layers=2)
    x = wg.tensor(RNG.normal(size=(5, 2, 3)))
    outputs, final = layer(x)
    assert outputs.shape == (5, 2, 4)
    last = final[0] if kind is nn.LSTM else final
    assert last.shape == (2, 2, 4)
    np.testing.assert_array_equal(outputs.detach().numpy()[-1], last.detach().numpy()[-1])
    outputs.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())
    first = kind(3, 4, num_layers=2, batch_first=True)
    first.load_state_dict(layer.state_dict())
    swapped, _ = first(wg.swapaxes(x, 0, 1))
    np.testing.assert_allclose(swapped.detach().numpy().swapaxes(0, 1), outputs.detach().numpy())


def test_recurrent_gradients() -> None:
    cell = nn.GRUCell(2, 3)
    x = wg.tensor(RNG.normal(size=(1, 2)), requires_grad=True)
    h = wg.tensor(RNG.normal(size=(1, 3)), requires_grad=True)
    assert wg.autograd.gradcheck(lambda x, h: cell(x, h), (x, h))


def test_attention_weights_sum_to_one() -> None:
    q, k = wg.randn(2, 3, 4), wg.randn(2, 5, 4)
    out = functional.scaled_dot_product_attention(q, k, wg.ones((2, 5, 6)))
    np.testing.assert_allclose(out.numpy(), np.ones((2, 3, 6)))
    mask = np.zeros((3, 5), bool)
    mask[:, 0] = True
    value = wg.randn(2, 5, 6)
    masked = functional.scaled_dot_product_attention(q, k, value, mask)
    np.testing.assert_allclose(masked.numpy(), np.broadcast_to(value.numpy()[:, :1], (2, 3, 6)))
    model = nn.MultiheadAttention(8, 2)
    x = wg.randn(2, 5, 8)
    assert model(x, x, x).shape == (2, 5, 8)


def test_losses_against_formulas() -> None:
    a, b = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
    ta, tb = wg.tensor(a), wg.tensor(b)
    np.testing.assert_allclose(nn.MSELoss()(ta, tb).item(), np.mean((a - b) ** 2))
    np.testing.assert_allclose(nn.L1Loss(reduction="sum")(ta, tb).item(), np.abs(a - b).sum())
    d = np.abs(a - b)
    huber = np.where(d <= 0.5, 0.5 * d**2, 0.5 * (d - 0.25))
    np.testing.assert_allclose(nn.HuberLoss(reduction="none", delta=0.5)(ta, tb).numpy(), huber)
    p = 1 / (1 + np.exp(-a))
    t = (b > 0).astype(float)
    bce = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    np.testing.assert_allclose(nn.BCEWithLogitsLoss()(ta, wg.tensor(t)).item(), bce)
    np.testing.assert_allclose(nn.BCELoss()(wg.tensor(p), wg.tensor(t)).item(), bce)


def test_cross_entropy_in_all_its_forms() -> None:
    x = RNG.normal(size=(6, 4))
    y = np.array([0, 1, 2, 3, 1, 1])
    logs = x - np.log(np.exp(x).sum(1, keepdims=True))
    picked = -logs[np.arange(6), y]
    loss = nn.CrossEntropyLoss()
    np.testing.assert_allclose(loss(wg.tensor(x), wg.tensor(y)).item(), picked.mean())
    np.testing.assert_allclose(functional.cross_entropy(x, y, reduction="none").numpy(), picked)
    weight = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(
        functional.cross_entropy(x, y, weight=weight).item(), (picked * weight[y]).sum() / weight[y].sum()
    )
    ignored = np.where(y == 1, -100, y)
    np.testing.assert_allclose(functional.cross_entropy(x, ignored).item(), picked[y != 1].mean())
    one_hot = np.eye(4)[y]
    np.testing.assert_allclose(functional.cross_entropy(x, one_hot).item(), picked.mean())
    smooth = 0.9 * picked.mean() + 0.1 * (-logs.mean(1)).mean()
    np.testing.assert_allclose(functional.cross_entropy(x, y, label_smoothing=0.1).item(), smooth)
    images = RNG.normal(size=(2, 4, 3, 3))
    targets = RNG.integers(0, 4, (2, 3, 3))
    assert functional.cross_entropy(images, targets, reduction="none").shape == (2, 3, 3)


def test_losses_refuse_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match="a loss does not broadcast"):
        functional.mse_loss(wg.ones((3, 1)), wg.ones(3))
    with pytest.raises(IndexRangeError, match=r"outside 0\.\.3"):
        functional.cross_entropy(wg.ones((2, 4)), wg.tensor([0, 4]))
    with pytest.raises(DTypeError, match="must be integers"):
        functional.nll_loss(wg.ones((2, 4)), wg.ones(2))
    with pytest.raises(ShapeError, match=r"needs a target of shape \(2,\)"):
        functional.cross_entropy(wg.ones((2, 4)), wg.tensor([0, 1, 2]))
    with pytest.raises(DTypeError, match="'mean', 'sum' or 'none'"):
        functional.mse_loss(wg.ones(3), wg.ones(3), reduction="average")


@pytest.mark.parametrize(
    "layer",
    [
        *(nn.ReLU(), nn.LeakyReLU(0.2), nn.ELU(), nn.SELU(), nn.GELU(), nn.GELU(approximate="tanh"), nn.SiLU()),
        *(nn.Mish(), nn.Sigmoid(), nn.Tanh(), nn.Softplus(), nn.Hardtanh(), nn.Softmax(dim=1), nn.LogSoftmax(dim=0)),
        nn.Identity(),
    ],
    ids=repr,
)
def test_activations_are_differentiable_modules(layer: nn.Module) -> None:
    x = wg.tensor(RNG.normal(size=(3, 4)), requires_grad=True)
    assert wg.autograd.gradcheck(layer, (x,))


def test_flatten() -> None:
    x = wg.ones((2, 3, 4, 5))
    assert nn.Flatten()(x).shape == (2, 60)
    assert nn.Flatten(0, 1)(x).shape == (6, 4, 5)


def test_initial_values_follow_the_seed() -> None:
    wg.manual_seed(3)
    first = nn.Linear(4, 4)
    wg.manual_seed(3)
    second = nn.Linear(4, 4)
    np.testing.assert_array_equal(first.weight.detach().numpy(), second.weight.detach().numpy())
    assert np.abs(first.weight.detach().numpy()).max() <= 0.5


@pytest.mark.parametrize("loss", [functional.cross_entropy, functional.nll_loss])
@pytest.mark.parametrize("shape", [(3,), (5, 3), (5, 3, 2)], ids=str)
@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"ignore_index": 1}, {"weight": np.array([1.0, 2, 3])}])
def test_classes_may_be_arguments_of_a_compiled_function(loss: Any, shape: tuple[int, ...], options: Any) -> None:
    x = RNG.normal(size=shape)
    target = RNG.integers(0, 3, size=shape[:1] + shape[2:] if len(shape) > 1 else ())
    target = np.where(target == 1, 0, target) if len(shape) == 1 else target

    def f(x: Any, target: Any) -> Any:
        return loss(x, target, **options)

    expected = wg.value_and_grad(f)(x, target)
    for got in (wg.jit(wg.value_and_grad(f))(x, target), wg.trace(f)(x, target).value_and_grad()(x, target)):
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("bad", [-1, 3, -101])
def test_a_class_that_does_not_exist_is_an_error_in_compiled_functions_too(bad: int) -> None:
    logits, classes = np.zeros((2, 3)), np.array([0, bad])
    for loss in (
        wg.nn.functional.cross_entropy,
        lambda x, t: wg.nn.functional.nll_loss(x, t, weight=np.ones(3)),
        lambda x, t: wg.vmap(wg.nn.functional.cross_entropy)(x[:, None], t[:, None]).sum(),
    ):
        with pytest.raises(wg.IndexRangeError):
            loss(wg.tensor(logits), wg.tensor(classes))
        with pytest.raises(wg.IndexRangeError):
            wg.jit(loss)(logits, classes)
    assert float(wg.jit(wg.nn.functional.cross_entropy)(logits, np.array([0, -100])).item()) == pytest.approx(np.log(3))
