"""Nested containers come apart and are put together again."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import pytest

import wengert as wg
from wengert.core.errors import ContainerError
from wengert.core.pytree import (
    register_pytree_node,
    tree_flatten,
    tree_leaves,
    tree_map,
    tree_structure,
    tree_unflatten,
)

Pair = namedtuple("Pair", ["left", "right"])

TREES: list[Any] = [
    1,
    None,
    (),
    [],
    {},
    (1, [2, (3, None)], {"b": 4, "a": [5]}),
    Pair(1, Pair(2, [3])),
    OrderedDict([("z", 1), ("a", 2)]),
    {1: "mixed", "keys": 2},
    [[], [[]], ()],
]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_round_trip(tree: Any) -> None:
    leaves, structure = tree_flatten(tree)
    again = tree_unflatten(structure, leaves)
    assert again == tree
    assert type(again) is type(tree)
    assert structure.num_leaves == len(leaves)
    assert tree_structure(again) == structure
    assert hash(tree_structure(again)) == hash(structure)


def test_leaves_are_in_order_and_dictionaries_by_key() -> None:
    assert tree_leaves((1, [2, (3, None)], {"b": 5, "a": [4]})) == [1, 2, 3, 4, 5]
    assert tree_structure({"a": 1, "b": 2}) == tree_structure({"b": 1, "a": 2})
    assert tree_leaves(OrderedDict([("z", 1), ("a", 2)])) == [1, 2]


def test_different_structures_differ() -> None:
    structures = [tree_structure(tree) for tree in TREES]
    assert len(set(structures)) == len(TREES)
    assert tree_structure((1, 2)) != tree_structure([1, 2])
    assert tree_structure(Pair(1, 2)) != tree_structure((1, 2))


def test_map_over_several_trees() -> None:
    assert tree_map(lambda a, b, c: a + b * c, Pair(1, [2]), Pair(3, [4]), Pair(5, [6])) == Pair(16, [26])
    with pytest.raises(ContainerError, match="structures differ"):
        tree_map(lambda a, b: a, [1], (1,))


def test_wrong_number_of_leaves() -> None:
    with pytest.raises(ContainerError, match="2 leaves cannot take 3"):
        tree_unflatten(tree_structure([1, 2]), [1, 2, 3])


def test_a_container_that_contains_itself_is_an_error() -> None:
    loop: list[Any] = [1]
    loop.append({"again": loop})
    with pytest.raises(ContainerError, match="a list contains itself"):
        tree_flatten(loop)
    with pytest.raises(ContainerError, match="contains itself"):
        wg.grad(lambda x: x[0])(loop)


def test_the_same_container_twice_is_no_cycle() -> None:
    inner = [1, 2]
    assert tree_leaves([inner, inner]) == [1, 2, 1, 2]


def test_too_deep_is_an_error_and_not_a_crash() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    assert tree_leaves(deep) == [1]
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ContainerError, match="more than 1000 deep"):
        tree_flatten(deep)
    # Python itself would free this list by recursion if it were not unwound.
    while isinstance(deep, list):
        deep = deep[0]


def test_registered_classes_are_containers_in_transforms() -> None:
    @dataclass
    class Point:
        x: Any
        y: Any
        name: str

    register_pytree_node(Point, lambda p: ((p.x, p.y), p.name), lambda name, xy: Point(*xy, name))
    found = wg.grad(lambda p: p.x * p.y)(Point(wg.tensor(2.0), wg.tensor(3.0), "here"))
    assert (float(found.x), float(found.y), found.name) == (3.0, 2.0, "here")
