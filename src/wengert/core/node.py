"""Nodes: what an operation leaves behind so that a gradient can flow back through it."""

from __future__ import annotations

import itertools
import linecache
import os
import sys
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from .types import TensorSpec

if TYPE_CHECKING:
    from .primitive import Primitive

#: A node is newer than its operands, so sorting by number is a topological order.
next_number: Callable[[], int] = itertools.count(1).__next__

_LIBRARY_FOLDERS = tuple(
    os.path.dirname(os.path.abspath(path)) + os.sep for path in (os.path.dirname(__file__), np.__file__)
)


class _LibraryFiles(dict[str, bool]):
    """Whether a file belongs to the library (or to NumPy, which calls it back): such frames are not the user's."""

    def __missing__(self, filename: str) -> bool:
        found = self[filename] = filename.startswith(_LIBRARY_FOLDERS)
        return found


is_library_file = _LibraryFiles()


class _Freed:
    """Takes the place of residuals that a backward pass has consumed."""

    def __repr__(self) -> str:
        return "<freed>"


FREED: Any = _Freed()


class Location:
    """A line of the user's source."""

    __slots__ = ("column", "filename", "function", "line")

    def __init__(self, filename: str, line: int, function: str, column: int | None = None) -> None:
        self.filename = filename
        self.line = line
        self.function = function
        self.column = column

    @property
    def text(self) -> str:
        """The line of code itself, if its file can be read."""
        return linecache.getline(self.filename, self.line).strip()

    def __str__(self) -> str:
        return f"{self.filename}:{self.line}"

    def __repr__(self) -> str:
        return f"<{self} in {self.function}>"


