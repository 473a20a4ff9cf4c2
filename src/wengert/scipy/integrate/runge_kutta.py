"""Ordinary differential equations by Dormand and Prince's pair of Runge-Kutta formulas."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.errors import ConvergenceError, ShapeError
from wengert.core.levels import Wrapped, as_tensor, bottom
from wengert.core.tensor import Tensor
from wengert.core.types import get_default_dtype

#: J. R. Dormand and P. J. Prince, "A family of embedded Runge-Kutta formulae", 1980: nodes, stages, and the error.
_NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
_STAGES: tuple[tuple[float, ...], ...] = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)

Slope = Callable[[Any, Any], Any]


def _combined(weights: tuple[float, ...], slopes: list[Any]) -> Any:
    total: Any = None
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            total = weight * slope if total is None else total + weight * slope
    return total


def _over_batches(x: Any) -> np.ndarray:
    """The values of a tensor, those of a whole batch inside ``vmap``."""
    x = as_tensor(x)
    while isinstance(x, Wrapped):
        x = x._inner
    return np.asarray(bottom(x))


def _size(x: Any, scale: Any) -> float:
    """The root mean square of a vector in units of the tolerance; the greatest of a batch."""
    ratio = np.abs(x) / scale
    return float(np.sqrt(_over_batches(np.mean(ratio * ratio)).max(initial=0.0))) if np.size(x) else 0.0


def _number(t: Any) -> float:
    """The value of a time. Raises ``TransformError`` where it differs along a batch."""
    values = _over_batches(t)
    return float(values.flat[0]) if values.size and (values == values.flat[0]).all() else float(bottom(as_tensor(t)))


class _Solver:
    """Steps that are as long as the tolerance allows.

    Their lengths are chosen by the values alone; the steps themselves are ordinary operations, so the derivative is
    exactly that of the numbers that come out.
    """

    def __init__(self, slope: Slope, rtol: float, atol: float, limit: int) -> None:
        self.slope, self.rtol, self.atol, self.limit = slope, rtol, atol, limit
        self.length = 0.0
        self.first: Any = None

    def _scale(self, y: Any, other: Any) -> Any:
        return self.atol + self.rtol * np.maximum(np.abs(y), np.abs(other))

    def start(self, y: Any, t: Any, span: float) -> None:
        """The slope at the start and a length for the first step (E. Hairer, S. P. Norsett and G. Wanner, "Solving
        Ordinary Differential Equations I", 1993, section II.4)."""
        self.first = self.slope(y, t)
        state = y.detach()
        scale = self._scale(state, state)
        size, speed = _size(state, scale), _size(self.first.detach(), scale)
        self.length = min(0.01 * size / speed if size > 1e-5 and speed > 1e-5 else 1e-6, abs(span))

    def advance(self, y: Any, t: Any, end: Any) -> Any:
        """The state at ``end``, given the one at ``t``."""
        span = end - t
        extent = _number(span)
        if extent == 0:
            return y
        if self.first is None:
            self.start(y, t, extent)
        done = 0.0
        for _ in range(self.limit):
            share = min(self.length / abs(extent), 1 - done)
            # A trial step may go where numbers overflow; it is then repeated, shorter.
            with np.errstate(over="ignore", invalid="ignore"):
                found, last, error = self._step(y, t + done * span, share * span)
                size = _size(error.detach(), self._scale(y.detach(), found.detach()))
            growth = 10.0 if size == 0 else min(10.0, max(0.2, 0.9 * size**-0.2)) if np.isfinite(size) else 0.1
            proposed = share * abs(extent) * growth
            if size <= 1:
                y, self.first, done = found, last, done + share
                # A step that is cut short by the end says little about how long the next one may be.
                self.length = max(self.length, proposed) if done >= 1 else proposed
                if 1 - done <= 1e-14:
                    return y
            elif proposed <= 1e-14 * abs(extent):
                raise ConvergenceError(
                    f"odeint: the steps became too short between t = {_number(t):.6g} and "
                    f"{_number(end):.6g}; the solution may be singular there, or the slope not finite"
                )
            else:
                self.length = proposed
        raise ConvergenceError(
            f"odeint: {self.limit} steps did not reach t = {_number(end):.6g}; the equation may be "
            f"stiff. Raise mxstep, or rtol and atol"
        )

    def _step(self, y: Any, t: Any, h: Any) -> tuple[Any, Any, Any]:
        """The state after a step, the slope there, and an estimate of the error."""
        h_of_y = as_tensor(h).astype(y.dtype)
        slopes = [self.first]
        state = y
        for node, weights in zip(_NODES[1:], _STAGES, strict=True):
            state = y + h_of_y * _combined(weights, slopes)
            slopes.append(self.slope(state, t + node * h))
        return state, slopes[-1], h_of_y * _combined(_ERROR, slopes)


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: tuple[Any, ...] = (),
    *,
    rtol: float = 1.49012e-8,
    atol: float = 1.49012e-8,
    mxstep: int = 10_000,
    tfirst: bool = False,
) -> Tensor:
    """The solution of dy/dt = func(y, t, *args) with y(t[0]) = y0, at the times ``t``: shape (len(t), *y0.shape).

    ``y0`` may have any shape; with ``tfirst`` the function is func(t, y, *args). Gradients of any order, in both
    directions, flow to ``y0``, ``t``, ``args`` and what ``func`` holds: those of the computed numbers, exactly, with
    the lengths of the steps taken as constants. Inside ``vmap`` the whole batch takes the steps that its most demanding
    element needs. Every step stays in the graph; where that is too much, put
    ``wengert.checkpoint`` around the intervals. The formulas are explicit ones of order 5 (not SciPy's LSODA), so stiff
    equations take many steps. Raises ``ConvergenceError`` if ``mxstep`` steps do not reach the next time.

    >>> import wengert as wg
    >>> odeint(lambda y, t: wg.stack([y[1], -y[0]]), [1.0, 0.0], [0.0, 1.0])[1]
    tensor([ 0.5403023 , -0.84147098])
    """
    y = as_tensor(y0)
    if y.dtype.kind not in "fc":
        y = y.astype(get_default_dtype())
    times = t if isinstance(t, Tensor) else np.asarray(t, np.float64)
    if times.ndim != 1 or not times.shape[0]:
        raise ShapeError(f"odeint: the times must be a vector with an element at least, not of shape {times.shape}")

    def slope(y: Any, t: Any) -> Any:
        found = as_tensor(func(t, y, *args) if tfirst else func(y, t, *args))
        if found.shape != y.shape:
            raise ShapeError(f"odeint: the slope has shape {found.shape}, and the state {y.shape}")
        return found.astype(y.dtype, copy=False)

    solver = _Solver(slope, rtol, atol, mxstep)
    places = [times[i] for i in range(times.shape[0])]
    states = [y]
    for start, end in itertools.pairwise(places):
        y = solver.advance(y, start, end)
        states.append(y)
    solution: Any = np.stack(states)
    return solution
