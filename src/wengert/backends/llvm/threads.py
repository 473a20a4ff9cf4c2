"""The threads that large loops run on, and how many there are.

Native code hands a loop, cut into chunks, to ``dispatch``; the caller and the workers take chunks until none is left.
Workers are Python threads that stay inside one native function, without the interpreter's lock: they look out for the
next loop for some microseconds, because waking takes longer than a small loop, and then sleep. A caller that finds them
at work for another does all of its chunks itself; so it does, for a while, when it has waited for a worker that the
system had put aside: on a busy machine, help may take longer than the work.
"""

from __future__ import annotations

import ctypes
import os
import platform
import threading
import time
from collections.abc import Callable
from typing import Any

from wengert.backends.llvm.engine import Native
from wengert.backends.llvm.loops import index, loop
from wengert.backends.llvm.module import Code
from wengert.core.errors import GraphError
from wengert.core.lazy import LazyModule

ir: Any = LazyModule("llvmlite.ir")
scipy: Any = LazyModule("scipy")

#: Whether there are threads of the kind that the code below asks for.
AVAILABLE = os.name == "posix"

#: The name by which modules call ``dispatch(function, context, chunks)``.
DISPATCH = "wengert_dispatch"

#: What the caller and the workers share, in words of 64 bits: three objects of the threads library, then these.
_OBJECT = 16
_MUTEX, _START, _DONE = 0, _OBJECT, 2 * _OBJECT
_FUNCTION, _CONTEXT, _COUNT, _NEXT, _OPEN, _INSIDE, _STOP, _BUSY, _WORKERS, _ALONE, _PLACE = range(
    3 * _OBJECT, 3 * _OBJECT + 11
)
_WORDS = 3 * _OBJECT + 16

#: For how many nanoseconds somebody looks out for what there is to do before going to sleep.
_PATIENCE = 200_000

#: When a worker counts as put aside: the wait is so many times the caller's own part of the work, and so many
#: nanoseconds more. Then nobody is asked for so many times the time that was lost.
_SLOWER, _LATER, _PENALTY = 2, 20_000, 32

#: What is called of the threads library, and of the system.
_CALLS = ("mutex_init", "mutex_lock", "mutex_unlock", "cond_init", "cond_wait", "cond_signal", "cond_broadcast")
_SYSTEM = ("clock_gettime", "sched_getcpu", "sched_getaffinity", "sched_setaffinity")

#: How many processors a set of them has places for.
_PROCESSORS = 1024

#: What tells a processor that it is waiting.
_PAUSES = {"x86_64": "llvm.x86.sse2.pause", "AMD64": "llvm.x86.sse2.pause"}


