"""``wengert check``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

import wengert as wg
from wengert.cli.command import Command, Result, add_target, number, problem
from wengert.cli.failures import FAILED, OK, Failure
from wengert.cli.inputs import Problem
from wengert.cli.terminal import status
from wengert.core.errors import GradcheckError
from wengert.core.tensor import Tensor

_MODES = {"fwd": ("fwd",), "rev": ("rev",), "both": ("fwd", "rev")}


def configure(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    orders = range(1, 9)
    parser.add_argument("--order", type=int, choices=orders, default=2, metavar="ORDER", help="up to 8 (default: 2)")
    parser.add_argument("--mode", choices=_MODES, default="both", help="forward, reverse, or both (the default)")
    parser.add_argument("--compiled", action="store_true", help="check the compiled function instead")
    parser.add_argument("--eps", type=number, help="the step of the differences")
    parser.add_argument("--atol", type=number, help="tolerance in units of the largest number compared, or of one")
    parser.add_argument("--rtol", type=number, help="tolerance relative to each number")


def run(options: argparse.Namespace) -> Result:
    with problem(options) as found:
        found = found.with_parameters()
        _require_numbers(found)
        _require_same_values(found)
        function = wg.jit(found.function) if options.compiled else found.function
        checks = []
        with status() as show:
            for modes in _combinations(options.mode):
                for order in range(1, options.order + 1):
                    show(f"checking {found.name}, order {order}, {' and '.join(modes)}")
                    checks.append(_checked(function, found.args, order, modes, options))
                    if not checks[-1]["passed"]:  # the next order begins with the same differences
                        break
    passed = all(check["passed"] for check in checks)
    data = {"function": found.name, "inputs": found.describe(), "passed": passed, "checks": checks}
    return Result(data, _text(found, checks, passed, options.color), OK if passed else FAILED)


def _checked(
    function: Any, args: Sequence[Any], order: int, modes: tuple[str, ...], options: argparse.Namespace
) -> dict[str, Any]:
    tolerances = {name: getattr(options, name) for name in ("eps", "atol", "rtol")}
    message = ""
    try:
        wg.check_grads(function, args, order, modes, seed=options.seed, **tolerances)
    except GradcheckError as error:
        message = str(error)
    return {"order": order, "modes": list(modes), "passed": not message, "message": message}


def _combinations(mode: str) -> list[tuple[str, ...]]:
    return [("fwd",), ("rev",), ("fwd", "rev")] if mode == "both" else [_MODES[mode]]


def _require_numbers(found: Problem) -> None:
    if not any(x.dtype.kind in "fc" for x in map(np.asarray, _leaves(found.args))):
        raise Failure(
            f"{found.name} has no floating-point input to differentiate by; make it an argument, and write 3.0 for 3"
        )


def _require_same_values(found: Problem) -> None:
    """Differences of a function that draws random numbers say nothing."""
    once, again = (_leaves(found.function(*found.tensors())) for _ in range(2))
    if not any(x.dtype.kind in "fc" for x in once):
        raise Failure(f"{found.name} returns no floating-point number, so it has no derivatives to check")
    if not all(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") for a, b in zip(once, again, strict=True)):
        raise Failure(
            f"{found.name} gives other values when it is called again with the same arguments, so differences cannot "
            f"check its derivatives; fix its random numbers, or call eval() on its modules"
        )


def _leaves(tree: Any) -> list[np.ndarray]:
    return [
        np.asarray(x.detach().numpy() if isinstance(x, Tensor) else x)
        for x in wg.tree_leaves(tree)
        if isinstance(x, (Tensor, np.ndarray, np.generic, float, complex))
    ]


def _text(found: Problem, checks: Sequence[dict[str, Any]], passed: bool, color: bool) -> str:
    inputs = ", ".join(f"{name}: {' '.join(specs)}" for name, specs in found.describe().items())
    lines = [f"{found.name}({inputs})"]
    names = {("fwd",): "forward mode", ("rev",): "reverse mode", ("fwd", "rev"): "both, each of each"}
    for check in checks:
        word = "passed" if check["passed"] else "FAILED"
        if color:
            word = f"\x1b[{32 if check['passed'] else 31}m{word}\x1b[0m"
        lines.append(f"  order {check['order']}  {names[tuple(check['modes'])]:20} {word}")
        lines += [f"    {line}" for line in check["message"].splitlines()]
    end = "every derivative agrees with differences" if passed else "derivatives differ"
    return "\n".join([*lines, end])


COMMAND = Command(
    "check",
    "compare derivatives with differences, in both modes and orders",
    "Compare the derivatives of a function with central differences along random directions: in forward mode, in "
    "reverse mode, against each other, and the same for derivatives of derivatives. Exit code 1 if they differ.",
    (
        "wengert check model.py:loss",
        "wengert check model.py:loss --order 3 --mode rev",
        'wengert check model.py:f --input "x=float64[4]~positive" --compiled',
    ),
    configure,
    run,
)
