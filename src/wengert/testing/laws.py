"""Laws: properties that hold for every operation, checked from one table of cases.

Each law takes a case and a dtype and raises ``LawError`` where it is broken. ``tests/laws`` runs every law over every
operation; a user's own operation is tested the same way::

    check_law("adjoint", Case(MyOperation(), normal(3, 4)), "float64")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from wengert.compile import run as run_native
from wengert.core import backward as autograd
from wengert.core.apply import apply
from wengert.core.derived import pullback_graph, tangent_graph
from wengert.core.interpreter import interpret
from wengert.core.levels import Batched, JvpLevel, VmapLevel, running
from wengert.core.primitive import Primitive, Refusal
from wengert.core.tensor import Tensor, wrap
from wengert.core.tracing import trace_flat
from wengert.core.types import TensorSpec

REAL = ("float64", "float32")
COMPLEX = ("complex128", "complex64")
ALL_FLOATS = REAL + COMPLEX
INTEGERS = ("int64", "int32")


class LawError(AssertionError):
    """A law does not hold for an operation."""


class Case:
    """An operation (or a function composed of operations) with operands to try it on.

    ``operands`` are arrays, scalars, or lists of arrays for a variadic function. Floating operands are cast to each of
    ``dtypes`` in turn (with a seeded imaginary part for complex ones); integer and boolean ones stay as they are.
    ``reference`` is NumPy's or SciPy's function for the value; without it the value law is left to another test.
    ``nondifferentiable`` is a reason why only the value laws apply; ``skip`` maps a law to the reason it cannot hold.
    ``rtol`` and ``atol`` loosen the value law in float64, and ``atol`` the compiled one (say why beside the case).
    """

    def __init__(
        self,
        target: Primitive | Callable[..., Any],
        *operands: Any,
        kwargs: dict[str, Any] | None = None,
        reference: Callable[..., Any] | None = None,
        dtypes: Sequence[str] = REAL,
        nondifferentiable: str = "",
        skip: dict[str, str] | None = None,
        rtol: float = 1e-12,
        atol: float = 1e-12,
        label: str = "",
    ) -> None:
        self.target = target
        self.operands = operands
        self.kwargs = kwargs or {}
        self.reference = reference
        self.dtypes = tuple(dtypes)
        self.nondifferentiable = nondifferentiable
        self.skip = skip or {}
        self.rtol = rtol
        self.atol = atol
        name = repr(target) if isinstance(target, Primitive) else getattr(target, "__name__", str(target))
        options = ",".join(f"{key}={value}" for key, value in self.kwargs.items())
        shapes = "x".join(str(np.shape(x)) if not isinstance(x, (list, tuple)) else f"{len(x)}" for x in operands)
        self.label = label or f"{name}{f'[{options}]' if options else ''}-{shapes}".replace(" ", "")

    def __repr__(self) -> str:
        return self.label

    @property
    def differentiable(self) -> bool:
        """Whether the laws of derivatives apply."""
        if self.nondifferentiable:
            return False
        if isinstance(self.target, Primitive):
            rules = type(self.target).rules
            return self.target.differentiable and not any(isinstance(rule, Refusal) for rule in rules)
        return True

    def call(self, *operands: Any) -> Any:
        """The target on tensors or arrays."""
        if isinstance(self.target, Primitive):
            return apply(self.target, *operands)
        return self.target(*operands, **self.kwargs)

    def arrays(self, dtype: str) -> list[Any]:
        """The operands with the floating ones cast to ``dtype``."""
        rng = np.random.default_rng(7)
        return [_cast(x, np.dtype(dtype), rng) for x in self.operands]


def _cast(x: Any, dtype: np.dtype[Any], rng: np.random.Generator) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(_cast(item, dtype, rng) for item in x)
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "fc":
        return x
    if dtype.kind in "iub":
        return np.round(np.real(x)).astype(dtype)
    if dtype.kind == "c" and x.dtype.kind != "c":
        return (x + 0.3j * rng.standard_normal(x.shape)).astype(dtype)
    if dtype.kind == "f" and x.dtype.kind == "c":
        return np.real(x).astype(dtype)
    return x.astype(dtype)


class _Problem:
    """A case as a function of its flattened floating operands, for differentiating."""

    def __init__(self, case: Case, dtype: str) -> None:
        self.case = case
        self.operands = case.arrays(dtype)
        self.slots = [
            (i, j)
            for i, x in enumerate(self.operands)
            for j, item in enumerate(x if isinstance(x, (list, tuple)) else (x,))
            if isinstance(item, np.ndarray) and item.dtype.kind in "fc"
        ]

    def point(self) -> list[np.ndarray]:
        return [self._get(i, j) for i, j in self.slots]

    def _get(self, i: int, j: int) -> Any:
        x = self.operands[i]
        return x[j] if isinstance(x, (list, tuple)) else x

    def __call__(self, *point: Any) -> list[Any]:
        """The floating results, as a list, on operands of any kind."""
        operands = [list(x) if isinstance(x, (list, tuple)) else x for x in self.operands]
        for (i, j), value in zip(self.slots, point, strict=True):
            if isinstance(operands[i], list):
                operands[i][j] = value
            else:
                operands[i] = value
        return [y for y in _as_list(self.case.call(*operands)) if y.dtype.kind in "fc"]

    def numbers(self, *point: np.ndarray) -> list[np.ndarray]:
        with np.errstate(all="ignore"):
            return [y._value for y in self(*[wrap(np.array(x)) for x in point])]


def _as_list(out: Any) -> list[Any]:
    return list(out) if isinstance(out, (tuple, list)) else [out]


def _random_like(arrays: Iterable[Any], seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    found = []
    for x in arrays:
        value = rng.standard_normal(x.shape)
        if x.dtype.kind == "c":
            value = value + 1j * rng.standard_normal(x.shape)
        found.append(value.astype(x.dtype))
    return found


def _inner(left: Sequence[Any], right: Sequence[Any]) -> float:
    """The real inner product Re<u, v>, in double precision."""
    total = 0.0
    for a, b in zip(left, right, strict=True):
        wide = np.result_type(a.dtype, np.float64)
        total += float(np.real(np.sum(np.conj(np.asarray(a, wide)) * np.asarray(b, wide))))
    return total


def _close(actual: Any, expected: Any, rtol: float, atol: float, what: str, case: Case) -> None:
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        raise LawError(f"{case}: {what}: shape {actual.shape}, expected {expected.shape}")
    with np.errstate(all="ignore"):
        bad = ~np.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=True)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(np.atleast_1d(bad))[0])
        raise LawError(
            f"{case}: {what}: entry {where} is {np.atleast_1d(actual)[where]!r}, expected "
            f"{np.atleast_1d(expected)[where]!r} ({int(bad.sum())} of {bad.size} entries differ)"
        )


def _pushforward(problem: Callable[..., list[Any]], point: Sequence[Any], direction: Sequence[Any]) -> list[np.ndarray]:
    level = JvpLevel()
    with running(level), np.errstate(all="ignore"):
        outs = problem(*[level.dual(wrap(x), wrap(t)) for x, t in zip(point, direction, strict=True)])
        pairs = [level.split(y) for y in outs]
    return [(np.zeros(y.shape, y.dtype) if t is None else t._value) for y, t in pairs]


def _pullback(problem: Callable[..., list[Any]], point: Sequence[Any], cotangents: Sequence[Any]) -> list[np.ndarray]:
    leaves = [Tensor(x, requires_grad=True) for x in point]
    with np.errstate(all="ignore"):
        outs = [(y, u) for y, u in zip(problem(*leaves), cotangents, strict=True) if y.requires_grad]
    if not outs:
        return [np.zeros(x.shape, x.dtype) for x in point]
    found = autograd.grad([y for y, _ in outs], leaves, [wrap(u) for _, u in outs], materialize_grads=True)
    return [g._value for g in found]  # type: ignore[union-attr]


# -- the laws -------------------------------------------------------------------------------------------------------


def value_law(case: Case, dtype: str) -> None:
    """The value and its dtype are the reference's."""
    if case.reference is None:
        return
    operands = case.arrays(dtype)
    with np.errstate(all="ignore"):
        expected = _as_list(case.reference(*operands, **case.kwargs))
        actual = _as_list(case.call(*_tensors(operands)))
    single = np.dtype(dtype).itemsize <= (4 if np.dtype(dtype).kind == "f" else 8) and np.dtype(dtype).kind in "fc"
    for one, other in zip(actual, expected, strict=True):
        _close(
            one._value,
            other,
            max(case.rtol, 2e-5 if single else 0),
            max(case.atol, 2e-5 if single else 0),
            "value",
            case,
        )
        if one.dtype != np.asarray(other).dtype:
            raise LawError(f"{case}: value has dtype {one.dtype}, the reference {np.asarray(other).dtype}")


