"""Calls of compiled functions by native code: what they take, what they leave to the long way, and what they hold."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm import fastcall as module
from wengert.compile.entry import MISSED

Pair = namedtuple("Pair", ["left", "right"])


def ready(f, *args):
    """``f`` compiled, and the entry that has the short way for these arguments."""
    g = wg.jit(f)
    for _ in range(2):
        g(*args)
    (entry,) = g._ready[()]
    assert entry._native is not None
    return g, entry


def test_this_process_has_objects_as_expected():
    assert module.possible()


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "int32", "bool", "uint8"])
def test_arrays_and_tensors(dtype):
    x = np.array([[0, 1, 2], [3, 0, 5]], dtype)
    _, entry = ready(lambda x: (x, x.T, x[0] * x[1]), x)
    for given in (x, wg.tensor(x)):
        same, turned, product = entry.call((given,))
        np.testing.assert_array_equal(same.numpy(), x)
        np.testing.assert_array_equal(turned.numpy(), x.T)
        np.testing.assert_array_equal(product.numpy(), x[0] * x[1])
        assert not np.shares_memory(same.numpy(), x)


def test_numbers():
    x = np.arange(3.0)
    _, entry = ready(lambda x, s, n: x * s + n, x, 2.0, 3)
    np.testing.assert_array_equal(entry.call((x, -0.5, -7)).numpy(), x * -0.5 - 7)
    assert np.isnan(entry.call((x, float("nan"), 0)).numpy()).all()
    for s, n in [(2, 3), (2.0, 3.0), (2.0, True), (np.float64(2), 3), (2.0, 2**63), (2.0, -(2**64)), ("2", 3)]:
        assert entry.call((x, s, n)) is MISSED
    assert entry.call((x, 1.0, 2**63 - 1)) is not MISSED


def test_an_integer_too_large_is_no_pending_error():
    f, _ = ready(lambda n: n + 1, 3)
    with pytest.raises((OverflowError, wg.WengertError)):
        f(2**70)
    assert f(4).item() == 5


@pytest.mark.parametrize(
    "other",
    [
        np.ones(4),
        np.ones((3, 1)),
        np.ones(3, np.float32),
        np.ones(6)[::2],
        np.ones(3, ">f8"),
        np.array(1.0),
        [1.0, 1.0, 1.0],
        1.0,
        None,
        np.ma.masked_array(np.ones(3)),
    ],
    ids=repr,
)
def test_what_it_does_not_know_goes_the_long_way(other):
    _, entry = ready(lambda x: x * 2, np.ones(3))
    assert entry.call((other,)) is MISSED


def test_too_many_or_too_few_arguments():
    f, entry = ready(lambda x, y=1.0: x * y, np.ones(3))
    assert entry.call(()) is MISSED
    assert entry.call((np.ones(3), 2.0)) is MISSED
    assert f(np.ones(3), 2.0).tolist() == [2, 2, 2]
    with pytest.raises(TypeError):
        f()


def test_gradients_flow_through_tracked_tensors_after_short_calls():
    f, entry = ready(lambda x: (x**3).sum(), np.ones(3))
    x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert entry._native(x) is None
    f(x).backward()
    assert x.grad.tolist() == [3, 12, 27]
    with wg.no_grad():
        assert f(x)._node is None
    assert wg.grad(f)(np.array([1.0, 2.0, 3.0])).tolist() == [3, 12, 27]


def test_containers():
    tree = {"b": (np.ones(2), [np.zeros(3), None]), "a": Pair(np.ones(1), OrderedDict(z=np.ones(2), y=1.5))}

    def f(tree):
        double = wg.tree_map(lambda x: x * 2, tree)
        return {"all": double, "none": None, "empty": ()}

    _, entry = ready(f, tree)
    found = entry.call((tree,))
    assert found is not MISSED
    assert list(found) == ["all", "empty", "none"]
    assert found["none"] is None
    assert found["empty"] == ()
    assert type(found["all"]["a"]) is Pair
    assert type(found["all"]["a"].right) is OrderedDict
    assert found["all"]["a"].right["y"].item() == 3
    assert found["all"]["b"][0].tolist() == [2, 2]
    turned = {"a": tree["a"], "b": tree["b"]}
    assert entry.call((turned,)) is not MISSED


@pytest.mark.parametrize(
    "other",
    [
        {"a": np.ones(2)},
        {"a": np.ones(2), "c": (np.ones(2),)},
        {"a": np.ones(2), "b": (np.ones(2),), "c": 1.0},
        {"a": np.ones(2), "b": [np.ones(2)]},
        {"a": np.ones(2), "b": (np.ones(2), np.ones(2))},
        {"a": np.ones(2), "b": ()},
        OrderedDict(a=np.ones(2), b=(np.ones(2),)),
        {"a": np.ones(2), "b": np.ones((1, 2))},
        {"a": [np.ones(2)], "b": (np.ones(2),)},
    ],
)
def test_containers_of_another_structure(other):
    _, entry = ready(lambda t: t["a"] + t["b"][0], {"a": np.ones(2), "b": (np.ones(2),)})
    assert entry.call((other,)) is MISSED


def test_a_failure_is_reported_by_the_long_way_every_time():
    f, entry = ready(lambda x, i: x[i], np.arange(3.0), np.array(1))
    for _ in range(3):
        assert entry._native(np.arange(3.0), np.array(7)) is None
        with pytest.raises(IndexError):
            f(np.arange(3.0), np.array(7))
        assert f(np.arange(3.0), np.array(2)).item() == 2
        assert entry._native(np.arange(3.0), np.array(2)).item() == 2


def test_references_are_given_back():
    x, t = np.ones(3), wg.tensor([1.0, 2.0, 3.0])
    f, entry = ready(lambda x, t: (x + t, x.sum()), x, t)
    dtype, tensors = np.dtype("float64"), type(t)
    before = [sys.getrefcount(one) for one in (x, t, t._value, None, dtype, tensors)]
    for _ in range(1000):
        f(x, t)
        assert entry.call((x, 1.0)) is MISSED
    after = [sys.getrefcount(one) for one in (x, t, t._value, None, dtype, tensors)]
    assert max(abs(b - a) for a, b in zip(before, after, strict=True)) < 20


def test_results_are_tensors_like_any_other():
    f, _ = ready(lambda x: (x + 1, x.sum()), np.ones(3))
    first, total = f(np.ones(3))
    again, _ = f(np.full(3, 5.0))
    assert first.tolist() == [2, 2, 2]
    assert again.tolist() == [6, 6, 6]
    assert total.shape == ()
    assert gc.is_tracked(first)
    gone = weakref.ref(first)
    del first
    assert gone() is None
    again.requires_grad_()
    (again**2).sum().backward()
    assert again.grad.tolist() == [12, 12, 12]


def test_from_a_finaliser_while_it_is_busy_with_its_results():
    f, _ = ready(lambda x: tuple(x * k for k in range(20)), np.ones(3))
    found = []

    class Knot:
        def __init__(self):
            self.me = self

        def __del__(self):
            found.append(f(np.full(3, 2.0))[1].tolist())

    threshold = gc.get_threshold()
    gc.set_threshold(3, 1, 1)
    try:
        for _ in range(300):
            Knot()
            outs = f(np.full(3, 5.0))
            assert [y.tolist() for y in outs] == [[5.0 * k] * 3 for k in range(20)]
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert len(found) == 300
    assert all(one == [2.0] * 3 for one in found)


def test_several_threads_at_once():
    def f(x):
        return wg.scan(lambda c, _: (wg.sin(c) + x, c.sum()), x, None, length=200)

    g, entry = ready(f, np.ones(500))
    inputs = [np.linspace(0, k, 500) for k in range(1, 9)]
    wanted = [[y.numpy() for y in g(x)] for x in inputs]
    wrong = []

    def work(k):
        for _ in range(20):
            found = entry.call((inputs[k],))
            if not all(np.array_equal(a.numpy(), b) for a, b in zip(found, wanted[k], strict=True)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []


def test_without_it_results_are_the_same(monkeypatch):
    monkeypatch.setattr(module, "possible", lambda: False)
    f = wg.jit(lambda t: {"y": t["x"] * t["s"]})
    for _ in range(3):
        assert f({"x": np.ones(2), "s": 3.0})["y"].tolist() == [3, 3]
    assert f._ready[()][0]._native is None


def test_kinds_in_turn():
    f = wg.jit(lambda x: x * 2)
    shapes = [(k,) for k in range(12)]
    for _ in range(3):
        for shape in shapes:
            assert f(np.ones(shape)).shape == shape
    assert f.cache_info() == (24, 12, 12)


def test_random_trees():
    rng = np.random.default_rng(0)

    def tree(depth):
        kind = rng.integers(5 if depth else 1)
        if kind == 0:
            return rng.normal(size=rng.integers(0, 3))
        count = rng.integers(0, 4)
        children = [tree(depth - 1) for _ in range(count)]
        if kind == 1:
            return tuple(children)
        if kind == 2:
            return children
        if kind == 3:
            return {f"k{j}": child for j, child in enumerate(children)}
        return Pair(tree(depth - 1), None)

    for _ in range(40):
        x = tree(3)
        f = wg.jit(lambda x: wg.tree_map(lambda y: y + 1, x))
        wanted = wg.tree_map(lambda y: y + 1, x)
        for _ in range(2):
            found = f(x)
            assert wg.tree_structure(found) == wg.tree_structure(wanted)
            pairs = zip(wg.tree_leaves(found), wg.tree_leaves(wanted), strict=True)
            assert all(np.array_equal(a.numpy(), b) for a, b in pairs)


def test_an_array_kept_for_the_backward_pass_is_a_copy():
    f, _ = ready(lambda w, x: (w * x).sum(), np.ones(3), np.ones(3))
    w, x = wg.tensor(np.ones(3), requires_grad=True), np.array([1.0, 2.0, 3.0])
    y = f(w, x)
    x[:] = 0
    y.backward()
    assert w.grad.tolist() == [1, 2, 3]


def test_parameters_of_a_module_by_the_closure():
    layer = wg.nn.Linear(3, 2)
    f = wg.jit(lambda x: (layer(x) ** 2).sum())
    x = np.ones((4, 3))
    for _ in range(3):
        layer.zero_grad()
        f(x).backward()
        found = layer.weight.grad.numpy().copy()
        layer.zero_grad()
        (layer(x) ** 2).sum().backward()
        np.testing.assert_allclose(found, layer.weight.grad.numpy(), rtol=1e-12)
        with wg.no_grad():
            layer.weight.copy_(layer.weight * 1.5)


def test_an_array_is_not_taken_for_the_number_that_was_there_before():
    x = np.ones(3, np.float32)
    f = wg.jit(lambda x, s: x * s)
    for s, dtype in [(2.0, "float32"), (np.array(2.0), "float64"), (wg.tensor(2.0, dtype="float64"), "float64")]:
        for _ in range(3):
            assert f(x, s).dtype == dtype
    assert f(x, 2.0).dtype == "float32"
    z = np.ones(3, np.complex64)
    for s, dtype in [(2j, "complex64"), (np.array(2j), "complex128"), (2j, "complex64"), (True, "complex64")]:
        for _ in range(3):
            assert f(z, s).dtype == dtype


def test_numbers_under_another_default_dtype():
    before = wg.get_default_dtype()
    wg.set_default_dtype("float32")
    try:
        f = wg.jit(lambda s, n: s * n)
        for _ in range(4):
            assert f(2.5, 3).item() == 7.5
            assert f(2.5, 3).dtype == (lambda s, n: wg.jit(lambda s, n: s * n)(s, n))(2.5, 3).dtype
    finally:
        wg.set_default_dtype(before)
