"""Arguments that are given away: results in their memory, the same numbers, and nothing that anybody else can see."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.compile import donation

N = 1000


@pytest.fixture(autouse=True)
def however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(donation, "WORTH", 0)


def step(p: Any, g: Any) -> Any:
    return {name: p[name] - 0.5 * g[name] for name in p}


def given() -> dict[str, Any]:
    return {name: wg.tensor(np.arange(float(N)) + k) for k, name in enumerate("abc")}


def address(x: Any) -> int:
    return int((x if isinstance(x, np.ndarray) else x.numpy()).__array_interface__["data"][0])


# -- what is taken ----------------------------------------------------------------------------------------------------


def test_results_are_in_the_memory_of_what_is_given_away() -> None:
    f = wg.jit(step, donate_argnums=0)
    p, g = given(), given()
    expected = {name: x.numpy().copy() for name, x in p.items()}
    places = {name: address(x) for name, x in p.items()}
    for _ in range(4):
        p = f(p, g)
        expected = {name: expected[name] - 0.5 * g[name].numpy() for name in expected}
    assert {name: address(x) for name, x in p.items()} == places
    for name, x in p.items():
        np.testing.assert_array_equal(x, expected[name])
    np.testing.assert_array_equal(g["a"], np.arange(float(N)))


def test_a_tensor_that_was_taken_says_so() -> None:
    f = wg.jit(lambda x: x * 2, donate_argnums=0)
    x = wg.ones(N)
    f(x)
    for use in (lambda: x + 1, lambda: x.shape, lambda: x.numpy(), lambda: f(x), lambda: wg.grad(wg.sum)(x)):
        with pytest.raises(wg.DonatedTensorError, match=r"donate_argnums.*clone"):
            use()
    assert repr(x) == str(x) == "<a tensor that was given away>"


def test_an_array_that_was_taken_is_read_only() -> None:
    f = wg.jit(lambda x: x * 2, donate_argnums=0)
    f(np.ones(N)), f(np.ones(N))
    x = np.arange(float(N))
    y = f(x)
    assert address(y) == address(x)
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 5.0
    again = f(x)
    np.testing.assert_array_equal(again, 4 * np.arange(float(N)))
    np.testing.assert_array_equal(y, 2 * np.arange(float(N)))
    # The tensor is the only one that knows of its memory once the array is gone.
    place = address(y)
    del x
    assert address(f(y)) == place


def test_adam_needs_no_memory() -> None:
    def adam(p: Any, m: Any, v: Any, g: Any) -> Any:
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        return p - 0.001 * m / (wg.sqrt(v) + 1e-8), m, v

    n = 100_000
    g = wg.linspace(0.0, 1.0, n)
    state: Any = (wg.ones(n), wg.zeros(n), wg.zeros(n))
    assert wg.jit(adam).lower(*state, g).measured_bytes > 3 * 8 * n
    f = wg.jit(adam, donate_argnums=(0, 1, 2))
    lowered = f.lower(*state, g)
    assert lowered.measured_bytes == lowered.predicted_bytes < 8 * n / 10
    for _ in range(3):
        state = f(*state, g)
    tracemalloc.start()
    for _ in range(3):
        state = f(*state, g)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * n / 10


def test_a_loop_that_starts_from_what_is_given_away() -> None:
    def f(x: Any) -> Any:
        return wg.scan(lambda c, _: (c * 0.5 + 1, None), x, None, length=5)[0]

    x = wg.tensor(np.arange(float(N)))
    expected, place = f(x).numpy(), address(x)
    y = wg.jit(f, donate_argnums=0)(x)
    assert address(y) == place
    np.testing.assert_allclose(y, expected, rtol=1e-14)


def test_an_argument_that_is_a_result() -> None:
    f = wg.jit(lambda x, y: (x, y + x), donate_argnums=(0, 1))
    x, y = wg.ones(N), wg.zeros(N)
    places = address(x), address(y)
    out = f(x, y)
    assert tuple(map(address, out)) == places
    np.testing.assert_array_equal(out[0], np.ones(N))
    np.testing.assert_array_equal(out[1], np.ones(N))


def test_by_name_and_with_static_arguments() -> None:
    def f(x: Any, n: int, y: Any) -> Any:
        return x * n + y

    compiled = wg.jit(f, static_argnums=1, donate_argnums=0)
    for call in (lambda x: compiled(x, 3, wg.ones(N)), lambda x: compiled(y=wg.ones(N), x=x, n=3)):
        x = wg.ones(N)
        place = address(x)
        assert address(call(x)) == place
        with pytest.raises(wg.DonatedTensorError):
            x.sum()
    with pytest.raises(wg.TransformError, match="static and donated"):
        wg.jit(f, static_argnums=1, donate_argnums=1)


# -- what is not ------------------------------------------------------------------------------------------------------


def shared_view() -> Any:
    x = wg.tensor(np.arange(float(N)))
    return x, x.reshape(10, -1)


def shared_array() -> Any:
    x = wg.tensor(np.arange(float(N)))
    return x, x.numpy()


def detached() -> Any:
    x = wg.tensor(np.arange(float(N)))
    return x, x.detach()


def read_only() -> Any:
    x = np.arange(float(N))
    x.flags.writeable = False
    return x, x


def view_of_an_array() -> Any:
    base = np.arange(2.0 * N)
    return base[:N], base


def strided() -> Any:
    base = np.repeat(np.arange(float(N)), 2)
    return base[::2], base


def kept_for_a_gradient() -> Any:
    w = wg.tensor(2.0, requires_grad=True)
    x = wg.tensor(np.arange(float(N)))
    return x, (x * w).sum()


@pytest.mark.parametrize(
    "make",
    [shared_view, shared_array, detached, read_only, view_of_an_array, strided, kept_for_a_gradient],
)
def test_what_something_else_can_see_is_left_alone(make: Callable[[], Any]) -> None:
    f = wg.jit(lambda x: x * 2 + 1, donate_argnums=0)
    for _ in range(4):
        x, other = make()
        before = other.detach().numpy().copy() if isinstance(other, wg.Tensor) else other.copy()
        y = f(x)
        np.testing.assert_array_equal(y, 2 * np.arange(float(N)) + 1)
        np.testing.assert_array_equal(x, np.arange(float(N)))
        np.testing.assert_array_equal(other.detach() if isinstance(other, wg.Tensor) else other, before)
        if make is kept_for_a_gradient:
            other.backward()
            np.testing.assert_array_equal(x, np.arange(float(N)))


def test_what_is_passed_twice_or_overlaps_is_left_alone() -> None:
    f = wg.jit(lambda x, y: (x + y, y * 2.0), donate_argnums=0)
    base = np.arange(float(N))
    for _ in range(4):
        x = wg.tensor(base)
        np.testing.assert_array_equal(f(x, x)[0], base * 2)
        np.testing.assert_array_equal(x, base)
        a = base.copy()
        np.testing.assert_array_equal(f(a, a)[0], base * 2)
        np.testing.assert_array_equal(f(a, a[::-1])[0], np.full(N, N - 1.0))
        np.testing.assert_array_equal(f(a, np.frombuffer(a))[0], base * 2)
        np.testing.assert_array_equal(a, base)


def test_tracked_tensors_are_left_alone() -> None:
    f = wg.jit(lambda x: (x * x).sum(), donate_argnums=0)
    g = wg.jit(lambda x: x * x, donate_argnums=0)
    x = wg.tensor(np.arange(float(N)), requires_grad=True)
    for _ in range(3):
        x.grad = None
        (f(x) + g(x).sum()).backward()
        np.testing.assert_array_equal(x.grad, 4 * np.arange(float(N)))


def test_inside_transforms() -> None:
    f = wg.jit(lambda x: wg.sin(x) * 2, donate_argnums=0)
    x = wg.linspace(0.0, 1.0, N)
    expected = 2 * np.cos(x.numpy())
    for _ in range(3):
        np.testing.assert_allclose(wg.grad(lambda v: f(v).sum())(x), expected, rtol=1e-14)
        np.testing.assert_allclose(wg.jit(lambda v: f(v) + v)(x), 2 * np.sin(x.numpy()) + x.numpy(), rtol=1e-14)
        np.testing.assert_allclose(wg.vmap(f)(x), 2 * np.sin(x.numpy()), rtol=1e-14)
    np.testing.assert_array_equal(x, np.linspace(0.0, 1.0, N))


def test_nothing_is_taken_that_no_result_can_use() -> None:
    f = wg.jit(lambda x, y: (x.sum(), y[::-1] * 2.0), donate_argnums=(0, 1))
    x, y = wg.ones(N, dtype=np.float32), wg.ones(N)
    f(x, y), f(x, y)
    np.testing.assert_array_equal(x + y, np.full(N, 2.0))


def test_a_failure_of_what_was_given_away() -> None:
    f = wg.jit(lambda x, k: (x * 2)[k], donate_argnums=0)
    g = wg.jit(lambda x, k: (x * 2, x[k]), donate_argnums=0)
    for h in (f, g):
        with pytest.raises(wg.IndexRangeError):
            h(wg.ones(N), np.array([N]))
        h(wg.ones(N), np.array([3]))


def test_little_is_not_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(donation, "WORTH", 8 * N)
    f = wg.jit(lambda x: x * 2, donate_argnums=0)
    x, y = wg.ones(N - 1), wg.ones(N)
    f(x), f(y)
    np.testing.assert_array_equal(x, np.ones(N - 1))
    assert list(f.lower(x).donated.values()) == ["not used: too little to be worth it"]
    with pytest.raises(wg.DonatedTensorError):
        y.sum()


# -- what is said -----------------------------------------------------------------------------------------------------


def test_what_becomes_of_each_argument_is_reported() -> None:
    f = wg.jit(lambda p, q, r, s: (p * 2, s @ wg.exp(q)), donate_argnums=(0, 1, 2))
    p = wg.ones(N)
    shared = p.numpy()
    lowered = f.lower(p, wg.ones((40, 40)), wg.ones(N), wg.ones((3, 40)))
    assert list(lowered.donated.values()) == [
        "becomes output 0, but is copied first: something else refers to its memory",
        "holds intermediate values",
        "not used: no result of its shape and dtype is made once it has been read",
    ]
    assert lowered.predicted_bytes == lowered.measured_bytes
    assert "becomes output 0" in lowered.report()
    np.testing.assert_array_equal(shared, np.ones(N))


def test_numbers_and_arrays_beside_what_is_donated_are_told_apart() -> None:
    f = wg.jit(lambda x, s: x * s, donate_argnums=0)
    for s, dtype in [(2.0, "float32"), (np.array(2.0), "float64"), (2, "float32"), (np.array(2), "float64")]:
        for _ in range(3):
            assert f(np.ones(100_000, np.float32), s).dtype == dtype
    g = wg.jit(lambda x, s: x * s, donate_argnums=0)
    for s, dtype in [(np.array(2.0), "float64"), (2.0, "float32"), (True, "float32")]:
        for _ in range(3):
            assert g(np.ones(100_000, np.float32), s).dtype == dtype