def _tensors(operands: Sequence[Any]) -> list[Any]:
    return [
        type(x)(_tensors(x)) if isinstance(x, (list, tuple)) else wrap(x.copy()) if isinstance(x, np.ndarray) else x
        for x in operands
    ]


def spec_law(case: Case, dtype: str) -> None:
    """The shape and dtype that ``spec`` predicts are the actual ones."""
    if not isinstance(case.target, Primitive):
        return
    operands = case.arrays(dtype)
    with np.errstate(all="ignore"):
        actual = _as_list(case.target.value(*operands))
    specs = [TensorSpec(x.shape, x.dtype) if isinstance(x, np.ndarray) else x for x in operands]
    predicted = _as_list(case.target.spec(*specs))
    found = [TensorSpec(np.shape(y), np.asarray(y).dtype) for y in actual]
    if predicted != found:
        raise LawError(f"{case}: spec predicts {predicted}, the value has {found}")


def forward_law(case: Case, dtype: str) -> None:
    """The pushforward is what central differences estimate (in double precision)."""
    if not case.differentiable or np.dtype(dtype).char not in "dD":
        return
    problem = _Problem(case, dtype)
    point = problem.point()
    direction = _random_like(point, 1)
    exact = _pushforward(problem, point, direction)
    _compare_with_differences(case, problem.numbers, point, direction, exact, "pushforward")


