"""The processor that code is generated for."""

from __future__ import annotations

import functools
import os
from typing import Any

from wengert.core.lazy import LazyModule

binding: Any = LazyModule("llvmlite.binding")
llvmlite: Any = LazyModule("llvmlite")


#: How hard LLVM tries when it makes instructions of optimised IR: more takes much longer, and gains nothing measurable.
LEVEL = 1


@functools.cache
def machine() -> Any:
    """The machine that code is optimised for."""
    return new_machine()


def new_machine() -> Any:
    """This machine, unless ``WENGERT_CPU`` names a processor (``generic``)."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    name = os.environ.get("WENGERT_CPU", "")
    target = binding.Target.from_default_triple()
    cpu = name or binding.get_host_cpu_name()
    features = "" if name else binding.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=cpu, features=features, opt=LEVEL, jit=True)


def object_machine(cpu: str | None = None) -> Any:
    """The machine that object files are for: this one, or another processor of its kind."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    name = cpu or os.environ.get("WENGERT_CPU", "")
    features = "" if name else binding.get_host_cpu_features().flatten()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(
        cpu=name or binding.get_host_cpu_name(), features=features, opt=3, reloc="pic", codemodel="default"
    )


@functools.cache
def has_fma() -> bool:
    """Whether it has fused multiply-add instructions."""
    return not os.environ.get("WENGERT_CPU") and bool(binding.get_host_cpu_features().get("fma"))


@functools.cache
def vector_bits() -> int:
    """How many bits its vectors have."""
    if os.environ.get("WENGERT_CPU"):
        return 128
    features = binding.get_host_cpu_features()
    return 512 if features.get("avx512f") else 256 if features.get("avx2") else 128


@functools.cache
def description() -> str:
    """What generated code depends on besides its text: the processor and the versions."""
    name = os.environ.get("WENGERT_CPU", "")
    features = "" if name else binding.get_host_cpu_features().flatten()
    return "\0".join((llvmlite.__version__, new_machine().triple, name or binding.get_host_cpu_name(), features))
