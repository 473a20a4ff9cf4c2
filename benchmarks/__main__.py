"""Run every benchmark and write ``benchmarks/RESULTS.md``; with ``--only`` or ``--peers``, only compare compiled code.

python -m benchmarks
python -m benchmarks --only rnn,mlp --peers wengert,jax
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks import deep, harness, importing, mlp, overhead, rates, scalar, side_by_side, tables


def versions() -> str:
    found = [f"NumPy {np.__version__}"]
    for name in ("torch", "jax", "autograd", "micrograd"):
        try:
            module = __import__(name)
        except ImportError:
            continue
        found.append(f"{name} {getattr(module, '__version__', '')}".strip())
    return ", ".join(found)


def compiled(only: list[str], peers: list[str]) -> str:
    """The section on compiled code: one table for one thread, one for all."""
    parts = ["## Native code"]
    for threads, results in side_by_side.main(only, peers).items():
        parts += ["", f"### {threads} thread{'s' * (threads > 1)}", "", tables.table(results)]
    return "\n".join(parts)


def main() -> None:
    """One section a benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Wengert against its peers.")
    parser.add_argument("--only", default="", help="names of workloads, or parts of them, with commas")
    parser.add_argument("--peers", default="", help=f"contestants, with commas: {', '.join(side_by_side.PEERS)}")
    chosen = parser.parse_args()
    only, peers = ([one for one in text.split(",") if one] for text in (chosen.only, chosen.peers))
    if only or peers:
        print(compiled(only, peers))
        return
    sections = ["# Results", "", f"Measured on {harness.machine()}; {versions()}; one BLAS thread.", ""]
    sections += ["Machines differ and are noisy: read the ratios. `make bench` measures again.", ""]
    for module in (overhead, mlp, deep, scalar, rates, importing):
        print(f"running {module.__name__} ...", flush=True)
        sections += [module.main(), ""]
    sections += [compiled([], []), ""]
    harness.RESULTS.write_text("\n".join(sections))
    print(harness.RESULTS.read_text())


if __name__ == "__main__":
    main()