def _compare_with_differences(
    case: Case, function: Callable[..., Any], point: Any, direction: Any, exact: Any, what: str
) -> None:
    step = 1e-5
    # Central differences of order four: the truncation error is O(step^4), so rounding (about 1e-11) dominates.
    shifted = [function(*[x + k * step * t for x, t in zip(point, direction, strict=True)]) for k in (-2, -1, 1, 2)]
    for a, b, c, d, value in zip(*shifted, exact, strict=True):
        estimate = (a - 8 * b + 8 * c - d) / (12 * step)
        finite = estimate[np.isfinite(estimate)] if estimate.ndim else np.asarray([estimate])
        scale = float(np.abs(finite).max()) if finite.size else 0.0
        _close(value, estimate, 1e-6, 1e-6 * max(1.0, scale), what, case)


def adjoint_law(case: Case, dtype: str) -> None:
    """<u, J v> = <J^T u, v>: reverse mode and forward mode are transposes of each other."""
    if not case.differentiable or np.dtype(dtype).kind not in "fc":
        return
    problem = _Problem(case, dtype)
    point = problem.point()
    v = _random_like(point, 2)
    forward = _pushforward(problem, point, v)
    u = _random_like(forward, 3)
    reverse = _pullback(problem, point, u)
    for g, x in zip(reverse, point, strict=True):
        if g.shape != x.shape or g.dtype != x.dtype:
            raise LawError(f"{case}: the gradient is {g.dtype}{g.shape}, the operand {x.dtype}{x.shape}")
    left, right = _inner(u, forward), _inner(reverse, v)
    size = sum(float(np.sum(np.abs(a) * np.abs(b))) for a, b in zip(u, forward, strict=True))
    bound = 1e-9 if np.dtype(dtype).char in "dD" else 2e-4
    if not abs(left - right) <= bound * max(1.0, size):
        raise LawError(f"{case}: <u, Jv> = {left!r} but <J^T u, v> = {right!r}")


