"""Optimisers that use curvature: LBFGS from past gradients, NewtonCG from exact Hessian-vector products."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from wengert.core.backward import grad
from wengert.core.errors import DTypeError
from wengert.core.lazy import LazyModule
from wengert.core.mode import enable_grad
from wengert.core.tensor import Tensor, wrap
from wengert.optim.optimizer import Optimizer, positive

_optimize: Any = LazyModule("scipy.optimize")


class _Whole(Optimizer):
    """Moves all parameters at once, as one vector."""

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise DTypeError(f"{type(self).__name__} takes one parameter group, because its steps join all parameters")
        self.params: list[Tensor] = self.param_groups[0]["params"]
        if any(p.dtype.kind != "f" for p in self.params):
            raise DTypeError(f"{type(self).__name__} optimises real floating-point parameters")

    def values(self) -> np.ndarray:
        """All parameters in one vector."""
        return np.concatenate([p._value.ravel() for p in self.params])

    def set_values(self, vector: np.ndarray) -> None:
        """Give the parameters their parts of a vector."""
        start = 0
        for p in self.params:
            p._value = vector[start : start + p.size].reshape(p.shape).astype(p.dtype)
            start += p.size

    def parts(self, vector: np.ndarray) -> list[Tensor]:
        """A vector in the shapes of the parameters."""
        ends = np.cumsum([p.size for p in self.params])[:-1]
        pieces = zip(self.params, np.split(vector, ends), strict=True)
        return [wrap(piece.reshape(p.shape).astype(p.dtype)) for p, piece in pieces]


def _joined(params: Iterable[Tensor], gradients: Iterable[Any]) -> np.ndarray:
    pairs = zip(params, gradients, strict=True)
    return np.concatenate([np.zeros(p.size, p.dtype) if g is None else g._value.ravel() for p, g in pairs])


class LBFGS(_Whole):
    """Limited-memory BFGS as in PyTorch: ``step(closure)`` takes up to ``max_iter`` steps.

    ``closure`` clears the gradients, computes the loss, calls ``backward`` and returns the loss. With
    ``line_search_fn="strong_wolfe"`` the length of each step satisfies Wolfe's conditions (SciPy's search); without, it
    is ``lr``. Source: Nocedal and Wright, *Numerical Optimization*, 2nd ed., algorithm 7.4.

    >>> import wengert as wg
    >>> x = wg.tensor([-1.5, 2.0], requires_grad=True)
    >>> optimiser = wg.optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimiser.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> loss = optimiser.step(closure)
    >>> x.detach().numpy().round(4).tolist()
    [1.0, 1.0]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        positive("lr", lr)
        if line_search_fn not in (None, "strong_wolfe"):
            raise DTypeError(f"line_search_fn must be None or 'strong_wolfe', not {line_search_fn!r}")
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to ``max_iter`` steps; returns the loss before the first."""
        if closure is None:
            raise DTypeError("LBFGS.step needs a closure that computes the loss again")
        group = self.param_groups[0]
        memory = self.state.setdefault(id(self.params[0]), {"steps": [], "changes": [], "n_iter": 0})
        evaluations = 0

        def evaluate() -> tuple[Any, np.ndarray]:
            nonlocal evaluations
            evaluations += 1
            with enable_grad():
                loss = closure()
            return loss, _joined(self.params, [p.grad for p in self.params])

        first, g = evaluate()
        loss = float(first)
        for _ in range(group["max_iter"]):
            if np.abs(g).max(initial=0) <= group["tolerance_grad"]:
                break
            memory["n_iter"] += 1
            direction = self._direction(memory, g)
            slope = float(g @ direction)
            if slope > -group["tolerance_change"]:
                break
            scale = min(1.0, 1 / float(np.abs(g).sum())) if memory["n_iter"] == 1 else 1.0
            before, old = self.values(), g
            moved, new_loss, g = self._move(evaluate, before, direction, scale * group["lr"], loss, g)
            self._remember(memory, moved, g - old, group["history_size"])
            settled = np.abs(moved).max() <= group["tolerance_change"]
            settled |= abs(new_loss - loss) < group["tolerance_change"]
            loss = new_loss
            if settled or evaluations >= group["max_eval"]:
                break
        return first

    def _move(
        self, evaluate: Any, x: np.ndarray, direction: np.ndarray, length: float, loss: float, g: np.ndarray
    ) -> tuple[np.ndarray, float, np.ndarray]:
        """Go along a direction: how far, and the loss and gradient there."""
        found: dict[bytes, tuple[float, np.ndarray]] = {x.tobytes(): (loss, g)}

        def at(point: np.ndarray) -> tuple[float, np.ndarray]:
            key = point.tobytes()
            if key not in found:
                self.set_values(point)
                value, gradient = evaluate()
                found[key] = float(value), gradient
            return found[key]

        if self.param_groups[0]["line_search_fn"] == "strong_wolfe":
            scaled = (direction * length).astype(x.dtype)
            searched = _optimize.line_search(lambda p: at(p)[0], lambda p: at(p)[1], x, scaled, g, loss, maxiter=25)[0]
            length *= 1.0 if searched is None else searched
        target = (x + length * direction).astype(x.dtype)
        new_loss, new_g = at(target)
        self.set_values(target)
        return target - x, new_loss, new_g

    @staticmethod
    def _direction(memory: dict[str, Any], g: np.ndarray) -> np.ndarray:
        """Minus the approximate inverse Hessian times the gradient, by the two-loop recursion."""
        q = -g
        pairs = list(zip(memory["steps"], memory["changes"], strict=True))
        factors = []
        for s, y in reversed(pairs):
            factor = (s @ q) / (y @ s)
            factors.append(factor)
            q = q - factor * y
        if pairs:
            s, y = pairs[-1]
            q = q * ((y @ s) / (y @ y))
        for (s, y), factor in zip(pairs, reversed(factors), strict=True):
            q = q + s * (factor - (y @ q) / (y @ s))
        return q

    @staticmethod
    def _remember(memory: dict[str, Any], step: np.ndarray, change: np.ndarray, size: int) -> None:
        if change @ step > 1e-10:
            memory["steps"] = [*memory["steps"], step][-size:]
            memory["changes"] = [*memory["changes"], change][-size:]


class NewtonCG(_Whole):
    """Newton's method whose equations are solved by conjugate gradients on exact Hessian-vector products.

    ``closure`` computes and returns the loss, and does *not* call ``backward``. The solve stops at negative curvature,
    and each step is halved until the loss falls (Armijo). Source: Nocedal and Wright, algorithm 7.1.

    >>> import wengert as wg
    >>> x = wg.tensor([-1.5, 2.0], requires_grad=True)
    >>> optimiser = wg.optim.NewtonCG([x])
    >>> for _ in range(30):
    ...     loss = optimiser.step(lambda: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2)
    >>> x.detach().numpy().round(6).tolist()
    [1.0, 1.0]
    """

    def __init__(self, params: Iterable[Any], lr: float = 1.0, max_cg: int | None = None, c1: float = 1e-4) -> None:
        positive("lr", lr, allow_zero=False)
        super().__init__(params, {"lr": lr, "max_cg": max_cg, "c1": c1})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One Newton step; returns the loss before it."""
        if closure is None:
            raise DTypeError("NewtonCG.step needs a closure that returns the loss")
        with enable_grad():
            loss = closure()
            gradients = grad(loss, self.params, create_graph=True, materialize_grads=True)
        g = _joined(self.params, gradients)
        direction = self._solve(gradients, g)
        options = self.param_groups[0]
        x, before, slope, length = self.values(), float(loss), float(g @ direction), options["lr"]
        for _ in range(40):
            self.set_values(x + length * direction)
            with enable_grad():
                now = float(closure())
            if now <= before + options["c1"] * length * slope:
                return loss
            length /= 2
        self.set_values(x)
        return loss

    def _solve(self, gradients: Any, g: np.ndarray) -> np.ndarray:
        """An approximate solution of H d = -g: the more exact, the smaller the gradient."""
        size = float(np.linalg.norm(g))
        # Tighter than the book's half: in a curved valley a coarse solve is no better than steepest descent.
        tolerance = min(0.01, size**0.5) * size
        d, r = np.zeros_like(g), g.copy()
        p, square = -r, float(r @ r)
        tracked = [one for one in gradients if one.requires_grad]
        for count in range(self.param_groups[0]["max_cg"] or 2 * g.size):
            if square**0.5 <= tolerance:
                break
            parts = [v for v, one in zip(self.parts(p), gradients, strict=True) if one.requires_grad]
            found = grad(tracked, self.params, parts, retain_graph=True, allow_unused=True) if tracked else ()
            image = _joined(self.params, found) if tracked else np.zeros_like(g)
            curvature = float(p @ image)
            if curvature <= 0:
                return -g if count == 0 else d
            factor = square / curvature
            d, r = d + factor * p, r + factor * image
            before, square = square, float(r @ r)
            p = -r + square / before * p
        return d
