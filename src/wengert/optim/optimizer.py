"""What every optimiser shares: parameter groups, state, and the step's frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from wengert.core.errors import DTypeError, StateError
from wengert.core.mode import enable_grad
from wengert.core.tensor import Tensor, wrap

#: Options of a group, or the running quantities of a parameter, by name.
State = dict[str, Any]


class Optimizer:
    """Base class: subclasses write ``update(parameter, gradient, state, options)``, which returns the new value.

    A step never writes into a parameter's old array, so a graph that still holds it stays right.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        groups = list(params)
        if not groups:
            raise DTypeError(f"{type(self).__name__} got no parameters; is the generator already used up?")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[int, dict[str, Any]] = {}
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Add parameters with options of their own."""
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for p in params:
            if not isinstance(p, Tensor) or not p.is_leaf:
                raise DTypeError(f"{type(self).__name__} optimises leaf tensors, not {type(p).__name__}")
            if id(p) in known:
                raise DTypeError("a parameter appears in more than one group")
            known.add(id(p))
        unknown = set(group) - set(self.defaults) - {"params"}
        if unknown:
            raise TypeError(f"{type(self).__name__} has no option {sorted(unknown)}; it has {sorted(self.defaults)}")
        self.param_groups.append({**self.defaults, **group, "params": params})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad = None if set_to_none else wrap(np.zeros(p.shape, p.dtype))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient. With ``closure``, evaluate it first and return what it returns."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                gradient = p.grad
                if gradient is None:
                    continue
                state = self.state.setdefault(id(p), {})
                towards = -gradient._value if group.get("maximize") else gradient._value
                p._value = self.update(p._value, towards, state, group)
        return loss

    def update(self, value: np.ndarray, gradient: np.ndarray, state: State, group: State) -> np.ndarray:
        """The parameter's next value, as a new array."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Options and state, with parameters numbered in order."""
        numbers: dict[int, int] = {}
        for group in self.param_groups:
            for p in group["params"]:
                numbers[id(p)] = len(numbers)
        return {
            "state": {
                numbers[key]: {name: _copied(value) for name, value in entries.items()}
                for key, entries in self.state.items()
                if key in numbers
            },
            "param_groups": [
                {
                    **{k: v for k, v in group.items() if k != "params"},
                    "params": [numbers[id(p)] for p in group["params"]],
                }
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned; raises ``StateError``, changing nothing, if it does not fit."""
        groups = state_dict.get("param_groups", [])
        if [len(g["params"]) for g in groups] != [len(g["params"]) for g in self.param_groups]:
            raise StateError(f"{type(self).__name__}: the state has other parameter groups than this optimiser")
        parameters = [p for group in self.param_groups for p in group["params"]]
        for number, entries in state_dict["state"].items():
            for name, value in entries.items():
                if isinstance(value, np.ndarray) and value.ndim and value.shape != parameters[number].shape:
                    raise StateError(
                        f"{type(self).__name__}: {name} of parameter {number} has shape {value.shape}, the parameter "
                        f"{parameters[number].shape}"
                    )
        self.state = {
            id(parameters[number]): {name: _copied(value) for name, value in entries.items()}
            for number, entries in state_dict["state"].items()
        }
        for group, saved in zip(self.param_groups, groups, strict=True):
            group.update({k: v for k, v in saved.items() if k != "params"})

    def __repr__(self) -> str:
        options = {k: v for k, v in self.param_groups[0].items() if k != "params"}
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in options.items())})"


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(one) for one in value]
    return value.copy() if isinstance(value, np.ndarray) else value


def positive(name: str, value: float, allow_zero: bool = True) -> None:
    """Raise if an option is negative, NaN, or zero where it must not be."""
    if not (value >= 0 if allow_zero else value > 0):
        raise DTypeError(f"{name} must be {'non-negative' if allow_zero else 'positive'}, not {value}")
