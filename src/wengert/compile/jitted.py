"""``jit``: trace, passes, plan, native code; once for each kind of arguments."""

from __future__ import annotations

import functools
import inspect
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.backends.llvm.fastcall import ARRAY, FLOAT, INT, READY
from wengert.compile.donation import Donor, refusals
from wengert.compile.lowered import Lowered
from wengert.compile.native import Compiled, program_of
from wengert.core.apply import apply
from wengert.core.errors import TransformError
from wengert.core.levels import Wrapped, as_tensor
from wengert.core.mode import MODE
from wengert.core.packing import packer, unpacker
from wengert.core.pytree import TreeDef, tree_flatten, tree_map, tree_unflatten
from wengert.core.tensor import EAGER_TYPES, Tensor, wrap
from wengert.core.tracing import Symbol
from wengert.core.types import TensorSpec, frozen_copy
from wengert.static.graph import Graph, compiler, traced
from wengert.transforms.control import tracked

Function = Callable[..., Any]

_ndarray = np.ndarray


class CacheInfo(NamedTuple):
    """How often ``jit`` found its program, how often it had to compile, and how many programs there are."""

    hits: int
    misses: int
    currsize: int


class Entry:
    """A compiled kind of arguments."""

    def __init__(self, graph: Graph, structure: TreeDef, kinds: Sequence[Any], given: Sequence[int] = ()) -> None:
        self.graph = graph
        #: The numbers of the leaves that the caller gives away.
        self.given = self.offered = given
        self._donor: Donor | None = None
        self._structure, self._kinds = structure, kinds
        #: Whether this is not the first call: what is called once need not be called quickly.
        self.used = False
        #: The operation that stands for the graph, by the operands that a gradient is expected for.
        self._operations: dict[tuple[bool, ...], Compiled] = {}
        #: The native function, if the program is simple enough for one.
        self._native: Callable[..., Any] | None = None

    def prepare(self) -> None:
        """Make ready for ``call``."""
        graph = self.graph
        self._unpack = unpacker(self._structure)
        self._pack = None if graph.out_tree is None else packer(graph.out_tree)
        count = len(graph.inputs) - len(graph.captured)
        self._specs = tuple((x.shape, x.dtype) for x in graph.inputs[:count])
        if not graph.captured and "program" in graph._cache:
            self._native = program_of(graph).fastcall([_SHORT.get(kind, ARRAY) for kind in self._kinds])

    def call(self, args: tuple[Any, ...]) -> Any:
        """The results, or ``MISSED`` if the arguments are of another kind."""
        leaves = self._unpack(args)
        if leaves is None:
            return MISSED
        pack = self._pack
        if self.given:
            found = self.donated(leaves)
            if found is not None:
                return found[0] if pack is None else pack(*found)
        elif self._native is not None:
            outs = self._native(*leaves)
            if outs is not None:
                return outs if pack is None else pack(outs) if type(outs) is Tensor else pack(*outs)
        if not self._fit(leaves):
            return MISSED
        outs = self._applied(leaves)
        return outs[0] if pack is None else pack(*outs)

    def donated(self, leaves: Sequence[Any]) -> tuple[Tensor, ...] | None:
        """The results in the memory of what is given away, if something is that can be used for that."""
        if self._donor is None:
            self._donor = Donor(self.graph, self.given)
            if not self._donor.used:
                self.given = ()
                return None
        return self._donor.run(leaves)

    def _fit(self, leaves: Sequence[Any]) -> bool:
        """Whether these are tensors and arrays of exactly these kinds, ready for native code."""
        for x, (shape, dtype) in zip(leaves, self._specs, strict=True):
            array = x._value if type(x) is Tensor or type(x) in EAGER_TYPES else x
            if type(array) is not _ndarray or array.shape != shape or array.dtype is not dtype:
                return False
            if array.flags.num & READY != READY:
                return False
        return True

    def _applied(self, leaves: Sequence[Any]) -> Any:
        """The results, with a node for the backward pass if need be."""
        operands = [*leaves, *self.graph.captured]
        wanted = tuple([type(x) is not _ndarray and x._node is not None for x in operands])
        operation = self._operations.get(wanted)
        if operation is None:
            operation = self._operations[wanted] = Compiled(self.graph, wanted=wanted if any(wanted) else ())
        # What is kept for a backward pass must not be changed by its owner.
        keep = frozen_copy if operation.wanted else _itself
        return apply(operation, *[wrap(keep(x)) if type(x) is _ndarray else x for x in operands])


