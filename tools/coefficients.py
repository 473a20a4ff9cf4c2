"""Find the numbers in ``wengert/backends/llvm/math/tables.py``: ``python -m tools.coefficients`` writes that file.

Each entry says which function is approximated, where, and which error counts: the weight turns the error of the
polynomial into a relative error of the function that uses it. Targets leave a few bits below half an ulp.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from mpmath import mp, mpf

from tools.minimax import Function, Problem, minimax, rounded

TABLES = Path(__file__).parent.parent / "src/wengert/backends/llvm/math/tables.py"
HALF_LN2 = mp.log(2) / 2 * mpf("1.0001")
HALF_PI = mp.pi / 2 * mpf("1.0001")
EIGHTH_PI = mp.pi / 8 * mpf("1.0001")
ROOT = mp.sqrt(2) * mpf("1.0001")
DIGAMMA_ROOT = mp.findroot(mp.digamma, mpf("1.46"))
LARGEST_S2 = ((ROOT - 1) / (ROOT + 1)) ** 2
ATAN_SPLIT = mp.tan(mp.pi / 8) * mpf("1.0001")
TINY = mpf("1e-12")


def _log_series(z: mpf, skip: int) -> mpf:
    """(log((1+s)/(1-s)) / s - the first ``skip`` terms) / z**skip, where z = s*s."""
    s = mp.sqrt(z)
    rest = 2 * mp.atanh(s) / s - sum(2 * z**k / (2 * k + 1) for k in range(skip))
    return rest / z**skip


def _stirling(t: mpf) -> mpf:
    """x (log Gamma(x) - (x - 1/2) log x + x - log(2 pi)/2), where t = 1/x**2."""
    x = 1 / mp.sqrt(t)
    return x * (mp.loggamma(x) - (x - mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2)


def _digamma_series(t: mpf) -> mpf:
    """x**2 (log x - 1/(2x) - digamma(x)), where t = 1/x**2."""
    x = 1 / mp.sqrt(t)
    return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) / t


def problems(digits: int) -> dict[str, Problem]:
    """What to approximate for results of ``digits`` bits."""
    fine = -(digits + 4.0)
    erf_end = 6 if digits == 53 else 4
    erfc_shift = mpf("3.75")
    erfc_end = 28 if digits == 53 else mpf("10.5")
    erfc_t = (erfc_end - erfc_shift) / (erfc_end + erfc_shift)
    back = lambda t: erfc_shift * (1 + t) / (1 - t)  # noqa: E731
    scaled_erfc = lambda x: (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)  # noqa: E731
    return {
        # exp(r) = 1 + r + r*r*EXP(r); the weight is that of expm1.
        "EXP": Problem(lambda r: (mp.expm1(r) - r) / r**2, abs, -HALF_LN2, HALF_LN2, fine),
        # log(m) = 2s + s*z*LOG(z), s = (m-1)/(m+1), z = s*s, m between sqrt(1/2) and sqrt(2).
        "LOG": Problem(lambda z: _log_series(z, 1), lambda z: z / 2, TINY, LARGEST_S2, fine),
        # The same with one term more kept apart, for logarithms in double-double.
        "LOG_TAIL": Problem(lambda z: _log_series(z, 2), lambda z: z * z / 2, TINY, LARGEST_S2, -(digits + 13.0)),
        # sin(r) = r + r*z*SIN(z), z = r*r.
        "SIN": Problem(
            lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
            lambda z: z * mp.sqrt(z) / mp.sin(mp.sqrt(z)),
            TINY,
            HALF_PI**2,
            fine,
        ),
        # tan(r) = r + r*z*TAN(z), |r| up to pi/8.
        "TAN": Problem(lambda z: (mp.tan(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, abs, TINY, EIGHTH_PI**2, fine),
        # atan(t) = t + t*z*ATAN(z), t up to tan(pi/8).
        "ATAN": Problem(lambda z: (mp.atan(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, abs, TINY, ATAN_SPLIT**2, fine),
        # asin(s) = s + s*z*ASIN(z), s up to 1/2.
        "ASIN": Problem(lambda z: (mp.asin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, abs, TINY, mpf("0.2501"), fine),
        # The cube root's reciprocal on [1, 2), to start Newton's iteration with.
        "CBRT": Problem(lambda x: 1 / mp.cbrt(x), mp.cbrt, mpf(1), mpf(2), -12.5),
        # erf(x) = x + x*ERF(x*x), |x| up to 1.
        "ERF": Problem(lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1, lambda z: mpf(1), TINY, mpf(1), fine),
        # erf(x) = 1 - exp(-ERF_TAIL(x)) beyond 1: a smaller erfc asks for less.
        "ERF_TAIL": Problem(lambda x: -mp.log(mp.erfc(x)), lambda x: mp.erfc(x), mpf(1), mpf(erf_end), fine),
        # (1+2x) exp(x*x) erfc(x) = ERFC(t), t = (x-15/4)/(x+15/4): M. M. Shepherd and J. G. Laframboise, "Chebyshev
        # approximation of (1+2x)exp(x^2)erfc x in 0 <= x < infinity", Mathematics of Computation 36, 1981, 249-253.
        "ERFC": Problem(lambda t: scaled_erfc(back(t)), lambda t: 1 / scaled_erfc(back(t)), mpf(-1), erfc_t, fine),
        **_gamma_problems(fine),
        **_inverse_problems(fine),
    }


def _inverse_erf(w: mpf) -> mpf:
    """erfinv(x) where w = -log(1 - x*x), by Newton's iteration on log erfc."""
    power = mp.exp(-w)
    wanted = mp.log(power / (1 + mp.sqrt(1 - power)))
    t = mp.sqrt(max(-wanted - mp.log(mp.sqrt(mp.pi) * max(mp.sqrt(w), 1)), mpf("0.2")))
    for _ in range(60):
        value = mp.erfc(t)
        step = (mp.log(value) - wanted) * value * mp.exp(t * t) * mp.sqrt(mp.pi) / 2
        t += step
        if abs(step) < mpf(10) ** -44:
            break
    return t


