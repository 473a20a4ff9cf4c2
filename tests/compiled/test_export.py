"""Object files and headers, linked into small C programs and run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.core.interpreter import interpret

CC = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
needs_cc = pytest.mark.skipif(CC is None, reason="needs a C compiler: none of cc, gcc and clang is installed")
RNG = np.random.default_rng(0)

#: The one function of BLAS that the programs below call, so that no library has to be there.
DGEMM = """
void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
            const int *ldc) {
    for (int i = 0; i < *m; ++i)
        for (int j = 0; j < *n; ++j) {
            double sum = 0;
            for (int l = 0; l < *k; ++l)
                sum += a[*ta == 'N' ? i + l * *lda : l + i * *lda] * b[*tb == 'N' ? l + j * *ldb : j + l * *ldb];
            c[i + j * *ldc] = *alpha * sum + (*beta ? *beta * c[i + j * *ldc] : 0);
        }
}
"""


def main_of(graph: Any, null: bool = False) -> str:
    """A program that reads the arguments from a file, calls the function twice, and writes the outputs to another."""
    counts = [max(x.spec.nbytes, 1) for x in (*graph.inputs, *graph.outputs)]
    buffers = "\n".join(f"    char *p{k} = malloc({n});" for k, n in enumerate(counts))
    reads = "\n".join(
        f"    if (fread(p{k}, 1, {x.spec.nbytes}, in) != {x.spec.nbytes}) return 10;"
        for k, x in enumerate(graph.inputs)
    )
    first = len(graph.inputs)
    writes = "\n".join(f"    fwrite(p{first + k}, 1, {y.spec.nbytes}, out);" for k, y in enumerate(graph.outputs))
    arguments = ", ".join(f"(void *)p{k}" for k in range(len(counts)))
    space = "0" if null else "space + 1"
    return f"""