def _itself(x: Any) -> Any:
    return x


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
        donated = (donate_argnums,) if isinstance(donate_argnums, int) else tuple(donate_argnums)
        self._donated_names, self._donated = _matched_statics(f, donated, set()) if donated else (set(), ())
        if not self._donated_names.isdisjoint(self._static_names) or not set(self._donated).isdisjoint(self._static):
            raise TransformError("jit: an argument cannot be static and donated; its value is part of the code")
        self._check = check
        self._entries: dict[Any, Entry] = {}
        self._hits = 0
        self._misses = 0
        #: The kinds of arguments with a short way, the latest first.
        self._ready: list[Entry] = []
        self._reasons: list[str] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs and MODE.get().trace is None:
            for entry in self._ready:
                outs = entry.call(args)
                if outs is not MISSED:
                    self._hits += 1
                    return outs
        return self._general(args, kwargs)

    def _general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        leaves, entry = self._entry(args, kwargs)
        graph = entry.graph
        if entry.given and not self._check and MODE.get().trace is None:
            found = entry.donated(leaves)
            if found is not None:
                if not (self._static or kwargs) and entry not in self._ready:
                    self._make_ready(entry)
                return tree_unflatten(graph.out_tree, found) if graph.out_tree is not None else found[0]
        operands = [*leaves, *graph.captured]
        outs = apply(Compiled(graph, wanted=tracked(operands), check=self._check), *operands)
        if entry.used and entry not in self._ready and not (self._check or self._static or kwargs):
            self._make_ready(entry)
        entry.used = True
        return tree_unflatten(graph.out_tree, outs) if graph.out_tree is not None else outs[0]

    def _make_ready(self, entry: Entry) -> None:
        entry.prepare()
        self._ready = [entry, *self._ready[: _SHORT_WAYS - 1]]

    def _entry(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Entry]:
        fixed = {k: args[k] for k in self._static if k < len(args)}
        fixed_names = {name: kwargs[name] for name in kwargs if name in self._static_names}
        dynamic = [x for k, x in enumerate(args) if k not in fixed]
        named = {name: x for name, x in kwargs.items() if name not in fixed_names}
        leaves, structure = tree_flatten((dynamic, named))
        leaves = [x if type(x) in _NUMBERS else as_tensor(x if hasattr(x, "dtype") else np.asarray(x)) for x in leaves]
        kinds = tuple([type(x) if type(x) in _NUMBERS else (x.shape, x.dtype) for x in leaves])
        key = (structure, kinds, tuple(sorted(fixed.items())), tuple(sorted(fixed_names.items())))
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
        arguments = TreeDef([(tuple, *structure.entries[1][1:]), *structure.entries[2:-1]])
        graph = self._traced(leaves, structure, fixed, fixed_names)
        entry = Entry(graph, arguments, kinds, () if graph.captured else self._given_away(args, fixed, named))
        if not any(isinstance(x, Wrapped) or isinstance(x._value, Symbol) for x in entry.graph.captured):
            # What a running transform lent through the closure is gone at the next call.
            self._entries[key] = entry
        return leaves, entry

    def _given_away(self, args: tuple[Any, ...], fixed: dict[int, Any], named: dict[str, Any]) -> tuple[int, ...]:
        """The numbers of the leaves that are donated."""
        if not self._donated:
            return ()
        dynamic = [tree_map(lambda _, k=k: k in self._donated, x) for k, x in enumerate(args) if k not in fixed]
        by_name = {name: tree_map(lambda _, name=name: name in self._donated_names, x) for name, x in named.items()}
        flags = tree_flatten((dynamic, by_name))[0]
        return tuple(k for k, flag in enumerate(flags) if flag)

    def _traced(self, leaves: list[Any], structure: TreeDef, fixed: dict[int, Any], names: dict[str, Any]) -> Graph:
        def function(dynamic: list[Any], named: dict[str, Any]) -> Any:
            rest = iter(dynamic)
            count = len(dynamic) + len(fixed)
            full = [fixed[k] if k in fixed else next(rest) for k in range(count)]
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
            reason = f"other static arguments: {key[2:]}"
        self._reasons.append(reason)
        _RECOMPILES.append(f"{name}: {reason}")

    def cache_info(self) -> CacheInfo:
        """Hits, misses and programs so far."""
        return CacheInfo(self._hits, self._misses, len(self._entries))

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """What ``jit`` makes of these arguments, to look at; see ``Lowered``."""
        leaves, entry = self._entry(args, kwargs)
        return Lowered(entry.graph, leaves, entry.offered, self._refusals(args, kwargs, entry))

    def _refusals(self, args: tuple[Any, ...], kwargs: dict[str, Any], entry: Entry) -> dict[int, str]:
        """Which of the arguments that are given away cannot be taken, and why."""
        dynamic = [x for k, x in enumerate(args) if k not in self._static]
        named = {name: x for name, x in kwargs.items() if name not in self._static_names}
        raw = tree_flatten((dynamic, named))[0]
        return refusals(raw, [k for k in entry.offered if isinstance(raw[k], (Tensor, _ndarray))])


compiler.append(jit)


_NUMBERS = (bool, int, float, complex)

#: The numbers that native functions take.
_SHORT = {int: INT, float: FLOAT}

#: So many kinds of arguments are tried before the long way is gone.
_SHORT_WAYS = 8

#: What ``Entry.call`` returns for arguments of another kind.
MISSED = object()

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
