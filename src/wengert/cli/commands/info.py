"""``wengert info``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import metadata
from typing import Any

import numpy as np

import wengert
from wengert.backends.llvm.machine import binding
from wengert.cli.command import Command, Result
from wengert.cli.commands import cache

_VARIABLES = ("WENGERT_CACHE", "WENGERT_CPU", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
#: What the extras install, and what for.
_OPTIONAL = {
    "safetensors": ("nn", "states of modules in files"),
    "resvg_py": ("viz", "pictures as PNG"),
    "onnx": ("onnx", "ONNX models"),
    "scikit-learn": ("data", "data sets of the examples"),
    "rich": ("demo", "the progress bar of the examples"),
}
_FEATURES = ("sse4.2", "avx", "avx2", "fma", "avx512f", "neon", "sve")


def configure(parser: argparse.ArgumentParser) -> None:
    """There are no options of its own."""


def run(options: argparse.Namespace) -> Result:
    data = {
        "wengert": wengert.__version__,
        "folder": os.path.dirname(wengert.__file__),
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in ("numpy", "scipy", "llvmlite")},
        "llvm": _llvm(),
        "cpu": _cpu(),
        "blas": _blas(),
        "environment": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "cache": cache.contents(),
        "optional": {
            name: {"version": _version(name), "extra": extra, "for": what} for name, (extra, what) in _OPTIONAL.items()
        },
    }
    return Result(data, _text(data))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _llvm() -> str | None:
    try:
        return ".".join(map(str, binding.llvm_version_info))
    except (ImportError, OSError):
        return None


def _cpu() -> dict[str, Any]:
    affinity = getattr(os, "sched_getaffinity", None)
    cores = os.cpu_count() or 1
    found: dict[str, Any] = {"cores": cores, "usable": len(affinity(0)) if affinity is not None else cores}
    try:
        features = binding.get_host_cpu_features()
        found |= {"name": binding.get_host_cpu_name(), "features": [one for one in _FEATURES if features.get(one)]}
    except (ImportError, OSError, RuntimeError):
        found |= {"name": platform.processor() or platform.machine(), "features": []}
    return found


def _blas() -> dict[str, Any]:
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return {"name": blas.get("name"), "version": blas.get("version")}


def _text(data: dict[str, Any]) -> str:
    cpu, blas = data["cpu"], data["blas"]
    rows = [
        ("wengert", f"{data['wengert']}  {data['folder']}"),
        ("python", f"{data['python']}  {data['executable']}"),
        ("platform", data["platform"]),
        *((name, version or "not installed") for name, version in data["versions"].items()),
        ("LLVM", data["llvm"] or "cannot be loaded: nothing can be compiled"),
        ("processor", f"{cpu['name']}  {' '.join(cpu['features'])}"),
        ("threads", f"{cpu['usable']} of {cpu['cores']} cores may be used"),
        ("BLAS", f"{blas['name']} {blas['version']}"),
        *((name, value) for name, value in data["environment"].items()),
        ("cache", cache.text_of(data["cache"])),
    ]
    for name, one in data["optional"].items():
        missing = f"not installed: pip install 'wengert[{one['extra']}]'"
        rows.append((name, f"{one['version'] or missing}  ({one['for']})"))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)


COMMAND = Command(
    "info",
    "versions, processor, threads, caches, and what is installed",
    "What to look at, and to send along, when something is slow or wrong.",
    ("wengert info", "wengert info --json"),
    configure,
    run,
)