def _inverse_problems(fine: float) -> dict[str, Problem]:
    """The polynomials of ``wengert.backends.llvm.math.quantile``, around the middle of each interval."""

    around = lambda v: _inverse_erf(v + mpf("3.125")) / mp.sqrt(1 - mp.exp(-v - mpf("3.125")))  # noqa: E731

    def beyond(low: mpf, high: mpf, middle: mpf, root: Function) -> Problem:
        inverse = lambda v: _inverse_erf(root(v + middle) ** 2)  # noqa: E731
        difference = lambda v: inverse(v) - root(v + middle)  # noqa: E731
        return Problem(difference, lambda v: 1 / inverse(v), low - middle, high - middle, fine)

    return {
        # erfinv(x) = x ERFINV(w - 25/8), w = -log(1 - x*x) up to 25/4.
        "ERFINV": Problem(around, lambda v: 1 / around(v), TINY - mpf("3.125"), mpf("3.125"), fine),
        # erfinv(x) - s as a function of s = sqrt(w), from 5/2 to 4 and from 4 to 8.
        "ERFINV_TAIL": beyond(mpf("2.5"), mpf(4), mpf("3.25"), lambda s: s),
        "ERFINV_FAR": beyond(mpf(4), mpf(8), mpf(6), lambda s: s),
        # The same as a function of 1/s, to the smallest subnormal number.
        "ERFINV_FARTHEST": beyond(1 / mpf("27.4"), mpf(1) / 8, mpf("0.08"), lambda v: 1 / v),
    }


def _gamma_problems(fine: float) -> dict[str, Problem]:
    """The polynomials of the gamma function; the seams are those of ``wengert.backends.llvm.math.gamma``."""
    root, edge = DIGAMMA_ROOT, mpf("1e-4")
    series, slope_series = mpf("4.5") ** -2, mpf("6.5") ** -2
    return {
        # log Gamma(2 + w) = w LGAMMA(w), |w| up to 1/2.
        "LGAMMA": Problem(
            lambda w: mp.loggamma(2 + w) / w, lambda w: w / mp.loggamma(2 + w), -mpf("0.5001"), mpf("0.5001"), fine
        ),
        # log Gamma(x) = (x - 1/2) log x - x + log(2 pi)/2 + STIRLING(1/x**2)/x; the absolute error counts.
        "STIRLING": Problem(_stirling, mp.sqrt, TINY, series, fine),
        # digamma(root + v) = v DIGAMMA(v), from 1 to 5/2.
        "DIGAMMA": Problem(
            lambda v: mp.digamma(v + root) / v, lambda v: v / mp.digamma(v + root), 1 - root - edge, 2.5 - root, fine
        ),
        # digamma(x) = log x - 1/(2x) - DIGAMMA_SERIES(1/x**2)/x**2.
        "DIGAMMA_SERIES": Problem(_digamma_series, lambda t: t / mp.digamma(1 / mp.sqrt(t)), TINY, slope_series, fine),
    }


# Results of 32 bits are float64 arithmetic on the way to float32, where only these are needed.
_WIDE = {"LGAMMA", "STIRLING", "DIGAMMA", "DIGAMMA_SERIES"}
_WIDE |= {"ERFINV", "ERFINV_TAIL", "ERFINV_FAR", "ERFINV_FARTHEST"}
FORMATS = {53: (53, set()), 32: (53, {"EXP", "LOG", "SIN", "TAN"} | _WIDE), 24: (24, set())}


def coefficients() -> dict[tuple[str, int], list[mpf]]:
    """Every polynomial, by its name and the digits that its function wants."""
    found = {}
    for digits, (bits, names) in FORMATS.items():
        for name, problem in problems(digits).items():
            if name in names if names else digits == 53 or name not in _WIDE:
                fit = minimax(problem, bits)
                sys.stderr.write(f"{name} for {digits} bits: {len(fit.coefficients)} terms, 2**{fit.error:.1f}\n")
                found[name, digits] = fit.coefficients
    return found


