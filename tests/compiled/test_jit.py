"""``jit``: the values and derivatives of the function, under every transform; caching; errors."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.llvm.program import Program
from wengert.core.interpreter import interpret
from wengert.core.tracing import trace_flat
from wengert.passes import optimize

RNG = np.random.default_rng(0)
X = RNG.standard_normal(5)


def f(x: Any) -> Any:
    return (wg.sin(x) ** 2 * x[::-1]).sum()


def same(one: Any, other: Any) -> None:
    for a, b in zip(wg.tree_leaves(one), wg.tree_leaves(other), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "transform",
    [
        lambda g: g,
        wg.grad,
        wg.hessian,
        wg.jacfwd,
        wg.jacrev,
        lambda g: wg.grad(lambda x: wg.grad(g)(x).sum()),
        lambda g: lambda x: wg.jvp(g, (x,), (x,)),
        lambda g: lambda x: wg.vmap(g)(wg.stack([x, 2 * x])),
        lambda g: lambda x: wg.vmap(wg.grad(g))(wg.stack([x, 2 * x])),
        lambda g: wg.checkpoint(g),
        lambda g: lambda x: wg.hvp(g, (x,), (x,)),
    ],
)
def test_jit_and_transforms_in_both_orders(transform: Callable[..., Any]) -> None:
    expected = transform(f)(wg.tensor(X))
    same(transform(wg.jit(f))(wg.tensor(X)), expected)
    same(wg.jit(transform(f))(wg.tensor(X)), expected)
    same(wg.jit(transform(wg.jit(f)))(wg.tensor(X)), expected)


def test_backward_through_a_compiled_function_in_eager_mode() -> None:
    x = wg.tensor(X, requires_grad=True)
    w = wg.tensor(2.0, requires_grad=True)
    g = wg.jit(lambda x: f(x) * w)
    for _ in range(2):
        x.grad = w.grad = None
        g(x).backward()
        same(x.grad, 2 * wg.grad(f)(X))
        same(w.grad, f(wg.tensor(X)))


def test_what_the_closure_tracks_is_read_at_every_call() -> None:
    layer = wg.nn.Linear(5, 2)
    g = wg.jit(layer)
    optimizer = wg.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(3):
        loss = (g(wg.tensor(X)) ** 2).sum()
        same(loss, (layer(wg.tensor(X)) ** 2).sum())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert g.cache_info().misses == 1


def test_a_container_is_not_taken_for_what_is_in_it() -> None:
    g = wg.jit(lambda x: x["a"] * 2 if isinstance(x, dict) else x[0] * 5 if isinstance(x, tuple) else x)
    a = wg.ones(3)
    for _ in range(3):
        assert g({"a": a}).tolist() == [2.0, 2.0, 2.0]
        assert g(a).tolist() == [1.0, 1.0, 1.0]
        assert g((a,)).tolist() == [5.0, 5.0, 5.0]


def test_a_closure_over_a_running_transform_is_not_remembered() -> None:
    outside: dict[str, Any] = {}
    g = wg.jit(lambda y: outside["x"] * y)

    def f(x: Any) -> Any:
        outside["x"] = x
        return g(wg.tensor(3.0))

    for _ in range(2):
        assert wg.vmap(f)(wg.tensor([1.0, 2.0])).tolist() == [3.0, 6.0]
        assert wg.jvp(f, (2.0,), (1.0,))[1].item() == 3.0
        assert wg.jit(f)(2.0).item() == 6.0


def test_one_program_for_each_kind_of_arguments() -> None:
    traces = []
    g = wg.jit(lambda x, k=1.0: traces.append(1) or x * k)
    for x in (np.ones(3), np.ones(3) * 2, np.ones(4), np.ones(3, "float32")):
        assert g(x).dtype == x.dtype
    assert g(np.ones(3), k=2.0).tolist() == [2.0, 2.0, 2.0]
    assert len(traces) == g.cache_info().misses == 4
    assert "float32[3]" in wg.explain_recompiles()


def test_results_are_tensors_whatever_the_arguments() -> None:
    for found in (
        wg.jit(lambda x: x * 2)(1.5),
        wg.trace(lambda x: x * 2)(1.0)(1.5),
        wg.jit(lambda: wg.ones(3).sum())(),
    ):
        assert isinstance(found, wg.Tensor)
    assert isinstance(wg.scan(lambda c, _: (c, wg.ones(2)), None, length=2)[1], wg.Tensor)


def test_static_arguments() -> None:
    g = wg.jit(lambda x, n: x**n if n > 1 else x, static_argnums=1)
    assert g(wg.tensor(3.0), 2).item() == 9.0
    assert g(wg.tensor(3.0), n=1).item() == 3.0
    assert g(wg.tensor(3.0), 3).item() == 27.0
    named = wg.jit(lambda x, power: x**power, static_argnames="power")
    assert named(wg.tensor(3.0), power=2).item() == named(wg.tensor(3.0), 2).item() == 9.0
    with pytest.raises(wg.TransformError, match="hashable"):
        g(wg.tensor(3.0), [2])


def test_control_flow_on_values_is_an_error_with_the_line() -> None:
    with pytest.raises(wg.TraceError, match=r"test_jit.py:\d+"):
        wg.jit(lambda x: x if x > 0 else -x)(1.0)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "bool"])
def test_dtypes_and_layouts(dtype: str) -> None:
    base = RNG.integers(0, 2, (6, 8)).astype(dtype)
    g = lambda a: (a * 2 + a, a.sum(axis=0), a.T, a[1:, ::2], wg.where(a > 0, a, a * a))  # noqa: E731
    for a in (
        base,
        base.T,
        base[::2, ::-1],
        base[:1],
        base[:, 3],
        np.asarray(base[0, 0]),
        np.broadcast_to(base[0], (6, 8)),
    ):
        if a.ndim == 2:
            same(wg.jit(g)(a), g(wg.tensor(a)))
        same(wg.jit(lambda a: a * 2 + a)(a), wg.tensor(a) * 2 + wg.tensor(a))


def test_empty_arrays_and_complex_numbers() -> None:
    g = wg.jit(lambda a: (a * 2, a.sum(), a.reshape(-1)))
    same(g(np.zeros((0, 3))), (wg.zeros((0, 3)), wg.tensor(0.0), wg.zeros(0)))
    z = X + 1j
    same(wg.jit(lambda z: (z * z.conj(), wg.exp(z)[::2]))(z), (wg.tensor(z * z.conj()), wg.tensor(np.exp(z)[::2])))


def test_results_are_fresh_arrays() -> None:
    a = np.ones(3)
    g = wg.jit(lambda x: (x, x[1:], x + 1, wg.tensor([5.0, 6.0])))
    for _ in range(3):
        for y in g(a):
            out = y.detach().numpy()
            assert not np.shares_memory(out, a)
    assert a.tolist() == [1.0, 1.0, 1.0]
    assert [y.tolist() for y in g(a)] == [[1.0, 1.0, 1.0], [1.0, 1.0], [2.0, 2.0, 2.0], [5.0, 6.0]]


def native(function: Callable[..., Any], *xs: Any) -> tuple[Program, Any, Any]:
    arrays = [np.array(x) for x in xs]
    traced = trace_flat(lambda *a: wg.tree_leaves(function(*a)), [wg.TensorSpec(x.shape, x.dtype) for x in arrays])
    graph = optimize(traced).graph
    program = Program(graph)
    return program, program.run(arrays), interpret(graph, arrays)


def cell(h: Any, x: Any) -> Any:
    return wg.tanh(h * 0.5 + x), h.sum()


def nested(x: Any) -> Any:
    inner = lambda c, _: (wg.fori_loop(0, 3, lambda i, v: wg.sin(v) + i * 0.1, c), None)  # noqa: E731
    return wg.scan(inner, x, length=4, checkpoint=2)[0].sum()


A, B = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 300))
LOOPS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (lambda h, xs: wg.scan(cell, h, xs), (A[0], RNG.standard_normal((7, 3)))),
    (lambda h, xs: wg.scan(cell, h, xs, reverse=True), (B[0], RNG.standard_normal((7, 300)))),
    (wg.grad(lambda h, xs: wg.scan(cell, h, xs)[1].sum(), (0, 1)), (A[0], RNG.standard_normal((7, 3)))),
    (wg.grad(lambda h, xs: wg.scan(cell, h, xs)[1].sum(), (0, 1)), (A[0], RNG.standard_normal((1, 3)))),
    (lambda a, b: wg.scan(lambda c, _: ((c[1], c[0]), c[0].sum()), (a, b), length=5), (A[0], A[1])),
    (lambda a, b: wg.scan(lambda c, _: ((c[1], c[0]), c[0].sum()), (a, b), length=5), (B[0], B[1])),
    (lambda a: wg.scan(lambda c, _: (c[::-1], c), a, length=5), (A[0],)),
    (lambda a: wg.scan(lambda c, _: (c.T, c), a, length=5), (RNG.standard_normal((40, 40)),)),
    (lambda a, w: wg.scan(lambda c, x: (c + w[::2, :3] @ x, c[0]), a, w[:5, ::2]), (A[0], RNG.standard_normal((6, 6)))),
    (lambda a: wg.while_loop(lambda v: v.sum() < 1e3, lambda v: v * 2 + 1, a), (np.abs(A[0]),)),
    (lambda a: wg.while_loop(lambda v: v.sum() < -1e3, lambda v: v * 2 + 1, a), (np.abs(A[0]),)),
    (wg.value_and_grad(lambda x: wg.cond(x.sum() > 0, lambda v: (v**2).sum(), lambda v: -wg.sin(v).sum(), x)), (A[0],)),
    (wg.value_and_grad(lambda x: wg.cond(x.sum() < 0, lambda v: (v**2).sum(), lambda v: -wg.sin(v).sum(), x)), (A[0],)),
    *((lambda i, x: wg.switch(i, [wg.sin, wg.cos, wg.exp], x), (k, B[0])) for k in (-4, 0, 1, 2, 9)),
    (wg.value_and_grad(nested), (A[0],)),
    (wg.hessian(nested), (A[0],)),
]


@pytest.mark.parametrize(("function", "xs"), LOOPS)
def test_loops_and_branches_are_native(function: Callable[..., Any], xs: Any) -> None:
    program, found, expected = native(function, *xs)
    assert program.schedule.hosts == []
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_products_of_all_kinds() -> None:
    for n in (2, 5, 12, 40):
        a, b, v = RNG.standard_normal((n, n)), RNG.standard_normal((n, n)), RNG.standard_normal(n)
        kinds = lambda a, b, v: [a @ b, a @ v, v @ a, v @ v, a.T @ b, a @ b.T, a[::2, ::2] @ b[: (n + 1) // 2]]  # noqa: E731, B023
        for size in ("float64", "float32"):
            program, found, expected = native(kinds, *(x.astype(size) for x in (a, b, v)))
            assert program.schedule.hosts == []
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-4 if size == "float32" else 1e-11, atol=1e-4)


def test_what_numpy_computes_is_named() -> None:
    text = wg.jit(lambda x: wg.scipy.linalg.logm(x[:, None] * x) * 2 + wg.sin(x)).lower(X).report()
    assert "not native: 1" in text
    assert "logm is not compiled" in text
    assert "everything is native" in wg.jit(f).lower(X).report()


def test_lowering_shows_graph_ir_and_assembly() -> None:
    lowered = wg.jit(f).lower(X)
    assert "define" in lowered.ir
    assert "ret" in lowered.asm
    assert lowered.graph.counts["sin"] == 1


def test_eight_threads_share_a_program() -> None:
    g = wg.jit(lambda x: wg.scan(lambda c, v: (wg.sin(c) + v, c), x[0], x)[1])
    inputs = [RNG.standard_normal((500, 40)) for _ in range(8)]
    expected = [g(x).numpy() for x in inputs]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(20):
            if not np.array_equal(g(inputs[k]).numpy(), expected[k]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_arena_is_no_larger_than_it_must_be() -> None:
    def layers(x: Any) -> Any:
        for _ in range(30):
            x = wg.sin(x @ wg.ones((40, 40)))
        return x

    program, _, _ = native(layers, RNG.standard_normal((40, 40)))
    assert program.arena.bound <= program.arena.size <= 1.05 * program.arena.bound


# -- the cache on disk ----------------------------------------------------------------------------------------------

SCRIPT = "import wengert as wg, numpy as np; print(wg.jit(lambda x: (wg.sin(x) * x).sum())(np.arange(50.0)).item())"


def run_script(**environment: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def test_a_second_process_finds_the_code_and_ignores_damage(tmp_path: Path) -> None:
    first = run_script(WENGERT_CACHE=str(tmp_path))
    # The program, and the sine of far angles, which programs share.
    entries = [path for path in tmp_path.iterdir() if path.stat().st_size > 1]
    assert len(entries) == 2
    before = [entry.stat().st_mtime_ns for entry in entries]
    assert run_script(WENGERT_CACHE=str(tmp_path)) == first
    assert set(tmp_path.iterdir()) == set(entries)
    assert all(entry.stat().st_mtime_ns >= time for entry, time in zip(entries, before, strict=True))
    for entry in entries:
        entry.write_bytes(os.urandom(500))
    assert run_script(WENGERT_CACHE=str(tmp_path)) == first


def test_the_cache_can_be_off_or_out_of_reach(tmp_path: Path) -> None:
    expected = float(run_script(WENGERT_CACHE="0"))
    assert float(run_script(WENGERT_CACHE="/proc/nowhere")) == expected
    assert float(run_script(WENGERT_CACHE=str(tmp_path), WENGERT_CPU="x86-64")) == pytest.approx(expected, rel=1e-12)


def test_the_state_of_a_loop_may_be_larger_than_the_stack() -> None:
    x = np.random.default_rng(0).normal(size=(1500, 1500))
    turned = wg.jit(lambda c: wg.scan(lambda c, _: (c.T, None), c, np.arange(3.0))[0])
    assert np.array_equal(turned(x).numpy(), x.T)


def test_an_index_out_of_range_is_an_error_that_names_the_line() -> None:
    x, rows = np.ones((4, 3)), np.array([0, 7])
    with pytest.raises(wg.IndexRangeError, match="index 7 is out of bounds for axis 0 with size 4"):
        wg.jit(lambda x, i: x[i])(x, rows)
    with pytest.raises(wg.IndexRangeError, match="index 7"):
        wg.jit(lambda x, i: wg.scan(lambda c, k: (c + x[k].sum(), None), 0.0, i)[0])(x, rows)


def test_a_copy_made_for_a_product_is_not_read_before_it_is_made() -> None:
    x, w = np.arange(24.0).reshape(4, 6), np.arange(9.0).reshape(3, 3)

    def f(x: Any, w: Any) -> Any:
        part = x[::2, ::2]
        early = w[:2] + 1
        return part @ w, early + part

    for got, expected in zip(wg.jit(f)(x, w), f(x, w), strict=True):
        assert np.array_equal(got.numpy(), expected)


def test_checkpoints_and_rules_of_users_are_native() -> None:
    @wg.custom_vjp
    def twice(x: Any) -> Any:
        return wg.sin(x) * 2

    twice.defvjp(lambda x: (wg.sin(x) * 2, x), lambda x, g: (g * 2 * wg.cos(x),))
    x = np.random.default_rng(0).normal(size=(4, 3))
    for loss in (
        lambda x: (wg.checkpoint(lambda x: wg.sin(wg.cos(x @ x.T)))(x) ** 2).sum(),
        lambda x: (twice(x) ** 2).sum(),
        lambda x: wg.scan(lambda c, v: (twice(c) + wg.checkpoint(wg.tanh)(v).sum(), None), x[0].sum(), x)[0],
    ):
        for g in (loss, wg.grad(loss), wg.grad(lambda x, loss=loss: (wg.grad(loss)(x) ** 2).sum())):
            assert not wg.jit(g).lower(x).program.schedule.hosts
            np.testing.assert_allclose(wg.jit(g)(x).numpy(), g(wg.tensor(x)).numpy(), rtol=1e-12, atol=1e-12)


# -- static arguments and keywords, by the short way too -----------------------------------------------------------


def test_static_arguments_of_other_types_are_other_programs() -> None:
    f = wg.jit(lambda x, n: x * n, static_argnums=1)
    x = np.arange(3)
    for _ in range(3):
        assert f(x, 2).dtype == np.int64
        assert f(x, 2.0).dtype == np.float64
        assert f(x, True).dtype == np.int64
    assert f.cache_info().currsize == 3


def test_keywords_in_any_order_and_static_ones() -> None:
    f = wg.jit(lambda x, *, scale, shift, kind="sum": getattr(wg, kind)(x * scale + shift), static_argnames="kind")
    x = np.arange(4.0)
    for _ in range(4):
        assert f(x, scale=2.0, shift=1.0).item() == 16
        assert f(x, shift=1.0, scale=2.0).item() == 16
        assert f(x, scale=2.0, shift=1.0, kind="max").item() == 7
        assert f(x, kind="max", shift=np.ones(4), scale=2.0).item() == 7
    assert f.cache_info().currsize == 3
    with pytest.raises(TypeError):
        f(x, scale=2.0)
    with pytest.raises(wg.TransformError, match="hashable"):
        f(x, scale=2.0, shift=1.0, kind=["max"])
