"""Recurrent networks: cells, which take one step, and layers, which run them over a sequence."""

from __future__ import annotations

import copy
import math
from typing import Any

import wengert as wg
from wengert.core.errors import ShapeError
from wengert.core.tensor import Tensor
from wengert.nn import functional, init
from wengert.nn.layers import new_parameter
from wengert.nn.module import Module, Parameter


class _Cell(Module):
    """The parameters that all cells have: weights of the input and of the state, ``gates`` blocks each."""

    gates = 1

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.gates * hidden_size
        bound = 1 / math.sqrt(max(1, hidden_size))
        self.weight_ih = init.uniform_(new_parameter(rows, input_size, dtype=dtype), -bound, bound)
        self.weight_hh = init.uniform_(new_parameter(rows, hidden_size, dtype=dtype), -bound, bound)
        for name in ("bias_ih", "bias_hh"):
            value = init.uniform_(new_parameter(rows, dtype=dtype), -bound, bound) if bias else None
            self.register_parameter(name, value if isinstance(value, Parameter) else None)

    def start(self, x: Any) -> Any:
        """The state before the first step: zeros."""
        return wg.zeros((*x.shape[:-1], self.hidden_size), dtype=self.weight_hh.dtype)

    def _check(self, x: Any) -> None:
        if x.shape[-1] != self.input_size:
            raise ShapeError(f"{type(self).__name__}: the input has {x.shape[-1]} features, not {self.input_size}")

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"


class RNNCell(_Cell):
    """h' = tanh(W x + U h + b), or with ``nonlinearity="relu"``."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, dtype)
        if nonlinearity not in ("tanh", "relu"):
            raise ShapeError(f"RNNCell: nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        self.nonlinearity = nonlinearity

    def forward(self, x: Any, state: Any = None) -> Tensor:
        self._check(x)
        h = self.start(x) if state is None else state
        total = functional.linear(x, self.weight_ih, self.bias_ih) + functional.linear(h, self.weight_hh, self.bias_hh)
        return functional.tanh(total) if self.nonlinearity == "tanh" else functional.relu(total)


class LSTMCell(_Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), gates in PyTorch's order: input, forget, cell, output.

    The state is the pair (h, c), and so is the result.
    """

    gates = 4

    def start(self, x: Any) -> Any:
        zero = super().start(x)
        return zero, zero

    def forward(self, x: Any, state: Any = None) -> tuple[Tensor, Tensor]:
        self._check(x)
        h, c = self.start(x) if state is None else state
        gates = functional.linear(x, self.weight_ih, self.bias_ih) + functional.linear(h, self.weight_hh, self.bias_hh)
        i, f, g, o = wg.split(gates, 4, axis=-1)
        c = functional.sigmoid(f) * c + functional.sigmoid(i) * functional.tanh(g)
        return functional.sigmoid(o) * functional.tanh(c), c


class GRUCell(_Cell):
    """Gated recurrent unit (Cho et al. 2014), gates in PyTorch's order: reset, update, new."""

    gates = 3

    def forward(self, x: Any, state: Any = None) -> Tensor:
        self._check(x)
        h = self.start(x) if state is None else state
        from_input = functional.linear(x, self.weight_ih, self.bias_ih)
        from_state = functional.linear(h, self.weight_hh, self.bias_hh)
        r, z, n = wg.split(from_input, 3, axis=-1)
        r_h, z_h, n_h = wg.split(from_state, 3, axis=-1)
        reset = functional.sigmoid(r + r_h)
        update = functional.sigmoid(z + z_h)
        new: Tensor = functional.tanh(n + reset * n_h)
        result: Tensor = (1 - update) * new + update * h
        return result


class _Recurrent(Module):
    """Layers of cells over a sequence (T, N, features), or (N, T, features) with ``batch_first``.

    Returns the last layer's state at every step, and the state after the last step with the layers in front. With
    ``bidirectional`` every layer has a second cell that runs from the end; the states of the two are joined along the
    features, and stand one after the other among the final ones. Parameters have PyTorch's names, ``weight_ih_l0`` and
    so on.
    """

    cell: type[_Cell]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.bidirectional = bidirectional
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.batch_first, self.dropout = batch_first, dropout
        self._cells: dict[str, _Cell] = {}
        for layer in range(num_layers):
            size = input_size if layer == 0 else hidden_size * (2 if bidirectional else 1)
            for ending in self._endings:
                cell = self.cell(size, hidden_size, bias, dtype=dtype, **options)
                for name, parameter in cell._parameters.items():
                    self.register_parameter(f"{name}_l{layer}{ending}", parameter)
                cell._parameters.clear()
                cell._enter(f"cell{layer}{ending}")
                self._cells[f"l{layer}{ending}"] = cell

    @property
    def _endings(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def forward(self, x: Any, state: Any = None) -> Any:
        if x.ndim not in (2, 3):
            raise ShapeError(f"{type(self).__name__}: expected a sequence of 2 or 3 dimensions, got shape {x.shape}")
        time = 1 if self.batch_first and x.ndim == 3 else 0
        steps = [wg.take(x, t, axis=time) for t in range(x.shape[time])]
        if not steps:
            raise ShapeError(f"{type(self).__name__}: the sequence is empty (shape {x.shape})")
        finals: list[Any] = []
        for layer in range(self.num_layers):
            ways = []
            for ending in self._endings:
                current = None if state is None else self._layer_state(state, len(finals))
                outputs, current = self._run(self._cell(f"l{layer}{ending}"), steps, current, bool(ending))
                ways.append(outputs)
                finals.append(current)
            steps = ways[0] if len(ways) == 1 else [wg.concat(pair, axis=-1) for pair in zip(*ways, strict=True)]
            if self.dropout and layer < self.num_layers - 1:
                steps = [functional.dropout(step, self.dropout, self.training) for step in steps]
        return wg.stack(steps, axis=time), self._joined(finals)

    def _cell(self, place: str) -> _Cell:
        """The cell of a layer and direction, with the parameters that this module has for it now."""
        cell = copy.copy(self._cells[place])
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        cell.__dict__["_parameters"] = {name: self._parameters.get(f"{name}_{place}") for name in names}
        return cell

    @staticmethod
    def _run(cell: Any, steps: list[Any], current: Any, backwards: bool) -> tuple[list[Any], Any]:
        """A cell's output at every step, in the order of the sequence, and its last state."""
        outputs = []
        for step in reversed(steps) if backwards else steps:
            current = cell(step, current)
            outputs.append(current[0] if isinstance(current, tuple) else current)
        return outputs[::-1] if backwards else outputs, current

    def _layer_state(self, state: Any, layer: int) -> Any:
        return state[layer]

    def _joined(self, finals: list[Any]) -> Any:
        return wg.stack(finals, axis=0)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}"


class RNN(_Recurrent):
    """Layers of ``RNNCell``."""

    cell = RNNCell


class GRU(_Recurrent):
    """Layers of ``GRUCell``."""

    cell = GRUCell


class LSTM(_Recurrent):
    """Layers of ``LSTMCell``; the state is the pair (h, c)."""

    cell = LSTMCell

    def _layer_state(self, state: Any, layer: int) -> Any:
        return state[0][layer], state[1][layer]

    def _joined(self, finals: list[Any]) -> Any:
        return wg.stack([h for h, _ in finals], axis=0), wg.stack([c for _, c in finals], axis=0)
