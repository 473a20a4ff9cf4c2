"""``wengert bench``."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

import wengert as wg
from wengert.cli.command import Command, Result, add_target, number, problem
from wengert.cli.failures import Failure
from wengert.cli.inputs import Problem
from wengert.cli.terminal import status
from wengert.core.errors import WengertError
from wengert.core.interpreter import interpret
from wengert.core.tensor import Tensor
from wengert.inspect.model import seconds_text

#: Seconds of a batch of calls, so that the clock's own time does not count.
_SHORTEST = 2e-4


@dataclass(frozen=True)
class _Way:
    """One way to run: how the function alone, and its value with the gradient, are called."""

    name: str
    function: Callable[[], Any]
    gradient: Callable[[], Any]


def configure(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--way", action="append", choices=_WAYS, help="time this way only; may be repeated")
    parser.add_argument("--seconds", type=number, default=0.5, help="how long each row is repeated (default: 0.5)")


def run(options: argparse.Namespace) -> Result:
    with problem(options) as found:
        found = found.with_parameters()
        flat = _Flat(found)
        rows = []
        with status() as show:
            for name in (name for name in _WAYS if name in (options.way or _WAYS)):
                show(f"timing {found.name}, {name}")
                rows.append(_row(name, _WAYS[name], flat, options.seconds))
        data = {"function": found.name, "inputs": found.describe(), "summed": flat.summed, "ways": rows}
    return Result(data, _text(data))


class _Flat:
    """A problem as a scalar function of a flat list of arrays."""

    def __init__(self, found: Problem) -> None:
        leaves, tree = wg.tree_flatten(tuple(found.args))
        self.places = [i for i, x in enumerate(leaves) if isinstance(x, (float, complex)) or hasattr(x, "dtype")]
        self.arrays = [np.array(x.detach().numpy() if isinstance(x, Tensor) else x) for x in self._at(leaves)]
        self.moving = [i for i, x in enumerate(self.arrays) if x.dtype.kind in "fc"]
        self.found = found
        outputs = [y for y in wg.tree_leaves(self._call(leaves, tree, self.arrays)) if _is_result(y)]
        if not outputs:
            raise Failure(f"{found.name} returns no floating-point tensor, so it has no gradient")
        #: Whether the results are summed, so that there is one number to differentiate.
        self.summed = len(outputs) > 1 or outputs[0].size != 1 or outputs[0].dtype.kind == "c"

        def total(*xs: Any) -> Any:
            result = self._call(leaves, tree, xs)
            ends = [y for y in wg.tree_leaves(result) if _is_result(y)]
            if not self.summed:
                return ends[0].reshape(()) if ends[0].ndim else ends[0]
            return sum((y if y.dtype.kind == "f" else y.real).sum() for y in ends)

        self.total = total

    def _at(self, leaves: Sequence[Any]) -> list[Any]:
        return [leaves[i] for i in self.places]

    def _call(self, leaves: Sequence[Any], tree: Any, xs: Sequence[Any]) -> Any:
        full = list(leaves)
        for place, x in zip(self.places, xs, strict=True):
            full[place] = x if isinstance(x, Tensor) else wg.tensor(x)
        return self.found.function(*wg.tree_unflatten(tree, full))

    def graph(self) -> Any:
        """The graph, and the tensors that it reaches through closures, which are inputs of it too."""
        traced = wg.trace(self.total)(*self.arrays)
        graph = wg.Graph(traced.inputs, traced.nodes, traced.outputs)
        captured = [x.detach().numpy() for x in traced.captured]
        places = [*self.moving, *range(len(self.arrays), len(graph.inputs))]
        if not places:
            raise Failure(f"{self.found.name} has no floating-point input to differentiate by")
        return graph, [*self.arrays, *captured], places


def _is_result(y: Any) -> bool:
    return isinstance(y, Tensor) and y.dtype.kind in "fc"


def _eager(flat: _Flat) -> _Way:
    plain = [wg.tensor(x) for x in flat.arrays]

    def function() -> Any:
        with wg.no_grad():
            return flat.total(*plain)

    def gradient() -> Any:
        leaves = [wg.tensor(x, requires_grad=i in flat.moving) for i, x in enumerate(flat.arrays)]
        flat.total(*leaves).backward()
        return [leaves[i].grad for i in flat.moving]

    return _Way("eager", function, gradient)


def _interpreted(flat: _Flat) -> _Way:
    graph, arrays, places = flat.graph()
    alone, both = graph.optimize(), graph.value_and_grad(places).optimize()
    return _Way("interpreted", lambda: interpret(alone, arrays), lambda: interpret(both, arrays))


def _compiled(flat: _Flat) -> _Way:
    graph, arrays, places = flat.graph()
    alone, both = graph.compile(), wg.jit(wg.value_and_grad(graph, places))
    return _Way("compiled", lambda: alone(*arrays), lambda: both(*arrays))


_WAYS: dict[str, Callable[[_Flat], _Way]] = {"eager": _eager, "interpreted": _interpreted, "compiled": _compiled}


def _row(name: str, make: Callable[[_Flat], _Way], flat: _Flat, seconds: float) -> dict[str, Any]:
    empty = dict.fromkeys(("function_seconds", "gradient_seconds", "ratio", "first_call_seconds"))
    start = perf_counter()
    try:
        way = make(flat)
        way.function()
        way.gradient()
    except WengertError as error:
        if name == "eager":
            raise
        return {"way": name, **empty, "reason": str(error)}
    first = perf_counter() - start
    function, gradient = median_seconds(way.function, seconds), median_seconds(way.gradient, seconds)
    return {
        "way": name,
        "function_seconds": function,
        "gradient_seconds": gradient,
        "ratio": gradient / function,
        "first_call_seconds": first,
        "reason": "",
    }


def median_seconds(call: Callable[[], Any], seconds: float) -> float:
    """The median time of a call, repeated for about so many seconds, three times at least."""
    start = perf_counter()
    call()
    batch = max(1, int(_SHORTEST / max(perf_counter() - start, 1e-9)))
    times: list[float] = []
    end = perf_counter() + seconds
    while len(times) < 3 or perf_counter() < end:
        start = perf_counter()
        for _ in range(batch):
            call()
        times.append((perf_counter() - start) / batch)
    return statistics.median(times)


def _text(data: dict[str, Any]) -> str:
    inputs = ", ".join(f"{name}: {' '.join(specs)}" for name, specs in data["inputs"].items())
    head = f"{data['function']}({inputs})" + (", results summed" if data["summed"] else "")
    base = next((row["gradient_seconds"] for row in data["ways"] if row["gradient_seconds"]), 0.0)
    lines = [head, f"{'':12} {'function':>10} {'and gradient':>13} {'ratio':>7} {'speed-up':>9} {'first call':>11}"]
    for row in data["ways"]:
        if row["function_seconds"] is None:
            lines.append(f"{row['way']:12} not possible: {row['reason'].splitlines()[0]}")
            continue
        times = [seconds_text(row[key]) for key in ("function_seconds", "gradient_seconds", "first_call_seconds")]
        gain = base / row["gradient_seconds"]
        lines.append(f"{row['way']:12} {times[0]:>10} {times[1]:>13} {row['ratio']:6.2f}× {gain:8.2f}× {times[2]:>11}")
    return "\n".join([*lines, "medians; ratio: value and gradient in evaluations of the function"])


COMMAND = Command(
    "bench",
    "what a gradient costs: eager, interpreted and compiled",
    "Time a function and its value with the gradient in three ways: operation by operation, as an optimised graph that "
    "NumPy runs, and as native code. Results that are not one number are summed.",
    (
        "wengert bench model.py:loss",
        'wengert bench model.py:loss --input "x=float64[1000,100]" --seconds 2',
        "wengert bench loss.graph --json",
    ),
    configure,
    run,
)
