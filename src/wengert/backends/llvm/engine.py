"""From IR to machine code in this process."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wengert.backends.llvm import angles, cache, external
from wengert.backends.llvm.machine import machine, new_machine
from wengert.core.lazy import LazyModule

binding: Any = LazyModule("llvmlite.binding")

#: LLVM is not entered by two threads at once.
LOCK = threading.Lock()

_ONCE = threading.RLock()
T = TypeVar("T")


def once(make: Callable[[], T]) -> Callable[[], T]:
    """A function that makes something once in the life of the process, also if two threads ask at the same time: with
    ``functools.cache`` both would make it, and machine code that one of them has the address of would be freed."""
    made: list[T] = []

    @functools.wraps(make)
    def get() -> T:
        if not made:
            with _ONCE:
                if not made:
                    made.append(make())
        return made[0]

    return get


class Native:
    """A module's machine code, kept alive as long as its functions may be called."""

    def __init__(self, module: Any, keep_text: bool = False, symbols: Mapping[str, int] | None = None) -> None:
        text = str(module)
        outside = {**external.symbols(module), **angles.symbols(module, Native), **(symbols or {})}
        with LOCK:
            target = machine()
            parsed = binding.parse_assembly(text)
            parsed.triple = target.triple
            parsed.data_layout = str(target.target_data)
            for name, address in outside.items():
                binding.add_symbol(name, address)
            self.ir = self.assembly = ""
            key = cache.key(text)
            stored = None if keep_text else cache.load(key)
            self._engine = binding.create_mcjit_compiler(parsed, new_machine())
            if stored is None:
                optimise(parsed, target)
                if keep_text:
                    self.ir = str(parsed)
                    self.assembly = target.emit_assembly(parsed)
                self._engine.set_object_cache(lambda _, code: cache.save(key, code), None)
            else:
                self._engine.set_object_cache(None, lambda _: stored)
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function begins."""
        found: int = self._engine.get_function_address(name)
        return found


def optimise(parsed: Any, target: Any) -> None:
    """Run LLVM's passes over a module, in place. ``LOCK`` must be held."""
    options = binding.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    options.slp_vectorization = True
    # Only the loops that say so are unrolled: LLVM's own choice multiplies code many times over, and gains nothing.
    options.loop_unrolling = False
    builder = binding.create_pass_builder(target, options)
    passes = builder.getModulePassManager()
    passes.run(parsed, builder)
    if type(passes)._dispose is binding.ffi.ObjectRef._dispose:
        # llvmlite finds the method that frees nothing first, and would lose some 50 KB at every compilation.
        binding.newpassmanagers.NewPassManager._dispose(passes)
