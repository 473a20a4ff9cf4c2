"""The arguments for a function: from the command line, from ``example_inputs``, or its defaults."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from wengert.cli.failures import Failure, user_place
from wengert.cli.target import Target
from wengert.cli.values import draw, read_arrays, read_value
from wengert.core.dims import Dim
from wengert.core.errors import WengertError
from wengert.core.pytree import tree_leaves, tree_map, tree_unflatten
from wengert.core.static import Input, spec_text
from wengert.core.tensor import Tensor, wrap
from wengert.core.types import TensorSpec
from wengert.inspect.building import argument_names
from wengert.nn.module import Module, functional_call
from wengert.static.graph import Graph, fitted

_NAMED = re.compile(r"(?P<name>[A-Za-z_][\w.]*(?:\[[^\]=]*\][\w.]*)*|\d+)=(?P<value>.*)", re.DOTALL)
_MISSING: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Problem:
    """A function and the arguments to look at it with. ``subject`` is what was named: a function, a tensor, or a graph,
    which for a tensor, and for a graph without values, has no arguments."""

    name: str
    subject: Any
    function: Callable[..., Any]
    args: tuple[Any, ...]
    #: The name of each argument.
    names: tuple[str, ...]
    #: The inputs that are whole numbers, and so no arguments.
    whole: tuple[str, ...] = ()
    #: The module that the function calls, if it is one.
    module: Module | None = None
    #: Makes of the arguments all that is passed.
    fill: Callable[..., tuple[Sequence[Any], dict[str, Any]]] = lambda *xs: (xs, {})

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of a module, by name."""
        return dict(self.module.named_parameters()) if self.module is not None else {}

    def tensors(self) -> tuple[Any, ...]:
        """The arguments with tensors in the place of arrays and numbers, as every transform passes them."""
        kinds = (float, complex, np.ndarray, np.generic)
        return tuple(tree_map(lambda x: wrap(np.array(x)) if isinstance(x, kinds) else x, arg) for arg in self.args)

    def with_parameters(self) -> Problem:
        """A module as a function of its parameters too, so that derivatives by them are looked at."""
        module, params = self.module, self.params
        if module is None or not params:
            return self

        def function(params: Any, *xs: Any) -> Any:
            args, keywords = self.fill(*xs)
            return functional_call(module, params, *args, **keywords)

        values = {name: value.detach() for name, value in params.items()}
        return Problem(self.name, function, function, (values, *self.args), ("parameters", *self.names))

    def describe(self) -> dict[str, list[str]]:
        """Dtypes and shapes of the arguments by name."""
        return {
            name: [spec_text(x) if hasattr(x, "dtype") else type(x).__name__ for x in tree_leaves(arg)]
            for name, arg in zip(self.names, self.args, strict=True)
        }


#: What becomes of the inputs of a graph file that are not given: they are drawn at random, if their shapes are known;
#: the graph is looked at without values if they cannot be drawn; or it is an error.
DRAWN, OPTIONAL, REQUIRED = "drawn", "optional", "required"


class Given(NamedTuple):
    """What the command line gives: values by name or number, and values without."""

    named: dict[str, Any]
    unnamed: list[Any]


def read_inputs(texts: Sequence[str], seed: int) -> Given:
    """The values of every ``--input``. Raises ``Failure``."""
    named: dict[str, Any] = {}
    unnamed = []
    for position, text in enumerate(texts):
        rng = np.random.default_rng([seed, position])
        found = _NAMED.fullmatch(text.strip())
        if found is None:
            if text.strip().lower().endswith((".npz", ".safetensors")):
                named.update(read_arrays(text.strip()))
            else:
                unnamed.append(read_value(text, rng))
        elif found["name"] in named:
            raise Failure(f"--input: {found['name']} is given twice")
        else:
            named[found["name"]] = read_value(found["value"], rng)
    return Given(named, unnamed)


def problem_of(target: Target, given: Given, seed: int, missing: str = DRAWN) -> Problem:
    """The target with its arguments; ``missing`` says what becomes of inputs of a graph that are not given. Raises
    ``Failure``."""
    if isinstance(target.value, Tensor):
        if given.named or given.unnamed:
            raise Failure(f"{target.name} is a tensor and takes no --input")
        return Problem(target.name, target.value, lambda: target.value, (), ())
    if isinstance(target.value, Graph):
        return _of_graph(target, given, seed, missing)
    return _of_function(target, given, seed)


