"""Comparing derivatives of any order, in both modes, with differences and with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.core.errors import GradcheckError, GradientError
from wengert.core.levels import as_tensor
from wengert.core.pytree import tree_flatten, tree_unflatten
from wengert.core.tensor import wrap
from wengert.transforms.gradient import jvp, vjp

Function = Callable[..., Any]
Flat = Callable[[Sequence[Any]], list[Any]]

_NAMES = {"fwd": "fwd", "forward": "fwd", "rev": "rev", "reverse": "rev"}
#: By the size of a number in bytes: the step of a central difference, about the cube root of its precision, and what
#: that leaves correct.
_STEPS = {2: 0.1, 4: 5e-3, 8: 6e-6}
_TOLERANCES = {2: 0.2, 4: 5e-3, 8: 1e-6}


def check_grads(
    f: Function,
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    seed: int = 0,
) -> None:
    """Compare the derivatives of ``f`` at ``args``, up to an order, with central differences along random directions.

    Forward mode ("fwd"): ``J t`` is the difference of ``f`` along ``t``. Reverse mode ("rev"): the dot-product test,
    ``<u, J t> = <J^T u, t>``, by differences, and where forward mode is checked too, by its own ``J t`` to rounding.
    The next order does the same with ``x -> J t`` and ``x -> J^T u`` in the place of ``f``, so each mode is applied to
    each.

    Arguments and results may be containers; what is not floating is left as it is. Steps and tolerances follow from the
    precision of the arguments; ``atol`` is in units of the largest number compared, or of one.

    Raises ``GradcheckError`` that says at which order and in which mode derivatives differ.

    >>> import wengert as wg
    >>> wg.check_grads(lambda x: wg.sin(x) * x, (wg.tensor([0.5, 2.0]),), order=3)
    """
    kinds = [_NAMES.get(mode, "") for mode in modes]
    if "" in kinds or not kinds:
        raise GradientError(f'check_grads: modes are "fwd" and "rev", not {tuple(modes)!r}')
    if order < 1:
        raise GradientError(f"check_grads: the order must be at least 1, not {order}")
    leaves, tree = tree_flatten(tuple(args))
    tensors = [as_tensor(x) if hasattr(x, "dtype") or isinstance(x, (float, complex)) else x for x in leaves]
    places = [i for i, x in enumerate(tensors) if hasattr(x, "dtype") and x.dtype.kind in "fc"]
    if not places:
        raise GradientError("check_grads: no argument is a floating-point number")

    def flat(xs: Sequence[Any]) -> list[Any]:
        full = list(tensors)
        for i, x in zip(places, xs, strict=True):
            full[i] = x
        outs = [as_tensor(y) for y in tree_flatten(f(*tree_unflatten(tree, full)))[0] if hasattr(y, "dtype")]
        return [y for y in outs if y.dtype.kind in "fc"]

    check = _Check(kinds, [tensors[i] for i in places], eps, atol, rtol, seed)
    functions: list[tuple[str, Flat]] = [("f", flat)]
    for number in range(1, order + 1):
        functions = [derived for name, g in functions for derived in check.run(number, name, g)]


class _Check:
    """What stays the same from order to order: the point, the steps, the tolerances, the random numbers."""

    def __init__(self, kinds: Any, point: list[Any], eps: Any, atol: Any, rtol: Any, seed: int) -> None:
        size = min(x.dtype.itemsize // (2 if x.dtype.kind == "c" else 1) for x in point)
        self.kinds = kinds
        self.point = [x.detach() for x in point]
        self.eps = _STEPS.get(size, 6e-6) if eps is None else eps
        self.atol = _TOLERANCES.get(size, 1e-6) if atol is None else atol
        self.rtol = _TOLERANCES.get(size, 1e-6) if rtol is None else rtol
        self.rounding = max(1e-10, 1e3 * float(np.finfo(f"f{min(size, 8)}").eps))
        self.rng = np.random.default_rng(seed)

    def draw(self, like: Sequence[Any]) -> list[Any]:
        """Random directions."""
        drawn = []
        for x in like:
            t = self.rng.standard_normal(x.shape)
            if x.dtype.kind == "c":
                t = t + 1j * self.rng.standard_normal(x.shape)
            drawn.append(wrap(np.asarray(t, x.dtype)))
        return drawn

    def run(self, order: int, name: str, f: Flat) -> list[tuple[str, Flat]]:
        """Check the derivatives of one function, and return them as functions."""
        t = self.draw(self.point)
        numeric = self.difference(f, t)
        u = self.draw([wrap(y) for y in numeric])
        derived: list[tuple[str, Flat]] = []
        moved = None

        def push(xs: Sequence[Any]) -> list[Any]:
            return list(jvp(lambda *vs: f(vs), tuple(xs), tuple(t))[1])

        def pull(xs: Sequence[Any]) -> list[Any]:
            return list(vjp(lambda *vs: f(vs), *xs)[1](u))

        if "fwd" in self.kinds:
            moved = [_array(y) for y in push(self.point)]
            for k, (one, two) in enumerate(zip(moved, numeric, strict=True)):
                self.compare(one, two, f"order {order}, fwd mode, {name}: result {k} of J t")
            derived.append((f"fwd({name})", push))
        if "rev" in self.kinds:
            given = _inner(t, pull(self.point))
            self.compare(given, _inner(u, numeric), f"order {order}, rev mode, {name}: <J^T u, t>")
            if moved is not None:
                what = f"order {order}, {name}: <J^T u, t> in rev mode against <u, J t> in fwd mode"
                self.compare(given, _inner(u, moved), what, self.rounding)
            derived.append((f"rev({name})", pull))
        return derived

    def difference(self, f: Flat, t: Sequence[Any]) -> list[np.ndarray]:
        ends = []
        for sign in (1, -1):
            pairs = zip(self.point, t, strict=True)
            moved = [wrap(np.asarray(_array(x) + sign * self.eps * _array(d), x.dtype)) for x, d in pairs]
            ends.append([_array(y) for y in f(moved)])
        return [np.asarray((a - b) / (2 * self.eps), a.dtype) for a, b in zip(*ends, strict=True)]

    def compare(self, found: Any, expected: Any, what: str, tolerance: float | None = None) -> None:
        found, expected = np.asarray(found), np.asarray(expected)
        rtol, atol = (self.rtol, self.atol) if tolerance is None else (tolerance, tolerance)
        scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
        bad = ~(np.abs(found - expected) <= atol * scale + rtol * np.abs(expected))
        if bad.any():
            place = tuple(int(i) for i in np.argwhere(bad)[0])
            at = f" at {place}" if place else ""
            raise GradcheckError(f"check_grads: {what}{at} is {found[place]}, and should be {expected[place]}")


def _array(x: Any) -> np.ndarray:
    return np.asarray(x.detach().numpy())


def _inner(left: Sequence[Any], right: Sequence[Any]) -> float:
    pairs = zip(left, right, strict=True)
    return float(sum(np.real(np.vdot(_plain(a), _plain(b))) for a, b in pairs))


def _plain(x: Any) -> np.ndarray:
    return _array(x) if hasattr(x, "detach") else np.asarray(x)