#include <stdio.h>
#include <stdlib.h>
#include "model.h"
{DGEMM}
int main(void) {{
    FILE *in = fopen("in", "rb"), *out = fopen("out", "wb");
    char *space = malloc(model_workspace_size() + 1);
    if (!space || model_workspace_size() != MODEL_WORKSPACE_SIZE) return 11;
{buffers}
{reads}
    int32_t first = model({arguments}, {space});
    int32_t status = model({arguments}, {space});
    if (first != status) return 12;
{writes}
    fclose(out);
    return status;
}}
"""


def run_in_c(graph: Any, arguments: Sequence[np.ndarray], folder: Path, null: bool = False) -> tuple[int, list[Any]]:
    written = graph.export(folder / "model")
    assert [path.name for path in written] == ["model.o", "model.h"]
    (folder / "main.c").write_text(main_of(graph, null))
    (folder / "in").write_bytes(b"".join(np.ascontiguousarray(x).tobytes() for x in arguments))
    assert CC is not None
    command = [CC, "-std=c99", "-Wall", "-Werror", "main.c", "model.o", "-lm", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    status = subprocess.run([folder / "main"], cwd=folder, timeout=60, env={}).returncode
    data, outs = (folder / "out").read_bytes(), []
    for y in graph.outputs:
        outs.append(np.frombuffer(data[: y.spec.nbytes], y.dtype).reshape(y.shape))
        data = data[y.spec.nbytes :]
    assert data == b""
    return status, outs


def loss(w: Any, x: Any) -> Any:
    return (wg.tanh(x @ w) ** 2).mean()


def scanned(x: Any, y: Any) -> Any:
    return wg.scan(lambda c, a: (wg.sin(c + a), c * a), y, x)


def several(x: Any, y: Any) -> Any:
    z = wg.exp(x)
    return z, z.T, z[1:], x, wg.tensor([1.0, 2.0]), {"sum": z.sum(), "table": z * np.arange(5.0)}, z, y > 0


X, Y = RNG.standard_normal((4, 5)), RNG.standard_normal(5)
CASES: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "value and gradient": (wg.value_and_grad(loss), (RNG.standard_normal((50, 40)), RNG.standard_normal((60, 50)))),
    "small products": (lambda x, y: x @ y, (X, Y)),
    "scan": (scanned, (X, Y)),
    "gradient of a scan": (wg.grad(lambda x, y: scanned(x, y)[1].sum()), (X, Y)),
    "outputs of all kinds": (several, (X, Y)),
    "float32": (lambda x: wg.log(wg.cosh(x)).sum(axis=0), (X.astype("float32"),)),
    "integers": (lambda x, k: (wg.take(x, k), k * 2), (Y, np.array([3, 0, 4]))),
    "angles that are far away": (wg.sin, (np.array([1.0, 1e14, 1e300]),)),
    "while": (lambda x: wg.while_loop(lambda v: (v**2).sum() < 100, lambda v: v * 1.5, x), (Y,)),
    "branches": (lambda x: wg.cond(x.sum() > 0, wg.sin, wg.cos, x), (Y,)),
    "numbers": (lambda x: wg.exp(x), (np.array(0.5),)),
    "large sums": (lambda x: (wg.exp(x).sum(), (x * x).mean(axis=0)), (RNG.standard_normal((300, 400)),)),
}


@needs_cc
@pytest.mark.parametrize("name", CASES)
def test_a_c_program_computes_the_same(name: str, tmp_path: Path) -> None:
    function, arguments = CASES[name]
    graph = wg.trace(function)(*arguments)
    status, found = run_in_c(graph, arguments, tmp_path)
    assert status == 0
    tolerance = 1e-6 if arguments[0].dtype == "float32" else 1e-12
    for one, wanted in zip(found, interpret(graph, arguments), strict=True):
        np.testing.assert_allclose(one, wanted, rtol=tolerance, atol=tolerance)


@needs_cc
def test_an_index_out_of_range_and_a_null_pointer_are_error_codes(tmp_path: Path) -> None:
    graph = wg.trace(lambda x, k: wg.take(x, k))(Y, np.array([3, 0, 4]))
    assert run_in_c(graph, (Y, np.array([3, 0, 9])), tmp_path)[0] == 1
    assert run_in_c(graph, (Y, np.array([3, 0, 4])), tmp_path, null=True)[0] == 2


@needs_cc
def test_captured_tensors_are_embedded(tmp_path: Path) -> None:
    w = wg.tensor(Y, requires_grad=True)
    graph = wg.trace(lambda x: x * w)(Y)
    status, (found,) = run_in_c(graph.substitute({1: Y}), (Y,), tmp_path)
    assert status == 0
    np.testing.assert_array_equal(found, Y * Y)
    assert "w" not in graph.export(tmp_path / "direct")[1].read_text().split("int32_t direct(")[1].split("workspace")[0]


@needs_cc
def test_code_for_any_processor_of_the_kind(tmp_path: Path) -> None:
    graph = wg.trace(wg.exp)(Y)
    path, header = graph.export(tmp_path / "model.o", name="any_cpu", cpu="generic")
    assert path == tmp_path / "model.o"
    assert "any_cpu(" in header.read_text()
    assert "for generic" in header.read_text()


def test_what_cannot_be_exported_says_why(tmp_path: Path) -> None:
    host = wg.trace(lambda x: wg.scipy.linalg.logm(x) + 1)(np.eye(3))
    with pytest.raises(wg.GraphError, match=r"NumPy would have to compute\n  logm: .*test_export.py"):
        host.export(tmp_path / "host")
    with pytest.raises(wg.GraphError, match="standard_gamma is computed by NumPy or SciPy"):
        wg.trace(lambda key: wg.random.gamma(key, 2.0, (3,)))(wg.random.key(0)).export(tmp_path / "draws")
    with pytest.raises(wg.GraphError, match=r"x \(float64\[n0\]\) has lengths that are not known"):
        wg.trace(lambda x: x + 1)(wg.TensorSpec((None,))).export(tmp_path / "unknown")
    for name in ("two-words", "int", "1st"):
        with pytest.raises(wg.GraphError, match="is no name of a C function"):
            wg.trace(lambda x: x + 1)(Y).export(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
