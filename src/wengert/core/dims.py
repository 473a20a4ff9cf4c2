"""Lengths that are not known until a graph runs.

A ``Dim`` is a polynomial in named unknown lengths with integer coefficients: ``784*n`` elements, ``n + 1`` rows. It
stands in shapes and in the static parameters of operations, and is replaced by a number when a graph is specialised.
What cannot be decided without the number is an error, never a guess.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from .errors import TraceError

#: A product of names in sorted order; the empty one is the constant term.
_Monomial = tuple[str, ...]


class Unknown(str):
    """The name of an unknown length. Two that have to be equal become one: ``same`` leads to the other, or to the
    number that it has to be."""

    same: Any = None


class Dim:
    """An unknown length, or an expression of unknown lengths.

    >>> n = Dim("n")
    >>> 2 * n + 3, (784 * n) // 784 == n, (2 * n).at({"n": 5})
    (2*n+3, True, 10)
    """

    __slots__ = ("_terms",)

    def __init__(self, name: str | dict[_Monomial, int]) -> None:
        self._terms: dict[_Monomial, int] = {(name,): 1} if isinstance(name, str) else name

    @property
    def terms(self) -> dict[_Monomial, int]:
        """The factor of each product of names."""
        if any(getattr(name, "same", None) is not None for monomial in self._terms for name in monomial):
            total: dict[_Monomial, int] = {}
            for monomial, factor in self._terms.items():
                left = []
                for name in map(_resolved, monomial):
                    if isinstance(name, str):
                        left.append(name)
                    else:
                        factor *= name
                key = tuple(sorted(left))
                total[key] = total.get(key, 0) + factor
            self._terms = total
        return self._terms

    @staticmethod
    def of(terms: dict[_Monomial, int]) -> Any:
        """The expression with these terms, as an ``int`` if no unknown is left in it."""
        kept = {monomial: factor for monomial, factor in sorted(terms.items(), reverse=True) if factor}
        if not kept:
            return 0
        return kept[()] if set(kept) == {()} else Dim(kept)

    def at(self, lengths: Mapping[str, int]) -> Any:
        """The number that the expression comes to where these lengths are known."""
        total: dict[_Monomial, int] = {}
        for monomial, factor in self.terms.items():
            left = []
            for name in monomial:
                if name in lengths:
                    factor *= lengths[name]
                else:
                    left.append(name)
            key = tuple(left)
            total[key] = total.get(key, 0) + factor
        return Dim.of(total)

    @property
    def settled(self) -> Any:
        """The length itself, or the number that it has turned out to be."""
        return Dim.of(self.terms)

    @property
    def names(self) -> set[str]:
        """The unknown lengths in the expression."""
        return {name for monomial in self.terms for name in monomial}

    # -- arithmetic ---------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        terms = _terms(other)
        if terms is None:
            return NotImplemented
        total = dict(self.terms)
        for monomial, factor in terms.items():
            total[monomial] = total.get(monomial, 0) + factor
        return Dim.of(total)

    __radd__ = __add__

    def __neg__(self) -> Any:
        return self * -1

    def __sub__(self, other: Any) -> Any:
        return NotImplemented if _terms(other) is None else self + other * -1

    def __rsub__(self, other: Any) -> Any:
        return NotImplemented if _terms(other) is None else -self + other

    def __mul__(self, other: Any) -> Any:
        terms = _terms(other)
        if terms is None:
            return NotImplemented
        total: dict[_Monomial, int] = {}
        for a, p in self.terms.items():
            for b, q in terms.items():
                key = tuple(sorted(a + b))
                total[key] = total.get(key, 0) + p * q
        return Dim.of(total)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        quotient = _exact_quotient(self.terms, _terms(other))
        if quotient is None:
            raise _undecided(f"{self!r} // {other!r}")
        return quotient

    def __rfloordiv__(self, other: Any) -> Any:
        raise _undecided(f"{other!r} // {self!r}")

    def __mod__(self, other: Any) -> Any:
        if _exact_quotient(self.terms, _terms(other)) is None:
            raise _undecided(f"{self!r} % {other!r}")
        return 0

    # -- comparison: a length is at least 0 ------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Dim):
            return self.terms == other.terms
        return isinstance(other, int) and self.terms in ({(): other}, {} if other == 0 else None)

    def __hash__(self) -> int:
        # Not of the names, which may become one.
        return hash(len(self._terms))

    def _compare(self, other: Any, ask: Callable[[int, int], bool], sign: str) -> bool:
        difference = self - other
        if isinstance(difference, int):
            return ask(difference, 0)
        bounds = [factor for monomial, factor in difference.terms.items() if monomial]
        constant = difference.terms.get((), 0)
        # The expression lies in [constant, infinity) or in (-infinity, constant].
        if all(factor > 0 for factor in bounds) and ask(constant, 0) == ask(constant + 1, 0) == ask(10**9, 0):
            return ask(constant, 0)
        if all(factor < 0 for factor in bounds) and ask(constant, 0) == ask(constant - 1, 0) == ask(-(10**9), 0):
            return ask(constant, 0)
        raise _undecided(f"{self!r} {sign} {other!r}")

    def __lt__(self, other: Any) -> bool:
        return self._compare(other, operator.lt, "<")

    def __le__(self, other: Any) -> bool:
        return self._compare(other, operator.le, "<=")

    def __gt__(self, other: Any) -> bool:
        return self._compare(other, operator.gt, ">")

    def __ge__(self, other: Any) -> bool:
        return self._compare(other, operator.ge, ">=")

    def __bool__(self) -> bool:
        raise _undecided(f"whether {self!r} is zero")

    def __index__(self) -> int:
        raise _undecided(f"the number {self!r}")

    __int__ = __index__

    def __float__(self) -> float:
        raise _undecided(f"the number {self!r}")

    def __repr__(self) -> str:
        parts = []
        for monomial, factor in self.terms.items():
            name = "*".join(monomial)
            parts.append(name if factor == 1 and name else f"{factor}*{name}" if name else str(factor))
        return "+".join(parts).replace("+-", "-")


def _terms(x: Any) -> dict[_Monomial, int] | None:
    if isinstance(x, Dim):
        return x.terms
    return {(): int(x)} if isinstance(x, int) else None


def _exact_quotient(terms: dict[_Monomial, int], divisor: dict[_Monomial, int] | None) -> Any:
    """The quotient by a single term, if it leaves no remainder for any lengths; else ``None``."""
    if divisor is None or len(divisor) != 1:
        return 1 if divisor == terms else None
    ((by, factor),) = divisor.items()
    quotient: dict[_Monomial, int] = {}
    for monomial, coefficient in terms.items():
        left = list(monomial)
        for name in by:
            if name not in left:
                return None
            left.remove(name)
        if factor == 0 or coefficient % factor:
            return None
        quotient[tuple(left)] = coefficient // factor
    return Dim.of(quotient)


def _undecided(what: str) -> TraceError:
    return TraceError(
        f"{what} cannot be decided while the length of an axis is unknown; give the placeholder or TensorSpec a number "
        f"in the place of None, or use an operation that does not need it (reshape with -1, mean, sum)"
    )


def known(value: Any, lengths: Mapping[str, int]) -> Any:
    """``value`` with every ``Dim`` in it (in tuples too) replaced by its number."""
    if isinstance(value, Dim):
        return value.at(lengths)
    if isinstance(value, tuple):
        return tuple([known(one, lengths) for one in value])
    return value


def has_dim(value: Any) -> bool:
    """Whether there is an unknown length in a value, or anywhere in a tuple."""
    return isinstance(value, Dim) or (isinstance(value, tuple) and any(map(has_dim, value)))


def _resolved(name: Any) -> Any:
    while getattr(name, "same", None) is not None:
        name = name.same
    return name


def unified(a: Any, b: Any) -> bool:
    """Whether two lengths are equal; an unknown one that stands alone becomes equal, to be checked when it is known."""
    if a == b:
        return True
    for one, other in ((b, a), (a, b)):
        if isinstance(one, Dim) and list(one.terms.values()) == [1]:
            ((name, *more),) = one.terms
            if not more and isinstance(name, Unknown) and not (isinstance(other, Dim) and name in other.names):
                name.same = _alone(other)
                return name.same is not None
    return False


def _alone(length: Any) -> Any:
    """The number or the single unknown that a length is, else ``None``."""
    if not isinstance(length, Dim):
        return int(length)
    if list(length.terms.values()) == [1] and len(next(iter(length.terms))) == 1:
        return next(iter(length.terms))[0]
    return None


def broadcast(*shapes: tuple[Any, ...]) -> tuple[Any, ...]:
    """``numpy.broadcast_shapes`` for shapes that may hold unknown lengths, which only match themselves and 1."""
    rank = max(map(len, shapes), default=0)
    out: list[Any] = [1] * rank
    for shape in shapes:
        for place, n in enumerate(shape, rank - len(shape)):
            if out[place] == 1:
                out[place] = n
            elif n != 1 and not unified(out[place], n):
                raise ValueError(f"shapes {', '.join(map(str, shapes))} cannot be broadcast together")
    return tuple(out)


def lengths(shape: Any) -> tuple[Any, ...]:
    """A shape as a tuple of ``int`` and ``Dim``, from one length or a sequence of them."""
    entries = (shape,) if isinstance(shape, Dim) or hasattr(shape, "__index__") else shape
    return tuple([n if isinstance(n, Dim) else operator.index(n) for n in entries])
