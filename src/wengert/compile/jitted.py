"""``jit``: trace, passes, plan, native code; once for each kind of arguments."""

from __future__ import annotations

import functools
import inspect
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.compile.donation import refusals
from wengert.compile.entry import MISSED, Entry
from wengert.compile.lowered import Lowered
from wengert.compile.native import Compiled
from wengert.core.apply import apply
from wengert.core.errors import TransformError
from wengert.core.levels import Wrapped, as_tensor
from wengert.core.mode import MODE
from wengert.core.pytree import TreeDef, tree_flatten, tree_map, tree_unflatten
from wengert.core.tensor import Tensor
from wengert.core.tracing import Symbol
from wengert.core.types import TensorSpec
from wengert.static.graph import Graph, compiler, traced
from wengert.transforms.control import tracked

Function = Callable[..., Any]

_ndarray = np.ndarray


class CacheInfo(NamedTuple):
    """How often ``jit`` found its program, how often it had to compile, and how many programs there are."""

    hits: int
    misses: int
    currsize: int


class jit:
    """A function with the values and derivatives of ``f``, compiled to native code.

    ``f`` is traced once for each combination of shapes and dtypes of its arguments (nested containers of tensors,
    arrays and numbers), of their structure, and of the values of ``static_argnums`` and ``static_argnames``, which must
    be hashable. Its Python control flow must not depend on values. It composes with every transform, in both orders:
    ``jit(grad(f))``, ``grad(jit(f))``, ``vmap(jit(f))``, ``jit`` inside ``jit``.

    Tensors that ``f`` reaches through its closure are constants of the compilation, unless they require gradients:
    those are read at every call, and receive their gradients. A name of the closure that is bound to another tensor
    later is not looked up again; pass what changes as an argument.

    ``donate_argnums`` names arguments that the caller gives away: results of the same shapes and dtypes may be put into
    their memory, which saves as much (``params, state = step(params, state, batch)``). Donated tensors whose memory was
    taken raise ``DonatedTensorError`` when they are used again; what a donated array holds is not defined, and it is
    read-only. What cannot be taken safely is not: what is read-only, is passed twice, or shares memory with anything
    else. ``lower(...).donated`` says what becomes of each argument.

    With ``check=True`` every call computes each node of the graph with NumPy too, from the operands that native code
    had, and raises ``MiscompiledError`` at the first that differs by more than rounding. It takes many times as long,
    and is meant for the search for a wrong number.

    Raises ``TraceError`` for control flow on values, ``TransformError`` for static arguments that cannot be hashed or
    are donated too.

    >>> import wengert as wg
    >>> f = wg.jit(lambda x: (2 * x**2).sum())
    >>> f(wg.ones(3)), wg.grad(f)(wg.ones(2))
    (tensor(6.), tensor([4., 4.]))
    >>> f.cache_info()
    CacheInfo(hits=0, misses=2, currsize=2)
    """

    def __init__(
        self,
        f: Function,
        static_argnums: int | Sequence[int] = (),
        static_argnames: str | Sequence[str] = (),
        donate_argnums: int | Sequence[int] = (),
        check: bool = False,
    ) -> None:
        functools.update_wrapper(self, f, [name for name in functools.WRAPPER_ASSIGNMENTS if hasattr(f, name)], ())
        self._function = f
        self._static = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
        names = {static_argnames} if isinstance(static_argnames, str) else set(static_argnames)
        if self._static or names:
            names, self._static = _matched_statics(f, self._static, names)
        self._static_names = frozenset(names)
        #: Whether no argument is static.
        self._plain = not self._static and not names
        donated = (donate_argnums,) if isinstance(donate_argnums, int) else tuple(donate_argnums)
        self._donated_names, self._donated = _matched_statics(f, donated, set()) if donated else (set(), ())
        if not self._donated_names.isdisjoint(self._static_names) or not set(self._donated).isdisjoint(self._static):
            raise TransformError("jit: an argument cannot be static and donated; its value is part of the code")
        self._check = check
        self._entries: dict[Any, Entry] = {}
        self._hits = 0
        self._misses = 0
        #: The kinds of arguments with a short way, the latest first, by the values of static arguments.
        self._ready: dict[Any, list[Entry]] = {}
        self._plain_ways = self._ready.setdefault((), [])
        self._reasons: list[str] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if MODE.get().trace is None:
            given, ways = (args, self._plain_ways) if self._plain and not kwargs else self._ways(args, kwargs)
            for entry in ways:
                outs = entry.call(given)
                if outs is not MISSED:
                    self._hits += 1
                    return outs
        return self._general(args, kwargs)

    def _ways(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Sequence[Entry]]:
        given, fixed = self._split(args, kwargs)
        try:
            return given, self._ready.get(fixed, ())
        except TypeError:  # not hashable, which the long way explains
            return given, ()

    def _general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        leaves, entry = self._entry(args, kwargs)
        graph = entry.graph
        outs = None
        if entry.given and not self._check and MODE.get().trace is None:
            outs = entry.donated(leaves)
        if outs is None:
            operands = [*leaves, *graph.captured]
            outs = apply(Compiled(graph, wanted=tracked(operands), check=self._check), *operands)
        if entry.used and not self._check:
            ready = self._ready.setdefault(entry.fixed, [])
            if entry not in ready:
                entry.prepare(plain=not kwargs and self._plain)
                ready[:] = [entry, *ready[: _SHORT_WAYS - 1]]
        entry.used = True
        return tree_unflatten(graph.out_tree, outs) if graph.out_tree is not None else outs[0]

    def _split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """Arguments and keywords that are traced, and those that are not, with their places and types: 1 is not 1.0."""
        fixed: list[tuple[Any, type, Any]] = [(k, type(args[k]), args[k]) for k in self._static if k < len(args)]
        places = {k for k, _, _ in fixed}
        named = {name: x for name, x in kwargs.items() if name not in self._static_names}
        fixed += [(name, type(x), x) for name, x in sorted(kwargs.items()) if name in self._static_names]
        return (tuple([x for k, x in enumerate(args) if k not in places]), named), tuple(fixed)

    def _entry(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Entry]:
        given, fixed = self._split(args, kwargs)
        leaves, structure = tree_flatten(given)
        leaves = [x if type(x) in _NUMBERS else as_tensor(x if hasattr(x, "dtype") else np.asarray(x)) for x in leaves]
        kinds = tuple([type(x) if type(x) in _NUMBERS else (x.shape, x.dtype) for x in leaves])
        key = (structure, kinds, fixed)
        try:
            entry = self._entries.get(key)
        except TypeError as error:
            raise TransformError(
                f"jit: static arguments must be hashable, and {error}; pass a tuple instead of a list or array"
            ) from error
        if entry is not None:
            self._hits += 1
            return leaves, entry
        self._misses += 1
        self._note(key)
        graph = self._traced(leaves, structure, fixed)
        entry = Entry(graph, structure, kinds, fixed, () if graph.captured else self._given_away(args, given[1]))
        if not any(isinstance(x, Wrapped) or isinstance(x._value, Symbol) for x in entry.graph.captured):
            # What a running transform lent through the closure is gone at the next call.
            self._entries[key] = entry
        return leaves, entry

    def _given_away(self, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[int, ...]:
        """The numbers of the leaves that are donated."""
        if not self._donated:
            return ()
        dynamic = [tree_map(lambda _, k=k: k in self._donated, x) for k, x in enumerate(args) if k not in self._static]
        by_name = {name: tree_map(lambda _, name=name: name in self._donated_names, x) for name, x in named.items()}
        flags = tree_flatten((dynamic, by_name))[0]
        return tuple(k for k, flag in enumerate(flags) if flag)

    def _traced(self, leaves: list[Any], structure: TreeDef, fixed: Sequence[tuple[Any, type, Any]]) -> Graph:
        places = {k: x for k, _, x in fixed if isinstance(k, int)}
        names = {k: x for k, _, x in fixed if isinstance(k, str)}

        def function(dynamic: tuple[Any, ...], named: dict[str, Any]) -> Any:
            rest = iter(dynamic)
            full = [places[k] if k in places else next(rest) for k in range(len(dynamic) + len(places))]
            return self._function(*full, **named, **names)

        specs = [type(x) if type(x) in _NUMBERS else TensorSpec(x.shape, x.dtype) for x in leaves]
        return traced(function, structure, specs)

    # -- questions ----------------------------------------------------------------------------------------------

    def _note(self, key: Any) -> None:
        name = getattr(self._function, "__name__", "the function")
        known = list(self._entries)
        if not known:
            reason = "the first call"
        elif all(key[0] != one[0] for one in known):
            reason = f"arguments of a structure not seen before: {key[0]}"
        elif all(key[1] != one[1] for one in known):
            reason = f"shapes and dtypes not seen before: {', '.join(map(_kind_text, key[1]))}"
        else:
            reason = f"other static arguments: {', '.join(repr(x) for _, _, x in key[2])}"
        self._reasons.append(reason)
        _RECOMPILES.append(f"{name}: {reason}")

    def cache_info(self) -> CacheInfo:
        """Hits, misses and programs so far."""
        return CacheInfo(self._hits, self._misses, len(self._entries))

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """What ``jit`` makes of these arguments, to look at; see ``Lowered``."""
        leaves, entry = self._entry(args, kwargs)
        raw = tree_flatten(self._split(args, kwargs)[0])[0]
        # Which of the arguments that are given away cannot be taken, and why.
        arrays = [x._value if isinstance(x, Tensor) else x for x in raw]
        refused = refusals(raw, arrays, [k for k in entry.offered if isinstance(raw[k], (Tensor, _ndarray))])
        return Lowered(entry.graph, leaves, entry.offered, refused)


compiler.append(jit)


_NUMBERS = (bool, int, float, complex)

#: So many kinds of arguments are tried before the long way is gone.
_SHORT_WAYS = 8


_RECOMPILES: deque[str] = deque(maxlen=1000)


def explain_recompiles(last: int = 20) -> str:
    """Why the last compilations happened, one line each.

    >>> import wengert as wg
    >>> f = wg.jit(lambda x: x + 1)
    >>> _ = f(wg.ones(2)), f(wg.ones(3))
    >>> print(wg.explain_recompiles(1))
    <lambda>: shapes and dtypes not seen before: float64[3]
    """
    return "\n".join(list(_RECOMPILES)[-last:])


def _kind_text(kind: Any) -> str:
    if isinstance(kind, type):
        return kind.__name__
    shape, dtype = kind
    return f"{dtype}[{','.join(map(str, shape))}]"


def _matched_statics(f: Function, numbers: Sequence[int], names: set[str]) -> tuple[set[str], tuple[int, ...]]:
    """Static arguments by name as well as by place, whichever way they are passed."""
    try:
        parameters = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        return names, tuple(numbers)
    count = len(parameters)
    places = {k % count if k < 0 else k for k in numbers} | {parameters.index(n) for n in names if n in parameters}
    return names | {parameters[k] for k in places if k < count}, tuple(sorted(places))
