"""Weighted minimax polynomials by the exchange algorithm, with coefficients that are machine numbers.

Remez' exchange (E. Ya. Remez 1934; W. J. Cody, W. Fraser and J. F. Hart, "Rational Chebyshev approximation using
linear equations", Numerische Mathematik 12, 1968, 242-251) on a dense set of Chebyshev points, in multiple precision.
The leading coefficients are rounded one at a time and the rest is fitted again (N. Brisebarre and S. Chevillard,
"Efficient polynomial L-infinity approximations", ARITH 2007, treat the problem in full), so that rounding costs little.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from mpmath import mp, mpf

mp.dps = 50

Function = Callable[[mpf], mpf]


@dataclass(frozen=True)
class Problem:
    """Approximate ``function`` by a polynomial on ``[low, high]`` with ``weight * error`` below ``2**target``."""

    function: Function
    weight: Function
    low: mpf
    high: mpf
    target: float


@dataclass(frozen=True)
class Fit:
    """Coefficients, constant first, and log2 of the largest weighted error after rounding."""

    coefficients: list[mpf]
    error: float


def rounded(value: mpf, bits: int) -> mpf:
    """``value`` as a float64 (``bits=53``) or a float32 (``bits=24``)."""
    single = float(value)
    if bits == 24:
        single = struct.unpack("f", struct.pack("f", single))[0]
    return mpf(single)


def _horner(coefficients: list[mpf], x: mpf) -> mpf:
    total = mpf(0)
    for one in reversed(coefficients):
        total = total * x + one
    return total


@dataclass
class _Samples:
    points: list[mpf]
    values: list[mpf]
    weights: list[mpf]

    @classmethod
    def of(cls, problem: Problem, count: int) -> _Samples:
        middle, half = (problem.low + problem.high) / 2, (problem.high - problem.low) / 2
        points = [middle - half * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
        return cls(points, [problem.function(x) for x in points], [problem.weight(x) for x in points])

    def errors(self, fixed: list[mpf], free: list[mpf]) -> list[mpf]:
        whole = fixed + free
        return [w * (f - _horner(whole, x)) for x, f, w in zip(self.points, self.values, self.weights, strict=True)]


def _solve(samples: _Samples, reference: list[int], fixed: list[mpf]) -> list[mpf]:
    """The polynomial whose weighted error alternates with equal size on the reference points."""
    size, skip = len(reference), len(fixed)
    matrix, right = mp.matrix(size, size), mp.matrix(size, 1)
    for row, index in enumerate(reference):
        x, w = samples.points[index], samples.weights[index]
        term = w * x**skip
        for column in range(size - 1):
            matrix[row, column] = term
            term *= x
        matrix[row, size - 1] = (-1) ** row
        right[row] = w * (samples.values[index] - _horner(fixed, x))
    return list(mp.lu_solve(matrix, right))[:-1]


def _extrema(errors: list[mpf], wanted: int) -> list[int]:
    """Indices of alternating local extrema, the ``wanted`` consecutive ones with the largest smallest error."""
    found: list[int] = []
    for i, error in enumerate(errors):
        if found and (errors[found[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[found[-1]]):
                found[-1] = i
        else:
            found.append(i)
    while len(found) > wanted:
        found.pop(0 if abs(errors[found[0]]) < abs(errors[found[-1]]) else -1)
    return found


def _exchange(
    samples: _Samples, fixed: list[mpf], count: int, reference: list[int] | None
) -> tuple[list[mpf], list[int]]:
    total = len(samples.points)
    if reference is None or len(reference) != count + 1:
        reference = [round(i * (total - 1) / count) for i in range(count + 1)]
    free: list[mpf] = []
    for _ in range(30):
        free = _solve(samples, reference, fixed)
        errors = samples.errors(fixed, free)
        found = _extrema(errors, count + 1)
        if len(found) < count + 1 or found == reference:
            break
        largest, smallest = max(map(abs, errors)), min(abs(errors[i]) for i in reference)
        reference = found
        if largest < smallest * mpf("1.01"):
            break
    return free, reference


def _with_leading_rounded(samples: _Samples, free: list[mpf], reference: list[int], lead: int, bits: int) -> Fit:
    """The fit whose ``lead`` first coefficients were rounded one by one, and the others fitted to what that left."""
    fixed: list[mpf] = []
    for _ in range(lead):
        fixed.append(rounded(free[0], bits))
        try:
            free, reference = _exchange(samples, fixed, len(free) - 1, reference[1:])
        except ZeroDivisionError:  # the exchange ran into a singular reference: this many do not help
            return Fit(fixed + free[1:], float("inf"))
    final = fixed + [rounded(one, bits) for one in free]
    return Fit(final, float(mp.log(max(map(abs, samples.errors(final, []))), 2)))


def minimax(problem: Problem, bits: int, most: int = 30) -> Fit:
    """The shortest polynomial that reaches the target, its coefficients rounded to ``bits``."""
    for count in range(2, most):
        samples = _Samples.of(problem, 12 * count + 40)  # an even number, so that zero is none of them
        free, reference = _exchange(samples, [], count, None)
        if mp.log(max(map(abs, samples.errors([], free))), 2) > problem.target:
            continue
        fits = [_with_leading_rounded(samples, free, reference, lead, bits) for lead in range(min(count, 8))]
        return min(fits, key=lambda fit: fit.error)
    raise ValueError(f"no polynomial of up to {most} coefficients reaches 2**{problem.target}")
