"""Tensors made from nothing, from data and from other libraries' arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.core.errors import DTypeError, GradientError, ShapeError


def test_shapes_are_given_as_in_pytorch_or_as_in_numpy() -> None:
    for make in (wg.zeros, wg.ones, wg.empty):
        assert make(2, 3).shape == make((2, 3)).shape == make([2, 3]).shape == (2, 3)
        assert make().shape == make(()).shape == ()
        assert make(4).shape == (4,)
        assert make(np.int64(2), wg.tensor(3)).shape == (2, 3)
        assert make(0, 2).size == 0


def test_the_dtype_is_the_default_one_unless_given_or_implied() -> None:
    wg.set_default_dtype("float32")
    try:
        made = (
            wg.zeros(1),
            wg.eye(2),
            wg.full((1,), 0.5),
            wg.linspace(0, 1, 3),
            wg.arange(0.0, 1.0, 0.5),
            wg.logspace(0, 1, 2),
            wg.tri(2),
            wg.tensor(0.5),
        )
        assert {x.dtype for x in made} == {np.dtype("float32")}
        assert wg.arange(3).dtype == wg.full((2,), 1).dtype == np.int64
        assert wg.full((2,), True).dtype == np.bool_
        assert wg.zeros(2, dtype="float64").dtype == np.float64
        assert wg.tensor(np.ones(2)).dtype == np.float64
    finally:
        wg.set_default_dtype("float64")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (wg.arange(5), np.arange(5)),
        (wg.arange(1, 2, 0.25), np.arange(1, 2, 0.25)),
        (wg.arange(5, 1, -2), np.arange(5, 1, -2)),
        (wg.linspace(1, 2, 5, endpoint=False), np.linspace(1, 2, 5, endpoint=False)),
        (wg.logspace(0, 2, 4, base=2.0), np.logspace(0, 2, 4, base=2.0)),
        (wg.geomspace(1, 8, 4), np.geomspace(1, 8, 4)),
        (wg.eye(2, 3, 1), np.eye(2, 3, 1)),
        (wg.identity(2), np.identity(2)),
        (wg.tri(3, k=-1), np.tri(3, k=-1)),
        (wg.full((2, 2), 1 + 2j), np.full((2, 2), 1 + 2j)),
        (wg.fromfunction(lambda i, j: i - j, (2, 3)), np.fromfunction(lambda i, j: i - j, (2, 3))),
    ],
)
def test_values_are_numpys(ours: wg.Tensor, theirs: Any) -> None:
    assert np.array_equal(ours.numpy(), theirs)
    assert ours.dtype == theirs.dtype


def test_every_function_makes_leaves_on_request() -> None:
    x = wg.tensor([1.0, 2.0])
    for made in (
        wg.zeros(2, requires_grad=True),
        wg.full((2,), 1.0, requires_grad=True),
        wg.eye(2, requires_grad=True),
        wg.linspace(0, 1, requires_grad=True),
        wg.ones_like(x, requires_grad=True),
        wg.from_numpy(np.ones(2), requires_grad=True),
        wg.array([1.0], requires_grad=True),
    ):
        assert made.requires_grad
        assert made.is_leaf
    with pytest.raises(GradientError, match="only floating-point and complex tensors can require gradients"):
        wg.arange(3, requires_grad=True)


def test_like_functions_take_shape_and_dtype_and_dispatch() -> None:
    x = wg.tensor([[1, 2]], dtype="float32", requires_grad=True)
    for ours, theirs in ((wg.zeros_like, np.zeros_like), (wg.ones_like, np.ones_like), (wg.empty_like, np.empty_like)):
        for made in (ours(x), theirs(x)):
            assert isinstance(made, wg.Tensor)
            assert made.shape == (1, 2)
            assert made.dtype == np.float32
            assert not made.requires_grad
    assert wg.ones_like(x, dtype="int64", shape=(3,)).tolist() == [1, 1, 1]
    assert wg.zeros_like([1, 2]).dtype == np.int64
    assert np.full_like(x, 7).tolist() == [[7.0, 7.0]]


def test_full_like_keeps_a_tracked_value_in_the_graph() -> None:
    value = wg.tensor(2.0, requires_grad=True)
    (wg.full_like(wg.zeros(3), value) * wg.arange(3)).sum().backward()
    assert value.grad is not None
    assert float(value.grad) == 3.0


def test_full_keeps_a_tracked_or_traced_value_in_the_graph() -> None:
    value = wg.tensor(2.0, requires_grad=True)
    (wg.full(3, value) * wg.arange(3)).sum().backward()
    assert value.grad is not None
    assert float(value.grad) == 3.0
    assert wg.jit(lambda x: wg.full((2,), x, dtype="float32"))(1.5).tolist() == [1.5, 1.5]


@pytest.mark.parametrize("name", ["linspace", "logspace", "geomspace"])
@pytest.mark.parametrize(
    "options", [{}, {"num": 7, "endpoint": False}, {"num": 1}, {"num": 0}, {"num": 5, "dtype": "int64"}]
)
@pytest.mark.parametrize(("start", "stop"), [(0.5, 3.7), (1, 4), (np.array([0.5, 2]), 5.0)])
def test_ranges_between_tensors_are_numpys(name: str, options: dict[str, Any], start: Any, stop: Any) -> None:
    ours, theirs = getattr(wg, name), getattr(np, name)(start, stop, **options)
    for made in (ours(wg.tensor(start), stop, **options), wg.jit(lambda a, b: ours(a, b, **options))(start, stop)):
        assert made.dtype == theirs.dtype
        np.testing.assert_allclose(made.numpy(), theirs, rtol=1e-13)


@pytest.mark.parametrize("name", ["linspace", "logspace", "geomspace"])
@pytest.mark.parametrize("endpoint", [True, False])
def test_ranges_are_differentiated_by_their_ends(name: str, endpoint: bool) -> None:
    def f(a: Any, b: Any) -> Any:
        return getattr(wg, name)(a, b, 5, endpoint=endpoint)

    wg.check_grads(f, (0.4, 1.3))


def test_array_keeps_the_graph_of_tensors_and_tensor_does_not() -> None:
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    joined = wg.array([[x, 2 * x], [3 * x, x]])
    assert joined.shape == (2, 2, 2)
    joined.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [7.0, 7.0]
    assert not wg.tensor([[x, x]]).requires_grad
    assert wg.asarray(x) is x
    assert wg.asarray(x, dtype="float32").grad_fn is not None


def test_from_numpy_copies_what_others_can_write_to() -> None:
    data = np.arange(3.0)
    x = wg.from_numpy(data)
    data[0] = 9
    assert x.tolist() == [0.0, 1.0, 2.0]
    view = np.arange(3.0)[:2]
    view.flags.writeable = False
    assert not np.shares_memory(wg.from_numpy(view).numpy(), view), "the base of a read-only view can be written to"
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    assert np.shares_memory(wg.from_numpy(frozen).numpy(), frozen)


def test_from_dlpack() -> None:
    data = np.arange(3.0)
    x = wg.from_dlpack(data)
    data[0] = 9
    assert x.tolist() == [0.0, 1.0, 2.0]
    assert wg.from_dlpack(x).tolist() == x.tolist()

    class Exporter:
        """Another library's array."""

        def __init__(self) -> None:
            self.memory = np.arange(2.0)

        def __dlpack__(self, **kwargs: Any) -> Any:
            return self.memory.__dlpack__(**kwargs)

        def __dlpack_device__(self) -> Any:
            return self.memory.__dlpack_device__()

    foreign = Exporter()
    y = wg.from_dlpack(foreign)
    foreign.memory[0] = 5
    assert y.tolist() == [0.0, 1.0]
    with pytest.raises(ShapeError, match="from_dlpack: the producer can still write to this memory"):
        wg.from_dlpack(foreign, copy=False)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: wg.zeros(-1), ShapeError, "zeros: the shape \\(-1,\\) has a negative length"),
        (lambda: wg.zeros(2.5), DTypeError, "zeros: a shape is integers or a tuple of them, not 2.5"),
        (lambda: wg.ones((2, "a")), DTypeError, "ones: a shape is integers or a tuple of them"),
        (lambda: wg.arange(1, 2, 0), ShapeError, "arange: step must not be zero"),
        (lambda: wg.arange(wg.tensor(3.0, requires_grad=True)), DTypeError, "arange: its arguments are numbers"),
        (lambda: wg.tensor([[1.0], [1.0, 2.0]]), DTypeError, "tensor: cannot make an array of a list"),
        (lambda: wg.tensor("text"), DTypeError, "tensors hold booleans, integers"),
        (lambda: wg.from_numpy([1.0]), DTypeError, "from_numpy: expected a numpy.ndarray, not list"),
        (lambda: wg.from_numpy(np.array(["a"])), DTypeError, "from_numpy: arrays of dtype <U1 are not supported"),
        (lambda: wg.from_dlpack(3), DTypeError, "an object of type int has no __dlpack__; use wengert.tensor"),
        (lambda: wg.asarray([1.0], copy=False), ShapeError, "asarray: a tensor never shares memory that others"),
        (lambda: wg.asarray(wg.ones(1), "int64", copy=False), ShapeError, "from float64 to int64 needs a copy"),
    ],
)
def test_bad_arguments_are_refused(call, kind: type[Exception], text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(kind, match=text):
        call()
