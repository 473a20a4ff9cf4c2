"""Run every benchmark and write ``benchmarks/RESULTS.md``."""

from __future__ import annotations

import numpy as np

from benchmarks import compiled, deep, harness, importing, mlp, overhead, scalar


def versions() -> str:
    found = [f"NumPy {np.__version__}"]
    for name in ("torch", "jax", "autograd", "micrograd"):
        try:
            module = __import__(name)
        except ImportError:
            continue
        found.append(f"{name} {getattr(module, '__version__', '')}".strip())
    return ", ".join(found)


def main() -> None:
    """One section a benchmark."""
    sections = ["# Results", "", f"Measured on {harness.machine()}; {versions()}; one BLAS thread.", ""]
    sections += ["Machines differ and are noisy: read the ratios. `make bench` measures again.", ""]
    for module in (overhead, mlp, deep, scalar, compiled, importing):
        print(f"running {module.__name__} ...", flush=True)
        sections += [module.main(), ""]
    harness.RESULTS.write_text("\n".join(sections))
    print(harness.RESULTS.read_text())


if __name__ == "__main__":
    main()
