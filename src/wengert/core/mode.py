"""The one context-local place for modes: is the graph being built, are anomalies looked for, which module runs.

A ``Mode`` is immutable; changing one sets a new one in a ``ContextVar`` and the old one is restored in ``finally``.
New threads start with the default.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Mode:
    """What ``apply`` asks before it does anything else.

    ``plain`` is true when the fast path may be taken: gradients on, lines recorded, no anomaly detection.
    """

    __slots__ = ("_twin", "anomaly", "grad", "observer", "pack", "plain", "scope", "source", "trace")

    grad: bool
    source: bool
    anomaly: bool
    scope: str
    pack: Any
    #: The innermost running trace: operations on tracked tensors are its own.
    trace: Any
    #: Called in the place of every eager operation, as ``observer(primitive, inputs)``; it computes the result itself.
    observer: Any
    plain: bool

    def __init__(
        self,
        grad: bool = True,
        source: bool = True,
        anomaly: bool = False,
        scope: str = "",
        pack: Any = None,
        trace: Any = None,
        observer: Any = None,
    ) -> None:
        self.grad = grad
        self.source = source
        self.anomaly = anomaly
        self.scope = scope
        self.pack = pack
        self.trace = trace
        self.observer = observer
        self.plain = grad and source and not anomaly and pack is None and trace is None and observer is None
        self._twin: Mode | None = None

    def with_grad(self, grad: bool) -> Mode:
        """This mode with the graph being built, or not; the other one is remembered, since every sweep asks for it."""
        if grad == self.grad:
            return self
        if self._twin is None:
            self._twin = self.but(grad=grad)
        return self._twin

    def but(self, **changes: Any) -> Mode:
        names = ("grad", "source", "anomaly", "scope", "pack", "trace", "observer")
        return Mode(**({name: getattr(self, name) for name in names} | changes))

    def within(self, name: str) -> Mode:
        """This mode in an inner scope; cheaper than ``but``, because every call of a module makes one."""
        inner = Mode.__new__(Mode)
        inner.grad = self.grad
        inner.source = self.source
        inner.anomaly = self.anomaly
        inner.pack = self.pack
        inner.trace = self.trace
        inner.observer = self.observer
        inner.plain = self.plain
        inner._twin = None
        inner.scope = f"{self.scope}.{name}" if self.scope else name
        return inner


MODE: ContextVar[Mode] = ContextVar("wengert_mode", default=Mode())  # noqa: B039 - a Mode is immutable


class Setting:
    """A context manager that is also a decorator, holds no state between uses and may be nested in itself."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes
        self._tokens: list[Token[Mode]] = []

    def __enter__(self) -> None:
        self._tokens.append(MODE.set(MODE.get().but(**self._changes)))

    def __exit__(self, *exc: object) -> None:
        MODE.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with Setting(**self._changes):
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


class no_grad(Setting):
    """Build no graph: inside, results have ``requires_grad=False``. A context manager and a decorator.

    >>> import wengert as wg
    >>> x = wg.tensor([1.0], requires_grad=True)
    >>> with wg.no_grad():
    ...     (2 * x).requires_grad
    False
    """

    def __init__(self) -> None:
        super().__init__(grad=False)


class enable_grad(Setting):
    """Build the graph again inside a ``no_grad`` block. A context manager and a decorator."""

    def __init__(self) -> None:
        super().__init__(grad=True)


class set_grad_enabled(Setting):
    """Switch graph building on or off, at once; as a context manager, until the block ends."""

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=bool(mode))
        self._before = MODE.get()
        MODE.set(self._before.but(grad=bool(mode)))

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        MODE.set(MODE.get().but(grad=self._before.grad))

    def __call__(self, function: F) -> F:
        MODE.set(MODE.get().but(grad=self._before.grad))
        return super().__call__(function)


class record_source(Setting):
    """Whether nodes remember the user's source line: ``with record_source(False): ...`` saves about 0.1 us a node."""

    def __init__(self, mode: bool = True) -> None:
        super().__init__(source=bool(mode))


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require gradients are being recorded in this context."""
    return MODE.get().grad


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Record ``name`` on every node built inside; nested scopes are joined by dots (``model.layers.0``)."""
    token = MODE.set(MODE.get().within(name))
    try:
        yield
    finally:
        MODE.reset(token)