# -- a function -----------------------------------------------------------------------------------------------------


def _of_function(target: Target, given: Given, seed: int) -> Problem:
    function = target.value
    parameters = _parameters(function)
    values: dict[str, Any] = {name: one.default for name, one in parameters.items() if one.default is not _MISSING}
    spread = next((name for name, one in parameters.items() if one.kind is one.VAR_POSITIONAL), "")
    rest, misfit = _examples(target, parameters, values, spread)
    open_names = [name for name, one in parameters.items() if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    keywords = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    settled: set[str] = set()
    for key, value in given.named.items():
        name = open_names[int(key)] if key.isdecimal() and int(key) < len(open_names) else key
        if name not in open_names and not (keywords and name.isidentifier()):
            raise Failure(_unknown(target.name, key, open_names))
        if name in settled:
            raise Failure(f"--input: {name} is given twice")
        settled.add(name)
        values[name] = value
    waiting = [name for name in open_names if name not in settled]
    for value in given.unnamed:
        if waiting:
            values[waiting.pop(0)] = value
        elif spread:
            rest.append(value)
        else:
            raise Failure(f"{target.name} takes {len(open_names)} arguments, and there are more --input than that")
    missing = [name for name in open_names if name not in values]
    if missing:
        raise Failure(_no_value(target, missing, misfit))
    if spread and not values and not rest:
        raise Failure(f"{target.name} takes any number of arguments; give some with --input")
    return _bound(target.name, function, parameters, values, rest, seed)


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(getattr(function, "forward", function)).parameters)
    except (TypeError, ValueError):
        return {"args": inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)}


