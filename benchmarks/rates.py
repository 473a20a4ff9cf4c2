"""Multiplications and bytes a second: compiled code against what the machine's BLAS and memory give."""

from __future__ import annotations

import numpy as np

import wengert as wg
from benchmarks.harness import compare

PRODUCTS = [(512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048), (32, 784, 128), (32, 1000, 1000), (512, 256, 1024)]
SIZES = [1_000_000, 4_000_000, 16_000_000]


def products() -> list[str]:
    """Rates of products, and their share of NumPy's."""
    rng = np.random.default_rng(0)
    rows = ["| product | dtype | NumPy's BLAS, GFLOP/s | compiled, GFLOP/s | share |", "|---|---|---|---|---|"]
    multiply = wg.jit(lambda a, b: a @ b)
    for m, k, n in PRODUCTS:
        for dtype in (np.float32, np.float64):
            a, b = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n)))
            out = np.empty((m, n), dtype)
            contestants = {
                "blas": lambda a=a, b=b, out=out: np.matmul(a, b, out),
                "ours": lambda a=a, b=b: multiply(a, b),
            }
            for _ in range(2):
                multiply(a, b)
            found = compare(contestants, rounds=5)
            rate = {who: 2e-9 * m * k * n / taken for who, taken in found.items()}
            name, share = np.dtype(dtype).name, rate["ours"] / rate["blas"]
            rows.append(f"| {m} x {k} x {n} | {name} | {rate['blas']:.0f} | {rate['ours']:.0f} | {share:.2f} |")
    return rows


def bandwidth() -> list[str]:
    """Bytes a second of ``a * x + y``, into memory that is there and into a fresh result, and of NumPy's copy."""
    rng = np.random.default_rng(0)
    rows = ["| elements | copy, GB/s | compiled `a * x + y`, GB/s | share |", "|---|---|---|---|"]
    combine = wg.jit(lambda x, y: 2.5 * x + y)
    for n in SIZES:
        x, y, out = rng.standard_normal(n), rng.standard_normal(n), np.zeros(n)
        for _ in range(3):
            combine(x, y)
        found = compare(
            {"copy": lambda x=x, out=out: np.copyto(out, x), "ours": lambda x=x, y=y: combine(x, y)}, rounds=5
        )
        copy, ours = 16e-9 * n / found["copy"], 24e-9 * n / found["ours"]
        rows.append(f"| {n:,} | {copy:.1f} | {ours:.1f} | {ours / copy:.2f} |")
    return rows


def main() -> str:
    """The section, for as many threads as the environment says."""
    threads = wg.get_num_threads()
    head = f"## Rates, {threads} thread{'s' * (threads > 1)}"
    return "\n".join([head, "", *products(), "", *bandwidth()])


if __name__ == "__main__":
    print(main())