def words(value: mpf, bits: int, count: int, first: int = 0) -> list[mpf]:
    """``value`` as a sum of ``count`` numbers of the format, the first cut to ``first`` bits if given."""
    parts: list[mpf] = []
    for position in range(count):
        rest = value - mp.fsum(parts)
        if position == 0 and first:
            unit = mpf(2) ** (int(mp.floor(mp.log(abs(rest), 2))) + 1 - first)
            parts.append(mp.nint(rest / unit) * unit)
        else:
            parts.append(rounded(rest, bits))
    return parts


def constants() -> dict[tuple[str, int], list[mpf]]:
    """Numbers that take more than one word; those called SHORT have a first word that exponents multiply exactly."""
    found = {}
    for bits in (53, 24):
        short = bits - (12 if bits == 53 else 9)
        found["LN2", bits] = words(mp.log(2), bits, 2)
        found["LN2_SHORT", bits] = words(mp.log(2), bits, 2, short)
        found["LOG10_2_SHORT", bits] = words(mp.log10(2), bits, 2, short)
        found["LOG2_E", bits] = words(1 / mp.log(2), bits, 2)
        found["LOG10_E", bits] = words(1 / mp.log(10), bits, 2)
        found["SQRT_2", bits] = words(mp.sqrt(2), bits, 2)
        found["TWO_THIRDS", bits] = words(mpf(2) / 3, bits, 2)
        found["PI", bits] = words(mp.pi, bits, 3)
        found["DIGAMMA_ROOT", bits] = words(DIGAMMA_ROOT, bits, 2)
    return found


def turns(bits: int, largest: int, split: list[int]) -> list[list[mpf]]:
    """2**(8k) / pi modulo 2**bits, in words: x/pi modulo 2 is the product with x * 2**(-8k).

    What is left out is a multiple of 2**bits, and x * 2**(-8k), in [1, 256) for k > 0, is a multiple of 2**(1-bits), so
    the product loses a multiple of 2: M. H. Payne and R. N. Hanek, "Radian reduction for trigonometric functions",
    SIGNUM Newsletter 18, 1983. A word cut to ``split`` bits below the point has an exact product with x.
    """
    rows = []
    with mp.workdps(500):
        for k in range(largest // 8 + 1):
            modulus = mpf(2) ** bits
            value = mpf(2) ** (8 * k) / mp.pi
            value -= mp.nint(value / modulus) * modulus
            row: list[mpf] = []
            for cut in split:
                rest = value - mp.fsum(row)
                row.append(mp.nint(rest * mpf(2) ** cut) / mpf(2) ** cut if cut else rounded(rest, 53))
            rows.append(row)
    return rows


_HEAD = '''"""Numbers found by ``tools/coefficients.py``, which says what each is; not to be edited by hand."""

from __future__ import annotations


def _numbers(text: str) -> list[float]:
    return [float(one) for one in text.split()]


'''


def _text(values: list[mpf]) -> str:
    return " ".join(repr(float(one)) for one in values)


def _dictionary(name: str, comment: str, entries: dict[tuple[str, int], list[mpf]]) -> str:
    rows = [f"# {comment}", f"{name}: dict[tuple[str, int], list[float]] = {{"]
    for (key, digits), values in entries.items():
        text = textwrap.fill(_text(values), 110, initial_indent=" " * 8, subsequent_indent=" " * 8)
        rows.append(f'    ("{key}", {digits}): _numbers("""\n{text}\n    """),')
    return "\n".join([*rows, "}", "", ""])


def _table(name: str, comment: str, rows: list[list[mpf]]) -> str:
    text = "\n".join(_text(row) for row in rows)
    quoted = f'        """\n{text}\n""".strip().splitlines(),\n'
    return f"# {comment}\n{name}: list[list[float]] = list(\n    map(\n        _numbers,\n{quoted}    )\n)\n\n"


def main() -> None:
    """Write the tables."""
    parts = [
        _HEAD,
        _dictionary(
            "COEFFICIENTS",
            "Minimax polynomials, constant first, by name and the bits of the result that count.",
            coefficients(),
        ),
        _dictionary("CONSTANTS", "Constants as unevaluated sums, by name and precision.", constants()),
        _table(
            "TURNS",
            "Row k is 2**(8k)/pi, less multiples of a power of two that do not matter.",
            turns(53, 1023, [0, 0, 0, 0]),
        ),
        _table(
            "TURNS_SINGLE",
            "The same for arguments of 24 bits: the products of the first two words are exact.",
            turns(24, 127, [4, 33, 0]),
        ),
    ]
    TABLES.write_text("".join(parts).rstrip() + "\n")


if __name__ == "__main__":
    main()
