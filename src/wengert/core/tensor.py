"""The one array type: an edge of the graph."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from .display import Displayed
from .errors import DTypeError, GradientError
from .node import Leaf, Node, Output, Watch
from .types import Size, get_default_dtype, in_machine_order, is_differentiable_dtype, storage

if TYPE_CHECKING:
    from wengert.ops.operators import Operators as _Operators
else:
    _Operators = object


#: Subclasses that behave exactly as ``Tensor`` does in ``apply`` (parameters), so that its fast path may take them.
EAGER_TYPES: set[type] = set()


class Tensor(Displayed, _Operators):
    """An n-dimensional array that remembers how it was computed.

    ``data`` is anything ``numpy.array`` takes, and is copied: nothing that the user does to it later can change the
    tensor. Python floats get the default dtype, NumPy arrays keep theirs.

    A tensor made by the user with ``requires_grad=True`` is a *leaf*: ``backward`` accumulates into its ``grad``.
    A tensor computed from one has a ``grad_fn``, the node of the operation that made it.

    >>> import wengert as wg
    >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "_node", "_value")

    def __init_subclass__(cls, eager: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if eager:
            EAGER_TYPES.add(cls)

    #: An ndarray; inside a trace, a ``Symbol``.
    _value: Any
    _node: Node | None

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> None:
        self._value = _as_new_array(data, dtype)
        self._node = None
        if requires_grad:
            self.requires_grad_()

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis; of a traced tensor it may hold unknown lengths."""
        return self._value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements, NumPy's."""
        return self._value.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Size:
        """The number of elements (NumPy); ``size()`` and ``size(dim)`` give the shape and one length (PyTorch)."""
        return Size(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the value."""
        return self._value.nbytes

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    # -- its place in the graph ---------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient can flow back through this tensor. Setting it works on leaves only."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        self.requires_grad_(flag)

    @property
    def is_leaf(self) -> bool:
        """True for tensors that no recorded operation made."""
        return self._node is None or isinstance(self._node, Leaf)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor; ``None`` for leaves."""
        node = self._node
        if node is None or isinstance(node, Leaf):
            return None
        return node.parents[0] if isinstance(node, Output) else node

    @property
    def output_nr(self) -> int:
        """Which result of ``grad_fn`` this tensor is."""
        return self._node.index if isinstance(self._node, Output) else 0

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start (or stop) tracking this tensor, in place, and return it.

        Raises ``GradientError`` for integer and boolean tensors, and when switched off on a result of an operation.
        """
        if requires_grad:
            if self._node is None:
                if not is_differentiable_dtype(self.dtype):
                    raise GradientError(
                        f"only floating-point and complex tensors can require gradients; this one is {self.dtype}. "
                        f"Convert it first: x.astype('float64')"
                    )
                self._node = leaf = Leaf(self.shape, self.dtype)
                leaf.memory = weakref.ref(storage(self._value))
        elif isinstance(self._node, Leaf):
            self._node = None
        elif self._node is not None:
            raise GradientError(
                f"requires_grad can only be switched off on a leaf, and this tensor was made by {self._node!r}; "
                f"use x.detach() for an untracked tensor of the same value"
            )
        return self

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient: of a leaf, or of an intermediate on which ``retain_grad`` was called."""
        node = self._node
        if node is None:
            return None
        if isinstance(node, Leaf):
            found: Tensor | None = node.grad
            return found
        return node.watch.grad if node.watch is not None else None

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        node = self._node
        if value is not None:
            if node is None:
                raise GradientError(
                    "this tensor does not require a gradient, so it cannot hold one; call requires_grad_()"
                )
            if not isinstance(value, Tensor):
                raise DTypeError(f"a gradient must be a Tensor or None, not {type(value).__name__}")
            if value.shape != self.shape:
                raise GradientError(f"a gradient of shape {value.shape} does not fit a tensor of shape {self.shape}")
            if value.dtype != self.dtype:
                raise GradientError(f"a gradient of dtype {value.dtype} does not fit a tensor of dtype {self.dtype}")
        if isinstance(node, Leaf):
            node.grad = value
        elif node is not None:
            self._watch().grad = value

    def _watch(self) -> Watch:
        if self._node is None:
            raise GradientError("this tensor does not require a gradient; call requires_grad_() before using it")
        if self._node.watch is None:
            self._node.watch = Watch()
        return self._node.watch

    def retain_grad(self) -> None:
        """Keep the gradient of this intermediate result: after ``backward`` it is in ``grad``, as a leaf's is."""
        watch = self._watch()
        if not isinstance(self._node, Leaf):
            watch.retain = True

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad`` was called on this intermediate result."""
        return self._node is not None and self._node.watch is not None and self._node.watch.retain

    def register_hook(self, hook: Any) -> HookHandle:
        """Call ``hook(grad)`` when the gradient of this tensor has been computed; what it returns, if not ``None``,
        takes the gradient's place. Returns a handle with ``remove()``."""
        watch = self._watch()
        key = watch.next_key
        watch.next_key += 1
        watch.hooks[key] = hook
        return HookHandle(watch, key)

    def detach(self) -> Tensor:
        """A tensor of the same value that no gradient flows through. Nothing is copied: values never change in place.

        >>> import wengert as wg
        >>> wg.tensor(2.0, requires_grad=True).detach().requires_grad
        False
        """
        value = self._value
        return wrap(value if isinstance(value, (np.ndarray, np.generic)) else value._level.cut(value))

    def detach_(self) -> Tensor:
        """Cut this tensor off from the operation that made it, in place."""
        self._value = self.detach()._value
        self._node = None
        return self


class HookHandle:
    """Removes a hook again."""

    def __init__(self, watch: Watch, key: int) -> None:
        self._watch = watch
        self._key = key

    def remove(self) -> None:
        self._watch.hooks.pop(self._key, None)


def wrap(value: Any, node: Node | None = None) -> Tensor:
    """A tensor around an array that Wengert owns: no copy, no conversion."""
    result = Tensor.__new__(Tensor)
    result._value = value
    result._node = node
    return result


def _as_new_array(data: Any, dtype: Any) -> np.ndarray:
    if isinstance(data, Tensor):
        return data._value if dtype is None else in_machine_order(data._value.astype(dtype))
    try:
        if isinstance(data, (list, tuple)):
            data = _without_tensors(data)
        array = np.array(data, dtype=dtype, subok=False)
    except (TypeError, ValueError) as error:
        raise DTypeError(f"tensor: cannot make an array of a {type(data).__name__}: {error}") from error
    if array.dtype.kind not in "biufc":
        raise DTypeError(
            f"tensor: data of type {type(data).__name__} gives dtype {array.dtype}; tensors hold booleans, integers, "
            f"floats and complex numbers. Ragged nested lists and strings are not arrays"
        )
    if dtype is None and array.dtype == np.float64 and not hasattr(data, "dtype"):
        array = array.astype(get_default_dtype(), copy=False)
    return in_machine_order(array)


def _without_tensors(data: Any) -> Any:
    """Nested lists with the tensors in them replaced by their values; iterative, so depth is no limit."""
    if not any(isinstance(item, (Tensor, list, tuple)) for item in data):
        return data
    out: list[Any] = []
    stack: list[tuple[Any, list[Any], int]] = [(data, out, 0)]
    while stack:
        source, target, depth = stack.pop()
        if depth > 64:
            raise ValueError("nested more than 64 deep (NumPy's limit on dimensions), or a list that contains itself")
        for item in source:
            if isinstance(item, Tensor):
                target.append(item._value)
            elif isinstance(item, (list, tuple)):
                inner: list[Any] = []
                target.append(inner)
                stack.append((item, inner, depth + 1))
            else:
                target.append(item)
    return out