class _Pool:
    """The machine code of the pool, and its threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.native: Native | None = None
        self.threads: list[threading.Thread] = []
        #: Whether as many workers run as there should.
        self.ready = False
        self.wanted = _default()

    def start(self) -> None:
        """Start the workers, if they do not run."""
        with self.lock:
            if self.ready:
                return
            self._function("reset")(self.wanted - 1)
            work = self._function("worker")
            self.threads = [threading.Thread(target=work, args=(0,), daemon=True) for _ in range(self.wanted - 1)]
            for thread in self.threads:
                thread.start()
            self.ready = True

    def stop(self) -> None:
        """End the workers, when they have done what they are doing."""
        with self.lock:
            if self.threads:
                self._function("stop")(0)
                for thread in self.threads:
                    thread.join()
            self.threads, self.ready = [], False

    def forget(self) -> None:
        """A process that was forked has the code, but not the threads."""
        self.lock = threading.Lock()
        self.threads, self.ready = [], False
        if self.native is not None:
            self._function("forget")(0)

    def address(self) -> int:
        """Where ``dispatch`` begins."""
        with self.lock:
            return self._code().address(DISPATCH)

    def _code(self) -> Native:
        if self.native is None:
            symbols = _symbols()
            self.native = Native(_module(symbols.keys() >= set(_SYSTEM)), symbols=symbols)
        return self.native

    def _function(self, name: str) -> Any:
        return ctypes.CFUNCTYPE(None, ctypes.c_int64)(self._code().address(f"wengert_{name}"))


def _default() -> int:
    """``WENGERT_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the processors that this process may use."""
    for name in ("WENGERT_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "").split(",")[0]
        if text.strip().isdecimal() and int(text):
            return int(text)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


POOL = _Pool()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.forget)


def dispatch(builder: Any, code: Code, chunk: Any, table: Any, count: int) -> None:
    """Have all chunks done, by the threads or one after another."""
    if not code.threads:
        with loop(builder, count) as number:
            builder.call(chunk, [table, number])
        return
    function = code.module.globals.get(DISPATCH)
    if function is None:
        kind = ir.FunctionType(ir.VoidType(), [chunk.type, table.type, ir.IntType(64)])
        function = ir.Function(code.module, kind, DISPATCH)
    builder.call(function, [chunk, table, index(count)])


def get_num_threads() -> int:
    """How many threads large loops of compiled code run on.

    >>> import wengert as wg
    >>> wg.get_num_threads() >= 1
    True
    """
    return POOL.wanted


def set_num_threads(n: int) -> None:
    """Have large loops of compiled code, and BLAS, run on ``n`` threads.

    At first it is the number in ``WENGERT_NUM_THREADS`` or ``OMP_NUM_THREADS``, else the number of processors that the
    process may use. Results do not depend on it: loops are cut by their lengths alone, and partial sums are added in
    order. Raises ``GraphError`` unless ``n`` is a positive integer.

    >>> import wengert as wg
    >>> before = wg.get_num_threads()
    >>> wg.set_num_threads(2)
    >>> wg.get_num_threads()
    2
    >>> wg.set_num_threads(before)
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise GraphError(f"set_num_threads: a positive integer is needed, not {n!r}")
    POOL.stop()
    POOL.wanted = n
    for name in ("scipy_openblas_set_num_threads", "openblas_set_num_threads", "MKL_Set_Num_Threads"):
        for library in _blas_libraries():
            found = getattr(library, name, None)
            if found is not None:
                found(n)


def _blas_libraries() -> list[Any]:
    """The libraries that come with SciPy's wheels."""
    folder = os.path.join(os.path.dirname(os.path.dirname(scipy.__file__)), "scipy.libs")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [ctypes.CDLL(os.path.join(folder, name)) for name in names if "blas" in name]


# -- the code -------------------------------------------------------------------------------------------------------


def _symbols() -> dict[str, int]:
    """Where the functions of the threads library and the clock are."""
    process = ctypes.CDLL(None)
    names = [*(f"pthread_{name}" for name in _CALLS), *_SYSTEM]
    found = {name: getattr(process, name, None) for name in names}
    return {name: ctypes.cast(one, ctypes.c_void_p).value or 0 for name, one in found.items() if one is not None}


def _module(knows_places: bool) -> Any:
    """The module of ``dispatch``, ``worker``, ``reset``, ``forget`` and ``stop``; whether the system says which
    processor one is on."""
    module = ir.Module("wengert_threads")
    words = ir.ArrayType(ir.IntType(64), _WORDS)
    shared = ir.GlobalVariable(module, words, "shared")
    shared.linkage = "internal"
    shared.initializer = ir.Constant(words, None)
    shared.align = 64
    code = _Code(module, shared, knows_places)
    code.work()
    code.dispatch()
    code.worker()
    code.reset()
    code.forget()
    code.stop()
    return module


