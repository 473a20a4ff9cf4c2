"""Sums of slices: what the gradient of ``x[0] * x[1] * x[2:]`` by ``x`` is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wengert.core.static import Constant, Graph, GraphNode, Value
from wengert.ops.arithmetic import Add
from wengert.ops.indexing import AddAt, Entry, SetAt, Slice, Unslice
from wengert.passes.rewriting import Builder, Replacement, rewrite, same_spec

#: Parts up to which it is found out whether they are zero where the next slice is, and the longest strided slice of
#: which the places are compared one by one.
_MOST, _LONGEST = 64, 1024

_Slice = tuple[Entry, ...]


@dataclass(frozen=True)
class AddSlices:
    """Add slices to a sum where they are, instead of arrays that are zero everywhere else; where the sum is zero still,
    put them there. Zeros may lose their sign.

    ::

        %2 = unslice[0] %0; %3 = unslice[1] %1; %4 = add %2 %3   ->   %2 = unslice[0] %0; %4 = set_at[1] %2 %1
    """

    def __call__(self, graph: Graph) -> Graph:
        return rewrite(graph, self._rule, self)

    def _rule(self, builder: Builder, node: GraphNode) -> Replacement:
        if not isinstance(node.primitive, Add) or not all(isinstance(n, int) for n in node.shape):
            return None
        if not all(same_spec(x, node.results[0]) for x in node.operands):
            return None
        for total, part in (node.operands, node.operands[::-1]):
            if isinstance(part, Constant):
                found = _on_a_constant(builder, total, part)
                if found is not None:
                    return [found]
            maker, parts = builder.maker(part), _parts(builder, total)
            if maker is not None and isinstance(maker.primitive, Unslice) and parts:
                entries = maker.primitive.entries
                update = SetAt if _are_zero(parts, entries, node.shape) else AddAt
                return builder.emit(update(entries), total, maker.operands[0])
        return None


def _parts(builder: Builder, x: Any) -> list[_Slice | Constant]:
    """What a value is the sum of, if it is one of slices and constants only."""
    found: list[_Slice | Constant] = []
    while (node := builder.maker(x)) is not None:
        op: Any = node.primitive
        if isinstance(op, Unslice):
            return [*found, op.entries]
        if isinstance(op, Add):
            # A constant that could not be put under the slices.
            x, last = node.operands
            if not isinstance(last, Constant) or last.shape != node.shape:
                return []
            found.append(last)
        elif isinstance(op, (SetAt, AddAt)) and len(node.operands) == 2:
            x = node.operands[0]
            found.append(op.entries)
        else:
            return []
    return [*found, x] if isinstance(x, Constant) else []


def _on_a_constant(builder: Builder, total: Any, constant: Constant) -> Value | None:
    """The sum of a constant, and of slices in another one, if the constants are zero where the slices are."""
    updates: list[tuple[_Slice, Any]] = []
    while (node := builder.maker(total)) is not None and isinstance(node.primitive, SetAt) and len(node.operands) == 2:
        updates.append((node.primitive.entries, node.operands[1]))
        total = node.operands[0]
    if not isinstance(total, Constant) or not updates:
        return None
    array = total.array + constant.array
    array.flags.writeable = False
    if any(Slice(entries).value(array).any() for entries, _ in updates):
        return None
    found: Value = Constant(array)
    for entries, v in reversed(updates):
        (found,) = builder.emit(SetAt(entries), found, v)
    return found


def _are_zero(parts: Sequence[_Slice | Constant], entries: _Slice, shape: tuple[int, ...]) -> bool:
    """Whether all parts of a sum are zero where a slice is."""
    if len(parts) > _MOST:
        return False
    mine = _ranges(entries, shape)
    return all(
        not Slice(entries).value(part.array).any()
        if isinstance(part, Constant)
        else any(map(_disjoint, mine, _ranges(part, shape)))
        for part in parts
    )


def _ranges(entries: _Slice, shape: tuple[int, ...]) -> list[range]:
    """The places along each axis that a slice reads."""
    own = [entry for entry in entries if entry[0] != "new"]
    if ("rest",) not in own:
        own.append(("rest",))
    at = own.index(("rest",))
    full = [*own[:at], *[("slice", None, None, None)] * (len(shape) - len(own) + 1), *own[at + 1 :]]
    found = []
    for entry, n in zip(full, shape, strict=True):
        if entry[0] == "int":
            found.append(range(entry[1] % n, entry[1] % n + 1))
        else:
            places = range(*slice(*entry[1:]).indices(n))
            found.append(places if places.step > 0 else places[::-1])
    return found


def _disjoint(a: range, b: range) -> bool:
    if not a or not b or a[-1] < b[0] or b[-1] < a[0]:
        return True
    return max(len(a), len(b)) <= _LONGEST and a.step * b.step != 1 and set(a).isdisjoint(b)
