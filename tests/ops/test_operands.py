"""What holds for every function of NumPy: plain arrays among its operands may be changed afterwards, and its results
are tensors even if all operands are arrays."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as wnp
from tests.ops.numpy_calls import Call
from tests.ops.test_numpy_functions import ALL, CALLS, NO_TENSOR

NAMESPACES = {np: wnp, np.linalg: wnp.linalg, np.fft: wnp.fft}
TO_TENSORS = [(module, name) for module, name in ALL if name not in NO_TENSOR]
NAMES = [f"{module.__name__}.{name}" for module, name in TO_TENSORS]
#: NumPy looks at the first operand alone and, where that is an array, does not ask Wengert; the result has no gradient.
BLIND = {"apply_along_axis"}


def arrays(x: Any) -> Iterator[np.ndarray]:
    if isinstance(x, (list, tuple)):
        for one in x:
            yield from arrays(one)
    elif isinstance(x, dict):
        yield from arrays(list(x.values()))
    elif isinstance(x, np.ndarray):
        yield x


def replaced(x: Any, new: Iterator[Any]) -> Any:
    """Nested arguments with other things in the place of their arrays."""
    if isinstance(x, (list, tuple)):
        return type(x)(replaced(one, new) for one in x)
    if isinstance(x, dict):
        return {name: replaced(one, new) for name, one in x.items()}
    return next(new) if isinstance(x, np.ndarray) else x


def tensors(x: Any) -> list[Any]:
    return [one for one in (x if isinstance(x, (list, tuple)) else [x]) if isinstance(one, wg.Tensor)]


def value_and_gradient(function: Any, call: Call, tracked: int, change: bool) -> tuple[list[np.ndarray], Any]:
    """Results and the gradient of one operand, if the others are changed after the call, or are not."""
    given: list[Any] = [x.copy() for x in arrays((call.args, call.kwargs))]
    given[tracked] = leaf = wg.tensor(given[tracked], requires_grad=True)
    args, kwargs = replaced((call.args, call.kwargs), iter(given))
    with np.errstate(all="ignore"):
        results = tensors(function(*args, **kwargs))
        for x in given:
            if change and isinstance(x, np.ndarray):
                x[...] = 1
        differentiable = [wg.abs(y * y).sum() for y in results if y.requires_grad]
        if differentiable:
            sum(differentiable[1:], differentiable[0]).backward()
    gradient = None if leaf.grad is None else leaf.grad.numpy()
    return [y.detach().numpy() for y in results], gradient


@pytest.mark.parametrize(
    ("module", "name"), TO_TENSORS, ids=[f"{module.__name__}.{name}" for module, name in TO_TENSORS]
)
def test_arrays_may_be_changed_after_the_call(module: ModuleType, name: str) -> None:
    for call in CALLS[module, name]:
        operands = list(arrays((call.args, call.kwargs)))
        if len(operands) < 2 or name in BLIND or name == "nextafter":
            continue
        for place, operand in enumerate(operands):
            if operand.dtype.kind in "fc":
                before, expected = value_and_gradient(getattr(module, name), call, place, False)
                after, gradient = value_and_gradient(getattr(module, name), call, place, True)
                for one, other in zip([*before, expected], [*after, gradient], strict=True):
                    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("module", "name"), TO_TENSORS, ids=[f"{module.__name__}.{name}" for module, name in TO_TENSORS]
)
def test_results_are_tensors_for_arrays_too(module: ModuleType, name: str) -> None:
    for call in CALLS[module, name]:
        with np.errstate(all="ignore"):
            found = getattr(NAMESPACES[module], name)(*call.args, **call.kwargs)
        for one in found if isinstance(found, (tuple, list)) else (found,):
            assert not isinstance(one, (np.ndarray, np.generic)), f"an array: {one!r}"
