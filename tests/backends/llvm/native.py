"""Loops over one mathematical function, compiled: what the tests, the accuracy page and the throughput figures call."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from wengert.backends.llvm.math import BINARY, declare

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()

_WORD = ir.IntType(64)


def _loop(name: str, kind: Any, fused: bool) -> ir.Module:
    module = ir.Module("math")
    module.triple = llvm.get_process_triple()
    arity = 2 if name in BINARY else 1
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [kind.as_pointer()] * (arity + 1) + [_WORD]), "loop")
    for argument in function.args[:-1]:
        argument.add_attribute("noalias")
    entry, body, done = (function.append_basic_block(label) for label in ("entry", "body", "done"))
    ir.IRBuilder(entry).branch(body)
    builder = ir.IRBuilder(body)
    index = builder.phi(_WORD)
    index.add_incoming(ir.Constant(_WORD, 0), entry)
    *inputs, output, size = function.args
    values = [builder.load(builder.gep(one, [index])) for one in inputs]
    builder.store(builder.call(declare(module, name, kind, fused), values), builder.gep(output, [index]))
    following = builder.add(index, ir.Constant(_WORD, 1))
    index.add_incoming(following, body)
    builder.cbranch(builder.icmp_unsigned("<", following, size), body, done)
    ir.IRBuilder(done).ret_void()
    return module


@dataclass
class Native:
    """One compiled function; call it with arrays of its dtype."""

    name: str
    dtype: np.dtype
    engine: Any
    assembly: str
    milliseconds: dict[str, float]
    entry: Any = field(init=False)

    def __post_init__(self) -> None:
        address = self.engine.get_function_address("loop")
        arguments = [ctypes.c_void_p] * (3 if self.name in BINARY else 2)
        self.entry = ctypes.CFUNCTYPE(None, *arguments, ctypes.c_int64)(address)

    def __call__(self, *inputs: Any) -> np.ndarray:
        arrays = [np.ascontiguousarray(one, dtype=self.dtype) for one in inputs]
        arrays = list(map(np.ascontiguousarray, np.broadcast_arrays(*arrays)))
        output = np.empty_like(arrays[0])
        if output.size:
            self.entry(*(one.ctypes.data for one in arrays), output.ctypes.data, output.size)
        return output


@cache
def native(name: str, dtype: str, cpu: str = "", fused: bool = True) -> Native:
    """Compile a loop over ``name``, for the host or for another processor."""
    kind = ir.FloatType() if dtype == "float32" else ir.DoubleType()
    clock = [time.perf_counter()]
    text = str(_loop(name, kind, fused))
    clock.append(time.perf_counter())
    module = llvm.parse_assembly(text)
    clock.append(time.perf_counter())
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=cpu or llvm.get_host_cpu_name(), features="" if cpu else llvm.get_host_cpu_features().flatten(), opt=3
    )
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    clock.append(time.perf_counter())
    assembly = machine.emit_assembly(module)
    clock.append(time.perf_counter())
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    steps = ("emit", "parse", "optimise", "generate")
    spent = {step: 1e3 * (after - before) for step, before, after in zip(steps, clock, clock[1:], strict=False)}
    return Native(name, np.dtype(dtype), engine, assembly, spent)
