from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, GradientError, ShapeError, TransformError
from wengert.core.levels import JvpLevel, VmapLevel, running


def tracked(*shape: int) -> wg.Tensor:
    return wg.tensor(np.ones(shape), requires_grad=True)


# -- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x", [wg.tensor(2.5), wg.tensor([2.5]), wg.tensor([[2.5]]), wg.tensor(2.5, requires_grad=True)]
)
def test_a_tensor_of_one_element_is_a_number(x):
    assert float(x) == x.item() == 2.5
    assert type(x.item()) is float
    assert int(x) == 2
    assert complex(x) == 2.5 + 0j


def test_item_gives_pythons_own_types():
    assert type(wg.tensor(3).item()) is int
    assert type(wg.tensor(True).item()) is bool
    assert type(wg.tensor(1j).item()) is complex


@pytest.mark.parametrize("convert", [float, int, complex, lambda x: x.item()])
def test_several_elements_are_not_a_number(convert):
    with pytest.raises(ShapeError, match=r"only a tensor of one element is a scalar, and this one has shape \(2,\)"):
        convert(wg.tensor([1.0, 2.0]))


def test_truth():
    assert wg.tensor(1.0)
    assert not wg.tensor([0])
    with pytest.raises(
        ShapeError, match=r"truth value of a tensor of shape \(2,\) is ambiguous; use x.any\(\) or x.all"
    ):
        bool(wg.tensor([1.0, 2.0]))
    with pytest.raises(ShapeError, match="ambiguous"):
        bool(wg.tensor([]))


def test_integer_tensors_are_indices():
    assert ["a", "b", "c"][wg.tensor(1)] == "b"
    assert list(range(wg.tensor(3))) == [0, 1, 2]
    with pytest.raises(DTypeError, match="only integer tensors can be an index, and this one is float64"):
        ["a"][wg.tensor(0.0)]


# -- sequences ------------------------------------------------------------------------------------------------------


def test_length_and_iteration():
    x = wg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert len(x) == 2
    first, second = x
    (first * second).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert list(wg.tensor([])) == []


def test_zero_dimensions_cannot_be_iterated():
    with pytest.raises(DTypeError, match=r"len\(\) of a 0-d tensor"):
        len(wg.tensor(1.0))
    with pytest.raises(DTypeError, match=r"iteration over a 0-d tensor; use x\.item"):
        iter(wg.tensor(1.0))


def test_membership():
    assert 2 in wg.tensor([1, 2])
    assert 3 not in wg.tensor([1, 2])


def test_tolist():
    assert wg.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert tracked(2).tolist() == [1.0, 1.0]


# -- text -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (wg.tensor(2.0), "tensor(2.)"),
        (wg.tensor([1, 2]), "tensor([1, 2])"),
        (wg.tensor([True]), "tensor([ True])"),
        (wg.tensor([1.0], dtype="float32"), "tensor([1.], dtype=float32)"),
        (wg.tensor(np.ones((0, 3))), "tensor([], shape=(0, 3), dtype=float64)"),
        (wg.tensor([]), "tensor([], dtype=float64)"),
        (wg.tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
        (wg.tensor([1.0], requires_grad=True) * 2, "tensor([2.], grad_fn=<MulBackward>)"),
        (wg.tensor([[1.0, 2.0], [3.0, 4.0]]), "tensor([[1., 2.],\n        [3., 4.]])"),
    ],
)
def test_repr(x, text):
    assert repr(x) == str(x) == text


def test_long_tensors_are_abridged():
    assert len(repr(wg.tensor(np.arange(100_000.0)))) < 200


def test_format():
    assert f"{wg.tensor(2.0):.3f}" == "2.000"
    assert f"{wg.tensor([1.0, 2.5]):.2f}" == "[1.00, 2.50]"
    assert f"{wg.tensor([1, 2])}" == "tensor([1, 2])"


# -- arrays ---------------------------------------------------------------------------------------------------------


def test_numpy_gives_a_read_only_view():
    x = wg.tensor([1.0, 2.0])
    array = x.numpy()
    assert np.shares_memory(array, x._value)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 5.0
    assert x.tolist() == [1.0, 2.0]


