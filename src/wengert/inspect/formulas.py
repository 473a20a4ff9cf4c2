"""The rules of an operation as people write them: read off its class."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

import numpy as np

from wengert.core.primitive import NotDifferentiable, Primitive

_LONGEST = 14


def formulas(cls: type[Primitive]) -> dict[str, str]:
    """The forward rule under ``value``, and each pullback under ``∂ operand``, as source text.

    >>> from wengert.core.primitive import REGISTRY
    >>> formulas(REGISTRY["exp"])
    {'value': 'exp(x)', '∂ x': 'g · out'}
    """
    found = {"value": _forward(cls)}
    if not cls.differentiable:
        return found | {"∂": "none: the operation has no derivative"}
    if cls.variadic:
        return found | {"∂": _text(getattr(cls, "vjp", None) or getattr(cls, "transpose", None))}
    for name in cls.inputs:
        found[f"∂ {name}"] = _backward(cls, name)
    return found


def _forward(cls: type[Primitive]) -> str:
    function = cls.__dict__.get("value", cls.value)
    if isinstance(function, np.ufunc) or not inspect.isfunction(function):
        return f"{getattr(function, '__name__', cls.name)}({', '.join(cls.inputs)})"
    return _text(function)


def _backward(cls: type[Primitive], name: str) -> str:
    rule = getattr(cls, f"vjp_{name}", _MISSING)
    if rule is None:
        return "0"
    if isinstance(rule, NotDifferentiable):
        return f"none: {rule.reason}"
    if rule is not _MISSING:
        return _text(rule)
    partial = getattr(cls, f"partial_{name}", _MISSING)
    if isinstance(partial, NotDifferentiable):
        return f"none: {partial.reason}"
    if partial is None or (isinstance(partial, (int, float)) and partial == 0):
        return "0"
    if isinstance(partial, (int, float, str)):
        return "g" if partial == 1 else f"g · {partial}"
    if partial is not _MISSING:
        text = _text(partial)
        return f"g · ({text})" if "\n" not in text else f"g times\n{text}"
    return _text(getattr(cls, "transpose", None))


_MISSING: Any = object()


def _text(function: Any) -> str:
    """The expression that a function returns, or its body if it does more."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return str(getattr(function, "__name__", ""))
    body = getattr(tree.body[0], "body", [])
    if isinstance(body, list):
        statements = [one for one in body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
        if len(statements) == 1 and isinstance(statements[0], ast.Return) and statements[0].value is not None:
            return ast.unparse(statements[0].value)
        lines = "\n".join(ast.unparse(one) for one in statements).splitlines()
        return "\n".join(lines if len(lines) <= _LONGEST else [*lines[:_LONGEST], "..."])
    return ast.unparse(tree)
