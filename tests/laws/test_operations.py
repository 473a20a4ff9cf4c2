"""Every operation x every law x every dtype, from the tables of cases beside this file."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import tests.laws
from wengert.core.primitive import REGISTRY, Primitive
from wengert.testing.laws import LAWS, Case, check_law


def all_cases() -> list[Case]:
    cases: list[Case] = []
    for module in pkgutil.iter_modules(tests.laws.__path__):
        if module.name.startswith("cases_"):
            cases += importlib.import_module(f"tests.laws.{module.name}").CASES
    return cases


CASES = all_cases()


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_law_holds(case: Case, law: str) -> None:
    if law in case.skip:
        assert case.skip[law], "a law that is left out needs a reason"
        return
    for dtype in case.dtypes:
        check_law(law, case, dtype)


def test_every_operation_has_a_case() -> None:
    covered = {type(case.target).name for case in CASES if isinstance(case.target, Primitive)}
    library = {name for name, cls in REGISTRY.items() if cls.__module__.startswith("wengert.")}
    # One call of a transform or of a user's function, equal only to itself: tested with its transform.
    internal = {"tie", "checkpoint", "implicit", "solver", "custom_function", "once_differentiable"}
    assert library - covered - internal == set()