def second_order_law(case: Case, dtype: str) -> None:
    """The gradient, recorded with ``create_graph``, has the derivative that differences of gradients estimate."""
    if not case.differentiable or np.dtype(dtype).char not in "dD":
        return
    problem = _Problem(case, dtype)
    point = problem.point()
    cotangents = _random_like(problem.numbers(*point), 4)
    weights = _random_like(point, 5)

    def gradients(*arrays: Any) -> list[np.ndarray]:
        return _pullback(problem, arrays, cotangents)

    leaves = [Tensor(x, requires_grad=True) for x in point]
    with np.errstate(all="ignore"):
        outs = [(y, u) for y, u in zip(problem(*leaves), cotangents, strict=True) if y.requires_grad]
    if not outs:
        return
    first = autograd.grad(
        [y for y, _ in outs], leaves, [wrap(u) for _, u in outs], create_graph=True, materialize_grads=True
    )
    tracked = [(g, wrap(w)) for g, w in zip(first, weights, strict=True) if g is not None and g.requires_grad]
    if tracked:
        second = autograd.grad([g for g, _ in tracked], leaves, [w for _, w in tracked], materialize_grads=True)
    else:
        second = tuple(wrap(np.zeros(x.shape, x.dtype)) for x in point)
    # <w, dG/dx . t> against <t, second>, along one random direction t.
    direction = _random_like(point, 6)
    exact = _inner([g._value for g in second], direction)  # type: ignore[union-attr]

    def scalar(*arrays: Any) -> list[np.ndarray]:
        return [np.asarray(_inner(weights, gradients(*arrays)))]

    _compare_with_differences(case, scalar, point, direction, [np.asarray(exact)], "second order")


def batching_law(case: Case, dtype: str) -> None:
    """Mapping over a batch equals a loop; every operand batched, and each one alone."""
    if np.dtype(dtype).char not in "dD":
        return
    problem = _Problem(case, dtype)
    point = problem.point()
    patterns = [[True] * len(point)]
    if len(point) > 1:
        patterns += [[i == j for i in range(len(point))] for j in range(len(point))]
    for pattern in patterns if point else []:
        # The batch repeats the operands: nearby points could leave the domain or break ties.
        stacked = [np.stack([x, x, x]) if flag else x for x, flag in zip(point, pattern, strict=True)]
        level = VmapLevel(3)
        with running(level), np.errstate(all="ignore"):
            outs = problem(
                *[level.batched(wrap(x)) if flag else wrap(x) for x, flag in zip(stacked, pattern, strict=True)]
            )
        expected = problem.numbers(*point)
        for y, one in zip(outs, expected, strict=True):
            # A result that depends on no batched operand has no batch axis.
            batched = y._inner._value if isinstance(y, Batched) else np.stack([y._value] * 3)
            _close(batched, np.stack([one, one, one]), 1e-9, 1e-9, f"batching {pattern}", case)


def no_mutation_law(case: Case, dtype: str) -> None:
    """Operands are not changed, by the value or by its derivative."""
    problem = _Problem(case, dtype)
    before = [np.array(x) for x in problem.point()]
    leaves = [Tensor(x, requires_grad=case.differentiable and x.dtype.kind in "fc") for x in problem.point()]
    values = [leaf._value for leaf in leaves]
    with np.errstate(all="ignore"):
        outs = [y for y in problem(*leaves) if y.requires_grad]
        if outs and case.differentiable:
            autograd.grad(outs, leaves, [wrap(np.ones(y.shape, y.dtype)) for y in outs], materialize_grads=True)
    for value, copy in zip(values, before, strict=True):
        _close(value, copy, 0, 0, "operand after the call", case)


