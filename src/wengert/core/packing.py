"""Taking containers of one known structure apart, and putting them together again, by code made for the structure:
several times as fast as walking it, for what happens at every call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.core.pytree import TreeDef, registration_of

#: The leaves of a container of the structure, or ``None`` if this is not its structure.
Unpacker = Callable[[Any], "tuple[Any, ...] | None"]


def unpacker(treedef: TreeDef) -> Unpacker:
    """A function that returns the leaves of a container, or ``None`` for one of another structure.

    >>> from wengert.core.pytree import tree_structure
    >>> leaves = unpacker(tree_structure({"a": 0, "b": (0, 0)}))
    >>> leaves({"a": 1, "b": (2, 3)}), leaves({"a": 1, "b": [2, 3]})
    ((1, 2, 3), None)
    """
    names: dict[str, Any] = {}
    lines = ["def unpack(x0):", " try:"]
    found: list[str] = []
    waiting, made = ["x0"], 1
    for number, entry in enumerate(treedef.entries):
        x = waiting.pop()
        if entry is None:
            found.append(x)
            continue
        kind, auxiliary, count = entry
        children = [f"x{made + k}" for k in range(count)]
        made += count
        waiting += reversed(children)
        names[f"t{number}"] = kind
        lines.append(f"  if type({x}) is not t{number}: return None")
        lines += [f"  {line}" for line in _taken_apart(kind, auxiliary, x, children, number, names)]
    lines += [f"  return {_tuple(found)}", " except (KeyError, ValueError, TypeError):", "  return None"]
    made_function: Unpacker = _function("unpack", lines, names)
    return made_function


def _taken_apart(
    kind: type, auxiliary: Any, x: str, children: Sequence[str], number: int, names: dict[str, Any]
) -> list[str]:
    if kind is type(None):
        return []
    if kind is dict:
        names.update({f"k{number}_{k}": key for k, key in enumerate(auxiliary)})
        taken = [f"{child} = {x}[k{number}_{k}]" for k, child in enumerate(children)]
        return [f"if len({x}) != {len(children)}: return None", *taken]
    unpacked = f"{_tuple(children)} = " if children else "() = "
    if kind is tuple or kind is list or registration_of(kind) is None:  # a named tuple
        return [f"{unpacked}{x}"]
    registration = registration_of(kind)
    assert registration is not None
    names[f"f{number}"], names[f"a{number}"] = registration.flatten, auxiliary
    return [f"c{number}, b{number} = f{number}({x})", f"if b{number} != a{number}: return None", f"{unpacked}c{number}"]


def packer(treedef: TreeDef) -> Callable[..., Any]:
    """A function that puts its arguments, the leaves, into the structure.

    >>> from wengert.core.pytree import tree_structure
    >>> packer(tree_structure({"a": 0, "b": (0, [0])}))(1, 2, 3)
    {'a': 1, 'b': (2, [3])}
    """
    names: dict[str, Any] = {}
    lines: list[str] = []
    leaves = treedef.num_leaves
    done: list[str] = []
    for number, entry in enumerate(reversed(treedef.entries)):
        if entry is None:
            leaves -= 1
            done.append(f"x{leaves}")
            continue
        kind, auxiliary, count = entry
        children = [done.pop() for _ in range(count)]
        made = f"y{number}"
        registration = registration_of(kind)
        if kind is type(None):
            text = "None"
        elif kind is tuple:
            text = _tuple(children)
        elif kind is list:
            text = f"[{', '.join(children)}]"
        else:
            names[f"f{number}"] = registration.unflatten if registration else auxiliary
            names[f"a{number}"] = auxiliary
            text = f"f{number}(a{number}, {_tuple(children)})" if registration else f"f{number}({', '.join(children)})"
        lines.append(f" {made} = {text}")
        done.append(made)
    head = f"def pack({', '.join(f'x{k}' for k in range(treedef.num_leaves))}):"
    made_function: Callable[..., Any] = _function("pack", [head, *lines, f" return {done[0]}"], names)
    return made_function


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def _function(name: str, lines: Sequence[str], names: dict[str, Any]) -> Any:
    """The function that lines define. All names in them are ours: what is the user's is a value in ``names``."""
    exec("\n".join(lines), names)
    return names[name]
