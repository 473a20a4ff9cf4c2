"""``why`` names what cut a gradient, and the line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg


def under_no_grad(x: Any) -> Any:
    with wg.no_grad():
        h = x * 2.0
    return h + 1.0


def detached(x: Any) -> Any:
    return x.detach() * 2.0


def deep_detached(x: Any) -> Any:
    h = x.exp()
    return h.detach().sin()


def through_numpy(x: Any) -> Any:
    return wg.sin(x.exp().detach().numpy())


def cast(x: Any) -> Any:
    return x.astype("int64") * 1.5


def index_of(x: Any) -> Any:
    return wg.argmax(x) * 2.0


def floor(x: Any) -> Any:
    return wg.floor(x) * 2.0


def stopped(x: Any) -> Any:
    return wg.stop_gradient(x * 3.0)


@pytest.mark.parametrize(
    ("function", "words", "code"),
    [
        (under_no_grad, "no_grad", "h = x * 2.0"),
        (detached, "detach", "return x.detach() * 2.0"),
        (deep_detached, "detach", "return h.detach().sin()"),
        (cast, "int64", 'return x.astype("int64") * 1.5'),
        (index_of, "int64", "return wg.argmax(x) * 2.0"),
        (floor, "zero everywhere", "return wg.floor(x) * 2.0"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_cuts_is_named_with_its_line(function: Any, words: str, code: str) -> None:
    answer = wg.why(function, np.array([1.0, 2.0]))[0]
    assert not answer.connected
    assert [cut.code for cut in answer.cuts] == [code]
    assert words in answer.cuts[0].reason
    assert code in str(answer)


def test_a_value_that_left_the_library_is_reported() -> None:
    answer = wg.why(through_numpy, np.array([1.0, 2.0]))[0]
    assert not answer.connected
    assert "numpy()" in answer.cuts[0].reason


def test_stop_gradient_and_unused_arguments() -> None:
    assert not wg.why(stopped, 2.0).connected
    answers = wg.why(lambda x, y, n: x * 2.0, 1.0, 2.0, 3)
    assert [answer.connected for answer in answers.answers] == [True, False, False]
    assert "does not depend on it" in str(answers[1])
    assert "int" in str(answers[2])


def test_the_path_is_shown_with_the_gradients_on_it() -> None:
    x = wg.tensor(0.5, requires_grad=True)
    y = (x.exp() * 3.0).sin()
    answer = wg.why(y, x)[0]
    assert answer.connected
    assert [step.op for step in answer.path] == ["sin", "multiply", "exp", "leaf"]
    expected = 3 * np.exp(0.5) * np.cos(3 * np.exp(0.5))
    assert answer.gradient == pytest.approx(abs(expected))
    assert "wg.why" not in answer.path[0].code
    assert answer.path[1].code == "y = (x.exp() * 3.0).sin()"
    assert x.grad is None


def test_a_gradient_that_is_zero_at_these_values() -> None:
    x = wg.tensor([-1.0, -2.0], requires_grad=True)
    answer = wg.why((x * 2.0).relu().sum(), x)[0]
    assert answer.connected
    assert answer.gradient == 0
    assert "zero from relu on" in str(answer)


def test_a_partial_cut_is_told_beside_the_path() -> None:
    answer = wg.why(lambda x: x.detach() * x.exp(), 2.0)[0]
    assert answer.connected
    assert not answer.cuts  # the product's other operand still tracks it, through exp
    answer = wg.why(lambda x: x.detach().sin() + x.exp(), 2.0)[0]
    assert answer.connected
    assert "detach" in str(answer.cuts[0])


def test_tensors_without_a_path() -> None:
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    other = wg.tensor([1.0, 2.0], requires_grad=True)
    assert "was used here without its graph" in str(wg.why((other * x.detach()).sum(), x))
    assert "not computed from it" in str(wg.why(other.exp(), x))
    assert "requires_grad_" in str(wg.why(other.exp(), wg.tensor(1.0)))
    assert "int64" in str(wg.why(x.astype("int64"), x))
    assert "no graph" in str(wg.why(x.detach(), x))
    with pytest.raises(wg.GradientError, match="tensors"):
        wg.why(x)
    with pytest.raises(wg.GradientError, match="int"):
        wg.why(3, x)  # type: ignore[arg-type]


def test_a_static_graph_answers_with_its_own_lines() -> None:
    def f(x: Any) -> Any:
        h = x * 2.0
        return wg.floor(h) + h.sin()

    graph = wg.trace(f)(wg.TensorSpec((2,)))
    answer = wg.why(graph, np.ones(2))[0]
    assert answer.connected
    assert [step.code for step in answer.path[1:3]] == ["return wg.floor(h) + h.sin()", "h = x * 2.0"]