def resolve(code: CodeType | None, lasti: int) -> Location | None:
    """The source location of a recorded instruction; decoding is left until someone asks."""
    if code is None:
        return None
    line, _, column, _ = next(itertools.islice(code.co_positions(), lasti // 2, None), (None, None, None, None))
    return Location(code.co_filename, line or code.co_firstlineno, code.co_qualname, column)


def user_frame() -> tuple[CodeType | None, int]:
    """The code and the instruction of the nearest frame on the stack that is not the library's own."""
    frame = sys._getframe(1)
    while frame is not None:
        if not is_library_file[frame.f_code.co_filename]:
            return frame.f_code, frame.f_lasti
        frame = frame.f_back  # type: ignore[assignment]
    return None, 0


def user_location() -> Location | None:
    """The line of the nearest frame on the stack that is not the library's own."""
    return resolve(*user_frame())


class Watch:
    """What a user asked of an intermediate gradient: hooks to call, and whether to keep it."""

    __slots__ = ("grad", "hooks", "next_key", "retain")

    def __init__(self) -> None:
        self.hooks: dict[int, Callable[[Any], Any]] = {}
        self.next_key = 0
        self.retain = False
        self.grad: Any = None


class Node:
    """One application of a primitive.

    It holds the operation, the nodes of its tracked operands (``parents``, ``None`` for constants), the residuals that
    its pullbacks need, and where in the user's source it was called. It does not hold its operands: a value that no
    rule needs is freed as soon as the user drops it.
    """

    __slots__ = (
        "__weakref__",
        "code",
        "dtype",
        "lasti",
        "number",
        "parents",
        "primitive",
        "residuals",
        "scope",
        "shape",
        "watch",
    )

    primitive: Primitive
    parents: tuple[Node | None, ...]
    residuals: Any
    number: int
    shape: Any
    dtype: Any
    code: CodeType | None
    lasti: int
    scope: str
    watch: Watch | None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def spec(self) -> TensorSpec:
        return TensorSpec(self.shape, self.dtype)

    @property
    def location(self) -> Location | None:
        """The user's source line that made this node."""
        return resolve(self.code, self.lasti)

    def name(self) -> str:
        """PyTorch's name for the node: ``MulBackward``, ``ReluBackward``, ``AccumulateGrad``."""
        return self.primitive.title + "Backward"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes of the operands, each with the index of the output that was used."""
        return tuple(
            (parent.parents[0], parent.index) if isinstance(parent, Output) else (parent, 0) for parent in self.parents
        )

    def kept(self) -> Iterator[tuple[str, Any]]:
        """The arrays kept for the backward pass, each with the role it plays (``x``, ``out``, ``aux``)."""
        if self.residuals is None or self.residuals is FREED:
            return
        count = len(self.residuals) - 2
        names = list(self.primitive.inputs) if len(self.primitive.inputs) == count else [f"x{i}" for i in range(count)]
        for name, value in zip([*names, "out", "aux"], self.residuals, strict=True):
            if hasattr(value, "kept_arrays"):
                value = value.kept_arrays()
            values = value if isinstance(value, (tuple, list)) else (value,)
            for array in values:
                if hasattr(array, "nbytes") and hasattr(array, "shape"):
                    yield name, array

    def __repr__(self) -> str:
        where = self.location
        return f"<{self.name()} {self.number}{f' at {where}' if where else ''}>"


class Leaf(Node):
    """Where a gradient arrives: the node of a tensor that the user made with ``requires_grad=True``."""

    __slots__ = ("grad", "label", "memory")

    grad: Any
    label: str
    #: The memory of the leaf's first value, for the ledger; the leaf does not keep it alive.
    memory: weakref.ref[np.ndarray] | None

    def __init__(self, shape: Any, dtype: Any, label: str = "") -> None:
        self.primitive = None  # type: ignore[assignment]
        self.parents = ()
        self.residuals = None
        self.number = next_number()
        self.shape = shape
        self.dtype = dtype
        self.code = None
        self.lasti = 0
        self.scope = ""
        self.watch = None
        self.grad = None
        self.label = label
        self.memory = None

    def name(self) -> str:
        return "AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad {self.number}{f' {self.label}' if self.label else ''}>"


class Output(Node):
    """One of several results of a node; it passes its cotangent on to that node at its index."""

    __slots__ = ("index",)

    index: int

    def name(self) -> str:
        return self.parents[0].name()  # type: ignore[union-attr]


class MultiNode(Node):
    """A node with several results; ``shape`` is the tuple of their specs."""

    __slots__ = ("outputs",)

    #: Weak references to the live ``Output`` nodes, so that every user of a result shares one.
    outputs: list[weakref.ref[Output] | None]

    def output(self, index: int) -> Output:
        """The node of one result, made on first use."""
        reference = self.outputs[index]
        node = reference() if reference is not None else None
        if node is None:
            node = Output()
            node.primitive = self.primitive
            node.parents = (self,)
            node.residuals = None
            node.number = next_number()
            spec = self.shape[index]
            node.shape, node.dtype = spec.shape, spec.dtype
            node.code, node.lasti, node.scope = self.code, self.lasti, self.scope
            node.watch = None
            node.index = index
            self.outputs[index] = weakref.ref(node)
        return node


def record(
    primitive: Primitive,
    parents: tuple[Node | None, ...],
    residuals: Any,
    out: Any,
    scope: str,
    source: bool = True,
) -> Node:
    """Make the node of an operation that has just been computed (``apply`` inlines this in the common case)."""
    node: Node
    if type(out) is tuple:
        node = MultiNode()
        node.shape = tuple(TensorSpec(one.shape, one.dtype) for one in out)
        node.dtype = None
        node.outputs = [None] * len(out)
    else:
        node = Node()
        node.shape = out.shape
        node.dtype = out.dtype
    node.primitive = primitive
    node.parents = parents
    node.residuals = residuals
    node.number = next_number()
    node.scope = scope
    node.watch = None
    node.code, node.lasti = user_frame() if source else (None, 0)
    return node


def reachable(roots: Sequence[Node], until: Collection[Node] = ()) -> list[Node]:
    """Every node that the roots depend on, themselves included, in topological order, and none beyond those in
    ``until``. No recursion."""
    seen = {*roots, *until}
    stack = [root for root in set(roots) if root not in until]
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=lambda node: node.number)
