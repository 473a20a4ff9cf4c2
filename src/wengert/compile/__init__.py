"""``jit``: trace, passes, plan, native code; once for each kind of arguments."""

from __future__ import annotations

from wengert.compile.export import export
from wengert.compile.jitted import CacheInfo, explain_recompiles, jit
from wengert.compile.lowered import Lowered
from wengert.compile.native import Compiled, program_of, run

__all__ = ["CacheInfo", "Compiled", "Lowered", "explain_recompiles", "export", "jit", "program_of", "run"]