def parameters_law(case: Case, dtype: str) -> None:
    """An operation equals itself rebuilt from its parameters, and hashes alike."""
    if isinstance(case.target, Primitive):
        again = type(case.target)(**case.target.parameters())
        if again != case.target or hash(again) != hash(case.target) or repr(again) != repr(case.target):
            raise LawError(f"{case}: rebuilt from its parameters it is {again!r}")


def alias_law(case: Case, dtype: str) -> None:
    """An operation whose value can be a view of an operand says so."""
    if not isinstance(case.target, Primitive) or case.target.aliases:
        return
    operands = case.arrays(dtype)
    with np.errstate(all="ignore"):
        outs = _as_list(case.target.value(*operands))
    for y in outs:
        if any(isinstance(x, np.ndarray) and x.size and np.shares_memory(x, y) for x in operands):
            raise LawError(f"{case}: the value shares memory with an operand; set aliases = True")


def traced_law(case: Case, dtype: str) -> None:
    """The traced graph validates, and has the eager value, pullback and pushforward."""
    problem = _Problem(case, dtype)
    point = problem.point()
    with np.errstate(all="ignore"):
        graph = trace_flat(problem, [TensorSpec(x.shape, x.dtype) for x in point]).validate()
        expected = problem.numbers(*point)
        tolerance = 1e-12 if np.dtype(dtype).char in "dD" else 2e-5
        for one, other in zip(interpret(graph, point), expected, strict=True):
            _close(one, other, tolerance, tolerance, "traced value", case)
        if not case.differentiable or not point or not expected:
            return
        cotangents, direction = _random_like(expected, 2), _random_like(point, 3)
        every = (True,) * len(point)
        pulled = interpret(pullback_graph(graph, every).validate(), [*point, *cotangents])
        for one, other in zip(pulled, _pullback(problem, point, cotangents), strict=True):
            _close(one, other, tolerance, tolerance, "traced pullback", case)
        tangents, moved = tangent_graph(graph, every)
        pushed = iter(interpret(tangents.validate(), [*point, *direction]))
        for flag, other in zip(moved, _pushforward(problem, point, direction), strict=True):
            _close(
                next(pushed) if flag else np.zeros_like(other), other, tolerance, tolerance, "traced pushforward", case
            )


def compiled_law(case: Case, dtype: str) -> None:
    """Native code gives what the interpreter gives, for values and pullbacks.

    Sums may be taken in another order and functions differ in the last digits, so the tolerance is a few hundred
    roundings: 1e-12 in double precision on values of order one; a case of larger values has a larger ``atol``."""
    problem = _Problem(case, dtype)
    point = problem.point()
    with np.errstate(all="ignore"):
        graph = trace_flat(problem, [TensorSpec(x.shape, x.dtype) for x in point])
        graphs = [(graph, point)]
        expected = problem.numbers(*point)
        if case.differentiable and point and expected:
            graphs.append((pullback_graph(graph, (True,) * len(point)), [*point, *_random_like(expected, 2)]))
        tolerance = 1e-11 if np.dtype(dtype).char in "dD" else 5e-5
        for one, arguments in graphs:
            for found, wanted in zip(run_native(one, arguments), interpret(one, arguments), strict=True):
                if found.dtype != wanted.dtype:
                    raise LawError(f"{case}: compiled it has dtype {found.dtype}, interpreted {wanted.dtype}")
                _close(found, wanted, tolerance, max(tolerance, case.atol), "compiled", case)


LAWS: dict[str, Callable[[Case, str], None]] = {
    "value": value_law,
    "spec": spec_law,
    "forward": forward_law,
    "adjoint": adjoint_law,
    "second_order": second_order_law,
    "batching": batching_law,
    "no_mutation": no_mutation_law,
    "parameters": parameters_law,
    "alias": alias_law,
    "traced": traced_law,
    "compiled": compiled_law,
}


def check_law(law: str, case: Case, dtype: str) -> None:
    """Check one law of one case in one dtype; raises ``LawError``."""
    LAWS[law](case, dtype)
