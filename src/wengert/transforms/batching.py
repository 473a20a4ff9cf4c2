"""Mapping a function over an axis of its arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.core.errors import ContainerError, ShapeError
from wengert.core.levels import Batched, VmapLevel, as_tensor, running
from wengert.core.pytree import tree_flatten, tree_unflatten


def _spread(axes: Any, tree: Any, caller: str) -> list[Any]:
    """One axis (or ``None``) for each leaf, from a container that may stop short at an inner one."""
    leaves, structure = tree_flatten(tree)
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        return [axes] * len(leaves)
    if isinstance(axes, (tuple, list)) and isinstance(tree, (tuple, list)) and len(axes) == len(tree):
        return [found for one, sub in zip(axes, tree, strict=True) for found in _spread(one, sub, caller)]
    if isinstance(axes, dict) and isinstance(tree, dict) and axes.keys() == tree.keys():
        # In the order in which this kind of dictionary comes apart.
        names = list(tree)
        order = tree_flatten(type(tree)(zip(names, range(len(names)), strict=True)))[0]
        return [found for i in order for found in _spread(axes[names[i]], tree[names[i]], caller)]
    raise ContainerError(f"vmap: {caller} {axes!r} does not fit {structure}")


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """A function that maps ``f`` over an axis of its arguments, in one pass.

    ``in_axes`` gives the axis of each argument that is mapped over, ``None`` for one that is not; keyword arguments are
    mapped over their first axis. ``out_axes`` says where the mapped axis stands in the results.

    >>> import wengert as wg
    >>> wg.vmap(wg.dot)(wg.ones((3, 2)), wg.ones((3, 2)))
    tensor([2., 2., 2.])
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        x: Any
        leaves, structure = tree_flatten((args, kwargs))
        axes = [*_spread(in_axes if not isinstance(in_axes, list) else tuple(in_axes), args, "in_axes")]
        axes += [0] * (len(leaves) - len(axes))
        sizes: dict[int, int] = {}
        moved = []
        for place, (x, axis) in enumerate(zip(leaves, axes, strict=True)):
            if axis is None:
                moved.append(x)
                continue
            x = as_tensor(x)
            if not -x.ndim <= axis < x.ndim:
                raise ShapeError(f"vmap: axis {axis} is out of range for an argument of shape {x.shape}")
            sizes.setdefault(x.shape[axis], place)
            moved.append(x if axis == 0 else np.moveaxis(x, axis, 0))
        if len(sizes) != 1:
            raise _unequal(sizes, args, kwargs)
        level = VmapLevel(next(iter(sizes)))
        with running(level):
            mapped = [x if axis is None else level.batched(x) for x, axis in zip(moved, axes, strict=True)]
            inner_args, inner_kwargs = tree_unflatten(structure, mapped)
            out = f(*inner_args, **inner_kwargs)
            results, out_structure = tree_flatten(out)
            places = _spread(out_axes, out, "out_axes")
            final = [_outside(y, place, level) for y, place in zip(results, places, strict=True)]
        return tree_unflatten(out_structure, final)

    return wrapper


def _unequal(sizes: dict[int, int], args: tuple[Any, ...], kwargs: dict[str, Any]) -> ShapeError:
    """The error for mapped axes of several lengths, each with the place of a leaf that has it."""
    if not sizes:
        return ShapeError("vmap: in_axes maps over no argument")
    owners = [f"argument {i}" for i, arg in enumerate(args) for _ in tree_flatten(arg)[0]]
    owners += [f"argument {name!r}" for name in sorted(kwargs) for _ in tree_flatten(kwargs[name])[0]]
    shown = ", ".join(f"{size} in {owners[place]}" for size, place in sorted(sizes.items()))
    return ShapeError(f"vmap: the mapped axes have lengths {sorted(sizes)}; they must agree ({shown})")


def _outside(y: Any, place: Any, level: VmapLevel) -> Any:
    y = as_tensor(y)
    rank = y.ndim + 1
    if place is not None and not -rank <= place < rank:
        raise ShapeError(f"vmap: out_axes {place} is out of range for a result of shape {y.shape} and a mapped axis")
    if isinstance(y, Batched) and y._level is level:
        if place is None:
            raise ShapeError("vmap: out_axes is None for a result that differs along the batch")
        return y._inner if place == 0 else np.moveaxis(y._inner, 0, place)
    if place is None:
        return y
    return np.moveaxis(np.broadcast_to(y, (level.size, *y.shape)), 0, place)
