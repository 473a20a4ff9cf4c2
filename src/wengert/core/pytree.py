"""Nested containers: tuples, lists, dictionaries, named tuples, ``None``, and whatever is registered.

Everything that is not a container is a leaf. No function here recurses; a container that contains itself, or is nested
more than 1,000 deep, is a ``ContainerError``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .errors import ContainerError

_LIMIT = 1000


class Registration:
    """How a container comes apart and is put together again."""

    def __init__(
        self, flatten: Callable[[Any], tuple[Iterable[Any], Any]], unflatten: Callable[[Any, Any], Any]
    ) -> None:
        self.flatten = flatten
        self.unflatten = unflatten


_REGISTRY: dict[type, Registration] = {}


def register_pytree_node(
    cls: type, flatten: Callable[[Any], tuple[Iterable[Any], Any]], unflatten: Callable[[Any, Any], Any]
) -> None:
    """Let instances of ``cls`` count as containers.

    ``flatten(x)`` returns the children and anything hashable that ``unflatten(auxiliary, children)`` needs besides.
    """
    _REGISTRY[cls] = Registration(flatten, unflatten)


register_pytree_node(tuple, lambda x: (x, None), lambda _, children: tuple(children))
register_pytree_node(list, lambda x: (x, None), lambda _, children: list(children))
register_pytree_node(type(None), lambda x: ((), None), lambda _, children: None)


def _flatten_dict(x: dict[Any, Any]) -> tuple[Iterable[Any], Any]:
    try:
        keys = tuple(sorted(x))
    except TypeError:
        keys = tuple(x)
    return [x[key] for key in keys], keys


register_pytree_node(dict, _flatten_dict, lambda keys, children: dict(zip(keys, children, strict=True)))
register_pytree_node(
    OrderedDict,
    lambda x: (list(x.values()), tuple(x)),
    lambda keys, children: OrderedDict(zip(keys, children, strict=True)),
)


def registration_of(kind: type) -> Registration | None:
    """How containers of exactly this type come apart, if they are registered; named tuples are not."""
    return _REGISTRY.get(kind)


def _registration(x: Any) -> Registration | None:
    found = _REGISTRY.get(type(x))
    if found is None and isinstance(x, tuple) and hasattr(x, "_fields"):
        return Registration(lambda y: (y, type(y)), lambda cls, children: cls(*children))
    return found


class TreeDef:
    """The structure of a container without its leaves; equal structures compare equal."""

    __slots__ = ("entries",)

    #: In prefix order: (type, auxiliary, number of children) for a container, ``None`` for a leaf.
    entries: tuple[Any, ...]

    def __init__(self, entries: Sequence[Any]) -> None:
        self.entries = tuple(entries)

    @property
    def num_leaves(self) -> int:
        return sum(entry is None for entry in self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeDef) and self.entries == other.entries

    def __hash__(self) -> int:
        return hash(self.entries)

    def __repr__(self) -> str:
        return f"TreeDef({tree_unflatten(self, ['*'] * self.num_leaves)!r})"


def tree_flatten(tree: Any) -> tuple[list[Any], TreeDef]:
    """The leaves of a container, in order, and its structure.

    >>> tree_flatten({"a": 1, "b": (2, None)})[0]
    [1, 2]
    """
    leaves: list[Any] = []
    entries: list[Any] = []
    path: set[int] = set()
    stack: list[tuple[bool, Any]] = [(True, tree)]
    while stack:
        entering, x = stack.pop()
        if not entering:
            path.discard(x)
            continue
        registration = _registration(x)
        if registration is None:
            leaves.append(x)
            entries.append(None)
            continue
        if id(x) in path:
            raise ContainerError(f"a {type(x).__name__} contains itself; nested containers must be trees")
        if len(path) >= _LIMIT:
            raise ContainerError(f"containers are nested more than {_LIMIT} deep")
        children, auxiliary = registration.flatten(x)
        children = list(children)
        entries.append((type(x), auxiliary, len(children)))
        if children:
            path.add(id(x))
            stack.append((False, id(x)))
            stack += [(True, child) for child in reversed(children)]
    return leaves, TreeDef(entries)


def tree_unflatten(treedef: TreeDef, leaves: Iterable[Any]) -> Any:
    """Put leaves into a structure. Raises ``ContainerError`` if their number does not fit."""
    values = list(leaves)
    if len(values) != treedef.num_leaves:
        raise ContainerError(f"a structure with {treedef.num_leaves} leaves cannot take {len(values)}")
    done: list[Any] = []
    for entry in reversed(treedef.entries):
        if entry is None:
            done.append(values.pop())
            continue
        cls, auxiliary, count = entry
        children = [done.pop() for _ in range(count)]
        registration = _REGISTRY.get(cls)
        done.append(registration.unflatten(auxiliary, children) if registration else auxiliary(*children))
    return done[0]


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves of a container, in order."""
    return tree_flatten(tree)[0]


def tree_structure(tree: Any) -> TreeDef:
    """The structure of a container."""
    return tree_flatten(tree)[1]


def tree_map(function: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """Apply a function to every leaf, or to the leaves of several containers of one structure.

    >>> tree_map(lambda a, b: a + b, (1, [2]), (10, [20]))
    (11, [22])
    """
    leaves, treedef = tree_flatten(tree)
    columns = [leaves]
    for other in rest:
        found, structure = tree_flatten(other)
        if structure != treedef:
            raise ContainerError(f"tree_map: structures differ: {treedef} and {structure}")
        columns.append(found)
    return tree_unflatten(treedef, [function(*row) for row in zip(*columns, strict=True)])
