"""Memory for large results: used again, but never while somebody can see what is in it."""

from __future__ import annotations

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm import results

FLOAT = np.dtype(float)
COUNT = results.ONE
SHAPE = (COUNT // 8,)


@pytest.fixture(autouse=True)
def nothing_idle(monkeypatch: pytest.MonkeyPatch) -> Any:
    idle = results._Idle()
    monkeypatch.setattr(results, "_IDLE", idle)
    return idle


def address(x: Any) -> int:
    return int(np.asarray(x).__array_interface__["data"][0])


def large() -> np.ndarray:
    return results.fresh(SHAPE, FLOAT, COUNT)


def test_memory_is_used_again_when_the_result_is_gone() -> None:
    x = large()
    place = address(x)
    assert place % 64 == 0
    assert x.flags.writeable
    other = large()
    assert address(other) != place
    del x
    assert address(large()) == place


def test_results_of_another_size_get_other_memory(nothing_idle: Any) -> None:
    place = address(large())
    assert nothing_idle.bytes == COUNT + 64
    x = results.fresh((COUNT,), np.dtype(np.int8), COUNT)
    assert address(x) == place, "the same bytes serve any dtype"
    assert nothing_idle.bytes == 0
    large()
    results.fresh((2 * COUNT,), np.dtype(np.int8), 2 * COUNT)
    assert nothing_idle.bytes == 3 * COUNT + 2 * 64


def test_several_results_are_worth_it_before_one_is() -> None:
    assert results.worthwhile([results.ONE])
    assert not results.worthwhile([results.ONE - 1, 8])
    assert results.worthwhile([results.SEVERAL] * 2)
    assert not results.worthwhile([results.SEVERAL, results.LARGE])
    assert not results.worthwhile([results.LARGE - 1] * 1000)
    assert not results.worthwhile([])


def test_small_results_are_arrays_of_their_own(nothing_idle: Any) -> None:
    assert results.fresh((3,), FLOAT, 24).flags.owndata
    assert nothing_idle.bytes == 0


@pytest.mark.parametrize(
    "look",
    [
        lambda x: x[3:5],
        lambda x: x.reshape(2, -1).T,
        lambda x: x.view(np.int64),
        lambda x: np.asarray(memoryview(x)),
        lambda x: np.lib.stride_tricks.as_strided(x, (2, 2), (8, 8)),
        lambda x: np.from_dlpack(x),
        lambda x: x.base[8:],
        lambda x: x[5:9][1:][::-1],
    ],
    ids="slice reshape view buffer strided dlpack base chain".split(),
)
def test_memory_is_not_used_again_while_there_is_a_view(look: Any) -> None:
    x = large()
    x[:] = 7.0
    view = look(x)
    before = view.copy()
    del x
    gc.collect()
    for _ in range(3):
        large()[:] = 0.0
    np.testing.assert_array_equal(view, before)
    assert np.frombuffer(view.tobytes(), np.uint8).any()


def test_no_more_is_kept_than_the_limit(nothing_idle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "KEPT", 3 * COUNT)
    held = [large() for _ in range(6)]
    del held
    assert nothing_idle.bytes == sum(len(one) * size for size, one in nothing_idle.kept.items()) == 2 * (COUNT + 64)
    results.fresh((2 * COUNT,), np.dtype(np.int8), 2 * COUNT)
    assert {size: len(one) for size, one in nothing_idle.kept.items() if one} == {2 * COUNT + 64: 1}
    monkeypatch.setattr(results, "KEPT", 0)
    large()
    assert nothing_idle.bytes == 0


def test_nobody_waits_for_the_lock(nothing_idle: Any) -> None:
    x = large()
    with results._LOCK:
        del x
        y = large()
    assert nothing_idle.bytes == 0
    assert y.shape == SHAPE


def test_results_of_programs() -> None:
    f = wg.jit(lambda x: wg.exp(x) * 2)
    x = wg.zeros(SHAPE)
    kept = f(x)[::2]
    seen = set()
    for k in range(4):
        y = f(x + k)
        seen.add(address(y))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(y)).numpy(), y.numpy())
        np.testing.assert_allclose(y, np.full(SHAPE, 2 * np.exp(k)))
        del y
    assert len(seen) < 4
    np.testing.assert_array_equal(kept, np.full(SHAPE[0] // 2, 2.0))


def test_large_results_can_be_given_away() -> None:
    f = wg.jit(lambda x: x * 2, donate_argnums=0)
    x = f(wg.ones(SHAPE))
    for _ in range(3):
        place = address(x)
        x = f(x)
        assert address(x) == place
    view = x.numpy()
    y = f(x)
    assert address(y) != address(view)
    np.testing.assert_array_equal(view, np.full(SHAPE, 16.0))


def test_threads() -> None:
    f = wg.jit(lambda x: x + 1)

    def work(k: int) -> bool:
        x = wg.full(SHAPE, float(k))
        return all(bool((f(x).numpy() == k + 1).all()) for _ in range(10))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))