def test_a_tracked_tensor_does_not_become_an_array():
    x = tracked(2)
    with pytest.raises(GradientError, match=r"x\.numpy\(\) would silently cut .* write x\.detach\(\)\.numpy\(\)"):
        x.numpy()
    with pytest.raises(GradientError, match=r"write x\.detach\(\)\.numpy\(\)"):
        np.asarray(x)
    assert x.detach().numpy().tolist() == [1.0, 1.0]


def test_array_protocol():
    x = wg.tensor([1.5, 2.5])
    assert not np.asarray(x).flags.writeable
    assert np.asarray(x, dtype="float32").dtype == np.float32
    mine = np.array(x)
    mine[0] = 7.0
    assert x.tolist() == [1.5, 2.5]
    with pytest.raises(ShapeError, match="without a copy"):
        np.asarray(x, dtype="float32", copy=False)


def test_array_namespace():
    assert wg.tensor(1.0).__array_namespace__() is wg


def test_dlpack():
    x = wg.tensor([1.0, 2.0])
    array = np.from_dlpack(x)
    assert array.tolist() == [1.0, 2.0]
    assert not array.flags.writeable
    assert x.__dlpack_device__() == (1, 0)
    with pytest.raises(GradientError, match=r"DLPack"):
        np.from_dlpack(tracked(2))


def test_dlpack_for_old_consumers_is_a_copy():
    x = wg.tensor([1.0, 2.0])

    class Old:
        def __dlpack__(self, **_):
            return x.__dlpack__()

        def __dlpack_device__(self):
            return x.__dlpack_device__()

    array = np.from_dlpack(Old())
    assert not np.shares_memory(array, x._value)
    with pytest.raises(BufferError, match=r"DLPack before 1\.0"):
        x.__dlpack__(copy=False)


# -- copies and pickles ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_of_a_leaf_is_a_leaf_of_its_own(duplicate):
    x = wg.tensor([1.0, 2.0], dtype="float32", requires_grad=True)
    y = duplicate(x)
    assert type(y) is wg.Tensor
    assert y.requires_grad
    assert y.is_leaf
    assert y.dtype == np.float32
    (y * 3).sum().backward()
    assert x.grad is None
    assert y.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_parameters_stay_parameters(duplicate):
    p = wg.nn.Parameter([1.0, 2.0])
    assert type(duplicate(p)) is wg.nn.Parameter
    assert duplicate(p).requires_grad


@pytest.mark.parametrize(("duplicate", "name"), [(copy.deepcopy, "deepcopy"), (pickle.dumps, "pickle")])
def test_a_result_is_neither_deep_copied_nor_pickled(duplicate, name):
    with pytest.raises(GradientError, match=rf"{name}: this tensor is the result of MulBackward.* x\.detach\(\)"):
        duplicate(tracked(2) * 2)


def test_a_shallow_copy_of_a_result_is_another_handle_on_it():
    x = tracked(2)
    y = x * 2
    z = copy.copy(y)
    z += 1
    assert y.tolist() == [2.0, 2.0]
    z.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_deepcopy_takes_the_gradient_along():
    x = tracked(2)
    (x * x).sum().backward()
    y = copy.deepcopy([x, x])
    assert y[0] is y[1]
    assert y[0].grad.tolist() == [2.0, 2.0]
    assert y[0].grad is not x.grad


def test_subclasses_keep_their_attributes():
    x = Labelled([1.0])
    x.label = "weight"
    for y in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(y) is Labelled
        assert y.label == "weight"


class Labelled(wg.Tensor):
    label: str


# -- inside transforms ----------------------------------------------------------------------------------------------


def test_a_dual_number_has_a_value():
    with running(JvpLevel()) as level:
        x = level.dual(wg.tensor(2.0), wg.tensor(1.0))
        assert float(x) == 2.0
        assert bool(x > 1.0)
        with pytest.raises(TransformError, match="would lose the tangent"):
            np.asarray(x)
        assert x.detach().numpy() == 2.0
        with pytest.raises(TransformError, match="belongs to a running transform"):
            copy.deepcopy(x)


@pytest.mark.parametrize("convert", [float, bool, lambda x: x.item(), np.asarray, lambda x: x.tolist()])
def test_a_batched_tensor_has_no_value(convert):
    with running(VmapLevel(3)) as level:
        x = level.batched(wg.tensor([1.0, 2.0, 3.0]))
        with pytest.raises(TransformError, match=r"inside vmap it differs along the batch.*wengert\.where"):
            convert(x)