class _Code:
    """Writes the pool's functions."""

    def __init__(self, module: Any, shared: Any, knows_places: bool) -> None:
        self.module = module
        self.shared = shared
        self.knows_places = knows_places
        self.word = ir.IntType(64)
        self.byte = ir.IntType(8).as_pointer()
        self.chunk = ir.FunctionType(ir.VoidType(), [self.byte, self.word])

    def _begin(self, name: str, parameters: list[Any]) -> tuple[Any, Any]:
        function = ir.Function(self.module, ir.FunctionType(ir.VoidType(), parameters), name)
        return function, ir.IRBuilder(function.append_basic_block("entry"))

    def _at(self, builder: Any, word: int) -> Any:
        return builder.gep(self.shared, [index(0), index(word)])

    def _get(self, builder: Any, word: int) -> Any:
        return builder.load_atomic(self._at(builder, word), "seq_cst", 8)

    def _set(self, builder: Any, word: int, value: Any) -> None:
        number = index(value) if isinstance(value, int) else value
        builder.store_atomic(number, self._at(builder, word), "seq_cst", 8)

    def _call(self, builder: Any, name: str, *words: Any) -> None:
        arguments = [builder.bitcast(self._at(builder, word), self.byte) for word in words]
        if name.endswith("init"):
            arguments.append(ir.Constant(self.byte, None))
        self._outside(builder, f"pthread_{name}", *arguments)

    def _outside(self, builder: Any, name: str, *arguments: Any) -> Any:
        """Call a function of C's library."""
        function = self.module.globals.get(name)
        if function is None:
            kind = ir.FunctionType(ir.IntType(32), [argument.type for argument in arguments])
            function = ir.Function(self.module, kind, name)
        return builder.call(function, arguments)

    def work(self) -> None:
        """Take chunks until none is left."""
        function, builder = self._begin("wengert_work", [])
        take, do, after = (function.append_basic_block(name) for name in ("take", "do", "after"))
        target = builder.inttoptr(self._get(builder, _FUNCTION), self.chunk.as_pointer())
        context = builder.inttoptr(self._get(builder, _CONTEXT), self.byte)
        count = self._get(builder, _COUNT)
        builder.branch(take)
        builder.position_at_end(take)
        number = builder.atomic_rmw("add", self._at(builder, _NEXT), index(1), "seq_cst")
        builder.cbranch(builder.icmp_signed("<", number, count), do, after)
        builder.position_at_end(do)
        builder.call(target, [context, number])
        builder.branch(take)
        builder.position_at_end(after)
        builder.ret_void()

    def dispatch(self) -> None:
        """Call ``function(context, k)`` for each ``k < count``, with the workers' help if they have the time."""
        function, builder = self._begin(DISPATCH, [self.chunk.as_pointer(), self.byte, self.word])
        target, context, count = function.args
        alone, ask, together, wait, sleep, done = (
            function.append_basic_block(name) for name in ("alone", "ask", "together", "wait", "sleep", "done")
        )
        began = self._now(builder)
        nobody = builder.icmp_signed("==", self._get(builder, _WORKERS), index(0))
        later = builder.icmp_signed("<", began, self._get(builder, _ALONE))
        builder.cbranch(builder.or_(nobody, later), alone, ask)
        builder.position_at_end(ask)
        taken = builder.cmpxchg(self._at(builder, _BUSY), index(0), index(1), "seq_cst")
        builder.cbranch(builder.extract_value(taken, 1), together, alone)

        builder.position_at_end(alone)
        body, after = function.append_basic_block("body"), function.append_basic_block("after")
        builder.branch(body)
        builder.position_at_end(body)
        number = builder.phi(self.word)
        number.add_incoming(index(0), alone)
        builder.call(target, [context, number])
        following = builder.add(number, index(1))
        number.add_incoming(following, body)
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        builder.position_at_end(after)
        builder.ret_void()

        builder.position_at_end(together)
        self._call(builder, "mutex_lock", _MUTEX)
        self._set(builder, _FUNCTION, builder.ptrtoint(target, self.word))
        self._set(builder, _CONTEXT, builder.ptrtoint(context, self.word))
        self._set(builder, _COUNT, count)
        self._set(builder, _NEXT, 0)
        self._set(builder, _PLACE, self._place(builder))
        self._set(builder, _OPEN, 1)
        self._call(builder, "cond_broadcast", _START)
        self._call(builder, "mutex_unlock", _MUTEX)
        builder.call(self.module.globals["wengert_work"], [])
        worked = self._now(builder)
        self._call(builder, "mutex_lock", _MUTEX)
        self._set(builder, _OPEN, 0)
        self._call(builder, "mutex_unlock", _MUTEX)
        self._look_out(builder, lambda: builder.icmp_signed("==", self._get(builder, _INSIDE), index(0)))
        self._call(builder, "mutex_lock", _MUTEX)
        builder.branch(wait)
        builder.position_at_end(wait)
        builder.cbranch(builder.icmp_signed(">", self._get(builder, _INSIDE), index(0)), sleep, done)
        builder.position_at_end(sleep)
        self._call(builder, "cond_wait", _DONE, _MUTEX)
        builder.branch(wait)
        builder.position_at_end(done)
        self._call(builder, "mutex_unlock", _MUTEX)
        self._judge(builder, began, worked)
        self._set(builder, _BUSY, 0)
        builder.ret_void()

    def _judge(self, builder: Any, began: Any, worked: Any) -> None:
        """Ask nobody for a while, if a worker was put aside."""
        ended = self._now(builder)
        waited, own = builder.sub(ended, worked), builder.sub(worked, began)
        most = builder.add(builder.mul(own, index(_SLOWER)), index(_LATER))
        with builder.if_then(builder.icmp_signed(">", waited, most), likely=False):
            self._set(builder, _ALONE, builder.add(ended, builder.mul(waited, index(_PENALTY))))

    def _now(self, builder: Any) -> Any:
        """The time in nanoseconds."""
        with builder.goto_entry_block():
            parts = builder.gep(builder.alloca(ir.ArrayType(self.word, 2)), [index(0), index(0)])
        self._outside(builder, "clock_gettime", ir.IntType(32)(time.CLOCK_MONOTONIC), parts)
        seconds, rest = builder.load(parts), builder.load(builder.gep(parts, [index(1)]))
        return builder.add(builder.mul(seconds, index(1_000_000_000)), rest)

    def worker(self) -> None:
        """Look out, help, and sleep when there is nothing to do for a while, until told to stop."""
        function, builder = self._begin("wengert_worker", [self.word])
        idle, look, ask, help_, sleep, leave = (
            function.append_basic_block(name) for name in ("idle", "look", "ask", "help", "sleep", "leave")
        )
        builder.branch(idle)
        builder.position_at_end(idle)
        if self.knows_places:
            with builder.if_then(self._is_in_the_way(builder), likely=False):
                self._step_aside(builder)
        self._look_out(builder, lambda: builder.or_(self._is_stopped(builder), self._is_wanted(builder)))
        self._call(builder, "mutex_lock", _MUTEX)
        builder.branch(look)
        builder.position_at_end(look)
        builder.cbranch(self._is_stopped(builder), leave, ask)
        builder.position_at_end(ask)
        builder.cbranch(self._is_wanted(builder), help_, sleep)
        builder.position_at_end(help_)
        self._set(builder, _INSIDE, builder.add(self._get(builder, _INSIDE), index(1)))
        self._call(builder, "mutex_unlock", _MUTEX)
        builder.call(self.module.globals["wengert_work"], [])
        self._call(builder, "mutex_lock", _MUTEX)
        self._set(builder, _INSIDE, builder.sub(self._get(builder, _INSIDE), index(1)))
        self._call(builder, "cond_signal", _DONE)
        self._call(builder, "mutex_unlock", _MUTEX)
        builder.branch(idle)
        builder.position_at_end(sleep)
        self._call(builder, "cond_wait", _START, _MUTEX)
        builder.branch(look)
        builder.position_at_end(leave)
        self._call(builder, "mutex_unlock", _MUTEX)
        builder.ret_void()

    def _place(self, builder: Any) -> Any:
        """The number of the processor, or -1."""
        if not self.knows_places:
            return index(-1)
        return builder.sext(self._outside(builder, "sched_getcpu"), self.word)

    def _is_in_the_way(self, builder: Any) -> Any:
        """Whether a worker is on the processor that the last caller was on."""
        return builder.icmp_signed("==", self._place(builder), self._get(builder, _PLACE))

    def _step_aside(self, builder: Any) -> None:
        """Go to another processor, if there is one that the thread may be on: the system would leave it for long where
        it is, because it sleeps whenever the system looks."""
        words = ir.ArrayType(self.word, _PROCESSORS // 64)
        with builder.goto_entry_block():
            allowed, others = builder.alloca(words), builder.alloca(words)
        here, length = ir.IntType(32)(0), index(_PROCESSORS // 8)
        self._outside(builder, "sched_getaffinity", here, length, allowed)
        builder.store(builder.load(allowed), others)
        place = self._place(builder)
        word = builder.gep(others, [index(0), builder.lshr(place, index(6))])
        bit = builder.shl(index(1), builder.and_(place, index(63)))
        builder.store(builder.and_(builder.load(word), builder.not_(bit)), word)
        # It fails if there is no other; nothing is lost then.
        self._outside(builder, "sched_setaffinity", here, length, others)
        self._outside(builder, "sched_setaffinity", here, length, allowed)

    def _is_stopped(self, builder: Any) -> Any:
        return builder.icmp_signed("!=", self._get(builder, _STOP), index(0))

    def _is_wanted(self, builder: Any) -> Any:
        """Whether there are chunks that nobody has taken."""
        left = builder.icmp_signed("<", self._get(builder, _NEXT), self._get(builder, _COUNT))
        return builder.and_(left, builder.icmp_signed("!=", self._get(builder, _OPEN), index(0)))

    def _look_out(self, builder: Any, is_time: Callable[[], Any]) -> None:
        """Wait until something is true, but not for long."""
        function = builder.function
        again, rest, after = (function.append_basic_block(name) for name in ("again", "rest", "after"))
        end = builder.add(self._now(builder), index(_PATIENCE))
        builder.branch(again)
        builder.position_at_end(again)
        builder.cbranch(is_time(), after, rest)
        builder.position_at_end(rest)
        pause = _PAUSES.get(platform.machine())
        if pause is not None:
            builder.call(self.module.declare_intrinsic(pause, (), ir.FunctionType(ir.VoidType(), [])), [])
        builder.cbranch(builder.icmp_signed("<", self._now(builder), end), again, after)
        builder.position_at_end(after)

    def reset(self) -> None:
        """Begin afresh, with so many workers."""
        function, builder = self._begin("wengert_reset", [self.word])
        ask, begin = function.append_basic_block("ask"), function.append_basic_block("begin")
        builder.branch(ask)
        builder.position_at_end(ask)
        # Somebody may still be at work.
        taken = builder.cmpxchg(self._at(builder, _BUSY), index(0), index(1), "seq_cst")
        builder.cbranch(builder.extract_value(taken, 1), begin, ask)
        builder.position_at_end(begin)
        for word in (_NEXT, _COUNT, _OPEN, _INSIDE, _STOP):
            self._set(builder, word, 0)
        self._set(builder, _PLACE, -1)
        self._set(builder, _WORKERS, function.args[0])
        self._call(builder, "mutex_init", _MUTEX)
        self._call(builder, "cond_init", _START)
        self._call(builder, "cond_init", _DONE)
        self._set(builder, _BUSY, 0)
        builder.ret_void()

    def forget(self) -> None:
        """In a process that was forked: nobody is at work, whatever memory says."""
        _, builder = self._begin("wengert_forget", [self.word])
        for word in (_WORKERS, _BUSY, _ALONE):
            self._set(builder, word, 0)
        builder.ret_void()

    def stop(self) -> None:
        """Tell the workers to end. Whoever dispatches after this works alone."""
        _, builder = self._begin("wengert_stop", [self.word])
        self._call(builder, "mutex_lock", _MUTEX)
        self._set(builder, _WORKERS, 0)
        self._set(builder, _STOP, 1)
        self._call(builder, "cond_broadcast", _START)
        self._call(builder, "mutex_unlock", _MUTEX)
        builder.ret_void()
