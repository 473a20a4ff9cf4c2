"""Comparing derivatives with differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.backward import grad
from wengert.core.errors import GradcheckError, GradientError
from wengert.core.tensor import Tensor, wrap
from wengert.transforms.batching import vmap
from wengert.transforms.gradient import jvp


def _outputs(out: Any) -> list[Any]:
    return [y for y in (out if isinstance(out, (tuple, list)) else [out]) if isinstance(y, Tensor)]


def _tracked(inputs: Sequence[Any]) -> list[int]:
    return [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]


def _numeric(function: Callable[..., Any], inputs: Sequence[Any], i: int, k: int, eps: float) -> np.ndarray:
    """Central differences of output ``k`` by the real (and imaginary) parts of input ``i``: (inputs, outputs)."""
    base = inputs[i].detach().numpy()
    rows = []
    for unit in (1.0, 1j) if base.dtype.kind == "c" else (1.0,):
        for entry in np.ndindex(*base.shape):
            found = []
            for sign in (1, -1):
                moved = base.copy()
                moved[entry] += sign * eps * unit
                args = [wrap(moved) if j == i else x for j, x in enumerate(inputs)]
                found.append(_outputs(function(*args))[k].detach().numpy().astype(complex).ravel())
            rows.append((found[0] - found[1]) / (2 * eps))
    return np.array(rows)


def _analytic(y: Any, x: Any) -> np.ndarray:
    """The same matrix from the backward pass, one row of the result at a time."""
    count = max(1, y.size)
    columns = []
    for unit in (1.0, 1j) if y.dtype.kind == "c" else (1.0,):
        for k in range(y.size):
            seed = np.zeros(count, y.dtype)
            seed[k] = unit
            (g,) = grad(y, x, wrap(seed.reshape(y.shape)), retain_graph=True, materialize_grads=True)
            value = g.numpy()  # type: ignore[union-attr]
            parts = [value.real.ravel(), value.imag.ravel()] if value.dtype.kind == "c" else [value.ravel()]
            columns.append(np.concatenate(parts))
    matrix = np.array(columns).T.reshape(-1, len(columns))
    if y.dtype.kind == "c":
        # <u, J v> with u = 1 and u = i gives real and imaginary parts of each entry.
        return matrix[:, : y.size] + 1j * matrix[:, y.size :]
    return matrix.astype(complex)


def _compare(analytic: np.ndarray, numeric: np.ndarray, atol: float, rtol: float, what: str) -> None:
    bad = ~np.isclose(analytic, numeric, rtol=rtol, atol=atol, equal_nan=True)
    if not bad.any():
        return
    i, j = (int(n) for n in np.argwhere(bad)[0])
    a, n = analytic[i, j], numeric[i, j]
    if not np.iscomplexobj(analytic) or ((analytic.imag == 0).all() and (numeric.imag == 0).all()):
        analytic, numeric, a, n = analytic.real, numeric.real, a.real, n.real
    with np.printoptions(precision=6, threshold=60):
        raise GradcheckError(
            f"{what}: the derivative of element {j} of the output by element {i} of the input is {a} analytically "
            f"and {n} numerically ({int(bad.sum())} of {bad.size} entries differ)\nanalytic:\n{analytic.T}\n"
            f"numeric:\n{numeric.T}"
        )


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    check_forward_ad: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Compare the gradients of ``func`` by every tracked input with central differences.

    Raises ``GradcheckError`` with the entry that differs and both Jacobians (or returns ``False``). The inputs should
    be in double precision. ``check_forward_ad`` checks forward mode too, ``check_batched_grad`` that a batch of
    cotangents under ``vmap`` gives what they give one by one. ``fast_mode`` is accepted and changes nothing: the whole
    Jacobian is always compared.

    >>> import wengert as wg
    >>> wg.autograd.gradcheck(wg.sin, wg.tensor([1.0, 2.0], requires_grad=True))
    True
    """
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    chosen = _tracked(inputs)
    if not chosen:
        raise GradientError("gradcheck: no input requires a gradient")
    try:
        results = _outputs(func(*inputs))
        for k, y in enumerate(results):
            if y.dtype.kind not in "fc":
                continue
            for i in chosen:
                numeric = _numeric(func, inputs, i, k, eps)
                what = f"gradcheck: output {k}, input {i}"
                shape = numeric.shape
                analytic = _analytic(y, inputs[i]) if y.requires_grad else np.zeros(shape, complex)
                _compare(analytic.reshape(shape), numeric, atol, rtol, what)
                if check_batched_grad and y.requires_grad:
                    _check_batched(y, inputs[i], atol, rtol, f"{what}, batched")
                if check_forward_ad:
                    _compare(_forward(func, inputs, i, k).reshape(shape), numeric, atol, rtol, f"{what}, forward mode")
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check_batched(y: Any, x: Any, atol: float, rtol: float, what: str) -> None:
    """A batch of cotangents in one sweep against the same, one sweep each."""
    rng = np.random.default_rng(0)
    seeds = rng.standard_normal((2, *y.shape)).astype(y.dtype)

    def back(g: Any) -> Any:
        return grad(y, x, g, retain_graph=True, create_graph=True, materialize_grads=True)[0]

    found = vmap(back)(wrap(seeds)).detach().numpy().reshape(2, -1)
    expected = np.stack([back(wrap(seed)).detach().numpy().ravel() for seed in seeds])
    _compare(found, expected, atol, rtol, what)


def _forward(func: Callable[..., Any], inputs: Sequence[Any], i: int, k: int) -> np.ndarray:
    x = inputs[i].detach()
    rows = []
    for unit in (1.0, 1j) if x.dtype.kind == "c" else (1.0,):
        for entry in np.ndindex(*x.shape):
            direction = np.zeros(x.shape, x.dtype)
            direction[entry] = unit

            def along(v: Any) -> Any:
                return _outputs(func(*[v if j == i else z for j, z in enumerate(inputs)]))[k]

            rows.append(jvp(along, (x,), (wrap(direction),))[1].detach().numpy().astype(complex).ravel())
    return np.array(rows)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare second derivatives with differences of first ones, for random cotangents or those given."""
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    chosen = _tracked(inputs)
    results = [y for y in _outputs(func(*inputs)) if y.requires_grad]
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        draws = [
            rng.standard_normal(y.shape) + (1j * rng.standard_normal(y.shape) if y.dtype.kind == "c" else 0)
            for y in results
        ]
        seeds = [Tensor(draw.astype(y.dtype), requires_grad=True) for draw, y in zip(draws, results, strict=True)]
    else:
        seeds = list(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else [grad_outputs]

    def first(*args: Any) -> Any:
        points = list(args[: len(inputs)])
        for i in chosen:
            if not points[i].requires_grad:
                points[i] = points[i].detach().requires_grad_()
        outs = [y for y in _outputs(func(*points)) if y.requires_grad]
        cotangents = args[len(inputs) :]
        return grad(outs, [points[i] for i in chosen], cotangents, create_graph=True, materialize_grads=True)

    return gradcheck(first, (*inputs, *seeds), eps, atol, rtol, raise_exception)