def _examples(
    target: Target, parameters: Mapping[str, inspect.Parameter], values: dict[str, Any], spread: str
) -> tuple[list[Any], str]:
    """Put what the file gives as example inputs into ``values``; returns what is left over for ``*args``, and why
    inputs that are meant for all functions are not for this one.

    What is meant for all functions is for those that have no defaults of their own.
    """
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needy = [name for name, one in parameters.items() if one.kind not in several and name not in values]
    waiting = needy or (spread and not values)
    source = f"example_inputs_{target.name.replace('.', '_')}"
    if not hasattr(target.module, source):
        source = "example_inputs"
        if not waiting or not hasattr(target.module, source):
            return [], ""
    found = _called(getattr(target.module, source), source)
    if isinstance(found, dict) and all(name in parameters for name in found):
        values.update(found)
        return [], ""
    tuple_like = isinstance(found, tuple) or (isinstance(found, list) and len(found) == len(parameters) > 1)
    items = list(found) if tuple_like else [found]
    places = [name for name, one in parameters.items() if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(items) > len(places) and not spread:
        misfit = f"{source} gives {len(items)} inputs, and {target.name} takes {len(places)}"
        if source != "example_inputs":
            raise Failure(misfit)
        return [], misfit
    values.update(zip(places, items, strict=False))
    return items[len(places) :], ""


def _called(found: Any, source: str) -> Any:
    """Example inputs, which may be a function or a value."""
    if not callable(found):
        return found
    try:
        return found()
    except TypeError as error:
        if user_place(error) is not None:
            raise
        raise Failure(f"{source} should be a function without arguments: {error}") from error


def _unknown(function: str, key: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, names, 1)
    listed = ", ".join(names) or "none"
    return f"--input: {function} has no input {key!r}" + (
        f"; did you mean {near[0]}?" if near else f"; it has {listed}"
    )


def _no_value(target: Target, missing: Sequence[str], misfit: str) -> str:
    options = " ".join(f'--input "{name}=float64[3]"' for name in missing)
    several = "values" if len(missing) > 1 else "a value"
    return (
        f"{target.name} needs {several} for {', '.join(missing)}. Give shapes or values ({options}), default "
        f"arguments, or write a function example_inputs() in the file that returns the arguments."
        + (f" ({misfit}.)" if misfit else "")
    )


def _bound(
    name: str,
    function: Callable[..., Any],
    parameters: Mapping[str, inspect.Parameter],
    values: Mapping[str, Any],
    rest: Sequence[Any],
    seed: int,
) -> Problem:
    """Arguments that hold numbers stay arguments; flags, texts and whole numbers are filled in."""
    drawn = {key: _drawn(value, seed, place) for place, (key, value) in enumerate(values.items())}
    more = [_drawn(value, seed, len(drawn) + place) for place, value in enumerate(rest)]
    names = [key for key in (*parameters, *drawn) if key in drawn and _holds_numbers(drawn[key])]
    names = list(dict.fromkeys(names))
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    order = [key for key, one in parameters.items() if one.kind in positional]
    args = (*[drawn[key] for key in names], *more)
    labels = (*names, *[f"argument {len(names) + place}" for place in range(len(more))])
    whole = tuple([key for key, value in drawn.items() if type(value) is int])
    module = function if isinstance(function, Module) else None
    defaults = {key: one.default for key, one in parameters.items()}
    if names == order and set(drawn) == set(order):
        return Problem(name, function, function, args, labels, module=module)

    def fill(*xs: Any) -> tuple[Sequence[Any], dict[str, Any]]:
        full = {**drawn, **dict(zip(names, xs, strict=False))}
        # Defaults of keywords are left to the function: some may not be given together.
        keywords = {key: x for key, x in full.items() if key not in order and x is not defaults.get(key, _MISSING)}
        return [*[full[key] for key in order], *xs[len(names) :]], keywords

    @functools.wraps(getattr(function, "forward", function))
    def bound(*xs: Any) -> Any:
        args, keywords = fill(*xs)
        return function(*args, **keywords)

    kept = [parameters[key].replace(kind=positional[1]) for key in names if key in parameters]
    bound.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    return Problem(name, bound, bound, args, labels, whole, module, fill)


def _drawn(value: Any, seed: int, place: int) -> Any:
    """Specs become random numbers."""
    rng = np.random.default_rng([seed, place])
    return tree_map(lambda x: draw(x, rng) if isinstance(x, TensorSpec) else x, value)


def _holds_numbers(value: Any) -> bool:
    kinds = (float, complex, np.ndarray, np.generic, Tensor)
    return any(isinstance(x, kinds) for x in tree_leaves(value))


# -- a graph --------------------------------------------------------------------------------------------------------


def _of_graph(target: Target, given: Given, seed: int, policy: str) -> Problem:
    graph: Graph = target.value
    inputs = graph.arguments
    names = argument_names(graph, inputs)
    unnamed = list(given.unnamed)
    values: dict[int, Any] = {}
    for key, value in given.named.items():
        if key not in names and not (key.isdecimal() and int(key) < len(names)):
            raise Failure(_unknown(f"the graph {target.name}", key, names))
        values[names.index(key) if key in names else int(key)] = value
    waiting = [place for place in range(len(names)) if place not in values]
    if len(unnamed) > len(waiting):
        raise Failure(f"the graph takes {len(names)} inputs, and there are more --input than that")
    values.update(zip(waiting, unnamed, strict=False))
    missing = [place for place in range(len(names)) if place not in values]
    unknown = [place for place in missing if any(isinstance(n, Dim) for n in inputs[place].shape)]
    if (policy == REQUIRED and missing) or (unknown and (values or policy == DRAWN)):
        wanted = ", ".join(f"{names[place]}: {spec_text(inputs[place])}" for place in missing)
        option = f'--input "{names[missing[0]]}=..."'
        raise Failure(f"the graph needs values for {wanted}. Give them with {option}.")
    for place in missing:
        if place not in unknown:
            values[place] = draw(inputs[place].spec, np.random.default_rng([seed, place]))

    def function(*leaves: Any) -> Any:
        return graph(*(leaves if graph.in_tree is None else tree_unflatten(graph.in_tree, leaves)))

    if unknown:
        return Problem(target.name, graph, function, (), ())
    return Problem(target.name, graph, function, _matched(inputs, names, values), tuple(names))


def _matched(inputs: Sequence[Input], names: Sequence[str], values: Mapping[int, Any]) -> tuple[Any, ...]:
    """Values of the declared dtypes and shapes."""
    lengths: dict[str, int] = {}
    found = []
    for place, declared in enumerate(inputs):
        value = values[place]
        array = np.asarray(value.numpy() if isinstance(value, Tensor) else value)
        if array.dtype.kind not in "biufc" or not np.can_cast(array.dtype, declared.dtype, "same_kind"):
            raise Failure(f"input {names[place]} is declared {spec_text(declared)}, and got {array.dtype}")
        try:
            x = fitted(declared, array.astype(declared.dtype), f"input {names[place]!r}", lengths)
        except WengertError as error:
            raise Failure(str(error)) from error
        found.append(x.numpy() if isinstance(x, Tensor) else x)
    return tuple(found)
